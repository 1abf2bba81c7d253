"""What was learnt as named arrays and back, so that it can be kept in a file: no pickle, which can run anything."""

from dataclasses import fields

import numpy as np
import numpy.typing as npt
import pandas as pd

from clamor.baseline.fit import Fitted
from clamor.detect.news import Told
from clamor.detect.slow import Slow
from clamor.detect.tails import Tails
from clamor.detect.walk import Known, Learnt

Arrays = dict[str, npt.NDArray[np.generic]]


def to_arrays(learnt: Learnt) -> Arrays:
    """Return what was learnt as arrays by name; no array is of objects."""
    names = {name: learnt.names[name].to_numpy(dtype=np.str_) for name in ("service", "region")}
    times = [learnt.until_minute, learnt.origin_minute, learnt.bin_minutes]
    return {
        **names,
        "segment": learnt.names["segment"].to_numpy(dtype=np.int64),
        "times": np.array(times, dtype=np.int64),
        "budget": np.array([learnt.budget]),
        **{f"fitted.{f.name}": getattr(learnt.known.fitted, f.name) for f in fields(Fitted)},
        **{f"memory.{f.name}": getattr(learnt.known.memory, f.name) for f in fields(Tails)},
        **{f"slow.{f.name}": getattr(learnt.known.slow, f.name) for f in fields(Slow)},
        **{f"told.{f.name}": getattr(learnt.known.told, f.name) for f in fields(Told)},
    }


def from_arrays(arrays: Arrays) -> Learnt:
    """Return what :func:`to_arrays` was given.

    Raises:
        KeyError: an array is missing.

    """
    columns = {name: pd.Series(arrays[name].tolist(), dtype="str") for name in ("service", "region")}
    names = pd.DataFrame({**columns, "segment": arrays["segment"]})
    until, origin, width = arrays["times"].tolist()
    fitted = Fitted(**{f.name: arrays[f"fitted.{f.name}"] for f in fields(Fitted)})  # type: ignore[arg-type]
    memory = Tails(**{f.name: arrays[f"memory.{f.name}"] for f in fields(Tails)})  # type: ignore[arg-type]
    told = Told(**{f.name: arrays[f"told.{f.name}"] for f in fields(Told)})  # type: ignore[arg-type]
    slowly = Slow(**{f.name: arrays[f"slow.{f.name}"] for f in fields(Slow)})  # type: ignore[arg-type]
    return Learnt(names, until, origin, width, float(arrays["budget"][0]), Known(fitted, memory, told, slowly))
