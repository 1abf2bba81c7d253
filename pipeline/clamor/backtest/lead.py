"""How much earlier or later the complaints spoke than the official statements, and than the searches.

**Statements.** Marks of a service are statements: those of one page (``url``) are one, else those that follow one
another within six hours; what says that all is over belongs to the statement before it. Its time is that of its first
mark.

**Pairs.** A statement goes with the incident of its service whose onset is nearest, if it was made while the incident
lasted or at most ``within`` before its onset or after its end. Of several statements on one incident the first counts.
A withdrawn incident goes with none.

**Leads** are minutes from the complaints to the statement: positive where the complaints spoke first. There are two,
from the onset (when it began, as seen afterwards, with its interval) and from the alarm: when clamor said so. Where it
said so more than a day after all was over, because an archive was read, it is when it would have: at the end of the
first bin of an outage.

**What pairs with nothing is counted too.** A statement at whose time the service was not judged, for want of data or of
warm-up, says nothing about complaints; an incident of a service without marks, or from before the first of them or
after they were fetched, says nothing about statements.

**Searches** are an index (Google Trends), judged like posts against a baseline of its own. Its surge is the first bin
of an outage of that source in the incident's time, ``within`` around it, and it is held against the first such bin of
a source of posts: the incident's onset may have been told by the searches themselves. It is as sharp as bins are wide.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from clamor.backtest.chance import quantile_interval, share_interval
from clamor.schema import ALL_SOURCES, IncidentStatus, State

WITHIN: Final = pd.Timedelta(hours=6)
_SAME: Final = pd.Timedelta(hours=6)
_AFTERWARDS: Final = pd.Timedelta(days=1)
_CLOSES_WITHIN: Final = pd.Timedelta(days=7)
_CLOSING: Final = ("resolved", "postmortem", "completed", "closed", "operational", "fixed", "recovered", "monitoring")
LEADS: Final = {
    "onset_lead_minutes": ("onset", "statement"),
    "alarm_lead_minutes": ("alarm", "statement"),
    "searches_lead_minutes": ("complaints", "searches"),
}
"""Columns that are summed up, and from what to what they lead."""


@dataclass(frozen=True)
class LeadTimes:
    """What came of it.

    Attributes:
        incidents: One row an incident that pairs with a statement or a surge of searches: ``incident_id, service,
            onset_at, onset_low_at, onset_high_at, alarm_at, afterwards`` (the alarm is when it would have been),
            ``statement_at, statement, url, statements`` (how many), ``onset_lead_minutes`` (and ``_low``, ``_high`` of
            the onset's interval), ``alarm_lead_minutes, complaints_at, searches_at, searches_lead_minutes`` (from the
            one to the other). Null where there is none.
        unheard: Statements without complaints: ``service, statement_at, statement, url, judged`` (false where nothing
            was known of the service then).
        unsaid: Incidents without a statement: ``incident_id, service, onset_at, marked`` (false where no marks reach
            there).

    """

    incidents: pd.DataFrame
    unheard: pd.DataFrame
    unsaid: pd.DataFrame

    def summary(self) -> list[dict[str, Any]]:
        """Return ``measure, value, low, high, n``: medians and shares with exact 95% intervals, and counts."""
        rows = []
        for name, (one, other) in LEADS.items():
            leads = self.incidents[name].dropna()
            if len(leads):
                median, low, high = quantile_interval(leads, 0.5)
                rows.append(_row(f"minutes from {one} to {other}, median", median, low, high, len(leads)))
                first = int((leads > 0).sum())
                share = share_interval(first, len(leads))
                rows.append(_row(f"{one} before {other}, share", first / len(leads), *share, len(leads)))
        judged, marked = self.unheard["judged"].astype(bool), self.unsaid["marked"].astype(bool)
        for what, count in (
            ("incidents with a statement", int(self.incidents["statement_at"].notna().sum())),
            ("statements without complaints", int(judged.sum())),
            ("statements at a time when nothing was known", int((~judged).sum())),
            ("incidents without a statement", int(marked.sum())),
            ("incidents where no marks reach", int((~marked).sum())),
        ):
            rows.append(_row(what, count, None, None, count))
        return rows


def _row(measure: str, value: float, low: float | None, high: float | None, n: int) -> dict[str, Any]:
    return {"measure": measure, "value": value, "low": low, "high": high, "n": n}


@dataclass
class Statement:
    """What was said officially of one trouble of a service.

    Attributes:
        service: Whose.
        at: Time of the first mark.
        last: Time of the last.
        status: Of the first.
        url: Of the first that has one.

    """

    service: str
    at: pd.Timestamp
    last: pd.Timestamp
    status: str
    url: str | None


def statements(marks: pd.DataFrame) -> list[Statement]:
    """Return the statements that rows of MARKS are, in order of time."""
    found: list[Statement] = []
    for service, rows in marks.sort_values(["mark_at", "source"], kind="stable").groupby("service", sort=True):
        by_url: dict[str, Statement] = {}
        current: Statement | None = None
        for row in rows.to_dict("records"):
            at, status = row["mark_at"], str(row["status"])
            url = row["url"] if isinstance(row["url"], str) and row["url"] else None
            earlier = by_url.get(url) if url else None
            if earlier is None and current is not None:
                reach = _CLOSES_WITHIN if status.lower().startswith(_CLOSING) else _SAME
                earlier = current if at - current.last <= reach and not (url and current.url) else None
            if earlier is None:
                earlier = Statement(str(service), at, at, status, url)
                found.append(earlier)
            earlier.last, earlier.url, current = at, earlier.url or url, earlier
            if url:
                by_url[url] = earlier
    return sorted(found, key=lambda statement: (statement.at, statement.service))


def lead_times(
    incidents: pd.DataFrame,
    marks: pd.DataFrame,
    *,
    flags: pd.DataFrame,
    searches: Iterable[str] = (),
    within: pd.Timedelta = WITHIN,
) -> LeadTimes:
    """Measure how complaints, official statements and searches follow one another.

    Args:
        incidents: Rows of INCIDENTS.
        marks: Rows of MARKS.
        flags: ``source, service, bin_minutes, bin_start, state`` of FLAGS, ``within`` around every mark and incident.
        searches: Sources that are an index of searches.
        within: How far apart a statement and an incident may be.

    """
    alive = incidents.loc[incidents["status"] != str(IncidentStatus.WITHDRAWN)].sort_values(["onset_at", "incident_id"])
    cases = alive.to_dict("records")
    said: dict[str, list[Statement]] = {}
    unheard = []
    for statement in statements(marks):
        case = _nearest(statement, cases, within)
        if case is None:
            unheard.append(_unheard(statement, flags, within))
        else:
            said.setdefault(case["incident_id"], []).append(statement)
    outages = flags.loc[flags["state"] == str(State.OUTAGE)]
    index = outages["source"].isin(list(searches))
    posts = outages.loc[~index & (outages["source"] != ALL_SOURCES)]
    rows = [
        _lead(case, _alarm(case, outages), said.get(case["incident_id"], []))
        | _searched(_first(case, posts, within), _first(case, outages.loc[index], within))
        for case in cases
    ]
    reach = marks.groupby("service").agg(first=("mark_at", "min"), last=("observed_at", "max")).to_dict("index")
    return LeadTimes(
        _frame([row for row in rows if row["statements"] or pd.notna(row["searches_at"])], _ROW),
        _frame(unheard, _UNHEARD),
        _frame([_unsaid(case, reach) for case in cases if case["incident_id"] not in said], _UNSAID),
    )


def _nearest(
    statement: Statement, cases: Iterable[Mapping[Any, Any]], within: pd.Timedelta
) -> Mapping[Any, Any] | None:
    near = [
        case
        for case in cases
        if statement.service in case["services"]
        if case["onset_low_at"] - within <= statement.at <= _end(case) + within
    ]
    return min(near, key=lambda case: abs(statement.at - case["onset_at"]), default=None)


def _end(case: Mapping[Any, Any]) -> pd.Timestamp:
    end: pd.Timestamp = case["last_seen_at"] if pd.isna(case["recovered_at"]) else case["recovered_at"]
    return end


def _alarm(case: Mapping[Any, Any], outages: pd.DataFrame) -> tuple[pd.Timestamp | None, bool]:
    """Return when clamor said that there is an incident, or would have, and whether it is the latter."""
    if case["detected_at"] <= _end(case) + _AFTERWARDS:
        return case["detected_at"], False
    mine = outages.loc[
        outages["service"].isin(list(case["services"]))
        & (outages["source"] == ALL_SOURCES)
        & (outages["bin_minutes"] == case["bin_minutes"])
        & outages["bin_start"].between(case["onset_low_at"], _end(case))
    ]
    width = pd.Timedelta(minutes=int(case["bin_minutes"]))
    return (None if mine.empty else mine["bin_start"].min() + width), True


def _first(case: Mapping[Any, Any], outages: pd.DataFrame, within: pd.Timedelta) -> pd.Timestamp | None:
    """Return the first of some outage bins of an incident's services about its time."""
    mine = outages.loc[
        outages["service"].isin(list(case["services"]))
        & outages["bin_start"].between(case["onset_low_at"] - within, _end(case) + within)
    ]
    return None if mine.empty else mine["bin_start"].min()


