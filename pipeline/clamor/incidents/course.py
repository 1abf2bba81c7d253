"""The course of a case after its beginning, by its posts: when it was over, when it paused, how surely."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from clamor.incidents.case import Turn
from clamor.incidents.episodes import Floats
from clamor.incidents.heard import LEFT, Heard, speakers

FADED: Final = 0.25
"""What is left of it in the first bins after its end."""
FADES: Final = (0.1, 1.0, 2.0, 4.0)
"""Complaints die away by a factor e in so many quarters of an hour, at once or slowly;"""
FADE_QUARTERS: Final = 16
"""they began to at most so many before it is clear that all is over."""
SURE_NATS: Final = 2.0
"""Half the chi-squared quantile .95 of one parameter, rounded: change points less likely by more are ruled out."""
LINGER_MINUTES: Final = 30
"""So long people may go on complaining as before when it is over, until the news has spread."""
MINUTE_US: Final = 60_000_000


@dataclass(frozen=True, eq=False)
class Course:
    """What was heard of a case in a run of bins; bins are counted from the first of them.

    Attributes:
        heard: What each series heard.
        began: Bin in which the case began.
        opened: Its first outage bin.
        width: Microseconds of a bin.

    """

    heard: Sequence[Heard]
    began: int
    opened: int
    width: int

    @cached_property
    def _linger(self) -> int:
        return -(-LINGER_MINUTES * MINUTE_US // self.width)

    @cached_property
    def _quarter(self) -> int:
        return -(-15 * MINUTE_US // self.width)

    def ended(self, quiet: int, enough: float) -> tuple[Turn | None, list[tuple[int, int]]]:
        """Go through the bins after the first outage bin.

        Args:
            quiet: Bins of a closing time.
            enough: Nats that are proof.

        Returns:
            The end that stands at the last bin, None if there is none; and the pauses: first bin and the one in which
            it began again, a closing time or more of known bins.

        """
        over: Turn | None = None
        pauses = []
        total, last, run = 0.0, self.opened, list[float]()
        for t in range(self.opened + 1, len(self.heard[0].posts)):
            speak = speakers(self.heard, self.began, last + 1, quiet, enough)
            says = sum(self._over(each, t, last + 1, both=each in speak) for each in self.heard)
            if over is None:
                total += min(says, enough / 2)
                run.append(says)
                if total <= 0:
                    total, last, run = 0.0, t, []
                if total >= enough:
                    over, total, again = self._fell(speak or self.heard, last + 1, run), 0.0, t + 1
            else:
                total = max(0.0, total + min(-says, enough / 2))
                again = again if total > 0 else t + 1
                if total >= enough:
                    if self._known(over.at, again) >= quiet:
                        pauses.append((over.at, again))
                    over, total, last, run = None, 0.0, t, []
        return over, pauses

    def _known(self, first: int, end: int) -> int:
        """Return how many bins anybody heard."""
        return int(np.any([np.isfinite(each.posts[first:end]) for each in self.heard], axis=0).sum())

    def _over(self, each: Heard, t: int, end: int, *, both: bool) -> float:
        """Return how much bin ``t`` of a source says "over", in nats; one that never showed it can only deny it."""
        if np.isnan(each.posts[t]):
            return 0.0
        shown = each.shows(self.began, end)
        ratio = each.ratio(self.began, end) if shown else 1.0
        nats = -float(each.gain(1.0, 1 + LEFT * ratio, t, t + 1)[0])
        return min(nats, 0.0) if not shown else nats if both else max(nats, 0.0)

    def _fell(self, heard: Sequence[Heard], at: int, over: Sequence[float]) -> Turn:
        """Return when posts fell, up to bin ``at``, the first of those that proved it; ``over`` is what these said.

        The end may lie as late as what was said before a bin leaves in doubt.
        """
        since = self._falling(heard, at)
        first = self.opened + int(np.flatnonzero(since >= since.max() - SURE_NATS)[0])
        low = min(first, self._fading(heard, at, at + len(over))) - self._linger
        doubtful = int((np.maximum.accumulate(np.cumsum(over)) <= SURE_NATS).sum())
        return Turn(self.opened + 1 + int(np.argmax(since)), max(self.began, low), at + doubtful + 1)

    def _falling(self, heard: Sequence[Heard], at: int) -> Floats:
        """Return how likely posts fell at each bin after the first outage bin, up to ``at``, in nats."""
        gain = np.zeros(at + 1 - self.opened)
        for each in heard:
            ratio = each.ratio(self.began, at)
            gain += each.gain(1 + ratio, 1 + FADED * ratio)[self.opened : at + 1]
        return np.asarray(np.cumsum(gain[::-1])[::-1][1:])

    def doubt(self, at: int, quiet: int) -> tuple[int, int]:
        """Return when it was over at the earliest and at the latest, of a case that flags alone call over at ``at``."""
        since = self._falling(self.heard, len(self.heard[0].posts) - 1)
        likely = np.flatnonzero(since >= since.max() - SURE_NATS)
        low = self._fading(self.heard, at, at + quiet) - self._linger
        return max(self.began, low), self.opened + 2 + int(likely[-1])

    def _fading(self, heard: Sequence[Heard], at: int, end: int) -> int:
        """Return the first bin from which posts up to bin ``end`` may have died away, at one of the paces of FADES.

        They fall from what they were in the hour before: an outage that grew is at its largest when it ends.
        """
        quarter = self._quarter
        end = min(end, len(heard[0].posts))
        first = max(self.opened + 1, at - FADE_QUARTERS * quarter)
        ends = np.arange(first, at + 1)
        since = np.minimum(ends[:, None, None] - 0.5 - np.arange(first, end), 0)
        shapes = np.exp(since / (np.array(FADES)[:, None] * quarter))
        nats = np.zeros(shapes.shape[:2])
        for each in heard:
            ratios = np.array([each.ratio(max(self.began, e - 4 * quarter), e) for e in ends.tolist()])
            nats += each.likely(1 + ratios[:, None, None] * shapes, first)
        best = nats.max(axis=1)
        return first + int(np.flatnonzero(best >= best.max() - SURE_NATS)[0])
