"""Evidence of an outage, pooled over the regions of a service (a Bayesian scan over regions, sizes and onsets).

For every window (a possible onset) and size the likelihood ratio of each series is computed. A series' score is the
odds of all hypotheses by which it is out (alone, with some regions, with its parent region, with the whole service) to
those by which it is not: nothing happens, others are out, or all talk. So what one region shows is not ascribed to
another if there is a simpler account. See Neill and Cooper 2010 (doi 10.1007/s10994-009-5144-4) for the scan, METHOD.md
for the formulas.
"""

from dataclasses import dataclass

import numpy as np

from clamor.baseline.counts import Floats, Ints
from clamor.baseline.groups import Rows
from clamor.baseline.lengths import FINE_MINUTES, Lengths
from clamor.baseline.level import Followed
from clamor.baseline.quick import at_least, at_most
from clamor.detect import bursts

ALONE, WHOLE, SCATTERED = 0.001, 0.002, 0.004
"""Odds, before a window is seen, of an outage of one series, of the whole service (and as much of one parent region),
of some regions anywhere; all sizes together."""
REACHED, REACHED_SCATTERED = 0.97, 0.24
"""Chance that a region is touched by an outage of its service or parent region; by one of some regions."""
CHATTER, CHATTER_SIZE, CHATTER_POWER = 0.01, 1.5, 3.0
"""Odds that a window brings more talk than expected, of a service, one parent region or one region, 1.5 times as much;
larger sizes are rarer by this power. So posts that merely double are sooner talk than an outage."""
GROWN_MINUTES = 60
"""Talk grows within an hour or so: a bin of up to so many minutes brings a jump of it as much more often as it is
longer than a quarter of an hour."""
BEYOND = 0.1
"""Share of a series' own evidence beyond the joint one that counts still: no doubt about talk is so sure that the
largest outage could not be told at the strictest budget."""
CAP_NATS = 5.0
"""The most that one region may say about others, so that no single burst speaks for all."""
ROUGH, ROUGH_ADDED = 1.5, 0.1
"""Where regions are pooled, scatter is taken for so many times what was measured and so much more: regions err
together, and each wanders for hours, which no tail of a single one tells. (A lone series is measured by its own tails,
and a bin of a day by years: neither is.)"""
NOW_CAP_NATS = 0.0
"""Evidence of a bin that itself is not above its expectation, at most: an alarm ends with its burst, and does not echo
through the windows."""
FEW_POSTS, FEW_CAP_NATS = 3, 2.0
"""One or two posts in the longest window are no outage by themselves, however rare: people repeat each other."""
OWN_LIMIT, POOL_LIMIT = 60.0, 25.0
"""Nats beyond which evidence does not grow: it is far beyond any doubt, and its exponential stays within float32."""
TINY = np.float32(1e-6)
LEAST = np.float32(1e-30)
"""Likelihood ratios of busy series far below their expectation are zero in float32, but have no logarithm then."""


@dataclass(frozen=True)
class Ties:
    """Which series of some whole services belong together.

    Attributes:
        service: Series by service.
        parent: Series by service and parent region.
        parents: The groups of ``parent`` by service.
        above: Rows of series, and rows of those that lie inside them, pair by pair.

    """

    service: Rows
    parent: Rows
    parents: Rows
    above: tuple[Ints, Ints]

    @classmethod
    def of(cls, service: Ints, parent: Ints, above: tuple[Ints, Ints]) -> "Ties":
        """Tie series by their codes of service and of (service, parent region)."""
        by_service, by_parent = Rows(service), Rows(parent)
        of_parent = np.zeros(by_parent.groups, dtype=np.int64)
        of_parent[by_parent.group] = by_service.group
        return cls(by_service, by_parent, Rows(of_parent), above)

    def heeded(self, seen: Floats) -> Floats:
        """Return 1 for the series that say something of others, 0 for those that repeat what lies inside them.

        That is known by what was seen on earlier days.
        """
        out = np.ones(len(seen), dtype=np.float32)
        holder, inside = self.above
        out[holder[seen[inside] > 0]] = 0
        return out

    def tied(self, seen: Floats) -> Floats:
        """Return 1 for the heeded series of a service of which others were seen on earlier days, else 0."""
        heeded = self.heeded(seen)
        others = self.service.others(((seen > 0) * heeded)[:, None])[:, 0] > 0
        return np.asarray(others * heeded, dtype=np.float32)


