"""The labelled sets of ``tests/labels`` and the real sets beside them, each scored in one table."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd

from clamor import frames
from clamor.catalog import Catalog
from clamor.errors import InputError
from clamor.schema import Signal
from clamor.text.evaluate import KEYWORDS, evaluate, score
from clamor.text.frame import read_frame

SETS: Final = {
    "synthetic": "synthetic posts",
    "fresh": "fresh synthetic posts",
    "posts": "synthetic posts to companies, blind",
    "reviews": "synthetic app reviews, blind",
    "tweets": "synthetic posts to companies, second, blind",
    "app_reviews": "synthetic app reviews, second, blind",
    "sealed_tweets": "synthetic posts to companies, sealed until November 2026",
    "sealed_app_reviews": "synthetic app reviews, sealed until November 2026",
}
"""The sets of invented posts, by the beginning of their files' names; ``README.md`` beside them says who wrote them."""
ENGLISH: Final = {
    "uk_network": "synthetic posts to UK networks, blind",
    "power_us": "synthetic posts on power cuts, blind",
    "sealed_uk_network": "synthetic posts to UK networks, sealed until November 2026",
    "sealed_power_us": "synthetic posts on power cuts, sealed until November 2026",
}
"""Sets of invented posts in English alone, by their files' names."""
PASSING: Final = {
    "mentions": "synthetic posts that mention TikTok in passing, a tenth of them traps, blind",
    "passing": "synthetic posts that mention TikTok in passing, second, blind",
}
"""Sets of posts that name a service in passing, by the beginning of their files' names."""
WORDS: Final = {
    "en": r"down|not working|won'?t (?:load|open|work)|can'?t (?:log ?in|connect|access|load)|broken|crash\w*|errors?|"
    r"outages?|no (?:signal|internet|service|sound)|slow|offline|stuck",
    "es": r"ca[ií]d[oa]|se cay[oó]|no (?:me )?(?:funciona|anda|carga|va|deja|llega)\w*|error|falla\w*|"
    r"sin (?:luz|internet|señal)",
    "pt": r"caiu|fora do ar|n[aã]o (?:funciona|carrega|abre|entra|consigo)|erro|travando|"
    r"sem (?:luz|internet|sinal|energia)",
    "fr": r"en panne|bug\w*|marche (?:plus|pas)|impossible|erreur|plante|plus (?:de réseau|d'internet)|coupure",
    "de": r"down|geht nicht|funktioniert nicht|störung|ausfall|stromausfall|fehler\w*|abgestürzt|"
    r"kein (?:netz|internet|strom)",
    "id": r"down|error|gangguan|g(?:a|ak|k) ?bisa|tidak bisa|gagal|lemot|mati lampu|hilang",
    "it": r"down|non (?:funziona|va|carica|si apre|riesco)|errore|bloccat[oa]|guasto|senza (?:linea|internet|corrente)",
    "tr": r"çöktü|çökmüş|açılmıyor|çalışmıyor|giremiyorum|hata|yavaş|kesi(?:k|ldi)|sorun|donuyor",
    "ar": r"عطل|معلق|خربان|(?:ما|مو|مش|لا) (?:يشتغل|يفتح|شغال)|بطيء|مقطوع|خطأ|مشكل[ةه]",
    "hi": r"नहीं (?:चल|खुल|हो)|बंद|डाउन|nahi (?:chal|khul|ho|aa)|down|band|error|slow|problem",
    "ko": r"안 ?[돼되됨]|먹통|오류|에러|터졌|느려|튕|장애",
    "ja": r"落ち|障害|不具合|エラー|繋がらない|つながらない|できない|使えない|開かない|重い|停電",
}
"""The first words that one looks for in each language: what a quick keyword search would be."""


def languages(folder: Path, series: str) -> list[str]:
    """Return the languages of which a folder holds posts of a set of :data:`SETS`."""
    return [language for language in WORDS if (folder / f"{series}_{language}.csv").exists()]


