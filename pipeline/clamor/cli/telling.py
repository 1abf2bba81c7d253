"""Commands that tell what the lake knows: incidents, status, report."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clamor.cli import common
from clamor.cli.common import Bin, Config, Fail, Json, Lake
from clamor.errors import LakeError

if TYPE_CHECKING:
    import pandas as pd

NOTHING = "nothing is known: lake {!r} holds no verdicts; `clamor run`, `clamor detect` or `clamor demo` make them"


def add(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    commands: list[Callable[..., None]] = [incidents, status, report]
    for command in commands:
        app.command()(command)


def incidents(
    service: Annotated[str | None, typer.Option(help="Only this service.")] = None,
    open_only: Annotated[bool, typer.Option("--open", help="Only those that go on.")] = False,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="As the bins before this time tell [as decided last].")
    ] = None,
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
    store = Store(settings.lake)
    names, at = catalog.load(settings.catalog), common.instant(until, "--until")
    known = store.incidents() if at is None else _known_at(store, names, at)
    if service is not None:
        if service not in names.services and service not in set(known["service"]):
            common.check_services([service], names)
        known = known.loc[[service in row for row in known["services"]]]
    if open_only:
        known = known.loc[known["status"] == "ongoing"]
    known = known.sort_values(["onset_at", "incident_id"], ascending=False)
    if json:
        common.show_json(known.to_dict("records"))
    else:
        rows = [incident_row(row, names) for row in known.to_dict("records")]
        told = _told_at(known) if at is None else f"As the bins before {common.clock(at)} UTC tell"
        common.show_table(rows, title=_title(store, told), empty=_quiet(store, open_only=open_only))
    if fail_on_incident and (known["status"] == "ongoing").any():
        raise typer.Exit(3)
    if fail_on_incident and not store.widths():
        raise LakeError(NOTHING.format(settings.lake))


def _known_at(store: Any, catalog: Any, at: "pd.Timestamp") -> "pd.DataFrame":
    """Return the incidents of every bin width as they stood at a time."""
    import pandas as pd

    from clamor import schema
    from clamor.run.evaluate import as_of

    each = [as_of(store, catalog, at, bin_minutes=minutes) for minutes in store.widths()]
    return pd.concat(each, ignore_index=True) if each else schema.INCIDENTS.empty()


def _told_at(known: "pd.DataFrame") -> str:
    """Say when the incidents were last decided: they are as old as that."""
    import pandas as pd

    if known.empty:
        return ""
    at = known["computed_at"].max()
    return f"As decided at {common.clock(at)} UTC, {_age(pd.Timestamp.now('UTC') - at)}"


def _title(store: Any, text: str) -> str:
    return ". ".join(part for part in ("SYNTHETIC data" if store.synthetic else "", text) if part)


def _quiet(store: Any, *, open_only: bool) -> str:
    if not store.widths():
        return NOTHING.format(store.root)
    return "no incident is open" if open_only else "no incidents known"


def incident_row(row: Mapping[Any, Any], catalog: Any) -> dict[str, Any]:
    """Return the cells of one incident for a table on a terminal."""
    name = catalog.services[row["service"]].name if row["service"] in catalog.services else row["service"]
    others = [s for s in row["services"] if s != row["service"]]
    return {
        "service": name + (f" (+{len(others)}: {', '.join(others)})" if others else ""),
        "scope": row["scope"],
        "regions": _short(list(row["regions"])),
        "start (UTC)": common.clock(row["onset_at"]),
        "end (UTC)": _end(row),
        "symptoms": ", ".join(f"{s['name']} {s['share']:.0%}" for s in list(row["symptoms"])[:4]),
        "severity": row["severity"],
        "excess posts (95%)": _interval(row),
        "id": row["incident_id"],
    }


def _end(row: Mapping[Any, Any]) -> str:
    end = common.clock(row["recovered_at"]) or str(row["status"])
    return f"{end} (new normal)" if row["ending"] == "new normal" else end


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
    """Say what is known now of every service.

    Its state, since when, where, how much was observed, and how old the last data are.
    """
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
        title = _title(store, f"As known at {common.clock(now)} UTC")
        common.show_table(rows, title=title, empty=NOTHING.format(settings.lake))
    if fail_on_incident and (known["state"] == "outage").any():
        raise typer.Exit(3)
    if fail_on_incident and not known["state"].isin(("normal", "elevated")).any():
        raise LakeError(f"lake {settings.lake!r}: nothing is known now of any service; `clamor run` brings news")


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
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the page goes.")] = Path("report.html"),
    since: Annotated[str | None, typer.Option(metavar="TIME", help="First time shown [the newest 2000 bins].")] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="The page of that time [the newest verdict].")
    ] = None,
    bin: Bin = None,
    lake: Lake = None,
    config: Config = None,
) -> None:
    """Write one HTML page that opens offline.

    What failed, where, how badly, and what is not known.
    """
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
