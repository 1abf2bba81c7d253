"""Our own retry, on a clock that is a parameter: what to wait for, how long, and when to leave a service alone.

The clients' retries are not used: tweepy's waits without end on a 429 that names no reset, prawcore's sleeps on the
machine's clock. A failure always leaves as a :class:`Fault`, which says how the attempt goes into the ledger.
"""

import random
from collections.abc import Callable
from typing import Final, TypeVar

from clamor.collect.clock import Clock
from clamor.errors import SourceError
from clamor.schema import Status

T = TypeVar("T")

TRIES: Final = 4
"""Calls made before a dropped connection or a server's error is given up."""
MALFORMED_TRIES: Final = 2
"""Calls made before an answer that makes no sense is given up; each of them costs money."""
RESETS: Final = 3
"""Rate-limit resets waited for in one call."""
LONGEST_WAIT_SECONDS: Final = 960.0
"""X and Reddit have windows of 15 and 10 minutes: a reset further away is a fault of the answer, or of a clock."""
BACKOFF_SECONDS: Final = 1.0
FAILURES_TO_CLOSE: Final = 3
"""Calls that fail one after another, each retried, before the rest of the run is left alone."""


class Fault(SourceError):
    """A call that brought nothing.

    Attributes:
        status: How it goes into the coverage ledger.
        http_status: The answer's status, None where there was no answer.
        again: Calling again may help.
        reset_at: When a rate limit ends, seconds since the epoch.
        closes: Stop using this source for the rest of the run.

    """

    def __init__(
        self,
        status: Status,
        detail: str,
        *,
        http_status: int | None = None,
        again: bool = False,
        reset_at: float | None = None,
        closes: bool = False,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.http_status = http_status
        self.again = again
        self.reset_at = reset_at
        self.closes = closes


def persist(
    call: Callable[[], T], clock: Clock, rng: random.Random, longest_wait_seconds: float = LONGEST_WAIT_SECONDS
) -> T:
    """Call until it succeeds or is not worth it any more.

    A rate limit with a reset is slept out (at most ``longest_wait_seconds``), a passing failure is tried again
    after 1, 2, 4 s times a jitter of 0.5 to 1.5, and everything else is given up at once.

    Raises:
        Fault: the last one.

    """
    failures = resets = 0
    while True:
        try:
            return call()
        except Fault as fault:
            if fault.reset_at is not None:
                resets += 1
                wait = max(fault.reset_at - clock.now(), 0.0) + 1.0 + rng.random()
                if resets > RESETS or wait > longest_wait_seconds:
                    fault.closes = True
                    raise
            else:
                failures += 1
                if not fault.again or failures >= (MALFORMED_TRIES if fault.status == Status.MALFORMED else TRIES):
                    raise
                wait = BACKOFF_SECONDS * 2.0 ** (failures - 1) * (0.5 + rng.random())
        clock.sleep(wait)


class Breaker:
    """Calls with retries, and leaves a source alone for the rest of the run where calling on is of no use.

    Args:
        clock: Gives now and sleeps.
        rng: For the jitter.
        longest_wait_seconds: For the end of a rate limit.

    Attributes:
        closed: Why the source is left alone, or None.

    """

    def __init__(self, clock: Clock, rng: random.Random, longest_wait_seconds: float = LONGEST_WAIT_SECONDS) -> None:
        self.closed: Fault | None = None
        self._clock = clock
        self._rng = rng
        self._longest = longest_wait_seconds
        self._failures = 0

    def call(self, call: Callable[[], T]) -> T:
        """Return what the call brings.

        Raises:
            Fault: after all retries, or at once where the source is closed.

        """
        if self.closed is not None:
            raise self.closed
        try:
            answer = persist(call, self._clock, self._rng, self._longest)
        except Fault as fault:
            self._failures += fault.again
            if fault.closes or self._failures >= FAILURES_TO_CLOSE:
                self.closed = fault
            raise
        self._failures = 0
        return answer
