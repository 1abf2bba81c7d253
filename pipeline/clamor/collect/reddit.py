"""Reddit: walks of ``/new`` and ``/comments`` of groups of subreddits, matched and counted here.

Search is incomplete, so volume is never taken from it. A listing ends at about 1,000 items: a walk goes from the newest
item down to the last walk's end and proves what lies between. A group is what a walk proves; how many listings it is
read in follows from how busy its subreddits are, so that none is outrun; where one is, the rest is a gap in the ledger,
not a calm. https://www.reddit.com/dev/api/#listings
"""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from clamor.collect.archive_reddit import post_of
from clamor.collect.batch import Attempt, Batch, State
from clamor.collect.clock import Clock, floor_minute
from clamor.collect.count import Counter, PostReader
from clamor.collect.reddit_call import Caller, open_reddit
from clamor.collect.reddit_listing import (
    MORE_LISTINGS,
    PAGE_ITEMS,
    SUBREDDITS_A_LISTING,
    Seen,
    halves,
    learn,
    read,
    sized,
)
from clamor.collect.retry import Fault
from clamor.schema import WORLD, Method, Signal, Status

if TYPE_CHECKING:
    import praw

SOURCE: Final = "reddit"
NEW: Final = "new"
COMMENTS: Final = "comments"
SERVICES_A_GROUP: Final = 10
"""Services that are proven, and so fail, together."""
SETTLE_SECONDS: Final = 60.0
"""How old a minute must be before it is counted."""
_GONE: Final = (403, 404)


@dataclass(frozen=True, slots=True)
class Group:
    """Subreddits that are proven together.

    Attributes:
        name: Short and stable; another set of subreddits is another name, because it proves something else.
        subreddits: Lower case, without ``r/``, sorted.
        services: What a walk of this group counts.
        kinds: Which of its listings are walked.

    """

    name: str
    subreddits: tuple[str, ...]
    services: tuple[str, ...]
    kinds: tuple[str, ...] = (NEW, COMMENTS)


