"""The series of a source that measure a case: the smallest region that holds it, else the regions that it names."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from clamor.incidents.case import Case
from clamor.incidents.episodes import Floats, Ints, Rows
from clamor.incidents.evidence import Cells
from clamor.incidents.scope import Tree
from clamor.schema import WORLD, Scope

CLEAREST: Final = 4
"""So many regions of a source tell when a case began and ended; more add little."""


@dataclass(frozen=True)
class Series:
    """What measures a case: disjoint regions of one source, mostly one; all their rows, and those of its window."""

    source: str
    regions: tuple[str, ...]
    rows: Ints
    inside: Ints


@dataclass(frozen=True)
class Bins:
    """Posts of some rows by bin, all regions together: bin numbers, posts, expected posts and their variance."""

    bin: Ints
    posts: Floats
    expected: Floats
    variance: Floats

    @classmethod
    def of(cls, rows: Rows, index: Ints) -> "Bins":
        """Add up rows by bin; those without posts or expectation are left out."""
        index = known(rows, index)
        bins, at = np.unique(rows.bin[index], return_inverse=True)
        posts, mean = rows.value["posts"][index], rows.value["expected_posts"][index]
        disp, cv = (np.nan_to_num(rows.value[name][index]) for name in ("dispersion", "level_cv"))
        spread = mean + (disp + cv**2) * mean**2
        return cls(bins, *(np.bincount(at, each, len(bins)).astype(np.float64) for each in (posts, mean, spread)))

    @property
    def excess(self) -> Floats:
        """Posts over those expected."""
        return self.posts - self.expected


def measured_by(case: Case, rows: Rows, tree: Tree) -> Series | None:
    """Choose what measures a case: of each source the smallest region that holds it, else those that it names.

    Of several sources the one of the smallest region speaks, then the one whose excess is surest. Posts are never
    added over sources, nor over a parent and its children, and X's countries not to its world.
    """
    found = case.found
    if found is None or not (found.known > 0).any():
        return None
    choices = []
    for source in np.unique(found.source[found.known > 0]).tolist():
        there = np.flatnonzero((found.source == source) & (found.known > 0)).tolist()
        mine = {rows.regions[found.item[i]]: i for i in there}
        depth, regions = _smallest(case, mine, tree, found)
        cells = [mine[region] for region in regions]
        sure = float(found.excess[cells].sum() - 2 * np.sqrt(found.variance[cells].sum()))
        choices.append((depth, -sure, source, regions))
    _, _, source, regions = min(choices)
    return _series(case, rows, source, regions)


def _smallest(case: Case, mine: Mapping[str, int], tree: Tree, found: Cells) -> tuple[int, tuple[str, ...]]:
    """Return a source's smallest region that holds a case and how far up it is; else those that make it up.

    ``mine`` are the regions of the source, with their cells.
    """
    wide = case.scope == Scope.GLOBAL
    holding = tree.common([WORLD] if wide else case.named)
    for depth, region in enumerate(holding):
        if region in mine:
            return depth, (region,)
    named = [region for region in mine if wide or region in case.named]
    highest = tuple(region for region in named if not set(tree.path(region)[1:]) & set(named))
    if highest:
        return len(holding), highest
    return len(holding) + 1, (max(mine, key=lambda region: (float(found.excess[mine[region]]), region)),)


def clearest(case: Case, rows: Rows, tree: Tree, most: int = CLEAREST) -> list[Series]:
    """Return of every source the series that show a case best, at most so many, of disjoint regions that it affects.

    The first of a source may hold all that is named; the others must show an excess of two standard deviations.
    """
    found = case.found
    if found is None:
        return []
    near: Collection[str] = {*case.excess, *tree.common(case.named)}
    usable = [i for i in range(len(found.source)) if found.known[i] and rows.regions[found.item[i]] in near]
    taken: dict[int, list[str]] = {}
    for i in sorted(usable, key=lambda i: (-found.z[i], i)):
        region, before = rows.regions[found.item[i]], taken.setdefault(int(found.source[i]), [])
        if not before or (len(before) < most and found.z[i] > 2 and not tree.meet([region], before)):
            before.append(region)
    return [_series(case, rows, source, (region,)) for source, regions in sorted(taken.items()) for region in regions]


def known(rows: Rows, index: Ints) -> Ints:
    """Return the rows that have both posts and an expectation."""
    return index[np.isfinite(rows.value["posts"][index]) & np.isfinite(rows.value["expected_posts"][index])]


def _series(case: Case, rows: Rows, source: int, regions: tuple[str, ...]) -> Series:
    service = rows.services.index(case.service)
    numbers = [rows.number(source, service, rows.regions.index(region)) for region in regions]
    parts = [rows.of_series(number, case.since, case.until) for number in numbers]
    whole, inside = (np.concatenate(each) for each in zip(*parts, strict=True))
    return Series(rows.sources[source], regions, whole, inside)
