"""The emulators through the unmodified clients, on a clock that the test steps."""

import json
import multiprocessing
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import praw
import prawcore
import pytest
import requests
import tweepy
from requests.adapters import HTTPAdapter

from clamor.simulate import x_api
from clamor.simulate.clock import StepClock, WallClock
from clamor.simulate.faults import Fault, Faults, Injector
from clamor.simulate.index import Search
from clamor.simulate.reddit_api import RedditApi
from clamor.simulate.server import Server, _bound, _run, _Secrets, serve
from clamor.simulate.threads import STATES, subreddits
from clamor.simulate.wire import Answer, Request, as_json, base36
from clamor.simulate.world import World
from clamor.simulate.x_api import XApi

START = datetime(2026, 10, 5, tzinfo=UTC)
QUERY = '(tiktok OR "tik tok") (down OR broken OR "not working" OR crash OR login) -is:retweet'
COUNTS = "/2/tweets/counts/recent"


@pytest.fixture(scope="module")
def world() -> World:
    return World(7, START, history_days=2)


@pytest.fixture(scope="module")
def clock(world: World) -> StepClock:
    return StepClock(world.eval_start + 20 * 3600)


@pytest.fixture(scope="module")
def server(world: World, clock: StepClock) -> Iterator[Server]:
    with serve(world, clock) as running:
        yield running


class _Redirect(HTTPAdapter):
    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        assert request.url is not None
        request.url = request.url.replace("https://api.twitter.com", self._url)
        return super().send(request, *args, **kwargs | {"proxies": {}, "timeout": 10})


@pytest.fixture
def client(server: Server) -> Iterator[tweepy.Client]:
    made = tweepy.Client(server.bearer_token)
    made.session.mount("https://api.twitter.com/", _Redirect(server.url))
    yield made
    made.session.close()


@pytest.fixture
def reddit(server: Server) -> Iterator[praw.Reddit]:
    with praw.Reddit(
        client_id=server.client_id,
        client_secret=server.client_secret,
        user_agent=server.user_agent,
        oauth_url=server.url,
        reddit_url=server.url,
        check_for_updates=False,
    ) as made:
        yield made


@pytest.fixture
def x(world: World) -> XApi:
    return XApi(world, lambda: world.eval_start + 7200.0, "secret")


def ask(api: XApi, path: str = COUNTS, token: str = "secret", **params: str) -> tuple[int, dict[str, Any], Answer]:
    headers = {"authorization": f"Bearer {token}"}
    answer = api.answer(Request("GET", path, {"query": QUERY, **params}, headers))
    return answer.status, json.loads(answer.body), answer


def utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_recent_counts_are_the_worlds(client: tweepy.Client, world: World, clock: StepClock) -> None:
    """Minute by minute, what tweepy receives is what is in the world, for the world and for a country."""
    end = clock.now() // 60 * 60 - 60
    for query in (QUERY, f"{QUERY} place_country:US"):
        answer = client.get_recent_tweets_count(
            query, granularity="minute", start_time=utc(end - 86400), end_time=utc(end)
        )
        assert len(answer.data) == 1440
        served = np.array([row["tweet_count"] for row in answer.data])
        seconds = Search(world).seconds(query) + world.start
        wanted = np.histogram(seconds, bins=np.arange(end - 86400, end + 1, 60))[0]
        assert served.tolist() == wanted.tolist()
        assert answer.meta["total_tweet_count"] == served.sum() > 0
        assert answer.data[0]["start"] == utc(end - 86400).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def test_first_and_last_buckets_are_cut_at_the_window(client: tweepy.Client, world: World, clock: StepClock) -> None:
    """A window from 0:30 to 2:10 has three minutes, of which the outer two are partial."""
    first = world.eval_start + 30
    answer = client.get_recent_tweets_count(
        QUERY, granularity="minute", start_time=utc(first), end_time=utc(first + 100)
    )
    spans = [(row["start"][14:19], row["end"][14:19]) for row in answer.data]
    assert spans == [("00:30", "01:00"), ("01:00", "02:00"), ("02:00", "02:10")]


