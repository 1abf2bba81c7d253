"""A second simulator of complaint counts, written from the goal's words alone and sharing nothing with `simulate/`.

It exists so that a figure does not rest on one person's idea of a quiet week. Every function takes a seed and returns
counts with truth; nothing here knows how the detector works.

A world is ``World(counts, outages, start, bin_minutes, services, regions, means, sizes)``:

* ``counts``: ``(series, bins)`` float, NaN where nothing was observed.
* ``outages``: one row an outage and series it hits: ``outage, kind, series, first, last, size`` (``last`` exclusive).
  Catalogues also say ``onset``, the bins until it has its full force.
* ``means``: the mean of quiet bins, ``(series, bins)``: with noise, talk and lasting changes, without outages.
* ``season``: the same without noise and talk.
* ``sizes``: the negative binomial's size, one a series.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.random import Generator

START = pd.Timestamp("2026-02-02", tz="UTC")
"""A Monday; no series of it crosses a change of the clocks that matters (zones are fixed offsets)."""
OUTAGE = ["outage", "kind", "series", "first", "last", "size"]
ZONES = {"amer": -6.0, "euro": 1.0}


@dataclass(frozen=True)
class World:
    counts: np.ndarray
    outages: pd.DataFrame
    start: pd.Timestamp
    bin_minutes: int
    services: list[str]
    regions: list[str]
    means: np.ndarray
    season: np.ndarray
    sizes: np.ndarray

    def times(self):
        return pd.date_range(self.start, periods=self.counts.shape[1], freq=f"{self.bin_minutes}min", unit="us")


class Truth:
    """The outages that can be found from bin ``first`` on, and where an alarm is not false."""

    def __init__(self, world, first):
        self.first, self.hour = first, 60 // world.bin_minutes
        self.weeks = np.isfinite(world.counts[:, first:]).sum() * world.bin_minutes / 10080
        rows = world.outages[world.outages["last"] > first]
        self.near = np.zeros(world.counts.shape, bool)
        for each in rows.itertuples():
            self.near[each.series, each.first : each.last + 2 * self.hour] = True
        self.rows = rows[rows["first"] >= first]

    def false(self, hit):
        """Number of alarm episodes that touch no outage."""
        bins = hit.shape[1]
        at = np.where(hit, np.arange(bins), -(10**6))
        earlier = np.maximum.accumulate(at, axis=1)
        before = np.concatenate([np.full((len(hit), 1), -(10**6)), earlier[:, :-1]], axis=1)
        begins = hit & (np.arange(bins) - before > self.hour)
        episode = np.cumsum(begins.ravel())[hit.ravel()]
        near = np.bincount(episode, weights=self.near[:, self.first :].ravel()[hit.ravel()]) if hit.any() else [0.0]
        return int((np.asarray(near[1:]) == 0).sum())

    def rate(self, hit):
        return self.false(hit[:, self.first :]) / self.weeks

    def limit(self, score, rate):
        """The lowest limit at which false episodes stay within the rate."""
        judged = score[:, self.first :]
        quiet = judged[~self.near[:, self.first :] & np.isfinite(judged)]
        steps = np.unique(np.sort(quiet)[::-1][: max(50, int(40 * rate * self.weeks))])
        low, high = 0, len(steps) - 1
        while low < high:
            middle = (low + high) // 2
            within = self.false(judged > steps[middle]) <= rate * self.weeks
            low, high = (low, middle) if within else (middle + 1, high)
        return steps[low]

    def found(self, hit):
        """Outages found, found within an hour, and their kind: a row an outage; and a row an outage and series."""
        out = []
        for each in self.rows.itertuples():
            mine = hit[each.series, each.first : each.last]
            out.append((each.outage, each.kind, mine.any(), mine[: self.hour].any()))
        pairs = pd.DataFrame(out, columns=["outage", "kind", "found", "soon"])
        return pairs.groupby(["outage", "kind"])[["found", "soon"]].any().reset_index(), pairs


def frame(world, *, gaps="missing"):
    """The rows that a user would hand over; ``gaps``: rows are `missing`, counts are `nan`, or `observed` is false."""
    series, bins = world.counts.shape
    rows = pd.DataFrame(
        {
            "service": np.repeat(world.services, bins),
            "region": np.repeat(world.regions, bins),
            "bin_start": np.tile(world.times(), series),
            "count": world.counts.ravel(),
        }
    )
    unknown = rows["count"].isna()
    if gaps == "missing":
        return rows[~unknown].reset_index(drop=True)
    if gaps == "false":
        rows["observed"] = ~unknown
        rows["count"] = rows["count"].fillna(0.0)
    return rows


def drawn(rng: Generator, mean, size):
    """Negative binomial counts of this mean, variance ``mean + mean**2 / size``."""
    return rng.poisson(mean * rng.gamma(size, 1 / size, mean.shape)).astype(np.float64)


def ar(rng: Generator, rows, bins, half_life, sd):
    """AR(1) noise of unit-free log size ``sd`` (a row each), whose memory halves in ``half_life`` bins."""
    from scipy.signal import lfilter

    keep = 0.5 ** (1 / half_life)
    steps = rng.normal(0, np.sqrt(1 - keep**2), (rows, bins + 200))
    return lfilter([1.0], [1.0, -keep], steps, axis=1)[:, 200:] * np.reshape(sd, (-1, 1))


def _fading(since, bins):
    return np.exp(-np.maximum(since, 0) / bins)


def uniform_log(rng: Generator, low, high, size=None):
    return np.exp(rng.uniform(np.log(low), np.log(high), size))


def day_and_week(rng: Generator, hours, offset):
    """Log season of one service at these UTC hours since a Monday, in a zone ``offset`` hours east."""
    depth, evening, second = rng.uniform(0.3, 1.1), rng.normal(20, 1.5), rng.uniform(0, 0.35)
    weekend = rng.normal(0, 0.2)
    local = hours + offset
    shape = depth * np.cos((local - evening) * 2 * np.pi / 24) + second * np.cos((local - 13) * 4 * np.pi / 24)
    return shape + weekend * ((local // 24) % 7 >= 5)


def catalogue(
    seed, *, services=20, regions=10, weeks=5, bin_minutes=15, chatter=0.6, outages=1.2, sudden=0.3, noise=1.0
):
    """Services times regions, half of the regions in either zone; rates are by service and week."""
    rng = np.random.default_rng([771, seed])
    per_hour, bins = 60 / bin_minutes, weeks * 7 * 24 * 60 // bin_minutes
    hours = np.arange(bins) / per_hour
    zone = np.array([list(ZONES)[i * 2 // regions] for i in range(regions)]) if regions > 1 else np.array(["euro"])
    share = uniform_log(rng, 0.03, 1.0, regions)
    means, season, sizes, told = [], [], [], []
    counts = np.empty((services * regions, bins))
    for s in range(services):
        base = np.clip(uniform_log(rng, 0.05, 300) * share * uniform_log(rng, 0.5, 2, regions), 0.02, 200)
        base *= bin_minutes / 15
        shape = {name: day_and_week(np.random.default_rng([771, seed, s]), hours, at) for name, at in ZONES.items()}
        log = np.log(base)[:, None] + np.stack([shape[z] - np.log(np.mean(np.exp(shape[z]))) for z in zone])
        log += _shifts(rng, regions, bins)
        season.append(np.exp(log))
        log += noise * ar(rng, 1, bins, 4 * per_hour, rng.uniform(0.05, 0.25))
        log += noise * ar(rng, regions, bins, 1.5 * per_hour, rng.uniform(0.03, 0.2, regions))
        log += _talk(rng, zone, bins, per_hour, chatter * weeks, sudden)
        lift, mine = _failures(rng, zone, bins, per_hour, outages * weeks)
        size = uniform_log(rng, 2, 30, regions)
        quiet = np.exp(log)
        counts[s * regions : (s + 1) * regions] = drawn(rng, quiet * lift, size[:, None])
        mine["outage"] += f"-{s}"
        mine["series"] += s * regions
        means.append(quiet)
        sizes.append(size)
        told.append(mine)
    _lose(rng, counts, regions, per_hour)
    names = [f"svc{s:02d}" for s in range(services) for _ in range(regions)]
    places = [f"{z}-{i}" for i, z in enumerate(zone)] * services
    truth = pd.concat(told, ignore_index=True)
    known = [np.concatenate(parts) for parts in (means, season, sizes)]
    return World(counts, truth, START, bin_minutes, names, places, *known)


def _talk(rng, zone, bins, per_hour, expected, sudden):
    """Log lift by viral topics: a rise of half an hour to four (of one bin where sudden), then a long fading."""
    lift = np.zeros((len(zone), bins))
    at = np.arange(bins)
    for _ in range(rng.poisson(expected)):
        first, peak = rng.integers(bins), rng.uniform(np.log(1.5), np.log(7))
        rise = 0.5 if rng.random() < sudden else rng.uniform(0.5, 4) * per_hour
        fade = rng.uniform(1, 8) * per_hour
        bump = np.where(at < first, np.exp(-(((at - first) / rise) ** 2)), _fading(at - first, fade))
        there = np.ones(len(zone), bool) if rng.random() < 0.6 else zone == rng.choice(zone)
        lift += np.where(there, rng.uniform(0.6, 1.0, len(zone)), 0.0)[:, None] * peak * bump
    return lift


def _shifts(rng, rows, bins):
    """Log lift by changes that last: one series in twelve, and one service in ten as a whole."""
    lift, at = np.zeros((rows, bins)), np.arange(bins)
    for row in range(rows):
        if rng.random() < 1 / 12:
            lift[row] += np.where(at >= rng.integers(bins), rng.choice([-1, 1]) * rng.uniform(0.4, 0.9), 0)
    if rng.random() < 0.1:
        lift += np.where(at >= rng.integers(bins), rng.choice([-1, 1]) * rng.uniform(0.3, 0.7), 0)
    return lift


def _failures(rng, zone, bins, per_hour, expected):
    """Factors by outages: everywhere (half), in one zone or one region; never two at a time in a service."""
    lift, told, busy = np.ones((len(zone), bins)), [], np.zeros(bins, bool)
    for number in range(rng.poisson(expected)):
        first = int(rng.integers(bins - 4))
        last = min(bins, first + max(3, int(uniform_log(rng, 0.75, 8) * per_hour)))
        reach = rng.choice(["global", "zone", "region"], p=[0.5, 0.25, 0.25])
        if busy[max(0, first - int(6 * per_hour)) : last + int(6 * per_hour)].any():
            continue
        busy[first:last] = True
        one = rng.integers(len(zone))
        there = {"global": zone == zone, "zone": zone == zone[one], "region": np.arange(len(zone)) == one}[reach]
        size = uniform_log(rng, 2, 50)
        onset = 1.0 if rng.random() < 0.6 else rng.uniform(1, 4) * per_hour
        at = np.arange(bins)
        force = np.clip((at - first + 1) / onset, 0, 1) * (at >= first)
        force = np.where(at >= last, force * _fading(at - last, rng.uniform(0.2, 1.0) * per_hour), force)
        for row in np.flatnonzero(there):
            mine = max(1.5, size * np.exp(rng.normal(0, 0.3)))
            lift[row] *= 1 + (mine - 1) * force
            told.append(
                (str(number), "global" if reach == "global" else "regional", int(row), first, last, mine, onset)
            )
    return lift, pd.DataFrame(told, columns=[*OUTAGE, "onset"])


def _lose(rng, counts, regions, per_hour):
    """Gaps: of everything, of a service, of single bins."""
    series, bins = counts.shape
    for _ in range(2):
        first = rng.integers(bins)
        counts[:, first : first + int(rng.uniform(1, 6) * per_hour)] = np.nan
    for top in range(0, series, regions):
        for _ in range(rng.poisson(1.0)):
            first = rng.integers(bins)
            counts[top : top + regions, first : first + int(uniform_log(rng, 0.5, 12) * per_hour)] = np.nan
    counts[rng.random(counts.shape) < 0.002] = np.nan


def charts(seed, number=131):
    """One-day charts of 15-minute reports: about one a bin, half of the bins empty, one incident each after 4 hours.

    Every chart is its own service on its own day, as pages saved over a year are.
    """
    rng = np.random.default_rng([772, seed])
    bins, at = 96, np.arange(96)
    level = np.exp(rng.normal(np.log(0.9), 1.0, number))
    spread = 1 + np.exp(rng.normal(0.0, 1.45, number))
    mean = level[:, None] * np.exp(0.5 * np.cos((at / 4 - rng.uniform(0, 24, (number, 1))) * 2 * np.pi / 24))
    told, lift = [], np.zeros((number, bins))
    for row in range(number):
        first = int(rng.integers(16, 88))
        last = min(bins, first + int(uniform_log(rng, 1, 8) * 4))
        peak = level[row] * 3 + uniform_log(rng, 4, 400)
        rise, fade = uniform_log(rng, 0.5, 6), rng.uniform(2, 12)
        shape = np.where(at < first, 0, 1 - np.exp(-(at - first + 1) / rise))
        lift[row] = peak * shape * np.exp(-np.maximum(at - first - (last - first) / 2, 0) / fade) * (at < last + 8)
        told.append((str(row), "chart", row, first, last, peak / level[row]))
    counts = drawn(rng, mean + lift, np.maximum((mean + lift) / (spread[:, None] - 1), 0.3))
    truth = pd.DataFrame(told, columns=OUTAGE)
    names = [f"chart{i:03d}" for i in range(number)]
    return World(counts, truth, START, 15, names, ["all"] * number, mean, mean, level / (spread - 1))


def companies(seed, number=10, weeks=8, windows=3):
    """Mentions of companies in 5-minute bins: busy, bursty, daily season, three true surges each."""
    rng = np.random.default_rng([773, seed])
    bins, day = weeks * 2016, 288
    at = np.arange(bins)
    level = uniform_log(rng, 3, 120, number)
    log = np.log(level)[:, None] + rng.uniform(0.3, 0.9, (number, 1)) * np.cos((at - 200) * 2 * np.pi / day)
    log = log - rng.uniform(0, 0.5, (number, 1)) * ((at // day) % 7 >= 5)
    log = log + ar(rng, number, bins, 36, rng.uniform(0.1, 0.3, number)) + ar(rng, number, bins, 1, 0.15)
    told = []
    for row in range(number):
        for _ in range(rng.poisson(2.5 * weeks)):  # a story shared for an hour or two: normal life of such a series
            first, peak = rng.integers(bins), rng.exponential(0.55)
            log[row] += peak * np.where(at >= first, _fading(at - first, uniform_log(rng, 3, 24)), 0)
        for _ in range(rng.poisson(0.5 * weeks)):  # a bot or an advert: one bin, several times the level
            log[row, rng.integers(bins)] += rng.uniform(0.7, 2.0)
        starts = np.sort(rng.choice(np.arange(3, weeks * 7 - 1), windows, replace=False)) * day + rng.integers(0, day)
        for number_of, first in enumerate(starts):
            peak, fade = rng.uniform(np.log(3), np.log(20)), uniform_log(rng, 12, 120)
            log[row] += peak * np.where(at >= first, _fading(at - first, fade), 0)
            told.append((f"{row}-{number_of}", "surge", row, int(first), int(first + 2 * fade), np.exp(peak)))
    size = rng.uniform(5, 30, (number, 1))
    truth = pd.DataFrame(told, columns=OUTAGE)
    names = [f"company{i}" for i in range(number)]
    return World(
        drawn(rng, np.exp(log), size), truth, START, 5, names, ["all"] * number, np.exp(log), np.exp(log), size.ravel()
    )


def rare(seed, number=8, weeks=30):
    """Posts at 0.03 an hour, now and then two or three about one trifle, and two large events of some dozen posts."""
    rng = np.random.default_rng([774, seed])
    bins, at = weeks * 168, np.arange(weeks * 168)
    mean = 0.03 * np.exp(0.8 * np.cos((at - 20) * 2 * np.pi / 24))[None, :] * uniform_log(rng, 0.6, 1.6, (number, 1))
    mean *= 0.03 / mean.mean()
    counts = rng.poisson(mean).astype(np.float64)
    told = []
    for row in range(number):
        for _ in range(rng.poisson(weeks / 4)):
            first = rng.integers(bins - 12)
            np.add.at(counts[row], first + rng.integers(0, 6, rng.integers(2, 4)), 1)
        for which, week in enumerate(rng.choice(np.arange(8, weeks - 1), 2, replace=False)):
            first, length, posts = int(week * 168 + rng.integers(120)), int(rng.integers(8, 40)), rng.integers(20, 60)
            hours = np.minimum(rng.exponential(length / 2.5, posts).astype(int), length - 1)
            np.add.at(counts[row], first + hours, 1)
            told.append((f"{row}-{which}", "large", row, first, first + length, float(posts)))
    truth = pd.DataFrame(told, columns=OUTAGE)
    names = [f"grid{i}" for i in range(number)]
    return World(counts, truth, START, 60, names, ["all"] * number, mean, mean, np.full(number, np.inf))
