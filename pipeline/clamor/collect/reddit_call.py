"""One way to Reddit: every call goes through the unmodified client, with our retry and time limits.

prawcore retries and paces on the machine's clock. The adapter here hands it what it would retry as an error that it
does not, and keeps the rate headers to itself, so that waiting is done once, on the clock that is a parameter: the
vendor's 100 requests a minute a key, shared by all that one client does.
https://support.reddithelp.com/hc/en-us/articles/16160319875092-Reddit-Data-API-Wiki
"""

import random
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import requests

from clamor.collect.clock import Clock, SystemClock
from clamor.collect.http import Limits, ahead, base, behind, reason
from clamor.collect.retry import LONGEST_WAIT_SECONDS, Breaker, Fault
from clamor.errors import ConfigError
from clamor.schema import Status

if TYPE_CHECKING:
    import praw

REQUESTS_A_MINUTE: Final = 100
"""Of a key, whatever it asks for, averaged over ten minutes."""
_FILLED_A_MINUTE: Final = 90
"""A full bucket and ten minutes' filling are the 1,000 requests of Reddit's window."""
_ERRORS: Final = 400
_SERVER_ERRORS: Final = 500
_LONGEST_SHOWN: Final = 60
_REQUEST_TIMEOUT: Final = 408


class _Passing(requests.RequestException):
    """What prawcore would try again by itself."""


class Pace:
    """A bucket of a minute's requests that fills steadily: who comes when it is empty waits on the clock.

    Args:
        clock: Gives now and sleeps.

    Attributes:
        longest_wait_seconds: For the end of a limit that an answer said is used up.

    """

    def __init__(self, clock: Clock) -> None:
        self.longest_wait_seconds = LONGEST_WAIT_SECONDS
        self._clock = clock
        self._left = float(REQUESTS_A_MINUTE)
        self._at = clock.now()
        self._reset_at = 0.0

    def wait(self) -> None:
        """Take one request from the bucket, waiting until there is one."""
        pause = self._reset_at - self._clock.now()
        if 0 < pause <= self.longest_wait_seconds:
            self._clock.sleep(pause)
        self._fill()
        if self._left < 1:
            self._clock.sleep((1 - self._left) * 60 / _FILLED_A_MINUTE)
            self._fill()
        self._left -= 1

    def note(self, headers: Mapping[str, str]) -> None:
        """Read what an answer says of the limit; https://support.reddithelp.com/hc/en-us/articles/16160319875092."""
        remaining, reset = (_seconds(headers.get(f"x-ratelimit-{name}")) for name in ("remaining", "reset"))
        if remaining is not None and reset is not None and remaining < 1:
            self._reset_at = self._clock.now() + reset

    def _fill(self) -> None:
        now = self._clock.now()
        passed = max(0.0, now - self._at)
        self._left, self._at = min(REQUESTS_A_MINUTE, self._left + passed * _FILLED_A_MINUTE / 60), now


