"""What each scope watched, and which bins it proved."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd

from clamor import schema
from clamor.schema import Status
from clamor.volumes.bins import MINUTE_US, Bools, Grid, Ints

"""X moved search and counts to a new index (vendor notice of that day): no baseline reaches across it."""
HOLD_HOURS: Final = 24
"""A scope that stops being asked is expected for this long; after that the series goes on without it, segmented."""
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


@dataclass(frozen=True)
class Attempts:
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
class Scope:
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


def ledger_of(attempts: pd.DataFrame) -> list[Attempts]:
    """Sort the attempts of a source by scope and by what they would have counted."""
    what = [
        tuple(map(tuple, row))
        for row in zip(attempts["services"], attempts["regions"], attempts["signals"], strict=True)
    ]
    clock = {
        name: np.asarray(attempts[name].astype("int64"), dtype=np.int64)
        for name in ("window_start", "window_end", "requested_at")
    }
    starts, ends = (np.floor_divide(clock[name], MINUTE_US) for name in ("window_start", "window_end"))
    proves = attempts["status"].isin([str(status) for status in schema.PROVES]).to_numpy()
    even = (attempts["status"] == str(Status.OK)).to_numpy()
    places: dict[tuple[str, Any], list[int]] = {}
    for at, key in enumerate(zip(attempts["scope"], what, strict=True)):
        places.setdefault(key, []).append(at)
    return [
        Attempts(
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


class Proofs:
    """What scopes proved; the same question is answered once."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._known: dict[tuple[int, ...], Scope] = {}

    def of(self, members: list[Attempts]) -> Scope:
        """Return what attempts of one scope proved together."""
        key = tuple(map(id, members))
        if key not in self._known:
            self._known[key] = self._prove(members)
        return self._known[key]

    def _prove(self, members: list[Attempts]) -> Scope:
        starts, ends, asked, proves, even = (
            np.concatenate([getattr(m, name) for m in members])
            for name in ("starts", "ends", "asked_at", "proves", "even")
        )
        grid = self._grid
        return Scope(
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