def synthetic(folder: Path, language: str, catalog: Catalog, series: str = "synthetic") -> pd.DataFrame:
    """Score the reader on the invented posts of one language, beside a keyword regex.

    Args:
        folder: Holds ``<series>_<language>.csv``, see :func:`scored`.
        language: A key of :data:`WORDS`.
        catalog: The reader's names and phrases.
        series: A key of :data:`SETS`.

    """
    return scored(folder / f"{series}_{language}.csv", language, catalog)


def scored(file: Path, language: str, catalog: Catalog) -> pd.DataFrame:
    """Score the reader on invented posts, beside a keyword regex.

    Args:
        file: Columns id, service, text, label, symptom.
        language: That of the regex, a key of :data:`WORDS`.
        catalog: The reader's names and phrases.

    Returns:
        One row a reader, columns of :func:`~clamor.text.evaluate.evaluate`, then ``mention_called_complaint`` and, of
        the complaints found, ``symptom_right`` (the main symptom is among those read) and ``symptom_alone`` (nothing
        else is). The reader is told the service, or finds it (posts about services of the catalogue only).

    """
    posts = read_labels(file, ("id", "service", "text", "label", "symptom"))
    posts["service"] = [catalog.find(name) or name for name in posts["service"]]
    known = posts[posts["service"].isin(list(catalog.services))].reset_index(drop=True)
    told = pd.concat(
        [read_frame(group, catalog, str(name)) for name, group in posts.groupby("service")], ignore_index=True
    )
    keyword = posts["text"].str.contains(WORDS[language], case=False, regex=True)
    rows: list[tuple[str, pd.DataFrame, Sequence[list[str] | None]]] = [
        ("clamor, service told", posts, _complaints(posts, told)),
        ("clamor, service found", known, _complaints(known, read_frame(known, catalog))),
        ("keyword regex", posts, [[] if hit else None for hit in keyword]),
    ]
    return pd.DataFrame([{"language": language, "reader": name, **_row(each, read)} for name, each, read in rows])


def passing(folder: Path, service: str, catalog: Catalog, series: str = "mentions") -> pd.DataFrame:
    """Count the complaints called in posts that name a service in passing, of which none complains of it.

    Args:
        folder: Holds ``<series>_<service>.csv``: id, lang, text.
        service: The service, an id of the catalogue.
        catalog: The reader's names and phrases.
        series: A key of :data:`PASSING`.

    Returns:
        One row a reader and language, then ``all``: ``reader, language, posts, called, share``.

    """
    posts = read_labels(folder / f"{series}_{service}.csv", ("id", "lang", "text"))
    frame = posts[["id", "text"]]
    found = read_frame(frame, catalog)
    called = {
        "clamor, service told": _ids(read_frame(frame, catalog, service)),
        "clamor, service found": _ids(found[found["service"] == service]),
        "keyword regex": set(posts.loc[posts["text"].str.contains(KEYWORDS), "id"]),
    }
    groups = [*posts.groupby("lang")["id"], ("all", posts["id"])]
    return pd.DataFrame(
        [
            {"reader": reader, "language": language, "posts": len(ids), "called": hits, "share": hits / len(ids)}
            for reader, hit in called.items()
            for language, ids in groups
            for hits in [int(ids.isin(hit).sum())]
        ]
    )


def naming(file: Path, catalog: Catalog) -> pd.DataFrame:
    """Tell in how many posts the reader names the service that they hold the name of, by whether they mean it.

    Args:
        file: Columns id, service, text and ``named``: ``yes`` where the post means the service.
        catalog: The reader's names and phrases.

    Returns:
        A row for ``yes`` and one for ``no``: ``named, posts, found, called``; ``called`` were read as complaints.

    """
    posts = read_labels(file, ("id", "service", "text", "named"))
    readings = read_frame(posts[["id", "text"]], catalog)
    found = dict(zip(zip(readings["id"], readings["service"], strict=True), readings["signal"], strict=True))
    own = [catalog.find(name) or name for name in posts["service"]]
    signal = pd.Series([found.get(key) for key in zip(posts["id"], own, strict=True)], index=posts.index)
    rows = [(means, signal[posts["named"] == means]) for means in ("yes", "no")]
    complaint = Signal.COMPLAINT.value
    return pd.DataFrame(
        [
            {"named": means, "posts": len(s), "found": int(s.notna().sum()), "called": int((s == complaint).sum())}
            for means, s in rows
        ]
    )


