"""What goes wrong between a collector and a service, by configuration and on the emulated clock."""

import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from clamor.simulate.wire import Answer, Request, as_json, parse_iso, token

REFUSALS: Final = {
    "rate_limited": (429, "Too Many Requests"),
    "rate_limited_without_reset": (429, "Too Many Requests"),
    "credits": (402, "CreditsDepleted"),
    "forbidden": (403, "Forbidden"),
    "server_error": (503, "Service Unavailable"),
}
"""Faults that refuse a request, with their status and title; ``rate_limited`` says when to come back."""
SPOILS: Final = ("slow", "drip", "cut", "nonsense", "empty_page", "duplicate_page", "stale", "renamed")
"""Faults that spoil a good answer: it comes late, comes in drips, breaks off, is no JSON, is empty (X's full archive:
with a token that goes on at the same place; Reddit: as if the listing ended), is the walk's page before once more, has
old items on top (Reddit's /new), or counts in ``post_count`` (X)."""

RESET_SECONDS: Final = 300
_CURSORS: Final = ("next_token", "pagination_token", "after", "before", "count")

Handler = Callable[[Request], Answer]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        kind: A key of REFUSALS or one of SPOILS.
        path: Start of the paths that it strikes.
        contains: What the query must contain, as ``place_country:``.
        since: Seconds since the epoch, on the emulated clock.
        until: As `since`; the fault is over then.
        share: Share of the requests that it strikes.
        seconds: How long a slow or dripping answer takes, in real time.

    """

    kind: str
    path: str = "/"
    contains: str = ""
    since: float = 0.0
    until: float = float("inf")
    share: float = 1.0
    seconds: float = 0.2

    def __post_init__(self) -> None:
        if self.kind not in REFUSALS and self.kind not in SPOILS:
            raise ValueError(f"fault {self.kind!r}: not one of {', '.join((*REFUSALS, *SPOILS))}")

    def strikes(self, request: Request, now: float) -> bool:
        """Return whether it may strike a request; chance is left aside."""
        inside = self.since <= now < self.until
        return inside and request.path.startswith(self.path) and self.contains in request.params.get("query", "")


@dataclass(frozen=True, slots=True)
class Faults:
    """All faults of a server.

    Attributes:
        faults: The first one that strikes a request decides its answer.
        forbidden_operators: Operators of X's query language that this account may not use (X answers 400).
        skew_seconds: How far the services' clock is ahead of the collector's.
        seed: Decides by chance which requests are struck.

    """

    faults: tuple[Fault, ...] = ()
    forbidden_operators: tuple[str, ...] = ()
    skew_seconds: float = 0.0
    seed: int = 0


class Injector:
    """Answers requests, and spoils some of the answers.

    Args:
        faults: What goes wrong.

    Attributes:
        struck: How often each kind of fault struck.

    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults.faults
        self._random = random.Random(faults.seed)
        self._lock = threading.Lock()
        self._pages: dict[str, bytes] = {}
        self.struck: dict[str, int] = {}

    def answer(self, request: Request, now: float, handler: Handler) -> Answer:
        """Answer one request at a time on the emulated clock."""
        fault = self._draw(request, now)
        if fault is None:
            answer = handler(request)
        elif fault.kind in REFUSALS:
            return _refuse(fault, now)
        else:
            answer = self._spoil(fault, request, handler)
        if answer.status == 200:
            self._pages[_walk(request)] = answer.body
        return answer

    def _draw(self, request: Request, now: float) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.strikes(request, now) and (fault.share >= 1 or self._random.random() < fault.share):
                    self.struck[fault.kind] = self.struck.get(fault.kind, 0) + 1
                    return fault
        return None

    def _spoil(self, fault: Fault, request: Request, handler: Handler) -> Answer:
        if fault.kind == "slow":
            time.sleep(fault.seconds)
        before = self._pages.get(_walk(request)) if _cursor(request) else None
        answer = handler(request)
        if answer.status != 200:
            return answer
        if fault.kind == "nonsense":
            return Answer(200, b"<html><body>Over capacity</body></html>", {"content-type": "text/html"})
        if fault.kind == "cut":
            answer.cut = 0.6
        elif fault.kind == "drip":
            answer.drip = fault.seconds
        elif fault.kind == "renamed":
            answer.body = answer.body.replace(b"tweet_count", b"post_count")
        elif fault.kind == "duplicate_page" and before is not None:
            answer.body = before
        elif fault.kind == "empty_page":
            answer.body = _changed(answer.body, _empty)
        elif fault.kind == "stale" and request.path.rstrip("/").endswith("/new"):
            answer.body = _changed(answer.body, _stale)
        return answer


def _cursor(request: Request) -> str | None:
    return next((request.params[name] for name in _CURSORS if request.params.get(name)), None)


def _walk(request: Request) -> str:
    """Return what the pages of one walk have in common."""
    return "&".join([request.path, *(f"{k}={v}" for k, v in sorted(request.params.items()) if k not in _CURSORS)])


def _refuse(fault: Fault, now: float) -> Answer:
    status, title = REFUSALS[fault.kind]
    headers = {}
    if fault.kind == "rate_limited":
        headers = {
            "x-rate-limit-remaining": "0",
            "x-rate-limit-reset": str(int(now) + RESET_SECONDS),
            "retry-after": str(RESET_SECONDS),
        }
    return as_json(status, {"title": title, "detail": title, "type": "about:blank", "status": status}, headers)


def _changed(body: bytes, change: Callable[[Any], None]) -> bytes:
    value = json.loads(body)
    change(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _empty(value: Any) -> None:
    """Empty a page: Reddit's listing seems to end; X's counts go on where this page should have ended."""
    if value.get("kind") == "Listing":
        value["data"] |= {"children": [], "dist": 0, "after": None}
        return
    rows = value.pop("data", None)
    meta = value.get("meta", {})
    if rows and "end" in rows[-1]:
        meta["next_token"] = token(int(parse_iso(rows[-1]["end"])))
    meta |= {name: 0 for name in meta if name.endswith("_count")}


def _stale(value: Any) -> None:
    """Put the oldest items of a listing's page at its top."""
    if value.get("kind") == "Listing":
        children = value["data"]["children"]
        value["data"]["children"] = children[-3:] + children[:-3]
