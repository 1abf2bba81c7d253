"""Folding, finding and judging: what a text says, in any script, in linear time."""

import random
import time
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clamor import catalog
from clamor.schema import Signal, Symptom
from clamor.text.explain import contrary, explain, unreachable
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


def test_everyday_words_alone_are_ruled_out_without_reading(matcher: Matcher) -> None:
    """Talk of phones, games and music names no service, though "phone pe" does."""
    assert not matcher.may_name("my phone died, the game and the music were great, help please")
    assert matcher.may_name("phone pe is not working")


@pytest.mark.parametrize(
    ("text", "services"),
    [
        ("my car won't start so i'm sitting here on tiktok", ()),
        ("her flight was delayed so she made a tiktok about it", ()),
        ("the dishwasher is broken, found a youtube video about it", ()),
        ("i don't watch tiktok and he doesn't listen to spotify", ()),
        ("what's going on? it won't load", ()),
        ("tiktok is down so i'm on youtube", ("tiktok",)),
        ("instagram and facebook are down", ("instagram", "facebook")),
        ("ever since the update my tiktok just keeps crashing", ("tiktok",)),
        ("whatsapp no me manda los mensajes, y eso que instagram va bien", ("whatsapp",)),
        ("mi hermano se rompió una pierna grabando un tiktok", ()),
    ],
)
def test_trouble_is_the_services_own(matcher: Matcher, text: str, services: tuple[str, ...]) -> None:
    """Trouble counts for the name it is said of: not for one that a post names in passing, nor for the next one."""
    found = {m.service for m in matcher.match(text) if m.signal is Signal.COMPLAINT}
    assert found == set(services)


@pytest.mark.parametrize(
    "text",
    [
        "when tiktok is down and you remember you have homework",
        "WhatsApp apologises after messages failed to send",
        "cuando se cae whatsapp y toca llamar por teléfono",
        "wenn tiktok down ist und alle plötzlich produktiv sind",
        "quand instagram plante et que tout le monde débarque ici",
        "se o whatsapp cair hoje acaba o mundo",
        "kalau tiktok down sehari aja semua pada panik",
        "TikTokが落ちたら生きていけない",
        "instagram çökünce herkes buraya koştu",
    ],
)
def test_talk_about_trouble_is_no_report_of_it(matcher: Matcher, text: str) -> None:
    """Conditions, headlines and jokes about others are no complaints, in any language."""
    assert all(m.signal is not Signal.COMPLAINT for m in matcher.match(text))


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("tiktok is down for maintenance", "maintenance"),
        ("spotify keeps crashing since the last update", "update"),
        ("x is down, they got hacked lol", "attack"),
        ("is tiktok not loading because it got banned?", "ban"),
        ("it's always dns", "dns"),
        ("nothing works, probably cloudflare again", "cloud"),
        ("no internet because of the power cut", "power"),
        ("broadband out, apparently a fibre cut", "cable"),
        ("working again for me", "recovery"),
        ("no carga, dicen que están en mantenimiento", "maintenance"),
        ("desde la última actualización no abre", "update"),
        ("caiu tudo, foi ataque hacker", "attack"),
        ("c'est encore cloudflare qui plante", "cloud"),
        ("seit dem update geht nichts mehr", "update"),
        ("risolto, ora funziona", "recovery"),
        ("abis update malah error terus", "update"),
        ("kabel bawah laut putus jadi internet mati", "cable"),
        ("サーバー攻撃を受けてるらしい", "attack"),
        ("서버 점검인가 안 열려", "maintenance"),
        ("güncellemeden sonra açılmıyor", "update"),
        ("بعد التحديث ما يفتح", "update"),
        ("update ke baad nahi chal raha", "update"),
    ],
)
def test_causes_are_heard_in_every_language(matcher: Matcher, text: str, claim: str) -> None:
    """What people say of the cause is a claim, inside a phrase of trouble too."""
    assert claim in matcher.match(text, "tiktok")[0].claims


@pytest.mark.parametrize("text", ["still not back up", "is it back yet?", "it isn't back online"])
def test_what_is_not_over_is_no_recovery(matcher: Matcher, text: str) -> None:
    """A recovery that is denied or asked for is not claimed."""
    assert "recovery" not in matcher.match(text, "tiktok")[0].claims


SAID = (
    "TikTok is down again, can't log in",
    "¿Se cayó WhatsApp? No me llegan los mensajes",
    "Störung bei Telekom, kein Internet",
    "instagram açılmıyor, şifreyi kabul etmiyor",
    "ティックトックが開けない",
    "카톡 먹통이네",
    "واتساب معلق عندي من الصبح",
    "इंस्टाग्राम नहीं चल रहा है",
    "I love tiktok so much",
)
WRITTEN = (
    lambda text: unicodedata.normalize("NFD", text),
    lambda text: unicodedata.normalize("NFC", text),
    lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    lambda text: text.replace("a", "a\u200d").replace("i", "i\ufe0f"),
    lambda text: f"\u202b{text}\u202c",
    lambda text: f"{text} \U0001f62d\U0001f468\u200d\U0001f469\u200d\U0001f467",
    lambda text: f"{text} https://pic.example/instagram?is=down",
    lambda text: f"  {text}\n\n",
    lambda text: text.replace("TikTok", "#TikTok"),
)


