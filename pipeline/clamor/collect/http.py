"""The rim of every HTTP client: a time limit on each call, and another host where a gateway or test server is set.

The vendors' clients are used as they are. Both keep a public ``requests.Session``; an adapter mounted on it is the one
place through which every byte goes.
"""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies

from clamor.errors import ConfigError

CONNECT_SECONDS: Final = 10.0
"""How long to wait for a connection; the time limit of a call is for its answer."""
WORST_CLOCK_SECONDS: Final = 3600.0
"""A Date header further from our clock is not a clock that runs wrong but another clock."""


class Limits(HTTPAdapter):
    """Sends with a time limit, to ``base_url`` instead of the request's own host where one is given.

    Args:
        timeout_seconds: For each wait on the other side's bytes.
        base_url: ``http://`` or ``https://`` and a host, with or without a path; None leaves the host alone.

    """

    def __init__(self, timeout_seconds: float, base_url: str | None = None) -> None:
        super().__init__()
        self._timeout = (min(CONNECT_SECONDS, timeout_seconds), timeout_seconds)
        self._base_url = None if base_url is None else base(base_url)
        self._proxies = {} if self._base_url is None else get_environ_proxies(self._base_url)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send the request; see ``requests.adapters.HTTPAdapter.send``."""
        kwargs["timeout"] = kwargs.get("timeout") or self._timeout
        if self._base_url is not None:
            request.url = self._base_url + request.path_url
            kwargs["proxies"] = self._proxies
        return super().send(request, *args, **kwargs)


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


def behind(headers: Mapping[str, str], now: float) -> float:
    """Return by how many seconds the service's clock is behind ours, from an answer's Date; 0 if it is not, or unknown.

    What a service has not lived through yet cannot be proven empty, so windows end on the slower of both clocks.
    """
    try:
        seconds = now - parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError):
        return 0.0
    return seconds if 1.0 < seconds <= WORST_CLOCK_SECONDS else 0.0
