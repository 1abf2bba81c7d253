"""Reddit dumps -> posts: submissions (``RS``) and comments (``RC``), one JSON object a line.

The dumps of the Pushshift and Arctic Shift lineage: an id is ``id`` or ``name`` (``t3_...``, ``t1_...``), a time is a
number or a text. Removed and deleted posts are left out, also those whose ``_meta`` says that they were deleted later.
(https://github.com/ArthurHeitmann/arctic_shift)
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from clamor.collect.archive_row import ANY_TIME, NO_ID, NO_TEXT, NOT_UTF8, BadTimeError, Clockwork, Skip
from clamor.text.post import Post

GONE: Final = frozenset({"[deleted]", "[removed]", "[ Removed by Reddit ]", "[deleted by user]"})
"""What stands in the place of a text that its author or a moderator took away."""
DELETED: Final = "deleted or removed"
OTHER_SUBREDDIT: Final = "another subreddit"
_SUBREDDIT: Final = re.compile(rb'"subreddit": ?"([^"\\]+)"')


def is_comment(item: Mapping[str, Any]) -> bool:
    """Tell a comment from a submission by its fields."""
    return "body" in item and "title" not in item


def posts(
    lines: Iterable[bytes], *, times: Clockwork, comments: bool, subreddits: Collection[str] | None = None
) -> Iterator[Post | Skip]:
    """Yield a post or a skip for every line.

    Args:
        lines: Of one dump.
        times: How times are read.
        comments: The file is one of comments, else of submissions; a line of the other kind is skipped.
        subreddits: Lower-case names without ``r/``; posts of others are left out, cheaply. All when None.

    """
    wanted = None if subreddits is None else frozenset(name.lower().encode() for name in subreddits)
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if wanted is not None:
            named = _SUBREDDIT.findall(line)
            if named and not any(name.lower() in wanted for name in named) and line.rstrip().endswith(b"}"):
                yield Skip(OTHER_SUBREDDIT, number, by_rule=True)
                continue
        try:
            item = json.loads(line.decode("utf-8"))
        except UnicodeDecodeError:
            yield Skip(NOT_UTF8, number)
            continue
        except (ValueError, RecursionError):
            yield Skip("not a whole JSON object", number)
            continue
        if not isinstance(item, dict):
            yield Skip("not a whole JSON object", number)
            continue
        post = post_of(item, comment=comments, times=times)
        if isinstance(post, str):
            yield Skip(post, number, by_rule=post == DELETED)
        elif wanted is not None and (post.subreddit or "").lower().encode() not in wanted:
            yield Skip(OTHER_SUBREDDIT, number, by_rule=True)
        else:
            yield post


def post_of(item: Mapping[str, Any], *, comment: bool, times: Clockwork = ANY_TIME) -> Post | str:
    """Turn one submission or comment, as the API or a dump gives it, into a post, or say why it is none."""
    if is_comment(item) != comment:
        return "a submission among comments" if comment else "a comment among submissions"
    post_id = item.get("id") or item.get("name")
    if not isinstance(post_id, str):
        return NO_ID
    try:
        created_at = times.read(item.get("created_utc"))
    except BadTimeError as error:
        return str(error)
    text = _text_of(item, comment=comment)
    if text is None or _was_deleted(item):
        return DELETED
    if not text.strip():
        return NO_TEXT
    author, subreddit = item.get("author"), item.get("subreddit")
    flair = item.get("author_flair_text") or item.get("link_flair_text")
    return Post(
        id=post_id[3:] if post_id[:3] in ("t1_", "t3_") else post_id,
        created_at=created_at,
        text=text,
        author=author if isinstance(author, str) and author not in GONE else "",
        subreddit=subreddit if isinstance(subreddit, str) else None,
        flair=flair if isinstance(flair, str) else None,
    )


def _text_of(item: Mapping[str, Any], *, comment: bool) -> str | None:
    """Return title and body together, or None where the text was taken away."""
    body = item.get("body" if comment else "selftext")
    body = body if isinstance(body, str) else ""
    title = item.get("title", "")
    if body in GONE or title in GONE:
        return None
    if comment:
        return body
    return f"{title}\n{body}" if body else str(title)


def _was_deleted(item: Mapping[str, Any]) -> bool:
    meta = item.get("_meta")
    return bool(item.get("removed_by_category")) or (isinstance(meta, dict) and bool(meta.get("was_deleted_later")))
