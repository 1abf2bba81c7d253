"""Submissions and comments as Reddit's listings and the archive dumps write them."""

from typing import TYPE_CHECKING, Any, Final

from clamor.simulate.threads import FLAIRS, STATES, Items, subreddits
from clamor.simulate.wire import base36

if TYPE_CHECKING:
    from clamor.simulate.world import World

_SUBMISSION_BASE: Final = 1_800_000_000
_COMMENT_BASE: Final = 40_000_000_000
_LEFT: Final = {"deleted": "[deleted]", "removed": "[removed]"}


def fullname(items: Items, number: int) -> str:
    """Return the name of an item: t3_ for submissions, t1_ for comments."""
    return f"t3_{_submission(number)}" if items.title[number] >= 0 else f"t1_{base36(_COMMENT_BASE + number)}"


def number_of(name: str) -> int | None:
    """Return the number behind a fullname; None if it is not one."""
    kind, _, text = name.partition("_")
    base = {"t3": _SUBMISSION_BASE, "t1": _COMMENT_BASE}.get(kind)
    try:
        return None if base is None else int(text, 36) - base
    except ValueError:
        return None


def _submission(number: int) -> str:
    return base36(_SUBMISSION_BASE + number)


def item(world: "World", number: int) -> dict[str, Any]:
    """Return the fields of one item that listings and dumps share."""
    items = world.items
    state = STATES[items.state[number]]
    name = fullname(items, number)
    subreddit = subreddits()[items.subreddit[number]].name
    fields: dict[str, Any] = {
        "id": name[3:],
        "name": name,
        "subreddit": subreddit,
        "author": "[deleted]" if state == "deleted" else f"user_{items.author[number]}",
        "author_flair_text": None,
        "created_utc": float(world.start + int(items.second[number])),
        "score": 1 + int(items.author[number]) % 40,
    }
    texts = world.texts.texts
    body = _LEFT.get(state, texts[items.body[number]])
    if items.title[number] >= 0:
        return fields | {
            "title": texts[items.title[number]],
            "selftext": body,
            "link_flair_text": FLAIRS[items.flair[number]] or None,
            "is_self": True,
            "num_comments": 0,
            "url": f"https://www.reddit.com/r/{subreddit}/comments/{fields['id']}/",
            "permalink": f"/r/{subreddit}/comments/{fields['id']}/",
            "removed_by_category": {"removed": "moderator", "deleted": "deleted"}.get(state),
        }
    above = int(items.parent[number])
    link = f"t3_{_submission(above)}" if above >= 0 else "t3_1old"
    return fields | {
        "body": body,
        "link_id": link,
        "parent_id": link,
        "link_title": texts[items.title[above]] if above >= 0 else "an older thread",
        "permalink": f"/r/{subreddit}/comments/{link[3:]}/_/{fields['id']}/",
    }
