"""The X collector, through the unmodified tweepy client, against a loopback server."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clamor import catalog, schema
from clamor.collect import x
from clamor.collect.batch import Batch, State, coverage
from clamor.collect.budget import Budget
from clamor.schema import Signal, Status
from clamor.text.post import Post, Reading
from loopback import Params, Reply, Ticking, serve

NOW = datetime(2026, 11, 2, 12, 0, 30, tzinfo=UTC).timestamp()
DAY = 86_400.0


def catalogue(names: dict[str, tuple[str, ...]], phrases: dict[str, tuple[str, ...]]) -> Any:
    """A catalogue of a few services, all of them everywhere but one that is in GB only."""
    services = {
        name: SimpleNamespace(
            id=name, query_names=given, query_complaints=(), regions=("GB",) if name == "vodafone" else ()
        )
        for name, given in names.items()
    }
    return SimpleNamespace(
        services=services,
        phrases={language: {"query": given} for language, given in phrases.items()},
        complaint_terms=tuple(dict.fromkeys(term for given in phrases.values() for term in given)),
        regions=pd.DataFrame({"region": ["001", "150", "GB", "US"], "parent": ["", "001", "150", "019"]}),
        version="v",
    )


CATALOG = catalogue(
    {"tiktok": ("tiktok", "tik tok"), "netflix": ("netflix",), "vodafone": ("vodafone",)},
    {"en": ("down", "not working"), "es": ("no funciona",)},
)


class _ReadsByWord:
    """A reader to which "down" is a complaint, and a place is a place."""

    catalog = CATALOG

    def read(self, post: Post, service: str | None = None) -> list[Reading]:
        place = post.place_country or "ZZ"
        if "down" not in post.text:
            return [Reading("tiktok", Signal.COMMENTARY, region=place)]
        return [Reading("tiktok", Signal.COMPLAINT, ("login",) if "log in" in post.text else ("other",), region=place)]


def epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def buckets(start: float, end: float, posts: int = 1, field: str = "tweet_count") -> list[dict[str, Any]]:
    edges = np.arange(int(start), int(end) + 60, 60).astype("datetime64[s]")
    texts = [f"{text}.000Z" for text in np.datetime_as_string(edges).tolist()]
    return [{"start": low, "end": high, field: posts} for low, high in pairwise(texts)]


def page(rows: list[dict[str, Any]], token: str | None = None, field: str = "tweet_count") -> dict[str, Any]:
    meta: dict[str, Any] = {f"total_{field}": sum(row[field] for row in rows)}
    return {"data": rows, "meta": meta | ({"next_token": token} if token else {})}


def whole(path: str, params: Params, headers: dict[str, str]) -> Reply:
    return Reply(page(buckets(epoch(params["start_time"]), epoch(params["end_time"]))))


class Lab:
    """A client at a loopback server, a clock and a state; ``ask`` polls one service of no country."""

    def __init__(self, url: str) -> None:
        self.client = x.open_client("token", url, timeout_seconds=5)
        self.clock, self.state = Ticking(NOW), State()

    def poll(self, services: tuple[str, ...] = ("tiktok",), countries: tuple[str, ...] = (), **kw: Any) -> list[Batch]:
        kw = {"state": self.state, "clock": self.clock, "services": services, "countries": countries} | kw
        return list(x.poll(self.client, CATALOG, **kw))

    def backfill(self, since: float, **kw: Any) -> list[Batch]:
        kw = {"state": self.state, "clock": self.clock, "services": ["tiktok"], "countries": []} | kw
        return list(x.backfill(self.client, CATALOG, since=since, until=kw.pop("until", None), **kw))


@contextmanager
def lab(answer: Any) -> Iterator[tuple[Lab, list[Params]]]:
    asked: list[Params] = []

    def noted(path: str, params: Params, headers: dict[str, str]) -> Reply:
        asked.append(params | {"path": path, "authorization": headers.get("authorization", "")})
        return answer(path, params, headers)

    with serve(noted) as url:
        yield Lab(url), asked


def rows(batches: list[Batch]) -> list[tuple[str, str, Status, int, int]]:
    return [
        (a.regions[0] if a.regions else "", "".join(a.signals), a.status, a.bins_expected, a.bins_received)
        for batch in batches
        for a in batch.attempts
    ]


def test_a_poll_asks_for_24_hours_that_end_on_the_last_settled_minute() -> None:
    """Both queries of a service are asked for 1,440 whole minutes, and each answer proves all of them."""
    with lab(whole) as (at, asked):
        batches = at.poll()
    assert [a["path"] for a in asked] == ["/2/tweets/counts/recent"] * 2
    assert {a["authorization"] for a in asked} == {"Bearer token"}
    assert {(a["start_time"], a["end_time"], a["granularity"]) for a in asked} == {
        ("2026-11-01T11:59:00Z", "2026-11-02T11:59:00Z", "minute")
    }
    assert all("-is:retweet" in a["query"] and len(a["query"]) <= 512 for a in asked)
    assert rows(batches) == [
        ("001", "complaint", Status.OK, 1440, 1440),
        ("001", "mention", Status.OK, 1440, 1440),
    ]
    (batch,) = batches
    assert len(batch.volumes) == 2880 and set(batch.volumes["posts"]) == {1}
    schema.conform(batch.volumes, schema.VOLUMES)
    schema.conform(coverage(batch.attempts), schema.COVERAGE)
    assert at.state.spend_usd == {"2026-11-02": 0.01}


def test_partial_buckets_and_minutes_that_are_missing_prove_nothing() -> None:
    """A bucket of less than a minute is dropped, a hole in the answer is malformed, the rest is proven."""
    start, end = NOW - 90 - DAY, NOW - 90

    def answer(path: str, params: Params, headers: dict[str, str]) -> Reply:
        inner = buckets(start + 60, start + 600) + buckets(start + 720, end - 60)
        first = {"start": stamp(start + 7), "end": stamp(start + 60), "tweet_count": 9}
        last = {"start": stamp(end - 60), "end": stamp(end - 13), "tweet_count": 9}
        return Reply(page([first, *inner, last]))

    with lab(answer) as (at, _):
        batches = at.poll()
    spans = [(a.status, a.window_start - start, a.window_end - start) for a in batches[0].attempts[:5]]
    assert spans == [
        (Status.MALFORMED, 0, 60),
        (Status.OK, 60, 600),
        (Status.MALFORMED, 600, 720),
        (Status.OK, 720, DAY - 60),
        (Status.MALFORMED, DAY - 60, DAY),
    ]
    assert batches[0].volumes["posts"].max() == 1


def test_the_new_field_names_are_read() -> None:
    """``post_count`` and ``total_post_count`` mean what ``tweet_count`` and ``total_tweet_count`` meant."""

    def answer(path: str, params: Params, headers: dict[str, str]) -> Reply:
        made = buckets(epoch(params["start_time"]), epoch(params["end_time"]), 2, "post_count")
        return Reply(page(made, field="post_count"))

    with lab(answer) as (at, _):
        (batch,) = at.poll()
    assert {a.status for a in batch.attempts} == {Status.OK} and set(batch.volumes["posts"]) == {2}


def test_an_empty_page_with_a_token_is_not_the_end() -> None:
    """Pages are followed by their token, empty ones too, until the window is known."""

    def answer(path: str, params: Params, headers: dict[str, str]) -> Reply:
        start, end = epoch(params["start_time"]), epoch(params["end_time"])
        middle = end - 3600
        token = params.get("next_token")
        if token is None:
            return Reply(page(buckets(middle, end), "a"))
        return Reply(
            {"meta": {"total_tweet_count": 0, "next_token": "b"}} if token == "a" else page(buckets(start, middle))
        )

    with lab(answer) as (at, asked):
        (batch,) = at.poll()
    assert [a.get("next_token") for a in asked] == [None, "a", "b"] * 2
    assert [(a.status, a.requests) for a in batch.attempts] == [(Status.OK, 3)] * 2


@pytest.mark.parametrize(
    ("meta", "status"),
    [({"total_tweet_count": 0}, Status.OK), ({}, Status.MALFORMED), ({"total_tweet_count": 3}, Status.MALFORMED)],
)
def test_no_data_is_zero_only_if_the_total_says_0(meta: dict[str, int], status: Status) -> None:
    """An answer without buckets proves a calm day only with its own total of 0."""
    with lab(lambda *_: Reply({"meta": meta})) as (at, _):
        (batch,) = at.poll()
    assert {a.status for a in batch.attempts} == {status} and batch.volumes.empty


def test_a_200_with_errors_is_no_calm() -> None:
    """An answer of errors alone is malformed, and the ledger quotes it."""
    with lab(lambda *_: Reply({"errors": [{"title": "x", "detail": "index unavailable"}]})) as (at, _):
        (batch,) = at.poll()
    assert {a.status for a in batch.attempts} == {Status.MALFORMED}
    assert "index unavailable" in str(batch.attempts[0].detail)


@pytest.mark.parametrize(
    "body", [b"<html>busy</html>", b"[]", b"null", b'{"data": 5, "meta": {}}', b'{"data": [{"start": 1}], "meta": {}}']
)
def test_nonsense_is_malformed_and_never_zero(body: bytes) -> None:
    """A 200 that is no answer leaves its minutes unknown."""
    with lab(lambda *_: Reply(body)) as (at, _):
        batches = at.poll()
    assert {a.status for b in batches for a in b.attempts} <= {Status.MALFORMED, Status.SKIPPED}
    assert all(b.volumes.empty for b in batches)


def test_a_half_written_answer_is_asked_for_again() -> None:
    """A body shorter than it was promised is not read; the second try is."""
    tries: list[int] = []

    def answer(path: str, params: Params, headers: dict[str, str]) -> Reply:
        tries.append(1)
        reply = whole(path, params, headers)
        reply.cut = 50 if len(tries) == 1 else 0
        return reply

    with lab(answer) as (at, _):
        (batch,) = at.poll()
    assert [(a.status, a.requests) for a in batch.attempts] == [(Status.OK, 2), (Status.OK, 1)]
    assert len(at.clock.slept) == 1


def test_a_429_with_a_reset_is_slept_out_on_the_given_clock() -> None:
    """The call is made again after the reset that the answer names."""
    tries: list[int] = []

    def answer(path: str, params: Params, headers: dict[str, str]) -> Reply:
        tries.append(1)
        if len(tries) == 1:
            return Reply({"title": "Too Many Requests"}, 429, {"x-rate-limit-reset": str(int(NOW) + 300)})
        return whole(path, params, headers)

    with lab(answer) as (at, _):
        (batch,) = at.poll()
    assert {a.status for a in batch.attempts} == {Status.OK}
    assert 300 <= sum(at.clock.slept) < 303


def test_a_rate_window_that_is_used_up_is_waited_for_before_the_next_call() -> None:
    """``x-rate-limit-remaining: 0`` is believed, so that no 429 is earned."""

    def answer(path: str, params: Params, headers: dict[str, str]) -> Reply:
        reply = whole(path, params, headers)
        reply.headers = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(int(NOW) + 200)}
        return reply

    with lab(answer) as (at, _):
        at.poll()
    assert 200 <= sum(at.clock.slept) < 203


@pytest.mark.parametrize(
    ("status", "word"), [(429, Status.RATE_LIMITED), (402, Status.BUDGET), (401, Status.UNAUTHORIZED)]
)
def test_a_refusal_of_the_account_stops_x_for_this_run(status: int, word: Status) -> None:
    """A 429 without a reset, a 402 and a 401 are asked once; what was not asked is in the ledger with its own scope."""
    with lab(lambda *_: Reply({"title": "no"}, status)) as (at, asked):
        batches = at.poll(("tiktok", "netflix"), ("US",), raised=("tiktok",))
    assert len(asked) == 1
    got = [(a.services[0], a.status) for b in batches for a in b.attempts]
    left = Status.BUDGET if word == Status.BUDGET else Status.SKIPPED
    assert got[0] == ("tiktok", word) and {s for _, s in got[1:]} == {left} and len(got) == 6
    assert len({a.scope for b in batches for a in b.attempts}) == 6
    assert at.clock.slept == [] and at.state.watermarks == {}


def test_server_errors_are_retried_with_backoff_and_then_recorded() -> None:
    """Four tries a call, and after three calls that failed the rest of the run is left out."""
    with lab(lambda *_: Reply({"title": "down"}, 503)) as (at, asked):
        batches = at.poll(("tiktok", "netflix"))
    assert len(asked) == 12
    assert [a.status for b in batches for a in b.attempts] == [Status.FAILED] * 3 + [Status.SKIPPED]
    assert [a.requests for b in batches for a in b.attempts] == [4, 4, 4, 0]
    assert at.state.spend_usd == {}


def test_a_country_operator_that_is_refused_is_probed_once_and_remembered() -> None:
    """The world is counted all the same, and later polls do not ask for countries again."""

    def answer(path: str, params: Params, headers: dict[str, str]) -> Reply:
        if "place_country" in params["query"]:
            return Reply({"title": "Forbidden", "detail": "place_country is not available"}, 403)
        return whole(path, params, headers)

    with lab(answer) as (at, asked):
        first = at.poll(("tiktok", "netflix"), ("US", "GB"))
        assert len([a for a in asked if "place_country" in a["query"]]) == 1
        second = at.poll(("tiktok", "netflix"), ("US", "GB"))
    assert len([a for a in asked if "place_country" in a["query"]]) == 1
    assert "refused" in at.state.probes[x.PLACE_PROBE]
    assert [s for r, _, s, *_ in rows(first) if r == "001"] == [Status.OK] * 4
    (told,) = [a for b in second for a in b.attempts if a.scope == x.PLACE_PROBE]
    assert (told.status, told.regions, told.signals) == (Status.SKIPPED, ("US", "GB"), ())


def test_a_refused_operator_is_asked_for_again_after_a_week() -> None:
    """An account that was upgraded, or a refusal that was a fault of an hour, costs one request a week to notice."""
    allowed: list[bool] = []

    def answer(path: str, params: Params, headers: dict[str, str]) -> Reply:
        if "place_country" in params["query"] and not allowed:
            return Reply({"title": "Forbidden", "detail": "place_country is not available"}, 403)
        return whole(path, params, headers)

    with lab(answer) as (at, asked):
        for days in (0, 6.9, 0.2, 1):
            at.clock.at += days * DAY
            at.poll(countries=("US", "GB"))
        assert len([a for a in asked if "place_country" in a["query"]]) == 2
        allowed.append(True)
        at.clock.at += 7 * DAY
        at.poll(countries=("US", "GB"))
    assert len([a for a in asked if "place_country" in a["query"]]) == 4 and at.state.probes[x.PLACE_PROBE] == "ok"


def test_countries_are_counted_on_their_own_beat_and_at_once_when_raised() -> None:
    """A quarter of an hour later only a raised service's countries are asked for; an hour later all are."""
    with lab(whole) as (at, asked):
        for _ in range(2):
            at.poll(("tiktok", "netflix"), ("US", "GB"))
            at.clock.at += 900
        at.poll(("tiktok", "netflix"), ("US", "GB"), raised=("netflix",))
        at.clock.at += 2100
        at.poll(("tiktok", "netflix"), ("US", "GB"))
    asked_for = [a["query"] for a in asked if "place_country" in a["query"]]
    assert [("netflix" in q) for q in asked_for] == [False] * 2 + [True] * 4 + [False] * 2
    assert all("complaint" not in q for q in asked_for)


