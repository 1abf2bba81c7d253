"""The Reddit collector, through the unmodified praw client, against a loopback server."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from clamor import catalog, schema
from clamor.collect import reddit
from clamor.collect.batch import Batch, State, coverage
from clamor.collect.reddit import Group
from clamor.errors import ConfigError
from clamor.schema import Status
from clamor.text.post import Post, Reading
from loopback import Params, Reply, Ticking, serve

NOW = datetime(2026, 11, 2, 12, 0, 30, tzinfo=UTC).timestamp()
END = NOW - 90
GROUP = Group("services-1", ("tiktok", "tiktokhelp"), ("tiktok",), ("new",))
AGENT = "test:clamor:0 (by /u/nobody)"
SCOPE = "reddit:new:services-1"
HOUR = 3600.0


class EveryPostComplains:
    """A reader to which every post is a complaint about TikTok."""

    catalog = SimpleNamespace(version="v")

    def read(self, post: Post, service: str | None = None) -> list[Reading]:
        return [Reading("tiktok", schema.Signal.COMPLAINT, ("other",))]


def item(number: int, created: float, **fields: Any) -> dict[str, Any]:
    data = {
        "id": f"p{number}",
        "name": f"t3_p{number}",
        "title": "down",
        "selftext": "",
        "created_utc": created,
        "subreddit": "tiktok",
        "author": f"a{number}",
    }
    return {"kind": "t3", "data": data | fields}


def every(seconds: float, hours: float, start: float = NOW) -> list[dict[str, Any]]:
    """Items from newest to oldest, one every so many seconds."""
    return [item(n, start - n * seconds) for n in range(int(hours * HOUR / seconds))]


@dataclass
class Listing:
    """A listing of at most 1,000 items that pages as Reddit's do."""

    items: list[dict[str, Any]]
    gone: set[str] = field(default_factory=set)
    spoil: Callable[[int, Reply], Reply] | None = None
    asked: list[Params] = field(default_factory=list)

    def __call__(self, path: str, params: Params, headers: dict[str, str]) -> Reply:
        if path == "/api/v1/access_token":
            return Reply({"access_token": "t", "token_type": "bearer", "expires_in": 86_400, "scope": "*"})
        assert headers["authorization"] == "bearer t"
        self.asked.append(params | {"path": path})
        reply = self._page(params.get("after"), int(params["limit"]))
        return reply if self.spoil is None else self.spoil(len(self.asked), reply)

    def _page(self, after: str | None, limit: int) -> Reply:
        if after in self.gone:
            return Reply({"kind": "Listing", "data": {"children": [], "after": None}})
        items = self.items[:1000]
        first = 0 if after is None else 1 + [i["data"]["name"] for i in items].index(after)
        page = items[first : first + limit]
        last = page[-1]["data"]["name"] if page and first + limit < len(items) else None
        return Reply({"kind": "Listing", "data": {"children": page, "after": last}})


class Lab:
    def __init__(self, url: str) -> None:
        self.clock, self.state = Ticking(NOW), State()
        self.client = reddit.open_reddit("id", "secret", AGENT, url, timeout_seconds=5, clock=self.clock)

    def walk(self, *groups: Group, **kw: Any) -> list[Batch]:
        kw = {"groups": groups or [GROUP], "services": ["tiktok"], "state": self.state, "clock": self.clock} | kw
        return list(reddit.walk(self.client, EveryPostComplains(), **kw))


@contextmanager
def lab(answer: Callable[..., Reply]) -> Iterator[Lab]:
    with serve(answer) as url:
        at = Lab(url)
        try:
            yield at
        finally:
            at.client._core.close()


def complaints(batch: Batch) -> int:
    rows = batch.volumes
    return int(rows.loc[(rows["signal"] == "complaint") & (rows["symptom"] == "any"), "posts"].sum())


def spans(batch: Batch) -> list[tuple[Status, float, float]]:
    return [(a.status, (a.window_start - END) / 60, (a.window_end - END) / 60) for a in batch.attempts]


def test_a_walk_goes_down_to_the_watermark_and_proves_what_lies_between() -> None:
    """Items of the window are counted, older and newer ones are not, and the next walk begins where this one ended."""
    listing = Listing(every(60, 6))
    with lab(listing) as at:
        at.state.watermarks[SCOPE] = END - HOUR
        (batch,) = at.walk()
        assert spans(batch) == [(Status.OK, -60, 0)]
        assert complaints(batch) == 60
        assert at.state.watermarks[SCOPE] == END
        assert [a["path"] for a in listing.asked] == ["/r/tiktok+tiktokhelp/new"]
        assert at.walk() == []
    schema.conform(batch.volumes, schema.VOLUMES)
    schema.conform(coverage(batch.attempts), schema.COVERAGE)
    assert batch.attempts[0].regions == ("001",) and batch.attempts[0].services == ("tiktok",)


