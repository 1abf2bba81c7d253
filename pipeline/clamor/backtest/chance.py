"""Intervals of counts, shares and quantiles: exact, two-sided, 95% unless said otherwise."""

import math

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, betaincinv, gammaincinv


def share_interval(hits: int, size: int, coverage: float = 0.95) -> tuple[float, float]:
    """Return the interval of a share (Clopper and Pearson 1934).

    >>> [round(x, 3) for x in share_interval(9, 10)]
    [0.555, 0.997]
    """
    tail = (1 - coverage) / 2
    low = float(betaincinv(hits, size - hits + 1, tail)) if hits else 0.0
    high = float(betaincinv(hits + 1, size - hits, 1 - tail)) if hits < size else 1.0
    return low, high


def rate_interval(events: int, exposure: float, coverage: float = 0.95) -> tuple[float, float]:
    """Return the interval of a rate of events per unit of exposure (Garwood 1936).

    >>> [round(x, 2) for x in rate_interval(3, 1.0)]
    [0.62, 8.77]
    """
    tail = (1 - coverage) / 2
    low = float(gammaincinv(events, tail)) if events else 0.0
    return low / exposure, float(gammaincinv(events + 1, 1 - tail)) / exposure


def quantile_interval(values: npt.ArrayLike, q: float, coverage: float = 0.95) -> tuple[float, float, float]:
    """Return a quantile and its interval by order statistics; an end is infinite where too few values bound it.

    >>> quantile_interval(range(1, 12), 0.5)
    (6.0, 2.0, 10.0)
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    size = len(ordered)
    if not size:
        return math.nan, -math.inf, math.inf
    tail = (1 - coverage) / 2
    below = bdtr(np.arange(size + 1), size, q)
    low = int(np.searchsorted(below, tail, side="right")) - 1
    high = int(np.searchsorted(below, 1 - tail))
    return (
        float(np.quantile(ordered, q)),
        float(ordered[low]) if low >= 0 else -math.inf,
        float(ordered[high]) if high < size else math.inf,
    )
