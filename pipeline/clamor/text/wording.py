"""How people word trouble: weights of words, learnt from labelled posts, which back or doubt what the phrases say.

Phrases know what they were written for. The words that go with trouble ("again", "spins", "since") or with other talk
("refund", "watching") also tell of posts that no phrase foresaw. What a text's words say is the sum of the weights of
its distinct words and of their beginnings and ends, over the root of how many of these are known, plus a constant:
logistic regression, for trouble and for each symptom. Names of services and accounts are left out, so that none is
learnt. :mod:`clamor.text.learn` fits the weights, which are kept in ``catalog/data/wording.csv``.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from math import sqrt
from typing import Final

import pandas as pd

from clamor.text.anchor import Span
from clamor.text.fold import UNSPACED

NUMBER: Final = "~number"
"""What stands for any number."""
CONSTANT: Final = "~constant"
"""The key of what is added to every text."""
TROUBLE: Final = "trouble"
"""The column of trouble; the others are symptoms."""
_UNSPACED: Final = re.compile(f"[{UNSPACED}]")
_HEAD: Final = 4
_TAIL: Final = 3
_PIECE: Final = 4
"""The longest piece taken of a script without word spaces."""
_MOST: Final = 600
"""How many words of a text are weighed."""
_KEPT: Final = 24
"""The longest word whose weight is kept; longer ones (runs of Han and kana) hardly come again."""
_MOST_KEPT: Final = 50_000
"""How many words are kept."""


def words(folded: str, names: Iterable[Span]) -> set[str]:
    """Return the distinct words of a folded text without the names, which are given in order, and without accounts."""
    pieces: list[str] = []
    at = 0
    for name in names:
        pieces.append(folded[at : name.start])
        at = max(at, name.end)
    found = set(" ".join([*pieces, folded[at:]]).split(maxsplit=_MOST)[:_MOST])
    found.discard("|")
    return {word for word in found if word[0] != "@"} if "@" in folded else found


def features(word: str) -> Iterator[str]:
    """Yield what a word is known by: itself, its first and last letters; pieces where words have no spaces.

    >>> list(features("loading"))
    ['loading', 'load-', '-ing']

    """
    if word.isdigit():
        yield NUMBER
    elif _UNSPACED.match(word):
        for size in range(1, _PIECE + 1):
            yield from (word[at : at + size] for at in range(len(word) - size + 1))
    else:
        yield word
        if len(word) > _HEAD:
            yield f"{word[:_HEAD]}-"
            yield f"-{word[-_TAIL:]}"


class _Known(dict[str, tuple[float, int, tuple[float, ...]]]):
    """Words with their weight for trouble, how many of their features are known, and their weights for symptoms."""

    def __init__(self, trouble: Mapping[str, float], symptoms: Mapping[str, tuple[float, ...]]):
        self._trouble = trouble
        self._symptoms = symptoms
        self._none = tuple(0.0 for _ in next(iter(symptoms.values()), ()))

    def __missing__(self, word: str) -> tuple[float, int, tuple[float, ...]]:
        found = [each for each in set(features(word)) if each in self._trouble]
        symptoms = tuple(map(sum, zip(*(self._symptoms[each] for each in found), strict=True))) or self._none
        value = sum(self._trouble[each] for each in found), len(found), symptoms
        if len(word) <= _KEPT:
            if len(self) >= _MOST_KEPT:
                self.clear()
            self[word] = value
        return value


class Wording:
    """The weights of words, compiled once.

    Args:
        weights: Indexed by word or part of one; columns ``trouble`` and symptoms.

    """

    def __init__(self, weights: pd.DataFrame):
        trouble = dict(zip(weights.index, weights[TROUBLE].tolist(), strict=True))
        named = weights.drop(columns=TROUBLE)
        symptoms = dict(zip(named.index, named.itertuples(index=False, name=None), strict=True))
        self._symptoms = tuple(map(str, named.columns))
        self._constant = trouble.pop(CONSTANT, 0.0)
        self._constants = symptoms.pop(CONSTANT, (0.0,) * len(self._symptoms))
        self._known = _Known(trouble, symptoms)

    def trouble(self, said: Set[str]) -> float:
        """Return the log-odds of trouble by the distinct words of a text; 0 where none is known."""
        known = self._known
        total, count = 0.0, 0
        for word in said:
            weight, features_known, _ = known[word]
            total += weight
            count += features_known
        return total / sqrt(count) + self._constant if count else 0.0

    def symptoms(self, said: Set[str]) -> dict[str, float]:
        """Return how the distinct words of a text speak for each symptom."""
        found = [known for known in map(self._known.__getitem__, said) if known[1]]
        root = sqrt(sum(count for _, count, _ in found)) or 1.0
        columns = zip(*(weights for _, _, weights in found), strict=True) if found else [()] * len(self._symptoms)
        named = zip(self._symptoms, columns, self._constants, strict=True)
        return {symptom: sum(weights) / root + constant for symptom, weights, constant in named}


class Worded:
    """What the words of one text say, asked for when it matters."""

    __slots__ = ("_wording", "_words")

    def __init__(self, wording: Wording, said: Set[str]):
        self._wording = wording
        self._words = said

    def trouble(self) -> float:
        """Return the log-odds of trouble."""
        return self._wording.trouble(self._words)

    def symptoms(self) -> dict[str, float]:
        """Return how much the words speak for each symptom."""
        return self._wording.symptoms(self._words)
