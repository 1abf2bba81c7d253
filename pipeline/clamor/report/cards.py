"""An incident as the page tells it: one card with its facts, its chart, its regions and what people say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from clamor.report.drawn import Columns, ends_at, gaps, points, shades, statements
from clamor.report.headline import excess, subject
from clamor.report.status import UNKNOWN, Incident
from clamor.report.strips import Piece, strip
from clamor.report.window import NO_DATA, OUTAGE, Window
from clamor.report.words import (
    SEVERITIES,
    SYMPTOM_WORDS,
    Names,
    clock,
    counted,
    listed,
    percent,
    period,
    small,
    span,
    standing,
    times,
)
from clamor.schema import CONTINENTS, UNKNOWN_REGION, WORLD, Ending, IncidentStatus, Scope, Severity

_STRIPS: Final = 14
_CHART_POINTS: Final = 400


@dataclass(frozen=True)
class Chart:
    """A chart of the page: which template draws which data, and the same in words.

    Attributes:
        template: ``posts``, ``timeline`` or ``world``.
        data: Name of a data set to its columns.
        caption: What is drawn, for everybody.
        alt: What is to be seen, for those who cannot see it.

    """

    template: str
    data: dict[str, Columns]
    caption: str
    alt: str


@dataclass(frozen=True)
class Share:
    """A share with its interval, in percent, and in words."""

    name: str
    share: float
    low: float
    high: float
    text: str
    interval: str


@dataclass(frozen=True)
class RegionStrip:
    """One region's states over the card's time."""

    name: str
    strip: list[Piece]
    counted: str


@dataclass(frozen=True)
class Card:
    """An incident in words, numbers and pictures, ready to be laid out."""

    anchor: str
    title: str
    severity: str
    status: str
    where: str
    facts: list[tuple[str, str]]
    charts: list[Chart]
    strips: list[RegionStrip]
    strip_times: str
    reach: str
    symptoms: list[Share]
    claims: list[Share]
    claimed: str
    sampled: str
    warnings: list[str]


def ranked(incidents: pd.DataFrame | None) -> list[Incident]:
    """Return the incidents that stand, most important first: ongoing, then unknown, then by severity and newness."""
    if incidents is None:
        return []
    order = [IncidentStatus.ONGOING, IncidentStatus.UNKNOWN, IncidentStatus.RECOVERED]
    stands = incidents[incidents["status"].isin(order)].to_dict("records")
    grave = {name: -place for place, name in enumerate(SEVERITIES)}
    newest = sorted(stands, key=lambda i: i["onset_at"], reverse=True)
    return sorted(newest, key=lambda i: (order.index(i["status"]), grave.get(i["severity"], 0)))


def as_known(incident: Incident, states: pd.DataFrame) -> Incident:
    """Return the incident; one that was ongoing is of unknown end once its service is not known any more."""
    blind = set(states.loc[states["state"] == UNKNOWN, "service"])
    if incident["status"] == IncidentStatus.ONGOING and incident["service"] in blind:
        return incident | {"status": str(IncidentStatus.UNKNOWN)}
    return incident


def by_strength(view: Window, incident: Incident) -> Incident:
    """Return the incident with its regions ordered by how many more posts they had than expected."""
    rows = view.counted[view.counted["service"] == incident["service"]]
    rows = rows[rows["region"].isin(incident["regions"])]
    strength: dict[str, float] = {}
    for row, region in zip(rows.index, rows["region"], strict=True):
        posts, expected = _sums(view, row, incident)
        strength[region] = strength.get(region, 0.0) + posts - expected
    return incident | {"regions": sorted(incident["regions"], key=lambda r: -strength.get(r, 0.0))}


def card(
    view: Window, incident: Incident, marks: pd.DataFrame, names: Names, now: pd.Timestamp, *, queried: bool
) -> Card:
    """Lay out one incident (regions ordered by strength); ``queried``: X was counted by a query, not read."""
    start, stop = _stretch(view, incident)
    sample, said = (i[0]["sample_size"] if len(i) else 0 for i in (incident["symptoms"], incident["claims"]))
    return Card(
        anchor=f"incident-{incident['incident_id']}",
        title=subject(incident, names),
        severity=str(incident["severity"]),
        status=standing(incident),
        where=names.place(list(incident["regions"]), incident["scope"], limit=8),
        facts=_facts(incident, view, names, now),
        charts=_charts(view, incident, marks, names, start, stop),
        strips=_strips(view, incident, names, start, stop),
        strip_times=period(view.at(start), view.at(stop), now, view.bin_minutes >= 1440),
        reach=_reach(view, incident, names),
        symptoms=[_share(s, SYMPTOM_WORDS) for s in sorted(incident["symptoms"], key=lambda s: -s["share"])],
        claimed=f"{said:,.0f} posts" if said else "",
        claims=[_share(s, {}) for s in sorted(incident["claims"], key=lambda s: -s["share"])],
        sampled=f"{counted(int(sample), 'post')} read" if sample else "",
        warnings=_warnings(incident, queried),
    )


def _stretch(view: Window, incident: Incident) -> tuple[int, int]:
    """Return the bins to be drawn: the incident and enough before it to see what normal is."""
    onset, end = view.place_of(incident["onset_at"]), view.place_of(ends_at(incident, view.end)) + 1
    long = max(end - onset, 1)
    start, stop = max(0, onset - max(24, long)), min(view.bins, end + max(8, long // 3))
    return (start, stop) if start < stop else (0, view.bins)


def _facts(incident: Incident, view: Window, names: Names, now: pd.Timestamp) -> list[tuple[str, str]]:
    days_only = view.bin_minutes >= 1440
    onset, over = incident["onset_at"], incident["recovered_at"]
    zone = "" if days_only else " UTC"

    def at(time: pd.Timestamp, known: pd.Timestamp = onset) -> str:
        return clock(time, known, days_only)

    sure = f"{at(incident['onset_low_at'])} and {at(incident['onset_high_at'])}"
    facts = [("Began", f"{at(onset, now)}{zone} (between {sure})")]
    if incident["detected_at"] > view.end + pd.Timedelta(days=1):
        facts.append(("Flagged", f"afterwards, on {clock(incident['detected_at'], onset, True)}"))
    else:
        facts.append(("Flagged", f"{at(incident['detected_at'])}{zone}, {span(incident['detected_at'] - onset)} later"))
    if pd.isna(over):
        going = incident["status"] == IncidentStatus.ONGOING
        blind = f"not known: no data since {at(incident['last_seen_at'])}{zone}"
        facts.append(("Over", f"ongoing, {span(now - onset)} so far" if going else blind))
    elif incident.get("ending") == Ending.NEW_NORMAL:
        facts.append(
            ("Over", f"its level is taken as the new normal since {at(over)}{zone}, after {span(over - onset)}")
        )
    else:
        sure = f"{at(incident['recovered_low_at'])} and {at(incident['recovered_high_at'])}"
        facts.append(("Over", f"{at(over)}{zone} (between {sure}), after {span(over - onset)}"))
    peak = f", {times(incident['peak_ratio'])} the expected" if not pd.isna(incident["peak_ratio"]) else ""
    facts.append(("Peak", f"{at(incident['peak_at'])}{zone}{peak}"))
    return facts + _evidence(incident, names)


def _evidence(incident: Incident, names: Names) -> list[tuple[str, str]]:
    """Say what the incident rests on."""
    facts: list[tuple[str, str]] = []
    if not pd.isna(incident["excess_posts"]):
        facts.append(("Size", excess(incident, names)))
    first_hand = incident["first_hand_share"]
    if isinstance(first_hand, dict):
        low, high = percent(first_hand["share_low"]), percent(first_hand["share_high"])
        told = f"{percent(first_hand['share'])} ({low} to {high}) of {counted(first_hand['sample_size'], 'post')} read"
        facts.append(("First-hand", told))
    if incident["scope"] == Scope.SHARED_CAUSE:
        facts.append(("Cause", "shared: these services fail together"))
    if len(incident["services"]) > 1:
        facts.append(("Services", listed([names.service(s) for s in incident["services"]], 8)))
    facts.append(("Heard on", listed([names.source(s) for s in incident["sources"]], 6)))
    return facts


def _charts(view: Window, incident: Incident, marks: pd.DataFrame, names: Names, start: int, stop: int) -> list[Chart]:
    """Draw the series that shows the incident best, and the best one of another source."""
    rows = view.counted[view.counted["service"] == incident["service"]]
    wide = {WORLD} if incident["scope"] in (Scope.GLOBAL, Scope.MULTI_COUNTRY) else set()
    rows = rows[rows["region"].isin(wide | set(incident["regions"]))]
    sums = {int(row): _sums(view, int(row), incident) for row in rows.index}
    order = sorted(sums, key=lambda row: -(sums[row][0] - sums[row][1]) / (sums[row][1] + 1) ** 0.5)
    sources = rows["source"].to_dict()
    second = [row for row in order[1:] if sources[row] != sources[order[0]]]
    return [posts_chart(view, row, [incident], marks, names, start, stop) for row in [*order[:1], *second[:1]]]


def _sums(view: Window, row: int, incident: Incident) -> tuple[float, float]:
    """Return a series' posts and expected posts during the incident; bins of unknown posts count in neither."""
    bins = view.read(row)
    start, stop = view.place_of(incident["onset_at"]), view.place_of(ends_at(incident, view.end)) + 1
    posts, expected = bins.numbers["posts"], bins.numbers["expected_posts"]
    known = (bins.place >= start) & (bins.place < stop) & ~np.isnan(posts) & ~np.isnan(expected)
    return float(posts[known].sum()), float(expected[known].sum())


