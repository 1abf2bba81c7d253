"""Commands that read files into the lake: import, import-counts, import-marks."""

import time
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from clamor.cli import common
from clamor.cli.common import Config, Json, Lake
from clamor.errors import InputError

Files = Annotated[list[Path], typer.Argument(metavar="FILE", show_default=False)]
Timezone = Annotated[
    str | None, typer.Option(metavar="ZONE", help="What naive times mean, as UTC or America/New_York.")
]
Columns = Annotated[list[str] | None, typer.Option(metavar="NAME=HEADING", help="Column by its heading (repeat it).")]
Encoding = Annotated[str | None, typer.Option(help="Text encoding [UTF-8, or as marked].")]
_FIRST_POST: Final = 1_104_537_600
"""2005: Reddit's first year."""
_LARGE_WINDOW: Final = 256 << 20


def add(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command("import")(import_)
    app.command("import-counts")(import_counts)
    app.command("import-marks")(import_marks)


def import_(
    files: Files,
    service: Annotated[str | None, typer.Option(help="Every post is about this service [the text says].")] = None,
    source: Annotated[str | None, typer.Option(help="Source to store under [x, or reddit for dumps].")] = None,
    format: Annotated[str | None, typer.Option(help="csv, twarc or reddit [told from the content].")] = None,
    column: Columns = None,
    timezone: Timezone = None,
    covered: Annotated[
        str | None,
        typer.Option(metavar="START/END", help="What the files prove, as 2026-01-01/2026-02-01 [first to last post]."),
    ] = None,
    region: Annotated[list[str] | None, typer.Option(help="Regions that the files prove (repeat it).")] = None,
    group: Annotated[
        list[str] | None, typer.Option(metavar="A+B+C", help="Reddit: subreddits that a dump holds (repeat it).")
    ] = None,
    delimiter: Annotated[str | None, typer.Option(help="CSV delimiter [told from the content].")] = None,
    encoding: Encoding = None,
    jobs: Annotated[
        int | None, typer.Option(help="Files read at once [one a core, as far as memory allows].", min=1)
    ] = None,
    lake: Lake = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Turn archives of posts into volumes and coverage. Importing a file again changes nothing.

    FILEs are CSV exports, twarc JSON lines or Reddit dumps (NDJSON), packed by gzip, zstd, bzip2 or xz, or not. An
    import that was interrupted goes on where it was when it is run again.
    """
    from clamor import catalog
    from clamor import config as settings_module
    from clamor.collect.archive import ImportOptions, group_named

    settings = settings_module.load(config, lake=lake)
    names = catalog.load(settings.catalog)
    common.check_services([service] if service is not None else [], names)
    common.check_regions(region or [], names)
    options = ImportOptions(
        service=service,
        source=source,
        format=format,
        columns=common.pairs(column),
        timezone=timezone,
        covered=_window(covered),
        covered_regions=tuple(region) if region else None,
        groups=tuple(group_named(text, list(names.services)) for text in group) if group else None,
        delimiter=delimiter,
        encoding=encoding,
    )
    _import(files, options, settings, names, processes=_processes(files, jobs), json=json)


def import_counts(
    files: Files,
    form: Annotated[str | None, typer.Option(help="xcounts, table, chart or trends [told from the content].")] = None,
    source: Annotated[
        str | None, typer.Option(help="Source to store under [x, counts, reports or google_trends, by form].")
    ] = None,
    service: Annotated[str | None, typer.Option(help="Of numbers that name no service.")] = None,
    region: Annotated[str | None, typer.Option(help="Of numbers that name no region [001].")] = None,
    signal: Annotated[str, typer.Option(help="What was counted: complaint, commentary or mention.")] = "complaint",
    column: Columns = None,
    timezone: Timezone = None,
    encoding: Encoding = None,
    lake: Lake = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Put counts that others made into the lake.

    FILEs are X count answers (JSON lines), tables (CSV or Parquet: service, region, bin_start, count), the JSON of a
    report chart ([{"x": time, "y": count}, ...]) or CSV exports of Google Trends. They are a source of their own. To
    judge counts without a lake, see `clamor detect --counts`.
    """
    from clamor import catalog
    from clamor import config as settings_module
    from clamor.collect import archive_counts
    from clamor.collect.archive import ImportSummary
    from clamor.schema import Signal
    from clamor.store import Lake as Store

    settings = settings_module.load(config, lake=lake)
    names = catalog.load(settings.catalog)
    common.check_services([service] if service is not None else [], names)
    common.check_regions([region] if region is not None else [], names)
    if signal not in list(Signal):
        raise InputError(f"--signal {signal!r}: a count is of complaint, commentary or mention; name one")
    options = archive_counts.CountOptions(
        form=form,
        source=source,
        service=service,
        region=region,
        signal=Signal(signal),
        timezone=timezone,
        columns=common.pairs(column),
        encoding=encoding,
    )
    summary = ImportSummary()
    batches = archive_counts.import_counts(
        files, catalog=names, observed_at=time.time(), options=options, summary=summary
    )
    _store(Store(settings.lake), batches, summary, json=json, things="bins")


def import_marks(
    files: Files,
    source: Annotated[str, typer.Option(help="Name of who says it.")] = "status_page",
    service: Annotated[str | None, typer.Option(help="Of statements that name no service.")] = None,
    timezone: Timezone = None,
    lake: Lake = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Put official statements of outages into the lake.

    They are shown on the timeline and are never evidence. FILEs are histories of status pages: CSV (service, time,
    status, url), JSON or Atom.
    """
    from clamor import catalog, schema
    from clamor import config as settings_module
    from clamor.collect.archive import ImportSummary
    from clamor.collect.archive_marks import read_marks
    from clamor.store import Lake as Store

    settings = settings_module.load(config, lake=lake)
    names = catalog.load(settings.catalog)
    common.check_services([service] if service is not None else [], names)
    summary = ImportSummary()
    marks = read_marks(
        files,
        catalog=names,
        observed_at=time.time(),
        source=source,
        service=service,
        timezone=timezone,
        summary=summary,
    )
    Store(settings.lake).append(schema.MARKS, marks)
    _tell(
        summary,
        f"{len(marks):,} marks in lake {settings.lake!r}; next: `clamor report`",
        len(marks),
        json=json,
        things="marks",
    )


def _import(files: list[Path], options: Any, settings: Any, names: Any, *, processes: int, json: bool) -> None:
    """Read and store, from where an earlier call was interrupted; keep what was read until all is stored."""
    from clamor.collect.archive import ImportSummary, Work, import_files
    from clamor.run.imports import OnceLake
    from clamor.text.read import Reader

    summary = ImportSummary()
    store = OnceLake(settings.lake, lambda: work.resumed)
    work = Work(store.scratch("importing"))
    try:
        with _Progress() as progress:
            batches = import_files(
                files,
                reader=Reader(names),
                observed_at=time.time(),
                options=options,
                summary=summary,
                progress=progress,
                jobs=processes,
                work=work,
            )
            _store(store, batches, summary, json=json)
    except InputError:
        work.clear(keep=True)
        raise
    work.clear()


def _processes(files: list[Path], jobs: int | None) -> int:
    """Return how many files to read at once; say it where unpacking one takes much memory."""
    import os

    from clamor.collect.archive_file import window_of
    from clamor.collect.archive_jobs import processes_for

    windows = [window_of(path) for path in files]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    processes = jobs or processes_for(windows, cores=cores, memory=memory)
    if max(windows) >= _LARGE_WINDOW:
        common.say(
            f"clamor: to unpack {files[windows.index(max(windows))].name} takes {max(windows) / 2**30:.1f} GiB of "
            f"memory, its zstd window, whoever reads it; {processes} of the files are read at once"
        )
    return processes


def _store(store: Any, batches: Any, summary: Any, *, json: bool, things: str = "posts") -> None:
    """Store what an import yields and give the account of it; warn of posts that other imports may hold too."""
    from clamor.collect.archive import overlapping
    from clamor.collect.batch import Attempt, coverage
    from clamor.run.ingest import ingest

    known, attempts = store.coverage(), list[Attempt]()

    def note(batch: Any) -> None:
        attempts.extend(attempt for attempt in batch.attempts if attempt.scope.startswith("file:"))

    done = ingest(store, batches, on_batch=note)
    others = overlapping(known, coverage(attempts))
    if others:
        common.say(
            f"clamor: posts of the same time and services were imported before from {len(others)} other file(s); both "
            "are counted: if they hold the same posts, start a new lake and name all files in one import"
        )
    _tell(
        summary,
        f"{done.rows:,} new or changed rows in lake {store.root!r}; next: `clamor detect`",
        done.rows,
        json=json,
        things=things,
    )


def _tell(summary: Any, line: str, rows: int, *, json: bool, things: str) -> None:
    for text in summary.lines(things):
        common.say(text)
    if json:
        common.show_json([{**summary.as_dict(), "rows_stored": rows}])
    else:
        common.say(line)


def _window(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    first, slash, last = text.partition("/")
    if not slash:
        raise InputError(f"--covered {text!r}: write START/END, as 2026-01-01/2026-02-01; the end is not included")
    start, end = (common.instant(part, "--covered") for part in (first, last))
    if start >= end:
        raise InputError(f"--covered {text!r}: the end is not after the start; swap them")
    if start.timestamp() < _FIRST_POST or end.timestamp() > time.time():
        raise InputError(f"--covered {text!r}: no post is older than 2005 or newer than now; state what the files hold")
    return start.timestamp(), end.timestamp()


class _Progress(common.Progress):
    """How far files are read, on stderr, only where stderr is a terminal: bytes, rows a second, time left."""

    def __init__(self) -> None:
        super().__init__("reading")
        self._began = time.monotonic()

    def _columns(self, label: str) -> list[Any]:
        from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn

        rate = TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,.0f}/s")
        return [TextColumn(label), BarColumn(), DownloadColumn(), rate, TimeRemainingColumn()]

    def __call__(self, done: float, total: float, rows: int = 0) -> None:
        """Move the bar: bytes read, bytes of all files, rows read."""
        if self._shown:
            rate = rows / max(1e-3, time.monotonic() - self._began)
            self._bar.update(self._task, completed=done, total=total, rows=rows, rate=rate)
