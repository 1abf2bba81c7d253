"""Keeping quiet after an alarm: evidence counts as news only if it is more than what is left of what was told.

A false alarm's cause (a burst of talk, a badly known level) goes on for hours, so what follows an alarm is no fresh
evidence of another outage. The last thing told is remembered and fades.
"""

from dataclasses import dataclass, fields, replace

import numpy as np

from clamor.baseline.counts import Bools, Floats, Ints
from clamor.baseline.lengths import Lengths

TELL_FROM = 1.5
"""Standardized evidence (a peak of five days) from which a bin tells something."""
FADE_HOURS, FADE_HOURS_BURSTY = 6.0, 24.0
"""What was told fades by a factor e in so many hours: the next day it hardly matters. In bursty series the next burst
is never far,"""
AGAIN_BURSTY = 1.5
"""and must exceed what was told by so many times to be news, elsewhere once."""
BEND = 4.0
"""Evidence is compared on a scale that is linear below it and logarithmic beyond: no doubt is left to be removed."""
KNOWN = 1.0
"""Standardized evidence of bins that tell nothing new, at most: more than usual, less than anybody is told."""
FORGOTTEN = 0.1
"""What is left of a told level when it is told no more."""


@dataclass(frozen=True)
class Told:
    """What was told last, ``(series,)`` each.

    Attributes:
        level: Evidence of it, bent.
        age: Bins since then.
        said: The most that was news in the latest episode, standardized.
        since: Bins since its last.

    """

    level: Floats
    age: Floats
    said: Floats
    since: Floats

    def rows(self, rows: slice) -> "Told":
        """Return the memory of some series."""
        return Told(self.level[rows], self.age[rows], self.said[rows], self.since[rows])

    def take(self, rows: Ints) -> "Told":
        """Return the memory of other rows: ``rows[i]`` is the old row of the new row i, or -1 for a new series."""
        both = join([self, start(1)])
        return Told(both.level[rows], both.age[rows], both.said[rows], both.since[rows])


def start(series: int) -> Told:
    """Return the memory of silence."""
    long = np.full(series, 1e6, dtype=np.float32)
    none = np.zeros(series, dtype=np.float32)
    return Told(none, long, none, long)


def join(parts: "list[Told]") -> Told:
    """Return the memory of the series of all parts."""
    names = [field.name for field in fields(Told)]
    return Told(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def rest(told: Told, bins: int) -> Told:
    """Return the memory after so many bins of which none was judged."""
    return replace(told, age=told.age + np.float32(bins), since=told.since + np.float32(bins))


def news(z: Floats, judged: Bools, told: Told, bursty: Floats, sizes: Lengths) -> tuple[Floats, Told]:
    """Return evidence less what was told already, for a day.

    Args:
        z: Standardized evidence, ``(series, bins)``.
        judged: Which of it counts.
        told: What was told before the day.
        bursty: How far posts within minutes repeat each other, see :mod:`clamor.detect.bursts`.
        sizes: Lengths in bins.

    Returns:
        ``z`` where it is news, elsewhere at most KNOWN; and the memory at the end of the day, but for its episode.

    """
    bins = z.shape[1]
    age = told.age + np.float32(bins)
    if sizes.wide:
        return z, replace(told, age=age)
    level = told.level.copy()
    fade = _fade(bursty, sizes)
    loud = (judged & (z >= np.float32(TELL_FROM))).any(axis=1)
    rows = np.flatnonzero(loud | (level * np.exp(-told.age * fade) > np.float32(FORGOTTEN)))
    if not len(rows):
        return z, replace(told, age=age)
    bent = np.where(judged[rows], _bent(z[rows]), np.float32(0))
    again = 1 + bursty[rows] * np.float32(AGAIN_BURSTY - 1)
    need, level[rows], age[rows] = _need(bent, level[rows], told.age[rows], again, fade[rows])
    out = z.copy()
    out[rows] = np.where(bent >= need, z[rows], np.minimum(z[rows], np.float32(KNOWN)))
    return out, replace(told, level=level, age=age)


def _need(bent: Floats, level: Floats, age: Floats, again: Floats, fade: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the bent evidence that is news at each bin, and what was told last by the end, and its age then.

    One pass for each thing told: the first bin that is news takes the place of what was told before, from the next on.
    """
    bins = np.arange(bent.shape[1], dtype=np.float32)
    fading = np.exp(-bins * fade[:, None])
    level, begun = level.copy(), -1 - age
    need = np.zeros_like(bent)
    after = np.full(len(bent), -1.0, dtype=np.float32)
    rows = np.arange(len(bent))
    least = _bent(np.float32(TELL_FROM))
    while len(rows):
        left = again[rows] * level[rows] * np.exp(begun[rows] * fade[rows])
        curve = fading[rows] * left[:, None]
        later = bins > after[rows, None]
        need[rows] = np.where(later, curve, need[rows])
        told = later & (bent[rows] >= np.maximum(curve, least, out=curve))
        first = told.argmax(axis=1)
        some = told[np.arange(len(rows)), first]
        rows, first = rows[some], first[some]
        level[rows], begun[rows], after[rows] = bent[rows, first], first, first
    return need, level, bent.shape[1] - 1 - begun


def _fade(bursty: Floats, sizes: Lengths) -> Floats:
    """Return the share of what was told that is forgotten in a bin."""
    hours = np.float32(FADE_HOURS) + bursty * np.float32(FADE_HOURS_BURSTY - FADE_HOURS)
    return np.asarray(np.float32(sizes.bin_minutes / 60) / hours)


def _bent(z: "Floats | np.float32") -> Floats:
    bend = np.float32(BEND)
    return np.asarray(bend * np.log1p(np.maximum(z, 0) / bend), dtype=np.float32)


def alarms(z: Floats, fresh: Floats, judged: Bools, limit: Floats, told: Told, sizes: Lengths) -> tuple[Bools, Told]:
    """Return the bins of alarms, and ``told`` with the episode that goes on at the end of the day.

    An episode is a run of bins that tell something, with gaps of at most an hour. From its first news beyond the limit
    on, all its bins with evidence beyond the limit are an alarm.
    """
    flagged = np.zeros(z.shape, dtype=np.bool_)
    said, since = told.said.copy(), told.since + np.float32(z.shape[1])
    high = judged & (z >= np.float32(TELL_FROM))
    rows = np.flatnonzero(high.any(axis=1))
    if not len(rows):
        return flagged, replace(told, since=since)
    high, fresh = high[rows], np.where(high[rows], fresh[rows], np.float32(-1))
    bins = np.arange(z.shape[1], dtype=np.float32)
    before = -1 - told.since[rows, None]
    last = np.maximum(np.maximum.accumulate(np.where(high, bins, before), axis=1), before)
    previous = np.concatenate([before, last[:, :-1]], axis=1)
    begun = np.maximum.accumulate(np.where(high & (bins - previous > sizes.hour + 1), bins, before), axis=1)
    enough = np.where(told.said[rows, None] >= limit[rows], before, np.float32(-np.inf))
    enough = np.maximum.accumulate(np.where(fresh >= limit[rows], bins, enough), axis=1)
    flagged[rows] = high & (z[rows] >= limit[rows]) & (enough >= begun)
    newest = begun[:, -1:]
    louder = np.where(bins >= newest, fresh, np.float32(-1)).max(axis=1)
    said[rows] = np.where(newest[:, 0] == before[:, 0], np.maximum(louder, said[rows]), louder)
    since[rows] = z.shape[1] - 1 - last[:, -1]
    return flagged, replace(told, said=said, since=since)
