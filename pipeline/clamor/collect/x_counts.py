"""Answers of X's count endpoints -> posts a minute -> rows and attempts. Pure: no client, no clock.

Minutes are an array over a window, -1 where the answer proved nothing.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from clamor import schema
from clamor.collect.batch import Attempt
from clamor.collect.x_query import SOURCE, Query
from clamor.schema import ANY_SYMPTOM, Method, Status

Ints = npt.NDArray[np.int64]
UNKNOWN: Final = -1
_COUNT: Final = ("tweet_count", "post_count")
_TOTAL: Final = ("total_tweet_count", "total_post_count")
_MINUTE_US: Final = 60_000_000
LANGUAGE_BIN_MINUTES: Final = 15
"""Enough to say which languages an outage is told in; minutes of it would only be more rows."""


class Nonsense(ValueError):
    """An answer that cannot be believed; the text says why."""


def unknown(start: float, end: float) -> Ints:
    """Return the minutes of ``[start, end)``, none of them known."""
    return np.full(int((end - start) // 60), UNKNOWN, dtype=np.int64)


def fill(minutes: Ints, start: float, body: Mapping[str, Any]) -> str | None:
    """Write one page's whole, aligned minutes into ``minutes`` and return the token of the next page, if any.

    The first and last bucket of an answer may be partial: only buckets that begin on a minute and last one are taken.
    An answer without buckets is all zeros only if it is the whole answer and its total says 0.

    Args:
        minutes: From :func:`unknown`; changed in place.
        start: Seconds since the epoch, a whole minute.
        body: The parsed answer, fields in the old spelling (``tweet_count``) or the new (``post_count``).

    Raises:
        Nonsense: no buckets and no total, buckets that do not add up to the total, or fields that make no sense.

    """
    meta = body.get("meta")
    rows = body.get("data")
    if not isinstance(meta, Mapping) or not isinstance(rows, list | None):
        raise Nonsense(f"an answer without {'meta' if isinstance(rows, list | None) else 'data'}{_errors(body)}")
    token = meta.get("next_token")
    total = _first(meta, _TOTAL)
    if rows:
        begins, ends, posts = _columns(rows)
        if total is not None and int(posts.sum()) != total:
            raise Nonsense(f"buckets add up to {int(posts.sum())}, the answer's total is {total}")
        at = (begins - np.int64(start)) // 60
        whole = (begins % 60 == 0) & (ends - begins == 60) & (at >= 0) & (at < len(minutes))
        minutes[at[whole]] = posts[whole]
    elif token is None:
        if total is None:
            raise Nonsense(f"no buckets and no total{_errors(body)}")
        if total != 0:
            raise Nonsense(f"no buckets, but a total of {total}{_errors(body)}")
        if (minutes == UNKNOWN).all():
            minutes[:] = 0
    return None if token is None else str(token)


def _columns(rows: list[Any]) -> tuple[Ints, Ints, Ints]:
    """Return begin and end (seconds since the epoch) and posts of each bucket."""
    try:
        name = _COUNT[0] if _COUNT[0] in rows[0] else _COUNT[1]
        begins = np.array([row["start"][:19] for row in rows], dtype="datetime64[s]").view(np.int64)
        ends = np.array([row["end"][:19] for row in rows], dtype="datetime64[s]").view(np.int64)
        posts = np.fromiter((row[name] for row in rows), np.int64, len(rows))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise Nonsense(f"a bucket without start, end or count: {error!r}"[:200]) from error
    if (posts < 0).any():
        raise Nonsense(f"a bucket of {int(posts.min())} posts")
    return begins, ends, posts


def _first(meta: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    for name in names:
        if name in meta:
            value = meta[name]
            if not isinstance(value, int) or isinstance(value, bool):
                raise Nonsense(f"a {name} of {value!r}")
            return value
    return None


def _errors(body: Mapping[str, Any]) -> str:
    """Return what the answer's own ``errors`` say; a 200 with errors raises nothing in the client."""
    errors = body.get("errors")
    if not isinstance(errors, list) or not errors:
        return ""
    first = errors[0] if isinstance(errors[0], Mapping) else {"detail": errors[0]}
    return f": {first.get('detail') or first.get('message') or first.get('title')}"[:200]


