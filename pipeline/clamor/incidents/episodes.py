"""Flags to episodes: when one service was failing in one region, by two thresholds.

``outage`` opens an episode and ``elevated`` keeps it open. Bins of no data (or warm-up, or without a row) are unknown:
they neither close an episode nor extend it. All arithmetic is on whole arrays of rows sorted by series and bin.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clamor.errors import InputError
from clamor.schema import ALL_SOURCES, State

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

RANK: Final = {State.NO_DATA: 0, State.WARM_UP: 1, State.NORMAL: 2, State.ELEVATED: 3, State.OUTAGE: 4}
"""States from the least to the most alarming; below ``NORMAL`` nothing is known."""
NORMAL: Final = RANK[State.NORMAL]
ELEVATED: Final = RANK[State.ELEVATED]
OUTAGE: Final = RANK[State.OUTAGE]
CLEAR_P: Final = 0.2
"""A normal bin with at least this p-value is clearly normal: it shows no trace of an outage."""
NUMBERS: Final = ("score", "p_value", "q_value", "posts", "expected_posts", "dispersion", "level_cv")


@dataclass(frozen=True)
class Rows:
    """Flags as arrays, one element a row; ``source``, ``service`` and ``region`` index the sorted names.

    Attributes:
        start: Time of bin 0, microseconds since the epoch.
        width: Microseconds of a bin.
        sources: Names of sources.
        services: Names of services.
        regions: Names of regions.
        source: Index into ``sources``.
        service: Index into ``services``.
        region: Index into ``regions``.
        bin: Bin number.
        rank: The state as in ``RANK``.
        value: The ``NUMBERS`` columns, NaN where null.

    """

    start: int
    width: int
    sources: list[str]
    services: list[str]
    regions: list[str]
    source: Ints
    service: Ints
    region: Ints
    bin: Ints
    rank: Ints
    value: dict[str, Floats]

    def number(self, source: int, service: int, region: int) -> int:
        """Return the number of the series of one source, service and region."""
        return (service * len(self.regions) + region) * len(self.sources) + source

    @cached_property
    def _by_series(self) -> tuple[Ints, Ints]:
        number = (self.service * len(self.regions) + self.region) * len(self.sources) + self.source
        order = np.lexsort((self.bin, number))
        return order, number[order]

    def of_series(self, number: int, first: int, last: int) -> tuple[Ints, Ints]:
        """Return a series' rows in order of time: all, and those from bin ``first`` to ``last``."""
        order, numbers = self._by_series
        mine = order[slice(*np.searchsorted(numbers, [number, number + 1]))]
        low, high = np.searchsorted(self.bin[mine], [first, last + 1])
        return mine, mine[low:high]

    def time(self, bin_number: int) -> int:
        """Return the start of a bin, microseconds since the epoch."""
        return self.start + int(bin_number) * self.width


