"""A post as the reader sees it, whatever it came from; and what was read in it."""

from dataclasses import dataclass

from clamor.schema import UNKNOWN_REGION, Signal


@dataclass(frozen=True, slots=True)
class Post:
    """One post or comment. It lives in memory only: nothing of it but counts is ever stored.

    Attributes:
        id: The platform's id, unique within the source.
        created_at: Seconds since the epoch, UTC.
        text: Title and body together.
        author: An opaque key, used to count distinct authors and then forgotten.
        lang: BCP 47 tag as the platform gives it.
        user_location: The free text of a profile.
        lat: Degrees north of the post itself.
        long: Degrees east of the post itself.
        place: Full name of a place attached to the post.
        place_country: ISO 3166-1 alpha-2 code of a place attached to the post.
        subreddit: Without the ``r/``.
        flair: Author or link flair.

    """

    id: str
    created_at: int
    text: str
    author: str = ""
    lang: str | None = None
    user_location: str | None = None
    lat: float | None = None
    long: float | None = None
    place: str | None = None
    place_country: str | None = None
    subreddit: str | None = None
    flair: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What one post says about one service, and from where.

    Attributes:
        service: Catalogue name of the service.
        signal: Exclusive: complaint, commentary or mention.
        symptoms: Named symptoms of a complaint (``("other",)`` where none is named); empty for the other signals.
        claims: Causes or recoveries that the post states.
        region: The finest single code, or ``ZZ``.
        regions: The candidates, when the place is a set.
        region_method: How the place was found.
        region_confidence: 0 to 1.

    """

    service: str
    signal: Signal
    symptoms: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    region: str = UNKNOWN_REGION
    regions: tuple[str, ...] = ()
    region_method: str = "none"
    region_confidence: float = 0.0
