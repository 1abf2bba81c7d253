"""Counts as a checked panel: series by bins, unknown kept apart from zero.

The long frame of :data:`clamor.schema.COUNTS_COLUMNS` becomes arrays of shape ``(series, bins)`` on one time axis. A
bin that is absent, null or not observed is NaN and carries no information; a zero is a zero. Series are ordered by
service, region and segment, so nothing depends on the order of rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from clamor.errors import InputError

MINUTES_PER_DAY = 1440
MINUTES_PER_WEEK = 7 * MINUTES_PER_DAY
UTC_NAME = "UTC"
MAX_COUNT = 1e12
"""More posts in a bin than people write; squares of it still fit a float32."""

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Counts of many series on one time axis.

    Attributes:
        service: Service of each series, shape ``(series,)``.
        region: Region of each series.
        parent: Index of the series of the same service and segment in the nearest counted ancestor region, or -1.
        group: Code of (service, parent region): siblings share it.
        service_code: Code of the service.
        zone: Index of each series' time zone in ``zones``.
        zones: IANA names, or fixed offsets such as ``+05:30``.
        start_minute: Minutes since the epoch of column 0, UTC.
        bin_minutes: Width of a bin.
        posts: Counts, float32 ``(series, bins)``; NaN where unknown.
        mentions: All posts naming the service, same shape, NaN where unknown; None where the frame has none.
        first: First column of each series.
        last: Last column of each series.

    """

    service: npt.NDArray[np.object_]
    region: npt.NDArray[np.object_]
    parent: Ints
    group: Ints
    service_code: Ints
    zone: Ints
    zones: tuple[str, ...]
    start_minute: int
    bin_minutes: int
    posts: Floats
    mentions: Floats | None
    first: Ints
    last: Ints

    @property
    def bins(self) -> int:
        """Columns of the panel."""
        return int(self.posts.shape[1])

    @property
    def minutes(self) -> Ints:
        """Minutes since the epoch at which each bin starts."""
        return self.start_minute + self.bin_minutes * np.arange(self.bins, dtype=np.int64)


def panel(counts: pd.DataFrame, regions: pd.DataFrame | None, bin_minutes: int) -> Panel:
    """Check a counts frame and lay it out.

    Args:
        counts: ``service, region, bin_start, count`` and optionally ``observed`` (default true), ``mentions`` and
            ``segment`` (integer; where it changes, the series starts anew).
        regions: ``region, parent`` and ``timezone`` or ``utc_offset_h``; None means a flat list in UTC.
        bin_minutes: Width of a bin; divides a day or is a whole number of days.

    Raises:
        InputError: a column is missing or mistyped, a key is there twice, a count is negative or infinite, a time is
            naive, a bin is unaligned, the width is wrong, or a region is unknown or its own ancestor.

    """
    _check_width(bin_minutes)
    _check_columns(counts)
    minutes = _minutes(counts["bin_start"], bin_minutes)
    posts = _numbers(counts, "count")
    mentions = _numbers(counts, "mentions") if "mentions" in counts.columns else None
    unknown = ~_observed(counts)
    posts[unknown] = np.nan
    names, code = _series(counts)
    start = int(minutes.min()) if len(minutes) else 0
    column = (minutes - start) // bin_minutes
    bins = int(column.max()) + 1 if len(column) else 0
    _check_span(counts["bin_start"], len(names) * bins)
    _check_duplicates(names, code, column, bins, start, bin_minutes)
    first, last = _extent(code, column, len(names), bins)
    _check_spacing(first, last, code, column, bin_minutes)
    tree = _tree(regions, names["region"].to_numpy())
    parent_region = np.array([tree.parent.get(r, "") for r in names["region"]], dtype=object)
    service_code = pd.factorize(names["service"], sort=True)[0].astype(np.int64)
    group = pd.factorize(pd.Series([f"{s}\t{p}" for s, p in zip(service_code, parent_region, strict=True)]))[0]
    zone_names = [tree.zone(r) for r in names["region"]]
    zone, zones = pd.factorize(pd.Series(zone_names, dtype=object))
    return Panel(
        service=names["service"].to_numpy(dtype=object),
        region=names["region"].to_numpy(dtype=object),
        parent=_parents(names, tree),
        group=group.astype(np.int64),
        service_code=service_code,
        zone=zone.astype(np.int64),
        zones=tuple(zones),
        start_minute=start,
        bin_minutes=bin_minutes,
        posts=_spread(posts, code, column, len(names), bins),
        mentions=None if mentions is None else _spread(mentions, code, column, len(names), bins),
        first=first,
        last=last,
    )


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


