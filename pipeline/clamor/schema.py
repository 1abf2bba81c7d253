"""Every table: columns, types, units, grain, key and producer; and the vocabularies that the columns use.

Stages talk through these tables and through nothing else. Times are ``timestamp[us, tz=UTC]``; a naive time never
enters. A frame with these columns is checked by :func:`conform`, which also puts columns in order and casts types, so
that what is written is what is declared.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import pandas as pd
import pyarrow as pa

from clamor.errors import InputError

WORLD: Final = "001"
"""UN M49 code of the world."""
CONTINENTS: Final = ("002", "009", "019", "142", "150")
"""UN M49 codes: Africa, Oceania, Americas, Asia, Europe."""
UNKNOWN_REGION: Final = "ZZ"
"""A post whose place is not known: kept, shown, never spread over the others."""
ANY_SYMPTOM: Final = "any"
"""The stored symptom that counts posts; the named symptoms overlap and are never summed."""
ALL_SOURCES: Final = "all"
"""The source of flags that combine the evidence of several sources."""


class Signal(StrEnum):
    """What a post is: exclusive for a post. In volumes ``mention`` counts every post that names the service."""

    COMPLAINT = "complaint"
    COMMENTARY = "commentary"
    MENTION = "mention"


class Symptom(StrEnum):
    """The named troubles; they overlap. ``other`` is a complaint with no named symptom."""

    LOGIN = "login"
    PLAYBACK = "playback"
    CRASH = "crash"
    ERROR = "error"
    UPLOAD = "upload"
    MESSAGING = "messaging"
    CONNECTION = "connection"
    PAYMENT = "payment"
    SLOW = "slow"
    OTHER = "other"


class Status(StrEnum):
    """How an attempt to collect ended. Only ``ok`` and ``partial`` prove that bins were observed."""

    OK = "ok"
    PARTIAL = "partial"
    RATE_LIMITED = "rate_limited"
    CAPPED = "capped"
    UNAUTHORIZED = "unauthorized"
    FAILED = "failed"
    MALFORMED = "malformed"
    BUDGET = "budget"
    INTERRUPTED = "interrupted"
    SKIPPED = "skipped"


PROVES: Final = (Status.OK, Status.PARTIAL)
"""The statuses whose window counts as observed; ``partial`` is observed but uneven, and reports say so."""


class Method(StrEnum):
    """How posts were counted."""

    COUNTS = "counts"
    WALK = "walk"
    IMPORT = "import"


class State(StrEnum):
    """The verdict on one bin. ``no_data`` and ``warm_up`` are verdicts of their own, never zeros."""

    NORMAL = "normal"
    ELEVATED = "elevated"
    OUTAGE = "outage"
    NO_DATA = "no_data"
    WARM_UP = "warm_up"


class Scope(StrEnum):
    """How far an incident reaches over the region tree, or that a cause is shared by several services."""

    SUBDIVISION = "subdivision"
    COUNTRY = "country"
    MULTI_COUNTRY = "multi-country"
    GLOBAL = "global"
    SHARED_CAUSE = "shared cause"


class IncidentStatus(StrEnum):
    """``unknown``: no coverage since; ``withdrawn``: revised away by later data."""

    ONGOING = "ongoing"
    RECOVERED = "recovered"
    UNKNOWN = "unknown"
    WITHDRAWN = "withdrawn"


class Severity(StrEnum):
    """Probability and size together, in one word."""

    MINOR = "minor"
    MODERATE = "moderate"
    MAJOR = "major"
    CRITICAL = "critical"


TIME: Final = pa.timestamp("us", tz="UTC")
_TEXTS: Final = pa.list_(pa.string())


@dataclass(frozen=True)
class Table:
    """One table: its name, grain in words, key columns, producer, columns and the columns that may be null."""

    name: str
    grain: str
    producer: str
    key: tuple[str, ...]
    columns: pa.Schema
    nullable: frozenset[str] = frozenset()

    def empty(self) -> pd.DataFrame:
        """Return a frame of no rows with this table's columns and types."""
        return to_pandas(self.columns.empty_table())


def _table(
    name: str, grain: str, producer: str, key: str, columns: Mapping[str, pa.DataType], nullable: str = ""
) -> Table:
    return Table(
        name,
        grain,
        producer,
        tuple(key.split()),
        pa.schema(list(columns.items())),
        frozenset(nullable.split()),
    )


SERIES: Final = {"source": pa.string(), "service": pa.string(), "region": pa.string()}
_SCOPED: Final = {"source": pa.string(), "scope": pa.string(), "service": pa.string(), "region": pa.string()}

