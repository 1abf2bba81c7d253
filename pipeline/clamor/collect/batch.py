"""What a collector yields after every page: rows to store, the attempt that proves them, and where to go on."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import pandas as pd
import pyarrow as pa

from clamor import schema
from clamor.schema import Status


@dataclass
class State:
    """What a collector remembers from run to run; plain JSON values only.

    Attributes:
        watermarks: Scope to the time (seconds since the epoch) up to which it is proven.
        probes: Operator or permission to what the service answered.
        spend_usd: UTC day (``YYYY-MM-DD``) to estimated cost.
        rates: Kind and subreddit to items a minute at its busiest.

    """

    watermarks: dict[str, float] = field(default_factory=dict)
    probes: dict[str, str] = field(default_factory=dict)
    spend_usd: dict[str, float] = field(default_factory=dict)
    rates: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt to collect, a row of the coverage ledger. Times are seconds since the epoch."""

    source: str
    scope: str
    window_start: float
    window_end: float
    requested_at: float
    services: tuple[str, ...]
    regions: tuple[str, ...]
    signals: tuple[str, ...]
    bin_minutes: int
    status: Status
    bins_received: int
    requests: int = 1
    cost_usd: float = 0.0
    http_status: int | None = None
    detail: str | None = None

    @property
    def bins_expected(self) -> int:
        """Whole bins in the window."""
        return int((self.window_end - self.window_start) // (60 * self.bin_minutes))


_NO_VOLUMES: Final = schema.VOLUMES.empty()
_NO_LANGUAGES: Final = schema.LANGUAGES.empty()
_NO_SAMPLES: Final = schema.SAMPLES.empty()
_NO_CLAIMS: Final = schema.CLAIMS.empty()


@dataclass(frozen=True)
class Batch:
    """One page's worth. Rows are stored first, then attempts, then state, so replay is harmless."""

    attempts: tuple[Attempt, ...]
    volumes: pd.DataFrame = field(default_factory=_NO_VOLUMES.copy)
    languages: pd.DataFrame = field(default_factory=_NO_LANGUAGES.copy)
    samples: pd.DataFrame = field(default_factory=_NO_SAMPLES.copy)
    claims: pd.DataFrame = field(default_factory=_NO_CLAIMS.copy)


def utc(seconds: float) -> pd.Timestamp:
    """Turn seconds since the epoch into a UTC time at microseconds."""
    return pd.Timestamp(round(seconds * 1e6), unit="us", tz="UTC")


def coverage(attempts: Iterable[Attempt]) -> pd.DataFrame:
    """Return attempts as rows of the coverage table."""
    rows = [{name: getattr(a, name) for name in schema.COVERAGE.columns.names} for a in attempts]
    if not rows:
        return schema.COVERAGE.empty()
    for row in rows:
        for name in ("window_start", "window_end", "requested_at"):
            row[name] = round(row[name] * 1e6)
        for name in ("services", "regions", "signals"):
            row[name] = list(row[name])
        row["status"] = str(row["status"])
    return schema.to_pandas(pa.Table.from_pylist(rows, schema=schema.COVERAGE.columns))
