"""Other people's tables: Parquet, CSV or JSON lines in and out, by the file's ending, with types and plain errors."""

import csv
import json
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec
import pandas as pd
import pyarrow as pa

from clamor.errors import InputError

KINDS: Final = (".parquet", ".csv", ".jsonl")
MOST: Final = 1e9
"""A larger count is a mistake; the detector takes none."""
YEARS: Final = (1970, 2200)
"""Times outside are mistakes, and do not fit nanoseconds."""
_ZONED: Final = r"(?:[zZ]|UTC|:\S*[+-]\d{2}(?::?\d{2})?)$"
_TRUTH: Final = {
    **dict.fromkeys(("true", "1", "1.0", "yes"), True),
    **dict.fromkeys(("false", "0", "0.0", "no"), False),
}
_UNKNOWN: Final = ("", "nan", "na", "n/a", "<na>", "null", "none")
"""How others write a number that they do not have."""
_DELIMITERS: Final = ",;\t|"
_BLOCK: Final = 1 << 20


def read(path: Path) -> pd.DataFrame:
    """Read a Parquet, CSV or JSON-lines file as it is: CSV values are texts, an empty one is null, ``NA`` is a text.

    A CSV file is UTF-8, separated by commas, semicolons, tabs or bars, every row as long as its header.

    Raises:
        InputError: the file is absent, empty, of another kind, cannot be parsed, or names a column twice.

    """
    kind = _kind(path)
    if path.is_dir():
        raise InputError(f"{path}: a folder, not a file; name one {_listed()} file")
    if not path.is_file():
        raise InputError(f"{path}: no such file; give the path of a {_listed()} file")
    readers = {".parquet": _parquet, ".csv": _csv, ".jsonl": _jsonl}
    try:
        if path.stat().st_size == 0:
            raise InputError(f"{path}: the file is empty; a table has at least a header")
        frame = readers[kind](path)
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: {error.reason}: not UTF-8; convert the file, for example with iconv") from error
    except PermissionError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    except (pa.ArrowException, ValueError, OSError) as error:
        raise InputError(f"{path}: not readable as {kind[1:]} ({_line(error)}); export it again") from error
    frame.columns = pd.Index([str(name).strip() for name in frame.columns])
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise InputError(f"{path}: column {twice[0]!r} is there twice; one column a name; rename or drop one")
    return frame


def _parquet(path: Path) -> pd.DataFrame:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:  # the file alone: folders named like key=value add nothing
        frame: pd.DataFrame = file.read().to_pandas(ignore_metadata=True)
    return frame


def _csv(path: Path) -> pd.DataFrame:
    """Read strictly: a row that is cut short or an open quote would otherwise become an unknown count in silence."""
    import pyarrow.csv as arrow_csv

    names, delimiter = _csv_header(path)
    with path.open("rb") as blocks:
        if sum(block.count(b'"') for block in iter(lambda: blocks.read(_BLOCK), b"")) % 2:
            raise InputError(f"{path}: a quote is opened and never closed; quote values on both sides")
    table = arrow_csv.read_csv(
        path,
        read_options=arrow_csv.ReadOptions(use_threads=False),  # one thread knows the number of a bad row
        parse_options=arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            column_types={name: pa.string() for name in names},
            null_values=[""],
            strings_can_be_null=True,
        ),
    )
    if len(table.column_names) != len(names):
        raise InputError(f"{path}: its first line is no header of {len(table.column_names)} columns; write one")
    return pd.DataFrame({i: table.column(i).to_pandas() for i in range(len(names))}).set_axis(names, axis=1)


def _csv_header(path: Path) -> tuple[list[str], str]:
    """Return the names in a CSV file's first line, and what parts them."""
    with path.open(encoding="utf-8-sig") as lines:
        header = next((line for line in lines if line.strip()), "").rstrip("\n")
    if not header:
        raise InputError(f"{path}: the file is blank; a table has at least a header")
    delimiter = max(_DELIMITERS, key=header.count)
    return next(csv.reader([header], delimiter=delimiter), []), delimiter


def _jsonl(path: Path) -> pd.DataFrame:
    decode = msgspec.json.Decoder().decode
    rows: list[Any] = []
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                rows.append(decode(line))
            except msgspec.MsgspecError as error:
                raise InputError(f"{path}: line {number}: {error}; a line is one JSON object; mend it") from error
            if not isinstance(rows[-1], dict):
                raise InputError(f"{path}: line {number} is no JSON object; a line is one object; mend it")
    return pd.DataFrame(rows)


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
            _write_parquet(frame, temporary)
        elif kind == ".csv":
            _flat(frame).to_csv(temporary, index=False)
        else:
            frame.to_json(temporary, orient="records", lines=True, date_format="iso", date_unit="us", force_ascii=False)
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise InputError(f"{path}: cannot be written ({error.strerror}); give another --out") from error


