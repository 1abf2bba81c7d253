"""Ctrl-C and SIGTERM at any moment: what was proven is stored, nothing wrong is, and the next run goes on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clamor import catalog, cli
from clamor.collect import x
from clamor.collect.batch import Batch, State
from clamor.run.gate import Gate
from clamor.run.ingest import ingest, read_state
from clamor.schema import PROVES
from clamor.simulate.clock import WallClock
from clamor.simulate.faults import Fault, Faults
from clamor.simulate.index import Search
from clamor.simulate.world import World
from clamor.store import Lake
from test_faults import emulated
from test_run import batch, stored

SERVICES = ("tiktok", "netflix", "whatsapp")


@pytest.fixture
def _terminable() -> Iterator[None]:
    """The handler that the command line installs."""
    before = signal.signal(signal.SIGTERM, cli._interrupt)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("_terminable")
@pytest.mark.parametrize("write", range(3))
def test_a_signal_while_something_is_stored_waits_until_it_is(
    write: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows, attempts and state are stored whole, whichever of them the signal met, and then the interrupt is raised."""
    put, writes = Lake._put, iter(range(100))

    def met(self: Lake, path: str, content: bytes) -> None:
        if next(writes) == write:
            os.kill(os.getpid(), signal.SIGTERM)
        put(self, path, content)

    def collecting(state: State) -> Iterator[Batch]:
        state.watermarks["x:1"] = 1.0
        yield batch(0, 1)

    monkeypatch.setattr(Lake, "_put", met)
    lake, state = Lake(str(tmp_path)), State()
    with pytest.raises(KeyboardInterrupt):
        ingest(lake, collecting(state), state=("x", state))
    assert len(stored(lake)) == 1 and len(lake.coverage()) == 1
    assert read_state(lake, "x").watermarks == {"x:1": 1.0}


def test_a_time_whose_rows_never_came_out_is_not_remembered_and_money_is(tmp_path: Path) -> None:
    """Interrupted between noting a time and yielding its rows, a collector is asked for them again; spent is spent."""
    lake, state = Lake(str(tmp_path)), State()

    def interrupted() -> Iterator[Batch]:
        state.watermarks["x:1"], state.spend_usd["2026-10-01"] = 1.0, 0.01
        yield batch(0, 1)
        state.watermarks["x:1"], state.spend_usd["2026-10-01"] = 2.0, 0.02
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest(lake, interrupted(), state=("x", state))
    assert read_state(lake, "x") == State(watermarks={"x:1": 1.0}, spend_usd={"2026-10-01": 0.02})


@pytest.mark.usefixtures("_terminable")
def test_an_interrupt_that_was_kept_is_raised_once_and_the_handlers_are_given_back() -> None:
    """Inside the gate it waits, at the next opening it comes, outside everything is as before."""
    with Gate() as gate:
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt), gate.open():
            pytest.fail("it came through late")
        with gate.open():
            pass
    assert signal.getsignal(signal.SIGTERM) is cli._interrupt
    with pytest.raises(KeyboardInterrupt), Gate():
        os.kill(os.getpid(), signal.SIGTERM)


@dataclass
class Story:
    """A run that was ended by SIGTERM, and the lake as it left it and as the next poll did."""

    world: World
    code: int
    said: str
    before: dict[str, Any]
    after: dict[str, Any]


def seen(lake: Lake) -> dict[str, Any]:
    return {"coverage": lake.coverage(), "volumes": lake.volumes(), "state": read_state(lake, "x")}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """A real process against the emulators, on the wall clock, whose answers are slow; then a poll without faults."""
    folder = tmp_path_factory.mktemp("interrupted")
    start = pd.Timestamp.now("UTC").floor("h") - pd.Timedelta(days=1, hours=2)
    world = World(5, start, history_days=1, gap=False)
    lake, clock = Lake(str(folder)), WallClock()
    settings = {
        "CLAMOR_LAKE": str(folder),
        "CLAMOR_SERVICES": ",".join(SERVICES),
        "CLAMOR_X__BEARER_TOKEN": "token",
        "CLAMOR_X__COUNTRIES": "",
        "CLAMOR_X__LANGUAGES": "",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    with emulated(world, clock, Faults((Fault("slow", seconds=0.5),))) as (url, injector):
        run = subprocess.Popen(
            [sys.executable, "-c", "from clamor.cli import main; main()", "run"],
            env=os.environ | settings | {"CLAMOR_X__API_URL": url},
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        while injector.struck.get("slow", 0) < 4 and run.poll() is None:
            time.sleep(0.01)
        run.send_signal(signal.SIGTERM)
        said = run.communicate(timeout=60)[1]
    before = seen(lake)
    with emulated(world, clock, Faults()) as (url, _):
        state = read_state(lake, "x")
        client = x.open_client("token", url, timeout_seconds=5)
        polled = x.poll(client, catalog.load(), services=SERVICES, countries=(), state=state, clock=clock)
        ingest(lake, polled, state=("x", state))
    return Story(world, run.returncode, said, before, seen(lake))


def right_minutes(story: Story, lake: dict[str, Any]) -> int:
    """Count the minutes that the lake says are known, after checking each of them against the world."""
    search, known, total = Search(story.world), catalog.load(), 0
    origin = int(story.world.start)
    for service in SERVICES:
        for signal_, query in x.queries(known, service).items():
            rows = lake["coverage"].loc[lambda c, s=query.scope: c["scope"] == s]
            minutes = np.full(int((story.world.horizon - origin) // 60), -1)
            for row in rows.loc[rows["status"].isin(PROVES)].itertuples():
                low, high = (int(t.timestamp() - origin) // 60 for t in (row.window_start, row.window_end))
                minutes[low:high] = 0
            posts = lake["volumes"].loc[lambda v, s=query.scope: v["scope"] == s]
            at = (posts["bin_start"].astype("int64").to_numpy() // 1_000_000 - origin) // 60
            assert (minutes[at] >= 0).all(), "a row without proof"
            minutes[at] = posts["posts"].to_numpy()
            edges = np.arange(len(minutes) + 1) * 60
            truth = np.asarray(sum(np.diff(np.searchsorted(search.seconds(part), edges)) for part in query.parts))
            assert (minutes[minutes >= 0] == truth[minutes >= 0]).all(), (service, signal_)
            total += int((minutes >= 0).sum())
    return total


def test_a_run_that_is_terminated_ends_cleanly_with_what_was_proven(story: Story) -> None:
    """Exit code 130 and one line; every stored minute is right, some are there, and the money is in the ledger."""
    assert story.code == 130 and "interrupted; what was proven is stored" in story.said
    assert "Traceback" not in story.said
    assert 1440 <= right_minutes(story, story.before) < 6 * 1440
    spent = sum(story.before["state"].spend_usd.values())
    assert spent >= 0.02 and spent == pytest.approx(story.before["coverage"]["cost_usd"].sum())


def test_the_poll_after_it_knows_all_and_still_nothing_wrong(story: Story) -> None:
    """Both queries of three services over 24 hours: 6 x 1,440 minutes."""
    assert right_minutes(story, story.after) >= 6 * 1440
