"""From the bytes of an archive to posts: formats, spellings, packing, encodings, times."""

import bz2
import gzip
import json
import lzma

import pandas as pd
import pytest
import zstandard

from archives import AT, CATALOG, CSV, GROUP, Listener, commented, dumped, page, shared, take, total, tweet, written
from clamor import volumes
from clamor.collect import reddit
from clamor.collect.archive import group_named
from clamor.collect.archive_csv import records
from clamor.collect.archive_row import NaiveTimeError, seconds
from clamor.errors import InputError

# What becomes a post


def test_a_csv_export_becomes_counts_of_whole_minutes(tmp_path):
    """Two posts, one of them a complaint, in two minutes."""
    rows, attempts, summary = take(written(tmp_path, "a.csv", CSV))
    assert rows[["service", "region", "signal", "symptom", "posts"]].values.tolist() == [
        ["tiktok", "ZZ", "complaint", "any", 1],
        ["tiktok", "ZZ", "complaint", "other", 1],
        ["tiktok", "ZZ", "mention", "any", 1],
        ["tiktok", "ZZ", "mention", "any", 1],
    ]
    assert rows["bin_start"].max() == pd.Timestamp("2026-01-01 00:02", tz="UTC")
    assert (summary.posts, summary.first, summary.last) == (2, AT + 30, AT + 120)
    assert attempts["status"].tolist() == ["partial"]


@pytest.mark.parametrize(
    "header",
    ["tweet_id,Created At,Full_Text", "id;date;body", "id\tcreated_utc\tcontent", "id|time|message"],
)
def test_usual_names_and_delimiters_are_found(tmp_path, header):
    """Column names in other spellings and orders, other delimiters."""
    delimiter = next(d for d in ",;\t|" if d in header)
    text = header + "\n" + CSV.split("\n", 1)[1].replace(",", delimiter)
    assert take(written(tmp_path, "a.txt", text))[2].posts == 2


