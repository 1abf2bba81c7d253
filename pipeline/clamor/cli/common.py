"""What the commands share: options, how a result is shown, and how a message is."""

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

import typer

from clamor import budget as budgets
from clamor.errors import InputError

Lake = Annotated[
    str | None, typer.Option("--lake", help="Folder or object-store URI of the lake [env CLAMOR_LAKE; data/lake].")
]
Config = Annotated[Path | None, typer.Option("--config", help="Settings file [clamor.toml if it is there].")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Bin = Annotated[str | None, typer.Option("--bin", help="Bin width: 15min, 1h, 1d, 1w [15min].")]


def accepted(text: str) -> budgets.Budget:
    """Read a budget.

    Raises:
        BadParameter: it is none.

    """
    try:
        return budgets.Budget.parse(text)
    except InputError as error:
        raise typer.BadParameter(str(error)) from None


BUDGET_HELP = "False incidents that you accept: 0.1 in a week of each series, or 2/month of all together"
Budget = Annotated[
    budgets.Budget | None, typer.Option("--budget", metavar="N[/month]", parser=accepted, help=f"{BUDGET_HELP} [0.1].")
]
Fail = Annotated[
    bool, typer.Option("--fail-on-incident", help="Exit with 3 while an incident is open, with 1 if nothing is known.")
]
Services = Annotated[
    list[str] | None, typer.Option("--service", help="Only these services (repeat it) [env CLAMOR_SERVICES; all].")
]
_YEARS = (1970, 2200)
_PIPE_WIDTH = 1000
"""Columns of a pipe: no id is broken over two lines there, where grep would miss it."""
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}")


def say(message: str) -> None:
    """Tell the person something, on stderr."""
    sys.stderr.write(message.rstrip("\n") + "\n")


def show_json(rows: Iterable[object]) -> None:
    """Print rows as JSON on stdout."""
    from clamor import frames

    sys.stdout.write(frames.to_json(rows) + "\n")


def show_table(rows: Sequence[dict[str, Any]], *, title: str | None = None, empty: str = "nothing") -> None:
    """Print rows as a table on stdout; a line a row on a pipe, fitted on a terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(soft_wrap=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False)
    if title:
        console.print(title, style="bold", markup=False)
    if not rows:
        console.print(empty, markup=False)
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in rows[0]:
        table.add_column(name, justify="right" if _numeric(row[name] for row in rows) else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_text(value) for value in row.values()))
    console.print(table)


def _numeric(values: Iterable[object]) -> bool:
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)


def _text(value: object) -> Any:
    from rich.text import Text

    return Text("" if value is None else str(value))


def instant(text: str | None, option: str) -> Any:
    """Turn an ISO 8601 time with an offset, or a date (its midnight in UTC), into a UTC timestamp.

    Raises:
        InputError: not a time, or a time of day without an offset.

    """
    if text is None:
        return None
    import pandas as pd

    parsed = pd.to_datetime(pd.Series([text]), errors="coerce", format="ISO8601").iloc[0]
    if pd.isna(parsed) or not _TIME.match(text.strip()):
        raise InputError(f"{option} {text!r}: not a time; write 2026-10-14 or 2026-10-14T09:15Z")
    time = pd.Timestamp(parsed)
    if not _YEARS[0] <= time.year <= _YEARS[1]:
        raise InputError(f"{option} {text!r}: not a year between {_YEARS[0]} and {_YEARS[1]}; correct it")
    if time.tzinfo is None and len(text.strip()) > 10:
        raise InputError(f"{option} {text!r}: a time of day needs an offset; write {text.strip()}Z for UTC")
    return (time.tz_localize("UTC") if time.tzinfo is None else time.tz_convert("UTC")).as_unit("us")


def check_services(services: Iterable[str], catalog: Any) -> None:
    """Refuse services that the catalogue does not have.

    Raises:
        InputError: one of them is not there; the message names the nearest.

    """
    import difflib

    for service in services:
        if service not in catalog.services:
            near = difflib.get_close_matches(service, list(catalog.services), n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else "`clamor catalog services` lists them"
            raise InputError(f"service {service!r} is not in the catalogue; {hint}")


def check_regions(codes: Iterable[str], catalog: Any) -> None:
    """Refuse codes that are no regions.

    Raises:
        InputError: one of them is not.

    """
    known = set(catalog.regions["region"])
    for code in codes:
        if code not in known:
            raise InputError(f"region {code!r} is no region code; use 001, ISO 3166-1 (US) or ISO 3166-2 (US-MI)")


def pairs(texts: Iterable[str] | None) -> dict[str, str]:
    """Turn repeated ``--column NAME=HEADING`` into a mapping.

    Raises:
        InputError: one of them is no such pair.

    """
    found = {}
    for text in texts or ():
        name, equals, heading = text.partition("=")
        if not equals or not heading.strip():
            raise InputError(f"--column {text!r}: write NAME=HEADING, as text=body or created_at=date")
        found[name.strip()] = heading.strip()
    return found


def clock(time: Any) -> str:
    """Show a UTC time to the minute; nothing where there is none."""
    import pandas as pd

    return "" if time is None or pd.isna(time) else f"{time:%Y-%m-%d %H:%M}"


class Progress:
    """A bar on stderr, only where stderr is a terminal."""

    def __init__(self, label: str) -> None:
        self._shown = sys.stderr.isatty()
        if self._shown:
            from rich.console import Console
            from rich.progress import Progress as Bar

            self._bar = Bar(*self._columns(label), console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task(label, total=None, rows=0, rate=0.0)

    def _columns(self, label: str) -> list[Any]:
        from rich.progress import BarColumn, TextColumn, TimeRemainingColumn

        return [TextColumn(label), BarColumn(), TextColumn("{task.percentage:>3.0f}%"), TimeRemainingColumn()]

    def __enter__(self) -> Self:
        if self._shown:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._bar.stop()

    def __call__(self, done: float, total: float) -> None:
        """Move the bar."""
        if self._shown:
            self._bar.update(self._task, completed=done, total=total)
