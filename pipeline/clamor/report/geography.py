"""The world: its countries' outlines and what is known in each of them. Outlines: world-atlas (ISC), Natural Earth."""

import json
from functools import cache
from importlib.resources import files
from typing import Any, Final

import pandas as pd

from clamor.report.drawn import Columns
from clamor.report.status import parents_of, stale_after
from clamor.report.window import ELEVATED, NO_DATA, RANKED, Window, settled
from clamor.report.words import STATE_WORDS, Names, counted, times
from clamor.schema import UNKNOWN_REGION

EVERY_SERVICE: Final = ""
"""The value of ``service`` in the map's rows that stands for the worst of all."""
_WHENS: Final = (("now", "rank"), ("worst", "settled"))


@cache
def land() -> dict[str, Any]:
    """Return the topology of the countries (TopoJSON, object ``countries``, ids ISO 3166-1 numeric)."""
    topology: dict[str, Any] = json.loads(files(__package__).joinpath("world/countries.json").read_text("utf-8"))
    return topology


@cache
def _points() -> dict[str, list[float]]:
    """Return longitude and latitude of the countries that are too small to be seen."""
    points: dict[str, list[float]] = json.loads(files(__package__).joinpath("world/points.json").read_text("utf-8"))
    return points


def drawn_ids(regions: pd.DataFrame | None) -> dict[str, str]:
    """Country to its id on the map."""
    if regions is None or "iso_numeric" not in regions.columns:
        return {}
    known = regions[regions["iso_numeric"].notna()]
    numbers = pd.to_numeric(known["iso_numeric"]).astype(int)
    return {str(r): f"{n:03d}" for r, n in zip(known["region"], numbers, strict=True)}


def country_ids(regions: pd.DataFrame | None) -> dict[str, str]:
    """Region to the map's id of the country that it is, or is part of."""
    own = drawn_ids(regions)
    if regions is None or not own:
        return {}
    parents = parents_of(regions)
    found = {}
    for region in regions["region"].astype(str):
        at, steps = region, 0
        while at not in own and at in parents and steps < 9:
            at, steps = parents[at], steps + 1
        if at in own:
            found[region] = own[at]
    return found


def map_rows(
    view: Window, regions: pd.DataFrame | None, names: Names, now: pd.Timestamp, services: list[str]
) -> Columns | None:
    """Return what is known of each country, over all services and for each of ``services``; None without countries.

    Over the window only outages are told; a bin that was merely elevated is no news. A country is as bad as the worst
    of its own count and its parts. Columns as ``charts.world`` wants them.
    """
    ids = country_ids(regions)
    rows = view.decided[view.decided["region"].isin(list(ids)) & view.decided["region"].ne(UNKNOWN_REGION)].copy()
    if rows.empty:
        return None
    rows["id"] = rows["region"].map(ids)
    fresh = rows["last_observed"] >= view.place_of(now - stale_after(view))
    rows["rank"] = rows["rank"].where(fresh, NO_DATA)
    rows["settled"] = settled(rows["worst"])
    columns: Columns = {n: [] for n in ("id", "name", "state", "word", "where", "ratio", "parts", "service", "when")}
    columns |= {"x": [], "y": []}
    own = {number: region for region, number in reversed(ids.items()) if len(region) == 2}
    for service in (EVERY_SERVICE, *services):
        mine = rows if service == EVERY_SERVICE else rows[rows["service"] == service]
        for number, part in mine.groupby("id"):
            for when, column in _WHENS:
                _add(columns, view, str(number), own.get(str(number)), part, column, names)
                columns["service"].append(service)
                columns["when"].append(when)
    return columns


def _add(
    columns: Columns, view: Window, number: str, region: str | None, part: pd.DataFrame, column: str, names: Names
) -> None:
    """Append one country's verdict."""
    rank = int(part[column].max())
    worst = part[part[column] == rank].sort_values("outage", ascending=False)
    head = worst.iloc[0]
    parts = part["region"].nunique()
    x, y = _points().get(number, (None, None))
    columns["id"].append(number)
    columns["name"].append(names.region(region or str(head["region"])))
    columns["state"].append(str(RANKED[rank]))
    columns["word"].append(STATE_WORDS[RANKED[rank]])
    columns["where"].append(names.service(str(head["service"])) if rank >= ELEVATED else "–")
    columns["ratio"].append(times(view.peak(worst)) if rank >= ELEVATED else "–")
    columns["parts"].append(f"the worst of {counted(parts, 'part')}" if parts > 1 else "its own count")
    columns["x"].append(x)
    columns["y"].append(y)
