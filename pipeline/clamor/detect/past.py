"""What a catalogue's past allows: how often evidence was reached lately when nothing was wrong.

Tails of single series are guarded by floors and priors (:mod:`clamor.detect.tails`) against the talk and the unsteady
levels of other catalogues. So the peaks of all series' last days, read again by today's tails, say what evidence counts
for. They are of quiet days, or of outages, and nobody says which; but those of quiet days fall exponentially, those of
outages lie far and wide. A mixture of the two laws is fitted by expectation and maximization (Dempster, Laird and Rubin
1977), and each day counts as a quiet one by the share that the mixture gives it.
"""

import numpy as np
import numpy.typing as npt

from clamor.baseline.counts import Floats
from clamor.baseline.quick import at_most

Table = npt.NDArray[np.float64]

FROM, STEP = 1.5, 0.25
EDGES = np.append(-np.inf, np.arange(FROM, 25.01, STEP))
"""A day's peak, standardized; below FROM, where episodes begin, evidence is taken as it is."""
DAYS = 21
"""Days that are counted: with fewer than four weeks the first week of a new catalogue, which knows little yet and is
judged mildly, soon counts no more."""
WORTH = 200.0
"""Days of series that the tails alone are worth, and peaks that the laws are worth as they are thought to be: a lone
series has too few for its evidence to count for much more or less."""
OUTAGE = 4.0
"""Beyond FROM, peaks of outages are thought to follow a gamma law of shape two and this scale, nats: on average eight,
and seldom near FROM, where what is no outage is common. The scale is fitted, as is the slope of what is none."""
ROUNDS = 20
"""Of the fit; further ones change budgets by less than a hundredth."""


def count(peaks: Floats) -> Table:
    """Count the days of series by their peaks, standardized, ``(series, days)``; NaN is no day."""
    known = peaks[~np.isnan(peaks)]
    high = known[known >= np.float32(FROM)]
    out = np.bincount(np.searchsorted(EDGES, high, side="right") - 1, minlength=len(EDGES)).astype(np.float64)
    out[0] = len(known) - len(high)
    return out


def table(days: Table) -> Table:
    """Return at each of EDGES what evidence counts for: minus the log of the rate, a day, at which it is false."""
    thought = WORTH * _cells(np.exp(-np.maximum(EDGES, 0)))
    false = np.cumsum(_quiet(days[1:], thought[1:])[::-1])[::-1]
    return np.append(0.0, -np.log(false / (days.sum() + WORTH)))


def _quiet(peaks: Table, thought: Table) -> Table:
    """Return how many quiet days peaked in each cell beyond FROM, with those that are ``thought`` of beforehand."""
    beyond = EDGES[1:] - FROM
    middle = beyond + STEP / 2
    number = float(peaks.sum())
    if not number:
        return thought
    outages, slope, scale = number / 10, 1.0, OUTAGE
    both = np.empty((2, len(beyond)))  # worked on in place: with so few cells calls are what costs
    quiet, loud = both
    for _ in range(ROUNDS):
        np.multiply(beyond, -slope, out=quiet)
        np.divide(beyond, -scale, out=loud)
        more = 1 - loud
        np.exp(both, out=both)
        loud *= more
        _cells(both)
        quiet *= number - outages
        loud *= outages
        loud += quiet
        quiet /= loud
        quiet *= peaks
        np.subtract(peaks, quiet, out=loud)
        quiet += thought
        days, outages = np.add.reduce(both, axis=1).tolist()
        away, far = np.vecdot(both, middle).tolist()
        slope = (days + WORTH) / (away + WORTH)
        scale = (far / 2 + WORTH * OUTAGE) / (outages + WORTH)
    return quiet


def _cells(reached: Table) -> Table:
    """Return what lies between one edge and the next, from what lies beyond each, in its place."""
    reached[..., :-1] -= reached[..., 1:]
    return reached


def needed(nats: Floats, read: Table) -> Floats:
    """Return the least standardized evidence that counts for so much by a :func:`table`; the inverse of ``worth``."""
    beyond = np.interp(nats, read[1:], EDGES[1:]) + np.maximum(nats - read[-1], 0)
    return np.asarray(np.where(nats < read[1], np.minimum(nats, FROM), beyond), dtype=np.float32)


def worth(z: Floats, read: Table) -> Floats:
    """Return what standardized evidence counts for by a :func:`table`; it never falls as evidence grows."""
    out = at_most(z, np.float32(read[1]))
    high = np.flatnonzero(z >= np.float32(FROM))
    beyond = z.take(high)
    most = np.float32(EDGES[-1])
    out.put(high, np.interp(beyond, EDGES[1:], read[1:]) + np.maximum(beyond - most, 0))
    return out
