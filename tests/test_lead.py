"""Who spoke first: complaints beside official statements and searches, on incidents small enough to check by eye."""

import json

import pandas as pd

from clamor import schema
from clamor.backtest.lead import lead_times, statements
from clamor.store import Lake
from command import clamor

DAY = pd.Timestamp("2026-01-10", tz="UTC").as_unit("us")
FETCHED = DAY + pd.Timedelta(days=20)


def at(hours):
    return DAY + pd.Timedelta(hours=hours)


def incident(name, onset, end, service="tiktok", **more):
    """An incident with an onset interval of ten minutes at both sides and an alarm twenty minutes after the onset."""
    ten = pd.Timedelta(minutes=10)
    times = {
        "onset_at": at(onset), "onset_low_at": at(onset) - ten, "onset_high_at": at(onset) + ten,
        "detected_at": at(onset) + 2 * ten, "recovered_at": at(end), "last_seen_at": at(end),
    }  # fmt: skip
    return {
        "incident_id": name,
        "service": service,
        "services": [service],
        "status": "recovered",
        "bin_minutes": 15,
        **times,
        **more,
    }


def mark(hours, status="investigating", service="tiktok", url=None):
    return {
        "source": "status_page", "service": service, "mark_at": at(hours), "status": status, "url": url,
        "observed_at": FETCHED,
    }  # fmt: skip


def flag(hours, state="normal", source="all", service="tiktok"):
    return {"source": source, "service": service, "bin_minutes": 15, "bin_start": at(hours), "state": state}


def measured(incidents, marks, flags=(), **options):
    columns = ["source", "service", "mark_at", "status", "url", "observed_at"]
    return lead_times(
        pd.DataFrame(incidents, columns=list(incident("", 0, 0))),
        pd.DataFrame(marks, columns=columns),
        flags=pd.DataFrame(list(flags), columns=list(flag(0))),
        **options,
    )


def test_the_lead_is_from_onset_and_alarm_to_the_first_statement():
    """Half an hour from the onset, ten minutes from the alarm; positive where the complaints came first."""
    leads = measured([incident("a", 10, 12)], [mark(10.5), mark(11, "identified"), mark(14, "resolved")]).incidents
    row = leads.iloc[0]
    assert (row["onset_lead_minutes"], row["alarm_lead_minutes"], row["statements"]) == (30, 10, 1)
    assert (row["onset_lead_minutes_low"], row["onset_lead_minutes_high"]) == (20, 40)
    early = measured([incident("a", 10, 12)], [mark(9)]).incidents.iloc[0]
    assert (early["onset_lead_minutes"], early["alarm_lead_minutes"]) == (-60, -80)


def test_an_alarm_found_in_an_archive_is_when_it_would_have_been():
    """Read eleven days later: the end of the first flagged bin of all sources; without verdicts it is not known."""
    late = incident("a", 10, 12, detected_at=at(300))
    flags = [flag(10, "outage", "x"), flag(10.25, "elevated"), flag(10.5, "outage"), flag(11, "outage")]
    row = measured([late], [mark(11)], flags).incidents.iloc[0]
    assert (row["alarm_at"], row["afterwards"], row["alarm_lead_minutes"]) == (at(10.75), True, 15)
    assert measured([late], [mark(11)]).incidents["alarm_lead_minutes"].isna().all()
    assert not measured([incident("a", 10, 12)], [mark(11)], flags).incidents["afterwards"].any()


def test_a_statement_goes_with_the_nearest_incident_within_reach_of_its_service():
    """Not with a later one, another service's, a withdrawn one, or one too far away."""
    cases = [
        incident("a", 10, 11),
        incident("b", 20, 21),
        incident("c", 30, 31, service="netflix"),
        incident("d", 16, 17, status="withdrawn"),
    ]
    leads = measured(cases, [mark(16), mark(30), mark(22.5, service="netflix")])
    assert leads.incidents[["incident_id", "statement_at"]].values.tolist() == [["b", at(16)]]
    assert leads.unheard[["service", "statement_at"]].values.tolist() == [["netflix", at(22.5)], ["tiktok", at(30)]]
    assert leads.unsaid["incident_id"].tolist() == ["a", "c"]


