"""One writer per credential: a lock that the system takes back when its process ends, however it ends.

Two runs with one credential would spend its rate limit and its money twice, and the later one would overwrite what the
earlier one remembered. The lock is ``flock(2)`` on a file in the user's state folder, named by a hash; it holds the
number and start of the process and nothing else. It covers the processes of one user on one machine. It does not cover
other machines, or users and containers with a home of their own: give each of those a credential of its own.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO

from clamor.errors import BusyError, ConfigError


@dataclass(frozen=True)
class Holder:
    """The process that holds a lock; None where it has not said so yet."""

    pid: int | None = None
    since: str | None = None

    def __str__(self) -> str:
        """Say who and since when."""
        return "another process" if self.pid is None else f"process {self.pid} since {self.since}"


def folder() -> Path:
    """Return where locks are: ``clamor/locks`` in XDG_STATE_HOME, else in ~/.local/state."""
    state = os.environ.get("XDG_STATE_HOME", "")
    return (Path(state) if state.startswith("/") else Path.home() / ".local" / "state") / "clamor" / "locks"


@contextmanager
def hold(name: str, secret: str, *, now: float) -> Iterator[None]:
    """Hold the lock of a credential until the block, or the process, ends.

    Args:
        name: What is held, for the message and the file's name: ``x``, ``reddit``, ``lake``.
        secret: The credential; only a hash of it is written, in the file's name.
        now: Seconds since the epoch, told to others.

    Raises:
        BusyError: another process holds it.
        ConfigError: the folder of the locks cannot be written.

    """
    with _opened(name, secret) as file:
        if not _take(file):
            what = "this lake" if name == "lake" else f"this credential of {name}"
            raise BusyError(f"{what} is in use by {_read(file)}; wait until it has ended, then run this again")
        file.seek(0)
        file.truncate()
        json.dump({"pid": os.getpid(), "since": f"{datetime.fromtimestamp(now, UTC):%Y-%m-%d %H:%M:%S UTC}"}, file)
        file.flush()
        yield


def holder(name: str, secret: str) -> Holder | None:
    """Return who holds the lock of a credential now, or None."""
    with _opened(name, secret) as file:
        return None if _take(file) else _read(file)


@contextmanager
def _opened(name: str, secret: str) -> Iterator[IO[str]]:
    path = folder() / f"{name}-{sha256(f'{name} {secret}'.encode()).hexdigest()[:16]}.lock"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{path.parent}: {error.strerror}; the lock of a credential is kept there; set XDG_STATE_HOME to a folder "
            "that can be written"
        ) from error
    with file:
        yield file


def _take(file: IO[str]) -> bool:
    """Lock the file until it is closed; True also on a system without flock, which has no such lock."""
    try:
        import fcntl
    except ImportError:
        return True
    with suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _read(file: IO[str]) -> Holder:
    file.seek(0)
    try:
        said = json.load(file)
        return Holder(int(said["pid"]), str(said["since"]))
    except (ValueError, KeyError, TypeError):
        return Holder()
