"""Importing counts that somebody else made: which bins are known, which are zero, and what is refused."""

import json
import os

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from archives import AT, CATALOG, NOW, shared, written
from clamor import schema
from clamor.collect.archive_counts import CountOptions, import_counts
from clamor.collect.archive_summary import ImportSummary
from clamor.collect.batch import coverage
from clamor.errors import InputError
from clamor.run.evaluate import evaluate
from clamor.run.ingest import ingest
from clamor.store import Lake


def take(path, **options):
    """Import one file; return (volumes, coverage, summary), both frames checked against their tables."""
    summary = ImportSummary()
    (batch,) = import_counts([path], catalog=CATALOG, observed_at=NOW, options=CountOptions(**options), summary=summary)
    attempts = coverage(batch.attempts)
    schema.conform(batch.volumes, schema.VOLUMES)
    schema.conform(attempts, schema.COVERAGE)
    return batch.volumes, attempts, summary


def windows(attempts):
    def shown(times):
        return times.dt.strftime("%H:%M")

    return list(zip(shown(attempts["window_start"]), shown(attempts["window_end"]), strict=True))


TABLE = """service,region,bin_start,count
tiktok,US,2026-01-01T00:00Z,5
tiktok,US,2026-01-01T00:15Z,0
tiktok,US,2026-01-01T00:30Z,
tiktok,US,2026-01-01T00:45Z,7
tiktok,US-MI,2026-01-01T00:00Z,4
tiktok,US-MI,2026-01-01T00:15Z,0
"""


def test_a_number_is_known_zero_is_zero_and_an_empty_cell_is_unknown(tmp_path):
    """Each series is a scope with its own runs of covered bins; a region is not added to its parent."""
    rows, attempts, summary = take(written(tmp_path, "a.csv", TABLE))
    assert rows[["region", "posts", "bin_minutes", "unit"]].values.tolist() == [
        ["US", 5, 15, "posts"],
        ["US", 7, 15, "posts"],
        ["US-MI", 4, 15, "posts"],
    ]
    assert windows(attempts) == [("00:00", "00:30"), ("00:45", "01:00"), ("00:00", "00:30")]
    assert attempts["scope"].tolist() == ["counts:tiktok:US"] * 2 + ["counts:tiktok:US-MI"]
    assert (summary.posts, summary.left_out["no count: unknown"].count, summary.rows) == (5, 1, 6)


def test_a_parquet_table_is_the_same_table(tmp_path):
    """Times are UTC by type; a null is unknown and still tells the width of the bins."""
    frame = pd.DataFrame(
        {
            "service": "tiktok",
            "region": "US",
            "bin_start": pd.date_range("2026-01-01", periods=3, freq="15min", tz="UTC"),
            "count": pd.array([5, None, 7], dtype="Int64"),
            "mentions": [50, 60, 70],
        }
    )
    pq.write_table(pa.Table.from_pandas(frame), tmp_path / "a.parquet")
    rows, attempts, _ = take(tmp_path / "a.parquet")
    assert rows.groupby("signal")["posts"].sum().to_dict() == {"complaint": 12, "mention": 120}
    assert [sorted(signals) for signals in attempts["signals"]] == [["complaint", "mention"]] * 2


def test_whole_buckets_of_x_counts_are_taken_and_partial_ones_left_out(tmp_path):
    """Either spelling; the scope is the query's."""
    buckets = [
        {"start": f"2026-01-01T00:{a}.000Z", "end": f"2026-01-01T00:{b}.000Z", name: count}
        for a, b, name, count in [
            ("00:30", "01:00", "tweet_count", 9),
            ("01:00", "02:00", "tweet_count", 3),
            ("02:00", "03:00", "post_count", 0),
            ("03:00", "03:20", "post_count", 9),
        ]
    ]
    noted = {"url": "https://api.x.com/2/tweets/counts/all?query=tiktok%20down&granularity=minute"}
    path = written(tmp_path, "a.jsonl", json.dumps({"data": buckets, "__twarc": noted}))
    rows, attempts, summary = take(path, service="tiktok")
    assert rows[["source", "region", "posts", "bin_minutes", "method"]].values.tolist() == [
        ["x", "001", 3, 1, "counts"]
    ]
    assert windows(attempts) == [("00:01", "00:03")]
    assert summary.left_out["partial bucket"].count == 2
    assert rows["scope"].tolist() == attempts["scope"].tolist() == ["x:3f1d8cc0c3b1"] or rows["scope"][0].startswith(
        "x:"
    )


def test_the_real_x_counts_are_taken_but_for_their_first_and_last_bucket():
    """169 hourly buckets of seven days, the outer two of them partial."""
    rows, attempts, summary = take(shared("x_wire/counts.jsonl"), service="tiktok")
    assert (len(rows), summary.rows, summary.left_out["partial bucket"].count) == (167, 169, 2)
    assert int(rows["posts"].sum()) == 771_665 - 3_961 - 2_773
    assert len(attempts) == 1


