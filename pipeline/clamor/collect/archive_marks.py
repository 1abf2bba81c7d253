"""Official statements -> marks: a status page's history as CSV, JSON or Atom. Never evidence for a flag.

JSON is a list of ``{"service", "time", "status", "url"}`` or the answer of a Statuspage ``/api/v2/incidents.json``
(https://metastatuspage.com/api), of which every update is a mark; Atom is the feed of such a page, one mark an entry.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

import pandas as pd

from clamor import schema
from clamor.catalog import Catalog
from clamor.collect.archive_file import lines, look
from clamor.collect.archive_numbers import csv_rows
from clamor.collect.archive_row import BadTimeError, Clockwork, NaiveTimeError, Skip, naive, zone_named
from clamor.collect.archive_summary import ImportSummary
from clamor.collect.batch import utc
from clamor.errors import InputError

_ATOM: Final = "{http://www.w3.org/2005/Atom}"
_FIELDS: Final = {
    "service": ("service",),
    "time": ("time", "mark_at", "created_at", "date", "datetime", "timestamp"),
    "status": ("status", "title", "state"),
    "url": ("url", "link"),
}
_LARGEST: Final = 1 << 26
_Said = tuple[int, Mapping[str, Any]]


def read_marks(
    paths: Iterable[Path],
    *,
    catalog: Catalog,
    observed_at: float,
    source: str = "status_page",
    service: str | None = None,
    timezone: str | None = None,
    summary: ImportSummary | None = None,
) -> pd.DataFrame:
    """Return the statements of status pages as rows of MARKS, sorted by time.

    Args:
        paths: CSV (``service, time, status, url``), JSON or Atom files, told apart by content, packed or not.
        catalog: Names the services.
        observed_at: Now, seconds since the epoch.
        source: Name of the source of the marks.
        service: Of statements that name none.
        timezone: IANA name, of times that name none; such times are refused when None.
        summary: Is filled; its ``posts`` is the number of marks.

    Statements of one service at the same second are one mark, their statuses joined.

    Raises:
        InputError: a file cannot be read or holds no statement, times are naive, or a service is unknown or not named.

    """
    summary = summary if summary is not None else ImportSummary()
    times = Clockwork(observed_at, zone_named(timezone))
    marks: dict[tuple[str, int], dict[str, str | None]] = {}
    for path in map(Path, paths):
        summary.files.append(path.name)
        before = summary.posts
        for number, said in _statements(path):
            summary.rows += 1
            try:
                at = times.read(said.get("time"))
            except NaiveTimeError:
                raise naive(path, number, said.get("time")) from None
            except BadTimeError as error:
                summary.skip(Skip(str(error), number), f"{path.name}, line {number}")
                continue
            key = (_service(said, service, catalog, path, number), at)
            status, url = str(said.get("status") or "no status"), said.get("url") or None
            known = marks.setdefault(key, {"status": status, "url": url})
            if status not in str(known["status"]).split("; "):
                known["status"] = f"{known['status']}; {status}"
            summary.posts += 1
        if summary.posts == before:
            raise InputError(f"{path}: holds no statement with a time; a status page's history is CSV, JSON or Atom")
    return _frame(marks, source, observed_at)


def _frame(marks: Mapping[tuple[str, int], Mapping[str, Any]], source: str, observed_at: float) -> pd.DataFrame:
    rows = [
        {"source": source, "service": service, "mark_at": utc(at), **said, "observed_at": utc(observed_at)}
        for (service, at), said in sorted(marks.items(), key=lambda item: (item[0][1], item[0][0]))
    ]
    return schema.to_pandas(schema.conform(pd.DataFrame(rows), schema.MARKS)) if rows else schema.MARKS.empty()


def _service(said: Mapping[str, Any], service: str | None, catalog: Catalog, path: Path, number: int) -> str:
    named = said.get("service") or service
    if named is None:
        raise InputError(f"{path}, line {number}: names no service; say with --service whose statement it is")
    if named not in catalog.services:
        raise InputError(f"{path}, line {number}: service {named!r} is not in the catalogue; name one of its ids")
    return str(named)


def _statements(path: Path) -> Iterator[_Said]:
    """Yield each statement with its line, or its number where the form has no lines."""
    file, head = look(path)
    if file.size > _LARGEST:
        raise InputError(f"{path}: {file.size:,} bytes of statements; at most 64 MiB; split it up")
    start = head.lstrip()[:1]
    if start not in ("{", "[", "<"):
        yield from _of_csv(path, lines(file))
        return
    text = b"\n".join(lines(file)).decode("utf-8", "replace")
    yield from enumerate(_of_atom(path, text) if start == "<" else _of_json(path, text), 1)


def _of_csv(path: Path, text: Iterable[bytes]) -> Iterator[_Said]:
    rows = csv_rows(text)
    _, header = next(rows, (0, ""))
    names = [name.strip().lower() for name in header] if not isinstance(header, str) else []
    at = {field: next((names.index(n) for n in usual if n in names), -1) for field, usual in _FIELDS.items()}
    if at["time"] < 0 or at["status"] < 0:
        shown = ", ".join(map(repr, names)) or "none"
        raise InputError(f"{path}: columns time and status are needed; it has {shown}; name them so")
    for number, row in rows:
        cells = [] if isinstance(row, str) else row
        yield number, {field: cells[p] for field, p in at.items() if 0 <= p < len(cells)}


def _of_json(path: Path, text: str) -> Iterator[Mapping[str, Any]]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise InputError(f"{path}: not whole JSON; a list of statements or a Statuspage answer; get it again") from None
    incidents = content.get("incidents") if isinstance(content, dict) else content
    for item in incidents if isinstance(incidents, list) else []:
        if not isinstance(item, dict):
            continue
        updates = item.get("incident_updates")
        if not isinstance(updates, list):
            yield {field: next((item[n] for n in usual if n in item), None) for field, usual in _FIELDS.items()}
            continue
        for update in updates:
            if isinstance(update, dict):
                status = f"{update.get('status')}: {item.get('name')}"
                yield {"time": update.get("created_at"), "status": status, "url": item.get("shortlink")}


def _of_atom(path: Path, text: str) -> Iterator[Mapping[str, Any]]:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise InputError(
            f"{path}: XML with a document type; an Atom feed has none, and it is not followed; get the feed"
        )
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise InputError(f"{path}: not whole XML ({error}); an Atom feed is read; get it again") from None
    for entry in root.iter(f"{_ATOM}entry"):
        link = entry.find(f"{_ATOM}link")
        moment = entry.findtext(f"{_ATOM}published") or entry.findtext(f"{_ATOM}updated")
        yield {
            "time": moment,
            "status": (entry.findtext(f"{_ATOM}title") or "").strip(),
            "url": link.get("href") if link is not None else None,
        }
