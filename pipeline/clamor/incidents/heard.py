"""What one source heard of a case, bin by bin, and how much its posts speak for one size of an outage or another.

Posts are negative binomial of mean ``m`` where nothing is wrong, of ``m (1 + R)`` in an outage of average size: ``R``
is the case's own mean excess over what was expected. The scatter is that of single bins and of the level together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Final

import numpy as np

from clamor.incidents.episodes import Floats, Ints, Rows

LEFT: Final = 0.5
"""An outage that still goes on has at least this part of its own mean size."""
SOON: Final = 3
"""A read source overrules counts if its silence would be proof within so many closing times."""
LEAST_MEAN: Final = 1e-3
"""Expected posts below this are taken as this."""
SPREAD: Final = (1e-6, 0.5)
"""Least and largest squared relative scatter: of a rare series it is not known, and an outage's posts have no more."""


@dataclass(frozen=True, eq=False)
class Heard:
    """What one source heard in a run of bins; NaN where it was not listening.

    Attributes:
        read: Its posts were read; else they were only counted by a query, news and jokes among them.
        posts: Complaints.
        mean: Those expected.
        spread: Their squared relative scatter beyond Poisson's.
        sampled: They are those of samples, which come once an hour.

    """

    read: bool
    posts: Floats
    mean: Floats
    spread: Floats
    sampled: bool = False

    @classmethod
    def of(cls, rows: Rows, index: Ints, first: int, end: int, *, read: bool) -> "Heard":
        """Lay rows of one series down in the bins from ``first`` to before ``end``."""
        index = index[(rows.bin[index] >= first) & (rows.bin[index] < end)]
        index = index[np.isfinite(rows.value["posts"][index]) & np.isfinite(rows.value["expected_posts"][index])]
        posts, mean, spread = (np.full(end - first, np.nan) for _ in range(3))
        at = rows.bin[index] - first
        posts[at] = rows.value["posts"][index]
        mean[at] = np.maximum(rows.value["expected_posts"][index], LEAST_MEAN)
        spread[at] = np.clip(np.nan_to_num(rows.value["dispersion"][index]), *SPREAD)
        return cls(read, posts, mean, spread)

    def ratio(self, first: int, end: int, *, least: bool = False) -> float:
        """Return the excess of some bins over what was expected in them, as a multiple of that.

        ``least``: the least that it may have been, as three posts may as well have been two (a standard deviation).
        """
        there = np.flatnonzero(np.isfinite(self.posts[first:end])) + first
        usual, posts = float(self.mean[there].sum()), float(self.posts[there].sum())
        return max(0.0, (posts - posts**0.5 * least) / usual - 1) if usual > 0 else 0.0

    def shows(self, first: int, end: int) -> bool:
        """Tell whether some bins have more posts than chance often brings (two standard deviations, if Poisson)."""
        there = np.flatnonzero(np.isfinite(self.posts[first:end])) + first
        usual = float(self.mean[there].sum())
        return bool(self.posts[there].sum() - usual > 2 * usual**0.5)

    def gain(self, before: float, after: float, first: int = 0, end: int | None = None) -> Floats:
        """Return bins' log-likelihood ratios of ``after`` times the expected posts against ``before`` times."""
        posts, mean, size = self.posts[first:end], self.mean[first:end], 1 / self.spread[first:end]
        more = np.log1p(mean * (after - before) / (size + before * mean))
        return np.nan_to_num(posts * log(after / before) - (posts + size) * more)

    def likely(self, times: Floats, first: int) -> Floats:
        """Return log-likelihoods, but for a constant, of so many times the expected posts in the bins from ``first``.

        Args:
            times: ``(..., bins)``.
            first: Number of its first bin.

        """
        bins = slice(first, first + times.shape[-1])
        posts, size = self.posts[bins], 1 / self.spread[bins]
        nats = posts * np.log(times) - (posts + size) * np.log1p(times * self.mean[bins] / size)
        return np.asarray(np.nansum(nats, axis=-1))


def speakers(heard: Sequence[Heard], began: int, end: int, quiet: int, enough: float) -> list[Heard]:
    """Return who may say that a case goes on: read sources that would surely show it soon, else all.

    Samples, which come once an hour, speak where no source is read whole.

    Args:
        heard: What the sources heard, in the same bins.
        began: First bin in which the case went on.
        end: The bin after the last of these.
        quiet: Bins of a closing time.
        enough: Nats that are proof.

    """
    strong = [
        each
        for each in heard
        if each.read
        and each.shows(began, end)
        and LEFT * each.ratio(began, end, least=True) * np.nan_to_num(each.mean[began:end]).mean() * SOON * quiet
        >= enough
    ]
    return [each for each in strong if not each.sampled] or strong or list(heard)