VOLUMES: Final = _table(
    "volumes",
    "posts of one signal and symptom about one service in one region and bin, as one scope counted them",
    "collect, import",
    "source scope service region signal symptom bin_minutes bin_start",
    {
        **_SCOPED,
        "signal": pa.string(),
        "symptom": pa.string(),
        "bin_minutes": pa.int32(),
        "bin_start": TIME,
        "posts": pa.int64(),
        "authors": pa.int64(),
        "unit": pa.string(),
        "method": pa.string(),
        "catalog_version": pa.string(),
        "observed_at": TIME,
    },
    nullable="authors",
)

COVERAGE: Final = _table(
    "coverage",
    "one attempt to collect: what it would have counted (services, regions, signals) and how it ended",
    "collect, import",
    "source scope window_start window_end requested_at",
    {
        "source": pa.string(),
        "scope": pa.string(),
        "window_start": TIME,
        "window_end": TIME,
        "requested_at": TIME,
        "services": _TEXTS,
        "regions": _TEXTS,
        "signals": _TEXTS,
        "bin_minutes": pa.int32(),
        "status": pa.string(),
        "bins_expected": pa.int64(),
        "bins_received": pa.int64(),
        "requests": pa.int32(),
        "cost_usd": pa.float64(),
        "http_status": pa.int32(),
        "detail": pa.string(),
    },
    nullable="http_status detail",
)

LANGUAGES: Final = _table(
    "languages",
    "posts of one language that matched the complaint query of a service in one bin: parts of the world's count",
    "collect",
    "source scope service language bin_minutes bin_start",
    {
        "source": pa.string(),
        "scope": pa.string(),
        "service": pa.string(),
        "language": pa.string(),
        "bin_minutes": pa.int32(),
        "bin_start": TIME,
        "posts": pa.int64(),
        "catalog_version": pa.string(),
        "observed_at": TIME,
    },
)
"""Not volumes: a language is no region, and these posts are in the world's count already. Known zeros are rows."""

SAMPLES: Final = _table(
    "samples",
    "posts of one kind among sample_size read posts of one window: shares, never volumes",
    "collect",
    "source service region signal symptom bin_minutes bin_start",
    {
        **SERIES,
        "signal": pa.string(),
        "symptom": pa.string(),
        "bin_minutes": pa.int32(),
        "bin_start": TIME,
        "posts": pa.int64(),
        "sample_size": pa.int64(),
        "observed_at": TIME,
    },
)

CLAIMS: Final = _table(
    "claims",
    "posts that say a cause or a recovery, by scope, service, region and bin",
    "collect, import",
    "source scope service region claim bin_minutes bin_start",
    {
        **_SCOPED,
        "claim": pa.string(),
        "bin_minutes": pa.int32(),
        "bin_start": TIME,
        "posts": pa.int64(),
        "observed_at": TIME,
    },
)

MARKS: Final = _table(
    "marks",
    "one outside statement about a service: shown and timed, never evidence for a flag",
    "import",
    "source service mark_at",
    {
        "source": pa.string(),
        "service": pa.string(),
        "mark_at": TIME,
        "status": pa.string(),
        "url": pa.string(),
        "observed_at": TIME,
    },
    nullable="url",
)

BASELINE: Final = _table(
    "baseline",
    "what is normal for one series and bin",
    "baseline",
    "source service region bin_minutes bin_start",
    {
        **SERIES,
        "bin_minutes": pa.int32(),
        "bin_start": TIME,
        "expected_posts": pa.float64(),
        "low_posts": pa.float64(),
        "high_posts": pa.float64(),
        "dispersion": pa.float64(),
        "level_cv": pa.float64(),
        "training_bins": pa.int64(),
        "computed_at": TIME,
    },
    nullable="expected_posts low_posts high_posts dispersion level_cv",
)

FLAGS: Final = _table(
    "flags",
    "the verdict on one series and bin; source 'all' combines the evidence of the named sources",
    "detect",
    "source service region bin_minutes bin_start",
    {
        **SERIES,
        "bin_minutes": pa.int32(),
        "bin_start": TIME,
        "state": pa.string(),
        "score": pa.float64(),
        "p_value": pa.float64(),
        "q_value": pa.float64(),
        "posts": pa.float64(),
        "expected_posts": pa.float64(),
        "low_posts": pa.float64(),
        "high_posts": pa.float64(),
        "dispersion": pa.float64(),
        "level_cv": pa.float64(),
        "excess_posts": pa.float64(),
        "excess_low_posts": pa.float64(),
        "excess_high_posts": pa.float64(),
        "ratio": pa.float64(),
        "sources": _TEXTS,
        "computed_at": TIME,
    },
    nullable="score p_value q_value posts expected_posts low_posts high_posts dispersion level_cv "
    "excess_posts excess_low_posts excess_high_posts ratio",
)


class Ending(StrEnum):
    """What ended an incident: its posts fell, its flags were quiet for so long, or its level became what is normal."""

    POSTS = "posts"
    QUIET = "quiet"
    NEW_NORMAL = "new normal"