class _Once(Limits):
    """Sends once, in its turn: dropped connections, half-written answers and server errors become :class:`_Passing`.

    Attributes:
        pace: Whose turn it is.
        headers: Of the last answer, which praw does not hand out.
        last: The last answer.

    """

    headers: Mapping[str, str] = MappingProxyType({})
    last: requests.Response | None = None

    def __init__(self, timeout_seconds: float, clock: Clock) -> None:
        super().__init__(timeout_seconds)
        self.pace = Pace(clock)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send the request and read its answer."""
        self.last = None
        self.pace.wait()
        try:
            response = super().send(request, *args, **kwargs)
        except requests.exceptions.ChunkedEncodingError as error:
            raise _Passing(
                Fault(Status.MALFORMED, "Reddit: half-written answer", http_status=200, again=True)
            ) from error
        except (requests.ConnectionError, requests.Timeout) as error:
            raise _Passing(Fault(Status.FAILED, f"Reddit: no answer: {reason(error)}", again=True)) from error
        self.headers, self.last = response.headers.copy(), response
        self.pace.note(response.headers)
        response.headers.pop("x-ratelimit-remaining", None)  # prawcore would sleep by it, on the machine's clock
        status = response.status_code
        if status >= _SERVER_ERRORS or status == _REQUEST_TIMEOUT:
            raise _Passing(Fault(Status.FAILED, f"Reddit answered {status}", http_status=status, again=True))
        return response


def open_reddit(
    client_id: str,
    client_secret: str,
    user_agent: str,
    api_url: str | None = None,
    timeout_seconds: float = 30.0,
    clock: Clock | None = None,
) -> "praw.Reddit":
    """Return praw's client, read-only (application-only OAuth), with a time limit on every call.

    Args:
        client_id: Of the script or web app at reddit.com/prefs/apps.
        client_secret: Of the same app.
        user_agent: ``<platform>:<app id>:<version> (by /u/<name>)``.
        api_url: A gateway or test server in the place of both of Reddit's hosts; None for Reddit itself.
        timeout_seconds: For each answer.
        clock: On which it waits for its turn; the machine's when None.

    Raises:
        ConfigError: a credential is empty, the user agent is too short, or ``api_url`` is no base URL.

    """
    import praw

    for name, value in (("CLIENT_ID", client_id), ("CLIENT_SECRET", client_secret), ("USER_AGENT", user_agent)):
        if not value.strip():
            raise ConfigError(f"Reddit: {name.lower()} is empty; set CLAMOR_REDDIT__{name}, or collect without Reddit")
    session = requests.Session()
    adapter = _Once(timeout_seconds, clock or SystemClock())
    for scheme in ("https://", "http://"):
        session.mount(scheme, adapter)
    hosts: dict[str, Any] = {} if api_url is None else {"oauth_url": base(api_url), "reddit_url": base(api_url)}
    try:
        return praw.Reddit(
            client_id=client_id.strip(),
            client_secret=client_secret.strip(),
            user_agent=user_agent.strip(),
            check_for_updates=False,
            requestor_kwargs={"session": session},
            **hosts,
        )
    except Exception as error:
        raise ConfigError(f"Reddit: {reason(error)}; see CLAMOR_REDDIT__USER_AGENT and the other settings") from error


class Caller:
    """Makes calls for one run and keeps what the next call needs to know.

    Args:
        reddit: From :func:`open_reddit`.
        clock: Gives now and sleeps.
        longest_wait_seconds: For the end of a rate limit.

    Attributes:
        breaker: Retries, and knows why the source is left alone.
        requests: Calls made since :meth:`take`.
        ahead_seconds: How far Reddit's clock was ahead of ours at the last answer; None where it said no time.

    """

    def __init__(
        self, reddit: "praw.Reddit", *, clock: Clock, longest_wait_seconds: float = LONGEST_WAIT_SECONDS
    ) -> None:
        self.clock = clock
        self.breaker = Breaker(clock, random.Random(f"reddit {clock.now()}"), longest_wait_seconds)
        self.requests = 0
        self.ahead_seconds: float | None = None
        self._reddit = reddit
        self._adapter = _adapter(reddit)
        if self._adapter is not None:
            self._adapter.pace.longest_wait_seconds = longest_wait_seconds

    @property
    def behind_seconds(self) -> float:
        """How far Reddit's clock was behind ours at the last answer."""
        return behind(self.ahead_seconds)

    def take(self) -> int:
        """Return the requests since the last time, and start again from none."""
        taken, self.requests = self.requests, 0
        return taken

    def get(self, path: str, params: Mapping[str, str]) -> Mapping[str, Any]:
        """Return the ``data`` of one page of a listing.

        Raises:
            Fault: after all retries, or at once where the source is closed.

        """
        return self.breaker.call(lambda: self._once(path, params))

    def _once(self, path: str, params: Mapping[str, str]) -> Mapping[str, Any]:
        self.requests += 1
        try:
            body = self._reddit.request(method="GET", path=path, params=dict(params))
        except Exception as error:
            last = None if self._adapter is None else self._adapter.last
            if last is not None:
                self.ahead_seconds = ahead(last.headers, self.clock.now())
            fault = diagnose(error, self.clock.now(), last)
            if fault is None:
                raise
            raise fault from error
        if self._adapter is not None:
            self.ahead_seconds = ahead(self._adapter.headers, self.clock.now())
        data = body.get("data") if isinstance(body, Mapping) else None
        if not isinstance(data, Mapping) or not isinstance(data.get("children"), list):
            shown = path if len(path) < _LONGEST_SHOWN else f"{path[:_LONGEST_SHOWN]}..."
            raise Fault(Status.MALFORMED, f"Reddit: {shown} answered no listing", http_status=200, again=True)
        return data


