"""Archives → lake: an import that was interrupted and goes on stores nothing twice."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from clamor import schema
from clamor.schema import Table
from clamor.store import Lake


@dataclass(frozen=True)
class OnceLake(Lake):
    """A lake that does not take a row again that it holds with the same key and the same time of observation.

    An import that goes on gives the very rows and attempts again that it may have stored before it was interrupted.

    Attributes:
        resumed: Tells whether there may be such rows.

    """

    resumed: Callable[[], bool] = lambda: False

    def append(self, table: Table, frame: pd.DataFrame) -> None:
        """Store the rows that are not there."""
        super().append(table, self._unstored(table, frame) if self.resumed() and len(frame) else frame)

    def _unstored(self, table: Table, frame: pd.DataFrame) -> pd.DataFrame:
        time, end = ("window_start", "window_end") if table == schema.COVERAGE else ("bin_start", "bin_start")
        key = list(dict.fromkeys([*table.key, "requested_at" if table == schema.COVERAGE else "observed_at"]))
        known = self.read(
            table, start=frame[time].min(), end=frame[end].max() + pd.Timedelta("1min"), columns=key
        ).to_pandas()
        found = frame[key].merge(known.drop_duplicates(), on=key, how="left", indicator="known")["known"]
        return frame.loc[(found == "left_only").to_numpy()]
