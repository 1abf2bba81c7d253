"""The rim of the clients: a limit on the whole answer, and the other side's clock."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate

import pytest
import requests

from clamor.collect import x
from clamor.collect.http import Limits, ahead, arrived, behind
from clamor.collect.retry import Fault
from clamor.collect.x_call import diagnose
from clamor.schema import Status

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 4000\r\n"


@contextmanager
def dripping(at_once: bytes, again: bytes) -> Iterator[str]:
    """Serve answers that begin well and then drip on, a few bytes at a time, for longer than anybody waits."""
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        with connection:
            connection.recv(65_536)
            try:
                connection.sendall(at_once)
                while not over.wait(0.02):
                    connection.sendall(again)
            except OSError:
                return

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=drip, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("at_once", "again"),
    [(HEAD + b"\r\n", b" "), (HEAD, b"x-more: 1\r\n"), (HEAD[:9], b"0")],
    ids=["body", "headers", "status line"],
)
def test_an_answer_that_drips_is_given_up_at_the_limit_of_the_whole(at_once: bytes, again: bytes) -> None:
    """Bytes keep coming well within the limit, the answer never ends, and the call does."""
    with dripping(at_once, again) as url, requests.Session() as session:
        session.trust_env = False
        session.mount("http://", Limits(0.25))
        began = time.monotonic()
        with pytest.raises(requests.ReadTimeout, match="no whole answer within"):
            session.get(url)
        assert time.monotonic() - began < 2


def test_a_drip_is_a_failure_worth_another_try_to_the_collector() -> None:
    """Through tweepy's client it is a fault of the network, to be retried, and never an answer."""
    with dripping(HEAD + b"\r\n", b" ") as url:
        client = x.open_client("token", url, timeout_seconds=0.25)
        with pytest.raises(requests.ReadTimeout) as raised:
            client.request("GET", "/2/tweets/counts/recent", params={})
    fault = diagnose(raised.value)
    assert isinstance(fault, Fault) and (fault.status, fault.again) == (Status.FAILED, True)


def test_what_never_left_costs_nothing() -> None:
    """A host that is not there was asked for nothing; one that hung up may have counted, and billed."""
    with dripping(HEAD + b"\r\n", b" ") as url:
        client = x.open_client("token", url, timeout_seconds=0.25)
        with pytest.raises(requests.ReadTimeout) as late:
            client.request("GET", "/2/tweets/counts/recent", params={})
    with pytest.raises(requests.ConnectionError) as refused:
        x.open_client("token", url).request("GET", "/2/tweets/counts/recent", params={})
    assert arrived(late.value) and not arrived(refused.value)


def test_the_other_clock_is_read_from_the_answer() -> None:
    """Two hundred seconds behind are waited for; ahead, not said or absurd are not."""
    now = 1_793_000_000.0
    date = {offset: {"date": formatdate(now + offset, usegmt=True)} for offset in (-200, 200, -90_000)}
    assert [ahead(headers, now) for headers in date.values()] == [-200, 200, -90_000]
    assert [behind(ahead(headers, now)) for headers in date.values()] == [200, 0, 0]
    assert ahead({}, now) is None and ahead({"date": "soon"}, now) is None and behind(None) == 0
