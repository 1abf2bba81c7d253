"""What keeps this set-up from working, and what to do about it: settings, lock, lake, money, X, Reddit.

Every check is one row. Those that ask a service are few, counted and priced beforehand (:func:`bill`), and X's go
through the ledger and the caps like every other call.
"""

import os
import re
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import pandas as pd

from clamor import schema
from clamor.collect import lock, reddit, reddit_call, x, x_call
from clamor.collect.batch import utc
from clamor.collect.budget import spent
from clamor.collect.clock import Clock, floor_minute
from clamor.collect.http import WORST_CLOCK_SECONDS
from clamor.collect.plan import Plan
from clamor.collect.retry import Fault
from clamor.config import Settings, how_to_get
from clamor.errors import BusyError, ClamorError, LakeError
from clamor.run import live
from clamor.run.ingest import read_state, write_state
from clamor.schema import Signal, Status
from clamor.store import Lake

PATIENCE_SECONDS: Final = 10.0
"""A doctor does not wait for the end of a rate limit."""
LEAST_BYTES: Final = 100e6
FEW_BYTES: Final = 1e9
CLOCK_SECONDS: Final = 5.0
"""A Date header is whole seconds and travels: less is no difference."""
WRONG_CLOCK_SECONDS: Final = 60.0
_USER_AGENT: Final = re.compile(r"[^:\s]+:[^:\s]+:\S+ \(by /?u/[^\s)]+\)")


class Health(StrEnum):
    """``note`` works, but look at it; ``skipped`` was not asked."""

    OK = "ok"
    NOTE = "note"
    BROKEN = "broken"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Check:
    """One finding: what was checked, how it is, what was seen, what to do, and what asking cost in US dollars."""

    name: str
    health: Health
    says: str
    do: str = ""
    cost_usd: float = 0.0


def bill(settings: Settings, catalog: Any) -> tuple[int, float, int]:
    """Return what :func:`examine` may ask: requests to X, their price in US dollars, and requests to Reddit (free)."""
    prices = live.money(settings).prices
    asked = 1 + bool(settings.x.countries) + bool(settings.x.languages) if settings.x.bearer_token else 0
    usd = asked * prices.counts_recent_usd + (prices.counts_all_usd if asked else 0.0)
    groups = 0 if settings.missing()["reddit"] else len(_groups(settings, catalog))
    return asked + bool(asked), usd, groups


def examine(
    settings: Settings, catalog: Any, lake: Lake, clock: Clock, *, planned: Plan, ask: bool = True
) -> Iterator[Check]:
    """Yield every check as it is made.

    Args:
        settings: That were read without a mistake.
        catalog: Services and regions.
        lake: Written to once, into its state folder.
        clock: Gives now.
        planned: What polling as configured asks and costs.
        ask: Also ask X and Reddit, as :func:`bill` says.

    """
    yield from _credentials(settings)
    busy = yield from _lock(settings)
    yield from _lake(lake, settings, clock)
    yield from _money(settings, lake, clock, planned)
    if not ask or busy:
        why = "in use by another process; ask again when it has ended" if busy else "asked nobody (--offline)"
        yield Check("X, Reddit", Health.SKIPPED, why)
        return
    try:
        with live.alone(settings, clock):
            clients = live.open_clients(settings, clock)
            if clients.x is not None:
                yield from _ask_x(settings, catalog, lake, clients.x, clock)
            if clients.reddit is not None:
                yield from _ask_reddit(settings, catalog, clients.reddit, clock)
    except BusyError as error:
        yield Check("X, Reddit", Health.SKIPPED, *_split(str(error)))


def _credentials(settings: Settings) -> Iterator[Check]:
    missing = settings.missing()
    for source, names in missing.items():
        if names:
            health = Health.BROKEN if all(missing.values()) else Health.NOTE
            says = f"{source} is left out: {len(names)} of its settings are missing"
            lines = [line.strip() for line in how_to_get(names).splitlines()]
            yield Check(f"{source}: settings", health, says, f"set {'; '.join(lines)}")
        else:
            yield Check(f"{source}: settings", Health.OK, "the credentials are set")
    agent = settings.reddit.user_agent
    if agent and not _USER_AGENT.fullmatch(agent.strip()):
        do = "write <platform>:<app id>:<version> (by /u/<name>); Reddit throttles agents of other forms"
        yield Check("reddit: user agent", Health.NOTE, f"{agent!r} is not of Reddit's form", do)


