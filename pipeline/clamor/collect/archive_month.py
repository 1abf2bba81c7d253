"""What a monthly Reddit dump proves: its month, or the part of it that the dump was written in.

``RS_2026-01.zst`` says by its name that it holds January, wholly: a subreddit without posts in it had none. A dump that
was made while its month went on says the same, and must not prove the days to come. So the times of all lines are
looked at, of whatever subreddit:

- A month that is not over now, or was not when the file was last written, is proven up to the minute of the last line.
- So is a month whose dump ends ten times longer before it (and at least an hour) than any two of its lines are apart;
  likewise at its beginning. A dump whose lines fall into less than a hundred minutes is too thin to tell: it is taken
  at its name.
"""

import re
from calendar import timegm
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

_DENSE: Final = 100
_LONGER: Final = 10
_LEAST_GAP: Final = 60


class Span(NamedTuple):
    """A stretch of time, seconds since the epoch, the end not in it."""

    start: float
    end: float


def named(path: Path) -> Span | None:
    """Return the month that a monthly dump's name states (``RS_2026-01.zst``), or None.

    >>> named(Path("RC_2026-12.zst"))
    Span(start=1796083200, end=1798761600)

    """
    found = re.match(r"R[SC]_(\d{4})-(0[1-9]|1[0-2])(?:\.|$)", path.name)
    if not found:
        return None
    year, month = int(found[1]), int(found[2])
    return Span(timegm((year, month, 1, 0, 0, 0)), timegm((year + month // 12, month % 12 + 1, 1, 0, 0, 0)))


class Month:
    """Notes in which minutes of a month a dump has a line.

    Args:
        span: The month.

    Attributes:
        minutes: One byte a minute, 1 where there is a line.

    """

    def __init__(self, span: Span) -> None:
        self.span = span
        self._start = int(span.start)
        self._size = int(span.end - span.start) // 60
        self.minutes = bytearray(self._size)

    def see(self, created: Any) -> None:
        """Note the time of a line, as the dump gives it; one that is no number, or of another month, says nothing."""
        if type(created) is not int:
            try:
                created = int(float(created))
            except (TypeError, ValueError, OverflowError):
                return
        minute = (created - self._start) // 60
        if 0 <= minute < self._size:
            self.minutes[minute] = 1


def proven(span: Span, minutes: np.ndarray[Any, Any], *, now: float, written_at: float) -> Span | None:
    """Return the part of a month that a dump proves, whole minutes; None where it proves nothing.

    Args:
        span: The month of its name.
        minutes: One a minute, true where the dump has a line.
        now: Seconds since the epoch.
        written_at: When the file was last written, seconds since the epoch.

    """
    there = np.flatnonzero(minutes)
    unfinished = now < span.end or span.start <= written_at < span.end
    if not len(there):
        return None if unfinished else span
    first, last = int(there[0]), int(there[-1])
    long = np.inf
    if len(there) >= _DENSE:
        long = max(_LEAST_GAP, _LONGER * int(np.diff(there).max()))
    start = span.start + 60 * (first + 1) if first > long else span.start
    end = span.start + 60 * last if unfinished or len(minutes) - 1 - last > long else span.end
    return Span(start, end) if start < end else None
