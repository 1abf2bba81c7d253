"""What a text says: which services, first-hand trouble or not, which symptoms, which claims."""

from collections.abc import Iterator, Set
from functools import lru_cache
from itertools import islice
from typing import Final, NamedTuple

import ahocorasick

from clamor.catalog import Catalog, Service, ServiceKind
from clamor.schema import Signal
from clamor.text.anchor import Anchor
from clamor.text.fold import fold, phrase, shorten, skim, words
from clamor.text.judge import Verdict, judge
from clamor.text.lexicon import Entry, Hit, Kind, Lexicon, keys_of
from clamor.text.wording import Worded, Wording
from clamor.text.wording import words as words_of

LONGEST: Final = 50_000
"""How many characters of a text are read: more than the longest post that X (25,000) or Reddit (40,000) takes."""
MOST: Final = 10
"""How many services are judged in one text."""
_ARABIC: Final = ("", "ال", "بال", "وال", "لل", "ب", "و", "عال")
_SOUNDS: Final = {
    "telecom": {"telecom", "telco", "telekom", "broadband", "internet", "wifi", "wireless", "fiber", "fibre", "isp"},
    "power": {"power", "electric", "electricity", "energy", "grid", "utility"},
}
"""What the name of a service that the catalogue does not know says of its kind."""
_COMMON_WORDS: Final = """
    app apps at is down outage outages network service signal internet bank mobile power home first game call pay do one
    drive party times line open office food free west wind state class blue face public air east america of the no us
    out lost without went lights light cut cuts data tv uk plus music video card time all games servers store on in my
    phone was is are been be has have just again our went go going gone still light were had her his who any all got
    need want
"""
_COMMON: Final = frozenset(_COMMON_WORDS.split())
_EVERYDAY: Final = ("filler", "common")
"""Lists of a phrase file whose words any text may hold."""
_ENDINGS: Final = ("", "s", "a", "e", "i", "da", "de", "ta", "te", "dan", "den", "tan", "ten", "in")
"""What a long name may end with: plural and possessive, and the cases of Turkish."""


class Match(NamedTuple):
    """What a text says about one service; symptoms are empty unless the signal is a complaint."""

    service: str
    signal: Signal
    symptoms: tuple[str, ...]
    claims: tuple[str, ...]


def forms(service: Service) -> dict[str, bool]:
    """Return the folded keys under which a text names a service, with whether a key alone is enough."""
    keys: dict[str, bool] = {}
    for name in service.weak:
        keys[phrase(name)] = False
    for name in service.names:
        for head in _ARABIC if "\u0600" <= name[0] <= "\u06ff" else ("",):
            for tail in _ENDINGS if len(name) > 5 and name.isalpha() and name.isascii() else ("",):
                keys[phrase(head + name + tail)] = True
    keys |= {phrase(f"@{handle}"): True for handle in service.handles}
    keys |= {phrase(tag): True for tag in (*service.hashtags, *cries(service))}
    return keys


def topic_keys(catalog: Catalog, service: Service) -> Iterator[str]:
    """Yield the folded phrases of trouble that name a service by themselves."""
    if service.topic is None:
        return
    for table in catalog.phrases.values():
        for template in table.get("trouble", {}).get(service.topic, ()):
            yield from keys_of(template)


def _rarest(key: str, everyday: Set[str]) -> str:
    """Return the word of a name that other texts use least, as far as its length and lists of common words tell."""

    def rare(word: str) -> tuple[bool, bool, int]:
        common = word in _COMMON
        return not common and word not in everyday and len(word) > 1, not common and len(word) > 1, len(word)

    return max(key.split(), key=rare)


def cries(service: Service) -> list[str]:
    """Return the hashtags that name a service and its trouble in one word (``tiktokdown``)."""
    single = [name.replace(" ", "") for name in (*service.names, *service.weak) if name.isascii()]
    return [f"{name}{tail}" for name in single for tail in ("down", "isdown", "outage")]


class _Span(NamedTuple):
    """A service's name at ``text[start:end]``; no services for a known confusion."""

    start: int
    end: int
    services: tuple[tuple[str, bool], ...]


class _Heard(NamedTuple):
    """A folded text with the phrases and the names in it; ``said`` are the names that are words of its sentences."""

    folded: str
    hits: list[Hit]
    spans: list[_Span]
    said: list[_Span]
    language: str


_NAMED: Final = (Entry(Kind.PART, "name"),)


