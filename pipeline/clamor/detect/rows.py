"""From arrays of verdicts to rows: each column is one grid, filled day by day, that becomes the column itself."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from clamor.baseline.counts import MINUTE_US, TIMES, Ints, Panel
from clamor.detect.verdicts import COLUMNS, NO_DATA, STATE_NAMES

if TYPE_CHECKING:
    from clamor.detect.verdicts import Verdicts

Grid = npt.NDArray[np.generic]

OTHERS = {"state": np.int8, "flag": np.bool_, "training_bins": np.int32}
STATES = pa.array(STATE_NAMES, pa.large_string())
NUMBERS = [name for name in COLUMNS if name not in OTHERS and name != "posts"]


class Grids:
    """The columns of all verdicts from one column of the panel on, each ``(series, bins)``."""

    def __init__(self, table: Panel, begin: int) -> None:
        self._table, self._begin = table, begin
        shape = (len(table.names), table.bins - begin)
        numbers = np.empty((len(NUMBERS), *shape), dtype=np.float32)  # in one piece: huge pages are touched sooner
        self._grids: dict[str, Grid] = dict(zip(NUMBERS, numbers, strict=True))
        self._grids |= {name: np.empty(shape, dtype=kind) for name, kind in OTHERS.items()}

    def put(self, rows: slice, columns: slice, verdicts: "Verdicts") -> None:
        """Lay down the verdicts of some series and columns of the panel, as far as they are asked for."""
        skip, at = self._at(columns)
        for name, values in verdicts.columns.items():
            self._grids[name][rows, at] = values[:, skip:] if values.shape[1] > 1 else values

    def leave(self, columns: slice, seen: Ints) -> None:
        """Lay down that nothing was observed in some columns; ``seen`` are each series' observed bins before them."""
        _, at = self._at(columns)
        for name, grid in self._grids.items():
            grid[:, at] = np.nan if name in NUMBERS else NO_DATA if name == "state" else False
        self._grids["training_bins"][:, at] = seen[:, None]

    def _at(self, columns: slice) -> tuple[int, slice]:
        """Return how many of some columns of the panel are not asked for, and where the others lie."""
        skip = max(self._begin - columns.start, 0)
        return skip, slice(columns.start + skip - self._begin, columns.stop - self._begin)

    def frame(self) -> pd.DataFrame:
        """Return rows by series, then by bin, each series from its first to its last; the grids are given away."""
        table, begin = self._table, self._begin
        first = np.maximum(table.first, begin) - begin
        lengths = np.maximum(table.last + 1 - begin - first, 0)
        bins = table.bins - begin
        inside = None
        if (lengths < bins).any():
            column = np.arange(bins)
            inside = (column >= first[:, None]) & (column < (first + lengths)[:, None])
        out: dict[str, object] = {}
        for name in COLUMNS:
            if name == "posts":
                out[name] = table.posts[:, begin:].reshape(-1) if inside is None else table.posts[:, begin:][inside]
                continue
            values = _packed(self._grids.pop(name), inside)
            out[name] = _texts(STATES.take(pa.array(values))) if name == "state" else values
        verdicts = pd.DataFrame(out, copy=False)
        return pd.concat([self._keys(lengths, inside), verdicts], axis=1)

    def _keys(self, lengths: Ints, inside: npt.NDArray[np.bool_] | None) -> pd.DataFrame:
        """Return service, region and time of each row: those of the given rows, if they lie so already."""
        table = self._table
        if table.keys is not None and self._begin == 0:
            return table.keys
        minutes = table.start_minute + np.arange(self._begin, table.bins) * table.bin_minutes
        every = np.tile(minutes * MINUTE_US, (len(table.names), 1))
        return pd.DataFrame(
            {
                "service": _repeated(table.names["service"], lengths),
                "region": _repeated(table.names["region"], lengths),
                "bin_start": pd.Series(_packed(every, inside), copy=False).astype(TIMES),
            },
            copy=False,
        )


def _packed(grid: Grid, inside: npt.NDArray[np.bool_] | None) -> Grid:
    """Return the values of rows from their first to their last bin, at the front of the grid's own memory."""
    values = grid.reshape(-1)
    if inside is not None:
        values = values[: np.count_nonzero(inside)]
        values[...] = grid[inside]
    return values


def _repeated(names: "pd.Series[str]", lengths: Ints) -> "pd.api.extensions.ExtensionArray":
    """Return each name as often as its series is long."""
    some = lengths > 0
    runs = pa.RunEndEncodedArray.from_arrays(np.cumsum(lengths[some]), pa.array(names[some], pa.large_string()))
    return _texts(pc.run_end_decode(runs))


def _texts(array: "pa.Array[pa.Scalar]") -> "pd.api.extensions.ExtensionArray":
    texts: pd.api.extensions.ExtensionArray = pd.array(array, dtype="str")
    return texts
