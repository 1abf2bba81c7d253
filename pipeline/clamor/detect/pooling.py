"""Evidence of an outage, pooled over the regions of a service (a Bayesian scan over regions, sizes and onsets).

For every window (a possible onset) and size the log-likelihood ratio of each series is computed; a series' score
averages over the hypotheses that it is out alone, with its siblings of one parent region, or with the whole service.
See Neill and Cooper 2010 (doi 10.1007/s10994-009-5144-4) for the scan, METHOD.md for the formulas.
"""

from dataclasses import dataclass

import numpy as np

from clamor.baseline.counts import Floats, Ints
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
CHUNK = 128
"""Series that are judged at a time (whole services), so that the arrays stay in the processor's cache."""


@dataclass(frozen=True)
class Chunk:
    """Some whole services: their rows, and those by service and by parent region."""

    rows: slice
    services: Rows
    groups: Rows


def chunks(service: Ints, group: Ints) -> list[Chunk]:
    """Cut the series, which are in order of their services, into chunks."""
    first = np.flatnonzero(np.diff(service, prepend=-1))
    out, begin = [], 0
    for end in (int(e) for e in [*first[1:], len(service)]):
        if end - begin >= CHUNK or end == len(service):
            rows = slice(begin, end)
            out.append(Chunk(rows, Rows(service[rows]), Rows(group[rows])))
            begin = end
    return out


def evidence(done: Followed, parts: list[Chunk], sizes: Lengths) -> Floats:
    """Return the log posterior ratio of an outage of each bin, in nats, ``(series, bins)``."""
    out = np.empty(done.known.shape, dtype=np.float32)
    for part in parts:
        out[part.rows] = _evidence(done, part.rows, part.services, part.groups, sizes)
    return out


def _evidence(done: Followed, rows: slice, service: Rows, group: Rows, sizes: Lengths) -> Floats:
    error = np.asarray(1 / done.known[rows], dtype=np.float32)
    alone = np.zeros(error.shape, dtype=np.float32)
    together = np.zeros_like(alone)
    support = np.full_like(alone, -9)
    for window in range(len(sizes.windows)):
        y, m = done.sums[window, rows], np.maximum(done.means[window, rows], TINY)
        rough = np.asarray(done.kappa[window, rows] + error + TINY, dtype=np.float32)
        support = np.maximum(support, _surprise(y, m, rough))
        likely = _likelihood(y, m, np.asarray(1 / rough, dtype=np.float32), sizes.ratios)
        alone += likely
        if not service.single:
            together += likely * _odds(likely, service, group)
    tests = np.float32(len(sizes.windows))
    own = np.log(alone / tests)
    few = done.sums[-1, rows] < FEW_POSTS
    own = np.where(few, np.minimum(own, np.float32(FEW_CAP_NATS)), own)
    rough_now = np.asarray(done.kappa[0, rows] + error, dtype=np.float32)
    now = _surprise(done.taken.posts[rows], np.maximum(done.taken.mean[rows], TINY), rough_now)
    out = own if service.single else _pooled(own, np.log(together / tests), support, service)
    return np.asarray(np.where(now >= np.float32(NOW_SD), out, np.minimum(out, np.float32(NOW_CAP_NATS))))


def _likelihood(y: Floats, m: Floats, size: Floats, ratios: tuple[float, ...]) -> Floats:
    """Return the likelihood ratio of an outage, averaged over its sizes: negative binomials of the same size."""
    out = np.zeros_like(y)
    more, usual = y + size, 1 / (size + m)
    for ratio in ratios:
        nats = y * np.float32(np.log(ratio)) - more * np.log((size + np.float32(ratio) * m) * usual)
        out += np.exp(np.minimum(nats, np.float32(OWN_LIMIT)))
    return out / np.float32(len(ratios))


def _odds(likely: Floats, service: Rows, group: Rows) -> Floats:
    """Return what the other series add: the odds of being out, given them."""
    alone, everywhere, nearby = (np.float32(p) for p in PRIORS)
    reached, limit = np.float32(REACHED), np.float32(POOL_LIMIT)
    said = np.log((1 - reached) + reached * np.minimum(likely, np.float32(np.exp(CAP_NATS))))
    odds = alone + everywhere * np.exp(np.minimum(service.others(said), limit))
    if group.single:
        return np.asarray(odds + nearby)
    return np.asarray(odds + nearby * np.exp(np.minimum(group.others(said), limit)))


def _pooled(own: Floats, pooled: Floats, support: Floats, service: Rows) -> Floats:
    """Let the pool lift a series as far as its own excess supports it; it may always lower it."""
    pooled = pooled - np.float32(REPRESENTATIVE) * np.minimum(service.best(own) - own, np.float32(2 * CAP_NATS))
    begin, whole = SUPPORT_SD
    share = np.clip((support - np.float32(begin)) / np.float32(whole - begin), 0, 1)
    return np.asarray(own + share * np.maximum(pooled - own, 0) + np.minimum(pooled - own, 0), dtype=np.float32)


def _surprise(posts: Floats, mean: Floats, rough: Floats) -> Floats:
    """Return how many standard deviations a count lies above its expectation; no count is no surprise."""
    return np.where(posts > 0, (posts - mean) / np.sqrt(mean + mean * mean * rough), np.float32(-9))
