"""What later days need of earlier ones: taken in day by day, refitted at UTC midnights."""

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from clamor.baseline import annual, scatter
from clamor.baseline.counts import MINUTES_PER_DAY, Floats, Ints, Panel
from clamor.baseline.groups import Rows
from clamor.baseline.lengths import Lengths
from clamor.baseline.quick import at_least, row_sums
from clamor.baseline.season import Calendar, Clocks, Real, add_by_cell, everywhere, heard, shape

HALF_LIVES = (5.0, 35.0, 28.0)
"""Days after which half is left of the memories of level, season and scatter; wide bins remember as many bins
(``Lengths.stretch``)."""
GROWN_DAYS = 3.0
"""Days observed until a series teaches other services the shape of the week."""
LEARN_DAYS = 5.0
"""Days until surprises count as scatter and no longer as a season that is not known yet."""
ALIKE_HOURS = 2.0
"""Hours over which an unsteady level stays up: their bins are worth less for the season."""
TAILS = (
    "tail_posts",
    "tail_trusted",
    "tail_season",
    "tail_mean",
    "tail_suspect",
    "tail_observed",
    "tail_talk",
    "tail_talk_mean",
)
"""What a fit keeps of the last bins."""


@dataclass(frozen=True)
class Fitted:
    """The fit of one midnight; float32 unless said, the first axis of every array is the series.

    Attributes:
        seen: Observed bins so far.
        heard: Decayed sum of trusted, clipped counts.
        exposure: Decayed sum of the season there, so that ``heard / exposure`` is the level a bin.
        cells: By cell of the local week the decayed trusted counts and what a flat season would have brought,
            ``(series, 2, cells)``.
        worth: Effective posts per post there, below one where bins scatter more than Poisson.
        season: The shape of the week.
        moments: Decayed excess variances and their worths, ``(series, 2, kinds)``; see :mod:`clamor.baseline.scatter`.
        tail_posts: Counts of the last bins, 0 where unknown, ``(series, tail)``.
        tail_trusted: The same, clipped, and 0 where not trusted.
        tail_season: Season there, 0 where not trusted.
        tail_mean: Expected there, 0 where unknown.
        tail_suspect: 1 where the bin looked like an outage.
        tail_observed: 1 where the bin was observed.
        tail_talk: Posts that name the service and are no complaints, 0 where unknown.
        tail_talk_mean: ``tail_mean`` where the talk is known, else 0.
        year_information: Normal equations of the year's regression, float64; see :mod:`clamor.baseline.annual`.
        year_response: The same.
        year_first: The same.

    """

    seen: Floats
    heard: Floats
    exposure: Floats
    cells: Floats
    worth: Floats
    season: Floats
    moments: Floats
    tail_posts: Floats
    tail_trusted: Floats
    tail_season: Floats
    tail_mean: Floats
    tail_suspect: Floats
    tail_observed: Floats
    tail_talk: Floats
    tail_talk_mean: Floats
    year_information: npt.NDArray[np.float64]
    year_response: npt.NDArray[np.float64]
    year_first: npt.NDArray[np.float64]

    @property
    def level(self) -> Floats:
        """Posts a bin; one where nothing was seen yet."""
        level = np.where(self.exposure > 0, self.heard / np.maximum(self.exposure, 1e-9), 1.0)
        return np.asarray(np.maximum(level, 0.3 / np.maximum(self.exposure, 1.0)), dtype=np.float32)

    @property
    def year(self) -> annual.Annual:
        """The year's regression."""
        return annual.Annual(self.year_information, self.year_response, self.year_first)

    def take(self, rows: Ints, service: Ints, sizes: Lengths) -> "Fitted":
        """Return the fit of other rows: ``rows[i]`` is the old row of the new row i, or -1 for a new series.

        A new series starts with the season of its service; ``service`` are the codes of the new rows.
        """
        fresh = start(1, sizes)
        both = {f.name: np.concatenate([getattr(self, f.name), getattr(fresh, f.name)]) for f in fields(self)}
        taken = Fitted(**{name: values[rows] for name, values in both.items()})
        services = Rows(service)
        by_service = taken.heard_by(services)
        return taken.shaped(services, by_service, everywhere(taken.taught_by(services, by_service, sizes)))

    def rows(self, rows: slice) -> "Fitted":
        """Return the fit of some series."""
        return Fitted(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def heard_by(self, services: Rows) -> Real:
        """Return what each service says of its season; see :func:`clamor.baseline.season.heard`."""
        return heard(self.cells, self.worth, services)

    def taught_by(self, services: Rows, by_service: Real, sizes: Lengths) -> Real:
        """Return what each service tells others of the season: what it heard, but for series of a day or two.

        Such a series cannot tell what belongs to the hour and what to that day, such as an outage.
        """
        grown = self.seen >= GROWN_DAYS * sizes.day
        return by_service if grown.all() else heard(self.cells, self.worth * grown[:, None], services)

    def shaped(self, services: Rows, by_service: Real, prior: Real) -> "Fitted":
        """Return the fit with the season that its sums speak for; see :func:`clamor.baseline.season.shape`."""
        return replace(self, season=shape(self.cells, self.worth, services, by_service, prior))

    def usual(self, dates: Calendar, sizes: Lengths) -> tuple[Floats, Floats | None]:
        """Return the level of each series on a day, and its squared relative error where bins are wide."""
        return annual.expect(self.year, dates.year[0]) if sizes.wide else (self.level, None)


def join(parts: list[Fitted]) -> Fitted:
    """Return the fit of all series of some fits, in order."""
    return Fitted(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Fitted)})


