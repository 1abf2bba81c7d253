"""Commands that need nothing but clamor: demo and emulate, on a synthetic world."""

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from clamor.cli import common
from clamor.errors import InputError

Seed = Annotated[int, typer.Option(help="Which synthetic world.", min=0)]


def add(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    commands: list[Callable[..., None]] = [demo, emulate]
    for command in commands:
        app.command()(command)


def demo(
    seed: Seed = 101,
    seeds: Annotated[str | None, typer.Option(help="Compare several worlds, as 101-110; no report.")] = None,
    report: Annotated[Path, typer.Option(help="Where the page goes.")] = Path("data/demo/report.html"),
    lake: Annotated[Path, typer.Option(help="Where the demo's lake goes; what is there of an older demo goes.")] = Path(
        "data/demo/lake"
    ),
) -> None:
    """Show the whole way on SYNTHETIC data, from posts to report.

    Emulated X and Reddit, the real collectors, detection, report; at the end a comparison with what was true.
    """
    from clamor import demo as show

    if seeds is not None:
        first, dash, last = seeds.partition("-")
        if not (first.isdigit() and (last.isdigit() or not dash)):
            raise InputError(f"--seeds {seeds!r}: write FIRST-LAST, as 101-110")
        show.several(range(int(first), int(last or first) + 1), lake=lake)
        return
    show.demo(seed, lake=lake, report=report)


def emulate(
    seed: Seed = 101,
    port: Annotated[int, typer.Option(help="Port on loopback [chosen by the system].", min=0, max=65535)] = 0,
) -> None:
    """Serve the SYNTHETIC world as X and Reddit until stopped.

    It runs on the wall clock; the settings that point `clamor run` at it are printed.
    """
    from clamor import demo as show

    with suppress(KeyboardInterrupt), show.emulated(seed, port) as settings:
        for name, value in settings.items():
            typer.echo(f"export {name}='{value}'")
        common.say(
            "synthetic X and Reddit are served; in another shell set the lines above, then `clamor run`; Ctrl-C ends"
        )
        threading.Event().wait()
