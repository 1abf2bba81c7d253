"""The whole way on a SYNTHETIC world: emulated services, the real collectors, every stage, and an honest comparison.

The day is stepped through as cron would: at every poll the clock stands still, the collectors ask the emulators over
real HTTP, and every bin is decided with what was known then. The truth is looked at only when the day is over.
"""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from clamor import catalog as catalogs
from clamor import config
from clamor.backtest import Comparison, compare, together
from clamor.budget import Budget
from clamor.cli.common import Progress, say, show_table
from clamor.cli.common import clock as clock_text
from clamor.cli.telling import incident_row
from clamor.collect import reddit, x
from clamor.collect.archive import ImportOptions, import_files
from clamor.collect.batch import utc
from clamor.errors import InputError
from clamor.run import live, show
from clamor.run.evaluate import Learned
from clamor.run.ingest import ingest, read_state
from clamor.simulate.clock import StepClock, WallClock
from clamor.simulate.server import serve
from clamor.simulate.world import World
from clamor.store import Lake
from clamor.text.read import Reader

START: Final = pd.Timestamp("2026-09-29", tz="UTC")
"""First day of every synthetic world: a Tuesday, after X's index change."""
HISTORY_DAYS: Final = 14
BUDGET: Final = Budget(0.02)
"""False incidents a series-week: for some 260 series less than one a day; the default, 0.1, would accept four."""
POLL_MINUTES: Final = 15
POLL_DELAY_SECONDS: Final = 120
"""Cron's minute: a bin is asked for two minutes after it ended."""
LOOKBACK_HOURS: Final = 3
"""Asked for at every poll; a day, the default, costs the same money but more of the demo's minute."""
COUNTRY_BEAT_MINUTES: Final = 90
"""How often countries are counted; an hour, the default, costs more of the demo's minute."""
EMULATED_DAYS: Final = 3
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
    world = World(seed, START, history_days=HISTORY_DAYS)
    with serve(world, clock) as server:
        settings = _settings(world, server, lake)
        clients = live.open_clients(settings, clock)
        requests = _collect_history(world, names, reader, settings, clients, clock, lake)
        polls, learned = _polls(world), Learned()
        for done, at in enumerate(polls, start=1):
            clock.set(at.timestamp())
            outcome = live.once(lake, names, reader, settings, clients, clock, learned=learned)
            requests += sum(collected.requests for collected in outcome.collected.values())
            if on_poll is not None:
                on_poll(done, len(polls))
    found = lake.incidents()
    day = (START + pd.Timedelta(days=HISTORY_DAYS), START + pd.Timedelta(days=HISTORY_DAYS + 1))
    compared = compare(found, world.truth, regions=names.regions, window=day)
    return Played(world, lake, found, compared, requests, time.monotonic() - began, utc(clock.now()))


def _fresh_lake(folder: Path) -> Lake:
    """Return an empty lake; only what a demo made is removed."""
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).exists():
        raise InputError(f"--lake {folder}: holds something that no demo made; the demo starts afresh; name another")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / _MARK).write_text("SYNTHETIC: made by `clamor demo`, removed by the next\n")
    lake = Lake(str(folder))
    lake.mark_synthetic("made by `clamor demo`")
    return lake


