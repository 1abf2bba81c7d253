"""Following the level through a day: what each bin, and each sum of bins, was expected to bring before it came."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clamor.baseline import scatter
from clamor.baseline.counts import Bools, Floats, Ints
from clamor.baseline.fit import Day, Fitted, Taken
from clamor.baseline.groups import Rows
from clamor.baseline.lengths import Lengths
from clamor.baseline.quick import row_sums
from clamor.baseline.scatter import BIN, HOUR, LAG
from clamor.baseline.season import season_at
from clamor.baseline.sliding import Sliding, running

LEVEL_PRIOR_POSTS = 30.0
"""The slow level counts as this many posts beside those of the last day."""
NEW_POSTS = 0.3
"""The same for a series that was never seen."""
SUSPECT_SD = 4.0
"""An hour's sum this far above its expectation (and 3 posts) looks like an outage: the level does not learn from it
once the series has seen a day,"""
SUSPECT_SHARE = 0.5
"""unless half of the last day looks so: then it is the new normal."""
STEADY_SERVICE_POSTS = 60.0
"""Effective posts of a service's other regions in the last hour at which half of their rise is expected here too."""
TALK_POSTS, TALK_POWER = 20.0, 0.8
"""Posts of the last day before talk says anything, and the power of its rise that complaints are expected to follow."""
MUCH = np.float32(1e12)
"""Talk to expect where it is not known: none is ever a rise."""
LEARN_AFTER = 2
"""Bins before surprises say anything about scatter."""
YOUNG_DAYS = 3
"""Up to this age the scatter is followed within the day too."""
MIN_LAG = 1e-5


@dataclass(frozen=True)
class Followed:
    """Expectations of one day's bins and of the sums that end there; shapes ``(series, bins)`` unless said.

    Attributes:
        taken: What the refit needs.
        known: Posts that the level rests on; the reciprocal is its squared relative error.
        sums: Counts of each window, ``(windows, series, bins)``.
        means: Expected counts of each window, lifted by the hours before it.
        kappa: Scatter of each window, ``(windows, series, bins or 1)``: variance = mean + kappa * mean**2.
        dispersion: Of single bins about ``taken.mean``, ``(series, bins or 1)``.
        level_cv: Of an hour's level about it.
        ready: Whether warm-up is over.

    """

    taken: Taken
    known: Floats
    sums: Floats
    means: Floats
    kappa: Floats
    dispersion: Floats
    level_cv: Floats
    ready: npt.NDArray[np.bool_]


def follow(
    fitted: Fitted, block: Day, level: Floats, error: Floats | None, factor: Floats, heeded: Floats, sizes: Lengths
) -> Followed:
    """Follow the level through one day; every value rests on earlier bins only.

    Args:
        fitted: What earlier days taught about some whole services.
        block: Their day.
        level: Their slow levels, and
        error: the squared relative errors of these, see :meth:`clamor.baseline.fit.Fitted.usual`.
        factor: By how much their volume classes scatter, see :func:`clamor.baseline.scatter.class_factor`.
        heeded: 0 for series that repeat what others of their service bring, else 1.
        sizes: Lengths in bins.

    """
    observed = (block.posts == block.posts).astype(np.float32)  # NaN is unknown
    posts = np.fmax(block.posts, np.float32(0))
    season = season_at(fitted.season, block.dates, block.clocks)
    base = season * level[:, None]
    base *= observed
    spread = _Scatter(fitted, level, factor, sizes)
    kappa = spread.midnight
    steady = _DayLevel(fitted, base, level, error, sizes)
    clipped, suspect, ratio, known = steady.clip(posts, observed, kappa)
    trusted = steady.trust(clipped, suspect, observed, ratio, known)
    mean = base * ratio
    ready, learn = _grown(fitted.seen, observed, sizes)
    learn &= trusted > 0
    first = spread.first(ratio)
    working = spread.working(first)
    talk, talk_mean = _talk(block, mean)
    talked = None if block.talk is None else _talked(fitted, talk, talk_mean, sizes)
    sums, means, past = _windows(fitted, posts, mean, working, (block.services, heeded), talked, sizes)
    learned, weights = scatter.moments(sums, means, known, working, learn, past)
    now = spread.now(learned, weights, first)
    learned = row_sums(learned, weights)
    level_var = scatter.unsteady(now, sizes)
    windows = len(sizes.windows)
    taken = Taken(
        posts, clipped, observed, trusted, suspect, season, base, mean, learned, kappa, level, talk, talk_mean
    )
    return Followed(
        taken=taken,
        known=known,
        sums=sums[:windows],
        means=means[:windows],
        kappa=now[:windows],
        dispersion=now[BIN] - level_var,
        level_cv=np.sqrt(level_var + 1 / known),
        ready=ready,
    )