def test_columns_can_be_named(tmp_path):
    """A mapping wins over the usual names; a column that is not there is said."""
    path = written(tmp_path, "a.csv", "key,when,text,said\n1,2026-01-01T00:00:00Z,netflix,tiktok\n")
    rows, _, _ = take(path, columns={"id": "key", "created_at": "when", "text": "said"})
    assert set(rows["service"]) == {"tiktok"}
    with pytest.raises(InputError, match="no column 'nope' for text; it has 'key', 'when'"):
        take(path, columns={"text": "nope"})
    with pytest.raises(InputError, match="column 'body': no field of a post"):
        take(path, columns={"body": "said"})
    with pytest.raises(InputError, match="no column for created_at"):
        take(path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_names_the_encoding(tmp_path, encoding):
    """Spreadsheets write marks; they are no part of the first column's name."""
    assert take(written(tmp_path, "a.csv", (CSV + "3,2026-01-01T00:03Z,tiktok é\n").encode(encoding)))[2].posts == 3


def test_another_encoding_is_named_or_refused(tmp_path):
    """cp1252 is read when it is named, and refused when most rows are not UTF-8."""
    text = "id,created_at,text\n" + "".join(f"{n},2026-01-01T00:00Z,tiktok né\n" for n in range(9))
    path = written(tmp_path, "a.csv", text.encode("cp1252"))
    assert take(path, encoding="cp1252")[2].posts == 9
    with pytest.raises(InputError, match=r"9 of 9 rows are not UTF-8; .* --encoding"):
        take(path)
    with pytest.raises(InputError, match="encoding 'klingon': not known"):
        take(path, encoding="klingon")
    with pytest.raises(InputError, match="its text is not utf-16"):
        take(written(tmp_path, "b.csv", b"\xff\xfe" + CSV.encode("utf-16-le")[:-1]))


def test_quoted_line_ends_belong_to_the_text(tmp_path):
    """A post of three lines is one row."""
    text = 'id,created_at,text\r\n1,2026-01-01T00:00:00Z,"tiktok\r\n\r\nis ""so"" down"\r\n'
    assert take(written(tmp_path, "a.csv", text))[2].posts == 1


def test_an_open_quote_costs_its_own_line_only(tmp_path):
    """The rows after it are read and the loss is said with its line."""
    lines = CSV.splitlines()
    lines.insert(2, '9,2026-01-01T00:01:00Z,"tiktok never closed')
    _, _, summary = take(written(tmp_path, "a.csv", "\n".join([*lines, '4,2026-01-01T00:04Z,"tiktok"'])))
    assert summary.posts == 3
    assert {reason: (t.count, t.first) for reason, t in summary.rejected.items()} == {
        "quotes do not match": (1, "a.csv, line 3")
    }


@pytest.mark.parametrize("packer", [gzip.compress, bz2.compress, lzma.compress, zstandard.compress])
def test_packed_files_are_unpacked_also_in_several_members(tmp_path, packer):
    """gz, bz2, xz and zst, told by content; a file may be several packed files one after another."""
    half = len(CSV) // 2
    data = packer(CSV[:half].encode()) + packer(CSV[half:].encode())
    assert take(written(tmp_path, "a.data", data))[2].posts == 2


@pytest.mark.parametrize("packer", [gzip.compress, bz2.compress, lzma.compress, zstandard.compress])
def test_a_truncated_packed_file_is_refused(tmp_path, packer):
    """Its end is missing: it never passes for a shorter archive."""
    for keep in (-1, -6):
        with pytest.raises(InputError, match=r"truncated|damaged"):
            take(written(tmp_path, "a.csv", packer(CSV.encode())[:keep]))


def test_twarc_pages_streams_and_flattened_posts_are_posts(tmp_path):
    """A page, a stream's line, a flattened post and the first API's form; what a page refers to is not counted."""
    old = {
        "id_str": "4",
        "created_at": "Thu Jan 01 00:04:00 +0000 2026",
        "full_text": "tiktok",
        "user": {"id_str": "8"},
    }
    lines = [
        page(tweet(1), tweet(2), includes={"tweets": [tweet(9)], "users": [{"id": "7"}]}),
        json.dumps({"data": tweet(3), "matching_rules": []}),
        json.dumps(old),
        json.dumps(tweet(5, author={"id": "7", "location": "Ann Arbor"})),
    ]
    rows, _, summary = take(written(tmp_path, "a.jsonl", "\n".join(lines)))
    assert (summary.posts, summary.rows, total(rows)) == (5, 5, 5)


def test_errors_and_a_cut_last_line_are_counted_not_posts(tmp_path):
    """Error objects are left out, half a line is rejected, a page's own errors do not matter, an empty page is none."""
    lines = [
        json.dumps({"errors": [{"title": "Not Found"}]}),
        page(tweet(1), errors=[{"title": "Forbidden"}]),
        page(),
        json.dumps({"title": "operational-disconnect", "errors": []}),
        page(tweet(2))[:40],
    ]
    _, _, summary = take(written(tmp_path, "a.jsonl", "\n".join(lines)))
    assert summary.posts == 1
    assert {reason: t.count for reason, t in summary.left_out.items()} == {"error message of the API": 2}
    assert summary.rejected["not a whole JSON object"].first == "a.jsonl, line 5"


def test_places_of_x_posts_reach_the_reader(tmp_path):
    """Coordinates (longitude first in GeoJSON), an attached place, and the author's location."""
    heard = []

    class Ear(Listener):
        def read(self, post, service=None):
            heard.append(post)
            return super().read(post, service)

    point = {"coordinates": {"type": "Point", "coordinates": [-83.7, 42.3]}}
    lines = page(
        tweet(1, geo=point),
        tweet(2, geo={"place_id": "p"}),
        tweet(3, geo={"coordinates": {"type": "Point", "coordinates": [10, 91]}}),
        includes={
            "users": [{"id": "7", "location": "Detroit"}],
            "places": [{"id": "p", "full_name": "Detroit, MI", "country_code": "US"}],
        },
    )
    take(written(tmp_path, "a.jsonl", lines), reader=Ear())
    assert [(p.lat, p.long, p.place, p.place_country, p.user_location) for p in heard] == [
        (42.3, -83.7, None, None, "Detroit"),
        (None, None, "Detroit, MI", "US", "Detroit"),
        (None, None, None, None, "Detroit"),
    ]


def test_retweets_are_left_out_as_the_live_queries_leave_them_out(tmp_path):
    """By reference in JSON, by 'RT @' in CSV."""
    retweet = tweet(1, referenced_tweets=[{"type": "retweeted", "id": "0"}])
    quote = tweet(2, referenced_tweets=[{"type": "quoted", "id": "0"}])
    assert take(written(tmp_path, "a.jsonl", page(retweet, quote)))[2].posts == 1
    _, _, summary = take(written(tmp_path, "a.csv", CSV + "3,2026-01-01T00:03Z,RT @a: tiktok\n"))
    assert (summary.posts, summary.left_out["retweet"].count) == (2, 1)


def test_reddit_dumps_in_both_spellings_of_ids_and_times(tmp_path):
    """`id` or `name`, a number or a text; the fullname and the id are one post."""
    lines = [
        dumped(1),
        dumped(1, name="t3_i1", id="t3_i1"),
        dumped(2, at=str(AT + 60)),
        dumped(3, at=f"{AT + 120}.0"),
    ]
    rows, attempts, summary = take(written(tmp_path, "posts.ndjson", "\n".join(lines)), groups=(GROUP,))
    assert (summary.posts, summary.duplicates) == (3, 1)
    assert set(rows["source"]) == {"reddit"}
    assert set(rows["scope"]) == set(attempts["scope"]) == {"dump:RS:social"}


def test_deleted_and_removed_posts_are_not_counted(tmp_path):
    """By text, by the moderators' mark, and by the dump's own note that it was deleted later."""
    lines = [
        dumped(1),
        dumped(2, selftext="[deleted]"),
        dumped(3, selftext="[removed]"),
        dumped(4, removed_by_category="moderator"),
        dumped(5, _meta={"was_deleted_later": True}),
        dumped(6, author="[deleted]"),
    ]
    _, _, summary = take(written(tmp_path, "posts.ndjson", "\n".join(lines)), groups=(GROUP,))
    assert (summary.posts, summary.left_out["deleted or removed"].count) == (2, 4)


def test_a_dump_counts_only_its_groups_subreddits_and_services(tmp_path):
    """Others are left out, also where a crosspost names a wanted one; groups are scopes of their own."""
    other = dumped(3, subreddit="cats", crosspost_parent_list=[{"subreddit": "tiktok"}])
    lines = [dumped(1), dumped(2, subreddit="cats"), other, dumped(4, "netflix", "Netflix")]
    films = reddit.Group("films", ("netflix",), ("netflix",))
    rows, _, summary = take(
        written(tmp_path, "p.ndjson", "\n".join(lines)),
        groups=(films, reddit.Group("video", ("tiktok",), ("netflix", "tiktok"))),
    )
    assert summary.left_out["of a subreddit that no group watches"].count == 2
    mentions = rows[rows["signal"] == "mention"]
    assert mentions.groupby("scope")["posts"].sum().to_dict() == {"dump:RS:films": 1, "dump:RS:video": 1}


def test_submissions_and_comments_are_scopes_of_their_own(tmp_path):
    """The same id may be both; a line of the wrong kind is rejected."""
    posts = written(tmp_path, "a.ndjson", dumped(1) + "\n" + commented(2))
    comments = written(tmp_path, "b.ndjson", commented(1))
    rows, _, summary = take([posts, comments], groups=(GROUP,))
    assert set(rows["scope"]) == {"dump:RS:social", "dump:RC:social"}
    assert (summary.posts, summary.rejected["a comment among submissions"].count) == (2, 1)


def test_without_groups_a_monthly_dump_meets_the_live_walks(tmp_path):
    """The scopes are those of the walks' own groups, so the two are one stream of counts."""
    groups = reddit.groups(CATALOG, ["tiktok"])
    _, attempts, summary = take(written(tmp_path, "RS_2026-01.ndjson", dumped(1)), services=("tiktok",))
    streams = {volumes.stream_of(scope) for scope in attempts["scope"]}
    assert summary.posts == 1
    assert streams == {volumes.stream_of(f"reddit:new:{group.name}") for group in groups if "new" in group.kinds}


def test_another_file_of_reddit_posts_is_a_file_and_counts_all_that_is_in_it(tmp_path):
    """A file of one subreddit proves nothing about the others of its group."""
    rows, attempts, _ = take(written(tmp_path, "tiktok_posts.ndjson", dumped(1) + "\n" + dumped(2, subreddit="cats")))
    assert (total(rows), attempts["status"].tolist()) == (2, ["partial"])
    assert attempts["scope"][0].startswith("file:")
    assert set(rows["source"]) == {"reddit"}


def test_a_group_is_made_from_its_subreddits():
    """Order, case and r/ do not matter; the name does not change with them."""
    one, other = group_named("TikTok+r/tiktokhelp", ["tiktok"]), group_named("tiktokhelp+/r/tiktok", ["tiktok"])
    assert one == other
    assert one.subreddits == ("tiktok", "tiktokhelp")
    with pytest.raises(InputError, match="subreddit 'a b'"):
        group_named("a b", [])


# Times


def test_a_naive_time_is_refused_without_a_zone_and_right_with_one(tmp_path):
    """The message names the value, the rule and the option."""
    path = written(tmp_path, "a.csv", "id,created_at,text\n1,2026-07-01 08:00:00,tiktok\n")
    with pytest.raises(InputError, match=r"line 2: time '2026-07-01 08:00:00' names no zone; .* --timezone UTC"):
        take(path)
    assert take(path, timezone="America/Detroit")[2].first == pd.Timestamp("2026-07-01 12:00Z").timestamp()
    with pytest.raises(InputError, match="timezone 'Mars/Olympus': not an IANA name"):
        take(path, timezone="Mars/Olympus")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "unreadable time"),
        ("yesterday", "unreadable time"),
        ("2026-01-01", "unreadable time"),
        ("2026-13-01T00:00Z", "unreadable time"),
        ("9" * 30, "unreadable time"),
        ("-5", "time before 2006"),
        ("1999-01-01T00:00Z", "time before 2006"),
        ("2099-01-01T00:00Z", "time in the future"),
        ("0001-01-01T00:00+10:00", "time before 2006"),
    ],
)
def test_an_absurd_time_rejects_its_row_with_the_reason(tmp_path, value, reason):
    """The other rows stay."""
    _, _, summary = take(written(tmp_path, "a.csv", CSV + f"3,{value},tiktok\n"))
    assert summary.posts == 2
    assert {why: (t.count, t.first) for why, t in summary.rejected.items()} == {reason: (1, "a.csv, line 4")}


