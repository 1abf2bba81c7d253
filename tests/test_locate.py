"""Where posts come from."""

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
        ("TN/NC", "US"),
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


def test_coordinates_find_the_nearest_region() -> None:
    """A coordinate lies in the region of the nearest populated point; the open sea lies in none."""
    assert nearest(42.3314, -83.0458) == "US-MI"
    assert nearest(-33.9249, 18.4241) == "ZA-WC"
    assert nearest(0.0, 0.0) is None and nearest(-40.0, -120.0) is None and nearest(99.0, 0.0) is None


def test_stronger_evidence_wins() -> None:
    """Coordinates come before an attached place, that before the subreddit, flair, profile and text."""
    locator = Locator(catalog.load())
    post = Post("1", 0, "power out here in Austin, TX", subreddit="houston", flair="Dallas", user_location="Toronto")
    assert locator.locate(post).region == "US-TX" and locator.locate(post).method == "subreddit"
    assert locator.locate(Post("1", 0, "x", user_location="Toronto", lat=42.33, long=-83.05)).method == "coordinates"
    assert locator.locate(Post("1", 0, "x", place="Austin, TX", place_country="US")).region == "US-TX"
    assert locator.locate(Post("1", 0, "x", place_country="BR", user_location="Toronto")).region == "BR"
    assert locator.locate(Post("1", 0, "outage in Chicago tonight", subreddit="xfinity")).region == "US-IL"
    assert locator.locate(Post("1", 0, "x")).region == "ZZ"


def test_language_is_asked_for() -> None:
    """A language names a country only when asked to, and where it nearly does."""
    post = Post("1", 0, "落ちてる", lang="ja")
    assert Locator(catalog.load()).locate(post).region == "ZZ"
    assert Locator(catalog.load(), by_language=True).locate(post).region == "JP"
    assert Locator(catalog.load(), by_language=True).locate(Post("1", 0, "down", lang="en")).region == "ZZ"


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