def test_a_longer_silence_is_healed_as_far_back_as_x_allows() -> None:
    """After three days without a poll, the next one asks from the last proof on."""
    with lab(whole) as (at, asked):
        at.poll()
        at.clock.at += 3 * DAY
        at.poll()
        at.clock.at += 30 * DAY
        at.poll()
    assert asked[2]["start_time"] == "2026-11-02T11:59:00Z"
    assert epoch(asked[4]["end_time"]) - epoch(asked[4]["start_time"]) == 7 * DAY - 600


def test_money_is_checked_before_each_call() -> None:
    """With half a cent left one call is made and the next one is not."""
    with lab(whole) as (at, asked):
        batches = at.poll(budget=Budget(daily_usd=0.005))
        assert len(asked) == 1
        at.clock.at += DAY
        at.poll(budget=Budget(daily_usd=0.02, monthly_usd=0.01))
    assert len(asked) == 2
    assert [a.status for b in batches for a in b.attempts] == [Status.OK, Status.BUDGET]
    assert "daily cap of $0.01" in str(batches[0].attempts[1].detail)


def test_a_backfill_asks_31_days_a_page_and_only_once() -> None:
    """Seventy days are three pages a query; repeating it asks for nothing but the minutes since."""
    with lab(whole) as (at, asked):
        batches = at.backfill(NOW - 70 * DAY)
        assert len(asked) == 6 and {a["path"] for a in asked} == {"/2/tweets/counts/all"}
        assert all(epoch(a["end_time"]) - epoch(a["start_time"]) <= 31 * DAY for a in asked)
        assert len(batches) == 6
        at.clock.at += 600
        at.backfill(NOW - 70 * DAY)
    assert [(epoch(a["end_time"]) - epoch(a["start_time"])) for a in asked[6:]] == [600.0, 600.0]


