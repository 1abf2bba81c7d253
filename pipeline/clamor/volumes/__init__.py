"""Volumes and coverage to counts: what was seen in every bin of every series, and what was not looked at.

Pure. The counting rules of the design live here and nowhere else: newest observation wins inside a key, disjoint
scopes are added, a bin is observed only if everything that should have watched it did so for all of its length, covered
and none is zero, and all else is unknown. Sources of posts are summed up the region tree; X counts never are.
"""

from clamor.volumes.bins import Grid
from clamor.volumes.news import changes, symptoms
from clamor.volumes.rows import COUNTED_COLUMNS
from clamor.volumes.scopes import HOLD_HOURS, LEDGER_COLUMNS, exact, stream_of
from clamor.volumes.series import X_INDEX_MOVED_AT, counts
from clamor.volumes.spoken import spoken, told

__all__ = [
    "COUNTED_COLUMNS",
    "HOLD_HOURS",
    "LEDGER_COLUMNS",
    "X_INDEX_MOVED_AT",
    "Grid",
    "changes",
    "counts",
    "exact",
    "spoken",
    "stream_of",
    "symptoms",
    "told",
]
