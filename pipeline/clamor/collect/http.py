"""The rim of every HTTP client: a time limit on each call, and another host where a gateway or test server is set.

The vendors' clients are used as they are. Both keep a public ``requests.Session``; an adapter mounted on it is the one
place through which every byte goes.
"""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit
from weakref import WeakSet

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from clamor.errors import ConfigError

CONNECT_SECONDS: Final = 10.0
"""How long to wait for a connection; the time limit of a call is for its answer."""
WORST_CLOCK_SECONDS: Final = 3600.0
"""A Date header further from our clock is not a clock that runs wrong but another clock."""


class Limits(HTTPAdapter):
    """Sends with a time limit, to ``base_url`` instead of the request's own host where one is given.

    ``requests`` limits each wait for bytes, so an answer that drips could go on for ever. Here the whole answer is
    read within the limit: when it has passed, the connections of this adapter are shut down, and the call ends as a
    ``requests.ReadTimeout``.

    Args:
        timeout_seconds: From sending to the last byte of the answer.
        base_url: ``http://`` or ``https://`` and a host, with or without a path; None leaves the host alone.

    """

    def __init__(self, timeout_seconds: float, base_url: str | None = None) -> None:
        super().__init__()
        self._seconds = timeout_seconds
        self._base_url = None if base_url is None else base(base_url)
        self._proxies = {} if self._base_url is None else get_environ_proxies(self._base_url)
        self._sockets: WeakSet[socket.socket] = WeakSet()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send the request and read its whole answer; see ``requests.adapters.HTTPAdapter.send``."""
        kwargs["timeout"] = kwargs.get("timeout") or (min(CONNECT_SECONDS, self._seconds), self._seconds)
        if self._base_url is not None:
            request.url = self._base_url + request.path_url
            kwargs["proxies"] = self._proxies
        with self._deadline() as passed:
            try:
                response = super().send(request, *args, **kwargs)
                response.content  # noqa: B018  read here, where the limit holds
            except Exception as error:
                if passed.is_set():
                    raise requests.ReadTimeout(
                        f"no whole answer within {self._seconds:g} s", request=request
                    ) from error
                raise
        return response

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """Return urllib3's pool for a request; its connections tell this adapter their sockets."""
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        if not hasattr(pool.ConnectionCls, "told"):
            pool.ConnectionCls = _telling(pool.ConnectionCls, self._sockets)
        return pool

    @contextmanager
    def _deadline(self) -> Iterator[threading.Event]:
        """Shut the connections down when the limit passes; the event says whether it did."""
        passed = threading.Event()

        def cut() -> None:
            passed.set()
            for each in list(self._sockets):
                with suppress(OSError):
                    socket.socket.shutdown(each, socket.SHUT_RDWR)  # TLS's own would pull its state from under a read

        timer = threading.Timer(self._seconds, cut)
        timer.daemon = True
        timer.start()
        try:
            yield passed
        finally:
            timer.cancel()


def _telling(kind: Any, sockets: "WeakSet[socket.socket]") -> Any:
    """Return a connection class of urllib3 that adds each socket it opens to ``sockets``."""

    def connect(self: Any) -> None:
        kind.connect(self)
        sockets.add(self.sock)

    return type(kind.__name__, (kind,), {"connect": connect, "told": True})


def base(url: str) -> str:
    """Return a base URL without its last slash.

    Raises:
        ConfigError: it has no scheme or host.

    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ConfigError(f"api_url {url!r} is no base URL; write http://HOST:PORT or https://HOST, or leave it unset")
    return url.rstrip("/")


def reason(error: BaseException) -> str:
    """Return in at most 160 characters why a call failed, without the address and query that urllib3 puts first."""
    first = error.args[0] if error.args else error
    text = " ".join(str(getattr(first, "reason", None) or error).split())
    return text[:160] or type(error).__name__


def arrived(error: BaseException) -> bool:
    """Tell whether a call that brought no answer may have reached the other side: there was a connection."""
    first = error.args[0] if error.args else error
    return not isinstance(getattr(first, "reason", first), ConnectTimeoutError | NewConnectionError)


def ahead(headers: Mapping[str, str], now: float) -> float | None:
    """Return by how many seconds a service's clock is ahead of ours (less than 0: behind), from an answer's Date."""
    try:
        return parsedate_to_datetime(headers["date"]).timestamp() - now
    except (KeyError, ValueError):
        return None


def behind(ahead_seconds: float | None) -> float:
    """Return by how many seconds the service's clock is behind ours; 0 if it is not, or unknown.

    What a service has not lived through yet cannot be proven empty, so windows end on the slower of both clocks.
    """
    seconds = -(ahead_seconds or 0.0)
    return seconds if 1.0 < seconds <= WORST_CLOCK_SECONDS else 0.0
