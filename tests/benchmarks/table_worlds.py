"""A fourth generator, held to the goal's table: its free choices are those at which the table's rows come out.

The caption says: 200 series, five weeks of 15-minute bins, negative binomial counts of 0.02 to 200 a bin, two zones of
season, AR noise, viral talk, outages of one region or of all, 2 to 50 times, at once or over hours, gaps, level shifts.
What it leaves open was chosen on other seeds by the table's other methods, never by clamor's figures: services of five
regions, an outage counted for each series that it hits, and series spared by an outage of their service not judged
while it lasts (else nothing that pools comes near the table). Three natures come about equally near.
All times are hours; the frame is :func:`other_worlds.frame`.
"""

from dataclasses import dataclass

import numpy as np
import other_worlds
import pandas as pd
from numpy.random import Generator
from other_worlds import OUTAGE, World, ar, drawn

START = pd.Timestamp("2026-01-05", tz="UTC")
"""A Monday; no clock changes within five weeks."""
BINS, WEEK, WEEKS = 4, 672, 5
REGIONS = ("US-CA", "US-WA", "US-OR", "GB-ENG", "GB-SCT")
CLOCKS = np.array([-8, -8, -8, 0, 0])
LEVELS, SPREADS, SIZES, TALK_SIZES = (0.02, 200.0), (0.02, 0.3), (2.0, 50.0), (1.3, 6.5)
SHIFTED, SHIFT, GAPS = 0.3, 0.5, 0.5
"""Share of series whose level shifts once, the shift's usual log size, gaps of a series."""
OUTAGES, TAUGHT, REGIONAL = 2.5, 0.1, 0.58
"""Outages of a service in the judged week, as many in the others, share that hit one region alone."""


@dataclass(frozen=True)
class Nature:
    """What is not the same in all: log sd and memory of noise; talk of each series, or service, and week; slopes."""

    noise: float = 0.15
    memory: float = 12.0
    shared: bool = False
    talk: float = 0.6
    rises: tuple[float, float] = (2.0, 5.0)
    fades: tuple[float, float] = (1.0, 4.5)
    slow: float = 0.45
    slopes: tuple[float, float] = (0.5, 3.0)


NATURES = {
    "talk of series": Nature(),
    "talk of services": Nature(shared=True, talk=0.4, rises=(3.0, 8.0)),
    "much noise": Nature(
        noise=0.3, memory=24.0, talk=0.2, rises=(3.0, 8.0), fades=(4.0, 12.0), slow=0.6, slopes=(0.5, 4.0)
    ),
}


class Truth(other_worlds.Truth):
    """Scoring of the last week; whom an outage of its service spared is not judged meanwhile, nor two hours longer.

    Complaints die away within an hour of an outage's end, and windows of two hours still hold them.
    """

    def __init__(self, world):
        super().__init__(world, world.counts.shape[1] - WEEK)
        service = np.array(world.services)
        for each in world.outages.itertuples():
            siblings = service == service[each.series]
            self.near[siblings, max(0, each.first - 1) : each.last + 4 * self.hour] = True


