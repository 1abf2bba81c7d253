"""The shape of the week in local time: hour-of-week cells, shrunk from the series to its service to all."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clamor.baseline import annual
from clamor.baseline.counts import MINUTES_PER_WEEK, Floats, Ints, Panel, local_minute_of_week
from clamor.baseline.groups import Rows
from clamor.baseline.lengths import Lengths

CELL_PRIOR_POSTS = 30.0
"""Effective posts of a cell at which its own ratio weighs as much as the prior's: a spread of 0.18."""
DAY_PRIOR_POSTS = 12.0
"""The same for an hour of the day over all days of the week: a spread of 0.29."""
STEP_MINUTES = 360
"""Bins as wide are not interpolated between cells."""
LONG_RUN = 8
"""Bins of a cell beyond which numpy adds them up faster cell by cell."""

Real = npt.NDArray[np.floating]
Clocks = list[tuple[int, Any]]


@dataclass(frozen=True)
class Runs:
    """Which bins of a day lie in which cells of a week.

    Attributes:
        starts: First bin of each run of bins of one cell.
        turns: For k = 1, 2, ..., the runs that have a k-th further bin, and these bins; none where runs are long.
        spans: Runs, and the cells that they are: several where a week begins or clocks are put back.

    """

    starts: Ints
    turns: list[tuple[Ints, Ints]]
    spans: list[tuple[slice, slice]]

    @classmethod
    def of(cls, cells: Ints) -> "Runs":
        """Return the runs of a day whose bins lie in these cells."""
        starts = np.flatnonzero(np.diff(cells, prepend=-1))
        lengths = np.diff(starts, append=len(cells))
        longest = int(lengths.max())
        some = [np.flatnonzero(lengths > k) for k in range(1, longest if longest <= LONG_RUN else 0)]
        met = cells[starts]
        edges = [0, *(np.flatnonzero(np.diff(met) != 1) + 1).tolist(), len(met)]
        spans = [(slice(a, b), slice(int(met[a]), int(met[a]) + b - a)) for a, b in pairwise(edges)]
        return cls(starts, [(runs, starts[runs] + k) for k, runs in enumerate(some, start=1)], spans)

    def sums(self, values: Floats) -> Floats:
        """Return the sum of each run, one bin of all runs after the other (``reduceat`` is slow for short ones)."""
        if not self.turns and len(self.starts) < values.shape[-1]:
            return np.add.reduceat(values, self.starts, axis=-1)
        sums = values.take(self.starts, axis=-1)
        for runs, bins in self.turns:
            if len(runs) == len(self.starts):
                sums += values.take(bins, axis=-1)
            else:
                sums[..., runs] += values.take(bins, axis=-1)
        return sums


@dataclass(frozen=True)
class Calendar:
    """Where every bin lies in the local week of every clock, shapes ``(clocks, bins)``, and in the year.

    Attributes:
        clock: The clock of each series: zones that agree all the time have one.
        cell: Cell that holds the bin's middle.
        neighbour: The cell towards which the middle lies.
        share: Weight of the neighbour in the interpolation between the middles of two cells.
        year: Regressors of the year, ``(bins, terms)``; none where bins are no longer than hours.
        met: Runs of the days that were met, by their cells: there are few kinds of days.

    """

    clock: Ints
    cell: Ints
    neighbour: Ints
    share: Floats
    year: annual.Doubles
    met: dict[bytes, Runs] = field(default_factory=dict)

    def cut(self, columns: slice) -> "Calendar":
        """Return the dates of some bins."""
        cell, neighbour, share = self.cell[:, columns], self.neighbour[:, columns], self.share[:, columns]
        return Calendar(self.clock, cell, neighbour, share, self.year[columns], self.met)

    def runs(self, clock: int) -> Runs:
        """Return the runs of a clock's cells, where this is the cut of a day."""
        cells = self.cell[clock]
        key = cells.tobytes()
        if key not in self.met:
            self.met[key] = Runs.of(cells)
        return self.met[key]

    def clocks(self, rows: slice) -> Clocks:
        """Return each clock that some series go by, and which of them do."""
        clock = self.clock[rows]
        present = np.unique(clock).tolist()
        return [(k, slice(None) if len(present) == 1 else np.flatnonzero(clock == k)) for k in present]


