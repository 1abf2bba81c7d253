"""Reddit dumps -> posts: submissions (``RS``) and comments (``RC``), one JSON object a line.

The dumps of the Pushshift and Arctic Shift lineage: an id is ``id`` or ``name`` (``t3_...``, ``t1_...``), a time is a
number or a text. Removed and deleted posts are left out, also those whose ``_meta`` says that they were deleted later.
(https://github.com/ArthurHeitmann/arctic_shift)
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from clamor.collect.archive_month import Month
from clamor.collect.archive_row import ANY_TIME, NO_ID, NO_TEXT, NOT_UTF8, BadTimeError, Clockwork, Skip
from clamor.text.post import Post

GONE: Final = frozenset({"[deleted]", "[removed]", "[ Removed by Reddit ]", "[deleted by user]"})
"""What stands in the place of a text that its author or a moderator took away."""
DELETED: Final = "deleted or removed"
OTHER_SUBREDDIT: Final = "of a subreddit that no group watches"


class _Meta(msgspec.Struct):
    was_deleted_later: bool | None = None


class _Item(msgspec.Struct):
    """The fields that are read; the decoder passes over some hundred others without making objects of them."""

    id: str | None = None
    name: str | None = None
    created_utc: int | float | str | None = None
    subreddit: str | None = None
    title: str | None = None
    selftext: str | None = None
    body: str | None = None
    author: str | None = None
    author_flair_text: str | None = None
    link_flair_text: str | None = None
    removed_by_category: str | None = None
    meta: _Meta | None = msgspec.field(default=None, name="_meta")


_TEXTS: Final = tuple(name for name in _Item.__struct_fields__ if name not in ("created_utc", "meta"))


def is_comment(item: Mapping[str, Any]) -> bool:
    """Tell a comment from a submission by its fields."""
    return _is_comment(_lenient(item))


def posts(
    lines: Iterable[bytes],
    *,
    times: Clockwork,
    comments: bool,
    subreddits: Collection[str] | None = None,
    first: int = 1,
    month: Month | None = None,
) -> Iterator[Post | Skip]:
    """Yield a post or a skip for every line.

    Args:
        lines: Of one dump, in a row.
        times: How times are read.
        comments: The file is one of comments, else of submissions; a line of the other kind is skipped.
        subreddits: Lower-case names without ``r/``; posts of others are left out. All when None.
        first: Number of the first line.
        month: Is told of the times of all lines, also of those that are left out.

    """
    wanted = None if subreddits is None else frozenset(name.lower() for name in subreddits)
    decode = msgspec.json.Decoder(_Item).decode
    for number, line in enumerate(lines, first):
        try:
            item = decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            if not line.strip():
                continue
            slowly = _slowly(line)
            if isinstance(slowly, str):
                yield Skip(slowly, number)
                continue
            item = slowly
        if month is not None:
            month.see(item.created_utc)
        if wanted is not None and (item.subreddit or "").lower() not in wanted:
            yield Skip(OTHER_SUBREDDIT, number, by_rule=True)
            continue
        post = _post(item, comment=comments, times=times)
        yield Skip(post, number, by_rule=post is DELETED) if isinstance(post, str) else post


def post_of(item: Mapping[str, Any], *, comment: bool, times: Clockwork = ANY_TIME) -> Post | str:
    """Turn one submission or comment, as the API or a dump gives it, into a post, or say why it is none."""
    return _post(_lenient(item), comment=comment, times=times)


def _slowly(line: bytes) -> _Item | str:
    """Read what the strict decoder refuses: fields of another type, lone surrogates; or say what is wrong."""
    try:
        item = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        return NOT_UTF8
    except (ValueError, RecursionError):
        return "not a whole JSON object"
    return _lenient(item) if isinstance(item, dict) else "not a whole JSON object"


def _lenient(item: Mapping[str, Any]) -> _Item:
    """Take the fields that have a type we know; the others count as absent."""
    texts = {name: value for name in _TEXTS if isinstance(value := item.get(name), str)}
    created, meta = item.get("created_utc"), item.get("_meta")
    return _Item(
        **texts,
        created_utc=created if isinstance(created, int | float | str) else None,
        meta=_Meta(bool(meta.get("was_deleted_later"))) if isinstance(meta, dict) else None,
    )


def _is_comment(item: _Item) -> bool:
    return item.body is not None and item.title is None


def _post(item: _Item, *, comment: bool, times: Clockwork) -> Post | str:
    if _is_comment(item) != comment:
        return "a submission among comments" if comment else "a comment among submissions"
    post_id = item.id or item.name
    if not post_id:
        return NO_ID
    try:
        created_at = times.read(item.created_utc)
    except BadTimeError as error:
        return str(error)
    body, title = (item.body if comment else item.selftext) or "", item.title or ""
    if body in GONE or title in GONE or item.removed_by_category or (item.meta and item.meta.was_deleted_later):
        return DELETED
    text = body if comment else f"{title}\n{body}" if body else title
    if not text.strip():
        return NO_TEXT
    author = item.author or ""
    return Post(
        id=post_id[3:] if post_id[:3] in ("t1_", "t3_") else post_id,
        created_at=created_at,
        text=text,
        author="" if author in GONE else author,
        subreddit=item.subreddit,
        flair=item.author_flair_text or item.link_flair_text,
    )
