"""Where posts come from."""

from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clamor import catalog
from clamor.catalog.loader import DATA
from clamor.errors import InputError
from clamor.text.frame import READING_COLUMNS, read_frame
from clamor.text.gazetteer import gazetteer, nearest
from clamor.text.locate import Locator
from clamor.text.post import Post
from clamor.text.profile import read_profile


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("Paris, TX", "US-TX"),
        ("Paris", "FR-IDF"),
        ("London, Ontario", "CA-ON"),
        ("ritzville wa", "US-WA"),
        ("Toronto, CA", "CA-ON"),
        ("San Jose, CA", "US-CA"),
        ("Detroit, Mi", "US-MI"),
        ("NYC", "US-NY"),
        ("Hyderabad, Pakistan", "PK"),
        ("Washington, D.C.", "US-DC"),
        ("somewhere in Texas", "US-TX"),
        ("she/her 🇵🇭", "PH"),
        ("🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f", "GB-SCT"),
        ("대한민국", "KR"),
        ("서울", "KR-11"),
        ("США", "US"),
        ("المانيا", "DE"),
        ("日本 東京", "JP-13"),
        ("दिल्ली, भारत", "IN-DL"),
        ("São Paulo", "BR-SP"),
        ("Munchen", "DE-BY"),
        ("45.4984,-73.6604", "CA-QC"),
        ("51.5°N, 0.12°W", "GB-ENG"),
        ("Springfield", "US"),
        ("51° 30' 26\" N, 0° 7' 39\" W", "GB-ENG"),
        ("lat: -23.5505, lon: -46.6333", "BR-SP"),
        ("ÜT: 6.5243,3.3792", "NG-LA"),
        ("S?o Paulo, Brasil", "BR-SP"),
        ("Buffalo, N.Y.", "US-NY"),
        ("Lawrence, Kan.", "US-KS"),
        ("LIVING IN LONDON", "GB-ENG"),
        ("Bay Area, CA 94110", "US-CA"),
        ("DMV", "US"),
        ("Nice, France", "FR-PAC"),
        ("Independence, MO", "US-MO"),
        ("Islamabad, PK", "PK"),
        ("Москва", "RU"),
        ("в Москве", "RU"),
        ("الإمارات", "AE"),
        ("ישראל", "IL"),
        ("పశ్చిమ బెంగాల్", "IN-WB"),
        ("กรุงเทพฯ ประเทศไทย", "TH"),
        ("서울시 강남구", "KR-11"),
        ("神奈川県横浜市", "JP-14"),
        ("福建省", "CN"),
        ("🇵🇷", "PR"),
        ("🏴\U000e0075\U000e0073\U000e0074\U000e0078\U000e007f", "US-TX"),
        ("TN/NC", "US"),
        ("Brookfield, Scotland", "GB-SCT"),
        ("Berlin, CT", "US-CT"),
        ("Cuba, NM", "US-NM"),
        ("Paris (Texas)", "US-TX"),
        ("TN, India", "IN-TN"),
        ("LA", "US-CA"),
        ("Lafayette, LA", "US-LA"),
        ("#QualicumBeach", "CA-BC"),
        ("PacificNW", "US"),
        ("?sterreich", "AT"),
        ("Boston-ish", "US-MA"),
        ("Birmingham Children's Hospital, UK", "GB-ENG"),
        ("London SW9", "GB-ENG"),
        ("SE15", "GB-ENG"),
        ("N 52° 31' E 13° 24'", "DE-BE"),
        ("в Казани", "RU"),
        ("живу в Берлине", "DE-BE"),
        ("بالرياض", "SA"),
        ("bayern", "DE-BY"),
        ("कोल्हापूर", "IN-MH"),
        ("ภาคใต้ สงขลา", "TH"),
        ("Naarm (Melbourne)", "AU-VIC"),
        ("Canadian in Canada", "CA"),
        ("Chennai-28", "IN-TN"),
        ("🌍 Based in Cape Town", "ZA-WC"),
    ],
)
def test_profiles_that_name_one_place(text: str, region: str) -> None:
    """Flags, codes, coordinates, endonyms, missing commas and accents lead to one region."""
    assert read_profile(text).region == region


@pytest.mark.parametrize(
    "text",
    [
        "your bed",
        "Winterfell",
        "worldwide",
        "in your heart",
        "",
        "   ",
        "🌍",
        "Nowhere",
        "face deep in a book",
        "Moon",
        "?",
        "Reading",
        "Manchester United",
        "Boston Terrier mom",
        "Wish I was in Paris",
        "Anywhere but Ohio",
        "stand with Hong Kong",
        "Gotham City",
        "Of course",
        "somewhere over the rainbow",
        "127.0.0.1",
        "你心里",
        "Earth-616",
        "LV-426",
        "267-337-7038",
        "the Great Abyss",
        "Boston (the band)",
        "Kansas (band)",
        "FC Barcelona",
        "lá",
        "el paraíso",
        "crystal lake",
        "Austin Butler",
        "Indiana Jones",
        "Canadian bacon",
        "дом",
        "竜宮城",
        "ドラゴンボールの世界",
        "안드로메다",
        "#GodBlessAmerica",
        "United States of Europe",
        "di hatimu",
        "404 not found",
        "Europe",
    ],
)
def test_jokes_name_no_place(text: str) -> None:
    """What is no place stays unknown, with no candidates."""
    place = read_profile(text)
    assert place.region == "ZZ" and place.regions == ()