def _settings(world: World, server: Any, lake: Lake) -> config.Settings:
    """Point the live settings at the emulators; everything else is what a user has, but for counts by language."""
    return config.Settings(
        lake=lake.root,
        services=tuple(world.services),
        history_days=HISTORY_DAYS,
        budget=BUDGET,
        synthetic=True,
        x=config.X(
            bearer_token=server.bearer_token,
            api_url=server.url,
            countries=tuple(world.countries),
            daily_cap_usd=100.0,
            lookback_hours=LOOKBACK_HOURS,
            country_beat_minutes=COUNTRY_BEAT_MINUTES,
            languages=(),
            sample_profiles=True,
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
    say(f"SYNTHETIC world {seed}: emulated X and Reddit on loopback, {HISTORY_DAYS} days of history and one day")
    with Progress("polling the day") as progress:
        played = play(seed, lake, on_poll=progress)
    names = catalogs.load()
    known = played.incidents.sort_values("onset_at")
    rows = [incident_row(row, names) for row in known.loc[known["status"] != "withdrawn"].to_dict("records")]
    show_table(rows, title=f"What clamor found in the SYNTHETIC day {played.now - pd.Timedelta(hours=1):%Y-%m-%d}")
    show_table(truth_rows(played.comparison), title="What was true in the SYNTHETIC world, and what clamor made of it")
    show_table(alarm_rows(played.comparison), title="Incidents that match no outage", empty="none")
    page = show.page(
        played.lake,
        names,
        bin_minutes=15,
        since=START + pd.Timedelta(days=HISTORY_DAYS),
        now=played.now,
        title=f"clamor demo, synthetic world {seed}",
    )
    show.write_page(page, report)
    sys.stdout.write(line(seed, played.comparison) + "\n")
    say(f"{played.requests:,} requests to the emulators, {played.seconds:.0f} s; the page: {report}")


def truth_rows(compared: Comparison) -> list[dict[str, Any]]:
    """Return a row for every true outage: found or missed, how late, and how well described."""
    return [
        {
            "outage": f"{event['kind']}: {event['service']}",
            "regions": " ".join(event["regions"]),
            "start (UTC)": clock_text(event["start_at"]),
            "end (UTC)": clock_text(event["end_at"]),
            "verdict": "found" if event["found"] else "MISSED",
            "delay": _minutes(event["delay_minutes"]),
            "regions right": _share(event["region_precision"]),
            "regions told": _share(event["region_recall"]),
            "symptoms told": _share(event["symptom_recall"]),
            "size": event["note"].partition(":")[0],
        }
        for event in compared.events.to_dict("records")
    ]


def alarm_rows(compared: Comparison) -> list[dict[str, Any]]:
    """Return a row for every incident that matches no outage, and for every repeated one."""
    false = compared.alarms.loc[~compared.alarms["verdict"].isin(["found"])]
    return [
        {
            "incident": row["incident_id"],
            "regions": " ".join(row["regions"]),
            "start (UTC)": clock_text(row["onset_at"]),
            "verdict": row["verdict"],
            "reason": row["reason"],
        }
        for row in false.to_dict("records")
    ]


def line(seed: int, compared: Comparison) -> str:
    """Say the comparison in one line."""
    missed = [
        f"{event['kind']} {event['service']}" for event in compared.events.to_dict("records") if not event["found"]
    ]
    delays = sorted(compared.delays)
    middle = f"{pd.Series(delays).median():.0f} min" if delays else "-"
    return (
        f"SYNTHETIC world {seed}: {compared.found} of {len(compared.events)} outages found, "
        f"{compared.false_alarms} false alarms, median delay {middle}"
        + (f"; missed: {', '.join(missed)}" if missed else "")
    )


def _minutes(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.0f} min"


def _share(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.0%}"


def several(seeds: Sequence[int], *, lake: Path) -> None:
    """Play several worlds and print a line each, misses and false alarms included, then all together."""
    played = []
    for seed in seeds:
        with Progress(f"world {seed}") as progress:
            compared = play(seed, lake, on_poll=progress).comparison
        played.append(compared)
        sys.stdout.write(line(seed, compared) + "\n")
        sys.stdout.flush()
    show_table(summary_rows(together(played)), title=f"All {len(played)} SYNTHETIC worlds together (95% intervals)")


def summary_rows(compared: Comparison) -> list[dict[str, Any]]:
    """Return the comparison's measures with their intervals."""
    return [
        {
            "measure": row["measure"],
            "value": "" if pd.isna(row["value"]) else f"{row['value']:.2f}",
            "interval": "" if pd.isna(row["low"]) else f"{row['low']:.2f} to {row['high']:.2f}",
            "n": row["n"],
        }
        for row in compared.summary().to_dict("records")
    ]


@contextmanager
def emulated(seed: int, port: int) -> Iterator[dict[str, str]]:
    """Serve the world of a seed as if its day were today, and give the settings that point `clamor run` at it."""
    clock = WallClock()
    start = utc(clock.now()).floor("h") - pd.Timedelta(days=HISTORY_DAYS, hours=2)
    world = World(seed, start, history_days=HISTORY_DAYS, eval_days=EMULATED_DAYS, gap=False)
    with serve(world, clock, port=port) as server:
        yield {
            "CLAMOR_X__BEARER_TOKEN": server.bearer_token,
            "CLAMOR_X__API_URL": server.url,
            "CLAMOR_X__COUNTRIES": ",".join(world.countries),
            "CLAMOR_REDDIT__CLIENT_ID": server.client_id,
            "CLAMOR_REDDIT__CLIENT_SECRET": server.client_secret,
            "CLAMOR_REDDIT__USER_AGENT": server.user_agent,
            "CLAMOR_REDDIT__API_URL": server.url,
            "CLAMOR_X__DAILY_CAP_USD": "100",
            "CLAMOR_X__MONTHLY_CAP_USD": "3000",
            "CLAMOR_SERVICES": ",".join(world.services),
            "CLAMOR_LAKE": "data/emulated",
            "CLAMOR_SYNTHETIC": "true",
        }
