"""From a stated budget of false incidents to the evidence at which a bin is called an outage."""

import math

from clamor.baseline.counts import MINUTES_PER_WEEK

ELEVATED_P = 0.01
"""Below it a bin next to an outage is more likely part of it than not."""
LEARN_BUDGET = 0.1
"""Bins beyond this budget are kept out of the histogram of quiet ones, whatever the user's budget."""
FIRST_DAY_WEEKS, FIRST_DAY_WEEKS_CLOSE = 1.3, 0.25
"""A lone series without a past is watched as one-day charts want it, with up to 1% of their quiet bins flagged: on its
first day it may spend the budget of so many weeks. Before its tails are known it is measured to spend three times that,
so one of several series of a service, which would all do so at once, or of bins under a quarter of an hour, which may
be bursty, may spend less: the first week keeps to the budget then."""


def outage_level(budget: float, block_days: float = 1.0) -> float:
    """Return the standardized evidence that a quiet series reaches ``budget`` times a week (rate exp(-z) a block)."""
    return math.log(7 / block_days / budget)


def first_day_level(budget: float, block_days: float = 1.0, *, close: bool = False) -> float:
    """Return the same for a series' first day; ``close`` are those that may spend less on it."""
    weeks = FIRST_DAY_WEEKS_CLOSE if close else FIRST_DAY_WEEKS
    return min(math.log(1 / (weeks * budget)), outage_level(budget, block_days))


def outage_score(budget: float, bin_minutes: int) -> float:
    """Return the score at which a bin is an outage: minus log10 of the false episodes that one bin may cost."""
    return math.log10(MINUTES_PER_WEEK / bin_minutes / budget)
