"""The reader on labelled posts: by hand, and on the real sets where they are at hand."""

from pathlib import Path

import pandas as pd
import pytest

from clamor import catalog
from clamor.errors import InputError
from clamor.text import labelled_places
from clamor.text.evaluate import evaluate
from clamor.text.profile import read_profile

SHARED = Path(__file__).parents[1].parent / "shared" / "data"
LABELS = Path(__file__).parent / "labels"


def test_scores_are_counted_by_hand() -> None:
    """Two complaints of which both are found, one commentary that stays one, one mention."""
    posts = pd.DataFrame(
        {
            "text": ["tiktok is down", "tiktok won't load", "tiktok is back up now", "love tiktok"],
            "label": ["complaint", "complaint", "commentary", "mention"],
        }
    )
    scores = evaluate(posts, catalog.load(), "tiktok").set_index("reader").loc["clamor"]
    assert (scores["precision"], scores["recall"], scores["commentary_called_complaint"]) == (1.0, 1.0, 0.0)


def test_missing_labels_are_named() -> None:
    """A frame without labels is refused in one line."""
    with pytest.raises(InputError, match="'label' is missing"):
        evaluate(pd.DataFrame({"text": ["x"]}), catalog.load(), "tiktok")


@pytest.mark.skipif(not SHARED.exists(), reason="the shared real posts are not here")
def test_uk_mobile_posts() -> None:
    """Service trouble of real posts to UK mobile operators, far above a keyword regex."""
    posts = pd.read_csv(SHARED / "uk_mobile_posts_labelled.csv")
    trouble = posts["subject"].isin(["Network", "Broadband"]) & (posts["sentiment"] == "negative")
    posts["label"] = trouble.map({True: "complaint", False: "other"})
    scores = evaluate(posts, catalog.load(), "vodafone").set_index("reader")
    assert scores.loc["clamor", "f1"] >= 0.62 and scores.loc["clamor", "precision"] >= 0.65
    assert scores.loc["clamor", "f1"] > scores.loc["keyword regex", "f1"] + 0.1


@pytest.mark.skipif(not SHARED.exists(), reason="the shared real posts are not here")
def test_power_posts() -> None:
    """First-hand power cuts among 400 real posts labelled by hand (random seed 7)."""
    posts = pd.read_csv(SHARED / "x_power_outage_posts_2016_2020.csv", dtype="str")
    labels = pd.read_csv(LABELS / "power_posts.csv")
    posts = posts.loc[labels["row"]].assign(label=labels["label"].replace("first-hand", "complaint").to_numpy())
    scores = evaluate(posts, catalog.load(), "electric-power").set_index("reader")
    assert scores.loc["clamor", "f1"] >= 0.70 and scores.loc["clamor", "commentary_called_complaint"] <= 0.25


@pytest.mark.skipif(not SHARED.exists(), reason="the shared real profiles are not here")
@pytest.mark.parametrize("part", ["first", "report"])
def test_profile_locations(part: str) -> None:
    """Real profile texts labelled by hand (300 tuned on, 300 not): right where answered, silent on jokes."""
    texts = labelled_places.texts(SHARED / "profile_locations.txt", LABELS)
    judged = labelled_places.judge(texts[texts["set"] == f"real: {part}"], read_profile)
    answered = judged.groupby(judged["countries"].clip(upper=2))["answered"].mean()
    assert judged.loc[judged["answered"], "right"].mean() >= 0.97 and answered[1] >= 0.85
    assert answered[2] <= 0.1 and answered[0] <= 0.03


def test_synthetic_posts_in_nine_languages() -> None:
    """Synthetic posts, written beside the phrases and so no proof of quality, keep being read as they are labelled."""
    posts = pd.read_csv(LABELS / "synthetic_posts.csv")
    power = posts["text"].str.contains("luz|power|courant|strom|停電|정전|बिजली|apag")
    known = catalog.load()
    for service, group in (("tiktok", posts[~power]), ("electric-power", posts[power])):
        scores = evaluate(group, known, service).set_index("reader")
        assert scores.loc["clamor", "f1"] >= 0.9, service