@pytest.mark.parametrize(
    ("text", "regions"),
    [
        ("NYC ✈ LDN", {"US-NY", "GB-ENG"}),
        ("Georgia", {"GE", "US-GA"}),
        ("Dublin | London", {"IE-L", "GB-ENG"}),
        ("🇺🇸🇲🇽", {"US", "MX"}),
        ("UK/UAE/India", {"GB", "AE", "IN"}),
        ("born in Lagos, living in Leeds", {"NG-LA", "GB-ENG"}),
        ("Italian in London", {"IT", "GB-ENG"}),
        ("London and Paris", {"GB-ENG", "FR-IDF"}),
        ("Boston x Athens", {"US-MA", "GR"}),
        ("DE", {"US-DE", "DE"}),
        ("東京→ロンドン", {"JP-13", "GB-ENG"}),
        ("Surrey", {"GB-ENG", "CA-BC"}),
        ("Canterbury", {"GB-ENG", "NZ-CAN"}),
        ("Cali", {"US-CA", "CO-VAC"}),
        ("Tallinn, Kyiv offices", {"EE", "UA"}),
        ("Mexico/USA", {"MX", "US"}),
        ("London / USA", {"GB-ENG", "US"}),
        ("London, NY", {"GB-ENG", "US-NY"}),
        ("Lagos/London/Toronto", {"NG-LA", "GB-ENG", "CA-ON"}),
        ("Athens, NYC", {"GR", "US-NY"}),
        ("UK, India", {"GB", "IN"}),
        ("SG / MY", {"SG", "MY"}),
        ("Kiwi in Melbourne", {"NZ", "AU-VIC"}),
        ("Canadian in Berlin", {"CA", "DE-BE"}),
        ("half Irish, half Italian", {"IE", "IT"}),
        ("EU: Berlin. US: Boston", {"DE-BE", "US-MA"}),
    ],
)
def test_several_places_stay_a_set(text: str, regions: set[str]) -> None:
    """Several places, or a name of several, are candidates and never a guess."""
    place = read_profile(text)
    assert place.region == "ZZ" and set(place.regions) == regions and place.confidence < 0.8


@given(st.text(max_size=40))
@settings(max_examples=150, deadline=None)
def test_any_profile_is_read(text: str) -> None:
    """Any text gives a known region or ZZ, and a region is among its candidates or their country."""
    place = read_profile(text)
    codes = set(catalog.load().regions["region"])
    assert place.region == "ZZ" or place.region in codes
    assert set(place.regions) <= codes and 0 <= place.confidence <= 1


def test_every_place_lies_in_a_known_region() -> None:
    """Names, aliases and codes of the gazetteer lead to region codes that the catalogue has."""
    codes = set(catalog.load().regions["region"])
    names = gazetteer()
    for table in (names.alias, names.city, names.people, names.codes, names.short):
        assert {code for regions in table.values() for code in regions} <= codes
    regions = pq.read_table(DATA / "places.parquet")["regions"].to_pylist()
    assert {item.split(" ")[0] for text in regions for item in text.split("|")} <= codes


@pytest.mark.parametrize(
    ("lat", "long", "region"),
    [
        (42.3314, -83.0458, "US-MI"),
        (42.30, -83.02, "CA-ON"),
        (31.76, -106.49, "US-TX"),
        (31.69, -106.42, "MX-CHH"),
        (38.90, -77.036, "US-DC"),
        (38.88, -77.10, "US-VA"),
        (55.676, 12.568, "DK"),
        (-33.9249, 18.4241, "ZA-WC"),
        (0.0, 0.0, None),
        (-40.0, -120.0, None),
        (30.0, -40.0, None),
        (99.0, 0.0, None),
    ],
)
def test_coordinates_find_the_nearest_region(lat: float, long: float, region: str | None) -> None:
    """A coordinate lies in the region of the nearest place, on both sides of a border; the open sea lies in none."""
    assert nearest(lat, long) == region


