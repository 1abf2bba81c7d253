"""One writer per credential, between real processes."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clamor.collect.lock import Holder, folder, hold, holder
from clamor.errors import BusyError, ConfigError
from command import clamor

SECRET = "AAAA-very-secret-token"
HOLD = f"""
import sys
from clamor.collect.lock import hold
with hold("x", {SECRET!r}, now=1_793_000_000.0):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@contextmanager
def another() -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock until it is ended."""
    command = [sys.executable, "-c", HOLD]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_second_process_is_told_who_holds_the_credential_and_a_killed_one_holds_nothing() -> None:
    """One line with the number and the start; after kill -9 the lock is free, and another credential always was."""
    with another() as process:
        with pytest.raises(
            BusyError,
            match=f"this credential of x is in use by process {process.pid} since 2026-10-26 07:33:20 UTC; wait",
        ):
            hold("x", SECRET, now=0.0).__enter__()
        assert holder("x", SECRET) == Holder(process.pid, "2026-10-26 07:33:20 UTC")
        with hold("x", "another", now=0.0), hold("reddit", SECRET, now=0.0):
            pass
        process.kill()
        process.wait()
        with hold("x", SECRET, now=0.0):
            pass
    assert holder("x", SECRET) is None


def test_a_lock_is_held_within_one_process_too_and_given_back() -> None:
    """Two runs in one notebook are two writers; after an error in the first the lock is free."""
    with pytest.raises(ZeroDivisionError), hold("x", SECRET, now=0.0):
        with pytest.raises(BusyError):
            hold("x", SECRET, now=0.0).__enter__()
        raise ZeroDivisionError
    assert holder("x", SECRET) is None


def test_no_secret_is_in_a_name_or_a_content() -> None:
    """The file has the number and start of the process; its name is a hash."""
    with hold("x", SECRET, now=0.0):
        (path,) = folder().iterdir()
        assert SECRET not in path.name
        assert json.loads(path.read_text()) == {"pid": os.getpid(), "since": "1970-01-01 00:00:00 UTC"}


def test_a_holder_that_has_not_said_who_it_is_still_holds() -> None:
    """Between taking the lock and writing into it the file is empty."""
    with hold("x", SECRET, now=0.0):
        next(folder().iterdir()).write_text("")
        with pytest.raises(BusyError, match="in use by another process"):
            hold("x", SECRET, now=0.0).__enter__()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message has the folder and the setting that moves it."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(ConfigError, match="set XDG_STATE_HOME"):
        hold("x", SECRET, now=0.0).__enter__()


def test_a_second_run_is_one_line_and_1(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run and backfill say who is at it, and ask and store nothing; another lake with another credential is free."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLAMOR_X__BEARER_TOKEN", SECRET)
    monkeypatch.setenv("CLAMOR_X__API_URL", "http://127.0.0.1:1")
    with hold("x", SECRET, now=0.0):
        for words in (("run", "--service", "tiktok"), ("backfill", "--since", "2026-10-01", "--service", "tiktok")):
            code, _, err = clamor(capsys, *words)
            assert (
                code == 1
                and f"this credential of x is in use by process {os.getpid()} since 1970-01-01" in err.splitlines()[-1]
            )
            assert SECRET not in err
    assert not Path("data").exists()
