"""Lake → lead times: what complaints, official statements and searches said first."""

from typing import Any, Final

import pandas as pd
import pyarrow.compute as pc

from clamor import schema
from clamor.backtest.lead import WITHIN, LeadTimes, lead_times
from clamor.store import Lake

_COLUMNS: Final = ["source", "service", "bin_minutes", "bin_start", "state"]


def measure(lake: Lake, *, service: str | None = None, within: pd.Timedelta = WITHIN) -> LeadTimes:
    """Measure all incidents and statements that the lake knows, or those of one service.

    Searches are taken from the finest bins in which they were judged.
    """
    incidents, marks = lake.incidents(), schema.to_pandas(lake.read(schema.MARKS))
    marks = marks.sort_values("observed_at", kind="stable").drop_duplicates(list(schema.MARKS.key), keep="last")
    if service is not None:
        incidents = incidents.loc[[service in row for row in incidents["services"]]]
        marks = marks.loc[marks["service"] == service]
    times = pd.concat([marks["mark_at"], incidents["onset_at"], incidents["last_seen_at"]]).sort_values()
    flags, found = [], list[str]()
    wanted = set(_indexes(lake))
    for minutes in lake.widths():
        rows = _around(lake, times, bin_minutes=minutes, reach=2 * within)
        here = set(rows["source"]) & wanted - set(found)
        flags.append(rows.loc[~rows["source"].isin(list(wanted - here))])
        found += sorted(here)
    known = pd.concat(flags, ignore_index=True) if flags else schema.FLAGS.empty()[_COLUMNS]
    return lead_times(incidents, marks, flags=known, searches=found, within=within)


def _indexes(lake: Lake) -> list[str]:
    """Return the sources of the lake that are an index of searches, not posts."""
    units = lake.read(schema.VOLUMES, columns=["source", "unit"])
    found: list[str] = pc.unique(units.filter(pc.equal(units.column("unit"), "index")).column("source")).to_pylist()
    return found


def _around(lake: Lake, times: "pd.Series[Any]", *, bin_minutes: int, reach: pd.Timedelta) -> pd.DataFrame:
    """Return the verdicts around some times, in order of time, each once."""
    parts = [schema.FLAGS.empty()[_COLUMNS]]
    until = pd.Timestamp(0, tz="UTC")
    for time in times:
        start, end = max(until, time - reach), time + reach + pd.Timedelta(minutes=bin_minutes)
        if start < end:
            parts.append(
                lake.current(schema.FLAGS, bin_minutes=bin_minutes, start=start, end=end, columns=_COLUMNS)[_COLUMNS]
            )
            until = end
    return pd.concat(parts, ignore_index=True)
