"""An emulator of Reddit's OAuth token and of the listings that clamor's collectors walk.

A listing shows its newest 1,000 items and no more (docs of praw: "limit"); ``after`` walks down by fullname. Deleted
submissions and comments are not listed; removed ones are, with ``[removed]`` as their text. Every now and then an old
submission reappears at the top of /new.
"""

import base64
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clamor.simulate.reddit_posts import fullname, item, number_of
from clamor.simulate.services import PRIVATE_SUBREDDITS
from clamor.simulate.threads import STATES, subreddits
from clamor.simulate.wire import Answer, Request, as_json
from clamor.simulate.world import World

CAP: Final = 1000
"""Items that a listing shows at most."""
TOKEN_SECONDS: Final = 86_400
WINDOW: Final = 600
LIMIT: Final = 1000
"""Requests of a key in a window: 100 a minute, averaged over ten (support.reddithelp.com, Data API wiki)."""
_LISTING: Final = re.compile(r"/r/(?P<names>[\w+-]+)/(?P<kind>new|comments)/?(\.json)?")
_DELETED: Final = STATES.index("deleted")


@dataclass(slots=True)
class RedditApi:
    """Reddit's API of a world.

    Attributes:
        world: The world.
        now: Seconds since the epoch on the emulated clock.
        client_id: The one application that is known.
        client_secret: Its secret.
        token: Makes a new access token.
        token_seconds: Life of an access token on the emulated clock.

    """

    world: World
    now: Callable[[], float]
    client_id: str
    client_secret: str
    token: Callable[[], str]
    token_seconds: int = TOKEN_SECONDS
    _expiry: dict[str, float] = field(default_factory=dict)
    _used: Counter[int] = field(default_factory=Counter)
    _names: dict[str, int] = field(init=False)
    _children: dict[int, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._names = {subreddit.name.lower(): at for at, subreddit in enumerate(subreddits())}

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        if request.path == "/api/v1/access_token":
            return self._grant(request)
        if not request.headers.get("user-agent", "").strip() or "python-requests" in request.headers["user-agent"]:
            return as_json(429, {"message": "Too Many Requests", "error": 429})
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or self._expiry.get(token, 0.0) <= self.now():
            return as_json(401, {"message": "Unauthorized", "error": 401})
        if self.now() > self.world.horizon:
            return as_json(503, {"message": "the synthetic world has ended", "error": 503})
        window, into = divmod(self.now(), WINDOW)
        self._used[int(window)] += 1
        if self._used[int(window)] > LIMIT:
            headers = {"retry-after": str(int(WINDOW - into) + 1)}
            return as_json(429, {"message": "Too Many Requests", "error": 429}, headers)
        answer = self._listing(request)
        pace = {"x-ratelimit-used": "1", "x-ratelimit-remaining": "995.0", "x-ratelimit-reset": "1"}
        answer.headers.update(pace)
        return answer

    def _grant(self, request: Request) -> Answer:
        """Give an access token for the client's credentials."""
        known = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        if request.method != "POST" or request.headers.get("authorization") != f"Basic {known}":
            return as_json(401, {"message": "Unauthorized", "error": 401})
        if not request.headers.get("user-agent", "").strip():
            return as_json(429, {"message": "Too Many Requests", "error": 429})
        if b"grant_type=client_credentials" not in request.body:
            return as_json(200, {"error": "unsupported_grant_type"})
        token = self.token()
        self._expiry = {old: end for old, end in self._expiry.items() if end > self.now()}
        self._expiry[token] = self.now() + self.token_seconds
        return as_json(
            200, {"access_token": token, "token_type": "bearer", "expires_in": self.token_seconds, "scope": "*"}
        )

    def _listing(self, request: Request) -> Answer:
        found = _LISTING.fullmatch(request.path)
        if found is None or request.method != "GET":
            return as_json(404, {"message": "Not Found", "error": 404})
        names = [name.lower() for name in found["names"].split("+")]
        wanted = [self._names[name] for name in names if name in self._names]
        if not wanted:
            if any(name in PRIVATE_SUBREDDITS for name in names):
                return as_json(403, {"reason": "private", "message": "Forbidden", "error": 403})
            return as_json(404, {"message": "Not Found", "error": 404, "reason": "banned"})
        limit = _limit(request.params.get("limit", "25"))
        shown = self.listed(wanted, found["kind"] == "comments")
        page, after, before = _page(shown, request, limit)
        items = self.world.items
        children = [self._child(number) for number in page.tolist()]
        data = {
            "after": fullname(items, after) if after is not None else None,
            "before": fullname(items, before) if before is not None else None,
            "dist": len(children),
            "modhash": None,
            "geo_filter": "",
            "children": children,
        }
        return as_json(200, {"kind": "Listing", "data": data})

    def listed(self, wanted: list[int], comments: bool) -> NDArray[np.int64]:
        """Return the numbers of the items that a listing shows now, in its order."""
        items = self.world.items
        second = self.now() - self.world.start
        last = int(np.searchsorted(items.second, second, side="right"))
        span = CAP * 2
        while True:
            at: NDArray[np.int64] = np.arange(max(0, last - span), last)
            keep = np.isin(items.subreddit[at], wanted) & ((items.title[at] < 0) == comments)
            keep &= items.state[at] != _DELETED
            at = at[keep]
            if len(at) >= CAP + 50 or span >= last:
                break
            span *= 2
        if comments:
            return at[::-1][:CAP]
        again = (items.again[at] >= 0) & (items.again[at] <= second)
        order: NDArray[np.int64] = np.argsort(np.where(again, items.again[at], items.second[at]), kind="stable")
        return at[order][::-1][:CAP]

    def _child(self, number: int) -> dict[str, Any]:
        kind = "t3" if self.world.items.title[number] >= 0 else "t1"
        return {"kind": kind, "data": item(self.world, number)}


def _limit(text: str) -> int:
    return min(100, max(1, int(text))) if text.isdigit() else 25


def _page(shown: NDArray[np.int64], request: Request, limit: int) -> tuple[NDArray[np.int64], int | None, int | None]:
    """Cut one page; a cursor that the listing does not show any more gives an empty one, as Reddit does."""
    low = 0
    for name, step in (("after", 1), ("before", -1)):
        cursor = request.params.get(name)
        if not cursor or cursor == "None":
            continue
        at = np.flatnonzero(shown == number_of(cursor))
        if not len(at):
            return shown[:0], None, None
        low = int(at[0]) + 1 if step > 0 else max(0, int(at[0]) - limit)
        limit = limit if step > 0 else min(limit, int(at[0]))
    page = shown[low : low + limit]
    after = int(page[-1]) if len(page) and low + limit < len(shown) else None
    before = int(page[0]) if len(page) and low > 0 else None
    return page, after, before
