"""Place names and points as loaded from the derived tables; read on first use, because many runs need none."""

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final, Literal

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from clamor.catalog.loader import DATA
from clamor.text.fold import words

COUNTRY: Final = 1e9
"""The stated weight of a country's name; see catalog/build_places.py."""
SUBDIVISION: Final = 3e6
"""The least stated weight of the name of a state, province or county."""
TOWN: Final = SUBDIVISION * 0.97
"""The weight of a town of :attr:`Gazetteer.city`: less than of whatever may hold other places."""
_LESSER: Final = 1e5
"""The most that other places of such a town's name weigh."""
_FAR_KM: Final = 120.0


@dataclass(frozen=True)
class Gazetteer:
    """Names of places; all names and words are folded.

    Attributes:
        regions: The known codes of countries and subdivisions.
        names: Name to ``CODE people|CODE people``, people as ``3e6``.
        is_word: Names that are also words.
        alias: Everyday names of countries, states and areas to region codes.
        city: Everyday names of towns to region codes; they hold no other place.
        people: What people of a region call themselves, to its code.
        codes: Codes that count alone, to region codes.
        short: Codes and short forms that count only after a place that lies in them, to region codes.
        silent: Names of no region, or foremost something else: places only beside a neighbour that holds them.
        soft: Names of :attr:`alias` that are words: places only where nothing else is said.
        fillers: Words that say nothing about the place.
        jokes: Words beside which a town is hardly meant.
        away: Phrases before a place where the writer is not.
        fans: Phrases after a place that is a team or a cause.

    """

    regions: frozenset[str]
    names: Mapping[str, str]
    is_word: frozenset[str]
    alias: Mapping[str, tuple[str, ...]]
    city: Mapping[str, tuple[str, ...]]
    people: Mapping[str, tuple[str, ...]]
    codes: Mapping[str, tuple[str, ...]]
    short: Mapping[str, tuple[str, ...]]
    silent: frozenset[str]
    soft: frozenset[str]
    fillers: frozenset[str]
    jokes: frozenset[str]
    away: frozenset[str]
    fans: frozenset[str]

    def kind(self, key: str) -> Literal["silent", "alias", "city", "people", "name"] | None:
        """Return the list that decides what a folded name means."""
        if key in self.silent:
            return "silent"
        if key in self.alias:
            return "alias"
        if key in self.city:
            return "city"
        if key in self.names:
            return "name"
        return "people" if key in self.people else None

    def candidates(self, key: str) -> dict[str, float]:
        """Return the regions of a folded name with their weights (people, or more for whole regions).

        A list says what a name means by itself; the gazetteer's other places stay for a neighbour to pick.
        """
        found = self.names.get(key)
        known = (
            {code: float(people) for code, people in (item.split(" ") for item in found.split("|"))} if found else {}
        )
        if key in self.alias:
            return {code: min(people, SUBDIVISION - 1) for code, people in known.items()} | dict.fromkeys(
                self.alias[key], COUNTRY
            )
        if key in self.city:
            return {code: min(people, _LESSER) for code, people in known.items()} | dict.fromkeys(self.city[key], TOWN)
        return known or dict.fromkeys(self.people.get(key, ()), COUNTRY)


@cache
def gazetteer() -> Gazetteer:
    """Load the place names."""
    table = pq.read_table(DATA / "places.parquet")
    names = table["name"].to_pylist()
    mask = table["is_word"].to_numpy()
    own = tomllib.loads((DATA / "places.toml").read_text(encoding="utf-8"))
    known = dict(zip(names, table["regions"].to_pylist(), strict=True))
    with (DATA / "regions.csv").open(encoding="utf-8", newline="") as lines:
        regions = [row["region"] for row in csv.DictReader(lines) if row["kind"] in ("country", "subdivision")]
    codes = {region[3:].lower(): (region,) for region in regions if region.startswith("US-")} | _coded(own["codes"])
    return Gazetteer(
        regions=frozenset(regions),
        names=known,
        is_word=frozenset(names[i] for i in np.flatnonzero(mask)),
        alias=_coded(own["alias"]),
        city=_coded(own["city"]),
        people=_coded(own["people"]),
        codes=codes,
        short=_short(regions, own["short"]),
        silent=_folded(own["silent"]),
        soft=_folded(own["soft"]),
        fillers=_folded(own["fillers"]),
        jokes=_folded(own["jokes"]),
        away=_folded(own["away"]),
        fans=_folded(own["fans"]),
    )


def _coded(table: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    """Turn a table of regions with their names into one of folded names with all their regions."""
    found: dict[str, tuple[str, ...]] = {}
    for regions, names in table.items():
        for name in dict.fromkeys(words(name) for name in names):
            found[name] = (*found.get(name, ()), *regions.split())
    return found


def _folded(items: list[str]) -> frozenset[str]:
    return frozenset(words(item) for item in items)


def _short(regions: list[str], own: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    """Return the short forms: ISO 3166 codes of countries, letters of subdivisions, and those of the file."""
    short: dict[str, tuple[str, ...]] = {}
    for code, region in [(region.split("-")[-1].lower(), region) for region in regions]:
        if code.isalpha():
            short[code] = (*short.get(code, ()), region)
    for code, found in _coded(own).items():
        short[code] = (*short.get(code, ()), *found)
    return short


@cache
def _points() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], list[str]]:
    table = pq.read_table(DATA / "points.parquet")
    return (
        table["lat_100"].to_numpy() / 100.0,
        table["long_100"].to_numpy() / 100.0,
        table["radius_100m"].to_numpy() / 10.0,
        table["region"].to_pylist(),
    )


@lru_cache(maxsize=65_536)
def _nearest(lat: float, long: float) -> str | None:
    lats, longs, radii, regions = _points()
    low, high = np.searchsorted(lats, [lat - 1.2, lat + 1.2])
    if low == high:
        return None
    east = (longs[low:high] - long + 180.0) % 360.0 - 180.0
    km = 111.2 * np.hypot(lats[low:high] - lat, east * np.cos(np.radians(lat))) - radii[low:high]
    best = int(np.argmin(km))
    return regions[low + best] if km[best] <= _FAR_KM else None


def nearest(lat: float, long: float) -> str | None:
    """Return the region of the nearest populated place, by the distance to its edge, or None far from any.

    Args:
        lat: Degrees north.
        long: Degrees east.

    """
    if not (-90 <= lat <= 90 and -180 <= long <= 180) or (lat == 0 and long == 0):
        return None
    return _nearest(round(lat, 2), round(long, 2))
