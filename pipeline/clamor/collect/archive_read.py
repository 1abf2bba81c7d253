"""One file of an archive -> parts: the posts that name a service, and an account of all rows.

It runs in a process of its own when several files are read at once; what it gives is the same wherever it runs, and
however often it was interrupted.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, inf
from typing import Final, Protocol

from clamor.collect import archive_reddit, archive_x
from clamor.collect.archive_csv import CsvReader
from clamor.collect.archive_file import ArchiveFile, Mark, chunks, sha256
from clamor.collect.archive_month import Month, Span, named
from clamor.collect.archive_options import ImportOptions
from clamor.collect.archive_parts import Account, Kept, Part
from clamor.collect.archive_row import Clockwork, Skip, zone_named
from clamor.collect.count import Counter, PostReader
from clamor.schema import Method
from clamor.text.post import Post

_PART_BYTES: Final = 64 << 20
_PART_POSTS: Final = 250_000
OUTSIDE: Final = "outside the stated coverage"
OTHER_MONTH: Final = "outside the month of its name"
_Scopes = Mapping[str, Collection[str] | None]


@dataclass(frozen=True)
class Job:
    """How one file is read; it travels to other processes.

    Attributes:
        file: The file.
        comments: A Reddit dump holds comments.
        options: How to read it.
        routes: Lower-case subreddit to the scopes that watch it, with the services that each counts; None where all
            posts are counted under the file's own scope.
        observed_at: Now, seconds since the epoch.
        kept: Where the parts go.

    """

    file: ArchiveFile
    comments: bool
    options: ImportOptions
    routes: Mapping[str, _Scopes] | None
    observed_at: float
    kept: Kept

    @property
    def month(self) -> Span | None:
        """The month that the file states by its name."""
        return named(self.file.path) if self.file.format == "reddit" else None

    def begun(self) -> tuple[float, str]:
        """Return when the reading began, seconds since the epoch, and the file's own scope."""
        facts = self.kept.begun()
        if facts is None:
            scope = f"file:{sha256(self.file.path)}" if self.routes is None else ""
            facts = self.kept.begin({"observed_at": self.observed_at, "scope": scope})
        return float(facts["observed_at"]), str(facts["scope"])


class _Rows(Protocol):
    """What turns lines into posts and skips."""

    @property
    def left(self) -> int:
        """How many of the last lines begin a row that has not ended."""

    def posts(self, lines: Sequence[bytes], first: int, *, last: bool) -> Iterator[Post | Skip]:
        """Yield a post or a skip for every row."""


class _Lines:
    """A format of which a line is whole rows."""

    left = 0

    def __init__(self, read: Callable[[Sequence[bytes], int], Iterator[Post | Skip]]) -> None:
        self._read = read

    def posts(self, lines: Sequence[bytes], first: int, *, last: bool) -> Iterator[Post | Skip]:
        """Yield a post or a skip for every row."""
        return self._read(lines, first)


def read(
    job: Job, reader: PostReader, told: Callable[[int, int], object], stopped: Callable[[], bool] = lambda: False
) -> bool:
    """Read a file to its end, from where an earlier call was interrupted; return False if it was stopped before.

    Args:
        job: What to read, and how.
        reader: Reads the posts.
        told: Called with the bytes taken from disk and the rows read since the last call.
        stopped: Asked now and then whether to stop.

    Raises:
        InputError: the file is damaged, has naive times, lacks a column.

    """
    observed_at, scope = job.begun()
    kept = job.kept.last()
    if kept and kept[1].whole:
        told(job.file.size, 0)
        return True
    return _Reading(job, reader, observed_at, scope, kept).run(told, stopped)


