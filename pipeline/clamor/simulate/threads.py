"""Submissions and comments of the world's subreddits, as columns in order of time."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clamor.simulate import rates
from clamor.simulate.atlas import CODES, COUNTRIES
from clamor.simulate.posts import stream_rng
from clamor.simulate.services import GENERAL_SUBREDDITS, REGION_SUBREDDITS, SERVICES
from clamor.simulate.texts import NO_SERVICE, Texts

FLAIRS: Final = ("", "", "", "Question", "Bug", "Help", "Discussion", "News", "Meme")
STATES: Final = ("kept", "deleted", "removed")
"""What became of an item; it is so from the moment of posting, so that the truth does not depend on who looked when."""

NO_ITEM: Final = -1
_SUBMISSIONS: Final = 0.16
"""Share of items that are submissions."""
_COMPLAINTS: Final = 0.05
"""Share of a service's subreddit that is complaints on an ordinary day."""
_DELETED, _REMOVED, _STALE = 0.012, 0.03, 0.004
_SURGE: Final = 1.5
"""Complaints on Reddit for each extra complaint on X of an event, shared over the service's subreddits."""
_SURGE_MOST: Final = 6.0
"""Complaints a minute in one subreddit at most; moderators close threads."""


@dataclass(frozen=True, slots=True)
class Subreddit:
    """A subreddit: its name, the service it is about (-1: none), its country (-1: anywhere), items an hour."""

    name: str
    service: int
    country: int
    items_per_hour: float


@cache
def subreddits() -> tuple[Subreddit, ...]:
    """Return all public subreddits of the world."""
    about = [Subreddit(n, i, -1, r) for i, s in enumerate(SERVICES) for n, r in s.subreddits.items()]
    local = [Subreddit(n, NO_SERVICE, CODES.index(c), r) for n, (c, r) in REGION_SUBREDDITS.items()]
    return (*about, *local, *(Subreddit(n, NO_SERVICE, -1, r) for n, r in GENERAL_SUBREDDITS.items()))


@dataclass(frozen=True, slots=True)
class Items:
    """Submissions and comments, in order of time. All columns have one length; the position is the item's number.

    Attributes:
        second: Seconds since the world's start.
        subreddit: Position in `subreddits()`.
        title: Text id of a submission's title; -1 for a comment.
        body: Text id of the body.
        parent: The submission that a comment is under (its number); -1 for a submission.
        author: Number of the author.
        flair: Position in FLAIRS.
        state: Position in STATES.
        again: Second at which a stale submission reappears at the top of /new; -1 if it does not.

    """

    second: NDArray[np.int32]
    subreddit: NDArray[np.int16]
    title: NDArray[np.int64]
    body: NDArray[np.int64]
    parent: NDArray[np.int64]
    author: NDArray[np.int32]
    flair: NDArray[np.uint8]
    state: NDArray[np.uint8]
    again: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.second)


def draw(
    seed: int,
    texts: Texts,
    added: Mapping[str, NDArray[np.float32]],
    start: int,
    minutes: int,
    burst: tuple[int, int, str, int],
) -> Items:
    """Draw all items.

    Args:
        seed: The world's.
        texts: The table of texts.
        added: By service, complaints a minute and country that events add on X.
        start: Seconds since the epoch of the first minute.
        minutes: Length of the world.
        burst: First and last minute, subreddit and number of comments of a live thread.

    """
    rng = stream_rng(seed, "reddit")
    parts = []
    for position, subreddit in enumerate(subreddits()):
        calm = _rate(rng, subreddit, start, minutes)
        if subreddit.name == burst[2]:
            calm[burst[0] : burst[1]] += burst[3] / (burst[1] - burst[0])
        trouble, countries = _trouble(subreddit, added, minutes)
        parts.append(_items(rng, texts, position, subreddit, calm, trouble, countries))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.argsort(columns[0], kind="stable")
    second, where, title, body = (column[order] for column in columns)
    return _finish(rng, second, where.astype(np.int16), title, body, minutes)


def _rate(rng: np.random.Generator, subreddit: Subreddit, start: int, minutes: int) -> NDArray[np.float64]:
    weights = np.array([country.weight for country in COUNTRIES], dtype=np.float32)
    if subreddit.country >= 0:
        weights = np.zeros_like(weights)
        weights[subreddit.country] = 1
    shape = rates.season("evening", start, minutes) @ (weights / weights.sum())
    return np.asarray(
        shape * rates.chatter(rng, minutes, 20, 0.85, 0.25) * subreddit.items_per_hour / 60.0, dtype=float
    )


