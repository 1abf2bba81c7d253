"""The shape of the week in local time: hour-of-week cells, shrunk from the series to its service to all."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from clamor.baseline.counts import MINUTES_PER_WEEK, Floats, Ints, Panel, local_minute_of_week
from clamor.baseline.groups import Rows
from clamor.baseline.lengths import Lengths

CELL_PRIOR_POSTS = 30.0
"""Effective posts of a cell at which its own ratio weighs as much as the prior's: a spread of 0.18."""
DAY_PRIOR_POSTS = 12.0
"""The same for an hour of the day over all days of the week: a spread of 0.29."""
STEP_MINUTES = 360
"""Bins as wide are not interpolated between cells."""

Real = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Calendar:
    """Where every bin lies in the local week of every zone, shapes ``(zones, bins)``.

    Attributes:
        cell: Cell that holds the bin's middle.
        neighbour: The cell towards which the middle lies.
        share: Weight of the neighbour in the interpolation between the middles of two cells.

    """

    cell: Ints
    neighbour: Ints
    share: Floats


def calendar(panel: Panel, sizes: Lengths) -> Calendar:
    """Place every bin in the local week of every zone."""
    width = MINUTES_PER_WEEK / sizes.cells
    starts = np.stack([local_minute_of_week(panel.minutes, z) for z in panel.zones or ("UTC",)])
    middle = starts + panel.bin_minutes / 2
    cell = (middle // width).astype(np.int64) % sizes.cells
    position = middle / width - 0.5
    left = np.floor(position)
    share = position - left
    left = left.astype(np.int64) % sizes.cells
    mine = left == cell
    share = np.where(mine, share, 1 - share) * (panel.bin_minutes < STEP_MINUTES)
    return Calendar(cell, np.where(mine, (left + 1) % sizes.cells, left), share.astype(np.float32))


def season_at(season: Floats, cut: Calendar, zone: Ints) -> Floats:
    """Return each series' season at each bin of a cut of the calendar, ``(series, bins)``."""
    if season.shape[1] == 1:
        return np.repeat(season, cut.cell.shape[1], axis=1)
    out = np.empty((len(season), cut.cell.shape[1]), dtype=np.float32)
    for z, rows in _by_zone(zone):
        mine = season[rows]
        at = mine.take(cut.cell[z], axis=1)
        at *= 1 - cut.share[z]
        next_to = mine.take(cut.neighbour[z], axis=1)
        next_to *= cut.share[z]
        at += next_to
        out[rows] = at
    return out


def add_by_cell(total: Floats, values: Floats, cut: Calendar, zone: Ints) -> None:
    """Add the bins' values to their cells in ``total``, ``(series, cells)``."""
    if total.shape[1] == 1:
        total += values.sum(axis=1, keepdims=True)
        return
    for z, rows in _by_zone(zone):
        cells = cut.cell[z]
        edges = np.flatnonzero(np.diff(cells, prepend=-1))
        sums = np.add.reduceat(values[rows], edges, axis=1)
        met, mine = cells[edges], total[rows]
        if len(set(met.tolist())) == len(met):
            mine[:, met] += sums
        else:  # a day meets a cell twice when clocks go back
            for k, cell in enumerate(met):
                mine[:, cell] += sums[:, k]
        total[rows] = mine


def _by_zone(zone: Ints) -> Iterator[tuple[int, Any]]:
    """Yield each zone that occurs and its rows, as an index."""
    present = np.flatnonzero(np.bincount(zone))
    for z in present.tolist():
        yield z, slice(None) if len(present) == 1 else np.flatnonzero(zone == z)


def heard(posts: Floats, expected: Floats, worth: Floats, services: Rows) -> Real:
    """Return each service's effective posts by cell and those that a flat week would have brought, stacked."""
    return np.stack([services.total((values * worth).astype(np.float64)) for values in (posts, expected)])


def everywhere(by_service: Real) -> Real:
    """Return the season of all services together, ``(1, cells)``."""
    posts, expected = by_service.sum(axis=1)
    return _shrink(posts[None], expected[None], np.ones((1, len(posts))))


def shape(posts: Floats, expected: Floats, worth: Floats, services: Rows, by_service: Real, prior: Real) -> Floats:
    """Return the season of every series.

    Args:
        posts: Posts by cell, ``(series, cells)``.
        expected: What a flat week would have brought.
        worth: Effective posts per post: below one where bins scatter more than Poisson.
        services: Series by service.
        by_service: What they add up to, see :func:`heard`.
        prior: The season of all, see :func:`everywhere`.

    """
    if posts.shape[1] == 1:
        return np.ones_like(posts)
    of_service = _shrink(by_service[0], by_service[1], np.broadcast_to(prior, by_service[0].shape))
    season = _shrink(posts * worth, expected * worth, of_service.astype(np.float32)[services.group])
    return np.asarray(season, dtype=np.float32)


def _shrink(posts: Real, expected: Real, prior: Real) -> Real:
    """Multiply a prior shape by gamma-Poisson ratios: first of the hours of the day, then of the cells of the week."""
    cells = posts.shape[1]
    usual = np.asarray(expected * prior)
    if cells % 7 or cells == 7:
        return np.asarray(prior * _ratio(posts, usual, CELL_PRIOR_POSTS))
    days = (-1, 7, cells // 7)
    ratio = _ratio(posts.reshape(days).sum(axis=1), usual.reshape(days).sum(axis=1), DAY_PRIOR_POSTS)[:, None]
    usual = np.asarray((usual.reshape(days) * ratio).reshape(posts.shape))
    out = prior * _ratio(posts, usual, CELL_PRIOR_POSTS)
    return np.asarray((out.reshape(days) * ratio).reshape(posts.shape))


def _ratio(posts: Real, expected: Real, strength: float) -> Real:
    if posts.shape[1] > 14:
        posts, expected = _smooth(posts), _smooth(expected)
    return np.asarray((posts + strength) / (expected + strength))


def _smooth(values: Real) -> Real:
    """Return half of each cell and a quarter of either neighbour; the last is the first one's neighbour."""
    quarter = np.asarray(0.25 * values)
    out = np.asarray(quarter + quarter)
    out[:, 1:] += quarter[:, :-1]
    out[:, :-1] += quarter[:, 1:]
    out[:, 0] += quarter[:, -1]
    out[:, -1] += quarter[:, 0]
    return out