def _adapter(reddit: Any) -> _Once | None:
    """Return our adapter in a client of :func:`open_reddit`; None in another one."""
    adapters = getattr(getattr(getattr(reddit, "_core", None), "requestor", None), "adapters", {})
    return next((adapter for adapter in adapters.values() if isinstance(adapter, _Once)), None)


def diagnose(error: Exception, now: float, last: requests.Response | None = None) -> Fault | None:
    """Say what an error of the client means for the ledger and the retry; None if it is a mistake of our own.

    Args:
        error: What praw raised.
        now: Seconds since the epoch.
        last: The answer behind it, for errors that do not carry it.

    """
    import prawcore

    if isinstance(error, prawcore.RequestException):
        original = error.original_exception
        if isinstance(original, _Passing):
            fault: Fault = original.args[0]
            return fault
        return Fault(Status.FAILED, f"Reddit: no answer: {reason(original)}", again=True)
    if isinstance(error, prawcore.BadJSON) or type(error) is ValueError or isinstance(error, requests.JSONDecodeError):
        return Fault(
            Status.MALFORMED, f"Reddit: an answer that is no JSON: {reason(error)}", http_status=200, again=True
        )
    if isinstance(error, prawcore.OAuthException):
        detail = f"Reddit refused the credentials ({reason(error)}); check them at reddit.com/prefs/apps"
        return Fault(Status.UNAUTHORIZED, detail, http_status=401, closes=True)
    response = getattr(error, "response", None)
    if response is not None:
        return _of_status(response, now)
    if isinstance(error, LookupError | TypeError | AttributeError | RecursionError) and last is not None:
        # praw reads the body of any error, and prawcore its headers, as if a Reddit in good health had written them
        if last.status_code >= _ERRORS:
            return _of_status(last, now)
        detail = f"Reddit: an answer that makes no sense: {type(error).__name__} {reason(error)}"
        return Fault(Status.MALFORMED, detail, http_status=last.status_code, again=True)
    return None


def _of_status(response: requests.Response, now: float) -> Fault:
    status = response.status_code
    if status == 429:
        reset = _seconds(response.headers.get("retry-after") or response.headers.get("x-ratelimit-reset"))
        what = "without a reset time" if reset is None else "past its rate limit"
        reset_at = None if reset is None else now + reset
        return Fault(
            Status.RATE_LIMITED, f"Reddit answered 429 {what}", http_status=429, reset_at=reset_at, closes=reset is None
        )
    if status == 401:
        detail = "Reddit refused the credentials (401); check client id and secret at reddit.com/prefs/apps"
        return Fault(Status.UNAUTHORIZED, detail, http_status=401, closes=True)
    if status == 402:
        detail = "Reddit: the account's quota is spent (402); wait, or ask Reddit for more"
        return Fault(Status.BUDGET, detail, http_status=402, closes=True)
    if status == 403:
        detail = "Reddit: a subreddit of this group is private or banned (403); take it out of the catalogue"
        return Fault(Status.UNAUTHORIZED, detail, http_status=403)
    return Fault(Status.FAILED, f"Reddit answered {status}", http_status=status)


def _seconds(header: str | None) -> float | None:
    try:
        return None if header is None else max(0.0, float(header))
    except ValueError:
        return None