def catalogue(seed, nature: Nature, services=40) -> World:
    """A world of this nature; the last week is to be judged."""
    rng = np.random.default_rng([4114, seed])
    service = np.repeat(np.arange(services), len(REGIONS))
    place = np.tile(np.arange(len(REGIONS)), services)
    hours = np.arange(WEEKS * WEEK) / BINS
    between = np.clip(rng.random(services)[service] + 0.6 * (rng.random(len(service)) - 0.5), 0, 1)
    level = LEVELS[0] * (LEVELS[1] / LEVELS[0]) ** (between**0.87)
    shape = np.exp(_season(rng, service, hours + CLOCKS[place][:, None]))
    season = level[:, None] * shape / shape.mean(axis=1, keepdims=True)
    _shift(rng, season)
    noise = np.exp(ar(rng, *season.shape, np.log(2) * nature.memory * BINS, nature.noise) - nature.noise**2 / 2)
    means = season * noise * _talk(rng, service, season.shape, nature)
    force, told = _outages(rng, service, season.shape, nature)
    size = 1 / _ranged(rng, SPREADS, len(service))
    counts = drawn(rng, means * force, size[:, None])
    for row in np.repeat(np.arange(len(service)), rng.poisson(GAPS, len(service))):
        first = rng.integers(0, counts.shape[1])
        counts[row, first : first + round(_ranged(rng, (1.0, 12.0)) * BINS)] = np.nan
    names = [f"service{number:02d}" for number in service]
    truth = pd.DataFrame(told, columns=OUTAGE)
    return World(counts, truth, START, 60 // BINS, names, [REGIONS[each] for each in place], means, season, size)


def _ranged(rng: Generator, span, size=None, power=1.0):
    """Log-uniform within a span; a power above 1 makes the small ones commoner."""
    return span[0] * (span[1] / span[0]) ** (rng.random(size) ** power)


def _season(rng: Generator, service, local):
    """Log season: two waves a day and a weekend, the same for all regions of a service."""
    number = service.max() + 1
    depth, evening, weekend = (
        draw[service][:, None]
        for draw in (0.56 * rng.uniform(0.6, 1.4, number), rng.normal(19, 1.5, number), rng.normal(0, 0.25, number))
    )
    turn = 2 * np.pi * (local - evening) / 24
    waves = np.cos(turn) + 0.35 * np.cos(2 * turn + np.pi / 3)
    return depth * waves + weekend * ((local // 24) % 7 >= 5)


def _shift(rng: Generator, season):
    """Let the level of some series shift for good."""
    for row in np.flatnonzero(rng.random(len(season)) < SHIFTED):
        at = rng.integers(24 * BINS, season.shape[1] - 12 * BINS)
        season[row, at:] *= np.exp(rng.choice([-1, 1]) * SHIFT * rng.uniform(0.5, 1.5))


def _talk(rng: Generator, service, shape, nature):
    """By how much talk lifts each bin: it rises evenly and fades away. That of services differs by region."""
    lift = np.ones(shape)
    sharing = service if nature.shared else np.arange(shape[0])
    for which in np.repeat(np.arange(sharing.max() + 1), rng.poisson(nature.talk * WEEKS, sharing.max() + 1)):
        there = np.flatnonzero(sharing == which)
        first, size = rng.integers(0, shape[1]), _ranged(rng, TALK_SIZES)
        rise, fade = _ranged(rng, nature.rises) * BINS, _ranged(rng, nature.fades) * BINS
        since = np.arange(shape[1] - first)
        course = np.where(since < rise, (since + 1) / (rise + 1), np.exp(-np.maximum(since - rise, 0) / fade))
        own = np.exp(rng.normal(0, 0.2, len(there)))[:, None] if nature.shared else 1.0
        lift[there, first:] *= 1 + (size - 1) * own * course
    return lift


def _outages(rng: Generator, service, shape, nature):
    """By how much outages multiply each bin, and their rows; none within two hours of another of the same series."""
    force, told = np.ones(shape), []
    for week in range(WEEKS):
        often = OUTAGES if week == WEEKS - 1 else OUTAGES * TAUGHT
        for number, times in enumerate(rng.poisson(often, service.max() + 1)):
            for _ in range(times):
                told += _outage(rng, force, np.flatnonzero(service == number), week, nature, f"{week}-{len(told)}")
    return force, told


def _outage(rng: Generator, force, mine, week, nature, name):
    """One outage: a jump or a slope, a plateau, an hour in which it dies away; its rows, none if another is near."""
    first = week * WEEK + int(rng.integers(0, WEEK - BINS))
    last = min(week * WEEK + WEEK, first + max(1, round(_ranged(rng, (1.0, 5.0)) * BINS)))
    local = rng.random() < REGIONAL
    there = rng.choice(mine, 1) if local else mine
    size = _ranged(rng, SIZES, power=1.5 if local else 1.06)
    slope = _ranged(rng, nature.slopes) * BINS if rng.random() < nature.slow else 0.0
    if (force[there, max(0, first - 2 * BINS) : last + 2 * BINS] > 1).any():
        return []
    course = np.minimum(1, np.arange(1, last - first + 1) / (slope + 1))
    course = np.concatenate([course, course[-1] * np.exp(-np.arange(1, BINS + 1))])[: force.shape[1] - first]
    force[there, first : first + len(course)] = 1 + (size - 1) * course
    kind = "regional" if local else "global"
    return [(name, kind, int(row), first, last, float(size)) for row in there]
