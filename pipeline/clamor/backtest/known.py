"""Incidents that a user knows of: checked, and turned into events to compare with."""

from typing import Final

import pandas as pd

from clamor.errors import InputError
from clamor.incidents.scope import Tree

LABELS: Final = ("service", "region", "start_at", "end_at")
"""Columns of known incidents."""
APART: Final = pd.Timedelta(days=1)
"""Regions that failed further apart than this did not fail in one incident."""


def events_of(labels: pd.DataFrame, counts: pd.DataFrame, regions: pd.DataFrame | None = None) -> pd.DataFrame:
    """Turn known incidents into events to compare with, one row each.

    Args:
        labels: ``service, region, start_at, end_at`` and perhaps ``event_id, note``.
        counts: The history: its services and regions are those that can be meant.
        regions: ``region, parent``; without it codes are placed by their form.

    Raises:
        InputError: a column is missing, times are naive or end before they begin, the service or the region is not in
            the history, or one ``event_id`` names several services or times that lie days apart.

    """
    _check_columns(labels)
    _check_names(labels, counts, Tree.of(regions))
    named = labels if "event_id" in labels else labels.assign(event_id=[f"e{i + 1}" for i in range(len(labels))])
    grouped = named.groupby("event_id", sort=False)
    mixed = grouped["service"].nunique()
    if (mixed > 1).any():
        raise InputError(
            f"known incidents: event_id {mixed.index[mixed > 1][0]!r} has several services; give each its own"
        )
    _check_parts(named)
    return grouped.agg(
        service=("service", "first"),
        regions=("region", lambda values: tuple(sorted(set(values)))),
        start_at=("start_at", "min"),
        end_at=("end_at", "max"),
        note=("note" if "note" in named else "service", "first"),
    ).reset_index()


def _check_columns(labels: pd.DataFrame) -> None:
    for name in LABELS:
        if name not in labels:
            raise InputError(f"known incidents: column {name!r} is missing; they need {', '.join(LABELS)}; add it")
    for name in ("start_at", "end_at"):
        if getattr(labels[name].dtype, "tz", None) is None:
            raise InputError(
                f"known incidents: {name} has naive times; every time is UTC by type; add an offset such as Z"
            )
    backwards = labels.loc[labels["end_at"] <= labels["start_at"]]
    if len(backwards):
        row = backwards.iloc[0]
        raise InputError(
            f"known incident of {row['service']!r} from {row['start_at']} ends at {row['end_at']}; "
            "it ends after it starts; mend its times"
        )
    if "event_id" in labels and labels["event_id"].isna().any():
        raise InputError("known incidents: event_id is empty in some rows; fill it in all, or drop the column")


def _check_parts(named: pd.DataFrame) -> None:
    """Refuse an incident whose rows lie days apart: all between them would count as part of it."""
    rows = named.sort_values("start_at", kind="stable")
    ended = rows.groupby("event_id")["end_at"].cummax().groupby(rows["event_id"]).shift()
    apart = rows.loc[rows["start_at"] - ended > APART, "event_id"]
    if len(apart):
        raise InputError(
            f"known incidents: event_id {apart.iloc[0]!r} has parts more than a day apart; give each its own"
        )


def _check_names(labels: pd.DataFrame, counts: pd.DataFrame, tree: Tree) -> None:
    strange = set(labels["service"]) - set(counts["service"])
    if strange:
        raise InputError(f"known incidents: service {min(strange)!r} is not in the history; remove it or fix its name")
    there = sorted(set(counts["region"]))
    for region in sorted(set(labels["region"])):
        if not tree.meet([region], there):
            some = ", ".join(there[:4]) + (" ..." if len(there) > 4 else "")
            raise InputError(
                f"known incidents: region {region!r} shares no ground with the history's ({some}); fix its name"
            )


def watched_events(
    truth: pd.DataFrame, judged: pd.DataFrame, regions: pd.DataFrame | None, bin_minutes: int
) -> "pd.Series[bool]":
    """Tell which events have any judged bin of their service, region and time; nobody could find the others."""
    tree, width = Tree.of(regions), pd.Timedelta(minutes=bin_minutes)
    series = judged.groupby(["service", "region"])["bin_start"]
    times = {(str(name), str(region)): rows.sort_values() for (name, region), rows in series}

    def seen(service: str, places: tuple[str, ...], start: pd.Timestamp, end: pd.Timestamp) -> bool:
        mine = (rows for (name, region), rows in times.items() if name == service and tree.meet([region], places))
        return any(rows.searchsorted(start - width, side="right") < rows.searchsorted(end) for rows in mine)

    rows = zip(truth["service"], truth["regions"], truth["start_at"], truth["end_at"], strict=True)
    return pd.Series([seen(*row) for row in rows], index=truth.index, dtype=bool)
