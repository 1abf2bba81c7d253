"""Other people's tables come in with their types or with one line that says what is wrong where."""

import gzip
from pathlib import Path

import pandas as pd
import pytest

from clamor import frames
from clamor.errors import InputError

HEAD = "service,region,bin_start,count\n"
ROW = "a,US,2026-09-01T10:00:00Z,5\n"


def file(folder: Path, content: str | bytes, name: str = "counts.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2026-09-01T10:00Z", "10:00"),
        ("2026-09-01 10:00:00+00:00", "10:00"),
        ("2026-09-01 10:00:00+00", "10:00"),
        ("2026-09-01T10:00:00+0200", "08:00"),
        ("2026-09-01 10:00:00 UTC", "10:00"),
        ("2026-09-01T10:00:00.000z", "10:00"),
    ],
)
def test_times_with_any_usual_offset_are_read(tmp_path: Path, written: str, utc: str) -> None:
    """ISO, PostgreSQL and BigQuery spellings of an offset mean the same."""
    read = frames.counts(file(tmp_path, f"{HEAD}a,US,{written},5\n"))
    assert read["bin_start"].iloc[0] == pd.Timestamp(f"2026-09-01 {utc}", tz="UTC")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "empty"),
        ("\n \n", "blank"),
        (HEAD, "no rows"),
        ("service,region,when,count\na,US,2026-09-01T10:00Z,5\n", "no column 'bin_start'"),
        ("service,region,bin_start,count,count\na,US,2026-09-01T10:00Z,5,6\n", "'count' is there twice"),
        (HEAD + "a,US,2026-09-01 10:00,5\n", "no offset"),
        (HEAD + "a,US,2026-09-01,5\n", "no offset"),
        (HEAD + ROW + "a,US,2026-02-30T10:00Z,5\n", "'2026-02-30T10:00Z' (row 2) is no time"),
        (HEAD + "a,US,0001-01-01T10:00Z,5\n", "no time"),
        (HEAD + "a,US,,5\n", "bin_start is empty in row 1"),
        (HEAD + ROW + ROW.replace(",5", ",-5"), "count -5 (row 2)"),
        (HEAD + ROW.replace(",5", ",inf"), "finite"),
        (HEAD + ROW.replace(",5", "," + "9" * 30), "at most"),
        (HEAD + ROW.replace(",5", ",-"), "'-' (row 1) is not a number"),
        (HEAD + ROW.replace(",5", ",many"), "'many' (row 1) is not a number"),
        (HEAD + ",US,2026-09-01T10:00Z,5\n", "service is empty in row 1"),
        (HEAD + ROW + "a,US\n", "Row #3"),
        (HEAD + ROW + ROW.strip() + ",7\n", "Row #3"),
        (HEAD + '"a,US,2026-09-01T10:00Z,5\n' + ROW, "never closed"),
        ((HEAD + ROW.replace("a", "caf\xe9", 1)).encode("latin-1"), "not UTF-8"),
        ((HEAD + ROW).encode("utf-16"), "not UTF-8"),
    ],
)
def test_a_bad_counts_file_is_one_line_with_the_place(tmp_path: Path, content: str | bytes, says: str) -> None:
    """The file, the row, the value and the rule are named; nothing becomes an unknown count in silence."""
    with pytest.raises(InputError) as caught:
        frames.counts(file(tmp_path, content))
    assert says in str(caught.value) and "counts.csv" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"service":"a"', "line 1"),
        ("[1,2]", "no JSON object"),
        ('{"service":"a","region":"US","bin_start":1756700000,"count":3}', "has the type"),
        ('{"service":"a","region":"US","bin_start":"2026-09-01T10:00Z","count":true}', "not a number"),
        ('{"service":null,"region":"US","bin_start":"2026-09-01T10:00Z","count":1}', "service is empty"),
    ],
)
def test_bad_json_lines_name_their_line(tmp_path: Path, line: str, says: str) -> None:
    """JSON lines are held to the same rules."""
    with pytest.raises(InputError, match=says):
        frames.counts(file(tmp_path, line + "\n", "counts.jsonl"))


def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path) -> None:
    """Folders, absent files, unknown endings and damaged Parquet are each one line."""
    for path, says in (
        (tmp_path, "ending"),
        (tmp_path / "none.csv", "no such file"),
        (file(tmp_path, "x", "a.xlsx"), "ending"),
        (file(tmp_path, gzip.compress(b"x"), "a.csv.gz"), "ending"),
        (file(tmp_path, "PAR1 and no more", "a.parquet"), "not readable as parquet"),
    ):
        with pytest.raises(InputError, match=says):
            frames.read(path)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="a folder, not a file"):
        frames.read(tmp_path / "folder.csv")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_csv_dialects_read_alike(tmp_path: Path, delimiter: str, mark: str, end: str) -> None:
    """Delimiter, byte-order mark and line ends do not matter; Namibia's NA is a text; an empty count is unknown."""
    text = mark + HEAD + "a,NA,2026-09-01T10:00Z,5\na,NA,2026-09-01T11:00Z,\n"
    read = frames.counts(file(tmp_path, text.replace(",", delimiter).replace("\n", end)))
    assert list(read["region"]) == ["NA", "NA"]
    assert read["count"].iloc[0] == 5 and pd.isna(read["count"].iloc[1])