def _minutes(bin_start: "pd.Series[pd.Timestamp]", bin_minutes: int) -> Ints:
    if getattr(bin_start.dtype, "tz", None) is None:
        raise InputError(f"bin_start: {bin_start.dtype} has no time zone; times are UTC by type; localize them first")
    if bin_start.isna().any():
        row = int(np.flatnonzero(bin_start.isna())[0])
        raise InputError(f"bin_start: null in row {row}; every row has a time; drop or fill it")
    naive = bin_start.dt.tz_convert(None).to_numpy().astype("datetime64[us]").astype(np.int64)
    minutes = naive // 60_000_000
    # a local midnight may start a daily bin, so wide bins need only share one phase
    step = min(bin_minutes, 60)
    phase = 0 if bin_minutes <= 60 or not len(minutes) else int(minutes[0]) % bin_minutes
    wrong = (naive % 60_000_000 != 0) | ((minutes - phase) % (step if bin_minutes <= 60 else bin_minutes) != 0)
    if wrong.any():
        value = bin_start.iloc[int(np.flatnonzero(wrong)[0])]
        raise InputError(
            f"bin_start {value}: not aligned to bins of {bin_minutes} min; state the width or floor the times"
        )
    return minutes


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
            f"{name} {values[row]:g} in row {row + 1}: a count is finite, not negative and at most {MAX_COUNT:g}; "
            "null means unknown; correct it"
        )
    return values


def _observed(counts: pd.DataFrame) -> Bools:
    if "observed" not in counts.columns:
        return np.ones(len(counts), dtype=bool)
    column = counts["observed"]
    if not pd.api.types.is_bool_dtype(column.dropna().infer_objects()):
        raise InputError(f"observed: {column.dtype} is not boolean; true or false; convert it")
    return column.astype("boolean").fillna(False).to_numpy(dtype=bool)