def test_search_finds_every_post_once_newest_first(client: tweepy.Client, world: World, clock: StepClock) -> None:
    """Walking the pages by their tokens gives each matching post once, with time, language, place and author."""
    start, end = clock.now() - 5400, clock.now() - 20
    found: list[Any] = []
    places: dict[str, Any] = {}
    users: dict[str, Any] = {}
    token = None
    while True:
        page = client.search_recent_tweets(
            QUERY,
            max_results=10,
            start_time=utc(start),
            end_time=utc(end),
            next_token=token,
            expansions=["author_id", "geo.place_id"],
            tweet_fields=["created_at", "lang", "geo"],
            user_fields=["location"],
            place_fields=["full_name", "country_code"],
        )
        found += page.data or []
        places |= {place.id: place for place in page.includes.get("places", [])}
        users |= {user.id: user for user in page.includes.get("users", [])}
        token = page.meta.get("next_token")
        if token is None:
            break
    seconds = Search(world).seconds(QUERY) + world.start
    wanted = seconds[(seconds >= start) & (seconds < int(end))]
    assert sorted(post.created_at.timestamp() for post in found) == wanted.tolist()
    assert len({post.id for post in found}) == len(found) > 10
    assert [post.created_at for post in found] == sorted((post.created_at for post in found), reverse=True)
    tagged = [post for post in found if post.geo]
    assert tagged and all(places[post.geo["place_id"]].country_code for post in tagged)
    assert {post.author_id for post in found} <= set(users)
    assert any(user.location for user in users.values())


def test_a_wrong_token_is_refused(server: Server) -> None:
    """X answers 401, which tweepy raises."""
    client = tweepy.Client("wrong")
    client.session.mount("https://api.twitter.com/", _Redirect(server.url))
    with client.session, pytest.raises(tweepy.Unauthorized):
        client.get_recent_tweets_count(QUERY)


def test_a_bad_query_is_refused_with_the_reason(client: tweepy.Client) -> None:
    """The message names the operator and its position."""
    with pytest.raises(tweepy.BadRequest, match="invalid operator 'profile_country'"):
        client.get_recent_tweets_count("tiktok profile_country:US")


@pytest.mark.parametrize(
    ("params", "wanted"),
    [
        ({"end_time": "2026-10-07T01:59:55Z"}, "minimum of 10 seconds"),
        ({"start_time": "2026-09-20T00:00:00Z"}, "must be on or after"),
        ({"start_time": "2026-10-07T01:00:00Z", "end_time": "2026-10-07T00:00:00Z"}, "must be after"),
        ({"start_time": "yesterday"}, "RFC 3339"),
        ({"granularity": "week"}, "not one of"),
        ({"query": "x" * 513}, "between 1 and 512"),
        ({"since_id": "1"}, "start_time and end_time"),
    ],
)
def test_bad_parameters_are_refused_in_xs_shape(x: XApi, params: dict[str, str], wanted: str) -> None:
    """A 400 with errors, title, detail and type."""
    status, body, _ = ask(x, **params)
    assert status == 400
    assert wanted in body["errors"][0]["message"]
    assert body["title"] == "Invalid Request" and body["type"].endswith("invalid-request")


def test_limits_hold_on_the_emulated_clock(world: World) -> None:
    """The 301st request in a window is refused until the window's reset; another endpoint has its own."""
    now = [world.eval_start + 7200.0]
    api = XApi(world, lambda: now[0], "secret")
    remaining = [ask(api, granularity="day")[2].headers["x-rate-limit-remaining"] for _ in range(300)]
    assert (remaining[0], remaining[-1]) == ("299", "0")
    status, body, answer = ask(api)
    assert (status, body["title"]) == (429, "Too Many Requests")
    reset = int(answer.headers["x-rate-limit-reset"])
    assert reset == now[0] + 900
    assert ask(api, "/2/tweets/counts/all", granularity="day")[0] == 200
    now[0] = reset - 1
    assert ask(api, granularity="day")[0] == 429
    now[0] = reset
    assert ask(api, granularity="day")[0] == 200


