"""The files of one kind -> one counter a scope -> batches, each a slice of time with the attempts that prove it."""

from calendar import timegm
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, inf
from typing import Final, NamedTuple

import pandas as pd

from clamor.collect import archive_reddit, archive_x, reddit
from clamor.collect.archive_csv import CsvReader
from clamor.collect.archive_file import ArchiveFile, lines, month_of, sha256
from clamor.collect.archive_row import NOT_UTF8, UNREADABLE_TIME, Clockwork, Skip, zone_named
from clamor.collect.archive_summary import ImportSummary
from clamor.collect.batch import Attempt, Batch
from clamor.collect.count import Counter
from clamor.collect.reddit import Group
from clamor.errors import InputError
from clamor.schema import UNKNOWN_REGION, WORLD, Method, Signal, Status
from clamor.text.post import Post
from clamor.text.read import Reader

_DAY: Final = 86_400
_HELD: Final = 2_000_000
_LOOK_EVERY: Final = 1 << 16
_HINTS: Final = {
    archive_reddit.OTHER_SUBREDDIT: "name them with --group",
    UNREADABLE_TIME: "times are ISO 8601 with an hour, or seconds since the epoch",
}


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """How archives are read and what they state.

    Attributes:
        format: One of :data:`~clamor.collect.archive_file.FORMATS`; found from the content when None.
        source: Source name of the counts; ``x`` for CSV and twarc, ``reddit`` for dumps when None.
        columns: CSV: field of a post to column name, over the usual names of
            :data:`~clamor.collect.archive_csv.ALIASES`.
        delimiter: CSV: found from the header when None.
        encoding: Of the text; a byte-order mark, else UTF-8, when None.
        timezone: IANA name, of times that name none; such times are refused when None.
        service: Read every post as being about this service.
        services: Count only these.
        groups: Reddit dumps: groups of subreddits, one scope each. When None, monthly dumps (``RS_2026-01.zst``) are
            counted in the groups of the live walks; other files, and all with ``service``, count what is in them under
            scopes of their own.
        covered: Start and end of what the archive proves, seconds since the epoch.
        covered_regions: Where it proves it, with all that lies below.
        bin_minutes: Width of the bins that are kept.

    """

    format: str | None = None
    source: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    delimiter: str | None = None
    encoding: str | None = None
    timezone: str | None = None
    service: str | None = None
    services: tuple[str, ...] | None = None
    groups: tuple[Group, ...] | None = None
    covered: tuple[float, float] | None = None
    covered_regions: tuple[str, ...] | None = None
    bin_minutes: int = 1


class Window(NamedTuple):
    """A stretch of time that files prove, seconds since the epoch, the end not in it."""

    start: float
    end: float
    status: Status


@dataclass
class _Seen:
    """What one file has given so far."""

    rows: int = 0
    first: float = inf
    last: float = -inf
    skipped: dict[str, int] = field(default_factory=dict)
    rejected: int = 0


def kind_of(file: ArchiveFile) -> str:
    """Return which files are counted together: ``posts``, or Reddit's submissions ``RS`` or comments ``RC``."""
    if file.format != "reddit":
        return "posts"
    return "RC" if file.first and archive_reddit.is_comment(file.first) else "RS"


def _start_of(file: ArchiveFile) -> float:
    """Return the time of a dump's first line, or minus infinity where it cannot be told."""
    try:
        return float((file.first or {})["created_utc"])
    except (KeyError, TypeError, ValueError):
        return -inf


