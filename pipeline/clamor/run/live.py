"""Clients and clock → lake → verdicts: one run against the live services, safe to repeat at any time."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from clamor import schema, volumes
from clamor.collect import lock
from clamor.collect.batch import Batch, utc
from clamor.collect.budget import Budget, Prices
from clamor.collect.clock import Clock
from clamor.config import Settings
from clamor.run.evaluate import Evaluation, Learned, evaluate, tell
from clamor.run.ingest import Ingested, ingest, read_state
from clamor.schema import IncidentStatus
from clamor.store import Lake


@dataclass(frozen=True)
class Clients:
    """The live clients that there are credentials for; None where there are none."""

    x: Any = None
    reddit: Any = None


def open_clients(settings: Settings, clock: Clock | None = None) -> Clients:
    """Open the clients of every source whose credentials are set; they wait their turn on the clock (the machine's)."""
    from clamor.collect import reddit, x

    opened: dict[str, Any] = {}
    if token := settings.x.bearer_token:
        opened["x"] = x.open_client(token.get_secret_value(), settings.x.api_url, settings.x.timeout_seconds)
    there = settings.reddit
    if there.client_id and there.client_secret and there.user_agent:
        opened["reddit"] = reddit.open_reddit(
            there.client_id.get_secret_value(),
            there.client_secret.get_secret_value(),
            there.user_agent,
            there.api_url,
            there.timeout_seconds,
            clock,
        )
    return Clients(**opened)


def credentials(settings: Settings) -> dict[str, str]:
    """Return what only one process may use at a time: each source's credential, and the lake that remembers for them.

    Reddit limits by client id. The lake is among them because the collectors' state is one file a source.
    """
    lake = settings.lake if "://" in settings.lake else str(Path(settings.lake).expanduser().resolve())
    found = {"lake": lake}
    if token := settings.x.bearer_token:
        found["x"] = token.get_secret_value()
    if client_id := settings.reddit.client_id:
        found["reddit"] = client_id.get_secret_value()
    return found


@contextmanager
def alone(settings: Settings, clock: Clock) -> Iterator[None]:
    """Be the only process of this user and machine with these credentials and this lake.

    Raises:
        BusyError: another one is at it; the message says which and since when.

    """
    with ExitStack() as held:
        for name, secret in credentials(settings).items():
            held.enter_context(lock.hold(name, secret, now=clock.now()))
        yield


@dataclass(frozen=True)
class Outcome:
    """One run: what was collected from each source, and what was decided (None where there is nothing yet)."""

    collected: dict[str, Ingested]
    decided: Evaluation | None

    @property
    def problems(self) -> list[str]:
        """What went wrong in collecting, a line each."""
        return [problem for done in self.collected.values() for problem in done.problems]


def once(
    lake: Lake,
    catalog: Any,
    reader: Any,
    settings: Settings,
    clients: Clients,
    clock: Clock,
    *,
    on_batch: Callable[[Batch], None] | None = None,
    learned: Learned | None = None,
) -> Outcome:
    """Poll every live source, decide anew what polls look back at, and read a few posts of what is failing.

    Repeating it is safe at any time: it asks again for the last day (``lookback_hours``), stores what is new, and
    replaces its verdicts; late posts and healed gaps reach no further back.
    A process that runs it again and again keeps ``learned`` between the runs.
    """
    services = list(settings.services or catalog.services)
    if settings.synthetic:
        lake.mark_synthetic("its sources are set to be synthetic")
    collected: dict[str, Ingested] = {}
    if clients.x is not None:
        collected["x"] = _poll_x(lake, catalog, settings, clients.x, clock, services, on_batch)
    if clients.reddit is not None:
        collected["reddit"] = _walk_reddit(lake, catalog, reader, clients.reddit, clock, services, on_batch)
    now = utc(clock.now())
    decided = evaluate(
        lake,
        catalog,
        now=now,
        bin_minutes=settings.bin_minutes,
        budget=settings.budget,
        start=now - pd.Timedelta(hours=settings.x.lookback_hours),
        history_days=settings.history_days,
        learned=learned,
    )
    if decided is not None and clients.x is not None and settings.x.sample_posts:
        decided = _read_failing(lake, catalog, reader, settings, clients.x, clock, decided, collected)
    return Outcome(collected, decided)


def money(settings: Settings) -> Budget:
    """Return the prices and the caps on spending."""
    there = settings.x
    prices = Prices(
        counts_recent_usd=there.price_counts_recent_usd,
        counts_all_usd=there.price_counts_all_usd,
        post_usd=there.price_post_usd,
        author_usd=there.price_author_usd,
    )
    return Budget(prices=prices, daily_usd=there.daily_cap_usd, monthly_usd=there.monthly_cap_usd)


def languages(lake: Lake, incident: Mapping[Any, Any], now: float) -> dict[str, str]:
    """Return for each service of an incident in which languages its posts have been since the onset, in one line."""
    start, end = incident["onset_at"], utc(now)
    rows = schema.to_pandas(lake.read(schema.LANGUAGES, start=start - pd.Timedelta(days=2), end=end))
    lines = {
        service: volumes.told(volumes.spoken(rows, service=service, start=start, end=end))
        for service in incident["services"]
    }
    return {service: line for service, line in lines.items() if line}


def _poll_x(
    lake: Lake,
    catalog: Any,
    settings: Settings,
    client: Any,
    clock: Clock,
    services: list[str],
    on_batch: Callable[[Batch], None] | None,
) -> Ingested:
    from clamor.collect import x

    state = read_state(lake, "x")
    batches = x.poll(
        client,
        catalog,
        services=services,
        countries=settings.x.countries,
        state=state,
        clock=clock,
        languages=settings.x.languages,
        lookback_hours=settings.x.lookback_hours,
        country_beat_minutes=settings.x.country_beat_minutes,
        language_beat_minutes=settings.x.language_beat_minutes,
        raised=_failing(lake.incidents()),
        budget=money(settings),
    )
    return ingest(lake, batches, state=("x", state), on_batch=on_batch)


def walks(lake: Lake, catalog: Any, settings: Settings) -> str:
    """Say how many requests a poll of Reddit makes, and how many of them its limit lets through."""
    from clamor.collect import reddit
    from clamor.collect.reddit_call import REQUESTS_A_MINUTE

    groups, minutes = reddit.groups(catalog, list(settings.services or catalog.services)), settings.x.poll_minutes
    asked = reddit.requests_of(groups, read_state(lake, "reddit"), minutes)
    said = f"Reddit: about {asked:,} requests a poll, {asked * 1440 // minutes:,} a day, free"
    over = asked / REQUESTS_A_MINUTE - 1
    return said + (f"; at {REQUESTS_A_MINUTE} a minute a poll takes {over:.0f} minutes or more" if over >= 1 else "")


def _walk_reddit(
    lake: Lake,
    catalog: Any,
    reader: Any,
    client: Any,
    clock: Clock,
    services: list[str],
    on_batch: Callable[[Batch], None] | None,
) -> Ingested:
    from clamor.collect import reddit

    state = read_state(lake, "reddit")
    groups = reddit.groups(catalog, services)
    batches = reddit.walk(client, reader, groups=groups, services=services, state=state, clock=clock)
    return ingest(lake, batches, state=("reddit", state), on_batch=on_batch)


def _failing(known: pd.DataFrame) -> list[str]:
    """Return the services of open incidents."""
    ongoing = known.loc[known["status"] == IncidentStatus.ONGOING, "services"]
    return sorted({service for services in ongoing for service in services})


def _read_failing(
    lake: Lake,
    catalog: Any,
    reader: Any,
    settings: Settings,
    client: Any,
    clock: Clock,
    decided: Evaluation,
    collected: dict[str, Ingested],
) -> Evaluation:
    """Sample the posts of open incidents that were not sampled within the hour, and name their symptoms and regions."""
    from clamor.collect import x

    now = utc(clock.now())
    known = schema.to_pandas(lake.read(schema.SAMPLES, start=now - pd.Timedelta(hours=2), end=now))
    fresh = set(known.loc[known["observed_at"] > now - pd.Timedelta(hours=1), "service"])
    wanted = [name for name in _failing(decided.incidents) if name not in fresh and name in catalog.services]
    if not wanted:
        return decided
    state = read_state(lake, "x")
    for service in wanted:
        batches = x.sample(
            client,
            catalog,
            reader,
            service=service,
            state=state,
            clock=clock,
            window=(clock.now() - 3600, clock.now()),
            max_posts=settings.x.sample_posts,
            cap_usd=settings.x.sample_cap_usd,
            profiles=settings.x.sample_profiles,
            budget=money(settings),
        )
        done = ingest(lake, batches, state=("x", state))
        collected["x"].problems.extend(done.problems)
        collected["x"].cost_usd += done.cost_usd
        collected["x"].requests += done.requests
    found = tell(
        lake,
        catalog,
        decided.flags,
        decided.uneven,
        now=now,
        bin_minutes=settings.bin_minutes,
        budget=settings.budget,
    )
    return replace(decided, incidents=found)