class _Scatter:
    """Kappa on one day: midnight's, and for young series that of each bin; holds the day's fixed parts.

    Attributes:
        midnight: What is known at midnight, ``(kinds, series)``.

    """

    def __init__(self, fitted: Fitted, level: Floats, factor: Floats, sizes: Lengths) -> None:
        self._level, self._sizes = level, sizes
        self._factor = np.where(fitted.exposure > 0, factor, np.float32(1))
        self._moments = fitted.moments.transpose(1, 2, 0)
        self.midnight = scatter.estimate(self._moments[0], self._moments[1], self._factor * scatter.guess(level, sizes))
        self._young = np.flatnonzero(fitted.seen < YOUNG_DAYS * sizes.day)
        self._new = fitted.exposure[self._young] == 0

    def first(self, ratio: Floats) -> Floats:
        """Return what to think of young series at each bin before seeing their scatter, ``(kinds, young, bins)``."""
        young = self._young
        if not len(young):
            return np.zeros((len(self.midnight), 0, ratio.shape[1]), dtype=np.float32)
        return self._factor[:, young, None] * scatter.guess(self._level[young, None] * ratio[young], self._sizes)

    def working(self, first: Floats) -> Floats:
        """Return the kappas to weigh by, ``(kinds, series, bins or 1)``: new series have none of midnight."""
        return self._through_day(self._young[self._new], first[:, self._new])

    def now(self, values: Floats, weights: Floats, first: Floats) -> Floats:
        """Return kappa of every bin, ``(kinds, series, bins or 1)``, from the moments of the day's bins so far."""
        young = self._young
        if not len(young):
            return self.midnight[:, :, None]
        mine = values[:, :, young] * weights[:, young]
        so_far = running(mine) - mine
        so_far += self._moments[:, :, young, None]
        return self._through_day(young, scatter.estimate(so_far[0], so_far[1], first))

    def _through_day(self, rows: Ints, theirs: Floats) -> Floats:
        if not len(rows):
            return self.midnight[:, :, None]
        out = np.repeat(self.midnight[:, :, None], theirs.shape[2], axis=2)
        out[:, rows] = theirs
        return out


def _grown(seen: Floats, observed: Floats, sizes: Lengths) -> tuple[Bools, Bools]:
    """Return the bins after warm-up, and those of which surprises say something."""
    ready, learn = (np.ones(observed.shape, dtype=np.bool_) for _ in range(2))
    fresh = np.flatnonzero(seen < max(sizes.warm_up, LEARN_AFTER))
    if len(fresh):
        mine = observed[fresh]
        before = seen[fresh, None] + (running(mine) - mine)
        ready[fresh], learn[fresh] = before >= sizes.warm_up, before >= LEARN_AFTER
    return ready, learn


