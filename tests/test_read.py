"""A post in, readings out."""

import pytest

from clamor import catalog
from clamor.schema import Signal
from clamor.text.post import Post
from clamor.text.read import Reader


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(catalog.load())


@pytest.mark.parametrize(
    ("text", "service", "signal", "symptoms"),
    [
        ("TikTok is down again?!", "tiktok", "complaint", ("other",)),
        ("my tiktok videos won’t play at all", "tiktok", "complaint", ("playback",)),
        ("can't log in to instagram since this morning", "instagram", "complaint", ("login",)),
        ("INSTAGRAM KEEPS CRASHING", "instagram", "complaint", ("crash",)),
        ("@VodafoneUK no signal all day", "vodafone", "complaint", ("connection",)),
        ("#tiktokdown wtf", "tiktok", "complaint", ("other",)),
        ("no me abre instagram desde ayer", "instagram", "complaint", ("other",)),
        ("インスタ落ちてる", "instagram", "complaint", ("other",)),
        ("whatsapp ga bisa kirim pesan", "whatsapp", "complaint", ("messaging",)),
        ("love this tiktok so much", "tiktok", "mention", ()),
        ("spotify is back up, working fine now", "spotify", "commentary", ()),
        ("our power went out an hour ago", "electric-power", "complaint", ("other",)),
    ],
)
def test_says_what_a_post_says(reader: Reader, text: str, service: str, signal: str, symptoms: tuple[str, ...]) -> None:
    """Service, signal and symptoms of plain posts in several languages."""
    (reading,) = reader.read(Post("1", 0, text))
    assert (reading.service, reading.signal, reading.symptoms) == (service, Signal(signal), symptoms)


def test_a_name_inside_a_word_is_no_name(reader: Reader) -> None:
    """Names are whole words, a known confusion is none, and a link's host says nothing."""
    for text in (
        "antitiktokers unite",
        "they sow discord among us",
        "https://www.instagram.com/p/abc",
        "@discord_fan hi",
    ):
        assert reader.read(Post("1", 0, text)) == []


def test_context_may_name_the_service(reader: Reader) -> None:
    """With a service given, a post that names none is about it, even an empty one."""
    (reading,) = reader.read(Post("1", 0, "no signal since yesterday"), service="vodafone")
    assert reading.signal is Signal.COMPLAINT
    (empty,) = reader.read(Post("1", 0, "", user_location="Toronto, Canada"), service="vodafone")
    assert empty.signal is Signal.MENTION
