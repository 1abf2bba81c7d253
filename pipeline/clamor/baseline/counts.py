"""Counts as a checked panel: series by bins, unknown kept apart from zero.

The long frame of :data:`clamor.schema.COUNTS_COLUMNS` becomes arrays of shape ``(series, bins)`` on one time axis. A
bin that is absent, null or not observed is NaN and carries no information; a zero is a zero. Series are ordered by
service, region and segment, so nothing depends on the order of rows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from clamor.baseline.regions import UTC, Tree, region_tree
from clamor.errors import InputError

MINUTE_US = 60_000_000
SLICE_ROWS = 1 << 16
MINUTES_PER_DAY = 1440
MINUTES_PER_WEEK = 7 * MINUTES_PER_DAY
MAX_COUNT = 1e9
"""More posts in a bin than people write; squares of an hour of them fit a float32."""

TIMES = pd.DatetimeTZDtype("us", "UTC")
KEYS = {"service": pd.StringDtype(na_value=np.nan), "region": pd.StringDtype(na_value=np.nan), "bin_start": TIMES}
"""What names a row of verdicts, and its types."""

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Places = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Counts of many series on one time axis.

    Attributes:
        names: The series, sorted: ``service, region, segment``.
        group: Code of (service, parent region): siblings share it.
        service_code: Code of the service.
        above: Rows of series, and rows of those of the same service that lie inside them, pair by pair.
        zone: Index of each series' time zone in ``zones``.
        zones: IANA names, or fixed offsets such as ``+05:30``.
        start_minute: Minutes since the epoch of column 0, UTC.
        origin_minute: Where the series' history begins: ``start_minute``, or earlier if that is learnt already.
        bin_minutes: Width of a bin.
        posts: Counts, float32 ``(series, bins)``; NaN where unknown.
        mentions: All posts naming the service, same shape, NaN where unknown; None where the frame has none.
        first: First column of each series.
        last: Last column of each series.
        keys: Service, region and time of the given rows, if they are all bins of all series in order; else None.

    """

    names: pd.DataFrame
    group: Ints
    service_code: Ints
    above: tuple[Ints, Ints]
    zone: Ints
    zones: tuple[str, ...]
    start_minute: int
    origin_minute: int
    bin_minutes: int
    posts: Floats
    mentions: Floats | None
    first: Ints
    last: Ints
    keys: pd.DataFrame | None

    @property
    def bins(self) -> int:
        """Columns of the panel."""
        return int(self.posts.shape[1])

    @property
    def minutes(self) -> Ints:
        """Minutes since the epoch at which each bin starts."""
        return self.start_minute + self.bin_minutes * np.arange(self.bins, dtype=np.int64)

    def since(self, origin_minute: int) -> "Panel":
        """Return the panel as the continuation of a history that begins there."""
        return replace(self, origin_minute=origin_minute)


