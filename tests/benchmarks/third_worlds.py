"""A third generator: what the goal's table describes, by somebody who had read neither the detector nor the others.

Two hundred series: services times ten regions, where seven services of ten are at home everywhere, the others in one
zone or in one to three regions. Two zones of season, noise of the series and of the service, viral talk of four shapes,
outages of 2 to 50 times (three of ten rise over half an hour to three), gaps of series and of the collector, level
shifts. Regions are codes (US-CA, GB-ENG), so that the tool's own tree applies, or invented names. All times are hours.
Its natures differ in one thing each, see ``NATURES``; the frame is :func:`other_worlds.frame`.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.random import Generator
from other_worlds import OUTAGE, START, World, ar, drawn, uniform_log

WEST, EAST = ("US-CA", "US-WA", "US-NV", "US-OR", "CA-BC"), ("GB-ENG", "GB-SCT", "DE", "FR", "ES")
NAMES = tuple(f"{zone}{i}" for zone in ("left", "right") for i in range(5))
CLOCKS = (-8.0, 1.0)


@dataclass(frozen=True)
class Nature:
    """What a world is like; rates are by service and week, ranges are drawn from log-uniformly."""

    weeks: int = 5
    judged: int = 1
    minutes: int = 15
    codes: bool = True
    noise: tuple[float, float] = (0.25, 0.15)  # log sd of a series' own and of its service's
    talk: float = 0.8
    zonal: bool = False  # talk in one zone, else everywhere
    sudden: float = 0.05  # share of topics that jump
    sizes: tuple[float, float] = (1.4, 5.0)
    rises: tuple[float, float] = (0.5, 3.0)
    outages: tuple[float, float, float] = (1.2, 0.35, 1.2)  # global, of a zone, of one region
    taught: float = 0.3  # as many in weeks that only teach
    hours: tuple[float, float] = (0.75, 7.0)
    growth: float = 1.0  # of a third of the services, over all weeks, at most


NATURES = {
    "usual": Nature(),
    "invented names": Nature(codes=False),
    "no talk": Nature(talk=0.0, taught=0.0),
    "viral": Nature(talk=1.2, sizes=(1.5, 8.0), rises=(0.4, 2.0)),
    "talk in one zone": Nature(zonal=True, talk=1.0),
    "talk that jumps": Nature(sudden=0.4),
    "services waver": Nature(noise=(0.1, 0.35)),
    "series waver": Nature(noise=(0.45, 0.1)),
    "short outages": Nature(hours=(0.25, 1.0)),
    "long outages": Nature(hours=(4.0, 24.0)),
    "failing in all weeks": Nature(taught=1.0),
    "growing": Nature(growth=4.0),
    "one week to learn": Nature(weeks=2),
    "5 minutes": Nature(weeks=3, minutes=5),
    "hourly": Nature(weeks=9, minutes=60, hours=(2.0, 18.0)),
}


def catalogue(seed, nature: Nature, series=200) -> World:
    """A world of this nature; ``last`` of an outage is where it adds less than a tenth of the usual."""
    rng = np.random.default_rng([776, seed])
    step = nature.minutes / 60
    hours = np.arange(round(nature.weeks * 168 / step)) * step
    service, place = _homes(rng, series)
    zone = place // 5
    services = service.max() + 1
    big, share = uniform_log(rng, 0.02, 18, services), rng.normal(0, 0.8, 10)
    level = np.clip(big[service] * np.exp(share[place] + rng.normal(0, 0.5, series)), 0.02, 200) * nature.minutes / 15
    log = np.log(level)[:, None] + _season(rng, hours, zone, service)
    if nature.growth != 1:
        rate = np.where(rng.random(services) < 0.34, rng.uniform(0.5, 1, services), 0) * np.log(nature.growth)
        log += rate[service][:, None] * (hours / hours[-1] - 0.5)
    size = 1 / uniform_log(rng, 0.03, 0.4, series)
    log += _shifts(rng, service, len(hours))
    season = np.exp(log)
    own, shared = nature.noise
    log += _noise(rng, series, len(hours), own, step) + _noise(rng, services, len(hours), shared, step)[service]
    lift, told = np.zeros_like(log), []
    for number in range(services):
        who = np.flatnonzero(service == number)
        _talk(rng, log, who, zone, hours, nature)
        told += _outages(rng, lift, who, zone, hours, nature)
    means = np.exp(log)
    counts = drawn(rng, means * np.exp(lift), size[:, None])
    counts[~_seen(rng, counts.shape, step, nature.weeks / 5)] = np.nan
    truth = pd.DataFrame([(str(k), *row) for k, rows in enumerate(told) for row in rows], columns=OUTAGE)
    names = np.array(WEST + EAST if nature.codes else NAMES)[place].tolist()
    services = [f"service{s:02d}" for s in service]
    return World(counts, truth, START, nature.minutes, services, names, means, season, size)


def _homes(rng: Generator, series):
    """Service and place (0 to 4 west, 5 to 9 east) of every series."""
    out, number = [], 0
    while len(out) < series:
        kind, side = rng.choice(3, p=(0.7, 0.15, 0.15)), 5 * rng.integers(2)
        where = np.arange(10) if kind == 0 else side + np.arange(5)
        if kind == 2:
            where = np.sort(rng.choice(where, rng.integers(1, 4), replace=False))
        out += [(number, each) for each in where]
        number += 1
    return np.array(out[:series]).T


def _season(rng: Generator, hours, zone, service):
    """Log season: a daily wave of two harmonics and a weekend, by service, its peak moved a little by series."""
    out = np.empty((len(zone), len(hours)))
    for number in np.unique(service):
        peak, depth, weekend = rng.uniform(17, 22), rng.uniform(0.5, 1.2), rng.uniform(-0.5, 0.3)
        second, turn = rng.uniform(0.1, 0.35), rng.uniform(0, 12)
        for row in np.flatnonzero(service == number):
            local = hours + CLOCKS[zone[row]]
            wave = depth * np.cos(2 * np.pi * (local - peak - rng.normal(0, 0.5)) / 24)
            out[row] = wave + second * np.cos(4 * np.pi * (local - turn) / 24) + weekend * (local // 24 % 7 >= 5)
    return out - np.log(np.exp(out).mean(axis=1, keepdims=True))


def _shifts(rng: Generator, service, bins):
    """Log lift by changes that last: of one series in twelve, and of one service in thirty as a whole."""
    lift, number = np.zeros((len(service), bins)), service.max() + 1
    single = [[rng.integers(len(service))] for _ in range(rng.poisson(0.084 * len(service)))]
    whole = [np.flatnonzero(service == each) for each in np.flatnonzero(rng.random(number) < 0.036)]
    for who in single + whole:
        lift[who, rng.integers(bins // 20, bins) :] += np.log(uniform_log(rng, 0.4, 2.5))
    return lift


def _noise(rng: Generator, rows, bins, sd, step):
    """AR(1) noise of this log sd; memories of one to twelve hours."""
    return np.concatenate([ar(rng, 1, bins, np.log(2) * uniform_log(rng, 1, 12) / step, sd) for _ in range(rows)])


def _talk(rng: Generator, log, who, zone, hours, nature):
    """Lift a service's expectation by its topics, in some regions more than in others."""
    for _ in range(rng.poisson(nature.talk * nature.weeks)):
        there = who[zone[who] == rng.choice(zone[who])] if nature.zonal else who
        course = _topic(rng, hours - rng.uniform(0, hours[-1]), nature)
        own = np.clip(rng.normal(1, 0.2, len(there)), 0.2, 2)[:, None]
        log[there] += np.log1p((uniform_log(rng, *nature.sizes) - 1) * own * course)


