"""Recorded live answers of X and Reddit, replayed byte for byte through the unmodified clients.

Skipped where the recordings, which are never committed, are absent.
"""

import base64
import gzip
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from clamor.collect import reddit, x
from clamor.collect.batch import State
from clamor.collect.reddit import Group
from clamor.collect.x_counts import fill, unknown
from clamor.collect.x_sample import _posts
from clamor.schema import Status
from loopback import Params, Reply, Ticking, serve
from test_reddit import EveryPostComplains

SHARED = Path(__file__).parents[1].parent / "shared" / "data"
needs_recordings = pytest.mark.skipif(not SHARED.is_dir(), reason="the recorded answers are not on this machine")


def x_body(name: str) -> bytes:
    """Return the gzipped body of a recorded answer of X."""
    text = (SHARED / "x_wire" / name).read_text(encoding="utf-8")
    found = re.search(r"binary \|\n((?: {8}\S+\n)+)", text)
    assert found is not None
    return base64.b64decode(found[1])


def reddit_answers(name: str) -> list[tuple[str, str]]:
    """Return the recorded (address, body) pairs of Reddit."""
    recorded = json.loads((SHARED / "reddit_wire" / name).read_text(encoding="utf-8"))
    return [(i["request"]["uri"], i["response"]["body"]["string"]) for i in recorded["interactions"]]


@needs_recordings
@pytest.mark.parametrize("name", ["test_client_get_recent_tweets_count.yaml", "test_client_get_all_tweets_count.yaml"])
def test_recorded_counts_of_x_come_through_tweepy(name: str) -> None:
    """Hourly buckets are read, add up to their total, and prove no minute, partial ends least of all."""
    with serve(lambda *_: Reply(x_body(name), headers={"content-encoding": "gzip"})) as url:
        response = x.open_client("token", url).request("GET", "/2/tweets/counts/recent", params={"query": "Tweepy"})
    body = response.json()
    assert body["meta"]["total_tweet_count"] == sum(row["tweet_count"] for row in body["data"])
    start = datetime(2021, 8, 27, tzinfo=UTC).timestamp()
    minutes = unknown(start, start + 40 * 86_400)
    assert fill(minutes, start, body) is None and (minutes == -1).all()


@needs_recordings
def test_recorded_counts_as_collected_by_twarc_add_up() -> None:
    """A recorded answer of 169 hourly buckets is believed."""
    for line in (SHARED / "x_wire" / "counts.jsonl").read_text(encoding="utf-8").splitlines():
        minutes = unknown(1_634_342_400, 1_634_342_400 + 86_400)
        fill(minutes, 1_634_342_400, json.loads(line))


@needs_recordings
def test_a_recorded_search_of_x_comes_through_tweepy() -> None:
    """Its posts have ids and texts."""
    body = gzip.decompress(x_body("test_client_search_recent_tweets.yaml"))
    with serve(lambda *_: Reply(body)) as url:
        response = x.open_client("token", url).request("GET", "/2/tweets/search/recent", params={"query": "Tweepy"})
    posts = list(_posts(response.json()))
    assert len(posts) == 10 and all(post.id.isdigit() and post.text for post in posts)


@needs_recordings
def test_recorded_geotagged_posts_keep_their_country() -> None:
    """Places and coordinates of an expanded page are found."""
    lines = (SHARED / "x_wire" / "geo_tweets.jsonl").read_text(encoding="utf-8").splitlines()
    posts = [post for line in lines for post in _posts(_as_page(json.loads(line)))]
    assert posts and any(post.place_country for post in posts)
    assert all(post.created_at > 1_500_000_000 for post in posts)


def _as_page(body: dict[str, Any]) -> dict[str, Any]:
    return body if isinstance(body.get("data"), list) else {"data": [body], "includes": body.get("includes", {})}


@needs_recordings
@pytest.mark.parametrize(
    ("name", "kind"),
    [("TestSubredditListings.test_new.json", "new"), ("TestSubredditListings.test_comments.json", "comments")],
)
def test_recorded_listings_of_reddit_are_walked_through_praw(name: str, kind: str) -> None:
    """A hundred items of 2016 prove the minutes from their oldest to their newest, and those before are capped."""
    bodies = dict(reddit_answers(name))
    listing = next(json.loads(body) for address, body in bodies.items() if f"/{kind}" in address)
    created = sorted(child["data"]["created_utc"] for child in listing["data"]["children"])

    def answer(path: str, params: Params, headers: dict[str, str]) -> Reply:
        if path.endswith("access_token"):
            return Reply({"access_token": "t", "token_type": "bearer", "expires_in": 3600, "scope": "*"})
        if "after" in params:
            return Reply({"kind": "Listing", "data": {"children": [], "after": None}})
        return Reply(listing)

    clock, state = Ticking(created[-1] + 120), State()
    group = Group("g", ("askreddit",), ("tiktok",), (kind,))
    with serve(answer) as url:
        client = reddit.open_reddit("id", "secret", "test:clamor:0 (by /u/nobody)", url)
        (batch,) = reddit.walk(
            client, EveryPostComplains(), groups=[group], services=["tiktok"], state=state, clock=clock
        )
        client._core.close()
    *_, ok = batch.attempts
    assert ok.status == Status.OK and created[0] < ok.window_start < created[10] + 60
    inside = [time for time in created if ok.window_start <= time < ok.window_end]
    mentions = batch.volumes.loc[batch.volumes["signal"] == "mention", "posts"].sum()
    assert 0 < mentions <= len(inside)


@needs_recordings
def test_a_recorded_listing_ends_at_a_thousand_items() -> None:
    """Eleven recorded pages, 1,001 items: the walk reads them all, takes the end as the cap and counts no id twice."""
    pages = [
        json.loads(body)
        for address, body in reddit_answers("TestListingGenerator.test_exhaust_items.json")
        if "/user/" in address
    ]
    by_after = dict(zip([None, *[page["data"]["after"] for page in pages[:-1]]], pages, strict=True))

    def answer(path: str, params: Params, headers: dict[str, str]) -> Reply:
        if path.endswith("access_token"):
            return Reply({"access_token": "t", "token_type": "bearer", "expires_in": 3600, "scope": "*"})
        return Reply(by_after[params.get("after")])

    clock = Ticking(datetime(2016, 11, 1, tzinfo=UTC).timestamp())
    state = State(watermarks={"reddit:new:g": datetime(2005, 1, 1, tzinfo=UTC).timestamp()})
    group = Group("g", ("any",), ("tiktok",), ("new",))
    with serve(answer) as url:
        client = reddit.open_reddit("id", "secret", "test:clamor:0 (by /u/nobody)", url)
        (batch,) = reddit.walk(
            client, EveryPostComplains(), groups=[group], services=["tiktok"], state=state, clock=clock
        )
        client._core.close()
    assert batch.attempts[0].status == Status.CAPPED and batch.attempts[0].requests == len(pages) == 11
    assert "1001 items" in str(batch.attempts[0].detail)