def evidence(
    done: Followed, ties: Ties, tied: Floats, heeded: Floats, bursty: Floats, sizes: Lengths
) -> tuple[Floats, Floats | None]:
    """Return the log odds of an outage of each bin over those of one alone, in nats, ``(series, bins)``.

    Where bins are fine, also what single bins say by themselves, in nats.

    Args:
        done: A followed day of some whole services.
        ties: Their series by service and parent region.
        tied: 1 where the series is pooled with others, see :meth:`Ties.tied`.
        heeded: 1 where others are pooled with it, see :meth:`Ties.heeded`.
        bursty: How far posts within minutes repeat each other, see :mod:`clamor.detect.bursts`.
        sizes: Lengths in bins.

    """
    tied, bursty = tied[:, None], bursty[:, None]
    together = tied * np.float32(not sizes.wide)
    error = np.asarray(1 / done.known, dtype=np.float32)
    rough = error + (done.kappa + TINY)
    support = _surprise(done.sums, done.means, rough).max(axis=0, initial=np.float32(-9))
    rough += together * (np.float32(ROUGH - 1) * done.kappa + np.float32(ROUGH_ADDED))
    nats = log_ratios(done.sums, done.means, np.divide(1, rough, out=rough), sizes.ratios)
    singles = None
    if sizes.fine:
        singles = _log_mean(nats[:, 0])
        nats *= np.stack([bursts.trust(bursty, window * sizes.bin_minutes) for window in sizes.windows])
    likely = limited(nats)
    tests = np.float32(len(sizes.windows))
    alone = likely.sum(axis=(0, 1))
    alone /= tests * np.float32(len(sizes.ratios))
    own = np.log(at_least(alone, LEAST, out=alone), out=alone)
    few = done.sums[-1] < np.float32(FEW_POSTS)
    own -= at_least(own - np.float32(FEW_CAP_NATS), 0) * few
    total, least = own, bursts.now_sd(bursty)
    if not ties.service.single:
        silent = np.flatnonzero(heeded == 0)
        out, not_out = odds(likely, ties, silent, talk(sizes))
        out /= tests
        not_out /= tests
        out /= np.float32(ALONE)
        joint = np.log(at_least(out, LEAST, out=out), out=out)
        joint -= np.log1p(not_out, out=not_out)
        joint += np.float32(BEYOND) * at_least(own - joint, 0)
        joint -= at_least(joint - own, 0) * (support < least)
        total = own + tied * (joint - own)
    now = _surprise(done.taken.posts, done.taken.mean, error + done.kappa[0])
    capped = at_most(total, np.float32(NOW_CAP_NATS))
    return np.asarray(capped + (total - capped) * (now >= least), dtype=np.float32), singles


def talk(sizes: Lengths) -> list[np.float32]:
    """Return the odds that a window brings more talk of a service than expected, by size of it."""
    grown = 1.0 if sizes.wide else min(max(sizes.bin_minutes, FINE_MINUTES), GROWN_MINUTES) / FINE_MINUTES
    return [np.float32(grown * CHATTER * (CHATTER_SIZE / ratio) ** CHATTER_POWER) for ratio in sizes.ratios]