def _topic(rng: Generator, since, nature):
    """A topic's course, 0 to 1, by hours since its beginning."""
    after = np.maximum(since, 0)
    if rng.random() < nature.sudden:
        return (since >= 0) * np.exp(-after / uniform_log(rng, 1, 5))
    shape, rise = rng.choice(["wave", "show", "steps"]), uniform_log(rng, *nature.rises)
    if shape == "wave":  # passed on from one to the next, forgotten slowly
        top, fade = rng.uniform(2, 4) * rise, uniform_log(rng, 2, 8)
        growing = 1 / (1 + np.exp(np.clip(-3 * (since - top + rise) / rise, -40, 40)))
        return np.where(since < top, growing, np.exp(-np.maximum(since - top, 0) / fade))
    if shape == "show":  # a match, a broadcast
        stay, down = rng.uniform(1.5, 4), uniform_log(rng, 0.3, 1.5)
        return np.clip(np.minimum(since / rise, (rise + stay + down - since) / down), 0, 1)
    second = rng.uniform(2, 6)  # taken up by the press some hours later
    both = np.clip(since / rise, 0, 1) / 2 + np.clip((since - second) / rise, 0, 1) / 2
    return both * np.exp(-np.maximum(since - second - rise, 0) / 4)


def _outages(rng: Generator, lift, who, zone, hours, nature):
    """Put a service's outages on; return the rows of each, but for its number. None within six hours of another."""
    told, zones = [], np.unique(zone[who])
    for kind, rate in zip(("global", "zone", "regional"), nature.outages, strict=True):
        for week in range(nature.weeks):
            often = rate * (len(who) / 10 if kind == "regional" else 1)
            often *= nature.taught if week < nature.weeks - nature.judged else 1
            for _ in range(rng.poisson(often)):
                there = {"global": who, "zone": who[zone[who] == rng.choice(zones)], "regional": rng.choice(who, 1)}[
                    kind
                ]
                if (kind == "zone" and len(zones) < 2) or (kind != "regional" and len(there) < 2):
                    continue
                told.append(_outage(rng, lift, there, kind, 168 * week + rng.uniform(2, 150), hours, nature))
    return [rows for rows in told if rows]


