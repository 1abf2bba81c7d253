"""How bursty a series is, and how far the evidence of short windows may be believed in it.

Posts within minutes repeat each other: a headline, a robot, a thread. In bins of less than a quarter of an hour one
number of each series tells how much: by how many nats the peaks of its single bins exceed what independent posts would.
"""

import numpy as np

from clamor.baseline.counts import Floats
from clamor.baseline.lengths import Lengths
from clamor.detect.renyi import mean_excess

NATS_FROM = 2.5
"""Peaks of single bins beyond it are measured."""
TAME, WILD = 1.5, 2.2
"""Mean excess of the peaks beyond it, nats, up to which a series is not bursty, and from which it is wholly so. By the
theory of likelihood ratios it is one; medians of synthetic catalogues are 1.2 to 1.4, of bursty series 2.5 to 12."""
LONE, TIED = 3.0, 1.4
"""What it is thought to be at first: of a service by itself, and of one in several regions;"""
WORTH = 4.0
"""and how many excesses that is worth."""
STEADY_MINUTES, HASTE = (60.0, 120.0), (0.3, 1.0)
"""Evidence of windows under so many minutes counts by that power of their length, in tame series and in bursty ones."""
NOW_SD = (0.7, 4.0)
"""A bin that itself is not so far above its expectation is no evidence, in tame series and in bursty ones."""


def share(singles: Floats, tied: Floats, sizes: Lengths) -> Floats:
    """Return how bursty each series is, 0 to 1, from its single bins' peaks of the last days; 0 in wider bins."""
    if not sizes.fine:
        return np.zeros(len(singles), dtype=np.float32)
    prior = np.where(tied > 0, TIED, LONE)
    total, worth = mean_excess(singles - np.float32(NATS_FROM))
    nats = (total + prior * WORTH) / (worth + WORTH)
    return np.asarray(np.clip((nats - TAME) / (WILD - TAME), 0, 1), dtype=np.float32)


def trust(bursty: Floats, minutes: int) -> Floats:
    """Return the power to which the likelihood ratio of a window of so many minutes is believed."""
    tame, wild = (h * min(0.0, float(np.log(minutes / m))) for m, h in zip(STEADY_MINUTES, HASTE, strict=True))
    return np.asarray(np.exp(np.float32(tame) + bursty * np.float32(wild - tame)))


def now_sd(bursty: Floats) -> Floats:
    """Return how far above its expectation a bin must be, standard deviations, to be evidence."""
    tame, wild = NOW_SD
    return np.asarray(np.float32(tame) + bursty * np.float32(wild - tame))
