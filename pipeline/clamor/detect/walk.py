"""The walk over days: judge each by what is known before it, then learn from it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from clamor.baseline import fit, scatter
from clamor.baseline.counts import MINUTES_PER_DAY, Panel
from clamor.baseline.lengths import Lengths, lengths
from clamor.baseline.level import follow
from clamor.baseline.season import Calendar, Clocks, calendar, everywhere
from clamor.detect import bursts, news, past, pooling, slow, tails
from clamor.detect.budget import LEARN_BUDGET, first_day_level, outage_level
from clamor.detect.rows import Grids
from clamor.detect.verdicts import Verdicts, verdicts
from clamor.errors import InputError


@dataclass(frozen=True)
class Known:
    """All that later days need of earlier ones: the fit, the tails with the last day's p-values, and what was told."""

    fitted: fit.Fitted
    memory: tails.Tails
    told: news.Told
    slow: slow.Slow


@dataclass(frozen=True)
class Learnt:
    """What the bins before a midnight teach of those after it; plain arrays, see :mod:`clamor.detect.keep` for files.

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


PART_BINS = 70_000
"""About how many bins of a day are judged at a time (whole services), so that arrays stay in the processor's cache."""


@dataclass(frozen=True)
class Part:
    """Some whole services: their rows, their clocks, and what ties them."""

    rows: slice
    clocks: Clocks
    ties: pooling.Ties


@dataclass(frozen=True)
class Layout:
    """What stays the same from day to day: the panel, its lengths, its place in the local weeks, its parts."""

    table: Panel
    sizes: Lengths
    dates: Calendar
    parts: list[Part]

    @classmethod
    def of(cls, table: Panel) -> "Layout":
        """Lay a panel out."""
        sizes = lengths(table.bin_minutes)
        dates = calendar(table, sizes)
        return cls(table, sizes, dates, _parts(table, dates, round(len(table.names) * sizes.day / PART_BINS)))


def _parts(table: Panel, dates: Calendar, number: int) -> list[Part]:
    """Cut the series, which are in order of their services, into about so many parts."""
    least = len(table.names) / max(number, 1)
    edges = [*np.flatnonzero(np.diff(table.service_code, prepend=-1))[1:], len(table.names)]
    holder, inside = table.above
    out: list[Part] = []
    begin = 0
    for end in map(int, edges):
        if end - begin >= least or end == len(table.names):
            rows = slice(begin, end)
            here = (holder >= begin) & (holder < end)
            above = holder[here] - begin, inside[here] - begin
            ties = pooling.Ties.of(table.service_code[rows], table.group[rows], above)
            out.append(Part(rows, dates.clocks(rows), ties))
            begin = end
    return out


@dataclass
class State:
    """What is known at a midnight, part by part; if ``stale``, the seasons of the fits are those of an earlier one."""

    fitted: list[fit.Fitted]
    memory: tails.Tails
    told: list[news.Told]
    slow: list[slow.Slow]
    stale: bool = False


def judge(table: Panel, budget: float, since: float | None, learnt: Learnt | None) -> Grids:
    """Walk the days; return the verdicts of the bins from the minute ``since`` on."""
    layout = Layout.of(table if learnt is None else table.since(learnt.origin_minute))
    begin = 0 if since is None else int(np.searchsorted(table.minutes, since))
    out = Grids(table, begin)
    known = _nothing(layout) if learnt is None else _carried(learnt, layout)
    blocks = fit.blocks(table)
    for columns in blocks:
        _step(layout, columns, known, budget, out if columns.stop > begin else None, last=columns is blocks[-1])
    return out


def settle(table: Panel, budget: float) -> Learnt:
    """Learn from a panel of whole days."""
    end = table.start_minute + table.bins * table.bin_minutes
    if end % MINUTES_PER_DAY or table.bin_minutes > MINUTES_PER_DAY:
        raise InputError(
            f"learn: the counts end {end % MINUTES_PER_DAY} min after a UTC midnight; cut them there; say until when"
        )
    layout = Layout.of(table)
    known = _nothing(layout)
    blocks = fit.blocks(table)
    for columns in blocks:
        _step(layout, columns, known, budget, None, last=False)
    _reshape(layout, known)
    fitted = fit.join(known.fitted)
    return Learnt(
        table.names,
        end,
        table.origin_minute,
        table.bin_minutes,
        budget,
        Known(fitted, known.memory, news.join(known.told), slow.join(known.slow)),
    )


def _nothing(layout: Layout) -> State:
    series, sizes = len(layout.table.names), layout.sizes
    lengths = [part.rows.stop - part.rows.start for part in layout.parts]
    return State(
        [fit.start(n, sizes) for n in lengths],
        tails.start(series),
        [news.start(n) for n in lengths],
        [slow.start(n, sizes) for n in lengths],
    )


def _carried(learnt: Learnt, layout: Layout) -> State:
    """Return what is known, in the order of this panel's series; new series start afresh."""
    table = layout.table
    old = pd.MultiIndex.from_frame(learnt.names)
    rows = old.get_indexer(pd.MultiIndex.from_frame(table.names)).astype(np.int64)
    fitted = learnt.known.fitted.take(rows, table.service_code, layout.sizes)
    told = learnt.known.told.take(rows)
    slowly = learnt.known.slow.take(rows, layout.sizes)
    return State(
        [fitted.rows(part.rows) for part in layout.parts],
        learnt.known.memory.take(rows),
        [told.rows(part.rows) for part in layout.parts],
        [slowly.rows(part.rows) for part in layout.parts],
    )


