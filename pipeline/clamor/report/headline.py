"""The page's first sentence: what fails now, where and since when; or that all is quiet; or that it is not known."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from clamor.report.status import UNKNOWN, Incident, stale_after
from clamor.report.window import Window
from clamor.report.words import (
    NOWHERE,
    SYMPTOM_WORDS,
    Names,
    clock,
    counted,
    listed,
    number,
    percent,
    period,
    span,
    standing,
)
from clamor.schema import IncidentStatus, Scope, Severity, State, Symptom

_GRAVE = (Severity.MAJOR, Severity.CRITICAL)


@dataclass(frozen=True)
class Headline:
    """The answer in words: a mood (``outage``, ``unknown``, ``elevated``, ``normal``), a sentence, and its support."""

    mood: str
    title: str
    lines: tuple[str, ...]


def headline(
    view: Window, states: pd.DataFrame, incidents: Sequence[Incident], names: Names, now: pd.Timestamp
) -> Headline:
    """Say what is known now.

    Args:
        view: The window of flags.
        states: ``status`` of the same flags.
        incidents: Rows of INCIDENTS without the withdrawn, most important first.
        names: Display names.
        now: The time of the page, UTC.

    """
    last = states["last_data_at"].max()
    going = [i for i in incidents if i["status"] == IncidentStatus.ONGOING]
    past = [i for i in incidents if i["status"] != IncidentStatus.ONGOING]
    if pd.isna(last) or now - last > stale_after(view):
        return _not_known(view, last, going + past, names, now)
    if going:
        lines = [_alone(going[0], names, now)] if len(going) == 1 else [_line(i, names, now) for i in going[:4]]
        lines += [f"And {counted(len(going) - 4, 'more ongoing incident')}, below."] if len(going) > 4 else []
        lines += _rest(states, names)
        return Headline("outage", _failing(going, names, now), tuple(lines))
    flagged = states[states["state"] == State.OUTAGE]
    return _flagged(flagged, states, names, now) if len(flagged) else _quiet(view, states, past, names, now)


def subject(incident: Incident, names: Names) -> str:
    """Name what fails: the service, or the cause shared by several."""
    name = names.service(incident["service"])
    others = [s for s in incident["services"] if s != incident["service"]]
    if incident["scope"] == Scope.SHARED_CAUSE and others:
        return f"{name} and {counted(len(others), 'more service')}"
    return name


def _failing(going: Sequence[Incident], names: Names, now: pd.Timestamp) -> str:
    """Say what fails now. What is not major is called trouble, and has no place beside what is."""
    worst = [incident for incident in going if incident["severity"] in _GRAVE]
    told, grave = (worst or going), bool(worst)
    if len(told) == 1:
        return _one_failing(told[0], names, now, grave=grave)
    services = list(dict.fromkeys(names.service(i["service"]) for i in told))
    if len(services) == 1:
        places = f"in {len(told)} places at once"
        return f"{services[0]} is failing {places}" if grave else f"Trouble with {services[0]} {places}"
    return f"{listed(services, 4)} are failing" if grave else f"Trouble with {listed(services, 4)}"


def _one_failing(one: Incident, names: Names, now: pd.Timestamp, *, grave: bool) -> str:
    where = names.place(list(one["regions"]), one["scope"])
    since = f"since {clock(one['onset_at'], now)} UTC"
    who = subject(one, names)
    many = who != names.service(one["service"])
    what = (
        f"{who} {'are' if many else 'is'} failing"
        if grave
        else f"{str(one['severity']).capitalize()} trouble with {who}"
    )
    what += ", from one cause," if many else ""
    if where == NOWHERE:
        return f"{what} {since}; {where}"
    return f"{what} {where if where.startswith('worldwide') else f'in {where}'}, {since}"


def _alone(incident: Incident, names: Names, now: pd.Timestamp) -> str:
    """Say of the only incident what the title does not say."""
    text = f"{str(incident['severity']).capitalize()}, for {span(now - incident['onset_at'])} so far."
    return f"{text}{_support(incident, names)}"


def _line(incident: Incident, names: Names, now: pd.Timestamp) -> str:
    """Say one incident of several in one or two sentences."""
    where = names.place(list(incident["regions"]), incident["scope"], limit=6)
    began = f"since {clock(incident['onset_at'], now)} UTC ({span(now - incident['onset_at'])} so far)"
    return f"{subject(incident, names)}: {incident['severity']}, {where}, {began}.{_support(incident, names)}"


def _support(incident: Incident, names: Names) -> str:
    """Say what people complain of, and how much more than normal."""
    text = ""
    named = [s for s in incident["symptoms"] if s["name"] != Symptom.OTHER]
    symptoms = sorted(named, key=lambda s: -s["share"])[:3]
    if symptoms:
        told = [f"{SYMPTOM_WORDS.get(s['name'], s['name'])} ({percent(s['share'])})" for s in symptoms]
        text += f" People complain of {listed(told, 3)}."
    if not pd.isna(incident["excess_posts"]):
        text += f" {excess(incident, names)}."
    return text


def excess(incident: Incident, names: Names) -> str:
    """Say how many complaints more than normal, with the interval."""
    many, low, high = (number(incident[name]) for name in ("excess_posts", "excess_low_posts", "excess_high_posts"))
    word = "complaint" if many == "1" else "complaints"
    return f"{many} {word} more than normal on {names.source(incident['excess_source'])} ({low} to {high})"


def _rest(states: pd.DataFrame, names: Names) -> list[str]:
    """Say what the other services do."""
    lines = []
    unknown = [names.service(s) for s in states.loc[states["state"] == UNKNOWN, "service"]]
    if unknown:
        lines.append(f"Not known: {listed(unknown, 5)} (no fresh data).")
    raised = [names.service(s) for s in states.loc[states["state"] == State.ELEVATED, "service"]]
    if raised:
        lines.append(f"More complaints than normal, not an outage: {listed(raised, 5)}.")
    learning = [names.service(s) for s in states.loc[states["state"] == State.WARM_UP, "service"]]
    if learning:
        lines.append(f"Still learning what is normal: {listed(learning, 5)}.")
    quiet = int((states["state"] == State.NORMAL).sum())
    if quiet:
        lines.append(f"{counted(quiet, 'service')} normal.")
    return lines


def _flagged(flagged: pd.DataFrame, states: pd.DataFrame, names: Names, now: pd.Timestamp) -> Headline:
    """Say what the newest bins say where no incidents were given."""
    services = [names.service(s) for s in flagged["service"]]
    lines = [
        f"{names.service(s)}: {names.place(regions)}, since {clock(since, now)} UTC."
        for s, regions, since in flagged[["service", "regions", "since"]].head(6).itertuples(index=False)
    ]
    title = f"Outage flagged in the newest bins: {listed(services, 4)}"
    return Headline("outage", title, (*lines, *_rest(states, names)))


def _past(past: Sequence[Incident], names: Names, now: pd.Timestamp, days_only: bool) -> list[str]:
    lines = []
    for i in past[:3]:
        over = not pd.isna(i["recovered_at"])
        when = (
            period(i["onset_at"], i["recovered_at"], now, days_only) if over else clock(i["onset_at"], now, days_only)
        )
        when += "" if days_only else " UTC"
        where = names.place(list(i["regions"]), i["scope"])
        lines.append(f"{subject(i, names)}: {i['severity']}, {where}, {when}, {standing(i)}.")
    return lines + ([f"And {len(past) - 3} more, below."] if len(past) > 3 else [])


def _quiet(view: Window, states: pd.DataFrame, past: Sequence[Incident], names: Names, now: pd.Timestamp) -> Headline:
    unknown = int((states["state"] == UNKNOWN).sum())
    raised = bool((states["state"] == State.ELEVATED).any())
    window = span(view.end - view.first)
    mood = "normal"
    if unknown:
        title, mood = f"No outage heard, but {counted(unknown, 'service')} of {len(states)} not known", "unknown"
    elif past:
        title = f"Quiet now, after {_tally(past)} in the last {window}"
    else:
        title = "No outage now" if raised else "All quiet"
    lines = _past(past, names, now, view.bin_minutes >= 1440)
    if not past:
        lines = [f"No outage in the last {window} in {counted(len(states), 'service')}."]
    return Headline(mood, title, (*lines, *_rest(states, names)))


def _tally(incidents: Sequence[Incident]) -> str:
    """Count what failed; what is minor may be nothing, and is not counted as an outage."""
    minor = sum(incident["severity"] == Severity.MINOR for incident in incidents)
    counts = ((len(incidents) - minor, "outage"), (minor, "minor incident"))
    return " and ".join(counted(number, name) for number, name in counts if number)


def _not_known(
    view: Window, last: pd.Timestamp, incidents: Sequence[Incident], names: Names, now: pd.Timestamp
) -> Headline:
    if pd.isna(last):
        return Headline(
            "unknown", "Not known: no data at all", ("No bin of this window was observed. That is not calm.",)
        )
    days_only = view.bin_minutes >= 1440
    title = f"Not known now: no data since {clock(last, now, days_only)}" + ("" if days_only else " UTC")
    lines = [f"The newest data are {span(now - last)} old; what follows is what was known then."]
    if incidents:
        began = clock(view.first, now, True)
        lines.append(f"In the data, from {began} on: {_tally(incidents)}. The most severe:")
    return Headline("unknown", title, (*lines, *_past(incidents, names, now, days_only)))
