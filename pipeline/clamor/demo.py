"""The whole way on a SYNTHETIC world: emulated services, the real collectors, every stage, and an honest comparison.

The day is stepped through as cron would: at every poll the clock stands still, the collectors ask the emulators over
real HTTP, and every bin is decided with what was known then. The truth is looked at only when the day is over.
"""

import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from clamor import catalog as catalogs
from clamor import config, schema
from clamor.backtest import Comparison, compare
from clamor.collect import reddit, x
from clamor.collect.archive import ImportOptions, import_files
from clamor.errors import InputError
from clamor.run import live, show
from clamor.run.ingest import ingest, read_state
from clamor.simulate.clock import StepClock, WallClock
from clamor.simulate.server import serve
from clamor.simulate.world import World
from clamor.store import Lake
from clamor.text.read import Reader

START: Final = pd.Timestamp("2026-09-29", tz="UTC")
"""First day of every synthetic world: a Tuesday, after X's index change."""
HISTORY_DAYS: Final = 14
POLL_MINUTES: Final = 15
POLL_DELAY_SECONDS: Final = 120
"""Cron's minute: a bin is asked for two minutes after it ended."""
_MARK: Final = ".clamor-demo"


@dataclass(frozen=True)
class Played:
    """A day that was played to its end."""

    world: World
    lake: Lake
    incidents: pd.DataFrame
    comparison: Comparison
    requests: int
    seconds: float
    now: pd.Timestamp


def play(seed: int, folder: Path, *, on_poll: Callable[[int, int], None] | None = None) -> Played:
    """Build the world of a seed, collect its fortnight and its day, decide at every poll, and compare with its truth.

    Args:
        seed: Which world.
        folder: The demo's lake; an older demo's lake there is removed.
        on_poll: Told how many polls are done and how many there are.

    Raises:
        InputError: the folder holds something that is not a demo's.

    """
    began = time.monotonic()
    lake = _fresh_lake(folder)
    names = catalogs.load()
    reader = Reader(names)
    clock = StepClock((START + pd.Timedelta(days=HISTORY_DAYS)).timestamp() + POLL_DELAY_SECONDS)
    with serve(seed=seed, start=START, history_days=HISTORY_DAYS, clock=clock) as server:
        world = World(seed, START, history_days=HISTORY_DAYS)
        settings = _settings(world, server, lake)
        clients = live.open_clients(settings)
        requests = _collect_history(world, names, reader, settings, clients, clock, lake)
        polls = _polls(world)
        for done, at in enumerate(polls, start=1):
            clock.set(at.timestamp())
            outcome = live.once(lake, names, reader, settings, clients, clock)
            requests += sum(collected.requests for collected in outcome.collected.values())
            if on_poll is not None:
                on_poll(done, len(polls))
    found = lake.incidents()
    now = pd.Timestamp(clock.now(), unit="s", tz="UTC").as_unit("us")
    return Played(world, lake, found, compare(found, world.truth), requests, time.monotonic() - began, now)


def _fresh_lake(folder: Path) -> Lake:
    """Return an empty lake; only what a demo made is removed."""
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).exists():
        raise InputError(f"--lake {folder}: holds something that no demo made; the demo starts afresh; name another")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / _MARK).write_text("SYNTHETIC: made by `clamor demo`, removed by the next\n")
    return Lake(str(folder))


def _settings(world: World, server: Any, lake: Lake) -> config.Settings:
    """Point the live settings at the emulators; everything else is what a user has."""
    return config.Settings(
        lake=lake.root,
        services=tuple(world.services),
        history_days=HISTORY_DAYS,
        x=config.X(
            bearer_token=server.bearer_token,
            api_url=server.url,
            countries=tuple(world.countries),
            daily_cap_usd=100.0,
        ),
        reddit=config.Reddit(
            client_id=server.client_id,
            client_secret=server.client_secret,
            user_agent=server.user_agent,
            api_url=server.url,
        ),
    )


