"""From standardized evidence to states, and to the other columns of a verdict."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clamor.baseline.counts import Floats
from clamor.baseline.interval import band
from clamor.baseline.lengths import Lengths
from clamor.baseline.level import Followed
from clamor.detect.budget import ELEVATED_P
from clamor.schema import VERDICT_COLUMNS, State

STATE_NAMES = [str(s) for s in (State.NORMAL, State.ELEVATED, State.OUTAGE, State.NO_DATA, State.WARM_UP)]
NORMAL, ELEVATED, OUTAGE, NO_DATA, WARM_UP = range(5)
COLUMNS = (
    *VERDICT_COLUMNS[3:],
    "posts",
    "dispersion",
    "level_cv",
    "training_bins",
)
"""What a row says beyond its key; those after ``flag`` are for the lake and left out of ``clamor detect --counts``."""


@dataclass(frozen=True)
class Verdicts:
    """The columns of a day, each ``(series, bins)``."""

    columns: dict[str, npt.NDArray[np.generic]]


def verdicts(
    done: Followed,
    seen: Floats,
    fresh: Floats,
    p: Floats,
    judged: npt.NDArray[np.bool_],
    flagged: npt.NDArray[np.bool_],
    sizes: Lengths,
) -> Verdicts:
    """Return the verdicts of a day, but for ``q_value``, which looks at all services, and the ``posts`` themselves.

    ``seen`` are the observed bins before the day, ``fresh`` is the evidence that is news, ``flagged`` are the alarms.
    """
    taken = done.taken
    unseen = taken.observed == 0
    state = np.where(p < ELEVATED_P, np.int8(ELEVATED), np.int8(NORMAL))
    state[flagged] = OUTAGE
    state[~done.ready] = WARM_UP
    state[unseen] = NO_DATA
    rough = done.level_cv * done.level_cv
    rough += done.dispersion
    rough *= taken.mean
    rough += 1
    rough *= taken.mean
    low, high = band(taken.mean, rough)
    null = np.where(judged, np.float32(0), np.float32(np.nan))
    columns: dict[str, npt.NDArray[np.generic]] = {
        "state": state,
        "score": (fresh + np.float32(np.log(sizes.day))) / np.float32(np.log(10)) + null,
        "p_value": p,
        "expected": taken.mean + null,
        "low": low + null,
        "high": high + null,
        "excess": taken.posts - taken.mean + null,
        "flag": state == OUTAGE,
        "dispersion": done.dispersion + null,
        "level_cv": done.level_cv + null,
        "training_bins": seen[:, None].astype(np.int32),
    }
    return Verdicts(columns)
