"""One way to X: every call goes through the unmodified client, our retry, the rate window and the money cap."""

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import requests

from clamor.collect.batch import State
from clamor.collect.budget import Budget, charge, refusal
from clamor.collect.clock import Clock
from clamor.collect.http import Limits, ahead, arrived, behind, reason
from clamor.collect.retry import LONGEST_WAIT_SECONDS, Breaker, Fault
from clamor.errors import ConfigError
from clamor.schema import Status

if TYPE_CHECKING:
    import tweepy

HOSTS: Final = ("https://api.twitter.com/", "https://api.x.com/")
COUNTS_RECENT: Final = "/2/tweets/counts/recent"
COUNTS_ALL: Final = "/2/tweets/counts/all"
SEARCH_RECENT: Final = "/2/tweets/search/recent"
SETTLE_SECONDS: Final = 60.0
"""How old a minute must be before it is asked for: later ones are still filling."""


def open_client(bearer_token: str, api_url: str | None = None, timeout_seconds: float = 30.0) -> "tweepy.Client":
    """Return tweepy's client with a time limit on every call.

    Args:
        bearer_token: OAuth 2.0 app-only token of the developer console.
        api_url: A gateway or test server that speaks X's API v2; None for X itself.
        timeout_seconds: For each answer.

    Raises:
        ConfigError: the token is empty or ``api_url`` is no base URL.

    """
    import tweepy

    if not bearer_token.strip():
        raise ConfigError("X: the bearer token is empty; set CLAMOR_X__BEARER_TOKEN, or collect without X")
    client = tweepy.Client(bearer_token.strip())
    limits = Limits(timeout_seconds, api_url)
    for host in HOSTS:
        client.session.mount(host, limits)
    if api_url is not None and api_url.startswith("http://"):
        client.session.trust_env = False  # proxies are the adapter's, and plain HTTP has no certificates to look up
    return client


class Caller:
    """Makes calls for one run and keeps what the next call needs to know.

    Args:
        client: From :func:`open_client`.
        clock: Gives now and sleeps.
        state: Whose spending is counted and capped.
        budget: Prices and caps.
        longest_wait_seconds: For the end of a rate limit.

    Attributes:
        breaker: Retries, and knows why the source is left alone.
        requests: Calls made since :meth:`take`.
        cost_usd: Their estimated cost.
        ahead_seconds: How far X's clock was ahead of ours at the last answer; None where it said no time.

    """

    def __init__(
        self,
        client: "tweepy.Client",
        *,
        clock: Clock,
        state: State,
        budget: Budget,
        longest_wait_seconds: float = LONGEST_WAIT_SECONDS,
    ) -> None:
        self.clock = clock
        self.state = state
        self.budget = budget
        self.breaker = Breaker(clock, random.Random(f"x {clock.now()}"), longest_wait_seconds)
        self.requests = 0
        self.cost_usd = 0.0
        self.ahead_seconds: float | None = None
        self._client = client
        self._longest = longest_wait_seconds
        self._resets: dict[str, float] = {}

    @property
    def behind_seconds(self) -> float:
        """How far X's clock was behind ours at the last answer."""
        return behind(self.ahead_seconds)

    def take(self) -> tuple[int, float]:
        """Return requests and cost since the last time, and start again from none."""
        taken = self.requests, self.cost_usd
        self.requests, self.cost_usd = 0, 0.0
        return taken

    def refund(self, cost_usd: float) -> None:
        """Take back what a call was estimated to cost beyond what it brought."""
        self.cost_usd -= cost_usd
        charge(self.state, self.clock.now(), -cost_usd)

    def get(self, route: str, params: Mapping[str, Any], cost_usd: float) -> Mapping[str, Any]:
        """Return the parsed answer of one page.

        ``client.request`` is the method of tweepy's client under all of its endpoints. It is used rather than those
        because they hide the rate headers, warn about the token that pages of recent counts need, and build an object
        a post.

        Raises:
            Fault: after all retries, or at once where the source is closed or the money is spent.

        """
        return self.breaker.call(lambda: self._once(route, params, cost_usd))

    def _once(self, route: str, params: Mapping[str, Any], cost_usd: float) -> Mapping[str, Any]:
        now = self.clock.now()
        if (why := refusal(self.state, self.budget, now, cost_usd)) is not None:
            raise Fault(Status.BUDGET, f"X: {why}", closes=True)
        self._wait(route)
        self.requests += 1
        billed = True
        try:
            response = self._client.request("GET", route, params=params)
            self._note(route, response)
            body = response.json()
        except Exception as error:
            fault = diagnose(error)
            if fault is None:
                raise
            if isinstance(response := getattr(error, "response", None), requests.Response):
                self.ahead_seconds = ahead(response.headers, self.clock.now())
            billed = (fault.http_status is None and arrived(error)) or fault.status == Status.MALFORMED
            raise fault from error
        finally:
            if billed:
                self.cost_usd += cost_usd
                charge(self.state, now, cost_usd)
        if not isinstance(body, Mapping):
            raise Fault(
                Status.MALFORMED, f"X answered {type(body).__name__}, not an object", http_status=200, again=True
            )
        return body

    def _wait(self, route: str) -> None:
        """Sleep to the end of a rate window that the last answer said is used up."""
        wait = self._resets.pop(route, 0.0) - self.clock.now()
        if 0 < wait <= self._longest:
            self.clock.sleep(wait + 1.0)

    def _note(self, route: str, response: requests.Response) -> None:
        self.ahead_seconds = ahead(response.headers, self.clock.now())
        remaining, reset = (response.headers.get(f"x-rate-limit-{name}", "") for name in ("remaining", "reset"))
        if remaining == "0" and reset.isdigit():
            self._resets[route] = float(reset)


