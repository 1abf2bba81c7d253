"""What a policy would have done: a history judged again under several budgets, beside the incidents that are known.

The detector is causal, so that a history judged in one go says at every bin what it would have said then; an incident
is taken as detected at the end of its first ``outage`` bin.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from clamor.backtest.chance import quantile_interval, rate_interval, share_interval
from clamor.backtest.compare import Comparison, compare
from clamor.detect import detect
from clamor.errors import InputError
from clamor.incidents import Rules, incidents
from clamor.schema import State

BUDGETS: Final = (0.02, 0.05, 0.1, 0.2, 0.5)
"""False incidents a series-week to try when none are named."""
LABELS: Final = ("service", "region", "start_at", "end_at")
"""Columns of known incidents."""
MONTH_DAYS: Final = 365.2425 / 12
SOURCE: Final = "history"


@dataclass(frozen=True)
class Backtest:
    """What came of a backtest.

    Attributes:
        table: One row a budget: ``budget, events, found, recall`` (with ``_low, _high``), ``incidents, precision``
            (likewise), ``false_alarms, false_alarms_per_month`` (likewise), ``false_alarms_per_series_week``,
            ``delay_median_minutes`` (likewise), ``delay_p90_minutes`` (likewise), ``fragments, unwatched`` (known
            incidents without any data: in no share), ``months, series_weeks``. Intervals are 95% and exact; an end of
            a delay's interval is null where too few were found to bound it.
        comparisons: Budget to the comparison behind its row.

    """

    table: pd.DataFrame
    comparisons: Mapping[float, Comparison]

    def events(self) -> pd.DataFrame:
        """Return every known incident under every budget: the rows of ``Comparison.events`` with ``budget``."""
        rows = [each.events.assign(budget=budget) for budget, each in self.comparisons.items()]
        return pd.concat(rows, ignore_index=True)


def backtest(
    counts: pd.DataFrame,
    labels: pd.DataFrame,
    *,
    regions: pd.DataFrame | None = None,
    budgets: Sequence[float] = BUDGETS,
    bin_minutes: int = 15,
    eval_start: pd.Timestamp | None = None,
    providers: Collection[str] = (),
    rules: Rules | None = None,
    tolerance_minutes: float = 30.0,
) -> Backtest:
    """Judge a history under several budgets and compare the incidents with the known ones.

    Args:
        counts: ``service, region, bin_start, count`` and optionally ``observed, mentions``, as for ``detect``.
        labels: ``service, region, start_at, end_at`` (aware times) and perhaps ``note``; several rows with one
            ``event_id`` are one incident in several regions.
        regions: ``region, parent`` and ``timezone`` or ``utc_offset_h``.
        budgets: False incidents a series-week to try.
        bin_minutes: Width of the bins.
        eval_start: What lies before is only learnt from; else what follows the warm-up counts.
        providers: Services that others need, blamed for shared causes.
        rules: Thresholds of the incidents stage.
        tolerance_minutes: Grace at both ends of a known incident.

    Raises:
        InputError: labels that lack a column, name no series of the history, end before they start or are naive.

    """
    truth = events_of(labels, counts)
    rows: list[dict[str, Any]] = []
    comparisons: dict[float, Comparison] = {}
    for budget in sorted(budgets):
        verdicts = detect(counts, regions, bin_minutes=bin_minutes, eval_start=eval_start, budget=budget)
        judged = verdicts.loc[~verdicts["state"].isin([str(State.NO_DATA), str(State.WARM_UP)])]
        if judged.empty:
            raise InputError("the history has no bin after warm-up; a backtest needs data to judge; give a longer one")
        end = verdicts["bin_start"].max() + pd.Timedelta(minutes=bin_minutes)
        window = (judged["bin_start"].min(), end)
        found = _incidents(verdicts, regions, bin_minutes, end, budget, providers, rules)
        watched = watched_events(truth, judged, bin_minutes)
        compared = compare(
            found, truth.loc[watched], regions=regions, window=window, tolerance_minutes=tolerance_minutes
        )
        comparisons[budget] = compared
        weeks = len(judged) * bin_minutes / (7 * 1440)
        rows.append(_row(budget, compared, weeks) | {"unwatched": int((~watched).sum())})
    return Backtest(pd.DataFrame(rows), comparisons)


def events_of(labels: pd.DataFrame, counts: pd.DataFrame) -> pd.DataFrame:
    """Turn known incidents into events to compare with, one row each.

    Raises:
        InputError: as :func:`backtest`.

    """
    for name in LABELS:
        if name not in labels:
            raise InputError(f"known incidents: column {name!r} is missing; they need {', '.join(LABELS)}; add it")
    for name in ("start_at", "end_at"):
        if getattr(labels[name].dtype, "tz", None) is None:
            raise InputError(
                f"known incidents: {name} has naive times; every time is UTC by type; add an offset such as Z"
            )
    backwards = labels.loc[labels["end_at"] <= labels["start_at"]]
    if len(backwards):
        row = backwards.iloc[0]
        raise InputError(
            f"known incident of {row['service']!r} from {row['start_at']} ends at {row['end_at']}; swap them"
        )
    strange = set(labels["service"]) - set(counts["service"])
    if strange:
        raise InputError(f"known incidents: service {min(strange)!r} is not in the history; remove it or fix its name")
    named = labels if "event_id" in labels else labels.assign(event_id=[f"e{i + 1}" for i in range(len(labels))])
    grouped = named.groupby("event_id", sort=False)
    return grouped.agg(
        service=("service", "first"),
        regions=("region", lambda values: tuple(sorted(set(values)))),
        start_at=("start_at", "min"),
        end_at=("end_at", "max"),
        note=("note" if "note" in named else "service", "first"),
    ).reset_index()


def watched_events(truth: pd.DataFrame, judged: pd.DataFrame, bin_minutes: int) -> pd.Series:
    """Tell which events have any judged bin of their service in their time; nobody could find the others."""
    times = {service: rows.sort_values() for service, rows in judged.groupby("service")["bin_start"]}
    width = pd.Timedelta(minutes=bin_minutes)

    def seen(service: str, start: pd.Timestamp, end: pd.Timestamp) -> bool:
        mine = times.get(service)
        if mine is None:
            return False
        low, high = mine.searchsorted(start - width, side="right"), mine.searchsorted(end)
        return bool(low < high)

    rows = zip(truth["service"], truth["start_at"], truth["end_at"], strict=True)
    return pd.Series([seen(*row) for row in rows], index=truth.index, dtype=bool)


def _incidents(
    verdicts: pd.DataFrame,
    regions: pd.DataFrame | None,
    bin_minutes: int,
    end: pd.Timestamp,
    budget: float,
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
        parameters={"budget": budget},
        rules=rules,
    )
    return found.assign(detected_at=found["onset_high_at"])


def _row(budget: float, compared: Comparison, series_weeks: float) -> dict[str, Any]:
    """Return a row of the table; each figure with its interval."""
    months = compared.days / MONTH_DAYS
    right = len(compared.alarms) - compared.false_alarms
    row: dict[str, Any] = {"budget": budget, "events": len(compared.events), "found": compared.found}
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


def chart(table: pd.DataFrame) -> Any:
    """Draw a backtest: recall against false alarms a month, and the delay, one point a budget, with 95% intervals.

    Args:
        table: ``Backtest.table``.

    Returns:
        An altair chart.

    """
    import altair as alt

    data = table.assign(label=[f"{budget:g}" for budget in table["budget"]])
    x = alt.X("false_alarms_per_month:Q", title="False alarms a month")
    tips = ["budget", "found", "events", "false_alarms", "recall", "precision", "delay_median_minutes"]

    def panel(name: str, title: str, *, share: bool) -> Any:
        y = alt.Y(f"{name}:Q", title=title, axis=alt.Axis(format="%" if share else "~s"))
        y = y.scale(domain=[0, 1]) if share else y
        base = alt.Chart(data)
        across = base.mark_rule(opacity=0.4).encode(
            x="false_alarms_per_month_low:Q", x2="false_alarms_per_month_high:Q", y=y
        )
        along = base.mark_rule(opacity=0.4).encode(x=x, y=f"{name}_low:Q", y2=f"{name}_high:Q")
        points = base.mark_point(filled=True, size=60).encode(x=x, y=y, tooltip=tips)
        words = base.mark_text(dx=10, dy=-8, align="left").encode(x=x, y=y, text="label")
        return (across + along + points + words).properties(width=300, height=260)

    recall = panel("recall", "Known incidents found", share=True)
    delay = panel("delay_median_minutes", "Median delay, minutes", share=False)
    title = "Budgets (false incidents a series-week) on this history"
    return alt.hconcat(recall, delay).properties(title=title)
