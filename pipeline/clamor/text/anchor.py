"""Whose trouble it is: how closely a phrase stands to a service's name in a post that names it.

"My car won't start, so here I am on TikTok" holds a complaint and a service, but not one about the other. What lies
between the two tells: words that the phrases of trouble are made of ("tiktok just keeps crashing") or other things
(a car, a flight, a friend).
"""

from bisect import bisect_right
from collections.abc import Sequence
from operator import attrgetter
from typing import Final, Protocol

from clamor.text.lexicon import Vocabulary

SHARES: Final = (1.0, 1.0, 0.8, 0.5)
"""What a phrase counts for a service with none, one, two or more foreign words between it and the name."""
_START: Final = attrgetter("start")
_FAR: Final = 90
"""Characters beyond which a name says nothing of a phrase."""
_AND: Final = frozenset(
    {"and", "or", "y", "o", "e", "ou", "et", "und", "oder", "ed", "ve", "dan", "atau", "&", "n", "و"}
)
"""What may stand between two names that share what is said of one ("Instagram and Facebook are down")."""


class Span(Protocol):
    """A stretch ``text[start:end]`` of a folded text."""

    @property
    def start(self) -> int:
        """The first character."""

    @property
    def end(self) -> int:
        """The first character after it."""


class Anchor:
    """The names of one service in a folded text, to which phrases are held.

    Args:
        text: The folded text.
        own: Where it names the service, in order.
        others: Where it names other services, in order.
        words: Those that phrases of trouble are made of; the others are foreign. In a language without links none is.

    """

    __slots__ = ("_known", "_links", "_other_starts", "_others", "_own", "_starts", "_text")

    def __init__(self, text: str, own: Sequence[Span], others: Sequence[Span], words: Vocabulary):
        self._text = text
        self._own, self._others = self._joined(own, others) if others else (own, others)
        self._known, self._links = words
        self._starts = [span.start for span in self._own]
        self._other_starts = [span.start for span in self._others]

    def share(self, start: int, end: int) -> float:
        """Return how much of a phrase at ``text[start:end]`` is said of the service, 0 to 1."""
        best = 0.0
        for name in _around(self._own, self._starts, start):
            low, high = (name.end, start) if name.end <= start else (end, name.start)
            if low >= high:
                return 1.0
            held = SHARES[-1] if high - low > _FAR else self._held(low, high, start, end)
            best = max(best, held)
        return best

    def touches(self, start: int, end: int) -> bool:
        """Tell whether a phrase at ``text[start:end]`` stands right beside a name of the service or holds it."""
        return any(name.start < end and start < name.end for name in _around(self._own, self._starts, start))

    def joins(self, low: int, high: int) -> bool:
        """Tell whether ``text[low:high]`` joins a name and a bad word: links, and at most one other word."""
        return not self._links or sum(word not in self._links for word in self._text[low:high].split()) <= 1

    def _held(self, low: int, high: int, start: int, end: int) -> float:
        """Return the share of a phrase that ``text[low:high]`` parts from the name."""
        foreign = 0
        if self._others:
            near = _around(self._others, self._other_starts, start)
            foreign = 2 * any(max(other.start - end, start - other.end) < high - low for other in near)
        if self._links:
            foreign += len(self._foreign(self._text[low:high].split())) + self._subject(start)
        return SHARES[foreign] if foreign < len(SHARES) else SHARES[-1]

    def _foreign(self, words: list[str]) -> list[str]:
        known = self._known
        return [word for word in words if word not in known and not word.isdigit() and word[0] != "@"]

    def _subject(self, start: int) -> int:
        """Return 1 where a phrase is said of something foreign: the word before it, links left out."""
        before = self._text[max(0, start - 40) : start + 1].split()
        while len(before) > 1 and before[-1] in self._links:
            before.pop()
        return int(len(before) > 1 and before[-1] != "|" and bool(self._foreign(before[-1:])))

    def _joined(self, own: Sequence[Span], others: Sequence[Span]) -> tuple[Sequence[Span], Sequence[Span]]:
        """Count names that are listed with the service's as its own."""
        mine = {span.start for span in own}
        groups: list[list[Span]] = []
        for span in sorted([*own, *others], key=_START):
            if groups and self._is_and(groups[-1][-1].end, span.start):
                groups[-1].append(span)
            else:
                groups.append([span])
        shared: list[Span] = []
        apart: list[Span] = []
        for group in groups:
            (apart if mine.isdisjoint(span.start for span in group) else shared).extend(group)
        return shared, apart

    def _is_and(self, low: int, high: int) -> bool:
        return -2 < high - low < 8 and _AND.issuperset(self._text[low:high].split())


def _around(spans: Sequence[Span], starts: Sequence[int], at: int) -> Sequence[Span]:
    """Return the last span that begins before a place and the first after it."""
    index = bisect_right(starts, at)
    return spans[max(index - 1, 0) : index + 1]
