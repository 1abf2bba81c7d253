"""The walk over days: judge each by what is known before it, then learn from it."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from clamor.baseline import fit
from clamor.baseline.counts import MINUTES_PER_DAY, Floats, Panel
from clamor.baseline.groups import Rows
from clamor.baseline.lengths import Lengths, lengths
from clamor.baseline.level import Followed, follow
from clamor.baseline.season import Calendar, calendar
from clamor.detect import pooling, tails
from clamor.detect.budget import LEARN_BUDGET, first_day_level, outage_level
from clamor.detect.rows import Grids
from clamor.detect.verdicts import verdicts
from clamor.errors import InputError


@dataclass(frozen=True)
class Known:
    """All that later days need of earlier ones: the fit, the tails, and the last day's p-values."""

    fitted: fit.Fitted
    memory: tails.Tails


@dataclass(frozen=True)
class Learnt:
    """What the bins before a midnight teach of those after it; plain arrays that may be pickled.

    Attributes:
        names: The series: ``service, region, segment``.
        until_minute: The first minute since the epoch that is not learnt.
        origin_minute: Where the first learnt bin lies.
        bin_minutes: Width of the bins.
        budget: As it was asked for.
        known: The state at that midnight.

    """

    names: pd.DataFrame
    until_minute: int
    origin_minute: int
    bin_minutes: int
    budget: float
    known: Known

    @property
    def key(self) -> tuple[tuple[tuple[str, str], ...], int, int, float]:
        """The series, the first minute that is not learnt, the bin width and the budget: what it holds for."""
        pairs = tuple(zip(self.names["service"].tolist(), self.names["region"].tolist(), strict=True))
        return pairs, self.until_minute, self.bin_minutes, self.budget


@dataclass(frozen=True)
class Layout:
    """What stays the same from day to day: the panel, its lengths, its place in the local weeks, its groups."""

    table: Panel
    sizes: Lengths
    dates: Calendar
    services: Rows
    parts: list[pooling.Chunk]

    @classmethod
    def of(cls, table: Panel) -> "Layout":
        """Lay a panel out."""
        sizes = lengths(table.bin_minutes)
        services = Rows(table.service_code)
        return cls(table, sizes, calendar(table, sizes), services, pooling.chunks(table.service_code, table.group))


class Step(NamedTuple):
    """One day judged: the baseline followed through it, its evidence, raw and standardized, and whether it counts.

    ``p`` is all NaN where nobody will ask for it.
    """

    block: fit.Day
    done: Followed
    raw: Floats
    to: tails.Scale
    z: Floats
    judged: npt.NDArray[np.bool_]
    p: Floats


def judge(table: Panel, budget: float, since: float | None, learnt: Learnt | None) -> Grids:
    """Walk the days; return the verdicts of the bins from the minute ``since`` on."""
    layout = Layout.of(table if learnt is None else table.since(learnt.origin_minute))
    sizes = layout.sizes
    known = _nothing(table, sizes) if learnt is None else _carried(learnt, table, sizes)
    limits = outage_level(budget, sizes.block_days), first_day_level(budget, sizes.block_days)
    begin = 0 if since is None else int(np.searchsorted(table.minutes, since))
    out = Grids(table, begin)
    blocks = fit.blocks(table)
    shown = [columns.stop > begin for columns in blocks]
    for i, columns in enumerate(blocks):
        now = _step(layout, columns, known, asked=any(shown[i : i + 2]))
        if shown[i]:
            limit = np.where(now.to.new, limits[1], limits[0])[:, None].astype(np.float32)
            day = verdicts(now.done, known, now.z, now.p, now.judged, limit, sizes)
            skip = max(begin - columns.start, 0)
            out.put(slice(None), slice(columns.start + skip, columns.stop), day.after(skip))
        if columns is not blocks[-1]:
            known = _after(now, known, sizes)
    return out


def settle(table: Panel, budget: float) -> Learnt:
    """Learn from a panel of whole days."""
    end = table.start_minute + table.bins * table.bin_minutes
    if end % MINUTES_PER_DAY or table.bin_minutes > MINUTES_PER_DAY:
        raise InputError(
            f"learn: the counts end {end % MINUTES_PER_DAY} min after a UTC midnight; cut them there; say until when"
        )
    layout = Layout.of(table)
    known = _nothing(table, layout.sizes)
    blocks = fit.blocks(table)
    for columns in blocks:
        known = _after(_step(layout, columns, known, asked=columns is blocks[-1]), known, layout.sizes)
    return Learnt(table.names, end, table.origin_minute, table.bin_minutes, budget, known)


def _nothing(table: Panel, sizes: Lengths) -> Known:
    return Known(fit.start(len(table.names), sizes), tails.start(len(table.names)))


def _carried(learnt: Learnt, table: Panel, sizes: Lengths) -> Known:
    """Return what is known, in the order of this panel's series; new series start afresh."""
    old = pd.MultiIndex.from_frame(learnt.names)
    rows = old.get_indexer(pd.MultiIndex.from_frame(table.names)).astype(np.int64)
    return Known(learnt.known.fitted.take(rows, table.service_code, sizes), learnt.known.memory.take(rows))


def _step(layout: Layout, columns: slice, known: Known, *, asked: bool) -> Step:
    """Judge one day by what is known before it; ``asked``: this day or the next is shown, so p-values are needed."""
    block = fit.day(layout.table, layout.dates, layout.services, columns)
    done = follow(known.fitted, block, layout.sizes)
    raw = pooling.evidence(done, layout.parts, layout.sizes)
    to = tails.scale(known.memory, done.taken.level)
    z = tails.standardize(raw, to)
    judged = done.ready & (done.taken.observed > 0)
    nobody = np.full(z.shape, np.nan, dtype=np.float32)
    return Step(block, done, raw, to, z, judged, np.where(judged, tails.p_value(z, to), nobody) if asked else nobody)


def _after(now: Step, known: Known, sizes: Lengths) -> Known:
    """Return what is known after a judged day."""
    alarmed = now.judged & (now.z >= outage_level(LEARN_BUDGET, sizes.block_days))
    return Known(
        fit.refit(known.fitted, now.block, now.done.taken, sizes),
        tails.learn(known.memory, now.raw, now.z, now.p, now.judged, alarmed, now.to),
    )
