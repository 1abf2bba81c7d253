"""Incidents through the whole pipeline: as known at a time, at a new level, with late and with revised data."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clamor import catalog, schema
from clamor.budget import Budget
from clamor.collect.batch import Batch
from clamor.incidents import sentence
from clamor.run import show
from clamor.run.evaluate import as_of
from clamor.run.ingest import ingest
from clamor.schema import Status
from clamor.store import Lake
from test_decide import DAYS, HIT, T0, batch, decide, posts

__all__ = ["posts"]
CATALOG = catalog.load()
KEPT = ["incident_id", "status", "onset_at", "recovered_at", "regions", "opened_at", "excess_posts"]
START = T0 + pd.Timedelta(days=DAYS - 2)


def minute(number: int) -> pd.Timestamp:
    return T0 + pd.Timedelta(minutes=number)


@pytest.fixture(scope="module")
def polled(tmp_path_factory: pytest.TempPathFactory, posts: np.ndarray) -> tuple[Lake, dict[int, pd.DataFrame]]:
    """A lake that was polled every 45 minutes around the outage, with what each poll said."""
    lake = Lake(str(tmp_path_factory.mktemp("polled")))
    ingest(lake, [batch(range(HIT - 60), posts)])
    said = {}
    for last in range(HIT - 30, HIT + 210, 45):
        ingest(lake, [batch(range(last - 90, last), posts)])
        said[last] = decide(lake, last, start=START).incidents
    return lake, said


def test_the_past_is_told_as_a_run_at_that_time_told_it(polled: tuple[Lake, dict[int, pd.DataFrame]]) -> None:
    """Nothing before the outage, ongoing in it, over after it: the same rows that the polls of those times stored."""
    lake, said = polled
    statuses = []
    for last, then in said.items():
        again = as_of(lake, CATALOG, minute(last), bin_minutes=15)
        pd.testing.assert_frame_equal(again[KEPT].reset_index(drop=True), then[KEPT].reset_index(drop=True))
        statuses += again["status"].tolist()
    assert {"ongoing", "recovered"} == set(statuses) and len(said[HIT - 30]) == 0
    assert statuses == sorted(statuses)  # ongoing first, and once it is over it stays over


def test_the_page_of_a_time_knows_nothing_later(polled: tuple[Lake, dict[int, pd.DataFrame]]) -> None:
    """In the middle of the outage the page says that it is ongoing, and of what time it is."""
    then = show.page(polled[0], CATALOG, bin_minutes=15, until=minute(HIT + 60), since=minute(HIT - 720))
    assert "as of 2026-10-06 11:00 UTC" in then and "ongoing, " in then


def test_a_higher_level_is_an_outage_until_it_is_normal(tmp_path: Path, posts: np.ndarray) -> None:
    """Ten times the posts, for good: nothing is open a day and a half later, and the rows say why."""
    lake = Lake(str(tmp_path))
    higher = posts.copy()
    begin = 3 * 1440 + 600
    higher[begin:] = np.random.default_rng(4).poisson(2.0, len(posts) - begin)
    ingest(lake, [batch(range(len(posts)), higher)])
    decide(lake, begin + 720, start=minute(begin - 1440))
    found = decide(lake, len(posts), start=minute(begin + 720)).incidents
    assert found.iloc[0]["onset_at"] == minute(begin)
    row = found.iloc[-1]
    assert set(found["status"]) == {"recovered"} and row["ending"] == "new normal"
    assert row["recovered_at"] - minute(begin) < pd.Timedelta("36h")
    assert "taken as the new normal since" in sentence(row.to_dict())


def test_an_outage_that_ends_is_no_new_normal(polled: tuple[Lake, dict[int, pd.DataFrame]]) -> None:
    """An hour of outage ends by its posts."""
    assert polled[1][max(polled[1])].iloc[0]["ending"] == "posts"


def test_late_data_keep_the_id(tmp_path: Path, posts: np.ndarray) -> None:
    """The outage's first half hour is collected only later: its onset moves back, its id stays."""
    lake, late = Lake(str(tmp_path)), range(HIT - 15, HIT + 30)
    ingest(lake, [batch(range(late.start), posts), batch(late, posts, status=Status.FAILED)])
    ingest(lake, [batch(range(late.stop, HIT + 60), posts)])
    first = decide(lake, HIT + 60, start=START).incidents
    ingest(lake, [batch(late, posts)])
    second = decide(lake, HIT + 75, start=START).incidents
    assert first["incident_id"].tolist() == second["incident_id"].tolist() and len(first) == 1
    assert second.iloc[0]["onset_at"] < first.iloc[0]["onset_at"]
    assert second.iloc[0]["detected_at"] == first.iloc[0]["detected_at"]


def test_a_revision_withdraws_and_is_remembered(tmp_path: Path, posts: np.ndarray) -> None:
    """A re-read finds none of the outage's posts (they were spam, and are gone): the incident stays, as withdrawn."""
    lake, gone = Lake(str(tmp_path)), posts.copy()
    gone[HIT : HIT + 60] = 0
    ingest(lake, [batch(range(HIT + 60), posts)])
    first = decide(lake, HIT + 60, start=START).incidents
    ingest(lake, [batch(range(HIT - 60, HIT + 90), gone)])
    second = decide(lake, HIT + 90, start=START).incidents
    assert first["status"].tolist() == ["ongoing"] and second["status"].tolist() == ["withdrawn"]
    assert second["incident_id"].tolist() == first["incident_id"].tolist()
    third = decide(lake, HIT + 105, start=START).incidents
    assert third["status"].tolist() == ["withdrawn"]


def test_an_index_opens_an_incident_and_counts_no_posts(tmp_path: Path, posts: np.ndarray) -> None:
    """Searches rise as posts do, in a unit of their own: the incident's excess is of posts, its sources are both."""
    lake, seen = Lake(str(tmp_path)), batch(range(HIT + 120), posts)
    searched = seen.volumes.assign(source="trends", scope="counts:t", unit="index", posts=seen.volumes["posts"] * 7)
    attempt = replace(seen.attempts[0], source="trends", scope="counts:t")
    ingest(lake, [seen, Batch((attempt,), volumes=searched)])
    row = decide(lake, HIT + 120, start=START).incidents.iloc[0]
    assert row["excess_source"] == "x" and row["excess_posts"] < 260
    ingest(only := Lake(str(tmp_path / "searches")), [Batch((attempt,), volumes=searched)])
    alone = decide(only, HIT + 120, start=START).incidents.iloc[0]
    assert pd.isna(alone["excess_posts"]) and alone["onset_at"] <= minute(HIT + 15)


def test_a_catalogue_s_budget_is_stored_with_what_it_came_to(tmp_path: Path, posts: np.ndarray) -> None:
    """Two a month over one series are 0.46 a series-week; the rows say both."""
    import json

    lake = Lake(str(tmp_path))
    ingest(lake, [batch(range(HIT + 120), posts)])
    row = decide(lake, HIT + 120, start=START, budget=Budget(2, "month")).incidents.iloc[0]
    said = json.loads(row["parameters"])
    assert said["stated_budget"] == "2/month" and math.isclose(said["budget"], 0.46, rel_tol=0.01)
    assert set(schema.INCIDENTS.columns.names) == set(row.index)