class _DayLevel:
    """The level of the last day relative to the slow level; holds one day's fixed parts."""

    def __init__(self, fitted: Fitted, base: Floats, level: Floats, error: Floats | None, sizes: Lengths) -> None:
        self.fitted, self.base, self.error, self.sizes = fitted, base, error, sizes
        self.prior = (NEW_POSTS + LEVEL_PRIOR_POSTS * fitted.heard / (fitted.heard + LEVEL_PRIOR_POSTS))[:, None]
        self.earlier = fitted.tail_season * level[:, None]

    def clip(self, posts: Floats, observed: Floats, kappa: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Return clipped counts, where they look like an outage (0 or 1), and of each bin the level and its worth.

        The level is a ratio to the slow level, from the day before the bin; its worth are the posts that it rests on.
        """
        usual, ratio, known = self._level(posts, self.base)
        clipped = scatter.ceiling(self.base * ratio, kappa[BIN][:, None] + 1 / known)
        np.minimum(posts, clipped, out=clipped)
        rows = np.flatnonzero((clipped < posts).any(axis=1))
        if len(rows) and self.error is None:
            heard = self._before((self.fitted.tail_trusted[rows], clipped[rows]))[0] + self.prior[rows]
            ratio[rows], known[rows] = heard / usual[rows], heard
        suspect = self._suspect(posts, self.base * ratio, kappa[HOUR][:, None] + 1 / known)
        suspect *= observed
        return clipped, suspect, ratio, known

    def trust(self, clipped: Floats, suspect: Floats, observed: Floats, ratio: Floats, known: Floats) -> Floats:
        """Return which bins the level may learn from (0 or 1); the others are taken out of what is given."""
        rows = np.flatnonzero(suspect.any(axis=1) & (self.fitted.seen >= self.sizes.recent))
        trusted = observed
        if len(rows):
            before = (self.fitted.tail_suspect[rows], suspect[rows]), (self.fitted.tail_observed[rows], observed[rows])
            share, seen = self._before(*before)
            trusted = observed.copy()
            trusted[rows] *= 1 - suspect[rows] * (share < SUSPECT_SHARE * seen)
            clipped[rows] *= trusted[rows]
            _, ratio[rows], known[rows] = self._level(clipped[rows], self.base[rows] * trusted[rows], rows)
        return trusted

    def _level(self, posts: Floats, base: Floats, rows: Ints | slice = slice(None)) -> tuple[Floats, Floats, Floats]:
        """Return what is usual on the day before each bin, the level as a ratio to it, and the posts it rests on."""
        if self.error is not None:  # wide bins: the year's regression is the level
            return base, np.ones_like(base), np.repeat(1 / self.error[rows, None], base.shape[1], axis=1)
        heard, usual = self._before((self.fitted.tail_trusted[rows], posts), (self.earlier[rows], base))
        heard += self.prior[rows]
        usual += self.prior[rows]
        return usual, heard / usual, heard

    def _before(self, *kinds: tuple[Floats, Floats]) -> Floats:
        """Sum the bins of the day before each bin; of each kind yesterday's values and today's."""
        recent = self.sizes.recent
        return Sliding.of(*((earlier, values[:, :-1]) for earlier, values in kinds), tail=recent).last(recent)

    def _suspect(self, posts: Floats, mean: Floats, rough: Floats) -> Floats:
        y, m = Sliding.of((self.fitted.tail_posts, posts), (self.fitted.tail_mean, mean), tail=3).last(4)
        rough *= m
        rough += 1
        rough *= m
        limit = np.sqrt(rough, out=rough)
        limit *= np.float32(SUSPECT_SD)
        limit += m
        limit += np.float32(scatter.CLIP_POSTS)
        return np.asarray(y > limit, dtype=np.float32)


def _windows(
    fitted: Fitted,
    posts: Floats,
    mean: Floats,
    kappa: Floats,
    others: tuple[Rows, Floats],
    talked: list[Floats] | None,
    sizes: Lengths,
) -> tuple[Floats, Floats, tuple[Floats, Floats, Floats]]:
    """Sum counts and expectations of the windows (lifted by the hours before), the bin and the hour.

    Also return the hour before each bin: its counts and expectation, a bin, and by how much other regions exceeded it.
    """
    tail = max(sizes.windows) + sizes.hour
    both = Sliding.of((fitted.tail_posts, posts), (fitted.tail_mean, mean), tail=tail)

    def summed(length: int, lag: int = 0) -> Floats:
        first = tail - lag - (length - 1)
        return np.asarray(both.last(length)[..., first : first + posts.shape[1]])

    sums, means = (np.empty((len(sizes.windows) + 2, *posts.shape), dtype=np.float32) for _ in range(2))
    longest, bins = max(sizes.windows), posts.shape[1]
    hours = slice(1, tail + bins - sizes.hour)
    in_hour, usual = both.last(sizes.hour)[..., hours]
    lifts, shared = _lifts(in_hour, usual, kappa, others, sizes)
    for k, window in enumerate(sizes.windows):
        lift = lifts[:, longest - window : longest - window + bins]
        if talked is not None:
            lift = np.maximum(lift, talked[k])
        sums[k], expected = summed(window)
        np.multiply(expected, lift, out=means[k])
    sums[-2], means[-2] = posts, mean
    sums[-1], means[-1] = summed(sizes.hour)
    before, before_mean = summed(sizes.hour, 1)
    each = np.float32(sizes.hour)
    return sums, means, (before / each, before_mean / each, shared[:, longest - 1 :])


def _lifts(
    hours: Floats, usual: Floats, kappa: Floats, others: tuple[Rows, Floats], sizes: Lengths
) -> tuple[Floats, Floats]:
    """Return by how much more than usual is expected after each hour, and how much of it other regions say.

    Args:
        hours: Counts of each hour, one for each bin at which it ends, the last but one of the day the last of them.
        usual: Their expectations.
        kappa: Scatter at midnight, or at each bin of the day.
        others: Series by service, and 0 for those that repeat others; see :func:`_shared`.
        sizes: Lengths in bins.

    """
    noise = _at_hours((kappa[BIN] - scatter.unsteady(kappa, sizes)) / sizes.hour, hours)
    steady = _at_hours(1 / np.maximum(kappa[LAG], np.float32(MIN_LAG)), hours)
    worth = _worth(usual, noise)
    heard, expected = hours * worth, usual * worth
    shared = _shared(hours, usual, worth, *others)
    heard += shared * steady
    expected += steady
    heard /= expected
    return heard, shared


def _at_hours(values: Floats, hours: Floats) -> Floats:
    """Return a number of each series, or one of each bin of the day, as it was known at the end of each hour."""
    before = hours.shape[1] - values.shape[1] + 1
    if values.shape[1] == 1:
        return values
    return np.pad(values[:, :-1], [(0, 0), (before, 0)], mode="edge")


def _talk(block: Day, mean: Floats) -> tuple[Floats, Floats]:
    """Return the posts that are no complaints, and the expected complaints of the bins where they are known."""
    if block.talk is None:
        return np.zeros_like(mean), np.zeros_like(mean)
    known = ~np.isnan(block.talk)
    return np.where(known, block.talk, np.float32(0)), np.where(known, mean, np.float32(0))


def _talked(fitted: Fitted, talk: Floats, talk_mean: Floats, sizes: Lengths) -> list[Floats]:
    """Return, for each window, by how much the talk in it makes more complaints expected (at least one).

    Talk is expected in proportion to complaints, as on the last day. A viral topic brings its share of grumbling; in an
    outage complaints grow much more than the talk about them, so little of it is explained away.
    """
    recent = sizes.recent
    both = Sliding.of((fitted.tail_talk, talk), (fitted.tail_talk_mean, talk_mean), tail=recent)
    heard, usual = both.last(recent)[..., :-1]
    each = np.where(heard >= np.float32(TALK_POSTS), heard / np.maximum(usual, np.float32(1e-6)), MUCH)
    prior, power = np.float32(TALK_POSTS), np.float32(TALK_POWER)
    out = []
    for window in sizes.windows:
        first = recent - (window - 1)
        now, expected = both.last(window)[..., first:]
        ratio = (prior + now) / (prior + np.where(expected > 0, each * expected, MUCH))
        out.append(np.maximum(ratio, 1) ** power)
    return out


def _worth(mean: Floats, noise: Floats) -> Floats:
    """Return what an hour's posts are worth, for bins that scatter by that much noise."""
    worth = mean * noise
    worth += 1
    return np.asarray(np.divide(1, worth, out=worth))


def _shared(hour: Floats, hour_mean: Floats, worth: Floats, service: Rows, heeded: Floats) -> Floats:
    """Return the rise of the service's other regions in the last hour: talk about a service is heard everywhere.

    A region that repeats what lies inside it (``heeded`` is 0) is no other, and has none.
    """
    prior = np.float32(STEADY_SERVICE_POSTS)
    worth = worth * heeded[:, None]
    limited = 4 * hour_mean
    limited += 4
    np.minimum(hour, limited, out=limited)
    limited *= worth
    heard = service.others(limited)
    heard += prior
    usual = service.others(np.multiply(hour_mean, worth, out=limited))
    usual += prior
    heard /= usual
    heard -= 1
    heard *= heeded[:, None]
    heard += 1
    return heard