class Matcher:
    """Compiled from a catalogue once, then used for every post."""

    def __init__(self, catalog: Catalog):
        found: dict[str, dict[str, bool]] = {}
        for service in catalog.services.values():
            for key, strong in forms(service).items():
                found.setdefault(key, {})[service.id] = strong
            for key in topic_keys(catalog, service):
                found.setdefault(key, {})[service.id] = True
            for confusion in service.confusions:
                found.setdefault(phrase(confusion), {})
        self._names = ahocorasick.Automaton()
        for key, services in found.items():
            self._names.add_word(key, (len(key), tuple(services.items())))
        self._names.make_automaton()
        self._signs = ahocorasick.Automaton()
        everyday = {word for table in catalog.phrases.values() for part in _EVERYDAY for word in table.get(part, ())}
        signs: set[str] = set()
        for key in sorted((key for key, services in found.items() if services and key.isascii()), key=len):
            if signs.isdisjoint(key.split()):
                signs.add(_rarest(key, everyday))
        for sign in signs:
            self._signs.add_word(f" {sign} ", True)
        self._signs.make_automaton()
        self._lexicon = Lexicon(
            catalog.phrases,
            {phrase(cry): Entry(Kind.TROUBLE, "any") for s in catalog.services.values() for cry in cries(s)},
        )
        self._wording = Wording(catalog.wording)
        general = catalog.kinds["*"]
        self._kinds = catalog.kinds
        self._topics = frozenset(s.id for s in catalog.services.values() if s.topic is not None)
        self._kind = {s.id: catalog.kinds.get(s.kind, general) for s in catalog.services.values()}

    def match(self, text: str, service: str | None = None, language: str | None = None) -> list[Match]:
        """Read one text, once a service that it names; with ``service`` it is about that one whatever it names.

        A text is read up to :data:`LONGEST` characters. Of services beyond :data:`MOST` in one text it is a mention:
        a list of everything complains of nothing.
        """
        if service is None and not self.may_name(text):
            return []
        folded = fold(text[:LONGEST])
        spans = self._spans(folded)
        named = {service: True} if service is not None else _named(spans)
        if not named:
            return []
        heard = self._hear(folded, language, spans)
        verdicts = {name: self._judge(heard, name) for name in islice(named, MOST)}
        matches = [
            Match(name, verdict.signal, verdict.symptoms, verdict.claims)
            for name, verdict in verdicts.items()
            if named[name] or verdict.signal is not Signal.MENTION
        ]
        return matches + [Match(name, Signal.MENTION, (), ()) for name in islice(named, MOST, None) if named[name]]

    def may_name(self, text: str) -> bool:
        """Tell quickly whether a text may name a service; False is certain, True is not."""
        skimmed = skim(text)
        return skimmed is None or next(self._signs.iter(skimmed), None) is not None

    def verdict(self, text: str, service: str | None = None, language: str | None = None) -> Verdict:
        """Judge one text as if it were about a service, or about any."""
        folded = fold(text[:LONGEST])
        return self._judge(self._hear(folded, language, self._spans(folded)), service or "")

    def words(self, text: str) -> set[str]:
        """Return the distinct words of a text, as their weights are learnt and summed."""
        heard = self._hear(fold(text[:LONGEST]), None, self._spans(fold(text[:LONGEST])))
        return words_of(heard.folded, heard.said)

    def language(self, text: str) -> str:
        """Return the language that a text is read in."""
        return self._lexicon.find(fold(text[:LONGEST]))[1]

    def _spans(self, folded: str) -> list[_Span]:
        """Return the services' names in a folded text; one inside another is left out."""
        spans: list[_Span] = []
        for last, (length, services) in self._names.iter(folded):
            start = last + 1 - length
            while spans and spans[-1].start >= start and last >= spans[-1].end:
                spans.pop()
            if not spans or start < spans[-1].start or last >= spans[-1].end:
                spans.append(_Span(start, last + 1, services))
        return spans

    def _kind_of(self, service: str, spans: list[_Span]) -> ServiceKind:
        """Return what trouble means for a service: its kind's, or the kind that an unknown one sounds like."""
        known = self._kind.get(service)
        if known is None:
            known = self._sounds_like(service) if service else None
            known = known or next((self._kind[name] for name in _named(spans)), self._kinds["?" if service else "*"])
        return known

    def _sounds_like(self, name: str) -> ServiceKind | None:
        heard = set(words(name).split())
        return next((self._kinds[kind] for kind, signs in _SOUNDS.items() if signs & heard), None)

    def _hear(self, folded: str, language: str | None, spans: list[_Span]) -> _Heard:
        """Return the phrases and the names of a folded text, drawn-out letters undone."""
        short = shorten(folded)
        if short is not folded:
            folded, spans = short, self._spans(short)
        said = [span for span in spans if span.services and folded[span.start + 1] != "@"]
        hits, spoken = self._lexicon.find(folded, language, [Hit(s.start, s.end, _NAMED) for s in said])
        return _Heard(folded, hits, spans, said, spoken)

    def _judge(self, heard: _Heard, service: str) -> Verdict:
        own: list[_Span] = []
        others: list[_Span] = []
        for span in heard.said:
            (own if any(name == service for name, _ in span.services) else others).append(span)
        anchor = None
        if own and service not in self._topics:
            anchor = Anchor(heard.folded, own, others, self._lexicon.vocabulary(heard.language))
        worded = Worded(self._wording, words_of(heard.folded, heard.said))
        return judge(heard.folded, heard.hits, self._kind_of(service, heard.spans), anchor, worded)


@lru_cache(maxsize=4)
def matcher(catalog: Catalog) -> Matcher:
    """Return the matcher of a catalogue, compiled once."""
    return Matcher(catalog)


def _named(spans: list[_Span]) -> dict[str, bool]:
    """Return the services of the names, with whether a name was enough by itself."""
    named: dict[str, bool] = {}
    for span in spans:
        for name, strong in span.services:
            named[name] = strong or named.get(name, False)
    return named