def log_ratios(y: Floats, m: Floats, size: Floats, ratios: tuple[float, ...]) -> Floats:
    """Return the logarithms of the likelihood ratios of an outage of each size, ``(ratios, *y.shape)``.

    Negative binomials of the same size; where nothing was expected and nothing came, they are exactly zero.
    """
    more, share = y + size, size + m
    np.divide(m, share, out=share)  # of the expectation in expectation and size
    nats = np.empty((len(ratios), *y.shape), dtype=np.float32)
    for ratio, out in zip(ratios, nats, strict=True):
        np.log1p(np.multiply(share, np.float32(ratio - 1), out=out), out=out)
        out *= more
        np.subtract(y * np.float32(np.log(ratio)), out, out=out)
    return nats


def limited(nats: Floats) -> Floats:
    """Return the ratios themselves, in place; those of a window with one beyond OWN_LIMIT keep their proportions."""
    best = nats.max(axis=0)
    best -= np.float32(OWN_LIMIT)
    nats -= at_least(best, 0, out=best)
    return np.exp(nats, out=nats)


def _log_mean(nats: Floats) -> Floats:
    """Return the logarithm of the mean over the first axis of what these are the logarithms of."""
    best = nats.max(axis=0)
    return np.asarray(best + np.log(np.exp(nats - best).mean(axis=0)))


def odds(likely: Floats, ties: Ties, silent: Ints, talk: list[np.float32]) -> tuple[Floats, Floats]:
    """Return the odds of the hypotheses by which a series is out, and of those by which it is not; sums of all windows.

    Args:
        likely: Likelihood ratios, ``(sizes, windows, series, bins)``.
        ties: Series by service and parent region.
        silent: Series that say nothing of others.
        talk: Odds of talk, for each size.

    """
    alone, whole, scattered = (np.float32(prior / len(likely)) for prior in (ALONE, WHOLE, SCATTERED))
    reached, some = np.float32(REACHED), np.float32(REACHED_SCATTERED)
    most = np.float32(np.exp(CAP_NATS))
    cap = at_least(likely.max(axis=0), most)
    np.divide(most, cap, out=cap)
    out, not_out = np.zeros_like(cap), np.zeros_like(cap)
    said = np.empty_like(cap)
    elsewhere = np.zeros(1, dtype=np.float32)
    for chatter, mine in zip(talk, likely, strict=True):
        part = mine * cap
        touched = part * reached
        touched += 1 - reached
        part *= some
        part += 1 - some
        touched[:, silent] = part[:, silent] = 1
        near = ties.parent.total(np.log(touched, out=said))
        elsewhere = elsewhere + at_least(ties.parents.others(np.expm1(at_most(near, POOL_LIMIT))), 0)
        pooled = _others(ties.service.total(said), ties.service, touched, whole * reached)
        pooled += _others(near, ties.parent, touched, whole * reached)
        others = _others(ties.service.total(np.log(part, out=said)), ties.service, part, scattered * some)
        not_out += np.multiply(mine, chatter, out=said)
        more = chatter / whole
        against = np.multiply(mine, more, out=said)
        against += (1 - reached) / reached * (1 + more)
        against *= pooled
        not_out += against
        pooled += others
        pooled += alone
        pooled *= mine
        out += pooled
        others *= (1 - some) / some
        not_out += others
    not_out += ties.parent.spread(whole * elsewhere)
    return out.sum(axis=0), not_out.sum(axis=0)


def _others(total: Floats, rows: Rows, own: Floats, weight: np.float32) -> Floats:
    """Return the product of what the others of a group say, weighed; ``total`` is the log of all of it."""
    odds = np.exp(at_most(total, OWN_LIMIT))
    odds *= weight
    out = rows.shares(odds, own)
    most = weight * np.float32(np.exp(POOL_LIMIT))
    return out if odds.max() < most * (1 - REACHED) else at_most(out, most, out=out)  # nothing is said more strongly


def _surprise(posts: Floats, mean: Floats, rough: Floats) -> Floats:
    """Return how many standard deviations a count lies above its expectation."""
    expected = at_least(mean, TINY)
    spread = expected * rough
    spread += 1
    spread *= expected
    np.sqrt(spread, out=spread)
    return np.asarray(np.divide(posts - expected, spread, out=spread))