class Intake:
    """Reads files of one kind, see :func:`clamor.collect.archive.import_files` for the arguments.

    Args:
        kind: From :func:`kind_of`.
        files: All of that kind.
        reader: Reads the posts.
        options: How to read them and what they prove.
        observed_at: Now, seconds since the epoch.
        summary: Is added to.
        on_bytes: Called with the number of bytes read, block by block.

    """

    def __init__(
        self,
        kind: str,
        files: Sequence[ArchiveFile],
        reader: Reader,
        options: ImportOptions,
        observed_at: float,
        summary: ImportSummary,
        on_bytes: Callable[[int], object],
    ) -> None:
        self._dumps = kind in ("RS", "RC")
        self._kind, self._reader, self._options, self._summary = kind, reader, options, summary
        self._observed_at, self._on_bytes = observed_at, on_bytes
        self._files = sorted(files, key=_start_of) if self._dumps else list(files)
        self._times = Clockwork(observed_at, zone_named(options.timezone))
        self._width = 60 * options.bin_minutes
        self._covered = self._stated()
        groups = self._groups()
        scopes = [f"file:{sha256(file.path)}" for file in self._files] if not groups else list(groups)
        self._counters = [self._counter(scope, group.services) for scope, group in groups.items()] or [
            self._counter(scopes[0], None)
        ]
        self._route: dict[str, list[Counter]] = {}
        for counter, group in zip(self._counters, groups.values(), strict=False):
            for name in group.subreddits:
                self._route.setdefault(name, []).append(counter)
        self._proves = [scopes] * len(self._files) if groups else [[scope] for scope in scopes]
        self._windows: dict[str, list[Window]] = {scope: [] for scope in scopes}
        self._summary.scopes += list(self._windows)
        self._taken_until = -inf

    def batches(self) -> Iterator[Batch]:
        """Read all files; a stream in order of time is given out early, as far as it can no longer change."""
        for n, (file, scopes) in enumerate(zip(self._files, self._proves, strict=True)):
            later = min((_start_of(other) for other in self._files[n + 1 :]), default=inf)
            seen = _Seen()
            for _ in self._read(file, scopes[0], seen):
                safe = min(seen.last - _DAY, later) // self._width * self._width
                if self._route and safe > self._taken_until:
                    so_far = self._proven(file, seen)
                    yield from self._given(safe, {scope: [*self._windows[scope], *so_far] for scope in scopes})
            self._check(file, seen)
            for scope in scopes:
                self._windows[scope] += self._proven(file, seen)
        self._account()
        yield from self._given(inf, self._windows)

    def _stated(self) -> Window | None:
        """Return the whole bins of the stated coverage."""
        if self._options.covered is None:
            return None
        start, end = self._options.covered
        return Window(ceil(start / self._width) * self._width, end // self._width * self._width, Status.OK)

    def _groups(self) -> dict[str, Group]:
        """Return scope to group; none where each file is a scope of its own that takes all posts."""
        options = self._options
        if not self._dumps or (options.groups is None and (options.service or not all(map(_whole_month, self._files)))):
            return {}
        services = options.services or tuple(self._reader.catalog.services)
        groups = options.groups or reddit.groups(self._reader.catalog, services)
        walked = reddit.COMMENTS if self._kind == "RC" else reddit.NEW
        return {f"dump:{self._kind}:{group.name}": group for group in groups if walked in group.kinds}

    def _counter(self, scope: str, services: Sequence[str] | None) -> Counter:
        one = self._options.service
        return Counter(
            self._reader,
            source=self._options.source or ("reddit" if self._dumps else "x"),
            scope=scope,
            method=Method.IMPORT,
            bin_minutes=self._options.bin_minutes,
            services=self._options.services or (services if not one else None),
            service=one,
        )

    def _rows(self, file: ArchiveFile) -> Iterator[Post | Skip]:
        text = lines(file, self._on_bytes)
        if file.format == "reddit":
            return archive_reddit.posts(
                text, times=self._times, comments=self._kind == "RC", subreddits=self._route or None
            )
        if file.format == "twarc":
            return archive_x.posts(text, self._times)
        options = self._options
        return CsvReader(file.path, columns=options.columns, delimiter=options.delimiter, times=self._times).posts(text)

    def _read(self, file: ArchiveFile, scope: str, seen: _Seen) -> Iterator[None]:
        """Count the posts of a file; stop now and then while much is held."""
        whole = None if self._route else self._counters[0]
        window = self._covered or Window(-inf, inf, Status.OK)
        for row in self._rows(file):
            seen.rows += 1
            if type(row) is Skip:
                self._skip(file, seen, row, f"line {row.line}")
                continue
            at = row.created_at  # type: ignore[union-attr]  # what is not a skip is a post
            if not window.start <= at < window.end:
                self._skip(file, seen, Skip("outside the stated coverage", 0, by_rule=True), f"row {seen.rows}")
                continue
            if at < self._taken_until:
                self._skip(file, seen, Skip("more than a day out of order", 0), f"row {seen.rows}")
                continue
            seen.first, seen.last = min(seen.first, at), max(seen.last, at)
            if whole:
                whole.add(row, scope)  # type: ignore[arg-type]
            else:
                for counter in self._route[(row.subreddit or "").lower()]:  # type: ignore[union-attr]
                    counter.add(row)  # type: ignore[arg-type]
            if not seen.rows % _LOOK_EVERY and sum(counter.held for counter in self._counters) > _HELD:
                yield
        self._summary.rows += seen.rows

    def _skip(self, file: ArchiveFile, seen: _Seen, skip: Skip, where: str) -> None:
        self._summary.skip(skip, f"{file.path.name}, {where}")
        seen.skipped[skip.reason] = seen.skipped.get(skip.reason, 0) + 1
        seen.rejected += not skip.by_rule

    def _check(self, file: ArchiveFile, seen: _Seen) -> None:
        """Refuse a file that was read in the wrong encoding or gave nothing."""
        unreadable = seen.skipped.get(NOT_UTF8, 0)
        if unreadable > max(2, seen.rows // 100):
            raise InputError(
                f"{file.path}: {unreadable:,} of {seen.rows:,} rows are not UTF-8; the text of an archive has one "
                "encoding; name its --encoding, like cp1252"
            )
        if seen.last > -inf:
            return
        if seen.rows and not seen.rejected and (self._covered or (self._dumps and _whole_month(file))):
            return
        why = ", ".join(f"{reason}: {count:,}" for reason, count in sorted(seen.skipped.items())) or "it has none"
        hint = next((hint for reason, hint in _HINTS.items() if reason in seen.skipped), "check the file")
        raise InputError(f"{file.path}: none of its {seen.rows:,} rows gives a post ({why}); {hint}")

    def _proven(self, file: ArchiveFile, seen: _Seen) -> list[Window]:
        """Return what a file proves: what was stated, the month of its name, or its first to its last post."""
        if self._covered:
            return [self._covered]
        month = month_of(file.path) if self._dumps else None
        if month:
            year, number = month
            start, end = timegm((year, number, 1, 0, 0, 0)), timegm((year + number // 12, number % 12 + 1, 1, 0, 0, 0))
            return [Window(start, min(end, self._observed_at // self._width * self._width), Status.OK)]
        if seen.last == -inf:
            return []
        floor = seen.first // self._width * self._width
        return [Window(floor, (seen.last // self._width + 1) * self._width, Status.PARTIAL)]

    def _given(self, before: float, windows: Mapping[str, Sequence[Window]]) -> Iterator[Batch]:
        """Yield what every counter holds of the bins before a time, and what proves it."""
        for counter in self._counters:
            since = self._taken_until
            for volumes, claims, until in counter.drain(self._observed_at, before=before):
                attempts = [
                    self._attempt(counter, scope, clipped, volumes)
                    for scope in ([counter.scope] if self._route else windows)
                    for window in joined(windows[scope])
                    if (clipped := _clip(window, since, until))
                ]
                if attempts or len(volumes):
                    yield Batch(tuple(attempts), volumes=volumes, claims=claims)
                since = until
        self._taken_until = before

    def _attempt(self, counter: Counter, scope: str, window: Window, volumes: pd.DataFrame) -> Attempt:
        options = self._options
        services = (options.service,) if options.service else counter.asked or tuple(sorted(counter.services))
        everywhere = self._route or UNKNOWN_REGION in counter.regions or not counter.regions
        regions = options.covered_regions or ((WORLD,) if everywhere else tuple(sorted(counter.regions)))
        bins = int((window.end - window.start) // self._width)
        if window.status is Status.PARTIAL:
            bins = int(volumes.loc[volumes["scope"] == scope, "bin_start"].nunique())
        return Attempt(
            source=counter.source,
            scope=scope,
            window_start=window.start,
            window_end=window.end,
            requested_at=self._observed_at,
            services=services,
            regions=regions,
            signals=tuple(Signal),
            bin_minutes=options.bin_minutes,
            status=window.status,
            bins_received=bins,
            requests=0,
            detail="first to last post of a file" if window.status is Status.PARTIAL else "as stated",
        )

    def _account(self) -> None:
        """Add the counters to the summary; refuse files whose posts name nothing."""
        summary = self._summary
        for counter in self._counters:
            summary.posts += counter.posts
            summary.duplicates += counter.duplicates
            summary.unmatched += counter.unmatched
            summary.unplaced += counter.unplaced
            summary.services |= counter.services
            summary.regions |= counter.regions
            for moment in (counter.first, counter.last):
                if moment is not None:
                    summary.first = moment if summary.first is None else min(summary.first, moment)
                    summary.last = moment if summary.last is None else max(summary.last, moment)
        if not self._route and not any(counter.services for counter in self._counters) and not self._options.services:
            raise InputError(
                f"{self._files[0].path}: none of {self._counters[0].unmatched:,} posts names a known service; "
                "an import counts posts about services; say with --service what they are about"
            )


def _whole_month(file: ArchiveFile) -> bool:
    """Tell whether a dump says by its name that it holds a month of all subreddits."""
    return month_of(file.path) is not None


def joined(windows: Sequence[Window]) -> list[Window]:
    """Return the windows, those of one status that touch or overlap as one."""
    whole: list[Window] = []
    for window in sorted(windows, key=lambda w: (w.status, w.start)):
        if whole and whole[-1].status == window.status and window.start <= whole[-1].end:
            whole[-1] = whole[-1]._replace(end=max(whole[-1].end, window.end))
        else:
            whole.append(window)
    return whole


def _clip(window: Window, since: float, until: float) -> Window | None:
    start, end = max(window.start, since), min(window.end, until)
    return Window(start, end, window.status) if start < end else None