def _lock(settings: Settings) -> Generator[Check, None, bool]:
    """Yield who holds what; return whether anything is held."""
    try:
        held = {name: who for name, it in live.credentials(settings).items() if (who := lock.holder(name, it))}
    except ClamorError as error:
        yield Check("lock", Health.BROKEN, *_split(str(error)))
        return True
    for name, who in held.items():
        yield Check("lock", Health.NOTE, f"{name} is in use by {who}", "nothing, if that is a run of yours")
    if not held:
        yield Check("lock", Health.OK, f"no other process of this user and machine is at it ({lock.folder()})")
    return bool(held)


def _lake(lake: Lake, settings: Settings, clock: Clock) -> Iterator[Check]:
    now = clock.now()
    root = None if "://" in lake.root else Path(lake.root).expanduser().resolve()
    there = root and next(path for path in (root, *root.parents) if path.exists())
    if root != there:  # nothing is made where there was nothing
        can = os.access(str(there), os.W_OK | os.X_OK)
        says = f"{lake.root} is not there yet and {'can' if can else 'cannot'} be made in {there}"
        yield Check("lake", Health.OK if can else Health.BROKEN, says, "" if can else "name another with --lake")
        return
    try:
        ledger = lake.coverage(start=utc(now) - pd.Timedelta(days=2), end=utc(now))
        for name in ("x", "reddit"):
            read_state(lake, name)
        lake.write_state("doctor", {"checked_at": f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%SZ}"})
    except LakeError as error:
        yield Check("lake", Health.BROKEN, *_split(str(error)))
        return
    yield Check("lake", Health.OK, f"{lake.root} can be read and written")
    if there:
        free = shutil.disk_usage(there).free
        health = Health.BROKEN if free < LEAST_BYTES else Health.NOTE if free < FEW_BYTES else Health.OK
        yield Check("lake: space", health, f"{free / 1e9:,.1f} GB free", "" if health == Health.OK else "make room")
    proven = ledger.loc[ledger["status"].isin([str(status) for status in schema.PROVES])]
    for source, last in proven.groupby("source")["window_end"].max().items():
        minutes = (utc(now) - last).total_seconds() / 60
        late = source in ("x", "reddit") and minutes > 2 * settings.x.poll_minutes + 5
        do = "see that cron runs `clamor run`, and what it prints" if late else ""
        says = f"{source} is proven up to {last:%Y-%m-%d %H:%M} UTC, {minutes:,.0f} minutes ago"
        yield Check("lake: newest", Health.NOTE if late else Health.OK, says, do)


def _money(settings: Settings, lake: Lake, clock: Clock, planned: Plan) -> Iterator[Check]:
    if settings.missing()["x"]:
        return
    with suppress(LakeError):  # told by the lake's check
        budget = live.money(settings)
        used = spent(read_state(lake, "x"), budget, clock.now())
        left = min(cap for cap in (used.day_left_usd, used.month_left_usd) if cap is not None)
        says = f"${used.day_usd:,.2f} spent today and ${used.month_usd:,.2f} this month; ${left:,.2f} left"
        gone = left < budget.prices.counts_recent_usd
        do = "raise x.daily_cap_usd or x.monthly_cap_usd, or wait for the next UTC day or month" if gone else ""
        yield Check("X: budget", Health.BROKEN if gone else Health.OK, says, do)
    if planned.problem:
        yield Check("X: plan", Health.BROKEN, *_split(planned.problem))
    else:
        yield Check("X: plan", Health.OK, str(planned).removeprefix("X: "))


def _ask_x(settings: Settings, catalog: Any, lake: Lake, client: Any, clock: Clock) -> Iterator[Check]:
    """Ask X once for each thing that an account may or may not do; what was spent and learnt is remembered."""
    state = read_state(lake, "x")
    budget = live.money(settings)
    caller = x_call.Caller(client, clock=clock, state=state, budget=budget, longest_wait_seconds=PATIENCE_SECONDS)
    service = next(iter(settings.services or catalog.services))
    world = x.queries(catalog, service)[Signal.COMPLAINT].parts[0]
    recent, past = budget.prices.counts_recent_usd, budget.prices.counts_all_usd
    try:
        yield _asked("X: credentials, counts/recent", caller, x_call.COUNTS_RECENT, world, recent)
        yield _clock("X: clock", caller.ahead_seconds)
        if settings.x.countries:
            query = x.queries(catalog, service, settings.x.countries[0])[Signal.COMPLAINT].parts[0]
            yield _operator("place_country", x.PLACE_PROBE, caller, query, recent, "x.countries")
        if settings.x.languages:
            query = x.language_query(catalog, service, settings.x.languages[0]).parts[0]
            yield _operator("lang", x.LANGUAGE_PROBE, caller, query, recent, "x.languages")
        yield _asked("X: counts/all, for backfill", caller, x_call.COUNTS_ALL, world, past, refused=Health.NOTE)
        says = f"not asked: 10 posts are ${10 * budget.prices.post_usd:.2f}; a run reads some when a service fails"
        yield Check("X: search/recent, for samples", Health.SKIPPED, says)
    finally:
        with suppress(LakeError):  # told by the lake's check
            write_state(lake, "x", state)


def _asked(
    name: str, caller: x_call.Caller, route: str, query: str, price: float, refused: Health = Health.BROKEN
) -> Check:
    """Count one query over an hour that is past on any clock but a mad one; tell what the answer means."""
    end = floor_minute(caller.clock.now() - WORST_CLOCK_SECONDS)
    params = {
        "query": query,
        "start_time": x_call.iso(end - 3600),
        "end_time": x_call.iso(end),
        "granularity": "minute",
    }
    return _try(name, lambda: caller.get(route, params, price), lambda: caller.take()[1], refused)


def _operator(operator: str, probe: str, caller: x_call.Caller, query: str, price: float, setting: str) -> Check:
    """Ask with an operator that not every account may use, and remember the answer instead of the last one."""
    name = f"X: operator {operator}"
    found = _asked(name, caller, x_call.COUNTS_RECENT, query, price, refused=Health.NOTE)
    if found.health == Health.OK:
        caller.state.probes[probe] = "ok"
        return found
    if found.health == Health.NOTE:
        caller.state.probes[probe] = f"refused at {x_call.iso(caller.clock.now())}: {found.says}"
        do = f"leave {setting} empty, or take an access level that has it; without it collection goes on"
        return Check(name, Health.NOTE, found.says, do, found.cost_usd)
    return found


def _ask_reddit(settings: Settings, catalog: Any, client: Any, clock: Clock) -> Iterator[Check]:
    caller = reddit_call.Caller(client, clock=clock, longest_wait_seconds=PATIENCE_SECONDS)
    found: list[Check] = []
    for group in _groups(settings, catalog):
        path = f"r/{'+'.join(group.subreddits[: reddit.SUBREDDITS_A_LISTING])}/{reddit.NEW}"
        name = f"Reddit: {group.name} ({', '.join(group.subreddits[:3])}, ...)"
        found.append(_try(name, lambda path=path: caller.get(path, {"limit": "1"}), lambda: 0.0))  # type: ignore[misc]
    good = [check for check in found if check.health == Health.OK]
    if good:
        yield Check("Reddit: credentials, listings", Health.OK, f"{len(good)} of {len(found)} groups can be read")
    yield from (check for check in found if check.health != Health.OK)
    yield _clock("Reddit: clock", caller.ahead_seconds)


def _groups(settings: Settings, catalog: Any) -> list[reddit.Group]:
    return reddit.groups(catalog, list(settings.services or catalog.services))


def _try(name: str, call: Callable[[], object], cost: Callable[[], float], refused: Health = Health.BROKEN) -> Check:
    """Make a call; a refusal of just this (403, or 400 for an operator) has the given weight."""
    try:
        call()
    except Fault as fault:
        if fault.http_status is None and fault.status == Status.BUDGET:
            return Check(name, Health.SKIPPED, *_split(str(fault)))
        only_this = fault.http_status == 403 or (fault.http_status == 400 and "operator" in str(fault).lower())
        says, do = _split(str(fault))
        return Check(name, refused if only_this else Health.BROKEN, says, do or _DO[fault.status], cost())
    return Check(name, Health.OK, "answered", cost_usd=cost())


def _clock(name: str, ahead: float | None) -> Check:
    if ahead is None:
        return Check(name, Health.SKIPPED, "no answer said its time")
    off = abs(ahead)
    if off <= CLOCK_SECONDS:
        return Check(name, Health.OK, f"within {CLOCK_SECONDS:.0f} s of ours")
    health = Health.BROKEN if off > WRONG_CLOCK_SECONDS else Health.NOTE
    says = f"ours is {off:,.0f} s {'behind' if ahead > 0 else 'ahead'}"
    return Check(name, health, says, "let this machine keep time (NTP; `timedatectl set-ntp true`)")


def _split(message: str) -> tuple[str, str]:
    """Return what a message says and, behind its last semicolon, what it tells to do."""
    says, semicolon, do = message.rpartition("; ")
    return (says, do) if semicolon else (message, "")


_OTHER: Final = "see the message, and ask again in some minutes"
_DO: Final = dict.fromkeys(Status, _OTHER) | {
    Status.FAILED: "see that this machine reaches the service (network, proxy, api_url), then ask again",
    Status.RATE_LIMITED: "wait a quarter of an hour; see that no other program uses this credential",
    Status.MALFORMED: "something else answers in the service's place: check api_url, proxy and captive portals",
    Status.UNAUTHORIZED: "see the access level of the app in the vendor's console",
}
