"""The charts as Altair objects: for notebooks with their data inside, for the page as templates that name their data.

All time axes are UTC and say so. Altair is imported by whoever draws, because it takes half a second.
"""

from collections.abc import Mapping
from typing import Any, Final

import altair as alt

from clamor.report import palette
from clamor.report.drawn import Columns
from clamor.report.drawn import rows as as_rows

FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif"
_CLOCK: Final = (
    "utchours(datum.value) || utcminutes(datum.value) ? utcFormat(datum.value, '%H:%M') : "
    "utcdate(datum.value) != 1 ? utcFormat(datum.value, '%-d %b') : "
    "utcmonth(datum.value) ? utcFormat(datum.value, '%b') : utcFormat(datum.value, '%Y')"
)
"""Axis labels on a 24 hour clock: hours, days, months or years, whichever the tick stands for."""
Data = Mapping[str, Any]
Drawing = alt.LayerChart | alt.FacetChart


def config() -> dict[str, Any]:
    """Return the look that all charts share."""
    text = {"labelColor": palette.MUTED, "titleColor": palette.MUTED, "labelFontSize": 11, "titleFontSize": 11}
    return {
        "font": FONT,
        "background": "transparent",
        "aria": False,
        "view": {"stroke": None},
        "axis": {**text, "gridColor": palette.GRID, "domainColor": palette.GRID, "tickColor": palette.GRID},
        "axisX": {"grid": False, "titleAnchor": "end", "titleFontWeight": "normal", "labelFlush": False},
        "axisY": {"domain": False, "ticks": False, "titleFontWeight": "normal", "tickCount": 4, "labelPadding": 6},
        "legend": {**text, "orient": "bottom", "title": None, "symbolType": "square", "labelFontSize": 12},
        "title": {"color": palette.INK, "fontSize": 13, "anchor": "start", "fontWeight": 600},
    }


def finished(chart: Drawing, **properties: Any) -> Drawing:
    """Give a chart that stands alone its width and look."""
    done: Drawing = chart.properties(width=720, **properties).configure(**config() | {"background": "white"})
    return done


def records(rows: list[dict[str, Any]]) -> alt.InlineData:
    """Wrap records as a chart's data."""
    return alt.InlineData(values=rows)


def values(columns: Columns) -> alt.InlineData:
    """Wrap columns as a chart's data."""
    return records(as_rows(columns))


def topology(land: dict[str, Any]) -> alt.InlineData:
    """Wrap the outlines of the countries as a chart's data."""
    return alt.InlineData(values=land, format=alt.TopoDataFormat(feature="countries", type="topojson"))


def _time(field: str, **axis: Any) -> alt.X:
    settings: dict[str, Any] = {"title": "UTC", "labelExpr": _CLOCK, "tickCount": {"expr": "max(2, width / 90)"}}
    return alt.X(
        f"{field}:T",
        scale=alt.Scale(type="utc", nice=False),
        axis=alt.Axis(**(settings | axis)),
    )


def _tooltip_time(field: str, title: str) -> alt.Tooltip:
    return alt.Tooltip(f"{field}:T", title=title, format="%-d %b %Y %H:%M", formatType="utc")


def posts(data: Data, *, height: int = 180) -> Drawing:
    """Draw posts against the expected band.

    ``data`` names or holds: bins (see ``drawn.points``), gaps, shades, marks. The observed line breaks at unknown bins;
    nothing is drawn across them.
    """
    y = alt.Y("posts:Q", title=None, scale=alt.Scale(domainMin=0, nice=True))
    broken: dict[str, Any] = {"invalid": "break-paths-show-domains"}
    bins = alt.Chart(data["bins"])
    flagged = alt.FieldOneOfPredicate("state", ["outage", "elevated"])
    colours = alt.Scale(domain=["outage", "elevated"], range=[palette.OUTAGE, palette.ELEVATED])
    hover = alt.selection_point(name="hover", on="pointerover", clear="pointerout", fields=["t"], empty=False)
    layers = [
        alt.Chart(data["gaps"]).mark_rect(color=palette.GAP, opacity=0.45).encode(_time("t"), x2="e"),
        alt.Chart(data["shades"]).mark_rect(color=palette.OUTAGE, opacity=0.13).encode(_time("t"), x2="e"),
        bins.mark_area(color=palette.BAND, opacity=0.75, **broken).encode(_time("m"), alt.Y("low:Q"), y2="high"),
        bins.transform_filter("datum.alone")
        .mark_rule(color=palette.BAND, strokeWidth=6, opacity=0.75)
        .encode(_time("m"), alt.Y("low:Q"), y2="high"),
        bins.mark_line(color=palette.EXPECTED, strokeWidth=1, strokeDash=[4, 3], **broken).encode(
            _time("m"), alt.Y("expected:Q")
        ),
        bins.mark_line(color=palette.INK, strokeWidth=1.4, **broken).encode(_time("m"), y),
        bins.transform_filter("datum.alone").mark_point(color=palette.INK, filled=True, size=14).encode(_time("m"), y),
        bins.transform_filter(flagged)
        .transform_filter("isValid(datum.posts)")
        .mark_point(filled=True, size=26, opacity=1)
        .encode(_time("m"), y, color=alt.Color("state:N", scale=colours, legend=None)),
        *_statements(data["marks"]),
        bins.mark_rect(color=palette.MUTED)
        .encode(
            _time("t"),
            x2="e",
            opacity=alt.condition(hover, alt.value(0.18), alt.value(0)),
            tooltip=[
                _tooltip_time("t", "from (UTC)"),
                alt.Tooltip("state:N", title="state"),
                alt.Tooltip("posts:Q", title="posts", format=",.4~r"),
                alt.Tooltip("expected:Q", title="expected", format=",.3~r"),
                alt.Tooltip("low:Q", title="band from", format=",.3~r"),
                alt.Tooltip("high:Q", title="band to", format=",.3~r"),
            ],
        )
        .add_params(hover),
    ]
    return alt.layer(*layers).properties(height=height, width="container")