def groups(catalog: Any, services: Sequence[str]) -> list[Group]:
    """Return the groups to walk: the services' own subreddits, about ten services a group, and the regional ones.

    A service is put into a group by hashing, so that one more service leaves the other groups as they are, and a group
    of services counts only its own, so that a group which fails leaves the others known. Comments of regional
    subreddits would outrun any listing: of those only submissions are walked, and they count every service.
    """
    buckets: dict[int, list[str]] = {}
    number = -(-len(services) // SERVICES_A_GROUP)
    for service in services:
        if catalog.services[service].subreddits:
            bucket = max(range(number), key=lambda n: hashlib.sha256(f"{service} {n}".encode()).digest())
            buckets.setdefault(bucket, []).append(service)
    made = []
    for _, members in sorted(buckets.items()):
        own = {name for service in members for name in catalog.services[service].subreddits}
        made.append(_group("services", own, members))
    taken = {name for group in made for name in group.subreddits}
    if regional := set(catalog.subreddit_regions) - taken:
        made.append(_group("regions", regional, services, (NEW,)))
    return made


def requests_of(groups: Sequence[Group], state: State, poll_minutes: float) -> int:
    """Return about how many requests a poll makes, as busy as the subreddits were at their busiest yet."""
    total = 0
    for group in groups:
        for kind in group.kinds:
            for names in sized(group.subreddits, state.rates, kind, poll_minutes):
                items = sum(state.rates.get(f"{kind}:{name}", 0.0) for name in names) * poll_minutes
                total += 1 + int(items // PAGE_ITEMS)
    return total


def _group(kind: str, subreddits: set[str], services: Sequence[str], kinds: tuple[str, ...] = (NEW, COMMENTS)) -> Group:
    names = tuple(sorted({name.lower() for name in subreddits}))
    digest = hashlib.sha256("+".join([*names, "|", *sorted(services)]).encode()).hexdigest()[:8]
    return Group(f"{kind}-{digest}", names, tuple(sorted(services)), kinds)


def walk(
    reddit: "praw.Reddit",
    reader: PostReader,
    *,
    groups: Sequence[Group],
    services: Sequence[str],
    state: State,
    clock: Clock,
    kinds: Sequence[str] = (NEW, COMMENTS),
    lookback_hours: float = 24,
) -> Iterator[Batch]:
    """Walk every group's listings from now down to where the last walk ended; one batch a walk.

    Args:
        reddit: From :func:`open_reddit`.
        reader: Reads a post.
        groups: From :func:`groups`.
        services: Of these only.
        state: Changed before each yield.
        clock: Gives now and sleeps.
        kinds: Which of a group's kinds to walk.
        lookback_hours: How far the first walk of a group tries to go.

    Removed and deleted posts are not counted. An interrupt is raised again after what was proven has been yielded.

    """
    caller = Caller(reddit, clock=clock)
    for group in groups:
        counted = tuple(service for service in group.services if service in services)
        for kind in group.kinds:
            if kind not in kinds or not counted:
                continue
            now = clock.now()
            first = _scope(group, kind) not in state.watermarks
            task = _Task(group, kind, counted, *_window(state, group, kind, now, lookback_hours), first)
            if task.end <= task.start:
                continue
            met, interrupt = _Met(), None
            try:
                if caller.breaker.closed is not None:
                    raise Fault(Status.SKIPPED, str(caller.breaker.closed))
                _read(caller, task, state, met)
            except Fault as fault:
                met.fault = fault
            except KeyboardInterrupt as error:
                met.fault, interrupt = Fault(Status.INTERRUPTED, "interrupted"), error
            task = replace(task, end=min(task.end, floor_minute(now - caller.behind_seconds - SETTLE_SECONDS)))
            if task.end > task.start:
                yield _batch(caller, task, met, reader, state)
            if interrupt is not None:
                raise interrupt


@dataclass(frozen=True)
class _Task:
    group: Group
    kind: str
    services: tuple[str, ...]
    start: float
    end: float
    first: bool

    @property
    def scope(self) -> str:
        return _scope(self.group, self.kind)

    def path(self, subreddits: Sequence[str]) -> str:
        return f"r/{'+'.join(subreddits)}/{self.kind}"


@dataclass
class _Met:
    """What the listings of a walk brought: each of its own subreddits; ``unread`` are those not read to their end."""

    listings: dict[tuple[str, ...], Seen] = field(default_factory=dict)
    unread: int = 0
    fault: Fault | None = None

    def proven_from(self, start: float) -> float:
        """Return the first whole minute from which on everything was met, in all listings."""
        if self.unread > 1 or not self.listings:
            return math.inf
        return max(seen.proven_from(start) for seen in self.listings.values())

    def items(self) -> Iterator[Mapping[str, Any]]:
        """Yield the items of the window."""
        return (item for seen in self.listings.values() for item in seen.items.values() if item)


def _scope(group: Group, kind: str) -> str:
    return f"{SOURCE}:{kind}:{group.name}"


def _window(state: State, group: Group, kind: str, now: float, lookback_hours: float) -> tuple[float, float]:
    end = floor_minute(now - SETTLE_SECONDS)
    return state.watermarks.get(_scope(group, kind), floor_minute(end - 3600 * lookback_hours)), end


def _read(caller: Caller, task: _Task, state: State, met: _Met) -> None:
    """Read the group's listings; one that is outrun is read again in halves, as long as there is room for more.

    The first walk of a group takes what one round of listings holds: it leaves no gap behind. Reddit leaves a subreddit
    that is gone or private out of a listing, but refuses a listing of nothing else: those are read with others' again.
    """
    now, window = caller.clock.now(), (task.start, task.end)
    waiting = sized(task.group.subreddits, state.rates, task.kind, (now - task.start) / 60)
    room = 0 if task.first else MORE_LISTINGS
    refused: tuple[str, ...] = ()
    while waiting:
        names, met.unread = waiting.pop(0), len(waiting) + 1 + bool(refused)
        seen = met.listings[names] = Seen()
        try:
            read(caller, task.path(names), window, seen)
        except Fault as fault:
            if fault.http_status not in _GONE or not (waiting or len(met.listings) > 1) or room < 0:
                raise
            refused += names
            met.listings.pop(names)
        else:
            learn(state.rates, task.kind, names, seen, task.start, now)
            if not seen.reached and len(names) > 1 and room > 0:
                waiting[:0] = halves(names, met.listings.pop(names))
                room -= 1
        if refused and not waiting and met.listings:
            smallest = min(met.listings, key=lambda names: len(met.listings[names].created))
            met.listings.pop(smallest)
            waiting, refused, room = [(*smallest, *refused)], (), -1
    met.unread = 0


def _batch(caller: Caller, task: _Task, met: _Met, reader: PostReader, state: State) -> Batch:
    proven = min(met.proven_from(task.start), task.end)
    counter = Counter(reader, source=SOURCE, scope=task.scope, method=Method.WALK, services=task.services)
    for item in met.items():
        if proven <= float(item["created_utc"]) < task.end:
            post = post_of(item, comment=task.kind == COMMENTS)
            if not isinstance(post, str):
                counter.add(post)
    at = caller.clock.now()
    if met.fault is None:
        state.watermarks[task.scope] = task.end
    ledger = _ledger(task, met, proven, at, caller.take())
    return Batch(ledger, volumes=counter.volumes(at), claims=counter.claims(at))


def _capped(task: _Task, met: _Met) -> str:
    ended = sum(len(seen.created) for seen in met.listings.values() if not seen.reached)
    if task.first:
        return f"a first walk of {task.scope}: its listing holds {ended} items; what was before them is not known"
    return f"{task.scope}: the listing ended after {ended} items, before the last walk's; walk more often"


def _ledger(task: _Task, met: _Met, proven: float, at: float, requests: int) -> tuple[Attempt, ...]:
    """Return ``ok`` for what the walk proves, and why not for what it does not."""
    fault = met.fault or Fault(Status.CAPPED, _capped(task, met), http_status=200)
    rows: list[Attempt] = []
    for start, end, status in ((task.start, proven, fault.status), (proven, task.end, Status.OK)):
        if end > start:
            ok = status == Status.OK
            rows.append(
                Attempt(
                    source=SOURCE,
                    scope=task.scope,
                    window_start=start,
                    window_end=end,
                    requested_at=at,
                    services=task.services,
                    regions=(WORLD,),
                    signals=tuple(str(signal) for signal in Signal),
                    bin_minutes=1,
                    status=status,
                    bins_received=int((end - start) // 60) if ok else 0,
                    requests=0 if rows else requests,
                    http_status=200 if ok else fault.http_status,
                    detail=None if ok else str(fault),
                )
            )
    return tuple(rows)


__all__ = ["COMMENTS", "NEW", "SOURCE", "SUBREDDITS_A_LISTING", "Group", "groups", "open_reddit", "requests_of", "walk"]
