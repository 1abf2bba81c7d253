"""Importing archives: what the files prove, what is said of every row, and what is refused."""

import gzip
import itertools
import json

import pandas as pd
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archives import AT, CSV, GROUP, NOW, Listener, dumped, take, total, tweet, written
from clamor import schema, volumes
from clamor.collect.archive import ImportSummary, import_files, overlapping
from clamor.errors import InputError
from clamor.run.ingest import ingest
from clamor.store import Lake
from clamor.text.post import Post
from naive import count as naive

# What the files prove


def test_without_a_statement_coverage_is_partial_from_first_to_last_post_of_each_file(tmp_path):
    """Nothing is claimed between two files."""
    one = written(tmp_path, "a.csv", CSV)
    two = written(tmp_path, "b.csv", "id,created_at,text\n8,2026-02-01T00:00:59Z,tiktok\n")
    _, attempts, _ = take([one, two])
    assert attempts[["window_start", "window_end", "status", "bins_expected", "bins_received"]].values.tolist() == [
        [pd.Timestamp("2026-01-01 00:00Z"), pd.Timestamp("2026-01-01 00:03Z"), "partial", 3, 2],
        [pd.Timestamp("2026-02-01 00:00Z"), pd.Timestamp("2026-02-01 00:01Z"), "partial", 1, 1],
    ]


def test_a_statement_makes_bins_without_posts_zero_and_posts_outside_it_are_left_out(tmp_path):
    """Status ok over the stated whole bins."""
    rows, attempts, summary = take(written(tmp_path, "a.csv", CSV), covered=(AT + 60, AT + 3600 + 30))
    assert attempts[["window_start", "window_end", "status", "bins_expected", "bins_received"]].values.tolist() == [
        [pd.Timestamp("2026-01-01 00:01Z"), pd.Timestamp("2026-01-01 01:00Z"), "ok", 59, 59]
    ]
    assert (summary.left_out["outside the stated coverage"].count, total(rows)) == (1, 1)
    with pytest.raises(InputError, match="its end is not after its start"):
        take(written(tmp_path, "a.csv", CSV), covered=(AT, AT))


def test_a_monthly_dump_proves_its_month_even_without_posts(tmp_path):
    """RS_2026-01 covers January wholly, with no post of the group in it."""
    path = written(tmp_path, "RS_2026-01.zst", zstandard.compress(dumped(1, subreddit="cats").encode()))
    rows, attempts, _ = take(path, groups=(GROUP,))
    assert len(rows) == 0
    assert attempts[["window_start", "window_end", "status", "bins_expected"]].values.tolist() == [
        [pd.Timestamp("2026-01-01 00:00Z"), pd.Timestamp("2026-02-01 00:00Z"), "ok", 31 * 1440]
    ]
    assert [list(attempts[name][0]) for name in ("services", "regions")] == [["netflix", "tiktok"], ["001"]]


def test_placed_archives_claim_their_regions_and_unplaced_ones_the_world(tmp_path):
    """Twelve cities prove nothing about the world; posts without a place are about everywhere; a statement wins."""
    placed = "id,created_at,text\n1,2026-01-01T00:00Z,tiktok in US-MI\n2,2026-01-01T00:01Z,tiktok in US-NY\n"
    path = written(tmp_path, "a.csv", placed)

    def covered_regions(path, **options):
        _, attempts, _ = take(path, **options)
        return list(attempts["regions"][0])

    assert covered_regions(path) == ["US-MI", "US-NY"]
    assert covered_regions(path, covered_regions=("US",)) == ["US"]
    assert covered_regions(written(tmp_path, "b.csv", placed + "3,2026-01-01T00:01Z,tiktok\n")) == ["001"]
    with pytest.raises(InputError, match="region 'XX-9': not an M49"):
        take(path, covered_regions=("XX-9",))