def _trouble(
    subreddit: Subreddit, added: Mapping[str, NDArray[np.float32]], minutes: int
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Return the extra complaints a minute, and from which countries they come (as weights by minute)."""
    if subreddit.service != NO_SERVICE:
        service = SERVICES[subreddit.service]
        by_country = added[service.id]
        share = _SURGE * subreddit.items_per_hour / sum(service.subreddits.values())
    else:
        by_country = sum(added.values(), start=np.zeros((minutes, len(COUNTRIES)), dtype=np.float32))
        share = 0.05
        if subreddit.country >= 0:
            only = np.zeros(len(COUNTRIES), dtype=np.float32)
            only[subreddit.country] = 1
            by_country, share = by_country * only, 0.3
    return np.minimum(by_country.sum(axis=1) * share, _SURGE_MOST).astype(float), by_country


_Part = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def _items(
    rng: np.random.Generator,
    texts: Texts,
    position: int,
    subreddit: Subreddit,
    calm: NDArray[np.float64],
    trouble: NDArray[np.float64],
    by_country: NDArray[np.float32],
) -> _Part:
    """Draw the items of one subreddit: (second, subreddit, title, body)."""
    minutes = len(calm)
    seconds, titles, bodies = [], [], []
    usual = _COMPLAINTS if subreddit.service != NO_SERVICE else 0.004
    complain = {"c": trouble + calm * usual, "f": trouble * 0.35 + calm * usual * 0.7}
    for kind, rate in {"t": calm * (1 - 1.7 * usual), **complain}.items():
        minute = np.repeat(np.arange(minutes), rng.poisson(rate))
        seconds.append(minute * 60 + rng.integers(0, 60, len(minute)))
        country = _countries(rng, minute, by_country) if kind != "t" else np.full(len(minute), subreddit.country)
        title, body = _pair(rng, texts, subreddit, kind, country)
        titles.append(title)
        bodies.append(body)
    second = np.concatenate(seconds)
    return second, np.full(len(second), position), np.concatenate(titles), np.concatenate(bodies)


def _countries(
    rng: np.random.Generator, minute: NDArray[np.int64], by_country: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Draw where complainers live: as the event has it, and anywhere when there is none."""
    anywhere = np.array([country.weight for country in COUNTRIES])
    weights = by_country[minute] + 1e-4 * anywhere
    cumulated = np.cumsum(weights, axis=1)
    drawn: NDArray[np.int64] = (rng.random(len(minute))[:, None] * cumulated[:, -1:] >= cumulated).sum(axis=1)
    return np.minimum(drawn, len(COUNTRIES) - 1)


_POOLS: Final = {
    "t": ("chatter_title", "chatter_body", "chatter"),
    "c": ("title", "body", "metoo"),
    "f": ("chatter_title", "fine", "fine"),
}


def _pair(
    rng: np.random.Generator, texts: Texts, subreddit: Subreddit, kind: str, country: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw titles (or -1 for comments) and bodies."""
    count = len(country)
    submission = rng.random(count) < _SUBMISSIONS
    title_pool, body_pool, comment_pool = _POOLS[kind]
    title = np.full(count, NO_ITEM, dtype=np.int64)
    body = np.empty(count, dtype=np.int64)
    placed = rng.random(count) < 0.3
    for index in range(count):
        service = subreddit.service
        if service == NO_SERVICE and kind != "t":
            service = int(rng.integers(len(SERVICES)))
        code = CODES[country[index]] if country[index] >= 0 else ""
        if submission[index]:
            title[index] = _one(rng, texts, service, title_pool, code, bool(placed[index]))
            body[index] = _one(rng, texts, service, body_pool, code, False)
        else:
            body[index] = _one(rng, texts, service, comment_pool, code, bool(placed[index]))
    return title, body


def _one(rng: np.random.Generator, texts: Texts, service: int, pool: str, code: str, placed: bool) -> int:
    name, key = pool, "en"
    if pool == "chatter_title" and service == NO_SERVICE and code:
        name, key = "local_title", code
    elif placed and code:
        towns = {"title": "title_place@", "metoo": "metoo@", "fine": "fine@"}.get(pool)
        if towns and (service, towns, code) in texts.pools:
            name, key = towns, code
    found = texts.pool(service, name, key)
    return int(found[int(len(found) * rng.random())])


def _finish(
    rng: np.random.Generator,
    second: NDArray[np.int64],
    where: NDArray[np.int16],
    title: NDArray[np.int64],
    body: NDArray[np.int64],
    minutes: int,
) -> Items:
    """Hang comments under submissions and give every item an author, a flair, a fate."""
    count = len(second)
    parent = np.full(count, NO_ITEM, dtype=np.int64)
    for subreddit in np.unique(where):
        at = np.flatnonzero(where == subreddit)
        threads = at[title[at] >= 0]
        comments = at[title[at] < 0]
        if not len(threads):
            continue
        newest = np.searchsorted(threads, comments) - 1
        back = np.minimum(rng.geometric(0.35, len(comments)) - 1, np.maximum(newest, 0))
        parent[comments] = threads[np.maximum(newest - back, 0)]
    roll = rng.random(count)
    state = np.where(roll < _DELETED, 1, np.where(roll < _DELETED + _REMOVED, 2, 0)).astype(np.uint8)
    again = np.where((title >= 0) & (rng.random(count) < _STALE) & (state == 0), second + 3600, -1)
    again[again >= minutes * 60] = -1
    return Items(
        second.astype(np.int32),
        where,
        title,
        body,
        parent,
        rng.integers(0, 40_000, count).astype(np.int32),
        rng.integers(0, len(FLAIRS), count).astype(np.uint8),
        state,
        again.astype(np.int32),
    )
