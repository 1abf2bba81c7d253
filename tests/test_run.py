"""Collect and store, again and again: nothing twice, nothing lost, whatever ends a run."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clamor import catalog, config, schema
from clamor.collect.batch import Attempt, Batch, State
from clamor.errors import ConfigError, LakeError
from clamor.run import live
from clamor.run.evaluate import possible
from clamor.run.ingest import ingest, read_state, write_state
from clamor.run.past import Past
from clamor.schema import Status
from clamor.simulate.clock import StepClock
from clamor.simulate.server import Server, serve
from clamor.simulate.world import World
from clamor.store import Lake
from clamor.text.read import Reader
from loopback import Reply, Ticking
from loopback import serve as answering

CATALOG = catalog.load()
AT = pd.Timestamp("2026-10-01", tz="UTC").timestamp()
KEY = [*schema.VOLUMES.key, "posts"]


def batch(hour: int, posts: int) -> Batch:
    """One hour of one series, with the attempt that proves it."""
    start = AT + 3600 * hour
    row = {
        "source": "x", "scope": "x:1", "service": "tiktok", "region": "001", "signal": "complaint", "symptom": "any",
        "bin_minutes": 1, "bin_start": pd.Timestamp(start, unit="s", tz="UTC").as_unit("us"), "posts": posts,
        "authors": None, "unit": "posts", "method": "counts", "catalog_version": "c",
        "observed_at": pd.Timestamp(AT + 86_400, unit="s", tz="UTC").as_unit("us"),
    }  # fmt: skip
    attempt = Attempt(
        source="x", scope="x:1", window_start=start, window_end=start + 3600, requested_at=AT + 86_400,
        services=("tiktok",), regions=("001",), signals=("complaint",), bin_minutes=1, status=Status.OK,
        bins_received=60,
    )  # fmt: skip
    return Batch((attempt,), pd.DataFrame([row]))


def collecting(state: State, hours: int) -> Iterator[Batch]:
    """A collector that remembers how far it came, as the real ones do: state first, then the page."""
    for hour in range(int(state.watermarks.get("x:1", 0)), hours):
        state.watermarks["x:1"] = hour + 1
        yield batch(hour, hour + 1)


def stored(lake: Lake) -> list[tuple[Any, ...]]:
    rows = lake.volumes()[KEY].sort_values(["service", "region", "scope", "bin_start"])
    return list(rows.itertuples(index=False, name=None))


def run(lake: Lake, hours: int = 3) -> int:
    state = read_state(lake, "x")
    return ingest(lake, collecting(state, hours), state=("x", state)).rows


@pytest.mark.parametrize("step", range(4))
def test_a_crash_at_any_write_loses_nothing_and_a_rerun_heals(
    step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows, attempts and state are stored in that order: after a crash between them the next run ends up alike."""
    whole, hurt = Lake(str(tmp_path / "whole")), Lake(str(tmp_path / "hurt"))
    run(whole)
    put, writes = Lake._put, iter(range(100))

    def failing(self: Lake, path: str, content: bytes) -> None:
        if next(writes) == step:
            raise LakeError("lake cannot be written: the disk is full; make room")
        put(self, path, content)

    monkeypatch.setattr(Lake, "_put", failing)
    if step < 3:
        with pytest.raises(LakeError):
            run(hurt)
    monkeypatch.setattr(Lake, "_put", put)
    run(hurt)
    assert stored(hurt) == stored(whole) and len(stored(whole)) == 3
    assert read_state(hurt, "x") == read_state(whole, "x")


def test_what_was_yielded_before_an_interrupt_is_stored_with_its_state(tmp_path: Path) -> None:
    """Ctrl-C in the middle of a collector keeps its pages, and the next run goes on behind them."""
    lake = Lake(str(tmp_path))
    state = State()

    def interrupted() -> Iterator[Batch]:
        yield next(collecting(state, 1))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest(lake, interrupted(), state=("x", state))
    assert len(stored(lake)) == 1 and run(lake) == 2


def test_a_run_again_stores_nothing(tmp_path: Path) -> None:
    """The same pages under a lost state are known already."""
    lake = Lake(str(tmp_path))
    assert run(lake) == 3 and run(lake) == 0
    lake.write_state("x", {})
    assert run(lake) == 0 and len(stored(lake)) == 3


@pytest.mark.parametrize("state", [[], None, {"watermarks": 5}, {"spend_usd": {"2026-10-01": "x"}}])
def test_a_damaged_state_is_named(state: Any, tmp_path: Path) -> None:
    """A state that is not what clamor wrote is one line; guessing from it could skip or pay twice."""
    lake = Lake(str(tmp_path))
    lake.write_state("x", state)
    with pytest.raises(LakeError, match=r"state/x\.json"):
        read_state(lake, "x")


