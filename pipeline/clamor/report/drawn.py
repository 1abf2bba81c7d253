"""What a chart is given: rows as columns, at most so many points, unknown as gaps and never as numbers."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from clamor.report.status import Incident
from clamor.report.window import NO_DATA, RANKED, WARM_UP, Ints, Ranks, Window
from clamor.report.words import Names, standing
from clamor.schema import IncidentStatus

Columns = dict[str, list[Any]]
"""A table for a chart, column by column."""
_DRAWN: Final = ("posts", "expected_posts", "low_posts", "high_posts")


def milliseconds(time: pd.Timestamp) -> int:
    """Return a time as JavaScript counts it."""
    return round(time.timestamp() * 1000)


def rows(columns: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Turn columns into the records that a notebook's chart holds."""
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _plain(values: npt.NDArray[np.float64]) -> list[float | None]:
    """Return numbers for JSON: four figures are more than a chart can show; NaN is null."""
    return [None if np.isnan(v) else int(v) if v == round(v) else float(f"{v:.4g}") for v in values.tolist()]


def points(view: Window, row: int, limit: int = 400, start: int = 0, stop: int | None = None) -> Columns:
    """Return one series between two places of the window, thinned to at most ``limit`` points.

    Where several bins share a point, the worst of them is drawn, whole: intervals of bins are not added up.

    Returns:
        t, e (start and end of the point, ms), m (middle of the bin that is drawn), posts, expected, low, high, state,
        alone (no neighbour to draw a line to).

    """
    stop = view.bins if stop is None else min(stop, view.bins)
    start = max(start, 0)
    bins = view.read(row)
    inside = (bins.place >= start) & (bins.place < stop)
    place, rank = bins.place[inside], bins.rank[inside]
    width, first = view.bin_minutes * 60_000, milliseconds(view.first)
    step = max(1, -(-(stop - start) // limit))
    heads = np.arange(start, stop, step)
    chosen = _worst_of_each((place - start) // step, len(heads), rank, bins.numbers["score"][inside])
    filled = chosen >= 0
    numbers = {name: np.full(len(heads), np.nan) for name in _DRAWN}
    states = np.zeros(len(heads), np.int8)
    middle = first + heads * width + width // 2
    states[filled] = rank[chosen[filled]]
    middle[filled] = first + place[chosen[filled]] * width + width // 2
    for name in _DRAWN:
        numbers[name][filled] = bins.numbers[name][inside][chosen[filled]]
    numbers["posts"][states == NO_DATA] = np.nan
    known = ~np.isnan(np.r_[np.nan, numbers["posts"], np.nan])
    return {
        "t": (first + heads * width).tolist(),
        "e": (first + np.minimum(heads + step, stop) * width).tolist(),
        "m": middle.tolist(),
        "posts": _plain(numbers["posts"]),
        "expected": _plain(numbers["expected_posts"]),
        "low": _plain(numbers["low_posts"]),
        "high": _plain(numbers["high_posts"]),
        "state": [str(RANKED[code]) for code in states],
        "alone": (known[1:-1] & ~known[:-2] & ~known[2:]).astype(int).tolist(),
    }


def _worst_of_each(group: Ints, groups: int, rank: Ranks, score: npt.NDArray[np.float64]) -> Ints:
    """Return for each group which row has the worst rank and then the highest score; -1 where there is no row."""
    order = np.lexsort((np.nan_to_num(score, nan=-np.inf), rank, group))
    chosen = np.full(groups, -1, np.int64)
    chosen[group[order]] = order
    return chosen


def runs(ranks: Ranks, wanted: Sequence[int]) -> list[tuple[int, int, int]]:
    """Return (start, stop, rank) of the runs of equal rank among the wanted ranks."""
    if len(ranks) == 0:
        return []
    edges = np.r_[0, np.flatnonzero(np.diff(ranks)) + 1, len(ranks)].tolist()
    found = [(a, b, int(ranks[a])) for a, b in pairwise(edges)]
    return [run for run in found if run[2] in wanted]


def gaps(view: Window, row: int, start: int = 0, stop: int | None = None) -> Columns:
    """Return the stretches of a series that are unknown or not yet judged: t, e (ms), kind."""
    stop = view.bins if stop is None else min(stop, view.bins)
    start = max(start, 0)
    found = runs(view.ranks([row])[start:stop], (NO_DATA, WARM_UP))
    return {
        "t": [milliseconds(view.at(start + a)) for a, _, _ in found],
        "e": [milliseconds(view.at(start + b)) for _, b, _ in found],
        "kind": ["no data" if rank == NO_DATA else "learning" for _, _, rank in found],
    }


def ends_at(incident: Incident, view_end: pd.Timestamp) -> pd.Timestamp:
    """Return when an incident ends as far as is known: its recovery, or how far it was followed."""
    if not pd.isna(incident["recovered_at"]):
        return incident["recovered_at"]
    return view_end if incident["status"] == IncidentStatus.ONGOING else incident["last_seen_at"]


def shades(incidents: Sequence[Incident], view: Window, start: int = 0, stop: int | None = None) -> Columns:
    """Return incidents as stretches of a chart: t, e (ms, within the chart), severity, status."""
    low, high = view.at(max(start, 0)), view.at(view.bins if stop is None else min(stop, view.bins))
    spans = [(max(i["onset_at"], low), min(max(ends_at(i, high), i["onset_at"]), high), i) for i in incidents]
    spans = [(a, b, i) for a, b, i in spans if a < b]
    return {
        "t": [milliseconds(a) for a, _, _ in spans],
        "e": [milliseconds(b) for _, b, _ in spans],
        "severity": [i["severity"] for _, _, i in spans],
        "status": [standing(i) for _, _, i in spans],
    }


def statements(marks: pd.DataFrame, low: pd.Timestamp, high: pd.Timestamp) -> Columns:
    """Return outside statements between two times: t (ms), text."""
    told = marks[(marks["mark_at"] >= low) & (marks["mark_at"] <= high)]
    return {
        "t": [milliseconds(t) for t in told["mark_at"]],
        "text": [f"{source}: {status}" for source, status in zip(told["source"], told["status"], strict=True)],
    }


def bars(incidents: Sequence[Incident], names: Names, low: pd.Timestamp, high: pd.Timestamp) -> Columns:
    """Return incidents as bars of a timeline, within low and high: times in ms, label, severity, status."""
    columns: Columns = {name: [] for name in ("row", "t", "e", "on_low", "on_high", "off_low", "off_high")}
    columns |= {name: [] for name in ("label", "severity", "status", "late", "open")}
    width = high - low
    for place, incident in enumerate(incidents):
        end = ends_at(incident, high)
        times = [incident["onset_at"], end, incident["onset_low_at"], incident["onset_high_at"]]
        over: bool = not pd.isna(incident["recovered_low_at"]) and not pd.isna(incident["recovered_high_at"])
        times += [incident["recovered_low_at"], incident["recovered_high_at"]] if over else [end, end]
        clipped = [min(max(time, low), high) for time in times]
        for name, time in zip(("t", "e", "on_low", "on_high", "off_low", "off_high"), clipped, strict=True):
            columns[name].append(milliseconds(time))
        where = names.place(list(incident["regions"]), incident["scope"])
        columns["row"].append(place)
        columns["label"].append(f"{names.service(incident['service'])}, {where}")
        columns["severity"].append(incident["severity"])
        columns["status"].append(standing(incident))
        columns["late"].append(int((clipped[0] - low) > 0.55 * width))
        columns["open"].append(int(incident["status"] == IncidentStatus.ONGOING))
    return columns


def timeline(
    incidents: Sequence[Incident], marks: pd.DataFrame, names: Names, low: pd.Timestamp, high: pd.Timestamp
) -> dict[str, Columns]:
    """Return all that a timeline draws; a statement stands on the row of its service's last incident."""
    rows = {str(i["service"]): place for place, i in enumerate(incidents)}
    told = marks[marks["service"].isin(list(rows)) & marks["mark_at"].between(low, high)]
    said = {**statements(told, low, high), "row": [rows[s] for s in told["service"]]}
    frame = {"t": [milliseconds(low)], "e": [milliseconds(high)]}
    return {"bars": bars(incidents, names, low, high), "frame": frame, "marks": said}
