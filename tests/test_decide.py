"""What a run decides from a lake: the same however it got there, and only from what was known."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clamor import catalog, schema
from clamor.collect.batch import Attempt, Batch, State, coverage
from clamor.run import evaluate as evaluation
from clamor.run import fits
from clamor.run.evaluate import Learned, evaluate
from clamor.run.ingest import ingest, read_state
from clamor.schema import Status
from clamor.store import Lake

T0 = pd.Timestamp("2026-10-01", tz="UTC").as_unit("us")
DAYS = 6
HIT = (DAYS - 1) * 1440 + 600
"""Ten o'clock of the last day: an hour of outage begins."""


def batch(minutes: range, posts: np.ndarray, region: str = "001", status: Status = Status.OK) -> Batch:
    """What an X query of one region would have counted."""
    found = [minute for minute in minutes if posts[minute]]
    rows = pd.DataFrame(
        {
            "source": "x", "scope": f"x:{region}", "service": "tiktok", "region": region, "signal": "complaint",
            "symptom": "any", "bin_minutes": 1, "bin_start": [T0 + pd.Timedelta(minutes=m) for m in found],
            "posts": posts[found].astype("int64"), "authors": pd.array([pd.NA] * len(found), dtype="Int64"),
            "unit": "posts", "method": "counts", "catalog_version": "c",
            "observed_at": T0 + pd.Timedelta(minutes=minutes.stop + 2),
        }
    )  # fmt: skip
    start = T0.timestamp()
    attempt = Attempt(
        source="x", scope=f"x:{region}", window_start=start + 60 * minutes.start, window_end=start + 60 * minutes.stop,
        requested_at=start + 60 * minutes.stop + 120, services=("tiktok",), regions=(region,), signals=("complaint",),
        bin_minutes=1, status=status, bins_received=len(minutes) if status == Status.OK else 0,
    )  # fmt: skip
    return Batch((attempt,), volumes=rows if status == Status.OK else schema.VOLUMES.empty())


@pytest.fixture(scope="module")
def posts() -> np.ndarray:
    """Six quiet days of a post in five minutes, and an hour with twenty times as many."""
    rng = np.random.default_rng(3)
    rate = np.full(DAYS * 1440, 0.2)
    rate[HIT : HIT + 60] = 4.0
    return rng.poisson(rate)


def decide(lake: Lake, minute: int, **options: Any) -> Any:
    now = T0 + pd.Timedelta(minutes=minute + 2)
    return evaluate(lake, catalog.load(), now=now, **options)


def plain(flags: pd.DataFrame) -> pd.DataFrame:
    key = ["source", "service", "region", "bin_start"]
    return flags.sort_values(key, ignore_index=True)[[*key, "state", "score", "p_value", "posts", "expected_posts"]]


def test_an_empty_lake_decides_nothing(tmp_path: Path) -> None:
    """There is no verdict without coverage, not even a quiet one."""
    assert decide(Lake(str(tmp_path)), 60) is None


def test_an_outage_is_found_and_its_flags_and_incident_are_stored(tmp_path: Path, posts: np.ndarray) -> None:
    """One incident, from ten o'clock on, over after eleven; the rest of the day is normal."""
    lake = Lake(str(tmp_path))
    ingest(lake, [batch(range(DAYS * 1440), posts)])
    decided = decide(lake, DAYS * 1440, start=T0 + pd.Timedelta(days=DAYS - 1))
    assert len(decided.incidents) == 1
    row = lake.incidents().iloc[0]
    onset = T0 + pd.Timedelta(minutes=HIT)
    assert abs(row["onset_at"] - onset) <= pd.Timedelta("15min") and row["status"] == "recovered"
    flags = lake.flags()
    outside = flags.loc[(flags["bin_start"] < onset) | (flags["bin_start"] >= onset + pd.Timedelta("2h"))]
    assert set(outside["state"]) <= {"normal", "elevated"}


