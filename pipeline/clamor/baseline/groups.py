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
        single: Whether no group has a second row.

    """

    def __init__(self, code: Ints) -> None:
        order = np.argsort(code, kind="stable")
        first = np.diff(code[order], prepend=-1) != 0
        starts = np.flatnonzero(first)
        self.groups = len(starts)
        self.group = np.empty(len(code), dtype=np.int64)
        self.group[order] = np.cumsum(first) - 1
        self._order, self._starts = order, starts
        self._sizes = np.diff(starts, append=len(code))
        self.single = len(starts) == len(code)
        same = len(starts) > 0 and (self._sizes == self._sizes[0]).all()
        self._equal = same and bool((order[1:] > order[:-1]).all())  # one group after the other, all of one size
        self._turns = [] if self._equal else self._by_turn()

    def _by_turn(self) -> list[tuple[Ints, Ints]]:
        """Return, for k = 0, 1, ..., the groups that have a k-th member, and those members."""
        turns = []
        for k in range(min(int(self._sizes.max(initial=0)), 2 * self.groups)):  # few large groups: better one by one
            having = np.flatnonzero(self._sizes > k)
            turns.append((having, self._order[self._starts[having] + k]))
        return turns

    def total(self, values: Real) -> Real:
        """Return the sum over each group, first axis the groups."""
        if self._equal:
            return np.asarray(self._cube(values).sum(axis=1))  # the middle axis is added in order
        if len(self._turns) < 2 * self.groups:
            out = values[self._turns[0][1]]  # every group has a first member
            for having, rows in self._turns[1:]:
                if len(having) == self.groups:
                    out += values[rows]
                else:
                    out[having] += values[rows]
        else:
            out = np.empty((self.groups, *values.shape[1:]), dtype=values.dtype)
            for g, (start, size) in enumerate(zip(self._starts, self._sizes, strict=True)):
                out[g] = values[self._order[start : start + size]].sum(axis=0)  # axis 0 of rows is added in order
        return out

    def others(self, values: Floats) -> Floats:
        """Return for every row the sum over the other rows of its group."""
        if self._equal:
            cube = self._cube(values)
            return np.asarray((cube.sum(axis=1, keepdims=True) - cube).reshape(values.shape), dtype=np.float32)
        return np.asarray(self.total(values)[self.group] - values, dtype=np.float32)

    def best(self, values: Floats) -> Floats:
        """Return for every row the maximum over its group."""
        if self.single:
            return values
        if self._equal:
            cube = self._cube(values)
            return np.asarray(np.broadcast_to(cube.max(axis=1, keepdims=True), cube.shape).reshape(values.shape))
        top = np.maximum.reduceat(values[self._order], self._starts, axis=0)
        return np.asarray(top[self.group], dtype=np.float32)

    def _cube(self, values: Real) -> Real:
        return values.reshape(self.groups, -1, *values.shape[1:])
