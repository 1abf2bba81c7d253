"""Episodes to cases: one case an outage of a service, over all regions that are flagged at the same time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from clamor.incidents.case import Case
from clamor.incidents.episodes import ELEVATED, NORMAL, After, Decided, Episodes, Ints, after, find
from clamor.incidents.evidence import Window, cells, single
from clamor.incidents.given import Given
from clamor.incidents.held import hold
from clamor.incidents.measured import clearest
from clamor.incidents.merge import group
from clamor.incidents.place import place
from clamor.incidents.turns import tell
from clamor.schema import IncidentStatus

FOREVER: Final = 2**40


@dataclass(frozen=True)
class Pause:
    """A case of some series of a service was over in bin ``first``, and began again in bin ``again``."""

    service: int
    series: Ints
    first: int
    again: int


@dataclass(frozen=True)
class Made:
    """Cases, the pauses in them, and the episodes that flags alone ended, with the series that show their case best."""

    cases: list[Case]
    pauses: list[Pause]
    voices: dict[int, list[int]]


def make(given: Given, decided: Decided) -> tuple[Decided, list[Case]]:
    """Make the cases of every service, in order of service and time, and return the verdicts that they rest on.

    Flags may be raised in one region while another has most of the posts: where flags alone call a case over, the
    series that show it best are asked whether it goes on. Flags linger, and so they join what their posts tell apart:
    where a case was over for a closing time before it began again, what is merely elevated in between counts as normal.
    """
    told = _made(given, decided)
    held = hold(decided, given, told.voices) if told.voices else decided
    if (held.rank != decided.rank).any():
        decided, told = held, _made(given, held)
    if told.pauses:
        decided = _calmed(decided, told.pauses)
        told = _made(given, decided, told.pauses)
    return decided, told.cases


def _calmed(decided: Decided, pauses: Sequence[Pause]) -> Decided:
    """Return the verdicts with what is merely elevated in a pause as normal."""
    rank = decided.rank.copy()
    for each in pauses:
        for number in each.series.tolist():
            start, end = np.searchsorted(decided.series, [number, number + 1])
            inside = slice(*(start + np.searchsorted(decided.bin[start:end], [each.first, each.again])))
            rank[inside][rank[inside] == ELEVATED] = NORMAL
    return replace(decided, rank=rank)


def _made(given: Given, decided: Decided, before: Sequence[Pause] = ()) -> Made:
    """Make cases. No case asks about bins beyond the pauses known ``before``."""
    rows, quiet = given.rows, given.quiet
    found = find(decided, quiet_bins=quiet, silent_bins=given.rules.silent_bins(given.minutes))
    made = Made([], [], {})
    if not len(found.series):
        return made
    groups = group(found, decided, given)
    lasts = np.zeros(len(found.series), np.int64)
    for each in groups:
        lasts[each.episodes] = found.last[each.episodes].max()
    then = after(decided, found.series, lasts, quiet_bins=quiet)
    window = Window(rows.service, rows.bin)
    for each in groups:
        service = int(found.series[each.episodes[0]]) // len(rows.regions)
        case = _case(found, each.episodes, rows.services[service])
        case.status, case.clear_after = standing(then.of(each.episodes), quiet, given.fresh)
        seen = single(rows, cells(rows, window.rows(service, case.first, case.last), rows.region))
        place(case, seen, given, each)
        within = _between([pause for pause in before if pause.service == service], case)
        paused = tell(case, given, decided, within)
        if case.until < case.last:
            seen = single(rows, cells(rows, window.rows(service, case.first, case.until), rows.region))
            place(case, seen, given, each)
        made.cases.append(case)
        mine = np.unique(found.series[each.episodes])
        made.pauses.extend(Pause(service, mine, first, again) for first, again in paused)
        if case.status == IncidentStatus.RECOVERED and case.ended is None:
            last = each.episodes[found.last[each.episodes] == case.last]
            made.voices.update(dict.fromkeys(last.tolist(), _best(case, service, given)))
    return made


def _best(case: Case, service: int, given: Given) -> list[int]:
    """Return the numbers of the series that show a case best, of all sources together."""
    regions = {region for series in clearest(case, given.rows, given.tree) for region in series.regions}
    names = given.rows.regions
    return [service * len(names) + names.index(region) for region in sorted(regions)]


def _between(pauses: Sequence[Pause], case: Case) -> tuple[int, int]:
    """Return the bins that may be asked about a case: from the pause before it to the end of the one after it."""
    before = [pause.first for pause in pauses if pause.again <= case.opened]
    later = [pause.again for pause in pauses if pause.first > case.opened and pause.again > case.last]
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
