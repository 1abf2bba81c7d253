"""Lake → volumes → baseline → flags → incidents → lake: decide a window anew from what is stored."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from clamor import schema, volumes
from clamor.budget import Budget
from clamor.detect import Learnt, combine, detect, learn
from clamor.incidents import PROVIDER_KINDS, lookback
from clamor.incidents import incidents as find_incidents
from clamor.run.fits import Fits
from clamor.store import Lake

DEFAULT: Final = Budget()
MINUTES_PER_DAY: Final = 1440
USUAL: Final = pd.Timedelta(weeks=1)
"""Complaints of so long before an incident say which symptoms are usual."""
HISTORY_STEP: Final = pd.Timedelta(weeks=4)


@dataclass(frozen=True)
class Evaluation:
    """What one run decided: the flags of its window, which bins were observed unevenly, all incidents known after."""

    flags: pd.DataFrame
    incidents: pd.DataFrame
    uneven: pd.DataFrame
    start: pd.Timestamp
    end: pd.Timestamp


@dataclass
class Learned:
    """What a process that decides again and again keeps: what each source's past taught, up to a midnight.

    Attributes:
        until: That midnight.
        sources: What was learnt, by source.
        say: If given, what is learnt is kept in the lake too, for the next process; it is told in a line where what
            was kept does not hold any more.

    """

    until: pd.Timestamp | None = None
    sources: dict[str, Learnt] = field(default_factory=dict)
    say: Callable[[str], None] | None = None

    def series(self) -> dict[str, list[tuple[str, str]]]:
        """Return the (service, region) pairs of each source."""
        return {source: list(learnt.key[0]) for source, learnt in self.sources.items()}


def evaluate(
    lake: Lake,
    catalog: Any,
    *,
    now: pd.Timestamp,
    bin_minutes: int = 15,
    budget: Budget = DEFAULT,
    start: pd.Timestamp | None = None,
    history_days: int | None = None,
    learned: Learned | None = None,
) -> Evaluation | None:
    """Decide every bin of ``[start, now)`` anew from what the lake holds, store the verdicts and return them.

    Args:
        lake: Facts in, verdicts out.
        catalog: Regions and version.
        now: Nothing after it is looked at; it is the verdicts' ``computed_at``.
        bin_minutes: Width of the bins.
        budget: False incidents that are accepted.
        start: First bin to decide, UTC; the lake's first when None.
        history_days: Least days of baseline before ``start``; all there are when None. The history begins at a fixed
            four-weekly time, so that runs on different days learn from the same past.
        learned: Kept between calls, it saves reading and learning the past again: what lies before the midnight of
            ``start`` is taken to be settled. The verdicts are the same. Kept in the lake, it serves other processes,
            as long as nothing was added to what lies before.

    Returns:
        None where the lake has no coverage yet.

    """
    begin = start.floor("D") if start is not None else None
    again = learned is not None and learned.until is not None
    since = _history(begin, history_days) if begin is not None and history_days is not None else None
    if learned is None or begin is None or bin_minutes >= MINUTES_PER_DAY:
        counted = _counted(lake, catalog, since, now, bin_minutes)
    else:
        counted = _resumed(lake, catalog, learned, since, begin, now, bin_minutes)
    if counted.empty:
        return None
    first = counted["bin_start"].min()
    begin = max(first, _ceiling(start, bin_minutes)) if start is not None else first
    end = counted["bin_start"].max() + pd.Timedelta(minutes=bin_minutes)
    if begin >= end:
        return None
    if learned is not None and again:
        begin = _news_from(lake, counted, begin, end, bin_minutes)
    taught = learned.sources if learned is not None else {}
    rate = budget.rate(len(counted[["service", "region"]].drop_duplicates()))
    flags = judge(counted, catalog, taught, now=now, bin_minutes=bin_minutes, budget=rate, start=begin)
    lake.replace(schema.BASELINE, flags.loc[flags["source"] != schema.ALL_SOURCES], start=begin, end=end)
    lake.replace(schema.FLAGS, flags, start=begin, end=end)
    uneven = counted.loc[counted["uneven"], ["service", "region", "bin_start", "uneven"]]
    found = tell(lake, catalog, flags, uneven, now=now, bin_minutes=bin_minutes, budget=budget)
    return Evaluation(flags, found, uneven, begin, end)


def _history(begin: pd.Timestamp, days: int) -> pd.Timestamp:
    """Return the last four-weekly time (counted from the epoch's first Monday) that leaves that many days."""
    monday = pd.Timestamp("1970-01-05", tz="UTC")
    weeks = (begin - pd.Timedelta(days=days) - monday) // HISTORY_STEP
    return (monday + weeks * HISTORY_STEP).as_unit("us")


def _resumed(
    lake: Lake,
    catalog: Any,
    learned: Learned,
    since: pd.Timestamp | None,
    begin: pd.Timestamp,
    now: pd.Timestamp,
    bin_minutes: int,
) -> pd.DataFrame:
    """Count from the midnight on, and learn what lies before it of the sources for which that is not known yet."""
    kept = None if learned.say is None else Fits(lake, catalog.version, bin_minutes, since, begin, learned.say)
    if learned.until != begin:
        learned.until, learned.sources = begin, {} if kept is None else kept.load()
    counted = _counted(lake, catalog, begin, now, bin_minutes, also=learned.series())
    parts = []
    for name, rows in counted.groupby("source", sort=True):
        source = str(name)
        if _same_series(rows, learned, source):
            parts.append(rows)
            continue
        key = {} if kept is None else kept.key(source)
        whole = _counted(lake, catalog, since, now, bin_minutes, source=source)
        parts.append(_taught(whole, catalog, learned, begin, bin_minutes))
        if kept is not None and source in learned.sources:
            kept.save(source, learned.sources[source], key)
    return pd.concat(parts, ignore_index=True) if parts else counted


def _taught(whole: pd.DataFrame, catalog: Any, learned: Learned, begin: pd.Timestamp, bin_minutes: int) -> pd.DataFrame:
    """Learn a source's past; return its later rows, or all where the past says nothing of just these series."""
    source = str(whole["source"].iloc[0])
    learned.sources.pop(source, None)
    past, later = whole.loc[whole["bin_start"] < begin], whole.loc[whole["bin_start"] >= begin]
    if past.empty:
        return whole
    tree = _used(catalog, whole["region"])
    taught = learn(past.drop(columns=["source", "uneven"]), tree, bin_minutes=bin_minutes)
    learned.sources[source] = taught
    if _same_series(later, learned, source):
        return later
    learned.sources.pop(source)
    return whole


def _counted(
    lake: Lake,
    catalog: Any,
    since: pd.Timestamp | None,
    now: pd.Timestamp,
    bin_minutes: int,
    *,
    source: str | None = None,
    also: Mapping[str, list[tuple[str, str]]] | None = None,
) -> pd.DataFrame:
    """Count what the lake holds of ``[since, now)``; no rows where nothing was ever watched."""
    reach = None if since is None else since - pd.Timedelta(hours=volumes.HOLD_HOURS)
    columns = volumes.LEDGER_COLUMNS
    ledger = schema.to_pandas(lake.read(schema.COVERAGE, start=reach, end=now, columns=columns, source=source))
    ledger = ledger.loc[ledger["signals"].map(len) > 0]
    first = now if ledger.empty else ledger["window_start"].min().floor("D")
    first = first if since is None else max(since, first)
    last = now if ledger.empty else min(now, ledger["window_end"].max())
    rows = lake.read(schema.VOLUMES, start=first, end=now, columns=volumes.COUNTED_COLUMNS, source=source)
    rows, ledger = _fine(rows, ledger, bin_minutes)
    return volumes.counts(rows, ledger, parents(catalog), bin_minutes=bin_minutes, start=first, end=last, also=also)


def _fine(rows: pa.Table, ledger: pd.DataFrame, bin_minutes: int) -> tuple[pa.Table, pd.DataFrame]:
    """Leave out the sources whose own bins are too wide to be added up to these, unless all are."""
    widths = rows.group_by(["source", "bin_minutes"]).aggregate([]).to_pylist()
    wide = {row["source"] for row in widths if bin_minutes % row["bin_minutes"]}
    if not wide or wide >= set(ledger["source"]):
        return rows, ledger
    there = pc.is_in(rows.column("source"), pa.array(sorted(wide)))
    return rows.filter(pc.invert(there)), ledger.loc[~ledger["source"].isin(list(wide))]


def _same_series(counted: pd.DataFrame, learned: Learned, source: str) -> bool:
    """Tell whether what was learnt of a source is of just the series that were counted, all from its midnight on."""
    if source not in learned.sources:
        return False
    firsts = counted.groupby(["service", "region", "segment"], sort=True)["bin_start"].min()
    named = [(service, region) for service, region, _ in firsts.index]
    return bool((firsts == learned.until).all()) and named == learned.series()[source]


def _news_from(
    lake: Lake, counted: pd.DataFrame, begin: pd.Timestamp, end: pd.Timestamp, bin_minutes: int
) -> pd.Timestamp:
    """Return the first bin of ``[begin, end)`` that was not decided yet, or on other counts than these."""
    key = ["source", "service", "region", "bin_start"]
    columns = [*key, "posts"]
    decided = lake.current(schema.FLAGS, bin_minutes=bin_minutes, start=begin, end=end, columns=columns)
    if decided.empty:
        return begin
    now = counted.loc[counted["bin_start"] >= begin, [*key, "count"]]
    both = now.merge(decided, on=key, how="left", indicator=True)
    same = (both["count"] == both["posts"]) | (both["count"].isna() & both["posts"].isna())
    news = both.loc[~same | (both["_merge"] == "left_only"), "bin_start"]
    last = end - pd.Timedelta(minutes=bin_minutes)
    return last if news.empty else min(last, news.min())


def _ceiling(time: pd.Timestamp, bin_minutes: int) -> pd.Timestamp:
    """Return the start of the first whole bin from a time on."""
    return volumes.Grid.over(time, time + pd.Timedelta(minutes=2 * bin_minutes), bin_minutes).times()[0]


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
    counted: pd.DataFrame,
    catalog: Any,
    learned: Mapping[str, Learnt],
    *,
    now: pd.Timestamp,
    bin_minutes: int,
    budget: float,
    start: pd.Timestamp,
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
            learnt=learned.get(str(source)),
        )
        parts.append(as_flags(verdicts, source=str(source), bin_minutes=bin_minutes, now=now))
    flags = pd.concat(parts, ignore_index=True)
    return pd.concat([flags, combine(flags, budget=budget, bin_minutes=bin_minutes)], ignore_index=True)