@pytest.mark.parametrize("path", x_api.LIMITS)
def test_every_endpoint_has_its_own_limit(world: World, path: str) -> None:
    """300 for counts and the full archive's search, 450 for recent search, told in the headers."""
    api = XApi(world, lambda: world.eval_start + 7200.0, "secret")
    limit = 450 if path == "/2/tweets/search/recent" else 300
    headers = ask(api, path)[2].headers
    assert (headers["x-rate-limit-limit"], headers["x-rate-limit-remaining"]) == (str(limit), str(limit - 1))


def test_the_full_archive_is_searched_once_a_second(world: World) -> None:
    """The second search in a second is refused, the next second it is served."""
    now = [world.eval_start + 7200.0]
    api = XApi(world, lambda: now[0], "secret")
    answers = []
    for step in (0.0, 0.4, 0.6):
        now[0] += step
        answers.append(ask(api, "/2/tweets/search/all")[0])
    assert answers == [200, 429, 200]


def test_reddit_wants_a_user_agent_of_ones_own(server: Server) -> None:
    """A library's default is answered 429, as Reddit does."""
    answer = requests.get(f"{server.url}/r/netflix/new", timeout=5)
    assert answer.status_code == 429


def test_the_full_archive_pages_backwards(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two and a half days at a day a page are three pages that meet without overlap; their sum is the whole."""
    monkeypatch.setattr(x_api, "PAGE_DAYS", 1)
    api = XApi(world, lambda: float(world.end), "secret")
    window = {"start_time": "2026-10-05T00:00:00Z", "end_time": "2026-10-07T12:00:00Z", "granularity": "hour"}
    pages = [ask(api, "/2/tweets/counts/all", **window)[1]]
    while token := pages[-1]["meta"].get("next_token"):
        pages.append(ask(api, "/2/tweets/counts/all", **window, next_token=token)[1])
    assert [len(page["data"]) for page in pages] == [24, 24, 12]
    assert [page["data"][0]["start"] for page in pages[:-1]] == [page["data"][-1]["end"] for page in pages[1:]]
    seconds = Search(world).seconds(QUERY)
    assert sum(page["meta"]["total_tweet_count"] for page in pages) == int((seconds < 60 * 3600).sum())


def test_nothing_is_served_outside_the_world(world: World) -> None:
    """Before the start a window is refused, after the end the service is unavailable: neither looks like calm."""
    api = XApi(world, lambda: world.horizon + 11.0, "secret")
    assert ask(api)[0] == 503


def test_new_submissions_are_the_worlds(reddit: praw.Reddit, world: World, clock: StepClock) -> None:
    """A walk of a group shows its newest submissions, complete down to the oldest shown, removed ones marked."""
    names = ("roblox", "techsupport")
    shown = list(reddit.subreddit("+".join(names)).new(limit=None))
    assert len(shown) <= 1000
    items = world.items
    where = [number for number, subreddit in enumerate(subreddits()) if subreddit.name in names]
    oldest = min(post.created_utc for post in shown) - world.start
    wanted = np.isin(items.subreddit, where) & (items.title >= 0) & (items.state != STATES.index("deleted"))
    wanted &= (items.second >= oldest) & (items.second <= clock.now() - world.start)
    assert sorted(int(post.created_utc) - world.start for post in shown) == items.second[wanted].tolist()
    removed = [post for post in shown if post.selftext == "[removed]"]
    assert len(removed) == int((items.state[wanted] == STATES.index("removed")).sum()) > 0
    assert {str(post.subreddit) for post in shown} == set(names)


def test_a_listing_ends_at_a_thousand(reddit: praw.Reddit, clock: StepClock) -> None:
    """Comments of a busy group: ten pages and no more, newest first."""
    shown = list(reddit.subreddit("roblox+youtube+TikTok+discordapp").comments(limit=None))
    assert len(shown) == 1000
    times = [comment.created_utc for comment in shown]
    assert times == sorted(times, reverse=True)
    assert times[0] <= clock.now()
    assert len({comment.fullname for comment in shown}) == 1000


def test_a_stale_submission_comes_to_the_top_again(world: World) -> None:
    """Before its hour it stands at its time, after it at the top, once."""
    items = world.items
    busy = [number for number, subreddit in enumerate(subreddits()) if subreddit.items_per_hour >= 16]
    again = int(np.flatnonzero((items.again > 7200) & np.isin(items.subreddit, busy))[0])
    now = [float(world.start + items.again[again] - 1)]
    api = RedditApi(world, lambda: now[0], "a", "b", lambda: "t")
    before = api.listed(busy, comments=False).tolist()
    now[0] += 1
    after = api.listed(busy, comments=False).tolist()
    assert before.index(again) > 0 == after.index(again)
    assert sorted(before) == sorted(after)


def test_unknown_and_private_subreddits(reddit: praw.Reddit) -> None:
    """404 and 403 alone; left out beside others."""
    with pytest.raises(prawcore.exceptions.NotFound):
        list(reddit.subreddit("no_such_place").new(limit=5))
    with pytest.raises(prawcore.exceptions.Forbidden):
        list(reddit.subreddit("tiktokmods").new(limit=5))
    assert len(list(reddit.subreddit("no_such_place+netflix").new(limit=5))) == 5


def test_reddits_token_is_checked_and_expires_on_the_emulated_clock(world: World) -> None:
    """Wrong credentials and an old token are 401; a new token serves."""
    import base64

    now = [world.eval_start + 7200.0]
    tokens = iter(("first", "second"))
    api = RedditApi(world, lambda: now[0], "id", "secret", lambda: next(tokens), token_seconds=3600)

    def grant(pair: str) -> Answer:
        basic = base64.b64encode(pair.encode()).decode()
        headers = {"authorization": f"Basic {basic}", "user-agent": "test"}
        return api.answer(Request("POST", "/api/v1/access_token", {}, headers, b"grant_type=client_credentials"))

    def listing(token: str) -> int:
        headers = {"authorization": f"bearer {token}", "user-agent": "test"}
        return api.answer(Request("GET", "/r/netflix/new", {}, headers)).status

    assert grant("id:wrong").status == 401
    assert listing("first") == 401
    assert json.loads(grant("id:secret").body)["access_token"] == "first"
    assert listing("first") == 200
    now[0] += 3601
    assert listing("first") == 401
    grant("id:secret")
    assert listing("second") == 200


def test_a_key_has_a_thousand_requests_in_ten_minutes(world: World) -> None:
    """The next one is refused, with the seconds to the window's end; after it the key is free again."""
    now = [world.eval_start + 7200.0]
    api = RedditApi(world, lambda: now[0], "id", "secret", lambda: "t")
    api._expiry["t"] = world.end
    request = Request("GET", "/r/no_such_place/new", {}, {"authorization": "bearer t", "user-agent": "test"})
    assert {api.answer(request).status for _ in range(1000)} == {404}
    refused = api.answer(request)
    assert (refused.status, refused.headers["retry-after"]) == (429, "601")
    now[0] += 601
    assert api.answer(request).status == 404


def test_after_a_cursor_that_is_gone_the_page_is_empty(world: World) -> None:
    """As on Reddit: the page is empty, not the first one again."""
    api = RedditApi(world, lambda: world.eval_start + 7200.0, "id", "secret", lambda: "t")
    api._expiry["t"] = world.end
    headers = {"authorization": "bearer t", "user-agent": "test"}
    body = json.loads(api.answer(Request("GET", "/r/netflix/new", {"after": "t3_gone"}, headers)).body)
    assert body["data"]["children"] == [] and body["data"]["after"] is None


def test_a_taken_port_is_said(server: Server, world: World) -> None:
    """The message has the port and what to do, and reaches the process that started the server."""
    port = int(server.url.rsplit(":", 1)[1])
    ours, theirs = multiprocessing.Pipe()
    _run(theirs, world, WallClock(), _Secrets("a", "b", "c"), port, Faults(), 60)
    with pytest.raises(OSError, match=f"{port}.*choose another"):
        _bound(ours, multiprocessing.current_process())


def test_a_stepped_clock_moves_by_sleep_and_never_back() -> None:
    """Sleep is at once; set is a maximum."""
    clock = StepClock(100.0)
    clock.sleep(20)
    clock.set(90)
    assert clock.now() == 120.0
    clock.set(130)
    assert clock.now() == 130.0


REQUEST = Request("GET", COUNTS, {"query": "tiktok place_country:US"}, {})


def _good(request: Request) -> Answer:
    row = {"end": "2026-10-07T00:02:00.000Z", "start": "2026-10-07T00:01:00.000Z", "tweet_count": 3}
    return as_json(200, {"data": [row], "meta": {"total_tweet_count": 3}})


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("rate_limited", 429),
        ("rate_limited_without_reset", 429),
        ("credits", 402),
        ("forbidden", 403),
        ("server_error", 503),
    ],
)
def test_a_fault_refuses_in_its_time_and_no_other(kind: str, status: int) -> None:
    """Between since and until, on matching paths and queries; only the plain 429 says when to come back."""
    fault = Fault(kind, path="/2/", contains="place_country:", since=100, until=200)
    injector = Injector(Faults((fault,)))
    assert [injector.answer(REQUEST, now, _good).status for now in (99, 100, 199, 200)] == [200, status, status, 200]
    answer = injector.answer(REQUEST, 150, _good)
    assert ("x-rate-limit-reset" in answer.headers) is (kind == "rate_limited")
    assert injector.answer(Request("GET", COUNTS, {"query": "tiktok"}, {}), 150, _good).status == 200
    assert injector.struck == {kind: 3}


