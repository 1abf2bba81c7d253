"""Files of counts -> one number a service, region and bin: X counts, tables, report charts, Google Trends."""

import json
import math
import re
from collections import Counter as Tallies
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

from clamor.collect.archive_csv import DELIMITERS, records
from clamor.collect.archive_row import BadTimeError, Clockwork, NaiveTimeError, Skip, naive, seconds
from clamor.errors import InputError

_COUNT: Final = ("tweet_count", "post_count")
_COLUMNS: Final = {
    "service": ("service",),
    "region": ("region",),
    "bin_start": ("bin_start", "time", "date", "datetime", "timestamp"),
    "count": ("count", "posts", "reports", "value"),
    "mentions": ("mentions",),
}
_TREND_TIMES: Final = ("time", "minute", "hour", "day", "week", "month", "date")
_MONTH: Final = re.compile(r"\d{4}-\d{2}$")
_TREND: Final = re.compile(r"(?P<term>.+): \((?P<region>.+)\)$")


class Number(NamedTuple):
    """What was counted in one bin.

    Attributes:
        service: As the file gives it; None where it gives none.
        region: Likewise; a code, or the English name that Google Trends gives.
        at: Start of the bin, seconds since the epoch.
        value: Posts, reports or index points; None where the file has none: the bin is unknown.
        mentions: All posts that name the service, or None.
        line: Where it stands.

    """

    service: str | None
    region: str | None
    at: int
    value: int | None
    mentions: int | None
    line: int


def x_query(line: bytes) -> str | None:
    """Return the query of an answer as twarc notes it (``__twarc.url``), or None."""
    try:
        url = json.loads(line)["__twarc"]["url"]
        return str(parse_qs(urlsplit(url).query)["query"][0])
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return None


def x_buckets(lines: Iterable[bytes], times: Clockwork) -> Iterator[Number | Skip]:
    """Yield the whole aligned buckets of X's count answers; partial first and last ones are left out."""
    found: list[tuple[int, int, Any, int]] = []
    for number, line in enumerate(lines, 1):
        try:
            answer = json.loads(line.decode("utf-8")) if line.strip() else {"data": []}
            data = [answer] if "start" in answer else answer.get("data")
        except (ValueError, TypeError, AttributeError, RecursionError):
            yield Skip("not a whole JSON object", number)
            continue
        if not isinstance(data, list):
            yield Skip("no counts: an error message of the API perhaps", number)
            continue
        for bucket in data:
            try:
                start, end = (seconds(bucket[name], times.zone) for name in ("start", "end"))
                sharp = all(_whole_seconds(bucket[name]) for name in ("start", "end"))
                found.append((start, end - start if sharp else -1, _first(bucket), number))
            except (KeyError, TypeError, ValueError):
                yield Skip("not a bucket of counts", number)
    width = Tallies(width for _, width, _, _ in found).most_common(1)[0][0] if found else 0
    for start, length, count, number in found:
        if length != width or start % width:
            yield Skip("partial bucket", number, by_rule=True)
        elif type(count) is not int or count < 0:
            yield Skip("not a count", number)
        else:
            yield Number(None, None, start, count, None, number)


def _whole_seconds(text: str) -> bool:
    """Tell whether a time of X has no part of a second."""
    return not re.search(r"\.\d*[1-9]", text)


def _first(bucket: Mapping[str, Any]) -> Any:
    return next((bucket[name] for name in _COUNT if name in bucket), None)


def table(
    rows: Iterable[tuple[int, Sequence[Any] | str]], path: Path, times: Clockwork, columns: Mapping[str, str]
) -> Iterator[Number | Skip]:
    """Yield the rows of a table whose first row names its columns.

    Args:
        rows: Line numbers with cells, or with a text that says why there are none.
        path: For messages.
        times: How times are read.
        columns: ``service``, ``region``, ``bin_start``, ``count`` or ``mentions`` to column name, over the usual ones.

    """
    rows = iter(rows)
    _, header = next(rows, (0, []))
    names = [str(name).strip().lower() for name in header] if not isinstance(header, str) else []
    at = {}
    for field, usual in _COLUMNS.items():
        wanted = (columns[field].lower(),) if field in columns else usual
        at[field] = next((names.index(name) for name in wanted if name in names), -1)
        if at[field] < 0 and (field in ("bin_start", "count") or field in columns):
            shown = ", ".join(map(repr, names)) or "none"
            raise InputError(f"{path}: no column for {field}; it has {shown}; name it, like {field}=COLUMN")
    for number, row in rows:
        if isinstance(row, str):
            yield Skip(row, number)
        elif len(row) != len(names):
            if row:
                yield Skip(f"fields are not the header's {len(names)}", number)
        else:
            cells = {field: row[position] if position >= 0 else None for field, position in at.items()}
            yield _number(path, number, times, **cells)