def start(series: int, sizes: Lengths) -> Fitted:
    """Return the fit that knows nothing; its arrays are one zero each, seen many times, and cannot be written."""

    def zeros(*more: int) -> Floats:
        return np.broadcast_to(np.float32(0), (series, *more))

    year = annual.start(series if sizes.wide else 0)
    none = np.zeros((series, 0))
    return Fitted(
        seen=zeros(),
        heard=zeros(),
        exposure=zeros(),
        cells=zeros(2, sizes.cells),
        worth=zeros(sizes.cells),
        season=np.broadcast_to(np.float32(1), (series, sizes.cells)),
        moments=zeros(2, scatter.kinds(sizes)),
        tail_posts=zeros(sizes.tail),
        tail_trusted=zeros(sizes.tail),
        tail_season=zeros(sizes.tail),
        tail_mean=zeros(sizes.tail),
        tail_suspect=zeros(sizes.tail),
        tail_observed=zeros(sizes.tail),
        tail_talk=zeros(sizes.tail),
        tail_talk_mean=zeros(sizes.tail),
        year_information=year.information if sizes.wide else none,
        year_response=year.response if sizes.wide else none,
        year_first=year.first if sizes.wide else none,
    )


@dataclass(frozen=True)
class Day:
    """One UTC day of a panel (or one bin, where bins are longer).

    Attributes:
        posts: ``(series, bins)``, NaN where unknown.
        talk: Posts that name the service and are no complaints, NaN where unknown; None if nothing is known of them.
        dates: Where its bins lie in the local weeks and the year.
        clocks: Which series go by which clock, see :meth:`clamor.baseline.season.Calendar.clocks`.
        services: Series by service.

    """

    posts: Floats
    talk: Floats | None
    dates: Calendar
    clocks: Clocks
    services: Rows


def blocks(panel: Panel) -> list[slice]:
    """Return the columns of each UTC day, or of each bin where bins are longer."""
    length = max(MINUTES_PER_DAY, panel.bin_minutes)
    phase = panel.start_minute % length if panel.bin_minutes > MINUTES_PER_DAY else 0
    number = (panel.minutes - phase) // length
    edges = np.flatnonzero(np.diff(number, prepend=-1)) if len(number) else np.zeros(0, dtype=np.int64)
    return [slice(int(a), int(b)) for a, b in zip(edges, [*edges[1:], len(number)][: len(edges)], strict=True)]


def day(panel: Panel, rows: slice, dates: Calendar, clocks: Clocks, services: Rows, columns: slice) -> Day:
    """Cut one block of some whole services out of a panel; see :class:`Day`."""
    posts = panel.posts[rows, columns]
    talk = None if panel.mentions is None else np.maximum(panel.mentions[rows, columns] - posts, 0)
    return Day(posts, talk, dates, clocks, services)


@dataclass(frozen=True)
class Taken:
    """What a followed day hands to the refit; shapes ``(series, bins)`` unless said.

    Attributes:
        posts: Counts, 0 where unknown.
        clipped: Trusted, clipped counts.
        observed: 1 where known.
        trusted: 1 where known and not suspect.
        suspect: 1 where the bin looks like an outage.
        season: Season of each bin.
        base: Season times slow level, 0 where unknown.
        mean: Expected counts, 0 where unknown.
        moments: The day's sums, ``(2, kinds, series)``; see :func:`clamor.baseline.scatter.moments`.
        kappa: Scatter at midnight, ``(kinds, series)``.
        level: Slow level at midnight, ``(series,)``.
        talk: Posts that are no complaints, 0 where unknown.
        talk_mean: Expected complaints where the talk is known, else 0.

    """

    posts: Floats
    clipped: Floats
    observed: Floats
    trusted: Floats
    suspect: Floats
    season: Floats
    base: Floats
    mean: Floats
    moments: Floats
    kappa: Floats
    level: Floats
    talk: Floats
    talk_mean: Floats


