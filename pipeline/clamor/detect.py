"""Score and state of every bin: counts in, verdicts out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from clamor import baseline, pooling, tails
from clamor import counts as panels
from clamor.budget import ELEVATED_P, outage_level
from clamor.counts import Floats, Panel
from clamor.errors import InputError
from clamor.schema import VERDICT_COLUMNS, State
from clamor.sources import combine

__all__ = ["Learnt", "combine", "detect", "learn"]

STATE_NAMES = pd.array(
    [str(s) for s in (State.NORMAL, State.ELEVATED, State.OUTAGE, State.NO_DATA, State.WARM_UP)], dtype="str"
)
COLUMNS = (
    *VERDICT_COLUMNS[3:],
    "posts",
    "dispersion",
    "level_cv",
    "excess_low",
    "excess_high",
    "ratio",
    "training_bins",
)
"""What a row says beyond its key; those after ``flag`` are for the lake and left out of ``clamor detect --counts``."""


def detect(
    counts: pd.DataFrame,
    regions: pd.DataFrame | None = None,
    *,
    bin_minutes: int = 15,
    eval_start: pd.Timestamp | None = None,
    budget: float = 0.1,
    learnt: "Learnt | None" = None,
) -> pd.DataFrame:
    """Judge every bin of every series.

    Args:
        counts: ``service, region, bin_start, count`` and optionally ``observed``, ``mentions``, ``segment``; see
            :func:`clamor.counts.panel`.
        regions: ``region, parent`` and ``timezone`` or ``utc_offset_h``.
        bin_minutes: Width of a bin.
        eval_start: Bins before it are used but not returned.
        budget: False incidents per series and week that the user is ready to see.
        learnt: What :func:`learn` made of all bins before the first of ``counts``; the answer is the same as with
            those bins, at a fraction of the cost.

    Returns:
        One row per series and bin from its first (or ``eval_start``) to its last, absent bins included as ``no_data``,
        with the columns of :data:`clamor.schema.VERDICT_COLUMNS` and ``posts, dispersion, level_cv, excess_low,
        excess_high, ratio, training_bins``. A row depends on nothing after its bin.

    Raises:
        InputError: the input breaks a rule of :func:`clamor.counts.panel`, or the budget or ``eval_start`` is wrong.

    """
    if not budget > 0:
        raise InputError(f"budget {budget}: false incidents per series-week are more than zero; say such as 0.1")
    if eval_start is not None and pd.Timestamp(eval_start).tzinfo is None:
        raise InputError(f"eval_start {eval_start}: a naive time; times are UTC by type; add an offset such as Z")
    table = panels.panel(counts, regions, bin_minutes)
    if learnt is not None and learnt.key != (_series(table), table.start_minute, bin_minutes, budget):
        raise InputError(
            "learnt: of other series, another time, width or budget than these counts; learn again, see learn()"
        )
    parts = list(_judge(table, eval_start, budget, learnt))
    return _frame(table, parts)


@dataclass(frozen=True)
class Learnt:
    """What the bins before a time teach of those after it; plain arrays that may be pickled.

    Attributes:
        key: The series, the first minute that is not learnt, the bin width and the budget: what it holds for.
        known: The baseline and the tails.

    """

    key: tuple[tuple[tuple[str, str], ...], int, int, float]
    known: "_Known"


class _Known(NamedTuple):
    """All that later days need of earlier ones."""

    fitted: baseline.Fitted
    memory: tails.Tails


def learn(
    counts: pd.DataFrame,
    regions: pd.DataFrame | None = None,
    *,
    bin_minutes: int = 15,
    budget: float = 0.1,
) -> Learnt:
    """Learn from whole days of counts, so that later bins can be judged without them.

    ``detect(later, learnt=learn(earlier))`` answers as ``detect(earlier + later)`` does for the later bins, if the
    earlier ones end at a UTC midnight and both hold the same series.

    Args:
        counts: As for :func:`detect`, up to a UTC midnight.
        regions: As for :func:`detect`.
        bin_minutes: Width of a bin; it divides a day.
        budget: False incidents per series and week.

    Raises:
        InputError: as :func:`detect`; or the counts do not end at a midnight.

    """
    table = panels.panel(counts, regions, bin_minutes)
    end = table.start_minute + table.bins * bin_minutes
    if end % panels.MINUTES_PER_DAY or bin_minutes > panels.MINUTES_PER_DAY:
        raise InputError(
            f"learn: the counts end {end % panels.MINUTES_PER_DAY} min after a UTC midnight; cut them there"
        )
    sizes = baseline.scale(bin_minutes)
    dates = baseline.calendar(table, sizes)
    known = _nothing(table, sizes)
    for columns in baseline.days(table, sizes):
        known = _after(_step(table, dates, columns, known, sizes, budget), known, sizes)
    return Learnt((_series(table), end, bin_minutes, budget), known)


def _series(table: Panel) -> tuple[tuple[str, str], ...]:
    return tuple(zip(table.service.tolist(), table.region.tolist(), strict=True))


def _nothing(table: Panel, sizes: baseline.Scale) -> _Known:
    return _Known(baseline.start(len(table.service), sizes), tails.start(len(table.service)))


class _Step(NamedTuple):
    """One day judged: the baseline followed through it, the evidence raw and standardized, and what it means."""

    block: baseline.Day
    done: baseline.Followed
    raw: Floats
    to: tails.Scale
    z: Floats
    judged: npt.NDArray[np.bool_]
    outage: npt.NDArray[np.bool_]


def _step(
    table: Panel, dates: baseline.Calendar, columns: slice, known: _Known, sizes: baseline.Scale, budget: float
) -> _Step:
    """Judge one day by what is known before it."""
    block = baseline.day(table, dates, columns)
    done = baseline.follow(known.fitted, block, sizes)
    raw = pooling.evidence(
        done.sums, done.means, done.scatter, done.known, table.service_code, table.group, sizes.ratios
    )
    to = tails.scale(known.memory, done.level)
    z = tails.standardize(raw, to)
    judged = done.ready & (done.observed > 0)
    return _Step(block, done, raw, to, z, judged, judged & (z >= outage_level(budget, sizes.block_days)))


def _after(step: _Step, known: _Known, sizes: baseline.Scale) -> _Known:
    """Return what is known after a judged day."""
    return _Known(
        baseline.refit(known.fitted, step.block, step.done, sizes),
        tails.learn(known.memory, step.raw, step.z, step.judged, step.outage, step.to),
    )


def _judge(
    table: Panel, eval_start: pd.Timestamp | None, budget: float, learnt: Learnt | None
) -> Iterator[tuple[slice, dict[str, npt.NDArray[np.generic]]]]:
    """Walk the days; yield the verdict arrays of each day from ``eval_start`` on."""
    sizes = baseline.scale(table.bin_minutes)
    dates = baseline.calendar(table, sizes)
    known = _nothing(table, sizes) if learnt is None else learnt.known
    since = -(2**60) if eval_start is None else pd.Timestamp(eval_start).timestamp() / 60
    blocks = baseline.days(table, sizes)
    for columns in blocks:
        step = _step(table, dates, columns, known, sizes, budget)
        if table.minutes[columns.stop - 1] >= since:
            skip = int(np.searchsorted(table.minutes[columns], since))
            p = np.where(step.judged, tails.p_value(step.z, step.to), np.nan)
            score = np.where(step.judged, (step.z + np.log(sizes.day)) / np.log(10), np.nan)
            shown = slice(columns.start + skip, columns.stop)
            yield shown, _verdicts(step.done, known.fitted, score, p, step.judged, step.outage, skip)
        if columns is not blocks[-1]:
            known = _after(step, known, sizes)


def _verdicts(
    done: baseline.Followed,
    fitted: baseline.Fitted,
    score: Floats,
    p: Floats,
    judged: npt.NDArray[np.bool_],
    outage: npt.NDArray[np.bool_],
    skip: int,
) -> dict[str, npt.NDArray[np.generic]]:
    unseen = done.observed == 0
    state = np.where(p < ELEVATED_P, 1, 0).astype(np.int8)
    state[outage] = 2
    state[~done.ready] = 4
    state[unseen] = 3
    null = ~judged
    spread = done.mean + done.mean**2 * (done.dispersion + done.level_cv**2)
    low, high = band(done.mean, spread)
    excess = done.posts - done.mean
    out: dict[str, npt.NDArray[np.generic]] = {
        "state": state,
        "score": score,
        "p_value": p,
        "q_value": np.where(null, np.nan, _false_discovery(p)),
        "expected": np.where(null, np.nan, done.mean),
        "low": np.where(null, np.nan, low),
        "high": np.where(null, np.nan, high),
        "excess": np.where(null, np.nan, excess),
        "flag": state == 2,
        "posts": np.where(unseen, np.nan, done.posts),
        "dispersion": np.where(null, np.nan, done.dispersion),
        "level_cv": np.where(null, np.nan, done.level_cv),
        "excess_low": np.where(null, np.nan, done.posts - high),
        "excess_high": np.where(null, np.nan, done.posts - low),
        "ratio": np.where(null, np.nan, (done.posts + 0.5) / (done.mean + 0.5)),
        "training_bins": np.broadcast_to(fitted.seen[:, None], state.shape).astype(np.int32),
    }
    return {name: values[:, skip:] for name, values in out.items()}


def band(mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Return the 95% prediction interval of counts, by Wilson and Hilferty's cube root and half a post."""
    m = np.maximum(mean, 1e-6)
    h = variance / (9 * m * m)
    root = 1.96 * np.sqrt(h)
    low = np.maximum(m * np.maximum(1 - h - root, 0) ** 3 - 0.5, 0)
    high = m * np.maximum(1 - h + root, 0) ** 3 + 0.5
    return np.ceil(low), np.ceil(np.maximum(high, 0))


