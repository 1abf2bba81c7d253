"""Outages that come on over hours: the sums of 4, 8 and 24 hours against the day's own level, a stream of its own.

The expectation of :mod:`clamor.detect.pooling` is lifted by the last hour, as talk grows where an outage jumps, so what
grows over hours is explained away there; and so it should be where posts are many, as long talk and an unsteady level
look just alike. Where posts are few it is chance that hides an outage, and longer sums tell more. So the sums of hours
are judged beside that evidence, with tails of their own and a stated share of the budget: where such sums are wild this
stream falls silent by itself, and its false alarms change no other tail. It looks at each hour once, at its end.
"""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from clamor.baseline import scatter
from clamor.baseline.counts import MINUTES_PER_DAY, Bools, Floats, Ints
from clamor.baseline.lengths import Lengths
from clamor.baseline.level import Followed
from clamor.baseline.quick import at_least, cells, row_sums
from clamor.detect import past, tails
from clamor.detect.pooling import FEW_CAP_NATS, FEW_POSTS, LEAST, TINY, limited, log_ratios
from clamor.detect.renyi import count

HOURS = (4, 8, 24)
"""Lengths of the sums."""
SHARE = 0.05
"""Part of the budget that is spent on slow outages."""
ROUGH_ADDED = 0.6
"""Where a service has several regions, scatter is taken for this more than was measured: talk, and a level that wavers,
last for hours. So sums of many posts say little there, and those of few posts lose little."""
NOW_SD, NOW_SCATTER = 0.7, 0.1
"""An hour that is no more than so many standard deviations above its expectation, at that scatter, is back to normal:
it is no evidence, and what was told before is over."""
STEADY = 0.05
"""Scatter of a sum of any length before anything is seen: levels waver."""
KEPT = np.float32(0.5 ** (1 / 28))
"""What a day leaves of what is known of that."""
GROWN_DAYS = 2
"""Days observed until it is learnt: an unknown level is no scatter."""
PRIOR_SPREAD = 0.5
"""Spread of a day's peaks, nats, in synthetic catalogues; their place is zero there."""
WORTH = 200.0
"""Days of series that the tails alone are worth beside the past, see :func:`clamor.detect.past.table`."""


