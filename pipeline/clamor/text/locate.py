"""Where a post comes from: coordinates, attached place, subreddit, flair, profile, place names in the text."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from clamor.catalog import Catalog
from clamor.text.gazetteer import nearest
from clamor.text.post import Post
from clamor.text.profile import ANSWER, NOWHERE, Place, read_profile

__all__ = ["ANSWER", "LANGUAGES", "NOWHERE", "Locator", "Place"]

LANGUAGES: Final = {"ja": "JP", "ko": "KR", "pl": "PL", "tr": "TR", "th": "TH", "fi": "FI", "cs": "CZ", "hu": "HU"}
"""Languages that nearly name a country by themselves: the weakest method, off unless asked for."""
_IN_TEXT: Final = re.compile(
    r"\b(?:[Ii]n|[Nn]ear|[Aa]round|[Hh]ere in|[Ff]rom|[Ee]n|[Ee]m|[Aa]us|[Dd]i) "
    r"((?:[A-Z][\w.'-]+(?:,? |$)){1,4}(?:[A-Z]{2}\b)?)"
)
_LEADING: Final = re.compile(r"^\s*[\[(]([^\])]{2,40})[\])]")


class Locator:
    """Compiled from a catalogue once, then used for every post.

    Args:
        catalog: Gives the known region codes and the subreddits of places.
        by_language: Let a language that nearly names a country decide where nothing else does.

    """

    def __init__(self, catalog: Catalog, *, by_language: bool = False):
        frame = catalog.regions
        self._codes = frozenset(frame["region"])
        self._subreddits = catalog.subreddit_regions
        self._by_language = by_language

    def locate(self, post: Post) -> Place:
        """Return the best place of a post: the strongest method that finds a region, else the first candidates."""
        open_place = NOWHERE
        for place in self._methods(post):
            if place.region != "ZZ":
                return place
            if place.regions and not open_place.regions:
                open_place = place
        return open_place

    def _methods(self, post: Post) -> Iterator[Place]:
        if post.lat is not None and post.long is not None and (region := nearest(post.lat, post.long)):
            yield Place(region, (region,), "coordinates", 0.97)
        if post.place_country or post.place:
            yield self._attached(post.place or "", post.place_country or "")
        if post.subreddit and (region := self._subreddits.get(post.subreddit.lower())):
            yield Place(region, (region,), "subreddit", 0.9)
        if post.flair:
            yield _as("flair", _profile(post.flair))
        if post.user_location:
            yield _profile(post.user_location)
        if post.subreddit and post.text:
            yield from in_text(post.text)
        if self._by_language and post.lang and (country := LANGUAGES.get(post.lang.split("-")[0])):
            yield Place(country, (country,), "language", ANSWER)

    def _attached(self, name: str, country: str) -> Place:
        """Read a place attached to the post: a subdivision of its country, or the country."""
        country = country.upper()
        found = _profile(f"{name}, {country}" if name and country else name) if name else NOWHERE
        inside = tuple(r for r in found.regions if not country or r == country or r.startswith(f"{country}-"))
        if len(inside) == 1 and inside[0] in self._codes:
            return Place(inside[0], inside, "place", 0.97)
        return Place(country, (country,), "place", 0.97) if country in self._codes else NOWHERE


def in_text(text: str) -> Iterator[Place]:
    """Yield places that a text says it is written from ("... in Austin", "[Chicago]"), the weakest evidence but one."""
    for pattern in (_LEADING, _IN_TEXT):
        if (found := pattern.search(text[:2000])) and (place := _profile(found.group(1).strip(" ,."))).regions:
            yield Place(place.region, place.regions, "text", min(place.confidence, 0.85))


def _as(method: str, place: Place) -> Place:
    return Place(place.region, place.regions, method, min(place.confidence, 0.9)) if place.regions else NOWHERE


@lru_cache(maxsize=65_536)
def _profile(text: str) -> Place:
    return read_profile(text[:200])
