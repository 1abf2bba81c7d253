"""The lake: the only module that knows Parquet paths.

A lake is a folder (or an object-store prefix) of immutable files, ``<table>/source=<source>/month=<YYYY-MM>/<file>``
(derived tables also by ``bin_minutes``). Every file is written under a temporary name, synced and renamed (one PUT on
an object store), so a run may be killed, repeated or overlapped and nothing is lost or doubled. There are three
kinds of tables:

* facts (volumes, coverage, languages, samples, claims, marks) are appended to and never removed;
* derived rows (baseline, flags) belong to the window that a run evaluated: a later run replaces its whole window;
* incidents are one snapshot a run: the newest is what is known now.

Small files are merged as they gather; the merged file is in place before its parts go.
"""

import hashlib
import json
import os
import re
import tempfile
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import fs

from clamor import schema
from clamor.errors import InputError, LakeError
from clamor.schema import Table

_TIME_COLUMN: Final = {
    "volumes": "bin_start",
    "coverage": "window_start",
    "languages": "bin_start",
    "samples": "bin_start",
    "claims": "bin_start",
    "marks": "mark_at",
    "baseline": "bin_start",
    "flags": "bin_start",
}
_DERIVED: Final = ("baseline", "flags")
_MERGE_AT: Final = 12
"""Files of one size class in one folder before they are merged."""
_MANY_FILES: Final = 32
"""From here on several threads read; for fewer files starting them costs more than they bring."""
_ROW_GROUP: Final = 16_384
"""Rows sorted by time that are read or left out together."""
_WINDOW: Final = re.compile(r"window-(-?\d+)-(-?\d+)-at-(\d+)-")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_WIDTH: Final = re.compile(r"/bin_minutes=(\d+)/")


