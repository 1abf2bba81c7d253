"""Synthetic series that no catalogue simulator would draw: one-day charts, bursty volumes, rare posts, weekly reports.

Each stands for a kind of real data on which detectors that are tuned on one simulator fail. Synthetic, all of it.
"""

import numpy as np
import pandas as pd

from clamor.simulate.counts import TRUTH_COLUMNS, Array, Simulated, ar_noise, negative_binomial

SCENARIOS = tuple(
    (theta, beta * trend, gamma1, gamma2, phi, waves)
    for theta, beta, gamma1, gamma2, phi in (
        (0.1, 0.0025, 0.6, 0.6, 1.5),
        (-2.0, 0.005, 0.1, 0.3, 2.0),
        (1.5, 0.003, 0.2, -0.4, 1.0),
        (0.5, 0.002, 0.5, 0.5, 5.0),
        (2.5, 0.001, 1.0, 0.1, 3.0),
        (3.75, 0.001, 0.1, -0.1, 1.1),
        (5.0, 0.0001, 0.05, 0.01, 1.2),
    )
    for trend in (0, 1)
    for waves in (0, 1, 2)
)
"""Noufaily et al. 2013 (doi 10.1002/sim.5595), section 4: intercept, trend, season, dispersion, harmonics."""
WEEKS = 624
JUDGED_WEEKS = 49


def _simulated(
    posts: Array, usual: Array, truth: list[dict[str, object]], start: str, bin_minutes: int, prefix: str
) -> Simulated:
    return Simulated(
        posts=posts,
        mentions=None,
        usual=usual,
        service=[f"{prefix}{i:04d}" for i in range(len(posts))],
        region=["001"] * len(posts),
        regions=None,
        truth=pd.DataFrame(truth, columns=TRUTH_COLUMNS),
        start=pd.Timestamp(start),
        bin_minutes=bin_minutes,
    )


def _event(event: int, series: int, start: int, stop: int, ratio: float, judged: bool = True) -> dict[str, object]:
    return {
        "event": event, "series": series, "start": start, "stop": stop,
        "kind": "single", "onset": "fast", "ratio": ratio, "judged": judged,
    }  # fmt: skip


def charts(seed: int, count: int = 131) -> Simulated:
    """Simulate one-day charts of status-page reports: 96 bins, four quiet hours, then one incident in each.

    Quiet levels have median 0.9 a bin, half of the quiet bins are empty, variance over mean is 2 in the median and 7.7
    at the 90th percentile. An incident rises within three bins and decays over hours.
    """
    random = np.random.default_rng([seed, 1])
    bins = 96
    level = np.exp(random.normal(np.log(0.9), 1.3, count))
    over = np.exp(random.normal(0.0, 1.45, count))  # variance over mean, less one
    hours = np.arange(bins) / 4
    day = 1 + random.uniform(0, 0.6, (count, 1)) * np.sin(2 * np.pi * (hours - random.uniform(0, 24, (count, 1))) / 24)
    slow = np.minimum(0.5 * over / level, 0.3)[:, None]
    usual = level[:, None] * day * np.exp(ar_noise(random, (count, bins), np.sqrt(slow), 0.9))
    mean = usual.copy()
    truth: list[dict[str, object]] = []
    for i in range(count):
        at = int(random.integers(16, 84))
        rise, decay = random.uniform(0.5, 4), random.uniform(3, 20)
        peak = level[i] * np.exp(random.uniform(np.log(1.5), np.log(40))) + np.exp(
            random.uniform(np.log(1), np.log(30))
        )
        t = np.arange(bins) - at
        mean[i] += peak * np.where(t < 0, 0, np.minimum((t + 1) / rise, 1) * np.exp(-np.maximum(t - rise, 0) / decay))
        truth.append(_event(i, i, at, min(bins, at + int(rise + 2 * decay) + 1), peak / level[i]))
    posts = negative_binomial(random, mean, (over / level)[:, None])
    return _simulated(posts, usual, truth, "2026-02-03", 15, "chart")


