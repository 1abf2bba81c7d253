"""Reddit: walks of ``/new`` and ``/comments`` of groups of subreddits, matched and counted here.

Search is incomplete, so volume is never taken from it. A listing ends at about 1,000 items: a walk goes from the newest
item down to the last walk's end and proves what lies between; where the listing ends first, the rest is a gap in the
ledger, not a calm. https://www.reddit.com/dev/api/#listings
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
from clamor.collect.retry import Fault
from clamor.schema import WORLD, Method, Signal, Status

if TYPE_CHECKING:
    import praw

SOURCE: Final = "reddit"
NEW: Final = "new"
COMMENTS: Final = "comments"
SERVICES_A_GROUP: Final = 10
"""Services whose subreddits share a listing: about 500 items in 15 minutes of a busy hour, half of what it holds."""
SETTLE_SECONDS: Final = 60.0
"""How old a minute must be before it is counted."""
PAGE_ITEMS: Final = 100
SUBREDDITS_A_LISTING: Final = 100
"""A longer address may be refused; so may a multireddit of more."""
OLDER_ITEMS: Final = 10
"""Items at the end of a page that must all be older than the window: stale items reappear among new ones."""
WHOLE_LISTING_ITEMS: Final = 500
"""A listing that ends with fewer items ended because there are no more; the cap is 1,000 less what was removed."""
LISTING_ITEMS: Final = 1_100
"""More than any listing has: a walk that gets there is going round in circles."""
_ANCHORS: Final = 5


@dataclass(frozen=True, slots=True)
class Group:
    """Subreddits that share one listing and one cap.

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
            task = _Task(group, kind, counted, *_window(state, group, kind, now, lookback_hours))
            if task.end <= task.start:
                continue
            seen, interrupt = _Seen(), None
            try:
                if caller.breaker.closed is not None:
                    raise Fault(Status.SKIPPED, str(caller.breaker.closed))
                _read(caller, task, seen)
            except Fault as fault:
                seen.fault = fault
            except KeyboardInterrupt as error:
                seen.fault, interrupt = Fault(Status.INTERRUPTED, "interrupted"), error
            task = replace(task, end=min(task.end, floor_minute(now - caller.behind_seconds - SETTLE_SECONDS)))
            if task.end > task.start:
                yield _batch(caller, task, seen, reader, state)
            if interrupt is not None:
                raise interrupt


@dataclass(frozen=True)
class _Task:
    group: Group
    kind: str
    services: tuple[str, ...]
    start: float
    end: float

    @property
    def scope(self) -> str:
        return _scope(self.group, self.kind)

    @property
    def path(self) -> str:
        return f"r/{'+'.join(self.group.subreddits)}/{self.kind}"


@dataclass
class _Seen:
    """What a walk has met so far: items by id in the order of the listing, and whether it got to older ones."""

    items: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    created: list[float] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    reached: bool = False
    fault: Fault | None = None

    def proven_from(self, start: float) -> float:
        """Return the first whole minute from which on everything was met."""
        if self.reached:
            return start
        if not self.created:
            return math.inf
        return max(start, floor_minute(max(self.created[-OLDER_ITEMS:])) + 60.0)


def _scope(group: Group, kind: str) -> str:
    return f"{SOURCE}:{kind}:{group.name}"


def _window(state: State, group: Group, kind: str, now: float, lookback_hours: float) -> tuple[float, float]:
    end = floor_minute(now - SETTLE_SECONDS)
    return state.watermarks.get(_scope(group, kind), floor_minute(end - 3600 * lookback_hours)), end


def _read(caller: Caller, task: _Task, seen: _Seen) -> None:
    """Page through the listing until the end of a page is older than the window, or the listing ends."""
    after: str | None = None
    anchors = 0
    while len(seen.created) < LISTING_ITEMS:
        params = {"limit": str(PAGE_ITEMS)} | ({} if after is None else {"after": after})
        page = caller.get(task.path, params)
        new = _meet(page["children"], seen, task)
        if len(seen.created) >= OLDER_ITEMS and max(seen.created[-OLDER_ITEMS:]) < task.start:
            seen.reached = True
            return
        token = page.get("after")
        if page["children"] and token is None:
            seen.reached = len(seen.created) < WHOLE_LISTING_ITEMS
            return
        if new and token is not None:
            after, anchors = str(token), 0
            continue
        # An empty page is not the end: the item that it was to follow may have been deleted. Follow an earlier one.
        anchors += 1
        if anchors > _ANCHORS or (token is None and not seen.names):
            raise Fault(Status.MALFORMED, f"Reddit: {task.path} gave an empty page", http_status=200)
        after = str(token) if token not in (None, after) else seen.names[-min(1 + anchors, len(seen.names))]


def _meet(children: list[Any], seen: _Seen, task: _Task) -> int:
    """Note the items of a page; return how many of them are new."""
    met = len(seen.created)
    for child in children:
        try:
            item = child["data"]
            key, created = str(item["id"]), float(item["created_utc"])
        except (KeyError, TypeError, ValueError) as error:
            raise Fault(Status.MALFORMED, f"Reddit: an item without {error}", http_status=200) from error
        if key in seen.items:
            continue
        seen.items[key] = item if task.start <= created < task.end else {}
        seen.created.append(created)
        seen.names.append(str(item.get("name") or f"{child.get('kind', '')}_{key}"))
    return len(seen.created) - met


def _batch(caller: Caller, task: _Task, seen: _Seen, reader: PostReader, state: State) -> Batch:
    proven = min(seen.proven_from(task.start), task.end)
    counter = Counter(reader, source=SOURCE, scope=task.scope, method=Method.WALK, services=task.services)
    for item in seen.items.values():
        if item and proven <= float(item["created_utc"]) < task.end:
            post = post_of(item, comment=task.kind == COMMENTS)
            if not isinstance(post, str):
                counter.add(post)
    at = caller.clock.now()
    if seen.fault is None:
        state.watermarks[task.scope] = task.end
    ledger = _ledger(task, seen, proven, at, caller.take())
    return Batch(ledger, volumes=counter.volumes(at), claims=counter.claims(at))


def _ledger(task: _Task, seen: _Seen, proven: float, at: float, requests: int) -> tuple[Attempt, ...]:
    """Return ``ok`` for what the walk proves, and why not for what it does not."""
    fault = seen.fault or Fault(
        Status.CAPPED, f"the listing ended after {len(seen.created)} items; walk more often", http_status=200
    )
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


__all__ = ["COMMENTS", "NEW", "SOURCE", "Group", "groups", "open_reddit", "walk"]