def _collect_history(
    world: World,
    names: Any,
    reader: Reader,
    settings: config.Settings,
    clients: live.Clients,
    clock: StepClock,
    lake: Lake,
) -> int:
    """Fetch X's past by counts/all and read Reddit's from a dump of the same subreddits."""
    state = read_state(lake, "x")
    batches = x.backfill(
        clients.x,
        names,
        services=list(settings.services),
        countries=settings.x.countries,
        since=START.timestamp(),
        until=None,
        state=state,
        clock=clock,
        budget=live.money(settings),
    )
    fetched = ingest(lake, batches, state=("x", state))
    with tempfile.TemporaryDirectory() as folder:
        paths = world.write_dump(Path(folder))
        end = START + pd.Timedelta(days=HISTORY_DAYS)
        options = ImportOptions(
            services=tuple(settings.services),
            groups=tuple(reddit.groups(names, settings.services)),
            covered=(START.timestamp(), end.timestamp()),
        )
        ingest(lake, import_files(paths, reader=reader, observed_at=clock.now(), options=options))
    return fetched.requests


def _polls(world: World) -> list[pd.Timestamp]:
    """Return the times of the day's polls, without those of the collector gap."""
    day = START + pd.Timedelta(days=HISTORY_DAYS)
    times = day + pd.to_timedelta(range(POLL_MINUTES, 1441, POLL_MINUTES), unit="min")
    polls = [time + pd.Timedelta(seconds=POLL_DELAY_SECONDS) for time in times]
    gap = world.gap
    return [at for at in polls if gap is None or not gap[0] <= at < gap[1]]


def demo(seed: int, *, lake: Path, report: Path) -> None:
    """Play one world, print what was found beside what was true, and write the page."""
    from clamor.cli.common import Progress, clock, say, show_table
    from clamor.cli.deciding import incident_row

    say(f"SYNTHETIC world {seed}: emulated X and Reddit on loopback, {HISTORY_DAYS} days of history and one day")
    with Progress("polling the day") as progress:
        played = play(seed, lake, on_poll=progress)
    names = catalogs.load()
    rows = [incident_row(row, names) for row in played.incidents.sort_values("onset_at").to_dict("records")]
    show_table(rows, title=f"Incidents that clamor found in the SYNTHETIC day {played.now:%Y-%m-%d}")
    _show_comparison(played)
    page = show.page(
        played.lake,
        names,
        bin_minutes=15,
        since=played.now.floor("D") - pd.Timedelta(days=1),
        now=played.now,
        synthetic=True,
        title=f"clamor demo, synthetic world {seed}",
    )
    show.write_page(page, report)
    say(f"{played.requests:,} requests to the emulators, {played.seconds:.0f} s in all; report: {report}")
    del clock


def _show_comparison(played: Played) -> None:
    raise NotImplementedError


def compare_seeds(seeds: Sequence[int], *, lake: Path) -> None:
    """Play several worlds and print one line each, misses and false alarms included."""
    raise NotImplementedError


@contextmanager
def emulated(seed: int, port: int) -> Iterator[dict[str, str]]:
    """Serve the world of a seed as if its day were today, and give the settings that point `clamor run` at it."""
    clock = WallClock()
    start = pd.Timestamp(clock.now(), unit="s", tz="UTC").floor("h") - pd.Timedelta(days=HISTORY_DAYS, hours=6)
    with serve(seed=seed, start=start, history_days=HISTORY_DAYS, clock=clock, port=port) as server:
        world = World(seed, start, history_days=HISTORY_DAYS)
        yield {
            "CLAMOR_X__BEARER_TOKEN": server.bearer_token,
            "CLAMOR_X__API_URL": server.url,
            "CLAMOR_X__COUNTRIES": ",".join(world.countries),
            "CLAMOR_REDDIT__CLIENT_ID": server.client_id,
            "CLAMOR_REDDIT__CLIENT_SECRET": server.client_secret,
            "CLAMOR_REDDIT__USER_AGENT": server.user_agent,
            "CLAMOR_REDDIT__API_URL": server.url,
            "CLAMOR_SERVICES": ",".join(world.services),
            "CLAMOR_LAKE": "data/emulated",
        }


def wait() -> None:
    """Wait until the process is told to end."""
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    try:
        over.wait()
    except KeyboardInterrupt:
        return
