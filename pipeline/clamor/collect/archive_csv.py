"""CSV exports -> posts.

Any delimiter and column order; the columns are found by their usual names or by a mapping. Quoting is read strictly: a
quote that is never closed costs its own line, not the lines after it.
"""

import csv
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Final

from clamor.collect.archive_reddit import DELETED, GONE
from clamor.collect.archive_row import NO_ID, NO_TEXT, NOT_UTF8, BadTimeError, Clockwork, NaiveTimeError, Skip, naive
from clamor.errors import InputError
from clamor.text.post import Post

ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("id", "id_str", "tweet_id", "tweetid", "post_id", "status_id", "comment_id"),
    "created_at": ("created_at", "created_utc", "created", "datetime", "timestamp", "posted_at", "date", "time"),
    "text": ("text", "full_text", "tweet", "body", "content", "message", "selftext"),
    "title": ("title",),
    "author": ("author", "author_id", "user_id", "username", "user", "screen_name"),
    "lang": ("lang", "language"),
    "user_location": ("user_location", "author.location", "user.location", "author_location", "location"),
    "lat": ("lat", "latitude"),
    "long": ("long", "lon", "lng", "longitude"),
    "place": ("place", "place_full_name", "geo.full_name"),
    "place_country": ("place_country", "country_code", "geo.country_code"),
    "subreddit": ("subreddit",),
    "flair": ("flair", "author_flair_text", "link_flair_text"),
}
"""Field of a post to the column names it is looked for under, first found first, letter case aside."""
DELIMITERS: Final = (",", ";", "\t", "|")
UNFINISHED: Final = "a record that has not ended yet"
_LONGEST_RECORD: Final = 500
_Line = tuple[int, str]
_BAD_BYTES: Final = re.compile("[\udc80-\udcff]")


class CsvReader:
    """Turns the lines of one CSV file into posts and skips.

    Args:
        path: For messages.
        head: The first lines of the file; the first that is not blank names the columns.
        columns: Field of a post to column name, over the usual names.
        delimiter: Found from the header when None.
        times: How times are read.

    Attributes:
        after: How many of the lines of ``head`` come before the first row.
        left: How many lines the last call of :meth:`posts` left unread, at the end.

    Raises:
        InputError: a needed column is missing or twice there.

    A file without an id column is told apart by content: rows with the same time, author and text are one post.

    """

    def __init__(
        self,
        path: Path,
        head: Sequence[bytes],
        *,
        columns: Mapping[str, str] | None = None,
        delimiter: str | None = None,
        times: Clockwork,
    ) -> None:
        self._path = path
        self._columns = dict(columns or {})
        self._delimiter = delimiter
        self._times = times
        self.after, self.left = 0, 0
        unknown = sorted(set(self._columns) - set(ALIASES))
        if unknown:
            raise InputError(f"column {unknown[0]!r}: no field of a post; the fields are {', '.join(ALIASES)}")
        if delimiter is not None and len(delimiter) != 1:
            raise InputError(f"delimiter {delimiter!r}: one character is needed, like ',' or ';'")
        header, self._found = self._header(head)
        self._width, self._at = len(header), self._positions(header)

    def posts(self, lines: Sequence[bytes], first: int, *, last: bool) -> Iterator[Post | Skip]:
        """Yield a post or a skip for every row.

        Args:
            lines: In a row, those after the header.
            first: Number of the first of them.
            last: No line follows; else a record that does not end in them is left, see :attr:`left`.

        Raises:
            InputError: times are naive and no zone is named.

        """
        self.left = 0
        numbered = ((n, line.decode("utf-8", "surrogateescape")) for n, line in enumerate(lines, first))
        for number, row in records(numbered, self._found, last=last):
            if row is UNFINISHED:
                self.left = first + len(lines) - number
            elif isinstance(row, str):
                yield Skip(row, number)
            elif row:
                yield self._post(row, self._at, self._width, number)

    def _header(self, head: Sequence[bytes]) -> tuple[list[str], str]:
        """Return the column names and the delimiter that finds most of the wanted ones."""
        texts = ((n, line.decode("utf-8", "surrogateescape")) for n, line in enumerate(head, 1))
        number, line = next(((n, line) for n, line in texts if line.strip()), (0, ""))
        self.after = number
        best: tuple[int, str, list[str]] = (-1, ",", [])
        for delimiter in [self._delimiter] if self._delimiter else DELIMITERS:
            row = next((row for _, row in records(iter([(number, line)]), delimiter)), "")
            names = [] if isinstance(row, str) else [name.strip() for name in row]
            known = {name.lower() for name in names} & {a for names in ALIASES.values() for a in names}
            score = len(known) + len(set(self._columns.values()) & set(names))
            if score > best[0]:
                best = (score, delimiter, names)
        return best[2], best[1]

    def _positions(self, header: Sequence[str]) -> dict[str, int]:
        lower = [name.lower().replace(" ", "_") for name in header]
        at = {}
        for field, aliases in ALIASES.items():
            named = self._columns.get(field)
            wanted = [named.lower().replace(" ", "_")] if named else aliases
            found = next((name for name in wanted if name in lower), None)
            if named and found is None:
                raise InputError(
                    f"{self._path}: no column {named!r} for {field}; it has {_shown(header)}; name one of these"
                )
            if found is None:
                continue
            if lower.count(found) > 1:
                raise InputError(f"{self._path}: column {found!r} is there twice; one column a name; rename one")
            at[field] = lower.index(found)
        at.setdefault("text", at.get("title", -1))
        if at["text"] < 0:
            del at["text"]
        for field in ("created_at", "text"):
            if field not in at:
                raise InputError(
                    f"{self._path}: no column for {field}; it has {_shown(header)}; name it, like --column {field}=NAME"
                )
        return at

    def _post(self, row: list[str], at: Mapping[str, int], width: int, number: int) -> Post | Skip:
        if len(row) != width and (len(row) < width or any(row[width:])):
            return Skip(f"fields are not the header's {width}", number)
        cells = {field: row[position] for field, position in at.items()}
        if any(not cell.isascii() and _BAD_BYTES.search(cell) for cell in cells.values()):
            return Skip(NOT_UTF8, number)
        text = cells["text"]
        if at.get("title", at["text"]) != at["text"]:
            text = f"{cells['title']}\n{text}"
        if not text.strip():
            return Skip(NO_TEXT, number)
        if text.startswith("RT @"):
            return Skip("retweet", number, by_rule=True)
        if cells["text"] in GONE:
            return Skip(DELETED, number, by_rule=True)
        try:
            created_at = self._times.read(cells["created_at"])
        except NaiveTimeError:
            raise naive(self._path, number, cells["created_at"]) from None
        except BadTimeError as error:
            return Skip(str(error), number)
        post_id = cells["id"].strip() if "id" in at else _digest(created_at, cells.get("author", ""), text)
        if not post_id:
            return Skip(NO_ID, number)
        lat, long = _degrees(cells.get("lat"), 90), _degrees(cells.get("long"), 180)
        if lat is None or long is None:
            lat = long = None
        return Post(
            id=post_id,
            created_at=created_at,
            text=text,
            author=cells.get("author", ""),
            lang=cells.get("lang") or None,
            user_location=cells.get("user_location") or None,
            lat=lat,
            long=long,
            place=cells.get("place") or None,
            place_country=cells.get("place_country") or None,
            subreddit=cells.get("subreddit") or None,
            flair=cells.get("flair") or None,
        )


