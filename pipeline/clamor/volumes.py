"""Volumes and coverage to counts: what was seen in every bin of every series, and what was not looked at.

Pure. The counting rules of the design live here and nowhere else: newest observation wins inside a key, disjoint
scopes are added, a bin is observed only if everything that should have watched it did so for all of its length, covered
and none is zero, and all else is unknown. Sources of posts are summed up the region tree; X counts never are.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clamor import schema
from clamor.errors import InputError
from clamor.schema import UNKNOWN_REGION, WORLD, Signal, Status

X_INDEX_MOVED_AT: Final = pd.Timestamp("2026-05-04", tz="UTC")
"""X moved search and counts to a new index (vendor notice of that day): no baseline reaches across it."""
HOLD_HOURS: Final = 24
"""A scope that stops being asked is expected for this long; after that the series goes on without it, segmented."""
COUNTED_COLUMNS: Final = [
    "source",
    "scope",
    "service",
    "region",
    "signal",
    "symptom",
    "bin_minutes",
    "bin_start",
    "posts",
    "catalog_version",
    "observed_at",
]
"""Columns of the volumes table that counting needs."""
LEDGER_COLUMNS: Final = [
    "source",
    "scope",
    "window_start",
    "window_end",
    "requested_at",
    "services",
    "regions",
    "signals",
    "status",
]
"""Columns of the coverage table that counting needs."""
_MINUTE_US: Final = 60_000_000

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Grid:
    """The bins of one evaluation: ``n`` bins of ``bin_minutes`` from ``start`` (minutes since the epoch, UTC)."""

    start: int
    n: int
    bin_minutes: int

    @classmethod
    def over(cls, start: pd.Timestamp, end: pd.Timestamp, bin_minutes: int) -> "Grid":
        """Return the whole bins of ``[start, end)``; bins are aligned to the epoch in UTC (weeks to Monday)."""
        offset = _week_offset(bin_minutes)
        first = -(-(start.value // (1000 * _MINUTE_US) - offset) // bin_minutes) * bin_minutes + offset
        last = (end.value // (1000 * _MINUTE_US) - offset) // bin_minutes * bin_minutes + offset
        return cls(first, max(0, (last - first) // bin_minutes), bin_minutes)

    def times(self) -> pd.DatetimeIndex:
        """Return the start of every bin."""
        minutes = self.start + np.arange(self.n, dtype=np.int64) * self.bin_minutes
        return pd.DatetimeIndex((minutes * _MINUTE_US).view("M8[us]")).tz_localize("UTC")

    def floor(self, minutes: Ints) -> Ints:
        """Return the bin that holds each minute."""
        return (minutes - self.start) // self.bin_minutes

    def ceil(self, minutes: Ints) -> Ints:
        """Return the first bin that starts at or after each minute."""
        return -(-(minutes - self.start) // self.bin_minutes)


def _week_offset(bin_minutes: int) -> int:
    """1970-01-01 was a Thursday: bins of whole weeks start on Monday, the fifth of January."""
    return 4 * 1440 if bin_minutes % 10_080 == 0 else 0


def stream_of(scope: str) -> str:
    """Return the stream that a scope belongs to: scopes of one stream watch the same posts, so one of them counts.

    A dump of submissions and a walk of ``/new`` over the same group are one stream; so are all imported files of a
    source, which add up where they overlap because they are told apart by content.
    """
    kind, _, rest = scope.partition(":")
    if kind in {"reddit", "dump"}:
        part, _, group = rest.partition(":")
        return f"{'submissions' if part in {'new', 'RS'} else 'comments'}:{group}"
    return "file" if kind == "file" else scope


def exact(scope: str) -> bool:
    """Tell whether a scope counts just the regions it names (X counts), not the posts of the tree below them."""
    return scope.startswith(("x:", "counts:"))


def changes(known: pa.Table, fresh: pd.DataFrame, attempts: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of ``fresh`` that say something new, and an explicit 0 for each that a re-read no longer finds.

    Args:
        known: Stored volumes (all versions) of at least the windows of the attempts.
        fresh: Volumes just counted, without zero rows.
        attempts: Coverage rows that belong to ``fresh``; only a proven attempt over the whole bin may replace.

    """
    key = list(schema.VOLUMES.key)
    scopes = attempts["scope"].unique().tolist() if len(attempts) else []
    mine = known.filter(pc.is_in(known.column("scope"), pa.array(scopes, pa.string())))
    stored = schema.to_pandas(mine).sort_values("observed_at", kind="stable").drop_duplicates(key, keep="last")
    if stored.empty:
        return fresh
    merged = fresh.merge(stored[[*key, "posts", "authors"]], on=key, how="left", suffixes=("", "_stored"))
    same = (merged["posts"] == merged["posts_stored"]).fillna(False)
    same &= merged["authors"].fillna(-1).astype("int64") == merged["authors_stored"].fillna(-1).astype("int64")
    news = fresh.loc[~same.to_numpy(dtype=bool)]
    gone = stored[stored["posts"] > 0].merge(fresh[key], on=key, how="left", indicator=True)
    gone = gone.loc[gone["_merge"] == "left_only"].drop(columns="_merge")
    emptied = _emptied(gone, attempts.loc[attempts["status"].isin([str(status) for status in schema.PROVES])])
    if emptied.empty:
        return news
    zeros = emptied.assign(posts=0, authors=pd.array([pd.NA], dtype="Int64")[0])
    return pd.concat([news, zeros], ignore_index=True) if len(news) else zeros


