"""More posts than fit into memory -> slices of time, each id once.

A post that is in two files, or twice in one, is counted once, wherever its copies stand. Up to a million posts are
told apart in memory. More go through files: first parted by their ids, so that all copies of a post meet, then, one of
each, by their hour. Three times 28 bytes a post on disk, and in memory never more than a million, or the
posts of the fullest hour.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator
from math import inf
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from clamor.collect.count import Meaning, Posts, first_of_each, ranks

_AT_ONCE: Final = 1_000_000
_ROW: Final = np.dtype([("id", "<i8"), ("bin", "<i8"), ("author", "<i8"), ("code", "<i4")])
_Rows = npt.NDArray[Any]


class Slice(NamedTuple):
    """The posts of a stretch of time.

    Attributes:
        posts: Each id once, if ``repeats`` says so; else as they came.
        before: No later slice has a post before this time, seconds since the epoch.
        repeats: How many posts were left out before because their id was there.

    """

    posts: Posts
    before: float
    repeats: int


def slices(parts: Iterable[Posts], size: int, *, width: int, folder: Callable[[], Path]) -> Iterator[Slice]:
    """Yield posts in slices of time.

    Args:
        parts: The posts, part by part.
        size: How many posts these are.
        width: Of a bin, seconds.
        folder: Gives a folder of this computer, asked for only when memory does not do.

    """
    if size <= _AT_ONCE:
        yield Slice(_joined(list(parts)), inf, 0)
        return
    root = folder()
    shutil.rmtree(root, ignore_errors=True)
    try:
        meanings, hours = _by_id(parts, root, 1 + size // (_AT_ONCE // 2), width)
        cuts = _cuts(hours)
        repeats = _by_hour(root, ranks(meanings), cuts, width)
        edges = [*cuts[1:], inf]
        for number, edge in enumerate(edges):
            path = root / f"time-{number}"
            rows = np.fromfile(path, _ROW) if path.exists() else np.empty(0, _ROW)
            path.unlink(missing_ok=True)
            yield Slice(_posts(rows, meanings), 3600 * edge, repeats if number == 0 else 0)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _by_id(parts: Iterable[Posts], root: Path, number: int, width: int) -> tuple[list[Meaning], dict[int, int]]:
    """Part posts by their ids; return all meanings, and how many posts each hour has."""
    codes: dict[Meaning, int] = {}
    hours: dict[int, int] = {}
    root.mkdir(parents=True, exist_ok=True)
    for posts in parts:
        known = np.array([codes.setdefault(meaning, len(codes)) for meaning in posts.meanings], dtype=np.int32)
        rows = np.empty(len(posts), _ROW)
        rows["id"], rows["bin"], rows["author"] = posts.ids, posts.bins, posts.authors
        rows["code"] = known[posts.codes] if len(known) else posts.codes
        for hour, count in zip(*np.unique(posts.bins * width // 3600, return_counts=True), strict=True):
            hours[int(hour)] = hours.get(int(hour), 0) + int(count)
        _spread(rows, rows["id"].astype(np.uint64) % np.uint64(number), root, "id")
    return list(codes), hours


def _by_hour(root: Path, order: npt.NDArray[np.int64], cuts: list[int], width: int) -> int:
    """Keep one post of each id and part them by time; return how many repeat an id."""
    repeats = 0
    for path in sorted(root.glob("id-*")):
        rows = np.fromfile(path, _ROW)
        path.unlink()
        kept = first_of_each(rows["id"], rows["bin"], rows["author"], order[rows["code"]])
        repeats += len(rows) - len(kept)
        rows = rows[kept]
        _spread(rows, np.searchsorted(cuts, rows["bin"] * width // 3600, side="right") - 1, root, "time")
    return repeats


def _cuts(hours: dict[int, int]) -> list[int]:
    """Return the first hours of slices that hold about half of what fits into memory, or one hour."""
    cuts, held = list[int](), 0
    for hour in sorted(hours):
        if not cuts or held + hours[hour] > _AT_ONCE // 2:
            cuts.append(hour)
            held = 0
        held += hours[hour]
    return cuts


def _spread(rows: _Rows, to: npt.NDArray[Any], root: Path, name: str) -> None:
    """Append each row to the file of its number."""
    if not len(rows):
        return
    order = np.argsort(to, kind="stable")
    numbers, starts = np.unique(to[order], return_index=True)
    for number, some in zip(numbers.tolist(), np.split(rows[order], starts[1:]), strict=True):
        with (root / f"{name}-{number}").open("ab") as file:
            some.tofile(file)


def _posts(rows: _Rows, meanings: list[Meaning]) -> Posts:
    columns = (np.ascontiguousarray(rows[name]) for name in ("id", "bin", "author", "code"))
    ids, bins, authors, codes = columns
    return Posts(ids, bins, authors, codes, meanings)


def _joined(parts: list[Posts]) -> Posts:
    codes: dict[Meaning, int] = {}
    told = []
    for posts in parts:
        known = np.array([codes.setdefault(meaning, len(codes)) for meaning in posts.meanings], dtype=np.int32)
        told.append(known[posts.codes] if len(known) else posts.codes)
    empty = np.empty(0, np.int64)
    return Posts(
        np.concatenate([empty, *(posts.ids for posts in parts)]),
        np.concatenate([empty, *(posts.bins for posts in parts)]),
        np.concatenate([empty, *(posts.authors for posts in parts)]),
        np.concatenate([np.empty(0, np.int32), *told]),
        list(codes),
    )