def test_spoiled_answers() -> None:
    """Renamed, empty with a token that goes on, no JSON, cut."""

    def spoiled(kind: str) -> Answer:
        return Injector(Faults((Fault(kind),))).answer(REQUEST, 0, _good)

    assert json.loads(spoiled("renamed").body)["meta"] == {"total_post_count": 3}
    empty = json.loads(spoiled("empty_page").body)
    assert "data" not in empty and empty["meta"]["total_tweet_count"] == 0 and empty["meta"]["next_token"]
    assert not spoiled("nonsense").body.startswith(b"{")
    assert spoiled("cut").cut == 0.6


def test_a_page_comes_twice_only_within_its_walk() -> None:
    """The second page of a walk is the first once more; another query's page is never served for it."""
    injector = Injector(Faults((Fault("duplicate_page"),)))

    def page(**params: str) -> str:
        request = Request("GET", COUNTS, params, {})
        answer = injector.answer(request, 0, lambda asked: as_json(200, dict(asked.params)))
        return json.loads(answer.body).get("next_token", "first")

    assert [page(query="a"), page(query="b", next_token="2"), page(query="a", next_token="2")] == [
        "first",
        "2",
        "first",
    ]


def test_a_cut_answer_breaks_the_connection_and_nothing_is_left_behind(world: World, clock: StepClock) -> None:
    """The client sees a broken answer, the next request is served; at the end no process and no open port is left."""
    faults = Faults((Fault("cut", until=clock.now() + 1),))
    with serve(world, clock, faults=faults) as running, requests.Session() as session:
        headers = {"authorization": f"Bearer {running.bearer_token}"}
        with pytest.raises(requests.RequestException):
            session.get(running.url + COUNTS, params={"query": QUERY}, headers=headers, timeout=5).json()
        clock.sleep(2)
        assert session.get(running.url + COUNTS, params={"query": QUERY}, headers=headers, timeout=5).ok
        assert any(child.pid == running.pid for child in multiprocessing.active_children())
    assert not any(child.pid == running.pid for child in multiprocessing.active_children())
    with pytest.raises(requests.ConnectionError):
        requests.get(running.url, timeout=2)


def test_an_operator_that_the_account_may_not_use(world: World) -> None:
    """X answers 400 and names the operator."""
    api = XApi(world, lambda: world.eval_start + 7200.0, "secret", forbidden_operators=frozenset({"place_country"}))
    status, body, _ = ask(api, query=f"{QUERY} place_country:US")
    assert status == 400 and "invalid operator 'place_country'" in body["errors"][0]["message"]


def test_an_unknown_fault_is_refused() -> None:
    """The message lists the kinds."""
    with pytest.raises(ValueError, match="rate_limited"):
        Fault("gremlins")


def test_ids_are_written_in_base_36() -> None:
    """As Reddit writes them."""
    assert [base36(number) for number in (0, 35, 36, 1_800_000_000)] == ["0", "z", "10", "tro8w0"]
