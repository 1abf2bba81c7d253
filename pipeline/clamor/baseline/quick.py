"""What numpy does slowly, done another way: a third to a tenth of the time on arrays of a day's bins."""

import numpy as np

from clamor.baseline.counts import Floats


def at_least(values: Floats, limit: float | np.float32, out: Floats | None = None) -> Floats:
    """Return the greater of each value and a number (``np.maximum`` is fast for two arrays only)."""
    return np.asarray(values.clip(limit, np.inf, out=out))


def at_most(values: Floats, limit: float | np.float32, out: Floats | None = None) -> Floats:
    """Return the lesser of each value and a number."""
    return np.asarray(values.clip(-np.inf, limit, out=out))


def row_sums(values: Floats, weights: Floats | None = None) -> Floats:
    """Return the sum of each row, of its values times ``weights`` if given."""
    if weights is None:
        weights = np.ones(values.shape[-1], dtype=np.float32)
    return np.asarray(np.vecdot(values, weights), dtype=np.float32)
