"""What is normal: the expected count of every bin and how far counts scatter about it.

A filter over UTC days. At each midnight the slow parts (season, level, scatter) are refitted from sums over the earlier
days only; within the day the level follows bin by bin from the bins before. So a bin's expectation uses nothing after
it, runs may be cut anywhere, and scoring a day on a stored fit costs one day's work. See METHOD.md for the formulas.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from clamor.counts import MINUTES_PER_DAY, MINUTES_PER_WEEK, Floats, Ints, Panel, local_minute_of_week

LEVEL_HALF_LIFE_DAYS = 5.0
SEASON_HALF_LIFE_DAYS = 35.0
SCATTER_HALF_LIFE_DAYS = 28.0
LEVEL_PRIOR_POSTS = 30.0
"""The last day's level is worth this many posts less than it says: a coefficient of variation of 0.18 a day."""
LEVEL_VARIANCE_PRIOR = 0.05
MIN_LEVEL_VARIANCE = 0.003
SEASON_PRIOR_POSTS = 30.0
HOURS_ALIKE = 2.0
MAX_SCATTER = 100.0
CLIP_SD = 3.0
CLIP_POSTS = 3.0
"""Training counts are cut at expected + 3 standard deviations + 3 posts, so an outage barely moves the fit and a lone
post in a rare series is never taken for one."""