@pytest.mark.parametrize(
    ("evidence", "region", "method"),
    [
        ({"lat": 42.33, "long": -83.05, "user_location": "Toronto"}, "US-MI", "coordinates"),
        ({"lat": 30.0, "long": -40.0, "user_location": "Toronto"}, "CA-ON", "profile"),
        ({"place": "Austin, TX", "place_country": "US"}, "US-TX", "place"),
        ({"place": "Georgia", "place_country": "US"}, "US-GA", "place"),
        ({"place": "Georgia", "place_country": "GE"}, "GE", "place"),
        ({"place": "Santa Fe, Argentina", "place_country": "AR"}, "AR-S", "place"),
        ({"place": "Cambridge", "place_country": "US"}, "US-MA", "place"),
        ({"place": "Starbucks", "place_country": "US"}, "US", "place"),
        ({"place_country": "BR", "user_location": "Toronto"}, "BR", "place"),
        ({"subreddit": "houston", "flair": "Dallas", "user_location": "Toronto"}, "US-TX", "subreddit"),
        ({"subreddit": "r/Houston"}, "US-TX", "subreddit"),
        ({"subreddit": "xfinity", "flair": "Chicago, IL", "text": "down in Boston"}, "US-IL", "flair"),
        ({"subreddit": "xfinity", "flair": "Mobile", "text": "down in Boston"}, "US-MA", "text"),
        ({"subreddit": "xfinity", "text": "[Chicago] no internet"}, "US-IL", "text"),
        ({"subreddit": "xfinity", "text": "down in London and Paris"}, "ZZ", "text"),
        ({"subreddit": "xfinity", "text": "a menu in Chinese, since May in Chrome"}, "ZZ", "none"),
        ({"subreddit": "xfinity", "text": "anyone in NYC? It died in Chrome"}, "US-NY", "text"),
        ({"subreddit": "xfinity", "text": "no internet in St. Louis. Anyone else"}, "US-MO", "text"),
        ({"subreddit": "xfinity", "text": "nothing in the Bay Area works"}, "US-CA", "text"),
        ({"text": "down in Boston"}, "ZZ", "none"),
        ({}, "ZZ", "none"),
    ],
)
def test_stronger_evidence_wins(evidence: dict[str, Any], region: str, method: str) -> None:
    """Coordinates, then an attached place, the subreddit, the flair, the profile; on Reddit last what the text says."""
    place = Locator(catalog.load()).locate(Post("1", 0, evidence.pop("text", "x"), **evidence))
    assert (place.region, place.method) == (region, method)


def test_language_is_asked_for() -> None:
    """A language names a country only when asked to, where it nearly does, and where nothing else does."""
    post = Post("1", 0, "落ちてる", lang="ja")
    assert Locator(catalog.load()).locate(post).region == "ZZ"
    locator = Locator(catalog.load(), by_language=True)
    assert (locator.locate(post).region, locator.locate(post).method) == ("JP", "language")
    assert locator.locate(Post("1", 0, "down", lang="en")).region == "ZZ"
    assert locator.locate(Post("1", 0, "落ちてる", lang="ja", user_location="Paris, France")).region == "FR-IDF"


def test_a_place_within_a_place_is_surer_than_a_name() -> None:
    """A city in its country is surer than the country alone, that than a people, that than a small town."""
    sure = [read_profile(text).confidence for text in ("Lyon, France", "France", "Nigerian", "Schenectady")]
    assert sure == sorted(sure, reverse=True) and len(set(sure)) == 4 and min(sure) >= 0.8


def test_frames_are_read() -> None:
    """One row a post and service; posts that name none are counted."""
    frame = pd.DataFrame(
        {
            "id": [1, 2, 3],
            "text": ["tiktok and instagram are down", None, "no signal in Leeds"],
            "user_location": ["Paris, TX", "x", float("nan")],
            "lat": ["", "1", None],
        }
    )
    found = read_frame(frame, catalog.load())
    assert tuple(found.columns) == READING_COLUMNS
    assert found["id"].tolist() == ["1", "1"] and set(found["service"]) == {"tiktok", "instagram"}
    assert found["region"].tolist() == ["US-TX", "US-TX"]
    assert found.attrs == {"posts": 3, "unmatched": 2}
    about = read_frame(frame, catalog.load(), service="vodafone")
    assert about["signal"].tolist()[2] == "complaint" and about["symptoms"].tolist()[2] == ["connection"]


def test_places_can_be_read_alone() -> None:
    """With a service, texts may be absent, and an empty frame gives an empty answer."""
    frame = pd.DataFrame({"id": ["a"], "user_location": ["Lagos, Nigeria"]})
    assert read_frame(frame, catalog.load(), service="mtn")["region"].tolist() == ["NG-LA"]
    assert read_frame(frame.iloc[:0], catalog.load(), service="mtn").empty


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (pd.DataFrame({"text": ["x"]}), "'id' is missing"),
        (pd.DataFrame({"id": ["x"]}), "'text' is missing"),
        (pd.DataFrame({"id": ["x"], "text": ["y"], "lat": ["north"]}), "'north' is not a number"),
    ],
)
def test_wrong_frames_are_refused(frame: pd.DataFrame, says: str) -> None:
    """A missing column or a coordinate that is no number is one line."""
    with pytest.raises(InputError, match=says):
        read_frame(frame, catalog.load())
