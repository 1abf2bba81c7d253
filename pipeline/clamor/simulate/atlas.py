"""The synthetic world's countries: clocks, languages, towns and what people write in their profiles."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Country:
    """One country of the world.

    Attributes:
        code: ISO 3166-1 alpha-2.
        weight: Share of the posts, before a service's own popularity there.
        zones: IANA time zones with the share of people in each.
        languages: Language of the templates with its share.
        places: Full name of a place as attached to a post, latitude, longitude.
        towns: What people call their town or state in a text.
        profiles: Free text of profile locations that do tell the country.

    """

    code: str
    weight: float
    zones: tuple[tuple[str, float], ...]
    languages: tuple[tuple[str, float], ...]
    places: tuple[tuple[str, float, float], ...]
    towns: tuple[str, ...]
    profiles: tuple[str, ...]


WATCHED: Final = ("US", "CA", "BR", "MX", "GB", "DE", "FR", "IN", "JP", "ID", "KR", "AU", "NG", "ZA")
"""The countries that the demonstration asks for one by one; the others are only in the world's total."""

_US = Country(
    "US",
    0.27,
    (("America/New_York", 0.48), ("America/Chicago", 0.3), ("America/Los_Angeles", 0.22)),
    (("en", 0.9), ("es", 0.1)),
    (
        ("Austin, TX", 30.27, -97.74),
        ("Columbus, OH", 39.96, -83.0),
        ("Brooklyn, NY", 40.65, -73.95),
        ("Los Angeles, CA", 34.05, -118.24),
        ("Detroit, MI", 42.33, -83.05),
        ("Atlanta, GA", 33.75, -84.39),
        ("Seattle, WA", 47.61, -122.33),
    ),
    ("Ohio", "Texas", "NYC", "Chicago", "Florida", "Michigan", "SoCal", "Atlanta", "Phoenix", "upstate New York"),
    ("Austin, TX", "NYC", "Chicago, IL", "Los Angeles, CA", "Ohio, USA", "United States", "Atlanta, GA", "Florida 🌴"),
)
_CA = Country(
    "CA",
    0.04,
    (("America/Toronto", 0.7), ("America/Vancouver", 0.3)),
    (("en", 0.82), ("fr", 0.18)),
    (("Toronto, Ontario", 43.65, -79.38), ("Vancouver, British Columbia", 49.28, -123.12), ("Montréal", 45.5, -73.57)),
    ("Toronto", "Vancouver", "Calgary", "Ontario", "Montreal"),
    ("Toronto, ON", "Vancouver, BC", "Canada 🇨🇦", "Montréal, Québec", "Calgary"),
)
_BR = Country(
    "BR",
    0.1,
    (("America/Sao_Paulo", 0.9), ("America/Manaus", 0.1)),
    (("pt", 0.97), ("en", 0.03)),
    (("São Paulo, Brasil", -23.55, -46.63), ("Rio de Janeiro, Brasil", -22.91, -43.17), ("Recife", -8.05, -34.88)),
    ("São Paulo", "Rio", "Recife", "BH", "Curitiba", "Fortaleza"),
    ("São Paulo, Brasil", "Rio de Janeiro", "Brasil", "Belo Horizonte, MG", "Recife - PE"),
)
_MX = Country(
    "MX",
    0.06,
    (("America/Mexico_City", 0.9), ("America/Tijuana", 0.1)),
    (("es", 0.97), ("en", 0.03)),
    (
        ("Ciudad de México", 19.43, -99.13),
        ("Guadalajara, Jalisco", 20.67, -103.35),
        ("Monterrey, Nuevo León", 25.68, -100.31),
    ),
    ("CDMX", "Monterrey", "Guadalajara", "Puebla", "Tijuana"),
    ("CDMX", "Monterrey, N.L.", "México", "Guadalajara, Jalisco"),
)
_GB = Country(
    "GB",
    0.08,
    (("Europe/London", 1.0),),
    (("en", 0.6), ("en-GB", 0.4)),
    (("London, England", 51.51, -0.13), ("Manchester, England", 53.48, -2.24), ("Glasgow, Scotland", 55.86, -4.25)),
    ("London", "Manchester", "Leeds", "Glasgow", "Cardiff", "Essex", "Birmingham"),
    ("London", "Manchester, UK", "Scotland", "Leeds", "South Wales", "UK"),
)
_DE = Country(
    "DE",
    0.05,
    (("Europe/Berlin", 1.0),),
    (("de", 0.85), ("en", 0.15)),
    (("Berlin, Deutschland", 52.52, 13.4), ("München, Bayern", 48.14, 11.58), ("Köln", 50.94, 6.96)),
    ("Berlin", "Köln", "Hamburg", "München", "NRW", "Leipzig"),
    ("Berlin", "Köln", "Deutschland", "Hamburg, Germany", "Ruhrpott"),
)
_FR = Country(
    "FR",
    0.05,
    (("Europe/Paris", 1.0),),
    (("fr", 0.95), ("en", 0.05)),
    (("Paris, France", 48.86, 2.35), ("Lyon, France", 45.76, 4.84), ("Marseille, France", 43.3, 5.37)),
    ("Paris", "Lyon", "Marseille", "Lille", "Toulouse"),
    ("Paris", "Lyon, France", "France", "Marseille", "Lille"),
)
_IN = Country(
    "IN",
    0.09,
    (("Asia/Kolkata", 1.0),),
    (("en", 0.4), ("hi-Latn", 0.4), ("hi", 0.2)),
    (("Mumbai, India", 19.08, 72.88), ("New Delhi, India", 28.61, 77.21), ("Bengaluru South, India", 12.97, 77.59)),
    ("Mumbai", "Delhi", "Bangalore", "Hyderabad", "Pune", "Lucknow"),
    ("Mumbai, India", "New Delhi", "Bengaluru", "India 🇮🇳", "Hyderabad", "Lucknow, UP"),
)
_JP = Country(
    "JP",
    0.07,
    (("Asia/Tokyo", 1.0),),
    (("ja", 0.98), ("en", 0.02)),
    (("東京 千代田区", 35.69, 139.75), ("大阪市", 34.69, 135.5), ("福岡市", 33.59, 130.4)),
    ("東京", "大阪", "福岡", "名古屋", "Tokyo", "Osaka"),
    ("東京", "日本", "Tokyo, Japan", "大阪", "関東のどこか"),
)
_ID = Country(
    "ID",
    0.06,
    (("Asia/Jakarta", 0.9), ("Asia/Makassar", 0.1)),
    (("id", 0.93), ("en", 0.07)),
    (
        ("Jakarta Capital Region", -6.2, 106.82),
        ("Bandung, Indonesia", -6.91, 107.61),
        ("Surabaya, Indonesia", -7.26, 112.75),
    ),
    ("Jakarta", "Bandung", "Surabaya", "Medan", "Jogja"),
    ("Jakarta", "Bandung", "Indonesia", "Surabaya, Jawa Timur", "jogja"),
)
_KR = Country(
    "KR",
    0.04,
    (("Asia/Seoul", 1.0),),
    (("ko", 0.97), ("en", 0.03)),
    (("서울특별시", 37.57, 126.98), ("부산광역시", 35.18, 129.08)),
    ("서울", "부산", "대구", "Seoul", "Busan"),
    ("서울", "대한민국", "Seoul, South Korea", "부산"),
)
_AU = Country(
    "AU",
    0.035,
    (("Australia/Sydney", 0.65), ("Australia/Brisbane", 0.2), ("Australia/Perth", 0.15)),
    (("en", 0.55), ("en-AU", 0.45)),
    (
        ("Melbourne, Victoria", -37.81, 144.96),
        ("Sydney, New South Wales", -33.87, 151.21),
        ("Perth, Western Australia", -31.95, 115.86),
    ),
    ("Melbourne", "Sydney", "Brisbane", "Perth", "Adelaide"),
    ("Melbourne", "Sydney, New South Wales", "Brisbane QLD", "Australia"),
)
_NG = Country(
    "NG",
    0.035,
    (("Africa/Lagos", 1.0),),
    (("en", 0.45), ("en-NG", 0.55)),
    (("Lagos, Nigeria", 6.52, 3.38), ("Abuja", 9.06, 7.5), ("Ibadan", 7.38, 3.95)),
    ("Lagos", "Abuja", "Ibadan", "PH", "Lekki"),
    ("Lagos, Nigeria", "Abuja", "Nigeria 🇳🇬", "Ibadan", "Lekki, Lagos"),
)
_ZA = Country(
    "ZA",
    0.025,
    (("Africa/Johannesburg", 1.0),),
    (("en", 1.0),),
    (
        ("Johannesburg, South Africa", -26.2, 28.05),
        ("Cape Town, South Africa", -33.92, 18.42),
        ("Durban, South Africa", -29.86, 31.02),
    ),
    ("Joburg", "Cape Town", "Durban", "Pretoria"),
    ("Johannesburg", "Cape Town", "South Africa", "Pretoria, ZA", "Mzansi"),
)
_REST = (
    Country(
        "ES",
        0.03,
        (("Europe/Madrid", 1.0),),
        (("es", 1.0),),
        (("Madrid, España", 40.42, -3.7),),
        ("Madrid", "Sevilla"),
        ("Madrid", "España"),
    ),
    Country(
        "AR",
        0.025,
        (("America/Argentina/Buenos_Aires", 1.0),),
        (("es", 1.0),),
        (("Buenos Aires, Argentina", -34.6, -58.38),),
        ("Buenos Aires", "Córdoba"),
        ("Buenos Aires, Argentina", "Argentina"),
    ),
    Country(
        "PH",
        0.03,
        (("Asia/Manila", 1.0),),
        (("en", 1.0),),
        (("Quezon City, National Capital Region", 14.68, 121.04),),
        ("Manila", "Cebu"),
        ("Manila", "Philippines"),
    ),
    Country(
        "KE",
        0.015,
        (("Africa/Nairobi", 1.0),),
        (("en", 1.0),),
        (("Nairobi, Kenya", -1.29, 36.82),),
        ("Nairobi", "Mombasa"),
        ("Nairobi, Kenya", "Kenya"),
    ),
    Country(
        "IE",
        0.01,
        (("Europe/Dublin", 1.0),),
        (("en-GB", 1.0),),
        (("Dublin City, Ireland", 53.35, -6.26),),
        ("Dublin", "Cork"),
        ("Dublin", "Ireland"),
    ),
    Country(
        "AT",
        0.008,
        (("Europe/Vienna", 1.0),),
        (("de", 1.0),),
        (("Wien, Österreich", 48.21, 16.37),),
        ("Wien", "Graz"),
        ("Wien", "Österreich"),
    ),
)
COUNTRIES: Final = (_US, _CA, _BR, _MX, _GB, _DE, _FR, _IN, _JP, _ID, _KR, _AU, _NG, _ZA, *_REST)
"""All countries, the watched ones first and in order."""

CODES: Final = tuple(country.code for country in COUNTRIES)

VAGUE_PROFILES: Final = (
    "somewhere over the rainbow",
    "your mum's house",
    "Earth",
    "she/her | 21",
    "NYC ✈ LDN",
    "Georgia",
    "planet mars 🪐",
    "multiverse",
    "in the clouds ☁️",
    "here and there",
    "ur walls",
    "▪️▪️▪️",
    "minors dni",
    "Hogwarts",
    "Everywhere & nowhere",
    "localhost",
    "Gotham City",
    "the timeline",
)
"""Profile locations that tell no country, or two."""

TAGS: Final = {"id": "in", "hi-Latn": "hi", "en-GB": "en", "en-AU": "en", "en-NG": "en"}
"""X's language tag of a template language, where it is not the language itself (X writes ``in`` for Indonesian)."""
