"""A backtest as a chart: what is found, how surely, and how late, against what it costs in false alarms."""

from typing import Any, Final

import pandas as pd

PANELS: Final = (
    ("recall", "Known incidents found", True),
    ("precision", "Incidents that were known ones", True),
    ("delay_median_minutes", "Median delay, minutes", False),
)
TICKS: Final = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
"""False alarms a month that the axis names."""


def chart(table: pd.DataFrame) -> Any:
    """Draw recall, precision and delay against false alarms a month: a point a policy, a colour a width, 95% intervals.

    Args:
        table: ``Backtest.table``.

    Returns:
        An altair chart.

    """
    import altair as alt

    data = table.assign(bins=[f"{minutes} min" for minutes in table["bin_minutes"]])
    panels = [_panel(data, name, title, share=share) for name, title, share in PANELS]
    subtitle = [
        "A point is a policy: its budget of false incidents (a series-week, or as said) and its bins. Lines: 95%.",
        f"{int(table['events'].max())} known incidents, {table['series'].max()} series, "
        f"{table['months'].max():.1f} months.",
    ]
    return alt.hconcat(*panels).properties(
        title=alt.TitleParams("Policies on this history", subtitle=subtitle, anchor="start")
    )


def _panel(data: pd.DataFrame, name: str, title: str, *, share: bool) -> Any:
    import altair as alt

    rate = "false_alarms_per_month"
    scale = alt.Scale(type="symlog", constant=1, domainMin=0)
    x = alt.X(f"{rate}:Q", title="False alarms a month", scale=scale, axis=alt.Axis(values=list(TICKS)))
    y = alt.Y(f"{name}:Q", title=title, axis=alt.Axis(format="%" if share else "~s"))
    y = y.scale(domain=[0, 1]) if share else y.scale(domainMin=0)
    color = alt.Color("bins:N", title="Bins", sort=None)
    tips = ["budget", "bins", "found", "events", "false_alarms", "recall", "precision", "delay_median_minutes"]
    known = data.loc[data[name].notna()]
    same = known.groupby(["bins", rate, name], sort=False)["budget"].agg(", ".join).rename("budgets").reset_index()
    base = alt.Chart(known).encode(color=color)
    across = base.mark_rule(opacity=0.35).encode(x=f"{rate}_low:Q", x2=f"{rate}_high:Q", y=y)
    along = base.mark_rule(opacity=0.35).encode(x=x, y=f"{name}_low:Q", y2=f"{name}_high:Q")
    path = base.mark_line(strokeWidth=1, opacity=0.6).encode(x=x, y=y, order="budget_per_series_week:Q")
    points = base.mark_point(filled=True, size=60, opacity=1).encode(x=x, y=y, tooltip=tips)
    words = alt.Chart(same).mark_text(dx=6, dy=-8, align="left", fontSize=10)
    words = words.encode(x=x, y=y, text="budgets:N", color=color)
    return (across + along + path + points + words).properties(width=280, height=260)