def test_an_interrupted_backfill_goes_on_at_the_page_where_it_stopped() -> None:
    """What was proven before the interrupt is yielded, and the next backfill begins below it."""
    calls: list[int] = []

    def answer(path: str, params: Params, headers: dict[str, str]) -> Reply:
        calls.append(1)
        return Reply({"title": "busy"}, 503) if len(calls) == 3 else whole(path, params, headers)

    class Stopping(Ticking):
        def sleep(self, seconds: float) -> None:
            raise KeyboardInterrupt

    got: list[Batch] = []
    with lab(answer) as (at, asked):
        at.clock = Stopping(NOW)
        with pytest.raises(KeyboardInterrupt):
            for batch in x.backfill(
                at.client,
                CATALOG,
                services=["tiktok"],
                countries=[],
                since=NOW - 90 * DAY,
                until=None,
                state=at.state,
                clock=at.clock,
            ):
                got.append(batch)  # noqa: PERF402  what was yielded before the interrupt is the point
        assert [b.attempts[0].status for b in got] == [Status.OK, Status.OK, Status.INTERRUPTED]
        at.clock = Ticking(NOW)
        at.backfill(NOW - 90 * DAY)
    assert asked[3]["start_time"] == asked[2]["start_time"] and asked[3]["end_time"] == asked[2]["end_time"]
    assert len(asked) == 7