def _searched(complaints: pd.Timestamp | None, searches: pd.Timestamp | None) -> dict[str, Any]:
    return {
        "complaints_at": complaints,
        "searches_at": searches,
        "searches_lead_minutes": _minutes(complaints, searches),
    }


def _lead(case: Mapping[Any, Any], alarm: tuple[pd.Timestamp | None, bool], told: list[Statement]) -> dict[str, Any]:
    first = told[0] if told else None
    at = first.at if first else None
    return {
        **{name: case[name] for name in _ROW[:5]},
        "alarm_at": alarm[0],
        "afterwards": alarm[1],
        "statement_at": at,
        "statement": first.status if first else None,
        "url": first.url if first else None,
        "statements": len(told),
        "onset_lead_minutes": _minutes(case["onset_at"], at),
        "onset_lead_minutes_low": _minutes(case["onset_high_at"], at),
        "onset_lead_minutes_high": _minutes(case["onset_low_at"], at),
        "alarm_lead_minutes": _minutes(alarm[0], at),
    }


def _minutes(complaints: pd.Timestamp | None, other: pd.Timestamp | None) -> float | None:
    return None if other is None or complaints is None else (other - complaints) / pd.Timedelta(minutes=1)


def _unheard(statement: Statement, flags: pd.DataFrame, within: pd.Timedelta) -> dict[str, Any]:
    near = flags.loc[
        (flags["service"] == statement.service)
        & flags["bin_start"].between(statement.at - within, statement.at + within)
    ]
    known = ~near["state"].isin([str(State.NO_DATA), str(State.WARM_UP)])
    return {
        "service": statement.service,
        "statement_at": statement.at,
        "statement": statement.status,
        "url": statement.url,
        "judged": bool(known.any()),
    }


