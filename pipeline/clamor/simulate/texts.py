"""The finite table of texts that posts point into: templates, spellings, variants, and what each text truly says.

A post of the world is an index into this table, so a query is evaluated once a text and not once a post.
"""

import random
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clamor.schema import Signal, Symptom
from clamor.simulate import variants
from clamor.simulate.atlas import COUNTRIES, TAGS, Country
from clamor.simulate.services import SERVICES, Traffic

NO_SERVICE: Final = -1
"""Position of the service of a text that names none."""

_COMPLAINTS: Final = tuple(symptom.value for symptom in Symptom)
_COMMENTARY: Final = ("news", "meme", "back", "advice", "after")
_MENTIONS: Final = ("tricky", "viral", "price")
_REDDIT: Final = {
    "title": Signal.COMPLAINT,
    "title_place": Signal.COMPLAINT,
    "body": Signal.COMPLAINT,
    "metoo": Signal.COMPLAINT,
    "fine": Signal.COMMENTARY,
    "chatter_title": Signal.MENTION,
    "chatter_body": Signal.MENTION,
    "chatter": Signal.MENTION,
}
_DEVICES: Final = ("iphone 14", "pixel 8", "galaxy s23", "ps5", "smart tv", "laptop", "old ipad", "moto g")
_LENGTHS: Final = ("20 minutes", "an hour", "2 hrs", "half an hour", "45 min", "3 hours")
_LOCAL_LENGTHS: Final = {
    "es": ("una hora", "media hora", "dos horas"),
    "pt": ("uma hora", "meia hora", "umas 2h"),
    "fr": ("une heure", "ce matin", "20 min"),
    "de": ("einer Stunde", "heute früh", "20 Minuten"),
}

Pool = tuple[int, str, str]
"""Service position, name of the pool, and language (or country code where the text names a place)."""


@dataclass(slots=True)
class Texts:
    """All distinct texts with what is true of each.

    Attributes:
        texts: The texts.
        languages: Language of the template, by text.
        services: Position of the service that the text is about (-1: none), by text.
        signals: What the text is, by text.
        symptoms: The trouble that a complaint reports ("" for other signals), by text.
        pools: Ids of texts by service, pool and language or country.

    """

    texts: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    services: list[int] = field(default_factory=list)
    signals: list[str] = field(default_factory=list)
    symptoms: list[str] = field(default_factory=list)
    pools: dict[Pool, NDArray[np.uint32]] = field(default_factory=dict)

    def pool(self, service: int, name: str, key: str) -> NDArray[np.uint32]:
        """Return the ids of a pool; English stands in for a language that has no template of the kind."""
        for candidate in (key, key.split("-")[0], "en"):
            found = self.pools.get((service, name, candidate))
            if found is not None:
                return found
        return self.pools[(NO_SERVICE, name, "en")]

    def add(self, pool: Pool, text: str, language: str, signal: Signal, symptom: str = "") -> int:
        """Append a text and return its id; the caller files it under its pool."""
        self.texts.append(text)
        self.languages.append(language)
        self.services.append(pool[0])
        self.signals.append(signal.value)
        self.symptoms.append(symptom)
        return len(self.texts) - 1

    def tag(self, text: int) -> str:
        """Return X's language tag of a text."""
        return TAGS.get(self.languages[text], self.languages[text])


Templates = Mapping[str, Mapping[str, Sequence[str]]]


@cache
def templates(name: str) -> Templates:
    """Return one file of templates: pool to language to templates."""
    source = resources.files("clamor.simulate").joinpath("templates", f"{name}.toml")
    read: Templates = tomllib.loads(source.read_text(encoding="utf-8"))
    return read


def build(seed: int) -> Texts:
    """Return the table of texts of one world."""
    rng = random.Random(seed)
    table = Texts()
    filed: dict[Pool, list[int]] = {}
    for pool, text, language, signal, symptom in _all(rng):
        filed.setdefault(pool, []).append(table.add(pool, text, language, signal, symptom))
    table.pools = {pool: np.array(ids, dtype=np.uint32) for pool, ids in filed.items()}
    return table


_Row = tuple[Pool, str, str, Signal, str]


