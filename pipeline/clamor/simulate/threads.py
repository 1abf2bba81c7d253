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
_COMPLAINTS_ELSEWHERE: Final = 0.004
"""Share of any other subreddit that is complaints about a service."""
_DELETED, _REMOVED, _STALE = 0.012, 0.03, 0.004
_SURGE: Final = 1.5
"""Complaints on Reddit for each extra complaint on X of an event, shared over the service's subreddits."""
_SURGE_LOCAL, _SURGE_GENERAL = 0.3, 0.05
"""The same for a subreddit of the writer's country, and for a general one."""
_PLACED: Final = 0.3
"""Share of complaints that name a town."""
_SURGE_MOST: Final = 6.0
"""Complaints a minute in one subreddit at most; moderators close threads."""


@dataclass(frozen=True, slots=True)
class Subreddit:
    """A subreddit: name, the service it is about (-1: none), its country (-1: anywhere), items an hour, language."""

    name: str
    service: int
    country: int
    items_per_hour: float
    language: str = "en"


@cache
def subreddits() -> tuple[Subreddit, ...]:
    """Return all public subreddits of the world."""
    about = [Subreddit(n, i, -1, r) for i, s in enumerate(SERVICES) for n, r in s.subreddits.items()]
    local = [Subreddit(n, NO_SERVICE, CODES.index(c), r, lang) for n, (c, r, lang) in REGION_SUBREDDITS.items()]
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
        trouble = _trouble(subreddit, added, minutes)
        parts.append(_items(rng, texts, position, subreddit, calm, trouble))
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


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Extra complaints by minute, and where (minutes, countries) and about what (minutes, services) they are."""

    rate: NDArray[np.float64]
    where: NDArray[np.float32]
    about: NDArray[np.float32]


def _trouble(subreddit: Subreddit, added: Mapping[str, NDArray[np.float32]], minutes: int) -> _Trouble:
    about = np.zeros((minutes, len(SERVICES)), dtype=np.float32)
    where = np.zeros((minutes, len(COUNTRIES)), dtype=np.float32)
    share = _SURGE_LOCAL if subreddit.country >= 0 else _SURGE_GENERAL
    for position, service in enumerate(SERVICES):
        heard = added[service.id]
        if subreddit.service not in (NO_SERVICE, position):
            continue
        if subreddit.service == position:
            share = _SURGE * subreddit.items_per_hour / sum(service.subreddits.values())
        if subreddit.country >= 0:
            about[:, position] = heard[:, subreddit.country]
            where[:, subreddit.country] += heard[:, subreddit.country]
        else:
            about[:, position] = heard.sum(axis=1)
            where += heard
    rate = np.minimum(about.sum(axis=1) * share, _SURGE_MOST).astype(float)
    return _Trouble(rate, where, about)


_Part = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def _items(
    rng: np.random.Generator,
    texts: Texts,
    position: int,
    subreddit: Subreddit,
    calm: NDArray[np.float64],
    trouble: _Trouble,
) -> _Part:
    """Draw the items of one subreddit: (second, subreddit, title, body)."""
    usual = _COMPLAINTS if subreddit.service != NO_SERVICE else _COMPLAINTS_ELSEWHERE
    seconds, titles, bodies = [], [], []
    rates_by_kind = {
        "chatter": calm * (1 - 1.7 * usual),
        "complaint": trouble.rate + calm * usual,
        "reply": trouble.rate * 0.35 + calm * usual * 0.7,
    }
    anywhere = np.array([country.weight for country in COUNTRIES])
    if subreddit.country >= 0:
        anywhere = np.eye(len(COUNTRIES))[subreddit.country]
    talked = np.array([service.posts_per_minute for service in SERVICES])
    for kind, rate in rates_by_kind.items():
        minute = np.repeat(np.arange(len(calm)), rng.poisson(rate))
        seconds.append(minute * 60 + rng.integers(0, 60, len(minute)))
        country = _by_weight(rng, trouble.where[minute] + 1e-4 * anywhere)
        service = _by_weight(rng, trouble.about[minute] + 1e-4 * talked)
        title, body = _pair(rng, texts, subreddit, kind, country, service)
        titles.append(title)
        bodies.append(body)
    second = np.concatenate(seconds)
    return second, np.full(len(second), position), np.concatenate(titles), np.concatenate(bodies)


def _by_weight(rng: np.random.Generator, weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Draw a column for every row by the row's weights."""
    cumulated = np.cumsum(weights, axis=1)
    drawn: NDArray[np.int64] = (rng.random(len(weights))[:, None] * cumulated[:, -1:] >= cumulated).sum(axis=1)
    drawn[drawn == weights.shape[1]] -= 1
    return drawn


_POOLS: Final = {
    "chatter": ("chatter_title", "chatter_body", "chatter"),
    "complaint": ("title", "body", "metoo"),
    "reply": ("chatter_title", "fine", "fine"),
}


def _pair(
    rng: np.random.Generator,
    texts: Texts,
    subreddit: Subreddit,
    kind: str,
    country: NDArray[np.int64],
    service: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw titles (or -1 for comments) and bodies. Where a subreddit is about no service, a complaint names it."""
    title_pool, body_pool, comment_pool = _POOLS[kind]
    count = len(country)
    title = np.full(count, NO_ITEM, dtype=np.int64)
    body = np.empty(count, dtype=np.int64)
    submission = rng.random(count) < _SUBMISSIONS
    placed = rng.random(count) < _PLACED
    roll = rng.random((count, 2))
    for i, (code, about) in enumerate(zip(country.tolist(), service.tolist(), strict=True)):
        draw_one = _Drawer(texts, subreddit, CODES[code], about, bool(placed[i]))
        if submission[i]:
            title[i] = draw_one(title_pool, roll[i, 0])
        body[i] = draw_one(body_pool if submission[i] else comment_pool, roll[i, 1])
    return title, body


@dataclass(frozen=True, slots=True)
class _Drawer:
    """Draws one text for one item."""

    texts: Texts
    subreddit: Subreddit
    code: str
    about: int
    placed: bool

    def __call__(self, pool: str, roll: float) -> int:
        found = self.texts.pool(*self._pool(pool))
        return int(found[int(len(found) * roll)])

    def _pool(self, pool: str) -> tuple[int, str, str]:
        service, language = self.subreddit.service, self.subreddit.language
        if service == NO_SERVICE and pool == "title":
            return (self.about, "place", self.code) if self.placed else (self.about, "other", language)
        if service == NO_SERVICE and pool == "chatter_title" and self.subreddit.country >= 0:
            return service, "local_title", self.code
        named = f"{pool}_place@" if pool == "title" else f"{pool}@"
        if self.placed and (service, named, self.code) in self.texts.pools:
            return service, named, self.code
        return service, pool, language


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
