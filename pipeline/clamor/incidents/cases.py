"""Episodes to cases: one case an outage of a service, over all regions that are flagged at the same time."""

from collections.abc import Collection

import numpy as np

from clamor.incidents.case import Case
from clamor.incidents.episodes import After, Decided, Episodes, Ints, Rows, after, find
from clamor.incidents.evidence import Window, cells, single
from clamor.incidents.merge import group
from clamor.incidents.place import place
from clamor.incidents.readings import Readings
from clamor.incidents.rules import Rules
from clamor.incidents.scope import Tree
from clamor.incidents.turns import tell
from clamor.schema import IncidentStatus


def make(
    rows: Rows,
    decided: Decided,
    tree: Tree,
    rules: Rules,
    *,
    unread: Collection[str],
    sampled: Readings,
    now_bin: int,
) -> list[Case]:
    """Make the cases of every service, in order of service and time."""
    bin_minutes = rows.width // 60_000_000
    quiet, silent = rules.quiet_bins(bin_minutes), rules.silent_bins(bin_minutes)
    found = find(decided, quiet_bins=quiet, silent_bins=silent)
    if not len(found.series):
        return []
    groups = group(found, decided, rows, tree, rules, quiet)
    lasts = np.zeros(len(found.series), np.int64)
    for each in groups:
        lasts[each.episodes] = found.last[each.episodes].max()
    then = after(decided, found.series, lasts, quiet_bins=quiet)
    fresh = now_bin - rules.stale_bins(bin_minutes) - 1
    window = Window(rows.service, rows.bin)
    cases = []
    for each in groups:
        service = int(found.series[each.episodes[0]]) // len(rows.regions)
        case = _case(found, each.episodes, rows.services[service])
        case.status, case.clear_after = standing(then.of(each.episodes), quiet, fresh)
        seen = single(rows, cells(rows, window.rows(service, case.first, case.last), rows.region))
        place(case, seen, rows, tree, rules, each)
        tell(case, rows, tree, rules, unread=unread, sampled=sampled, quiet=quiet)
        if case.until < case.last:
            seen = single(rows, cells(rows, window.rows(service, case.first, case.until), rows.region))
            place(case, seen, rows, tree, rules, each)
        cases.append(case)
    return cases


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
