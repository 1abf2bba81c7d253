"""How often a score is reached when nothing is wrong: tails measured on the series' own quiet past.

Nominal tails are wrong by factors of ten and more on real reports, so evidence (nats) is never read as a probability.
Each series keeps the peak evidence of its last days. Peaks of quiet days follow a Gumbel law; its place and spread come
from the median and the 80th percentile of the peaks, which a few days of real outages do not move, shrunk to those of
the volume class; so does the mean excess of the peaks beyond that, which is larger where talk comes in bursts. A
histogram by volume class maps the body of the distribution.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from clamor.baseline.counts import Floats, Ints, Places
from clamor.baseline.lengths import Lengths
from clamor.baseline.quick import accumulated, at_least, at_most
from clamor.baseline.scatter import VOLUME_CLASSES
from clamor.detect import past
from clamor.detect.renyi import count, mean_excess

PEAK_DAYS = 28
PRIOR_PLACE, PRIOR_SPREAD = 0.7, 0.85
"""Gumbel place and spread of a day's peak, nats, of a synthetic quiet catalogue (tests/benchmarks, tuning seeds)."""
PLACE_DAYS, SPREAD_DAYS = 14.0, 80.0
"""Days of own peaks that weigh as much as those of the class."""
CLASS_DAYS = 50.0
MIN_SPREAD, TIED_SPREAD = 0.4, PRIOR_SPREAD
"""Evidence that is pooled over regions may be wilder than likelihood ratios are by themselves, but is not tamer."""
GUMBEL_MEDIAN, HIGH, GUMBEL_80 = 0.36651, 0.8, 1.49994
STEP = 0.25
EDGES = np.arange(-8.0, 12.01, STEP)
HEAVY_FROM = 1.5
"""Beyond it, a peak of five days, the tail is measured by itself, by the mean excess of the peaks (Gumbel's: one)."""
HEAVY, HEAVY_BURSTY = 1.7, 4.0
"""That of synthetic catalogues, and of bursty series."""
HEAVY_WORTH, TIED_HEAVY_WORTH, HEAVY_CLASS_WORTH = 8.0, 30.0, 40.0
"""How many of the series' own excesses, and of its volume class's, weigh as much as the class, and as those.
Where regions are pooled they are mostly those of the others, and tell less."""
HEAVY_MOST = 8.0
"""An excess counts as so much at most: outages of past weeks are no tail."""
SHARED_FROM, SHARED_WITH = 3.0, 2
"""A day on which a series and as many others of its service peak beyond it was not quiet."""
BEND = 0.2
"""Shape of the generalized Pareto tail of bursty series: it is heavier further out than four weeks show."""
P_EDGES = 10.0 ** np.arange(0, -12.01, -0.1)
HISTOGRAM_DAYS, HISTOGRAM_BINS = 2.0, 28.0
"""Half-life of the histogram: two days, as evidence changes while the baseline is learned, but at least 28 bins."""
HISTOGRAM_PRIOR = 100.0
TESTS_DAYS = 14.0
"""Half-life of the tests among which the share of false ones is sought."""
YOUNG_DAYS = 7
"""A series that has not seen its week does not know its weekend: its p-values count as their roots there."""
LASTING = 0.3
"""The larger a burst, the longer: by this power p-values of bursty series are larger than a day's peaks tell."""
BODY_P = 0.01
"""Below it the exponential tail takes over from the histogram."""
DEFAULT_STANDARD = (-7.0, -3.5, -2.3, -1.4, -0.1, 1.6, 3.6, 6.0)
DEFAULT_P = (1.0, 0.9, 0.7, 0.5, 0.1, 0.01, 0.001, 0.0001)
"""Survival of standardized evidence on a quiet catalogue, a nat to the safe side, until a class has its own."""
DEFAULT = np.exp(np.interp(EDGES, DEFAULT_STANDARD, np.log(DEFAULT_P)))


@dataclass(frozen=True)
class Tails:
    """What is remembered of earlier evidence.

    Attributes:
        peaks: Peak evidence of each of the last days, nats, ``(series, days)``; NaN where less than half was judged.
        shared: Whether others of the service peaked along with it that day, which was no quiet one then.
        singles: As ``peaks``, of quiet days' single bins by themselves; NaN where bins are not fine.
        body: Decayed counts of standardized evidence by volume class, ``(classes, bins of EDGES)``.
        recent: Decayed counts of tests by p-value, ``(len(P_EDGES),)``.

    """

    peaks: Floats
    shared: npt.NDArray[np.bool_]
    singles: Floats
    body: npt.NDArray[np.float64]
    recent: npt.NDArray[np.float64]

    def take(self, rows: Ints) -> "Tails":
        """Return the memory of other rows: ``rows[i]`` is the old row of the new row i, or -1 for a new series."""
        new = start(1)
        names = ("peaks", "shared", "singles")
        both = {name: np.concatenate([getattr(self, name), getattr(new, name)])[rows] for name in names}
        return replace(self, **both)