def panel(
    counts: pd.DataFrame,
    regions: pd.DataFrame | None,
    bin_minutes: int,
    *,
    start_minute: int | None = None,
    known: pd.DataFrame | None = None,
) -> Panel:
    """Check a counts frame and lay it out.

    Args:
        counts: ``service, region, bin_start, count`` and optionally ``observed`` (default true), ``mentions`` and
            ``segment`` (integer; where it changes, the series starts anew).
        regions: ``region, parent`` and ``timezone`` or ``utc_offset_h``; None means a flat list in UTC.
        bin_minutes: Width of a bin; divides a day or is a whole number of days.
        start_minute: Where column 0 lies; by default the first bin of the frame.
        known: Further series, ``service, region, segment``, whose bins before ``start_minute`` are learnt already.

    Raises:
        InputError: a bin lies before ``start_minute``, a column is missing or mistyped, a key is there twice, a count
            is negative or infinite, a time is naive, a bin is unaligned, the width is wrong, or a region is unknown or
            its own ancestor.

    """
    _check_width(bin_minutes)
    _check_columns(counts)
    earliest, column = _columns(counts["bin_start"], bin_minutes)
    posts = _numbers(counts, "count")
    mentions = _numbers(counts, "mentions") if "mentions" in counts.columns else None
    if "observed" in counts.columns:
        posts[~_observed(counts["observed"])] = np.nan
    names, code = _series(counts, known)
    start = earliest
    if start_minute is not None:
        _check_start(earliest, start_minute, empty=counts.empty)
        start = start_minute
        column += np.int32((earliest - start) // bin_minutes)
    shape = len(names), int(column.max()) + 1 if len(column) else 0
    _check_span(counts["bin_start"], shape[0] * shape[1])
    first, last = _extent(code, column, *shape)
    cell, ordered = _cells(names, code, column, shape, (start, bin_minutes))
    _check_spacing(first, last, code, column, bin_minutes)
    if known is not None:  # a known series goes on from column 0
        old = pd.MultiIndex.from_frame(names).isin(pd.MultiIndex.from_frame(known))
        first = np.where(old & (last >= 0), 0, first)
    whole = ordered and len(cell) == shape[0] * shape[1]
    return Panel(
        names=names,
        **_places(names, regions),
        start_minute=start,
        origin_minute=start,
        bin_minutes=bin_minutes,
        posts=posts.reshape(shape) if whole else _spread(posts, cell, shape),
        mentions=mentions if mentions is None else mentions.reshape(shape) if whole else _spread(mentions, cell, shape),
        first=first,
        last=last,
        keys=_keys(counts) if whole else None,
    )


def _keys(counts: pd.DataFrame) -> pd.DataFrame | None:
    """Return what names each row, if it has the types of what names a verdict."""
    keys = counts[list(KEYS)].reset_index(drop=True)
    return keys if keys.dtypes.to_dict() == KEYS else None


def _places(names: pd.DataFrame, regions: pd.DataFrame | None) -> dict[str, Any]:
    """Return what ties the series and where they lie: ``group, service_code, above, zone, zones`` of a panel."""
    service_code = pd.factorize(names["service"], sort=True)[0].astype(np.int64)
    region, used = pd.factorize(names["region"])
    tree = region_tree(regions, used)
    zone, zones = pd.factorize(pd.Series([tree.zone(r) for r in used], dtype=object))
    parent = pd.factorize(pd.Series([tree.parent.get(r, "") for r in used], dtype=object))[0]
    return {
        "group": service_code * max(len(used), 1) + parent[region],
        "service_code": service_code,
        "above": _above(service_code, region, list(used), tree),
        "zone": zone[region].astype(np.int64),
        "zones": tuple(zones),
    }


def _above(service: Ints, region: Ints, used: Sequence[str], tree: Tree) -> tuple[Ints, Ints]:
    """Return the pairs of rows of which the first region holds the second."""
    number = {name: k for k, name in enumerate(used)}
    held = [(number[up], k) for k, name in enumerate(used) for up in tree.lineage(name) if up in number]
    up, region_inside = np.array(held, dtype=np.int64).reshape(-1, 2).T
    row, pair = _matches(region, region_inside)
    inside, above = _matches(service[row] * len(used) + up[pair], service * len(used) + region)
    return above, row[inside]


def _matches(some: Ints, others: Ints) -> tuple[Ints, Ints]:
    """Return every pair of places at which two lists have the same number."""
    order = np.argsort(others, kind="stable")
    begin, end = (np.searchsorted(others, some, side, sorter=order) for side in ("left", "right"))
    times = end - begin
    place = np.repeat(np.arange(len(some)), times)
    turn = np.arange(len(place)) - np.repeat(np.cumsum(times) - times, times)
    return place, order[begin[place] + turn]


def pairs(counts: pd.DataFrame) -> int:
    """Return how many services and regions are counted, as pairs."""
    return len(_series(counts[["service", "region"]], None)[0])


def _check_start(earliest: int, start_minute: int, *, empty: bool) -> None:
    if not empty and earliest < start_minute:
        bad, limit = (pd.Timestamp(m * 60, unit="s", tz="UTC") for m in (earliest, start_minute))
        raise InputError(f"bin_start {bad}: before {limit}, up to which all is learnt; give only later bins")


def _check_width(bin_minutes: int) -> None:
    day = MINUTES_PER_DAY
    if bin_minutes < 1 or (day % bin_minutes if bin_minutes <= day else bin_minutes % day):
        raise InputError(
            f"bin {bin_minutes} min: a day must hold a whole number of bins or a bin whole days; use 1, 5, 15, 60, 1440"
        )


def _check_columns(counts: pd.DataFrame) -> None:
    for name in ("service", "region", "bin_start", "count"):
        if name not in counts.columns:
            raise InputError(
                f"counts: column {name!r} is missing; needed are service, region, bin_start, count; add it"
            )
    for name in ("service", "region"):
        if counts[name].isna().any():
            row = int(np.flatnonzero(counts[name].isna())[0])
            raise InputError(
                f"counts: {name} is null in row {row}; every row names its series; fill it (read NA as text)"
            )


def _columns(bin_start: "pd.Series[pd.Timestamp]", bin_minutes: int) -> tuple[int, Places]:
    """Return the earliest bin, minutes since the epoch, and how many bins each row lies after it."""
    if getattr(bin_start.dtype, "tz", None) is None:
        raise InputError(f"bin_start: {bin_start.dtype} has no time zone; times are UTC by type; localize them first")
    time = pd.DatetimeIndex(bin_start).as_unit("us").asi8
    if not len(time):
        return 0, np.zeros(0, dtype=np.int32)
    earliest = int(time.min())
    if earliest == pd.NaT.value:  # the least of all numbers
        raise InputError(f"bin_start: null in row {time.argmin()}; every row has a time; drop or fill it")
    # a local midnight may start a daily bin, so wide bins need only share one phase
    step = bin_minutes * MINUTE_US
    phase = int(time[0]) // MINUTE_US * MINUTE_US % step if bin_minutes > 60 else 0
    aligned = (earliest - phase) % step == 0
    column = np.empty(len(time), dtype=np.int32)
    for rows in _slices(len(time)):
        since = time[rows] - earliest
        bins = since // step
        column[rows] = bins
        aligned = aligned and np.array_equal(bins * step, since)
    if not aligned:
        value = bin_start.iloc[int(np.flatnonzero((time - phase) % step)[0])]
        raise InputError(f"bin_start {value}: not aligned to bins of {bin_minutes} min; {_cure(time, bin_minutes)}")
    return earliest // MINUTE_US, column


def _cure(time: Ints, bin_minutes: int) -> str:
    """Say what to do with times that do not lie on whole bins: they are of another width, or begin beside them."""
    if not ((time - time.min()) % (bin_minutes * MINUTE_US)).any():
        return f"all begin so far beside one; floor them to whole bins of {bin_minutes} min"
    width = int(np.gcd.reduce(time)) // MINUTE_US
    known = width and MINUTES_PER_DAY % width == 0
    return f"all lie {width} min apart; say --bin {width}min" if known else "floor the times to whole minutes"


def _numbers(counts: pd.DataFrame, name: str) -> Floats:
    column = counts[name]
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        raise InputError(
            f"{name}: {column.dtype} is not a number; counts are numbers, null where unknown; convert them"
        )
    values = column.to_numpy(dtype=np.float32, na_value=np.nan, copy=True)
    bad = (values < 0) | (values > MAX_COUNT)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise InputError(
            f"{name} {values[row]:g} in row {row}: a count is finite, not negative and at most {MAX_COUNT:g}; "
            "null means unknown; correct it"
        )
    return values


def _observed(column: "pd.Series[Any]") -> Bools:
    if not pd.api.types.is_bool_dtype(column.dropna().infer_objects()):
        raise InputError(f"observed: {column.dtype} is not boolean; true or false; convert it")
    return column.astype("boolean").fillna(False).to_numpy(dtype=bool)


def _series(counts: pd.DataFrame, known: pd.DataFrame | None) -> tuple[pd.DataFrame, Places]:
    """Return the distinct series, sorted, and the code of each row."""
    columns = {name: counts[name] for name in ("service", "region")}
    columns["segment"] = _segment(counts)
    if known is not None:
        columns = {name: pd.concat([c, known[name]], ignore_index=True) for name, c in columns.items()}
    runs, distinct = zip(*(_runs(c) for c in columns.values()), strict=True)
    rows = len(columns["service"])
    if sum(len(end) for end, _ in runs) < rows // 4:
        ends = np.unique(np.concatenate([end for end, _ in runs]))
        codes = [code[np.searchsorted(end, ends)] for end, code in runs]
    else:
        ends = np.arange(1, rows + 1)
        codes = [np.repeat(code, np.diff(end, prepend=0)) for end, code in runs]
    sizes = [max(len(d), 1) for d in distinct]
    code, keys = pd.factorize((codes[0] * sizes[1] + codes[1]) * sizes[2] + codes[2], sort=True)
    at = (keys // sizes[2] // sizes[1], keys // sizes[2] % sizes[1], keys % sizes[2])
    names = {name: d.take(i) for name, d, i in zip(columns, distinct, at, strict=True)}
    frame = pd.DataFrame(names).astype({"service": "str", "region": "str", "segment": "int64"})
    every = np.repeat(code.astype(np.int32), np.diff(ends, prepend=0)) if rows else np.zeros(0, dtype=np.int32)
    return frame, every[: len(counts)]


def _runs(column: "pd.Series[Any]") -> tuple[tuple[Ints, Ints], Any]:
    """Return the ends of runs of one value and a number for each, and the values in order.

    A file mostly holds one series after the other, so names are looked up a run at a time.
    """
    if len(column) and isinstance(column.dtype, pd.StringDtype):
        ends, texts, before = [], [], 0
        for chunk in pa.chunked_array(pa.array(column)).chunks:
            last = np.append(_changes(chunk), len(chunk) - 1)[: len(chunk)]
            ends.append(last + before + 1)
            texts.append(chunk.take(pa.array(last)))
            before += len(chunk)
        code, values = pd.factorize(pd.Series(pa.chunked_array(texts).to_pandas()), sort=True)
        return (np.concatenate(ends), code.astype(np.int64)), values
    if len(column) and column.dtype == np.int64 and (column.to_numpy() == column.iloc[0]).all():  # as most segments are
        return (np.array([len(column)]), np.zeros(1, dtype=np.int64)), column.iloc[:1].to_numpy()
    code, values = pd.factorize(column, sort=True)
    return (np.arange(1, len(column) + 1), code.astype(np.int64)), values


def _changes(texts: "pa.Array[Any]") -> Ints:
    """Return the rows of texts, none of them null, after which another follows.

    Where lengths change seldom, texts of one length are compared as bytes, all at once: pyarrow compares one by one.
    """
    texts = texts.cast(pa.large_string())
    _, offsets, data = texts.buffers()
    begins = np.frombuffer(offsets, dtype=np.int64, count=len(texts) + 1, offset=8 * texts.offset)
    lengths = np.diff(begins)
    other = np.flatnonzero(lengths[1:] != lengths[:-1])
    if len(other) >= len(texts) // 64:
        return np.flatnonzero(pc.not_equal(texts[1:], texts[:-1]).to_numpy(zero_copy_only=False))
    found = [other]
    for begin, end in pairwise([0, *(other + 1).tolist(), len(texts)]):
        if length := int(lengths[begin]):
            letters = np.frombuffer(data, dtype=np.uint8)[begins[begin] : begins[end]]
            unlike = np.flatnonzero(letters[length:] != letters[:-length])
            found.append(begin + np.unique(unlike // length))
    return np.sort(np.concatenate(found))


def _segment(counts: pd.DataFrame) -> "pd.Series[Any]":
    if "segment" not in counts.columns:
        return pd.Series(np.broadcast_to(np.int64(0), len(counts)), copy=False)  # one zero, seen many times
    if not pd.api.types.is_integer_dtype(counts["segment"]) or counts["segment"].isna().any():
        raise InputError(
            f"segment: {counts['segment'].dtype} is not an integer; number the segments of a series 0, 1, 2"
        )
    return counts["segment"].astype("int64")


def _check_span(bin_start: "pd.Series[pd.Timestamp]", cells: int) -> None:
    """Refuse a span that the rows hardly touch: one mistyped year would be millions of unknown bins."""
    if cells > 50_000_000 and cells > 200 * len(bin_start):
        raise InputError(
            f"bin_start: {len(bin_start):,} rows from {bin_start.min():%Y-%m-%d} to {bin_start.max():%Y-%m-%d} would "
            f"be {cells:,} bins; a file fills its span; correct the outlying time or detect the parts apart"
        )


def _cells(
    names: pd.DataFrame, code: Places, column: Places, shape: tuple[int, int], axis: tuple[int, int]
) -> tuple[Ints, bool]:
    """Return the cell of each row in series by bins, all distinct, and whether they are in order."""
    bins = shape[1]
    cell = code * np.int64(bins)
    cell += column
    if (cell[1:] > cell[:-1]).all():  # rows in order of their keys are distinct
        return cell, True
    seen = np.zeros(shape[0] * bins, dtype=bool)
    seen[cell] = True
    if np.count_nonzero(seen) < len(cell):
        key = pd.Series(cell)
        at = int(key[key.duplicated()].iloc[0])
        when = pd.Timestamp((axis[0] + at % bins * axis[1]) * 60, unit="s", tz="UTC")
        service, region = names["service"].iloc[at // bins], names["region"].iloc[at // bins]
        raise InputError(
            f"counts: ({service}, {region}, {when}) is there twice; a key is one row; add or drop the repeats"
        )
    return cell, False


def _extent(code: Places, column: Places, series: int, bins: int) -> tuple[Ints, Ints]:
    """Return the first and the last column of each series; ``bins`` and -1 where it has none."""
    first = np.full(series, bins, dtype=np.int64)
    last = np.full(series, -1, dtype=np.int64)
    starts = np.flatnonzero(np.concatenate([[True], code[1:] != code[:-1]])[: len(code)])
    if len(starts):  # ufunc.at is fast only where all types are alike
        np.minimum.at(first, code[starts], np.minimum.reduceat(column, starts).astype(np.int64))
        np.maximum.at(last, code[starts], np.maximum.reduceat(column, starts).astype(np.int64))
    return first, last


def _check_spacing(first: Ints, last: Ints, code: Places, column: Places, bin_minutes: int) -> None:
    """Refuse bins that are all wider than stated: every second bin unknown for ever is a wrong width, not a gap."""
    near = column[:10_000]
    if len(code) < 12 or (np.diff(near) == 1).any() or (near == column[0] + 1).any():
        return
    offset = column - first[code]
    if not offset.any():
        return
    step = int(np.gcd.reduce(np.concatenate([offset, column - column[0]])))
    rows = np.bincount(code, minlength=len(first))
    full = (last - first) // max(step, 1) + 1
    if step > 1 and (rows >= 0.5 * full).mean() > 0.5:
        raise InputError(
            f"bin {bin_minutes} min: all bins are {step * bin_minutes} min apart; the width is the file's own; "
            f"say --bin {step * bin_minutes}min"
        )


def _spread(values: Floats, cell: Ints, shape: tuple[int, int]) -> Floats:
    """Lay values out as series by bins, NaN where there is none."""
    out = np.full(shape, np.nan, dtype=np.float32)
    out.reshape(-1)[cell] = values
    return out


def _slices(rows: int) -> Iterator[slice]:
    """Cut rows into slices that stay in the processor's cache."""
    for begin in range(0, rows, SLICE_ROWS):
        yield slice(begin, min(begin + SLICE_ROWS, rows))


def local_minute_of_week(minutes: Ints, zone: str) -> Ints:
    """Return the local minute of the week, Monday 00:00 being 0, of UTC minutes since the epoch.

    Daylight saving follows the zone's own rules, so an hour of the week is an hour of people's lives.
    """
    utc = pd.DatetimeIndex(minutes.astype("datetime64[m]").astype("datetime64[us]"), tz="UTC")
    local = utc.tz_convert(zone if zone != UTC else UTC).tz_localize(None).to_numpy()
    since_epoch = local.astype("datetime64[m]").astype(np.int64)
    return np.asarray((since_epoch + 3 * MINUTES_PER_DAY) % MINUTES_PER_WEEK)  # the epoch was a Thursday
