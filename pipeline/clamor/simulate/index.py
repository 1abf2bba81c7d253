"""Evaluates queries over the world: once a distinct text, then over the posts that point to the texts."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clamor.simulate.atlas import CODES, COUNTRIES
from clamor.simulate.posts import Posts
from clamor.simulate.query import Leaf, Node, leaves, parse
from clamor.simulate.texts import Texts
from clamor.simulate.world import World

Mask = NDArray[np.bool_]

_SPACELESS: Final = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_TOKEN: Final = re.compile(rf"[{_SPACELESS}]+|(?:(?![{_SPACELESS}])[\w\u0900-\u0dff])+")
_IS_SPACELESS: Final = re.compile(rf"[{_SPACELESS}]")
_TAG: Final = re.compile(r"[#@][\w\u0900-\u0dff]+")


_FOREVER: Final = 2**31 - 1


def fold(text: str) -> str:
    """Return a text as X compares it: lower case, no accents, compatibility forms resolved."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("’", "'"))
    return unicodedata.normalize("NFC", re.sub(r"[\u0300-\u036f]", "", plain))


def tokens(text: str) -> list[str]:
    """Return the words of a folded text; punctuation separates, and so does a change to a script without spaces."""
    return _TOKEN.findall(text)


class Index:
    """The texts of a world, ready for words and phrases.

    Args:
        texts: The table of texts.

    """

    def __init__(self, texts: Texts) -> None:
        self._folded = [fold(text) for text in texts.texts]
        self._joined = [f" {' '.join(tokens(text))} " for text in self._folded]
        self._languages = np.array([texts.tag(i) for i in range(len(texts.texts))])
        postings: dict[str, list[int]] = {}
        for number, (joined, text) in enumerate(zip(self._joined, self._folded, strict=True)):
            for token in {*joined.split(), *_TAG.findall(text)}:
                postings.setdefault(token, []).append(number)
        self._known: dict[tuple[str, str], Mask | None] = {}
        self._postings = {token: np.array(ids) for token, ids in postings.items()}

    def leaf(self, leaf: Leaf) -> Mask | None:
        """Return which texts match a leaf (its negation left aside); None if it is not about the text."""
        key = (leaf.kind, leaf.value)
        if key not in self._known:
            self._known[key] = self._mask(leaf)
        return self._known[key]

    def _mask(self, leaf: Leaf) -> Mask | None:
        if leaf.kind == "lang":
            return np.asarray(self._languages == leaf.value.lower(), dtype=bool)
        if leaf.kind in ("#", "@"):
            return self._of(self._postings.get(leaf.kind + fold(leaf.value)))
        if leaf.kind in ("word", "phrase"):
            return self._words(fold(leaf.value))
        return None

    def _of(self, ids: NDArray[np.int64] | None) -> Mask:
        mask = np.zeros(len(self._joined), dtype=bool)
        if ids is not None:
            mask[ids] = True
        return mask

    def _words(self, value: str) -> Mask:
        if _IS_SPACELESS.search(value):
            return np.array([value in text for text in self._folded], dtype=bool)
        words = tokens(value)
        lists = [self._postings.get(word) for word in words]
        if not words or any(ids is None for ids in lists):
            return self._of(None)
        rarest = min((ids for ids in lists if ids is not None), key=len)
        if len(words) == 1:
            return self._of(rarest)
        phrase = f" {' '.join(words)} "
        return self._of(np.array([i for i in rarest.tolist() if phrase in self._joined[i]], dtype=np.int64))


