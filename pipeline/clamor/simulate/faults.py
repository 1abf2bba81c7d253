"""What goes wrong between a collector and a service, by configuration and on the emulated clock."""

import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from clamor.simulate.wire import Answer, Request, as_json

KINDS: Final = (
    "rate_limited",
    "rate_limited_without_reset",
    "credits",
    "forbidden",
    "server_error",
    "slow",
    "cut",
    "nonsense",
    "empty_page",
    "duplicate_page",
    "renamed",
)
"""429 with and without reset, 402, 403, 503, a slow answer, a cut one, one that is no JSON, an empty page (X: with a
token that goes on), a page served twice (Reddit), counts in `post_count` instead of `tweet_count`."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        kind: One of KINDS.
        path: Start of the paths that it strikes.
        since: Seconds since the epoch, on the emulated clock.
        until: As `since`; the fault is over then.
        share: Share of the requests that it strikes.
        seconds: How long a slow answer takes, in real time.

    """

    kind: str
    path: str = "/"
    since: float = 0.0
    until: float = float("inf")
    share: float = 1.0
    seconds: float = 0.2

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"fault {self.kind!r}: not one of {', '.join(KINDS)}")


@dataclass
class Faults:
    """All faults of a server.

    Attributes:
        faults: The first one that strikes a request decides its answer.
        forbidden_operators: Operators of X's query language that this account may not use (X answers 400).
        skew_seconds: How far the service's clock is ahead of the collector's.
        seed: Decides which requests are struck.

    """

    faults: tuple[Fault, ...] = ()
    forbidden_operators: tuple[str, ...] = ()
    skew_seconds: float = 0.0
    seed: int = 0
    struck: dict[str, int] = field(default_factory=dict)

    def skewed(self, now: Callable[[], float]) -> Callable[[], float]:
        """Return the service's clock."""
        skew = self.skew_seconds
        return (lambda: now() + skew) if skew else now

    def apply(self, request: Request, now: float, handler: Callable[[Request], Answer]) -> Answer:
        """Answer a request, or spoil the answer."""
        for fault in self.faults:
            if fault.since <= now < fault.until and request.path.startswith(fault.path) and self._hits(fault):
                self.struck[fault.kind] = self.struck.get(fault.kind, 0) + 1
                return _strike(fault, request, now, handler)
        return handler(request)

    def _hits(self, fault: Fault) -> bool:
        return fault.share >= 1.0 or _random(self.seed).random() < fault.share


_generators: dict[int, random.Random] = {}
_lock = threading.Lock()


def _random(seed: int) -> random.Random:
    with _lock:
        return _generators.setdefault(seed, random.Random(seed))


def _strike(fault: Fault, request: Request, now: float, handler: Callable[[Request], Answer]) -> Answer:
    refusals = {
        "rate_limited": (
            429,
            "Too Many Requests",
            {"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(int(now) + 300)},
        ),
        "rate_limited_without_reset": (429, "Too Many Requests", {}),
        "credits": (402, "CreditsDepleted", {}),
        "forbidden": (403, "Forbidden", {}),
        "server_error": (503, "Service Unavailable", {}),
    }
    if fault.kind in refusals:
        status, title, headers = refusals[fault.kind]
        return as_json(status, {"title": title, "detail": title, "type": "about:blank", "status": status}, headers)
    if fault.kind == "nonsense":
        return Answer(200, b"<html><body>Over capacity</body></html>", {"content-type": "text/html"})
    if fault.kind == "slow":
        time.sleep(fault.seconds)
    answer = handler(request)
    if fault.kind == "cut":
        answer.cut = 0.6
    if fault.kind == "renamed":
        answer.body = answer.body.replace(b"tweet_count", b"post_count")
    return answer


def empty_page(answer: Answer) -> Answer:
    """Return a page with nothing in it but a token."""
    meta = json.loads(answer.body).get("meta", {})
    return as_json(200, {"meta": meta})
