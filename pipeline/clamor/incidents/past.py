"""Incidents known before that no case of this run goes on from: revised away, outlived by the window, or left alone."""

from typing import Any

import numpy as np

from clamor.incidents.cases import standing
from clamor.incidents.episodes import ELEVATED, NORMAL, Decided, Ints, Rows, after
from clamor.incidents.given import Given
from clamor.schema import Ending, IncidentStatus


def settle(row: dict[str, Any], given: Given, decided: Decided) -> dict[str, Any]:
    """Return the row as it stands after this run.

    It is withdrawn if its time was decided anew, from data, and nothing is left of it. If it began before the window,
    only its end can have changed. Where its time has no data now, nothing says that it was wrong.
    """
    if row["status"] == IncidentStatus.WITHDRAWN:
        return row
    rows = given.rows
    series = _series(row, rows, decided)
    if row["onset_at"] < rows.start:
        return _carry_on(row, given, decided, series)
    first, end = _bin(rows, row["onset_at"]), _bin(rows, row["last_seen_at"])
    inside = np.isin(decided.series, series) & (decided.bin >= first) & (decided.bin < max(end, first + 1))
    if (decided.rank[inside] >= NORMAL).any():
        return {**row, "status": str(IncidentStatus.WITHDRAWN), "computed_at": given.now_us}
    return row


def _bin(rows: Rows, at: int) -> int:
    return (at - rows.start) // rows.width


def _series(row: dict[str, Any], rows: Rows, decided: Decided) -> Ints:
    """Return the numbers of the incident's series: its services in its regions, in all regions if those have none."""
    services = [i for i, name in enumerate(rows.services) if name in row["services"]]
    regions = [i for i, name in enumerate(rows.regions) if name in row["regions"]]
    wide = len(rows.regions)
    present = np.unique(decided.series)
    mine = present[np.isin(present // wide, services)]
    named = mine[np.isin(mine % wide, regions)]
    return named if len(named) else mine


def _carry_on(row: dict[str, Any], given: Given, decided: Decided, series: Ints) -> dict[str, Any]:
    """Follow an incident that began before the window: flagged bins keep it open, normal ones close it."""
    if row["status"] == IncidentStatus.RECOVERED or not len(series):
        return row
    rows, quiet = given.rows, given.quiet
    last = _bin(rows, row["last_seen_at"]) - 1
    hot = np.unique(decided.bin[np.isin(decided.series, series) & (decided.rank >= ELEVATED)])
    for bin_number in hot[hot > last].tolist():
        if bin_number - last > quiet:
            break
        last = bin_number
    then = after(decided, series, np.full(len(series), last), quiet_bins=quiet)
    status, clear = standing(then, quiet, given.fresh)
    changed = {**row, "status": str(status), "last_seen_at": rows.time(last + 1), "computed_at": given.now_us}
    if status == IncidentStatus.RECOVERED:
        changed |= {
            "recovered_at": rows.time(last + 1),
            "recovered_low_at": rows.time(last),
            "recovered_high_at": rows.time(clear + 1),
            "ending": str(Ending.QUIET),
        }
    return changed
