"""Sums over groups of series that do not change, not even in the last bit, when further series are empty."""

import numpy as np
import numpy.typing as npt

from clamor.baseline.counts import Floats, Ints

Real = npt.NDArray[np.floating]


class Rows:
    """Rows by group. Values of a group are added one row after the other, so rows of zeros change nothing.

    (``np.add.reduceat`` adds pairwise: there, a further row of zeros changes how the others round.)

    Attributes:
        groups: Number of groups.
        group: Number of each row's group, in order of their codes.

    """

    def __init__(self, code: Ints) -> None:
        order = np.argsort(code, kind="stable")
        first = np.diff(code[order], prepend=-1) != 0
        starts = np.flatnonzero(first)
        self.groups = len(starts)
        self.group = np.empty(len(code), dtype=np.int64)
        self.group[order] = np.cumsum(first) - 1
        self._members = [order[a:b] for a, b in zip(starts, [*starts[1:], len(code)][: len(starts)], strict=True)]
        self._turns = self._by_turn()
        self.single = len(self._turns) <= 1

    def _by_turn(self) -> list[tuple[Ints, Ints]]:
        """Return, for k = 0, 1, ..., the groups that have a k-th member, and those members."""
        sizes = np.array([len(m) for m in self._members], dtype=np.int64)
        turns = []
        for k in range(int(sizes.max(initial=0))):
            having = np.flatnonzero(sizes > k)
            turns.append((having, np.array([self._members[g][k] for g in having], dtype=np.int64)))
            if k + 1 >= 2 * self.groups:  # few large groups: better one by one
                return turns
        return turns

    def total(self, values: Real) -> Real:
        """Return the sum over each group, first axis the groups."""
        out = np.zeros((self.groups, *values.shape[1:]), dtype=values.dtype)
        if len(self._turns) < 2 * self.groups:
            for having, rows in self._turns:
                out[having] += values[rows]
        else:
            for g, rows in enumerate(self._members):
                out[g] = values[rows].sum(axis=0)  # axis 0 of rows is added in order
        return out

    def others(self, values: Floats) -> Floats:
        """Return for every row the sum over the other rows of its group."""
        return np.asarray(self.total(values)[self.group] - values, dtype=np.float32)

    def best(self, values: Floats) -> Floats:
        """Return for every row the maximum over its group."""
        if self.single:
            return values
        order = np.concatenate(self._members)
        starts = np.cumsum([0, *(len(m) for m in self._members[:-1])])
        top = np.maximum.reduceat(values[order], starts, axis=0)
        return np.asarray(top[self.group], dtype=np.float32)
