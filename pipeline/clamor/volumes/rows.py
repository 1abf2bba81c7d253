"""The newest observation of every key, as arrays."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from clamor import schema
from clamor.errors import InputError
from clamor.schema import Signal
from clamor.volumes.bins import MINUTE_US, Bools, Grid, Ints

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


@dataclass(frozen=True)
class Rows:
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

    def of(self, source: str, service: str) -> "Rows":
        """Return the rows of one service."""
        at = self.source_service.get((source, service), np.empty(0, np.int64))
        picked = (
            getattr(self, name)[at] for name in ("scope_code", "region_code", "mention", "bin", "posts", "version")
        )
        return Rows({}, self.scope, self.region, *picked)


def _codes(table: pa.Table, column: str) -> tuple[Ints, list[str]]:
    encoded = pc.dictionary_encode(table.column(column).combine_chunks())
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    return encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64), encoded.dictionary.to_pylist()


def newest(volumes: pa.Table, grid: Grid) -> Rows:
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
    minutes = table.column("bin_start").cast(pa.int64()).to_numpy() // MINUTE_US
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
    return Rows(
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
