"""The page: one HTML file that opens offline, with every chart's data, and nothing that asks the network."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import Any, Final

import pandas as pd

from clamor import schema
from clamor.errors import InputError
from clamor.report import palette
from clamor.report.cards import Chart, as_known, by_strength, card, posts_chart, ranked
from clamor.report.drawn import timeline
from clamor.report.geography import drawn_ids, land, map_rows
from clamor.report.headline import headline
from clamor.report.ledger import ledger
from clamor.report.status import Incident, of_window, parents_of, roots
from clamor.report.tables import MANY_REGIONS, incident_rows, region_rows, service_rows
from clamor.report.unknown import unknowns
from clamor.report.window import Window, window
from clamor.report.words import Names, counted, parameters, period, span, width

CARDS: Final = 8
"""Incidents that get a card of their own; the others are in the table."""
TIMELINE: Final = 24
SERVICE_CHARTS: Final = 24
SERVICE_POINTS: Final = 240
FEW: Final = 2
"""So few services get charts as wide as the page, with more points."""
MAP_SERVICES: Final = 16
TABLE_INCIDENTS: Final = 300


def page(
    flags: pd.DataFrame,
    *,
    now: pd.Timestamp | datetime | float,
    incidents: pd.DataFrame | None = None,
    coverage: pd.DataFrame | None = None,
    marks: pd.DataFrame | None = None,
    regions: pd.DataFrame | None = None,
    services: Mapping[str, object] | None = None,
    synthetic: bool = False,
    title: str = "clamor",
    lake: str | None = None,
    catalog_version: str | None = None,
) -> str:
    """Write the report as one HTML file that opens offline.

    Args:
        flags: Rows of FLAGS in the window to be shown, all sources together; or ``detect``'s answer. Source ``all``
            gives the states where it exists, the single sources give posts and bands.
        now: The time of the report: a UTC time, or seconds since the epoch. Data older than three bins say nothing
            about now, and the page says so.
        incidents: Rows of INCIDENTS.
        coverage: Rows of COVERAGE. Without them coverage is read from the flags.
        marks: Rows of MARKS: shown beside the incidents, never used as evidence.
        regions: ``region, parent, name, iso_numeric`` (the catalogue's); without them places have no names and no map.
        services: Service id to its display name, or to something with a ``name``.
        synthetic: Say on the page, at the top, that the data are synthetic.
        title: What the page is called.
        lake: Where the data came from, as it should be shown.
        catalog_version: Version of the catalogue that read the posts.

    Returns:
        HTML of about 1.3 MB for a day of ten services; most of that is the chart library.

    Raises:
        InputError: a column is missing, a time is naive or a state is not one of ours.

    """
    at = _utc(now)
    view = window(flags, at)
    names = Names(services, regions)
    parents = parents_of(regions)
    said = schema.MARKS.empty() if marks is None else marks
    states = of_window(view, now=at, incidents=incidents, regions=regions)
    stands = [as_known(incident, states) for incident in ranked(incidents)]
    stands[:TIMELINE] = [by_strength(view, incident) for incident in stands[:TIMELINE]]
    sources = ledger(view, coverage)
    queried = coverage is not None and bool(coverage["scope"].str.startswith("x:").any())
    cards = [card(view, incident, said, names, at, queried=queried) for incident in stands[:CARDS]]
    shown = [str(incident["incident_id"]) for incident in stands[:CARDS]]
    places = region_rows(view, parents, names, at)
    context = {
        "title": title,
        "synthetic": synthetic,
        "headline": headline(view, states, stands, names, at),
        "services": service_rows(view, states, stands, parents, names, at, shown),
        "cards": cards,
        "timeline": _timeline(view, stands, said, names),
        "incidents": incident_rows(view, stands[:TABLE_INCIDENTS], names, at, shown),
        "incidents_more": max(0, len(stands) - TABLE_INCIDENTS),
        "map": _map(view, regions, names, at, states),
        "map_services": [(s, names.service(s)) for s in states["service"][:MAP_SERVICES]],
        "regions": places[:MANY_REGIONS],
        "regions_more": max(0, len(places) - MANY_REGIONS),
        "off_map": _off_map(regions, [p.region for p in places]),
        "charts": _service_charts(view, states, stands, said, parents, names),
        "few": len(states) <= FEW,
        "charts_more": max(0, len(states) - SERVICE_CHARTS),
        "sources": sources,
        "source_name": names.source,
        "unknowns": unknowns(view, sources, stands, names, at),
        **_frame_of(view, at),
        "facts": _computed(view, flags, stands, names, lake, catalog_version),
    }
    return _render(context)


def _utc(now: pd.Timestamp | datetime | float) -> pd.Timestamp:
    """Take a time in any of the forms a caller has it."""
    if isinstance(now, (int, float)):
        return pd.Timestamp(round(now * 1e6), unit="us", tz="UTC")
    time = pd.Timestamp(now)
    if time.tzinfo is None:
        raise InputError(f"report: now is {now}, a naive time; every time is UTC by type; give it a time zone")
    return time.tz_convert("UTC")


def _frame_of(view: Window, now: pd.Timestamp) -> dict[str, Any]:
    """Return the times that frame the page."""
    days_only = view.bin_minutes >= 1440
    bins, bin_name = width(view.bin_minutes)
    return {
        "now": f"{now.day} {now:%B %Y %H:%M} UTC",
        "now_iso": now.isoformat(),
        "period": period(view.first, view.end, now, days_only),
        "zone": "" if days_only else " UTC",
        "window": span(view.end - view.first),
        "bins": bins,
        "bin": bin_name,
    }


def _timeline(view: Window, incidents: Sequence[Incident], marks: pd.DataFrame, names: Names) -> Chart | None:
    drawn = sorted(incidents[:TIMELINE], key=lambda i: i["onset_at"])
    if not drawn:
        return None
    low = min(view.first, *(i["onset_at"] for i in drawn))
    data = timeline(drawn, marks, names, low, view.end)
    told = data["bars"]
    words = "; ".join(f"{label}, {status}" for label, status in zip(told["label"][:8], told["status"][:8], strict=True))
    alt = f"Timeline of {counted(len(drawn), 'incident')}: {words}."
    return Chart("timeline", data, "Incidents", alt)


def _map(
    view: Window, regions: pd.DataFrame | None, names: Names, now: pd.Timestamp, states: pd.DataFrame
) -> Chart | None:
    rows = map_rows(view, regions, names, now, list(states["service"][:MAP_SERVICES]))
    if rows is None:
        return None
    bad = {n for n, state in zip(rows["name"], rows["state"], strict=True) if state == "outage"}
    alt = f"World map of {counted(len(set(rows['id'])), 'country', 'countries')}. Outage at some time in: "
    return Chart("world", {"states": rows}, "Countries", alt + (", ".join(sorted(bad)) or "none") + ".")


def _off_map(regions: pd.DataFrame | None, shown: Sequence[str]) -> int:
    """Count the places that no map of countries can show by themselves."""
    drawn = {*drawn_ids(regions), schema.WORLD, *schema.CONTINENTS}
    return sum(region not in drawn for region in shown)


def _service_charts(
    view: Window,
    states: pd.DataFrame,
    incidents: Sequence[Incident],
    marks: pd.DataFrame,
    parents: dict[str, str],
    names: Names,
) -> list[tuple[str, str, Chart]]:
    """Draw each service over the whole window in its broadest region, as the source with the most posts saw it."""
    charts = []
    for service, state in states[["service", "state"]].head(SERVICE_CHARTS).itertuples(index=False):
        rows = view.counted[view.counted["service"] == service]
        tops = roots(set(rows["region"]), parents)
        busiest = max(rows.index[rows["region"].isin(tops)], key=lambda row: _posts(view, row), default=None)
        if busiest is None:
            continue
        here = view.series["region"].iloc[busiest]
        mine = [i for i in incidents if i["service"] == service or (service in i["services"] and here in i["regions"])]
        limit = SERVICE_POINTS if len(states) > FEW else 3 * SERVICE_POINTS
        chart = posts_chart(view, busiest, mine, marks, names, limit=limit)
        charts.append((names.service(service), state, chart))
    return charts


def _posts(view: Window, row: int) -> float:
    return float(pd.Series(view.read(row).numbers["posts"]).sum())


def _computed(
    view: Window,
    flags: pd.DataFrame,
    incidents: Sequence[Incident],
    names: Names,
    lake: str | None,
    catalog_version: str | None,
) -> list[tuple[str, str]]:
    """Say how the page came about."""
    facts = [("Bins", f"{view.bins:,}, {width(view.bin_minutes)[0]}")]
    facts.append(("Series", f"{len(view.counted):,} counted, {len(view.decided):,} judged"))
    facts.append(("Sources", ", ".join(names.source(str(s)) for s in sorted(view.series["source"].unique()))))
    if lake:
        facts.append(("Lake", lake))
    versions = catalog_version or ", ".join(sorted({str(i["catalog_version"]) for i in incidents}))
    if versions:
        facts.append(("Catalogue", versions))
    if "computed_at" in flags.columns and len(flags):
        facts.append(("Flags computed", f"{flags['computed_at'].max():%Y-%m-%d %H:%M} UTC"))
    used = [parameters(text) for text in sorted({str(i["parameters"]) for i in incidents})[:2]]
    facts += [("Parameters", ", ".join(f"{name} {value}" for name, value in pairs)) for pairs in used if pairs]
    try:
        facts.append(("clamor", version("clamor")))
    except PackageNotFoundError:
        facts.append(("clamor", "from source"))
    return facts


@cache
def _templates() -> dict[str, str]:
    """Return the chart templates as JSON: drawn once by Altair, filled with data by the page's script."""
    import altair as alt

    from clamor.report import charts

    named = {name: alt.NamedData(name) for name in ("bins", "gaps", "shades", "marks", "bars", "frame", "states")}
    named["land"] = alt.NamedData("land", format=alt.TopoDataFormat(feature="countries", type="topojson"))
    drawn = {
        "posts": charts.posts(named),
        "timeline": charts.timeline(named, rows=1),
        "world": charts.world(named),
    }
    specs = {name: {k: v for k, v in chart.to_dict().items() if k != "config"} for name, chart in drawn.items()}
    return {name: palette.themed(_json(spec)) for name, spec in (specs | {"config": charts.config()}).items()}


@cache
def _library() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script."""
    import vl_convert

    return (
        str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"))
        .replace("</script", "<\\/script")
        .replace("<!--", "<\\!--")
    )


def _json(value: Any) -> str:
    """Write JSON that is safe inside a script element: no text can close it or open a tag."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    escapes = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
    for char, escaped in escapes.items():
        text = text.replace(char, escaped)
    return text


def _digest(script: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() + "'"


def _render(context: dict[str, Any]) -> str:
    """Fill the template. Texts are escaped by default; only our own script, style and JSON are marked as safe."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    sets: dict[str, Any] = {}

    def draw(chart: Chart) -> str:
        sets[name := f"c{len(sets)}"] = chart.data
        return name

    folder = files(__package__).joinpath("templates")
    read = {name: folder.joinpath(name).read_text("utf-8") for name in ("page.html", "page.css", "page.js")}
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    body = environment.from_string(read["page.html"]).render(**context, draw=draw)
    scripts = [_library(), read["page.js"]] if sets else []
    data = {"charts": sets, "land": land() if context["map"] else None}
    return environment.from_string(_FRAME).render(
        title=context["title"],
        digests=Markup(" ".join(_digest(script) for script in scripts) or "'none'"),
        light=Markup(palette.variables(dark=False)),
        dark=Markup(palette.variables(dark=True)),
        style=Markup(read["page.css"]),
        body=Markup(body),
        data=Markup(_json(data)),
        templates={name: Markup(text) for name, text in _templates().items()} if sets else {},
        scripts=[Markup(script) for script in scripts],
    )


_FRAME: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
script-src {{ digests }}; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{{ title }}</title>
<style>
:root{ {{- light }}}
@media (prefers-color-scheme: dark){:root{ {{- dark }}}}
{{ style }}
</style>
</head>
<body>
{{ body }}
<script type="application/json" id="data">{{ data }}</script>
{% for name, text in templates.items() %}
<script type="application/json" id="template-{{ name }}">{{ text }}</script>
{% endfor %}
{% for script in scripts %}
<script>{{ script }}</script>
{% endfor %}
</body>
</html>
"""