def as_flags(verdicts: pd.DataFrame, *, source: str, bin_minutes: int, now: pd.Timestamp) -> pd.DataFrame:
    """Give detect's unit-free columns the names of the flags table, and what follows from them."""
    renamed = verdicts.rename(
        columns={
            "expected": "expected_posts",
            "low": "low_posts",
            "high": "high_posts",
            "excess": "excess_posts",
        }
    )
    posts, expected = renamed["posts"], renamed["expected_posts"]
    return renamed.assign(
        excess_low_posts=posts - renamed["high_posts"],
        excess_high_posts=posts - renamed["low_posts"],
        ratio=(posts + 0.5) / (expected + 0.5),
        source=source,
        bin_minutes=bin_minutes,
        sources=pa.array([[source]] * len(renamed)).to_pandas(),
        computed_at=now,
    )


def tell(
    lake: Lake,
    catalog: Any,
    flags: pd.DataFrame,
    uneven: pd.DataFrame,
    *,
    now: pd.Timestamp,
    bin_minutes: int,
    budget: Budget,
) -> pd.DataFrame:
    """Make incidents of flags with what the lake says of their symptoms and claims, store them and return all known.

    Incidents of other bin widths are kept as they are.
    """
    known = lake.incidents()
    same_width = known["bin_minutes"] == bin_minutes
    previous, others = known.loc[same_width], known.loc[~same_width]
    begin = flags["bin_start"].min()
    since = lookback(previous, begin)
    if since < begin:
        flags = pd.concat([lake.flags(bin_minutes=bin_minutes, start=since, end=begin), flags], ignore_index=True)
    series = len(flags[["service", "region"]].drop_duplicates())
    parameters = {"budget": budget.rate(series), "stated_budget": str(budget), "bin_minutes": bin_minutes}
    found = _found(lake, catalog, flags, previous, uneven, now=now, since=begin, parameters=parameters)
    found = pd.concat([others, found], ignore_index=True) if len(others) else found
    lake.write_incidents(found, computed_at=now)
    return found


