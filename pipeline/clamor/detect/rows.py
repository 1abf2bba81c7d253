"""From arrays of verdicts to rows: each column is one grid, filled day by day, that becomes the column itself."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from clamor.baseline.counts import MINUTE_US, Ints, Panel
from clamor.detect.verdicts import COLUMNS, STATE_NAMES

if TYPE_CHECKING:
    from clamor.detect.verdicts import Verdicts

Grid = npt.NDArray[np.generic]


class Grids:
    """The columns of all verdicts from one column of the panel on, each ``(series, bins)``."""

    def __init__(self, table: Panel, begin: int) -> None:
        self._table, self._begin = table, begin
        self._grids: dict[str, Grid] = {}

    def put(self, rows: slice, columns: slice, verdicts: "Verdicts") -> None:
        """Lay down the verdicts of some series and columns of the panel, as far as they are asked for."""
        skip = max(self._begin - columns.start, 0)
        at = slice(columns.start + skip - self._begin, columns.stop - self._begin)
        shape = (len(self._table.names), self._table.bins - self._begin)
        for name, values in verdicts.columns.items():
            if name not in self._grids:
                self._grids[name] = np.empty(shape, dtype=values.dtype)
            self._grids[name][rows, at] = values[:, skip:] if values.shape[1] > 1 else values

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
        time = (table.start_minute + np.arange(begin, table.bins) * table.bin_minutes) * MINUTE_US
        times = _inside(np.broadcast_to(time.astype("datetime64[us]"), (len(table.names), bins)), inside)
        out: dict[str, object] = {
            "service": _repeated(table.names["service"], lengths),
            "region": _repeated(table.names["region"], lengths),
            "bin_start": pd.DatetimeIndex(times, tz="UTC"),
        }
        for name in COLUMNS:
            values = _inside(self._grids.pop(name), inside) if name in self._grids else np.zeros(0, dtype=np.int8)
            out[name] = _texts(values, STATE_NAMES) if name == "state" else values
        return pd.DataFrame(out, copy=False)


def _inside(grid: Grid, inside: npt.NDArray[np.bool_] | None) -> Grid:
    return grid.reshape(-1) if inside is None else grid[inside]


def _repeated(names: "pd.Series[str]", lengths: Ints) -> "pd.api.extensions.ExtensionArray":
    """Return each name as often as its series is long."""
    return _texts(np.repeat(np.arange(len(names), dtype=np.int32), lengths), names.tolist())


def _texts(code: Grid, names: list[str]) -> "pd.api.extensions.ExtensionArray":
    coded = pa.DictionaryArray.from_arrays(pa.array(code), pa.array(names, pa.large_string()))
    texts: pd.api.extensions.ExtensionArray = pd.array(coded.cast(pa.large_string()), dtype="str")
    return texts
