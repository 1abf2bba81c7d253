"""When a case began and when it was over, told by the posts themselves.

Flags look back over windows: they linger, and sometimes lead. Where posts are only counted by a query, jokes and news
about an outage are counted with the complaints. So the times come from likelihoods of every bin's posts (``heard``):
of mean ``m`` where nothing is wrong, of ``m (1 + R)`` in an outage of average size. The series are the clearest ones of
each source, disjoint regions.

*Over* is told by Page's test (1954): the log-likelihood ratios of ``m`` against ``m (1 + R/2)``, half as bad as it was,
add up from the last bin that spoke against it; at ``log(1/risk)`` the case is over, and begins again when the opposite
sum gets as far. One bin never decides.

*Commentary is neither proof nor denial.* A source whose posts were read counts first-hand complaints alone and speaks
both ways. One whose posts were only counted speaks both ways where it is alone; beside a read source that would soon
show that the case goes on it may say that it is over (few posts are few complaints), never that it goes on. Samples of
it that were read speak as a read source (``readings``).

*Begin and end* are change points: the most likely bin and all within two nats of it, an interval of 95%. Before it
began posts are at ``m``, or at what they were lately, as talk and noise lift a level; then they are of the size of the
first hour after the alarm, at once or in step up to it. They end from ``m (1 + R)`` to ``m (1 + R/4)``, because
complaints die away and do not stop; the interval reaches back to the first bin from which a slow dying away is as
likely, and further by as long as complaints linger.
"""

from collections.abc import Sequence
from math import log
from typing import Final

import numpy as np

from clamor.incidents.case import Case, Turn
from clamor.incidents.course import SURE_NATS, Course
from clamor.incidents.episodes import ELEVATED, OUTAGE, Decided, Rows
from clamor.incidents.given import Given
from clamor.incidents.heard import LEAST_MEAN, SPREAD, Heard
from clamor.incidents.measured import Series, clearest
from clamor.incidents.readings import as_series
from clamor.schema import IncidentStatus

FIRST: Final = (1, 2, 4)
"""The size with which a case began is that of so many bins, whichever describe the first four best."""


def tell(case: Case, given: Given, decided: Decided, within: tuple[int, int]) -> list[tuple[int, int]]:
    """Say when a case began and was over, where posts can tell; what they call over has recovered, whatever lingers.

    Only the bins from ``within[0]`` to before ``within[1]`` are asked. Returns pauses: the first bin, and the bin in
    which it began again, a closing time or more after it.
    """
    rows, quiet, asked = given.rows, given.quiet, given.rules.asked_bins(given.minutes)
    start, end = max(within[0], case.first - 2 * asked), min(within[1], case.last + asked + 1)
    series = clearest(case, rows, given.tree)
    heard = [Heard.of(rows, each.rows, start, end, read=each.source not in given.unread) for each in series]
    if not heard:
        return []
    opened = _alarm(case, rows, decided, series) - start
    case.began = _began(heard, opened, start)
    for source in sorted({each.source for each in series} & set(given.unread)):
        if known := given.sampled.get((case.service, source)):
            posts, mean = as_series(known, rows, source, case.service, start, end)
            poisson = np.full(end - start, SPREAD[0])
            heard.append(Heard(True, posts, np.maximum(mean, LEAST_MEAN), poisson, sampled=True))
    course = Course(heard, case.began.at - start, opened, rows.width)
    ended, pauses = course.ended(quiet, log(1 / given.rules.risk))
    if ended is not None:
        case.ended = Turn(start + ended.at, start + ended.low, start + ended.high)
        case.status = IncidentStatus.RECOVERED
    elif case.status == IncidentStatus.RECOVERED:
        low, high = course.doubt(case.last + 1 - start, quiet)
        case.doubt = start + low, start + high
    before = [(case.opened, case.began.low)] if case.began.low - case.opened > quiet else []
    return before + [(start + first, start + resumed) for first, resumed in pauses]


def _alarm(case: Case, rows: Rows, decided: Decided, series: Sequence[Series]) -> int:
    """Return the first outage bin of a region that tells of a case, in a source that shows it there.

    The case may have been opened before in another region, for something else.
    """
    alarms = []
    for each in series:
        index = each.inside[rows.rank[each.inside] >= ELEVATED]
        raised = rows.bin[index[rows.value["posts"][index] > rows.value["expected_posts"][index]]]
        number = rows.services.index(case.service) * len(rows.regions) + rows.regions.index(each.regions[0])
        mine = slice(*np.searchsorted(decided.series, [number, number + 1]))
        outage = decided.bin[mine][decided.rank[mine] == OUTAGE]
        alarms += [int(t) for t in outage[np.isin(outage, raised)] if t >= case.opened][:1]
    return min(alarms, default=case.opened)


def _began(heard: Sequence[Heard], opened: int, start: int) -> Turn:
    """Return when it began: the change point up to the first outage bin, at once or in step up to that bin."""
    begins = np.arange(opened + 1)[:, None, None]
    bins = np.arange(min(opened + FIRST[-1], len(heard[0].posts)))
    rise = np.array([1.0, np.inf])[:, None]
    shapes = np.clip((bins - begins + 1) / np.minimum(opened - begins + 1, rise), 0.0, 1.0)
    nats = np.zeros(shapes.shape[:2])
    for each in heard:
        before = 1 + np.array([each.ratio(0, t) for t in range(opened + 1)])[:, None, None]
        times = np.maximum(1 + _size(each, opened) * shapes, before)
        nats += each.likely(np.where(bins < begins, before, times), 0)
    best = nats.max(axis=1)
    likely = np.flatnonzero(best >= best.max() - SURE_NATS)
    # bins without data change nothing: it was first seen after them
    latest = len(best) - 1 - int(np.argmax(best[::-1]))
    return Turn(start + latest, start + max(0, int(likely[0]) - 1), start + int(likely[-1]) + 1)


def _size(each: Heard, opened: int) -> float:
    """Return the excess with which it began: that of one bin, or of several, whichever describes the first best."""
    ratios = [each.ratio(opened, opened + bins) for bins in FIRST]
    first = np.arange(min(FIRST[-1], len(each.posts) - opened))
    times = [1 + ratio * (first < bins) for ratio, bins in zip(ratios, FIRST, strict=True)]
    return ratios[int(np.argmax(each.likely(np.stack(times), opened)))]
