"""A post in, readings out: the one door between posts and counts."""

from clamor.catalog import Catalog
from clamor.text.locate import Locator
from clamor.text.match import matcher
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
        self._matcher = matcher(catalog)
        self._locator = Locator(catalog)

    def may_name(self, line: str) -> bool:
        """Tell quickly whether a text, or the raw JSON line that holds it, may name a service; False is certain."""
        return "\\u" in line or self._matcher.may_name(line.replace("\\n", " ").replace("\\t", " "))

    def read(self, post: Post, service: str | None = None) -> list[Reading]:
        """Return one reading a service that the post names, or one about ``service`` where the context says so."""
        matches = self._matcher.match(post.text, service, _language(post.lang))
        if not matches:
            return []
        place = self._locator.locate(post)
        where = (place.region, place.regions, place.method, place.confidence)
        return [Reading(m.service, m.signal, m.symptoms, m.claims, *where) for m in matches]


def _language(tag: str | None) -> str | None:
    """Return the language of a BCP 47 tag; platforms also send ``und``, ``in`` for Indonesian and names of scripts."""
    short = tag.split("-")[0].lower() if tag else None
    return {"in": "id", "iw": "he"}.get(short, short) if short else None
