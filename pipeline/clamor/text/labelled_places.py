"""How well places are read: labelled profile texts, real and invented, beside exact names of the gazetteer."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.special import betaincinv

from clamor.schema import UNKNOWN_REGION
from clamor.text.fold import words
from clamor.text.gazetteer import gazetteer
from clamor.text.labelled import labelled_rows, read_labels
from clamor.text.profile import ANSWER, NOWHERE, Place, read_profile

CLASSES: Final = (ANSWER, 0.9, 0.96, 0.98, 1.01)
"""Bounds of the classes of confidence: small towns; demonyms and places among other words; known names; places within
places, flags."""
_INVENTED: Final = "synthetic_places.csv"


def texts(file: Path, folder: Path) -> pd.DataFrame:
    """Read the labelled texts: rows of ``file`` that ``profile_locations.csv`` labels, then ``synthetic_places.csv``.

    Returns:
        Columns ``set`` (``real: report``, ``synthetic: jokes, report``, ...), ``text`` and ``label``.

    """
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    labels = read_labels(folder / "profile_locations.csv", ("row", "label", "part"))
    real = pd.DataFrame(
        {
            "set": "real: " + labels["part"],
            "text": [lines[row] for row in labelled_rows(labels, len(lines), file)],
            "label": labels["label"],
        }
    )
    if not (folder / _INVENTED).exists():
        return real
    invented = read_labels(folder / _INVENTED, ("part", "group", "text", "label"))
    invented["set"] = "synthetic: " + invented["group"] + ", " + invented["part"]
    return pd.concat([real, invented[["set", "text", "label"]]], ignore_index=True)


def profiles(labelled: pd.DataFrame) -> pd.DataFrame:
    """Score the reader and exact names on each set of :func:`texts`.

    Returns:
        One row a set, reader and measure: ``set, reader, measure, of`` (its denominator), ``share``, ``low``, ``high``
        (95%, Jeffreys). Countries count, except where the measure names states.

    """
    readers: dict[str, Callable[[str], Place]] = {"clamor": read_profile, "exact names": exact}
    rows: list[dict[str, Any]] = []
    for name, group in labelled.groupby("set", sort=False):
        for reader, read in readers.items():
            judged = judge(group, read)
            for measure, flags in _measures(judged):
                if len(flags):
                    rows.append({"set": name, "reader": reader, "measure": measure, **_share(flags)})
    return pd.DataFrame(rows, columns=["set", "reader", "measure", "of", "share", "low", "high"])


def reliability(labelled: pd.DataFrame) -> pd.DataFrame:
    """Say how many answers of each class of confidence are right, by country.

    Returns:
        One row a class: ``confidence, of, share, low, high``.

    """
    judged = judge(labelled, read_profile)
    answered = judged[judged["answered"]]
    rows = []
    for low, high in pairwise(CLASSES):
        flags = answered.loc[answered["confidence"].between(low, high, inclusive="left"), "right"]
        if len(flags):
            rows.append({"confidence": f"{low:g} to {min(high, 1.0):g}", **_share(flags)})
    return pd.DataFrame(rows, columns=["confidence", "of", "share", "low", "high"])


def exact(text: str) -> Place:
    """Return the most populous place of that very name, of the last part between commas or else of the first.

    That is what a look-up in GeoNames gives without any reading.
    """
    parts = text.split(",")
    for part in (parts[-1], parts[0]):
        if found := gazetteer().names.regions(words(part)):
            region = max(found, key=found.__getitem__)
            return Place(region, (region,), "exact", 1.0)
    return NOWHERE


def judge(labelled: pd.DataFrame, read: Callable[[str], Place]) -> pd.DataFrame:
    """Hold each text's place against its label.

    Returns:
        Columns ``region, label, confidence, countries`` (how many the label names), ``answered`` and ``right``.

    """
    places = [read(text) for text in labelled["text"]]
    meant = [{code[:2] for code in label.split()} - {UNKNOWN_REGION} for label in labelled["label"]]
    region = np.array([place.region for place in places], dtype=object)
    return pd.DataFrame(
        {
            "region": region,
            "label": labelled["label"].to_numpy(),
            "confidence": [place.confidence for place in places],
            "countries": [len(each) for each in meant],
            "answered": region != UNKNOWN_REGION,
            "right": [len(each) == 1 and place.region[:2] in each for place, each in zip(places, meant, strict=True)],
        }
    )


def _measures(judged: pd.DataFrame) -> Iterator[tuple[str, "pd.Series[bool]"]]:
    """Yield the name of each measure with its flags, of which the share that is true counts."""
    same = judged["region"] == judged["label"]
    yield "right, of the answered", judged.loc[judged["answered"], "right"]
    yield "answered, of those that name one country", judged.loc[judged["countries"] == 1, "answered"]
    yield "left open, of those that name several", ~judged.loc[judged["countries"] > 1, "answered"]
    yield "answered, of those that name none", judged.loc[judged["countries"] == 0, "answered"]
    yield "US states right, of those labelled", same[judged["label"].str.fullmatch("US-[A-Z]{2}")]
    yield "US states right, of those answered", same[judged["region"].str.fullmatch("US-[A-Z]{2}")]


def _share(flags: "pd.Series[bool]") -> dict[str, float | int]:
    hits, size = int(flags.sum()), len(flags)
    low, high = betaincinv(hits + 0.5, size - hits + 0.5, [0.025, 0.975])
    return {"of": size, "share": hits / size, "low": float(low), "high": float(high)}