def _outage(rng: Generator, lift, there, kind, at, hours, nature):
    """One outage: a jump or a slope, a plateau, a decay; its rows, none if another is near."""
    step = nature.minutes / 60
    since = hours - at // step * step
    stay, fade, size = uniform_log(rng, *nature.hours), uniform_log(rng, 0.2, 1.0), uniform_log(rng, 2, 50)
    onset = uniform_log(rng, 0.5, 3) * min(1, nature.hours[1] / 4) if rng.random() < 0.3 else 0.0
    course = np.clip(since / onset, 0, 1) if onset else (since >= 0) * 1.0
    course *= np.exp(-np.maximum(since - onset - stay, 0) / fade)
    felt = np.flatnonzero(course * size > 0.1)
    margin = round(6 / step)
    if lift[there, max(0, felt[0] - margin) : felt[-1] + margin].any():
        return []
    own = np.exp(rng.normal(0, 0.25, len(there))) if len(there) > 1 else np.ones(1)
    lift[there] += np.log1p(np.maximum(size * own - 1, 0.3)[:, None] * np.where(course * size > 0.05, course, 0))
    first = int(np.flatnonzero(since >= 0)[0])
    return [(kind, int(row), first, int(felt[-1]) + 1, size * mine) for row, mine in zip(there, own, strict=True)]


def _seen(rng: Generator, shape, step, much):
    """What was observed: gaps of series, and of the collector for all."""
    seen = np.ones(shape, bool)
    for row in range(shape[0]):
        for _ in range(rng.poisson(0.6 * much)):
            first = rng.integers(1, shape[1] - 1)
            seen[row, first : first + max(1, round(uniform_log(rng, 0.5, 12) / step))] = False
    for _ in range(rng.poisson(2 * much)):
        first = rng.integers(1, shape[1] - 1)
        seen[:, first : first + max(1, round(uniform_log(rng, 0.5, 8) / step))] = False
    return seen
