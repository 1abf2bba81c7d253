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
FEW_POSTS, FEW_CAP_NATS = 3, 2.0
"""One or two posts in the longest window are no outage by themselves, however rare: people repeat each other."""
OWN_LIMIT, POOL_LIMIT = 60.0, 25.0
"""Nats beyond which evidence does not grow: it is far beyond any doubt, and its exponential stays within float32."""
TINY = np.float32(1e-6)


def evidence(done: Followed, service: Rows, group: Rows, sizes: Lengths) -> Floats:
    """Return the log posterior ratio of an outage of each bin, in nats, ``(series, bins)``.

    Args:
        done: A followed day of some whole services.
        service: Its series by service.
        group: Its series by service and parent region.
        sizes: Lengths in bins.

    """
    error = 1 / done.known
    alone = np.zeros(error.shape, dtype=np.float32)
    together = np.zeros_like(alone)
    support = np.full_like(alone, -9)
    for window in range(len(sizes.windows)):
        y, m = done.sums[window], np.maximum(done.means[window], TINY)
        rough = error + (done.kappa[window] + TINY)
        np.maximum(support, _surprise(y, m, rough), out=support)
        likely = _likelihood(y, m, np.divide(1, rough, out=rough), sizes.ratios)
        if sizes.trust[window] < 1:
            np.power(likely, np.float32(sizes.trust[window]), out=likely)
        alone += likely
        if not service.single:
            together += np.multiply(_odds(likely, service, group), likely, out=likely)
    tests = np.float32(len(sizes.windows))
    own = np.log(np.divide(alone, tests, out=alone), out=alone)
    few = done.sums[-1] < np.float32(FEW_POSTS)
    own -= np.maximum(own - np.float32(FEW_CAP_NATS), 0) * few
    together /= tests
    out = own if service.single else _pooled(own, np.log(together, out=together), support, service)
    now = _surprise(done.taken.posts, np.maximum(done.taken.mean, TINY), error + done.kappa[0])
    capped = np.minimum(out, np.float32(NOW_CAP_NATS))
    return np.asarray(capped + (out - capped) * (now >= np.float32(NOW_SD)), dtype=np.float32)


def _likelihood(y: Floats, m: Floats, size: Floats, ratios: tuple[float, ...]) -> Floats:
    """Return the likelihood ratio of an outage, averaged over its sizes: negative binomials of the same size."""
    out = np.zeros_like(y)
    more, share = y + size, size + m
    np.divide(m, share, out=share)  # of the expectation in expectation and size
    rest = 1 - share
    nats, usual = np.empty_like(y), np.empty_like(y)
    for ratio in ratios:
        np.multiply(share, np.float32(ratio), out=usual)
        usual += rest
        np.log(usual, out=usual)
        usual *= more
        np.multiply(y, np.float32(np.log(ratio)), out=nats)
        nats -= usual
        np.minimum(nats, np.float32(OWN_LIMIT), out=nats)
        out += np.exp(nats, out=nats)
    out /= np.float32(len(ratios))
    return out


def _odds(likely: Floats, service: Rows, group: Rows) -> Floats:
    """Return what the other series add: the odds of being out, given them."""
    alone, everywhere, nearby = (np.float32(p) for p in PRIORS)
    reached, limit = np.float32(REACHED), np.float32(POOL_LIMIT)
    said = np.minimum(likely, np.float32(np.exp(CAP_NATS)))
    said *= reached
    said += 1 - reached
    np.log(said, out=said)
    odds = service.others(said)
    np.exp(np.minimum(odds, limit, out=odds), out=odds)
    odds *= everywhere
    odds += alone
    if group.single:
        odds += nearby
        return np.asarray(odds)
    near = group.others(said)
    np.exp(np.minimum(near, limit, out=near), out=near)
    near *= nearby
    odds += near
    return odds


def _pooled(own: Floats, pooled: Floats, support: Floats, service: Rows) -> Floats:
    """Let the pool lift a series as far as its own excess supports it; it may always lower it."""
    behind = service.best(own) - own
    np.minimum(behind, np.float32(2 * CAP_NATS), out=behind)
    behind *= np.float32(REPRESENTATIVE)
    change = pooled - behind
    change -= own
    begin, whole = SUPPORT_SD
    share = support - np.float32(begin)
    share /= np.float32(whole - begin)
    np.clip(share, 0, 1, out=share)
    share *= np.maximum(change, 0)
    share += np.minimum(change, 0)
    share += own
    return np.asarray(share)


def _surprise(posts: Floats, mean: Floats, rough: Floats) -> Floats:
    """Return how many standard deviations a count lies above its expectation."""
    spread = mean * rough
    spread += 1
    spread *= mean
    np.sqrt(spread, out=spread)
    return np.asarray(np.divide(posts - mean, spread, out=spread))
