"""A post in, readings out: the one door between posts and counts."""

from clamor.catalog import Catalog
from clamor.text.locate import Locator
from clamor.text.match import Matcher
from clamor.text.post import Post, Reading


class Reader:
    """Reads posts with one catalogue, compiled once.

    >>> from clamor import catalog
    >>> reader = Reader(catalog.load())
    >>> [r.service for r in reader.read(Post("1", 0, "tiktok is down again"))]
    ['tiktok']

    """

    def __init__(self, catalog: Catalog):
        self.catalog = catalog
        self._matcher = Matcher(catalog)
        self._locator = Locator(catalog)

    def read(self, post: Post, service: str | None = None) -> list[Reading]:
        """Return one reading a service that the post names, or one about ``service`` where the context says so."""
        match = self._matcher.match(post.text, service)
        if not match.services:
            return []
        place = self._locator.locate(post)
        return [
            Reading(
                name,
                match.signal,
                match.symptoms,
                match.claims,
                place.region,
                place.regions,
                place.method,
                place.confidence,
            )
            for name in match.services
        ]
