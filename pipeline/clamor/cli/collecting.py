"""Commands that bring posts and counts into the lake: import, run, backfill."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from clamor.cli import common
from clamor.cli.common import Bin, Budget, Config, Json, Lake
from clamor.errors import ConfigError, InputError

Services = Annotated[list[str] | None, typer.Option("--service", help="Only these services (repeat it).")]


def add(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command("import")(import_)
    commands: list[Callable[..., None]] = [run, backfill]
    for command in commands:
        app.command()(command)


def import_(
    files: Annotated[list[Path], typer.Argument(help="CSV, twarc JSONL, Reddit dump (NDJSON, .zst), any of them .gz.")],
    service: Annotated[str | None, typer.Option(help="Every post is about this service; else the text says.")] = None,
    source: Annotated[str | None, typer.Option(help="Source to store under [x, or reddit for dumps].")] = None,
    format: Annotated[str | None, typer.Option(help="csv, twarc or reddit [told from the content].")] = None,
    column: Annotated[list[str] | None, typer.Option(help="CSV column, as text=body (repeat it).")] = None,
    timezone: Annotated[str | None, typer.Option(help="What naive times mean, as UTC or America/New_York.")] = None,
    covered: Annotated[
        str | None, typer.Option(help="START/END that the files prove, as 2026-01-01/2026-02-01.")
    ] = None,
    region: Annotated[list[str] | None, typer.Option(help="Regions that the files prove (repeat it).")] = None,
    group: Annotated[
        list[str] | None, typer.Option(help="Reddit: subreddits of the dump, as a+b+c (repeat it).")
    ] = None,
    delimiter: Annotated[str | None, typer.Option(help="CSV delimiter [told from the content].")] = None,
    encoding: Annotated[str | None, typer.Option(help="Text encoding [UTF-8, or as marked].")] = None,
    lake: Lake = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Turn archives of posts into volumes and coverage. Importing a file again changes nothing."""
    import time

    from clamor import catalog
    from clamor import config as settings_module
    from clamor.collect.archive import ImportOptions, ImportSummary, group_named, import_files
    from clamor.run.ingest import ingest
    from clamor.store import Lake as Store
    from clamor.text.read import Reader

    settings = settings_module.load(config, lake=lake)
    names = catalog.load(settings.catalog)
    _known([service] if service else [], names)
    options = ImportOptions(
        service=service,
        source=source,
        format=format,
        columns=_columns(column or []),
        timezone=timezone,
        covered=_window(covered),
        covered_regions=_regions(region or [], names),
        groups=tuple(group_named(text, list(names.services)) for text in group) if group else None,
        delimiter=delimiter,
        encoding=encoding,
    )
    summary = ImportSummary()
    with common.Progress("import") as progress:
        batches = import_files(
            files, reader=Reader(names), observed_at=time.time(), options=options, summary=summary, progress=progress
        )
        done = ingest(Store(settings.lake), batches)
    for line in summary.lines():
        common.say(line)
    if json:
        common.show_json([{**summary.as_dict(), "rows_stored": done.rows}])
    else:
        common.say(f"{done.rows:,} new or changed rows in lake {settings.lake!r}; next: `clamor detect`")


def _columns(pairs: list[str]) -> dict[str, str]:
    columns = {}
    for pair in pairs:
        name, equals, heading = pair.partition("=")
        if not equals or not heading:
            raise InputError(f"--column {pair!r}: write NAME=HEADING, as text=body or created_at=date")
        columns[name.strip()] = heading.strip()
    return columns


