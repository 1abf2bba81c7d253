"""The page: one HTML file that opens offline, with every chart's data, and nothing that asks the network."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import numpy as np
import pandas as pd

from clamor import schema
from clamor.errors import InputError
from clamor.report.cards import Chart, as_known, by_strength, card, posts_chart, ranked
from clamor.report.drawn import timeline
from clamor.report.geography import drawn_ids, map_rows
from clamor.report.headline import headline
from clamor.report.ledger import ledger
from clamor.report.render import document
from clamor.report.status import Incident, above, of_window, parents_of, roots
from clamor.report.tables import MANY_REGIONS, incident_rows, region_rows, service_rows
from clamor.report.unknown import unknowns
from clamor.report.window import Window, window
from clamor.report.words import Names, counted, parameters, period, span, width
from clamor.schema import State

CARDS: Final = 8
"""Incidents that get a card of their own; the others are in the table."""
TIMELINE: Final = 24
SERVICE_CHARTS: Final = 24
SERVICE_POINTS: Final = 240
FEW: Final = 2
"""So few services get charts as wide as the page, with more points and more regions."""
FEW_REGIONS: Final = 6
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
    known = _known(flags, _utc(now), incidents, marks, regions, Names(services, regions))
    context = {
        "title": title,
        "synthetic": synthetic,
        "headline": headline(known.view, known.states, known.incidents, known.names, known.now),
        **_frame_of(known),
        **_lists(known),
        **_drawings(known, coverage),
        **_limits(known, coverage),
        "facts": _computed(known, flags, lake, catalog_version),
    }
    return document(context)


@dataclass(frozen=True)
class Known:
    """What the sections of the page are made of."""

    view: Window
    states: pd.DataFrame
    incidents: list[Incident]
    marks: pd.DataFrame
    regions: pd.DataFrame | None
    parents: dict[str, str]
    names: Names
    now: pd.Timestamp


def _known(
    flags: pd.DataFrame,
    now: pd.Timestamp,
    incidents: pd.DataFrame | None,
    marks: pd.DataFrame | None,
    regions: pd.DataFrame | None,
    names: Names,
) -> Known:
    """Bring the frames into the form that all sections share."""
    view = window(flags, now)
    states = of_window(view, now=now, incidents=incidents, regions=regions)
    stands = [as_known(incident, states) for incident in ranked(incidents)]
    stands[:TIMELINE] = [by_strength(view, incident) for incident in stands[:TIMELINE]]
    said = schema.MARKS.empty() if marks is None else marks
    states = _by_incident(states, stands)
    return Known(view, states, stands, said, regions, parents_of(regions), names, now)


def _utc(now: pd.Timestamp | datetime | float) -> pd.Timestamp:
    """Take a time in any of the forms a caller has it."""
    if isinstance(now, (int, float)):
        return pd.Timestamp(round(now * 1e6), unit="us", tz="UTC")
    time = pd.Timestamp(now)
    if time.tzinfo is None:
        raise InputError(f"report: now is {now}, a naive time; every time is UTC by type; give it a time zone")
    return time.tz_convert("UTC")


def _by_incident(states: pd.DataFrame, incidents: list[Incident]) -> pd.DataFrame:
    """Order services of equal state as their incidents are ordered; those without one come after."""
    place = {str(incident["incident_id"]): n for n, incident in enumerate(incidents)}
    of_state = states["state"].map({state: n for n, state in enumerate(dict.fromkeys(states["state"]))})
    of_incident = states["incident_id"].map(lambda name: place.get(str(name), len(place)))
    order = np.lexsort((of_incident.to_numpy(), of_state.to_numpy()))
    return states.iloc[order].reset_index(drop=True)


def _frame_of(known: Known) -> dict[str, Any]:
    """Return the times that frame the page."""
    view, now = known.view, known.now
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


def _lists(known: Known) -> dict[str, Any]:
    """Return the tables: services, regions, all incidents in short."""
    view, names, now, stands = known.view, known.names, known.now, known.incidents
    shown = [str(incident["incident_id"]) for incident in stands[:CARDS]]
    places = region_rows(view, known.parents, names, now)
    drawn = {*drawn_ids(known.regions), schema.WORLD, *schema.CONTINENTS}
    return {
        "services": service_rows(view, known.states, stands, known.parents, names, now, shown),
        "incidents": incident_rows(view, stands[:TABLE_INCIDENTS], names, now, shown),
        "incidents_more": max(0, len(stands) - TABLE_INCIDENTS),
        "regions": places[:MANY_REGIONS],
        "regions_more": max(0, len(places) - MANY_REGIONS),
        "off_map": sum(place.region not in drawn for place in places),
        "map_services": [(s, names.service(s)) for s in known.states["service"][:MAP_SERVICES]],
    }


def _drawings(known: Known, coverage: pd.DataFrame | None) -> dict[str, Any]:
    """Return what is drawn: cards, timeline, map, services."""
    queried = coverage is not None and bool(coverage["scope"].str.startswith("x:").any())
    services = len(known.states)
    return {
        "cards": [
            card(known.view, incident, known.marks, known.names, known.now, queried=queried)
            for incident in known.incidents[:CARDS]
        ],
        "timeline": _timeline(known),
        "map": _map(known),
        "charts": _service_charts(known),
        "charts_more": max(0, services - SERVICE_CHARTS),
        "few": services <= FEW,
    }


def _limits(known: Known, coverage: pd.DataFrame | None) -> dict[str, Any]:
    """Return what is not known, and the coverage behind it."""
    sources = ledger(known.view, coverage)
    return {
        "sources": sources,
        "source_name": known.names.source,
        "unknowns": unknowns(known.view, sources, known.incidents, known.names, known.now),
    }


def _timeline(known: Known) -> Chart | None:
    drawn = sorted(known.incidents[:TIMELINE], key=lambda i: i["onset_at"])
    if not drawn:
        return None
    low = min(known.view.first, *(i["onset_at"] for i in drawn))
    data = timeline(drawn, known.marks, known.names, low, known.view.end)
    told = zip(data["bars"]["label"][:8], data["bars"]["status"][:8], strict=True)
    words = "; ".join(f"{label}, {status}" for label, status in told)
    return Chart("timeline", data, "Incidents", f"Timeline of {counted(len(drawn), 'incident')}: {words}.")


def _map(known: Known) -> Chart | None:
    shown = list(known.states["service"][:MAP_SERVICES])
    rows = map_rows(known.view, known.regions, known.names, known.now, shown)
    if rows is None:
        return None
    bad = {name for name, state in zip(rows["name"], rows["state"], strict=True) if state == State.OUTAGE}
    alt = f"World map of {counted(len(set(rows['id'])), 'country', 'countries')}. Outage at some time in: "
    return Chart("world", {"states": rows}, "Countries", alt + (", ".join(sorted(bad)) or "none") + ".")


def _service_charts(known: Known) -> list[tuple[str, str, Chart]]:
    """Draw each service over the whole window in its broadest region, as the source with the most posts saw it.

    Of few services each broadest region is drawn, the busiest first.
    """
    few = len(known.states) <= FEW
    limit = 3 * SERVICE_POINTS if few else SERVICE_POINTS
    charts = []
    for service, state in known.states[["service", "state"]].head(SERVICE_CHARTS).itertuples(index=False):
        for region, row in list(_busiest(known, service).items())[: FEW_REGIONS if few else 1]:
            mine = [i for i in known.incidents if _touches(i, service, region, known.parents)]
            chart = posts_chart(known.view, row, mine, known.marks, known.names, limit=limit)
            charts.append((known.names.service(service), state, chart))
    return charts


def _busiest(known: Known, service: str) -> dict[str, int]:
    """Return for each of a service's broadest regions the series with the most posts, the busiest first."""
    rows = known.view.counted[known.view.counted["service"] == service]
    tops = rows[rows["region"].isin(roots(set(rows["region"]), known.parents))]
    regions = dict(zip(tops.index.tolist(), tops["region"].tolist(), strict=True))
    best: dict[str, int] = {}
    for row in sorted(regions, key=lambda row: -_posts(known.view, row)):
        best.setdefault(regions[row], row)
    return best


def _touches(incident: Incident, service: str, region: str, parents: dict[str, str]) -> bool:
    """Tell whether an incident is to be shaded on a service's chart of a region: it, or a part of it, was affected."""
    if region in incident["regions"]:
        return service in (incident["service"], *incident["services"])
    parts = [part for part in incident["regions"] if region in above(part, parents)]
    return service == incident["service"] and bool(parts)


def _posts(view: Window, row: int) -> float:
    return float(pd.Series(view.read(row).numbers["posts"]).sum())


def _computed(
    known: Known, flags: pd.DataFrame, lake: str | None, catalog_version: str | None
) -> list[tuple[str, str]]:
    """Say how the page came about."""
    view, names, incidents = known.view, known.names, known.incidents
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
