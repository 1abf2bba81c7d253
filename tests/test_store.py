"""The lake keeps facts for ever, replaces derived windows whole, and shows the newest incidents."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clamor import schema
from clamor.errors import InputError, LakeError
from clamor.store import Lake


def time(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


def volumes(
    posts: int, at: str = "2026-10-01 00:00", observed: str = "2026-10-01 01:00", source: str = "x"
) -> pd.DataFrame:
    row = {
        "source": source, "scope": "x:1", "service": "tiktok", "region": "001", "signal": "complaint", "symptom": "any",
        "bin_minutes": 1, "bin_start": time(at), "posts": posts, "authors": None, "unit": "posts", "method": "counts",
        "catalog_version": "c", "observed_at": time(observed),
    }  # fmt: skip
    return pd.DataFrame([row])


def flags(states: list[str], start: str, computed: str) -> pd.DataFrame:
    rows = pd.DataFrame({"bin_start": pd.date_range(start, periods=len(states), freq="15min", tz="UTC", unit="us")})
    rows = rows.assign(source="x", service="tiktok", region="001", bin_minutes=15, state=states)
    rows["sources"] = [["x"]] * len(rows)
    rows["computed_at"] = time(computed)
    return rows.reindex(columns=schema.FLAGS.columns.names)


def test_what_is_appended_is_read_back_with_its_types(tmp_path: Path) -> None:
    """A row goes in and comes out, null authors and UTC times included."""
    lake = Lake(str(tmp_path))
    lake.append(schema.VOLUMES, volumes(7))
    row = lake.read(schema.VOLUMES).to_pylist()[0]
    assert (row["posts"], row["authors"], row["bin_start"]) == (7, None, time("2026-10-01"))


def test_reading_an_absent_lake_creates_nothing(tmp_path: Path) -> None:
    """A lake that was never written is empty, and stays absent."""
    lake = Lake(str(tmp_path / "none"))
    assert lake.read(schema.COVERAGE).num_rows == 0 and not lake.exists()
    assert lake.incidents().empty and lake.read_state("x") == {}
    assert not (tmp_path / "none").exists()


def test_reading_a_window_leaves_out_other_months_and_minutes(tmp_path: Path) -> None:
    """The window is half open and holds over month borders."""
    lake = Lake(str(tmp_path))
    for minute in ("2026-09-30 23:59", "2026-10-01 00:00", "2026-10-01 00:01"):
        lake.append(schema.VOLUMES, volumes(1, at=minute))
    rows = lake.read(schema.VOLUMES, start=time("2026-09-30 23:59"), end=time("2026-10-01 00:01"))
    assert sorted(row["bin_start"].minute for row in rows.to_pylist()) == [0, 59]


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 50), min_size=30, max_size=60))
def test_merging_small_files_loses_and_doubles_nothing(
    tmp_path_factory: pytest.TempPathFactory, posts: list[int]
) -> None:
    """However many appends, every row is there once and the number of files stays small."""
    root = tmp_path_factory.mktemp("lake")
    lake = Lake(str(root))
    for count in posts:
        lake.append(schema.VOLUMES, volumes(count))
    assert sorted(row["posts"] for row in lake.read(schema.VOLUMES).to_pylist()) == sorted(posts)
    assert len(list(root.rglob("*.parquet"))) < 30


def test_a_later_run_replaces_its_whole_window_and_nothing_else(tmp_path: Path) -> None:
    """Rows of the replaced window that the later run no longer has are gone; rows outside stay."""
    lake = Lake(str(tmp_path))
    first = flags(["outage"] * 4, "2026-10-01 00:00", "2026-10-01 02:00")
    lake.replace(schema.FLAGS, first, start=time("2026-10-01 00:00"), end=time("2026-10-01 01:00"))
    second = flags(["normal"], "2026-10-01 00:30", "2026-10-01 03:00")
    lake.replace(schema.FLAGS, second, start=time("2026-10-01 00:30"), end=time("2026-10-01 01:00"))
    now = lake.current(schema.FLAGS, bin_minutes=15).sort_values("bin_start")
    assert now["state"].tolist() == ["outage", "outage", "normal"]
    assert lake.widths() == [15]


def test_merged_windows_read_as_the_single_ones_did(tmp_path: Path) -> None:
    """Forty overlapping runs leave the newest verdict of every bin, before and after merging."""
    lake = Lake(str(tmp_path))
    for run in range(40):
        start = time("2026-10-31 20:00") + pd.Timedelta(minutes=15 * run)
        frame = flags([f"run{run}"] * 4, str(start.tz_localize(None)), f"2026-11-02 {run // 60:02d}:{run % 60:02d}")
        lake.replace(schema.FLAGS, frame, start=start, end=start + pd.Timedelta("1h"))
    now = lake.current(schema.FLAGS, bin_minutes=15).sort_values("bin_start")
    assert now["state"].tolist() == [f"run{run}" for run in range(40)] + ["run39"] * 3
    assert len(list(tmp_path.rglob("*.parquet"))) < 30


def test_the_newest_snapshot_of_incidents_stands(tmp_path: Path) -> None:
    """An empty later snapshot is an answer too."""
    lake = Lake(str(tmp_path))
    lake.write_incidents(schema.INCIDENTS.empty(), computed_at=time("2026-10-01"))
    assert lake.incidents().empty
    assert lake.incidents().columns.tolist() == schema.INCIDENTS.columns.names


def test_state_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """What a collector remembers is what it last said."""
    lake = Lake(str(tmp_path))
    lake.write_state("x", {"watermarks": {"a": 1.0}})
    lake.write_state("x", {"watermarks": {"b": 2.0}})
    assert lake.read_state("x") == {"watermarks": {"b": 2.0}}


def test_a_broken_file_is_named_not_traced(tmp_path: Path) -> None:
    """Rubbish among the files is a lake error with the way out."""
    lake = Lake(str(tmp_path))
    lake.append(schema.VOLUMES, volumes(1))
    next(tmp_path.rglob("*.parquet")).write_bytes(b"rubbish")
    with pytest.raises(LakeError, match="move the broken file away"):
        lake.read(schema.VOLUMES)


def test_a_lake_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """The message says what a lake is."""
    path = tmp_path / "file"
    path.write_text("x")
    with pytest.raises(LakeError, match="is a file; a lake is a folder"):
        Lake(str(path)).read(schema.VOLUMES)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bin_start": pd.Timestamp("2026-10-01")}, "naive times"),
        ({"posts": None}, "null"),
        ({"posts": "many"}, "types"),
    ],
)
def test_rows_that_break_the_schema_are_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    """Nothing is stored that readers could not trust."""
    with pytest.raises(InputError, match=message):
        Lake(str(tmp_path)).append(schema.VOLUMES, volumes(1).assign(**change))
    assert not list(tmp_path.rglob("*.parquet"))