@dataclass(frozen=True)
class Lake:
    """A lake at a folder or URI (``data/lake``, ``s3://bucket/prefix``). Nothing is created before the first write.

    Raises:
        LakeError: the place is not a folder, or cannot be read or written.

    """

    root: str

    @cached_property
    def _place(self) -> tuple[fs.FileSystem, str]:
        try:
            if "://" in self.root:
                place: tuple[fs.FileSystem, str] = fs.FileSystem.from_uri(self.root)
                return place
            path = Path(self.root).expanduser().resolve()
        except (pa.ArrowInvalid, OSError, ValueError, RuntimeError) as error:
            raise LakeError(f"lake {self.root!r}: {error}; a lake is a folder or an object-store URI") from error
        if path.exists() and not path.is_dir():
            raise LakeError(f"lake {self.root!r} is a file; a lake is a folder; name another with --lake")
        return fs.LocalFileSystem(), path.as_posix()

    def exists(self) -> bool:
        """Tell whether anything was ever stored here."""
        return any(self._files(table) for table in schema.TABLES.values())

    # Facts

    def append(self, table: Table, frame: pd.DataFrame) -> None:
        """Store rows of a fact table. Appending the same rows again is harmless: readers keep the newest of a key.

        Raises:
            InputError: a source is no plain name (it becomes a folder), or is ``all``, which facts cannot be of.

        """
        _check_sources(frame)
        for folder, part in self._parts(table, frame):
            self._write(f"{folder}/{uuid.uuid4().hex}.parquet", part)
            self._merge(table, folder)

    def read(
        self,
        table: Table,
        *,
        start: pd.Timestamp | None = None,
        end: pd.Timestamp | None = None,
        columns: list[str] | None = None,
        source: str | None = None,
    ) -> pa.Table:
        """Return the stored rows whose time (attempts: whose window) touches ``[start, end)``, with all versions."""
        folder = table.name if source is None else f"{table.name}/source={source}"
        paths = [path for path in self._files(table, folder) if _month_touches(path, table, start, end)]
        return self._load(table, paths, _within(table, start, end), columns)

    def count(
        self, table: Table, *, start: pd.Timestamp | None = None, end: pd.Timestamp | None = None, source: str
    ) -> int:
        """Return how many rows :meth:`read` would return; no fact is ever removed, so more rows are other facts."""
        folder = f"{table.name}/source={source}"
        paths = [path for path in self._files(table, folder) if _month_touches(path, table, start, end)]
        return self._dataset(table, paths).count_rows(filter=_within(table, start, end)) if paths else 0

    def volumes(self, *, start: pd.Timestamp | None = None, end: pd.Timestamp | None = None) -> pd.DataFrame:
        """Return the newest row of every key of the volumes table whose bin starts in ``[start, end)``."""
        rows = schema.to_pandas(self.read(schema.VOLUMES, start=start, end=end))
        newest = rows.sort_values("observed_at", kind="stable").drop_duplicates(list(schema.VOLUMES.key), keep="last")
        return newest.sort_values(["service", "region", "bin_start"], kind="stable", ignore_index=True)

    def coverage(self, *, start: pd.Timestamp | None = None, end: pd.Timestamp | None = None) -> pd.DataFrame:
        """Return the attempts whose window touches ``[start, end)``."""
        return schema.to_pandas(self.read(schema.COVERAGE, start=start, end=end))

    # Derived rows

    def replace(self, table: Table, frame: pd.DataFrame, *, start: pd.Timestamp, end: pd.Timestamp) -> None:
        """Store the derived rows of the evaluated window ``[start, end)``; they stand for all earlier rows in it."""
        for folder, part in self._parts(table, frame):
            computed = pc.max(part.column("computed_at")).value
            name = _window_name(start.value // 1000, end.value // 1000, computed)
            self._write(f"{folder}/{name}", part)
            self._merge(table, folder)

    def current(
        self,
        table: Table,
        *,
        bin_minutes: int,
        start: pd.Timestamp | None = None,
        end: pd.Timestamp | None = None,
        columns: list[str] | None = None,
    ) -> pd.DataFrame:
        """Return the derived rows that stand now for bins in ``[start, end)`` at one bin width."""
        width = f"/bin_minutes={bin_minutes}/"
        paths = [p for p in self._files(table) if width in p and _month_touches(p, table, start, end)]
        return schema.to_pandas(self._standing(table, paths, _within(table, start, end), columns))

    def flags(
        self, *, bin_minutes: int = 15, start: pd.Timestamp | None = None, end: pd.Timestamp | None = None
    ) -> pd.DataFrame:
        """Return the verdicts that stand now for bins of one width in ``[start, end)``."""
        return self.current(schema.FLAGS, bin_minutes=bin_minutes, start=start, end=end)

    def newest(self, table: Table, *, bin_minutes: int, before: pd.Timestamp | None = None) -> pd.Timestamp | None:
        """Return the start of the newest derived bin (before a time); None where there is none."""
        width = f"/bin_minutes={bin_minutes}/"
        paths = [p for p in self._files(table) if width in p and _month_touches(p, table, None, before)]
        for month in sorted({_month(path) for path in paths}, reverse=True):
            mine = [path for path in paths if _month(path) == month]
            times = self._load(table, mine, _within(table, None, before), ["bin_start"])
            if times.num_rows:
                return pd.Timestamp(pc.max(times.column("bin_start")).as_py()).as_unit("us")
        return None

    def widths(self) -> list[int]:
        """Return the bin widths at which flags were computed, in minutes."""
        return sorted({int(width) for path in self._files(schema.FLAGS) for width in _WIDTH.findall(path)})

    # Incidents

    def incidents(self) -> pd.DataFrame:
        """Return the newest snapshot of incidents; no rows where none was ever written."""
        paths = sorted(self._files(schema.INCIDENTS))
        return schema.to_pandas(self._load(schema.INCIDENTS, paths[-1:], None, None))

    def write_incidents(self, frame: pd.DataFrame, *, computed_at: pd.Timestamp) -> None:
        """Store a snapshot of incidents; the newest ``computed_at`` is the one that stands."""
        name = f"{computed_at.value // 1000:020d}-{uuid.uuid4().hex}.parquet"
        self._write(f"incidents/{name}", schema.conform(frame, schema.INCIDENTS))
        for path in sorted(self._files(schema.INCIDENTS))[:-_MERGE_AT]:
            self._place[0].delete_file(path)

    # What kind of lake

    @property
    def synthetic(self) -> bool:
        """Tell whether the lake was marked as holding synthetic data."""
        return bool(self.read_state("synthetic"))

    def mark_synthetic(self, why: str) -> None:
        """Mark the lake for ever as holding synthetic data: whatever is shown of it says so."""
        if not self.synthetic:
            self.write_state("synthetic", {"why": why})

    # What was learnt of the past

    def fits(self, bin_minutes: int) -> list[str]:
        """Return the sources of whose past a fit is kept at that bin width."""
        filesystem, root = self._place
        selector = fs.FileSelector(f"{root}/fits/bin_minutes={bin_minutes}", allow_not_found=True)
        found = [info.base_name for info in filesystem.get_file_info(selector)]
        return sorted(name.removesuffix(".npz") for name in found if name.endswith(".npz"))

    def read_fit(self, source: str, bin_minutes: int) -> bytes:
        """Return a kept fit as it was written."""
        filesystem, root = self._place
        path = f"{root}/fits/bin_minutes={bin_minutes}/{source}.npz"
        try:
            with filesystem.open_input_stream(path) as stream:
                return bytes(stream.read())
        except OSError as error:
            raise LakeError(f"{path}: {error}; it is only a memory: move it away") from error

    def write_fit(self, source: str, bin_minutes: int, content: bytes) -> None:
        """Keep a fit in place of the one before."""
        self._put(f"fits/bin_minutes={bin_minutes}/{source}.npz", content)

    # Collector state

    def read_state(self, name: str) -> dict[str, Any]:
        """Return what a collector remembers; empty at the first run."""
        filesystem, root = self._place
        path = f"{root}/state/{name}.json"
        if filesystem.get_file_info(path).type == fs.FileType.NotFound:
            return {}
        try:
            with filesystem.open_input_stream(path) as stream:
                state: dict[str, Any] = json.loads(stream.read())
        except (OSError, ValueError) as error:
            raise LakeError(f"{path}: {error}; a state file is JSON; move it away to start afresh") from error
        return state

    def write_state(self, name: str, state: dict[str, Any]) -> None:
        """Replace what a collector remembers."""
        self._put(f"state/{name}.json", json.dumps(state, indent=1, sort_keys=True).encode())

    # Work that is not done

    def scratch(self, name: str) -> Path:
        """Return a folder of this computer for unfinished work on this lake; no reader of the lake looks into it."""
        filesystem, root = self._place
        if isinstance(filesystem, fs.LocalFileSystem):
            return Path(root, name)
        return Path(tempfile.gettempdir(), f"clamor-{hashlib.sha256(root.encode()).hexdigest()[:12]}", name)

    # Files

    def _parts(self, table: Table, frame: pd.DataFrame) -> Iterable[tuple[str, pa.Table]]:
        """Split conforming rows by source and month, sorted by time."""
        if frame.empty:
            return
        rows = schema.conform(frame, table)
        rows = rows.append_column("month", pc.strftime(rows.column(_TIME_COLUMN[table.name]), format="%Y-%m"))
        names = ["source", "bin_minutes", "month"] if table.name in _DERIVED else ["source", "month"]
        for group in rows.group_by(names).aggregate([]).to_pylist():
            part = rows
            for name in names:
                part = part.filter(pc.equal(part.column(name), group[name]))
            folder = "/".join([table.name, *(f"{name}={group[name]}" for name in names)])
            yield folder, part.drop_columns(["month"]).sort_by(_TIME_COLUMN[table.name])

    def _files(self, table: Table, folder: str | None = None) -> list[str]:
        filesystem, root = self._place
        selector = fs.FileSelector(f"{root}/{folder or table.name}", allow_not_found=True, recursive=True)
        try:
            found = filesystem.get_file_info(selector)
        except OSError as error:
            raise LakeError(f"lake {self.root!r}: {error}; check the path and its permissions") from error
        return [info.path for info in found if info.path.endswith(".parquet")]

    def _dataset(self, table: Table, paths: list[str]) -> Any:
        import pyarrow.dataset as ds  # slow to import, and `clamor --help` must not wait for it

        format = ds.ParquetFileFormat()
        parts = [format.make_fragment(path, self._place[0]) for path in paths]
        return ds.FileSystemDataset(parts, table.columns, format, self._place[0])

    def _load(self, table: Table, paths: list[str], rows: Any, columns: list[str] | None) -> pa.Table:
        names = table.columns.names if columns is None else columns
        if not paths:
            return pa.schema([table.columns.field(name) for name in names if name in table.columns.names]).empty_table()
        try:
            return self._dataset(table, paths).to_table(
                columns=names, filter=rows, use_threads=len(paths) > _MANY_FILES
            )
        except (OSError, pa.ArrowException) as error:
            raise LakeError(f"lake {self.root!r}, table {table.name}: {error}; move the broken file away") from error

    def _standing(self, table: Table, paths: list[str], wanted: Any, columns: list[str] | None = None) -> pa.Table:
        """Rows of every window that no newer window of the same folder replaces."""
        oldest_first = sorted(paths, key=_computed_at)
        names = [*(columns or table.columns.names), "__filename"]
        rows = self._load(table, oldest_first, wanted, names)
        if not rows.num_rows:
            return rows.select(names[:-1]) if paths else self._load(table, [], None, names)
        files = pc.dictionary_encode(rows.column("__filename")).combine_chunks()
        rank = {path: at for at, path in enumerate(oldest_first)}
        ranks = np.array([rank[name] for name in files.dictionary.to_pylist()])[files.indices.to_numpy()]
        folders = np.unique([path.rpartition("/")[0] for path in oldest_first], return_inverse=True)[1]
        times = rows.column("bin_start").cast(pa.int64()).to_numpy()
        owner = np.full(len(times), -1)
        for at, path in enumerate(oldest_first):
            start, end = _window(path)
            owner[(folders[ranks] == folders[at]) & (times >= start) & (times < end)] = at
        return rows.drop_columns(["__filename"]).filter(pa.array(owner == ranks))

    def _merge(self, table: Table, folder: str) -> None:
        """Merge gathered files: facts by size class, keeping every row; windows all together, keeping what stands."""
        filesystem, _ = self._place
        classes: dict[int, list[str]] = {}
        for path in self._files(table, folder):
            size = 0 if table.name in _DERIVED else filesystem.get_file_info(path).size.bit_length() // 3
            classes.setdefault(size, []).append(path)
        for paths in classes.values():
            if len(paths) < _MERGE_AT:
                continue
            if table.name in _DERIVED:
                rows = self._standing(table, paths, None)
                windows = [_window(path) for path in paths]
                start, end = min(start for start, _ in windows), max(end for _, end in windows)
                name = _window_name(start, end, max(map(_computed_at, paths)))
            else:
                rows = self._load(table, paths, None, None)
                name = f"{uuid.uuid4().hex}.parquet"
            self._write(f"{folder}/{name}", rows.sort_by(_TIME_COLUMN[table.name]))
            for path in paths:
                filesystem.delete_file(path)

    def _write(self, path: str, rows: pa.Table) -> None:
        sink = pa.BufferOutputStream()
        pq.write_table(rows, sink, compression="zstd", row_group_size=_ROW_GROUP)
        self._put(path, sink.getvalue().to_pybytes())

    def _put(self, path: str, content: bytes) -> None:
        filesystem, root = self._place
        try:
            if not isinstance(filesystem, fs.LocalFileSystem):
                with filesystem.open_output_stream(f"{root}/{path}") as stream:
                    stream.write(content)
                return
            target = Path(root, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
            try:
                with temporary.open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(target)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
        except OSError as error:
            raise LakeError(f"lake {self.root!r} cannot be written: {error}; check space and permissions") from error


def _check_sources(frame: pd.DataFrame) -> None:
    for source in frame["source"].unique():
        if source == schema.ALL_SOURCES or not _NAME.fullmatch(str(source)):
            raise InputError(
                f"source {source!r}: a source is a plain name of a-z, 0-9, _ and -, and not 'all'; name another"
            )


def _within(table: Table, start: pd.Timestamp | None, end: pd.Timestamp | None) -> Any:
    """Return the filter for rows that touch ``[start, end)``; None for all."""
    first = _TIME_COLUMN[table.name]
    last = "window_end" if table.name == "coverage" else first
    after = None
    if start is not None:
        time = pa.scalar(start.to_pydatetime(), schema.TIME)
        after = pc.field(last) > time if last == "window_end" else pc.field(last) >= time
    before = None if end is None else pc.field(first) < pa.scalar(end.to_pydatetime(), schema.TIME)
    return _and(after, before)


def _and(left: Any, right: Any) -> Any:
    if left is None or right is None:
        return right if left is None else left
    return left & right


def _month_touches(path: str, table: Table, start: pd.Timestamp | None, end: pd.Timestamp | None) -> bool:
    """Tell from a path's month alone whether it can hold rows of ``[start, end)``; attempts may reach past theirs."""
    month = _month(path)
    if not month:
        return True
    if end is not None and month > end.strftime("%Y-%m"):
        return False
    return start is None or table.name == "coverage" or month >= start.strftime("%Y-%m")


def _month(path: str) -> str:
    """Return the month in a path, ``YYYY-MM``; empty where there is none."""
    found = re.search(r"/month=(\d{4}-\d{2})/", path)
    return found[1] if found else ""


def _window_name(start: int, end: int, computed_at: int) -> str:
    """Name a derived file by its window and time of computing, microseconds since the epoch."""
    return f"window-{start}-{end}-at-{computed_at}-{uuid.uuid4().hex}.parquet"


def _window(path: str) -> tuple[int, int]:
    found = _WINDOW.search(path)
    if found is None:
        raise LakeError(f"{path}: not a name that clamor gives to a derived file; move it away")
    return int(found[1]), int(found[2])


def _computed_at(path: str) -> int:
    found = _WINDOW.search(path)
    return int(found[3]) if found else 0
