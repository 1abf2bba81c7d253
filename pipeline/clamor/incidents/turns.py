"""When a case began and when it was over, told by the posts themselves.

Flags look back over windows: they linger, and sometimes lead. Where posts are only counted by a query, jokes and news
about an outage are counted with the complaints. So the times come from likelihoods of every bin's posts (``heard``):
of mean ``m`` where nothing is wrong, of ``m (1 + R)`` in an outage of average size. The series are the clearest one of
each source.

*Over* is told by Page's test (1954): the log-likelihood ratios of ``m`` against ``m (1 + R/2)``, half as bad as it was,
add up from the last bin that spoke against it; at ``log(1/risk)`` the case is over, and begins again when the opposite
sum gets as far. One bin never decides.

*Commentary is neither proof nor denial.* A source whose posts were read counts first-hand complaints alone and speaks
both ways. One whose posts were only counted speaks both ways where it is alone; beside a read source that would soon
show that the case goes on it may say that it is over (few posts are few complaints), never that it goes on. Samples of
it that were read speak as a read source (``readings``).

*Begin and end* are change points: the most likely bin and all within two nats of it, an interval of 95%; from ``m`` to
``m (1 + R/2)``, and from ``m (1 + R)`` to ``m (1 + R/4)``, because complaints die away and do not stop. The interval
reaches back to the first bin from which a slow rise, or a slow dying away, is as likely, and for ends by as long as
complaints linger.
"""

from collections.abc import Collection, Sequence
from math import log
from typing import Final

import numpy as np

from clamor.incidents.case import Case, Turn
from clamor.incidents.episodes import Floats, Rows
from clamor.incidents.heard import LEAST_MEAN, LEFT, SPREAD, Heard, speakers
from clamor.incidents.measured import clearest
from clamor.incidents.readings import Readings, as_series
from clamor.incidents.rules import Rules
from clamor.incidents.scope import Tree
from clamor.schema import IncidentStatus

FADED: Final = 0.25
"""What is left of it in the first bins after its end."""
FADES: Final = (0.1, 1.0, 2.0, 4.0)
"""Complaints die away by a factor e in so many quarters of an hour, at once or slowly;"""
FADE_QUARTERS: Final = 16
"""they began to at most so many before it is clear that all is over."""
SURE_NATS: Final = 2.0
"""Half the chi-squared quantile .95 of one parameter, rounded: change points less likely by more are ruled out."""
LINGER_MINUTES: Final = 15
"""So long people go on complaining as before when it is over, until the news has spread."""


