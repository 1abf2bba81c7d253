"""What a text says: which services, first-hand trouble or not, which symptoms, which claims."""

from dataclasses import dataclass
from typing import Final

import ahocorasick

from clamor.catalog import Catalog, Service
from clamor.schema import Signal
from clamor.text.fold import fold, phrase, shorten
from clamor.text.judge import Verdict, judge
from clamor.text.lexicon import Entry, Hit, Kind, Lexicon

_ARABIC: Final = ("", "ال", "بال", "وال", "لل", "ب", "و", "عال")
_ENDINGS: Final = ("", "s", "da", "de", "dan", "den")


@dataclass(frozen=True, slots=True)
class Match:
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
            for tail in _ENDINGS if len(name) > 5 and name.isascii() else ("",):
                keys[phrase(head + name + tail)] = True
    keys |= {phrase(f"@{handle}"): True for handle in service.handles}
    keys |= {phrase(tag): True for tag in (*service.hashtags, *cries(service))}
    return keys


def cries(service: Service) -> list[str]:
    """Return the hashtags that name a service and its trouble in one word (``tiktokdown``)."""
    single = [name.replace(" ", "") for name in (*service.names, *service.weak) if name.isascii()]
    return [f"{name}{tail}" for name in single for tail in ("down", "isdown", "outage")]


class Matcher:
    """Compiled from a catalogue once, then used for every post."""

    def __init__(self, catalog: Catalog):
        found: dict[str, dict[str, bool]] = {}
        for service in catalog.services.values():
            for key, strong in forms(service).items():
                found.setdefault(key, {})[service.id] = strong
            for confusion in service.confusions:
                found.setdefault(phrase(confusion), {})
        self._names = ahocorasick.Automaton()
        for key, services in found.items():
            self._names.add_word(key, (len(key), tuple(services.items())))
        self._names.make_automaton()
        self._lexicon = Lexicon(
            catalog.phrases,
            {phrase(cry): Entry(Kind.TROUBLE, "any") for s in catalog.services.values() for cry in cries(s)},
        )
        general = catalog.kinds["*"]
        self._focus = {s.id: catalog.kinds.get(s.kind, general) for s in catalog.services.values()}
        self._general = general

    def match(self, text: str, service: str | None = None, language: str | None = None) -> list[Match]:
        """Read one text, once a service that it names; with ``service`` it is about that one whatever it names."""
        plain, words = fold(text)
        named = {service: True} if service is not None else self._named(words)
        if not named:
            return []
        hits, plain = self._find(plain, words, language)
        verdicts = {name: judge(plain, hits, self._focus.get(name, self._general)) for name in named}
        return [
            Match(name, verdict.signal, verdict.symptoms, verdict.claims)
            for name, verdict in verdicts.items()
            if named[name] or verdict.signal is not Signal.MENTION
        ]

    def verdict(self, text: str, service: str | None = None, language: str | None = None) -> Verdict:
        """Judge one text as if it were about a service, or about any."""
        hits, plain = self._find(*fold(text), language)
        return judge(plain, hits, self._focus.get(service or "", self._general))

    def _named(self, words: str) -> dict[str, bool]:
        spans: list[tuple[int, int, tuple[tuple[str, bool], ...]]] = []
        for last, (length, services) in self._names.iter(words):
            start = last + 1 - length
            while spans and spans[-1][0] >= start and last > spans[-1][1]:
                spans.pop()
            if not spans or start < spans[-1][0] or last > spans[-1][1]:
                spans.append((start, last, services))
        named: dict[str, bool] = {}
        for _, _, services in spans:
            for name, strong in services:
                named[name] = strong or named.get(name, False)
        return named

    def _find(self, plain: str, words: str, language: str | None) -> tuple[list[Hit], str]:
        short = shorten(plain)
        if short is not plain:
            plain, words = fold(short)
        return self._lexicon.find(words, language)[0], plain
