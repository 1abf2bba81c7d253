"""Posts on X as columns: drawn from rates, each with a second, a country, a text and whether it is geotagged."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clamor.simulate import rates
from clamor.simulate.atlas import CODES, COUNTRIES
from clamor.simulate.events import Event
from clamor.simulate.rates import Stream
from clamor.simulate.services import SERVICES
from clamor.simulate.texts import NO_SERVICE, Texts

GEOTAGGED: Final = 0.2
"""Share of posts with a place. In truth 1-2%: a world of some ten posts a minute stands for one of some hundred."""
RETWEETS: Final = 0.12
"""Share of posts that repeat another; `-is:retweet` leaves them out."""
HEAD: Final = 2.3
"""Exponent of the draw from a pool of texts."""
UNRELATED_PER_MINUTE: Final = 1.0
"""Posts a minute that name no service."""


@dataclass(frozen=True, slots=True)
class Posts:
    """Posts of one service (or of none), in order of time. All columns have one length.

    Attributes:
        second: Seconds since the world's start.
        text: Id of the text.
        country: Position in the atlas.
        geotagged: Whether a place is attached.
        retweet: Whether it repeats another post.

    """

    second: NDArray[np.int32]
    text: NDArray[np.uint32]
    country: NDArray[np.uint8]
    geotagged: NDArray[np.bool_]
    retweet: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.second)


def stream_rng(seed: int, *names: str) -> np.random.Generator:
    """Return a generator of its own for a named part of a world, so that parts do not disturb one another."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


def draw(
    seed: int, texts: Texts, happenings: Sequence[Event], start: int, minutes: int
) -> tuple[list[Posts], Mapping[str, NDArray[np.float32]]]:
    """Draw all posts of a world, service by service and those about none last.

    Returns:
        The posts, and by service the complaints a minute that events add (for Reddit to follow).

    """
    drawn, added = [], {}
    for position, service in enumerate(SERVICES):
        rng = stream_rng(seed, "x", service.id)
        usual, streams = rates.ordinary(rng, service, start, minutes)
        pressure = np.zeros((minutes, len(COUNTRIES)), dtype=np.float32)
        for event in happenings:
            if service.id in event.services:
                more = rates.caused(rng, event, service, usual, CODES)
                streams += more
                if event.is_outage:
                    pressure[more[0].first : more[0].first + len(more[0].rate)] += more[0].rate
        drawn.append(_posts(rng, texts, position, streams))
        added[service.id] = pressure
    rng = stream_rng(seed, "x", "unrelated")
    weights = np.array([country.weight for country in COUNTRIES], dtype=np.float32)
    rate = rates.season("evening", start, minutes) * weights / weights.sum() * np.float32(UNRELATED_PER_MINUTE)
    drawn.append(_posts(rng, texts, NO_SERVICE, [Stream(rate, 0, {"unrelated": 1.0})]))
    return drawn, added


def _posts(rng: np.random.Generator, texts: Texts, service: int, streams: Sequence[Stream]) -> Posts:
    parts = [_draw(rng, texts, service, stream) for stream in streams]
    second, text, country = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.argsort(second, kind="stable")
    return Posts(
        second[order],
        text[order],
        country[order],
        rng.random(len(order), dtype=np.float32) < GEOTAGGED,
        rng.random(len(order), dtype=np.float32) < RETWEETS,
    )


_Columns = tuple[NDArray[np.int32], NDArray[np.uint32], NDArray[np.uint8]]


def _draw(rng: np.random.Generator, texts: Texts, service: int, stream: Stream) -> _Columns:
    """Draw the posts of one stream: a Poisson number, placed by the cumulated rate, then given texts."""
    cumulated = np.cumsum(stream.rate, dtype=np.float64)
    total = rng.poisson(cumulated[-1])
    cell = np.searchsorted(cumulated, np.sort(rng.random(total)) * cumulated[-1], side="right")
    minute, country = np.divmod(np.minimum(cell, stream.rate.size - 1), stream.rate.shape[1])
    second = ((minute + stream.first) * 60 + rng.integers(0, 60, total)).astype(np.int32)
    return second, _texts(rng, texts, service, stream, country), country.astype(np.uint8)


def _texts(
    rng: np.random.Generator, texts: Texts, service: int, stream: Stream, country: NDArray[np.int64]
) -> NDArray[np.uint32]:
    names = list(stream.pools)
    weights = np.array([stream.pools[name] for name in names], dtype=float)
    which = np.searchsorted(np.cumsum(weights / weights.sum()), rng.random(len(country)), side="right")
    which = np.minimum(which, len(names) - 1)
    placed = rng.random(len(country)) < stream.place_share
    keys = _languages(rng, country)
    chosen = np.empty(len(country), dtype=np.uint32)
    for code in np.unique(keys):
        for index, name in enumerate(names):
            at = np.flatnonzero((keys == code) & (which == index) & ~placed)
            chosen[at] = pick(rng, texts.pool(service, name, _LANGUAGES[code]), len(at))
    for code in np.unique(country[placed]):
        at = np.flatnonzero((country == code) & placed)
        chosen[at] = pick(rng, texts.pool(service, "place", COUNTRIES[code].code), len(at))
    return chosen


def pick(rng: np.random.Generator, pool: NDArray[np.uint32], count: int) -> NDArray[np.uint32]:
    """Draw texts from a pool, the first ones more often: half of the posts use the plainest fifth of the phrasings."""
    return pool[(len(pool) * rng.random(count) ** HEAD).astype(np.int64)]


_LANGUAGES: Final = sorted({language for country in COUNTRIES for language, _ in country.languages})


def _languages(rng: np.random.Generator, country: NDArray[np.int64]) -> NDArray[np.int64]:
    """Draw a language for every post by its country."""
    table = np.zeros((len(COUNTRIES), len(_LANGUAGES)))
    for row, entry in enumerate(COUNTRIES):
        for language, share in entry.languages:
            table[row, _LANGUAGES.index(language)] = share
    cumulated = np.cumsum(table, axis=1)
    drawn: NDArray[np.int64] = (rng.random(len(country))[:, None] >= cumulated[country]).sum(axis=1)
    return np.minimum(drawn, len(_LANGUAGES) - 1)