def _emptied(gone: pd.DataFrame, proven: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose whole bin a proven attempt of their scope covered, stamped with its time."""
    if gone.empty or proven.empty:
        return gone.head(0)
    windows = proven[["scope", "window_start", "window_end", "requested_at"]]
    pairs = gone.reset_index(drop=True).reset_index(names="_row").merge(windows, on="scope")
    ends = pairs["bin_start"] + pd.to_timedelta(pairs["bin_minutes"], unit="min")
    covered = pairs.loc[(pairs["bin_start"] >= pairs["window_start"]) & (ends <= pairs["window_end"])]
    last = covered.sort_values("requested_at", kind="stable").drop_duplicates("_row", keep="last")
    stamped: pd.DataFrame = last.assign(observed_at=last["requested_at"])[gone.columns]
    return stamped


def symptoms(volumes: pa.Table) -> pd.DataFrame:
    """Return the complaints by symptom, one row a key and stream: what may be added up over regions and time."""
    named = pc.and_(
        pc.not_equal(volumes.column("symptom"), schema.ANY_SYMPTOM),
        pc.equal(volumes.column("signal"), Signal.COMPLAINT.value),
    )
    rows = schema.to_pandas(volumes.filter(named)).sort_values("observed_at", kind="stable")
    streams = {scope: stream_of(scope) for scope in rows["scope"].unique()}
    rows["_stream"] = [scope if streams[scope] == "file" else streams[scope] for scope in rows["scope"]]
    key = ["_stream", *(name for name in schema.VOLUMES.key if name != "scope")]
    return rows.drop_duplicates(key, keep="last").drop(columns="_stream").reset_index(drop=True)


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
    rows = _newest(volumes, grid)
    lines = _Lines(parents)
    series: list[_Series] = []
    for source in sorted(set(coverage["source"])):
        ledger = _ledger(coverage.loc[coverage["source"] == source])
        proofs = _Proofs(grid)
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
            "bin_start": pd.DatetimeIndex((minutes * _MINUTE_US).view("M8[us]")).tz_localize("UTC"),
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


@dataclass(frozen=True)
class _Rows:
    """The newest row of every key, as arrays."""

    source_service: Mapping[tuple[str, str], Ints]
    scope: list[str]
    region: list[str]
    scope_code: Ints
    region_code: Ints
    mention: Bools
    bin: Ints
    posts: Ints
    version: Ints

    def of(self, source: str, service: str) -> "_Rows":
        """Return the rows of one service."""
        at = self.source_service.get((source, service), np.empty(0, np.int64))
        picked = (
            getattr(self, name)[at] for name in ("scope_code", "region_code", "mention", "bin", "posts", "version")
        )
        return _Rows({}, self.scope, self.region, *picked)


def _codes(table: pa.Table, column: str) -> tuple[Ints, list[str]]:
    encoded = pc.dictionary_encode(table.column(column).combine_chunks())
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    return encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64), encoded.dictionary.to_pylist()


def _newest(volumes: pa.Table, grid: Grid) -> _Rows:
    """Keep counted posts (not single symptoms) of the grid, the newest observation of each key."""
    signals = pa.array([Signal.COMPLAINT.value, Signal.MENTION.value])
    wanted = pc.and_(
        pc.equal(volumes.column("symptom"), schema.ANY_SYMPTOM), pc.is_in(volumes.column("signal"), signals)
    )
    table = volumes.filter(wanted)
    for width in pc.unique(table.column("bin_minutes")).to_pylist():
        if grid.bin_minutes % width:
            raise InputError(
                f"--bin {grid.bin_minutes} min: the lake holds bins of {width} min, and bins are only ever added up; "
                f"ask for a multiple of {width} min"
            )
    minutes = table.column("bin_start").cast(pa.int64()).to_numpy() // _MINUTE_US
    bins = grid.floor(minutes)
    names = {name: _codes(table, name) for name in ("source", "service", "scope", "region", "catalog_version")}
    mention = pc.equal(table.column("signal"), Signal.MENTION.value).to_numpy(zero_copy_only=False)
    series = names["source"][0]
    for name in ("service", "scope", "region"):
        series = series * len(names[name][1]) + names[name][0]
    series = series * 2 + mention
    observed = table.column("observed_at").cast(pa.int64()).to_numpy()
    order = np.lexsort((observed, minutes, series))
    last = np.ones(len(order), bool)
    last[:-1] = (np.diff(series[order]) != 0) | (np.diff(minutes[order]) != 0)
    keep = order[last & (bins[order] >= 0) & (bins[order] < grid.n)]
    owner = names["source"][0] * len(names["service"][1]) + names["service"][0]
    split = {
        (names["source"][1][code // len(names["service"][1])], names["service"][1][code % len(names["service"][1])]): at
        for code, at in _groups(owner[keep])
    }
    return _Rows(
        split,
        names["scope"][1],
        names["region"][1],
        names["scope"][0][keep],
        names["region"][0][keep],
        mention[keep],
        bins[keep],
        table.column("posts").to_numpy()[keep],
        names["catalog_version"][0][keep],
    )


def _groups(codes: Ints) -> Iterator[tuple[int, Ints]]:
    """Yield each code with the positions that hold it."""
    if not len(codes):
        return
    order = np.argsort(codes, kind="stable")
    found, starts = np.unique(codes[order], return_index=True)
    yield from zip(found.tolist(), np.split(order, starts[1:]), strict=True)


@dataclass(frozen=True)
class _Attempts:
    """The attempts of one scope that would have counted the same things. Times are minutes since the epoch."""

    scope: str
    services: frozenset[str]
    regions: frozenset[str]
    signals: frozenset[str]
    starts: Ints
    ends: Ints
    asked_at: Ints
    proves: Bools
    even: Bools


@dataclass(eq=False)
class _Scope:
    """What one scope proved of one series: bins, and the span in which it was asked at all."""

    name: str
    covered: Bools
    even: Bools
    first: int
    last: int
    proven: tuple[Ints, Ints, Ints]
    grid: Grid

    @cached_property
    def asked_at(self) -> Ints:
        """When each bin was last asked for with an answer, 0 for never."""
        starts, ends, asked = self.proven
        newest = np.zeros(self.grid.n, np.int64)
        for i in np.argsort(asked, kind="stable").tolist():
            first = max(0, (starts[i] - self.grid.start) // self.grid.bin_minutes)
            newest[first : max(0, self.grid.ceil(ends[i : i + 1])[0])] = asked[i]
        return newest


def _ledger(attempts: pd.DataFrame) -> list[_Attempts]:
    """Sort the attempts of a source by scope and by what they would have counted."""
    what = [
        tuple(map(tuple, row))
        for row in zip(attempts["services"], attempts["regions"], attempts["signals"], strict=True)
    ]
    clock = {
        name: np.asarray(attempts[name].astype("int64"), dtype=np.int64)
        for name in ("window_start", "window_end", "requested_at")
    }
    starts, ends = (np.floor_divide(clock[name], _MINUTE_US) for name in ("window_start", "window_end"))
    proves = attempts["status"].isin([str(status) for status in schema.PROVES]).to_numpy()
    even = (attempts["status"] == str(Status.OK)).to_numpy()
    places: dict[tuple[str, Any], list[int]] = {}
    for at, key in enumerate(zip(attempts["scope"], what, strict=True)):
        places.setdefault(key, []).append(at)
    return [
        _Attempts(
            scope,
            frozenset(services),
            frozenset(regions),
            frozenset(signals),
            starts[at],
            ends[at],
            clock["requested_at"][at],
            proves[at],
            even[at],
        )
        for (scope, (services, regions, signals)), at in places.items()
    ]


class _Proofs:
    """What scopes proved; the same question is answered once."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._known: dict[tuple[int, ...], _Scope] = {}

    def of(self, members: list[_Attempts]) -> _Scope:
        """Return what attempts of one scope proved together."""
        key = tuple(map(id, members))
        if key not in self._known:
            self._known[key] = self._prove(members)
        return self._known[key]

    def _prove(self, members: list[_Attempts]) -> _Scope:
        starts, ends, asked, proves, even = (
            np.concatenate([getattr(m, name) for m in members])
            for name in ("starts", "ends", "asked_at", "proves", "even")
        )
        grid = self._grid
        return _Scope(
            members[0].scope,
            _whole_bins(starts[proves], ends[proves], grid),
            _whole_bins(starts[proves & even], ends[proves & even], grid),
            int(grid.floor(starts).min()),
            int(grid.ceil(ends + (0 if stream_of(members[0].scope) == "file" else HOLD_HOURS * 60)).max()),
            (starts[proves], ends[proves], asked[proves]),
            grid,
        )


def _whole_bins(starts: Ints, ends: Ints, grid: Grid) -> Bools:
    """Return which bins lie wholly inside the union of half-open windows (minutes)."""
    covered = np.zeros(grid.n + 1, np.int64)
    if not len(starts):
        return covered[:-1] > 0
    order = np.argsort(starts, kind="stable")
    starts, ends = starts[order], ends[order]
    reach = np.maximum.accumulate(ends)
    opens = np.concatenate([[True], starts[1:] > reach[:-1]])
    closes = np.concatenate([opens[1:], [True]])
    first = np.clip(grid.ceil(starts[opens]), 0, grid.n)
    last = np.clip(grid.floor(reach[closes]), 0, grid.n)
    some = last > first
    np.add.at(covered, first[some], 1)
    np.add.at(covered, last[some], -1)
    return np.cumsum(covered)[:-1] > 0


def _series(
    source: str,
    service: str,
    ledger: list[_Attempts],
    named: set[str],
    rows: _Rows,
    lines: "_Lines",
    proofs: _Proofs,
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


def _scopes(attempts: list[_Attempts], proofs: _Proofs) -> list[_Scope]:
    """Return what each scope among the attempts proved."""
    members: dict[str, list[_Attempts]] = {}
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


def _column(rows: _Rows, at: Mapping[bool, Bools], scopes: list[_Scope], grid: Grid) -> _Column | None:
    """Add up the streams of one signal in one region; null where any stream that was watching missed the bin.

    ``at`` tells which rows are of the signal and region: of the region itself (True), or of the tree below it (False).
    """
    streams: dict[str, list[_Scope]] = {}
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


def _counted(rows: _Rows, at: Mapping[bool, Bools], members: list[_Scope], grid: Grid, *, add: bool) -> Floats:
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


def _breaks(source: str, rows: _Rows, grid: Grid, *, by_version: bool) -> Ints:
    """Return how many times the catalogue (for posts) or X's index had changed by each bin."""
    segment = np.zeros(grid.n, np.int64)
    if source == "x":
        moved = int(grid.ceil(np.array([X_INDEX_MOVED_AT.value // (1000 * _MINUTE_US)]))[0])
        if 0 < moved < grid.n:
            segment[moved:] += 1
    if by_version and len(rows.version):
        current = rows.version[np.argmax(rows.bin)]
        older = rows.bin[rows.version != current]
        if len(older):
            segment[int(older.max()) + 1 :] += 1
    return segment
