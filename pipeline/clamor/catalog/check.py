"""Finds mistakes in the catalogue that reading it does not show: clashes, phrases that never match, long queries."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from clamor.catalog.model import Catalog, Service

QUERY_CHARACTERS: Final = 512
"""The longest query that X takes (docs.x.com, counts and search)."""
_TAIL: Final = " place_country:US -is:retweet"


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake: ``clash``, ``region``, ``parent``, ``subreddit`` or ``query``, about what, and what to do."""

    kind: str
    about: str
    says: str


def check(catalog: Catalog) -> list[Finding]:
    """Return what is wrong with a catalogue; an empty list where nothing is.

    Found are: a name, handle or hashtag of two services; regions and parents that do not exist; a subreddit of two
    services; and complaint or mention queries longer than X takes.
    """
    return [*_clashes(catalog), *_codes(catalog), *_queries(catalog)]


def _clashes(catalog: Catalog) -> list[Finding]:
    owners: dict[str, dict[str, None]] = defaultdict(dict)
    for service in catalog.services.values():
        for name in service.names:
            owners[name.casefold()][service.id] = None
        for handle in service.handles:
            owners[f"@{handle.casefold()}"][service.id] = None
        for tag in service.hashtags:
            owners[f"#{tag.casefold()}"][service.id] = None
    return [
        Finding("clash", name, f"belongs to {', '.join(services)}; a name is one service's; take it from the others")
        for name, services in owners.items()
        if len(services) > 1 and not _related(catalog, list(services))
    ]


def _related(catalog: Catalog, services: list[str]) -> bool:
    """Tell whether services share a handle because they share a company."""
    parents = {catalog.services[s].parent or s for s in services}
    return len(parents) == 1


def _codes(catalog: Catalog) -> list[Finding]:
    known = set(catalog.regions["region"])
    found = [
        Finding("region", service.id, f"operates in {code!r}, which is no region code; use ISO 3166 codes")
        for service in catalog.services.values()
        for code in service.regions
        if code not in known
    ]
    found += [
        Finding("subreddit", name, f"lies in {code!r}, which is no region code; use ISO 3166 codes")
        for name, code in catalog.subreddit_regions.items()
        if code not in known
    ]
    return found


def _queries(catalog: Catalog) -> list[Finding]:
    found = []
    for service in catalog.services.values():
        for name, query in queries(service, catalog.complaint_terms).items():
            if len(query) > QUERY_CHARACTERS:
                says = f"{name} query has {len(query)} characters; X takes {QUERY_CHARACTERS}; shorten query_names"
                found.append(Finding("query", service.id, says))
    return found


def queries(service: Service, terms: tuple[str, ...]) -> dict[str, str]:
    """Return the complaint and mention queries of a service at their longest, with a country."""
    complaint = service.query_complaints or terms
    names = "" if service.query_complaints else f"{_any_of(service.query_names)} "
    return {
        "complaint": f"{names}{_any_of(complaint)}{_TAIL}",
        "mention": f"{_any_of((*service.query_names, *service.query_complaints))}{_TAIL}",
    }


def _any_of(terms: tuple[str, ...]) -> str:
    return "(" + " OR ".join(f'"{t}"' if not t.replace("_", "").isalnum() else t for t in terms) + ")"
