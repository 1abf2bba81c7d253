"""Learn the weights of words: ``python -m clamor.text.learn [UK_MOBILE_FILE]`` writes ``catalog/data/wording.csv``.

It learns from the invented posts of ``catalog/posts`` and, where the file is given, from every second row (the even
ones) of the real posts to UK mobile networks, which are not part of this repository.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from clamor.catalog import Catalog, load
from clamor.catalog.loader import DATA
from clamor.schema import Signal, Symptom
from clamor.text.labelled import mobile_posts, read_labels
from clamor.text.match import Matcher
from clamor.text.wording import CONSTANT, TROUBLE, features

POSTS: Final = DATA.parent / "posts"
"""The invented posts, a file a language: service, label, symptom, text."""
STRENGTH: Final = 5.0
"""What one post counts against the squares of the weights."""
_RARE: Final = 2
"""In how many posts a word must be to be learnt."""
_SMALL: Final = 0.05
"""Weights of words that say less, of trouble and of every symptom, are left out."""


def fit(
    posts: Sequence[Mapping[str, int]], classes: Sequence[str], known: Sequence[Mapping[str, int]] | None = None
) -> pd.DataFrame:
    """Return the weight of every feature for every class, by multinomial logistic regression.

    Args:
        posts: How often each has each feature; they are divided by the root of their sum.
        classes: The class of each.
        known: The posts whose features are learnt, those of two or more; all where not given.

    Returns:
        Frame, one row a feature of two posts or more and one for the constant, one column a class.

    """
    from scipy.optimize import minimize

    seen = Counter(each for post in (posts if known is None else known) for each in post)
    names = sorted(name for name, number in seen.items() if number >= _RARE)
    x = _design(posts, {name: at for at, name in enumerate(names)})
    kinds = list(dict.fromkeys(classes))
    true = np.array([[each == kind for kind in kinds] for each in classes], dtype="float64")
    shape = (len(names) + 1, len(kinds))

    def loss(flat: Any) -> tuple[float, Any]:
        w = flat.reshape(shape)
        odds = x @ w[:-1] + w[-1]
        odds -= odds.max(axis=1, keepdims=True)
        share = np.exp(odds)
        total = share.sum(axis=1, keepdims=True)
        value = STRENGTH * (np.log(total).sum() - (odds * true).sum()) + 0.5 * (w[:-1] ** 2).sum()
        slope = STRENGTH * (share / total - true)
        return value, np.vstack([x.T @ slope + w[:-1], slope.sum(axis=0)]).ravel()

    best = minimize(loss, np.zeros(shape[0] * shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 1000}).x
    return pd.DataFrame(best.reshape(shape), index=[*names, CONSTANT], columns=kinds)


def _design(posts: Sequence[Mapping[str, int]], known: Mapping[str, int]) -> Any:
    from scipy.sparse import csr_array, diags_array

    cells = [(row, known[each], n) for row, post in enumerate(posts) for each, n in post.items() if each in known]
    rows, columns, values = (np.array(part) for part in zip(*cells, strict=True))
    x = csr_array((values.astype("float64"), (rows, columns)), shape=(len(posts), len(known)))
    return diags_array(1 / np.sqrt(np.maximum(x.sum(axis=1), 1))) @ x


def learn(posts: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """Return the weights that labelled posts teach: ``text``, ``label``, ``symptom`` (empty where unknown), ``real``.

    Of real posts no word is learnt that the invented ones do not have, so that nothing of theirs is kept.
    The frame is as :class:`clamor.text.wording.Wording` takes it: log-odds of trouble, and weights of the symptoms.
    """
    heard = counts(map(Matcher(catalog).words, posts["text"]))
    is_trouble = posts["label"] == Signal.COMPLAINT.value
    invented = [post for post, real in zip(heard, posts["real"], strict=True) if not real]
    trouble = fit(heard, ["yes" if each else "no" for each in is_trouble], invented)
    named = [at for at, each in enumerate(posts["symptom"]) if each]
    symptoms = fit([heard[at] for at in named], [posts["symptom"].iloc[at] for at in named])
    symptoms.loc[CONSTANT] /= 2  # How many posts were invented of each says half, at most, of how many people have it.
    weights = pd.concat([(trouble["yes"] - trouble["no"]).rename(TROUBLE), symptoms], axis=1).fillna(0.0)
    weights = weights.reindex(columns=[TROUBLE, *(each.value for each in Symptom)], fill_value=0.0)
    weights = weights.sort_index().rename_axis("word")
    return weights[(weights.abs() >= _SMALL).any(axis=1)].round(2)


def counts(posts: Iterable[Iterable[str]]) -> list[Counter[str]]:
    """Return how many distinct words of each post have each feature."""
    return [Counter(each for word in words for each in set(features(word))) for words in posts]


def read_posts(folder: Path, uk_mobile: Path | None = None) -> pd.DataFrame:
    """Return text, label, symptom and ``real`` of the invented posts and of the even rows of the real ones."""
    posts = [read_labels(file, ("text", "label", "symptom")) for file in sorted(folder.glob("*.csv"))]
    if uk_mobile is not None:
        posts.append(mobile_posts(uk_mobile).iloc[::2].assign(symptom="", real=True))
    return pd.concat([post.assign(real="real" in post.columns) for post in posts], ignore_index=True)[
        ["text", "label", "symptom", "real"]
    ]


def main(files: Sequence[str]) -> None:
    """Learn and write."""
    posts = read_posts(POSTS, Path(files[0]) if files else None)
    learn(posts, load()).replace(0.0, None).to_csv(DATA / "wording.csv", float_format="%.2f")


if __name__ == "__main__":
    main(sys.argv[1:])
