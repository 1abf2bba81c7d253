"""Lake → what a person sees: the verdicts to show, and the page."""

from pathlib import Path
from typing import Any, Final

import pandas as pd

from clamor import schema
from clamor.errors import InputError
from clamor.run.evaluate import as_of
from clamor.store import Lake

SHOWN_BINS: Final = 2000
"""How many bins a page shows where nothing else is asked for: three weeks of quarter hours, five years of days."""
_STATUS_BINS: Final = 200


def shown_width(lake: Lake, wanted: int, *, explicit: bool) -> int:
    """Return the bin width to show: the wanted one; where the lake has none of it and nobody insisted, the finest.

    Raises:
        InputError: the wanted width was asked for by name and has no verdicts.

    """
    there = lake.widths()
    if wanted in there or not there:
        return wanted
    if explicit:
        widths = ", ".join(f"{minutes} min" for minutes in there)
        raise InputError(
            f"--bin {wanted} min: no verdicts of that width (there are {widths}); run `clamor detect --bin`"
        )
    return there[0]


def recent_flags(lake: Lake, *, bin_minutes: int, explicit: bool, until: pd.Timestamp) -> pd.DataFrame:
    """Return the newest verdicts, enough to say what is known now."""
    minutes = shown_width(lake, bin_minutes, explicit=explicit)
    newest = lake.newest(schema.FLAGS, bin_minutes=minutes, before=until)
    if newest is None:
        return schema.FLAGS.empty()
    return lake.current(schema.FLAGS, bin_minutes=minutes, start=newest - _STATUS_BINS * pd.Timedelta(minutes=minutes))


def page(
    lake: Lake,
    catalog: Any,
    *,
    bin_minutes: int,
    explicit: bool = False,
    since: pd.Timestamp | None = None,
    until: pd.Timestamp | None = None,
    now: pd.Timestamp | None = None,
    title: str = "clamor",
) -> str:
    """Return the page over ``[since, until)``; by default the newest :data:`SHOWN_BINS` bins.

    With ``until`` it is the page of that time: incidents stand as the bins before it tell.

    Raises:
        InputError: the lake holds no verdicts of that window.

    """
    from clamor import report

    asked = now if now is not None else pd.Timestamp.now("UTC").as_unit("us")
    if until is not None and until < asked:
        asked, title = until, f"{title}, as of {until:%Y-%m-%d %H:%M} UTC"
    minutes = shown_width(lake, bin_minutes, explicit=explicit)
    newest = lake.newest(schema.FLAGS, bin_minutes=minutes, before=until)
    if newest is None:
        raise InputError(f"lake {lake.root!r} holds no verdicts to show; `clamor detect`, `run` or `demo` make them")
    end = until if until is not None else newest + pd.Timedelta(minutes=minutes)
    start = since if since is not None else end - SHOWN_BINS * pd.Timedelta(minutes=minutes)
    flags = lake.current(schema.FLAGS, bin_minutes=minutes, start=start, end=end)
    if flags.empty:
        raise InputError(f"no verdicts between {start} and {end}; ask for another --since or --until")
    known = lake.incidents() if until is None else as_of(lake, catalog, until, bin_minutes=minutes)
    overlapping = (known["onset_at"] < end) & (known["last_seen_at"] >= start) & (known["bin_minutes"] == minutes)
    return report.page(
        flags,
        now=asked,
        incidents=known.loc[overlapping],
        coverage=schema.to_pandas(lake.read(schema.COVERAGE, start=start, end=end)),
        marks=schema.to_pandas(lake.read(schema.MARKS, start=start, end=end)),
        regions=catalog.regions,
        services=catalog.services,
        synthetic=lake.synthetic,
        title=title,
        lake=lake.root,
        catalog_version=catalog.version,
    )


def write_page(page: str, path: Path) -> None:
    """Write a page to a file.

    Raises:
        InputError: the place cannot be written.

    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); give another --out") from error
