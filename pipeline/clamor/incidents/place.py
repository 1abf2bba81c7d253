"""Where a case is: which regions it names, and its scope."""

from collections.abc import Iterable

import numpy as np

from clamor.incidents.case import Case
from clamor.incidents.episodes import Rows
from clamor.incidents.evidence import Cells, affected, together
from clamor.incidents.given import Given
from clamor.incidents.merge import Group
from clamor.incidents.rules import Rules
from clamor.incidents.scope import Tree, finest, reach


def place(case: Case, found: Cells, given: Given, group: Group) -> None:
    """Name the affected regions of a case and say its scope.

    Flags may come from evidence pooled over regions, so a region is affected by what its own posts say: an excess that
    chance does not explain, with a milder limit where the region is flagged. Where no posts are known, flags decide.
    """
    rows, tree, rules = given.rows, given.tree, given.rules
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
