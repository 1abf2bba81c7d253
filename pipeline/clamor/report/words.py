"""Numbers, times, places and verdicts as a reader says them. All times are UTC."""

import json
import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Final

import pandas as pd

from clamor.schema import CONTINENTS, UNKNOWN_REGION, WORLD, Ending, IncidentStatus, Scope, Severity, State, Symptom

STATE_WORDS: Final[Mapping[str, str]] = {
    State.OUTAGE: "Outage",
    State.ELEVATED: "Elevated",
    State.NORMAL: "Normal",
    State.WARM_UP: "Learning",
    State.NO_DATA: "No data",
    "unknown": "Not known",
}
SYMPTOM_WORDS: Final[Mapping[str, str]] = {
    Symptom.LOGIN: "logging in",
    Symptom.PLAYBACK: "playback",
    Symptom.CRASH: "crashes",
    Symptom.ERROR: "error messages",
    Symptom.UPLOAD: "uploading",
    Symptom.MESSAGING: "messages",
    Symptom.CONNECTION: "no connection",
    Symptom.PAYMENT: "payment",
    Symptom.SLOW: "slowness",
    Symptom.OTHER: "nothing specific",
}
SOURCE_WORDS: Final[Mapping[str, str]] = {"x": "X", "reddit": "Reddit", "all": "all sources", "counts": "your counts"}
_STATUS_WORDS: Final[Mapping[str, str]] = {
    IncidentStatus.ONGOING: "ongoing",
    IncidentStatus.RECOVERED: "recovered",
    IncidentStatus.UNKNOWN: "not known whether over",
    IncidentStatus.WITHDRAWN: "withdrawn",
}
NOWHERE: Final = "no country stands out"
"""Where an incident is that shows in the world's count only."""
SEVERITIES: Final = tuple(str(s) for s in Severity)


def standing(incident: Mapping[Hashable, Any]) -> str:
    """Say how an incident stands; one whose level stayed has not recovered, it is the new normal."""
    if incident["status"] == IncidentStatus.RECOVERED and incident.get("ending") == Ending.NEW_NORMAL:
        return str(Ending.NEW_NORMAL)
    return _STATUS_WORDS.get(incident["status"], str(incident["status"]))


class Names:
    """Display names of services, regions, sources; an id without a name is shown as it is.

    Args:
        services: Service id to a name, or to anything with a ``name`` (a catalogue's services).
        regions: ``region, name``.

    """

    def __init__(self, services: Mapping[str, object] | None = None, regions: pd.DataFrame | None = None) -> None:
        self._services = {k: str(getattr(v, "name", v)) for k, v in (services or {}).items()}
        self._regions = {UNKNOWN_REGION: "place not known", WORLD: "World"}
        if regions is not None and "name" in regions.columns:
            named = regions[regions["name"].notna()]
            self._regions |= dict(zip(named["region"].astype(str), named["name"].astype(str), strict=True))

    def service(self, service: str) -> str:
        """Name a service."""
        return self._services.get(service, service)

    def region(self, region: str) -> str:
        """Name a region."""
        return self._regions.get(region, region)

    def source(self, source: str) -> str:
        """Name a source."""
        return SOURCE_WORDS.get(source, source)

    def place(self, regions: Sequence[str], scope: str = "", limit: int = 3) -> str:
        """Say where: the finest regions first known as affected, at most ``limit`` of them by name."""
        areas = {WORLD, *CONTINENTS}
        fine = [r for r in regions if r not in areas and r != UNKNOWN_REGION]
        if not fine:
            broad = [r for r in regions if r in CONTINENTS]
            return listed([self.region(r) for r in broad], limit) if broad else NOWHERE
        text = listed(self._nested(fine), limit)
        return f"worldwide: {text}" if scope == Scope.GLOBAL else text

    def _nested(self, regions: Sequence[str]) -> list[str]:
        """Name regions, a country's subdivisions in brackets behind it where it is named itself."""
        parts = {r: [p for p in regions if p.startswith(f"{r}-")] for r in regions}
        inner = {part for each in parts.values() for part in each}
        named = {r: listed([self.region(p) for p in parts[r]], 2) for r in regions if r not in inner}
        return [self.region(r) + (f" ({within})" if within else "") for r, within in named.items()]