def _number(
    path: Path, line: int, times: Clockwork, service: Any, region: Any, bin_start: Any, count: Any, mentions: Any = None
) -> Number | Skip:
    try:
        at = times.read(bin_start)
    except NaiveTimeError:
        raise naive(path, line, bin_start) from None
    except BadTimeError as error:
        return Skip(str(error), line)
    try:
        posts, of_all = _whole(count), _whole(mentions)
    except ValueError as error:
        return Skip(str(error), line)
    return Number(str(service) if service else None, str(region) if region else None, at, posts, of_all, line)


def _whole(value: Any) -> int | None:
    """Return a count, None where the cell is empty; below one index point is 0."""
    text = str(value).strip() if value is not None else ""
    if text in ("", "nan", "null", "None"):
        return None
    if text == "<1":
        return 0
    try:
        number = float(text)
    except ValueError:
        raise ValueError("not a number") from None
    if number < 0:
        raise ValueError("negative count")
    if not math.isfinite(number) or number != int(number) or number >= 2**53:
        raise ValueError("not a whole number")
    return int(number)


def csv_rows(lines: Iterable[bytes], delimiter: str | None = None) -> Iterator[tuple[int, Sequence[str] | str]]:
    """Yield the records of a CSV file, blank ones left out; the delimiter is that which splits the first one most."""
    numbered = ((n, line.decode("utf-8", "replace")) for n, line in enumerate(lines, 1))
    first = next(((n, line) for n, line in numbered if line.strip()), None)
    if first is None:
        return
    best = delimiter or max(DELIMITERS, key=first[1].count)
    for start in (iter([first]), numbered):
        for number, row in records(start, best):
            if row:
                yield number, row


def chart(text: str, path: Path, times: Clockwork) -> Iterator[Number | Skip]:
    """Yield the points of a chart of reports, ``[{"x": time, "y": count}, ...]``."""
    try:
        points = json.loads(text)
    except (ValueError, RecursionError):
        raise InputError(f'{path}: not whole JSON; a chart is [{{"x": time, "y": count}}, ...]; get it again') from None
    for number, point in enumerate(points if isinstance(points, list) else [], 1):
        if not isinstance(point, dict) or "x" not in point or "y" not in point:
            yield Skip("not a point with x and y", number)
        else:
            yield _number(path, number, times, None, None, point["x"], point["y"])


def trends(rows: Iterable[tuple[int, Sequence[Any] | str]], path: Path, times: Clockwork) -> Iterator[Number | Skip]:
    """Yield the points of a Google Trends export, region by its English name; one search term a file."""
    region: str | None = ""
    for number, row in rows:
        if isinstance(row, str):
            yield Skip(row, number)
        elif region == "":
            region = _trend_region(path, row)
        elif len(row) != 2:
            yield Skip("fields are not the header's 2", number)
        elif _MONTH.match(str(row[0]).strip()):
            raise InputError(
                f"{path}, line {number}: {row[0]!r} is a month, and months are of no one length; export five years at "
                "most, then a point is a week"
            )
        else:
            yield _number(path, number, times, None, region, row[0], row[1])
    if region == "":
        raise InputError(f"{path}: no column like 'term: (Region)'; a Google Trends export has one; get it again")


def _trend_region(path: Path, row: Sequence[Any]) -> str | None:
    """Return the region that the header of a Google Trends export names, None if it names none; empty for no header."""
    cells = [str(cell).strip() for cell in row[1:]]
    named = [_TREND.match(cell) for cell in cells]
    header = str(row[0]).strip().lower() in _TREND_TIMES
    if (any(named) or header) and len(cells) > 1:
        raise InputError(f"{path}: {len(cells)} search terms; each is a source of its own; one a file")
    if any(named):
        return str(named[0]["region"]) if named[0] else ""
    return None if header and cells else ""
