"""Score and state of every bin: counts in, verdicts out. METHOD.md has the formulas."""

import pandas as pd

from clamor.baseline.counts import panel
from clamor.detect.sources import combine
from clamor.detect.walk import Learnt, judge, settle
from clamor.errors import InputError

__all__ = ["Learnt", "combine", "detect", "learn"]


def detect(
    counts: pd.DataFrame,
    regions: pd.DataFrame | None = None,
    *,
    bin_minutes: int = 15,
    eval_start: pd.Timestamp | None = None,
    budget: float = 0.1,
    learnt: Learnt | None = None,
) -> pd.DataFrame:
    """Judge every bin of every series.

    Args:
        counts: ``service, region, bin_start, count`` and optionally ``observed``, ``mentions``, ``segment``; see
            :func:`clamor.baseline.counts.panel`.
        regions: ``region, parent`` and ``timezone`` or ``utc_offset_h``.
        bin_minutes: Width of a bin.
        eval_start: Bins before it are used but not returned.
        budget: False incidents per series and week that the user is ready to see.
        learnt: What :func:`learn` made of all bins before those of ``counts``; the answer is the same as with those
            bins, at a fraction of the cost. Series that it does not know start afresh.

    Returns:
        One row per series and bin from its first (or ``eval_start``) to its last, absent bins included as ``no_data``,
        with the columns of :data:`clamor.schema.VERDICT_COLUMNS` and ``posts, dispersion, level_cv, training_bins``.
        A row depends on nothing after its bin.

        ``score`` is minus log10 of the false episodes that a bin may begin when nothing is wrong, as measured on the
        series' own past: 3.8 is one in ten weeks of 15-minute bins. It speaks of news: it is highest where an alarm
        begins or grows much worse, and moderate in most bins of an outage that goes on; ``flag`` lasts. How unusual a
        bin itself is, told or not, say ``p_value``, the share of quiet bins that reach its evidence, and ``q_value``,
        the share of false ones among the last weeks' bins that look at least so bad.
        ``expected, low, high`` are the bin's expectation without outage and its 95% prediction interval.

    Raises:
        InputError: the input breaks a rule of :func:`clamor.baseline.counts.panel`, or the budget, ``eval_start`` or
            ``learnt`` does not fit.

    """
    _check(budget, eval_start)
    since = None
    if learnt is not None:
        if learnt.bin_minutes != bin_minutes:
            raise InputError(
                f"learnt: of bins of {learnt.bin_minutes} min, not {bin_minutes}; learn again, see learn()"
            )
        since = learnt.until_minute
    table = panel(counts, regions, bin_minutes, start_minute=since, known=None if learnt is None else learnt.names)
    first = None if eval_start is None else pd.Timestamp(eval_start).timestamp() / 60
    return judge(table, budget, first, learnt).frame()


def learn(
    counts: pd.DataFrame,
    regions: pd.DataFrame | None = None,
    *,
    bin_minutes: int = 15,
    budget: float = 0.1,
) -> Learnt:
    """Learn from whole days of counts, so that later bins can be judged without them.

    ``detect(later, learnt=learn(earlier))`` answers as ``detect(earlier + later)`` does for the later bins.

    Args:
        counts: As for :func:`detect`, up to a UTC midnight.
        regions: As for :func:`detect`.
        bin_minutes: Width of a bin; it divides a day.
        budget: Recorded in the key; what is learnt does not depend on it.

    Raises:
        InputError: as :func:`detect`; or the counts do not end at a midnight.

    """
    _check(budget, None)
    return settle(panel(counts, regions, bin_minutes), budget)


def _check(budget: float, eval_start: pd.Timestamp | None) -> None:
    if not budget > 0:
        raise InputError(f"budget {budget}: false incidents per series-week are more than zero; say such as 0.1")
    if eval_start is not None and pd.Timestamp(eval_start).tzinfo is None:
        raise InputError(f"eval_start {eval_start}: a naive time; times are UTC by type; add an offset such as Z")
