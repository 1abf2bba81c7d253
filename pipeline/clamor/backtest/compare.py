"""Incidents beside a truth: what was found, missed and raised for nothing, how late, and how well described.

The rules. An incident *matches* an event if their times overlap (30 minutes of grace at both ends), their regions share
ground, and the event's service is the incident's or among its services; an incident that blames another service that
suffers from the event matches too, if all its regions lie in the event's. An outage is *found* if an incident matches.
Of several, the one that overlaps it longest speaks for it and the others are *fragments*. An incident that matches no
outage is a *false alarm*, and the event that it matches instead (a viral video, jokes, news), if any, is its reason.
A withdrawn incident finds nothing, but it was an alarm: if it matches no outage it is false.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from clamor.backtest.chance import quantile_interval, rate_interval, share_interval
from clamor.incidents.scope import Tree
from clamor.schema import IncidentStatus, Scope

NO_EVENT: Final = "nothing happened"


@dataclass(frozen=True)
class Comparison:
    """What came of a comparison.

    Attributes:
        events: One row an outage: ``event_id, kind, service, regions, start_at, end_at, found, incident_id, fragments,
            detected_at, delay_minutes`` (first detection less true start), ``onset_error_minutes, end_error_minutes,
            onset_covered, end_covered`` (the interval holds the true start, the true end), ``region_precision,
            region_recall, symptom_precision, symptom_recall, service_right`` (the service at fault is blamed),
            ``cause_right`` (shared causes told apart from single ones), ``note``. Null where nothing was found.
        alarms: One row an incident: ``incident_id, service, scope, regions, onset_at, detected_at, status, verdict``
            (found, fragment, false alarm, withdrawn), ``event_id`` and ``reason``.
        days: Length of the compared time, for the rate of false alarms; NaN if it is not known.

    """

    events: pd.DataFrame
    alarms: pd.DataFrame
    days: float = float("nan")

    @property
    def found(self) -> int:
        """Number of outages that an incident matches."""
        return int(self.events["found"].sum())

    @property
    def missed(self) -> int:
        """Number of outages that none matches."""
        return len(self.events) - self.found

    @property
    def false_alarms(self) -> int:
        """Number of incidents that match no outage."""
        return int((self.alarms["verdict"] == "false alarm").sum())

    @property
    def fragments(self) -> int:
        """Number of incidents that only repeat another."""
        return int((self.alarms["verdict"] == "fragment").sum())

    @property
    def delays(self) -> pd.Series:
        """Minutes from the true start to the first detection, of the outages that were found."""
        return pd.Series(self.events.loc[self.events["found"], "delay_minutes"], dtype=float)

    @property
    def _end_errors(self) -> pd.Series:
        return pd.Series(self.events["end_error_minutes"].dropna(), dtype=float)

    def summary(self) -> pd.DataFrame:
        """Return ``measure, value, low, high, n``: shares with exact 95% intervals, rates, quantiles of the delay."""
        rows = [
            _share("outages found", self.events["found"]),
            _share("incidents that were outages", ~self.alarms["verdict"].isin(["false alarm"])),
            _share("service at fault blamed", self.events["service_right"]),
            _share("shared causes told apart", self.events["cause_right"]),
            _share("onset interval holds the start", self.events["onset_covered"]),
            _share("recovery interval holds the end", self.events["end_covered"]),
            *(_mean(name.replace("_", " "), self.events[name]) for name in DESCRIBED),
            *(_quantile(f"delay, minutes, quantile {q}", self.delays, q) for q in (0.5, 0.9)),
            *(_quantile(f"end is off by minutes, quantile {q}", self._end_errors, q) for q in (0.1, 0.5, 0.9)),
        ]
        if np.isfinite(self.days) and self.days > 0:
            low, high = rate_interval(self.false_alarms, self.days)
            rate = self.false_alarms / self.days
            rows.append(dict(zip(SUMMARY, ("false alarms a day", rate, low, high, self.false_alarms), strict=True)))
        return pd.DataFrame(rows, columns=list(SUMMARY))


SUMMARY: Final = ("measure", "value", "low", "high", "n")
DESCRIBED: Final = ("region_precision", "region_recall", "symptom_precision", "symptom_recall")


def _share(name: str, values: pd.Series) -> dict[str, Any]:
    known = values.dropna().astype(bool)
    hits, size = int(known.sum()), len(known)
    low, high = share_interval(hits, size) if size else (0.0, 1.0)
    return dict(zip(SUMMARY, (name, hits / size if size else np.nan, low, high, size), strict=True))


def _mean(name: str, values: pd.Series) -> dict[str, Any]:
    known = values.dropna().astype(float)
    return dict(zip(SUMMARY, (f"mean {name}", known.mean(), np.nan, np.nan, len(known)), strict=True))


def _quantile(name: str, values: pd.Series, q: float) -> dict[str, Any]:
    return dict(zip(SUMMARY, (name, *quantile_interval(values, q), len(values)), strict=True))


def together(comparisons: Sequence[Comparison]) -> Comparison:
    """Pool several comparisons (several seeds or months) into one."""
    return Comparison(
        pd.concat([each.events for each in comparisons], ignore_index=True),
        pd.concat([each.alarms for each in comparisons], ignore_index=True),
        float(sum(each.days for each in comparisons)),
    )


def compare(
    incidents: pd.DataFrame,
    truth: pd.DataFrame,
    *,
    regions: pd.DataFrame | None = None,
    window: tuple[pd.Timestamp, pd.Timestamp] | None = None,
    tolerance_minutes: float = 30.0,
) -> Comparison:
    """Compare incidents with what happened.

    Args:
        incidents: INCIDENTS rows.
        truth: ``service, regions, start_at, end_at`` and perhaps ``event_id, kind, services`` (all that suffer),
            ``is_outage`` (default true), ``symptoms, note``; regions and services are sequences of names.
        regions: ``region`` and ``parent``; without it codes are placed by their form.
        window: The time that was watched; what lies outside is left out of both. All when None.
        tolerance_minutes: Grace at both ends of an event.

    """
    tree = Tree.of(regions)
    events = [_event(i, row) for i, row in enumerate(truth.to_dict("records"))]
    alarms = [_alarm(row) for row in incidents.to_dict("records")]
    if window is not None:
        events = [e for e in events if e["start_at"] < window[1] and e["end_at"] > window[0]]
        alarms = [a for a in alarms if a["onset_at"] < window[1] and a["end_at"] > window[0]]
    grace = pd.Timedelta(minutes=tolerance_minutes)
    matches = {
        (a, e): minutes for a, e, minutes in _overlaps(alarms, events, grace) if _same(alarms[a], events[e], tree)
    }
    speaker = _speakers(alarms, events, matches)
    days = (window[1] - window[0]) / pd.Timedelta(days=1) if window is not None else float("nan")
    judged = [_judged(a, alarms, events, matches, speaker) for a in range(len(alarms))]
    rows = [_row(e, alarms, events, matches, speaker, tree) for e in range(len(events)) if events[e]["is_outage"]]
    return Comparison(pd.DataFrame(rows, columns=list(EVENTS)), pd.DataFrame(judged, columns=list(ALARMS)), days)


EVENTS: Final = (
    *("event_id", "kind", "service", "regions", "start_at", "end_at", "found", "incident_id", "fragments"),
    *("detected_at", "delay_minutes", "onset_error_minutes", "end_error_minutes", "onset_covered"),
    "end_covered",
    *(*DESCRIBED, "service_right", "cause_right", "note"),
)
ALARMS: Final = (
    *("incident_id", "service", "scope", "regions", "onset_at", "detected_at", "status"),
    *("verdict", "event_id", "reason"),
)


def _event(number: int, row: dict[Any, Any]) -> dict[str, Any]:
    defaults = {"event_id": f"e{number + 1}", "kind": "outage", "is_outage": True, "symptoms": (), "note": ""}
    event = {**defaults, **row}
    event["services"] = {event["service"], *event.get("services", ())}
    return event


def _alarm(row: dict[Any, Any]) -> dict[str, Any]:
    end = row["recovered_at"] if not pd.isna(row["recovered_at"]) else row["last_seen_at"]
    return {**row, "end_at": max(end, row["onset_at"])}


def _overlaps(
    alarms: list[dict[str, Any]], events: list[dict[str, Any]], grace: pd.Timedelta
) -> Iterator[tuple[int, int, float]]:
    """Yield incidents and events that overlap, with the minutes in common, the events widened at both ends."""
    start = np.array([(event["start_at"] - grace).timestamp() for event in events]) / 60
    end = np.array([(event["end_at"] + grace).timestamp() for event in events]) / 60
    for a, alarm in enumerate(alarms):
        both = np.minimum(end, alarm["end_at"].timestamp() / 60) - np.maximum(start, alarm["onset_at"].timestamp() / 60)
        yield from ((a, e, float(both[e])) for e in np.flatnonzero(both > 0).tolist())


def _same(alarm: dict[str, Any], event: dict[str, Any], tree: Tree) -> bool:
    if not tree.meet(alarm["regions"], event["regions"]):
        return False
    if event["service"] in alarm["services"]:
        return True
    suffers = bool(set(alarm["services"]) & event["services"])
    return suffers and all(set(tree.path(region)) & set(event["regions"]) for region in alarm["regions"])


def _speakers(
    alarms: list[dict[str, Any]], events: list[dict[str, Any]], matches: dict[tuple[int, int], float]
) -> dict[int, int]:
    """Choose for each event the incident that speaks for it: of the service at fault, with the longest overlap."""
    speaker: dict[int, int] = {}

    def claim(a: int, e: int) -> tuple[bool, float, int]:
        return (alarms[a]["service"] == events[e]["service"], matches[a, e], -a)

    for a, e in matches:
        withdrawn = alarms[a]["status"] == IncidentStatus.WITHDRAWN
        if not withdrawn and (e not in speaker or claim(a, e) > claim(speaker[e], e)):
            speaker[e] = a
    return speaker


def _judged(
    a: int,
    alarms: list[dict[str, Any]],
    events: list[dict[str, Any]],
    matches: dict[tuple[int, int], float],
    speaker: dict[int, int],
) -> dict[str, Any]:
    mine = sorted((e for each, e in matches if each == a), key=lambda e: (speaker.get(e) != a, -matches[a, e], e))
    outages = [e for e in mine if events[e]["is_outage"]]
    verdict, reason = "false alarm", events[mine[0]]["kind"] if mine else NO_EVENT
    if outages:
        verdict = "found" if speaker.get(outages[0]) == a else "fragment"
        verdict = "withdrawn" if alarms[a]["status"] == IncidentStatus.WITHDRAWN else verdict
        reason = ""
    event_id = next((events[e]["event_id"] for e in (*outages, *mine)), None)
    regions = list(alarms[a]["regions"])
    return {**alarms[a], "regions": regions, "verdict": verdict, "event_id": event_id, "reason": reason}


def _row(
    e: int,
    alarms: list[dict[str, Any]],
    events: list[dict[str, Any]],
    matches: dict[tuple[int, int], float],
    speaker: dict[int, int],
    tree: Tree,
) -> dict[str, Any]:
    event, a = events[e], speaker.get(e)
    row: dict[str, Any] = {**dict.fromkeys(EVENTS), **{k: v for k, v in event.items() if k in EVENTS}}
    if a is None:
        return {**row, "found": False, "fragments": 0}
    alarm = alarms[a]
    heard = [alarms[i] for i, each in matches if each == e and alarms[i]["status"] != IncidentStatus.WITHDRAWN]
    detected = min(each["detected_at"] for each in heard)
    precision, recall = _regions(event["regions"], [r for each in heard for r in each["regions"]], tree)
    told = {s["name"] for s in alarm["symptoms"]} - {"other"}
    true = set(event["symptoms"]) - {"other"}
    shared = len(event["services"]) > 1
    return row | {
        "found": True,
        "incident_id": alarm["incident_id"],
        "fragments": len(heard) - 1,
        "detected_at": detected,
        "delay_minutes": _minutes(detected - event["start_at"]),
        "onset_error_minutes": _minutes(alarm["onset_at"] - event["start_at"]),
        "end_error_minutes": None
        if pd.isna(alarm["recovered_at"])
        else _minutes(alarm["recovered_at"] - event["end_at"]),
        "onset_covered": bool(alarm["onset_low_at"] <= event["start_at"] <= alarm["onset_high_at"]),
        "end_covered": None
        if pd.isna(alarm["recovered_at"])
        else bool(alarm["recovered_low_at"] <= event["end_at"] <= alarm["recovered_high_at"]),
        "region_precision": precision,
        "region_recall": recall,
        "symptom_precision": len(told & true) / len(told) if told and true else None,
        "symptom_recall": len(told & true) / len(true) if true else None,
        "service_right": alarm["service"] == event["service"],
        "cause_right": (alarm["scope"] == Scope.SHARED_CAUSE) == shared,
    }


def _minutes(span: pd.Timedelta) -> float:
    return float(span / pd.Timedelta(minutes=1))


def _regions(true: Iterable[str], named: Iterable[str], tree: Tree) -> tuple[float | None, float]:
    """Return the share of named countries that are right, and of true ones that are named; an area names no country.

    Where the truth is an area, what lies in it is right and it counts as named by anything in it or around it.
    """
    true, named = list(true), sorted(set(named))
    told = [region for region in named if not tree.is_area(region) or region in true]
    right = [region for region in told if tree.meet([region], true)]
    seen = [region for region in true if told and tree.meet([region], told)]
    return len(right) / len(told) if told else None, len(seen) / len(true) if true else 1.0
