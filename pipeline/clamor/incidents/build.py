"""The incidents table, made anew from flags and from what was known before."""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from clamor import schema
from clamor.errors import InputError
from clamor.incidents import causes
from clamor.incidents.case import Case
from clamor.incidents.cases import make
from clamor.incidents.episodes import Decided, Rows, decide, read
from clamor.incidents.given import MINUTE_US, Given
from clamor.incidents.held import hold
from clamor.incidents.identity import identify
from clamor.incidents.past import settle
from clamor.incidents.readings import readings
from clamor.incidents.rows import row_of
from clamor.incidents.rules import Rules
from clamor.incidents.said import Said
from clamor.incidents.scope import Tree
from clamor.schema import INCIDENTS, IncidentStatus

PROVIDER_KINDS: Final = ("telecom", "power")
"""Kinds of service that other services need: when one fails, they fail with it."""


def incidents(
    flags: pd.DataFrame,
    *,
    now: pd.Timestamp,
    previous: pd.DataFrame | None = None,
    since: pd.Timestamp | None = None,
    regions: pd.DataFrame | None = None,
    samples: pd.DataFrame | None = None,
    claims: pd.DataFrame | None = None,
    symptoms: pd.DataFrame | None = None,
    uneven: pd.DataFrame | None = None,
    providers: Collection[str] = (),
    unread: Collection[str] = (),
    bin_minutes: int = 15,
    catalog_version: str = "",
    parameters: Mapping[str, Any] | None = None,
    rules: Rules | None = None,
) -> pd.DataFrame:
    """Make incidents of flags: INCIDENTS rows by onset and id, the untouched and withdrawn ones included.

    An ``outage`` bin opens an incident, ``elevated`` bins and posts that stay up (``held``) keep it open; bins without
    data do neither. It is *recovered* when its posts have fallen (``turns``) or, where they are too few to tell, after
    ``rules.quiet_minutes`` of normal bins; *unknown* when there is no coverage since, else *ongoing*.

    Args:
        flags: FLAGS rows of all sources, of one bin width, from :func:`lookback` on. Where source ``all`` has a row it
            decides the state; posts come from the single sources.
        now: Time of the run: ``computed_at``, and ``detected_at`` of new incidents.
        previous: INCIDENTS rows known so far: ids are kept by overlap of service and time. Those within the flags'
            window that are not found again become ``withdrawn``; older ones are returned as they are.
        since: Flags before it are settled: incidents that ended before are left as they are. None: all may change.
        regions: ``region`` and ``parent``; without it codes are placed by their form.
        samples: SAMPLES rows: first-hand share and symptom shares of read posts.
        claims: CLAIMS rows.
        symptoms: VOLUMES rows of complaints by symptom; those from before an incident say what is usual.
        uneven: ``service, region, bin_start, uneven``: bins that were observed unevenly.
        providers: Services that others need (:data:`PROVIDER_KINDS` of the catalogue), blamed for shared causes.
        unread: Sources whose complaints were counted by a query and not read, so that commentary may be among them.
        bin_minutes: Width of the bins.
        catalog_version: Stored with every incident.
        parameters: Settings of the run to store beside the rules.
        rules: Thresholds; None: the defaults, with the ``budget`` of ``parameters``.

    Raises:
        InputError: flags of another bin width, an unknown state, two verdicts on one bin, a naive ``now``.

    """
    if now.tzinfo is None:
        raise InputError(f"now {now}: a naive time; times are UTC by type; add an offset such as Z")
    known = schema.conform(previous, INCIDENTS) if previous is not None and len(previous) else None
    if flags.empty:
        return schema.to_pandas(known) if known is not None else INCIDENTS.empty()
    rules = rules or Rules(budget=float((parameters or {}).get("budget", Rules.budget)))
    rows, tree = read(flags, bin_minutes), Tree.of(regions)
    given = Given(rows, tree, rules, now.value // 1000, providers, unread, readings(samples))
    settled = _settled(previous, since, rows, rules)
    decided, found = _cases(given, settled)
    stamp = _stamp(rules, parameters, now, catalog_version=catalog_version, bin_minutes=bin_minutes)
    said = Said.of([case.service for case in found], samples, claims, symptoms, uneven)
    return _told(given, decided, found, known, settled, said, stamp)


def _stamp(
    rules: Rules, parameters: Mapping[str, Any] | None, now: pd.Timestamp, **columns: str | int
) -> dict[str, Any]:
    """Return what every row of a run says of that run."""
    written = json.dumps({**asdict(rules), **(parameters or {})}, sort_keys=True)
    return {"parameters": written, "computed_at": now.value // 1000, **columns}


def _settled(previous: pd.DataFrame | None, since: pd.Timestamp | None, rows: Rows, rules: Rules) -> int:
    """Return the time, microseconds since the epoch, before which nothing that had ended may change."""
    begin = pd.Timestamp(rows.start, unit="us", tz="UTC")
    if since is not None and previous is not None and len(previous):
        begin = max(begin, _first_open(previous, since))
    return begin.value // 1000 - rules.asked_bins(rows.width // MINUTE_US) * rows.width


def _cases(given: Given, settled: int) -> tuple[Decided, list[Case]]:
    """Return the deciding verdicts, and the cases that they make, without those that were settled before."""
    decided, found = make(given, hold(decide(given.rows), given))
    joined = causes.join(found, given)
    return decided, [case for case in joined if given.rows.time(case.last + 1) > settled]


def _told(
    given: Given,
    decided: Decided,
    found: list[Case],
    known: pa.Table | None,
    settled: int,
    said: Said,
    stamp: dict[str, Any],
) -> pd.DataFrame:
    """Name the cases, describe them, and put them beside what was known and is not among them."""
    rows = given.rows
    near, far = _near(known, rows, settled)
    slack = (given.quiet - 1) * rows.width
    taken = set(far["incident_id"].to_pylist()) if far is not None else set()
    names, left = identify(found, near, time=rows.time, slack=slack, taken=taken)
    made = [row_of(case, name, rows, given.tree, said, stamp) for case, name in zip(found, names, strict=True)]
    made += [settle(row, given, decided) for row in left]
    table = pa.Table.from_pylist(made, schema=INCIDENTS.columns)
    if far is not None:
        table = pa.concat_tables([table, far])
    return schema.to_pandas(table.sort_by([("onset_at", "ascending"), ("incident_id", "ascending")]))


def lookback(previous: pd.DataFrame, begin: pd.Timestamp) -> pd.Timestamp:
    """Return the time from which flags show every incident whole that may change in a window that begins at ``begin``.

    An incident of which only the later part is seen would be judged by that part; a day before it is shown too, to
    compare with. Hours before the window may be asked when something began, so what lies there is shown whole as well.
    """
    asked = begin - pd.Timedelta(minutes=4 * Rules.quiet_minutes)
    first = _open(previous, asked)["onset_low_at"].min()
    return asked if pd.isna(first) else min(asked, first - pd.Timedelta(days=1))


def _first_open(previous: pd.DataFrame, begin: pd.Timestamp) -> pd.Timestamp:
    """Return the earliest onset of what is open or goes on into a window, at most the window's begin."""
    first: pd.Timestamp = _open(previous, begin)["onset_low_at"].min()
    return begin if pd.isna(first) else min(begin, first)


def _open(previous: pd.DataFrame, begin: pd.Timestamp) -> pd.DataFrame:
    """Return what is open or goes on into a window.

    One whose end is unknown counts as open for a day after it was last seen: what is flagged later is a new incident.
    """
    unknown = previous["status"] == str(IncidentStatus.UNKNOWN)
    lately = previous["computed_at"] - previous["last_seen_at"] <= pd.Timedelta(minutes=Rules.silent_minutes)
    still = (previous["status"] == str(IncidentStatus.ONGOING)) | (unknown & lately)
    asked = [width * Rules().asked_bins(width) for width in previous["bin_minutes"]]
    late = (
        previous["last_seen_at"] + pd.to_timedelta(pd.Series(asked, previous.index, dtype="int64"), unit="min") > begin
    )
    return previous.loc[still | late]


def _near(known: pa.Table | None, rows: Rows, earliest_us: int) -> tuple[list[dict[str, Any]], pa.Table | None]:
    """Split what is known into rows that this run may change, and the rest."""
    if known is None:
        return [], None
    earliest = pa.scalar(earliest_us, schema.TIME)
    recent = pc.greater(known.column("last_seen_at"), earliest)
    near = known.filter(recent)
    for name, field in zip(near.column_names, near.schema, strict=True):
        if field.type == schema.TIME:
            near = near.set_column(near.column_names.index(name), name, near.column(name).cast(pa.int64()))
    services = set(rows.services)
    touched = [bool(services & set(names)) for names in near.column("services").to_pylist()]
    untouched = pc.invert(recent).to_numpy(zero_copy_only=False).copy()
    untouched[untouched == 0] = [not each for each in touched]
    rest = known.filter(pa.array(untouched))
    return near.filter(pa.array(touched, pa.bool_())).to_pylist(), rest
