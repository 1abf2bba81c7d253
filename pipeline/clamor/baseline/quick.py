"""What numpy does slowly, done another way: a third to a tenth of the time on arrays of a day's bins."""

import numpy as np
import numpy.typing as npt

from clamor.baseline.counts import Bools, Floats, Ints

Real = npt.NDArray[np.floating]


def at_least(values: Floats, limit: float | np.float32, out: Floats | None = None) -> Floats:
    """Return the greater of each value and a number (``np.maximum`` is fast for two arrays only)."""
    return np.asarray(values.clip(limit, np.inf, out=out))


def at_most(values: Floats, limit: float | np.float32, out: Floats | None = None) -> Floats:
    """Return the lesser of each value and a number."""
    return np.asarray(values.clip(-np.inf, limit, out=out))


def accumulated(values: Real, ufunc: np.ufunc = np.add) -> Real:
    """Return what ``ufunc.accumulate`` does along the first axis, by doubling: numpy takes one number at a time."""
    out, lag = values.copy(), 1
    while lag < len(out):
        out[lag:] = ufunc(out[lag:], out[:-lag])
        lag *= 2
    return out


def row_sums(values: Floats, weights: Floats | None = None) -> Floats:
    """Return the sum of each row, of its values times ``weights`` if given."""
    if weights is None:
        weights = np.ones(values.shape[-1], dtype=np.float32)
    return np.asarray(np.vecdot(values, weights), dtype=np.float32)


def cells(which: Bools) -> tuple[Ints, Ints]:
    """Return rows and columns of what is true, in order, where it is little; ``np.nonzero`` is fast along one axis."""
    row, column = np.divmod(np.flatnonzero(which), max(1, which.shape[1]))
    return row, column
