"""Time as a parameter: the collectors ask a clock for now and for sleep, never the machine."""

import time
from typing import Protocol


class Clock(Protocol):
    """What a collector needs of time. The emulators bring one that is stepped by hand."""

    def now(self) -> float:
        """Return seconds since the epoch."""

    def sleep(self, seconds: float) -> None:
        """Let that many seconds pass on this clock."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Sleep for real."""
        time.sleep(seconds)


def floor_minute(seconds: float) -> float:
    """Return the whole minute at or before a time."""
    return seconds // 60 * 60.0
