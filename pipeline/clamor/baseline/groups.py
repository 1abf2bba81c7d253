"""Sums over groups of series that do not change when further series are empty."""

import numpy as np

from clamor.baseline.counts import Floats, Ints


class Rows:
    """Rows by group: values of a group are added row by row, so further rows of zeros change nothing, not even a bit.

    Attributes:
        order: Rows sorted by group.
        starts: Where each group starts in ``order``.
        at: Number of each row's group.

    """

    def __init__(self, code: Ints) -> None:
        self.order = np.argsort(code, kind="stable")
        first = np.diff(code[self.order], prepend=-1) != 0
        self.starts = np.flatnonzero(first)
        self.at = np.empty(len(code), dtype=np.int64)
        self.at[self.order] = np.cumsum(first) - 1

    def others(self, values: Floats) -> Floats:
        """Return for every row the sum over the other rows of its group."""
        total = np.add.reduceat(values[self.order], self.starts, axis=0)
        return np.asarray(total[self.at] - values, dtype=np.float32)

    def best(self, values: Floats) -> Floats:
        """Return for every row the maximum over its group."""
        top = np.maximum.reduceat(values[self.order], self.starts, axis=0)
        return np.asarray(top[self.at], dtype=np.float32)