def settings_for(lake: Path, url: str, server: Server | None = None) -> config.Settings:
    return config.Settings(
        lake=str(lake),
        services=("tiktok",),
        history_days=2,
        x=config.X(bearer_token=server.bearer_token if server else "t", api_url=url, countries=("US",)),
        reddit=config.Reddit(
            client_id=server.client_id if server else "i",
            client_secret=server.client_secret if server else "s",
            user_agent=server.user_agent if server else "a:b:c (by /u/x)",
            api_url=url,
        ),
    )  # fmt: skip


def test_polls_of_a_synthetic_day_store_nothing_twice_and_keep_their_incidents(tmp_path: Path) -> None:
    """The real clients against the emulators: a second poll at the same minute changes nothing."""
    world = World(7, datetime(2026, 10, 5, tzinfo=UTC), history_days=2)
    clock = StepClock(world.eval_start + 20 * 3600 + 120)
    with serve(world, clock) as server:
        settings = settings_for(tmp_path, server.url, server)
        clients, lake = live.open_clients(settings, clock), Lake(str(tmp_path))
        again = []
        for _ in range(2):
            for _ in range(2):
                outcome = live.once(lake, CATALOG, Reader(CATALOG), settings, clients, clock)
                again.append((sum(done.rows for done in outcome.collected.values()), stored(lake), lake.incidents()))
            clock.set(clock.now() + 900)
    assert again[0][0] > 0 and again[1][0] == 0 and again[0][1] == again[1][1]
    assert again[2][0] > 0 and again[3][0] == 0 and again[2][1] == again[3][1]
    assert list(again[2][2]["incident_id"]) == list(again[3][2]["incident_id"])
    assert outcome.decided is not None and not outcome.problems
    since = {
        "onset_at": pd.Timestamp(int(clock.now()) - 6 * 3600, unit="s", tz="UTC"),
        "services": ["tiktok", "netflix"],
    }
    told = live.languages(lake, since, clock.now())
    assert list(told) == ["tiktok"] and "posts in the counted languages: " in told["tiktok"]


@pytest.mark.parametrize(
    "reply",
    [
        Reply({"title": "T"}, 401), Reply({"title": "T"}, 402), Reply({"title": "T"}, 403),
        Reply({"message": "m"}, 400),
        Reply({}, 429), Reply({}, 503), Reply(b"<html>captive portal</html>"), Reply(b'{"data":[{"start":"2026-'),
        Reply({"data": [], "meta": {}}, cut=100), Reply(None), Reply([]), Reply("hello"), Reply(b"[" * 20_000),
        Reply({"data": "x", "meta": []}), Reply({"access_token": 5}), Reply(b"", 204),
        Reply({"data": {"children": [{"kind": "t3", "data": {}}, 7]}, "meta": {"total_tweet_count": -1}}),
    ],
    ids=lambda reply: f"{reply.status}-{str(reply.body)[:20]}",
)  # fmt: skip
def test_any_answer_of_a_server_is_a_gap_and_never_a_calm(reply: Reply, tmp_path: Path) -> None:
    """Whatever the hosts say, a run ends by itself: no row is stored, no attempt proves anything, nothing is raised."""
    lake = Lake(str(tmp_path))
    with answering(lambda path, params, headers: reply) as url:
        settings = settings_for(tmp_path, url)
        clients = live.open_clients(settings)
        outcome = live.once(lake, CATALOG, Reader(CATALOG), settings, clients, Ticking(AT))
    assert outcome.problems and lake.volumes().empty
    assert not set(lake.coverage()["status"]) & set(schema.PROVES) and len(lake.coverage())


def test_a_past_that_the_caps_do_not_leave_is_refused_with_the_day_that_fits(tmp_path: Path) -> None:
    """100 days of two queries are eight pages and 8 cents; with 5 cents left, the last two pages of each fit."""
    now = pd.Timestamp("2026-11-01", tz="UTC").timestamp()
    settings = config.Settings(services=("tiktok",), x=config.X(countries=(), daily_cap_usd=0.08))
    past, lake = Past(settings, CATALOG, now - 100 * 86_400, None), Lake(str(tmp_path))
    assert past.affordable(lake, now) == "X's past: 8 requests at $0.01, $0.08 in all"
    write_state(lake, "x", State(spend_usd={"2026-11-01": 0.03}))
    with pytest.raises(ConfigError, match=r"caps leave, \$0\.05; --since 2026-09-24 fits, or name fewer"):
        past.affordable(lake, now)


def test_a_power_cut_has_no_playback_to_fail() -> None:
    """A symptom that counts nothing for a kind of service is left out; ``any`` and what it can have stay."""
    rows = [
        ("electric-power", "playback"),
        ("electric-power", "any"),
        ("electric-power", "other"),
        ("tiktok", "playback"),
    ]
    read = pd.DataFrame(rows, columns=["service", "symptom"]).assign(posts=[3, 20, 17, 5])
    assert possible(read, catalog.load())["posts"].tolist() == [20, 17, 5]