class Search:
    """Runs queries over a world's posts; answers are kept, so that the next page costs nothing.

    Args:
        world: The world.

    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._index = Index(world.texts)
        self._used = [np.unique(block.text) for block in world.posts]
        self._candidates = lru_cache(maxsize=256)(self._posts_of)
        self.seconds = lru_cache(maxsize=1024)(self._seconds)

    def _seconds(self, query: str) -> NDArray[np.int32]:
        """Return the seconds from the world's start of all matching posts, ascending.

        Raises:
            QueryError: X would refuse the query.

        """
        found = [block.second[which] for block, which in self.matches(query)]
        return np.sort(np.concatenate(found)) if found else np.empty(0, dtype=np.int32)

    def matches(self, query: str, first: int = 0, last: int = _FOREVER) -> Iterator[tuple[Posts, NDArray[np.int64]]]:
        """Yield, service by service, the posts and the positions of those that match within [first, last) seconds."""
        node = parse(query)
        masks = {leaf: self._index.leaf(leaf) for leaf in leaves(node)}
        possible = _possible(node, masks)
        texts = b"" if possible is None else np.packbits(possible).tobytes()
        for number, block in enumerate(self._world.posts):
            at = self._candidates(number, texts)
            if (first, last) != (0, _FOREVER):
                low, high = np.searchsorted(block.second, [first, last])
                at = at[slice(*np.searchsorted(at, [low, high]))]
            which = at[_exact(node, masks, block, at)]
            if len(which):
                yield block, which

    def _posts_of(self, number: int, texts: bytes) -> NDArray[np.int64]:
        """Return the positions of a service's posts that have one of these texts (packed bits; none means all)."""
        block = self._world.posts[number]
        if not texts:
            return np.arange(len(block))
        possible = np.unpackbits(np.frombuffer(texts, dtype=np.uint8)).astype(bool)
        if not possible[self._used[number]].any():
            return np.empty(0, dtype=np.int64)
        return np.flatnonzero(possible[block.text])


_Masks = dict[Leaf, Mask | None]


def _possible(node: Node, masks: _Masks) -> Mask | None:
    """Return which texts might match, whatever the posts' other properties; None for all."""
    if isinstance(node, Leaf):
        mask = masks[node]
        return None if mask is None else ~mask if node.negated else mask
    parts = [_possible(child, masks) for child in node.nodes]
    known = [part for part in parts if part is not None]
    if node.how == "all":
        return np.logical_and.reduce(known) if known else None
    return np.logical_or.reduce(known) if len(known) == len(parts) else None


def _exact(node: Node, masks: _Masks, posts: Posts, at: NDArray[np.int64]) -> Mask:
    if isinstance(node, Leaf):
        mask = masks[node]
        found = _property(node, posts, at) if mask is None else mask[posts.text[at]]
        return ~found if node.negated else found
    parts = [_exact(child, masks, posts, at) for child in node.nodes]
    return np.asarray((np.logical_and if node.how == "all" else np.logical_or).reduce(parts), dtype=bool)


def _property(leaf: Leaf, posts: Posts, at: NDArray[np.int64]) -> Mask:
    """Return which posts have a property that is not in their text."""
    if leaf.kind == "place_country":
        code = leaf.value.upper()
        wanted = CODES.index(code) if code in CODES else 255
        return np.asarray(posts.geotagged[at] & (posts.country[at] == wanted), dtype=bool)
    if (leaf.kind, leaf.value) == ("has", "geo"):
        return posts.geotagged[at]
    if (leaf.kind, leaf.value) == ("is", "retweet"):
        return posts.retweet[at]
    if leaf.kind == "place":
        value = fold(leaf.value)
        names = [[fold(name) for name, _, _ in country.places] for country in COUNTRIES]
        where = place_of(posts.second[at], posts.country[at])
        hits = [value in names[c][p] for c, p in zip(posts.country[at].tolist(), where.tolist(), strict=True)]
        return np.asarray(posts.geotagged[at] & np.array(hits, dtype=bool), dtype=bool)
    return np.zeros(len(at), dtype=bool)


_PLACES: Final = np.array([len(country.places) for country in COUNTRIES])


def place_of(second: NDArray[np.int32], country: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the position of a post's place among its country's."""
    mixed = (second.astype(np.int64) * 2654435761 + country) >> 7
    return np.asarray(mixed % _PLACES[country], dtype=np.int64)
