"""Lake → volumes → baseline → flags → incidents → lake: decide a window anew from what is stored."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from clamor import schema, volumes
from clamor.detect import combine, detect
from clamor.incidents import PROVIDER_KINDS, lookback
from clamor.incidents import incidents as find_incidents
from clamor.store import Lake


@dataclass(frozen=True)
class Evaluation:
    """What one run decided: the flags of its window, which bins were observed unevenly, all incidents known after."""

    flags: pd.DataFrame
    incidents: pd.DataFrame
    uneven: pd.DataFrame
    start: pd.Timestamp
    end: pd.Timestamp


def evaluate(
    lake: Lake,
    catalog: Any,
    *,
    now: pd.Timestamp,
    bin_minutes: int = 15,
    budget: float = 0.1,
    start: pd.Timestamp | None = None,
    history_days: int | None = None,
) -> Evaluation | None:
    """Decide every bin of ``[start, now)`` anew from what the lake holds, store the verdicts and return them.

    Args:
        lake: Facts in, verdicts out.
        catalog: Regions and version.
        now: Nothing after it is looked at; it is the verdicts' ``computed_at``.
        bin_minutes: Width of the bins.
        budget: False incidents a series-week.
        start: First bin to decide, UTC; the lake's first when None.
        history_days: Days of baseline before ``start`` (from its UTC midnight); all there are when None.

    Returns:
        None where the lake has no coverage yet.

    """
    since = None
    if start is not None and history_days is not None:
        since = start.floor("D") - pd.Timedelta(days=history_days)
    ledger = schema.to_pandas(lake.read(schema.COVERAGE, start=since, end=now))
    if ledger.empty:
        return None
    first = max(since, ledger["window_start"].min()) if since is not None else ledger["window_start"].min()
    first = first.floor("D")
    last = min(now, ledger["window_end"].max())
    counted = volumes.counts(
        lake.read(schema.VOLUMES, start=first, end=now, columns=volumes.COUNTED_COLUMNS),
        ledger,
        parents(catalog),
        bin_minutes=bin_minutes,
        start=first,
        end=last if last > first else now,
    )
    begin = volumes.Grid.over(max(start, first) if start is not None else first, now, bin_minutes).times()
    if counted.empty or not len(begin):
        return None
    flags = judge(counted, catalog, now=now, bin_minutes=bin_minutes, budget=budget, start=begin[0])
    end = counted["bin_start"].max() + pd.Timedelta(minutes=bin_minutes)
    base = flags.loc[flags["source"] != schema.ALL_SOURCES]
    lake.replace(schema.BASELINE, base, start=begin[0], end=end)
    lake.replace(schema.FLAGS, flags, start=begin[0], end=end)
    uneven = counted.loc[counted["uneven"], ["service", "region", "bin_start", "uneven"]]
    found = tell(lake, catalog, flags, uneven, now=now, bin_minutes=bin_minutes, budget=budget)
    return Evaluation(flags, found, uneven, begin[0], end)


def parents(catalog: Any) -> dict[str, str]:
    """Return region to parent, from the catalogue."""
    tree = catalog.regions[["region", "parent"]].dropna()
    return dict(zip(tree["region"], tree["parent"], strict=True))


def _used(catalog: Any, regions: "pd.Series[str]") -> pd.DataFrame:
    """Return the catalogue's rows of some regions and all that they lie in."""
    up = parents(catalog)
    wanted: set[str] = set()
    for region in regions.unique():
        at = region
        while at and at not in wanted:
            wanted.add(at)
            at = up.get(at, "")
    tree: pd.DataFrame = catalog.regions.loc[catalog.regions["region"].isin(wanted)]
    return tree


def judge(
    counted: pd.DataFrame, catalog: Any, *, now: pd.Timestamp, bin_minutes: int, budget: float, start: pd.Timestamp
) -> pd.DataFrame:
    """Return FLAGS rows from ``start`` on: of each source, and of all sources together."""
    parts = []
    tree = _used(catalog, counted["region"])
    for source, rows in counted.groupby("source", sort=True):
        verdicts = detect(
            rows.drop(columns=["source", "uneven"]),
            tree,
            bin_minutes=bin_minutes,
            eval_start=start,
            budget=budget,
        )
        parts.append(as_flags(verdicts, source=str(source), bin_minutes=bin_minutes, now=now))
    flags = pd.concat(parts, ignore_index=True)
    return pd.concat([flags, combine(flags, budget=budget, bin_minutes=bin_minutes)], ignore_index=True)


def as_flags(verdicts: pd.DataFrame, *, source: str, bin_minutes: int, now: pd.Timestamp) -> pd.DataFrame:
    """Give detect's unit-free columns the names of the flags table."""
    renamed = verdicts.rename(
        columns={
            "expected": "expected_posts",
            "low": "low_posts",
            "high": "high_posts",
            "excess": "excess_posts",
            "excess_low": "excess_low_posts",
            "excess_high": "excess_high_posts",
        }
    )
    sources = pa.array([[source]] * len(renamed)).to_pandas()
    return renamed.assign(source=source, bin_minutes=bin_minutes, sources=sources, computed_at=now)


def tell(
    lake: Lake,
    catalog: Any,
    flags: pd.DataFrame,
    uneven: pd.DataFrame,
    *,
    now: pd.Timestamp,
    bin_minutes: int,
    budget: float,
) -> pd.DataFrame:
    """Make incidents of flags with what the lake says of their symptoms and claims, store them and return all known.

    Incidents of other bin widths are kept as they are.
    """
    known = lake.incidents()
    same_width = known["bin_minutes"] == bin_minutes
    previous, others = known.loc[same_width], known.loc[~same_width]
    begin = flags["bin_start"].min()
    since = lookback(previous)
    if since is not None and since < begin:
        flags = pd.concat([lake.flags(bin_minutes=bin_minutes, start=since, end=begin), flags], ignore_index=True)
        begin = since
    found = find_incidents(
        flags,
        previous=previous,
        regions=catalog.regions,
        samples=schema.to_pandas(lake.read(schema.SAMPLES, start=begin, end=now)),
        claims=schema.to_pandas(lake.read(schema.CLAIMS, start=begin, end=now)),
        symptoms=volumes.symptoms(lake.read(schema.VOLUMES, start=begin, end=now)),
        uneven=uneven,
        providers=[s.id for s in catalog.services.values() if s.kind in PROVIDER_KINDS],
        now=now,
        bin_minutes=bin_minutes,
        catalog_version=catalog.version,
        parameters={"budget": budget, "bin_minutes": bin_minutes},
    )
    found = pd.concat([others, found], ignore_index=True) if len(others) else found
    lake.write_incidents(found, computed_at=now)
    return found
