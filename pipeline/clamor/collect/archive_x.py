"""JSON lines of X posts -> posts: pages of the v2 API as twarc stores them, flattened posts, and the first API's form.

A page is ``{"data": [...], "includes": {...}, "errors": [...], "meta": {...}}``, a stream's line the same with one post
as ``data``. Errors stand beside data or alone on a line; the posts that a page only refers to are not its data and are
not counted. Retweets are left out, as the collectors' queries leave them out (``-is:retweet``).
(https://docs.x.com/x-api/posts/search/introduction, https://twarc-project.readthedocs.io/en/latest/twarc2_en_us/)
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from clamor.collect.archive_row import NO_ID, NO_TEXT, NOT_UTF8, BadTimeError, Clockwork, Skip
from clamor.text.post import Post

_NOBODY: Final[Mapping[str, Any]] = {}


def posts(lines: Iterable[bytes], times: Clockwork, first: int = 1) -> Iterator[Post | Skip]:
    """Yield a post or a skip for every post of every line, and a skip for every line that holds none.

    Args:
        lines: In a row.
        times: How times are read.
        first: Number of the first line.

    """
    for number, line in enumerate(lines, first):
        if not line.strip():
            continue
        try:
            item = json.loads(line.decode("utf-8"))
        except UnicodeDecodeError:
            yield Skip(NOT_UTF8, number)
        except (ValueError, RecursionError):
            yield Skip("not a whole JSON object", number)
        else:
            yield from _posts_of(item, number, times)


def _posts_of(item: Any, number: int, times: Clockwork) -> Iterator[Post | Skip]:
    if not isinstance(item, dict):
        yield Skip("not a whole JSON object", number)
        return
    if "data" not in item and ("text" in item or "full_text" in item):
        yield _post(item, number, times, _author_of(item), _place_of(item))
        return
    data = item.get("data")
    if isinstance(data, dict):
        data = [data]
    if not isinstance(data, list):
        yield from _no_posts(item, number)
        return
    includes = _dict(item.get("includes"))
    users, places = _by_id(includes.get("users")), _by_id(includes.get("places"))
    for one in data:
        if not isinstance(one, dict):
            yield Skip("not a post", number)
            continue
        user = users.get(_text(one.get("author_id"))) or _author_of(one)
        place = places.get(_text(_dict(one.get("geo")).get("place_id"))) or _place_of(one)
        yield _post(one, number, times, user, place)


def _no_posts(item: Mapping[str, Any], number: int) -> Iterator[Skip]:
    if "errors" in item or "error" in item or "disconnect" in item or item.get("title"):
        yield Skip("error message of the API", number, by_rule=True)
    elif "meta" not in item:
        yield Skip("not a post", number)


def _post(
    item: Mapping[str, Any], number: int, times: Clockwork, user: Mapping[str, Any], place: Mapping[str, Any]
) -> Post | Skip:
    post_id = _text(item.get("id_str") or item.get("id"))
    if not post_id:
        return Skip(NO_ID, number)
    if _is_retweet(item):
        return Skip("retweet", number, by_rule=True)
    text = _text(_dict(item.get("note_tweet")).get("text") or item.get("full_text") or item.get("text"))
    if not text.strip():
        return Skip(NO_TEXT, number)
    try:
        created_at = times.read(item.get("created_at"))
    except BadTimeError as error:
        return Skip(str(error), number)
    lat, long = _coordinates(item)
    return Post(
        id=post_id,
        created_at=created_at,
        text=text,
        author=_text(item.get("author_id") or user.get("id_str") or user.get("id")),
        lang=_text(item.get("lang")) or None,
        user_location=_text(user.get("location")) or None,
        lat=lat,
        long=long,
        place=_text(place.get("full_name")) or None,
        place_country=_text(place.get("country_code")) or None,
    )


def _is_retweet(item: Mapping[str, Any]) -> bool:
    if item.get("retweeted_status"):
        return True
    referenced = item.get("referenced_tweets")
    return isinstance(referenced, list) and any(_dict(one).get("type") == "retweeted" for one in referenced)


def _coordinates(item: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Return latitude and longitude of a GeoJSON point (longitude first), if there is a place on earth in it."""
    point = _dict(_dict(item.get("geo")).get("coordinates")) or _dict(item.get("coordinates"))
    pair = point.get("coordinates")
    if isinstance(pair, list) and len(pair) == 2 and all(type(degrees) in (int, float) for degrees in pair):
        long, lat = pair
        if abs(lat) <= 90 and abs(long) <= 180:
            return float(lat), float(long)
    return None, None


def _author_of(item: Mapping[str, Any]) -> Mapping[str, Any]:
    return _dict(item.get("author")) or _dict(item.get("user"))


def _place_of(item: Mapping[str, Any]) -> Mapping[str, Any]:
    return _dict(item.get("place")) or _dict(item.get("geo"))


def _by_id(items: Any) -> dict[str, Mapping[str, Any]]:
    if not isinstance(items, list):
        return {}
    return {_text(item.get("id")): item for item in items if isinstance(item, dict)}


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else _NOBODY


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value) if type(value) is int else ""
