"""A file on disk -> lines of UTF-8, whatever it is packed and encoded in; and what kind of archive it is.

Nothing is read whole: a chunk of lines is the largest thing in memory, however well a file is packed. A truncated or
damaged file raises; it never ends early as if it were complete.
"""

import bz2
import codecs
import hashlib
import json
import lzma
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from clamor.errors import InputError

FORMATS: Final = ("csv", "twarc", "reddit")
"""The kinds of archive of posts."""
_BLOCK: Final = 1 << 17
_ZSTD_BLOCK: Final = 1 << 12
"""Packed bytes given to zstd at once: it has no limit on what they unpack to, at most 128 KiB for every four bytes."""
_CHUNK: Final = 1 << 20
_HEAD: Final = 1 << 20
_LONGEST_LINE: Final = 1 << 26
_MAX_WINDOW: Final = 2**31
"""The monthly Reddit dumps are compressed with zstd's longest window (``--long=31``)."""

_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_PACKED: Final = {b"\x1f\x8b": "gz", _ZSTD: "zst", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz"}
_FOREIGN: Final = {
    b"PK\x03\x04": "a zip or Excel file; export it as CSV, or unpack it",
    b"PAR1": "Parquet; counts in Parquet go to `clamor detect --counts`, posts must be CSV or JSON lines",
    b"SQLite format 3": "an SQLite database; export the posts as CSV",
    b"%PDF": "a PDF",
}
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True)
class ArchiveFile:
    """What is known of a file before it is read.

    Attributes:
        path: Where it is.
        format: One of :data:`FORMATS`.
        packed: ``gz``, ``zst``, ``bz2``, ``xz`` or empty.
        encoding: Of the text, after unpacking.
        bom: Bytes of a byte-order mark, to be left out.
        end: The bytes that end a line.
        size: Bytes on disk.
        first: The first JSON object of a kind that was recognised, or None.

    """

    path: Path
    format: str
    packed: str
    encoding: str
    bom: int
    end: bytes
    size: int
    first: dict[str, Any] | None = None


class Mark(NamedTuple):
    """A place between two lines of an archive, from which reading can go on.

    Attributes:
        offset: Bytes of UTF-8 before it, after unpacking, the byte-order mark left out.
        line: Number of the line that follows, from 1.

    """

    offset: int = 0
    line: int = 1


_BEGINNING: Final = Mark()


class Chunk(NamedTuple):
    """Some lines in a row, about a megabyte.

    Attributes:
        lines: As UTF-8, without their ends.
        line: Number of the first.
        end: Where the next chunk begins.

    """

    lines: list[bytes]
    line: int
    end: Mark


class _Unpacker(Protocol):
    """What zlib, bz2, lzma and zstandard have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...


def _unpacker(packed: str) -> _Unpacker:
    if packed == "gz":
        return zlib.decompressobj(wbits=31)
    if packed == "bz2":
        return bz2.BZ2Decompressor()
    if packed == "xz":
        return lzma.LZMADecompressor()
    import zstandard

    unpacker: _Unpacker = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW).decompressobj()
    return unpacker


def _unpacked(unpacker: Any, packed: str, data: bytes) -> Iterator[bytes]:
    """Yield what packed bytes hold, a megabyte or so at a time, up to the end of their member."""
    if packed == "zst":
        yield unpacker.decompress(data)
    elif packed == "gz":
        yield unpacker.decompress(data, _CHUNK)
        while unpacker.unconsumed_tail:
            yield unpacker.decompress(unpacker.unconsumed_tail, _CHUNK)
    else:
        yield unpacker.decompress(data, _CHUNK)
        while not unpacker.needs_input and not unpacker.eof:
            yield unpacker.decompress(b"", _CHUNK)


def sha256(path: Path) -> str:
    """Return the hex digest of a file's bytes."""
    with _opened(path) as raw:
        return hashlib.file_digest(raw, "sha256").hexdigest()