def bursty(seed: int, count: int = 10, days: int = 53) -> Simulated:
    """Simulate bursty 5-minute volumes: strong day and week, heavy-tailed normal bursts, three long events a series."""
    random = np.random.default_rng([seed, 2])
    bins = days * 288
    hours = np.arange(bins) / 12
    level = np.exp(random.normal(np.log(25), 0.8, (count, 1)))
    weekend = (hours // 24 % 7 >= 5) * random.uniform(-0.6, 0, (count, 1))
    season = random.uniform(0.3, 0.9, (count, 1)) * np.sin(2 * np.pi * (hours - 10) / 24) + weekend
    usual = level * np.exp(season + ar_noise(random, (count, bins), 0.3, 0.99))
    mean = usual.copy()
    truth: list[dict[str, object]] = []
    for i in range(count):
        for _ in range(random.poisson(2.0 * days)):
            at, decay = int(random.integers(bins)), random.exponential(3) + 0.3
            size = level[i, 0] * 0.5 * (random.pareto(1.6) + 0.2)
            mean[i, at : at + 60] += min(size, 15 * level[i, 0]) * np.exp(-np.arange(60) / decay)[: bins - at]
        for at in np.sort(random.choice(np.arange(8, days - 2), 3, replace=False)) * 288 + random.integers(288, size=3):
            length, peak = int(random.integers(6, 100)), np.exp(random.uniform(np.log(4), np.log(40)))
            stop = min(bins, int(at) + 3 * length)
            mean[i, at:stop] += level[i, 0] * peak * np.exp(-np.arange(stop - at) / length)
            truth.append(_event(len(truth), i, int(at), stop, peak))
    return _simulated(negative_binomial(random, mean, 0.15), usual, truth, "2026-02-26", 5, "ticker")


def rare(seed: int, count: int = 12, weeks: int = 30, bin_minutes: int = 60) -> Simulated:
    """Simulate rare posts (0.03 an hour) over months: uneven effort, echoes of single posts, two large events each."""
    random = np.random.default_rng([seed, 3])
    bins = weeks * 10080 // bin_minutes
    hours = np.arange(bins) * bin_minutes / 60
    effort = np.repeat(np.exp(random.normal(0, 0.6, (count, weeks))), bins // weeks, axis=1)
    usual = 0.03 * bin_minutes / 60 * effort * np.exp(0.9 * np.sin(2 * np.pi * (hours - 12) / 24))
    seeds = random.poisson(usual).astype(float)
    posts = seeds.copy()
    for i, t in np.argwhere(seeds > 0):
        for _ in range(random.poisson(0.15)):  # somebody repeats or answers
            posts[i, min(bins - 1, t + int(random.exponential(120) // bin_minutes))] += 1
    truth: list[dict[str, object]] = []
    for i in range(count):
        for at in random.choice(np.arange(4 * bins // weeks, bins - 200), 2, replace=False):
            length = int(random.integers(6, 48) * 60 // bin_minutes)
            stop = min(bins, int(at) + length)
            posts[i, at:stop] += random.poisson(random.uniform(15, 60) / length, stop - at)
            truth.append(_event(len(truth), i, int(at), stop, 50.0))
    return _simulated(posts, usual, truth, "2026-01-05", bin_minutes, "rare")


def weekly(seed: int, repeats: int = 10) -> Simulated:
    """Simulate the 42 scenarios of Noufaily et al. 2013, weekly counts of 624 weeks, the last 49 judged.

    Four outbreaks lie in weeks 313 to 575 and one in the judged weeks; an outbreak has Poisson(k * sd) cases with k
    uniform on 2 to 10, spread over weeks by a lognormal(0, 0.5).
    """
    random = np.random.default_rng([seed, 4])
    rows = [s for s in SCENARIOS for _ in range(repeats)]
    theta, beta, gamma1, gamma2, phi, waves = (np.array(c)[:, None] for c in zip(*rows, strict=True))
    t = np.arange(1, WEEKS + 1)[None]
    log_mean = theta + beta * t
    for j in (1, 2):
        angle = 2 * np.pi * j * t / 52
        log_mean = log_mean + (waves >= j) * (gamma1 * np.cos(angle) + gamma2 * np.sin(angle))
    usual = np.exp(log_mean)
    posts = np.where(
        phi > 1, negative_binomial(random, usual, np.maximum(phi - 1, 1e-6) / usual), random.poisson(usual)
    )
    posts = posts.astype(float)
    truth: list[dict[str, object]] = []
    for i in range(len(rows)):
        starts = [*random.choice(np.arange(312, 575), 4, replace=False), int(random.integers(575, WEEKS))]
        for at in starts:
            sd = float(np.sqrt(usual[i, at] * phi[i, 0]))
            cases = random.poisson(random.integers(2, 11) * sd)
            if not cases:
                continue
            weeks = np.minimum(at + random.lognormal(0, 0.5, cases).astype(int), WEEKS - 1)
            np.add.at(posts[i], weeks, 1)
            truth.append(_event(len(truth), i, int(at), int(weeks.max()) + 1, cases / sd, judged=at >= 575))
    return _simulated(posts, usual, truth, "2014-01-06", 10080, "weekly")
