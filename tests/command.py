"""Runs the command line in this process, as a shell would see it."""

import signal
import sys

import pytest

from clamor import cli


def clamor(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Run ``clamor WORDS``; return the exit code, what went to stdout and what went to stderr."""
    before, handler = sys.argv, signal.getsignal(signal.SIGTERM)
    sys.argv = ["clamor", *map(str, words)]
    capsys.readouterr()
    try:
        cli.main()
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.argv = before
        signal.signal(signal.SIGTERM, handler)
    said = capsys.readouterr()
    return code, said.out, said.err