def test_answers_of_x_come_one_a_line_one_a_file_or_bucket_by_bucket(tmp_path):
    """As twarc stores them, as they are saved by hand, flattened; an answer that is an error gives its reason."""
    buckets = [
        {"start": f"2026-01-01T0{n}:00:00.000Z", "end": f"2026-01-01T0{n + 1}:00:00.000Z", "post_count": n}
        for n in range(3)
    ]
    forms = {
        "a.jsonl": json.dumps({"data": buckets}) + "\n",
        "b.json": json.dumps({"data": buckets}, indent=2),
        "c.jsonl": "\n".join(map(json.dumps, buckets)),
    }
    for name, text in forms.items():
        rows, attempts, _ = take(written(tmp_path, name, text), service="tiktok")
        assert (rows["posts"].tolist(), windows(attempts)) == ([1, 2], [("00:00", "03:00")]), name
    with pytest.raises(InputError, match=r"gives a number .no counts: an error message of the API perhaps: 1"):
        take(written(tmp_path, "d.json", json.dumps({"title": "Unauthorized", "status": 401})), service="tiktok")


def test_sources_that_count_the_same_service_do_not_touch_each_other(tmp_path):
    """Searches imported after reports leave every report as it is."""
    lake = Lake(str(tmp_path / "lake"))
    points = [{"x": AT + 3600 * n, "y": 1 + n} for n in range(4)]
    hours = "Time,tiktok down: (Worldwide)\n" + "".join(f"2026-01-01T0{n}:00:00Z,<1\n" for n in range(4))
    for name, text in (("a.json", json.dumps(points)), ("b.csv", hours)):
        options = CountOptions(service="tiktok")
        ingest(lake, import_counts([written(tmp_path, name, text)], catalog=CATALOG, observed_at=NOW, options=options))
    stored = lake.volumes()
    assert stored[["source", "posts"]].values.tolist() == [["reports", n] for n in (1, 2, 3, 4)]


def test_a_report_chart_is_a_series_of_the_named_service(tmp_path):
    """Points x and y, quarter hours."""
    points = [{"x": f"2026-01-01T0{n // 4}:{15 * (n % 4):02}:00+00:00", "y": n} for n in range(8)]
    rows, attempts, _ = take(written(tmp_path, "a.json", json.dumps(points)), service="tiktok", region="US")
    assert (int(rows["posts"].sum()), rows["source"][0], windows(attempts)) == (28, "reports", [("00:00", "02:00")])


def test_google_trends_is_an_index_of_its_own_source(tmp_path):
    """Preamble, region by name, '<1' as 0, times that need a zone."""
    text = "Category: All categories\n\nTime,tiktok down: (United States)\n2026-01-01T00,<1\n2026-01-01T01,100\n"
    path = written(tmp_path, "a.csv", text)
    rows, attempts, _ = take(path, service="tiktok", timezone="UTC")
    assert rows[["source", "region", "posts", "unit", "bin_minutes"]].values.tolist() == [
        ["google_trends", "US", 100, "index", 60]
    ]
    assert windows(attempts) == [("00:00", "02:00")]
    with pytest.raises(InputError, match=r"line 4: time '2026-01-01T00' names no zone"):
        take(path, service="tiktok")


def test_weeks_of_google_trends_are_those_of_the_monday_after_their_sunday(tmp_path):
    """Ours start on Monday; it is said, and with which bins they are decided."""
    text = "Category: All\n\nWeek,tiktok down: (Worldwide)\n2026-01-04,<1\n2026-01-11,100\n2026-01-25,7\n"
    rows, attempts, summary = take(written(tmp_path, "a.csv", text), service="tiktok", timezone="UTC")
    assert rows[["bin_start", "posts", "bin_minutes", "unit"]].values.tolist() == [
        [pd.Timestamp("2026-01-12", tz="UTC"), 100, 10_080, "index"],
        [pd.Timestamp("2026-01-26", tz="UTC"), 7, 10_080, "index"],
    ]
    assert attempts["window_start"].dt.day.tolist() == [5, 26]
    assert summary.notes == [
        "a.csv: weeks from Sunday are kept as those of the Monday after",
        "a.csv has bins of 10,080 min: `clamor detect --bin 1w`",
    ]
    with pytest.raises(InputError, match=r"line 4: '2026-01' is a month, and months are of no one length"):
        take(written(tmp_path, "b.csv", text.replace("2026-01-04", "2026-01")), service="tiktok", timezone="UTC")


