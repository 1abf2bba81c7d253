"""Archives of posts -> counts and coverage: CSV exports, twarc JSON lines, Reddit dumps.

**What an archive proves.** Without a statement, only that somebody gathered posts from its first to its last: its
coverage is ``partial`` from the bin of the first to the bin of the last post of each file. ``covered`` states more: in
that window the archive holds every post it could, so a bin without posts is zero (``ok``); posts outside it are left
out. A monthly Reddit dump (``RS_2026-01.zst``) states its month by its name.

**Where it proves it.** An archive of posts without places is about everywhere, so its coverage lists the world. One
whose posts all have a place, like an export gathered around twelve cities, proves nothing elsewhere, so it lists the
regions that were seen in it. ``covered_regions`` says better. A Reddit dump holds all of its subreddits: the world, and
every service. Of other archives, only the services asked for, else those seen, are covered: a search for one service
proves no zero for another.

**Under which scope.** A file is told by its content, ``file:<sha256>``, so that the same file imported again replaces
its own counts. The files of one call share their ids: a post in two of them is counted once, in one of their scopes,
wherever its copies stand, so that a folder may be imported again whenever it has grown. Files that overlap and are
imported by *different* calls are added up; :func:`overlapping` finds them. Months of monthly dumps share nothing: a
post belongs to the month that it was made in, and what else a dump holds is left out.

A monthly Reddit dump is ``dump:RS:<group>`` (submissions) or ``dump:RC:<group>`` (comments), whatever its file, and
meets the live walks of the same group there; only posts of the group's subreddits, about the group's services, are
counted. Other files of Reddit posts may hold any part of a group, so they are counted as files unless ``groups`` says
that they hold all of it.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import nullcontext
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from clamor.collect import archive_reddit, reddit
from clamor.collect.archive_file import ArchiveFile, recognise
from clamor.collect.archive_intake import Intake, Unit
from clamor.collect.archive_jobs import Progress, reading
from clamor.collect.archive_month import Span, named
from clamor.collect.archive_options import ImportOptions
from clamor.collect.archive_parts import Work
from clamor.collect.archive_read import Job
from clamor.collect.archive_row import zone_named
from clamor.collect.archive_summary import ImportSummary
from clamor.collect.batch import Batch
from clamor.collect.reddit import Group
from clamor.errors import InputError
from clamor.schema import UNKNOWN_REGION
from clamor.text.read import Reader

__all__ = ["ImportOptions", "ImportSummary", "Work", "group_named", "import_files", "overlapping"]


def group_named(text: str, services: Iterable[str]) -> Group:
    """Return a group of subreddits from ``a+b+c`` (``r/`` and letter case aside), which counts these services.

    Raises:
        InputError: a name cannot be a subreddit's.

    """
    names = sorted({name.strip().lower().removeprefix("/").removeprefix("r/") for name in text.split("+")})
    for name in names:
        if not re.fullmatch(r"\w{2,30}", name, re.ASCII):
            raise InputError(f"subreddit {name!r}: letters, digits and _ only; write a group like tiktok+tiktokhelp")
    digest = hashlib.sha256("+".join(names).encode()).hexdigest()[:8]
    return Group(f"named-{digest}", tuple(names), tuple(sorted(services)))


def import_files(
    paths: Iterable[Path],
    *,
    reader: Reader,
    observed_at: float,
    options: ImportOptions | None = None,
    summary: ImportSummary | None = None,
    progress: Progress = lambda done, total, rows: None,
    jobs: int = 1,
    work: Work | None = None,
) -> Iterator[Batch]:
    """Yield the counts of archives, slice of time by slice, each with the attempts that prove just that slice.

    Memory is flat whatever the size and order of the files, some 300 MB a process, beside the window of a packed file
    itself (:func:`~clamor.collect.archive_file.window_of`: 2 GiB for the monthly Reddit dumps, which no reader can do
    without). What is read is kept in a folder, 28 bytes for each post that names a service, until all is given.

    Args:
        paths: Files, packed by gzip, zstd, bzip2, xz or not at all.
        reader: Reads the posts.
        observed_at: Now, seconds since the epoch; a later post is rejected.
        options: How to read them and what they prove.
        summary: Is filled while the batches are taken.
        progress: Called with the bytes read, the bytes of all files, and the rows read in this call.
        jobs: So many files are read at once, each by a process of its own. The results are the same.
        work: Where to keep what is read, so that the same call goes on where it was interrupted: it then begins with
            the ``observed_at`` of the interrupted one and gives the very same batches. The caller clears it when all
            is stored. A temporary folder, which remembers nothing, when None.

    Raises:
        InputError: a file is missing, empty, damaged, truncated, of no known format or encoding, has no usable row or
            naive times; an option names an unknown service or region. Batches yielded before stay right.

    """
    options, summary = options or ImportOptions(), summary if summary is not None else ImportSummary()
    _check(options, reader)
    files = [recognise(Path(path), format=options.format, encoding=options.encoding) for path in paths]
    if not files:
        raise InputError("no file is named; an import reads at least one; name it")
    summary.files = [file.path.name for file in files]
    with TemporaryDirectory() if work is None else nullcontext() as folder:
        work = work or Work(Path(str(folder)))
        units = [_unit(alike, reader, options, observed_at, work) for alike in _apart(files, reader, options)]
        todo = [job for unit in units for job in unit.jobs]
        with reading(todo, reader, jobs, progress) as wait:
            for unit in units:
                for job in unit.jobs:
                    wait(job)
                yield from Intake(unit, reader, options, summary, work).batches()


def _kind(file: ArchiveFile) -> str:
    """Return what kind of file it is: ``posts``, or Reddit's submissions ``RS`` or comments ``RC``."""
    if file.format != "reddit":
        return "posts"
    return "RC" if file.first and archive_reddit.is_comment(file.first) else "RS"


