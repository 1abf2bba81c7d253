"""What a text says: which services, first-hand trouble or not, which symptoms, which claims."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from clamor.catalog import Catalog
from clamor.schema import Signal, Symptom

_FOLD = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "“": '"', "”": '"'})


@dataclass(frozen=True, slots=True)
class Match:
    """What a text says. ``services`` may be empty; symptoms are empty unless the signal is a complaint."""

    services: tuple[str, ...]
    signal: Signal
    symptoms: tuple[str, ...]
    claims: tuple[str, ...]


def fold(text: str) -> str:
    """Lower-case, compatibility-normalised text with straight apostrophes."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", text).translate(_FOLD).lower()


def _words(phrases: Iterable[str]) -> re.Pattern[str]:
    ordered = sorted({fold(p) for p in phrases}, key=len, reverse=True)
    bounded = [re.escape(p) if not p.isascii() and not p[0].isalpha() else _bounded(p) for p in ordered]
    return re.compile("|".join(bounded) or r"(?!)")


def _bounded(phrase: str) -> str:
    spaced = any("A" <= c.upper() <= "Z" or "\u00c0" <= c <= "\u06ff" or "\u0900" <= c <= "\u097f" for c in phrase)
    return rf"(?<!\w){re.escape(phrase)}(?!\w)" if spaced else re.escape(phrase)


class Matcher:
    """Compiled from a catalogue once, then used for every post."""

    def __init__(self, catalog: Catalog):
        self._names: dict[str, str] = {}
        for service in catalog.services.values():
            forms = [*service.names, *(h for h in service.handles), *service.hashtags]
            forms += [f"{n}down".replace(" ", "") for n in service.names if n.isascii()]
            self._names |= {fold(form): service.id for form in forms}
        self._services = _words(self._names)
        self._confusions = _words(c for s in catalog.services.values() for c in s.confusions)
        languages = list(catalog.phrases.values())
        symptoms: dict[str, list[str]] = {}
        claims: dict[str, list[str]] = {}
        for table in languages:
            for kinds, target in (("symptoms", symptoms), ("claims", claims)):
                for name, phrases in table.get(kinds, {}).items():
                    target.setdefault(name, []).extend(phrases)
        downs = [name for name in self._names if name.endswith("down")]
        self._complaint = _words([*(p for t in languages for p in t.get("complaint", ())), *downs])
        self._commentary = _words(p for t in languages for p in t.get("commentary", ()))
        self._symptoms = {name: _words(phrases) for name, phrases in symptoms.items()}
        self._claims = {name: _words(phrases) for name, phrases in claims.items()}

    def match(self, text: str, service: str | None = None) -> Match:
        """Read one text; with ``service`` it is about that service whatever it names."""
        folded = fold(text)
        if service is not None:
            services: tuple[str, ...] = (service,)
        else:
            clean = self._confusions.sub(" ", folded)
            services = tuple(dict.fromkeys(self._names[m] for m in self._services.findall(clean)))
            if not services:
                return Match((), Signal.MENTION, (), ())
        claims = tuple(name for name, pattern in self._claims.items() if pattern.search(folded))
        if self._commentary.search(folded):
            return Match(services, Signal.COMMENTARY, (), claims)
        symptoms = tuple(name for name, pattern in self._symptoms.items() if pattern.search(folded))
        if self._complaint.search(folded) or (symptoms and service != "electric-power"):
            return Match(services, Signal.COMPLAINT, symptoms or (Symptom.OTHER.value,), claims)
        return Match(services, Signal.MENTION, (), claims)
