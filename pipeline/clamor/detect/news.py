"""Keeping quiet after an alarm: evidence counts as news only if it is more than what is left of what was told.

A false alarm's cause (a burst of talk, a badly known level) goes on for hours, so what follows an alarm is no fresh
evidence of another outage. The last thing told is remembered and fades.
"""

from dataclasses import dataclass, fields, replace

import numpy as np

from clamor.baseline.counts import Bools, Floats, Ints
from clamor.baseline.lengths import Lengths
from clamor.baseline.quick import cells

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
    mine = z[rows]
    row, at = cells(mine > np.float32(KNOWN))  # what is less stays as it is
    bent = np.where(judged[rows[row], at], _bent(mine[row, at]), np.float32(0))
    again = 1 + bursty[rows] * np.float32(AGAIN_BURSTY - 1)
    need, level[rows], begun = _need(bent, (row, at), level[rows], told.age[rows], again, fade[rows])
    age[rows] = bins - 1 - begun
    out = z.copy()
    old = bent < need
    out[rows[row[old]], at[old]] = np.float32(KNOWN)
    return out, replace(told, level=level, age=age)


def _need(
    bent: Floats, where: tuple[Ints, Ints], level: Floats, age: Floats, again: Floats, fade: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return the bent evidence that is news at some bins, and what was told last by the end of the day, and when.

    One pass for each thing told: the first bin that is news takes the place of what was told before, from the next on.
    ``where`` are the series and the bins of what is ``bent``, in order.
    """
    row, bins = where[0], where[1].astype(np.float32)
    fading = np.exp(-bins * fade[row])
    level, begun = level.copy(), -1 - age
    need = np.empty_like(bent)
    least = _bent(np.float32(TELL_FROM))
    later = np.arange(len(bent))
    while len(later):
        mine = row[later]
        left = again * level * np.exp(begun * fade)
        need[later] = curve = fading[later] * left.take(mine)
        tells = later[bent[later] >= np.maximum(curve, least)]
        first = tells[_leading(row[tells])]
        told = row[first]
        level[told], begun[told] = bent[first], bins[first]
        since = np.full(len(level), np.inf, dtype=np.float32)
        since[told] = bins[first]
        later = later[bins[later] > since[mine]]
    return need, level, begun


def _leading(row: Ints) -> Bools:
    """Return the first of each run of equal numbers."""
    out = np.ones(len(row), dtype=np.bool_)
    np.not_equal(row[1:], row[:-1], out=out[1:])
    return out


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
    row, at = cells(judged & (z >= np.float32(TELL_FROM)))
    if not len(row):
        return flagged, replace(told, since=since)
    loud, bins, least = fresh[row, at], at.astype(np.float32), limit[row, 0]
    every, starts = np.arange(len(row)), _leading(row)
    first = np.maximum.accumulate(np.where(starts, every, 0))  # of the same series
    before = -1 - told.since[row]
    previous = np.where(starts, before, bins[every - 1])

    def latest(which: Bools, otherwise: Floats) -> Floats:
        """Return the last bin so far of a series at which something holds."""
        last = np.maximum.accumulate(np.where(which, every, -1))
        return np.where(last >= first, bins[last], otherwise)

    begun = latest(bins - previous > sizes.hour + 1, before)
    known = np.where(told.said[row] >= least, before, np.float32(-np.inf))
    enough = latest(loud >= least, known)
    flagged[row, at] = (z[row, at] >= least) & (enough >= begun)
    begins = np.flatnonzero(starts)
    ends = np.append(begins[1:], len(row)) - 1
    rows, newest = row[ends], np.repeat(begun[ends], ends + 1 - begins)
    louder = np.maximum.reduceat(np.where(bins >= newest, loud, np.float32(-1)), begins)
    said[rows] = np.where(begun[ends] == before[ends], np.maximum(louder, said[rows]), louder)
    since[rows] = z.shape[1] - 1 - bins[ends]
    return flagged, replace(told, said=said, since=since)
