"""Flags as compact arrays: one window of bins, series by series, ready to be summed up and drawn.

A month of 15-minute bins for 60 services in 100 regions is 17 million rows, so texts become codes once, and the numbers
of a series are read only when it is drawn.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from clamor.errors import InputError
from clamor.schema import ALL_SOURCES, UNKNOWN_REGION, State

RANKED: Final = (State.NO_DATA, State.WARM_UP, State.NORMAL, State.ELEVATED, State.OUTAGE)
"""States from what says least to what is worst: a state's place here is its rank, the worst of several the maximum."""
RANK: Final = {str(state): rank for rank, state in enumerate(RANKED)}
NUMBERS: Final = ("posts", "expected_posts", "low_posts", "high_posts", "score", "ratio")
NO_DATA, WARM_UP, NORMAL, ELEVATED, OUTAGE = range(5)
_VERDICT_NAMES: Final = {"expected": "expected_posts", "low": "low_posts", "high": "high_posts", "count": "posts"}

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Ranks = npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Bins:
    """One series' bins in time order: place in the window, rank of the state, and numbers (NaN where unknown)."""

    place: Ints
    rank: Ranks
    numbers: Mapping[str, Floats]


@dataclass(frozen=True, eq=False)
class Window:
    """The flags of one bin width over one window.

    Attributes:
        series: One row a series: source, service, region, bins, observed (bins), rank (of the last bin), last (its
            place), last_observed (place, -1 for never), worst (rank), outage (bins), peak_ratio (of those), started
            (place of the first bin of the last run of equal state).
        first: Start of the first bin.
        bins: Number of bins from the first to the last, whether rows exist or not.
        bin_minutes: Width of a bin.
        skipped_rows: Rows of other bin widths, left out.

    """

    series: pd.DataFrame
    first: pd.Timestamp
    bins: int
    bin_minutes: int
    skipped_rows: int
    _order: Ints
    _start: Ints
    _place: Ints
    _rank: Ranks
    _numbers: Mapping[str, Floats]

    @property
    def end(self) -> pd.Timestamp:
        """End of the last bin."""
        return self.at(self.bins)

    def at(self, place: int) -> pd.Timestamp:
        """Return the start of a bin by its place in the window."""
        return self.first + pd.Timedelta(minutes=self.bin_minutes * int(place))

    def place_of(self, time: pd.Timestamp) -> int:
        """Return the place of the bin that holds a time (may lie outside the window)."""
        return int((time - self.first) // pd.Timedelta(minutes=self.bin_minutes))

    def read(self, row: int) -> Bins:
        """Return the bins of one series, by its row in ``series``."""
        part = slice(self._start[row], self._start[row + 1])
        rows = self._order[part]
        return Bins(self._place[part], self._rank[part], {name: values[rows] for name, values in self._numbers.items()})

    def ranks(self, rows: npt.ArrayLike) -> Ranks:
        """Return the worst rank of some series at every bin of the window; a bin without a row is ``no_data``."""
        grid = np.zeros(self.bins, np.int8)
        for row in np.asarray(rows, dtype=np.int64):
            part = slice(self._start[row], self._start[row + 1])
            np.maximum.at(grid, self._place[part], self._rank[part])
        return grid

    @cached_property
    def decided(self) -> pd.DataFrame:
        """The series whose states are the verdict: source ``all`` where it exists, else the single sources."""
        combined = self.series["source"].eq(ALL_SOURCES)
        pairs = pd.MultiIndex.from_frame(self.series[["service", "region"]])
        return self.series[combined | ~pairs.isin(pairs[combined])]

    @cached_property
    def peaks(self) -> "pd.Series[float]":
        """Highest ratio of a flagged bin by service and region, over all sources; combined rows have none."""
        return self.series.groupby(["service", "region"])["peak_ratio"].max()

    def peak(self, series: pd.DataFrame) -> float:
        """Return the highest ratio of a flagged bin among some series and the single sources behind them."""
        keys = pd.MultiIndex.from_frame(series[["service", "region"]])
        return float(self.peaks.reindex(keys).max())

    @cached_property
    def counted(self) -> pd.DataFrame:
        """The series that have posts: single sources, or ``all`` where it is all there is. ``ZZ`` is not among them."""
        single = self.series[self.series["source"].ne(ALL_SOURCES)]
        series = single if len(single) else self.series
        return series[series["region"].ne(UNKNOWN_REGION)]


def _normalized(flags: pd.DataFrame) -> pd.DataFrame:
    """Take FLAGS rows, or the answer of ``detect`` on somebody's counts, and name the columns as FLAGS does."""
    frame = flags.rename(columns={k: v for k, v in _VERDICT_NAMES.items() if v not in flags.columns})
    missing = [name for name in ("service", "region", "bin_start", "state") if name not in frame.columns]
    if missing:
        raise InputError(f"report: flags have no column {missing[0]!r}; they are rows of FLAGS; pass detect's answer")
    if getattr(frame["bin_start"].dtype, "tz", None) is None:
        raise InputError("report: bin_start has naive times; every time is UTC by type; localize them first")
    defaults: dict[str, float | str] = {"source": "counts", **dict.fromkeys(NUMBERS, np.nan)}
    absent = {name: value for name, value in defaults.items() if name not in frame.columns}
    if "bin_minutes" not in frame.columns:
        gaps = np.diff(np.unique(microseconds(frame["bin_start"])))
        absent["bin_minutes"] = int(gaps.min() // 60_000_000) if len(gaps) else 15
    frame = frame.copy(deep=False)
    for name, value in absent.items():
        frame[name] = value
    return frame


def microseconds(times: "pd.Series[pd.Timestamp]") -> Ints:
    """Return times as UTC microseconds since the epoch."""
    return times.dt.as_unit("us").dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().view("int64")


def _codes(values: "pd.Series[str]") -> tuple[Ints, list[str]]:
    """Turn texts into codes of a sorted list of the distinct ones."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        codes, names = values.cat.codes.to_numpy(dtype=np.int64), [str(name) for name in values.cat.categories]
    else:
        coded = pa.chunked_array([pa.array(values, type=pa.string())]).combine_chunks().dictionary_encode()
        codes, names = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64), coded.dictionary.to_pylist()
    order = np.argsort(np.array(names, dtype=object)) if names else np.empty(0, np.int64)
    place = np.empty(len(names), np.int64)
    place[order] = np.arange(len(names))
    return place[codes], [names[i] for i in order]


def _state_ranks(states: "pd.Series[str]") -> Ranks:
    codes, names = _codes(states)
    unknown = [name for name in names if name not in RANK]
    if unknown:
        raise InputError(f"report: state {unknown[0]!r}; a state is one of {', '.join(RANK)}; correct the flags")
    return np.array([RANK[name] for name in names], np.int8)[codes]


def _one_width(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Keep the rows of the commonest bin width."""
    widths = frame["bin_minutes"].to_numpy()
    if len(widths) == 0:
        return frame, 15
    values, counts = np.unique(widths, return_counts=True)
    width = int(values[counts.argmax()])
    return (frame if len(values) == 1 else frame[widths == width]), width


def _sorted_order(key: Ints, at: Ints) -> Ints:
    """Order rows by series, then time; cheap where they are in order, or where times rise within each series."""
    if np.all(key[1:] >= key[:-1]):
        order = np.arange(len(key))
        steps = np.diff(at) >= 0
        steps |= key[1:] != key[:-1]
        return order if steps.all() else np.lexsort((at, key))
    narrow = key.astype(np.uint16) if len(key) == 0 or key.max() < 2**16 else key
    order = np.argsort(narrow, kind="stable")
    sorted_at, sorted_key = at[order], key[order]
    if np.any((np.diff(sorted_at) < 0) & (np.diff(sorted_key) == 0)):
        order = np.lexsort((at, key))
    return order


def settled(worst: "pd.Series[int]") -> "pd.Series[int]":
    """Return the worst ranks of whole windows, in which a bin that was merely elevated counts as normal."""
    return worst.replace(ELEVATED, NORMAL)


def window(flags: pd.DataFrame, until: pd.Timestamp | None = None) -> Window:
    """Turn FLAGS rows (any order, any number of sources) into a window.

    Args:
        flags: Rows of FLAGS, or ``detect``'s answer.
        until: Now. A tail without rows up to now belongs to the window as ``no_data``, unless longer than the data.

    Raises:
        InputError: a needed column is missing, a time is naive or a state is not one of ours.

    """
    everything = _normalized(flags)
    frame, width = _one_width(everything)
    sources, source_names = _codes(frame["source"])
    services, service_names = _codes(frame["service"])
    regions, region_names = _codes(frame["region"])
    at = microseconds(frame["bin_start"])
    key = (services * max(len(region_names), 1) + regions) * max(len(source_names), 1) + sources
    order = _sorted_order(key, at)
    ordered = key[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(order) else np.empty(0, np.int64)
    heads = order[starts]
    step = width * 60_000_000
    first = int(at.min()) if len(at) else 0
    place = (at[order] - first) // step
    rank = _state_ranks(frame["state"])[order]
    names = {
        "source": pd.array([source_names[i] for i in sources[heads]], dtype="str"),
        "service": pd.array([service_names[i] for i in services[heads]], dtype="str"),
        "region": pd.array([region_names[i] for i in regions[heads]], dtype="str"),
    }
    numbers = {name: frame[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in NUMBERS}
    bounds = np.r_[starts, len(order)].astype(np.int64)
    bins = int(place.max()) + 1 if len(place) else 0
    if until is not None and bins:
        tail = (int(until.timestamp() * 1e6) - first) // step - bins
        bins += tail if 0 < tail <= bins else 0
    summary = _summary(bounds, place, rank, numbers["ratio"], order)
    return Window(
        pd.DataFrame({**names, **summary}),
        pd.Timestamp(first, unit="us", tz="UTC"),
        bins,
        width,
        len(everything) - len(frame),
        order,
        bounds,
        place,
        rank,
        numbers,
    )


def _summary(bounds: Ints, place: Ints, rank: Ranks, ratio: Floats, order: Ints) -> dict[str, npt.NDArray[np.generic]]:
    """One number a series of each kind, by reductions over its bins."""
    starts, stops = bounds[:-1], bounds[1:]
    if len(starts) == 0:
        names = ("bins", "observed", "rank", "last", "last_observed", "worst", "outage", "peak_ratio", "started")
        return {name: np.empty(0, np.float64 if name == "peak_ratio" else np.int64) for name in names}
    seen = rank > NO_DATA
    risen = np.where(rank == OUTAGE, ratio[order], np.nan)
    changed = np.r_[True, rank[1:] != rank[:-1]]
    changed[starts] = True
    run_head = np.where(changed, place, 0)
    return {
        "bins": stops - starts,
        "observed": np.add.reduceat(seen.astype(np.int64), starts),
        "rank": rank[stops - 1].astype(np.int64),
        "last": place[stops - 1],
        "last_observed": np.maximum.reduceat(np.where(seen, place, -1), starts),
        "worst": np.maximum.reduceat(rank, starts).astype(np.int64),
        "outage": np.add.reduceat((rank == OUTAGE).astype(np.int64), starts),
        "peak_ratio": np.fmax.reduceat(risen, starts),
        "started": np.maximum.reduceat(run_head, starts),
    }
