"""From a stated budget of false incidents to the score at which a bin is called an outage."""

import math

from clamor.counts import MINUTES_PER_WEEK

ELEVATED_P = 0.01
"""Below it a bin next to an outage is more likely part of it than not."""
BINS_PER_EPISODE = 3.0
"""Tests that move together: windows overlap, so a false episode lasts about this many bins."""


def outage_score(budget: float, bin_minutes: int) -> float:
    """Return the score (minus log10 of p) at which a series has ``budget`` false episodes a week."""
    weekly = MINUTES_PER_WEEK / bin_minutes
    return math.log10(max(weekly / (BINS_PER_EPISODE * budget), 2.0))
