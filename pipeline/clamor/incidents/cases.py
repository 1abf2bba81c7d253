"""Episodes to cases: one case an outage of a service, over all regions that are flagged at the same time.

A case is an incident in the making: bins and indices, no ids yet, no history.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from clamor.incidents.episodes import After, Decided, Episodes, Ints, Rows, after, find
from clamor.incidents.evidence import Cells, cells, significant, single, tail
from clamor.incidents.scope import Tree, finest, reach
from clamor.schema import UNKNOWN_REGION, IncidentStatus, Scope


@dataclass(frozen=True)
class Rules:
    """When an incident opens, closes, merges and whom it names. Every incident records them in ``parameters``.

    Attributes:
        quiet_minutes: Normal bins for this long (two at least) end an incident; what is flagged before that joins it.
        silent_minutes: After this long without data, what is flagged next is a new incident.
        stale_minutes: Data older than this (twice the closing time at least) no longer say that an incident goes on.
        region_p: A region whose series never raised an outage is named if its excess has a smaller p-value.
        region_ratio: And its posts are at least this many times the expected ones.
        shared_services: So many services failing in one country at a time share a cause; one fewer with a provider.
        blame_ratio: A service with this many times the excess posts of a provider is not the provider's victim.

    """

    quiet_minutes: int = 60
    silent_minutes: int = 24 * 60
    stale_minutes: int = 120
    region_p: float = 0.001
    region_ratio: float = 1.2
    shared_services: int = 3
    blame_ratio: float = 4.0

    def quiet_bins(self, bin_minutes: int) -> int:
        """Return how many normal bins end an incident."""
        return max(2, -(-self.quiet_minutes // bin_minutes))

    def silent_bins(self, bin_minutes: int) -> int:
        """Return how many bins without data an incident survives."""
        return max(2, -(-self.silent_minutes // bin_minutes))

    def stale_bins(self, bin_minutes: int) -> int:
        """Return how many bins old the last data may be."""
        return max(2 * self.quiet_bins(bin_minutes), -(-self.stale_minutes // bin_minutes))


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
    window = Window(rows.service, rows.bin)
    fresh = now_bin - rules.stale_bins(bin_minutes) - 1
    cases = _merge(found, decided, rows, quiet, fresh)
    for case, regions in cases:
        index = window.rows(rows.services.index(case.service), case.first, case.last)
        place(case, single(rows, cells(rows, index, rows.region)), rows, tree, rules, regions)
    return [case for case, _ in cases]


def _merge(found: Episodes, decided: Decided, rows: Rows, quiet: int, fresh: int) -> list[tuple[Case, list[str]]]:
    """Put together what overlaps in time (a pause shorter than the closing time included), service by service."""
    if not len(found.series):
        return []
    wide = len(rows.regions)
    order = np.lexsort((found.series, found.first, found.series // wide))
    series, first, last = found.series[order], found.first[order], found.last[order]
    offset = series // wide * (int(last.max()) + quiet + 2)
    so_far = np.maximum.accumulate(last + offset)
    starts = np.flatnonzero(np.r_[True, first[1:] + offset[1:] - so_far[:-1] > quiet])
    ends = np.r_[starts[1:], len(series)]
    lasts = np.repeat(np.maximum.reduceat(last, starts), ends - starts)
    then = after(decided, series, lasts, quiet_bins=quiet)
    merged = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        part = order[start:end]
        span = slice(start, end)
        status, clear = standing(After(then.quiet[span], then.clear[span], then.known[span]), quiet, fresh)
        onset = int(first[start])
        opened, q = found.opened[part], found.q_value[part]
        service = rows.services[int(series[start]) // wide]
        case = Case(
            service=service,
            services=(service,),
            born=(int(opened.min()), service),
            first=onset,
            last=int(lasts[start]),
            opened=int(opened.min()),
            closed=int(found.closed[part].max()),
            clear_before=int(found.clear_before[part][first[span] == onset].max()),
            clear_after=clear,
            status=status,
            q_value=float(np.nan if np.isnan(q).all() else np.nanmin(q)),
        )
        merged.append((case, [rows.regions[r] for r in np.unique(series[span] % wide).tolist()]))
    return merged


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


def place(case: Case, found: Cells, rows: Rows, tree: Tree, rules: Rules, flagged: Iterable[str]) -> None:
    """Name the affected regions of a case (flagged, or with an excess that chance does not explain) and its scope."""
    case.found = found
    excess = found.excess
    best: dict[str, tuple[float, float, int]] = {}
    for i, region in enumerate(rows.regions[r] for r in found.item.tolist()):
        best[region] = max(best.get(region, (-np.inf, 0.0, -1)), (float(found.z[i]), float(excess[i]), i))
    hit = {
        rows.regions[found.item[i]]
        for i in np.flatnonzero(significant(found, p=rules.region_p, ratio=rules.region_ratio))
    }
    hit |= set(flagged)
    case.excess = {region: max(0.0, best[region][1]) if region in best else 0.0 for region in sorted(hit)}
    case.named = finest(tree, case.excess, _within(found, rows, tree, case.excess, best))
    watched = {country for region in best if (country := tree.country(region))}
    told = {country for region in case.named if (country := tree.country(region))}
    elsewhere = _elsewhere(found, rows, tree, watched - told, rules)
    world = any(tree.is_area(region) and tree.up(region) is None for region in hit)
    case.scope = reach(tree, case.named, watched, world=world, elsewhere=elsewhere)


def _within(
    found: Cells, rows: Rows, tree: Tree, hit: Iterable[str], best: dict[str, tuple[float, float, int]]
) -> dict[str, float]:
    """Return for each affected country the excess of its affected subdivisions, in the country's best source."""
    place_of = {(int(s), rows.regions[r]): i for i, (s, r) in enumerate(zip(found.source, found.item, strict=True))}
    within: dict[str, float] = {}
    for region in hit:
        for above in tree.path(region)[1:]:
            if above in best and not tree.is_area(above):
                i = place_of.get((int(found.source[best[above][2]]), region))
                within[above] = within.get(above, 0.0) + (max(0.0, float(found.excess[i])) if i is not None else 0.0)
    return within


def _elsewhere(found: Cells, rows: Rows, tree: Tree, countries: set[str], rules: Rules) -> bool:
    """Tell whether these countries, taken together in one source, show an excess."""
    rest = np.array([region in countries and region != UNKNOWN_REGION for region in rows.regions], bool)
    keep = found.where(rest[found.item]) if len(found.item) else found
    sources = np.unique(keep.source)
    for source in sources:
        one = keep.where(keep.source == source)
        posts, expected = float(one.posts.sum()), float(one.expected.sum())
        p = float(tail(np.array([posts]), np.array([expected]), np.array([one.variance.sum()]))[0])
        if p * len(sources) < rules.region_p and posts >= rules.region_ratio * expected:
            return True
    return False
