"""From the catalogue to the queries that X counts, each at most 512 characters and each post counted once.

A query that is too long is split by the language that X gives a post (``lang:``), and by nothing else: every post has
exactly one, so the parts cannot overlap and their counts add up. Leaving an earlier part's terms out of a later one
would not help, because to leave a term out is to name it. What a split loses is a term in a post of another language
("down" in a post that X calls Korean), the same at every poll. Operators:
https://docs.x.com/x-api/posts/search/integrate/operators
"""

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from clamor.errors import ConfigError
from clamor.schema import WORLD, Signal

QUERY_CHARACTERS: Final = 512
"""https://docs.x.com/x-api/posts/search/integrate/build-a-query: what every plan may send."""
SOURCE: Final = "x"
PLACE_PROBE: Final = "x:place_country"
"""Whether the account may count by country: ``ok``, or why not."""
LANGUAGE_PROBE: Final = "x:lang"
"""Whether the account may count by language: ``ok``, or why not."""
_NOT_IN: Final = re.compile(r" -lang:\w+")
_PLAIN: Final = re.compile(r"[@#]?\w+")
_SCRIPTS: Final = {
    "ko": re.compile("[\uac00-\ud7af\u1100-\u11ff]"),
    "ja": re.compile("[\u3040-\u30ff\u4e00-\u9fff]"),
    "hi": re.compile("[\u0900-\u097f]"),
    "ar": re.compile("[\u0600-\u06ff]"),
    "th": re.compile("[\u0e00-\u0e7f]"),
    "ru": re.compile("[\u0400-\u04ff]"),
}
"""Scripts that nearly tell the language of a term that the catalogue gives none."""


class QueryService(Protocol):
    """What a query needs of a catalogue's service."""

    @property
    def query_names(self) -> tuple[str, ...]:
        """The few names worth their place in a query."""

    @property
    def query_complaints(self) -> tuple[str, ...]:
        """Whole phrases that complain by themselves; may be empty."""

    @property
    def regions(self) -> tuple[str, ...]:
        """Where the service operates; empty means the world."""


class QueryCatalog(Protocol):
    """What queries and their rows need of a catalogue."""

    @property
    def services(self) -> Mapping[str, Any]:
        """Service id to service."""

    @property
    def phrases(self) -> Mapping[str, Mapping[str, Any]]:
        """Language to kind of phrase to phrases."""

    @property
    def complaint_terms(self) -> tuple[str, ...]:
        """The short list of what people write in a complaint."""

    @property
    def version(self) -> str:
        """A short hash of the catalogue's data."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is counted for one service, signal and region; the parts are disjoint and their counts add up.

    With a ``language`` it counts those of the world's posts that are in it: a part of another query's count.
    """

    service: str
    signal: Signal
    region: str
    parts: tuple[str, ...]
    language: str = ""

    @property
    def scope(self) -> str:
        """The scope of the tables: any change of the text makes it another."""
        kind = f"lang:{self.language}:" if self.language else ""
        return f"{SOURCE}:{kind}{hashlib.sha256(chr(10).join(self.parts).encode()).hexdigest()[:12]}"

    @property
    def probe(self) -> str | None:
        """Key of ``State.probes`` for the operator that not every account may use; also the scope that says so."""
        if self.language:
            return LANGUAGE_PROBE
        return None if self.region == WORLD else PLACE_PROBE


def queries(catalog: QueryCatalog, service: str, country: str | None = None) -> dict[Signal, Query]:
    """Return the complaint and the mention query of a service, of the world or of geotagged posts in one country.

    Args:
        catalog: Names, phrases and terms.
        service: Catalogue id.
        country: ISO 3166-1 alpha-2 code; None for the world.

    Raises:
        ConfigError: the service is unknown, or its terms cannot be fitted into 512 characters.

    """
    if service not in catalog.services:
        raise ConfigError(f"service {service!r} is not in the catalogue; see `clamor catalog list` for the names")
    known: QueryService = catalog.services[service]
    place = "" if country is None else f" place_country:{country}"
    tail = f"{place} -is:retweet"
    names = _any_of(known.query_names)
    if known.query_complaints:
        complaint = _parts(service, "", known.query_complaints, tail, catalog)
    else:
        complaint = _parts(service, f"{names} ", catalog.complaint_terms, tail, catalog)
    region = country or WORLD
    mentions = tuple(dict.fromkeys(known.query_names + known.query_complaints))
    mention = _parts(service, "", mentions, tail, catalog)
    return {
        Signal.COMPLAINT: Query(service, Signal.COMPLAINT, region, complaint),
        Signal.MENTION: Query(service, Signal.MENTION, region, mention),
    }


def language_query(catalog: QueryCatalog, service: str, language: str) -> Query:
    """Return the query for those posts of the world's complaint query that X calls of one language.

    Raises:
        ConfigError: the service is unknown, or its terms cannot be fitted into 512 characters.

    """
    world = queries(catalog, service)[Signal.COMPLAINT].parts
    rest = _NOT_IN.sub("", world[0]).replace(" -is:retweet", f" lang:{language} -is:retweet")
    own = [part for part in world[1:] if f" lang:{language} " in part] or [rest]
    return Query(service, Signal.COMPLAINT, WORLD, tuple(own), language)


def operates_in(catalog: Any, service: str, countries: Collection[str]) -> list[str]:
    """Return those of the countries in which a service operates, by its own codes or their continents'."""
    regions = set(catalog.services[service].regions)
    if not regions or WORLD in regions:
        return list(countries)
    rows = catalog.regions.loc[catalog.regions["region"].isin(list(countries))]
    parents = dict(zip(rows["region"], rows["parent"], strict=True))
    divided = {region.partition("-")[0] for region in regions}
    return [c for c in countries if c in divided or parents.get(c) in regions]


def _parts(service: str, head: str, terms: tuple[str, ...], tail: str, catalog: QueryCatalog) -> tuple[str, ...]:
    whole = f"{head}{_any_of(terms)}{tail}"
    if len(whole) <= QUERY_CHARACTERS - len(" lang:xxx"):  # room for a count by language
        return (whole,)
    languages = {term: _languages(term, catalog) for term in terms}
    named = sorted({language for found in languages.values() for language in found} - {"en"})
    rest = "".join(f" -lang:{language}" for language in named)
    everywhere = tuple(term for term in terms if not languages[term] or "en" in languages[term])
    parts = [f"{head}{_any_of(everywhere)}{rest}{tail}"] if everywhere else []
    for language in named:
        own = tuple(term for term in terms if language in languages[term])
        parts.append(f"{head}{_any_of(own)} lang:{language}{tail}")
    longest = max(map(len, parts))
    if longest > QUERY_CHARACTERS:
        raise ConfigError(
            f"service {service!r}: a query of {longest} characters, split by language as it is; X takes "
            f"{QUERY_CHARACTERS}; shorten query_names or the terms by {longest - QUERY_CHARACTERS} characters"
        )
    return tuple(parts)


def _languages(term: str, catalog: QueryCatalog) -> Collection[str]:
    """Return the languages that the catalogue lists a query term under, else what its script tells."""
    listed = {language for language, kinds in catalog.phrases.items() if term in kinds.get("query", ())}
    return listed or {language for language, script in _SCRIPTS.items() if script.search(term)}


def _any_of(terms: tuple[str, ...]) -> str:
    written = [term if _PLAIN.fullmatch(term) else f'"{term}"' for term in terms]
    return written[0] if len(written) == 1 else f"({' OR '.join(written)})"
