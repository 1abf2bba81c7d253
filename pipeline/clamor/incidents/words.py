"""An incident in one sentence, for terminals, headlines and alerts."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from clamor.schema import WORLD, Ending, IncidentStatus, Scope, Severity

MOST = 4
"""So many regions or symptoms are named; the rest is counted."""


def sentence(incident: Mapping[Any, Any], names: Mapping[str, str] | None = None) -> str:
    """Say an incident in one line: what, how far, since when, where, what troubles, how many posts.

    Args:
        incident: A row of the incidents table.
        names: Service id to the name for people; ids are shown where it has none.

    >>> sentence({"service": "tiktok", "services": ["tiktok"], "scope": "global", "regions": ["US", "GB"],
    ...   "status": "ongoing", "onset_at": pd.Timestamp("2026-10-14T14:15Z"), "recovered_at": None,
    ...   "symptoms": [{"name": "login", "share": 0.4}], "excess_posts": 1240.0, "excess_low_posts": 1100.0,
    ...   "excess_high_posts": 1380.0}, {"tiktok": "TikTok"})
    'TikTok: global outage since 2026-10-14 14:15 UTC (US, GB), login; about 1,240 excess posts (1,100 to 1,380)'

    """
    names = names or {}
    parts = [f"{_who(incident, names)}: {_what(incident)} {_when(incident)}"]
    regions = [region for region in incident["regions"] if region != WORLD]
    if regions:
        parts[0] += f" ({_some(regions)})"
    symptoms = [row["name"] for row in incident["symptoms"] if row["name"] != "other"]
    if symptoms:
        parts[0] += f", {_some(symptoms)}"
    if not pd.isna(incident["excess_posts"]):
        low, high = incident["excess_low_posts"], incident["excess_high_posts"]
        many = _number(incident["excess_posts"])
        parts.append(f"about {many} excess {'post' if many == '1' else 'posts'} ({_number(low)} to {_number(high)})")
    return "; ".join(parts)


def _who(incident: Mapping[Any, Any], names: Mapping[str, str]) -> str:
    first, *rest = (names.get(service, service) for service in incident["services"])
    return f"{first} (with {_some(rest)})" if rest else str(first)


def _what(incident: Mapping[Any, Any]) -> str:
    withdrawn = "withdrawn: " if incident["status"] == IncidentStatus.WITHDRAWN else ""
    it = "minor trouble" if incident.get("severity") == Severity.MINOR else "outage"
    kinds = {
        Scope.GLOBAL: f"global {it}",
        Scope.MULTI_COUNTRY: f"{it} in several countries",
        Scope.COUNTRY: f"{it} in one country",
        Scope.SUBDIVISION: f"regional {it}",
        Scope.SHARED_CAUSE: f"{it} of several services",
    }
    return withdrawn + kinds[Scope(incident["scope"])]


def _when(incident: Mapping[Any, Any]) -> str:
    onset = incident["onset_at"]
    start = f"{onset:%Y-%m-%d %H:%M}"
    if incident.get("ending") == Ending.NEW_NORMAL:
        return f"from {start}, taken as the new normal since {_until(onset, incident['recovered_at'])} UTC"
    if not pd.isna(incident["recovered_at"]):
        return f"from {start} to {_until(onset, incident['recovered_at'])} UTC"
    if incident["status"] == IncidentStatus.ONGOING:
        return f"since {start} UTC"
    return f"from {start} UTC, last seen {_until(onset, incident['last_seen_at'])}, end not known"


def _until(onset: pd.Timestamp, end: pd.Timestamp) -> str:
    return f"{end:%H:%M}" if end.date() == onset.date() else f"{end:%Y-%m-%d %H:%M}"


def _some(names: list[str]) -> str:
    shown = ", ".join(map(str, names[:MOST]))
    return f"{shown} and {len(names) - MOST} more" if len(names) > MOST else shown


def _number(value: float) -> str:
    return f"{value:,.0f}"
