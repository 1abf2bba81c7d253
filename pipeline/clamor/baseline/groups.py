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
        """Return the sum over each group: of ``(..., rows, bins)`` ``(..., groups, bins)``."""
        if self._equal:
            return np.asarray(self._cube(values).sum(axis=-2))  # this axis is added in order
        if len(self._turns) < 2 * self.groups:
            out = values.take(self._turns[0][1], axis=-2)  # every group has a first member
            for having, rows in self._turns[1:]:
                if len(having) == self.groups:
                    out += values.take(rows, axis=-2)
                else:
                    out[..., having, :] += values.take(rows, axis=-2)
        else:
            out = np.empty((*values.shape[:-2], self.groups, values.shape[-1]), dtype=values.dtype)
            for g, (start, size) in enumerate(zip(self._starts, self._sizes, strict=True)):
                rows = self._order[start : start + size]
                out[..., g, :] = values.take(rows, axis=-2).sum(axis=-2)  # rows are added in order
        return out

    def others(self, values: Floats) -> Floats:
        """Return for every row the sum over the other rows of its group."""
        if self._equal:
            cube = self._cube(values)
            return np.asarray((cube.sum(axis=-2, keepdims=True) - cube).reshape(values.shape), dtype=np.float32)
        return np.asarray(self.spread(self.total(values)) - values, dtype=np.float32)

    def shares(self, of_group: Floats, values: Floats) -> Floats:
        """Return for every row the value of its group divided by its own."""
        out = self.spread(of_group)
        out /= values
        return out

    def spread(self, of_group: Floats) -> Floats:
        """Return for every row the value of its group."""
        return of_group.take(self.group, axis=-2)

    def _cube(self, values: Real) -> Real:
        return values.reshape(*values.shape[:-2], self.groups, -1, values.shape[-1])