@pytest.mark.parametrize("order", list(itertools.permutations([["a"], ["b", "a"], ["c", "a"]])))
def test_a_lake_ends_right_however_overlapping_files_came_into_it(tmp_path, order):
    """Imported in any order and company before, all of them in one call leave every post counted once."""
    head, *posts = CSV.splitlines()
    posts += ["3,2026-01-01T00:02Z,tiktok down", "4,2026-01-01T00:04Z,tiktok"]
    parts = {"a": posts[:2], "b": posts[1:3], "c": [posts[0], posts[3]]}
    files = {name: written(tmp_path, f"{name}.csv", "\n".join([head, *rows])) for name, rows in parts.items()}
    lake = Lake(str(tmp_path / "lake"))
    for n, names in enumerate([*order, ["a", "b", "c"]]):
        paths = [files[name] for name in names]
        ingest(lake, import_files(paths, reader=Listener(), observed_at=NOW + n))
    start = pd.Timestamp("2026-01-01 00:00Z")
    end = start + pd.Timedelta(minutes=5)
    stored, attempts = lake.read(schema.VOLUMES), lake.coverage()
    counts = volumes.counts(stored, attempts, {}, bin_minutes=1, start=start, end=end)
    world = counts[counts["region"] == "001"]
    assert (world["count"].tolist(), world["mentions"].tolist()) == ([1, 0, 1, 0, 0], [1, 0, 2, 0, 1])


def test_services_are_those_asked_for_else_those_seen(tmp_path):
    """A search for one service proves no zero for another; an unknown name is met with near ones."""
    path = written(tmp_path, "a.csv", CSV)
    assert list(take(path)[1]["services"][0]) == ["tiktok"]
    assert list(take(path, services=("netflix", "tiktok"))[1]["services"][0]) == ["netflix", "tiktok"]
    assert list(take(path, service="netflix")[1]["services"][0]) == ["netflix"]
    with pytest.raises(InputError, match=r"service 'tikok': not in the catalogue; did you mean tiktok"):
        take(path, service="tikok")


def test_the_same_content_is_the_same_scope(tmp_path):
    """Importing a copy again gives the same rows under the same keys."""
    first, second = (take(written(tmp_path, name, CSV))[0] for name in ("a.csv", "copy.csv"))
    pd.testing.assert_frame_equal(first, second)


def test_files_of_one_call_count_a_common_post_once_in_one_scope_each(tmp_path):
    """In any order of files; a file's scope stays its own, so that a folder may be imported again when it has grown."""
    one = written(tmp_path, "a.csv", CSV)
    more = written(tmp_path, "b.csv", CSV + "3,2026-01-01T00:05Z,tiktok\n")
    alone = take(one)[1]
    rows, attempts, summary = take([one, more])
    assert (total(rows), summary.duplicates) == (3, 2)
    assert set(alone["scope"]) < set(attempts["scope"])
    pd.testing.assert_frame_equal(take([more, one])[0], rows)
    assert len(set(attempts["scope"])) == 2 == len(attempts)
    assert overlapping(alone, attempts) == []
    assert overlapping(alone, take(more)[1]) == list(alone["scope"])
    elsewhere = written(tmp_path, "c.csv", "id,created_at,text\n9,2026-03-01T00:05Z,tiktok\n")
    assert overlapping(alone, take(elsewhere)[1]) == []


def test_a_table_without_ids_is_told_apart_by_content(tmp_path):
    """Same time, author and text are one post."""
    text = "created_at,text\n" + "2026-01-01T00:00Z,tiktok\n" * 2 + "2026-01-01T00:01Z,tiktok\n"
    _, _, summary = take(written(tmp_path, "a.csv", text))
    assert (summary.posts, summary.duplicates) == (2, 1)