SHARE: Final = pa.struct(
    [
        ("name", pa.string()),
        ("share", pa.float64()),
        ("share_low", pa.float64()),
        ("share_high", pa.float64()),
        ("sample_size", pa.int64()),
    ]
)
"""A share of read posts with its 95% interval and the number of posts read."""

INCIDENTS: Final = _table(
    "incidents",
    "one outage of a service, or of a cause shared by several, over its regions",
    "incidents",
    "incident_id",
    {
        "incident_id": pa.string(),
        "service": pa.string(),
        "services": _TEXTS,
        "scope": pa.string(),
        "regions": _TEXTS,
        "status": pa.string(),
        "onset_at": TIME,
        "onset_low_at": TIME,
        "onset_high_at": TIME,
        "opened_at": TIME,
        "detected_at": TIME,
        "recovered_at": TIME,
        "recovered_low_at": TIME,
        "recovered_high_at": TIME,
        "ending": pa.string(),
        "last_seen_at": TIME,
        "peak_at": TIME,
        "peak_ratio": pa.float64(),
        "severity": pa.string(),
        "probability": pa.float64(),
        "excess_posts": pa.float64(),
        "excess_low_posts": pa.float64(),
        "excess_high_posts": pa.float64(),
        "excess_source": pa.string(),
        "first_hand_share": SHARE,
        "symptoms": pa.list_(SHARE),
        "claims": pa.list_(SHARE),
        "sources": _TEXTS,
        "uneven": pa.bool_(),
        "merged_from": _TEXTS,
        "bin_minutes": pa.int32(),
        "parameters": pa.string(),
        "catalog_version": pa.string(),
        "computed_at": TIME,
    },
    nullable="opened_at recovered_at recovered_low_at recovered_high_at ending peak_ratio first_hand_share "
    "excess_posts excess_low_posts excess_high_posts",
)

TABLES: Final = {t.name: t for t in (VOLUMES, COVERAGE, LANGUAGES, SAMPLES, CLAIMS, MARKS, BASELINE, FLAGS, INCIDENTS)}


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """Turn an Arrow table into a frame: UTC times at microseconds, ``str`` texts, nullable integers where null."""
    nullable_ints = {pa.int64(): pd.Int64Dtype(), pa.int32(): pd.Int32Dtype()}
    nulls = {name for name in table.column_names if table.column(name).null_count}
    frame: pd.DataFrame = table.to_pandas(date_as_object=False)
    for field in table.schema:
        if field.name in nulls and field.type in nullable_ints:
            frame[field.name] = table.column(field.name).to_pandas(types_mapper=nullable_ints.get)
    return frame


def conform(frame: pd.DataFrame, table: Table) -> pa.Table:
    """Check a frame against a table and return it as Arrow, columns in order, types cast.

    Raises:
        InputError: a column is missing, a value has the wrong type, a time is naive, or a null stands where none may.

    """
    missing = [name for name in table.columns.names if name not in frame.columns]
    if missing:
        raise InputError(f"{table.name}: column {missing[0]!r} is missing; a row is {table.grain}; add it")
    for field in table.columns:
        column = frame[field.name]
        if field.type == TIME and getattr(column.dtype, "tz", None) is None and column.notna().any():
            raise InputError(f"{table.name}.{field.name}: naive times; every time is UTC by type; localize it first")
    try:
        arrow = pa.Table.from_pandas(frame[table.columns.names], schema=table.columns, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise InputError(f"{table.name}: {error}; see the table's types in clamor.schema") from error
    for field in table.columns:
        if field.name not in table.nullable and arrow.column(field.name).null_count:
            raise InputError(f"{table.name}.{field.name}: null; only {sorted(table.nullable)} may be null; fill it")
    return arrow


# Bring your own counts: the one stated exception to the column names, because other people's numbers need not be posts.

COUNTS_COLUMNS: Final = {
    "service": pa.string(),
    "region": pa.string(),
    "bin_start": TIME,
    "count": pa.float64(),
    "observed": pa.bool_(),
    "mentions": pa.float64(),
}
"""Columns of a counts frame; ``observed`` (default true) and ``mentions`` (default null) may be absent."""

REGIONS_COLUMNS: Final = ("region", "parent", "timezone", "utc_offset_h")
"""Columns of a regions frame; one of ``timezone`` (IANA name) and ``utc_offset_h`` may be absent or null."""

VERDICT_COLUMNS: Final = (
    "service",
    "region",
    "bin_start",
    "state",
    "score",
    "p_value",
    "q_value",
    "expected",
    "low",
    "high",
    "excess",
    "flag",
)
"""Columns of ``clamor detect --counts``'s answer, one row per input series and bin."""