def _write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Write without dictionaries of measured numbers, which hardly repeat: twice as fast, and no larger."""
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(frame, preserve_index=False, nthreads=1)
    coded = [field.name for field in table.schema if not pa.types.is_floating(field.type)]
    pq.write_table(table, path, use_dictionary=coded)


def to_json(rows: Iterable[object]) -> str:
    """Return rows as JSON for machines: times ISO 8601 in UTC, missing values null."""
    return json.dumps([_plain(row) for row in rows], indent=2, ensure_ascii=False)


def counts(path: Path) -> pd.DataFrame:
    """Read a bring-your-own-counts file into the columns of ``clamor.schema.COUNTS_COLUMNS``.

    Raises:
        InputError: a column is missing, there is no row, a time is naive, or a value has the wrong type or range.

    """
    frame = read(path)
    required = ["service", "region", "bin_start", "count"]
    _require(frame, required, path)
    if frame.empty:
        raise InputError(f"{path}: no rows; a counts file has a row a series and bin; export it again")
    out = pd.DataFrame(
        {
            "service": _texts(frame["service"], path),
            "region": _texts(frame["region"], path),
            "bin_start": times(frame["bin_start"], path),
            "count": _counts(frame["count"], path),
        }
    )
    if "observed" in frame:
        out["observed"] = _truths(frame["observed"], path)
    if "mentions" in frame:
        out["mentions"] = _counts(frame["mentions"], path)
    if "source" in frame:
        _check_sources(frame["source"], out, path)
    return out


def _check_sources(sources: pd.Series, rows: pd.DataFrame, path: Path) -> None:
    """Refuse two sources of one series: evidence is combined over sources, counts are not."""
    names = _maybe(sources).dropna().unique()
    if len(names) > 1 and rows.duplicated(["service", "region", "bin_start"]).any():
        raise InputError(
            f"{path}: one series has counts of {len(names)} sources ({', '.join(names[:4])}), which are never added; "
            "give a file to each, or name the source in the service, as x/tiktok"
        )


def unused(path: Path, used: Collection[str]) -> list[str]:
    """Return the columns of a CSV or Parquet file that are not among those ``used``; of JSON lines none is named.

    The unnamed index that pandas writes beside columns is none.
    """
    import pyarrow.parquet as pq

    kind = _kind(path)
    names = pq.read_schema(path).names if kind == ".parquet" else _csv_header(path)[0] if kind == ".csv" else []
    return [name for name in map(str.strip, names) if name not in used and not name.startswith("__index_level_")]


def regions(path: Path) -> pd.DataFrame:
    """Read a regions file: ``region``; optional ``parent`` and ``timezone`` or ``utc_offset_h``.

    Raises:
        InputError: a column is missing or a value has the wrong type.

    """
    frame = read(path)
    _require(frame, ["region"], path)
    out = pd.DataFrame({"region": _texts(frame["region"], path)})
    for name in ("parent", "timezone"):
        if name in frame:
            out[name] = _maybe(frame[name])
    if "utc_offset_h" in frame:
        out["utc_offset_h"] = _numbers(frame["utc_offset_h"], path)
    return out


def labels(path: Path) -> pd.DataFrame:
    """Read known incidents: ``service, region, start_at, end_at``, optional ``event_id`` and ``note``.

    Raises:
        InputError: a column is missing or a time is naive.

    """
    frame = read(path)
    _require(frame, ["service", "region", "start_at", "end_at"], path)
    if frame.empty:
        raise InputError(f"{path}: no rows; a backtest compares with at least one known incident; add it")
    out = pd.DataFrame({name: _texts(frame[name], path) for name in ("service", "region")})
    for name in ("start_at", "end_at"):
        out[name] = times(frame[name], path)
    for name in ("event_id", "note"):
        if name in frame:
            out[name] = _maybe(frame[name])
    return out


def check_ending(path: Path) -> None:
    """Refuse a path that :func:`write` cannot write, before the work is done.

    Raises:
        InputError: its ending is unknown.

    """
    _kind(path)


def times(column: pd.Series, path: Path) -> pd.Series:
    """Return times in UTC at microseconds; a naive one is refused, for nobody knows which hour it means.

    Raises:
        InputError: a time is null, naive, or none.

    """
    if len(column) == 0:
        return pd.Series([], dtype="datetime64[us, UTC]", name=column.name)
    null = column.isna()
    if null.any():
        raise InputError(f"{path}: {column.name} is empty in row {_first(null)}; every row has a time; fill it")
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        first, last = (pd.Timestamp(f"{year}-01-01", tz="UTC") for year in (YEARS[0], YEARS[1] + 1))
        if column.min() < first or column.max() >= last:
            row = _first((column < first) | (column >= last))
            raise InputError(
                f"{path}: {column.name} {column.iloc[row - 1]} (row {row}) is not in {YEARS[0]} to {YEARS[1]}; mend it"
            )
        zoned: pd.Series = column.dt.tz_convert("UTC").astype("datetime64[us, UTC]")
        return zoned
    if not (isinstance(column.dtype, pd.StringDtype | pd.CategoricalDtype) or column.dtype == object):
        raise InputError(
            f"{path}: {column.name} has the type {column.dtype}; a time has an offset, as 2026-10-14T09:15Z; "
            f"{'add it, in pandas with .dt.tz_localize' if column.dtype.kind == 'M' else 'write it so'}"
        )
    codes, distinct = pd.factorize(column.astype("str"))  # a file has few distinct times and many rows
    texts = pd.Series(distinct, dtype="str").str.strip()
    naive = ~texts.str.contains(_ZONED, regex=True, na=False)
    zulu = texts.str.replace(r"\s*(?:UTC|[zZ])$", "Z", regex=True)
    parsed = pd.to_datetime(zulu, utc=True, format="ISO8601", errors="coerce").astype("datetime64[us, UTC]")
    strange = parsed.isna() | ~parsed.dt.year.between(*YEARS)
    for wrong, rule in ((naive, "has no offset; add the one it is meant in"), (strange, "is no time; write it")):
        if wrong.any():
            at = int(wrong.to_numpy().argmax())
            raise InputError(
                f"{path}: {column.name} {texts.iloc[at]!r} (row {_first(codes == at)}) {rule}, as 2026-10-14T09:15Z"
            )
    return pd.Series(parsed.array.take(codes), index=column.index, name=column.name)


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


def _first(wrong: Any) -> int:
    """Return the number of the first row that is wrong, counted from 1."""
    return int(pd.Series(wrong).to_numpy().argmax()) + 1


def _texts(column: pd.Series, path: Path) -> pd.Series:
    texts = _maybe(column)
    blank = [text for text in texts.unique() if pd.isna(text) or not text.strip()]
    if blank:
        row = _first(texts.isin(blank))
        raise InputError(f"{path}: {column.name} is empty in row {row}; every row names its series; fill it")
    return texts


def _maybe(column: pd.Series) -> pd.Series:
    """Return texts, null where there is none; some writers store texts as bytes."""
    if column.dtype == object:
        column = column.map(lambda v: v.decode("utf-8", "replace") if isinstance(v, bytes) else v)
    return column.astype("str")


def _numbers(column: pd.Series, path: Path) -> pd.Series:
    if column.dtype == "float64":
        return column
    numbers = pd.to_numeric(column, errors="coerce").astype("float64")
    wrong = numbers.isna() & column.notna()
    if wrong.any():
        wrong[wrong] = ~column[wrong].astype("str").str.strip().str.lower().isin(_UNKNOWN)
    if pd.api.types.is_bool_dtype(column.dtype) or column.dtype == object:
        wrong |= column.map(lambda value: isinstance(value, bool)).astype("bool")
    if wrong.any():
        row = _first(wrong)
        raise InputError(
            f"{path}: {column.name} {str(column.iloc[row - 1])!r} (row {row}) is not a number; mend or empty it"
        )
    return numbers


def _counts(column: pd.Series, path: Path) -> pd.Series:
    numbers = _numbers(column, path)
    if numbers.min() < 0 or numbers.max() > MOST:
        row = _first((numbers < 0) | (numbers > MOST))
        raise InputError(
            f"{path}: {column.name} {numbers.iloc[row - 1]:g} (row {row}); a count is finite, not negative and "
            f"at most {MOST:g}; leave it empty where it is not known"
        )
    return numbers


def _truths(column: pd.Series, path: Path) -> pd.Series:
    """Empty means true, the default."""
    if pd.api.types.is_bool_dtype(column.dtype):
        return column.fillna(True).astype("bool")
    found = column.astype("str").str.strip().str.lower().map(_TRUTH)
    wrong = found.isna() & column.notna()
    if wrong.any():
        row = _first(wrong)
        raise InputError(
            f"{path}: {column.name} {str(column.iloc[row - 1])!r} (row {row}); it is true or false; mend it"
        )
    return found.where(column.notna(), True).astype("bool")


def _flat(frame: pd.DataFrame) -> pd.DataFrame:
    out = frame.copy()
    for name in out.columns:
        if isinstance(out[name].dtype, pd.DatetimeTZDtype):
            codes, distinct = pd.factorize(out[name])
            texts = pd.Series(distinct).dt.strftime("%Y-%m-%dT%H:%M:%SZ").array
            out[name] = texts.take(codes, allow_fill=True)
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
