"""The command line: ``clamor COMMAND``. Results go to stdout, messages to stderr.

Exit codes: 0 done (and, with ``--fail-on-incident``, nothing is failing); 1 something could not be done; 2 the command
was not understood; 3 an incident is open, if asked for with ``--fail-on-incident``; 130 interrupted.
"""

import sys

import typer

import clamor.cli.collecting as collecting
import clamor.cli.deciding as deciding
import clamor.cli.trying as trying
from clamor.errors import ClamorError

app = typer.Typer(
    name="clamor",
    help="Hears outages in public complaints: collect, volumes, baseline, flags, incidents, report.",
    epilog="Exit codes: 0 done, 1 failed, 2 not understood, 3 an incident is open (with --fail-on-incident).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for part in (trying, collecting, deciding):
    part.add(app)


def main() -> None:
    """Run the command line; our own errors are one line on stderr, a closed pipe is silence."""
    try:
        app()
    except ClamorError as error:
        sys.stderr.write(f"clamor: {error}\n")
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        sys.stderr.write("clamor: interrupted; what was proven is stored\n")
        raise SystemExit(130) from None
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None
