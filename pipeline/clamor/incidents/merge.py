"""Which episodes of a service are one case: those that overlap in time, unless chance alone explains that."""

from dataclasses import dataclass

import numpy as np

from clamor.incidents.episodes import Decided, Episodes, Ints
from clamor.incidents.given import Given
from clamor.incidents.scope import Tree


@dataclass(frozen=True)
class Group:
    """The episodes of one case.

    Attributes:
        episodes: Indices of episodes, by time.
        regions: The regions that they flag.
        elsewhere: Regions that unrelated cases of the service flag at the same time.

    """

    episodes: Ints
    regions: frozenset[str]
    elsewhere: frozenset[str] = frozenset()


def group(found: Episodes, decided: Decided, given: Given) -> list[Group]:
    """Group the episodes of every service.

    Episodes that miss each other by less than the closing time belong together. Where no flagged region holds the
    others, unrelated regions may be flagged together by chance (:meth:`Rules.rare`); if that is not rare they stay
    apart, each with what lies below it.
    """
    rows, quiet = given.rows, given.quiet
    wide = len(rows.regions)
    service = found.series // wide
    watched = np.bincount(np.unique(decided.series) // wide)
    groups: list[Group] = []
    order = np.lexsort((found.series, found.first, service))
    for cluster in _sweep(found, order, service[order], quiet):
        names = [rows.regions[r] for r in (found.series[cluster] % wide).tolist()]
        tops = _tops(names, given.tree)
        bins = int(found.last[cluster].max() - found.first[cluster].min()) + 1
        others = int(watched[service[cluster[0]]]) - 1
        if len(set(tops)) == 1 or given.rules.rare(len(set(tops)) - 1, others, bins * rows.width):
            groups.append(Group(cluster, frozenset(names)))
        else:
            groups.extend(_apart(found, cluster, names, tops, quiet))
    return sorted(groups, key=lambda each: (service[each.episodes[0]], found.first[each.episodes[0]], each.episodes[0]))


def _tops(names: list[str], tree: Tree) -> list[str]:
    """Return for each region the highest flagged one that holds it."""
    present = set(names)
    return [[above for above in tree.path(name, unknown=True) if above in present][-1] for name in names]


def _apart(found: Episodes, cluster: Ints, names: list[str], tops: list[str], quiet: int) -> list[Group]:
    """Split a cluster by the highest flagged region, and each part in time again."""
    parts = sorted(set(tops))
    part = np.array([parts.index(top) for top in tops], np.int64)
    order = np.argsort(part, kind="stable")
    region = dict(zip(cluster.tolist(), names, strict=True))
    groups = []
    for episodes in _sweep(found, cluster[order], part[order], quiet):
        mine = frozenset(region[i] for i in episodes.tolist())
        groups.append(Group(episodes, mine, frozenset(names) - mine))
    return groups


def _sweep(found: Episodes, order: Ints, part: Ints, quiet: int) -> list[Ints]:
    """Cut episodes, given by part and time, where the part changes or more than the closing time lies between them."""
    first, last = found.first[order], found.last[order]
    offset = part * (int(last.max()) + quiet + 2)
    so_far = np.maximum.accumulate(last + offset)
    return np.split(order, np.flatnonzero(first[1:] + offset[1:] - so_far[:-1] > quiet) + 1)
