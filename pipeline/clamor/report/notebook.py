"""Charts for notebooks: the page's charts with their data inside."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from clamor import schema
from clamor.errors import InputError
from clamor.report import drawn
from clamor.report.cards import ranked
from clamor.report.geography import EVERY_SERVICE, land, map_rows
from clamor.report.status import roots
from clamor.report.window import window
from clamor.report.words import Names

if TYPE_CHECKING:
    from clamor.report.charts import Drawing


def chart(
    flags: pd.DataFrame,
    incidents: pd.DataFrame | None = None,
    *,
    service: str,
    region: str | None = None,
    source: str | None = None,
    marks: pd.DataFrame | None = None,
) -> "Drawing":
    """Draw one service's posts against the expected band; gaps stay gaps, incidents are shaded, time is UTC.

    Args:
        flags: Rows of FLAGS, or ``detect``'s answer.
        incidents: Rows of INCIDENTS to be shaded.
        service: Service id.
        region: Region; without it the broadest of the service.
        source: Source; without it the one with the most bins observed.
        marks: Rows of MARKS to be shown.

    Returns:
        An Altair chart. At most 1,000 points are drawn: of several bins the worst.

    Raises:
        InputError: there is no such series.

    """
    from clamor.report import charts

    view = window(flags)
    rows = view.counted[view.counted["service"] == service]
    chosen = (
        region if region is not None else min(roots(set(rows["region"]), {}), default="", key=lambda r: (r != "001", r))
    )
    rows = rows[rows["region"] == chosen]
    rows = rows if source is None else rows[rows["source"] == source]
    if rows.empty:
        raise InputError(
            f"chart: no series of service {service!r}, region {chosen!r}, source {source or 'any'!r} in flags; "
            "see flags[['source', 'service', 'region']].drop_duplicates()"
        )
    row = int(rows.index[int(rows["observed"].argmax())])
    mine = [i for i in ranked(incidents) if service in (i["service"], *i["services"])]
    said = schema.MARKS.empty() if marks is None else marks
    data = {
        "bins": drawn.points(view, row, 1000),
        "gaps": drawn.gaps(view, row),
        "shades": drawn.shades(mine, view),
        "marks": drawn.statements(said[said["service"] == service], view.first, view.end),
    }
    title = f"{service}, {chosen}, {view.series['source'].iloc[row]}: posts per {view.bin_minutes} min"
    made = charts.posts({name: charts.values(columns) for name, columns in data.items()}, height=220)
    return charts.finished(made, title=title)


def timeline(
    incidents: pd.DataFrame,
    *,
    marks: pd.DataFrame | None = None,
    now: pd.Timestamp | None = None,
    services: Mapping[str, object] | None = None,
    regions: pd.DataFrame | None = None,
) -> "Drawing":
    """Draw incidents from onset to recovery, with the intervals of both; ongoing ones run on to ``now``.

    Args:
        incidents: Rows of INCIDENTS; withdrawn ones are left out.
        marks: Rows of MARKS, drawn on the row of their service's latest incident.
        now: End of the axis; without it the newest time in ``incidents``.
        services: Service id to display name.
        regions: ``region, name``.

    Raises:
        InputError: there is no incident to draw.

    """
    from clamor.report import charts

    drawn_rows = sorted(ranked(incidents), key=lambda i: i["onset_at"])
    if not drawn_rows:
        raise InputError("timeline: no incident that stands in incidents; nothing to draw; check report.status instead")
    low = min(i["onset_low_at"] for i in drawn_rows)
    newest = max(i["last_seen_at"] for i in drawn_rows)
    high = max(t for t in (now, newest, *(i["recovered_at"] for i in drawn_rows)) if t is not None and not pd.isna(t))
    low -= (high - low) * 0.05
    said = schema.MARKS.empty() if marks is None else marks
    data = drawn.timeline(drawn_rows, said, Names(services, regions), low, high)
    made = charts.timeline({name: charts.values(columns) for name, columns in data.items()}, rows=len(drawn_rows))
    return charts.finished(made)


def map_chart(
    flags: pd.DataFrame,
    regions: pd.DataFrame,
    *,
    service: str | None = None,
    services: Mapping[str, object] | None = None,
    now: pd.Timestamp | None = None,
) -> "Drawing":
    """Draw the countries by their worst state in the window; with ``now`` by their state at that time.

    Args:
        flags: Rows of FLAGS, or ``detect``'s answer.
        regions: ``region, parent, name, iso_numeric``: the catalogue's.
        service: One service; without it the worst of all.
        services: Service id to display name.
        now: The time whose state is asked for, UTC.

    Raises:
        InputError: no region is a country of the map, or there is no such service.

    """
    from clamor.report import charts

    view = window(flags, now)
    at = view.end if now is None else now
    columns = map_rows(view, regions, Names(services, regions), at, [] if service is None else [service])
    wanted = (service or EVERY_SERVICE, "worst" if now is None else "now")
    rows = [] if columns is None else [r for r in drawn.rows(columns) if (r["service"], r["when"]) == wanted]
    if not rows:
        raise InputError(f"map_chart: no country of {service or 'any service'!r} in flags; regions need iso_numeric")
    made = charts.world({"land": charts.topology(land()), "states": charts.records(rows)}, choice=False)
    return charts.finished(made, height=360)