def test_a_query_over_512_characters_is_split_by_language_and_its_parts_add_up() -> None:
    """Every post has one language, so no part counts another's posts, and minutes are known where all parts are."""
    terms = tuple(f"phrase number {n}" for n in range(18))
    phrases = {"en": terms, "ko": ("먹통", *terms[:6]), "ja": ("落ちてる" * 25,)}
    fake = catalogue({"tiktok": ("tiktok", "tik tok", "틱톡")}, phrases)
    parts = x.queries(fake, "tiktok")[Signal.COMPLAINT].parts
    assert len(parts) == 3 and all(len(part) <= 512 for part in parts)
    assert "-lang:ja -lang:ko" in parts[0] and " lang:ja" in parts[1] and " lang:ko" in parts[2]

    def answer(path: str, params: Params, headers: dict[str, str]) -> Reply:
        if " lang:ko" in params["query"]:
            return Reply({"title": "bad"}, 400)
        return whole(path, params, headers)

    with lab(answer) as (at, _):
        (batch,) = list(x.poll(at.client, fake, services=["tiktok"], countries=[], state=at.state, clock=at.clock))
        assert [(a.status, a.signals) for a in batch.attempts] == [
            (Status.FAILED, ("complaint",)),
            (Status.OK, ("mention",)),
        ]


