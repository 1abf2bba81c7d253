"""Sums over the last bins, by doubling: a few additions a bin, always in the same order, so that runs may be cut."""

import numpy as np

from clamor.baseline.counts import Floats


class Sliding:
    """Sums of the last 1, 2, 4, ... bins of values, and from them sums of any length; the last axis are the bins."""

    def __init__(self, values: Floats) -> None:
        self._doubles = [values]

    @classmethod
    def of(cls, *kinds: tuple[Floats, Floats], tail: int) -> "Sliding":
        """Return the sums of several kinds of values as one array, ``(kinds, series, bins)``.

        Args:
            kinds: Values of bins before and of some more after these, each ``(series, bins)``.
            tail: How many of those before belong to it, the last ones.

        """
        earlier, values = kinds[0]
        both = np.empty((len(kinds), len(values), tail + values.shape[1]), dtype=np.float32)
        for out, (earlier, values) in zip(both, kinds, strict=True):
            out[:, :tail] = earlier[:, earlier.shape[1] - tail :]
            out[:, tail:] = values
        return cls(both)

    def last(self, length: int) -> Floats:
        """Return the sum of each ``length`` bins in a row, the first such first: ``length - 1`` columns fewer."""
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
    """Return ``a`` plus ``b`` as it was ``lag`` bins before, of the bins at which both are known."""
    bins = b.shape[-1] - lag
    return np.asarray(a[..., a.shape[-1] - bins :] + b[..., :bins])


def running(values: Floats) -> Floats:
    """Return the sum of each row up to each bin, in the order of the bins."""
    return np.cumsum(values, axis=-1)
