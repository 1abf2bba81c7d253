"""A post in, readings out."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from clamor import catalog
from clamor.cli import app
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
        ("our power went out an hour ago", "electric-power", "complaint", ("connection",)),
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


POSTS = """id,created_at,text,user_location,lat,long,subreddit,lang
0001,2026-01-01T00:00:00Z,"tiktok is down, can't log in
and ""everything"" is broken",Namibia,,,,en
2,2026-01-01T00:00:00Z,nothing here,,,,,
NA,,,,40.7,-74.0,,
"""


def test_the_door_keeps_ids_and_says_how_many_posts_name_no_service(tmp_path: Path) -> None:
    """An id is a text as written, Namibia no missing value, a quoted line break no new row; no text leaves."""
    posts, out = tmp_path / "posts.csv", tmp_path / "out.csv"
    posts.write_text(POSTS, encoding="utf-8-sig")
    shown = CliRunner().invoke(app, ["read", str(posts), "--out", str(out)])
    assert shown.exit_code == 0 and "1 readings of 3 posts; 2 name no known service" in shown.output
    header, row = out.read_text(encoding="utf-8").splitlines()
    assert header == "id,service,signal,symptoms,region,regions,region_method,region_confidence"
    assert row.startswith("0001,tiktok,complaint,login,NA,NA,profile,")


def test_the_door_reads_places_alone(tmp_path: Path) -> None:
    """With a service named, texts may be empty; lists are lists in JSON lines."""
    posts, out = tmp_path / "posts.csv", tmp_path / "out.jsonl"
    posts.write_text(POSTS, encoding="utf-8")
    shown = CliRunner().invoke(app, ["read", str(posts), "--out", str(out), "--service", "TikTok"])
    assert shown.exit_code == 0, shown.output
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == ["0001", "2", "NA"]
    assert [row["signal"] for row in rows] == ["complaint", "mention", "mention"]
    assert rows[0]["symptoms"] == ["login"] and rows[2]["region"] == "US-NY" and rows[2]["regions"] == ["US-NY"]
