"""The posts behind an incident: excess over what was expected, from the joint model of a window, never added up.

A window's expected posts are the sum of its bins'. Their spread is not the sum of spreads: the bins share one uncertain
level, so with means ``m``, dispersions ``a`` (variance ``m + a m^2``) and relative errors of the level ``c`` the
variance of the window is ``sum(m + a m^2) + (sum c m)^2``.
"""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from scipy.special import betainc, gammainc

from clamor.incidents.episodes import Bools, Floats, Ints, Rows
from clamor.incidents.rules import Rules
from clamor.schema import ALL_SOURCES, Severity

LEAST_EXPECTED: Final = 1e-3
"""Expected posts below this are taken as this, so that one post is never infinitely surprising."""


@dataclass(frozen=True)
class Cells:
    """Series in one window: those of a service by source and region, or those of a region by source and service.

    Attributes:
        source: Index into ``Rows.sources``.
        item: Index into ``Rows.regions``, or into ``Rows.services``.
        posts: Posts in the bins that have both posts and an expectation.
        expected: Expected posts in them.
        variance: Variance of what was expected, jointly.
        rank: The worst state in the window.
        known: Number of bins with posts and an expectation.

    """

    source: Ints
    item: Ints
    posts: Floats
    expected: Floats
    variance: Floats
    rank: Ints
    known: Ints

    @property
    def excess(self) -> Floats:
        """Posts over those expected."""
        return self.posts - self.expected

    @property
    def rise(self) -> Floats:
        """Posts per expected post, less one; half a post is added to both, so that small numbers say little."""
        return (self.posts + 0.5) / (self.expected + 0.5) - 1

    @property
    def z(self) -> Floats:
        """Excess in standard deviations; minus infinity where nothing is known."""
        return np.where(self.known > 0, self.excess / np.sqrt(np.maximum(self.variance, LEAST_EXPECTED)), -np.inf)

    def where(self, keep: Bools) -> "Cells":
        """Return some of the cells."""
        return Cells(*(getattr(self, column.name)[keep] for column in fields(self)))


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


def cells(rows: Rows, index: Ints, by: Ints) -> Cells:
    """Add up a window's rows (``index``) by source and item (``by``: ``rows.region`` or ``rows.service``)."""
    item = by[index]
    wide = int(item.max(initial=0)) + 1
    keys, group = np.unique(rows.source[index] * wide + item, return_inverse=True)
    posts, mean, disp, cv = (rows.value[n][index] for n in ("posts", "expected_posts", "dispersion", "level_cv"))
    known = np.isfinite(posts) & np.isfinite(mean)

    def total(values: Floats) -> Floats:
        return np.bincount(group[known], values[known], len(keys)).astype(np.float64)

    spread = total(mean + np.nan_to_num(disp) * mean**2) + total(np.nan_to_num(cv) * mean) ** 2
    rank = np.zeros(len(keys), np.int64)
    np.maximum.at(rank, group, rows.rank[index])
    number = np.bincount(group[known], minlength=len(keys)).astype(np.int64)
    return Cells(keys // wide, keys % wide, total(posts), total(mean), spread, rank, number)


def tail(posts: Floats, expected: Floats, variance: Floats) -> Floats:
    """Return the probability of so many posts or more, negative binomial of this mean and variance (else Poisson)."""
    mean = np.maximum(expected, LEAST_EXPECTED)
    extra = np.maximum(variance - expected, 0.0)
    poisson = gammainc(np.maximum(posts, 1e-9), mean)
    size = mean**2 / np.maximum(extra, 1e-12)
    binomial = betainc(np.maximum(posts, 1e-9), np.minimum(size, 1e12), extra / (mean + extra))
    return np.where(posts <= 0, 1.0, np.where(extra > 1e-9 * mean, binomial, poisson))


def affected(found: Cells, flagged: Bools, area: Bools, rules: Rules) -> Bools:
    """Tell which cells show the incident in their own posts.

    ``flagged`` ones need less to convince. Those that are no ``area`` also rose by a fair part of what the most
    affected one of their source rose by: a few posts about an outage come from everywhere. Where no one has most of the
    excess, half as much will do.
    """
    limit = np.where(flagged, rules.flagged_p, min(rules.region_p, 0.05 / max(len(found.posts), 1)))
    chance = tail(found.posts, found.expected, found.variance)
    hit = (found.known > 0) & (chance < limit) & (found.posts >= rules.region_ratio * found.expected)
    rise, least = found.rise, np.zeros(len(found.posts))
    for source in np.unique(found.source[hit & ~area]):
        mine = hit & ~area & (found.source == source)
        most = found.excess[mine].max() > 0.5 * found.excess[mine].sum()
        least[mine] = (1.0 if most else 0.5) * rules.region_share * rise[mine].max()
    return np.asarray(hit & (rise >= least))


def together(found: Cells, p: float, ratio: float) -> bool:
    """Tell whether disjoint cells of one source hold an excess that chance does not explain when taken together."""
    posts, expected, variance = (values.sum(keepdims=True) for values in (found.posts, found.expected, found.variance))
    return bool(tail(posts, expected, variance)[0] < p and posts[0] >= ratio * expected[0])


def single(rows: Rows, found: Cells) -> Cells:
    """Return the cells of single sources: ``all`` combines evidence and has no posts of its own."""
    keep = np.array([source != ALL_SOURCES for source in rows.sources], bool)
    return found.where(keep[found.source]) if len(found.source) else found


def severity(probability: float, peak_ratio: float | None, excess_low: float | None, *, wide: bool) -> Severity:
    """Put probability and size into one word.

    Size gives a step for a peak of 3 times the expected posts, another for 10 times, and one for an incident that is
    wide (several countries or services): none is minor, one moderate, two major, three critical. Probability holds it
    down: below 0.95, or when it may be that no post is in excess, an incident is minor; below 0.99, or when fewer than
    ten posts in excess are sure, moderate at most.
    """
    ratio, sure = peak_ratio or 0.0, excess_low or 0.0
    steps = int(ratio >= 3) + int(ratio >= 10) + int(wide)
    if probability < 0.95 or (excess_low is not None and sure <= 0):
        steps = 0
    elif probability < 0.99 or sure < 10:
        steps = min(steps, 1)
    return list(Severity)[steps]
