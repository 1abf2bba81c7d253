"""Templates filled: one HTML document with its style, its data and the chart library inside, and nothing to fetch."""

import base64
import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import Any

from clamor.report import palette
from clamor.report.cards import Chart
from clamor.report.geography import land


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


def document(context: dict[str, Any]) -> str:
    """Fill the templates of the page, and draw the charts that they ask for.

    Texts are escaped by default; only our own scripts, style and JSON are marked as safe, and the page's own policy
    lets nothing but those scripts run.

    Args:
        context: What ``templates/page.html`` names; ``title`` and ``map`` are used by the frame too.

    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    sets: dict[str, Any] = {}

    def draw(chart: Chart) -> str:
        sets[name := f"c{len(sets)}"] = chart.data
        return name

    folder = files(__package__).joinpath("templates")
    read = {
        name: folder.joinpath(name).read_text("utf-8") for name in ("frame.html", "page.html", "page.css", "page.js")
    }
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    body = environment.from_string(read["page.html"]).render(**context, draw=draw)
    scripts = [_library(), read["page.js"]] if sets else []
    data = {"charts": sets, "land": land() if context["map"] else None}
    return environment.from_string(read["frame.html"]).render(
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
