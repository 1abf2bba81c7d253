"""Mean excess of rows of numbers without the largest of each."""

import numpy as np
import numpy.typing as npt

from clamor.baseline.counts import Floats, Ints
from clamor.baseline.quick import row_sums

MOST_NUMBERS = 366
HARMONIC = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, MOST_NUMBERS + 1))])


def mean_excess(beyond: Floats) -> tuple[Floats, npt.NDArray[np.float64]]:
    """Return the sum of each row's positive numbers but for its largest, and how many means of theirs that is.

    Of n exponential excesses all but the largest add up to n - H_n means (Renyi 1953), H_n the harmonic number. The
    largest may be an outage. NaN is none.
    """
    excess = np.fmax(beyond, 0)
    number = count(excess > 0)
    return excess.sum(axis=1) - excess.max(axis=1), number - HARMONIC[number]


def count(which: npt.NDArray[np.bool_]) -> Ints:
    """Count what is true in each row; a sum of numbers is exact, and much faster than one of booleans."""
    return row_sums(which.astype(np.float32)).astype(np.int64)
