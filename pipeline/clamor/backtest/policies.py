"""What a policy would have done: a history judged again under several, beside the incidents that are known.

A policy is a budget and a bin width. The detector is causal, so that a history judged in one go says at every bin what
it would have said then; an incident is taken as detected at the end of its first ``outage`` bin.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from clamor.backtest.chance import quantile_interval, rate_interval, share_interval
from clamor.backtest.compare import Comparison, compare
from clamor.backtest.known import events_of, watched_events
from clamor.budget import Budget
from clamor.detect import detect
from clamor.errors import InputError
from clamor.incidents import Rules, incidents
from clamor.schema import State

BUDGETS: Final = tuple(map(Budget, (0.02, 0.05, 0.1, 0.2, 0.5)))
"""Budgets to try when none are named."""
MONTH_DAYS: Final = 365.2425 / 12
MINUTE_US: Final = 60_000_000
WEEK_MINUTES: Final = 7 * 1440
SOURCE: Final = "history"


@dataclass(frozen=True)
class Backtest:
    """What came of a backtest.

    Attributes:
        table: One row a policy: ``budget`` (as stated), ``bin_minutes``, ``budget_per_series_week``,
            ``accepted_per_month`` (what the budget comes to over all series), ``events, found, recall`` (with ``_low,
            _high``), ``incidents, precision`` (likewise), ``false_alarms, false_alarms_per_month`` (likewise),
            ``false_alarms_per_series_week``, ``delay_median_minutes`` (likewise), ``delay_p90_minutes`` (likewise),
            ``fragments, unwatched`` (known incidents without any data: in no share), ``series, months, series_weeks``.
            Intervals are 95% and exact; an end of a delay's interval is null where too few were found to bound it, a
            share of nothing is null.
        comparisons: Budget (as stated) and bin width to the comparison behind its row.

    """

    table: pd.DataFrame
    comparisons: Mapping[tuple[str, int], Comparison]

    def events(self) -> pd.DataFrame:
        """Return every known incident under every policy: the rows of ``Comparison.events``, with the policy."""
        return _stacked({policy: each.events for policy, each in self.comparisons.items()})

    def alarms(self) -> pd.DataFrame:
        """Return every incident of every policy: the rows of ``Comparison.alarms``, with the policy."""
        return _stacked({policy: each.alarms for policy, each in self.comparisons.items()})


def _stacked(parts: Mapping[tuple[str, int], pd.DataFrame]) -> pd.DataFrame:
    rows = [each.assign(budget=budget, bin_minutes=width) for (budget, width), each in parts.items()]
    return pd.concat(rows, ignore_index=True)


def backtest(
    counts: pd.DataFrame,
    labels: pd.DataFrame,
    *,
    regions: pd.DataFrame | None = None,
    budgets: Sequence[Budget] = BUDGETS,
    bins: Sequence[int] = (15,),
    eval_start: pd.Timestamp | None = None,
    providers: Collection[str] = (),
    rules: Rules | None = None,
    tolerance_minutes: float = 30.0,
) -> Backtest:
    """Judge a history under several policies and compare the incidents with the known ones.

    Args:
        counts: ``service, region, bin_start, count`` and optionally ``observed, mentions``, as for ``detect``.
        labels: ``service, region, start_at, end_at`` (aware times) and perhaps ``note``; several rows with one
            ``event_id`` are one incident in several regions.
        regions: ``region, parent`` and ``timezone`` or ``utc_offset_h``.
        budgets: False incidents that are accepted.
        bins: Widths of the bins, minutes; multiples of the history's own, which are added up.
        eval_start: What lies before is only learnt from; else what follows the warm-up counts.
        providers: Services that others need, blamed for shared causes.
        rules: Thresholds of the incidents stage.
        tolerance_minutes: Grace at both ends of a known incident.

    Raises:
        InputError: labels that lack a column, name no series of the history, end before they start or are naive; a
            width that the history cannot be added up to; a history without a judged bin.

    """
    truth = events_of(labels, counts, regions)
    rows: list[dict[str, Any]] = []
    comparisons: dict[tuple[str, int], Comparison] = {}
    series = len(counts[["service", "region"]].drop_duplicates())
    for width in sorted(set(bins)):
        history = coarser(counts, width)
        for budget in sorted(set(budgets), key=lambda each: each.rate(series)):
            rate = budget.rate(series)
            verdicts = detect(history, regions, bin_minutes=width, eval_start=eval_start, budget=rate)
            judged = verdicts.loc[~verdicts["state"].isin([str(State.NO_DATA), str(State.WARM_UP)])]
            if judged.empty:
                raise InputError(
                    "the history has no bin after warm-up; a backtest needs data to judge; give a longer one"
                )
            end = verdicts["bin_start"].max() + pd.Timedelta(minutes=width)
            window = (judged["bin_start"].min(), end)
            found = _incidents(verdicts, regions, width, end, rate, providers, rules)
            watched = watched_events(truth, judged, regions, width)
            compared = compare(
                found, truth.loc[watched], regions=regions, window=window, tolerance_minutes=tolerance_minutes
            )
            comparisons[str(budget), width] = compared
            policy = {"budget": str(budget), "bin_minutes": width, "budget_per_series_week": rate}
            policy["accepted_per_month"] = rate * series * MONTH_DAYS / 7
            weeks = len(judged) * width / WEEK_MINUTES
            rows.append(policy | _row(compared, weeks) | {"unwatched": int((~watched).sum()), "series": series})
    return Backtest(pd.DataFrame(rows), comparisons)


def coarser(counts: pd.DataFrame, bin_minutes: int) -> pd.DataFrame:
    """Add bins up to wider ones; a bin is observed only if all its parts are.

    Raises:
        InputError: the history's bins are wider, or do not fill such a bin.

    """
    times = np.sort(pd.DatetimeIndex(counts["bin_start"].drop_duplicates()).as_unit("us").asi8)
    native = int(np.diff(times).min()) // MINUTE_US if len(times) > 1 else bin_minutes
    if native == bin_minutes:
        return counts
    if native < 1 or bin_minutes % native:
        raise InputError(
            f"bins of {bin_minutes} min: the history's are of {native} min; name a multiple of them with --bin"
        )
    seen = counts["count"].notna()
    if "observed" in counts:
        seen &= counts["observed"].astype("boolean").fillna(False).astype(bool)
    values = [name for name in ("count", "mentions") if name in counts]
    frame = counts[["service", "region", *values]].assign(
        bin_start=counts["bin_start"].dt.floor(f"{bin_minutes}min"), parts=seen.astype("int64")
    )
    frame.loc[~seen, values] = 0.0
    wide = frame.groupby(["service", "region", "bin_start"], as_index=False)[[*values, "parts"]].sum(min_count=1)
    return wide.assign(observed=wide["parts"] == bin_minutes // native).drop(columns="parts")


def _incidents(
    verdicts: pd.DataFrame,
    regions: pd.DataFrame | None,
    bin_minutes: int,
    end: pd.Timestamp,
    rate: float,
    providers: Collection[str],
    rules: Rules | None,
) -> pd.DataFrame:
    flags = verdicts.rename(columns={"expected": "expected_posts"}).assign(source=SOURCE, bin_minutes=bin_minutes)
    found = incidents(
        flags,
        regions=regions,
        providers=providers,
        now=end,
        bin_minutes=bin_minutes,
        parameters={"budget": rate},
        rules=rules,
    )
    return found.assign(detected_at=found["opened_at"])


def _row(compared: Comparison, series_weeks: float) -> dict[str, Any]:
    """Return the measures of a policy; each with its interval."""
    months = compared.days / MONTH_DAYS
    right = len(compared.alarms) - compared.false_alarms
    row: dict[str, Any] = {"events": len(compared.events), "found": compared.found}
    row |= _share("recall", compared.found, len(compared.events))
    row |= {"incidents": len(compared.alarms)} | _share("precision", right, len(compared.alarms))
    rate = compared.false_alarms / months
    row |= {"false_alarms": compared.false_alarms}
    row |= _named("false_alarms_per_month", rate, *rate_interval(compared.false_alarms, months))
    row |= {"false_alarms_per_series_week": compared.false_alarms / series_weeks}
    row |= _named("delay_median_minutes", *quantile_interval(compared.delays, 0.5))
    row |= _named("delay_p90_minutes", *quantile_interval(compared.delays, 0.9))
    return row | {"fragments": compared.fragments, "months": months, "series_weeks": series_weeks}


def _share(name: str, hits: int, size: int) -> dict[str, float]:
    low, high = share_interval(hits, size) if size else (0.0, 1.0)
    return _named(name, hits / size if size else float("nan"), low, high)


def _named(name: str, value: float, low: float, high: float) -> dict[str, float]:
    nothing = float("nan")
    bounds = (nothing if abs(end) == float("inf") else end for end in (low, high))
    return dict(zip((name, f"{name}_low", f"{name}_high"), (value, *bounds), strict=True))
