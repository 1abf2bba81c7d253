"""An emulator of the X API v2 endpoints that clamor's collectors ask: counts and search, recent and all.

Shapes follow recorded answers and https://docs.x.com/x-api/posts (counts: 31 days a page of the full archive, 7 days of
the recent one, partial first and last buckets; rate limits in windows of 15 minutes).
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clamor.simulate.index import Search
from clamor.simulate.query import QueryError, parse
from clamor.simulate.wire import Answer, Request, as_json, iso, parse_iso, token, untoken
from clamor.simulate.world import World
from clamor.simulate.x_posts import Expander

LIMITS: Final = {
    "/2/tweets/counts/recent": 300,
    "/2/tweets/counts/all": 300,
    "/2/tweets/search/recent": 450,
    "/2/tweets/search/all": 300,
}
"""Requests in 15 minutes by endpoint (docs.x.com, rate limits)."""

WINDOW: Final = 900
_DAY: Final = 86_400
_BUCKETS: Final = {"minute": 60, "hour": 3600, "day": _DAY}
PAGE_DAYS: Final = 31
"""Days on one page of the full archive's counts."""
_NEWEST: Final = 10
"""Seconds that `end_time` must lie before the request."""
_PROBLEM: Final = "https://api.twitter.com/2/problems/"