def recognise(path: Path, *, format: str | None = None, encoding: str | None = None) -> ArchiveFile:
    """Tell what kind of archive of posts a file is from its first megabyte.

    Args:
        path: The file.
        format: One of :data:`FORMATS` to skip the guess.
        encoding: Of the text; from a byte-order mark, else UTF-8, when None.

    Raises:
        InputError: the file cannot be opened, is empty, damaged, not text, or of no known format.

    """
    if format is not None and format not in FORMATS:
        raise InputError(f"format {format!r}: not one of {', '.join(FORMATS)}; name one of these or leave it out")
    file, text = look(path, encoding=encoding)
    first = None
    if format != "csv" and text.lstrip()[:1] in ("{", "["):
        kind, first = _json_kind(path, text, wanted=format)
        format = format or kind
    return replace(file, format=format or "csv", first=first)


def look(path: Path, *, encoding: str | None = None) -> tuple[ArchiveFile, str]:
    """Return how a text file is packed and encoded, and its first megabyte; arguments as for :func:`recognise`."""
    if encoding is not None:
        _check_encoding(encoding)
    start = magic(path)
    for mark, what in _FOREIGN.items():
        if start.startswith(mark):
            raise InputError(f"{path}: {what}")
    packed = next((name for mark, name in _PACKED.items() if start.startswith(mark)), "")
    head = _head(path, packed)
    if not head.strip():
        raise InputError(f"{path}: empty; an archive has at least one row; check how it was written")
    bom, seen = next(((len(mark), name) for mark, name in _BOMS if head.startswith(mark)), (0, None))
    encoding = encoding or seen or "utf-8"
    if encoding == "utf-8" and b"\0" in head:
        raise InputError(f"{path}: not a text file (it holds NUL bytes); if it is UTF-16, say --encoding utf-16-le")
    text = head[bom:].decode(encoding, errors="replace")
    end = b"\r" if "\n" not in text and "\r" in text[:-1] else b"\n"
    return ArchiveFile(path, "", packed, encoding, bom, end, path.stat().st_size), text


def window_of(path: Path) -> int:
    """Return the bytes that unpacking a file holds in memory: the window that zstd's writer chose; 0 for other files.

    Any byte of the window may be asked for again, so no reader can do with less.
    """
    start = magic(path)
    if not start.startswith(_ZSTD):
        return 0
    import zstandard

    try:
        return int(zstandard.get_frame_parameters(start).window_size)
    except zstandard.ZstdError:
        return 0


def magic(path: Path) -> bytes:
    """Return a file's first bytes, enough for the head of whatever it is packed by."""
    with _opened(path) as raw:
        return bytes(raw.read(32))


def lines(file: ArchiveFile) -> Iterator[bytes]:
    """Yield the lines of an archive, see :func:`chunks`."""
    for chunk in chunks(file):
        yield from chunk.lines


def chunks(
    file: ArchiveFile, on_bytes: Callable[[int], object] = lambda _: None, start: Mark = _BEGINNING
) -> Iterator[Chunk]:
    """Yield the lines of an archive, in order.

    Args:
        file: From :func:`recognise`.
        on_bytes: Called with the number of bytes taken from disk, block by block, for a progress bar.
        start: The end of a chunk of an earlier reading: what is before it is unpacked again and passed over.

    Raises:
        InputError: the file is truncated or damaged, a line is longer than 64 MiB, or the text is not in the encoding
            that was named (bytes that are not UTF-8 are left to the caller, line by line).

    """
    rest, (offset, number), skip = b"", start, start.offset
    for block in _utf8(file, _blocks(file.path, file.packed, on_bytes)):
        if skip >= len(block):
            skip -= len(block)
            continue
        block, skip = block[skip:], 0
        offset += len(block)
        pieces = (rest + block).split(file.end)
        rest = pieces.pop()
        if len(rest) > _LONGEST_LINE:
            line = number + len(pieces)
            raise InputError(f"{file.path}: line {line} is longer than 64 MiB; one post a line; split it up")
        if pieces:
            yield Chunk(pieces, number, Mark(offset - len(rest), number + len(pieces)))
            number += len(pieces)
    if rest:
        yield Chunk([rest], number, Mark(offset, number + 1))