def iso(seconds: float) -> str:
    """Return a time as X takes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def diagnose(error: Exception) -> Fault | None:
    """Say what an error of the client means for the ledger and the retry; None if it is a mistake of our own.

    Statuses: https://docs.x.com/x-api/fundamentals/response-codes-and-errors
    """
    import tweepy

    if isinstance(error, tweepy.TooManyRequests):
        reset = None if error.reset_time is None else float(error.reset_time)
        what = "without a reset time" if reset is None else "past its rate limit"
        return Fault(
            Status.RATE_LIMITED, f"X answered 429 {what}", http_status=429, reset_at=reset, closes=reset is None
        )
    if isinstance(error, tweepy.HTTPException):
        return _of_status(error)
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return Fault(Status.MALFORMED, f"X: half-written answer: {reason(error)}", http_status=200, again=True)
    if isinstance(error, ValueError | RecursionError) and not isinstance(error, UnicodeEncodeError):
        return Fault(Status.MALFORMED, f"X: an answer that is no JSON: {reason(error)}", http_status=200, again=True)
    if isinstance(error, requests.RequestException):
        return Fault(Status.FAILED, f"X: no answer: {reason(error)}", again=True)
    if isinstance(error, AttributeError | TypeError):  # tweepy reads an error's body as if it were an object
        return Fault(Status.FAILED, f"X: an error whose body makes no sense: {reason(error)}", again=True)
    return None


def _of_status(error: Any) -> Fault:
    status = int(error.response.status_code)
    said = " ".join(str(error).split())[:200]
    if status == 401:
        detail = f"X refused the bearer token ({said}); make a new one in the developer console"
        return Fault(Status.UNAUTHORIZED, detail, http_status=status, closes=True)
    if status == 402:
        detail = f"X: the account's credits are spent ({said}); buy credits or wait for the next month"
        return Fault(Status.BUDGET, detail, http_status=status, closes=True)
    if status == 403:
        return Fault(Status.UNAUTHORIZED, f"X does not allow this account to ask this ({said})", http_status=status)
    again = status >= 500 or status == 408
    return Fault(Status.FAILED, f"X answered {said}", http_status=status, again=again)
