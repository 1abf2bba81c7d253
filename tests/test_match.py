"""Folding, finding and judging: what a text says, in any script, in linear time."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clamor import catalog
from clamor.schema import Signal, Symptom
from clamor.text.explain import explain, unreachable
from clamor.text.fold import fold, phrase
from clamor.text.lexicon import Lexicon, expand
from clamor.text.match import Matcher
from clamor.text.match import matcher as compiled
from naive import match as naive


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    return compiled(catalog.load())


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("TikTok’s DOWN, can't log in!! Why?", " tiktoks down cant log in | why | "),
        ("ＴｉｋＴｏｋ", " tiktok "),
        ("tiktok落ちてる", " tiktok 落ちてる "),
        ("no  se\ncarga", " no se | carga "),
        ("Störung, não, İstanbul, sıkıntı", " storung nao istanbul sikinti "),
        ("العِرَبيّة", " العربيه "),
        ("see https://x.com/tiktok?down now", " see now "),
        ("नहीं चल रहा", " नहीं चल रहा "),
        ("AT&amp;T", " at&t "),
        ("", "  "),
    ],
)
def test_fold_gives_one_spelling(text: str, folded: str) -> None:
    """Case, width, accents, apostrophes, URLs and sentence ends fold to one spelling."""
    assert fold(text) == folded


@given(st.text(max_size=80))
def test_fold_is_stable(text: str) -> None:
    """Folding any text gives padded words, and folding its words again changes nothing."""
    folded = fold(text)
    assert folded.startswith(" ") and folded.endswith(" ") and "   " not in folded
    words = " ".join(folded.replace("|", " ").split())
    assert fold(words).split() == fold(fold(words)).split()


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="ab |", max_size=30))
def test_finder_agrees_with_naive_twin(text: str) -> None:
    """The automaton finds the outermost phrases, as looking everywhere does."""
    phrases = ["a", "b", "a b", "b a", "a b a", "b b"]
    lexicon = Lexicon({"en": {"bad": {"any": phrases}}}, {})
    folded = fold(text)
    found = [(hit.start, hit.end) for hit in lexicon.find(folded)[0]]
    assert found == naive.find(folded, [phrase(p) for p in phrases])


def test_choices_expand() -> None:
    """A phrase with choices stands for each of its readings; an empty choice leaves the part out."""
    assert list(expand("{is,are} {,still} down")) == ["is down", "is still down", "are down", "are still down"]


@pytest.mark.parametrize(
    ("text", "signal"),
    [
        ("is tiktok down for anyone else?", "complaint"),
        ("tiktok not loading at all smh", "complaint"),
        ("my tiktok keeps freezing", "complaint"),
        ("anyone else having issues with instagram rn", "complaint"),
        ("¿se cayó whatsapp? no me cargan los mensajes", "complaint"),
        ("whatsapp caiu de novo?", "complaint"),
        ("netflix ne marche plus depuis ce matin", "complaint"),
        ("spotify geht seit heute morgen nicht", "complaint"),
        ("instagram non funziona, anche a voi?", "complaint"),
        ("instagram çöktü mü", "complaint"),
        ("واتساب معلق عندي من الصبح", "complaint"),
        ("इंस्टाग्राम नहीं चल रहा है", "complaint"),
        ("tiktok error mulu dari tadi pagi", "complaint"),
        ("ティックトックが開けない", "complaint"),
        ("카톡 먹통이네", "complaint"),
        ("I love tiktok so much", "mention"),
        ("new video on my youtube channel", "mention"),
        ("follow me on instagram", "mention"),
        ("watching netflix with my mum", "mention"),
        ("everyone running to twitter because instagram is down lol", "commentary"),
        ("Thousands of users report that WhatsApp is down, according to Downdetector", "commentary"),
        ("remember when facebook was down last year", "commentary"),
        ("how to fix tiktok not loading: clear the cache", "commentary"),
        ("spotify is working fine for me", "mention"),
    ],
)
def test_signal_of_plain_posts(matcher: Matcher, text: str, signal: str) -> None:
    """First-hand trouble is a complaint; news, jokes, memories and advice are commentary; the rest is a mention."""
    assert {m.signal for m in matcher.match(text)} == {Signal(signal)}


def test_a_weak_name_needs_trouble(matcher: Matcher) -> None:
    """A name that is an ordinary word counts only in a complaint."""
    assert not matcher.match("he has a tan and a steam in the bathroom")
    assert [m.service for m in matcher.match("o2 no signal again all day in Leeds")] == ["o2"]


def test_names_are_words(matcher: Matcher) -> None:
    """No name is found inside a word, a handle or an address; hashtags and possessives count."""
    for text in ("antitiktok", "@tiktokfan hi", "me@netflix.example", "netflixing"):
        assert not matcher.match(text), text
    for text in ("#TikTok", "TikTok's fine", "(tiktok)", "tiktok…"):
        assert [m.service for m in matcher.match(text)] == ["tiktok"], text


def test_symptoms_are_several(matcher: Matcher) -> None:
    """Symptoms are named by what fails, the main one first, and only on complaints."""
    (match,) = matcher.match("tiktok won't let me log in and videos are not playing", "tiktok")
    assert {Symptom.LOGIN, Symptom.PLAYBACK} <= set(match.symptoms)
    assert matcher.match("log in to tiktok with me")[0].symptoms == ()


def test_claims_are_what_people_say(matcher: Matcher) -> None:
    """Causes and recoveries that people state are claims, whatever the signal."""
    assert "update" in matcher.match("instagram keeps crashing since the new update")[0].claims
    assert "recovery" in matcher.match("whatsapp is back up")[0].claims


def test_a_known_kind_decides_what_trouble_is(matcher: Matcher) -> None:
    """The light of a stage is no power cut for a video app, and a web shop is not a network."""
    assert matcher.match("our power is out", "netflix")[0].signal is Signal.MENTION
    assert matcher.match("our power is out", "electric-power")[0].signal is Signal.COMPLAINT
    assert matcher.match("no signal at home", "acme telecom")[0].signal is Signal.COMPLAINT


@given(st.text(max_size=60))
@settings(max_examples=50, deadline=None)
def test_the_quick_look_misses_nothing(matcher: Matcher, text: str) -> None:
    """A text that the quick look rules out names no service."""
    for sample in (text, f"{text} tiktok", f"WhatsApp{text}", f"{text}at&t down"):
        if not matcher.may_name(sample):
            assert not matcher.match(sample)


@pytest.mark.parametrize("piece", ["tiktok is down ", "a", "no signal ", "ِ", "🙂", "www.", "{", "soooo", "'", "不"])
def test_time_is_linear(matcher: Matcher, piece: str) -> None:
    """Hundreds of kilobytes of anything are read in seconds."""
    text = piece * (300_000 // len(piece.encode()))
    start = time.perf_counter()
    matcher.match(text, "tiktok")
    assert time.perf_counter() - start < 20


def test_explanation_adds_up() -> None:
    """The points of an explanation are the sum of its reasons."""
    (found,) = explain(catalog.load(), "tiktok is down again, anyone else?", "Paris, TX")
    assert found.signal == "complaint" and found.place is not None and found.place.region == "US-TX"
    assert found.points == pytest.approx(sum(points for _, points, _ in found.reasons), abs=0.01)


@pytest.mark.slow
def test_every_phrase_can_match() -> None:
    """No phrase of the catalogue is unreachable."""
    assert list(unreachable(catalog.load().phrases)) == []
