"""A loopback server whose answers are a Python function, and a clock that is stepped, for the collectors' tests."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

Params = dict[str, str]


@dataclass
class Reply:
    """An answer; ``body`` is sent as JSON, or as it is if bytes. ``cut``: bytes promised but not sent."""

    body: object = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0


@dataclass
class Ticking:
    """A clock that moves when somebody sleeps."""

    at: float
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


@contextmanager
def serve(answer: Callable[[str, Params, dict[str, str]], Reply]) -> Iterator[str]:
    """Serve ``answer(path, params, headers)`` on loopback; yields the base URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet an answer: two of them wait for each other
        disable_nagle_algorithm = True

        def _reply(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            posted = self.rfile.read(length).decode()
            parts = urlsplit(self.path)
            params = dict(parse_qsl(parts.query) + parse_qsl(posted))
            reply = answer(parts.path, params, {k.lower(): v for k, v in self.headers.items()})
            body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            self.send_header("content-type", "application/json; charset=utf-8")
            self.send_header("content-length", str(len(body) + reply.cut))
            if self.close_connection:  # as prawcore asks; unsaid, its next call would meet a dead line
                self.send_header("connection", "close")
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            if reply.cut:
                self.close_connection = True

        do_GET = do_POST = _reply

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
