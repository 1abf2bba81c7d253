"""Evidence of an outage, pooled over the regions of a service (a Bayesian scan over regions, sizes and onsets).

For every window (a possible onset) and size the log-likelihood ratio of each series is computed; a series' score
averages over the hypotheses that it is out alone, with its siblings of one parent region, or with the whole service.
See Neill and Cooper 2010 (doi 10.1007/s10994-009-5144-4) for the scan, METHOD.md for the formulas.
"""

import numpy as np

from clamor.baseline import Rows
from clamor.counts import Floats, Ints

RATIOS = (1.5, 2.5, 5.0, 12.0, 40.0)
"""Outage sizes, as multiples of the expectation, over which the likelihood ratio is averaged."""
REACHED = 0.8
"""Chance that a region is touched by an outage of its group."""
CAP_NATS = 3.0
"""The most that one region's bin may say about its siblings, so that no single burst speaks for all."""
PRIORS = (0.5, 0.3, 0.2)
"""Odds that an outage is of one series alone, of the whole service, of one parent region."""


def evidence(sums: Floats, means: Floats, scatter: Floats, known: Floats, service: Ints, group: Ints) -> Floats:
    """Return the log posterior ratio in nats, ``(series, bins)``, from windows ``(windows, series, bins)``."""
    rows_service, rows_group = Rows(service), Rows(group)
    alone: list[Floats] = []
    parts: list[Floats] = []
    for y, mean, spread in zip(sums, means, scatter, strict=True):
        m = np.maximum(mean, np.float32(1e-6))
        size = 1 / (spread + 1 / known + np.float32(1e-6))
        shifted = size + m
        for ratio in RATIOS:
            own = y * np.float32(np.log(ratio)) - (y + size) * np.log((size + np.float32(ratio) * m) / shifted)
            alone.append(own)
            parts.append(own + _lift(own, rows_service, rows_group))
    pooled = _mean(parts)
    if GAMMA == 0:
        return pooled
    own = _mean(alone)
    best = np.maximum.reduceat(own[rows_service.order], rows_service.starts, axis=0)[rows_service.at]
    return pooled - GAMMA * np.minimum(best - own, 6)


GAMMA = 0.4


def _mean(parts: list[Floats]) -> Floats:
    """Return the log of the mean of exponentials."""
    stacked = np.stack(parts)
    best = stacked.max(axis=0)
    return np.asarray(best + np.log(np.exp(stacked - best).mean(axis=0)), dtype=np.float32)


def _lift(own: Floats, service: Rows, group: Rows) -> Floats:
    alone, everywhere, nearby = PRIORS
    said = np.log(np.float32(1 - REACHED) + np.float32(REACHED) * np.exp(np.minimum(own, np.float32(CAP_NATS))))
    all_others, near_others = service.others(said), group.others(said)
    top = np.maximum(np.maximum(all_others, near_others), 0)
    return np.asarray(
        top + np.log(alone * np.exp(-top) + everywhere * np.exp(all_others - top) + nearby * np.exp(near_others - top)),
        dtype=np.float32,
    )