def test_a_sample_yields_shares_and_stays_under_its_cap() -> None:
    """Signals among posts read, symptoms and regions among complaints, and no text."""

    def answer(path: str, params: Params, headers: dict[str, str]) -> Reply:
        assert path == "/2/tweets/search/recent"
        texts = ["tiktok is down, can't log in", "tiktok won't load, is it down for anyone else", "lol tiktok memes"]
        data = [
            {"id": str(n), "text": texts[n % 3], "created_at": stamp(NOW - 600), "author_id": str(n), "lang": "en"}
            | ({"geo": {"place_id": "p"}} if n == 0 else {})
            for n in range(int(params["max_results"]))
        ]
        places = [{"id": "p", "country_code": "GB", "full_name": "London, England"}]
        return Reply({"data": data, "includes": {"places": places}, "meta": {"result_count": 60, "next_token": "t"}})

    reader = _ReadsByWord()
    with lab(answer) as (at, asked):
        (batch,) = list(
            x.sample(
                at.client,
                CATALOG,
                reader,
                service="tiktok",
                state=at.state,
                clock=at.clock,
                window=(NOW - 3600, NOW),
                max_posts=500,
                cap_usd=0.25,
            )
        )
    assert [a["max_results"] for a in asked] == ["50"] and at.state.spend_usd == {"2026-11-02": 0.25}
    schema.conform(batch.samples, schema.SAMPLES)
    got = {(r.region, r.signal, r.symptom): (r.posts, r.sample_size) for r in batch.samples.itertuples()}
    assert got["001", "complaint", "any"] == (34, 50)
    assert got["GB", "complaint", "any"] == (1, 34)
    assert got["001", "complaint", "login"] == (17, 34)
    assert batch.volumes.empty and batch.attempts[0].signals == ()


def test_every_query_of_the_catalogue_fits() -> None:
    """No service of the shipped catalogue asks for more than X takes, with a country or without."""
    known = catalog.load()
    for service in known.services:
        for country in (None, "US"):
            for query in x.queries(known, service, country).values():
                assert all(len(part) <= 512 and part.endswith("-is:retweet") for part in query.parts)


