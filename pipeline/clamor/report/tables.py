"""The page's tables: the state of every service, the regions, and all incidents in short."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from clamor.report.drawn import ends_at
from clamor.report.headline import subject
from clamor.report.status import UNKNOWN, Incident, roots, stale_after
from clamor.report.strips import Piece, strip
from clamor.report.window import ELEVATED, NO_DATA, OUTAGE, RANKED, Ranks, Window, settled
from clamor.report.words import STATE_WORDS, Names, clock, number, percent, span, standing, times
from clamor.schema import CONTINENTS, UNKNOWN_REGION, WORLD, State

MANY_REGIONS: Final = 300


@dataclass(frozen=True)
class ServiceRow:
    """What is known of one service."""

    name: str
    state: str
    word: str
    since: str
    where: str
    strip: list[Piece]
    coverage: str
    regions: str
    age: str
    anchor: str


@dataclass(frozen=True)
class RegionRow:
    """The worst of one region, now and in the window, over the services."""

    region: str
    name: str
    parent: str
    now: str
    now_word: str
    now_where: str
    worst: str
    worst_word: str
    worst_where: str
    ratio: float
    peak: str
    coverage: str


@dataclass(frozen=True)
class IncidentRow:
    """One incident in one line."""

    anchor: str
    name: str
    where: str
    severity: str
    status: str
    began: str
    ended: str
    peak: str
    size: str


def service_rows(
    view: Window,
    states: pd.DataFrame,
    incidents: Sequence[Incident],
    parents: dict[str, str],
    names: Names,
    now: pd.Timestamp,
    shown: Sequence[str],
) -> list[ServiceRow]:
    """Return the services in the order of ``states``, with a link to the last incident that has a card (``shown``)."""
    rows = []
    days_only = view.bin_minutes >= 1440
    ordered = {str(i["incident_id"]): list(i["regions"]) for i in incidents}
    for state in states.to_dict("records"):
        last = state["last_data_at"]
        places = ordered.get(str(state["incident_id"]), state["regions"])
        past = _last(state["service"], incidents)
        raised = places and (state["state"] in (State.OUTAGE, State.ELEVATED) or state["incident_id"] is not None)
        rows.append(
            ServiceRow(
                name=names.service(state["service"]),
                state=state["state"],
                word=STATE_WORDS[state["state"]],
                since="" if pd.isna(state["since"]) else clock(state["since"], now, days_only),
                where=_where(names.place(places) if raised else _over(past, now, days_only), state, past, names),
                strip=strip(service_ranks(view, state["service"], incidents, parents)),
                coverage=percent(state["coverage"]),
                regions=_watched(state["regions_watched"], state["regions_unknown"]),
                age="none" if pd.isna(last) else "now" if last >= now else f"{span(now - last)} old",
                anchor=_anchor(state["incident_id"] if past is None else past["incident_id"], shown),
            )
        )
    return rows


def _last(service: str, incidents: Sequence[Incident]) -> Incident | None:
    """Return the newest incident of a service."""
    mine = [i for i in incidents if service == i["service"] or service in i["services"]]
    return max(mine, key=lambda i: i["onset_at"], default=None)


def _where(text: str, state: Mapping[Any, Any], past: Incident | None, names: Names) -> str:
    """Name beside the place, or the end, the service that another failed with."""
    if past is None or not text or past["service"] == state["service"]:
        return text
    return f"{text}, with {names.service(past['service'])}"


def _over(past: Incident | None, now: pd.Timestamp, days_only: bool) -> str:
    if past is None or pd.isna(past["recovered_at"]):
        return ""
    return f"{standing(past)} {clock(past['recovered_at'], now, days_only)}"


def _anchor(incident_id: object, shown: Sequence[str]) -> str:
    return f"incident-{incident_id}" if incident_id in shown else ""


def _watched(watched: int, unknown: int) -> str:
    return f"{watched - unknown} of {watched}" if unknown else f"all {watched}" if watched > 1 else "1"


def service_ranks(view: Window, service: str, incidents: Sequence[Incident], parents: dict[str, str]) -> Ranks:
    """Return a service's state over the window: of its broadest regions; ``outage`` where an incident or flag is.

    Where it only suffers from what another is blamed for, its own flags say whether that was an outage of it.
    """
    rows = view.decided[view.decided["service"] == service]
    tops = rows.index[rows["region"].isin(roots(set(rows["region"]), parents))]
    ranks = view.ranks(tops)
    flagged = view.ranks(rows.index[rows["worst"] == OUTAGE])
    ranks[flagged == OUTAGE] = OUTAGE
    for incident in incidents:
        if service in (incident["service"], *incident["services"]):
            a, b = view.place_of(incident["onset_at"]), view.place_of(ends_at(incident, view.end))
            part = slice(max(a, 0), max(b, a + 1, 0))
            least = OUTAGE if service == incident["service"] else ELEVATED
            ranks[part] = np.where(ranks[part] == NO_DATA, NO_DATA, np.maximum(ranks[part], least))
    return ranks


def region_rows(view: Window, parents: dict[str, str], names: Names, now: pd.Timestamp) -> list[RegionRow]:
    """Return the regions, worst first; ``ZZ`` is not a place."""
    rows = view.decided[view.decided["region"].ne(UNKNOWN_REGION)]
    limit = stale_after(view)
    fresh_from = view.place_of(now - limit) if view.bins else 0
    found = [_region(view, str(region), part, parents, names, fresh_from) for region, part in rows.groupby("region")]
    grave = {str(state): place for place, state in enumerate(RANKED)} | {UNKNOWN: NO_DATA}
    areas = {WORLD: 0} | dict.fromkeys(CONTINENTS, 1)
    return sorted(
        found,
        key=lambda r: (areas.get(r.region, 2), -grave[r.now], -grave[r.worst], -np.nan_to_num(r.ratio), r.name),
    )


def _region(
    view: Window, region: str, rows: pd.DataFrame, parents: dict[str, str], names: Names, fresh_from: int
) -> RegionRow:
    rank = rows["rank"].where(rows["last_observed"] >= fresh_from, NO_DATA)
    ranks = settled(rows["worst"])
    now, worst = int(rank.max()), int(ranks.max())
    ratio = view.peak(rows[ranks == worst])
    parent = parents.get(region)
    return RegionRow(
        region,
        names.region(region),
        names.region(parent) if parent else "",
        str(RANKED[now]),
        STATE_WORDS[RANKED[now]],
        _of(rows[rank == now], now, names),
        str(RANKED[worst]),
        STATE_WORDS[RANKED[worst]],
        _of(rows[ranks == worst].sort_values("outage", ascending=False), worst, names),
        ratio,
        times(ratio),
        percent(float(rows["observed"].sum()) / max(1, view.bins * len(rows))),
    )


def _of(rows: pd.DataFrame, rank: int, names: Names) -> str:
    """Name the services that stand behind a region's state, where it is worth saying."""
    services = list(dict.fromkeys(rows["service"])) if rank >= ELEVATED else []
    if not services:
        return ""
    more = f" +{len(services) - 1}" if len(services) > 1 else ""
    return names.service(services[0]) + more


def incident_rows(
    view: Window, incidents: Sequence[Incident], names: Names, now: pd.Timestamp, shown: Sequence[str]
) -> list[IncidentRow]:
    """Return all incidents in short; those with a card (``shown``: their ids) carry a link to it."""
    days_only = view.bin_minutes >= 1440
    return [
        IncidentRow(
            _anchor(i["incident_id"], shown),
            subject(i, names),
            names.place(list(i["regions"]), i["scope"]),
            str(i["severity"]),
            standing(i),
            clock(i["onset_at"], now, days_only),
            "" if pd.isna(i["recovered_at"]) else clock(i["recovered_at"], now, days_only),
            times(i["peak_ratio"]),
            _size(i),
        )
        for i in incidents
    ]


def _size(incident: Incident) -> str:
    if pd.isna(incident["excess_posts"]):
        return ""
    many, low, high = (number(incident[name]) for name in ("excess_posts", "excess_low_posts", "excess_high_posts"))
    return f"{many} ({low} to {high})"
