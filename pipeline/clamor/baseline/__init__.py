"""What is normal: the expected count of every bin and how far counts scatter about it.

A filter over UTC days. At each midnight the slow parts (season, level, scatter) are refitted from sums over the earlier
days only; within the day the level follows bin by bin from the bins before. So a bin's expectation uses nothing after
it, runs may be cut anywhere, and scoring a day on a stored fit costs one day's work. METHOD.md has the formulas.
"""

from clamor.baseline.interval import excess_interval

__all__ = ["excess_interval"]
