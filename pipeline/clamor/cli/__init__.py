"""The command line: ``clamor COMMAND``. Results go to stdout, messages to stderr.

Exit codes: 0 done (and, with ``--fail-on-incident``, nothing is failing); 1 something could not be done, or, with
``--fail-on-incident``, nothing is known; 2 the command was not understood; 3 an incident is open, if asked for with
``--fail-on-incident``; 130 interrupted.
"""

import signal
import sys
from types import FrameType

import typer

from clamor.cli import collecting, deciding, evaluating, importing, reading, telling, timing, trying
from clamor.errors import ClamorError

app = typer.Typer(
    name="clamor",
    help="Hears outages in public complaints: collect, volumes, baseline, flags, incidents, report.",
    epilog="Exit codes: 0 done; 1 failed, or nothing known (with --fail-on-incident); 2 not understood; "
    "3 an incident is open (with --fail-on-incident); 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for part in (trying, importing, collecting, deciding, telling, timing, reading, evaluating):
    part.add(app)


def main() -> None:
    """Run the command line; what a user can mend is one line on stderr, a closed pipe is silence."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        app()
    except ClamorError as error:
        _end(str(error))
    except OSError as error:
        _end(f"{error.filename or 'output'}: {error.strerror or error}; check space and permissions")
    except SystemExit as end:
        if end.code == INTERRUPTED:
            sys.stderr.write("clamor: interrupted; what was proven is stored, run it again to go on\n")
        raise


INTERRUPTED = 130


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Take a request to terminate as an interrupt from the keyboard: finish the page, store it, end."""
    raise KeyboardInterrupt


def _end(message: str) -> None:
    sys.stderr.write(f"clamor: {message}\n")
    raise SystemExit(1) from None