def step(sizes: Lengths) -> int:
    """Return the bins of an hour, or of less if a day is not whole hours of them; one if bins are longer."""
    return next(bins for bins in range(max(1, 60 // sizes.bin_minutes), 0, -1) if sizes.day % bins == 0)


def windows(sizes: Lengths) -> tuple[int, ...]:
    """Return the lengths of the sums, in steps: those longer than what is summed anyhow; none where bins do not fit."""
    if sizes.wide or MINUTES_PER_DAY % sizes.bin_minutes:
        return ()
    minutes, longest = step(sizes) * sizes.bin_minutes, max(sizes.windows) * sizes.bin_minutes
    return tuple(hours * 60 // minutes for hours in HOURS if hours * 60 > longest and hours * 60 % minutes == 0)


@dataclass(frozen=True)
class Slow:
    """What is remembered; the first axis is the series.

    Attributes:
        posts: Counts of the last day's steps.
        means: Their expectations.
        told: 1 for the steps of the last day that belong to what was told, else 0.
        peaks: Peak evidence of each of the last days, nats; NaN where less than half was judged.
        moments: Decayed excess variances of the windows, and their worths, ``(series, 2, windows)``.

    """

    posts: Floats
    means: Floats
    told: Floats
    peaks: Floats
    moments: Floats

    def rows(self, rows: slice) -> "Slow":
        """Return the memory of some series."""
        return Slow(*(getattr(self, f.name)[rows] for f in fields(self)))

    def take(self, rows: Ints, sizes: Lengths) -> "Slow":
        """Return the memory of other rows: ``rows[i]`` is the old row of the new row i, or -1 for a new series."""
        both = join([self, start(1, sizes)])
        return Slow(*(getattr(both, f.name)[rows] for f in fields(self)))


def join(parts: list[Slow]) -> Slow:
    """Return the memory of the series of all parts."""
    return Slow(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Slow)))


def start(series: int, sizes: Lengths) -> Slow:
    """Return the memory of nothing."""
    steps = np.zeros((series, sizes.day // step(sizes)), dtype=np.float32)
    never = np.full((series, tails.PEAK_DAYS), np.nan, dtype=np.float32)
    return Slow(steps, steps, steps, never, np.zeros((series, 2, len(windows(sizes))), dtype=np.float32))


def rest(memory: Slow) -> Slow:
    """Return the memory after a day on which nothing was observed: what was told then goes on."""
    none = np.zeros_like(memory.posts)
    told = np.repeat(memory.told[:, -1:], none.shape[1], axis=1)
    unknown = np.full(len(none), np.nan, dtype=np.float32)
    return Slow(none, none, told, _with(memory.peaks, unknown), memory.moments * KEPT)


@dataclass(frozen=True)
class Scale:
    """How to read the evidence of one day.

    Attributes:
        place: Gumbel place of each series' daily peak, nats.
        spread: Its spread.
        most: What standardized evidence counts for at most, by volume class, at EDGES of the past.
        which: Volume class of each series.
        silent: Whether a series has no day of its own yet, or is bursty: bursts last for hours.

    """

    place: Floats
    spread: Floats
    most: npt.NDArray[np.float64]
    which: npt.NDArray[np.int64]
    silent: Bools

    def rows(self, rows: slice) -> "Scale":
        """Return the scale of some series."""
        return Scale(self.place[rows], self.spread[rows], self.most, self.which[rows], self.silent[rows])


def scale(peaks: Floats, level: Floats, tied: Floats, bursty: Floats) -> Scale:
    """Derive the scale of the next day from the peaks of the days so far.

    Args:
        peaks: See :class:`Slow`.
        level: Expected posts a bin of each series.
        tied: 1 where a series is pooled with others.
        bursty: How far posts within minutes repeat each other, see :mod:`clamor.detect.bursts`.

    """
    days = count(~np.isnan(peaks))
    place, spread = _gumbel(peaks, days)
    z = _standardized(peaks, place, spread)
    lone = np.flatnonzero((tied == 0) & (days > 0))
    if len(lone):
        z[lone, np.nanargmax(z[lone], axis=1)] = np.nan  # it may be real, and has no others beside it
    which = np.searchsorted(scatter.VOLUME_CLASSES, level)
    return Scale(place, spread, _most(z, which), which, (days == 0) | (bursty > 0))


def _gumbel(peaks: Floats, days: Ints) -> tuple[Floats, Floats]:
    """Return place and spread of the daily peaks of each series, as in :func:`clamor.detect.tails.scale`."""
    median, high = tails.quantiles(peaks, days)
    share = days / (days + tails.SPREAD_DAYS)
    spread = PRIOR_SPREAD + share * ((high - median) / (tails.GUMBEL_80 - tails.GUMBEL_MEDIAN) - PRIOR_SPREAD)
    spread = at_least(spread, tails.MIN_SPREAD)
    place = days / (days + tails.PLACE_DAYS) * (median - tails.GUMBEL_MEDIAN * spread)
    return place.astype(np.float32), spread.astype(np.float32)


def _standardized(nats: Floats, place: Floats, spread: Floats) -> Floats:
    """Return evidence in units of each series' own tail, whose end is taken for heavier than Gumbel's."""
    z = (nats - place[:, None]) / spread[:, None]
    z -= at_least(z - np.float32(tails.HEAVY_FROM), 0) * np.float32(1 - 1 / tails.HEAVY)
    return z


def _most(z: Floats, which: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return by volume class what evidence at EDGES counts for: minus the log of the rate at which days reached it."""
    classes, size = len(scatter.VOLUME_CLASSES) + 1, len(past.EDGES)
    known = np.bincount(which, count(~np.isnan(z)), minlength=classes)
    row, at = cells(z >= np.float32(past.FROM))
    cell = np.searchsorted(past.EDGES, z[row, at], side="right") - 1 + which[row] * size
    days = np.bincount(cell, minlength=classes * size).reshape(classes, size).astype(np.float64)
    days[:, 0] = known - days.sum(axis=1)
    beyond = np.cumsum(days[:, ::-1], axis=1)[:, ::-1]
    rate = (beyond + WORTH * np.exp(-np.maximum(past.EDGES, 0))) / (beyond[:, :1] + WORTH)
    return np.asarray(np.maximum.accumulate(-np.log(rate), axis=1))


@dataclass(frozen=True)
class Heard:
    """What the hours of a day say; shapes ``(series, steps)`` unless said.

    Attributes:
        raw: Evidence at the end of each step, nats; zero where it is none.
        posts: Counts.
        means: Expected counts.
        told: 1 where the step belongs to what was told, else 0.
        moments: The day's excess variances of the windows and their worths, ``(series, 2, windows)``.

    """

    raw: Floats
    posts: Floats
    means: Floats
    told: Floats
    moments: Floats


def hear(
    memory: Slow, done: Followed, judged: Bools, tells: Bools, tied: Floats, skipped: int, sizes: Lengths
) -> Heard:
    """Return what the hours of a day say, as far as they are over.

    Args:
        memory: What is known of the days before.
        done: The followed day.
        judged: Bins that count, ``(series, bins)``.
        tells: Those that tell something by other evidence.
        tied: 1 where a series is pooled with others.
        skipped: Bins of the UTC day before the first.
        sizes: Lengths in bins.

    """
    bins, lengths = step(sizes), windows(sizes)
    posts, means = _steps(done.taken.posts, skipped, bins), _steps(done.taken.mean, skipped, bins)
    over = posts - means > np.float32(NOW_SD) * np.sqrt(means + np.float32(NOW_SCATTER) * means * means)
    told = _told(memory.told[:, -1], tells, over, means > 0, skipped, bins)
    sums = _Sums(memory, posts, means, told)
    error = np.asarray(1 / done.known[:, 0], dtype=np.float32)
    rough = _kappa(memory, done.taken.level, lengths, bins) + error
    moments = _moments(sums, rough, error, lengths)
    rough += np.float32(ROUGH_ADDED) * tied + TINY
    raw = np.zeros_like(posts)
    row, at = cells(over & _ends(judged, skipped, bins))
    raw[row, at] = _evidence(*sums.of(row, at, lengths), rough.take(row, axis=1), sizes.ratios)
    return Heard(raw, posts, means, told, moments)


def _steps(values: Floats, skipped: int, bins: int) -> Floats:
    """Return the sums of the steps of the UTC day that are over; what was skipped of it counts as nothing."""
    if skipped:
        values = np.pad(values, ((0, 0), (skipped, 0)))
    whole = values.shape[1] // bins
    return values[:, :whole] if bins == 1 else row_sums(values[:, : whole * bins].reshape(len(values), whole, bins))


def _ends(values: Bools, skipped: int, bins: int) -> Bools:
    """Return the last bins of those steps."""
    if skipped:
        values = np.pad(values, ((0, 0), (skipped, 0)))
    return values[:, bins - 1 :: bins]


def _told(before: Floats, tells: Bools, over: Bools, known: Bools, skipped: int, bins: int) -> Floats:
    """Return 1 for the steps that belong to what was told: from the first that tells until one is back to normal."""
    told = np.zeros(over.shape, dtype=np.float32)
    rows = np.flatnonzero(tells.any(axis=1) | (before > 0))
    if len(rows):
        at = np.arange(1, over.shape[1] + 1)
        says = _steps(tells[rows].astype(np.float32), skipped, bins) > 0
        normal = known[rows] & ~over[rows] & ~says
        since = np.where(before[rows, None] > 0, 0, -1)
        begun = np.maximum(np.maximum.accumulate(np.where(says, at, -1), axis=1), since)
        told[rows] = begun > np.maximum.accumulate(np.where(normal, at, -1), axis=1)
    return told


class _Sums:
    """Sums of windows; each reaches back to what was told at most: that is no news, and would echo."""

    def __init__(self, memory: Slow, posts: Floats, means: Floats, told: Floats) -> None:
        self.series, self.steps = posts.shape
        self._day = memory.posts.shape[1]
        self._totals = np.zeros((2, self.series, self._day + self.steps + 1))  # before each step, and of all
        for total, before, now in zip(self._totals, (memory.posts, memory.means), (posts, means), strict=True):
            total[:, 1 : self._day + 1], total[:, self._day + 1 :] = before, now
        np.add.accumulate(self._totals, axis=2, out=self._totals)
        self._after = np.zeros((self.series, self._day + self.steps), dtype=np.int64)
        spoken = np.concatenate([memory.told, told], axis=1)
        rows = np.flatnonzero(row_sums(spoken))
        at = np.arange(1, spoken.shape[1] + 1)
        self._after[rows] = np.maximum.accumulate(np.where(spoken[rows] > 0, at, 0), axis=1)

    def of(self, row: Ints, step: Ints, lengths: tuple[int, ...]) -> tuple[Floats, Floats]:
        """Return counts and expectations of the windows that end with some steps of the day, ``(windows, steps)``."""
        end = step + self._day
        begin = np.maximum(end + 1 - np.array(lengths)[:, None], self._after[row, end])
        first = row * (self._day + self.steps + 1)
        begin += first
        end += first + 1
        posts, means = (total.take(end) - total.take(begin) for total in self._totals)
        return posts.astype(np.float32), means.astype(np.float32)


def _kappa(memory: Slow, level: Floats, lengths: tuple[int, ...], bins: int) -> Floats:
    """Return how the sums scatter, ``(windows, series)``: variance = mean + kappa * mean**2."""
    of_bin = scatter.BIN_SCATTER + scatter.CLUMPS / np.maximum(level, np.float32(1e-3))
    prior = np.asarray(STEADY + of_bin / (np.array(lengths)[:, None] * bins), dtype=np.float32)
    excess, worth = memory.moments.transpose(1, 2, 0)
    sure = np.asarray(1 / (scatter.GUESS_SPREAD * prior * prior), dtype=np.float32)
    return scatter.shrunk(excess, worth, prior, sure)


def _moments(sums: _Sums, rough: Floats, error: Floats, lengths: tuple[int, ...]) -> Floats:
    """Return the day's excess variances of the windows and their worths, ``(series, 2, windows)``.

    See :func:`clamor.baseline.scatter.moments`. Windows that overlap say the same: few are taken, and long ones count
    for less.
    """
    apart = lengths[len(lengths) // 2]
    every = np.arange(apart - 1, sums.steps, apart)
    row, at = np.divmod(np.arange(sums.series * len(every)), max(1, len(every)))
    shape = len(lengths), sums.series, len(every)
    posts, means = (each.reshape(shape) for each in sums.of(row, every[at], lengths))
    mean = at_least(means, scatter.LEAST)
    spread = 1 + rough[:, :, None] * mean  # variance of each sum, per expected post
    most = np.float32(scatter.CLIP_SD) * np.sqrt(spread / mean) + np.float32(scatter.CLIP_POSTS) / mean
    off = np.minimum(posts / mean - 1, most)  # in expectations, which stays within float32
    share = np.maximum(np.array(lengths, dtype=np.float32)[:, None, None] / np.float32(apart), 1)
    worth = (means > 0) / (share * (1 / mean + 2 * spread * spread))
    excess = (worth * (off * off - 1 / mean - error[:, None])).sum(axis=2)
    return np.stack([excess, worth.sum(axis=2)]).transpose(2, 0, 1)


def _evidence(posts: Floats, means: Floats, rough: Floats, ratios: tuple[float, ...]) -> Floats:
    """Return the log of the mean likelihood ratio over windows and sizes, of single steps, ``(windows, steps)``."""
    nats = log_ratios(posts, means, np.divide(1, rough, out=rough), ratios)
    own = np.log(at_least(limited(nats).mean(axis=(0, 1)), LEAST))
    few = posts.max(axis=0, initial=0) < np.float32(FEW_POSTS)
    own -= at_least(own - np.float32(FEW_CAP_NATS), 0) * few
    return at_least(own, 0)


def joined(z: Floats, raw: Floats, to: Scale, read: past.Table, skipped: int, sizes: Lengths) -> Floats:
    """Return evidence of both kinds, ``(series, bins)``: each keeps its share of the rate at which it is false.

    Args:
        z: Standardized evidence of the bins, ``(series, bins)``.
        raw: That of the steps, nats, see :class:`Heard`.
        to: How to read it.
        read: What the former counts for, see :func:`clamor.detect.past.table`.
        skipped: Bins of the UTC day before the first.
        sizes: Lengths in bins.

    """
    out = z + np.float32(np.log(1 - SHARE))
    late = _standardized(raw, to.place, to.spread)
    late[to.silent] = -np.inf
    row, at = cells(late >= np.float32(past.FROM - np.log(SHARE)))  # less begins no episode
    end = (at + 1) * step(sizes) - 1 - skipped
    seldom = to.most[to.which[row], np.searchsorted(past.EDGES, late[row, at], side="right") - 1]
    counts = np.minimum(late[row, at], seldom).astype(np.float32) + np.float32(np.log(SHARE))
    out[row, end] = np.maximum(out[row, end], past.needed(counts, read))
    return out


def learn(memory: Slow, heard: Heard, judged: Bools, seen: Floats, sizes: Lengths) -> Slow:
    """Take a whole day into the memory; ``judged`` are its bins that count, ``seen`` the bins observed before it."""
    enough = count(judged) * 2 >= judged.shape[1]
    peak = np.where(enough, heard.raw.max(axis=1), np.float32(np.nan))
    grown = (seen >= GROWN_DAYS * sizes.day)[:, None, None]
    moments = memory.moments * KEPT + heard.moments * grown
    return Slow(heard.posts, heard.means, heard.told, _with(memory.peaks, peak), moments)


def _with(days: Floats, today: Floats) -> Floats:
    """Return the last days with this one in place of the oldest."""
    return np.concatenate([days[:, 1:], today[:, None]], axis=1)