class _Reading:
    """The state of reading one file."""

    def __init__(
        self, job: Job, reader: PostReader, observed_at: float, scope: str, kept: tuple[int, Part] | None
    ) -> None:
        self._job = job
        self._number = kept[0] + 1 if kept else 0
        self._mark = kept[1].end if kept else Mark()
        self._month = Month(job.month) if job.month else None
        if self._month and kept:
            self._month.minutes[:] = kept[1].minutes[: len(self._month.minutes)]
        self._times = Clockwork(observed_at, zone_named(job.options.timezone))
        self._account = Account()
        options = job.options
        self._counter = Counter(
            reader,
            source="",
            scope=scope,
            method=Method.IMPORT,
            bin_minutes=options.bin_minutes,
            services=options.services if job.routes is None else None,
            service=options.service,
        )
        self._rows_before = kept[1].rows if kept else 0

    def run(self, told: Callable[[int, int], object], stopped: Callable[[], bool]) -> bool:
        """Read on to the end of the file, a part at a time."""
        taken, begun, carried = 0, self._mark.offset, list[bytes]()

        def on_bytes(size: int) -> None:
            nonlocal taken
            taken += size

        rows, start = self._rows(), self._mark
        for chunk in chunks(self._job.file, on_bytes, start):
            lines, first = carried + chunk.lines, chunk.line - len(carried)
            if isinstance(rows, CsvReader) and first <= rows.after:
                lines, first = lines[rows.after + 1 - first :], rows.after + 1
            before = self._account.rows
            self._take(rows.posts(lines, first, last=False))
            told(taken, self._account.rows - before)
            taken, carried = 0, lines[len(lines) - rows.left :]
            self._mark = Mark(chunk.end.offset - sum(map(len, carried)) - len(carried), chunk.end.line - len(carried))
            ended = stopped()
            if ended or self._mark.offset - begun >= _PART_BYTES or self._counter.held >= _PART_POSTS:
                self._save(whole=False)
                begun = self._mark.offset
            if ended:
                return False
        if carried:
            self._take(rows.posts(carried, self._mark.line, last=True))
        told(taken, 0)
        self._save(whole=True)
        return True

    def _rows(self) -> _Rows:
        job = self._job
        file, options = job.file, job.options
        if file.format == "twarc":
            return _Lines(lambda lines, first: archive_x.posts(lines, self._times, first))
        if file.format == "reddit":
            return _Lines(
                lambda lines, first: archive_reddit.posts(
                    lines,
                    times=self._times,
                    comments=job.comments,
                    subreddits=job.routes,
                    first=first,
                    month=self._month,
                )
            )
        head = next(chunks(file)).lines
        return CsvReader(file.path, head, columns=options.columns, delimiter=options.delimiter, times=self._times)

    def _take(self, rows: Iterator[Post | Skip]) -> None:
        """Count posts."""
        account, add, routes = self._account, self._counter.add, self._job.routes
        start, end, outside = self._window()
        low, high = account.seen or (inf, -inf)
        number = before = account.rows
        for number, row in enumerate(rows, before + 1):
            if type(row) is Skip:
                account.skip(row.reason, f"line {row.line}", by_rule=row.by_rule)
                continue
            at = row.created_at  # type: ignore[union-attr]  # what is not a skip is a post
            if not start <= at < end:
                account.skip(outside, f"row {self._rows_before + number}", by_rule=True)
                continue
            if at < low:
                low = at
            if at > high:
                high = at
            add(row, routes[row.subreddit.lower()] if routes is not None else None)  # type: ignore[arg-type, union-attr]
        account.rows = number
        if low <= high:
            account.seen = (low, high)

    def _window(self) -> tuple[float, float, str]:
        """Return the times between which posts are counted, and why the others are not."""
        width = 60 * self._job.options.bin_minutes
        covered = self._job.options.covered
        if covered:
            return *whole_bins(Span(*covered), width), OUTSIDE
        if self._job.month:
            return *self._job.month, OTHER_MONTH
        return -inf, inf, ""

    def _save(self, *, whole: bool) -> None:
        """Keep what was read since the last part and begin the next."""
        counter, account = self._counter, self._account
        account.unmatched, counter.unmatched = counter.unmatched, 0
        if counter.first is not None and counter.last is not None:
            account.counted = (counter.first, counter.last)
        counter.first = counter.last = None
        self._rows_before += account.rows
        minutes = bytes(self._month.minutes) if self._month else b""
        posts = counter.take()
        part = Part(self._mark, whole, self._rows_before, account, minutes, posts, len(posts))
        self._job.kept.save(self._number, part)
        self._number += 1
        self._account = Account()


def whole_bins(span: Span, width: int) -> Span:
    """Return the whole bins of a stretch of time; ``width`` in seconds."""
    return Span(ceil(span.start / width) * width, span.end // width * width)
