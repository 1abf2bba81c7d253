"""Counts that somebody else made -> volumes and coverage.

Four forms are told apart by content:

- ``xcounts``: answers of X's count endpoints, one a line as twarc stores them or one as it is saved, in either
  spelling. Only whole aligned buckets are taken. The scope is that of the query, as for the collector, so that the
  two are one stream.
- ``table``: CSV or Parquet ``service, region, bin_start, count``, optional ``mentions``.
- ``chart``: the JSON of a chart of reports, ``[{"x": time, "y": count}, ...]``.
- ``trends``: a CSV export of Google Trends. Its numbers are relative to the highest of the file (``unit = index``; "<1"
  is stored as 0), so files are not comparable with each other: import one file that spans the whole time. Its weeks
  start on Sunday, ours on Monday: each is kept as the week of the Monday after it, of which it holds six days.

A bin with a number is covered, also a zero; a bin that is absent or empty is unknown, and so is one that was not over
when the file was written or is not over now: its number would still have grown. Each region is taken as it is given and
never added to its parent. A later import replaces an earlier one bin by bin.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from clamor import schema
from clamor.catalog import Catalog
from clamor.collect import archive_numbers
from clamor.collect.archive_file import ArchiveFile, lines, look, magic
from clamor.collect.archive_numbers import Number
from clamor.collect.archive_row import Clockwork, Skip, zone_named
from clamor.collect.archive_summary import ImportSummary
from clamor.collect.batch import Attempt, Batch, utc
from clamor.errors import InputError
from clamor.schema import ANY_SYMPTOM, UNKNOWN_REGION, WORLD, Method, Signal, Status

FORMS: Final = ("xcounts", "table", "chart", "trends")
"""The forms of files of counts."""
_SOURCES: Final = {"xcounts": "x", "table": "counts", "chart": "reports", "trends": "google_trends"}
_MINUTES_A_WEEK: Final = 10_080
_DAY_S: Final = 86_400
_WEEK_S: Final = 7 * _DAY_S
_MONDAY: Final = 4 * _DAY_S
_SHOWN_MINUTES: Final = 15
_SHORT: Final = 1000
_LARGEST_CHART: Final = 1 << 28


@dataclass(frozen=True, kw_only=True)
class CountOptions:
    """How files of counts are read.

    Attributes:
        form: One of :data:`FORMS`; found from the content when None.
        source: Source name of the counts; ``x``, ``counts``, ``reports`` or ``google_trends`` by form when None.
        service: Of numbers that name none.
        region: Of numbers that name none; the world when None.
        signal: What was counted.
        timezone: IANA name, of times that name none; such times are refused when None.
        columns: Tables: field to column name, over the usual names.
        encoding: Of the text; a byte-order mark, else UTF-8, when None.

    """

    form: str | None = None
    source: str | None = None
    service: str | None = None
    region: str | None = None
    signal: Signal = Signal.COMPLAINT
    timezone: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None


def import_counts(
    paths: Iterable[Path],
    *,
    catalog: Catalog,
    observed_at: float,
    options: CountOptions | None = None,
    summary: ImportSummary | None = None,
) -> Iterator[Batch]:
    """Yield the numbers of each file as one batch.

    Args:
        paths: Files, packed or not.
        catalog: Names the services and regions.
        observed_at: Now, seconds since the epoch.
        options: How to read them.
        summary: Is filled; its ``posts`` is the number of bins taken.

    Raises:
        InputError: a file cannot be read or gives no number, times are naive, a service or region is unknown or not
            named, two numbers stand for one bin, or bins are not on the grid of their width.

    """
    options, summary = options or CountOptions(), summary if summary is not None else ImportSummary()
    if options.form is not None and options.form not in FORMS:
        raise InputError(f"form {options.form!r}: not one of {', '.join(FORMS)}; name one of these or leave it out")
    for path in map(Path, paths):
        yield _File(path, catalog, observed_at, options, summary).batch()


class _File:
    """Reads one file of counts."""

    def __init__(
        self, path: Path, catalog: Catalog, observed_at: float, options: CountOptions, summary: ImportSummary
    ) -> None:
        self._path, self._catalog, self._options, self._summary = path, catalog, options, summary
        self._observed_at = observed_at
        self._times = Clockwork(observed_at, zone_named(options.timezone), dates=True)
        self._regions = {*catalog.regions["region"], UNKNOWN_REGION}
        self._names = dict(zip(catalog.regions["name"], catalog.regions["region"], strict=True))
        self._query: str | None = None
        self._form = ""

    def batch(self) -> Batch:
        """Return all of the file's numbers and the attempts that prove them."""
        self._summary.files.append(self._path.name)
        numbers: dict[tuple[str, str, int], Number] = {}
        why: dict[str, int] = {}
        for row in self._rows():
            self._summary.rows += 1
            if isinstance(row, Skip):
                self._summary.skip(row, f"{self._path.name}, line {row.line}")
                why[row.reason] = why.get(row.reason, 0) + 1
                continue
            key = (self._service(row), self._region(row), row.at)
            if numbers.setdefault(key, row)[3:5] != row[3:5]:
                raise InputError(
                    f"{self._path}, line {row.line}: {row.value} for {key[0]} in {key[1]} at {utc(row.at)}, where line "
                    f"{numbers[key].line} says {numbers[key].value}; one number a bin; take one out"
                )
            self._summary.duplicates += numbers[key] is not row
            if row.value is None and numbers[key] is row:
                empty = Skip("no count: unknown", row.line, by_rule=True)
                self._summary.skip(empty, f"{self._path.name}, line {row.line}")
        if all(number.value is None for number in numbers.values()):
            shown = ", ".join(f"{reason}: {count:,}" for reason, count in sorted(why.items())) or "it has none"
            raise InputError(
                f"{self._path}: none of its rows gives a number ({shown}); check the file, or name its --form"
            )
        return self._built(numbers)

    def _account(self, frame: pd.DataFrame) -> None:
        summary, moments = self._summary, frame["at"].tolist()
        summary.posts += len(frame)
        summary.services |= set(frame["service"])
        summary.regions |= set(frame["region"])
        summary.first = min(moments) if summary.first is None else min(summary.first, *moments)
        summary.last = max(moments) if summary.last is None else max(summary.last, *moments)

    def _rows(self) -> Iterator[Number | Skip]:
        if magic(self._path).startswith(b"PAR1"):
            self._form = "table"
            return archive_numbers.table(_parquet(self._path), self._path, self._times, self._options.columns)
        file, head = look(self._path, encoding=self._options.encoding)
        self._form = self._options.form or _form_of(head)
        text = lines(file)
        if self._form == "xcounts":
            start = head.lstrip().split("\n", 1)[0].rstrip()
            if len(start) < _SHORT and not start.endswith("}"):
                text = iter([_all(file).encode()])
            first = next(text, b"")
            self._query = archive_numbers.x_query(first)
            return archive_numbers.x_buckets(chain([first], text), self._times)
        if self._form == "chart":
            return archive_numbers.chart(_all(file), self._path, self._times)
        rows = archive_numbers.csv_rows(text, "," if self._form == "trends" else None)
        if self._form == "trends":
            return archive_numbers.trends(rows, self._path, self._times)
        return archive_numbers.table(rows, self._path, self._times, self._options.columns)

    def _service(self, row: Number) -> str:
        service = row.service or self._options.service
        if service is None:
            raise InputError(f"{self._path}, line {row.line}: names no service; say with --service what it counts")
        if service not in self._catalog.services:
            near = get_close_matches(service, self._catalog.services, n=3) or sorted(self._catalog.services)[:5]
            raise InputError(
                f"{self._path}, line {row.line}: service {service!r} is not in the catalogue; "
                f"did you mean {' or '.join(near)}?"
            )
        return service

    def _region(self, row: Number) -> str:
        named = row.region or self._options.region or WORLD
        region = self._options.region or self._names.get(named, named) if self._form == "trends" else named
        if region == "Worldwide":
            return WORLD
        if region not in self._regions:
            raise InputError(
                f"{self._path}, line {row.line}: region {region!r} is no M49, ISO 3166-1 or ISO 3166-2 code; "
                "name one like 001, US, US-MI"
            )
        return region

    def _built(self, numbers: Mapping[tuple[str, str, int], Number]) -> Batch:
        frame = pd.DataFrame(
            [(*key, number.value, number.mentions) for key, number in sorted(numbers.items())],
            columns=["service", "region", "at", "posts", "mentions"],
        )
        self._mondays(frame)
        minutes = self._width(frame)
        frame = self._over(frame.dropna(subset="posts"), 60 * minutes)
        self._account(frame)
        if 1440 % minutes or minutes > _SHOWN_MINUTES:
            weeks = minutes % _MINUTES_A_WEEK == 0
            width = f"{minutes // _MINUTES_A_WEEK}w" if weeks else f"{minutes}min"
            self._summary.notes.append(f"{self._path.name} has bins of {minutes:,} min: `clamor detect --bin {width}`")
        attempts: list[Attempt] = []
        for (service, region), series in frame.groupby(["service", "region"]):
            with_mentions = bool(series["mentions"].notna().all())
            for start, end in _runs(series["at"].to_numpy(), 60 * minutes):
                attempts.append(self._attempt(str(service), str(region), start, end, minutes, mentions=with_mentions))
        return Batch(tuple(attempts), volumes=self._volumes(frame, minutes))

    def _mondays(self, frame: pd.DataFrame) -> None:
        """Move weeks of Google Trends from their Sunday to the Monday after it."""
        weeks = frame.groupby(["service", "region"])["at"].diff().dropna()
        sundays = (frame["at"] - _MONDAY) % _WEEK_S == _WEEK_S - _DAY_S
        if self._form == "trends" and len(weeks) and weeks.mode().iloc[0] == _WEEK_S and sundays.all():
            frame["at"] += _DAY_S
            self._summary.notes.append(f"{self._path.name}: weeks from Sunday are kept as those of the Monday after")

    def _over(self, frame: pd.DataFrame, width: int) -> pd.DataFrame:
        """Leave out the bins that were not over when the file was written, or are not over now."""
        written_at = self._path.stat().st_mtime
        ends = frame["at"] + width
        unfinished = (ends > self._observed_at) | ((frame["at"] <= written_at) & (written_at < ends))
        for at in frame.loc[unfinished, "at"]:
            self._summary.skip(Skip("bin that was not over", 0, by_rule=True), f"{self._path.name}, {utc(int(at))}")
        if unfinished.all():
            raise InputError(f"{self._path}: none of its bins is over yet; a bin is counted when it is over; come back")
        return frame.loc[~unfinished]

    def _width(self, frame: pd.DataFrame) -> int:
        """Return the width of the bins in minutes: the commonest step between the bins of a series."""
        steps = frame.groupby(["service", "region"])["at"].diff().dropna().astype("int64")
        if steps.empty:
            raise InputError(f"{self._path}: one bin a series has no width; at least two in a row are needed; add more")
        width = int(steps.mode().iloc[0])
        origin = _MONDAY if width % (60 * _MINUTES_A_WEEK) == 0 else 0
        off = frame.loc[(frame["at"] - origin) % width != 0, "at"] if width % 60 == 0 else frame["at"]
        if len(off):
            raise InputError(
                f"{self._path}: a bin starts at {utc(int(off.iloc[0]))}, bins of {width / 60:g} min start on whole "
                "multiples of their width in UTC (weeks on Monday); check --timezone or take finer bins"
            )
        return width // 60

    def _scope(self, service: str, region: str) -> str:
        """X: the query's scope, as the collector writes it. Else one a series: each has its own gaps."""
        if self._form != "xcounts":
            return f"counts:{service}:{region}"
        query = self._query or f"{service} {region} {self._options.signal}"
        return f"x:{hashlib.sha256(query.encode()).hexdigest()[:12]}"

    def _attempt(self, service: str, region: str, start: int, end: int, minutes: int, *, mentions: bool) -> Attempt:
        signals = (self._options.signal, Signal.MENTION) if mentions else (self._options.signal,)
        return Attempt(
            source=self._source,
            scope=self._scope(service, region),
            window_start=start,
            window_end=end,
            requested_at=self._observed_at,
            services=(service,),
            regions=(region,),
            signals=tuple(dict.fromkeys(map(str, signals))),
            bin_minutes=minutes,
            status=Status.OK,
            bins_received=(end - start) // (60 * minutes),
            requests=0,
            detail=f"{self._form} {self._path.name}",
        )

    @property
    def _source(self) -> str:
        return self._options.source or _SOURCES[self._form]

    def _volumes(self, frame: pd.DataFrame, minutes: int) -> pd.DataFrame:
        counted = frame.drop(columns="mentions").assign(signal=str(self._options.signal))
        named = frame.drop(columns="posts").dropna().rename(columns={"mentions": "posts"}).assign(signal="mention")
        rows: pd.DataFrame = pd.concat([counted, named]) if len(named) else counted
        rows = rows[rows["posts"] > 0].astype({"posts": "int64"}).reset_index(drop=True)
        if rows.empty:
            return schema.VOLUMES.empty()
        scopes = [self._scope(*series) for series in zip(rows["service"], rows["region"], strict=True)]
        at = (rows["at"].to_numpy(dtype=np.int64) * 1_000_000).view("M8[us]")
        rows = rows.assign(
            source=self._source,
            scope=scopes,
            symptom=ANY_SYMPTOM,
            bin_minutes=np.full(len(rows), minutes, dtype=np.int32),
            bin_start=pd.Series(at, index=rows.index).dt.tz_localize("UTC"),
            authors=pd.array([pd.NA] * len(rows), dtype="Int64"),
            unit="index" if self._form == "trends" else "posts",
            method=str(Method.COUNTS if self._form == "xcounts" else Method.IMPORT),
            catalog_version=self._catalog.version,
            observed_at=pd.Series(utc(self._observed_at), index=rows.index, dtype="datetime64[us, UTC]"),
        )
        ordered: pd.DataFrame = rows[schema.VOLUMES.columns.names]
        return ordered