@dataclass(frozen=True)
class Scale:
    """How to read evidence on one day.

    Attributes:
        place: Gumbel place of each series' daily peak, nats.
        spread: Its spread.
        heavy: By how much the peaks beyond HEAVY_FROM exceed it on average; Gumbel's by one.
        bursty: How far posts within minutes repeat each other; the tail of such series bends.
        nats: Minus the log of the share of quiet bins beyond EDGES, standardized, by volume class.
        body: Evidence up to which that holds, by volume class.
        past: What evidence counts for, see :func:`clamor.detect.past.table`.
        which: Volume class of each series.
        new: Whether a series has no day of its own yet.
        young: Whether it has less than YOUNG_DAYS.

    """

    place: Floats
    spread: Floats
    heavy: Floats
    bursty: Floats
    nats: Floats
    body: Floats
    past: npt.NDArray[np.float64]
    which: npt.NDArray[np.int64]
    new: npt.NDArray[np.bool_]
    young: npt.NDArray[np.bool_]

    def rows(self, rows: slice) -> "Scale":
        """Return the scale of some series."""
        return Scale(
            self.place[rows],
            self.spread[rows],
            self.heavy[rows],
            self.bursty[rows],
            self.nats,
            self.body,
            self.past,
            self.which[rows],
            self.new[rows],
            self.young[rows],
        )


def start(series: int) -> Tails:
    """Return the memory of nothing."""
    never = np.full((series, PEAK_DAYS), np.nan, dtype=np.float32)
    return Tails(
        peaks=never,
        shared=never > 0,
        singles=never,
        body=np.zeros((len(VOLUME_CLASSES) + 1, len(EDGES))),
        recent=np.zeros(len(P_EDGES)),
    )


def scale(tails: Tails, level: Floats, tied: Floats, bursty: Floats, sizes: Lengths) -> Scale:
    """Derive the scale of the next day from the days so far.

    Args:
        tails: The memory.
        level: Expected posts a bin of each series.
        tied: 1 where a series is pooled with others.
        bursty: How far posts within minutes repeat each other, see :mod:`clamor.detect.bursts`.
        sizes: Lengths in bins.

    """
    which = np.searchsorted(VOLUME_CLASSES, level)
    quiet = np.where(tails.shared, np.float32(np.nan), tails.peaks)
    days = count(~np.isnan(quiet))
    median, wide = quantiles(quiet, days)
    place, spread = _of_classes(which, days, median, wide - median)
    share = days / (days + SPREAD_DAYS)
    mine = np.where(days > 3, (wide - median) / (GUMBEL_80 - GUMBEL_MEDIAN), spread)
    spread = np.maximum(share * mine + (1 - share) * spread, np.where(tied > 0, TIED_SPREAD, MIN_SPREAD))
    share = days / (days + PLACE_DAYS)
    place = np.where(days > 0, share * (median - GUMBEL_MEDIAN * spread) + (1 - share) * place, place)
    gumbel = place.astype(np.float32), spread.astype(np.float32)
    peaks = (quiet - gumbel[0][:, None]) / gumbel[1][:, None]
    heavy = _heavy(peaks, which, np.where(tied > 0, TIED_HEAVY_WORTH, HEAVY_WORTH), bursty, sizes)
    nats = -np.log(_survival(tails.body)).astype(np.float32)
    body = np.array([np.interp(-np.log(BODY_P), each, EDGES) for each in nats], dtype=np.float32)
    out = Scale(*gumbel, heavy, bursty, nats, body, past.EDGES, which, days == 0, days < YOUNG_DAYS)
    return replace(out, past=past.table(past.count(standardize(tails.peaks[:, -past.DAYS :], out))))


