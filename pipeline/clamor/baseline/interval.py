"""Intervals of counts: what a bin may bring, and how many posts of a window are excess."""

from math import ceil, floor
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from clamor.baseline.counts import Floats
from clamor.baseline.quick import at_least

BAND_Z = NormalDist().inv_cdf(0.975)


def excess_interval(
    posts: npt.ArrayLike,
    expected: npt.ArrayLike,
    dispersion: npt.ArrayLike,
    level_cv: npt.ArrayLike,
    coverage: float = 0.95,
) -> tuple[float, float, float]:
    """Return the excess posts of a window and its interval, from the joint model of its bins.

    Args:
        posts: Counts of the window's observed bins, one or several disjoint series stacked.
        expected: Their expectations.
        dispersion: Over-dispersion of single bins: variance = mean + dispersion * mean**2.
        level_cv: Coefficient of variation of the level that the bins share.
        coverage: Share of windows whose excess lies inside.

    Returns:
        ``(excess, low, high)`` in posts. The level's error is shared by the whole window, so it adds as
        ``(sum of level_cv * mean)**2``, not bin by bin. The ends are whole posts, as those that would have come are.

    """
    y, mu = np.asarray(posts, dtype=float), np.asarray(expected, dtype=float)
    cv = np.broadcast_to(np.asarray(level_cv, dtype=float), mu.shape)
    variance = float((mu + np.asarray(dispersion, dtype=float) * mu * mu).sum() + (cv * mu).sum() ** 2)
    excess = float((y - mu).sum())
    low, high = gamma_bounds(float(mu.sum()), variance, coverage)
    total = float(y.sum())
    return excess, total - ceil(high), total - floor(low)


def gamma_bounds(mean: float, variance: float, coverage: float) -> tuple[float, float]:
    """Return the central interval of a sum: quantiles of a gamma of that mean and variance."""
    from scipy.special import gammaincinv  # takes as long to load as all the rest

    if mean <= 0:
        return 0.0, 0.0
    shape = mean * mean / variance
    tails = np.array([(1 - coverage) / 2, (1 + coverage) / 2])
    low, high = gammaincinv(shape, tails) * (variance / mean)
    return float(low), float(max(high, mean))


def band(mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Return the 95% prediction interval of counts, by Wilson and Hilferty's cube root and half a post."""
    m = at_least(mean, np.float32(1e-6))
    h = variance / (9 * m * m)
    root = np.float32(BAND_Z) * np.sqrt(h)
    middle = 1 - h
    low, high = at_least(middle - root, 0), at_least(middle + root, 0)
    low *= low * low * m
    low -= np.float32(0.5)
    high *= high * high * m
    high += np.float32(0.5)
    return np.ceil(at_least(low, 0)), np.ceil(high)