def _step(layout: Layout, columns: slice, known: State, budget: float, out: Grids | None, *, last: bool) -> None:
    """Judge one day and learn from it, or let it pass if nothing was observed."""
    if np.isnan(layout.table.posts[:, columns]).all():
        _rest(layout, columns, known, out)
        return
    if known.stale:
        _reshape(layout, known)
    _judge(layout, columns, known, budget, out, last=last)


def _judge(layout: Layout, columns: slice, known: State, budget: float, out: Grids | None, *, last: bool) -> None:
    """Judge one day by what is known before it, then learn from it unless it is the last.

    Each day's tests count in later q-values, shown or not, so that these do not depend on where a run begins.
    """
    table, sizes = layout.table, layout.sizes
    dates = layout.dates.cut(columns)
    usual = [fitted.usual(dates, sizes) for fitted in known.fitted]
    level = np.concatenate([each for each, _ in usual])
    moments = np.concatenate([fitted.moments for fitted in known.fitted]).transpose(1, 2, 0)
    factor = scatter.class_factor(moments, level, sizes)
    tied = np.concatenate([p.ties.tied(fitted.seen) for p, fitted in zip(layout.parts, known.fitted, strict=True)])
    bursty = bursts.share(known.memory.singles, tied, sizes)
    to = tails.scale(known.memory, level, tied, bursty, sizes)
    to_slow = slow.scale(np.concatenate([each.peaks for each in known.slow]), level, tied, bursty)
    close = (np.bincount(table.service_code)[table.service_code] > 1) | sizes.fine
    first = [first_day_level(budget, sizes.block_days, close=each) for each in (False, True)]
    limit = np.where(to.new, np.where(close, *first[::-1]), outage_level(budget, sizes.block_days))
    limit = limit[:, None].astype(np.float32)
    telling = past.needed(np.full(1, outage_level(LEARN_BUDGET), dtype=np.float32), to.past)
    skipped = int(table.minutes[columns.start] % MINUTES_PER_DAY) // sizes.bin_minutes
    of_day, cells, heard = np.zeros((columns.stop - columns.start, len(tails.P_EDGES))), [], []
    for i, part in enumerate(layout.parts):
        rows, fitted, scale = part.rows, known.fitted[i], to.rows(part.rows)
        block = fit.day(table, rows, dates, part.clocks, part.ties.service, columns)
        heeded = part.ties.heeded(fitted.seen)
        done = follow(fitted, block, *usual[i], factor[:, rows], heeded, sizes)
        raw, singles = pooling.evidence(done, part.ties, tied[rows], heeded, bursty[rows], sizes)
        z = tails.standardize(raw, scale)
        judged = done.ready & (done.taken.observed > 0)
        if slow.windows(sizes):
            hours = slow.hear(known.slow[i], done, judged, judged & (z >= telling), tied[rows], skipped, sizes)
            z = slow.joined(z, hours.raw, to_slow.rows(rows), scale.past, skipped, sizes)
            if not last:
                known.slow[i] = slow.learn(known.slow[i], hours, judged, fitted.seen, sizes)
        fresh, told = news.news(z, judged, known.told[i], bursty[rows], sizes)
        worth = past.worth(z, scale.past)
        said = np.where(fresh < z, fresh, worth)
        flagged, known.told[i] = news.alarms(worth, said, judged, limit[rows], told, sizes)
        p = tails.p_value(z, worth, scale)
        p[~judged] = np.nan
        cell = tails.cells(p, scale.young)
        of_day += tails.tests(cell)
        if out is not None:
            cells.append(cell)
            out.put(rows, columns, verdicts(done, fitted.seen, said, p, judged, flagged, sizes))
        if not last:
            unlike = z >= outage_level(LEARN_BUDGET, sizes.block_days)
            heard.append(tails.hear(raw, singles, z, judged, unlike, scale))
            known.fitted[i] = fit.refit(fitted, block, done.taken, sizes)
    if out is not None:
        shares = tails.false_shares(of_day, known.memory)
        for part, cell in zip(layout.parts, cells, strict=True):
            out.put(part.rows, columns, Verdicts({"q_value": shares.take(cell)}))
    if not last:
        known.memory = tails.learn(known.memory, heard, of_day, table.service_code)
        known.stale = True


def _rest(layout: Layout, columns: slice, known: State, out: Grids | None) -> None:
    """Let a day pass on which nothing was observed: what follows is as if it had been judged."""
    sizes, bins = layout.sizes, columns.stop - columns.start
    if out is not None:
        out.leave(columns, np.concatenate([fitted.seen for fitted in known.fitted]))
    known.fitted = [fit.rest(fitted, bins, sizes) for fitted in known.fitted]
    known.told = [news.rest(told, bins) for told in known.told]
    known.slow = [slow.rest(each) for each in known.slow]
    none = np.full(len(layout.table.names), -np.inf, dtype=np.float32)
    silence = tails.Heard(none, none, none, none == 0, np.zeros_like(known.memory.body))
    tests = np.zeros((bins, len(tails.P_EDGES)))
    known.memory = tails.learn(known.memory, [silence], tests, layout.table.service_code)
    known.stale = True


def _reshape(layout: Layout, known: State) -> None:
    """Learn the season of all, which takes all services, and from it each series' own."""
    heard, taught = [], []
    for part, fitted in zip(layout.parts, known.fitted, strict=True):
        heard.append(fitted.heard_by(part.ties.service))
        taught.append(fitted.taught_by(part.ties.service, heard[-1], layout.sizes))
    prior = everywhere(np.concatenate(taught))
    for i, part in enumerate(layout.parts):
        known.fitted[i] = known.fitted[i].shaped(part.ties.service, heard[i], prior)
    known.stale = False
