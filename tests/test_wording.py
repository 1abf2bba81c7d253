"""Weights of words: what is taken from a text, how weights add up, how they are learnt."""

from math import sqrt
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clamor import catalog
from clamor.schema import Signal
from clamor.text.learn import counts, fit, learn, read_posts
from clamor.text.match import Matcher
from clamor.text.wording import CONSTANT, Wording, features

UK = Path(__file__).parents[1].parent / "shared" / "data" / "uk_mobile_posts_labelled.csv"


def table(**trouble: float) -> pd.DataFrame:
    """Return weights of trouble; a word's symptom ``slow`` weighs ten times as much, ``crash`` nothing."""
    words = {CONSTANT if word == "constant" else word: weight for word, weight in trouble.items()}
    frame = pd.DataFrame({"trouble": words})
    return frame.assign(slow=frame["trouble"] * 10, crash=0.0)


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    """The matcher of the catalogue."""
    return Matcher(catalog.load())


def test_words_are_known_by_themselves_their_beginning_and_end() -> None:
    """Short words by themselves alone, numbers by being numbers, Han and kana by their pieces."""
    assert list(features("lag")) == ["lag"]
    assert list(features("buffering")) == ["buffering", "buff-", "-ing"]
    assert list(features("404")) == list(features("12")) == ["~number"]
    assert list(features("重い")) == ["重", "い", "重い"]


def test_names_and_accounts_are_no_words(matcher: Matcher) -> None:
    """Nothing is learnt of a service, nor of whom a post speaks to."""
    assert matcher.words("@SpotifyCares why does Spotify skip. Skip!") == {"why", "does", "skip"}


def test_weights_add_up_over_the_root_of_what_is_known() -> None:
    """Two known words of weight 2 and 1 and one unknown, a constant of -1."""
    wording = Wording(table(spins=2.0, again=1.0, constant=-1.0))
    assert wording.trouble({"spins", "again", "tea"}) == pytest.approx(3 / sqrt(2) - 1)
    assert wording.symptoms({"spins", "again", "tea"}) == pytest.approx({"slow": 30 / sqrt(2) - 10, "crash": 0.0})


def test_a_text_of_unknown_words_says_nothing() -> None:
    """Not even the constant counts."""
    wording = Wording(table(spins=2.0, constant=-1.0))
    assert (wording.trouble({"tea"}), wording.trouble(set())) == (0.0, 0.0)
    assert wording.symptoms({"tea"}) == {"slow": -10.0, "crash": 0.0}


@given(st.sets(st.text("abc重い", min_size=1, max_size=30), max_size=8))
def test_kept_weights_are_those_worked_out_anew(words: set[str]) -> None:
    """Asking twice, of short words and of long ones, gives what summing all features gives."""
    weights = {"a": 1.0, "aaaa-": -2.0, "-ccc": 0.5, "重": 3.0, "い重": -1.0}
    wording = Wording(table(**weights))
    known = [weights[each] for word in words for each in set(features(word)) if each in weights]
    expected = sum(known) / sqrt(len(known)) if known else 0.0
    assert wording.trouble(words) == pytest.approx(wording.trouble(words)) == pytest.approx(expected)


def test_words_of_complaints_weigh_for_them() -> None:
    """A word of complaints weighs for them, one of both hardly, one of others against them; rare ones are left."""
    posts = counts([["spins", "tv"], ["spins"], ["love", "tv"], ["love"], ["once"]])
    weights = fit(posts, ["yes", "yes", "no", "no", "no"])
    gain = weights["yes"] - weights["no"]
    assert gain["spins"] > 1 > abs(gain["tv"]) and gain["love"] < -1 and "once" not in gain.index


def test_learning_gives_what_wording_takes() -> None:
    """Trouble and every symptom has a column; what was learnt tells the posts apart."""
    texts = ["it spins and spins", "it spins today", "we love it", "love this today", "so slow", "slow again"]
    posts = pd.DataFrame(
        {
            "text": texts,
            "label": ["complaint"] * 2 + ["mention"] * 2 + ["complaint"] * 2,
            "symptom": ["playback"] * 2 + [""] * 2 + ["slow"] * 2,
            "real": False,
        }
    )
    wording = Wording(learn(posts, catalog.load()))
    assert wording.trouble({"it", "spins"}) > 0 > wording.trouble({"love", "it"})
    likely = wording.symptoms({"so", "slow"})
    assert max(likely, key=likely.__getitem__) == "slow"


def test_words_tell_of_trouble_that_no_phrase_names(matcher: Matcher) -> None:
    """A complaint without one phrase of trouble is read; a letter on a bill with the same service is not."""
    for text, signal in (
        ("the little wheel spins and spins until I give up, since the update", Signal.COMPLAINT),
        ("you said the refund would be here by Friday and it is not", Signal.MENTION),
    ):
        assert [m.signal for m in matcher.match(text, "hulu")] == [signal]


def test_passing_talk_needs_more_than_what_is_said_to_a_service(matcher: Matcher) -> None:
    """Named among other words a social service is rarely what fails; right beside the trouble it is."""
    passing = "spent the whole train ride on tiktok, wifi was slow and my charger is broken"
    assert [m.signal for m in matcher.match(passing)] == [Signal.MENTION]
    assert [m.signal for m in matcher.match("tiktok is down so i'm going to bed")] == [Signal.COMPLAINT]


@pytest.mark.slow
@pytest.mark.skipif(not UK.exists(), reason="the posts to UK mobile networks are not in this repository")
def test_the_weights_are_what_the_posts_teach() -> None:
    """Whoever adds posts must learn anew: ``python -m clamor.text.learn FILE``."""
    known = catalog.load()
    anew = learn(read_posts(Path(catalog.__file__).parent / "posts", UK), known)
    assert set(anew.index) == set(known.wording.index)
    assert (anew - known.wording.loc[anew.index]).abs().max().max() <= 0.05
