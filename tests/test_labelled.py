"""The labelled sets, by hand on tiny ones."""

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from clamor import catalog
from clamor.cli import app
from clamor.errors import InputError
from clamor.schema import Symptom
from clamor.text import labelled, labelled_places

HEADER = "id,lang,service,text,label,symptom\n"
LABELS = Path(__file__).parent / "labels"
OTHERS = ("synthetic_places", "synthetic_posts")
"""Files whose names begin like those of a set, with columns of their own."""


def test_symptoms_are_scored_on_the_complaints_found(tmp_path: Path) -> None:
    """One complaint of one service of the catalogue and one praise: the reader finds the service and the symptom."""
    rows = "1,es,tiktok,tiktok no me deja iniciar sesión,complaint,login\n2,es,tiktok,me encanta tiktok,mention,\n"
    (tmp_path / "synthetic_es.csv").write_text(HEADER + rows, encoding="utf-8")
    scores = labelled.synthetic(tmp_path, "es", catalog.load()).set_index("reader")
    for reader in ("clamor, service told", "clamor, service found"):
        row = scores.loc[reader]
        assert (row["f1"], row["symptom_right"], row["mention_called_complaint"]) == (1.0, 1.0, 0.0)


def test_passing_talk_is_counted_by_language_and_reader(tmp_path: Path) -> None:
    """Of two English posts one has trouble, though another's; the Spanish one has none."""
    rows = "1,en,tiktok is down again,\n2,en,saw it on tiktok,\n3,es,lo vi en tiktok,\n"
    (tmp_path / "mentions_tiktok.csv").write_text("id,lang,text,label\n" + rows, encoding="utf-8")
    counts = labelled.passing(tmp_path, "tiktok", catalog.load()).set_index(["reader", "language"])["called"]
    for reader in ("clamor, service told", "clamor, service found", "keyword regex"):
        assert [counts[reader, language] for language in ("en", "es", "all")] == [1, 0, 1]


def test_names_are_counted_by_what_they_mean(tmp_path: Path) -> None:
    """Two posts name a service, one of them means it and complains; a verb that is written alike is not named."""
    rows = "1,signal,signal app won't open,yes\n2,zoom,zoom in on the left,no\n"
    (tmp_path / "names.csv").write_text("id,service,text,named\n" + rows, encoding="utf-8")
    found = labelled.naming(tmp_path / "names.csv", catalog.load()).set_index("named")
    assert found.loc["yes"].tolist() == [1, 1, 1] and found.loc["no"].tolist() == [1, 0, 0]


@pytest.fixture
def places(tmp_path: Path) -> pd.DataFrame:
    """A country, a joke, two countries, and an invented state, each labelled."""
    (tmp_path / "texts.txt").write_text("Paris, France\nyour bed\nGermany / Japan\n", encoding="utf-8")
    (tmp_path / "profile_locations.csv").write_text(
        "row,label,part\n0,FR,report\n1,ZZ,report\n2,DE JP,report\n", encoding="utf-8"
    )
    (tmp_path / "synthetic_places.csv").write_text("part,group,text,label\ndev,us,Ohio,US-OH\n", encoding="utf-8")
    return labelled_places.texts(tmp_path / "texts.txt", tmp_path)


def test_profiles_are_counted_by_hand(places: pd.DataFrame) -> None:
    """One answer, which is right; the joke has none, the set stays open; exact names find the state alone."""
    scores = labelled_places.profiles(places)
    ours = scores[(scores["set"] == "real: report") & (scores["reader"] == "clamor")]
    assert ours["of"].tolist() == [1, 1, 1, 1] and ours["share"].tolist() == [1.0, 1.0, 1.0, 0.0]

    peer = scores[(scores["reader"] == "exact names") & (scores["measure"] == "US states right, of those labelled")]
    assert peer["set"].tolist() == ["synthetic: us, dev"] and peer["share"].tolist() == [1.0]


def test_confidence_is_held_against_the_labels(places: pd.DataFrame) -> None:
    """Each answer counts in the class of its confidence: a city in its country above a country alone."""
    classes = labelled_places.reliability(places).set_index("confidence")
    assert classes["of"].to_dict() == {"0.96 to 0.98": 1, "0.98 to 1": 1} and (classes["share"] == 1.0).all()


def test_a_shorter_file_than_was_labelled_is_refused(tmp_path: Path) -> None:
    """Labels of rows that the file does not have are no measure of it."""
    (tmp_path / "posts.csv").write_text("text\nno power\n", encoding="utf-8")
    (tmp_path / "power_posts.csv").write_text("row,label\n7,first-hand\n", encoding="utf-8")
    with pytest.raises(InputError, match="row 7 is labelled"):
        labelled.power(tmp_path / "posts.csv", tmp_path, catalog.load())


def test_rows_that_nothing_was_learnt_from_are_scored_apart(tmp_path: Path) -> None:
    """Of posts to UK networks the odd rows, counted from zero, stand for themselves; the even ones are learnt from."""
    file = tmp_path / "posts.csv"
    file.write_text("text,subject,sentiment\n" + "no signal all day,Network,negative\nthanks,Staff,positive\n" * 2)
    scores = labelled.uk_mobile(file, catalog.load())
    ours = scores[scores["reader"] == "clamor"].set_index("rows")
    assert ours["posts"].to_dict() == {"odd, not learnt from": 2, "all": 4}
    assert ours["complaints"].to_dict() == {"odd, not learnt from": 0, "all": 2}


def test_the_command_prints_every_language() -> None:
    """``clamor eval text`` shows the reader and the regex for all synthetic languages."""
    shown = CliRunner().invoke(app, ["eval", "text", "--labels", str(LABELS), "--json"])
    assert shown.exit_code == 0, shown.output
    assert all(f'"{language}"' in shown.stdout for language in labelled.WORDS)
    sets = (*labelled.SETS.values(), *labelled.ENGLISH.values(), *labelled.PASSING.values())
    assert all(title in shown.stdout for title in sets) and "names that mean" in shown.stdout


def test_every_set_is_whole() -> None:
    """Each invented post has a label; a complaint has its main symptom, other posts have none."""
    series = [*labelled.SETS, *labelled.PASSING]
    files = [file for each in series for file in LABELS.glob(f"{each}_*.csv") if file.stem not in OTHERS]
    for file in [*files, *(LABELS / f"{each}.csv" for each in labelled.ENGLISH)]:
        posts = pd.read_csv(file, keep_default_na=False)
        assert set(posts["label"]) <= {"complaint", "commentary", "mention"}, file
        assert ((posts["symptom"] != "") == (posts["label"] == "complaint")).all(), file
        assert set(posts["symptom"]) <= {*Symptom, ""} and posts["id"].is_unique, file


def test_a_folder_without_labels_is_named(tmp_path: Path) -> None:
    """Measuring without labels is refused in one line that says what is missing."""
    shown = CliRunner().invoke(app, ["eval", "text", "--labels", str(tmp_path)])
    assert shown.exit_code != 0 and "fresh" not in shown.stdout