def _series(counts: pd.DataFrame) -> tuple[pd.DataFrame, Ints]:
    """Return the distinct series, sorted, and the code of each row."""
    service, services = pd.factorize(counts["service"], sort=True)
    region, places = pd.factorize(counts["region"], sort=True)
    segment = np.zeros(len(counts), dtype=np.int64)
    if "segment" in counts.columns:
        segment = pd.factorize(counts["segment"], sort=True)[0].astype(np.int64)
    segments = int(segment.max()) + 1 if len(segment) else 1
    wide = (service.astype(np.int64) * max(len(places), 1) + region) * segments + segment
    size = max(len(services), 1) * max(len(places), 1) * segments
    if size <= 50_000_000:  # a table of codes is linear in rows, a sort is not
        used = np.zeros(size, dtype=bool)
        used[wide] = True
        keys = np.flatnonzero(used)
        lookup = np.zeros(size, dtype=np.int64)
        lookup[keys] = np.arange(len(keys))
        code = lookup[wide]
    else:
        keys, code = np.unique(wide, return_inverse=True)
    pair = keys // segments
    names = pd.DataFrame(
        {
            "service": np.asarray(services, dtype=object)[pair // max(len(places), 1)],
            "region": np.asarray(places, dtype=object)[pair % max(len(places), 1)],
            "segment": keys % segments,
        }
    )
    return names, code.astype(np.int64)


def _check_span(bin_start: "pd.Series[pd.Timestamp]", cells: int) -> None:
    """Refuse a span that the rows hardly touch: one mistyped year would be millions of unknown bins."""
    if cells > 50_000_000 and cells > 200 * len(bin_start):
        raise InputError(
            f"bin_start: {len(bin_start):,} rows from {bin_start.min():%Y-%m-%d} to {bin_start.max():%Y-%m-%d} would "
            f"be {cells:,} bins; a file fills its span; correct the outlying time or detect the parts apart"
        )


def _check_duplicates(names: pd.DataFrame, code: Ints, column: Ints, bins: int, start: int, bin_minutes: int) -> None:
    seen = np.zeros(len(names) * bins, dtype=bool)
    seen[code * bins + column] = True
    if int(seen.sum()) == len(code):
        return
    key = pd.Series(code * bins + column)
    at = int(key[key.duplicated()].iloc[0])
    when = pd.Timestamp((start + at % bins * bin_minutes) * 60, unit="s", tz="UTC")
    service, region = names["service"][at // bins], names["region"][at // bins]
    raise InputError(f"counts: ({service}, {region}, {when}) is there twice; a key is one row; add or drop the repeats")


def _extent(code: Ints, column: Ints, series: int, bins: int) -> tuple[Ints, Ints]:
    first = np.full(series, bins, dtype=np.int64)
    last = np.full(series, -1, dtype=np.int64)
    np.minimum.at(first, code, column)
    np.maximum.at(last, code, column)
    return first, last


def _check_spacing(first: Ints, last: Ints, code: Ints, column: Ints, bin_minutes: int) -> None:
    """Refuse bins that are all wider than stated: every second bin unknown for ever is a wrong width, not a gap."""
    offset = column - first[code]
    if len(code) < 12 or not offset.any():
        return
    step = int(np.gcd.reduce(np.concatenate([offset, column - column[0]])))
    rows = np.bincount(code, minlength=len(first))
    full = (last - first) // max(step, 1) + 1
    if step > 1 and (rows >= 0.5 * full).mean() > 0.5:
        raise InputError(
            f"bin {bin_minutes} min: all bins are {step * bin_minutes} min apart; the width is the file's own; "
            f"say --bin {step * bin_minutes}min"
        )


def _spread(values: Floats, code: Ints, column: Ints, series: int, bins: int) -> Floats:
    out = np.full((series, bins), np.nan, dtype=np.float32)
    out[code, column] = values
    return out


@dataclass(frozen=True)
class _Tree:
    parent: Mapping[str, str]
    zones: Mapping[str, str]

    def lineage(self, region: str) -> list[str]:
        """Return the ancestors of a region, nearest first."""
        line: list[str] = []
        while region in self.parent:
            region = self.parent[region]
            line.append(region)
        return line

    def zone(self, region: str) -> str:
        """Return a region's own time zone, else its nearest ancestor's, else UTC."""
        return next((self.zones[r] for r in (region, *self.lineage(region)) if r in self.zones), UTC_NAME)


def _tree(regions: pd.DataFrame | None, used: npt.NDArray[np.object_]) -> _Tree:
    if regions is None:
        return _Tree({}, {})
    if "region" not in regions.columns:
        raise InputError(
            "regions: column 'region' is missing; needed are region, parent, timezone or utc_offset_h; add it"
        )
    twice = regions["region"][regions["region"].duplicated()]
    if len(twice):
        raise InputError(f"regions: {twice.iloc[0]!r} is there twice; a region has one parent; drop the repeat")
    parent: dict[str, str] = {}
    if "parent" in regions.columns:
        pairs = zip(regions["region"], regions["parent"], strict=True)
        parent = {str(r): str(p) for r, p in pairs if not pd.isna(p) and str(p) != ""}
    _check_cycles(parent)
    known = {str(r) for r in regions["region"]} | set(parent.values())
    for region in dict.fromkeys(used):
        if region not in known:
            raise InputError(
                f"regions: {region!r} is counted but not listed; every counted region is listed; add a row"
            )
    return _Tree(parent, _zones(regions))


def _check_cycles(parent: Mapping[str, str]) -> None:
    for region in parent:
        seen = {region}
        up = parent[region]
        while up in parent and up not in seen:
            seen.add(up)
            up = parent[up]
        if up in seen:
            raise InputError(f"regions: {region!r} is its own ancestor; the regions form a tree; correct its parent")


def _zones(regions: pd.DataFrame) -> dict[str, str]:
    zones: dict[str, str] = {}
    if "utc_offset_h" in regions.columns:
        for region, hours in zip(regions["region"], regions["utc_offset_h"], strict=True):
            if pd.isna(hours):
                continue
            if not -14 <= float(hours) <= 14:
                raise InputError(f"regions: utc_offset_h {hours} of {region!r}; it lies within -14 to 14; correct it")
            minutes = round(float(hours) * 60)
            zones[str(region)] = f"{'+' if minutes >= 0 else '-'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    if "timezone" in regions.columns:
        for region, name in zip(regions["region"], regions["timezone"], strict=True):
            if pd.isna(name) or str(name) == "":
                continue
            zones[str(region)] = _known_zone(str(name), str(region))
    return zones


def _known_zone(name: str, region: str) -> str:
    try:
        pd.Timestamp(0, tz=name)
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(
            f"regions: timezone {name!r} of {region!r} is not an IANA name; say such as Europe/Paris"
        ) from error
    return name


def _parents(names: pd.DataFrame, tree: _Tree) -> Ints:
    """Return for each series the row of the same service and segment in the nearest counted ancestor, or -1."""
    keys = list(zip(names["service"], names["segment"], names["region"], strict=True))
    row = {key: i for i, key in enumerate(keys)}
    found = np.full(len(names), -1, dtype=np.int64)
    for i, (service, segment, region) in enumerate(keys):
        for ancestor in tree.lineage(region):
            at = row.get((service, segment, ancestor), -1)
            if at >= 0:
                found[i] = at
                break
    return found


def local_minute_of_week(minutes: Ints, zone: str) -> Ints:
    """Return the local minute of the week, Monday 00:00 being 0, of UTC minutes since the epoch.

    Daylight saving follows the zone's own rules, so an hour of the week is an hour of people's lives.
    """
    utc = pd.DatetimeIndex(minutes.astype("datetime64[m]").astype("datetime64[us]"), tz="UTC")
    local = utc.tz_convert(zone if zone != UTC_NAME else "UTC").tz_localize(None).to_numpy()
    since_epoch = local.astype("datetime64[m]").astype(np.int64)
    return np.asarray((since_epoch + 3 * MINUTES_PER_DAY) % MINUTES_PER_WEEK)  # the epoch was a Thursday
