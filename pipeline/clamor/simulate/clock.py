"""Clocks that the emulators and the collectors share, over process borders.

They have the two methods of ``clamor.collect.clock.Clock`` and are passed to the server's process as arguments.
"""

import time
from multiprocessing import get_context
from typing import Any


class StepClock:
    """A clock that stands still until it is stepped; ``now`` is one shared double, so another process sees it move.

    Args:
        start: Seconds since the epoch.

    """

    def __init__(self, start: float) -> None:
        self._now: Any = get_context("spawn").Value("d", float(start), lock=False)

    def now(self) -> float:
        """Return seconds since the epoch."""
        return float(self._now.value)

    def sleep(self, seconds: float) -> None:
        """Step forward by that many seconds, at once."""
        self._now.value += max(0.0, seconds)

    def set(self, now: float) -> None:
        """Step to a time; never back, because a collector may not see time run backwards."""
        self._now.value = max(float(self._now.value), float(now))


class WallClock:
    """The machine's clock, so that a world can be served as if it happened today.

    Args:
        offset: Seconds to add to the machine's time.

    """

    def __init__(self, offset: float = 0.0) -> None:
        self._offset = offset

    def now(self) -> float:
        """Return seconds since the epoch."""
        return time.time() + self._offset

    def sleep(self, seconds: float) -> None:
        """Sleep for real."""
        time.sleep(max(0.0, seconds))