def listed(words: Sequence[str], limit: int = 3) -> str:
    """Join words: ``a``, ``a and b``, ``a, b and 4 more``."""
    shown = list(words) if len(words) <= limit + 1 else [*words[:limit], f"{len(words) - limit} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else ""


def counted(number: int, one: str, many: str | None = None) -> str:
    """Say ``1 service`` or ``3 services``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def clock(time: pd.Timestamp | None, now: pd.Timestamp, days_only: bool = False) -> str:
    """Say a time as briefly as ``now`` allows: ``14:05``, ``22 Nov 14:05``, ``8 Mar 2017 14:00``."""
    if time is None or pd.isna(time):
        return "not known"
    day = f"{time.day} {time:%b}" + ("" if time.year == now.year else f" {time.year}")
    if days_only:
        return day
    return f"{time:%H:%M}" if time.date() == now.date() else f"{day} {time:%H:%M}"


def period(start: pd.Timestamp, end: pd.Timestamp, now: pd.Timestamp, days_only: bool = False) -> str:
    """Say from when to when, each day once: ``14:00 to 15:30``, ``21 Nov 14:00 to 15:30``."""
    first = clock(start, now, days_only)
    if not days_only and end.date() != start.date() and end.date() == now.date():
        return f"{first} to {end.day} {end:%b} {end:%H:%M}"
    return f"{first} to {clock(end, start, days_only)}"


def width(minutes: int) -> tuple[str, str]:
    """Say a bin's width: as it describes bins, and as it stands after ``per``."""
    known = {60: ("hourly", "hour"), 1440: ("daily", "day"), 10080: ("weekly", "week")}
    if minutes in known:
        return known[minutes]
    size, unit = (minutes // 1440, "day") if minutes % 1440 == 0 else (minutes // 60, "hour")
    if minutes % 60:
        size, unit = minutes, "minute"
    short = f"{size} min" if unit == "minute" else f"{size} {unit}s"
    return f"{size}-{unit}", short


def span(duration: pd.Timedelta) -> str:
    """Say a duration: ``45 min``, ``3 h 20 min``, ``36 h``, ``2 d 4 h``, ``5 days``, ``6.5 years``."""
    minutes = round(duration.total_seconds() / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    if hours < 48:
        return f"{hours} h"
    days, hours = divmod(hours, 24)
    if days < 3 and hours:
        return f"{days} d {hours} h"
    return counted(days, "day") if days < 730 else f"{days / 365.25:.1f} years".replace(".0", "")


def number(value: float | None) -> str:
    """Say an excess of posts: ``0.4``, ``2``, ``12``, ``11,240``; ``not known`` for NaN."""
    if value is None or math.isnan(value):
        return "not known"
    return f"{value:,.1f}".removesuffix(".0") if abs(value) < 10 else f"{value:,.0f}"


def small(value: float) -> str:
    """Say an expected number, which is never quite nothing: ``<0.1``, ``1.2``, ``340``."""
    return "<0.1" if value < 0.05 else f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def times(ratio: float | None) -> str:
    """Say a ratio to the expected: ``×14``, ``×2.3``; an en dash for NaN."""
    if ratio is None or math.isnan(ratio):
        return "–"
    return f"×{ratio:.1f}" if ratio < 10 else f"×{ratio:,.0f}"


def percent(share: float) -> str:
    """Say a share; never 100% or 0% of what is nearly so."""
    if 0 < share < 0.01:
        return "<1%"
    return ">99%" if 0.99 < share < 1 else f"{100 * share:.0f}%"


def parameters(text: str) -> list[tuple[str, str]]:
    """Read an incident's parameters (JSON, or any text) as pairs to be shown."""
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        return [("parameters", text)] if text else []
    return [(str(k), v if isinstance(v, str) else json.dumps(v)) for k, v in values.items()]