def test_what_is_not_known_is_not_counted_as_silence():
    """A statement while nothing was judged; an incident before the first mark, after the last fetch, or of no page."""
    cases = [incident("a", -50, -49), incident("b", 100, 101), incident("c", 600, 601), incident("d", 5, 6, "netflix")]
    flags = [flag(40, "no_data"), flag(40.25, "warm_up"), flag(70)]
    leads = measured(cases, [mark(40), mark(70)], flags)
    assert leads.unheard["judged"].tolist() == [False, True]
    assert leads.unsaid[["incident_id", "marked"]].values.tolist() == [
        ["a", False],
        ["d", False],
        ["b", True],
        ["c", False],
    ]
    counts = {row["measure"]: row["value"] for row in leads.summary()}
    assert counts == {
        "incidents with a statement": 0,
        "statements without complaints": 1,
        "statements at a time when nothing was known": 1,
        "incidents without a statement": 1,
        "incidents where no marks reach": 3,
    }


def test_marks_of_one_page_or_one_spell_are_one_statement():
    """By link, by nearness; what says that it is over opens none, unless nothing was said before."""
    marks = [
        mark(1, url="p/1"), mark(3, "update", url="p/2"), mark(9, "resolved", url="p/1"),
        mark(20), mark(25, "update"), mark(40, "Resolved"), mark(50), mark(51, "resolved", service="netflix"),
    ]  # fmt: skip
    said = statements(pd.DataFrame(marks))
    assert [(s.service, s.at, s.last) for s in said] == [
        ("tiktok", at(1), at(9)),
        ("tiktok", at(3), at(3)),
        ("tiktok", at(20), at(40)),
        ("tiktok", at(50), at(50)),
        ("netflix", at(51), at(51)),
    ]


def test_the_surge_of_searches_is_held_against_the_first_flagged_bin_of_posts():
    """An hour after it, whatever told the onset; a surge of another day or service is none, and none has no lead."""
    flags = [
        flag(-30, "outage", "google_trends"), flag(10, "outage", "google_trends", "netflix"), flag(9.5, "outage"),
        flag(10, "outage", "x"), flag(10, "elevated", "google_trends"), flag(11, "outage", "google_trends"),
        flag(12, "outage", "google_trends"),
    ]  # fmt: skip
    leads = measured([incident("a", 9.5, 12)], [], flags, searches=["google_trends"]).incidents
    assert leads[["complaints_at", "searches_at", "searches_lead_minutes"]].values.tolist() == [[at(10), at(11), 60.0]]
    assert leads["statement_at"].isna().all()
    alone = measured([incident("a", 9.5, 12)], [], [f for f in flags if f["source"] != "x"], searches=["google_trends"])
    assert alone.incidents["searches_lead_minutes"].isna().all()
    assert measured([incident("a", 10, 12)], [], flags).incidents.empty


def test_the_median_has_the_interval_of_order_statistics():
    """Eleven leads of 1 to 11 minutes: median 6, the second to the tenth."""
    cases = [incident(f"i{n:02}", 30 * n, 30 * n + 1) for n in range(11)]
    leads = measured(cases, [mark(30 * n + (n + 1) / 60) for n in range(11)])
    median, share = leads.summary()[:2]
    assert median == {"measure": "minutes from onset to statement, median", "value": 6, "low": 2, "high": 10, "n": 11}
    assert (share["measure"], share["value"], share["n"]) == ("onset before statement, share", 1, 11)


def test_the_command_shows_leads_and_what_pairs_with_nothing(tmp_path, capsys):
    """From a lake with one statement and no verdicts; an empty lake is one line."""
    lake = str(tmp_path / "lake")
    code, _, said = clamor(capsys, "lead-time", "--lake", lake)
    assert (code, said.count("\n")) == (1, 1)
    assert "holds neither incidents nor statements; `clamor detect`" in said
    Lake(lake).append(schema.MARKS, pd.DataFrame([mark(1)]))
    code, out, said = clamor(capsys, "lead-time", "--lake", lake, "--json")
    assert (code, json.loads(out)[0]["unheard"][0]["judged"]) == (0, False)
    code, out, said = clamor(capsys, "lead-time", "--lake", lake, "--service", "tiktok")
    assert (code, "statements at a time when nothing was known: 1" in said) == (0, True)
    assert clamor(capsys, "lead-time", "--lake", lake, "--service", "netflix")[0] == 1
