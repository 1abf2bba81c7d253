"""Precision, recall and F1 of the reader on labelled posts, beside a keyword regex in the same run."""

import re
from typing import Final

import pandas as pd

from clamor.catalog import Catalog
from clamor.errors import InputError
from clamor.schema import Signal
from clamor.text.frame import read_frame

KEYWORDS: Final = re.compile(
    r"\b(?:down|outages?|not working|broken|crash\w*|errors?|issues?|problems?|no (?:signal|service|internet|power)|"
    r"power (?:outage|cut|out)|can'?t (?:connect|log ?in|access)|won'?t load|slow|offline)\b",
    re.IGNORECASE,
)
"""What people write down first when they look for complaints."""


def evaluate(posts: pd.DataFrame, catalog: Catalog, service: str) -> pd.DataFrame:
    """Score complaints found against a label, for the reader and for :data:`KEYWORDS`.

    Args:
        posts: Columns ``text`` and ``label`` (complaint, commentary or anything else); others are ignored.
        catalog: The reader's names and phrases.
        service: What all posts are about.

    Returns:
        One row a reader: ``reader, posts, complaints, called, precision, recall, f1, commentary_called_complaint``;
        a ratio without a denominator is null.

    Raises:
        InputError: a column is missing.

    """
    for name in ("text", "label"):
        if name not in posts.columns:
            raise InputError(f"labelled posts: column {name!r} is missing; labels are complaint, commentary or other")
    frame = pd.DataFrame({"id": range(len(posts)), "text": posts["text"].to_numpy()})
    read = read_frame(frame, catalog, service)["signal"] == Signal.COMPLAINT.value
    keyword = posts["text"].fillna("").str.contains(KEYWORDS)
    label = posts["label"].astype("str").reset_index(drop=True)
    return pd.DataFrame(
        [
            {"reader": "clamor", **score(label, read.reset_index(drop=True))},
            {"reader": "keyword regex", **score(label, keyword.reset_index(drop=True))},
        ]
    )


def score(label: "pd.Series[str]", called: "pd.Series[bool]") -> dict[str, float | int | None]:
    """Return counts and ratios of complaints called against labels, both with the same index."""
    true = label == Signal.COMPLAINT.value
    talk = label == Signal.COMMENTARY.value
    hits = int((true & called).sum())
    return {
        "posts": len(label),
        "complaints": int(true.sum()),
        "called": int(called.sum()),
        "precision": _ratio(hits, int(called.sum())),
        "recall": _ratio(hits, int(true.sum())),
        "f1": _ratio(2 * hits, int(called.sum()) + int(true.sum())),
        "commentary_called_complaint": _ratio(int((talk & called).sum()), int(talk.sum())),
    }


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
