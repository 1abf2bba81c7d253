"""Evidence of an outage, pooled over the regions of a service (a Bayesian scan over regions, sizes and onsets).

For every window (a possible onset) and size the log-likelihood ratio of each series is computed; a series' score
averages over the hypotheses that it is out alone, with its siblings of one parent region, or with the whole service.
See Neill and Cooper 2010 (doi 10.1007/s10994-009-5144-4) for the scan, METHOD.md for the formulas.
"""

import numpy as np

from clamor.baseline.counts import Floats
from clamor.baseline.groups import Rows
from clamor.baseline.lengths import Lengths
from clamor.baseline.level import Followed

REACHED = 0.8
"""Chance that a region is touched by an outage of its group."""
CAP_NATS = 3.0
"""The most that one region may say about its siblings, so that no single burst speaks for all."""
PRIORS = (0.5, 0.3, 0.2)
"""Odds that an outage is of one series alone, of the whole service, of one parent region."""
REPRESENTATIVE = 0.3
"""What a series loses per nat that the strongest of its service has over it: the pool speaks through those it shows."""
SUPPORT_SD = (0.3, 1.0)
"""Excess of the series' own best window, in standard deviations, at which the pool begins to lift it and does so fully:
a region where nobody complains is not out because others are."""
NOW_SD = 0.7
"""A bin that itself is not this far above its expectation is no evidence of an outage, whatever came before it:"""
NOW_CAP_NATS = 0.0
"""so an alarm ends with its burst, and does not echo through the windows."""
TINY = np.float32(1e-6)


def evidence(done: Followed, service: Rows, group: Rows, sizes: Lengths) -> Floats:
    """Return the log posterior ratio of an outage of each bin, in nats, ``(series, bins)``."""
    alone: list[Floats] = []
    together: list[Floats] = []
    support = np.full(done.known.shape, -9, dtype=np.float32)
    for y, mean, kappa in zip(done.sums, done.means, done.kappa, strict=True):
        m = np.maximum(mean, TINY)
        rough = kappa + 1 / done.known + TINY
        support = np.maximum(support, _surprise(y, m, rough))
        size = 1 / rough
        shifted = size + m
        for ratio in sizes.ratios:
            own = y * np.float32(np.log(ratio)) - (y + size) * np.log((size + np.float32(ratio) * m) / shifted)
            alone.append(own)
            together.append(own + _lift(own, service, group))
    own, pooled = _mean(alone), _mean(together)
    pooled = pooled - np.float32(REPRESENTATIVE) * np.minimum(service.best(own) - own, np.float32(2 * CAP_NATS))
    begin, whole = SUPPORT_SD
    share = np.clip((support - np.float32(begin)) / np.float32(whole - begin), 0, 1)
    out = own + share * np.maximum(pooled - own, 0) + np.minimum(pooled - own, 0)
    now = _surprise(done.taken.posts, np.maximum(done.taken.mean, TINY), done.kappa[0] + 1 / done.known)
    return np.asarray(np.where(now >= np.float32(NOW_SD), out, np.minimum(out, np.float32(NOW_CAP_NATS))))


def _surprise(posts: Floats, mean: Floats, rough: Floats) -> Floats:
    """Return how many standard deviations a count lies above its expectation; no count is no surprise."""
    return np.where(posts > 0, (posts - mean) / np.sqrt(mean + mean * mean * rough), np.float32(-9))


def _mean(parts: list[Floats]) -> Floats:
    """Return the log of the mean of exponentials."""
    stacked = np.stack(parts)
    best = stacked.max(axis=0)
    return np.asarray(best + np.log(np.exp(stacked - best).mean(axis=0)), dtype=np.float32)


def _lift(own: Floats, service: Rows, group: Rows) -> Floats:
    """Return what the other series add: the log of the prior odds of being out, given them."""
    alone, everywhere, nearby = (np.float32(p) for p in PRIORS)
    said = np.log(np.float32(1 - REACHED) + np.float32(REACHED) * np.exp(np.minimum(own, np.float32(CAP_NATS))))
    all_others, near_others = service.others(said), group.others(said)
    top = np.maximum(np.maximum(all_others, near_others), 0)
    odds = alone * np.exp(-top) + everywhere * np.exp(all_others - top) + nearby * np.exp(near_others - top)
    return np.asarray(top + np.log(odds), dtype=np.float32)
