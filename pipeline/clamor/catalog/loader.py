"""Read the data files into a :class:`Catalog`."""

import csv
import hashlib
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from clamor.catalog.model import Catalog, Service, ServiceKind
from clamor.errors import ConfigError
from clamor.schema import Symptom

DATA = Path(__file__).parent / "data"
_LISTS = (
    "names",
    "handles",
    "hashtags",
    "subreddits",
    "weak",
    "confusions",
    "regions",
    "query_names",
    "query_complaints",
)
_FIELDS = {*_LISTS, "name", "kind", "parent", "topic"}


@cache
def load(overrides: Path | None = None) -> Catalog:
    """Return the catalogue, with a user's own TOML of services added to it or put over it.

    Args:
        overrides: A TOML file, one table a service as in ``data/services/*.toml``; a table of a known id replaces the
            fields that it names.

    Raises:
        ConfigError: the file is unreadable, is no TOML, or a table has an unknown field or a wrong type.

    """
    tables: dict[str, Any] = {}
    for path in sorted((DATA / "services").glob("*.toml")):
        tables.update(_toml(path))
    if overrides is not None:
        for service, fields in _toml(Path(overrides)).items():
            known = tables.get(service, {})
            tables[service] = {**known, **fields} if isinstance(fields, dict) else fields
    phrases = {path.stem: _toml(path) for path in sorted((DATA / "phrases").glob("*.toml"))}
    return Catalog(
        services={name: _service(name, table) for name, table in sorted(tables.items())},
        phrases=phrases,
        kinds={kind: ServiceKind(**table) for kind, table in _toml(DATA / "kinds.toml").items()},
        symptoms=tuple(Symptom),
        complaint_terms=tuple(dict.fromkeys(term for table in phrases.values() for term in table.get("query", ()))),
        regions=regions(),
        subreddit_regions=_subreddits(),
        wording=_wording(),
        version=_version(overrides),
    )


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; a catalogue file must be readable; check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}; catalogue files are UTF-8 TOML; correct that line") from error


def _service(service: str, table: Any) -> Service:
    if not isinstance(table, Mapping):
        raise ConfigError(f"catalogue: {service!r} is not a table; write [{service}] and its fields below it")
    unknown = sorted(set(table) - _FIELDS)
    if unknown:
        raise ConfigError(f"service {service!r}: unknown field {unknown[0]!r}; fields are {', '.join(sorted(_FIELDS))}")
    for name in _LISTS:
        value = table.get(name, [])
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise ConfigError(f"service {service!r}: {name} = {value!r}; it must be a list of texts")
    if not table.get("names") and not table.get("handles") and not table.get("weak"):
        raise ConfigError(f"service {service!r}: no names; a service is found by what people write; add names = [...]")
    lists = {name: tuple(dict.fromkeys(table.get(name, ()))) for name in _LISTS}
    lists["query_names"] = lists["query_names"] or lists["names"][:1] or lists["weak"][:1]
    return Service(
        id=service,
        name=table.get("name", service),
        kind=table.get("kind", "other"),
        parent=table.get("parent"),
        topic=table.get("topic"),
        **lists,
    )


@cache
def regions() -> pd.DataFrame:
    """Return the regions of the catalogue alone, which is sooner read than all of it."""
    frame = pd.read_csv(
        DATA / "regions.csv",
        keep_default_na=False,
        dtype={"iso_numeric": "str", "utc_offset_h": "str", "region": "str", "parent": "str"},
    )
    frame["utc_offset_h"] = pd.to_numeric(frame["utc_offset_h"], errors="coerce")
    for name in ("parent", "timezone", "iso_numeric"):
        frame[name] = frame[name].where(frame[name] != "")
    return frame[["region", "parent", "name", "kind", "timezone", "utc_offset_h", "iso_numeric"]]


def _wording() -> pd.DataFrame:
    return pd.read_csv(
        DATA / "wording.csv", index_col="word", dtype={"word": "str"}, keep_default_na=False, na_values=[""]
    ).fillna(0.0)


def _subreddits() -> dict[str, str]:
    with (DATA / "subreddits.csv").open(encoding="utf-8", newline="") as lines:
        return {row["subreddit"].lower(): row["region"] for row in csv.DictReader(lines)}


def _version(overrides: Path | None) -> str:
    digest = hashlib.sha256()
    files = sorted(path for path in DATA.rglob("*") if path.suffix in {".toml", ".csv", ".parquet"})
    for path in [*files, *([Path(overrides)] if overrides is not None else [])]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:10]