def calendar(panel: Panel, sizes: Lengths) -> Calendar:
    """Place every bin in the local week of every series and in the year."""
    width = MINUTES_PER_WEEK / sizes.cells
    zones = np.stack([local_minute_of_week(panel.minutes, z) for z in panel.zones or ("UTC",)])
    clock, _ = pd.factorize(np.array([week.tobytes() for week in zones], dtype=object))
    starts = zones[np.unique(clock, return_index=True)[1]]
    middle = starts + panel.bin_minutes / 2
    cell = (middle // width).astype(np.int64) % sizes.cells
    position = middle / width - 0.5
    left = np.floor(position)
    share = position - left
    left = left.astype(np.int64) % sizes.cells
    mine = left == cell
    share = np.where(mine, share, 1 - share) * (panel.bin_minutes < STEP_MINUTES)
    year = annual.terms(panel.minutes if sizes.wide else np.zeros(0, dtype=np.int64), panel.origin_minute)
    neighbour = np.where(mine, (left + 1) % sizes.cells, left)
    return Calendar(clock[panel.zone], cell, neighbour, share.astype(np.float32), year)


def season_at(season: Floats, cut: Calendar, clocks: Clocks) -> Floats:
    """Return each series' season at each bin of a cut of the calendar, ``(series, bins)``."""
    if season.shape[1] == 1:
        return np.repeat(season, cut.cell.shape[1], axis=1)
    out = np.empty((len(season), cut.cell.shape[1]), dtype=np.float32)
    for k, rows in clocks:
        mine = season[rows]
        at = mine.take(cut.cell[k], axis=1)
        at *= 1 - cut.share[k]
        next_to = mine.take(cut.neighbour[k], axis=1)
        next_to *= cut.share[k]
        at += next_to
        out[rows] = at
    return out


def add_by_cell(total: Floats, values: Floats, cut: Calendar, clocks: Clocks) -> None:
    """Add the bins' values, ``(series, kinds, bins)``, to their cells in ``total``, ``(series, kinds, cells)``."""
    if total.shape[-1] == 1:
        total += values.sum(axis=-1, keepdims=True)
        return
    for k, rows in clocks:
        runs = cut.runs(k)
        sums = runs.sums(values[rows])
        for some, cells in runs.spans:
            total[rows, :, cells] += sums[..., some]


def heard(cells: Floats, worth: Floats, services: Rows) -> Real:
    """Return the effective posts of each service by cell and those that a flat week would have brought.

    Args:
        cells: Posts by cell and what a flat week would have brought, ``(series, 2, cells)``.
        worth: Effective posts per post: below one where bins scatter more than Poisson, ``(series, cells)``.
        services: Series by service.

    """
    effective = (cells * worth[:, None]).astype(np.float64)
    return services.total(effective.reshape(len(cells), -1)).reshape(-1, *cells.shape[1:])


def everywhere(by_service: Real) -> Real:
    """Return the season of all services together, ``(1, cells)``."""
    return _shrink(by_service.sum(axis=0, keepdims=True), np.ones(by_service.shape[-1]))


def shape(cells: Floats, worth: Floats, services: Rows, by_service: Real, prior: Real) -> Floats:
    """Return the season of every series, ``(series, cells)``.

    Args:
        cells: As for :func:`heard`.
        worth: As for :func:`heard`.
        services: Series by service.
        by_service: What they add up to, see :func:`heard`.
        prior: The season of all, see :func:`everywhere`.

    """
    if cells.shape[-1] == 1:
        return np.ones_like(worth)
    of_service = _shrink(by_service.copy(), prior).astype(np.float32)
    return np.asarray(_shrink(cells * worth[:, None], of_service[services.group]), dtype=np.float32)


def _shrink(both: Real, prior: Real) -> Real:
    """Multiply a prior shape by gamma-Poisson ratios: first of the hours of the day, then of the cells of the week.

    ``both`` are posts and what a flat week would have brought, ``(rows, 2, cells)``; it is worked on in place.
    """
    cells = both.shape[-1]
    both[:, 1] *= prior
    if cells % 7 or cells == 7:
        return np.asarray(_ratio(both, CELL_PRIOR_POSTS) * prior)
    days = both.reshape(-1, 2, 7, cells // 7)
    hours = days[:, :, 0].copy()
    for day in range(1, 7):  # a sum over this axis takes three times as long
        hours += days[:, :, day]
    ratio = _ratio(hours, DAY_PRIOR_POSTS)[:, None]
    days[:, 1] *= ratio
    out = _ratio(both, CELL_PRIOR_POSTS)
    out *= prior
    out.reshape(-1, 7, cells // 7)[...] *= ratio
    return out


def _ratio(both: Real, strength: float) -> Real:
    if both.shape[-1] > 14:
        both, strength = _smooth(both), 4 * strength
    both = both + strength
    return np.asarray(both[:, 0] / both[:, 1])


def _smooth(values: Real) -> Real:
    """Return twice each cell and either neighbour once; the last is the first one's neighbour."""
    out = np.add(values, values, order="C")
    row, sums = values.reshape(-1), out.reshape(-1)  # one long row is added faster than many short ones
    sums[1:] += row[:-1]
    sums[:-1] += row[1:]
    last = values.shape[-1] - 1
    ends, beside = (
        values[..., ::last],
        values[..., 1 :: last - 2],
    )  # the first and the last; the second and last but one
    out[..., ::last] = ends + ends + beside + ends[..., ::-1]
    return out