def test_walks_in_turn_count_every_post_once() -> None:
    """Two windows that meet share no post and miss none."""
    items = every(10, 2.5, start=NOW + HOUR)
    with lab(Listing(items)) as at:
        at.state.watermarks[SCOPE] = END - HOUR
        first = sum(map(complaints, at.walk()))
        at.clock.at += HOUR
        second = sum(map(complaints, at.walk()))
    inside = [i for i in items if END - HOUR <= i["data"]["created_utc"] < END + HOUR]
    assert first + second == len(inside)


def test_a_stale_item_among_new_ones_does_not_end_the_walk() -> None:
    """Old items that reappear at the top are not the watermark: the end of the page has to be older."""
    items = every(30, 3)
    items[40:40] = [item(9000 + n, END - 90 * HOUR) for n in range(9)]
    with lab(Listing(items)) as at:
        at.state.watermarks[SCOPE] = END - HOUR
        (batch,) = at.walk()
    assert spans(batch) == [(Status.OK, -60, 0)] and complaints(batch) == 120


def test_a_listing_that_ends_before_the_watermark_leaves_a_gap() -> None:
    """With an item a second, 1,000 items prove a quarter of an hour; the rest of the hour is capped, not calm."""
    with lab(Listing(every(1, 2))) as at:
        at.state.watermarks[SCOPE] = END - HOUR
        (batch,) = at.walk()
    assert spans(batch) == [(Status.CAPPED, -60, -14), (Status.OK, -14, 0)]
    assert complaints(batch) == 14 * 60
    assert at.state.watermarks[SCOPE] == END and "walk more often" in str(batch.attempts[0].detail)


def test_a_short_listing_that_ends_is_the_whole_of_a_small_community() -> None:
    """Twelve items in all prove the whole window of a first walk."""
    with lab(Listing(every(HOUR, 12))) as at:
        (batch,) = at.walk()
    assert spans(batch) == [(Status.OK, -1440, 0)] and complaints(batch) == 11


def test_a_deleted_anchor_is_not_the_end() -> None:
    """An empty page after a deleted item is followed from an earlier item, and nothing is counted twice."""
    items = every(20, 3)
    listing = Listing(items, gone={items[99]["data"]["name"]})
    with lab(listing) as at:
        at.state.watermarks[SCOPE] = END - HOUR
        (batch,) = at.walk()
    assert spans(batch) == [(Status.OK, -60, 0)] and complaints(batch) == 180
    assert [a.get("after") for a in listing.asked] == [None, "t3_p99", "t3_p98"]


def test_an_empty_listing_is_no_calm() -> None:
    """A listing without a single item proves nothing."""
    with lab(Listing([])) as at:
        (batch,) = at.walk()
    assert [s for s, *_ in spans(batch)] == [Status.MALFORMED] and SCOPE not in at.state.watermarks


def test_removed_and_deleted_posts_are_not_counted() -> None:
    """What a moderator or the author took away is left out."""
    items = every(60, 3)
    items[10]["data"]["selftext"] = "[removed]"
    items[11]["data"]["selftext"] = "[deleted]"
    items[12]["data"]["removed_by_category"] = "moderator"
    with lab(Listing(items)) as at:
        at.state.watermarks[SCOPE] = END - HOUR
        (batch,) = at.walk()
    assert complaints(batch) == 57


def test_a_fault_in_the_middle_keeps_what_was_proven_and_the_watermark() -> None:
    """Two pages were read, so their minutes are known; the rest failed and is walked again next time."""
    listing = Listing(every(10, 3), spoil=lambda n, reply: Reply({}, 503) if n > 2 else reply)
    with lab(listing) as at:
        at.state.watermarks[SCOPE] = END - HOUR
        (batch,) = at.walk()
        assert spans(batch) == [(Status.FAILED, -60, -30), (Status.OK, -30, 0)]
        assert batch.attempts[0].requests == 6 and len(at.clock.slept) == 3
        assert complaints(batch) == 30 * 6 and at.state.watermarks[SCOPE] == END - HOUR
        listing.spoil = None
        (batch,) = at.walk()
    assert spans(batch) == [(Status.OK, -60, 0)] and complaints(batch) == 360


