"""What an analyst would write in a day of numpy: seasonal GLM, windows, pooling, talk. The goal's table has such a row.

Each part can be left out, to see what it brings. Scores are minus log10 of tails, ``(series, bins)``.
"""

import numpy as np
from scipy import special

DAY = 96
TRAINING_WEEKS, WEEK = 4, 672


def tail(counts, mean, alpha):
    """``-log10 P(X >= x)`` where the variance is ``mean + alpha mean**2``; Poisson where alpha is zero."""
    counts, mean, alpha = np.broadcast_arrays(counts, mean, alpha)
    out = np.zeros(counts.shape)
    on = (counts > 0) & (counts > mean)
    x, m, a = counts[on], np.maximum(mean[on], 1e-9), alpha[on]
    chance = np.where(a > 0, special.betainc(x, 1 / np.maximum(a, 1e-6), a * m / (1 + a * m)), special.gammainc(x, m))
    out[on] = -np.log10(np.maximum(chance, 1e-300)) + np.where(chance < 1e-300, np.log10(x / m), 0)
    return out


def seasons(bins):
    """A level, four harmonics of the day and three of the week."""
    days = np.arange(bins) / DAY
    turns = [2 * np.pi * days * each for each in (1, 2, 3, 4, 1 / 7, 2 / 7, 3 / 7)]
    return np.stack([np.ones(bins), *(wave(turn) for turn in turns for wave in (np.cos, np.sin))], axis=1)


def glm(counts, steps=6):
    """Mean and alpha of each series: a log-linear negative binomial by scoring steps on all weeks but the last.

    After each second step bins of a chance under one in ten thousand are left out. A ridge of one holds the waves.
    """
    waves = seasons(counts.shape[1])
    bins, terms = TRAINING_WEEKS * WEEK, waves.shape[1]
    known, y, x = np.isfinite(counts[:, :bins]), np.nan_to_num(counts[:, :bins]), waves[:bins]
    products = (x[:, :, None] * x[:, None, :]).reshape(bins, terms**2)
    ridge = np.ones(terms)
    ridge[0] = 1e-6
    beta, alpha = np.zeros((len(y), terms)), np.full((len(y), 1), 0.1)
    beta[:, 0] = np.log((y.sum(axis=1) + 0.5) / (known.sum(axis=1) + 1))
    for step in range(steps):
        mean = np.exp(np.clip(beta @ x.T, -9, 9))
        trusted = known & (tail(y, mean, alpha) < 4) if step > 1 else known
        share = trusted / (1 + alpha * mean)
        slope = (share * (y - mean)) @ x - ridge * beta
        bend = ((share * mean) @ products).reshape(len(y), terms, terms) + np.diag(ridge)
        beta = beta + np.clip(np.linalg.solve(bend, slope[:, :, None])[:, :, 0], -2, 2)
        alpha = moments(y, np.exp(np.clip(beta @ x.T, -9, 9)), trusted)
    return np.exp(np.clip(beta @ waves.T, -9, 9)), alpha


def moments(y, mean, trusted):
    """Alpha, ``(series, 1)``."""
    square = (trusted * mean**2).sum(axis=1, keepdims=True)
    return np.clip((trusted * ((y - mean) ** 2 - mean)).sum(axis=1, keepdims=True) / np.maximum(square, 1e-9), 0.005, 5)


def reference(world, fitted, *, nb=True, pool=True, lift=True, windows=True, slow=True, extra=True):
    """The deepest tail of a series' windows or of those of its service's sum.

    Args:
        world: Counts and services.
        fitted: What :func:`glm` says of them.
        nb: Negative binomial tails, else Poisson.
        pool: Sum the regions of a service, too.
        lift: Expect at least the last hour's level.
        windows: Sums of 1, 2, 4 and 8 bins, else single bins.
        slow: Follow the level of the last day, two hours back.
        extra: More dispersion for busy series.

    """
    known = np.isfinite(world.counts)
    y, mean = np.nan_to_num(world.counts), np.where(known, fitted[0], 0)
    if slow:
        mean = mean * np.clip((past(y, 8, DAY) + 4) / (past(mean, 8, DAY) + 4), 1 / 3, 3)
    options = {"nb": nb, "lift": lift, "lengths": (1, 2, 4, 8) if windows else (1,), "extra": extra}
    score = scan(y, mean, fitted[1], **options)
    if pool:
        service = np.unique(world.services, return_inverse=True)[1]
        whole, expected = (np.zeros((service.max() + 1, y.shape[1])) for _ in range(2))
        np.add.at(whole, service, y)
        np.add.at(expected, service, mean)
        score = np.maximum(score, scan(whole, expected, pooled_alpha(whole, expected), **options)[service])
    return np.where(known, score, np.nan)


def pooled_alpha(y, mean):
    """Alpha of sums over regions, by moments on all weeks but the last; what is far out is left aside, twice."""
    y, mean = y[:, :-WEEK], mean[:, :-WEEK]
    alpha = np.full((len(y), 1), 0.1)
    for _ in range(2):
        alpha = moments(y, mean, (mean > 0) & (y - mean < 6 * np.sqrt(mean + alpha * mean**2) + 3))
    return alpha


def scan(y, mean, alpha, *, nb, lift, lengths, extra):
    """The deepest tail of the sums that end in each bin."""
    best = np.zeros(y.shape)
    for length in lengths:
        total, expected = past(y, 0, length), past(mean, 0, length)
        rough = alpha + (0.05 * expected / (expected + 5) if extra else 0.0)
        if lift:  # the hour before the window
            expected = expected * np.maximum(1, (past(y, length, 4) + 1) / (past(mean, length, 4) + 1))
        best = np.maximum(best, tail(total, expected, rough if nb else 0.0))
    return best


def past(values, back, length):
    """Sum of the bins that end so many bins back."""
    total = np.pad(np.cumsum(values, axis=1), ((0, 0), (length + back, 0)))
    return total[:, length : length + values.shape[1]] - total[:, : values.shape[1]]