def read(flags: pd.DataFrame, bin_minutes: int) -> Rows:
    """Turn FLAGS rows of one bin width into arrays.

    Raises:
        InputError: an unknown state, another bin width, bins that do not lie on one grid.

    """
    other = flags.loc[flags["bin_minutes"] != bin_minutes, "bin_minutes"]
    if len(other):
        raise InputError(
            f"flags: bins of {other.iloc[0]} min; incidents are made from one width, here {bin_minutes} min"
        )
    strange = set(flags["state"].unique()) - {str(state) for state in State}
    if strange:
        raise InputError(f"flags: state {min(strange)!r}; a state is one of {', '.join(State)}")
    names = {name: pd.factorize(flags[name], sort=True) for name in ("source", "service", "region")}
    times = flags["bin_start"].astype("datetime64[us, UTC]").astype("int64").to_numpy()
    width = bin_minutes * 60_000_000
    start = int(times.min()) if len(times) else 0
    if ((times - start) % width).any():
        raise InputError(f"flags: bins that do not lie on one grid of {bin_minutes} min; aggregate them first")
    return Rows(
        start,
        width,
        list(map(str, names["source"][1])),
        list(map(str, names["service"][1])),
        list(map(str, names["region"][1])),
        names["source"][0].astype(np.int64),
        names["service"][0].astype(np.int64),
        names["region"][0].astype(np.int64),
        np.asarray((times - start) // width, np.int64),
        np.asarray(flags["state"].map({str(state): rank for state, rank in RANK.items()}), np.int64),
        {name: flags[name].to_numpy(np.float64, na_value=np.nan) for name in NUMBERS},
    )


@dataclass(frozen=True)
class Decided:
    """The deciding verdict of each service, region and bin, sorted by series and bin; arrays of one length.

    Attributes:
        series: Number of the series, ``service * regions + region``.
        bin: Bin number.
        rank: The state as in ``RANK``.
        p_value: Smallest p-value of the deciding rows, NaN where unknown.
        q_value: Likewise.

    """

    series: Ints
    bin: Ints
    rank: Ints
    p_value: Floats
    q_value: Floats


def decide(rows: Rows) -> Decided:
    """Let source ``all`` decide a bin where it has a row, else the worst state of the sources.

    Raises:
        InputError: two rows for one source, service, region and bin.

    """
    bins = int(rows.bin.max()) + 1 if len(rows.bin) else 1
    key = (rows.service * len(rows.regions) + rows.region) * bins + rows.bin
    order = np.lexsort((rows.source, key))
    key, source = key[order], rows.source[order]
    repeated = np.flatnonzero((key[1:] == key[:-1]) & (source[1:] == source[:-1]))
    if len(repeated):
        row = order[repeated[0]]
        series = (
            f"{rows.sources[rows.source[row]]}, {rows.services[rows.service[row]]}, {rows.regions[rows.region[row]]}"
        )
        raise InputError(f"flags: two rows for {series}, bin {rows.bin[row]}; a bin has one verdict a source")
    first = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if len(key) else np.empty(0, np.int64)
    combined = source == (rows.sources.index(ALL_SOURCES) if ALL_SOURCES in rows.sources else -1)
    rank = rows.rank[order]

    def pick(values: Floats, best: np.ufunc) -> Floats:
        if not len(first):
            return values
        alone = best.reduceat(np.where(combined, values, np.nan), first)
        return np.asarray(np.where(has, alone, best.reduceat(values, first)), np.float64)

    has = np.maximum.reduceat(combined, first) if len(first) else combined
    return Decided(
        key[first] // bins,
        key[first] % bins,
        pick(rank.astype(np.float64), np.fmax).astype(np.int64),
        pick(rows.value["p_value"][order], np.fmin),
        pick(rows.value["q_value"][order], np.fmin),
    )


@dataclass(frozen=True)
class Episodes:
    """One element an episode, sorted by series and time; all but the first and last are bin numbers.

    Attributes:
        series: Number of the series.
        first: First flagged bin (elevated bins that lead without a pause into the outage belong to it).
        opened: First ``outage`` bin.
        closed: Last ``outage`` bin.
        last: Last flagged bin.
        clear_before: Last clearly normal bin before ``first`` (or the earliest of the quiet bins before it); the
            series' first bin where there is none.
        q_value: Smallest q-value (p-value where there is none) inside, NaN if unknown.

    """

    series: Ints
    first: Ints
    opened: Ints
    closed: Ints
    last: Ints
    clear_before: Ints
    q_value: Floats


def find(decided: Decided, *, quiet_bins: int, silent_bins: int) -> Episodes:
    """Find the episodes of every series.

    Args:
        decided: Verdicts sorted by series and bin.
        quiet_bins: This many normal bins in a row (unknown ones aside) end an episode.
        silent_bins: After more unknown bins than this in one piece, what is flagged next is an episode of its own.

    """
    quiet = np.r_[0, np.cumsum(decided.rank == NORMAL)]
    hot = np.flatnonzero(decided.rank >= ELEVATED)
    between = quiet[hot[1:]] - quiet[hot[:-1]]
    unknown = decided.bin[hot[1:]] - decided.bin[hot[:-1]] - 1 - between
    new = decided.series[hot[1:]] != decided.series[hot[:-1]]
    cut = np.r_[True, new | (between >= quiet_bins) | (unknown > silent_bins)][: len(hot)]
    starts = np.flatnonzero(cut)
    ends = np.r_[starts[1:], len(hot)][: len(starts)]
    outages = np.flatnonzero(decided.rank[hot] == OUTAGE)
    opens, closes = np.searchsorted(outages, starts), np.searchsorted(outages, ends)
    keep = opens < closes
    starts, ends, opens, closes = starts[keep], ends[keep], opens[keep], closes[keep]
    opened, closed = outages[opens], outages[closes - 1]
    leads = np.maximum(np.searchsorted(quiet[hot], quiet[hot[opened]]), starts)
    first, last = hot[leads], hot[ends - 1]
    return Episodes(
        decided.series[first],
        decided.bin[first],
        decided.bin[hot[opened]],
        decided.bin[hot[closed]],
        decided.bin[last],
        decided.bin[_clear_before(decided, first, quiet_bins)],
        _smallest(decided, first, last),
    )


def _clear(decided: Decided) -> Bools:
    return np.asarray((decided.rank == NORMAL) & ~(decided.p_value < CLEAR_P))


def _clear_before(decided: Decided, first: Ints, quiet_bins: int) -> Ints:
    """Return the row of the last clearly normal bin before; so many merely normal ones do as well."""
    clear, normal = np.flatnonzero(_clear(decided)), np.flatnonzero(decided.rank == NORMAL)
    before = np.append(clear, -1)[np.searchsorted(clear, first) - 1]
    enough = np.searchsorted(normal, first) - quiet_bins
    before = np.maximum(before, np.where(enough >= 0, np.append(normal, -1)[np.maximum(enough, -1)], -1))
    return np.asarray(np.maximum(before, np.searchsorted(decided.series, decided.series[first])))


def _smallest(decided: Decided, first: Ints, last: Ints) -> Floats:
    evidence = np.where(np.isnan(decided.q_value), decided.p_value, decided.q_value)
    bounds = np.column_stack([first, last + 1]).ravel()
    return np.asarray(np.fmin.reduceat(np.append(evidence, np.nan), bounds)[::2] if len(first) else np.empty(0))


@dataclass(frozen=True)
class After:
    """What each series shows after a given bin; arrays of one length.

    Attributes:
        quiet: Normal bins since, up to the next flagged one.
        clear: First clearly normal bin since (or the one that completes the quiet ones); -1 if neither is there yet.
        known: Last bin in which the series is known at all; -1 if none.

    """

    quiet: Ints
    clear: Ints
    known: Ints

    def of(self, part: Ints) -> "After":
        """Return some of the elements."""
        return After(self.quiet[part], self.clear[part], self.known[part])


def after(decided: Decided, series: Ints, last: Ints, *, quiet_bins: int) -> After:
    """Look at what follows bin ``last`` in each of the series."""
    rows = len(decided.bin)
    bins = max(int(decided.bin.max(initial=0)), int(last.max(initial=0))) + 1
    since = np.searchsorted(decided.series * bins + decided.bin, series * bins + last, side="right")
    ends = np.searchsorted(decided.series, series, side="right")
    hot, normal, clear, known = (
        np.flatnonzero(mask)
        for mask in (
            decided.rank >= ELEVATED,
            decided.rank == NORMAL,
            _clear(decided),
            decided.rank >= NORMAL,
        )
    )
    until = np.minimum(ends, np.append(hot, rows)[np.searchsorted(hot, since)])
    quiet = np.searchsorted(normal, until) - np.searchsorted(normal, since)
    closing = np.append(normal, np.full(quiet_bins, rows))[np.searchsorted(normal, since) + quiet_bins - 1]
    first_clear = np.minimum(np.append(clear, rows)[np.searchsorted(clear, since)], closing)
    bin_of = np.append(decided.bin, -1)
    last_known = np.append(known, -1)[np.searchsorted(known, ends) - 1]
    last_known = np.where(last_known >= np.searchsorted(decided.series, series), last_known, -1)
    return After(quiet, np.where(first_clear < until, bin_of[np.minimum(first_clear, rows)], -1), bin_of[last_known])
