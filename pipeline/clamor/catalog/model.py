"""What the catalogue holds, as types."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from clamor.schema import Symptom


@dataclass(frozen=True, slots=True)
class Service:
    """One service that people ask about.

    Attributes:
        id: Lower-case name used in tables (``tiktok``).
        name: The name for people.
        kind: social, messaging, video, music, game, cloud, telecom, bank, payment, shopping, transport, power, ...
        names: What people write, lower case; matched as whole words.
        handles: Accounts on X, without ``@``, lower case.
        hashtags: Tags that mean this service, without ``#``, lower case; ``<name>down`` is understood anyway.
        subreddits: Its communities, without ``r/``, lower case.
        weak: Names that are also ordinary words ("three", "zoom"): they count only beside other evidence.
        confusions: Phrases that hold a name but mean something else ("sow discord").
        parent: The company or platform whose failure takes it along.
        regions: Where it operates; empty means the world.
        topic: A tag of the phrase files whose trouble names this service by itself ("power": "our lights went out").
        query_names: The few names worth their place in a query on X (at most 160 characters with ``OR``).
        query_complaints: Whole phrases that complain by themselves ("no power"); where given, the complaint query is
            their ``OR`` instead of names beside :attr:`Catalog.complaint_terms`.

    """

    id: str
    name: str
    kind: str
    names: tuple[str, ...]
    handles: tuple[str, ...] = ()
    hashtags: tuple[str, ...] = ()
    subreddits: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()
    confusions: tuple[str, ...] = ()
    parent: str | None = None
    regions: tuple[str, ...] = ()
    topic: str | None = None
    query_names: tuple[str, ...] = ()
    query_complaints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceKind:
    """What trouble means for a kind of service.

    Attributes:
        weights: How much a symptom's phrases count: 1 where not named, ``*`` for the rest.
        talk: How much talk of bills, staff, orders and contracts speaks against a complaint.
        passing: Points more that a complaint needs where the text names the service as a word, not beside trouble.
        wording: How much the learnt weights of words count.
        unnamed: The symptom of a complaint that names none.

    """

    weights: Mapping[str, float] = field(default_factory=dict)
    talk: float = 1.0
    passing: float = 0.0
    wording: float = 1.0
    unnamed: str = Symptom.OTHER.value


@dataclass(frozen=True, eq=False)
class Catalog:
    """Everything that the reader knows, as loaded from the data files; compared by identity.

    Attributes:
        services: Service id to service.
        phrases: Language to kind of phrase to phrases, as in ``data/phrases/*.toml``.
        kinds: Kind of service (``*``: all others; ``?``: services that are not here) to what trouble means for it.
        symptoms: The named symptoms.
        complaint_terms: The short list from which the complaint query on X is built.
        regions: Frame ``region, parent, name, kind, timezone, utc_offset_h, iso_numeric``.
        subreddit_regions: Lower-case subreddit to region code.
        wording: Frame indexed by ``word`` (or a part of one), learnt from labelled posts: what it says for ``trouble``
            and for each symptom; see :mod:`clamor.text.wording`.
        version: Short hash of the data; counts made with different versions are not compared.

    """

    services: Mapping[str, Service]
    phrases: Mapping[str, Mapping[str, Any]]
    kinds: Mapping[str, ServiceKind]
    symptoms: tuple[str, ...]
    complaint_terms: tuple[str, ...]
    regions: pd.DataFrame
    subreddit_regions: Mapping[str, str]
    wording: pd.DataFrame
    version: str

    def find(self, name: str) -> str | None:
        """Return the id of the service that a name, handle or id means, whatever its case; None if none does."""
        wanted = name.strip().lstrip("@#").casefold()
        if wanted in self.services:
            return wanted
        for service in self.services.values():
            if wanted in (service.name.casefold(), *service.names, *service.handles, *service.hashtags, *service.weak):
                return service.id
        return None