def as_of(lake: Lake, catalog: Any, until: pd.Timestamp, *, bin_minutes: int) -> pd.DataFrame:
    """Return the incidents as the bins before a time tell of them, with all that has come in about those bins since.

    What had ended by then is as it is known; what began before and went on is decided again from the flags up to then.
    """
    known = lake.incidents()
    known = known.loc[(known["bin_minutes"] == bin_minutes) & (known["onset_at"] < until)]
    flags = lake.flags(bin_minutes=bin_minutes, start=lookback(known, until), end=until)
    flags = flags.loc[flags["bin_start"] + pd.Timedelta(minutes=bin_minutes) <= until]
    if known.empty or flags.empty:
        return known.loc[known["opened_at"] <= until]
    newest = str(known.sort_values("computed_at")["parameters"].iloc[-1])
    parameters = {name: json.loads(newest).get(name) for name in ("budget", "stated_budget", "bin_minutes")}
    found = _found(lake, catalog, flags, known, None, now=until, since=until, parameters=parameters)
    again = (found["computed_at"] == until) & (found["status"] != str(schema.IncidentStatus.WITHDRAWN))
    return found.loc[again | (found["last_seen_at"] < until) & (found["computed_at"] != until)]


def _found(
    lake: Lake,
    catalog: Any,
    flags: pd.DataFrame,
    previous: pd.DataFrame,
    uneven: pd.DataFrame | None,
    *,
    now: pd.Timestamp,
    since: pd.Timestamp,
    parameters: Mapping[str, Any],
) -> pd.DataFrame:
    """Make incidents of flags, with what the lake held by ``now`` of their symptoms and claims."""
    begin = flags["bin_start"].min()
    failing = (flags["state"] == str(schema.State.OUTAGE)).any()
    counted = lake.read(schema.VOLUMES, start=begin - USUAL if failing else begin, end=now)
    samples = schema.to_pandas(lake.read(schema.SAMPLES, start=begin, end=now))
    return find_incidents(
        _without_indexes(flags, counted),
        previous=previous,
        regions=catalog.regions,
        samples=possible(samples.loc[samples["observed_at"] <= now], catalog),
        claims=schema.to_pandas(lake.read(schema.CLAIMS, start=begin, end=now)),
        symptoms=possible(volumes.symptoms(counted), catalog),
        uneven=uneven,
        providers=[s.id for s in catalog.services.values() if s.kind in PROVIDER_KINDS],
        unread=_unread(counted),
        now=now,
        since=since,
        bin_minutes=int(flags["bin_minutes"].iloc[0]),
        catalog_version=catalog.version,
        parameters=parameters,
    )