class Refused(Exception):
    """A request that X answers with 400; the message is what its body says."""

    def __init__(self, parameter: str, value: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter
        self.value = value


@dataclass(slots=True)
class _Window:
    start: float
    used: int = 0


@dataclass(slots=True)
class XApi:
    """The X API of a world.

    Attributes:
        world: The world.
        now: Seconds since the epoch on the emulated clock.
        bearer_token: The one token that is accepted.
        field_prefix: `tweet` or `post`: how rows spell their count (`tweet_count`).
        limits: Requests in 15 minutes by endpoint.
        forbidden_operators: Operators that this account may not use.

    """

    world: World
    now: Callable[[], float]
    bearer_token: str
    field_prefix: str = "tweet"
    limits: dict[str, int] = field(default_factory=lambda: dict(LIMITS))
    forbidden_operators: frozenset[str] = frozenset()
    _windows: dict[str, _Window] = field(default_factory=dict)
    _last_search_all: float = -1.0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _search: Search = field(init=False)
    _expander: Expander = field(init=False)
    _quiet: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self._search = Search(self.world)
        self._expander = Expander(self.world)
        minutes = range(self.world.start, self.world.horizon, 60)
        self._quiet = [self._row(minute, minute + 60, 0) for minute in minutes]

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        if request.path not in LIMITS or request.method != "GET":
            return _problem(404, "Not Found", "about:blank")
        if request.headers.get("authorization") != f"Bearer {self.bearer_token}":
            return _problem(401, "Unauthorized", "about:blank")
        headers, allowed = self._spend(request.path)
        if not allowed:
            return _problem(429, "Too Many Requests", "about:blank", headers)
        try:
            answer = self._route(request)
        except Refused as refused:
            answer = _invalid(refused)
        answer.headers.update(headers)
        return answer

    def _route(self, request: Request) -> Answer:
        now = self.now()
        if now > self.world.horizon + _NEWEST:
            return _problem(503, "Service Unavailable", "about:blank", detail="the synthetic world has ended")
        query = request.params.get("query", "")
        try:
            node = parse(query)
        except QueryError as error:
            raise Refused("query", query, f"There were errors processing your request: {error}") from error
        self._permit(query, node)
        if "/counts/" in request.path:
            return self._counts(request, query, now)
        if request.path.endswith("/all"):
            if 0 <= now - self._last_search_all < 1:
                return _problem(429, "Too Many Requests", "about:blank")
            self._last_search_all = now
        return self._posts(request, query, now)

    def _permit(self, query: str, node: object) -> None:
        for operator in self.forbidden_operators:
            at = query.find(f"{operator}:")
            if at >= 0:
                raise Refused(
                    "query",
                    query,
                    f"There were errors processing your request: Reference to invalid operator '{operator}'. Operator "
                    "is not available in current product or product packaging. Please refer to complete available "
                    f"operator list at http://t.co/operators. (at position {at + 1})",
                )

    def _spend(self, path: str) -> tuple[dict[str, str], bool]:
        """Count a request against its endpoint's window; return the headers and whether it is within the limit."""
        now, limit = self.now(), self.limits[path]
        with self._lock:
            return self._spent(path, now, limit)

    def _spent(self, path: str, now: float, limit: int) -> tuple[dict[str, str], bool]:
        window = self._windows.get(path)
        if window is None or now >= window.start + WINDOW or now < window.start:
            window = self._windows[path] = _Window(now)
        window.used += 1
        headers = {
            "x-rate-limit-limit": str(limit),
            "x-rate-limit-remaining": str(max(0, limit - window.used)),
            "x-rate-limit-reset": str(int(window.start + WINDOW)),
        }
        return headers, window.used <= limit

    def _span(self, request: Request, now: float, default_days: int, step: int) -> tuple[int, int]:
        """Return the window that is asked for, in whole seconds since the epoch."""
        params = request.params
        for name in ("since_id", "until_id"):
            if name in params:
                raise Refused(name, params[name], f"Invalid '{name}': this emulator takes start_time and end_time.")
        recent = request.path.endswith("/recent")
        earliest = max(self.world.start, int(now) - 7 * _DAY if recent else 0)
        end = _time(params, "end_time", now - (30 if step else _NEWEST))
        if end > now - _NEWEST:
            raise Refused(
                "end_time",
                params.get("end_time", ""),
                f"Invalid 'end_time':'{params.get('end_time')}'. 'end_time' must be a minimum of 10 seconds prior to "
                "the request time.",
            )
        start = _time(params, "start_time", max(float(earliest), end - default_days * _DAY))
        if start < earliest - (60 if recent else 0):
            raise Refused(
                "start_time",
                params.get("start_time", ""),
                f"Invalid 'start_time':'{params.get('start_time')}'. 'start_time' must be on or after {iso(earliest)}.",
            )
        if start >= end:
            raise Refused(
                "end_time",
                params.get("end_time", ""),
                f"Invalid 'end_time':'{params.get('end_time')}'. 'end_time' must be after 'start_time'.",
            )
        return int(start), int(end)

    def _counts(self, request: Request, query: str, now: float) -> Answer:
        granularity = request.params.get("granularity", "hour")
        step = _BUCKETS.get(granularity)
        if step is None:
            raise Refused(
                "granularity",
                granularity,
                f"The `granularity` query parameter value [{granularity}] is not one of [day,hour,minute]",
            )
        recent = request.path.endswith("/recent")
        start, end = self._span(request, now, 7 if recent else 30, step)
        end = _untoken(cursor, start, end) if (cursor := _cursor(request)) else end
        first = start if recent else max(start, end - PAGE_DAYS * _DAY)
        rows, total = self._rows(query, first, end, step)
        meta = f'"meta":{{"total_{self.field_prefix}_count":{total}'
        if first > start:
            meta += f',"next_token":"{token(first)}"'
        body = f'{{"data":[{",".join(rows)}],{meta}}}}}'
        return Answer(200, body.encode(), {"content-type": "application/json; charset=utf-8"})

    def _rows(self, query: str, start: int, end: int, step: int) -> tuple[list[str], int]:
        """Return the buckets from start to end as JSON, the first and the last cut where the window is, and the sum."""
        inner = np.arange(-(-start // step) * step, end, step)
        edges = np.concatenate(([start], inner[inner > start], [end]))
        places = np.searchsorted(self._search.seconds(query), edges - self.world.start)
        counts = np.diff(places)
        if step == 60:
            return self._minutes(edges, counts), int(places[-1] - places[0])
        spans = zip(edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), strict=True)
        return [self._row(*span) for span in spans], int(places[-1] - places[0])

    def _minutes(self, edges: NDArray[np.int64], counts: NDArray[np.int64]) -> list[str]:
        """Return minute buckets: whole ones are written beforehand, with a count of 0, and only the others anew."""
        first = int(edges[0] - self.world.start) // 60
        rows = self._quiet[first : first + len(counts)]
        for at in np.flatnonzero(counts).tolist():
            rows[at] = f"{rows[at][:-2]}{counts[at]}}}"
        for at in {0, len(counts) - 1}:
            rows[at] = self._row(int(edges[at]), int(edges[at + 1]), int(counts[at]))
        return rows

    def _row(self, start: int, end: int, count: int) -> str:
        return f'{{"end":"{iso(end)}","start":"{iso(start)}","{self.field_prefix}_count":{count}}}'

    def _posts(self, request: Request, query: str, now: float) -> Answer:
        start, end = self._span(request, now, 7 if request.path.endswith("/recent") else 30, 0)
        most = 100 if request.path.endswith("/recent") else 500
        size = _whole(request.params, "max_results", 10, 10, most)
        skip = 0
        if cursor := _cursor(request):
            end, skip = divmod(_untoken(cursor, start * 1000, end * 1000 + 999), 1000)
        return self._expander.page(request.params, self._search.matches, query, (start, end), size, skip)


def _time(params: Mapping[str, str], name: str, default: float) -> float:
    value = params.get(name)
    if value is None:
        return default
    try:
        return parse_iso(value)
    except ValueError as error:
        raise Refused(name, value, f"Invalid '{name}':'{value}'. Use RFC 3339, as 2026-11-02T00:00:00Z.") from error


def _whole(params: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    value = params.get(name, str(default))
    if not value.isdigit() or not low <= int(value) <= high:
        raise Refused(name, value, f"The `{name}` query parameter value [{value}] is not between {low} and {high}")
    return int(value)


def _cursor(request: Request) -> str | None:
    return request.params.get("next_token") or request.params.get("pagination_token")


def _untoken(text: str, low: int, high: int) -> int:
    number = untoken(text)
    if number is None or not low < number <= high:
        raise Refused("next_token", text, f"Invalid 'next_token':'{text}'")
    return number


def _problem(
    status: int, title: str, kind: str, headers: dict[str, str] | None = None, detail: str | None = None
) -> Answer:
    body = {"title": title, "detail": detail or title, "type": kind, "status": status}
    return as_json(status, body, headers)


def _invalid(refused: Refused) -> Answer:
    body = {
        "errors": [{"parameters": {refused.parameter: [refused.value]}, "message": str(refused)}],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": f"{_PROBLEM}invalid-request",
    }
    return as_json(400, body)
