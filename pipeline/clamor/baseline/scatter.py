"""How far counts scatter about their expectation: over-dispersion of window sums, learned from moments.

A sum Y with expectation M has variance ``M + kappa * M**2``. For each series there are several kappas, the kinds: one
for each window (about the lifted expectation), then BIN and HOUR (a bin, an hour, about the day's expectation), and
LAG, the part of the variance about what other regions of the service say that one hour hands on to the next bin.
"""

import numpy as np
import numpy.typing as npt

from clamor.baseline.counts import Floats
from clamor.baseline.lengths import Lengths
from clamor.baseline.quick import Real, at_least

BIN, HOUR, LAG = -3, -2, -1
VOLUME_CLASSES = (0.1, 1.0, 10.0)
"""Bounds of the volume classes, expected posts a bin."""

LEVEL_SCATTER = 0.03
BIN_SCATTER = 0.2
CLUMPS = 0.8
"""Before anything is seen: kappa of w bins of mean m is 0.03 + (0.2 + 0.8 / m) / w. Quiet status-page reports have a
variance of about twice the mean at 0.9 a bin."""
LAG_VARIANCE = 0.05
LAG_WORTH = 300.0
GUESS_SPREAD = 0.25
"""Squared relative error of the guess."""
FLOOR = 0.4
"""A kappa is not believed below this many standard errors of itself."""
CLASS_WORTH, SERIES_WORTH = 10.0, 20.0
MAX_SCATTER = 100.0
LEAST = 1e-6
"""Posts that are expected of a sum at least, where weights are worked out."""
CLIP_SD, CLIP_POSTS = 3.0, 3.0
"""Training counts are cut at expected + 3 standard deviations + 3 posts, so an outage barely moves the fit and a lone
post in a rare series is never taken for one."""


def kinds(sizes: Lengths) -> int:
    """Return how many kappas a series has."""
    return len(sizes.windows) + 3


def guess(level: Floats, sizes: Lengths) -> Floats:
    """Return what to think of a series of that level before seeing it, ``(kinds, *level.shape)``."""
    bins = np.array([*sizes.windows, 1, sizes.hour], dtype=np.float32).reshape((-1,) + (1,) * level.ndim)
    known = LEVEL_SCATTER + (BIN_SCATTER + CLUMPS / np.maximum(level, np.float32(1e-3))) / bins
    steady = np.full((1, *level.shape), 0.0 if sizes.wide else LAG_VARIANCE)
    return np.concatenate([known, steady]).astype(np.float32)


def class_factor(moments: Floats, level: Floats, sizes: Lengths) -> Floats:
    """Return by how much the series of a volume class scatter more or less than guessed, ``(kinds, series)``."""
    first = guess(level, sizes)
    both = moments * first
    both[1] *= first
    both *= 1 / (1 + both[1] / SERIES_WORTH)  # one busy series does not speak for its class
    which = np.searchsorted(VOLUME_CLASSES, level)
    found, sought = _by_class(both, which) + CLASS_WORTH
    return np.asarray((found / sought).clip(0.1, 10)[:, which], dtype=np.float32)