def _false_discovery(p: Floats) -> Floats:
    """Return Benjamini and Hochberg's adjusted p-values over the series of each bin."""
    order = np.argsort(p, axis=0, kind="stable")
    ranked = np.take_along_axis(p, order, axis=0)
    tests = (~np.isnan(p)).sum(axis=0)
    ranks = np.arange(1, len(p) + 1, dtype=np.float32)[:, None]
    adjusted = np.minimum(ranked * tests / ranks, 1)
    adjusted = np.minimum.accumulate(np.where(np.isnan(adjusted), 1, adjusted)[::-1], axis=0)[::-1]
    out = np.empty_like(p)
    np.put_along_axis(out, order, adjusted.astype(p.dtype), axis=0)
    return out


def _frame(table: Panel, parts: list[tuple[slice, dict[str, npt.NDArray[np.generic]]]]) -> pd.DataFrame:
    """Lay the verdicts out as rows: by series, then by bin, each series from its first to its last."""
    begin = parts[0][0].start if parts else table.bins
    column = np.arange(begin, table.bins)
    inside = (column >= table.first[:, None]) & (column <= table.last[:, None])
    row, at = np.nonzero(inside)
    time = ((table.start_minute + (at + begin) * table.bin_minutes) * 60_000_000).astype("datetime64[us]")
    frame = pd.DataFrame(
        {
            "service": pd.Series(table.service, dtype="str").array.take(row),
            "region": pd.Series(table.region, dtype="str").array.take(row),
            "bin_start": pd.DatetimeIndex(time).tz_localize("UTC"),
        }
    )
    for name in COLUMNS:
        pieces = [part[name] for _, part in parts]
        values = np.concatenate(pieces, axis=1)[inside] if pieces else np.zeros(0)
        frame[name] = STATE_NAMES.take(values.astype(np.intp)) if name == "state" else values
    return frame
