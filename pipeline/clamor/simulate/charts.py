"""Synthetic series that no catalogue simulator would draw: one-day charts, bursty volumes, rare posts, weekly reports.

Each stands for a kind of real data on which detectors that are tuned on one simulator fail. Synthetic, all of it.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from clamor.simulate.counts import TRUTH_COLUMNS, Array, Generator, Simulated, ar_noise, negative_binomial

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


@dataclass(frozen=True)
class Bursts:
    """How a kind of bursty series behaves.

    Attributes:
        a_day: Bursts of minutes a day.
        together: How many follow a burst within hours, on average.
        tail: Pareto exponent of their sizes: the smaller, the heavier.
        uneven: Spread (log) of the number of bursts between series.
        robots: Bins a day that a robot fills.
        events: Least and largest size of the long events, in multiples of the level.
        lasting: Least and largest length of them, in bins.
        level: Median level, posts a bin, and its spread (log) between series.
        market: Rise (log) of the hours after a market opens, on working days.
        scheduled: Posts at the same minutes of every day, as robots send them: how many such minutes.

    """

    a_day: float = 2.0
    together: float = 3.0
    tail: float = 1.8
    uneven: float = 0.0
    robots: float = 0.15
    events: tuple[float, float] = (3, 30)
    lasting: tuple[int, int] = (6, 150)
    level: tuple[float, float] = (12, 1.5)
    market: float = 0.0
    scheduled: int = 0


BURSTS = {
    "plain": Bursts(),
    "robots": Bursts(tail=1.4, robots=0.4, events=(1.5, 8)),
    "wild": Bursts(a_day=4, tail=1.3, robots=0.6, events=(1.5, 8)),
    "clustered": Bursts(a_day=5, together=6, tail=1.4, robots=0.3, events=(1.2, 12)),
    "uneven": Bursts(a_day=3, together=10, tail=1.4, uneven=0.7, robots=0.2, events=(1.2, 12)),
    "news": Bursts(
        a_day=1.5, together=2, tail=1.6, robots=0.5, events=(3, 40), lasting=(2, 60), level=(30, 1.0), market=0.6
    ),
    "market": Bursts(
        a_day=3, together=4, tail=1.5, robots=0.3, events=(1.5, 10), level=(30, 1.0), market=1.1, scheduled=3
    ),
    "surges": Bursts(
        a_day=5, together=2, tail=1.3, uneven=0.4, robots=1.0, events=(2.5, 30), lasting=(3, 100), level=(25, 1.2),
        market=0.8, scheduled=1,
    ),
}  # fmt: skip
"""Kinds of bursty series. On published 5-minute volumes of company names an exponentially weighted average scores 45 in
the Numenta benchmark, a regression with windows 25, and 52 with a day's rest after each alarm; on the second to the
fifth kind such detectors score alike (tests/benchmarks/bench_calibration.py prints them), on the first they do much
better. The last three have a market's working days; no constant of clamor was chosen on "surges"."""


def bursty(seed: int, kind: str = "plain", count: int = 10, days: int = 55) -> Simulated:
    """Simulate bursty 5-minute volumes with two to four long events a series.

    Levels are 0.3 to 3,000 a bin, with day and week, slow noise and level shifts. Normal bursts of minutes have heavy
    tails and come in clusters; robots fill single bins. Only the long events count.
    """
    random, how = np.random.default_rng([seed, 2]), BURSTS[kind]
    bins = days * 288
    hours = np.arange(bins) / 12
    level = np.clip(np.exp(random.normal(np.log(how.level[0]), how.level[1], (count, 1))), 0.3, 3000)
    weekend = (hours // 24 % 7 >= 5) * random.uniform(-0.9, -0.1, (count, 1))
    day = np.sin(2 * np.pi * (hours - random.uniform(8, 14, (count, 1))) / 24)
    season = random.uniform(0.3, 1.2, (count, 1)) * day + weekend
    if how.market:
        since = hours % 24 - 14.5
        opened = (since >= 0) & (since < 6.5) & (hours // 24 % 7 < 5)
        season = season + opened * how.market * random.uniform(0.5, 1.5, (count, 1)) * (0.5 + np.exp(-since))
    noise = ar_noise(random, (count, bins), random.uniform(0.1, 0.35, (count, 1)), 0.985)
    noise += ar_noise(random, (count, bins), random.uniform(0.05, 0.25, (count, 1)), 0.9995)
    for shifted in np.flatnonzero(random.random(count) < 0.4):
        noise[shifted, random.integers(5 * 288, bins) :] += random.choice([-1, 1]) * random.uniform(0.25, 0.8)
    usual = level * np.exp(season + noise)
    mean = usual.copy()
    busy = np.exp(season) / np.exp(season).mean(axis=1, keepdims=True)
    truth: list[dict[str, object]] = []
    for i in range(count):
        _bursts(random, how, mean[i], busy[i], float(level[i, 0]))
        _long_events(random, how, i, mean[i], np.maximum(level[i, 0], usual[i]), truth)
    posts = negative_binomial(random, mean, random.uniform(0.03, 0.4, (count, 1)))
    return _simulated(posts, usual, truth, "2026-02-26", 5, "ticker")


def _bursts(random: Generator, how: Bursts, mean: Array, busy: Array, level: float) -> None:
    """Add normal bursts, more of them at busy hours, and what robots post, to the mean of one series."""
    bins = len(mean)
    days, a_day = bins / 288, how.a_day * np.exp(random.normal(0, how.uneven))
    tail, scale = how.tail * np.exp(random.normal(0, 0.15)), level * random.uniform(0.3, 0.8)
    for first in random.integers(bins, size=random.poisson(a_day * days / (1 + how.together))):
        for k in range(1 + random.poisson(how.together)):
            at = int(first) + int(random.exponential(30)) * (k > 0)
            if at < bins and random.random() < busy[at]:
                size = min(scale * (random.pareto(tail) + 0.3), 30 * level) + 1
                decay, length = random.exponential(3) + 0.2, min(80, bins - at)
                mean[at : at + length] += size * np.exp(-np.arange(length) / decay)
    for at in random.integers(bins, size=random.poisson(how.robots * days)):
        mean[at] += min(level * (random.pareto(tail) + 1), 60 * level)
    for minute in random.integers(288, size=how.scheduled):
        days_on = np.arange(int(minute), bins, 288)
        mean[days_on] += level * random.uniform(0.5, 2) * (random.random(len(days_on)) < 0.8)


def _long_events(
    random: Generator, how: Bursts, series: int, mean: Array, usual: Array, truth: list[dict[str, object]]
) -> None:
    """Add two to four events of minutes to days, uneven and with bursts of their own."""
    bins = len(mean)
    number = int(random.integers(2, 5))
    starts = np.sort(random.choice(np.arange(4, bins // 288 - 2), number, replace=False)) * 288
    for at in starts + random.integers(288, size=number):
        length = int(np.exp(random.uniform(*np.log(how.lasting))))
        peak, stop = np.exp(random.uniform(*np.log(how.events))), min(bins, int(at) + 3 * length)
        uneven = np.exp(ar_noise(random, (1, stop - at), 0.5, 0.7)[0])
        mean[at:stop] += usual[at] * peak * np.exp(-np.arange(stop - at) / length) * uneven
        for more in (at + random.exponential(60, random.poisson(4))).astype(int):
            mean[more : more + 10] += usual[at] * peak * 0.4 * np.exp(-np.arange(len(mean[more : more + 10])) / 2)
            stop = min(bins, max(stop, int(more) + 10))
        truth.append(_event(len(truth), series, int(at), stop, peak))


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
