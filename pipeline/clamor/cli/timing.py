"""The command that times complaints against what others say: lead-time."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from clamor.cli import common
from clamor.cli.common import Config, Json, Lake
from clamor.errors import InputError


def add(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command("lead-time")(lead_time)


def lead_time(
    service: Annotated[str | None, typer.Option(help="Only this service.")] = None,
    within: Annotated[
        float, typer.Option(metavar="HOURS", help="How far apart a statement and an incident may be.", min=0, max=168)
    ] = 6.0,
    lake: Lake = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Say how much earlier or later complaints spoke than official statements, and than searches.

    Minutes are positive where the complaints came first. Statements come by `clamor import-marks`, searches by
    `clamor import-counts` (Google Trends).
    """
    import pandas as pd

    from clamor import catalog
    from clamor import config as settings_module
    from clamor.run.lead import measure
    from clamor.store import Lake as Store

    settings = settings_module.load(config, lake=lake)
    names = catalog.load(settings.catalog)
    if service is not None:
        common.check_services([service], names)
    leads = measure(Store(settings.lake), service=service, within=pd.Timedelta(hours=within))
    if leads.incidents.empty and leads.unheard.empty and leads.unsaid.empty:
        raise InputError(
            f"lake {settings.lake!r} holds neither incidents nor statements; `clamor detect` finds the ones, "
            "`clamor import-marks` takes in the others"
        )
    if json:
        parts = {name: getattr(leads, name).to_dict("records") for name in ("incidents", "unheard", "unsaid")}
        common.show_json([{"summary": leads.summary(), **parts}])
        return
    common.show_table(
        [_row(row, names) for row in leads.incidents.to_dict("records")],
        title="Complaints beside official statements and searches: minutes above 0 where complaints came first",
        empty="no incident goes with a statement or a surge of searches",
    )
    for title, rows in (
        ("Statements without complaints", leads.unheard.loc[leads.unheard["judged"].astype(bool)]),
        ("Incidents without a statement", leads.unsaid.loc[leads.unsaid["marked"].astype(bool)]),
    ):
        if len(rows):
            common.show_table([_row(row, names) for row in rows.to_dict("records")], title=title)
    for row in leads.summary():
        common.say(_told(row))


def _row(row: Mapping[Any, Any], catalog: Any) -> dict[str, Any]:
    """Return the cells of an incident or a statement for a table on a terminal."""
    cells = {"service": catalog.services[row["service"]].name if row["service"] in catalog.services else row["service"]}
    for name, title in (("onset_at", "onset"), ("alarm_at", "alarm"), ("statement_at", "statement")):
        if name in row:
            cells[f"{title} (UTC)"] = common.clock(row[name])
    for name, title in (("onset", "from onset"), ("alarm", "from alarm"), ("searches", "to searches")):
        if f"{name}_lead_minutes" in row:
            cells[f"{title} (min)"] = _minutes(row[f"{name}_lead_minutes"])
    return cells | {name: row[name] or "" for name in ("statement", "incident_id") if name in row}


def _minutes(value: float) -> str:
    return "" if value != value else f"{value:+.0f}"


def _told(row: Mapping[str, Any]) -> str:
    """Say one row of the summary."""
    if row["low"] is None:
        return f"{row['measure']}: {row['value']}"
    shape = "{:.0%}" if row["measure"].endswith("share") else "{:+.0f}"
    value, low, high = (
        shape.format(row[name]) if abs(row[name]) < float("inf") else "?" for name in ("value", "low", "high")
    )
    return f"{row['measure']}: {value} ({low} to {high}, 95%), of {row['n']}"
