"""Keeping quiet after an alarm: evidence counts as news only if it is clearly more than what was told lately.

A false alarm's cause (a burst of talk, a badly known level) goes on for hours, so what follows an alarm is no fresh
evidence of another outage. The last thing told is remembered and fades.
"""

from dataclasses import dataclass, replace

import numpy as np

from clamor.baseline.counts import Bools, Floats, Ints
from clamor.baseline.lengths import Lengths

TELL_FROM = 1.5
"""Standardized evidence (a peak of 20 days) from which a bin tells something."""
BUILDING, AGAIN = 0.1, 0.3
"""By how much evidence must exceed what was told to be news, in bins of 15 minutes: a tenth within the hour, while it
is still building up, three tenths later. The finer the bins, the more often the same burst is asked: with the root."""
FADE_HOURS = 12.0
"""What was told fades by a factor e in so many hours: by the next day an alarm of the same size is news again."""
BEND = 4.0
"""Evidence is compared on a scale that is linear below it and logarithmic beyond: no doubt is left to be removed."""
ASKED_MINUTES = (4, 60)
"""Widths of bins within which that root is taken."""
FORGOTTEN = 0.1
"""What is left of a told level when it is told no more."""


@dataclass(frozen=True)
class Told:
    """What was told last, ``(series,)`` each.

    Attributes:
        level: Evidence of it, bent.
        age: Bins since then.
        flagged: Bins since the last that was part of an alarm.

    """

    level: Floats
    age: Floats
    flagged: Floats

    def rows(self, rows: slice) -> "Told":
        """Return the memory of some series."""
        return Told(self.level[rows], self.age[rows], self.flagged[rows])

    def take(self, rows: Ints) -> "Told":
        """Return the memory of other rows: ``rows[i]`` is the old row of the new row i, or -1 for a new series."""
        both = join([self, start(1)])
        return Told(both.level[rows], both.age[rows], both.flagged[rows])


def start(series: int) -> Told:
    """Return the memory of silence."""
    long = np.full(series, 1e6, dtype=np.float32)
    return Told(np.zeros(series, dtype=np.float32), long, long)


def join(parts: "list[Told]") -> Told:
    """Return the memory of the series of all parts."""
    level, age, flagged = zip(*((part.level, part.age, part.flagged) for part in parts), strict=True)
    return Told(np.concatenate(level), np.concatenate(age), np.concatenate(flagged))


def news(z: Floats, judged: Bools, told: Told, sizes: Lengths) -> tuple[Floats, Told]:
    """Return evidence less what was told already, for a day.

    Args:
        z: Standardized evidence, ``(series, bins)``.
        judged: Which of it counts.
        told: What was told before the day.
        sizes: Lengths in bins.

    Returns:
        ``z`` where it is news; elsewhere by how much it falls short of that (bent, at most 0). And the memory at the
        end of the day, but for ``flagged``.

    """
    bins = z.shape[1]
    age = told.age + np.float32(bins)
    if sizes.wide:
        return z, Told(told.level, age, told.flagged)
    level = told.level.copy()
    loud = np.where(judged, z, np.float32(-1)).max(axis=1) >= np.float32(TELL_FROM)
    rows = np.flatnonzero(loud | (level * _faded(told.age, sizes) > np.float32(FORGOTTEN)))
    if not len(rows):
        return z, Told(level, age, told.flagged)
    bent = np.where(judged[rows], _bent(z[rows]), np.float32(0))
    need, at = _need(bent, level[rows], told.age[rows], sizes)
    out = z.copy()
    out[rows] = np.where(bent >= need, z[rows], np.minimum(z[rows], bent - need))
    last, when = at
    level[rows], age[rows] = last, when
    return out, Told(level, age, told.flagged)


def _need(bent: Floats, level: Floats, age: Floats, sizes: Lengths) -> tuple[Floats, tuple[Floats, Floats]]:
    """Return the bent evidence that is news at each bin, and what was told last by the end, and its age then.

    One pass for each thing told: the first bin that is news takes the place of what was told before, from the next on.
    """
    bins = np.arange(bent.shape[1], dtype=np.float32)
    often = np.sqrt(15 / np.clip(sizes.bin_minutes, *ASKED_MINUTES))
    building, again = np.float32(1 + BUILDING * often), np.float32(1 + AGAIN * often)
    level, begun = level.copy(), -1 - age
    need = np.zeros_like(bent)
    after = np.full(len(bent), -1.0, dtype=np.float32)
    rows = np.arange(len(bent))
    least = _bent(np.float32(TELL_FROM))
    while len(rows):
        since = bins - begun[rows, None]
        curve = level[rows, None] * np.where(since <= sizes.hour, building, again)
        curve *= _faded(since, sizes)
        later = bins > after[rows, None]
        need[rows] = np.where(later, curve, need[rows])
        told = later & (bent[rows] >= np.maximum(curve, least))
        first = told.argmax(axis=1)
        some = told.any(axis=1)
        rows, first = rows[some], first[some]
        level[rows], begun[rows], after[rows] = bent[rows, first], first, first
    return need, (level, bent.shape[1] - 1 - begun)


def _faded(age: Floats, sizes: Lengths) -> Floats:
    """Return what is left after so many bins."""
    hours = np.float32(sizes.bin_minutes / 60)
    return np.asarray(np.exp(-age * hours / np.float32(FADE_HOURS)), dtype=np.float32)


def _bent(z: "Floats | np.float32") -> Floats:
    bend = np.float32(BEND)
    return np.asarray(bend * np.log1p(np.maximum(z, 0) / bend), dtype=np.float32)


def alarms(z: Floats, fresh: Floats, judged: Bools, limit: Floats, told: Told, sizes: Lengths) -> tuple[Bools, Told]:
    """Return the bins of alarms, and ``told`` with the bins since the last of them at the end of the day.

    An alarm begins with news beyond the limit and goes on while the evidence itself is beyond it, with gaps of at most
    an hour.
    """
    high = judged & (z >= limit)
    flagged = np.zeros(z.shape, dtype=np.bool_)
    since = told.flagged + np.float32(z.shape[1])
    rows = np.flatnonzero(high.any(axis=1))
    if not len(rows):
        return flagged, replace(told, flagged=since)
    bins = np.arange(z.shape[1], dtype=np.float32)
    before = -1 - told.flagged[rows, None]
    last = np.maximum(np.maximum.accumulate(np.where(high[rows], bins, before), axis=1), before)
    previous = np.concatenate([before, last[:, :-1]], axis=1)
    begun = np.maximum.accumulate(np.where(bins - previous > sizes.hour + 1, bins, before), axis=1)
    onset = high[rows] & (fresh[rows] >= limit[rows])
    latest = np.maximum.accumulate(np.where(onset, bins, before), axis=1)
    flagged[rows] = high[rows] & (latest >= begun)
    ends = np.where(flagged[rows], bins, before).max(axis=1)
    since[rows] = z.shape[1] - 1 - ends
    return flagged, replace(told, flagged=since)