def test_what_was_learnt_once_gives_the_verdicts_of_a_full_run(tmp_path: Path, posts: np.ndarray) -> None:
    """A process that polls and keeps what it learnt ends with the flags of one that starts afresh, bit by bit."""
    lakes = {name: Lake(str(tmp_path / name)) for name in ("kept", "fresh")}
    learned, last = Learned(), (DAYS - 1) * 1440
    for name, lake in lakes.items():
        ingest(lake, [batch(range(last), posts), batch(range(last), posts // 2, "US")])
        for minute in range(last + 60, DAYS * 1440 + 1, 240):
            ingest(
                lake, [batch(range(minute - 300, minute), posts), batch(range(minute - 300, minute), posts // 2, "US")]
            )
            start = T0 + pd.Timedelta(minutes=minute + 2) - pd.Timedelta("5h")
            decide(lake, minute, start=start, history_days=4, learned=learned if name == "kept" else None)
    kept, fresh = (plain(lake.flags()) for lake in lakes.values())
    pd.testing.assert_frame_equal(kept, fresh)
    assert (kept["state"] == "outage").any()


def cron(lake: Lake, minute: int, lines: list[str]) -> Any:
    """What a run from cron decides: a process of its own, that finds in the lake what the one before learnt."""
    start = T0 + pd.Timedelta(minutes=minute + 2) - pd.Timedelta("5h")
    return decide(lake, minute, start=start, history_days=4, learned=Learned(say=lines.append))


def test_what_was_kept_in_the_lake_gives_the_verdicts_of_a_full_run(tmp_path: Path, posts: np.ndarray) -> None:
    """Runs that start afresh but find the fit of the one before decide as those that learn all again, bit by bit."""
    lakes = {name: Lake(str(tmp_path / name)) for name in ("kept", "fresh")}
    lines: list[str] = []
    for name, lake in lakes.items():
        ingest(lake, [batch(range((DAYS - 1) * 1440), posts)])
        for minute in range((DAYS - 1) * 1440 + 360, DAYS * 1440 + 1, 360):
            ingest(lake, [batch(range(minute - 360, minute), posts)])
            if name == "kept":
                cron(lake, minute, lines)
            else:
                decide(lake, minute, start=T0 + pd.Timedelta(minutes=minute + 2 - 300), history_days=4)
    assert lakes["kept"].fits(15) == ["x"] and lines == []
    kept, fresh = (plain(lake.flags()) for lake in lakes.values())
    pd.testing.assert_frame_equal(kept, fresh)


def test_a_kept_fit_saves_reading_the_past(tmp_path: Path, posts: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second run of a day does not learn again; the first of the next day does."""
    lake, lines, learnt = Lake(str(tmp_path)), [], []
    real = evaluation.learn
    monkeypatch.setattr(evaluation, "learn", lambda *args, **more: learnt.append(1) or real(*args, **more))
    ingest(lake, [batch(range(DAYS * 1440), posts)])
    for minute, times in ((HIT - 1440, 1), (HIT - 1000, 1), (HIT, 2)):
        cron(lake, minute, lines)
        assert len(learnt) == times
    assert lines == []


@pytest.mark.parametrize("spoil", ["late", "cut", "empty", "other", "old"])
def test_a_fit_that_does_not_hold_is_learnt_anew(
    tmp_path: Path, posts: np.ndarray, spoil: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Late posts of settled days, a damaged file, one of older code: told in a line, and the verdicts are right."""
    lake, lines = Lake(str(tmp_path)), []
    ingest(lake, [batch(range(DAYS * 1440), posts)])
    with monkeypatch.context() as patch:
        if spoil == "old":
            patch.setattr(fits, "_code", lambda: "older")
        cron(lake, DAYS * 1440 - 600, lines)
    if spoil == "late":
        revised = posts.copy()
        revised[3000:3300] += 5
        late = batch(range(2880, 4320), revised)
        late.volumes["observed_at"] = T0 + pd.Timedelta(minutes=DAYS * 1440 + 1)
        ingest(lake, [late])
    elif spoil != "old":
        content = {"cut": lake.read_fit("x", 15)[:-4000], "empty": b"", "other": b"PK"}
        lake.write_fit("x", 15, content[spoil])
    got = cron(lake, DAYS * 1440, lines)
    wanted = decide(lake, DAYS * 1440, start=got.start, history_days=4)
    pd.testing.assert_frame_equal(plain(got.flags), plain(wanted.flags))
    assert len(lines) == 1 and lines[0].startswith("x: ")
    cron(lake, DAYS * 1440, lines)
    assert len(lines) == 1


def test_deciding_twice_changes_nothing(tmp_path: Path, posts: np.ndarray) -> None:
    """The same facts give the same flags, incidents and ids."""
    lake = Lake(str(tmp_path))
    ingest(lake, [batch(range(DAYS * 1440), posts)])
    first = decide(lake, DAYS * 1440)
    second = decide(lake, DAYS * 1440)
    pd.testing.assert_frame_equal(plain(first.flags), plain(second.flags))
    assert first.incidents["incident_id"].tolist() == second.incidents["incident_id"].tolist() != []


def test_what_no_attempt_proved_is_no_data(tmp_path: Path, posts: np.ndarray) -> None:
    """A failed attempt over the outage leaves its bins unknown, and nothing is flagged."""
    lake = Lake(str(tmp_path))
    failed = batch(range(HIT, HIT + 60), posts, status=Status.FAILED)
    ingest(lake, [batch(range(HIT), posts), failed, batch(range(HIT + 60, DAYS * 1440), posts)])
    decided = decide(lake, DAYS * 1440, start=T0 + pd.Timedelta(days=DAYS - 1))
    onset = T0 + pd.Timedelta(minutes=HIT)
    hour = decided.flags.loc[
        (decided.flags["bin_start"] >= onset) & (decided.flags["bin_start"] < onset + pd.Timedelta("1h"))
    ]
    assert set(hour["state"]) == {"no_data"} and decided.incidents.empty


def test_ingesting_again_stores_nothing_new(tmp_path: Path, posts: np.ndarray) -> None:
    """The second reading of the same minutes adds its attempt to the ledger and no row to the volumes."""
    lake = Lake(str(tmp_path))
    assert ingest(lake, [batch(range(1440), posts)]).rows > 0
    before = lake.read(schema.VOLUMES).num_rows
    assert ingest(lake, [batch(range(1440), posts)]).rows == 0
    assert lake.read(schema.VOLUMES).num_rows == before and len(lake.coverage()) == 2


def test_a_collector_that_dies_has_stored_what_it_yielded(tmp_path: Path, posts: np.ndarray) -> None:
    """The rows, their attempt and the state as it was then; the next run goes on from there."""
    lake, state = Lake(str(tmp_path)), State()

    def dying() -> Any:
        state.watermarks["x:001"] = 60.0
        yield batch(range(60), posts)
        raise RuntimeError("gone")

    with pytest.raises(RuntimeError):
        ingest(lake, dying(), state=("x", state))
    assert len(lake.coverage()) == 1 and read_state(lake, "x").watermarks == {"x:001": 60.0}


def test_coverage_rows_say_how_an_attempt_ended() -> None:
    """A failed attempt received no bins of those it expected."""
    row = coverage(batch(range(60), np.ones(60), status=Status.FAILED).attempts).iloc[0]
    assert (row["status"], row["bins_expected"], row["bins_received"]) == ("failed", 60, 0)