def refit(fitted: Fitted, block: Day, taken: Taken, sizes: Lengths) -> Fitted:
    """Take a whole day into the sums and return the fit of the next midnight, but for its season: see ``shaped``."""
    keep_level, keep_season, keep_scatter = _kept(sizes)
    heard = row_sums(taken.clipped)
    weight = taken.season * taken.trusted
    exposure = row_sums(weight)
    cells = fitted.cells * keep_season
    both = np.stack([taken.clipped, _flat(fitted, taken, heard)], axis=1)
    add_by_cell(cells, both, block.dates, block.clocks)
    learned = np.minimum((fitted.seen / sizes.day + np.float32(0.3)) / np.float32(LEARN_DAYS), 1)
    moments = taken.moments.transpose(2, 0, 1) * learned[:, None, None]
    return replace(
        fitted,
        seen=fitted.seen + row_sums(taken.observed),
        heard=fitted.heard * keep_level + heard,
        exposure=fitted.exposure * keep_level + exposure,
        cells=cells,
        worth=_worth(fitted, taken, heard / at_least(exposure, np.float32(1e-3)), sizes),
        moments=fitted.moments * keep_scatter + moments,
        **_tails(fitted, taken, weight),  # type: ignore[arg-type]  # float32 and float64 arrays by name
        **_year(fitted, block, taken, sizes),  # type: ignore[arg-type]
    )


def rest(fitted: Fitted, bins: int, sizes: Lengths) -> Fitted:
    """Return what :func:`refit` does after a day of so many bins of which none was observed, at a tenth of the cost."""
    keep_level, keep_season, keep_scatter = _kept(sizes)
    year = annual.rest(fitted.year, sizes.block_days)
    nothing = np.broadcast_to(np.float32(0), (len(fitted.seen), bins))
    return replace(
        fitted,
        heard=fitted.heard * keep_level,
        exposure=fitted.exposure * keep_level,
        cells=fitted.cells * keep_season,
        worth=np.ones_like(fitted.worth),
        moments=fitted.moments * keep_scatter,
        **{name: _ends(getattr(fitted, name), nothing) for name in TAILS},  # type: ignore[arg-type]
        year_information=year.information,
        year_response=year.response,
    )


def _kept(sizes: Lengths) -> tuple[np.float32, np.float32, np.float32]:
    """Return what a day leaves of the memories of level, season and scatter."""
    keep = (np.float32(0.5 ** (sizes.block_days / days / sizes.stretch)) for days in HALF_LIVES)
    level, season, spread = keep
    return level, season, spread


def _flat(fitted: Fitted, taken: Taken, heard: Floats) -> Floats:
    """Return what each bin would have brought without a season; the first day knows its level only when it is over."""
    flat = at_least(taken.season, np.float32(1e-6))
    np.divide(taken.mean, flat, out=flat)
    new = np.flatnonzero(fitted.seen == 0)
    flat[new] = ((heard[new] + np.float32(0.3)) / np.maximum(taken.trusted[new].sum(axis=1), 1))[:, None]
    flat *= taken.trusted
    return flat


def _worth(fitted: Fitted, taken: Taken, level: Floats, sizes: Lengths) -> Floats:
    """Return effective posts per post by cell: where bins scatter by kappa, m posts are worth m / (1 + m * kappa)."""
    level_var = scatter.unsteady(taken.kappa, sizes)
    rough = taken.kappa[scatter.BIN] - level_var + np.float32(ALIKE_HOURS) * sizes.hour * level_var
    worth = fitted.season * (level * rough)[:, None]
    worth += 1
    return np.asarray(np.divide(1, worth, out=worth))


def _tails(fitted: Fitted, taken: Taken, weight: Floats) -> dict[str, Floats]:
    new = (
        taken.posts,
        taken.clipped,
        weight,
        taken.mean,
        taken.suspect,
        taken.observed,
        taken.talk,
        taken.talk_mean,
    )
    return {name: _ends(getattr(fitted, name), values) for name, values in zip(TAILS, new, strict=True)}


def _ends(old: Floats, new: Floats) -> Floats:
    """Return the last bins of both, as many as ``old`` has."""
    tail, bins = old.shape[1], new.shape[1]
    return new[:, bins - tail :] if bins >= tail else np.concatenate([old[:, bins:], new], axis=1)


def _year(fitted: Fitted, block: Day, taken: Taken, sizes: Lengths) -> dict[str, npt.NDArray[np.float64]]:
    if not sizes.wide:
        return {}
    base = taken.base[:, 0] * taken.trusted[:, 0]
    kappa = taken.kappa[scatter.BIN]
    x, posts = block.dates.year[0], taken.clipped[:, 0]
    year = annual.learn(fitted.year, x, posts, base, taken.level, kappa, sizes.block_days)
    return {"year_information": year.information, "year_response": year.response, "year_first": year.first}