def runs(minutes: Ints, start: float) -> list[tuple[float, float, bool]]:
    """Return the window's stretches of known and unknown minutes as (start, end, known), in order."""
    if not len(minutes):
        return []
    known = minutes != UNKNOWN
    edges = np.flatnonzero(np.diff(known)) + 1
    cuts = [0, *edges.tolist(), len(minutes)]
    return [(start + 60.0 * a, start + 60.0 * b, bool(known[a])) for a, b in pairwise(cuts)]


def attempts(
    query: Query,
    minutes: Ints,
    start: float,
    *,
    requested_at: float,
    requests: int,
    cost_usd: float,
    status: Status = Status.MALFORMED,
    http_status: int | None = 200,
    detail: str | None = None,
) -> tuple[Attempt, ...]:
    """Return one attempt a stretch: ``ok`` where minutes are known, ``status`` where they are not.

    Requests and cost stand in the first row alone, so that sums over the ledger are right.
    """
    rows: list[Attempt] = []
    for begin, end, known in runs(minutes, start):
        rows.append(
            Attempt(
                source=SOURCE,
                scope=query.scope,
                window_start=begin,
                window_end=end,
                requested_at=requested_at,
                services=(query.service,),
                regions=(query.region,),
                signals=() if query.language else (str(query.signal),),
                bin_minutes=1,
                status=Status.OK if known else status,
                bins_received=int((end - begin) // 60) if known else 0,
                requests=0 if rows else requests,
                cost_usd=0.0 if rows else cost_usd,
                http_status=200 if known else http_status,
                detail=None if known else (detail or "minutes missing from the answer"),
            )
        )
    return tuple(rows)


def volumes(query: Query, minutes: Ints, start: float, *, observed_at: float, catalog_version: str) -> pd.DataFrame:
    """Return the minutes that have posts as rows of VOLUMES; the attempts prove that the others have none."""
    at = np.flatnonzero(minutes > 0)
    count = len(at)
    times = np.int64(start * 1e6) + at * _MINUTE_US
    observed = np.full(count, round(observed_at * 1e6), dtype=np.int64)
    columns = {
        **{name: _constant(value, count) for name, value in _labels(query, catalog_version).items()},
        "bin_minutes": np.ones(count, dtype=np.int32),
        "bin_start": _times(times),
        "posts": minutes[at],
        "authors": pd.arrays.IntegerArray(np.zeros(count, dtype=np.int64), np.ones(count, dtype=bool)),
        "observed_at": _times(observed),
    }
    return pd.DataFrame({name: columns[name] for name in schema.VOLUMES.columns.names}, copy=False)


def by_language(query: Query, minutes: Ints, start: float, *, observed_at: float, catalog_version: str) -> pd.DataFrame:
    """Return the quarters of an hour that are known whole as rows of LANGUAGES, zeros among them."""
    lead = int(-start // 60 % LANGUAGE_BIN_MINUTES)
    usable = (len(minutes) - lead) // LANGUAGE_BIN_MINUTES * LANGUAGE_BIN_MINUTES
    bins = minutes[lead : lead + max(0, usable)].reshape(-1, LANGUAGE_BIN_MINUTES)
    at = np.flatnonzero((bins != UNKNOWN).all(axis=1))
    count = len(at)
    columns = {
        "source": _constant(SOURCE, count),
        "scope": _constant(query.scope, count),
        "service": _constant(query.service, count),
        "language": _constant(query.language, count),
        "bin_minutes": np.full(count, LANGUAGE_BIN_MINUTES, dtype=np.int32),
        "bin_start": _times(np.int64(start * 1e6) + (lead + at * LANGUAGE_BIN_MINUTES) * _MINUTE_US),
        "posts": bins[at].sum(axis=1),
        "catalog_version": _constant(catalog_version, count),
        "observed_at": _times(np.full(count, round(observed_at * 1e6), dtype=np.int64)),
    }
    return pd.DataFrame(columns, copy=False)


def _labels(query: Query, catalog_version: str) -> dict[str, str]:
    return {
        "source": SOURCE,
        "scope": query.scope,
        "service": query.service,
        "region": query.region,
        "signal": str(query.signal),
        "symptom": ANY_SYMPTOM,
        "unit": "posts",
        "method": str(Method.COUNTS),
        "catalog_version": catalog_version,
    }


def _constant(value: str, count: int) -> Any:
    """Return a text column of one value."""
    return pd.array(pa.repeat(pa.scalar(value, pa.large_string()), count), dtype="str")


def _times(microseconds: Ints) -> Any:
    return pd.DatetimeIndex(microseconds.view("M8[us]"), tz="UTC").array