@given(st.sampled_from(SAID), st.lists(st.sampled_from(WRITTEN), max_size=3))
@settings(max_examples=80, deadline=None)
def test_spelling_changes_no_reading(matcher: Matcher, text: str, ways: list[Callable[[str], str]]) -> None:
    """Combining marks, full width, joiners, marks of direction, emoji and links leave a reading as it is."""
    written = text
    for way in ways:
        written = way(written)
    assert matcher.match(written) == matcher.match(text)


@given(st.text(max_size=120))
@settings(max_examples=80, deadline=None)
def test_any_text_can_be_read(matcher: Matcher, text: str) -> None:
    """Nothing that can be typed breaks the reader; symptoms belong to complaints only."""
    (told,) = matcher.match(text, "tiktok")
    assert bool(told.symptoms) == (told.signal is Signal.COMPLAINT)
    assert all(m.service for m in matcher.match(f"{text} tiktok {text}"))


def test_handles_and_links_are_no_names_in_a_sentence(matcher: Matcher) -> None:
    """An address says nothing; the handle of a company names it; another's handle that holds its name does not."""
    assert matcher.match("https://tiktok.com/@x/video/1 can't log in") == []
    assert [m.service for m in matcher.match("@VodafoneUK no signal")] == ["vodafone"]
    assert matcher.match("@vodafoneuk_fan no signal") == []


@pytest.mark.parametrize(
    "piece",
    [
        "tiktok is down ",
        "a",
        "no signal ",
        "ِ",
        "🙂",
        "www.",
        "{",
        "soooo",
        "'",
        "不",
        "if tiktok ",
        "no ",
        "ﷺ",
        "&amp;",
    ],
)
def test_time_is_linear(matcher: Matcher, piece: str) -> None:
    """A megabyte of anything is read in seconds: it is read up to the length of the longest post there is."""
    text = piece * (1_000_000 // len(piece.encode()))
    start = time.process_time()
    matcher.match(text, "tiktok")
    matcher.match(text)
    assert time.process_time() - start < 5


@pytest.mark.slow
def test_time_grows_as_the_length(matcher: Matcher) -> None:
    """Four times the words take four times as long, not sixteen times, below the limit too."""
    words = ["tiktok", "is", "down", "if", "no", "signal", "for me", "instagram", "can't", "load", "app", "error", "."]
    rng = random.Random(5)

    def took(size: int) -> float:
        times = []
        for _ in range(3):
            text = " ".join(rng.choices(words, k=size))
            start = time.process_time()
            matcher.match(text, "tiktok")
            times.append(time.process_time() - start)
        return min(times)

    assert took(8_000) < 10 * took(2_000)


def test_a_list_of_everything_is_about_nothing(matcher: Matcher) -> None:
    """Of more services than ten in one text the rest are mentions, so that a list costs no more than a post."""
    names = " ".join(s.name for s in catalog.load().services.values())
    read = matcher.match(f"down: {names}")
    assert len(read) > 50 and all(m.signal is Signal.MENTION for m in read[10:])


def test_explanation_adds_up() -> None:
    """The points of an explanation are the sum of its reasons."""
    (found,) = explain(catalog.load(), "tiktok is down again, anyone else?", "Paris, TX")
    assert found.signal == "complaint" and found.place is not None and found.place.region == "US-TX"
    assert found.points == pytest.approx(sum(points for _, points, _ in found.reasons), abs=0.01)


@pytest.mark.slow
def test_every_phrase_can_match() -> None:
    """No phrase of the catalogue is unreachable."""
    assert list(unreachable(catalog.load().phrases)) == []


def test_a_phrase_in_two_contrary_lists_is_found() -> None:
    """What is trouble in one list and recovery in another is a mistake; the catalogue has none."""
    table = {"trouble": {"any": ["{is,was} back"]}, "cue": {"recovery": ["is back"]}}
    assert list(contrary({"en": table})) == [("en", "is back")]
    assert list(contrary(catalog.load().phrases)) == []


@pytest.mark.parametrize(
    ("service", "text", "main"),
    [
        ("vodafone", "@VodafoneUK down again in Leeds, anyone else?", "connection"),
        ("netflix", "netflix is down again, anyone else?", "playback"),
        ("tiktok", "tiktok is down again, anyone else?", "other"),
        ("vodafone", "@VodafoneUK the signal is there but the internet is so slow", "slow"),
    ],
)
def test_the_main_symptom_comes_first(matcher: Matcher, service: str, text: str, main: str) -> None:
    """Where none is named it is what services of that kind fail in; slow tells more than a lost connection."""
    (found,) = matcher.match(text, service)
    assert (found.signal, found.symptoms[0]) == (Signal.COMPLAINT, main)


@pytest.mark.parametrize(
    "text",
    [
        "saw this on tiktok and it broke my brain",
        "dropped my phone on my face watching tiktok",
        "my wifi guy is on tiktok and he is down bad",
        "the problem with tiktok is you open it at 9 and then it's 2am",
    ],
)
def test_a_platform_named_in_passing_is_a_mention(matcher: Matcher, text: str) -> None:
    """Words of trouble that are said of something else are no complaint, whether the service is told or found."""
    assert matcher.match(text, "tiktok")[0].signal is not Signal.COMPLAINT
    assert all(m.signal is not Signal.COMPLAINT for m in matcher.match(text))


def test_a_service_that_is_not_in_the_catalogue_may_be_anything(matcher: Matcher) -> None:
    """A power cut told to a company that is not known is a complaint; to a video service it is none."""
    assert matcher.match("no power since noon", "acme")[0].signal is Signal.COMPLAINT
    assert matcher.match("no power since noon", "netflix")[0].signal is not Signal.COMPLAINT