def posts_chart(
    view: Window,
    row: int,
    incidents: Sequence[Incident],
    marks: pd.DataFrame,
    names: Names,
    start: int = 0,
    stop: int | None = None,
    limit: int = _CHART_POINTS,
) -> Chart:
    """Return the chart of one counted series between two places of the window."""
    source, service, region = (str(view.series.loc[row, name]) for name in ("source", "service", "region"))
    stop = view.bins if stop is None else stop
    data = points(view, row, limit, start, stop)
    said = marks[marks["service"] == service]
    who = f"{names.source(source)}, {names.region(region)}"
    flagged = sum(state == "outage" for state in data["state"])
    top = max((p for p in data["posts"] if p is not None), default=None)
    seen = "nothing was observed" if top is None else f"at most {top:,} posts; {flagged} points flagged as outage"
    return Chart(
        "posts",
        {
            "bins": data,
            "gaps": gaps(view, row, start, stop),
            "shades": shades(incidents, view, start, stop),
            "marks": statements(said, view.at(start), view.at(stop)),
        },
        who,
        f"Complaint posts about {names.service(service)}, {who}, against what is expected: {seen}.",
    )


def _strips(view: Window, incident: Incident, names: Names, start: int, stop: int) -> list[RegionStrip]:
    """Return the states of the incident's regions, the strongest first, with what their fullest source counted."""
    rows = view.decided[view.decided["service"] == incident["service"]]
    counted = view.counted[view.counted["service"] == incident["service"]]
    shown = [r for r in incident["regions"] if (rows["region"] == r).any()][:_STRIPS]
    found = []
    for region in shown:
        ranks = view.ranks(rows.index[rows["region"] == region])[start:stop]
        sums = [_sums(view, row, incident) for row in counted.index[counted["region"] == region]]
        posts, expected = max(sums, key=lambda s: s[0] - s[1], default=(np.nan, np.nan))
        told = "" if np.isnan(posts) else f"{posts:,.0f} against {small(expected)}"
        found.append(RegionStrip(names.region(region), strip(ranks), told))
    return found


