"""What is known now of every service: the one table behind the page's headline and the command line's answer."""

from collections.abc import Hashable
from typing import Any, Final

import pandas as pd

from clamor.report.window import ELEVATED, NO_DATA, OUTAGE, WARM_UP, Window, window
from clamor.schema import UNKNOWN_REGION, IncidentStatus, State

UNKNOWN: Final = "unknown"
"""A service's state when its data are missing or old. Not a state of a bin: there it is ``no_data``."""
STATES: Final = (State.OUTAGE, State.ELEVATED, UNKNOWN, State.WARM_UP, State.NORMAL)
"""The states of a service in the order in which they are told: failing first, then not known."""
COLUMNS: Final = (
    "service",
    "state",
    "since",
    "regions",
    "incident_id",
    "coverage",
    "regions_watched",
    "regions_unknown",
    "last_data_at",
)
Incident = dict[Hashable, Any]
"""A row of INCIDENTS."""
_STALE_BINS: Final = 3
_STALE_AT_LEAST: Final = pd.Timedelta(minutes=45)


def status(
    flags: pd.DataFrame,
    *,
    now: pd.Timestamp,
    incidents: pd.DataFrame | None = None,
    regions: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Say for every service what is known at ``now``.

    A service is in ``outage`` while an incident of it is ongoing; ``elevated`` while its complaints are above normal
    and no incident is open; ``unknown`` when its newest data are older than three bins (at least 45 minutes), when it
    has none, or when an incident ended without coverage; ``warm_up`` while its baseline is being learned.

    Args:
        flags: Rows of FLAGS (all sources), or ``detect``'s answer.
        now: The time of the question, UTC.
        incidents: Rows of INCIDENTS. Without them a flagged ``outage`` bin is enough for ``outage``.
        regions: ``region, parent``; tells which regions are parts of others.

    Returns:
        One row a service, worst first: service, state, since (null where it has no meaning), regions (of the trouble),
        incident_id (or null), coverage (observed share of the window's bins, 0 to 1), regions_watched,
        regions_unknown (of those, how many have no fresh data), last_data_at (end of the newest observed bin, or null).

    Raises:
        InputError: a column is missing, a time is naive or a state is not one of ours.

    """
    return of_window(window(flags, now), now=now, incidents=incidents, regions=regions)


def of_window(
    view: Window, *, now: pd.Timestamp, incidents: pd.DataFrame | None = None, regions: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Do the work of :func:`status` on a window that is at hand."""
    parents = parents_of(regions)
    open_incidents = _open_incidents(incidents)
    rows = [
        _service(view, str(service), series, parents, now, open_incidents, incidents is not None)
        for service, series in view.decided.groupby("service", sort=True)
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    for name in ("since", "last_data_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True).dt.as_unit("us")
    order = {str(state): place for place, state in enumerate(STATES)}
    return frame.sort_values("state", key=lambda s: s.map(order), kind="stable").reset_index(drop=True)


def parents_of(regions: pd.DataFrame | None) -> dict[str, str]:
    """Region to its parent."""
    if regions is None or "parent" not in regions.columns:
        return {}
    known = regions[regions["parent"].notna()]
    return dict(zip(known["region"].astype(str), known["parent"].astype(str), strict=True))


def above(region: str, parents: dict[str, str]) -> list[str]:
    """Return the regions that a region is part of, the nearest first."""
    found: list[str] = []
    while (parent := parents.get(region)) is not None and parent not in found:
        found.append(parent)
        region = parent
    return found


def roots(names: set[str], parents: dict[str, str]) -> set[str]:
    """Return the regions that are part of no other region among ``names``; ``ZZ`` only where it is all there is."""
    found = {name for name in names - {UNKNOWN_REGION} if names.isdisjoint(above(name, parents))}
    return found or names


def stale_after(view: Window) -> pd.Timedelta:
    """Return the age at which a window's newest data say nothing about now."""
    return max(_STALE_AT_LEAST, _STALE_BINS * pd.Timedelta(minutes=view.bin_minutes))


def _open_incidents(incidents: pd.DataFrame | None) -> list[Incident]:
    """Incidents that are not over, the ongoing before those of unknown end, the oldest first."""
    if incidents is None:
        return []
    told = incidents[incidents["status"].isin([IncidentStatus.ONGOING, IncidentStatus.UNKNOWN])]
    return told.sort_values(["status", "onset_at"]).to_dict("records")


def _service(
    view: Window,
    service: str,
    series: pd.DataFrame,
    parents: dict[str, str],
    now: pd.Timestamp,
    open_incidents: list[Incident],
    judged: bool,
) -> dict[str, object]:
    tops = series[series["region"].isin(roots(set(series["region"]), parents))]
    last = view.at(int(series["last_observed"].max()) + 1) if series["last_observed"].max() >= 0 else pd.NaT
    limit = stale_after(view)
    fresh = series[series["last_observed"].map(lambda place: place >= 0 and now - view.at(place + 1) <= limit)]
    seen = view.ranks(tops.index) > NO_DATA
    row: dict[str, object] = {
        "service": service,
        "since": pd.NaT,
        "regions": [],
        "incident_id": None,
        "coverage": float(seen.mean()) if len(seen) else 0.0,
        "regions_watched": int(series["region"].nunique()),
        "regions_unknown": int(series["region"].nunique() - fresh["region"].nunique()),
        "last_data_at": last,
    }
    for incident in open_incidents:
        if service == incident["service"] or service in incident["services"]:
            going = incident["status"] == IncidentStatus.ONGOING and len(fresh) > 0
            return row | {
                "state": str(State.OUTAGE) if going else UNKNOWN,
                "since": incident["onset_at"] if going else incident["last_seen_at"],
                "regions": list(incident["regions"]),
                "incident_id": incident["incident_id"],
            }
    return row | _from_flags(view, fresh, set(tops["region"]), last, judged)


def _from_flags(view: Window, fresh: pd.DataFrame, tops: set[str], last: object, judged: bool) -> dict[str, object]:
    """Judge a service without an open incident by the newest bins of its series."""
    if fresh.empty:
        return {"state": UNKNOWN, "since": last}
    outage = fresh[fresh["rank"] == OUTAGE]
    raised = fresh[(fresh["rank"] == ELEVATED) & fresh["region"].isin(tops)]
    for rows, state in ((outage, State.ELEVATED if judged else State.OUTAGE), (raised, State.ELEVATED)):
        if len(rows):
            return {
                "state": str(state),
                "since": view.at(int(rows["started"].min())),
                "regions": sorted(rows["region"].unique()),
            }
    learning = fresh["rank"].max() == WARM_UP
    return {"state": str(State.WARM_UP if learning else State.NORMAL)}
