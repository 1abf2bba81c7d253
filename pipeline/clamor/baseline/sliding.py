"""Sums over the last bins, by doubling: a few additions a bin, always in the same order, so that runs may be cut."""

import numpy as np

from clamor.baseline.counts import Floats


class Sliding:
    """Sums of the last 1, 2, 4, ... bins of rows of values, and from them sums of any length."""

    def __init__(self, values: Floats) -> None:
        self._doubles = [values]

    def last(self, length: int) -> Floats:
        """Return at each bin the sum of ``length`` bins up to it (of those there are, near the front)."""
        out, done, power = None, 0, 0
        while done < length:
            if length >> power & 1:
                part = self._double(power)
                out = part if out is None else _plus(out, part, done)
                done += 1 << power
            power += 1
        assert out is not None
        return out

    def _double(self, power: int) -> Floats:
        while len(self._doubles) <= power:
            half = self._doubles[-1]
            self._doubles.append(_plus(half, half, 1 << (len(self._doubles) - 1)))
        return self._doubles[power]


def _plus(a: Floats, b: Floats, lag: int) -> Floats:
    """Return ``a`` plus ``b`` as it was ``lag`` bins before."""
    out = a.copy()
    if lag < a.shape[1]:
        np.add(a[:, lag:], b[:, : b.shape[1] - lag], out=out[:, lag:])
    return out
