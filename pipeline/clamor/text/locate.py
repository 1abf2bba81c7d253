"""Where a post comes from: coordinates, attached place, subreddit, flair, profile, place names in the text."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from clamor.catalog import Catalog
from clamor.schema import UNKNOWN_REGION
from clamor.text.gazetteer import nearest
from clamor.text.post import Post
from clamor.text.profile import ANSWER, NOWHERE, Place, read_profile

__all__ = ["ANSWER", "LANGUAGES", "NOWHERE", "Locator", "Place"]

LANGUAGES: Final = {"ja": "JP", "ko": "KR", "pl": "PL", "tr": "TR", "th": "TH", "fi": "FI", "cs": "CZ", "hu": "HU"}
"""Languages that nearly name a country by themselves: the weakest method, off unless asked for."""
_IN_TEXT: Final = re.compile(
    r"\b(?:[Ii]n|[Nn]ear|[Aa]round|[Hh]ere in|[Ff]rom|[Ee]n|[Ee]m|[Aa]us|[Dd]i) "
    r"(?:the )?([A-Z][\w.'-]+(?:,? (?:(?:and|or|y|e|et|und) )?[A-Z][\w.'-]+){0,4})"
)
_CLEAR: Final = 0.95
"""The least confidence of a place in a flair or a text: both name many things that small towns are called too."""
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
        if post.subreddit and (region := self._subreddits.get(post.subreddit.lower().removeprefix("r/"))):
            yield Place(region, (region,), "subreddit", 0.9)
        if post.flair:
            yield _as("flair", _profile(post.flair), 0.9)
        if post.user_location:
            yield _profile(post.user_location)
        if post.subreddit and post.text:
            yield in_text(post.text)
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


def in_text(text: str) -> Place:
    """Return the place that a text says it is from ("... in Austin", "[Chicago]"): the weakest evidence but one.

    Several places in one text are read as they would be in a profile.
    """
    found = [name.strip(" ,.") for pattern in (_LEADING, _IN_TEXT) for name in pattern.findall(text[:2000])]
    return _as("text", _profile(" | ".join(found)), 0.85) if found else NOWHERE


def _as(method: str, place: Place, most: float) -> Place:
    """Return a place as found by a method that is no surer than ``most``; nothing where a name is not clear."""
    open_set = place.region == UNKNOWN_REGION and place.regions
    if not open_set and place.confidence < _CLEAR:
        return NOWHERE
    return Place(place.region, place.regions, method, min(place.confidence, most))


@lru_cache(maxsize=65_536)
def _profile(text: str) -> Place:
    return read_profile(text[:200])