def _of_classes(
    which: npt.NDArray[np.int64], days: Ints, median: Floats, gap: Floats
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the Gumbel place and spread of each series' volume class; ``gap`` lies between median and HIGH."""
    place, spread = np.empty(len(which)), np.empty(len(which))
    known = days > 0
    for k in np.flatnonzero(np.bincount(which)):
        members = which == k
        rows = np.flatnonzero(members & known)
        seen = days[rows]
        weight = seen.sum() / (seen.sum() + CLASS_DAYS)
        own_spread = _weighted_median(gap[rows], seen) / (GUMBEL_80 - GUMBEL_MEDIAN)
        own_place = _weighted_median(median[rows], seen) - GUMBEL_MEDIAN * own_spread
        place[members] = weight * own_place + (1 - weight) * PRIOR_PLACE
        spread[members] = weight * own_spread + (1 - weight) * PRIOR_SPREAD
    return place, spread


def _heavy(
    peaks: Floats, which: npt.NDArray[np.int64], sure: npt.NDArray[np.float64], bursty: Floats, sizes: Lengths
) -> Floats:
    """Return the mean excess of standardized peaks beyond HEAVY_FROM, but for each series' largest, which may be real.

    A bin of a day or more is the day's peak itself: its spread is that of its tail, and is not widened once more.
    """
    if sizes.wide:
        return np.ones(len(peaks), dtype=np.float32)
    usual = HEAVY + (HEAVY_BURSTY - HEAVY) * bursty
    excess = np.minimum(peaks - np.float32(HEAVY_FROM), np.float32(HEAVY_MOST))
    total, worth = mean_excess(excess)
    found, sought = np.bincount(which, total), np.bincount(which, worth)
    prior = (found[which] + usual * HEAVY_CLASS_WORTH) / (sought[which] + HEAVY_CLASS_WORTH)
    heavy = (total + prior * sure) / (worth + sure)
    return np.asarray(np.maximum(heavy, 1), dtype=np.float32)


def quantiles(peaks: Floats, days: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Return the median and the 80th percentile of each series' daily peaks, of which ``days`` are no NaN."""
    ordered = np.sort(peaks, axis=1)  # NaN comes last
    ordered[days == 0] = 0
    rows = np.arange(len(peaks))

    def at(q: float) -> Floats:
        position = q * np.maximum(days - 1, 0)
        low = position.astype(np.int64)
        high = np.minimum(low + 1, np.maximum(days - 1, 0))
        part = (position - low).astype(np.float32)
        return np.asarray(ordered[rows, low] * (1 - part) + ordered[rows, high] * part, dtype=np.float32)

    return at(0.5), at(HIGH)


def _weighted_median(values: Floats, weights: npt.NDArray[np.int64]) -> float:
    if not len(values):
        return 0.0
    order = values.argsort()
    total = weights[order].cumsum()
    return float(values[order[total.searchsorted(total[-1] / 2)]])


def _survival(body: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return for each class the survival at EDGES: the default, overtaken by what was seen."""
    above = np.cumsum(body[:, ::-1], axis=1)[:, ::-1]
    total = above[:, :1]
    return np.asarray((above + HISTOGRAM_PRIOR * DEFAULT) / (total + HISTOGRAM_PRIOR))


def standardize(raw: Floats, to: Scale) -> Floats:
    """Return evidence in units of each series' own tail: a day's peak exceeds z with rate exp(-z)."""
    z = (raw - to.place[:, None]) / to.spread[:, None]
    beyond = at_least(z - np.float32(HEAVY_FROM), 0)
    z -= beyond
    beyond /= to.heavy[:, None]
    bent = np.flatnonzero(to.bursty)
    if len(bent):
        bend = np.float32(BEND) * to.bursty[bent, None]
        beyond[bent] = np.log1p(beyond[bent] * (bend / (1 - bend))) / bend
    z += beyond
    return np.asarray(z, dtype=np.float32)


def p_value(z: Floats, worth: Floats, to: Scale) -> Floats:
    """Return the share of quiet bins of the volume class that reach z; beyond one in a hundred by what z is worth."""
    nats, tail = to.nats.ravel(), to.body[to.which, None]
    at = z - np.float32(EDGES[0])
    at /= np.float32(STEP)
    np.clip(at, 0, np.float32(len(EDGES) - 1.001), out=at)
    low = at.astype(np.int32)
    at -= low
    low += (to.which * len(EDGES)).astype(np.int32)[:, None]
    step = np.append(np.diff(nats), np.float32(0))
    out = np.negative(nats.take(low))
    out -= np.multiply(at, step.take(low), out=at)
    slope = 1 - np.float32(LASTING) * to.bursty[:, None]
    beyond = (past.worth(to.body, to.past)[to.which, None] - worth) * slope
    return np.exp(np.where(z > tail, np.float32(np.log(BODY_P)) + beyond, out))


def cells(p: Floats, young: npt.NDArray[np.bool_]) -> Places:
    """Return for each test the cell of a histogram by bin and p-value; bins without a test have one of their own.

    The p-value of a ``young`` series counts as its root.
    """
    with np.errstate(divide="ignore"):
        tenths = np.log(p)
    tenths *= np.where(young, np.float32(0.5), np.float32(1))[:, None] * np.float32(-10 / np.log(10))
    at_most(tenths, np.float32(len(P_EDGES) - 1), out=tenths)
    np.fmin(tenths, np.float32(len(P_EDGES)), out=tenths)  # NaN, where there is no test
    out = tenths.astype(np.int32)
    out += np.arange(p.shape[1], dtype=np.int32) * np.int32(len(P_EDGES) + 1)
    return out


def tests(cell: Places) -> npt.NDArray[np.float64]:
    """Count the tests of each bin by p-value, ``(bins, len(P_EDGES))``."""
    bins = cell.shape[1]
    counts = np.bincount(cell.ravel(), minlength=bins * (len(P_EDGES) + 1)).reshape(bins, -1)
    return counts[:, :-1].astype(np.float64)


def false_shares(of_day: npt.NDArray[np.float64], tails: Tails) -> Floats:
    """Return for each cell the share of false ones among all tests of this and the last days so far that reach it.

    Tail-area false discovery rate (Benjamini and Hochberg 1995; Efron 2010, Large-Scale Inference, chapter 2), from a
    histogram, over all services and regions, and over the last weeks up to the bin itself: what is false comes in
    clumps, so a day by itself would find many where nothing is.

    Args:
        of_day: The day's tests of all series, see :func:`tests`.
        tails: The memory, with the tests of earlier days.

    Returns:
        The shares by cell, see :func:`cells`; NaN for those without a test.

    """
    counts = tails.recent + accumulated(of_day)
    reached = accumulated(counts.T[::-1])[::-1]  # the tests that are at least so extreme
    share = P_EDGES[:, None] * reached[0] / np.maximum(reached, 1)
    share = accumulated(np.minimum(share, 1), np.minimum)  # from the mildest test to the most extreme
    out = np.full((len(of_day), len(P_EDGES) + 1), np.nan, dtype=np.float32)
    out[:, :-1] = share.T
    return out.ravel()


@dataclass(frozen=True)
class Heard:
    """What some series say of a day.

    Attributes:
        peak: Peak evidence of each series, nats; -inf where nothing was judged.
        single: The same of single bins by themselves.
        high: Peak evidence, standardized.
        enough: Whether at least half of the day was judged.
        body: Quiet bins by volume class and standardized evidence, ``(classes, bins of EDGES)``.

    """

    peak: Floats
    single: Floats
    high: Floats
    enough: npt.NDArray[np.bool_]
    body: npt.NDArray[np.float64]


def hear(
    raw: Floats,
    singles: Floats | None,
    z: Floats,
    judged: npt.NDArray[np.bool_],
    flagged: npt.NDArray[np.bool_],
    to: Scale,
) -> Heard:
    """Sum a day up; flagged bins count for the peaks but not for the body."""
    none = np.float32(-np.inf)
    at = z - np.float32(EDGES[0])
    at /= np.float32(STEP)
    np.clip(at, 0, np.float32(len(EDGES) - 1), out=at)
    cell = at.astype(np.int32)
    cell += (to.which * len(EDGES)).astype(np.int32)[:, None]
    size = len(to.nats) * len(EDGES)
    cell[~judged | flagged | to.new[:, None]] = size
    body = np.bincount(cell.ravel(), minlength=size + 1)[:size].reshape(-1, len(EDGES)).astype(np.float64)
    enough = count(judged) * 2 >= raw.shape[1]
    peak = np.where(judged, raw, none).max(axis=1)
    return Heard(
        peak,
        np.full(len(raw), np.nan, dtype=np.float32) if singles is None else np.where(judged, singles, none).max(axis=1),
        standardize(peak[:, None], to)[:, 0],
        enough,
        body,
    )


def learn(tails: Tails, heard: list[Heard], of_day: npt.NDArray[np.float64], service: Ints) -> Tails:
    """Take a whole day into the memory: what all series say, in order, and the tests that were made of them."""
    peak, single = (np.concatenate([getattr(part, name) for part in heard]) for name in ("peak", "single"))
    enough = np.concatenate([part.enough for part in heard])
    shared = _shared(np.concatenate([part.high for part in heard]), service)
    peaks = _with(tails.peaks, np.where(enough, peak, np.float32(np.nan)))
    singles = _with(tails.singles, np.where(enough & ~shared, single, np.float32(np.nan)))
    keep = 0.5 ** (1 / max(HISTOGRAM_DAYS, HISTOGRAM_BINS / len(of_day)))
    body = tails.body * keep + sum(part.body for part in heard)
    recent = tails.recent * 0.5 ** (1 / TESTS_DAYS) + of_day.sum(axis=0)
    return Tails(peaks, _with(tails.shared, shared), singles, body, recent)


def _with(days: npt.NDArray[Any], today: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the last days with this one in place of the oldest."""
    return np.concatenate([days[:, 1:], today[:, None]], axis=1)


def _shared(peak: Floats, service: Ints) -> npt.NDArray[np.bool_]:
    """Return the series that peaked along with others of their service: that was something real, and no quiet day."""
    hot = peak > SHARED_FROM
    return hot & (np.bincount(service, weights=hot)[service] > SHARED_WITH)