# Bad input


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", b"\n \n", "empty"),
        ("a.csv", gzip.compress(b""), "empty"),
        ("a.csv", b"id,created_at,text\n", "none of its 0 rows gives a post"),
        (
            "a.csv",
            b"id,created_at,text\n1,nonsense,tiktok\n",
            "none of its 1 rows gives a post .unreadable time: 1.; times are ISO 8601",
        ),
        ("a.csv", b"id,id,created_at,text\n1,1,2026-01-01T00:00Z,tiktok\n", "column 'id' is there twice"),
        ("a.csv", b"\x00\x01\x02rubbish\x00", "not a text file"),
        ("a.xlsx", b"PK\x03\x04....", "a zip or Excel file"),
        ("a.parquet", b"PAR1....", "Parquet"),
        ("a.csv", b"no header here", "no column for created_at; it has 'no header here'"),
        ("a.json", b"[\n" + tweet(1).__repr__().encode(), "one JSON array"),
        ("a.json", b'{"hello": 1}\n', "an object with 'hello', no post, in its first megabyte"),
        ("a.json", b'{"data": [{"start": "s", "end": "e", "tweet_count": 1}]}', "an object with 'data', no post"),
        ("a.json", b'{"data": [{"id": 1', "no whole JSON object on a line"),
        ("a.csv", b"id,created_at,text\n1,2026-01-01T00:00Z,hello\n", "none of 1 posts names a known service"),
        ("a.gz", b"\x1f\x8b\x08rubbish", "damaged|truncated"),
        ("a.zst", b"\x28\xb5\x2f\xfdrubbish", "damaged|truncated"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(tmp_path, name, content, message):
    """The file, what is wrong and what to do."""
    path = written(tmp_path, name, content)
    with pytest.raises(InputError, match=message) as caught:
        take(path)
    assert "\n" not in str(caught.value)


def test_missing_files_folders_and_wrong_options_are_refused(tmp_path):
    """Each in one line."""
    with pytest.raises(InputError, match="no such file"):
        take(tmp_path / "nope.csv")
    with pytest.raises(InputError, match="a folder"):
        take(tmp_path)
    with pytest.raises(InputError, match="no file is named"):
        take([])
    path = written(tmp_path, "a.csv", CSV)
    for options, message in [
        ({"format": "xml"}, "format 'xml': not one of csv, twarc, reddit"),
        ({"delimiter": "::"}, "delimiter '::': one character"),
        ({"bin_minutes": 0}, "bin_minutes 0"),
    ]:
        with pytest.raises(InputError, match=message):
            take(path, **options)


def test_a_dump_of_other_subreddits_only_is_refused_with_the_way_out(tmp_path):
    """A file that states no month and has none of the group's posts proves nothing."""
    with pytest.raises(
        InputError, match=r"none of its 1 rows gives a post \(of a subreddit that no group watches: 1\); name them"
    ):
        take(written(tmp_path, "a.ndjson", dumped(1, subreddit="cats")), groups=(GROUP,))


def test_progress_counts_the_bytes_of_all_files(tmp_path):
    """It ends at the total; the rows are counted, too."""
    paths = [written(tmp_path, f"{n}.csv", CSV + f"3{n},2026-01-01T00:05Z,tiktok\n") for n in range(3)]
    calls = []
    list(import_files(paths, reader=Listener(), observed_at=NOW, progress=lambda *so_far: calls.append(so_far)))
    size = sum(path.stat().st_size for path in paths)
    assert calls[-1] == (size, size, 9)
    assert [done for done, *_ in calls] == sorted(done for done, *_ in calls)


def test_the_summary_says_everything_for_people_and_machines(tmp_path):
    """One sum, one line a reason; the same as JSON."""
    _, _, summary = take(written(tmp_path, "a.csv", CSV + "1,2026-01-01T00:00:30Z,tiktok is down\n4,never,x\n"))
    assert summary.lines() == [
        "4 rows of one file: 2 posts counted, 1 with a repeated id, 0 about no known service, 1 rejected, 0 left out",
        "posts from 2026-01-01 00:00 UTC to 2026-01-01 00:02 UTC, 2 without a known place",
        "rejected: unreadable time: 1 (first: a.csv, line 5)",
    ]
    assert json.loads(json.dumps(summary.as_dict()))["rejected"] == {
        "unreadable time": {"count": 1, "first": "a.csv, line 5"}
    }


def test_a_long_stream_is_given_out_in_slices_that_prove_themselves(tmp_path, monkeypatch):
    """With little room, counts come in several batches: the same rows, windows that touch, in any order of lines."""
    lines = [dumped(n, at=AT + 3600 * n) for n in range(100)]
    path = written(tmp_path, "RS_2026-01.ndjson", "\n".join([*lines, dumped(999, at=AT)]))
    whole, _, _ = take(path, groups=(GROUP,))
    monkeypatch.setattr("clamor.collect.archive_sort._AT_ONCE", 30)
    rows, attempts, summary = take(path, groups=(GROUP,))
    assert len(attempts) > 5
    assert attempts["window_end"].tolist()[:-1] == attempts["window_start"].tolist()[1:]
    assert attempts["window_end"].max() == pd.Timestamp("2026-01-05 03:00Z"), "a dump of a post an hour ends early"
    assert (summary.posts, summary.duplicates, summary.rejected) == (101, 0, {})
    key = list(schema.VOLUMES.key)
    pd.testing.assert_frame_equal(rows.sort_values(key, ignore_index=True), whole.sort_values(key, ignore_index=True))


# Properties


TEXTS = st.sampled_from(["tiktok", "tiktok down", "netflix down in US", "hello", 'say "tiktok" down in US-MI', "a,b;c"])
POSTS = st.lists(
    st.builds(
        Post, id=st.integers(1, 12).map(str), created_at=st.integers(AT, AT + 900), text=TEXTS, author=st.just("a")
    ),
    min_size=1,
    max_size=20,
)


def as_csv(posts):
    quoted = ['"' + p.text.replace('"', '""') + '"' for p in posts]
    return [f"{p.id},{p.created_at},{text},{p.author}" for p, text in zip(posts, quoted, strict=True)]


def as_json(posts):
    return [json.dumps({"id": p.id, "created_at": p.created_at, "text": p.text, "author_id": p.author}) for p in posts]


def counted(rows):
    """Posts by series and second, over all scopes."""
    at = (rows["bin_start"] - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(seconds=1)
    key = ["service", "region", "signal", "symptom", "at"]
    return rows.assign(at=at).groupby(key)["posts"].sum().to_dict()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(posts=POSTS, data=st.data())
def test_counts_are_the_slow_twins_in_any_order_format_and_split(tmp_path, posts, data):
    """Shuffled, spread over files, in CSV or JSON lines: the counts are those of the plain loop."""
    listener = Listener()
    expected = naive.volumes([(p, listener.read(p)) for p in posts], 1)
    shuffled = data.draw(st.permutations(posts))
    cut = data.draw(st.integers(0, len(posts)))
    parts = [part for part in (shuffled[:cut], shuffled[cut:]) if part]
    paths = []
    for n, part in enumerate(parts):
        text = as_json(part) if data.draw(st.booleans()) else ["id,created_at,text,author", *as_csv(part)]
        paths.append(written(tmp_path, f"{n}.data", "\n".join(text)))
    if not expected:
        with pytest.raises(InputError, match="names a known service"):
            take(paths)
        return
    assert counted(take(paths)[0]) == {key: posts for key, (posts, _) in expected.items()}


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(posts=POSTS, json_lines=st.booleans(), data=st.data())
def test_a_bad_byte_never_loses_another_row_or_raises_but_an_input_error(tmp_path, posts, json_lines, data):
    """One byte changed anywhere in the rows: every row is a post, a duplicate, unmatched, rejected or left out."""
    rows = as_json(posts) if json_lines else as_csv(posts)
    head = b"" if json_lines else b"id,created_at,text,author\n"
    body = bytearray("\n".join(rows).encode())
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] = data.draw(st.integers(0, 255))
    path = written(tmp_path, "a.data", head + bytes(body))
    before, summary = written(tmp_path, "b.data", head + "\n".join(rows).encode()), ImportSummary()
    try:
        take(path, summary, format="twarc" if json_lines else "csv", services=("tiktok", "netflix"))
    except InputError:
        return
    _, _, clean = take(before, format="twarc" if json_lines else "csv", services=("tiktok", "netflix"))
    hurt = 2 if body[at] in b"\r\n" or before.read_bytes()[len(head) + at] == 10 else 1
    assert abs(summary.rows - clean.rows) <= hurt - 1
    good = summary.posts + summary.duplicates + summary.unmatched
    assert good >= clean.posts + clean.duplicates + clean.unmatched - hurt


@settings(max_examples=100, deadline=None)
@given(content=st.binary(max_size=300))
def test_rubbish_is_an_input_error_at_most(tmp_path_factory, content):
    """No bytes make anything but a summary or an InputError."""
    path = tmp_path_factory.getbasetemp() / "rubbish.data"
    path.write_bytes(content)
    for format in ("csv", "twarc", "reddit", None):
        with pytest.raises(InputError):
            take(path, format=format)
