"""Three more kinds of volumes of company names in 5-minute bins, written without a look at `clamor.simulate.charts`.

Ten series each, 55 days, levels of 1 to 200 posts a bin, two to five anomalies a series:

* ``cascades``: posts beget posts, by a Hawkes process whose marks have heavy tails and whose memory is a power law
  (Crane and Sornette 2008, doi 10.1073/pnas.0803685105). Anomalies are great shocks from outside, small ones not.
* ``campaigns``: volumes that change for days, posts at fixed minutes, adverts of one to three bins, drops and missing
  stretches are normal. Anomalies are plateaus of hours.
* ``continuum``: events of all sizes and lengths. Anomalies are those that an eye would pick: the most prominent ones.
"""

import numpy as np
import pandas as pd
from other_worlds import OUTAGE, START, World, ar, drawn, uniform_log

DAY, DAYS, SERIES = 288, 55, 10
BINS = DAY * DAYS


def cascades(seed):
    """Hawkes processes with shocks from outside."""
    rng = np.random.default_rng([881, seed])
    level = uniform_log(rng, 1, 200, SERIES)
    usual = level[:, None] * np.exp(_season(rng) + ar(rng, SERIES, BINS, 350, 0.25))
    counts, told = np.zeros((SERIES, BINS)), []
    for row in range(SERIES):
        shocks = np.zeros(BINS)
        small = rng.integers(0, BINS, rng.poisson(DAYS * rng.uniform(0.3, 2)))
        np.add.at(shocks, small, level[row] * np.minimum(rng.pareto(1.6, len(small)) + 0.3, 6))
        for first in _anomalies(rng):
            size = uniform_log(rng, 4, 60)
            shocks[first] += level[row] * size + 3 * np.exp(rng.uniform(0, 2))
            told.append(_told(row, first, 24, size))
        counts[row] = _cascade(rng, usual[row], shocks, level[row])
    return _world(counts, told, usual)


def _cascade(rng, usual, shocks, level):
    """Counts of one series: each bin's posts raise the mean of the next day's by a power law, if they are read."""
    branching, tail = rng.uniform(0.35, 0.8), rng.uniform(1.25, 2.2)
    memory = (np.arange(DAY) + rng.uniform(0.3, 1.5)) ** -(1 + rng.uniform(0.3, 0.7))
    memory *= branching / memory.sum()
    mean, counts = np.append(usual * (1 - branching), np.zeros(DAY)), np.zeros(BINS)
    for at in range(BINS):
        posts = counts[at] = rng.poisson(mean[at] + shocks[at])
        if posts:
            read = ((rng.pareto(tail, min(posts, 50)) + 1) * (tail - 1) / tail).mean()
            mean[at + 1 : at + 1 + DAY] += np.minimum(posts * min(read, 8.0) * memory, 30 * level + 30)
    return counts


def campaigns(seed):
    """Plateaus of hours among changes of volume, adverts, robots and missing stretches."""
    rng = np.random.default_rng([882, seed])
    level = uniform_log(rng, 1, 200, SERIES)
    log = _season(rng) + ar(rng, SERIES, BINS, 70, 0.12) + ar(rng, SERIES, BINS, 3, rng.uniform(0.06, 0.24, SERIES))
    extra, missing, told = np.zeros((SERIES, BINS)), np.zeros((SERIES, BINS), bool), []
    for row in range(SERIES):
        for first in rng.integers(3 * DAY, BINS, rng.poisson(DAYS / 18)):
            log[row, first : first + int(rng.uniform(2, 15) * DAY)] += rng.choice([-1, 1]) * rng.uniform(0.2, 0.7)
        for first in rng.integers(0, BINS, rng.poisson(DAYS * 0.12)):
            log[row, first : first + int(rng.exponential(12)) + 1] -= rng.uniform(0.7, 3)
        for first in rng.integers(0, BINS, rng.poisson(DAYS * 0.6)):
            log[row, first : first + int(rng.exponential(12)) + 3] += rng.uniform(0.2, 0.9)
        for minute in rng.integers(0, DAY, rng.integers(0, 5)):
            extra[row, minute::DAY] += (rng.random(DAYS) < 0.85) * rng.uniform(0.3, 5, DAYS) * level[row]
        for first in rng.integers(0, BINS, rng.poisson(DAYS * rng.uniform(0.05, 0.6))):
            extra[row, first : first + rng.integers(1, 4)] += level[row] * uniform_log(rng, 1, 25)
        for first in _anomalies(rng):
            length, rise, size = int(uniform_log(rng, 8, 160)), rng.choice([1, 1, 2, 6, 18]), uniform_log(rng, 2, 12)
            since = np.arange(min(BINS - first, 2 * length + rise))
            fall = np.exp(-np.maximum(since - length - rise, 0) / (0.3 * length + 1))
            log[row, first : first + len(since)] += np.log(size) * np.minimum((since + 1) / rise, 1) * fall
            told.append(_told(row, first, len(since), size))
        for first in rng.integers(0, BINS, rng.integers(0, 3)):
            missing[row, first : first + int(rng.exponential(60))] = True
    mean = level[:, None] * np.exp(log) + extra
    counts = drawn(rng, mean, rng.uniform(2.5, 30, (SERIES, 1)))
    return _world(np.where(missing, np.nan, counts), told, mean)


