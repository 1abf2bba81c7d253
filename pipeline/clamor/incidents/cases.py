"""Episodes to cases: one case an outage of a service, over all regions that are flagged at the same time."""

from collections.abc import Collection
from dataclasses import replace
from typing import Final

import numpy as np

from clamor.incidents.case import Case
from clamor.incidents.episodes import ELEVATED, NORMAL, After, Bools, Decided, Episodes, Ints, Rows, after, find
from clamor.incidents.evidence import Window, cells, single
from clamor.incidents.merge import group
from clamor.incidents.place import place
from clamor.incidents.readings import Readings
from clamor.incidents.rules import Rules
from clamor.incidents.scope import Tree
from clamor.incidents.turns import tell
from clamor.schema import IncidentStatus

FOREVER: Final = 2**40
Pauses = dict[int, list[tuple[int, int]]]
"""Service to the pauses in its cases: first bin, and the bin in which it began again."""


def make(
    rows: Rows,
    decided: Decided,
    tree: Tree,
    rules: Rules,
    *,
    unread: Collection[str],
    sampled: Readings,
    now_bin: int,
) -> tuple[Decided, list[Case]]:
    """Make the cases of every service, in order of service and time, and return the verdicts that they rest on.

    Flags linger, and so they join what their posts tell apart: where a case was over for a closing time before it began
    again, what is merely elevated in between counts as normal.
    """
    pauses: Pauses = {}
    cases, calm = _made(rows, decided, tree, rules, pauses, unread=unread, sampled=sampled, now_bin=now_bin)
    if calm.any():
        decided = replace(decided, rank=np.where(calm & (decided.rank == ELEVATED), NORMAL, decided.rank))
        cases, _ = _made(rows, decided, tree, rules, pauses, unread=unread, sampled=sampled, now_bin=now_bin)
    return decided, cases


def _made(
    rows: Rows,
    decided: Decided,
    tree: Tree,
    rules: Rules,
    pauses: Pauses,
    *,
    unread: Collection[str],
    sampled: Readings,
    now_bin: int,
) -> tuple[list[Case], Bools]:
    """Make cases, add to ``pauses`` those that were found in them, and return which verdicts lie in one of these."""
    bin_minutes = rows.width // 60_000_000
    quiet, silent = rules.quiet_bins(bin_minutes), rules.silent_bins(bin_minutes)
    found = find(decided, quiet_bins=quiet, silent_bins=silent)
    cases: list[Case] = []
    calm = np.zeros(len(decided.bin), bool)
    if not len(found.series):
        return cases, calm
    groups = group(found, decided, rows, tree, rules, quiet)
    lasts = np.zeros(len(found.series), np.int64)
    for each in groups:
        lasts[each.episodes] = found.last[each.episodes].max()
    then = after(decided, found.series, lasts, quiet_bins=quiet)
    fresh = now_bin - rules.stale_bins(bin_minutes) - 1
    window = Window(rows.service, rows.bin)
    known = {service: list(mine) for service, mine in pauses.items()}
    for each in groups:
        service = int(found.series[each.episodes[0]]) // len(rows.regions)
        case = _case(found, each.episodes, rows.services[service])
        case.status, case.clear_after = standing(then.of(each.episodes), quiet, fresh)
        seen = single(rows, cells(rows, window.rows(service, case.first, case.last), rows.region))
        place(case, seen, rows, tree, rules, each)
        within = _between(known.get(service, ()), case)
        paused = tell(case, rows, decided, tree, rules, unread=unread, sampled=sampled, quiet=quiet, within=within)
        if case.until < case.last:
            seen = single(rows, cells(rows, window.rows(service, case.first, case.until), rows.region))
            place(case, seen, rows, tree, rules, each)
        for first, again in paused:
            pauses.setdefault(service, []).append((first, again))
            mine = np.isin(decided.series, found.series[each.episodes])
            calm |= mine & (decided.bin >= first) & (decided.bin < again)
        cases.append(case)
    return cases, calm


def _between(pauses: Collection[tuple[int, int]], case: Case) -> tuple[int, int]:
    """Return the bins that may be asked about a case: from the pause before it to the end of the one after it."""
    before = [first for first, again in pauses if first <= case.opened and again <= case.opened]
    later = [again for first, again in pauses if first > case.opened and again > case.last]
    return max(before, default=0), min(later, default=FOREVER)


def _case(found: Episodes, group: Ints, service: str) -> Case:
    """Put the episodes of a group together; where it stands and what it reaches is said later."""
    first, opened, q = int(found.first[group].min()), int(found.opened[group].min()), found.q_value[group]
    return Case(
        service=service,
        services=(service,),
        born=(opened, service),
        first=first,
        last=int(found.last[group].max()),
        opened=opened,
        closed=int(found.closed[group].max()),
        clear_before=int(found.clear_before[group][found.first[group] == first].max()),
        clear_after=-1,
        status=IncidentStatus.UNKNOWN,
        q_value=float(np.nan if np.isnan(q).all() else np.nanmin(q)),
    )


def standing(then: After, enough: int, fresh: int) -> tuple[IncidentStatus, int]:
    """Say how a case stands by its series, and the bin from which it was clearly over (-1 if it is not).

    A series that is watched (known since bin ``fresh``) and not normal for ``enough`` bins keeps it open.
    """
    closed = then.quiet >= enough
    if (~closed & (then.known >= fresh)).any():
        return IncidentStatus.ONGOING, -1
    if closed.any():
        return IncidentStatus.RECOVERED, int(then.clear[closed].max())
    return IncidentStatus.UNKNOWN, -1
