"""A frame of posts in, a frame of readings out: the door for other people's posts. No text leaves by it."""

from collections.abc import Iterator
from typing import Any, Final

import pandas as pd

from clamor.catalog import Catalog
from clamor.errors import InputError
from clamor.text.post import Post
from clamor.text.read import Reader

READING_COLUMNS: Final = (
    "id",
    "service",
    "signal",
    "symptoms",
    "region",
    "regions",
    "region_method",
    "region_confidence",
)
"""Columns of the answer; ``symptoms`` and ``regions`` are lists of texts."""
_TEXTS: Final = ("user_location", "subreddit", "flair", "lang", "place", "place_country")


def read_frame(frame: pd.DataFrame, catalog: Catalog, service: str | None = None) -> pd.DataFrame:
    """Read posts: one row a post and service that it names.

    Args:
        frame: Columns ``id`` and ``text``; optional ``user_location, lat, long, subreddit, flair, lang, place,
            place_country``; others are ignored. Missing values are allowed. With ``service``, texts may be empty or
            the column absent, so that places can be read alone.
        catalog: Gives the names and phrases.
        service: Read every post as being about this service, because the context says so; an id, name or handle of
            the catalogue, or any other name, which is read as the kind that it sounds like ("acme telecom").

    Returns:
        Frame of :data:`READING_COLUMNS` in the order of the posts. A post that names no known service has no row;
        ``attrs["posts"]`` and ``attrs["unmatched"]`` count them.

    Raises:
        InputError: ``id`` is missing, or ``text`` where no service is given, or a coordinate is no number.

    """
    if "id" not in frame.columns:
        raise InputError(f"posts: column 'id' is missing (found {', '.join(map(str, frame.columns))}); add one")
    if "text" not in frame.columns and service is None:
        raise InputError("posts: column 'text' is missing; without texts name the service that they are about")
    read = Reader(catalog).read
    service = (catalog.find(service) or service) if service is not None else None
    rows: list[tuple[Any, ...]] = []
    unmatched = 0
    for post in _posts(frame):
        readings = read(post, service)
        unmatched += not readings
        rows.extend(
            (
                post.id,
                r.service,
                r.signal.value,
                [str(s) for s in r.symptoms],
                r.region,
                list(r.regions),
                r.region_method,
                r.region_confidence,
            )
            for r in readings
        )
    answer = pd.DataFrame(rows, columns=list(READING_COLUMNS))
    if not rows:
        answer = answer.astype({name: "str" for name in READING_COLUMNS if name not in ("symptoms", "regions")})
    answer["region_confidence"] = answer["region_confidence"].astype("float64")
    answer.attrs.update(posts=len(frame), unmatched=unmatched)
    return answer


def _posts(frame: pd.DataFrame) -> Iterator[Post]:
    texts = _column(frame, "text")
    extra = {name: _column(frame, name) for name in _TEXTS if name in frame.columns}
    lats, longs = (_numbers(frame, name) for name in ("lat", "long"))
    for i, key in enumerate(_column(frame, "id")):
        values = {name: column[i] or None for name, column in extra.items()}
        yield Post(key, 0, texts[i], lat=lats[i], long=longs[i], **values)  # type: ignore[arg-type]


def _column(frame: pd.DataFrame, name: str) -> list[str]:
    if name not in frame.columns:
        return [""] * len(frame)
    column = frame[name]
    return [str(value) if known else "" for value, known in zip(column, column.notna(), strict=True)]


def _numbers(frame: pd.DataFrame, name: str) -> list[float | None]:
    if name not in frame.columns:
        return [None] * len(frame)
    numbers = pd.to_numeric(frame[name].replace("", None), errors="coerce")
    wrong = frame[name].notna() & (frame[name].astype("str") != "") & numbers.isna()
    if wrong.any():
        value = frame.loc[wrong, name].iloc[0]
        raise InputError(
            f"posts: {name} {value!r} is not a number; coordinates are decimal degrees; correct or empty it"
        )
    return [None if pd.isna(n) else float(n) for n in numbers]
