"""The year's season and the slow trend of daily, weekly and longer bins.

A log-linear regression on trend and two annual harmonics with quasi-likelihood weights, kept as discounted normal
equations: each bin adds its information once, linearized at what was expected of it (an extended information filter;
West and Harrison 1997, Bayesian Forecasting and Dynamic Models, chapter 14). Noufaily et al. 2013
(doi 10.1002/sim.5595) fit the same mean by iterated weighting of whole past years.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from clamor.baseline.counts import Floats

Doubles = npt.NDArray[np.float64]

YEAR_MINUTES = 365.25 * 1440
HALF_LIFE_YEARS = 6.0
PRIOR_SD = (2.0, 0.15, 0.5, 0.5, 0.25, 0.25)
"""Standard deviations, before any data, of log level, trend a year and the harmonics."""
TERMS = len(PRIOR_SD)
FIRST_BINS = 8
"""Bins that only set the level about which the equations are linearized."""


@dataclass(frozen=True)
class Annual:
    """Normal equations of every series.

    Attributes:
        information: ``(series, terms, terms)``.
        response: ``(series, terms)``.
        first: Sum of the first counts and their number, ``(series, 2)``.

    """

    information: Doubles
    response: Doubles
    first: Doubles


def start(series: int) -> Annual:
    """Return the equations of the prior."""
    return Annual(np.zeros((series, TERMS, TERMS)), np.zeros((series, TERMS)), np.zeros((series, 2)))


def terms(minutes: npt.NDArray[np.int64], origin: int) -> Doubles:
    """Return the regressors of bins that start then: one, years since the origin, two harmonics; ``(bins, terms)``."""
    years = minutes / YEAR_MINUTES
    angle = 2 * np.pi * years
    since = (minutes - origin) / YEAR_MINUTES
    one = np.ones_like(since)
    return np.stack([one, since, np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle)], axis=1)


def expect(fit: Annual, x: Doubles) -> tuple[Floats, Floats]:
    """Return the level of one bin and its squared relative error, ``(series,)`` each; ``x`` is the bin's terms."""
    centre = np.log((fit.first[:, 0] + 0.5) / (fit.first[:, 1] + 0.5))
    response = fit.response - fit.information[:, :, 0] * centre[:, None]
    both = fit.information.transpose(1, 2, 0).copy()
    both[np.arange(TERMS), np.arange(TERMS)] += 1 / np.square(PRIOR_SD)[:, None]
    both[0, 0] += fit.first[:, 0] / (2 + fit.first[:, 0] / 10)
    sides = np.stack([response.T, np.broadcast_to(x[:, None], response.T.shape)], axis=1)
    line, error = (solve(both, sides) * x[:, None, None]).sum(axis=0)
    line += centre
    return np.exp(np.clip(line, -12, 16)).astype(np.float32), np.maximum(error, 1e-6).astype(np.float32)


def solve(matrix: Doubles, sides: Doubles) -> Doubles:
    """Solve positive definite equations of many series at once, by elimination; the last axis is the series.

    ``matrix`` is ``(terms, terms, series)``, ``sides`` ``(terms, sides, series)``; both are worked on in place. (LAPACK
    takes one series after the other, which costs 30 times as much for six unknowns.)
    """
    for j in range(len(matrix)):
        factor = matrix[j + 1 :, j] / matrix[j, j]
        matrix[j + 1 :, j + 1 :] -= factor[:, None] * matrix[j, j + 1 :]
        sides[j + 1 :] -= factor[:, None] * sides[j]
    for j in reversed(range(len(matrix))):
        sides[j] -= (matrix[j, j + 1 :, None] * sides[j + 1 :]).sum(axis=0)
        sides[j] /= matrix[j, j]
    return sides


def learn(fit: Annual, x: Doubles, posts: Floats, mean: Floats, usual: Floats, scatter: Floats, days: float) -> Annual:
    """Take one bin in.

    Args:
        fit: The equations so far.
        x: The bin's terms.
        posts: Its counts.
        mean: What was expected of them: level times the season of the week; 0 where unknown, which adds nothing.
        usual: The level.
        scatter: Over-dispersion of a bin.
        days: Length of the bin.

    """
    few = (fit.first[:, 1] < FIRST_BINS) & (mean > 0)
    weight = np.where((mean > 0) & ~few, mean / (1 + scatter * mean), 0.0).astype(np.float64)
    gap = np.where(mean > 0, (posts - mean) / np.maximum(mean, 1e-9), 0.0)
    gap = np.where(posts > 5, np.minimum(gap, 3.0), gap)  # a lone post in a rare series keeps its whole pull
    working = np.log(np.maximum(usual, 1e-9)) + gap
    left = rest(fit, days)
    return Annual(
        left.information + weight[:, None, None] * (x[:, None] * x),
        left.response + (weight * working)[:, None] * x,
        fit.first + np.stack([np.where(few, posts, 0), few], axis=1),
    )


def rest(fit: Annual, days: float) -> Annual:
    """Return what is left of the equations after so many days."""
    keep = 0.5 ** (days / 365.25 / HALF_LIFE_YEARS)
    return replace(fit, information=fit.information * keep, response=fit.response * keep)