def test_times_in_seconds_milliseconds_and_words_are_the_same_time():
    """All forms that archives use."""
    same = [AT, str(AT), AT * 1000, AT * 1_000_000, f"{AT}.5", "2026-01-01T00:00:00.000Z", "2026-01-01 00:00:00 UTC"]
    same += ["Thu Jan 01 00:00:00 +0000 2026", "2026-01-01T01:00:00+01:00", "20260101T000000Z"]
    assert {seconds(value) for value in same} == {AT}
    with pytest.raises(NaiveTimeError):
        seconds("2026-01-01T00:00:00")


def test_records_hold_every_line_once():
    """A stray quote gives up one line; the next record starts at the next line."""
    lines = ['a,"b', 'c,"d"', 'e,"f', 'g"', "h,i"]
    assert list(records(iter(enumerate(lines, 1)), ",")) == [
        (1, "quotes do not match"),
        (2, ["c", "d"]),
        (3, ["e", "f\ng"]),
        (5, ["h", "i"]),
    ]


# Real files


def test_the_real_power_cut_posts_are_counted_once_each():
    """14,535 rows, 11,516 ids; one retweet; all near twelve cities."""
    _, attempts, summary = take(shared("x_power_outage_posts_2016_2020.csv"), service="electric-power", timezone="UTC")
    assert (summary.rows, summary.posts, summary.duplicates) == (14_535, 11_515, 3_019)
    assert summary.rejected == {}
    assert list(attempts["services"][0]) == ["electric-power"]