def _reach(view: Window, incident: Incident, names: Names) -> str:
    """Say in how many of the watched places it was heard, and which of the others are unknown."""
    rows = view.decided[view.decided["service"] == incident["service"]]
    areas = {WORLD, *CONTINENTS, UNKNOWN_REGION}
    watched = sorted(set(rows["region"]) - areas)
    if len(watched) < 2:
        return ""
    start, stop = view.place_of(incident["onset_at"]), view.place_of(ends_at(incident, view.end)) + 1
    ranks = {r: view.ranks(rows.index[rows["region"] == r])[max(start, 0) : stop] for r in watched}
    heard = [r for r in watched if r in set(incident["regions"])]
    blind = [r for r in watched if r not in heard and not (ranks[r] > NO_DATA).any()]
    flagged = [r for r in watched if r not in heard and r not in blind and (ranks[r] == OUTAGE).any()]
    text = f"Heard in {len(heard)} of {len(watched)} places watched."
    if not heard:
        text = f"Heard in the count of the world, in none of the {len(watched)} places watched by itself."
    if flagged:
        text += f" Flagged too: {listed([names.region(r) for r in flagged], 6)}."
    return text + (f" Not known: {listed([names.region(r) for r in blind], 6)} (no data)." if blind else "")


def _share(share: dict[str, Any], words: "dict[str, str] | Any") -> Share:
    name = words.get(share["name"], str(share["name"]).replace("_", " "))
    low, high = 100 * share["share_low"], 100 * share["share_high"]
    return Share(name, 100 * share["share"], low, high, percent(share["share"]), f"{low:.0f} to {high:.0f}%")


def _warnings(incident: Incident, queried: bool) -> list[str]:
    told = []
    if not pd.isna(incident["excess_low_posts"]) and incident["excess_low_posts"] <= 0:
        told.append("This may be nothing: as many posts come by chance.")
    elif incident["severity"] == Severity.MINOR and 0 < incident["probability"] < 0.95:
        told.append(f"This may be nothing: up to {percent(1 - incident['probability'])} of alarms so weak are false.")
    if incident["uneven"]:
        told.append("Observed unevenly: the coverage is partial, so the size and the times may be artefacts.")
    if queried and not isinstance(incident["first_hand_share"], dict) and "x" in list(incident["sources"]):
        told.append("No posts of X were read: which share of them is first-hand is not known.")
    if len(incident["merged_from"]):
        told.append(f"Merged from {listed(list(incident['merged_from']), 3)}.")
    return told
