"""Episodes to cases: one case an outage of a service, over all regions that are flagged at the same time.

A case is an incident in the making: bins and indices, no ids yet, no history.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from clamor.incidents.episodes import OUTAGE, After, Decided, Episodes, Ints, Rows, after, find
from clamor.incidents.evidence import Cells, affected, cells, single, together
from clamor.incidents.merge import Group, group
from clamor.incidents.rules import Rules
from clamor.incidents.scope import Tree, finest, reach
from clamor.schema import IncidentStatus, Scope


@dataclass(slots=True)
class Case:
    """An incident in the making; times are bin numbers.

    Attributes:
        service: The service to blame.
        services: All that fail for the same cause, the blamed one first.
        born: First ``outage`` bin and the service that had it: what the id is made of.
        first: First flagged bin.
        last: Last flagged bin.
        opened: First ``outage`` bin.
        closed: Last ``outage`` bin.
        clear_before: Last clearly normal bin before.
        clear_after: First clearly normal bin after, -1 if none.
        status: Ongoing, recovered or unknown.
        q_value: Smallest q-value inside, NaN if unknown.
        excess: Affected region to its excess posts in its best source.
        named: Finest affected regions, the strongest first.
        scope: How far it reaches.
        found: Evidence of the blamed service in the window, by source and region.
        echoes: Services that only light up with this one (people blame their provider); not part of it.

    """

    service: str
    services: tuple[str, ...]
    born: tuple[int, str]
    first: int
    last: int
    opened: int
    closed: int
    clear_before: int
    clear_after: int
    status: IncidentStatus
    q_value: float
    excess: dict[str, float] = field(default_factory=dict)
    named: list[str] = field(default_factory=list)
    scope: Scope = Scope.COUNTRY
    found: Cells | None = None
    echoes: tuple[str, ...] = ()


class Window:
    """Rows of one service, or of one region, in a window of bins, without searching all rows for each."""

    def __init__(self, group: Ints, bins: Ints) -> None:
        self.size = int(bins.max(initial=0)) + 2
        key = group * self.size + bins
        self.order = np.argsort(key, kind="stable")
        self.key = key[self.order]

    def rows(self, group: int, first: int, last: int) -> Ints:
        """Return the rows of a group with bins in ``[first, last]``."""
        last = min(last, self.size - 1)
        low, high = np.searchsorted(self.key, [group * self.size + first, group * self.size + last + 1])
        return self.order[low:high]


def make(rows: Rows, decided: Decided, tree: Tree, rules: Rules, *, bin_minutes: int, now_bin: int) -> list[Case]:
    """Make the cases of every service, in order of service and time."""
    quiet = rules.quiet_bins(bin_minutes)
    found = find(decided, quiet_bins=quiet, silent_bins=rules.silent_bins(bin_minutes))
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
        if not _small(seen, rules):
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


def place(case: Case, found: Cells, rows: Rows, tree: Tree, rules: Rules, group: Group) -> None:
    """Name the affected regions of a case and say its scope.

    Flags may come from evidence pooled over regions, so a region is affected by what its own posts say: an excess that
    chance does not explain, with a milder limit where the region is flagged. Where no posts are known, flags decide.
    """
    case.found = found
    best: dict[str, tuple[float, int]] = {}
    for i, region in enumerate(rows.regions[r] for r in found.item.tolist()):
        if found.known[i]:
            best[region] = max(best.get(region, (-np.inf, -1)), (float(found.excess[i]), i))
    flagged = np.array([rows.regions[r] in group.regions for r in found.item.tolist()], bool)
    area = np.array([tree.is_area(rows.regions[r]) for r in found.item.tolist()], bool)
    hit = {rows.regions[r] for r in found.item[affected(found, flagged, area, rules)].tolist()} - group.elsewhere
    hit |= group.regions - best.keys()
    hit = hit or _widest(group.regions, tree)
    case.excess = {region: max(0.0, best[region][0]) if region in best else 0.0 for region in sorted(hit)}
    case.named = finest(tree, case.excess, _within(found, rows, tree, case.excess, best))
    watched = {country for region in best if (country := tree.country(region))}
    told = {country for region in case.named if (country := tree.country(region))}
    elsewhere = _elsewhere(found, rows, told, watched - told, rules)
    tops = {region for region in {*best, *group.regions} if tree.is_area(region) and tree.up(region) is None}
    world = not tops or bool(tops & (hit | group.regions))
    case.scope = reach(tree, case.named, watched, world=world, elsewhere=elsewhere)


def _widest(regions: frozenset[str], tree: Tree) -> set[str]:
    """Return the regions that lie in no other one."""
    return {region for region in regions if not set(tree.path(region, unknown=True)[1:]) & regions}


def _within(
    found: Cells, rows: Rows, tree: Tree, hit: Iterable[str], best: dict[str, tuple[float, int]]
) -> dict[str, float]:
    """Return for each affected country the excess of its affected subdivisions, in the country's best source."""
    place_of = {(int(s), rows.regions[r]): i for i, (s, r) in enumerate(zip(found.source, found.item, strict=True))}
    within: dict[str, float] = {}
    for region in hit:
        for above in tree.path(region)[1:]:
            if above in best and not tree.is_area(above):
                i = place_of.get((int(found.source[best[above][1]]), region))
                within[above] = within.get(above, 0.0) + (max(0.0, float(found.excess[i])) if i is not None else 0.0)
    return within


def _elsewhere(found: Cells, rows: Rows, told: set[str], rest: set[str], rules: Rules) -> bool:
    """Tell whether the ``rest`` of the countries, taken together in one source, rose as those that are told did."""
    named = found.where(np.array([rows.regions[r] in told for r in found.item.tolist()], bool))
    others = found.where(np.array([rows.regions[r] in rest for r in found.item.tolist()], bool))
    sources = np.unique(others.source)
    limit = rules.region_p / max(len(sources), 1)
    for source in sources:
        top = float(named.rise[named.source == source].max(initial=0.0))
        ratio = max(rules.region_ratio, 1 + rules.rest_share * top)
        if together(others.where(others.source == source), limit, ratio):
            return True
    return False


def _small(found: Cells, rules: Rules) -> bool:
    """Tell whether the series that are flagged themselves (the highest there are) hold too few posts for an outage."""
    if not found.known.any():
        return False
    own = (found.known > 0) & (found.rank >= min(OUTAGE, int(found.rank[found.known > 0].max())))
    return bool(found.over[own].max() < rules.least_posts - 0.5)
