"""The coverage ledger as a reader sees it: for each source, when its data are proven and how attempts ended."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from clamor.report.strips import Piece, pieces
from clamor.report.window import NO_DATA, Ranks, Window, microseconds
from clamor.schema import PROVES, Status

KINDS: Final = ["none", "failed", "partial", "ok"]
"""How well a source is proven at a time: no attempt, only failed ones, some of its scopes or unevenly, all."""
NONE, FAILED, PARTIAL, OK = range(4)
_COLUMNS: Final = 384


@dataclass(frozen=True)
class SourceCoverage:
    """One source over the window.

    Attributes:
        source: Its name in the tables.
        strip: Pieces of kind ok, partial, failed, none.
        shares: Share of the window by kind.
        attempts: Number of attempts, 0 where no ledger was given.
        ended: Status to number of attempts, ``ok`` first.
        requests: Sum of requests.
        cost_usd: Sum of estimated cost.
        last_proven_at: End of the newest window that an attempt proved, or null.

    """

    source: str
    strip: list[Piece]
    shares: dict[str, float]
    attempts: int = 0
    ended: tuple[tuple[str, int], ...] = ()
    requests: int = 0
    cost_usd: float = 0.0
    last_proven_at: pd.Timestamp | None = None


def ledger(view: Window, coverage: pd.DataFrame | None) -> list[SourceCoverage]:
    """Return the coverage of each source: from the ledger, or from the flags where a source has no ledger."""
    told = coverage if coverage is not None and len(coverage) else None
    sources = sorted({*view.counted["source"], *(told["source"] if told is not None else ())})
    parts = dict(iter(told.groupby("source"))) if told is not None else {}
    return [_from_ledger(view, name, parts[name]) if name in parts else _from_flags(view, name) for name in sources]


def _from_flags(view: Window, source: str) -> SourceCoverage:
    rows = view.counted.index[view.counted["source"] == source]
    seen = np.zeros(view.bins, np.int64)
    for row in rows:
        seen += view.ranks([row]) > NO_DATA
    codes = np.where(seen == 0, NONE, np.where(seen == len(rows), OK, PARTIAL)).astype(np.int8)
    return SourceCoverage(source, pieces(codes, KINDS), _shares(codes))


def _from_ledger(view: Window, source: str, attempts: pd.DataFrame) -> SourceCoverage:
    codes = _codes(view, attempts)
    ended = attempts["status"].value_counts()
    order = sorted(ended.index, key=lambda s: (s != Status.OK, s != Status.PARTIAL, s))
    proven = attempts[attempts["status"].isin(PROVES)]
    return SourceCoverage(
        source,
        pieces(codes, KINDS),
        _shares(codes),
        len(attempts),
        tuple((str(status).replace("_", " "), int(ended[status])) for status in order),
        int(attempts["requests"].sum()),
        float(attempts["cost_usd"].sum()),
        proven["window_end"].max() if len(proven) else None,
    )


def _shares(codes: Ranks) -> dict[str, float]:
    return {kind: float((codes == code).mean()) if len(codes) else 0.0 for code, kind in enumerate(KINDS)}


def _codes(view: Window, attempts: pd.DataFrame) -> Ranks:
    """Return how well the source is proven in each of some columns of whole bins.

    A scope counts between its first attempt's start and its last one's end: a dump of last month is not missing today.
    What was skipped was never an attempt.
    """
    attempts = attempts[attempts["status"] != Status.SKIPPED]
    step = max(1, -(-view.bins // _COLUMNS))
    columns = -(-view.bins // step) if view.bins else 0
    width = step * view.bin_minutes * 60_000_000
    first = round(view.first.timestamp() * 1e6)
    begin, stop = ((microseconds(attempts[name]) - first) / width for name in ("window_start", "window_end"))
    scope, scopes = pd.factorize(attempts["scope"])
    level = attempts["status"].map({str(Status.OK): OK, str(Status.PARTIAL): PARTIAL}).fillna(FAILED).to_numpy()
    grid = np.zeros((len(scopes), columns), np.int8)
    for code in (FAILED, PARTIAL, OK):
        among, low, high = _joined(scope[level >= code], begin[level >= code], stop[level >= code])
        a, b = (np.ceil(low - 1e-9), np.floor(high + 1e-9)) if code == OK else (np.floor(low), np.ceil(high))
        grid[_covered(among, a.clip(0, columns).astype(int), b.clip(0, columns).astype(int), grid.shape)] = code
    inside = _covered(scope, *_spans(scope, begin, stop, columns), grid.shape)
    return _over_scopes(grid, inside)


def _joined(
    scope: npt.NDArray[np.int64], begin: npt.NDArray[np.float64], stop: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Join the touching intervals of each scope: walks that end and begin inside a bin prove it together."""
    if len(scope) == 0:
        return scope, begin, stop
    order = np.lexsort((begin, scope))
    scope, begin, stop = scope[order], begin[order], stop[order]
    apart = scope * (2 * (np.abs(np.r_[begin, stop]).max() + 1))
    reach = np.maximum.accumulate(stop + apart)
    heads = np.flatnonzero(np.r_[True, (begin + apart)[1:] > reach[:-1] + 1e-9])
    return scope[heads], begin[heads], np.maximum.reduceat(stop, heads)


def _covered(
    scope: npt.NDArray[np.int64],
    a: npt.NDArray[np.int64],
    b: npt.NDArray[np.int64],
    shape: tuple[int, ...],
) -> npt.NDArray[np.bool_]:
    """Return the cells of scope by column that some interval [a, b) covers."""
    edges = np.zeros((shape[0], shape[1] + 1), np.int64)
    wanted = a < b
    np.add.at(edges, (scope[wanted], a[wanted]), 1)
    np.add.at(edges, (scope[wanted], b[wanted]), -1)
    return edges.cumsum(axis=1)[:, :-1] > 0


def _spans(
    scope: npt.NDArray[np.int64], begin: npt.NDArray[np.float64], stop: npt.NDArray[np.float64], columns: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return for each attempt the span of its scope."""
    count = int(scope.max()) + 1 if len(scope) else 0
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, scope, begin)
    np.maximum.at(high, scope, stop)
    return (np.floor(low).clip(0, columns).astype(int)[scope], np.ceil(high).clip(0, columns).astype(int)[scope])


def _over_scopes(grid: Ranks, inside: npt.NDArray[np.bool_]) -> Ranks:
    """Join the scopes of a source: ok where all are, none where no one tried, partial where only some are proven."""
    counted = inside.sum(axis=0)
    ok, proven = ((inside & (grid >= code)).sum(axis=0) for code in (OK, PARTIAL))
    tried = (inside & (grid > NONE)).sum(axis=0)
    rules = [(counted > 0) & (ok == counted), proven > 0, tried > 0]
    return np.select(rules, [OK, PARTIAL, FAILED], default=NONE).astype(np.int8)
