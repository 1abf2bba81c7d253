"""The one series of a source that measures a case: the smallest region that holds it, or the clearest."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from clamor.incidents.case import Case
from clamor.incidents.episodes import Ints, Rows
from clamor.incidents.evidence import Cells
from clamor.incidents.scope import Tree
from clamor.schema import WORLD, Scope


@dataclass(frozen=True)
class Series:
    """The one series that measures a case: its source and region, all its rows, and those before and in the window."""

    source: str
    region: str
    rows: Ints
    before: Ints
    inside: Ints


def measured_by(case: Case, rows: Rows, tree: Tree) -> Series | None:
    """Choose the one series whose posts are reported: the smallest region that holds the incident, its largest source.

    Posts are never added over sources, nor over a parent and its children, and X's countries not to its world.
    """
    found = case.found
    if found is None or not (found.known > 0).any():
        return None
    named = [WORLD] if case.scope == Scope.GLOBAL else case.named
    holding = tree.common(named)
    usable = np.flatnonzero(found.known > 0).tolist()
    sure = found.excess - 2 * np.sqrt(found.variance)
    rank = {region: depth for depth, region in enumerate(holding)}
    depth = {
        i: rank.get(rows.regions[found.item[i]], len(rank) + (rows.regions[found.item[i]] not in case.named))
        for i in usable
    }
    best = min(usable, key=lambda i: (depth[i], -sure[i], found.source[i], found.item[i]))
    return _series(case, rows, found, best)


def clearest(case: Case, rows: Rows, tree: Tree) -> list[Series]:
    """Return of every source the series that shows the case best: named by it, or holding all that is."""
    found = case.found
    if found is None:
        return []
    near: Collection[str] = {*case.excess, *tree.common(case.named)}
    usable = [i for i in range(len(found.source)) if found.known[i] and rows.regions[found.item[i]] in near]
    best: dict[int, int] = {}
    for i in usable:
        source = int(found.source[i])
        if source not in best or found.z[i] > found.z[best[source]]:
            best[source] = i
    return [_series(case, rows, found, i) for _, i in sorted(best.items())]


def known(rows: Rows, index: Ints) -> Ints:
    """Return the rows that have both posts and an expectation."""
    return index[np.isfinite(rows.value["posts"][index]) & np.isfinite(rows.value["expected_posts"][index])]


def _series(case: Case, rows: Rows, found: Cells, chosen: int) -> Series:
    source, region = int(found.source[chosen]), int(found.item[chosen])
    number = rows.number(source, rows.services.index(case.service), region)
    return Series(rows.sources[source], rows.regions[region], *rows.of_series(number, case.first, case.until))