def _ids(readings: pd.DataFrame) -> set[str]:
    return set(readings.loc[readings["signal"] == Signal.COMPLAINT.value, "id"])


def uk_mobile(file: Path, catalog: Catalog) -> pd.DataFrame:
    """Score service trouble (Network or Broadband, negative) in labelled posts to UK mobile networks.

    The even rows are learnt from (:mod:`clamor.text.learn`), so the odd ones alone, ``rows``, say how well it reads.
    """
    posts = mobile_posts(file)
    parts = {"odd, not learnt from": posts.iloc[1::2].reset_index(drop=True), "all": posts}
    return pd.concat([evaluate(part, catalog, "vodafone").assign(rows=name) for name, part in parts.items()])


def mobile_posts(file: Path) -> pd.DataFrame:
    """Read the posts to UK mobile networks, with ``label``: complaint (service trouble) or other."""
    posts = read_labels(file, ("text", "subject", "sentiment"))
    trouble = posts["subject"].isin(["Network", "Broadband"]) & (posts["sentiment"] == "negative")
    return posts.assign(label=trouble.map({True: Signal.COMPLAINT.value, False: "other"}))


def power(file: Path, folder: Path, catalog: Catalog) -> pd.DataFrame:
    """Score first-hand power cuts in the posts whose rows ``power_posts.csv`` labels."""
    posts, labels = read_labels(file, ("text",)), read_labels(folder / "power_posts.csv", ("row", "label"))
    chosen = posts.iloc[labelled_rows(labels, len(posts), file)]
    label = labels["label"].replace("first-hand", Signal.COMPLAINT.value)
    return evaluate(chosen.assign(label=label.to_numpy()), catalog, "electric-power")


def _complaints(posts: pd.DataFrame, readings: pd.DataFrame) -> list[list[str] | None]:
    """Return the symptoms of the complaint read about each post's own service; none where none was read."""
    found = readings[readings["signal"] == Signal.COMPLAINT.value]
    symptoms = dict(zip(zip(found["id"], found["service"], strict=True), found["symptoms"], strict=True))
    return [symptoms.get(key) for key in zip(posts["id"], posts["service"], strict=True)]


def _row(posts: pd.DataFrame, read: Sequence[list[str] | None]) -> dict[str, Any]:
    called = pd.Series([each is not None for each in read])
    true, mention = (posts["label"] == signal.value for signal in (Signal.COMPLAINT, Signal.MENTION))
    hits = [(main, each) for main, each, hit in zip(posts["symptom"], read, true, strict=True) if hit and each]
    return {
        **score(posts["label"], called),
        "mention_called_complaint": _mean(called[mention]),
        "symptom_right": _mean(main in each for main, each in hits),
        "symptom_alone": _mean([main] == each for main, each in hits),
    }


def read_labels(file: Path, columns: Iterable[str]) -> pd.DataFrame:
    """Read labels or labelled texts, missing values empty; a missing column is an :class:`InputError`."""
    frame = frames.read(file)
    for name in columns:
        if name not in frame.columns:
            raise InputError(f"{file}: column {name!r} is missing among {', '.join(frame.columns)}; add it")
    return frame.assign(**{name: frame[name].fillna("") for name in columns})


def labelled_rows(labels: pd.DataFrame, size: int, file: Path) -> list[int]:
    """Return the labelled row numbers of a file; one that it does not have is an :class:`InputError`."""
    rows = pd.to_numeric(labels["row"], errors="coerce")
    wrong = labels.loc[~rows.between(0, size - 1), "row"]
    if len(wrong):
        raise InputError(f"{file}: row {wrong.iloc[0]} is labelled, but it has {size}; give the file that was labelled")
    return [int(row) for row in rows]


def _mean(values: Iterable[bool]) -> float | None:
    flags = list(values)
    return sum(flags) / len(flags) if flags else None
