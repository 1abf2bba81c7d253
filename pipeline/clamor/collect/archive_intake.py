"""The files that are counted together -> batches, each a slice of time with the attempts that prove just that slice."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from clamor.collect.archive_month import Span, proven
from clamor.collect.archive_options import ImportOptions
from clamor.collect.archive_parts import Account, Part, Work
from clamor.collect.archive_read import OTHER_MONTH, Job, whole_bins
from clamor.collect.archive_reddit import OTHER_SUBREDDIT
from clamor.collect.archive_row import NOT_UTF8, UNREADABLE_TIME, Skip
from clamor.collect.archive_sort import slices
from clamor.collect.archive_summary import ImportSummary
from clamor.collect.batch import Attempt, Batch
from clamor.collect.count import Counter, Posts
from clamor.collect.reddit import Group
from clamor.errors import InputError
from clamor.schema import UNKNOWN_REGION, WORLD, Method, Signal, Status
from clamor.text.read import Reader

_HINTS: Final = {
    OTHER_SUBREDDIT: "name them with --group",
    UNREADABLE_TIME: "times are ISO 8601 with an hour, or seconds since the epoch",
    OTHER_MONTH: "a dump holds the month of its name; rename it",
}
_DETAILS: Final = {Status.OK: "as stated", Status.PARTIAL: "first to last post of a file"}


class Window(NamedTuple):
    """A stretch of time that files prove, seconds since the epoch, the end not in it."""

    start: float
    end: float
    status: Status


@dataclass(frozen=True)
class Unit:
    """Files that share their ids: a post in two of them is counted once.

    Attributes:
        jobs: How each file is read; in the order of their names in messages.
        source: Source name of the counts.
        groups: Scope to group of subreddits; empty where each file is a scope of its own.

    """

    jobs: tuple[Job, ...]
    source: str
    groups: Mapping[str, Group]


class Intake:
    """Counts the files of a unit, which have all been read.

    Args:
        unit: The files.
        reader: Gives the catalogue's version.
        options: What the files state.
        summary: Is added to.
        work: Where posts are sorted that do not fit into memory.

    """

    def __init__(self, unit: Unit, reader: Reader, options: ImportOptions, summary: ImportSummary, work: Work) -> None:
        self._unit, self._options, self._summary, self._work = unit, options, summary, work
        self._width = 60 * options.bin_minutes
        self._counter = Counter(
            reader, source=unit.source, scope="", method=Method.IMPORT, bin_minutes=options.bin_minutes
        )
        begun = [job.begun() for job in unit.jobs]
        self._observed_at = max(observed_at for observed_at, _ in begun)
        self._scopes = [list(unit.groups) or [scope] for _, scope in begun]
        self._windows: dict[str, list[Window]] = {scope: [] for scopes in self._scopes for scope in scopes}
        self._services: set[str] = set()
        self._regions: set[str] = set()
        self._posts = self._unmatched = 0

    def batches(self) -> Iterator[Batch]:
        """Yield the counts of all files.

        Raises:
            InputError: a file gives nothing, or is in another encoding than it was read in.

        """
        for job, scopes in zip(self._unit.jobs, self._scopes, strict=True):
            self._account(job, scopes)
        self._summary.scopes += list(self._windows)
        self._summary.services |= self._services
        self._summary.regions |= self._regions
        if not (self._unit.groups or self._services or self._options.services):
            raise InputError(
                f"{self._unit.jobs[0].file.path}: none of {self._unmatched:,} posts names a known service; "
                "an import counts posts about services; say with --service what they are about"
            )
        since = -inf
        for posts, before, repeats in slices(self._parts(), self._posts, width=self._width, folder=self._work.spill):
            self._counter.put(posts)
            self._summary.duplicates += repeats
            yield from self._given(since, before)
            since = before
        self._summary.posts += self._counter.posts
        self._summary.duplicates += self._counter.duplicates
        self._summary.unplaced += self._counter.unplaced

    def _parts(self) -> Iterator[Posts]:
        for job in self._unit.jobs:
            for part in job.kept.parts(posts=True):
                yield part.posts

    def _account(self, job: Job, scopes: Sequence[str]) -> None:
        """Add what was done with the rows of a file, and what it proves."""
        account, last = Account(), None
        for part in job.kept.parts(posts=False):
            account.add(part.account)
            self._posts += part.size
            self._services |= {said[0] for meaning in part.posts.meanings for said in meaning}
            self._regions |= {said[1] for meaning in part.posts.meanings for said in meaning}
            last = part
        _check(job, account)
        summary = self._summary
        summary.rows += account.rows
        summary.unmatched += account.unmatched
        self._unmatched += account.unmatched
        for reason, (count, where, by_rule) in account.skips.items():
            summary.skip(Skip(reason, 0, by_rule), f"{job.file.path.name}, {where}", count)
        if account.counted:
            first, latest = map(int, account.counted)
            summary.first = first if summary.first is None else min(summary.first, first)
            summary.last = latest if summary.last is None else max(summary.last, latest)
        for window in self._proven(job, account, last):
            for scope in scopes:
                self._windows[scope].append(window)

    def _proven(self, job: Job, account: Account, last: Part | None) -> Iterator[Window]:
        """Yield what a file proves: what was stated, the month of its name, or its first to its last post."""
        if self._options.covered:
            yield Window(*whole_bins(Span(*self._options.covered), self._width), Status.OK)
        elif job.month and last:
            minutes = np.frombuffer(last.minutes, np.uint8)[: int(job.month.end - job.month.start) // 60]
            written_at = job.file.path.stat().st_mtime
            span = proven(job.month, minutes, now=self._observed_at, written_at=written_at)
            if span != job.month:
                shown = f"from {_shown(span.start)} to {_shown(span.end)}" if span else "nothing"
                self._summary.notes.append(f"{job.file.path.name} is not all of its month: it proves {shown}")
            if span and (whole := whole_bins(span, self._width)).start < whole.end:
                yield Window(*whole, Status.OK)
        elif account.seen:
            first, latest = (moment // self._width * self._width for moment in account.seen)
            yield Window(first, latest + self._width, Status.PARTIAL)

    def _given(self, since: float, before: float) -> Iterator[Batch]:
        """Yield what the counter holds of the bins before a time, and what proves it."""
        for volumes, claims, until in self._counter.drain(self._observed_at, before=before):
            attempts = [
                self._attempt(scope, clipped, volumes)
                for scope, windows in self._windows.items()
                for window in joined(windows)
                if (clipped := _clip(window, since, until))
            ]
            if attempts or len(volumes):
                yield Batch(tuple(attempts), volumes=volumes, claims=claims)
            since = until

    def _attempt(self, scope: str, window: Window, volumes: pd.DataFrame) -> Attempt:
        options, group = self._options, self._unit.groups.get(scope)
        asked = options.services or (group.services if group and not options.service else None)
        services = (options.service,) if options.service else tuple(sorted(asked or self._services))
        everywhere = group or UNKNOWN_REGION in self._regions or not self._regions
        regions = options.covered_regions or ((WORLD,) if everywhere else tuple(sorted(self._regions)))
        bins = int((window.end - window.start) // self._width)
        if window.status is Status.PARTIAL:
            bins = int(volumes.loc[volumes["scope"] == scope, "bin_start"].nunique())
        return Attempt(
            source=self._unit.source,
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
            detail=_DETAILS[window.status],
        )


def _check(job: Job, account: Account) -> None:
    """Refuse a file that was read in the wrong encoding or gave nothing."""
    path = job.file.path
    unreadable = account.skips.get(NOT_UTF8, (0, "", False))[0]
    if unreadable > max(2, account.rows // 100):
        raise InputError(
            f"{path}: {unreadable:,} of {account.rows:,} rows are not UTF-8; the text of an archive has one "
            "encoding; name its --encoding, like cp1252"
        )
    if account.seen:
        return
    foreign = account.skips.get(OTHER_MONTH, (0, "", True))[0]
    if account.rows and not account.rejected and not foreign and (job.options.covered or job.month):
        return
    why = ", ".join(f"{reason}: {count:,}" for reason, (count, *_) in sorted(account.skips.items())) or "it has none"
    hint = next((hint for reason, hint in _HINTS.items() if reason in account.skips), "check the file")
    raise InputError(f"{path}: none of its {account.rows:,} rows gives a post ({why}); {hint}")


def joined(windows: Iterable[Window]) -> list[Window]:
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


def _shown(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M UTC")
