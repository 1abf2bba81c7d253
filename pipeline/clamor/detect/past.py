"""What a catalogue's past allows: evidence that was seldom reached lately counts for more than its tails alone tell.

Tails are guarded by floors and priors (:mod:`clamor.detect.tails`) against the talk and the unsteady levels of other
catalogues; in a quiet one that is far too strict. So the days of series are counted by the highest news in them. False
ones cannot be more than these, and evidence counts for as much as keeps within that. It never counts for less: where
news was more frequent there may have been outages.
"""

import numpy as np
import numpy.typing as npt

from clamor.baseline.counts import Bools, Floats

Table = npt.NDArray[np.float64]

FROM, STEP = 1.5, 0.25
EDGES = np.append(-np.inf, np.arange(FROM, 15.01, STEP))
"""Highest news of a day, standardized; below FROM, where episodes begin, evidence is taken as it is."""
WITHIN = 2.0
"""What is false falls by about e with each nat, outages do not: so of the days beyond some evidence those within so
many nats of it are counted, which are nearly all false ones and few outages."""
COUNTED, NOT_YET = 28, 7
"""Days that are counted, and days before they are: else outages of this week would change how its scores compare."""
WORTH = 200.0
"""Days of series that the tails alone are worth: a lone series has too few for its evidence to count for much more."""


NOTHING = np.zeros(len(EDGES))
"""The counts of a day on which nothing was observed."""


def start() -> Table:
    """Return the counts of no days, ``(COUNTED + NOT_YET, len(EDGES))``, the oldest first."""
    return np.zeros((COUNTED + NOT_YET, len(EDGES)))


def count(fresh: Floats, judged: Bools, known: Bools) -> Table:
    """Count the days of ``known`` series by their highest news; ``fresh`` and ``judged`` are ``(series, bins)``."""
    highest = np.where(judged, fresh, -np.inf).max(axis=1)[known]
    cell = np.searchsorted(EDGES, highest, side="right") - 1
    return np.asarray(np.bincount(cell, minlength=len(EDGES)), dtype=np.float64)


def learn(days: Table, today: list[Table]) -> Table:
    """Return the counts with today's, part by part, in place of the oldest."""
    return np.concatenate([days[1:], np.sum(today, axis=0)[None]])


def table(days: Table) -> Table:
    """Return at each of EDGES what evidence counts for: minus the log of the rate, a day, at which it is false."""
    steps, counted = int(WITHIN / STEP), days[:COUNTED].sum(axis=0)
    beyond = np.append(np.cumsum(counted[::-1])[::-1], np.zeros(steps))
    false = (beyond[:-steps] - beyond[steps:]) / (1 - np.exp(-WITHIN))
    by_itself = np.maximum(EDGES, 0)
    rate = (false + WORTH * np.exp(-by_itself)) / (counted.sum() + WORTH)
    return np.asarray(np.maximum.accumulate(np.maximum(by_itself, -np.log(rate))))


def worth(z: Floats, read: Table) -> Floats:
    """Return what standardized evidence counts for by a :func:`table`: itself or more."""
    out = z.copy()
    high = np.nonzero(z >= np.float32(FROM))
    out[high] = np.maximum(z[high], np.interp(z[high], EDGES[1:], read[1:]).astype(np.float32))
    return out