def continuum(seed):
    """Events of all sizes; the most prominent are anomalies: by height over the noise about them, and by length."""
    rng = np.random.default_rng([883, seed])
    level = uniform_log(rng, 1, 200, SERIES)
    log = _season(rng) + ar(rng, SERIES, BINS, 35, 0.15) + ar(rng, SERIES, BINS, 1400, 0.15)
    mean, told = level[:, None] * np.exp(log), []
    for row in range(SERIES):
        calm, tail, events = mean[row].copy(), rng.uniform(1.1, 2.0), []
        for first in rng.integers(2 * DAY, BINS - 20, rng.poisson(uniform_log(rng, 0.5, 5) * DAYS)):
            fade, height = min(np.exp(rng.normal(1.2, 1.5)), 150.0), min(0.4 * (rng.pareto(tail) + 0.3), 80.0)
            since = np.arange(min(BINS - first, int(6 * fade) + 1))
            uneven = np.exp(rng.normal(0, 0.3, len(since)))
            mean[row, first : first + len(since)] += level[row] * height * np.exp(-since / fade) * uneven
            noise = np.sqrt(calm[first] + 0.1 * calm[first] ** 2 + 1)
            seen = np.log(level[row] * height / noise) + 0.35 * np.log(1 + fade) + rng.normal(0, 0.25)
            events.append((seen, int(first), int(2 * fade) + 1, height))
        picked = []
        for _, first, length, height in sorted(events, reverse=True):
            if len(picked) < 4 and all(abs(first - other) > DAY for other in picked):
                picked.append(first)
                told.append(_told(row, first, length, height))
    return _world(drawn(rng, mean, rng.uniform(4, 30, (SERIES, 1))), told, mean)


KINDS = {"cascades": cascades, "campaigns": campaigns, "continuum": continuum}


def _season(rng):
    """Log season of each series: a day of two harmonics, and calmer weekends."""
    hours = np.arange(BINS) / 12
    first, second = rng.uniform(12, 21, (2, SERIES, 1))
    day = rng.uniform(0.15, 1.0, (SERIES, 1)) * np.cos((hours - first) * 2 * np.pi / 24)
    day += rng.uniform(0, 0.35, (SERIES, 1)) * np.cos((hours - second) * 2 * np.pi / 12)
    return day - rng.uniform(0, 0.7, (SERIES, 1)) * ((hours // 24) % 7 >= 5)


def _anomalies(rng):
    """First bins of two to five anomalies, on days of their own."""
    days = rng.choice(np.arange(4, DAYS - 1), rng.integers(2, 6), replace=False)
    return np.sort(days) * DAY + rng.integers(0, DAY, len(days))


def _told(row, first, length, size):
    return f"{row}-{first}", "surge", row, int(first), int(min(first + length, BINS)), float(size)


def _world(counts, told, mean):
    truth = pd.DataFrame(told, columns=OUTAGE)
    names = [f"company{row}" for row in range(SERIES)]
    return World(counts, truth, START, 5, names, ["all"] * SERIES, mean, mean, np.full(SERIES, np.inf))
