"""Other people's tables: Parquet, CSV or JSON lines in and out, by the file's ending, with types and plain errors."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa

from clamor.errors import InputError

KINDS: Final = (".parquet", ".csv", ".jsonl")
_ZONED: Final = r"(?:[zZ]|[+-]\d{2}:?\d{2}|UTC)$"
_TRUTH: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def read(path: Path) -> pd.DataFrame:
    """Read a Parquet, CSV or JSON-lines file as it is: CSV values are texts, an empty one is null, ``NA`` is a text.

    Raises:
        InputError: the file is absent, empty, of another kind, or cannot be parsed.

    """
    kind = _kind(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file; give the path of a {_listed()} file")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty; a table has at least a header")
    try:
        if kind == ".parquet":
            frame = pd.read_parquet(path)
        elif kind == ".csv":
            frame = pd.read_csv(path, dtype="str", keep_default_na=False, na_values=[""], encoding="utf-8-sig")
        else:
            frame = pd.read_json(path, lines=True, dtype=False, convert_dates=False)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: byte {error.start} is not UTF-8; convert the file, for example with iconv"
        ) from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, pa.ArrowException, ValueError, OSError) as error:
        raise InputError(f"{path}: not readable as {kind[1:]} ({_line(error)}); export it again") from error
    frame.columns = [str(name).strip() for name in frame.columns]
    return frame


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame by the path's ending; lists are space-separated in CSV; times are ISO 8601 with ``Z``.

    Raises:
        InputError: the ending is unknown or the place cannot be written.

    """
    kind = _kind(path)
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == ".parquet":
            frame.to_parquet(temporary, index=False)
        elif kind == ".csv":
            _flat(frame).to_csv(temporary, index=False)
        else:
            frame.to_json(temporary, orient="records", lines=True, date_format="iso", date_unit="us", force_ascii=False)
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); give another --out") from error


def to_json(rows: Iterable[object]) -> str:
    """Return rows as JSON for machines: times ISO 8601 in UTC, missing values null."""
    return json.dumps([_plain(row) for row in rows], indent=2, ensure_ascii=False)


def counts(path: Path) -> pd.DataFrame:
    """Read a bring-your-own-counts file into the columns of ``clamor.schema.COUNTS_COLUMNS``.

    Raises:
        InputError: a column is missing, a time is naive, or a value has the wrong type.

    """
    frame = read(path)
    required = ["service", "region", "bin_start", "count"]
    _require(frame, required, path)
    out = pd.DataFrame(
        {
            "service": _texts(frame["service"], path),
            "region": _texts(frame["region"], path),
            "bin_start": times(frame["bin_start"], path),
            "count": _numbers(frame["count"], path),
        }
    )
    if "observed" in frame:
        out["observed"] = _truths(frame["observed"], path)
    if "mentions" in frame:
        out["mentions"] = _numbers(frame["mentions"], path)
    return out


def regions(path: Path) -> pd.DataFrame:
    """Read a regions file: ``region, parent`` and ``timezone`` or ``utc_offset_h``.

    Raises:
        InputError: a column is missing or a value has the wrong type.

    """
    frame = read(path)
    _require(frame, ["region", "parent"], path)
    out = pd.DataFrame({"region": _texts(frame["region"], path), "parent": frame["parent"].astype("str")})
    if "timezone" in frame:
        out["timezone"] = frame["timezone"].astype("str")
    if "utc_offset_h" in frame:
        out["utc_offset_h"] = _numbers(frame["utc_offset_h"], path)
    return out


def times(column: pd.Series, path: Path) -> pd.Series:
    """Return times in UTC at microseconds; a naive one is refused, for nobody knows which hour it means."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return column.dt.tz_convert("UTC").astype("datetime64[us, UTC]")
    if not (isinstance(column.dtype, pd.StringDtype) or column.dtype == object):
        raise InputError(
            f"{path}: {column.name} has the type {column.dtype}; a time has an offset, as 2026-10-14T09:15Z"
        )
    texts = column.astype("str")
    naive = ~texts.str.strip().str.contains(_ZONED, regex=True, na=False)
    if naive.any():
        row = int(naive.to_numpy().argmax())
        raise InputError(
            f"{path}: {column.name} {texts.iloc[row]!r} (row {row + 1}) has no offset; "
            "a time has one, as 2026-10-14T09:15Z; add it"
        )
    try:
        parsed: pd.Series = pd.to_datetime(texts, utc=True, format="ISO8601").astype("datetime64[us, UTC]")
    except (ValueError, OverflowError) as error:
        raise InputError(f"{path}: {column.name}: {_line(error)}; write times as 2026-10-14T09:15Z") from error
    return parsed


def _kind(path: Path) -> str:
    kind = path.suffix.lower()
    if kind not in KINDS:
        raise InputError(f"{path}: ending {path.suffix!r} is not known; use a {_listed()} file")
    return kind


def _listed() -> str:
    return ", ".join(kind[1:] for kind in KINDS[:-1]) + " or " + KINDS[-1][1:]


def _line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0][:160] if str(error).strip() else type(error).__name__


def _require(frame: pd.DataFrame, names: list[str], path: Path) -> None:
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise InputError(
            f"{path}: no column {missing[0]!r} among {', '.join(map(str, frame.columns))}; "
            f"the columns are {', '.join(names)}; rename it"
        )


def _texts(column: pd.Series, path: Path) -> pd.Series:
    null = column.isna()
    if null.any():
        raise InputError(f"{path}: {column.name} is empty in row {int(null.to_numpy().argmax()) + 1}; name it")
    return column.astype("str")


def _numbers(column: pd.Series, path: Path) -> pd.Series:
    numbers = pd.to_numeric(column, errors="coerce").astype("float64")
    wrong = numbers.isna() & column.notna()
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise InputError(
            f"{path}: {column.name} {column.iloc[row]!r} (row {row + 1}) is not a number; mend or empty it"
        )
    return numbers


def _truths(column: pd.Series, path: Path) -> pd.Series:
    """Empty means true, the default."""
    if pd.api.types.is_bool_dtype(column.dtype):
        return column.fillna(True).astype("bool")
    found = column.astype("str").str.strip().str.lower().map(_TRUTH)
    wrong = found.isna() & column.notna()
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise InputError(f"{path}: {column.name} {column.iloc[row]!r} (row {row + 1}); it is true or false")
    return found.where(column.notna(), True).astype("bool")


def _flat(frame: pd.DataFrame) -> pd.DataFrame:
    out = frame.copy()
    for name in out.columns:
        if isinstance(out[name].dtype, pd.DatetimeTZDtype):
            out[name] = out[name].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        elif out[name].dtype == object:
            out[name] = [" ".join(map(str, v)) if isinstance(v, (list, tuple)) else v for v in out[name]]
    return out


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)) or type(value).__name__ == "ndarray":
        return [_plain(item) for item in value]  # type: ignore[attr-defined]
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.item() if hasattr(value, "item") else value