def test_parquet_of_other_writers_is_read(tmp_path: Path) -> None:
    """Times in an index, texts as bytes and a folder named key=value are no obstacle."""
    folder = tmp_path / "service=other"
    folder.mkdir()
    times = pd.date_range("2026-09-01", periods=2, freq="h", tz="America/New_York", name="bin_start")
    frame = pd.DataFrame({"service": [b"a", b"a"], "region": "US", "count": [1, 2]}, index=times)
    frame.to_parquet(folder / "counts.parquet")
    read = frames.counts(folder / "counts.parquet")
    assert list(read["service"]) == ["a", "a"] and str(read["bin_start"].dt.tz) == "UTC"
    assert read["bin_start"].iloc[0] == pd.Timestamp("2026-09-01 04:00", tz="UTC")


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_what_is_written_is_read_again(tmp_path: Path, ending: str) -> None:
    """A round trip keeps times, numbers and nulls; lists are space-separated in CSV."""
    times = pd.Series(pd.to_datetime(["2026-09-01T10:00Z", None], utc=True).as_unit("us"))
    frame = pd.DataFrame({"at": times, "n": [1.5, None], "regions": [["US", "GB"], []]})
    path = tmp_path / f"new/out.{ending}"
    frames.write(frame, path)
    read = frames.read(path)
    assert pd.to_datetime(read["at"], utc=True).iloc[0] == times.iloc[0] and pd.isna(read["at"].iloc[1])
    assert float(read["n"].iloc[0]) == 1.5 and pd.isna(read["n"].iloc[1])
    first = read["regions"].iloc[0]
    assert (first.split() if ending == "csv" else list(first)) == ["US", "GB"]


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    """A place that cannot be written is one line, without a half-written file."""
    (tmp_path / "out.csv").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        frames.write(pd.DataFrame({"a": [1]}), tmp_path / "out.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.parametrize("written", ["", "NaN", "NA", "null", "None", " "])
def test_a_count_that_its_writer_did_not_have_is_unknown(tmp_path: Path, written: str) -> None:
    """R, pandas and databases each have a word for it; it never becomes zero. A region of that name is a name."""
    read = frames.counts(file(tmp_path, f"{HEAD}{ROW}a,NA,2026-09-01T10:15:00Z,{written}\n"))
    assert read["count"].isna().tolist() == [False, True] and read["region"].iloc[1] == "NA"


def test_two_sources_of_one_series_are_not_mixed(tmp_path: Path) -> None:
    """Each source is judged by itself; a source column that parts nothing is an extra column."""
    head, row = HEAD.replace("count", "count,source"), ROW.strip()
    with pytest.raises(InputError, match=r"2 sources \(x, reddit\).*never added"):
        frames.counts(file(tmp_path, f"{head}{row},x\n{row},reddit\n"))
    assert len(frames.counts(file(tmp_path, f"{head}{row},x\nb{row[1:]},reddit\n"))) == 2


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_columns_that_nobody_reads_are_named(tmp_path: Path, ending: str) -> None:
    """By the header alone, blanks around a name aside."""
    path = tmp_path / f"counts.{ending}"
    frames.write(pd.DataFrame({"service": ["a"], " count ": [1], "label": [0]}), path)
    assert frames.unused(path, ("service", "count")) == ["label"]


def test_regions_without_a_tree_may_have_clocks(tmp_path: Path) -> None:
    """A parent is optional: who only knows in which zone each region lives can say just that."""
    read = frames.regions(file(tmp_path, "region,timezone\nNA,Africa/Windhoek\n", "regions.csv"))
    assert read.to_dict("list") == {"region": ["NA"], "timezone": ["Africa/Windhoek"]}


@pytest.mark.parametrize(("written", "meant"), [("1", True), ("1.0", True), ("", True), ("0.0", False), ("No", False)])
def test_observed_is_read_as_it_is_written_elsewhere(tmp_path: Path, written: str, meant: bool) -> None:
    """pandas writes a column of truths with a hole in it as 1.0 and 0.0."""
    text = "service,region,bin_start,count,observed\na,US,2026-09-01T10:00Z,5," + written + "\n"
    assert list(frames.counts(file(tmp_path, text))["observed"]) == [meant]
