"""clamor hears outages in public complaints: collect → volumes → baseline → flags → incidents → report.

In a notebook::

    import clamor

    lake = clamor.open_lake("data/lake")
    lake.incidents()  # DataFrame, a row an incident
    lake.flags(bin_minutes=15)  # DataFrame, a row a series and bin
    lake.volumes()  # DataFrame, the newest count of every key
    clamor.detect.detect(my_counts, bin_minutes=15)  # verdicts on your own frame
    clamor.report.chart(lake.flags(), lake.incidents(), service="tiktok")

Submodules are imported when they are first named, so that ``import clamor`` costs nothing. Columns, types and units of
every table are in :mod:`clamor.schema`; every error that clamor raises on purpose is a ``clamor.errors.ClamorError``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clamor.store import Lake

__version__ = "0.1.0"
__all__ = ["backtest", "baseline", "catalog", "detect", "errors", "incidents", "open_lake", "report", "schema", "text"]


def open_lake(root: str = "data/lake") -> "Lake":
    """Open a lake: a folder or object-store URI. Nothing is created; an absent lake is empty.

    Returns:
        A :class:`clamor.store.Lake`; its ``volumes``, ``coverage``, ``flags`` and ``incidents`` return DataFrames with
        the columns of :mod:`clamor.schema`, times in UTC, counts in posts.

    Raises:
        LakeError: the place is a file or an unknown kind of URI (when it is first read).

    """
    from clamor.store import Lake

    return Lake(root)


def __getattr__(name: str) -> Any:
    if name in __all__:
        return import_module(f"clamor.{name}")
    raise AttributeError(f"module 'clamor' has no attribute {name!r}")
