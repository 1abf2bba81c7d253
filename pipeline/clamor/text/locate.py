"""Where a post comes from: coordinates, attached place, subreddit, flair, profile."""

import re
from dataclasses import dataclass

from clamor.catalog import Catalog
from clamor.schema import UNKNOWN_REGION
from clamor.text.post import Post

_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")


@dataclass(frozen=True, slots=True)
class Place:
    """A place as a region code, or the candidates where it stays open."""

    region: str = UNKNOWN_REGION
    regions: tuple[str, ...] = ()
    method: str = "none"
    confidence: float = 0.0


NOWHERE = Place()


class Locator:
    """Compiled from a catalogue once, then used for every post."""

    def __init__(self, catalog: Catalog):
        frame = catalog.regions
        self._codes = set(frame["region"])
        self._names = {
            n.lower(): r for r, n, k in zip(frame["region"], frame["name"], frame["kind"], strict=True) if k != "area"
        }
        self._subreddits = catalog.subreddit_regions

    def locate(self, post: Post) -> Place:
        """Return the best place of a post, strongest evidence first."""
        if post.place_country in self._codes:
            return Place(str(post.place_country), (str(post.place_country),), "place", 0.98)
        if post.subreddit and (region := self._subreddits.get(post.subreddit.lower())):
            return Place(region, (region,), "subreddit", 0.9)
        if post.flair and (place := self.profile(post.flair)).regions:
            return Place(place.region, place.regions, "flair", place.confidence)
        return self.profile(post.user_location) if post.user_location else NOWHERE

    def profile(self, text: str) -> Place:
        """Read a profile's location text."""
        flags = {"".join(chr(ord(c) - 0x1F1E6 + 65) for c in m) for m in _FLAG.findall(text)} & self._codes
        parts = [p.strip().lower() for p in re.split(r"[,/|]", text)]
        found = list(dict.fromkeys([*flags, *(self._names[p] for p in parts if p in self._names)]))
        finest = [r for r in found if not any(o != r and o.startswith(r + "-") for o in found)]
        if len(finest) == 1:
            return Place(finest[0], (finest[0],), "profile", 0.9)
        return Place(UNKNOWN_REGION, tuple(finest), "profile", 0.3) if finest else NOWHERE