def _all(rng: random.Random) -> Iterator[_Row]:
    complaint, commentary, mention, reddit = map(templates, ("complaint", "commentary", "mention", "reddit"))
    for position, service in enumerate(SERVICES):
        for symptom in _COMPLAINTS:
            yield from _posts(rng, position, complaint, symptom, Signal.COMPLAINT, symptom, copies=3)
        yield from _placed(rng, position, complaint["place"], "place", copies=2)
        for name in _COMMENTARY:
            yield from _posts(rng, position, commentary, name, Signal.COMMENTARY, "", copies=2)
        for name in _MENTIONS:
            yield from _posts(rng, position, mention, name, Signal.MENTION, "", copies=2)
        for name, copies in (("general", 3), (service.id, 6)):
            for row in _posts(rng, position, mention, name, Signal.MENTION, "", copies=copies):
                yield (position, "mention", row[0][2]), *row[1:]
        yield from _threads(rng, position, reddit)
    yield from _posts(rng, NO_SERVICE, mention, "unrelated", Signal.MENTION, "", copies=4)
    yield from _threads(rng, NO_SERVICE, reddit)
    yield from _placed(rng, NO_SERVICE, reddit["local_title"], "local_title", copies=2)


def _posts(
    rng: random.Random, service: int, source: Templates, name: str, signal: Signal, symptom: str, copies: int
) -> Iterator[_Row]:
    """Yield the variants of a pool as people write them on X."""
    for language, lines in source[name].items():
        for line in lines:
            for _ in range(copies):
                text = variants.vary(rng, _fill(rng, line, service, language), language)
                yield (service, name, language), _hashtag(rng, text, service, signal), language, signal, symptom


def _placed(
    rng: random.Random, service: int, source: Mapping[str, Sequence[str]], name: str, copies: int
) -> Iterator[_Row]:
    """Yield texts that name a town, filed by country."""
    signal = Signal.MENTION if name == "local_title" else Signal.COMPLAINT
    symptom = "" if name == "local_title" else "other"
    for country in COUNTRIES:
        for language, _ in country.languages:
            lines = source.get(language) or source.get(language.split("-")[0]) or source["en"]
            for line in lines:
                for town in [_town(rng, country, language) for _ in range(copies)]:
                    text = _fill(rng, line.replace("{town}", town), service, language)
                    yield (service, name, country.code), text, language, signal, symptom


def _threads(rng: random.Random, service: int, source: Templates) -> Iterator[_Row]:
    """Yield what is written in subreddits by language, filed by country where a town is named."""
    for name, signal in _REDDIT.items():
        symptom = "other" if signal is Signal.COMPLAINT else ""
        for language, lines in source[name].items():
            for line in lines:
                filled = _fill(rng, line, service, language, thread=True)
                if "{town}" not in line:
                    for _ in range(2):
                        text = variants.misspell(rng, filled, 0.1)
                        yield (service, name, language), text, language, signal, symptom
                    continue
                for country in COUNTRIES:
                    if language == "en" or country.languages[0][0] == language:
                        text = filled.replace("{town}", _town(rng, country, language))
                        yield (service, f"{name}@", country.code), text, language, signal, symptom


def _town(rng: random.Random, country: Country, language: str) -> str:
    """Return a town in letters that the language is written in."""
    own_script = language in ("ja", "ko")
    return rng.choice([town for town in country.towns if (max(town) > "\u2e80") == own_script])


def _fill(rng: random.Random, line: str, service: int, language: str, thread: bool = False) -> str:
    lengths = _LOCAL_LENGTHS.get(language, _LENGTHS)
    line = line.replace("{mins}", rng.choice(lengths)).replace("{device}", rng.choice(_DEVICES))
    if service == NO_SERVICE:
        return line.replace("{s}", "it")
    traffic = SERVICES[service]
    spelled = rng.choice(("the app", "it", traffic.names[1])) if thread else spelling(rng, traffic, language)
    return line.replace("{handle}", _handle(traffic)).replace("{s}", spelled)


def spelling(rng: random.Random, traffic: Traffic, language: str) -> str:
    """Return how somebody writes the service: each spelling half as common as the one before."""
    names = traffic.local_names.get(language, ())
    if names and rng.random() < 0.6:
        return rng.choice(names)
    weights = [0.5**rank for rank in range(len(traffic.names))]
    return rng.choices(traffic.names, weights)[0]


def _handle(traffic: Traffic) -> str:
    return {"spotify": "SpotifyCares", "netflix": "Netflixhelps", "vodafone": "VodafoneUK"}.get(traffic.id, traffic.id)


def _hashtag(rng: random.Random, text: str, service: int, signal: Signal) -> str:
    if service == NO_SERVICE or rng.random() > 0.08:
        return text
    tag = re.sub(r"\W", "", SERVICES[service].id)
    tails = {Signal.COMPLAINT: ("", "down", "down", "fail", "problems"), Signal.COMMENTARY: ("", "down")}
    return f"{text} #{tag}{rng.choice(tails.get(signal, ('',)))}"