@pytest.mark.parametrize(
    ("name", "posts", "retweets", "rejected"),
    [
        ("2sets", 55, 145, 0),
        ("geo_tweets", 2, 0, 0),
        ("kpop", 22, 78, 0),
        ("streaming_output_with_error", 7, 0, 1),
    ],
)
def test_the_real_twarc_files_are_read_to_the_last_line(name, posts, retweets, rejected):
    """Pages, a stream with errors, and a truncated last line."""
    _, _, summary = take(shared(f"x_wire/{name}.jsonl"), service="tiktok")
    left_out = summary.left_out["retweet"].count if retweets else 0
    assert (summary.posts, left_out) == (posts, retweets)
    assert sum(tally.count for tally in summary.rejected.values()) == rejected


@pytest.mark.parametrize(("name", "comments"), [("test_new", False), ("test_comments", True)])
def test_real_reddit_items_as_a_dump(tmp_path, name, comments):
    """What Reddit answered, written one object a line, is read item by item."""
    recorded = json.loads(shared(f"reddit_wire/TestSubredditListings.{name}.json").read_text())
    answers = [x["response"]["body"]["string"] for x in recorded["interactions"]]
    items = [c["data"] for a in answers for c in json.loads(a).get("data", {}).get("children", [])]
    path = written(tmp_path, "dump.ndjson", "\n".join(map(json.dumps, items)))
    rows, attempts, summary = take(path, service="tiktok")
    assert summary.rows == len(items) == summary.posts + sum(t.count for t in summary.left_out.values())
    assert set(attempts["source"]) == {"reddit"} and total(rows) == summary.posts > 50
