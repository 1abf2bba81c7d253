"""Serves a world over HTTP on loopback, in a process of its own, on a clock that is given."""

import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl, urlsplit

from clamor.simulate.faults import Faults, Injector
from clamor.simulate.reddit_api import TOKEN_SECONDS, RedditApi
from clamor.simulate.wire import Answer, Request
from clamor.simulate.world import World
from clamor.simulate.x_api import XApi

_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 5.0
_DROPS: Final = 20


class Clock(Protocol):
    """What the emulators need of time."""

    def now(self) -> float:
        """Return seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where the emulators answer and what they accept; both APIs share one address.

    Attributes:
        url: Base URL for `CLAMOR_X__API_URL` and `CLAMOR_REDDIT__API_URL`.
        bearer_token: X's.
        client_id: Reddit's.
        client_secret: Reddit's.
        user_agent: In Reddit's form.
        pid: The server's process.

    """

    url: str
    bearer_token: str
    client_id: str
    client_secret: str
    user_agent: str
    pid: int


@dataclass(frozen=True, slots=True)
class _Secrets:
    bearer_token: str
    client_id: str
    client_secret: str


@contextmanager
def serve(
    world: World, clock: Clock, *, port: int = 0, faults: Faults | None = None, token_seconds: int = TOKEN_SECONDS
) -> Iterator[Server]:
    """Serve a world until the block ends; secrets are new at every start.

    Args:
        world: The world; it is sent to the server's process.
        clock: Its `now` decides what has happened yet and when limits reset.
        port: On 127.0.0.1; 0 lets the system choose.
        faults: What goes wrong, and when.
        token_seconds: Life of Reddit's access tokens on the clock.

    Raises:
        OSError: the port is taken.

    """
    keys = _Secrets(secrets.token_urlsafe(32), secrets.token_urlsafe(10), secrets.token_urlsafe(20))
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    arguments = (theirs, world, clock, keys, port, faults or Faults(), token_seconds)
    process = context.Process(target=_run, args=arguments, name="clamor-emulator", daemon=True)
    process.start()
    theirs.close()
    try:
        bound = _bound(ours, process)
        yield Server(
            f"http://127.0.0.1:{bound}",
            keys.bearer_token,
            keys.client_id,
            keys.client_secret,
            "linux:clamor-emulator:1.0 (by /u/synthetic)",
            process.pid or 0,
        )
    finally:
        ours.close()
        process.join(_STOP_SECONDS)
        if process.is_alive():
            process.terminate()
            process.join(_STOP_SECONDS)


def _bound(pipe: Connection, process: Any) -> int:
    """Return the port once the server listens."""
    if not pipe.poll(_START_SECONDS):
        raise OSError(f"the emulator did not start within {_START_SECONDS:.0f} s")
    try:
        answer = pipe.recv()
    except EOFError as error:
        process.join(_STOP_SECONDS)
        raise OSError(f"the emulator stopped while starting (exit code {process.exitcode})") from error
    if isinstance(answer, str):
        raise OSError(answer)
    return int(answer)


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection and send small answers at once."""
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay quiet about clients that hang up."""


def _run(
    pipe: Connection, world: World, clock: Clock, keys: _Secrets, port: int, faults: Faults, token_seconds: int
) -> None:
    """Serve until the other end of the pipe closes, which it also does when that process dies."""
    injector = Injector(faults)

    def now() -> float:
        return clock.now() + faults.skew_seconds

    x = XApi(world, now, keys.bearer_token, forbidden_operators=frozenset(faults.forbidden_operators))
    reddit = RedditApi(world, now, keys.client_id, keys.client_secret, secrets.token_urlsafe, token_seconds)

    def answer(request: Request) -> Answer:
        handler = x.answer if request.path.startswith("/2/") else reddit.answer
        found = injector.answer(request, clock.now(), handler)
        found.headers["date"] = formatdate(now(), usegmt=True)
        return found

    try:
        server = _Http(("127.0.0.1", port), _handler(answer))
    except OSError as error:
        pipe.send(f"127.0.0.1:{port}: {error.strerror}; choose another port or let the system choose")
        return
    pipe.send(server.server_address[1])
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    with suppress(EOFError, OSError, KeyboardInterrupt):
        pipe.poll(None)
    server.shutdown()
    server.server_close()


def _handler(answer: Any) -> type[BaseHTTPRequestHandler]:
    """Return a request handler that asks `answer`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "clamor-emulator"
        sys_version = ""

        def do_GET(self) -> None:
            self._reply()

        def do_POST(self) -> None:
            self._reply()

        def _reply(self) -> None:
            url = urlsplit(self.path)
            length = int(self.headers.get("content-length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            params = dict(parse_qsl(url.query, keep_blank_values=True))
            found = answer(Request(self.command, url.path, params, headers, self.rfile.read(length)))
            self._send(found)

        def _send(self, found: Answer) -> None:
            head = [f"HTTP/1.1 {found.status} {self.responses.get(found.status, ('',))[0]}"]
            head += [f"{name}: {value}" for name, value in found.headers.items()]
            head += [f"content-length: {len(found.body)}", "", ""]
            raw = "\r\n".join(head).encode("latin-1") + found.body
            if found.cut is not None:
                raw = raw[: int(len(raw) * found.cut)]
                self.close_connection = True
            drops = _DROPS if found.drip else 1
            size = -(-len(raw) // drops)
            for at in range(0, len(raw), size):
                self.wfile.write(raw[at : at + size])
                time.sleep(found.drip / drops)
            if found.cut is not None:
                self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return Handler