def _unsaid(case: Mapping[Any, Any], reach: Mapping[Any, Mapping[Any, pd.Timestamp]]) -> dict[str, Any]:
    spans = [reach[service] for service in case["services"] if service in reach]
    marked = any(span["first"] <= case["onset_at"] <= span["last"] for span in spans)
    return {**{name: case[name] for name in _UNSAID[:3]}, "marked": marked}


_ROW: Final = (
    "incident_id",
    "service",
    "onset_at",
    "onset_low_at",
    "onset_high_at",
    "alarm_at",
    "afterwards",
    "statement_at",
    "statement",
    "url",
    "statements",
    "onset_lead_minutes",
    "onset_lead_minutes_low",
    "onset_lead_minutes_high",
    "alarm_lead_minutes",
    "complaints_at",
    "searches_at",
    "searches_lead_minutes",
)
_UNHEARD: Final = ("service", "statement_at", "statement", "url", "judged")
_UNSAID: Final = ("incident_id", "service", "onset_at", "marked")


def _frame(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(columns))
    for name in columns:
        if name.endswith("_at"):
            frame[name] = pd.to_datetime(frame[name], utc=True).astype("datetime64[us, UTC]")
        elif name.endswith(("minutes", "low", "high")):
            frame[name] = frame[name].astype("float64")
    return frame
