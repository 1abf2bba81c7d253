"""Rows and proofs to series: the streams of every service and region, added up bin by bin."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from clamor.schema import UNKNOWN_REGION, WORLD, Signal
from clamor.volumes.bins import MINUTE_US, Bools, Floats, Grid, Ints
from clamor.volumes.rows import Rows, newest
from clamor.volumes.scopes import Attempts, Proofs, Scope, exact, ledger_of, stream_of

X_INDEX_MOVED_AT: Final = pd.Timestamp("2026-05-04", tz="UTC")
"""X moved search and counts to a new index (vendor notice of that day): no baseline reaches across it."""


def counts(
    volumes: pa.Table,
    coverage: pd.DataFrame,
    parents: Mapping[str, str],
    *,
    bin_minutes: int,
    start: pd.Timestamp,
    end: pd.Timestamp,
    also: Mapping[str, Collection[tuple[str, str]]] | None = None,
) -> pd.DataFrame:
    """Return what was counted in every whole bin of ``[start, end)``, one row per source, service, region and bin.

    Args:
        volumes: Stored rows of the volumes table, all versions.
        coverage: Stored rows of the coverage table.
        parents: Region code to parent code, for sources of posts.
        bin_minutes: Width of the bins; a multiple of the stored width.
        start: First time, UTC.
        end: First time that is no longer asked for, UTC.
        also: By source, (service, region) pairs to lay out even if no post of the region is in this window.

    Returns:
        ``source, service, region, segment, bin_start, count, observed, mentions, uneven``: ``count`` (complaint posts,
        float, null where not observed), ``mentions`` (all posts that name the service, null where not observed),
        ``uneven`` (only attempts of status ``partial`` cover the bin), ``segment`` (an integer that grows where the
        scopes, the catalogue or X's index changed). A series runs from the first bin that anything watched.

    Raises:
        InputError: the stored width does not divide ``bin_minutes``.

    """
    grid = Grid.over(start, end, bin_minutes)
    rows = newest(volumes, grid)
    lines = _Lines(parents)
    series: list[_Series] = []
    for source in sorted(set(coverage["source"])):
        ledger = ledger_of(coverage.loc[coverage["source"] == source])
        proofs = Proofs(grid)
        for service in sorted({service for attempts in ledger for service in attempts.services}):
            mine = [attempts for attempts in ledger if service in attempts.services]
            named = {region for name, region in (also or {}).get(source, ()) if name == service}
            series.extend(_series(source, service, mine, named, rows.of(source, service), lines, proofs, grid))
    return _frame(series, grid)


@dataclass(frozen=True)
class _Series:
    """One series from its first watched bin to the grid's end."""

    source: str
    service: str
    region: str
    first: int
    posts: Floats
    mentions: Floats
    uneven: Bools
    segment: Ints


def _frame(series: list[_Series], grid: Grid) -> pd.DataFrame:
    """Lay series out as rows, one below the other."""
    lengths = [len(each.posts) for each in series]
    posts = _stacked([each.posts for each in series], np.float64)
    minutes = _stacked([np.arange(each.first, grid.n) for each in series], np.int64) * grid.bin_minutes + grid.start
    return pd.DataFrame(
        {
            **{name: _repeated([getattr(each, name) for each in series], lengths) for name in _NAMES},
            "segment": _stacked([each.segment for each in series], np.int64),
            "bin_start": pd.DatetimeIndex((minutes * MINUTE_US).view("M8[us]")).tz_localize("UTC"),
            "count": posts,
            "observed": ~np.isnan(posts),
            "mentions": _stacked([each.mentions for each in series], np.float64),
            "uneven": _stacked([each.uneven for each in series], np.bool_),
        }
    )


_NAMES: Final = ("source", "service", "region")


def _stacked(parts: list[NDArray[Any]], dtype: Any) -> NDArray[Any]:
    return np.concatenate(parts).astype(dtype, copy=False) if parts else np.empty(0, dtype)


def _repeated(names: list[str], lengths: list[int]) -> "pd.Series[str]":
    """Return each name as often as its series is long."""
    texts = pa.DictionaryArray.from_arrays(
        pa.array(np.repeat(np.arange(len(names), dtype=np.int32), lengths)), pa.array(names, pa.large_string())
    )
    return pd.Series(pd.array(texts.cast(pa.large_string()), dtype="str"))


def _series(
    source: str,
    service: str,
    ledger: list[Attempts],
    named: set[str],
    rows: Rows,
    lines: "_Lines",
    proofs: Proofs,
    grid: Grid,
) -> Iterator[_Series]:
    """Yield the series of one service of one source, region by region."""
    by_posts = any(not exact(attempts.scope) for attempts in ledger)
    regions = {region for attempts in ledger for region in attempts.regions}
    codes = {name: code for code, name in enumerate(rows.region)}
    if by_posts:
        seen = named | {rows.region[code] for code in np.unique(rows.region_code).tolist()}
        regions |= {up for region in seen - {UNKNOWN_REGION} for up in lines[region]}
    for region in sorted(regions - {UNKNOWN_REGION}):
        mine = [a for a in ledger if (region in a.regions if exact(a.scope) else a.regions & lines[region])]
        there = {True: rows.region_code == codes.get(region, -1)}
        if by_posts:
            below = [code for name, code in codes.items() if region in lines[name]]
            there[False] = np.isin(rows.region_code, below)
        columns = {}
        for signal in (Signal.COMPLAINT, Signal.MENTION):
            said = rows.mention == (signal is Signal.MENTION)
            at = {only: inside & said for only, inside in there.items()}
            columns[signal] = _column(rows, at, _scopes([a for a in mine if signal in a.signals], proofs), grid)
        complaint, mention = columns[Signal.COMPLAINT], columns[Signal.MENTION]
        if complaint is None:
            continue
        segment = complaint.segment + _breaks(source, rows, grid, by_version=by_posts)
        first = complaint.first
        mentions = mention.posts if mention is not None else np.full(grid.n, np.nan)
        posts, uneven = complaint.posts[first:], complaint.uneven[first:]
        yield _Series(source, service, region, first, posts, mentions[first:], uneven, segment[first:])


def _scopes(attempts: list[Attempts], proofs: Proofs) -> list[Scope]:
    """Return what each scope among the attempts proved."""
    members: dict[str, list[Attempts]] = {}
    for each in attempts:
        members.setdefault(each.scope, []).append(each)
    return [proofs.of(together) for together in members.values()]


class _Lines(dict[str, frozenset[str]]):
    """A region to itself and all its ancestors; the world is everybody's."""

    def __init__(self, parents: Mapping[str, str]) -> None:
        super().__init__()
        self._parents = parents

    def __missing__(self, region: str) -> frozenset[str]:
        line, at = {WORLD}, region
        while at and at not in line:
            line.add(at)
            at = self._parents.get(at, "")
        self[region] = frozenset(line)
        return self[region]


@dataclass(frozen=True)
class _Column:
    posts: Floats
    uneven: Bools
    segment: Ints
    first: int


def _column(rows: Rows, at: Mapping[bool, Bools], scopes: list[Scope], grid: Grid) -> _Column | None:
    """Add up the streams of one signal in one region; null where any stream that was watching missed the bin.

    ``at`` tells which rows are of the signal and region: of the region itself (True), or of the tree below it (False).
    """
    streams: dict[str, list[Scope]] = {}
    for scope in scopes:
        streams.setdefault(stream_of(scope.name), []).append(scope)
    posts = np.zeros(grid.n)
    watching, missing, even = np.zeros(grid.n, np.int64), np.zeros(grid.n, bool), np.ones(grid.n, bool)
    edges = np.zeros(grid.n, bool)
    for name, members in streams.items():
        first, last = max(0, min(s.first for s in members)), min(grid.n, max(s.last for s in members))
        if first >= last:
            continue
        watching[first:last] += 1
        if name != "file":
            edges[first] = True
            edges[last : last + 1] = True
        covered = np.logical_or.reduce([s.covered for s in members])
        active = np.zeros(grid.n, bool)
        active[first:last] = True
        missing |= active & ~covered
        even &= ~active | np.logical_or.reduce([s.even for s in members])
        posts += _counted(rows, at, members, grid, add=name == "file")
    observed = (watching > 0) & ~missing
    if not watching.any():
        return None
    start = int(np.argmax(watching > 0))
    edges[: start + 1] = False
    segment = np.cumsum(edges).astype(np.int64)
    return _Column(np.where(observed, posts, np.nan), observed & ~even, segment, start)


def _counted(rows: Rows, at: Mapping[bool, Bools], members: list[Scope], grid: Grid, *, add: bool) -> Floats:
    """Return posts per bin of one stream: files add up; of other scopes the one that asked last counts."""
    each = []
    for scope in members:
        code = rows.scope.index(scope.name) if scope.name in rows.scope else -1
        hit = at[exact(scope.name)] & (rows.scope_code == code)
        posts = np.bincount(rows.bin[hit], weights=rows.posts[hit], minlength=grid.n)[: grid.n]
        each.append(np.where(scope.covered, posts, 0.0))
    if add or len(members) == 1:
        return np.asarray(np.sum(each, axis=0), dtype=np.float64)
    asked = np.stack([np.where(s.covered, s.asked_at, 0) for s in members])
    latest = np.argmax(asked, axis=0)
    return np.asarray(np.take_along_axis(np.stack(each), latest[None, :], axis=0)[0], dtype=np.float64)


def _breaks(source: str, rows: Rows, grid: Grid, *, by_version: bool) -> Ints:
    """Return how many times the catalogue (for posts) or X's index had changed by each bin."""
    segment = np.zeros(grid.n, np.int64)
    if source == "x":
        moved = int(grid.ceil(np.array([X_INDEX_MOVED_AT.value // (1000 * MINUTE_US)]))[0])
        if 0 < moved < grid.n:
            segment[moved:] += 1
    if by_version and len(rows.version):
        current = rows.version[np.argmax(rows.bin)]
        older = rows.bin[rows.version != current]
        if len(older):
            segment[int(older.max()) + 1 :] += 1
    return segment