def possible(read: pd.DataFrame, catalog: Any) -> pd.DataFrame:
    """Leave out symptoms that mean no trouble of that kind of service: the lights went out, not the playback.

    Args:
        read: Columns ``service, symptom`` and others; what names no symptom stays.
        catalog: Its kinds say how much a symptom counts, ``*`` for what they do not name.

    """
    strange = []
    for service, symptom in read[["service", "symptom"]].drop_duplicates().itertuples(index=False):
        known = catalog.services.get(service)
        weights = catalog.kinds.get(known.kind if known else "?", catalog.kinds["*"]).weights
        named = symptom not in (schema.ANY_SYMPTOM, schema.Symptom.OTHER)
        if named and weights.get(symptom, weights.get("*", 1.0)) == 0:
            strange.append((service, symptom))
    if not strange:
        return read
    return read.loc[~pd.MultiIndex.from_frame(read[["service", "symptom"]]).isin(strange)]


def _unread(counted: pa.Table) -> set[str]:
    """Return the sources whose posts were counted by somebody else's query: nobody read what they say."""
    scopes = counted.group_by(["source", "scope"]).aggregate([]).to_pylist()
    return {row["source"] for row in scopes if volumes.exact(row["scope"])}


def _without_indexes(flags: pd.DataFrame, counted: pa.Table) -> pd.DataFrame:
    """Take the numbers of index sources out: their flags tell of an incident, but they count no posts."""
    indexes = counted.filter(pc.equal(counted.column("unit"), "index")).column("source").unique().to_pylist()
    numbers = ["posts", "expected_posts"]
    return flags.assign(**{name: flags[name].where(~flags["source"].isin(indexes)) for name in numbers})