def _utf8(file: ArchiveFile, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Leave out the byte-order mark and turn other encodings into UTF-8."""
    skip = file.bom
    plain = codecs.lookup(file.encoding).name == "utf-8"
    decoder = codecs.getincrementaldecoder(file.encoding)()
    try:
        for block in blocks:
            block, skip = block[skip:], max(0, skip - len(block))
            yield block if plain else decoder.decode(block).encode("utf-8", "surrogatepass")
        if not plain:
            decoder.decode(b"", final=True)
    except UnicodeError as error:
        raise InputError(
            f"{file.path}: {getattr(error, 'reason', error)}: its text is not {file.encoding}; name its --encoding"
        ) from None


def _blocks(path: Path, packed: str, on_bytes: Callable[[int], object]) -> Iterator[bytes]:
    """Yield the unpacked bytes; a file may be several packed members in a row."""
    damage: tuple[type[Exception], ...] = (zlib.error, OSError, EOFError, lzma.LZMAError, ValueError)
    damage += _zstd_errors(packed)
    with _opened(path) as raw:
        unpacker, waiting, size = None, list[bytes](), 0
        try:
            while block := raw.read(_ZSTD_BLOCK if packed == "zst" else _BLOCK):
                on_bytes(len(block))
                if not packed:
                    yield block
                    continue
                while block:
                    if unpacker is None:
                        unpacker = _unpacker(packed)
                    for piece in _unpacked(unpacker, packed, block):
                        waiting.append(piece)
                        size += len(piece)
                        if size >= _CHUNK:
                            yield b"".join(waiting)
                            waiting, size = [], 0
                    block = b""
                    if unpacker.eof:
                        block, unpacker = unpacker.unused_data, None
                        if packed == "gz" and not block.strip(b"\0"):
                            block = b""
            yield b"".join(waiting)
        except damage as error:
            raise InputError(
                f"{path}: damaged {packed or 'file'} ({error}); nothing more of it is read; get it again"
            ) from None
        if unpacker is not None:
            raise InputError(f"{path}: truncated {packed}: it ends in the middle; get the file again")


def _zstd_errors(packed: str) -> tuple[type[Exception], ...]:
    if packed != "zst":
        return ()
    import zstandard

    return (zstandard.ZstdError,)


def _opened(path: Path) -> Any:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; check the name") from None
    except IsADirectoryError:
        raise InputError(f"{path}: a folder, not a file; name the files in it") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check its permissions") from None


def _head(path: Path, packed: str) -> bytes:
    head = b""
    for block in _blocks(path, packed, lambda _: None):
        head += block
        if len(head) >= _HEAD:
            break
    return head


def _check_encoding(encoding: str) -> None:
    try:
        b"a".decode(codecs.lookup(encoding).name, errors="replace")
    except LookupError:
        raise InputError(f"encoding {encoding!r}: not known to Python; try utf-8, utf-16, cp1252 or latin-1") from None


def _json_kind(path: Path, text: str, *, wanted: str | None) -> tuple[str, dict[str, Any]]:
    """Return the kind of JSON lines, and the first object that shows it (none is needed for a wanted kind)."""
    found: list[str] = []
    for line in text.split("\n"):
        try:
            item = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if not isinstance(item, dict):
            continue
        kind = _kind_of(item)
        if kind and wanted in (kind, None):
            return kind, item
        found = found or list(item)
    if wanted:
        return wanted, {}
    if text.lstrip().startswith("["):
        raise InputError(f"{path}: one JSON array; one object a line is read; turn it into lines with `jq -c '.[]'`")
    shown, step = "no whole JSON object on a line", "make each object one line with `jq -c .`"
    if found:
        shown = f"an object with {', '.join(map(repr, found[:6]))}, no post,"
        step = "name the --format if it is one of these"
    raise InputError(
        f"{path}: {shown} in its first megabyte; X posts (twarc) and Reddit dumps are known, one object a line; {step}"
    )


def _kind_of(item: dict[str, Any]) -> str | None:
    if "subreddit" in item and ("body" in item or "title" in item):
        return "reddit"
    data = item.get("data")
    if isinstance(data, list) and data and isinstance(data[0], dict) and {"start", "end"} <= data[0].keys():
        return None
    if isinstance(data, dict | list) or "__twarc" in item:
        return "twarc"
    if ("id" in item or "id_str" in item) and ("text" in item or "full_text" in item):
        return "twarc"
    return None