def tell(
    case: Case, rows: Rows, tree: Tree, rules: Rules, *, unread: Collection[str], sampled: Readings, quiet: int
) -> None:
    """Say when a case began and was over, where posts can tell; what they call over has recovered, whatever lingers."""
    asked = rules.asked_bins(rows.width // 60_000_000)
    start, end = max(0, case.first - asked), case.last + asked + 1
    series = clearest(case, rows, tree)
    heard = [Heard.of(rows, each.rows, start, end, read=each.source not in unread) for each in series]
    if not heard:
        return
    opened = case.opened - start
    case.began = _began(heard, opened, start)
    for source in {each.source for each in series} & set(unread):
        if known := sampled.get((case.service, source)):
            posts, mean = as_series(known, rows, source, case.service, start, end)
            poisson = np.full(end - start, SPREAD[0])
            heard.append(Heard(True, posts, np.maximum(mean, LEAST_MEAN), poisson, sampled=True))
    linger = -(-LINGER_MINUTES * 60_000_000 // rows.width)
    case.ended = _ended(heard, case.began.at - start, opened, start, quiet, log(1 / rules.risk), linger)
    if case.ended is not None:
        case.status = IncidentStatus.RECOVERED
    elif case.status == IncidentStatus.RECOVERED:
        at = case.last + 1 - start
        case.faded = start + _fading(heard, case.began.at - start, opened, at, at + quiet, linger) - linger


def _began(heard: Sequence[Heard], opened: int, start: int) -> Turn:
    """Return when it began: the bin up to the first outage bin from which on posts speak most for an outage.

    It may have begun as early as a rise from there, at once or slowly, is as likely.
    """
    ratios = [each.ratio(opened, opened + 4) for each in heard]
    gain = sum(
        each.gain(1.0, 1 + LEFT * max(ratio, 0.1))[: opened + 1] for each, ratio in zip(heard, ratios, strict=True)
    )
    since = np.cumsum(np.asarray(gain)[::-1])[::-1]
    likely = np.flatnonzero(since >= since.max() - SURE_NATS)
    # bins without data change nothing: it was first seen after them
    latest = len(since) - 1 - int(np.argmax(since[::-1]))
    low = min(int(likely[0]), _rising(heard, ratios, opened))
    return Turn(start + latest, start + max(0, low - 1), start + int(likely[-1]) + 1)


def _rising(heard: Sequence[Heard], ratios: Sequence[float], opened: int) -> int:
    """Return the first bin from which posts may have risen, at once or bin by bin up to the first outage bin."""
    bins = np.arange(opened + 1)
    begins = bins[:, None, None]
    rise = np.array([1.0, np.inf])[:, None]  # at once, or in step
    shapes = np.clip((bins - begins + 1) / np.minimum(opened - begins + 1, rise), 0.0, 1.0)
    nats = sum(each.likely(1 + ratio * shapes, 0) for each, ratio in zip(heard, ratios, strict=True))
    return _earliest(np.asarray(nats))


def _earliest(nats: Floats) -> int:
    """Return the first of some log-likelihoods (of several shapes each) that the largest does not rule out."""
    best = nats.max(axis=1)
    return int(np.flatnonzero(best >= best.max() - SURE_NATS)[0])


def _ended(
    heard: Sequence[Heard], began: int, opened: int, start: int, quiet: int, enough: float, linger: int
) -> Turn | None:
    """Go through the bins after the first outage bin; return the end that stands at the last of them."""
    over: Turn | None = None
    total, last, run = 0.0, opened, list[float]()
    for t in range(opened + 1, len(heard[0].posts)):
        speak = speakers(heard, began, last + 1, quiet, enough)
        says = sum(_over(each, t, began, last + 1, both=each in speak) for each in heard)
        if over is None:
            total += min(says, enough / 2)
            run.append(says)
            if total <= 0:
                total, last, run = 0.0, t, []
            if total >= enough:
                over, total = _fell(speak or list(heard), began, opened, last + 1, start, linger, run), 0.0
        else:
            total = max(0.0, total + min(-says, enough / 2))
            if total >= enough:
                over, total, last, run = None, 0.0, t, []
    return over


def _over(each: Heard, t: int, began: int, end: int, *, both: bool) -> float:
    """Return how much bin ``t`` of a source says "over", in nats; one that never showed the case can only deny it."""
    if np.isnan(each.posts[t]):
        return 0.0
    shown = each.shows(began, end)
    ratio = each.ratio(began, end) if shown else 1.0
    nats = -float(each.gain(1.0, 1 + LEFT * ratio, t, t + 1)[0])
    return min(nats, 0.0) if not shown else nats if both else max(nats, 0.0)


def _fell(
    heard: Sequence[Heard], began: int, opened: int, at: int, start: int, linger: int, over: Sequence[float]
) -> Turn:
    """Return when posts fell, up to bin ``at``, the first of those that proved it; ``over`` is what each of these said.

    The end may lie as late as what was said before a bin leaves in doubt.
    """
    gain = np.zeros(at + 1 - opened)
    for each in heard:
        ratio = each.ratio(began, at)
        gain += each.gain(1 + ratio, 1 + FADED * ratio)[opened : at + 1]
    since = np.cumsum(gain[::-1])[::-1][1:]
    likely = np.flatnonzero(since >= since.max() - SURE_NATS)
    best = opened + 1 + int(np.argmax(since))
    low = min(opened + int(likely[0]), _fading(heard, began, opened, at, at + len(over), linger)) - linger
    doubtful = int((np.maximum.accumulate(np.cumsum(over)) <= SURE_NATS).sum())
    return Turn(start + best, start + max(0, low), start + at + doubtful + 1)


def _fading(heard: Sequence[Heard], began: int, opened: int, at: int, end: int, quarter: int) -> int:
    """Return the first bin from which posts up to bin ``end`` may have died away, at one of the paces of FADES.

    They fall from what they were in the hour before: an outage that grew is at its largest when it ends.
    """
    first = max(opened + 1, at - FADE_QUARTERS * quarter)
    ends = np.arange(first, at + 1)
    since = np.minimum(ends[:, None, None] - 0.5 - np.arange(first, end), 0)
    shapes = np.exp(since / (np.array(FADES)[:, None] * quarter))
    nats = np.zeros(shapes.shape[:2])
    for each in heard:
        ratios = np.array([each.ratio(max(began, e - 4 * quarter), e) for e in ends.tolist()])
        nats += each.likely(1 + ratios[:, None, None] * shapes, first)
    return first + _earliest(nats)
