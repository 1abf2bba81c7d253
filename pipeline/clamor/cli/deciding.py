"""Commands that decide and tell: detect, incidents, status, report."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clamor.cli import common
from clamor.cli.common import Bin, Budget, Config, Json, Lake
from clamor.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

Fail = Annotated[bool, typer.Option("--fail-on-incident", help="Exit with 3 while an incident is open.")]


def add(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    commands: list[Callable[..., None]] = [detect, incidents, status, report]
    for command in commands:
        app.command()(command)


def detect(
    counts: Annotated[
        Path | None, typer.Option(help="Your own counts (Parquet, CSV): service, region, bin_start, count.")
    ] = None,
    regions: Annotated[
        Path | None, typer.Option(help="With --counts: region, parent, timezone or utc_offset_h.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="With --counts: where the verdicts go (Parquet, CSV).")] = None,
    eval_start: Annotated[str | None, typer.Option(help="First bin to decide; earlier ones only teach.")] = None,
    bin: Bin = None,
    budget: Budget = None,
    lake: Lake = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Decide every bin: of the lake, or of your own counts.

    Without --counts the lake's volumes are judged, and its flags and incidents are replaced from --eval-start on.
    """
    from clamor import config as settings_module

    settings = settings_module.load(config, lake=lake, bin=bin, budget=budget)
    width = settings.bin_minutes
    start = common.instant(eval_start, "--eval-start")
    if counts is not None:
        _detect_counts(counts, regions, out, width, start, settings.budget)
        return
    if regions is not None or out is not None:
        raise InputError("--regions and --out go with --counts FILE; without it verdicts go to the lake")
    decided = _detect_lake(settings, width, start)
    found = decided.incidents
    open_now = int((found["status"] == "ongoing").sum())
    line = f"{len(decided.flags):,} bins decided from {common.clock(decided.start)} to {common.clock(decided.end)} UTC"
    common.say(f"{line}; {len(found)} incidents known, {open_now} ongoing: see `clamor incidents`")
    if json:
        states = decided.flags.groupby(["source", "service", "state"]).size().rename("bins").reset_index()
        common.show_json(states.to_dict("records"))


def _detect_counts(
    counts: Path,
    regions: Path | None,
    out: Path | None,
    bin_minutes: int,
    start: "pd.Timestamp | None",
    budget: float,
) -> None:
    from clamor import frames, schema
    from clamor.detect import detect as judge

    if out is None:
        raise InputError("--counts needs --out FILE: a verdict for every bin is too much for a screen; name one")
    tree = frames.regions(regions) if regions is not None else None
    verdicts = judge(frames.counts(counts), tree, bin_minutes=bin_minutes, eval_start=start, budget=budget)
    frames.write(verdicts[list(schema.VERDICT_COLUMNS)], out)
    flagged = int(verdicts["flag"].sum())
    common.say(f"{out}: {len(verdicts):,} bins, {flagged:,} flagged, at {budget} false incidents a series-week")


def _detect_lake(settings: Any, bin_minutes: int, start: "pd.Timestamp | None") -> Any:
    import pandas as pd

    from clamor import catalog
    from clamor.run.evaluate import evaluate
    from clamor.store import Lake as Store

    decided = evaluate(
        Store(settings.lake),
        catalog.load(settings.catalog),
        now=pd.Timestamp.now("UTC").as_unit("us"),
        bin_minutes=bin_minutes,
        budget=settings.budget,
        start=start,
    )
    if decided is None:
        raise InputError(
            f"lake {settings.lake!r} holds nothing to decide; `clamor import`, `clamor run` or `clamor demo` fill it"
        )
    return decided