def _statements(data: Any) -> list[alt.Chart]:
    """Outside statements: a dashed line with a diamond, told apart from evidence by colour and shape."""
    base = alt.Chart(data).encode(_time("t"), tooltip=[_tooltip_time("t", "said at (UTC)"), alt.Tooltip("text:N")])
    diamond = base.mark_point(shape="diamond", filled=True, size=60, color=palette.MARK, opacity=1)
    return [
        base.mark_rule(color=palette.MARK, strokeDash=[2, 2], strokeWidth=1.5),
        diamond.encode(y=alt.value(0)),
    ]


def timeline(data: Data, *, rows: int) -> Drawing:
    """Draw incidents as bars from onset to recovery, their intervals as whiskers, outside statements as diamonds.

    ``data`` names or holds: bars (see ``drawn.bars``), frame (t, e: the window), marks (t, row, text).
    """
    y = alt.Y("row:O", axis=None, scale=alt.Scale(paddingInner=0.1, paddingOuter=0.2))
    severity = alt.Color(
        "severity:N",
        scale=alt.Scale(domain=list(palette.SEVERITIES), range=list(palette.SEVERITIES.values())),
        legend=alt.Legend(orient="top", symbolType="square"),
    )
    told = [
        alt.Tooltip("label:N", title="incident"),
        alt.Tooltip("status:N"),
        alt.Tooltip("severity:N"),
        _tooltip_time("t", "onset (UTC)"),
        _tooltip_time("e", "until (UTC)"),
    ]
    bars = alt.Chart(data["bars"])
    whisker: dict[str, Any] = {"color": palette.INK, "strokeWidth": 1.2, "yOffset": 9}
    name: dict[str, Any] = {"fontSize": 12, "color": palette.INK, "yOffset": -9, "baseline": "middle"}
    open_end = bars.transform_filter("datum.open").mark_point(
        shape="triangle-right", filled=True, size=110, opacity=1, yOffset=9, clip=False
    )
    layers = [
        alt.Chart(data["frame"]).mark_rect(opacity=0).encode(_time("t", grid=True), x2="e"),
        bars.mark_bar(size=12, yOffset=9, cornerRadius=2).encode(_time("t"), y, severity, x2="e", tooltip=told),
        open_end.encode(_time("e"), y, severity),
        bars.mark_rule(**whisker).encode(_time("on_low"), y, x2="on_high"),
        bars.mark_rule(**whisker).encode(_time("off_low"), y, x2="off_high"),
        bars.transform_filter("!datum.late").mark_text(align="left", **name).encode(_time("t"), y, text="label:N"),
        bars.transform_filter("datum.late").mark_text(align="right", **name).encode(_time("e"), y, text="label:N"),
        alt.Chart(data["marks"])
        .mark_point(shape="diamond", filled=True, size=70, color=palette.MARK, opacity=1, yOffset=9)
        .encode(_time("t"), y, tooltip=[_tooltip_time("t", "said at (UTC)"), alt.Tooltip("text:N")]),
    ]
    return alt.layer(*layers).properties(height=44 * max(rows, 1), width="container")


def world(data: Data, *, height: int = 430, choice: bool = True) -> Drawing:
    """Draw the countries coloured by state.

    ``data`` names or holds: land (the topology), states (id, name, state, word, ratio, parts, service, when, x, y).
    With ``choice`` the chart's parameters ``service`` and ``when`` pick the rows; otherwise all rows are drawn.
    """
    scale = alt.Scale(domain=list(palette.STATES), range=list(palette.STATES.values()))
    colour = alt.Color("state:N", scale=scale, legend=None)
    told = [
        alt.Tooltip("name:N", title="region"),
        alt.Tooltip("word:N", title="state"),
        alt.Tooltip("where:N", title="worst for"),
        alt.Tooltip("ratio:N", title="peak, against expected"),
        alt.Tooltip("parts:N", title="from"),
    ]
    states = alt.Chart(data["states"])
    if choice:
        states = states.transform_filter("datum.service == service && datum.when == when")
    shapes = alt.LookupData(data=data["land"], key="id")
    unseen = "datum.state == 'no_data'"
    edge = alt.condition(unseen, alt.value(palette.MUTED), alt.value(palette.NO_DATA))
    layers = [
        alt.Chart(data["land"]).mark_geoshape(fill=palette.UNWATCHED, stroke=palette.NO_DATA, strokeWidth=0.6),
        states.transform_lookup(lookup="id", from_=shapes, as_="geo")
        .mark_geoshape(strokeWidth=0.8)
        .encode(
            colour,
            shape="geo:G",
            tooltip=told,
            stroke=edge,
            strokeDash=alt.condition(unseen, alt.value([2, 2]), alt.value([1, 0])),
        ),
        states.transform_filter("isValid(datum.x)")
        .mark_circle(size=80, opacity=1, strokeWidth=1)
        .encode(colour, longitude="x:Q", latitude="y:Q", tooltip=told, stroke=edge),
    ]
    picked = [alt.param(name="service", value=""), alt.param(name="when", value="worst")] if choice else []
    chart = alt.layer(*layers).properties(
        height=height, width="container", projection=alt.Projection(type="equalEarth")
    )
    return chart.add_params(*picked) if picked else chart