def test_a_429_is_slept_out_where_it_says_how_long_and_closes_reddit_where_it_does_not() -> None:
    """The wait is on the given clock; without a reset the other groups are left alone."""

    def limited(n: int, reply: Reply) -> Reply:
        return Reply({}, 429, {"retry-after": "120"}) if n == 1 else reply

    other = Group("services-2", ("netflix",), ("tiktok",), ("new",))
    with lab(Listing(every(120, 30), spoil=limited)) as at:
        assert spans(at.walk()[0])[0][0] == Status.OK
        assert 120 <= sum(at.clock.slept) < 122
    with lab(Listing(every(120, 30), spoil=lambda n, reply: Reply({}, 429))) as at:
        batches = at.walk(GROUP, other)
        assert [s for b in batches for s, *_ in spans(b)] == [Status.RATE_LIMITED, Status.SKIPPED]
        assert at.clock.slept == []


@pytest.mark.parametrize(("status", "word"), [(403, Status.UNAUTHORIZED), (404, Status.FAILED)])
def test_a_group_that_may_not_be_read_leaves_the_others_known(status: int, word: Status) -> None:
    """A private or missing subreddit spoils its own group only."""

    def answer(path: str, params: Params, headers: dict[str, str]) -> Reply:
        return Reply({}, status) if path.startswith("/r/secret") else listing(path, params, headers)

    listing = Listing(every(120, 30))
    secret = Group("services-2", ("secret",), ("tiktok",), ("new",))
    with lab(answer) as at:
        batches = at.walk(secret, GROUP)
    assert [s for b in batches for s, *_ in spans(b)] == [word, Status.OK]


def test_wrong_credentials_are_said_once() -> None:
    """A 401 at the token closes Reddit for the run, with the next step."""
    with lab(lambda *_: Reply({"error": "invalid_grant"}, 401)) as at:
        (first, second) = at.walk(GROUP, Group("services-2", ("netflix",), ("tiktok",), ("new",)))
    assert [first.attempts[0].status, second.attempts[0].status] == [Status.UNAUTHORIZED, Status.SKIPPED]
    assert "reddit.com/prefs/apps" in str(first.attempts[0].detail)


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b'{"data": {}}', b'{"data": {"children": [{"data": {"id": "1"}}]}}']
)
def test_nonsense_is_malformed(body: bytes) -> None:
    """An answer that is no listing proves nothing."""
    with lab(Listing(every(60, 3), spoil=lambda n, reply: Reply(body))) as at:
        (batch,) = at.walk()
    assert [s for s, *_ in spans(batch)] == [Status.MALFORMED] and batch.volumes.empty


def test_a_half_written_page_is_asked_for_again() -> None:
    """A body shorter than promised is not read; the second try is."""

    def cut(n: int, reply: Reply) -> Reply:
        reply.cut = 40 if n == 1 else 0
        return reply

    with lab(Listing(every(120, 30), spoil=cut)) as at:
        (batch,) = at.walk(lookback_hours=1)
    assert spans(batch) == [(Status.OK, -60, 0)] and batch.attempts[0].requests == 2


def test_an_interrupt_is_raised_after_what_was_proven_is_yielded() -> None:
    """Ctrl-C in a retry's sleep: the pages read so far are in the batch, and the interrupt follows."""

    class Stopping(Ticking):
        def sleep(self, seconds: float) -> None:
            raise KeyboardInterrupt

    with lab(Listing(every(10, 3), spoil=lambda n, reply: Reply({}, 503) if n == 2 else reply)) as at:
        at.clock = Stopping(NOW)
        walk = reddit.walk(
            at.client, EveryPostComplains(), groups=[GROUP], services=["tiktok"], state=at.state, clock=at.clock
        )
        batch = next(walk)
        assert [s for s, *_ in spans(batch)] == [Status.INTERRUPTED, Status.OK] and complaints(batch) > 0
        with pytest.raises(KeyboardInterrupt):
            next(walk)


def test_groups_are_stable_and_count_their_own_services() -> None:
    """One more service changes no more than one group of services; every subreddit is in one group."""
    known = catalog.load()
    services = list(known.services)
    all_groups, fewer = reddit.groups(known, services), reddit.groups(known, services[:-1])
    names = [name for group in all_groups for name in group.subreddits]
    assert len(names) == len(set(names))
    changed = [g for g in fewer if g.name.startswith("services") and g not in all_groups]
    assert len(changed) <= 1
    assert all_groups[-1].kinds == ("new",) and set(all_groups[-1].services) == set(services)


def test_missing_credentials_are_named() -> None:
    """An empty setting is one line with its name."""
    with pytest.raises(ConfigError, match="CLAMOR_REDDIT__CLIENT_SECRET"):
        reddit.open_reddit("id", " ", "test:clamor:0 (by /u/nobody)")
    with pytest.raises(ConfigError, match="CLAMOR_REDDIT__USER_AGENT"):
        reddit.open_reddit("id", "secret", "")
    with pytest.raises(ConfigError, match="api_url 'localhost'"):
        reddit.open_reddit("id", "secret", "test:clamor:0 (by /u/nobody)", "localhost")
