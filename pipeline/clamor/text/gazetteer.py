"""Place names and points as loaded from the derived tables; read on first use, because many runs need none."""

import csv
import tomllib
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final, Literal

import numpy as np
import pyarrow as pa
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


class Names:
    """The table of names, kept as the sorted bytes that it was read as: a tenth of the memory of a dict.

    Args:
        table: Columns ``name`` (sorted), ``regions`` (``CODE people|CODE people``, people as ``3e6``), ``is_word``.

    """

    def __init__(self, table: pa.Table):
        self._name, self._regions = (_Texts(table[column]) for column in ("name", "regions"))
        self._is_word = table["is_word"].to_numpy()
        self._rows = range(table.num_rows)
        self.row = lru_cache(maxsize=16_384)(self._row)

    def _row(self, name: str) -> int | None:
        wanted = name.encode()
        row = bisect_left(self._rows, wanted, key=self._name.read)
        return row if row < len(self._rows) and self._name.read(row) == wanted else None

    def __contains__(self, name: str) -> bool:
        """Tell whether a name is known."""
        return self.row(name) is not None

    def is_word(self, name: str) -> bool:
        """Tell whether a name is also a word."""
        row = self.row(name)
        return row is not None and bool(self._is_word[row])

    def regions(self, name: str) -> dict[str, float]:
        """Return the regions of a name with their people; none of an unknown name."""
        row = self.row(name)
        if row is None:
            return {}
        pairs = (item.split(" ") for item in self._regions.read(row).decode().split("|"))
        return {region: float(people) for region, people in pairs}


class _Texts:
    """A column of texts as bytes and the offsets at which they begin."""

    def __init__(self, column: pa.ChunkedArray):
        _, offsets, data = column.cast(pa.string()).combine_chunks().buffers()
        self._offsets = memoryview(offsets).cast("B").cast("i")
        self._data = memoryview(data)

    def read(self, row: int) -> bytes:
        return bytes(self._data[self._offsets[row] : self._offsets[row + 1]])


@dataclass(frozen=True)
class Gazetteer:
    """Names of places; all names and words are folded.

    Attributes:
        regions: The known codes of countries and subdivisions.
        names: Names to regions with their people.
        alias: Everyday names of countries, states and areas to region codes.
        city: Everyday names of towns to region codes; they hold no other place.
        people: What people of a region call themselves, to its code.
        codes: Codes that count alone, to region codes.
        short: Codes and short forms that count only after a place that lies in them, to region codes.
        silent: Names of no region, or foremost something else: places only beside a neighbour that holds them.
        soft: Names of :attr:`alias` that are words: places only where nothing else is said.
        fillers: Words that say nothing about the place.
        jokes: Words beside which a town is hardly meant.
        fiction: Words beside which no place is meant, unless a neighbour holds it.
        away: Phrases before a place where the writer is not.
        fans: Phrases after a place that is a team or a cause.

    """

    regions: frozenset[str]
    names: Names
    alias: Mapping[str, tuple[str, ...]]
    city: Mapping[str, tuple[str, ...]]
    people: Mapping[str, tuple[str, ...]]
    codes: Mapping[str, tuple[str, ...]]
    short: Mapping[str, tuple[str, ...]]
    silent: frozenset[str]
    soft: frozenset[str]
    fillers: frozenset[str]
    jokes: frozenset[str]
    fiction: frozenset[str]
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
        if key in self.people:
            return "people"
        return "name" if key in self.names else None

    def candidates(self, key: str) -> dict[str, float]:
        """Return the regions of a folded name with their weights (people, or more for whole regions).

        A list says what a name means by itself; the gazetteer's other places stay for a neighbour to pick.
        """
        known = self.names.regions(key)
        if key in self.alias:
            return {code: min(people, SUBDIVISION - 1) for code, people in known.items()} | dict.fromkeys(
                self.alias[key], COUNTRY
            )
        if key in self.city:
            return {code: min(people, _LESSER) for code, people in known.items()} | dict.fromkeys(self.city[key], TOWN)
        return dict.fromkeys(self.people.get(key, ()), COUNTRY) or known


def _table(name: str) -> pa.Table:
    """Read one of the derived tables, and hand the memory of reading back."""
    table = pq.ParquetFile(DATA / f"{name}.parquet").read(use_threads=False)
    pa.default_memory_pool().release_unused()
    return table


@cache
def gazetteer() -> Gazetteer:
    """Load the place names."""
    own = tomllib.loads((DATA / "places.toml").read_text(encoding="utf-8"))
    with (DATA / "regions.csv").open(encoding="utf-8", newline="") as lines:
        regions = [row["region"] for row in csv.DictReader(lines) if row["kind"] in ("country", "subdivision")]
    codes = {region[3:].lower(): (region,) for region in regions if region.startswith("US-")} | _coded(own["codes"])
    return Gazetteer(
        regions=frozenset(regions),
        names=Names(_table("places")),
        alias=_coded(own["alias"]),
        city=_coded(own["city"]),
        people=_coded(own["people"]),
        codes=codes,
        short=_short(regions, own["short"]),
        silent=_folded(own["silent"]),
        soft=_folded(own["soft"]),
        fillers=_folded(own["fillers"]),
        jokes=_folded(own["jokes"]),
        fiction=_folded(own["fiction"]),
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


@dataclass(frozen=True)
class _Points:
    """Populated points, sorted by latitude: degrees, kilometres, and the region of each as an index of names."""

    lats: NDArray[np.float32]
    longs: NDArray[np.float32]
    radii: NDArray[np.float32]
    region: NDArray[np.integer]
    names: list[str]


@cache
def _points() -> _Points:
    table = _table("points")
    region = table["region"].combine_chunks().dictionary_encode()
    lats, longs, radii = (table[name].to_numpy().astype(np.float32) for name in ("lat_100", "long_100", "radius_100m"))
    return _Points(lats / 100, longs / 100, radii / 10, region.indices.to_numpy(), region.dictionary.to_pylist())


@lru_cache(maxsize=65_536)
def _nearest(lat: float, long: float) -> str | None:
    at = _points()
    low, high = np.searchsorted(at.lats, [lat - 1.2, lat + 1.2])
    if low == high:
        return None
    east = (at.longs[low:high] - long + 180.0) % 360.0 - 180.0
    km = 111.2 * np.hypot(at.lats[low:high] - lat, east * np.cos(np.radians(lat)))
    km -= at.radii[low:high]
    best = int(np.argmin(km))
    return at.names[at.region[low + best]] if km[best] <= _FAR_KM else None


def nearest(lat: float, long: float) -> str | None:
    """Return the region of the nearest populated place, or None far from any.

    A place reaches as far as its dense core. At borders that may err by some kilometres; 120 km from any place, as on
    the open sea, there is none.

    Args:
        lat: Degrees north.
        long: Degrees east.

    """
    if not (-90 <= lat <= 90 and -180 <= long <= 180) or (lat == 0 and long == 0):
        return None
    return _nearest(round(lat, 2), round(long, 2))