@dataclass(frozen=True)
class Scale:
    """Lengths in bins that follow from the bin's width.

    Attributes:
        bin_minutes: Width of a bin.
        recent: Bins of the last day (at least 16).
        hour: Bins of the last hour (at least 4).
        windows: Lengths of the sums that are tested.
        warm_up: Observed bins before a series is judged: four hours, at least eight bins.
        cells: Cells of the week's season.

    """

    bin_minutes: int
    recent: int
    hour: int
    windows: tuple[int, ...]
    warm_up: int
    cells: int

    @property
    def day(self) -> int:
        """Bins of a UTC day, at least one."""
        return max(1, MINUTES_PER_DAY // self.bin_minutes)

    @property
    def block_days(self) -> float:
        """Days between refits."""
        return max(1.0, self.bin_minutes / MINUTES_PER_DAY)


def scale(bin_minutes: int) -> Scale:
    """Return the lengths that belong to a bin width."""
    cell = max(60, bin_minutes)
    return Scale(
        bin_minutes=bin_minutes,
        recent=max(16, MINUTES_PER_DAY // bin_minutes),
        hour=max(4, 60 // bin_minutes),
        windows=(1, 2, 4, 8),
        warm_up=max(8, 240 // bin_minutes),
        cells=MINUTES_PER_WEEK // cell if MINUTES_PER_WEEK % cell == 0 else 1,
    )


@dataclass(frozen=True)
class Fitted:
    """All that later days need of earlier ones; float32, first axis the series.

    Attributes:
        seen: Observed bins so far, ``(series,)``.
        heard: Decayed sum of clipped counts.
        exposure: Decayed sum of season, so that ``heard / exposure`` is the level a bin.
        cell_posts: Decayed clipped counts by cell of the local week, ``(series, cells)``.
        cell_expected: What a flat season would have brought there.
        season: The shape of the week, mean near one.
        scatter: Decayed sums ``(2, windows + 2, series)`` for the over-dispersion of window sums.
        tail_posts: Counts of the last bins (0 where unknown), ``(series, tail)``.
        tail_clipped: The same, clipped.
        tail_season: Season there, 0 where unknown.
        tail_mean: Expected there.

    """

    seen: Floats
    heard: Floats
    exposure: Floats
    cell_posts: Floats
    cell_expected: Floats
    season: Floats
    scatter: Floats
    tail_posts: Floats
    tail_clipped: Floats
    tail_season: Floats
    tail_suspect: Floats
    tail_observed: Floats
    tail_mean: Floats


def start(series: int, sizes: Scale) -> Fitted:
    """Return the fit that knows nothing."""
    tail = sizes.recent + sizes.hour + max(sizes.windows)

    def zeros(*shape: int) -> Floats:
        return np.zeros(shape, dtype=np.float32)

    return Fitted(
        seen=zeros(series),
        heard=zeros(series),
        exposure=zeros(series),
        cell_posts=zeros(series, sizes.cells),
        cell_expected=zeros(series, sizes.cells),
        season=zeros(series, sizes.cells) + 1,
        scatter=zeros(2, len(sizes.windows) + 3, series),
        tail_posts=zeros(series, tail),
        tail_clipped=zeros(series, tail),
        tail_season=zeros(series, tail),
        tail_suspect=zeros(series, tail),
        tail_observed=zeros(series, tail),
        tail_mean=zeros(series, tail),
    )


@dataclass(frozen=True)
class Day:
    """One block of columns: counts and where each bin lies in the local week.

    Attributes:
        posts: ``(series, bins)``, NaN where unknown.
        cell: Cell of the week by zone and bin, ``(zones, bins)``.
        next_cell: The neighbour towards which the bin's middle lies.
        share: Weight of that neighbour.
        zone: Zone of each series.
        service: Service code of each series.

    """

    posts: Floats
    cell: Ints
    next_cell: Ints
    share: Floats
    zone: Ints
    service: Ints


def days(panel: Panel, sizes: Scale) -> list[slice]:
    """Return the columns of each UTC day (or bin, where bins are longer)."""
    block = max(MINUTES_PER_DAY, panel.bin_minutes)
    phase = panel.start_minute % block if panel.bin_minutes > MINUTES_PER_DAY else 0
    number = (panel.minutes - phase) // block
    edges = np.flatnonzero(np.diff(number, prepend=-1)) if len(number) else np.zeros(0, dtype=np.int64)
    return [slice(int(a), int(b)) for a, b in zip(edges, [*edges[1:], len(number)][: len(edges)], strict=True)]


@dataclass(frozen=True)
class Calendar:
    """Cells of the local week for every column: shapes ``(zones, bins)``."""

    cell: Ints
    next_cell: Ints
    share: Floats


def calendar(panel: Panel, sizes: Scale) -> Calendar:
    """Place every bin in the local week of every zone, between the middles of two cells."""
    width = MINUTES_PER_WEEK / sizes.cells
    middle = np.stack([local_minute_of_week(panel.minutes, z) for z in panel.zones or ("UTC",)]) + panel.bin_minutes / 2
    cell = (middle // width).astype(np.int64) % sizes.cells
    position = middle / width - 0.5
    left = np.floor(position)
    share = (position - left).astype(np.float32)
    left = left.astype(np.int64) % sizes.cells
    if panel.bin_minutes >= 360:
        share = np.zeros_like(share)
    nearer_left = left == cell
    other = np.where(nearer_left, (left + 1) % sizes.cells, left)
    return Calendar(cell, other, np.where(nearer_left, share, 1 - share).astype(np.float32) * (panel.bin_minutes < 360))


def day(panel: Panel, dates: Calendar, columns: slice) -> Day:
    """Cut one block out of a panel."""
    return Day(
        posts=panel.posts[:, columns],
        cell=dates.cell[:, columns],
        next_cell=dates.next_cell[:, columns],
        share=dates.share[:, columns],
        zone=panel.zone,
        service=panel.service_code,
    )


@dataclass(frozen=True)
class Followed:
    """Expectations of one block's bins and of the sums that end there; shapes ``(series, bins)``.

    Attributes:
        observed: 1 where the bin is known, else 0.
        posts: Counts, 0 where unknown.
        mean: Expected posts of the bin from season and day level: the band of the charts.
        known: Posts that the level rests on; its reciprocal is the level's squared error.
        sums: Counts of each window, ``(windows, series, bins)``.
        means: Expected posts of each window, lifted by the hour before it.
        scatter: Over-dispersion of each window's sum: variance = mean + scatter * mean**2.
        dispersion: Of single bins about ``mean``.
        level_cv: Of an hour's level about ``mean``.
        ready: Whether warm-up is over.

    """

    observed: Floats
    posts: Floats
    clipped: Floats
    suspect: Floats
    trusted: Floats
    base: Floats
    mean: Floats
    known: Floats
    sums: Floats
    means: Floats
    scatter: Floats
    dispersion: Floats
    level_cv: Floats
    ready: npt.NDArray[np.bool_]
    moments: Floats
    old: Floats
    season: Floats


def level_of_bins(fitted: Fitted) -> Floats:
    """Return the slow level, posts a bin; one where nothing was seen yet."""
    level = np.where(fitted.exposure > 0, fitted.heard / np.maximum(fitted.exposure, 1e-9), 1.0)
    return np.maximum(level, 0.3 / np.maximum(fitted.exposure, 1.0)).astype(np.float32)


def follow(fitted: Fitted, block: Day, sizes: Scale) -> Followed:
    """Follow the level through one block; every value rests on earlier bins only."""
    observed = (~np.isnan(block.posts)).astype(np.float32)
    posts = np.nan_to_num(block.posts, nan=0.0)
    season = _season_at(fitted.season, block)
    level = level_of_bins(fitted)
    base = season * level[:, None] * observed
    prior = (0.3 + LEVEL_PRIOR_POSTS * fitted.heard / (fitted.heard + LEVEL_PRIOR_POSTS))[:, None]
    factor = _class_factor(fitted, level, sizes)
    old = _scatter(fitted.scatter[0], fitted.scatter[1], factor * _guess(level, sizes))
    tail = fitted.tail_season.shape[1]
    old_season = fitted.tail_season * level[:, None]

    def level_of(clipped: Floats, trusted: Floats) -> tuple[Floats, Floats]:
        heard = prior + _before(np.concatenate([fitted.tail_clipped, clipped * trusted], axis=1), sizes.recent, tail)
        usual = prior + _before(np.concatenate([old_season, base * trusted], axis=1), sizes.recent, tail)
        return (heard / usual).astype(np.float32), heard.astype(np.float32)

    ratio, known = level_of(posts, observed)
    clipped = np.minimum(posts, _ceiling(base * ratio, known, old[-3][:, None]))
    ratio, known = level_of(clipped, observed)
    suspect = _suspect(fitted, posts, base * ratio, known, old, sizes) * observed
    if MASK:
        share = _before(np.concatenate([fitted.tail_suspect, suspect], axis=1), sizes.recent, tail)
        seen_day = _before(np.concatenate([fitted.tail_observed, observed], axis=1), sizes.recent, tail)
        trusted = observed * (
            1 - suspect * (share < MASK_SHARE * seen_day) * (fitted.seen >= MASK_DAYS * sizes.recent)[:, None]
        )
    else:
        trusted = observed
    ratio, known = level_of(clipped, trusted)
    mean = base * ratio
    seen = fitted.seen[:, None] + np.cumsum(observed, axis=1) - observed
    ready = seen >= sizes.warm_up
    sums, means, hour, past = _windows(fitted, posts, mean, old, sizes, Rows(block.service))
    moments = _moments(sums, means, posts, mean, known, old, (seen >= LEARN_AFTER) & (trusted > 0), hour, past)
    so_far = np.cumsum(moments, axis=3) - moments
    scatter = _scatter(
        fitted.scatter[0][:, :, None] + so_far[0],
        fitted.scatter[1][:, :, None] + so_far[1],
        factor[:, :, None] * _guess(level[:, None] * ratio, sizes),
    )
    windows = len(sizes.windows)
    level_var = np.maximum((sizes.hour * scatter[-2] - scatter[-3]) / (sizes.hour - 1), 0)
    return Followed(
        observed=observed,
        posts=posts,
        clipped=clipped * trusted,
        suspect=suspect,
        trusted=trusted,
        base=base,
        mean=mean,
        known=known,
        sums=sums,
        means=means,
        scatter=scatter[:windows],
        dispersion=np.maximum(scatter[-3] - level_var, 0),
        level_cv=np.sqrt(level_var + 1 / known),
        ready=ready,
        moments=moments,
        old=old,
        season=season,
    )


def _season_at(season: Floats, block: Day) -> Floats:
    out = np.empty(block.posts.shape, dtype=np.float32)
    for zone in range(len(block.cell)):
        rows = np.flatnonzero(block.zone == zone)
        share = block.share[zone]
        mine = season[rows]
        out[rows] = mine[:, block.cell[zone]] * (1 - share) + mine[:, block.next_cell[zone]] * share
    return out


def _before(values: Floats, length: int, tail: int) -> Floats:
    """Sum the ``length`` bins before each of the bins after the tail."""
    total = np.cumsum(values, axis=1, dtype=np.float64)
    upto = total[:, tail - 1 : -1]
    return (upto - total[:, tail - 1 - length : -1 - length]).astype(np.float32)


LEARN_AFTER = 2
MASK = True
MASK_SHARE = 0.5
MASK_DAYS = 7
SUSPECT_SD = 4.0


def _suspect(fitted: Fitted, posts: Floats, mean: Floats, known: Floats, old: Floats, sizes: Scale) -> Floats:
    tail = fitted.tail_posts.shape[1]
    y = np.concatenate([fitted.tail_posts[:, -3:], posts], axis=1)
    m = np.concatenate([fitted.tail_mean[:, -3:], mean], axis=1)
    y4 = y[:, 3:] + y[:, 2:-1] + y[:, 1:-2] + y[:, :-3]
    m4 = m[:, 3:] + m[:, 2:-1] + m[:, 1:-2] + m[:, :-3]
    out = y4 > m4 + SUSPECT_SD * np.sqrt(m4 + m4 * m4 * (old[-2][:, None] + 1 / known)) + CLIP_POSTS
    return out.astype(np.float32)


def _ceiling(mean: Floats, known: Floats, scatter: Floats) -> Floats:
    spread = mean + mean * mean * (scatter + 1 / known)
    return np.asarray(mean + CLIP_SD * np.sqrt(spread) + CLIP_POSTS, dtype=np.float32)


SHARED = 60.0


class Rows:
    """Rows by group: sums over a group are added row by row, so further rows of zeros change nothing."""

    def __init__(self, code: Ints) -> None:
        self.order = np.argsort(code, kind="stable")
        ordered = code[self.order]
        self.starts = np.flatnonzero(np.diff(ordered, prepend=-1))
        self.at = np.empty(len(code), dtype=np.int64)
        self.at[self.order] = np.cumsum(np.diff(ordered, prepend=-1) != 0) - 1

    def others(self, values: Floats) -> Floats:
        """Return for every row the sum over the other rows of its group."""
        total = np.add.reduceat(values[self.order], self.starts, axis=0)
        return np.asarray(total[self.at] - values, dtype=np.float32)


def _windows(
    fitted: Fitted, posts: Floats, mean: Floats, old: Floats, sizes: Scale, group: "Rows"
) -> tuple[Floats, Floats, tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Sum counts and expectations over windows, the expectation lifted by the hour before each window."""
    tail = fitted.tail_posts.shape[1]
    y = np.concatenate([fitted.tail_posts, posts], axis=1)
    m = np.concatenate([fitted.tail_mean, mean], axis=1)
    total_y, total_m = np.cumsum(y, axis=1, dtype=np.float64), np.cumsum(m, axis=1, dtype=np.float64)

    def summed(total: npt.NDArray[np.float64], length: int, lag: int) -> Floats:
        stop = total.shape[1] - lag
        return (total[:, tail - lag : stop] - total[:, tail - lag - length : stop - length]).astype(np.float32)

    hour_noise = np.maximum(old[-3] - old[-1], 0)[:, None] / sizes.hour
    steady = (1 / np.maximum(old[-1], MIN_LEVEL_VARIANCE))[:, None]
    sums, means = [], []
    for window in sizes.windows:
        lift_y, lift_m = summed(total_y, sizes.hour, window), summed(total_m, sizes.hour, window)
        worth = 1 / (1 + lift_m * hour_noise)
        shared = 1.0
        if SHARED > 0:
            shared = (SHARED + group.others(np.minimum(lift_y, 4 * lift_m + 4) * worth)) / (
                SHARED + group.others(lift_m * worth)
            )
        lift = (steady * shared + lift_y * worth) / (steady + lift_m * worth)
        sums.append(summed(total_y, window, 0))
        means.append((summed(total_m, window, 0) * lift).astype(np.float32))
    lifted: Floats = np.maximum(np.stack(means), 0).astype(np.float32)
    hour = summed(total_y, sizes.hour, 0), summed(total_m, sizes.hour, 0)
    past = summed(total_y, sizes.hour, 1), summed(total_m, sizes.hour, 1)
    return np.stack(sums), lifted, hour, (past[0] / sizes.hour, past[1] / sizes.hour)


def _guess(level: Floats, sizes: Scale) -> Floats:
    """Return the scatter of window sums to expect of a series of that level: clumps of posts, and an unsteady level."""
    lengths = np.array([*sizes.windows, 1, sizes.hour], dtype=np.float32).reshape((-1,) + (1,) * level.ndim)
    guess = STEADY_SCATTER + (BIN_SCATTER + CLUMPING / np.maximum(level, np.float32(1e-3))) / lengths
    return np.concatenate([guess, np.full((1, *level.shape), LEVEL_VARIANCE_PRIOR, dtype=np.float32)]).astype(
        np.float32
    )


def _class_factor(fitted: Fitted, level: Floats, sizes: Scale) -> Floats:
    """Return by how much the series of a volume class scatter more or less than guessed, ``(kinds, series)``."""
    guess = _guess(level, sizes)
    share = 1 / (1 + fitted.scatter[1] * guess * guess / CLASS_SERIES_WEIGHT)
    which = np.searchsorted(VOLUME_CLASSES, level)
    shape = (len(VOLUME_CLASSES) + 1, len(guess))
    found, sought = np.zeros(shape), np.zeros(shape)
    np.add.at(found, which, (fitted.scatter[0] * guess * share).T)
    np.add.at(sought, which, (fitted.scatter[1] * guess * guess * share).T)
    factor = (found + CLASS_PRIOR_WEIGHT) / (sought + CLASS_PRIOR_WEIGHT)
    factor = np.clip(factor[which].T, 0.1, 10)
    return np.where(fitted.exposure > 0, factor, 1.0).astype(np.float32)


def _scatter(excess: Floats, weight: Floats, guess: Floats) -> Floats:
    sure = 1 / (PRIOR_SPREAD * guess * guess)
    pooled = (excess + guess * sure) / (weight + sure)
    return np.clip(pooled, 0.0, MAX_SCATTER).astype(np.float32)


PRIOR_SPREAD = 0.5
STEADY_SCATTER = 0.03
BIN_SCATTER = 0.2
CLUMPING = 0.8
CLASS_SERIES_WEIGHT = 20.0
CLASS_PRIOR_WEIGHT = 10.0
VOLUME_CLASSES = (0.1, 1.0, 10.0)


def _moments(
    sums: Floats,
    means: Floats,
    posts: Floats,
    mean: Floats,
    known: Floats,
    old: Floats,
    use: npt.NDArray[np.bool_],
    hour: tuple[Floats, Floats],
    past: tuple[Floats, Floats],
) -> Floats:
    """Return per bin the weighted excess variance and its weight: for each window, a bin and an hour about the mean."""
    (hour_posts, hour_mean), (past_posts, past_mean) = hour, past
    values = np.concatenate([sums, posts[None], hour_posts[None]])
    centres = np.concatenate([means, mean[None], hour_mean[None]])
    scatter = old[:-1, :, None]
    spread = centres + centres * centres * (scatter + 1 / known)
    off = np.minimum(values - centres, CLIP_SD * np.sqrt(spread) + CLIP_POSTS)
    square = centres * centres
    weight = use * square / (centres + 2 * spread * spread + 1e-6)
    level_error = square / known
    moments = np.stack([weight * (off * off - centres - level_error), weight * square])
    # the level's own variance: how an hour's surprise carries over to the next bin
    earlier = np.clip(
        past_posts - past_mean, None, CLIP_SD * np.sqrt(past_mean * (1 + past_mean * scatter[-2])) + CLIP_POSTS
    )
    error = (1 + mean * scatter[-2]) * (1 + past_mean * scatter[-1]) + 1e-6
    carried = use * (off[-2] * earlier - mean * past_mean / known) / error
    return np.concatenate([moments, np.stack([carried, use * mean * past_mean / error])[:, None]], axis=1)


def refit(fitted: Fitted, block: Day, done: Followed, sizes: Scale) -> Fitted:
    """Take a whole block into the sums and derive the fit of the next midnight."""
    tail = fitted.tail_posts.shape[1]
    keep_level = np.float32(0.5 ** (sizes.block_days / LEVEL_HALF_LIFE_DAYS))
    keep_season = np.float32(0.5 ** (sizes.block_days / SEASON_HALF_LIFE_DAYS))
    keep_scatter = np.float32(0.5 ** (sizes.block_days / SCATTER_HALF_LIFE_DAYS))
    clipped, observed, trusted = done.clipped, done.observed, done.trusted
    flat = np.where(done.season > 0, done.mean / np.maximum(done.season, 1e-6), 0)
    first = fitted.seen == 0
    if first.any():  # the first day knows its level only when it is over
        own = (clipped.sum(axis=1) + 0.3) / np.maximum(trusted.sum(axis=1), 1)
        flat = np.where(first[:, None], own[:, None], flat)
    flat = flat * trusted
    cell_posts = fitted.cell_posts * keep_season
    cell_expected = fitted.cell_expected * keep_season
    for zone in range(len(block.cell)):
        rows = np.flatnonzero(block.zone == zone)
        cells = block.cell[zone]
        edges = np.flatnonzero(np.diff(cells, prepend=-1))
        np.add.at(cell_posts, (rows[:, None], cells[edges][None]), np.add.reduceat(clipped[rows], edges, axis=1))
        np.add.at(cell_expected, (rows[:, None], cells[edges][None]), np.add.reduceat(flat[rows], edges, axis=1))
    old = done.old
    level = clipped.sum(axis=1) / np.maximum((done.season * trusted).sum(axis=1), 1e-3)
    bin_noise = (np.maximum(old[-3] - old[-1], 0) + HOURS_ALIKE * sizes.hour * old[-1])[:, None]
    worth = 1 / (1 + level[:, None] * fitted.season * bin_noise)
    season = _shape(cell_posts, cell_expected, worth, block.service)

    def ends(old: Floats, new: Floats) -> Floats:
        return np.concatenate([old, new], axis=1)[:, -tail:]

    return replace(
        fitted,
        seen=fitted.seen + observed.sum(axis=1),
        heard=fitted.heard * keep_level + clipped.sum(axis=1),
        exposure=fitted.exposure * keep_level + (done.season * trusted).sum(axis=1),
        cell_posts=cell_posts,
        cell_expected=cell_expected,
        season=season,
        scatter=fitted.scatter * keep_scatter + done.moments.sum(axis=3),
        tail_posts=ends(fitted.tail_posts, done.posts),
        tail_clipped=ends(fitted.tail_clipped, clipped),
        tail_season=ends(fitted.tail_season, done.season * trusted),
        tail_suspect=ends(fitted.tail_suspect, done.suspect),
        tail_observed=ends(fitted.tail_observed, observed),
        tail_mean=ends(fitted.tail_mean, done.mean),
    )


def _shape(posts: Floats, expected: Floats, worth: Floats, service: Ints) -> Floats:
    """Return the shape of the week: a service's own, shrunk to that of all; a series' own, shrunk to its service's."""
    cells = posts.shape[1]
    if cells == 1:
        return np.ones_like(posts)
    posts, expected = posts * worth, expected * worth
    services = int(service.max()) + 1
    pooled_posts = np.zeros((services, cells), dtype=np.float64)
    pooled_expected = np.zeros((services, cells), dtype=np.float64)
    np.add.at(pooled_posts, service, posts)
    np.add.at(pooled_expected, service, expected)
    everywhere = _shrink(pooled_posts.sum(axis=0)[None], pooled_expected.sum(axis=0)[None], np.ones((1, cells)))
    of_service = _shrink(pooled_posts, pooled_expected, np.broadcast_to(everywhere, pooled_posts.shape))
    return _shrink(posts, expected, of_service[service]).astype(np.float32)


def _shrink(
    posts: npt.NDArray[np.floating], expected: npt.NDArray[np.floating], prior: npt.NDArray[np.floating]
) -> npt.NDArray[np.floating]:
    """Return a gamma-Poisson ratio to a prior shape, smoothed over neighbouring cells of the cyclic week."""
    cells = posts.shape[1]
    if cells % 7 == 0 and cells > 7:
        hours = cells // 7
        day_posts = posts.reshape(-1, 7, hours).sum(axis=1)
        day_expected = (expected * prior).reshape(-1, 7, hours).sum(axis=1)
        prior = prior * np.tile(_smooth(day_posts, day_expected, DAY_PRIOR, DAY_SMOOTH), 7)
        if BLOCK_PRIOR:
            bl = cells // 6
            p = _smooth(
                posts.reshape(-1, bl // 1, 6).sum(axis=2),
                (expected * prior).reshape(-1, bl, 6).sum(axis=2),
                BLOCK_PRIOR,
                1,
            )
            prior = prior * np.repeat(p, 6, axis=1)
    return prior * _smooth(posts, expected * prior, SEASON_PRIOR_POSTS, WEEK_SMOOTH if cells > 14 else 0)


DAY_PRIOR = 12.0
DAY_SMOOTH = 1
WEEK_SMOOTH = 1
BLOCK_PRIOR = 0.0


def _smooth(posts, expected, strength, times):
    for _ in range(times):
        posts = 0.5 * posts + 0.25 * (np.roll(posts, 1, axis=1) + np.roll(posts, -1, axis=1))
        expected = 0.5 * expected + 0.25 * (np.roll(expected, 1, axis=1) + np.roll(expected, -1, axis=1))
    return (posts + strength) / (expected + strength)


def excess_interval(
    posts: npt.ArrayLike,
    expected: npt.ArrayLike,
    dispersion: npt.ArrayLike,
    level_cv: npt.ArrayLike,
    coverage: float = 0.95,
) -> tuple[float, float, float]:
    """Return the excess posts of a window and its interval, from the joint model of its bins.

    Args:
        posts: Counts of the window's observed bins, one or several disjoint series stacked.
        expected: Their expectations.
        dispersion: Over-dispersion of single bins: variance = mean + dispersion * mean**2.
        level_cv: Coefficient of variation of the level that the bins share.
        coverage: Share of windows whose excess lies inside.

    Returns:
        ``(excess, low, high)`` in posts. The level's error is shared by the whole window, so it adds as
        ``(sum of level_cv * mean)**2``, not bin by bin.

    """
    y, mu = np.asarray(posts, dtype=float), np.asarray(expected, dtype=float)
    cv = np.broadcast_to(np.asarray(level_cv, dtype=float), mu.shape)
    variance = float((mu + np.asarray(dispersion, dtype=float) * mu * mu).sum() + (cv * mu).sum() ** 2)
    excess = float((y - mu).sum())
    low, high = gamma_bounds(float(mu.sum()), variance, coverage)
    total = float(y.sum())
    return excess, total - high, total - low


def gamma_bounds(mean: float, variance: float, coverage: float) -> tuple[float, float]:
    """Return the central interval of a sum by Wilson and Hilferty's cube root of a gamma of that mean and variance."""
    from statistics import NormalDist

    if mean <= 0:
        return 0.0, 0.0
    z = NormalDist().inv_cdf(0.5 + coverage / 2)
    h = variance / (9 * mean * mean)
    return max(mean * (1 - h - z * h**0.5), 0.0) ** 3 / mean**2, mean * (1 - h + z * h**0.5) ** 3
