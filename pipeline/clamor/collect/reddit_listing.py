"""Reading Reddit's listings down to a time, and how many subreddits may share one so that it is never outrun.

A listing shows its newest 1,000 items, whoever they are from. What a subreddit brings at its busiest is remembered, so
that subreddits share a listing only while it holds what has come since the last walk; a listing that ends too early all
the same is read again in halves. https://www.reddit.com/dev/api/#listings
"""

import math
from collections import Counter
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from clamor.collect.clock import floor_minute
from clamor.collect.reddit_call import Caller
from clamor.collect.retry import Fault
from clamor.schema import Status

PAGE_ITEMS: Final = 100
OLDER_ITEMS: Final = 10
"""Items at the end of a page that must all be older than the window: stale items reappear among new ones."""
WHOLE_LISTING_ITEMS: Final = 500
"""A listing that ends with fewer items ended because there are no more; the cap is 1,000 less what was removed."""
LISTING_ITEMS: Final = 1_100
"""More than any listing has: a walk that gets there is going round in circles."""
ROOM_ITEMS: Final = 500
"""What a listing is planned to hold: half of its cap, because the busiest time yet is not the busiest to come."""
SUBREDDITS_A_LISTING: Final = 100
"""A longer address may be refused."""
MORE_LISTINGS: Final = 8
"""Listings of a walk beyond those that its number of subreddits takes: some 80 requests, less than a minute's worth."""
LEAST_MINUTES: Final = 5.0
"""A shorter look says little about how busy a subreddit is."""
_FADING: Final = 0.99
_LEAST_RATE: Final = 1e-3
_ANCHORS: Final = 5


@dataclass
class Seen:
    """What the walk down one listing has met so far.

    Attributes:
        items: By id, in the order of the listing; those outside the window are empty.
        created: When each was made, seconds since the epoch.
        names: Their full names.
        subreddits: Where each is from, lower case.
        reached: Whether it got to items older than the window, or to the end of all there are.

    """

    items: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    created: list[float] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    subreddits: list[str] = field(default_factory=list)
    reached: bool = False

    def proven_from(self, start: float) -> float:
        """Return the first whole minute from which on everything was met."""
        if self.reached:
            return start
        if not self.created:
            return math.inf
        return max(start, floor_minute(max(self.created[-OLDER_ITEMS:])) + 60.0)


def read(caller: Caller, path: str, window: tuple[float, float], seen: Seen) -> None:
    """Page through a listing until the end of a page is older than the window, or the listing ends.

    Args:
        caller: Makes the calls.
        path: As ``r/a+b/new``.
        window: Start and end, seconds since the epoch.
        seen: Filled as pages come, so that what was met before a fault is known.

    Raises:
        Fault: a call brought nothing.

    """
    after: str | None = None
    anchors = 0
    while len(seen.created) < LISTING_ITEMS:
        params = {"limit": str(PAGE_ITEMS)} | ({} if after is None else {"after": after})
        page = caller.get(path, params)
        new = _meet(page["children"], seen, window)
        if len(seen.created) >= OLDER_ITEMS and max(seen.created[-OLDER_ITEMS:]) < window[0]:
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
            raise Fault(Status.MALFORMED, f"Reddit: {path[:60]} gave an empty page", http_status=200)
        after = str(token) if token not in (None, after) else seen.names[-min(1 + anchors, len(seen.names))]


def _meet(children: list[Any], seen: Seen, window: tuple[float, float]) -> int:
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
        seen.items[key] = item if window[0] <= created < window[1] else {}
        seen.created.append(created)
        seen.names.append(str(item.get("name") or f"{child.get('kind', '')}_{key}"))
        seen.subreddits.append(str(item.get("subreddit", "")).lower())
    return len(seen.created) - met


def sized(subreddits: Sequence[str], rates: Mapping[str, float], kind: str, minutes: float) -> list[tuple[str, ...]]:
    """Return which subreddits share a listing, so that each holds what comes in so many minutes at the busiest.

    The busiest goes first, each to the listing that holds least: every listing has some that are alive.

    Args:
        subreddits: Lower case.
        rates: From :func:`learn`; a subreddit that was never met counts as none.
        kind: ``new`` or ``comments``.
        minutes: Since the last walk.

    """
    items = {name: rates.get(f"{kind}:{name}", 0.0) * minutes for name in subreddits}
    least = math.ceil(len(items) / SUBREDDITS_A_LISTING)
    number = min(max(least, math.ceil(sum(items.values()) / ROOM_ITEMS)), least + MORE_LISTINGS, len(items))
    made: list[list[str]] = [[] for _ in range(number)]
    load = [0.0] * number
    for name in sorted(items, key=lambda name: (-items[name], name)):
        at = min(range(number), key=lambda n: (len(made[n]) >= SUBREDDITS_A_LISTING, load[n], len(made[n])))
        made[at].append(name)
        load[at] += items[name]
    return [tuple(sorted(names)) for names in made]


def halves(names: Sequence[str], seen: Seen) -> list[tuple[str, ...]]:
    """Split a listing that was outrun in two of about as many items each."""
    items = Counter(seen.subreddits)
    below = [sum(items[name] for name in names[:at]) for at in range(1, len(names))]
    cut = 1 + min(range(len(below)), key=lambda at: abs(2 * below[at] - len(seen.created)))
    return [tuple(names[:cut]), tuple(names[cut:])]


def learn(
    rates: MutableMapping[str, float], kind: str, names: Sequence[str], seen: Seen, start: float, now: float
) -> None:
    """Remember how many items a minute each subreddit brings at its busiest; a peak fades over some hundred walks."""
    since = min(seen.proven_from(start), now - 60.0)
    minutes = (now - since) / 60.0
    if minutes < LEAST_MINUTES and seen.reached:
        return
    items = Counter(
        name for name, created in zip(seen.subreddits, seen.created, strict=True) if since <= created <= now
    )
    for name in names:
        rate = max(items[name] / minutes, _FADING * rates.get(f"{kind}:{name}", 0.0))
        if rate >= _LEAST_RATE:
            rates[f"{kind}:{name}"] = round(rate, 4)
        else:
            rates.pop(f"{kind}:{name}", None)