def _apart(files: Iterable[ArchiveFile], reader: Reader, options: ImportOptions) -> Iterator[list[ArchiveFile]]:
    """Yield the files that may share posts, together: those of one kind; of monthly dumps, those of one month."""
    kinds: dict[str, list[ArchiveFile]] = {}
    for file in files:
        kinds.setdefault(_kind(file), []).append(file)
    for alike in kinds.values():
        if options.covered or not (_groups(alike, reader, options) and all(named(file.path) for file in alike)):
            yield alike
            continue
        months: dict[Span | None, list[ArchiveFile]] = {}
        for file in alike:
            months.setdefault(named(file.path), []).append(file)
        yield from (months[month] for month in sorted(months, key=lambda span: span or Span(0, 0)))


def _groups(alike: Sequence[ArchiveFile], reader: Reader, options: ImportOptions) -> dict[str, Group]:
    """Return scope to group; none where each file is a scope of its own that takes all posts."""
    kind, whole = _kind(alike[0]), all(named(file.path) for file in alike)
    if kind == "posts" or (options.groups is None and (options.service or not whole)):
        return {}
    services = options.services or tuple(reader.catalog.services)
    groups = options.groups or reddit.groups(reader.catalog, services)
    walked = reddit.COMMENTS if kind == "RC" else reddit.NEW
    return {f"dump:{kind}:{group.name}": group for group in groups if walked in group.kinds}


def _unit(alike: Sequence[ArchiveFile], reader: Reader, options: ImportOptions, observed_at: float, work: Work) -> Unit:
    """Return how files that may share posts are read."""
    groups = _groups(alike, reader, options)
    routes: dict[str, dict[str, Collection[str] | None]] = {}
    for scope, group in groups.items():
        wanted = options.services or (None if options.service else group.services)
        for name in group.subreddits:
            routes.setdefault(name, {})[scope] = wanted
    how = (options, reader.catalog.version, sorted(groups.items()))
    jobs = [
        Job(file, _kind(file) == "RC", options, routes or None, observed_at, work.of(file.path, *how)) for file in alike
    ]
    source = options.source or ("x" if _kind(alike[0]) == "posts" else "reddit")
    return Unit(tuple(jobs), source, groups)


def overlapping(coverage: pd.DataFrame, fresh: pd.DataFrame) -> list[str]:
    """Return the scopes of files imported before that cover some of the same time for the same source and service.

    Their posts are added to the fresh ones, so a post that is in both files counts twice: both belong into one call.

    Args:
        coverage: Stored rows of COVERAGE.
        fresh: Rows of COVERAGE of this import.

    """
    new = fresh.loc[fresh["scope"].str.startswith("file:")].to_dict("records")
    files = coverage.loc[coverage["scope"].str.startswith("file:") & ~coverage["scope"].isin(fresh["scope"])]
    found = {
        str(then["scope"])
        for then in files.to_dict("records")
        for now in new
        if then["source"] == now["source"] and set(then["services"]) & set(now["services"])
        if then["window_start"] < now["window_end"] and now["window_start"] < then["window_end"]
    }
    return sorted(found)


def _check(options: ImportOptions, reader: Reader) -> None:
    catalog = reader.catalog
    for service in [*([options.service] if options.service else []), *(options.services or ())]:
        if service not in catalog.services:
            near = get_close_matches(service, catalog.services, n=3) or sorted(catalog.services)[:5]
            raise InputError(f"service {service!r}: not in the catalogue; did you mean {' or '.join(near)}?")
    known = {*catalog.regions["region"], UNKNOWN_REGION}
    for region in options.covered_regions or ():
        if region not in known:
            raise InputError(
                f"region {region!r}: not an M49, ISO 3166-1 or ISO 3166-2 code; name one like 001, US, US-MI"
            )
    if options.covered and not options.covered[0] < options.covered[1]:
        raise InputError("covered: its end is not after its start; give START/END")
    if options.bin_minutes < 1:
        raise InputError(f"bin_minutes {options.bin_minutes}: a bin has at least one minute; use 1 or more")
    zone_named(options.timezone)
