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
from clamor.baseline.lengths import Lengths
from clamor.baseline.level import Followed
from clamor.detect import bursts

ALONE, EVERYWHERE, NEARBY, SCATTERED = 0.001, 0.002, 0.002, 0.004
"""Odds, before a window is seen, of an outage of one series, of the whole service, of one parent region, of some
regions anywhere; all sizes together."""
REACHED, REACHED_SCATTERED = 0.97, 0.24
"""Chance that a region is touched by an outage of its service or parent region; by one of some regions."""
CHATTER, CHATTER_SIZE, CHATTER_POWER = 0.002, 1.5, 2.2
"""Odds that a window brings more talk than expected, of a service or one parent region, 1.5 times as much; larger sizes
are rarer by this power. So posts that merely double everywhere are an outage no likelier than talk."""
BEYOND = 0.1
"""Share of a series' own evidence beyond the joint one that counts still: no doubt about talk is so sure that the
largest outage could not be told at the strictest budget."""
CAP_NATS = 5.0
"""The most that one region may say about others, so that no single burst speaks for all."""
ROUGH, ROUGH_ADDED = 2.0, 0.03
"""Where regions are pooled, scatter is taken for twice what was measured and this more: regions err together, which no
tail of a single one tells. (A lone series is measured by its own tails, and a bin of a day by years: neither is.)"""
SUPPORT_SD = (0.3, 1.0)
"""Excess of the series' own best window, in standard deviations, at which the pool begins to lift it and does so fully:
a region where nobody complains is not out because others are."""
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
    singles = None
    together = tied * np.float32(not sizes.wide)
    error = 1 / done.known
    alone, out, not_out = (np.zeros(error.shape, dtype=np.float32) for _ in range(3))
    support = np.full_like(alone, -9)
    for window in range(len(sizes.windows)):
        y, m = done.sums[window], done.means[window]
        rough = error + (done.kappa[window] + TINY)
        np.maximum(support, _surprise(y, m, rough), out=support)
        rough += together * (np.float32(ROUGH - 1) * done.kappa[window] + np.float32(ROUGH_ADDED))
        best, each = likelihoods(y, m, np.divide(1, rough, out=rough), sizes.ratios)
        if sizes.fine:
            if window == 0:
                singles = best + np.log(sum(each) / np.float32(len(each)))
            trust = bursts.trust(bursty, sizes.windows[window] * sizes.bin_minutes)
            best, each = best * trust, [share**trust for share in each]
        alone += np.exp(np.minimum(best, np.float32(OWN_LIMIT))) * sum(each)
        if not ties.service.single:
            odds(best, each, ties, heeded, sizes, out, not_out)
    tests = np.float32(len(sizes.windows))
    np.divide(alone, tests * np.float32(len(sizes.ratios)), out=alone)
    own = np.log(np.maximum(alone, LEAST, out=alone), out=alone)
    few = done.sums[-1] < np.float32(FEW_POSTS)
    own -= np.maximum(own - np.float32(FEW_CAP_NATS), 0) * few
    total = own
    if not ties.service.single:
        np.divide(out, tests * np.float32(ALONE), out=out)
        joint = np.log(np.maximum(out, LEAST, out=out), out=out)
        joint -= np.log1p(np.divide(not_out, tests, out=not_out), out=not_out)
        joint += np.float32(BEYOND) * np.maximum(own - joint, 0)
        total = own + tied * (_supported(own, joint, support) - own)
    now = _surprise(done.taken.posts, done.taken.mean, error + done.kappa[0])
    capped = np.minimum(total, np.float32(NOW_CAP_NATS))
    return np.asarray(capped + (total - capped) * (now >= bursts.now_sd(bursty)), dtype=np.float32), singles


def likelihoods(y: Floats, m: Floats, size: Floats, ratios: tuple[float, ...]) -> tuple[Floats, list[Floats]]:
    """Return the log of the best likelihood ratio of an outage, and that of each of its sizes as a share of the best.

    Negative binomials of the same size; where nothing was expected and nothing came, the ratios are exactly one.
    """
    more, share = y + size, size + m
    np.divide(m, share, out=share)  # of the expectation in expectation and size
    each = []
    for ratio in ratios:
        nats = share * np.float32(ratio - 1)
        np.log1p(nats, out=nats)
        nats *= more
        np.subtract(y * np.float32(np.log(ratio)), nats, out=nats)
        each.append(nats)
    best = np.maximum.reduce(each)
    for nats in each:
        nats -= best
        np.exp(nats, out=nats)
    return best, each


