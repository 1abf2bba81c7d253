"""Why a text was read as it was: for people who tune the catalogue, and for its own check of phrases."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from clamor.catalog import Catalog
from clamor.text.fold import fold, phrase
from clamor.text.lexicon import Kind, Lexicon, expand, keys_of, templates
from clamor.text.match import matcher
from clamor.text.profile import Place, read_profile

_AGAINST: Final = frozenset({Kind.FINE, Kind.RECOVERY, Kind.NEUTRAL, Kind.ADVICE, Kind.JOKE})


@dataclass(frozen=True, slots=True)
class Explanation:
    """What one service was read as, and what moved it.

    Attributes:
        service: Catalogue id; empty where the text names none.
        signal: complaint, commentary or mention.
        symptoms: Named symptoms of a complaint.
        claims: Causes and recoveries that people state.
        points: The sum; from 2.5 on a text is a complaint.
        reasons: Kind of phrase, its points and the words that matched, in order.
        language: The language that the text was read in.
        place: Where the location text says it is; None without one.

    """

    service: str
    signal: str
    symptoms: tuple[str, ...]
    claims: tuple[str, ...]
    points: float
    reasons: tuple[tuple[str, float, str], ...]
    language: str
    place: Place | None


def explain(catalog: Catalog, text: str, location: str | None = None, service: str | None = None) -> list[Explanation]:
    """Return what a text says about each service that it names, with the phrases that matched and their points.

    Args:
        catalog: Names and phrases.
        text: The post.
        location: A profile's location text, to be read beside it.
        service: Read the text as being about this service.

    """
    reader = matcher(catalog)
    place = read_profile(location) if location is not None else None
    named = [m.service for m in reader.match(text, service)] or [""]
    found = []
    for name in named:
        verdict = reader.verdict(text, name or None)
        found.append(
            Explanation(
                name,
                verdict.signal.value,
                verdict.symptoms,
                verdict.claims,
                round(verdict.points, 2),
                tuple(verdict.reasons),
                reader.language(text),
                place,
            )
        )
    return found


def unreachable(phrases: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield language and template of phrases that no text can match: folded to nothing, or not as they are folded.

    A phrase of trouble may be found with the symptom that a shorter phrase in it names; it is reached all the same.
    """
    for language, table in phrases.items():
        lexicon = Lexicon({language: table}, {})
        for template, entry in templates(table):
            if entry.kind == Kind.FILLER:
                continue
            for written in expand(template):
                hits, _ = lexicon.find(fold(written), language)
                found = any(each.kind == entry.kind for hit in hits for each in hit.entries)
                if not phrase(written) or not found:
                    yield language, written
                    break


def contrary(phrases: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield language and phrase that is trouble in one list and speaks against trouble in another."""
    for language, table in phrases.items():
        kinds: dict[str, set[int]] = {}
        for template, entry in templates(table):
            if entry.kind == Kind.TROUBLE or entry.kind in _AGAINST:
                for key in keys_of(template):
                    kinds.setdefault(key, set()).add(entry.kind)
        yield from ((language, key.strip()) for key, found in kinds.items() if Kind.TROUBLE in found and len(found) > 1)