def _form_of(head: str) -> str:
    start = head.lstrip()
    if start.startswith("{"):
        return "xcounts"
    if start.startswith("["):
        return "chart"
    return "trends" if ": (" in head[:2000] and not start.lower().startswith("service") else "table"


def _all(file: ArchiveFile) -> str:
    if file.size > _LARGEST_CHART:
        raise InputError(f"{file.path}: {file.size:,} bytes for one JSON array; at most 256 MiB; split it up")
    return b"\n".join(lines(file)).decode("utf-8", "replace")


def _parquet(path: Path) -> Iterator[tuple[int, list[Any]]]:
    """Yield a Parquet table's column names and rows; its times are UTC by type or naive texts."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        content = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: damaged Parquet ({str(error).splitlines()[0]}); get it again") from None
    yield 0, content.column_names
    for number, row in enumerate(content.to_pylist(), 1):
        yield number, [value.isoformat() if hasattr(value, "isoformat") else value for value in row.values()]


def _runs(starts: np.ndarray[Any, Any], width: int) -> Iterator[tuple[int, int]]:
    """Yield start and end of every unbroken run of bins; starts are sorted."""
    breaks = np.flatnonzero(np.diff(starts) != width) + 1
    for run in np.split(starts, breaks):
        yield int(run[0]), int(run[-1]) + width