def _by_class(values: Floats, which: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """Return the sums over each volume class, ``(2, kinds, classes)``, added one series after the other."""
    classes, kinds = len(VOLUME_CLASSES) + 1, values.shape[:2]
    cell = classes * np.arange(kinds[0] * kinds[1])[:, None] + which
    sums = np.bincount(cell.ravel(), weights=values.ravel(), minlength=cell.shape[0] * classes)
    return np.asarray(sums.reshape(*kinds, classes), dtype=np.float64)


def estimate(excess: Floats, worth: Floats, prior: Floats) -> Floats:
    """Return kappa: moments shrunk to the prior by their worth (reciprocal variances)."""
    sure = 1 / (GUESS_SPREAD * prior * prior + np.float32(1e-9))
    sure[LAG] = LAG_WORTH
    return shrunk(excess, worth, prior, sure)


def shrunk(excess: Floats, worth: Floats, prior: Floats, sure: Real) -> Floats:
    """Return moments shrunk to a prior of that worth."""
    kappa = (excess + prior * sure) / (worth + sure)
    least = FLOOR * prior * np.sqrt(sure / (worth + sure))
    return np.asarray(np.clip(kappa, least, MAX_SCATTER), dtype=np.float32)


def unsteady(kappa: Floats, sizes: Lengths) -> Floats:
    """Return how unsteady the level is: the variance that bins of an hour share; the rest of BIN is theirs alone."""
    shared = (sizes.hour * kappa[HOUR] - kappa[BIN]) / np.float32(sizes.hour - 1)
    return np.asarray(np.clip(shared, 0, kappa[BIN]), dtype=np.float32)


def ceiling(mean: Floats, rough: Floats) -> Floats:
    """Return the count above which training counts are cut; ``rough`` is kappa with the level's error."""
    out = mean * rough
    out += 1
    out *= mean
    np.sqrt(out, out=out)
    out *= np.float32(CLIP_SD)
    out += mean
    out += np.float32(CLIP_POSTS)
    return np.asarray(out)


def moments(
    sums: Floats,
    means: Floats,
    known: Floats,
    working: Floats,
    use: npt.NDArray[np.bool_],
    past: tuple[Floats, Floats, Floats],
) -> tuple[Floats, Floats]:
    """Return each bin's excess variance and what it would be at a kappa of one, and the weights of both.

    Args:
        sums: Counts of the windows, of the bin and of the hour.
        means: Their expectations.
        known: Posts that the level rests on.
        working: Kappas to weigh by, ``(kinds, series, bins or 1)``.
        use: Bins to learn from.
        past: Counts and expectation of the hour before the bin, per bin, and what other regions said of it, a ratio.

    Returns:
        Arrays of ``(2, kinds, series, bins)`` and ``(kinds, series, bins)``. A weight is ``M**2 / (M + 2 * V**2)``, the
        reciprocal variance of the square of a surprise; it is worked out as ``1 / (1 / M + 2 * (V / M)**2)``, which
        stays within float32.

    """
    values = np.empty((2, len(working), *known.shape), dtype=np.float32)
    weights = np.empty(values.shape[1:], dtype=np.float32)
    unsure = 1 / known
    excess, worth = values[:, :LAG]
    spread = working[:LAG] + unsure
    spread *= means
    spread += 1  # variance of each sum, per expected post
    off = spread * means
    np.sqrt(off, out=off)
    off *= np.float32(CLIP_SD)
    off += np.float32(CLIP_POSTS)
    np.minimum(np.subtract(sums, means, out=excess), off, out=off)
    spread *= spread
    spread *= 2
    spread += np.divide(1, at_least(means, LEAST, out=excess), out=excess)
    np.divide(use, spread, out=weights[:LAG])
    np.multiply(off, off, out=excess)
    np.multiply(means, means, out=worth)
    excess -= means
    excess -= np.multiply(worth, unsure, out=spread)
    posts, mean = sums[BIN + 1], means[BIN + 1] * past[2]
    past_posts, past_mean = past[0], past[1] * past[2]
    rough = working[BIN] + unsure
    np.divide(use, (1 + mean * working[BIN]) * (1 + past_mean * working[HOUR]) + np.float32(1e-6), out=weights[LAG])
    both = np.multiply(mean, past_mean, out=values[1, LAG])
    carried = np.multiply(_off(posts, mean, rough), _off(past_posts, past_mean, rough), out=values[0, LAG])
    carried -= both * unsure
    return values, weights


def _off(posts: Floats, mean: Floats, rough: Floats) -> Floats:
    """Return surprises, cut from above."""
    most = np.float32(CLIP_SD) * np.sqrt(mean * (1 + mean * rough)) + np.float32(CLIP_POSTS)
    return np.asarray(np.minimum(posts - mean, most))
