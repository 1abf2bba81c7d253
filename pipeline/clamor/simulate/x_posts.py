"""Posts as X's search returns them: ids, times, places and the expansions that were asked for."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clamor.simulate.atlas import CODES, COUNTRIES, VAGUE_PROFILES
from clamor.simulate.index import place_of
from clamor.simulate.posts import Posts
from clamor.simulate.wire import Answer, as_json, iso, token
from clamor.simulate.world import World

_EPOCH_MS: Final = 1_288_834_974_657
"""Milliseconds since the epoch at which X's ids begin (snowflake)."""
_AUTHORS: Final = 100_000
"""Authors of one country; an author's id tells it."""
_FIRST: Final = "abdefgijklmnorstuvy"

Matches = Callable[[str, int, int], Iterator[tuple[Posts, NDArray[np.int64]]]]


class Expander:
    """Writes search pages of a world.

    Args:
        world: The world.

    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._numbers = {id(block): number for number, block in enumerate(world.posts)}

    def page(
        self,
        params: Mapping[str, str],
        matches: Matches,
        query: str,
        window: tuple[int, int],
        size: int,
        skip: int,
    ) -> Answer:
        """Return a page of posts, newest first; `skip` posts of the window's last second were on earlier pages."""
        start, end = (edge - self._world.start for edge in window)
        found = [
            (int(block.second[i]), self._numbers[id(block)], int(i))
            for block, which in matches(query, start, end + (1 if skip else 0))
            for i in which[-(size + skip + 1) :]
        ]
        newest = sorted(found, reverse=True)
        if skip:
            newest = newest[skip:] if newest and newest[0][0] == end else newest
        shown = newest[:size]
        body: dict[str, Any] = {"meta": {"result_count": len(shown)}}
        if shown:
            posts = [self._post(*key, params) for key in shown]
            body = {"data": posts, **self._includes(shown, params), "meta": body["meta"]}
            body["meta"] |= {"newest_id": posts[0]["id"], "oldest_id": posts[-1]["id"]}
        if len(newest) > size:
            last = shown[-1][0]
            seen = sum(key[0] == last for key in shown) + (skip if skip and last == end else 0)
            body["meta"]["next_token"] = token((last + self._world.start) * 1000 + seen)
        return as_json(200, body)

    def _post(self, second: int, block: int, index: int, params: Mapping[str, str]) -> dict[str, Any]:
        posts = self._world.posts[block]
        wanted = params.get("tweet.fields", "").split(",")
        author = self._author(block, index)
        number = self._id(second, block, index)
        text = self._world.texts.texts[posts.text[index]]
        if posts.retweet[index]:
            text = f"RT @{_name(author // 7)}: {text}"
        post: dict[str, Any] = {"edit_history_tweet_ids": [number], "id": number, "text": text}
        known = {
            "created_at": iso(self._world.start + second),
            "author_id": str(author),
            "lang": self._world.texts.tag(int(posts.text[index])),
        }
        expansions = params.get("expansions", "")
        if "author_id" in expansions:
            post["author_id"] = known["author_id"]
        post |= {name: value for name, value in known.items() if name in wanted}
        if posts.geotagged[index] and ("geo" in wanted or "geo.place_id" in expansions):
            post["geo"] = {"place_id": self._place(posts, index)[0]}
        return post

    def _includes(self, shown: list[tuple[int, int, int]], params: Mapping[str, str]) -> dict[str, Any]:
        expansions = params.get("expansions", "").split(",")
        includes: dict[str, Any] = {}
        if "author_id" in expansions:
            users = dict.fromkeys(self._author(block, index) for _, block, index in shown)
            wanted = params.get("user.fields", "").split(",")
            includes["users"] = [self._user(author, wanted) for author in users]
        if "geo.place_id" in expansions:
            tagged = [(self._world.posts[b], i) for _, b, i in shown if self._world.posts[b].geotagged[i]]
            places = dict(self._place(posts, i) for posts, i in tagged)
            if places:
                includes["places"] = list(places.values())
        return {"includes": includes} if includes else {}

    def _id(self, second: int, block: int, index: int) -> str:
        ms = (self._world.start + second) * 1000 + index % 1000
        return str((ms - _EPOCH_MS) << 22 | block << 12 | index % 4096)

    def _author(self, block: int, index: int) -> int:
        """Return the author's id: some people post often."""
        mixed = (index * 2654435761 + block * 40503 + self._world.seed) & 0xFFFFFFFF
        return (10 + int(self._world.posts[block].country[index])) * _AUTHORS + mixed % _AUTHORS

    def _user(self, author: int, wanted: list[str]) -> dict[str, Any]:
        country = COUNTRIES[author // _AUTHORS - 10]
        user: dict[str, Any] = {"id": str(author), "name": _name(author).title(), "username": _name(author)}
        if "location" in wanted:
            roll = author * 7919 % 100
            if roll < 35:
                user["location"] = country.profiles[author % len(country.profiles)]
            elif roll < 60:
                user["location"] = VAGUE_PROFILES[author % len(VAGUE_PROFILES)]
        return user

    def _place(self, posts: Posts, index: int) -> tuple[str, dict[str, Any]]:
        position = int(posts.country[index])
        which = int(place_of(posts.second[index : index + 1], posts.country[index : index + 1])[0])
        name, lat, long = COUNTRIES[position].places[which]
        key = f"{position + 1:04x}{which:04x}c1a3"
        box = [long - 0.1, lat - 0.1, long + 0.1, lat + 0.1]
        place = {
            "id": key,
            "full_name": name,
            "name": name.split(",")[0],
            "country": CODES[position],
            "country_code": CODES[position],
            "place_type": "city",
            "geo": {"type": "Feature", "bbox": [round(edge, 2) for edge in box], "properties": {}},
        }
        return key, place


def _name(number: int) -> str:
    letters = "".join(_FIRST[number // 19**place % 19] for place in range(5))
    return f"{letters}{number % 1000}"
