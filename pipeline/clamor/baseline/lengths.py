"""Lengths in bins that follow from a bin's width."""

from dataclasses import dataclass

from clamor.baseline.counts import MINUTES_PER_DAY, MINUTES_PER_WEEK

RATIOS = (2.0, 5.0, 15.0)
"""Outage sizes, as multiples of the expectation, over which the likelihood ratio is averaged."""
WIDE_RATIOS = (1.15, 1.4, 2.0, 4.0, 12.0)
"""The same for bins of a day and more, in which an outage of hours is diluted."""
FINE_MINUTES = 15
WINDOW_MINUTES = (15, 40, 120)
"""Bins below a quarter of an hour are summed over as long as wider ones are, not over as many bins."""


@dataclass(frozen=True)
class Lengths:
    """Lengths in bins.

    Attributes:
        bin_minutes: Width of a bin.
        day: Bins of a UTC day, at least one.
        recent: Bins of the last day, at least 16: the level follows them.
        hour: Bins of the last hour, at least four: the expectation is lifted by them.
        windows: Lengths of the sums that are tested.
        ratios: Outage sizes that are tested.
        warm_up: Observed bins before a series is judged: four hours, at least eight bins.
        cells: Cells of the week's season.
        block_days: Days between refits.
        fine: Whether a bin is shorter than a quarter of an hour.
        wide: Whether a bin is a day or longer: then the year's season is fitted instead of a local level.

    """

    bin_minutes: int
    day: int
    recent: int
    hour: int
    windows: tuple[int, ...]
    ratios: tuple[float, ...]
    warm_up: int
    cells: int
    block_days: float
    fine: bool
    wide: bool

    @property
    def tail(self) -> int:
        """Bins of the past that a day's first bins look back on."""
        return max(self.recent, self.hour + max(self.windows))

    @property
    def stretch(self) -> float:
        """Factor by which memories are longer for wide bins, so that they span as many bins."""
        return max(1.0, self.bin_minutes / 180)


def lengths(bin_minutes: int) -> Lengths:
    """Return the lengths that belong to a bin width."""
    wide = bin_minutes >= MINUTES_PER_DAY
    cell = max(60, bin_minutes)
    windows = _windows(bin_minutes)
    return Lengths(
        bin_minutes=bin_minutes,
        day=max(1, MINUTES_PER_DAY // bin_minutes),
        recent=max(16, MINUTES_PER_DAY // bin_minutes),
        hour=max(4, 60 // bin_minutes),
        windows=windows,
        ratios=WIDE_RATIOS if wide else RATIOS,
        warm_up=max(8, 240 // bin_minutes),
        cells=MINUTES_PER_WEEK // cell if MINUTES_PER_WEEK % cell == 0 else 1,
        block_days=max(1.0, bin_minutes / MINUTES_PER_DAY),
        fine=bin_minutes < FINE_MINUTES,
        wide=wide,
    )


def _windows(bin_minutes: int) -> tuple[int, ...]:
    if bin_minutes >= MINUTES_PER_DAY:
        return (1, 2)
    if bin_minutes >= FINE_MINUTES:  # eight bins of more than two hours would still hold an outage that is over
        return (1, 2, 4) if 8 * bin_minutes > 120 else (1, 2, 4, 8)
    return (1, *(minutes // bin_minutes for minutes in WINDOW_MINUTES))