def odds(
    best: Floats, each: list[Floats], ties: Ties, heeded: Floats, sizes: Lengths, out: Floats, not_out: Floats
) -> None:
    """Add the weights of the hypotheses by which a series is out, and of those by which it is not.

    Args:
        best: Log of the best likelihood ratio of each series.
        each: That of each size, as a share of it.
        ties: Series by service and parent region.
        heeded: 1 for the series that say something of others.
        sizes: Lengths in bins.
        out: Added to.
        not_out: Added to.

    """
    own = np.exp(np.minimum(best, np.float32(OWN_LIMIT)))
    cap = np.exp(np.minimum(best, np.float32(CAP_NATS)))
    priors = (ALONE, EVERYWHERE, NEARBY, SCATTERED)
    alone, everywhere, nearby, scattered = (np.float32(p / len(sizes.ratios)) for p in priors)
    reached, some = np.float32(REACHED), np.float32(REACHED_SCATTERED)
    said, said_some, mine, part = (np.empty_like(own) for _ in range(4))
    for ratio, share in zip(sizes.ratios, each, strict=True):
        np.multiply(cap, share, out=part)
        part -= 1
        part *= heeded[:, None]
        touched = part * reached
        touched += 1
        part *= some
        part += 1
        total = ties.parent.total(np.log(touched, out=said))
        elsewhere = ties.parents.others(np.expm1(np.minimum(total, np.float32(POOL_LIMIT))))
        near = _others(total, ties.parent, touched, nearby)
        outages = _others(ties.service.total(said), ties.service, touched, everywhere)
        others = _others(ties.service.total(np.log(part, out=said_some)), ties.service, part, scattered)
        chance = CHATTER * (CHATTER_SIZE / ratio) ** CHATTER_POWER
        talk = np.multiply(outages, np.float32(chance) / everywhere, out=said)
        talk += np.multiply(near, np.float32(chance) / nearby, out=part)
        outages += near
        np.multiply(own, share, out=mine)
        np.multiply(mine, reached, out=part)
        part += 1 - reached
        not_out += np.multiply(part, talk, out=part)
        not_out += np.multiply(outages, 1 - reached, out=part)
        not_out += np.multiply(others, 1 - some, out=part)
        not_out += (nearby * np.maximum(elsewhere, 0)).take(ties.parent.group, axis=0)
        outages *= reached
        outages += np.multiply(others, some, out=others)
        outages += alone
        out += np.multiply(outages, mine, out=outages)


def _others(total: Floats, rows: Rows, own: Floats, weight: np.float32) -> Floats:
    """Return the product of what the others of a group say, weighed; ``total`` is the log of all of it."""
    odds = np.exp(np.minimum(total, np.float32(OWN_LIMIT)))
    odds *= weight
    out = odds.take(rows.group, axis=0)
    out /= own
    return np.asarray(np.minimum(out, weight * np.float32(np.exp(POOL_LIMIT)), out=out))


def _supported(own: Floats, pooled: Floats, support: Floats) -> Floats:
    """Let the pool lift a series as far as its own excess supports it; it may always lower it."""
    pooled -= own
    begin, whole = SUPPORT_SD
    share = support - np.float32(begin)
    share /= np.float32(whole - begin)
    np.clip(share, 0, 1, out=share)
    share *= np.maximum(pooled, 0)
    share += np.minimum(pooled, 0)
    share += own
    return np.asarray(share)


def _surprise(posts: Floats, mean: Floats, rough: Floats) -> Floats:
    """Return how many standard deviations a count lies above its expectation."""
    expected = np.maximum(mean, TINY)
    spread = expected * rough
    spread += 1
    spread *= expected
    np.sqrt(spread, out=spread)
    return np.asarray(np.divide(posts - expected, spread, out=spread))