def _window(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    first, slash, last = text.partition("/")
    if not slash:
        raise InputError(f"--covered {text!r}: write START/END, as 2026-01-01/2026-02-01; the end is not included")
    start, end = (common.instant(part, "--covered") for part in (first, last))
    if start >= end:
        raise InputError(f"--covered {text!r}: the end is not after the start; swap them")
    return start.timestamp(), end.timestamp()


def _regions(codes: list[str], catalog: Any) -> tuple[str, ...] | None:
    known = set(catalog.regions["region"])
    for code in codes:
        if code not in known:
            raise InputError(f"--region {code!r} is not a region code; use 001, ISO 3166-1 (US) or ISO 3166-2 (US-MI)")
    return tuple(codes) or None


def _known(services: list[str], catalog: Any) -> None:
    import difflib

    for service in services:
        if service not in catalog.services:
            near = difflib.get_close_matches(service, list(catalog.services), n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else "`clamor catalog services` lists them"
            raise InputError(f"--service {service!r} is not in the catalogue; {hint}")


def run(
    service: Services = None,
    report: Annotated[Path | None, typer.Option(help="Also write the page to this file.")] = None,
    fail_on_incident: Annotated[bool, typer.Option(help="Exit with 3 while an incident is open.")] = False,
    bin: Bin = None,
    budget: Budget = None,
    lake: Lake = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Collect from the live services, decide, and report. Safe to repeat: run it from cron every 15 minutes."""
    from clamor import catalog
    from clamor import config as settings_module
    from clamor.cli.deciding import incident_row
    from clamor.collect.clock import SystemClock
    from clamor.run import live, show
    from clamor.store import Lake as Store
    from clamor.text.read import Reader

    settings = settings_module.load(config, lake=lake, bin=bin, budget=budget, services=service or None)
    clients = _clients(settings)
    names = catalog.load(settings.catalog)
    _known(list(settings.services), names)
    store = Store(settings.lake)
    outcome = live.once(store, names, Reader(names), settings, clients, SystemClock())
    for problem in outcome.problems:
        common.say(f"clamor: {problem}")
    for name, done in outcome.collected.items():
        common.say(f"{name}: {done.requests} requests, about ${done.cost_usd:.2f}, {done.rows:,} new or changed rows")
    failed = all(
        done.failed and not any(done.attempts.get(s) for s in ("ok", "partial")) for done in outcome.collected.values()
    )
    decided = outcome.decided
    rows = [] if decided is None else decided.incidents.to_dict("records")
    ongoing = [row for row in rows if row["status"] == "ongoing"]
    if json:
        common.show_json(ongoing)
    else:
        common.show_table([incident_row(row, names) for row in ongoing], empty="no incident is open")
    if report is not None and decided is not None:
        page = show.page(store, names, bin_minutes=settings.bin_minutes)
        show.write_page(page, report)
        common.say(f"{report}: written")
    if failed:
        raise typer.Exit(1)
    if fail_on_incident and ongoing:
        raise typer.Exit(3)


def _clients(settings: Any) -> Any:
    """Open what there are credentials for; say what is missing, and refuse where nothing is left."""
    from clamor import config as settings_module
    from clamor.run.live import open_clients

    missing = settings.missing()
    lacking = [name for names in missing.values() for name in names]
    if all(missing.values()):
        raise ConfigError(
            "no credentials, so there is nothing to collect from; set these (or the same in clamor.toml):\n"
            f"{settings_module.how_to_get(lacking)}\n"
            "One source is enough. `clamor demo` and `clamor import` need no credentials."
        )
    for source, names in missing.items():
        if names:
            common.say(f"{source} is left out: {', '.join(names)} not set\n{settings_module.how_to_get(names)}")
    return open_clients(settings)


def backfill(
    since: Annotated[str, typer.Option(help="First day, as 2026-10-01.")],
    until: Annotated[str | None, typer.Option(help="End [now].")] = None,
    service: Services = None,
    lake: Lake = None,
    config: Config = None,
) -> None:
    """Fetch X's counts of the past (counts/all, 31 days a page). Interrupted, it goes on where it stopped."""
    from clamor import catalog
    from clamor import config as settings_module
    from clamor.collect import x
    from clamor.collect.clock import SystemClock
    from clamor.run import live
    from clamor.run.ingest import ingest, read_state
    from clamor.store import Lake as Store

    settings = settings_module.load(config, lake=lake, services=service or None)
    if settings.missing()["x"]:
        raise ConfigError(
            f"counts of the past come from X, and its credentials are missing:\n"
            f"{settings_module.how_to_get(settings.missing()['x'])}\n"
            "For Reddit's past import a dump with `clamor import`."
        )
    names = catalog.load(settings.catalog)
    _known(list(settings.services), names)
    store = Store(settings.lake)
    state = read_state(store, "x")
    end = common.instant(until, "--until")
    batches = x.backfill(
        live.open_clients(settings).x,
        names,
        services=list(settings.services or names.services),
        countries=settings.x.countries,
        since=common.instant(since, "--since").timestamp(),
        until=None if end is None else end.timestamp(),
        state=state,
        clock=SystemClock(),
        budget=live.money(settings),
    )
    done = ingest(store, batches, state=("x", state))
    for problem in done.problems:
        common.say(f"clamor: {problem}")
    common.say(f"x: {done.requests} requests, about ${done.cost_usd:.2f}, {done.rows:,} new or changed rows")
    if done.failed:
        raise typer.Exit(1)