def test_a_google_trends_file_may_name_no_region_and_must_name_one_term(tmp_path):
    """Newer exports give the term alone: the region is that of --region, else the world."""
    text = '"Time","tiktok down"\n"2026-01-01T00:00:00","3"\n"2026-01-01T01:00:00","5"\n'
    path = written(tmp_path, "a.csv", text)
    assert set(take(path, form="trends", service="tiktok", timezone="UTC", region="GB")[0]["region"]) == {"GB"}
    assert set(take(path, form="trends", service="tiktok", timezone="UTC")[0]["region"]) == {"001"}
    two = written(tmp_path, "b.csv", text.replace('down"', 'down","netflix down"'))
    with pytest.raises(InputError, match="2 search terms; each is a source of its own; one a file"):
        take(two, form="trends", service="tiktok", timezone="UTC")


def test_a_bin_that_was_not_over_is_unknown(tmp_path):
    """Neither one that goes on now, nor one that went on when the file was written: its number would have grown."""
    path = written(tmp_path, "a.csv", TABLE)
    os.utime(path, (AT + 3000, AT + 3000))
    rows, attempts, summary = take(path)
    assert (summary.posts, summary.left_out["bin that was not over"].count, rows["posts"].max()) == (4, 1, 5)
    assert windows(attempts) == [("00:00", "00:30"), ("00:00", "00:30")]
    os.utime(path)
    begun = written(tmp_path, "b.csv", "service,time,count\ntiktok,2026-01-01T00:00Z,\ntiktok,2026-01-01T00:15Z,5\n")
    with pytest.raises(InputError, match="none of its bins is over yet"):
        list(import_counts([begun], catalog=CATALOG, observed_at=AT + 1200.0))
    (batch,) = import_counts([path], catalog=CATALOG, observed_at=AT + 3540.0)
    assert int(batch.volumes["posts"].max()) == 5


def test_a_source_of_wide_bins_does_not_keep_the_others_from_being_decided(tmp_path):
    """Weeks of searches beside quarter hours of reports: each is decided at widths that it can be added up to."""
    lake = Lake(str(tmp_path / "lake"))
    weeks = "Week,tiktok down: (Worldwide)\n2026-01-04,3\n2026-01-11,9\n"
    options = CountOptions(service="tiktok", timezone="UTC")
    paths = [written(tmp_path, "a.csv", TABLE), written(tmp_path, "b.csv", weeks)]
    ingest(lake, import_counts(paths, catalog=CATALOG, observed_at=NOW, options=options))
    for minutes, sources in ((15, {"all", "counts"}), (10_080, {"all", "google_trends"})):
        evaluate(lake, CATALOG, now=pd.Timestamp("2026-02-01", tz="UTC"), bin_minutes=minutes)
        assert set(lake.flags(bin_minutes=minutes)["source"]) == sources


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("tiktok,US,2026-01-01T01:00Z,-1", "negative count"),
        ("tiktok,US,2026-01-01T01:00Z,1.5", "not a whole number"),
        ("tiktok,US,2026-01-01T01:00Z,many", "not a number"),
        ("tiktok,US,2099-01-01T01:00Z,1", "time in the future"),
        ("tiktok,US,2026-01-01T01:00Z", "fields are not the header's 4"),
    ],
)
def test_a_bad_row_is_rejected_with_its_reason_and_the_others_stay(tmp_path, line, reason):
    """Its bin stays unknown."""
    _, _, summary = take(written(tmp_path, "a.csv", TABLE + line + "\n"))
    assert {why: tally.first for why, tally in summary.rejected.items()} == {reason: "a.csv, line 8"}
    assert summary.posts == 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TABLE + "tiktok,US,2026-01-01T00:00Z,6\n", r"6 for tiktok in US at .*, where line 2 says 5; one number a bin"),
        (TABLE.replace("tiktok", "tikok"), r"line 2: service 'tikok' is not in the catalogue; did you mean tiktok"),
        (TABLE.replace("US-MI", "Michigan"), r"line 6: region 'Michigan' is no M49"),
        (TABLE.replace("bin_start", "when"), r"no column for bin_start; it has 'service', 'region', 'when'"),
        ("bin_start,count\n2026-01-01T00:00Z,1\n", r"line 2: names no service; say with --service"),
        ("bin_start,count\n", r"none of its rows gives a number .it has none."),
        ("service,bin_start,count\ntiktok,2026-01-01T00:00Z,1\n", r"one bin a series has no width"),
        ("[{", r"not whole JSON"),
        (TABLE.replace("00:45Z", "00:46Z"), r"a bin starts at .*00:46.*, bins of 15 min start on whole multiples"),
    ],
)
def test_a_file_of_counts_that_cannot_be_used_is_refused_in_one_line(tmp_path, text, message):
    """The value, the rule and the next step."""
    with pytest.raises(InputError, match=message) as caught:
        take(written(tmp_path, "a.csv", text))
    assert "\n" not in str(caught.value)


def test_the_same_number_twice_is_one_number(tmp_path):
    """A repeat that agrees is counted as a duplicate."""
    _, _, summary = take(written(tmp_path, "a.csv", TABLE + "tiktok,US,2026-01-01T00:00Z,5\n"))
    assert (summary.posts, summary.duplicates, summary.first) == (5, 1, AT)
