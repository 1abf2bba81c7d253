"""The bins of an evaluation."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MINUTE_US: Final = 60_000_000

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Grid:
    """The bins of one evaluation: ``n`` bins of ``bin_minutes`` from ``start`` (minutes since the epoch, UTC)."""

    start: int
    n: int
    bin_minutes: int

    @classmethod
    def over(cls, start: pd.Timestamp, end: pd.Timestamp, bin_minutes: int) -> "Grid":
        """Return the whole bins of ``[start, end)``; bins are aligned to the epoch in UTC (weeks to Monday)."""
        offset = _week_offset(bin_minutes)
        first = -(-(start.value // (1000 * MINUTE_US) - offset) // bin_minutes) * bin_minutes + offset
        last = (end.value // (1000 * MINUTE_US) - offset) // bin_minutes * bin_minutes + offset
        return cls(first, max(0, (last - first) // bin_minutes), bin_minutes)

    def times(self) -> pd.DatetimeIndex:
        """Return the start of every bin."""
        minutes = self.start + np.arange(self.n, dtype=np.int64) * self.bin_minutes
        return pd.DatetimeIndex((minutes * MINUTE_US).view("M8[us]")).tz_localize("UTC")

    def floor(self, minutes: Ints) -> Ints:
        """Return the bin that holds each minute."""
        return (minutes - self.start) // self.bin_minutes

    def ceil(self, minutes: Ints) -> Ints:
        """Return the first bin that starts at or after each minute."""
        return -(-(minutes - self.start) // self.bin_minutes)


def _week_offset(bin_minutes: int) -> int:
    """1970-01-01 was a Thursday: bins of whole weeks start on Monday, the fifth of January."""
    return 4 * 1440 if bin_minutes % 10_080 == 0 else 0
