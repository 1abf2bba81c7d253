"""What volumes.counts does, one bin at a time and by the words of the design."""

from collections.abc import Mapping

import pandas as pd

from clamor.volumes import exact, stream_of

HOLD = pd.Timedelta(hours=24)


def line(region: str, parents: Mapping[str, str]) -> list[str]:
    """A region, its ancestors and the world."""
    out = []
    while region:
        out.append(region)
        region = parents.get(region, "")
    return [*out, "001"]


def value(
    volumes: pd.DataFrame,
    coverage: pd.DataFrame,
    parents: Mapping[str, str],
    series: tuple[str, str, str],
    signal: str,
    start: pd.Timestamp,
    width: pd.Timedelta,
) -> float | None:
    """Posts of one series in one bin, or None where something that should have watched did not."""
    source, service, region = series
    attempts = [
        a
        for a in coverage.to_dict("records")
        if a["source"] == source and service in a["services"] and signal in a["signals"]
        if (region in a["regions"] if exact(a["scope"]) else set(line(region, parents)) & set(a["regions"]))
    ]
    total, watching = 0.0, False
    for stream in sorted({stream_of(a["scope"]) for a in attempts}):
        mine = [a for a in attempts if stream_of(a["scope"]) == stream]
        first, last = min(a["window_start"] for a in mine), max(a["window_end"] for a in mine)
        if stream != "file":
            last += HOLD
        if not (start + width > first and start < last):
            continue
        watching = True
        scopes = sorted({a["scope"] for a in mine})
        covering = [scope for scope in scopes if covers(mine, scope, start, start + width)]
        if not covering:
            return None
        if stream != "file":
            covering = [max(covering, key=lambda s: asked(mine, s, start, start + width))]
        total += sum(posts(volumes, parents, series, signal, scope, start, width) for scope in covering)
    return total if watching else None


def covers(attempts: list[dict], scope: str, start: pd.Timestamp, end: pd.Timestamp) -> bool:
    """Minute by minute: is each in a proven window."""
    proven = [a for a in attempts if a["scope"] == scope and a["status"] in ("ok", "partial")]
    minutes = pd.date_range(start, end, freq="1min", inclusive="left")
    return all(
        any(a["window_start"] <= m and m + pd.Timedelta("1min") <= a["window_end"] for a in proven) for m in minutes
    )


def asked(attempts: list[dict], scope: str, start: pd.Timestamp, end: pd.Timestamp) -> pd.Timestamp:
    """When the scope was last asked about the bin."""
    proven = [a for a in attempts if a["scope"] == scope and a["status"] in ("ok", "partial")]
    return max(a["requested_at"] for a in proven if a["window_start"] < end and a["window_end"] > start)


def posts(
    volumes: pd.DataFrame,
    parents: Mapping[str, str],
    series: tuple[str, str, str],
    signal: str,
    scope: str,
    start: pd.Timestamp,
    width: pd.Timedelta,
) -> float:
    """Newest row of each key, added up over the bin and, for posts, over the tree below the region."""
    source, service, region = series
    newest: dict[tuple, dict] = {}
    for row in volumes.sort_values("observed_at").to_dict("records"):
        inside = start <= row["bin_start"] < start + width
        there = row["region"] == region if exact(scope) else region in line(row["region"], parents)
        mine = (row["source"], row["service"], row["signal"], row["scope"]) == (source, service, signal, scope)
        if inside and there and mine and row["symptom"] == "any":
            newest[(row["region"], row["bin_start"])] = row
    return float(sum(row["posts"] for row in newest.values()))