def test_a_service_is_asked_for_where_it_operates_only() -> None:
    """A British provider costs no request in the US."""
    with lab(whole) as (at, asked):
        at.poll(("vodafone", "tiktok"), ("US", "GB"))
    by_country = [a["query"] for a in asked if "place_country" in a["query"]]
    assert [("vodafone" in q, q[-17:-12]) for q in by_country] == [(True, "ry:GB"), (False, "ry:US"), (False, "ry:GB")]


def test_countries_that_do_not_fit_into_the_rate_window_wait_for_the_next_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    """With 30 requests a window, ten services in two countries take two polls, the longest not counted first."""
    monkeypatch.setattr(x, "WINDOW_REQUESTS", 30)
    many = catalogue({f"s{n}": (f"name{n}",) for n in range(10)}, {"en": ("down",)})
    countries = ("US", "GB")
    with lab(lambda *_: Reply({"meta": {"total_tweet_count": 0}})) as (at, asked):
        for polls in (30, 60):
            list(
                x.poll(
                    at.client, many, services=list(many.services), countries=countries, state=at.state, clock=at.clock
                )
            )
            assert len(asked) == polls
            at.clock.at += 900
    by_country = [a["query"] for a in asked if "place_country" in a["query"]]
    assert len(by_country) == len(set(by_country)) == 20


def test_languages_are_counted_apart_from_volumes_and_again_every_hour_while_a_service_fails() -> None:
    """Quarters of an hour as rows of their own, zeros too; the scope says lang; nothing of it is a volume."""
    with lab(whole) as (at, asked):
        (world, spoken) = at.poll(languages=("ja", "pt"))
        at.clock.at += 3600
        at.poll(languages=("ja", "pt"))
        at.poll(languages=("ja", "pt"), raised=("tiktok",))
        at.clock.at += 900
        at.poll(languages=("ja", "pt"), raised=("tiktok",))
    by_language = [a for a in asked if " lang:" in a["query"]]
    assert [a["query"].split(" lang:")[1] for a in by_language] == ["ja -is:retweet", "pt -is:retweet"] * 2
    assert epoch(by_language[0]["end_time"]) - epoch(by_language[0]["start_time"]) == 2 * DAY
    assert spoken.volumes.empty and world.languages.empty
    schema.conform(spoken.languages, schema.LANGUAGES)
    assert {a.scope[:9] for a in spoken.attempts} == {"x:lang:ja", "x:lang:pt"}
    assert all(a.signals == () and a.status == Status.OK for a in spoken.attempts)
    got = spoken.languages.groupby("language")["posts"].agg(["size", "min", "max"])
    assert got.loc["ja"].tolist() == [2 * 96 - 1, 15, 15] == got.loc["pt"].tolist()
    assert all(stamp.minute % 15 == 0 for stamp in spoken.languages["bin_start"])


def test_a_language_operator_that_is_refused_is_remembered_and_the_world_is_counted() -> None:
    """The refusal is one row of the ledger, and the operator is not asked for again."""

    def answer(path: str, params: Params, headers: dict[str, str]) -> Reply:
        return Reply({"title": "no"}, 403) if " lang:" in params["query"] else whole(path, params, headers)

    with lab(answer) as (at, asked):
        first = at.poll(languages=("ja", "pt"))
        at.clock.at += 2 * DAY
        second = at.poll(languages=("ja", "pt"))
    assert len([a for a in asked if " lang:" in a["query"]]) == 1
    assert [a.status for a in first[0].attempts] == [Status.OK] * 2
    (told,) = [a for b in second for a in b.attempts if a.scope == x.LANGUAGE_PROBE]
    assert told.status == Status.SKIPPED and "refused at" in str(told.detail)


def test_a_split_query_in_a_language_is_the_part_of_that_language() -> None:
    """What is counted in a language is a part of what is counted of the world, never more."""
    terms = tuple(f"phrase number {n}" for n in range(20))
    fake = catalogue({"tiktok": ("tiktok",)}, {"en": terms, "ja": ("落ちてる" * 25,)})
    parts = x.queries(fake, "tiktok")[Signal.COMPLAINT].parts
    assert len(parts) == 2 and x.language_query(fake, "tiktok", "ja").parts == (parts[1],)
    (spanish,) = x.language_query(fake, "tiktok", "es").parts
    assert spanish == parts[0].replace(" -lang:ja -is:retweet", " lang:es -is:retweet") and len(spanish) <= 512
