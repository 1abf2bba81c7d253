"""Ids of incidents: minted once, kept by overlap of service and time, from run to run.

An id is made of the service and the first bin that raised an outage (``tiktok-20261014T0915Z``). With more data a case
may grow towards earlier elevated bins, but its first outage bin stays, so the id does not depend on where runs are cut.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from clamor.incidents.case import Case


@dataclass
class Identity:
    """The id of a case and what it takes over from incidents known before.

    Attributes:
        incident_id: The id.
        detected_at: When a run first showed it, microseconds since the epoch; None if this run is the first.
        merged_from: Ids of incidents that are now part of it.
        before: The known incidents that it goes on from, the one that gave the id first.

    """

    incident_id: str
    detected_at: int | None = None
    merged_from: list[str] = field(default_factory=list)
    before: list[dict[str, Any]] = field(default_factory=list)


def mint(service: str, at: int) -> str:
    """Make an id of a service and a time in microseconds since the epoch.

    >>> mint("tiktok", 1_791_969_300_000_000)
    'tiktok-20261014T0915Z'
    """
    return f"{_slug(service)}-{datetime.fromtimestamp(at // 1_000_000, UTC):%Y%m%dT%H%MZ}"


def _slug(service: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", service.lower()).strip("-") or "service"


def identify(
    cases: Sequence[Case],
    previous: Sequence[dict[str, Any]],
    *,
    time: Callable[[int], int],
    slack: int,
    taken: set[str],
) -> tuple[list[Identity], list[dict[str, Any]]]:
    """Give every case its id.

    Args:
        cases: The cases of this run.
        previous: Known incidents that may be among them; times in microseconds since the epoch.
        time: Bin number to its start, in microseconds since the epoch.
        slack: Microseconds by which two may miss each other and still be one.
        taken: Ids that are in use elsewhere.

    Returns:
        One identity a case, in order; and the known incidents that no case goes on from.

    """
    natural = [mint(case.born[1], time(case.born[0])) for case in cases]
    heirs: list[list[dict[str, Any]]] = [[] for _ in cases]
    spans = [(time(case.first) - slack, time(case.last + 1) + slack) for case in cases]
    by_service: dict[str, list[int]] = {}
    for i, case in enumerate(cases):
        for service in (*case.services, *case.echoes):
            by_service.setdefault(service, []).append(i)
    left = []
    for row in previous:
        near = {i for service in row["services"] for i in by_service.get(service, ())}
        near = {i for i in near if row["onset_at"] < spans[i][1] and row["last_seen_at"] > spans[i][0]}
        if near:
            heirs[max(near, key=lambda i: _claim(row, cases[i], natural[i], spans[i], -i))].append(row)
        else:
            left.append(row)
    used = taken | {row["incident_id"] for row in left}
    found = [_inherit(case, name, rows) for case, name, rows in zip(cases, natural, heirs, strict=True)]
    used |= {identity.incident_id for identity in found if identity.incident_id}
    for identity, name in zip(found, natural, strict=True):
        if not identity.incident_id:
            identity.incident_id = _free(name, used)
            used.add(identity.incident_id)
            identity.merged_from = [old for old in identity.merged_from if old != identity.incident_id]
    return found, left


def _claim(row: dict[str, Any], case: Case, name: str, span: tuple[int, int], tie: int) -> tuple[Any, ...]:
    """Rank how well a case goes on from a known incident: id, service, services, regions and time in common."""
    common = (len(set(row["services"]) & set(case.services)), len(set(row["regions"]) & set(case.excess)))
    overlap = min(span[1], row["last_seen_at"]) - max(span[0], row["onset_at"])
    return (name == row["incident_id"], row["service"] == case.service, *common, overlap, tie)


def _inherit(case: Case, name: str, rows: list[dict[str, Any]]) -> Identity:
    """Take the id of the oldest known incident that names a service of the case; the other ids are only recorded."""
    own = [row for row in rows if set(row["services"]) & set(case.services)]
    own.sort(key=lambda row: (row["incident_id"] != name, row["detected_at"], row["onset_at"], row["incident_id"]))
    slugs = tuple(f"{_slug(service)}-" for service in case.services)
    chosen = next((row["incident_id"] for row in own if row["incident_id"].startswith(slugs)), "")
    merged = {old for row in rows for old in (row["incident_id"], *row["merged_from"])} - {chosen}
    detected = min((row["detected_at"] for row in own), default=None)
    return Identity(chosen, detected, sorted(merged), own)


def _free(name: str, used: set[str]) -> str:
    number = 2
    free = name
    while free in used:
        free, number = f"{name}-{number}", number + 1
    return free
