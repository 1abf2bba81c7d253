"""A day of polling against the emulators under every fault: each minute is right or unknown, and none is wrong.

The truth is the synthetic world itself, not what the emulators sent.
"""

import threading
from collections import Counter as Tally
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import formatdate

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from clamor import catalog
from clamor.collect import reddit, x
from clamor.collect.batch import Batch, State
from clamor.collect.reddit import Group
from clamor.schema import PROVES, Signal
from clamor.simulate.faults import REFUSALS, SPOILS, Fault, Faults, Injector
from clamor.simulate.index import Search
from clamor.simulate.reddit_api import RedditApi
from clamor.simulate.server import _handler, _Http
from clamor.simulate.threads import STATES, subreddits
from clamor.simulate.wire import Answer, Request
from clamor.simulate.world import World
from clamor.simulate.x_api import XApi
from loopback import Ticking
from test_reddit import EveryPostComplains

Ints = npt.NDArray[np.int64]
DAY = 1440
SERVICES = ("tiktok", "vodafone")
COUNTRIES = ("GB", "US")
LANGUAGES = ("en", "ja")


@pytest.fixture(scope="module")
def world() -> World:
    return World(11, datetime(2026, 10, 4, tzinfo=UTC), history_days=2)


@contextmanager
def emulated(world: World, clock: Ticking, faults: Faults) -> Iterator[tuple[str, Injector]]:
    """Serve the emulators in this process, so that the faults that struck can be counted."""
    injector = Injector(faults)

    def now() -> float:
        return clock.now() + faults.skew_seconds

    apis = {
        True: XApi(world, now, "token", forbidden_operators=frozenset(faults.forbidden_operators)),
        False: RedditApi(world, now, "id", "secret", lambda: "ttt", 10 * 86_400),
    }

    def answer(request: Request) -> Answer:
        found = injector.answer(request, clock.now(), apis[request.path.startswith("/2/")].answer)
        found.headers["date"] = formatdate(now(), usegmt=True)
        return found

    server = _Http(("127.0.0.1", 0), _handler(answer))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", injector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Ledger:
    """What the batches of a day prove: posts a minute of each scope, -1 where nothing does; the newest attempt wins."""

    def __init__(self, world: World, signal: str) -> None:
        self.start, self.signal = world.eval_start, signal
        self.minutes: dict[str, Ints] = {}
        self.languages: list[pd.DataFrame] = []

    def add(self, batch: Batch) -> None:
        self.languages.append(batch.languages)
        for a in batch.attempts:
            if self.signal and self.signal not in a.signals:
                continue
            known = self.minutes.setdefault(a.scope, np.full(DAY, -1))
            if a.status in PROVES:
                low, high = (int(t - self.start) // 60 for t in (a.window_start, a.window_end))
                known[max(0, low) : max(0, high)] = 0
        rows = batch.volumes.loc[(batch.volumes["symptom"] == "any") & (batch.volumes["signal"] == self.signal)]
        at = (rows["bin_start"].astype("int64").to_numpy() // 1_000_000 - self.start) // 60
        for scope, minute, posts in zip(rows["scope"], at.tolist(), rows["posts"], strict=True):
            if 0 <= minute < DAY:
                assert self.minutes[scope][minute] >= 0, "a row without an attempt that proves it"
                self.minutes[scope][minute] = posts


GROUP = Group("g", tuple(sorted(one.name.lower() for one in subreddits()[:12])), ("tiktok",))


def x_truth(world: World, search: Search, query: x.Query) -> Ints:
    """Posts a minute of the last day that match a query's parts."""
    edges = np.arange(DAY + 1) * 60 + world.eval_start - world.start
    seconds = [np.searchsorted(search.seconds(part), edges) for part in query.parts]
    return np.asarray(sum(np.diff(places) for places in seconds))


def reddit_truth(world: World, comments: bool) -> Ints:
    """Items a minute of the last day in a group that were neither deleted nor removed."""
    items = world.items
    wanted = [n for n, one in enumerate(subreddits()) if one.name.lower() in GROUP.subreddits]
    keep = np.isin(items.subreddit, wanted) & ((items.title < 0) == comments)
    keep &= items.state == STATES.index("kept")
    minutes = (items.second[keep] - (world.eval_start - world.start)) // 60
    return np.bincount(minutes[minutes >= 0], minlength=DAY)[:DAY]


SHARED = ("server_error", "cut", "nonsense", "empty_page", "duplicate_page", "renamed", "slow", "drip", "stale")
OPERATOR_HOUR = 16
"""From here on the account may not count by country any more."""


def every_fault(world: World) -> Faults:
    """Each kind on a share of the requests or for a while, in turn over the day, and all day a clock that is behind."""
    hour = [world.eval_start + 3600.0 * n for n in range(25)]
    shares = tuple(
        Fault(kind, path, since=hour[1], until=hour[20], share=0.04, seconds=0.001)
        for kind in SHARED
        for path in ("/2/", "/r/")
    )
    bursts = (
        Fault("rate_limited", since=hour[2] - 60, until=hour[2] + 100),
        Fault("rate_limited_without_reset", since=hour[4] - 60, until=hour[4] + 60),
        Fault("credits", "/2/", since=hour[6], until=hour[7]),
        Fault("server_error", since=hour[8], until=hour[9]),
        Fault("forbidden", since=hour[10] - 60, until=hour[10] + 60),
        Fault("forbidden", "/2/", contains="place_country:", since=hour[OPERATOR_HOUR], until=hour[24]),
    )
    return Faults((*bursts, *shares), skew_seconds=-75.0, seed=3)


def day_of_polling(world: World, faults: Faults, polls: int = 96) -> tuple[Ledger, Ledger, Injector, Tally[str], State]:
    """Poll every quarter of an hour of the last day, as cron would; the last four hours are without faults."""
    clock = Ticking(world.eval_start)
    known, reader = catalog.load(), EveryPostComplains()
    states, tally = (State(), State()), Tally[str]()
    ledgers = (Ledger(world, str(Signal.COMPLAINT)), Ledger(world, str(Signal.MENTION)))
    with emulated(world, clock, faults) as (url, injector):
        client = x.open_client("token", url, timeout_seconds=5)
        praw = reddit.open_reddit("id", "secret", "test:clamor:0 (by /u/nobody)", url, timeout_seconds=5, clock=clock)
        for quarter in range(1, polls + 1):
            clock.at = max(clock.at, world.eval_start + 900.0 * quarter - 30)
            batches = [
                *x.poll(
                    client,
                    known,
                    services=SERVICES,
                    countries=COUNTRIES,
                    languages=LANGUAGES,
                    language_beat_minutes=60,
                    state=states[0],
                    clock=clock,
                    lookback_hours=min(24.0, quarter / 4),
                ),
                *reddit.walk(praw, reader, groups=[GROUP], services=["tiktok"], state=states[1], clock=clock),
            ]
            for batch in batches:
                tally.update(str(a.status) for a in batch.attempts)
                ledgers[batch.attempts[0].source == "reddit"].add(batch)
        praw._core.close()
    return *ledgers, injector, tally, states[0]


@pytest.fixture(scope="module")
def day(world: World) -> tuple[Ledger, Ledger, Injector, Tally[str], State]:
    return day_of_polling(world, every_fault(world))


def test_no_minute_of_x_is_wrong_under_every_fault(
    world: World, day: tuple[Ledger, Ledger, Injector, Tally[str], State]
) -> None:
    """Every known minute equals the world's, and 95% of what a later poll could reach are known at the end.

    Out of reach are countries from the last beat before their operator was refused on.
    """
    ledger, _, injector, tally, _ = day
    search, known = Search(world), catalog.load()
    bins = right = 0
    reach = {True: DAY, False: 60 * (OPERATOR_HOUR - 1)}
    for service in SERVICES:
        for country in (None, *x.operates_in(known, service, COUNTRIES)):
            query = x.queries(known, service, country)[Signal.COMPLAINT]
            got, truth = ledger.minutes[query.scope], x_truth(world, search, query)
            seen = got >= 0
            assert (got[seen] == truth[seen]).all(), (service, country)
            minutes = reach[country is None]
            assert seen[:minutes].mean() >= 0.95, (service, country)
            bins, right = bins + minutes, right + int(seen[:minutes].sum())
    faults = sum(injector.struck.values())
    print(f"\nX: {right:,} of {bins:,} minutes known, none wrong; {faults:,} faults struck: {dict(injector.struck)}")
    print(f"attempts: {dict(tally)}")


def test_no_count_by_language_is_wrong_under_every_fault(
    world: World, day: tuple[Ledger, Ledger, Injector, Tally[str], State]
) -> None:
    """Every quarter of an hour that was stored of a language equals the world's, and 95% of the day's are stored."""
    ledger, search, known = day[0], Search(world), catalog.load()
    rows = pd.concat(ledger.languages).sort_values("observed_at").drop_duplicates(["scope", "bin_start"], keep="last")
    rows["at"] = (rows["bin_start"].astype("int64") // 1_000_000 - world.eval_start) // 900
    rows = rows.loc[rows["at"].between(0, 95)]
    for service in SERVICES:
        for language in LANGUAGES:
            query = x.language_query(known, service, language)
            mine = rows.loc[rows["scope"] == query.scope]
            truth = x_truth(world, search, query).reshape(96, 15).sum(axis=1)
            assert (mine["posts"].to_numpy() == truth[mine["at"].to_numpy()]).all() and len(mine) >= 0.95 * 96
    print(
        f"\nX by language: {len(rows)} of {96 * len(SERVICES) * len(LANGUAGES)} quarters of an hour known, none wrong"
    )


def test_no_minute_of_reddit_is_wrong_under_every_fault(
    world: World, day: tuple[Ledger, Ledger, Injector, Tally[str], State]
) -> None:
    """Every known minute equals the world's; what the listing outran is unknown."""
    _, ledger, *_ = day
    for kind in ("new", "comments"):
        got, truth = ledger.minutes[f"reddit:{kind}:g"], reddit_truth(world, kind == "comments")
        seen = got >= 0
        wrong = np.flatnonzero(seen & (got != truth))
        assert not len(wrong), (kind, wrong[:5], got[wrong[:5]], truth[wrong[:5]])
        assert seen.mean() >= 0.95, kind
        print(
            f"\nReddit {kind}: {int(seen.sum()):,} of {DAY:,} minutes known, {int(got[seen].sum()):,} posts, none wrong"
        )


def test_every_kind_of_fault_struck(day: tuple[Ledger, Ledger, Injector, Tally[str], State]) -> None:
    """The day would prove little if the faults had missed."""
    _, _, injector, tally, _ = day
    assert set(injector.struck) == {*REFUSALS, *SPOILS}
    assert {"ok", "failed", "rate_limited", "budget", "skipped"} <= set(tally)


@pytest.mark.parametrize("skew", [-200.0, 200.0])
def test_a_clock_that_runs_wrong_proves_nothing_too_early(world: World, skew: float) -> None:
    """With a service 200 s behind or ahead, what it has not lived through yet is unknown, and the rest is right."""
    on_x, on_reddit, *_ = day_of_polling(world, Faults(skew_seconds=skew), polls=4)
    search, known = Search(world), catalog.load()
    for service in SERVICES:
        query = x.queries(known, service)[Signal.COMPLAINT]
        got, truth = on_x.minutes[query.scope], x_truth(world, search, query)
        assert (got[:55] == truth[:55]).all() and (got[got >= 0] == truth[got >= 0]).all()
    for kind in ("new", "comments"):
        got, truth = on_reddit.minutes[f"reddit:{kind}:g"], reddit_truth(world, kind == "comments")
        assert (got[:55] == truth[:55]).all() and (got[got >= 0] == truth[got >= 0]).all()
