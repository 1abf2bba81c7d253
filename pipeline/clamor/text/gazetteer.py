"""Place names and points as loaded from the derived tables; read on first use, because many runs need none."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from clamor.catalog.loader import DATA
from clamor.text.fold import words

COUNTRY: Final = 1e9
"""The stated weight of a country's name; see catalog/build_places.py."""
SUBDIVISION: Final = 3e6
"""The least stated weight of the name of a state, province or county."""
_US_STATES: Final = (
    "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA "
    "RI SC SD TN TX UT VT VA WA WV WI WY DC"
)
_FAR_KM: Final = 120.0


@dataclass(frozen=True)
class Gazetteer:
    """Names of places.

    Attributes:
        names: Folded name to ``CODE people|CODE people``, people as ``3e6``.
        english: Folded names that are also English words.
        aliases: Folded everyday names to region codes; none for a name of no region ("europe").
        codes: Codes in capitals to region codes.
        fillers: Folded words that say nothing about the place.
        jokes: Folded words after which a place is hardly meant.

    """

    names: Mapping[str, str]
    english: frozenset[str]
    aliases: Mapping[str, tuple[str, ...]]
    codes: Mapping[str, tuple[str, ...]]
    fillers: frozenset[str]
    jokes: frozenset[str]

    def candidates(self, key: str) -> dict[str, float]:
        """Return the regions of a folded name with their weights (people, or more for whole regions).

        An alias says what a name means by itself; the gazetteer's other places stay for a neighbour to pick.
        """
        found = self.names.get(key)
        known = (
            {code: float(people) for code, people in (item.split(" ") for item in found.split("|"))} if found else {}
        )
        if key in self.aliases:
            known = {code: min(people, SUBDIVISION - 1) for code, people in known.items()}
            known |= dict.fromkeys(self.aliases[key], COUNTRY)
        return known


@cache
def gazetteer() -> Gazetteer:
    """Load the place names."""
    table = pq.read_table(DATA / "places.parquet")
    names = table["name"].to_pylist()
    mask = table["is_word"].to_numpy()
    own = tomllib.loads((DATA / "places.toml").read_text(encoding="utf-8"))
    codes = {state: (f"US-{state}",) for state in _US_STATES.split()}
    codes |= {code: tuple(regions.split()) for code, regions in own["codes"].items()}
    return Gazetteer(
        dict(zip(names, table["regions"].to_pylist(), strict=True)),
        frozenset(names[i] for i in np.flatnonzero(mask)),
        {words(name): tuple(regions.split()) for name, regions in own["alias"].items()},
        codes,
        frozenset(words(w) for w in own["fillers"]),
        frozenset(words(w) for w in own["jokes"]),
    )


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
