"""Status-page histories become marks, whatever their form."""

import json

import pandas as pd
import pytest

from archives import CATALOG, NOW, written
from clamor import schema
from clamor.collect.archive_marks import read_marks
from clamor.collect.archive_summary import ImportSummary
from clamor.errors import InputError


def take(path, **options):
    frame = read_marks([path], catalog=CATALOG, observed_at=NOW, **options)
    schema.conform(frame, schema.MARKS)
    shown = frame[["service", "mark_at", "status", "url"]].astype({"mark_at": str}).astype(object)
    return shown.where(shown.notna(), None).values.tolist()


def test_a_csv_history_is_one_mark_a_row(tmp_path):
    """Rows of one second are one mark; an unreadable time is rejected and counted."""
    text = (
        "service,time,status,url\ntiktok,2026-01-01T10:05Z,investigating,https://s/1\n"
        "tiktok,2026-01-01T10:05Z,identified,\nnetflix,2026-01-01T09:00Z,resolved,\ntiktok,soon,never,\n"
    )
    summary = ImportSummary()
    assert take(written(tmp_path, "a.csv", text), summary=summary) == [
        ["netflix", "2026-01-01 09:00:00+00:00", "resolved", None],
        ["tiktok", "2026-01-01 10:05:00+00:00", "investigating; identified", "https://s/1"],
    ]
    assert (summary.rows, summary.posts, summary.rejected["unreadable time"].first) == (4, 3, "a.csv, line 5")


def test_a_statuspage_answer_is_one_mark_an_update(tmp_path):
    """Every update of every incident, with its link."""
    updates = [
        {"status": "resolved", "created_at": "2026-01-01T12:00:00.000Z"},
        {"status": "investigating", "created_at": "2026-01-01T10:00:00.000-01:00"},
    ]
    answer = {
        "page": {},
        "incidents": [{"name": "Log-ins fail", "shortlink": "https://s/1", "incident_updates": updates}],
    }
    assert take(written(tmp_path, "a.json", json.dumps(answer)), service="tiktok") == [
        ["tiktok", "2026-01-01 11:00:00+00:00", "investigating: Log-ins fail", "https://s/1"],
        ["tiktok", "2026-01-01 12:00:00+00:00", "resolved: Log-ins fail", "https://s/1"],
    ]


def test_an_atom_feed_is_one_mark_an_entry(tmp_path):
    """Title, time of publication, link."""
    feed = """<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom"><entry>
      <published>2026-01-01T10:00:00Z</published><updated>2026-01-01T12:00:00Z</updated>
      <link rel="alternate" href="https://s/1"/><title>Log-ins fail</title></entry></feed>"""
    assert take(written(tmp_path, "a.atom", feed), service="tiktok") == [
        ["tiktok", "2026-01-01 10:00:00+00:00", "Log-ins fail", "https://s/1"]
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("service,time,status\ntiktok,2026-01-01 10:00,down\n", r"line 2: time '2026-01-01 10:00' names no zone"),
        ("service,time,status\ntikok,2026-01-01T10:00Z,down\n", r"service 'tikok' is not in the catalogue"),
        ("time,status\n2026-01-01T10:00Z,down\n", r"line 2: names no service"),
        ("a,b\n1,2\n", r"columns time and status are needed; it has 'a', 'b'"),
        ("service,time,status\n", r"holds no statement"),
        ("[{", r"not whole JSON"),
        ("<feed", r"not whole XML"),
        ("<!DOCTYPE x><feed/>", r"document type"),
        ('{"incidents": 3}', r"holds no statement"),
    ],
)
def test_a_history_that_cannot_be_used_is_refused_in_one_line(tmp_path, text, message):
    """The value, the rule and the next step."""
    with pytest.raises(InputError, match=message) as caught:
        take(written(tmp_path, "a.data", text))
    assert "\n" not in str(caught.value)


def test_no_marks_are_an_empty_table():
    """No file, no row."""
    frame = read_marks([], catalog=CATALOG, observed_at=NOW)
    assert len(frame) == 0 and isinstance(frame, pd.DataFrame)