def records(numbered: Iterator[_Line], delimiter: str, *, last: bool = True) -> Iterator[tuple[int, list[str] | str]]:
    """Yield each record's first line number with its cells, or with a text that says why it is none.

    A record may run over lines inside quotes. One that breaks the rules of quoting, or has not ended after 500 lines,
    is given up with its first line, and reading goes on at the next line. Where more lines follow (not ``last``), one
    that has not ended yet comes as :data:`UNFINISHED`, and nothing after it.
    """
    waiting: deque[_Line] = deque()
    while True:
        start = _next(waiting, numbered)
        if start is None:
            return
        number, line = start
        if '"' not in line:
            line = line.rstrip("\r")
            yield number, line.split(delimiter) if line.strip() else []
            continue
        more: list[_Line] = []
        try:
            yield number, next(csv.reader(_taking(line, more, waiting, numbered), delimiter=delimiter, strict=True))
        except (csv.Error, StopIteration):
            following = _next(waiting, numbered)
            if following is not None:
                waiting.appendleft(following)
            elif not last and len(more) < _LONGEST_RECORD:
                yield number, UNFINISHED
                return
            waiting.extendleft(reversed(more))
            yield number, "quotes do not match"


def _next(waiting: deque[_Line], numbered: Iterator[_Line]) -> _Line | None:
    return waiting.popleft() if waiting else next(numbered, None)


def _taking(line: str, more: list[_Line], waiting: deque[_Line], numbered: Iterator[_Line]) -> Iterator[str]:
    """Give a record's lines to the csv module and keep those after the first, so that they can be put back."""
    yield line + "\n"
    while len(more) < _LONGEST_RECORD and (following := _next(waiting, numbered)) is not None:
        more.append(following)
        yield following[1] + "\n"


def _degrees(cell: str | None, limit: int) -> float | None:
    """Return a coordinate, or None where there is none on earth: the post is then kept without a place."""
    try:
        degrees = float(cell or "nan")
    except ValueError:
        return None
    return degrees if abs(degrees) <= limit else None


def _digest(*parts: object) -> str:
    return blake2b("\0".join(map(str, parts)).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def _shown(header: Sequence[str]) -> str:
    return ", ".join(map(repr, header[:12])) + (" and more" if len(header) > 12 else "") or "none"