def incidents(
    service: Annotated[str | None, typer.Option(help="Only this service.")] = None,
    open_only: Annotated[bool, typer.Option("--open", help="Only those that go on.")] = False,
    fail_on_incident: Fail = False,
    lake: Lake = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """List the incidents known to the lake, newest first."""
    from clamor import catalog
    from clamor import config as settings_module
    from clamor.store import Lake as Store

    settings = settings_module.load(config, lake=lake)
    known = Store(settings.lake).incidents()
    names = catalog.load(settings.catalog)
    if service is not None:
        if service not in names.services and service not in set(known["service"]):
            raise InputError(f"--service {service!r} is not in the catalogue; see `clamor catalog services`")
        known = known.loc[[service in row for row in known["services"]]]
    if open_only:
        known = known.loc[known["status"] == "ongoing"]
    known = known.sort_values(["onset_at", "incident_id"], ascending=False)
    if json:
        common.show_json(known.to_dict("records"))
    else:
        common.show_table([incident_row(row, names) for row in known.to_dict("records")], empty="no incidents known")
    if fail_on_incident and (known["status"] == "ongoing").any():
        raise typer.Exit(3)


def incident_row(row: Mapping[Any, Any], catalog: Any) -> dict[str, Any]:
    """Return the cells of one incident for a table on a terminal."""
    name = catalog.services[row["service"]].name if row["service"] in catalog.services else row["service"]
    others = [s for s in row["services"] if s != row["service"]]
    return {
        "service": name + (f" (+{len(others)}: {', '.join(others)})" if others else ""),
        "scope": row["scope"],
        "regions": _short(list(row["regions"])),
        "start (UTC)": common.clock(row["onset_at"]),
        "end (UTC)": common.clock(row["recovered_at"]) or str(row["status"]),
        "symptoms": ", ".join(f"{s['name']} {s['share']:.0%}" for s in list(row["symptoms"])[:4]),
        "severity": row["severity"],
        "excess posts (95%)": _interval(row),
        "id": row["incident_id"],
    }


def _short(regions: list[str], most: int = 8) -> str:
    return " ".join(regions[:most]) + (f" +{len(regions) - most}" if len(regions) > most else "")


def _interval(row: Mapping[Any, Any]) -> str:
    import pandas as pd

    if pd.isna(row["excess_posts"]):
        return "not known"
    return f"{row['excess_posts']:,.0f} ({row['excess_low_posts']:,.0f} to {row['excess_high_posts']:,.0f})"


def status(
    fail_on_incident: Fail = False,
    bin: Bin = None,
    lake: Lake = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Say what is known now of every service: state, since when, where, coverage, age of the last data."""
    import pandas as pd

    from clamor import catalog, report
    from clamor import config as settings_module
    from clamor.run.show import recent_flags
    from clamor.store import Lake as Store

    settings = settings_module.load(config, lake=lake, bin=bin)
    store, names = Store(settings.lake), catalog.load(settings.catalog)
    now = pd.Timestamp.now("UTC").as_unit("us")
    flags = recent_flags(store, bin_minutes=settings.bin_minutes, explicit=bin is not None, until=now)
    known = report.status(flags, now=now, incidents=store.incidents(), regions=names.regions)
    if json:
        common.show_json(known.to_dict("records"))
    else:
        rows = [_status_row(row, names, now) for row in known.to_dict("records")]
        common.show_table(rows, title=f"As known at {common.clock(now)} UTC", empty=_NOTHING.format(settings.lake))
    if fail_on_incident and (known["state"] == "outage").any():
        raise typer.Exit(3)


_NOTHING = "nothing is known: lake {!r} holds no verdicts; `clamor run`, `clamor detect` or `clamor demo` make them"


def _status_row(row: Mapping[Any, Any], catalog: Any, now: "pd.Timestamp") -> dict[str, Any]:
    import pandas as pd

    service = row["service"]
    age = "no data" if pd.isna(row["last_data_at"]) else _age(now - row["last_data_at"])
    return {
        "service": catalog.services[service].name if service in catalog.services else service,
        "state": str(row["state"]),
        "since (UTC)": common.clock(row["since"]),
        "where": _short(list(row["regions"])),
        "coverage": "" if pd.isna(row["coverage"]) else f"{row['coverage']:.0%}",
        "last data": age,
        "incident": row["incident_id"] if isinstance(row["incident_id"], str) else "",
    }


def _age(age: "pd.Timedelta") -> str:
    minutes = int(age.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 2880 else f"{minutes // 1440} days ago"


def report(
    out: Annotated[Path, typer.Option(help="Where the page goes.")] = Path("report.html"),
    since: Annotated[str | None, typer.Option(help="First time shown [a week of the newest verdicts].")] = None,
    until: Annotated[str | None, typer.Option(help="End of what is shown [the newest verdict].")] = None,
    bin: Bin = None,
    lake: Lake = None,
    config: Config = None,
) -> None:
    """Write one HTML page that opens offline: what failed, where, how badly, and what is not known."""
    from clamor import catalog
    from clamor import config as settings_module
    from clamor.run import show
    from clamor.store import Lake as Store

    settings = settings_module.load(config, lake=lake, bin=bin)
    page = show.page(
        Store(settings.lake),
        catalog.load(settings.catalog),
        bin_minutes=settings.bin_minutes,
        explicit=bin is not None,
        since=common.instant(since, "--since"),
        until=common.instant(until, "--until"),
    )
    show.write_page(page, out)
    common.say(f"{out}: {len(page) / 1e6:.1f} MB; open it in any browser, no network needed")
