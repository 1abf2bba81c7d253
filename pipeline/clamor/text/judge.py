"""From the phrases found in a text to a verdict: first-hand trouble, talk about trouble, or neither.

Points are added for trouble and taken for what speaks against a first-hand report; the parts of a service and the bad
words, lacks and inabilities beside them make most of it, because that is how people complain in any language.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from clamor.catalog import ServiceKind
from clamor.schema import Signal, Symptom
from clamor.text.anchor import Anchor
from clamor.text.lexicon import RECOVERY, Hit, Kind

NEAR: Final[dict[int, int]] = {
    Kind.LACK: 10,
    Kind.CANNOT: 6,
    Kind.BAD: 34,
    Kind.POOR: 30,
    Kind.WONDER: 34,
    Kind.ASK: 40,
    Kind.TROUBLE: 24,
    Kind.WEAK: 8,
    Kind.FIRST: 30,
    Kind.VERB: 30,
    Kind.CONDITION: 3,
}
"""How many characters may lie between a phrase and the part or act that it is said of."""
COMPLAINT: Final = 2.5
"""Points from which a text is a complaint."""
POINTS: Final[dict[int, float]] = {
    Kind.TROUBLE: 2.6,
    Kind.LACKING: 2.5,
    Kind.UNABLE: 2.4,
    Kind.FAULTY: 2.0,
    Kind.HINT: 1.7,
    Kind.OWN: 0.9,
    Kind.ASKED: 2.0,
    Kind.WONDERED: 0.6,
    Kind.ASK: 1.2,
    Kind.PART: 0.8,
    Kind.BAD: 0.7,
    Kind.POOR: 0.5,
    Kind.WONDER: 0.5,
    Kind.IMPACT: 0.7,
    Kind.FEELING: 0.4,
    Kind.FIRST: 0.3,
    Kind.FINE: -1.5,
    Kind.PROMO: -1.5,
    Kind.OTHER: -1.0,
    Kind.PASSING: -1.5,
    Kind.STAFF: -3.0,
    Kind.NEWS: -1.5,
    Kind.PAST: -1.5,
    Kind.HYPOTHETICAL: -1.2,
    Kind.ADVICE: -1.0,
    Kind.JOKE: -1.5,
    Kind.RECOVERY: -1.5,
}
LIMITS: Final[dict[int, int]] = {
    Kind.TROUBLE: 2,
    Kind.BAD: 2,
    Kind.POOR: 2,
    Kind.OTHER: 4,
    Kind.NEWS: 3,
    Kind.FINE: 2,
    Kind.PROMO: 2,
}
"""How often a kind counts; once, where not named."""
_PAIRS: Final = (
    (Kind.LACK, Kind.LACKING),
    (Kind.BAD, Kind.FAULTY),
    (Kind.POOR, Kind.FAULTY),
    (Kind.ASK, Kind.ASKED),
    (Kind.WONDER, Kind.WONDERED),
)
SAID_OF: Final[frozenset[int]] = frozenset(
    {
        Kind.TROUBLE,
        Kind.PART,
        Kind.BAD,
        Kind.WONDERED,
        Kind.LACKING,
        Kind.UNABLE,
        Kind.FAULTY,
        Kind.ASKED,
        Kind.HINT,
        Kind.OWN,
    }
)
"""The kinds whose points depend on the kind of service, by their symptom; those of ``OTHER`` do as talk."""
_WORDS: Final[dict[int, str]] = {int(kind): kind.name.lower() for kind in Kind}
_OWN: Final[dict[int, tuple[Kind, ...]]] = {
    Kind.HINT: (Kind.FIRST, Kind.IMPACT),
    Kind.FIRST: (Kind.HINT,),
    Kind.IMPACT: (Kind.HINT,),
}
_NAME: Final = "name"
"""The tag of a service's own name, which is a part of it with less said."""
_POWER: Final = "power"
"""The tag of mains power, whose nouns mean many things and pair with its own bad words only."""
_POWER_NEAR: Final = 16
_OF_NAMES: Final[dict[int, float]] = {Kind.BAD: 2.0, Kind.ASK: 0.9}
"""Points of a bad word or a question before a service's name."""
_TALK: Final = (Kind.NEWS, Kind.PAST, Kind.HYPOTHETICAL, Kind.ADVICE, Kind.JOKE, Kind.RECOVERY, Kind.STAFF)
_ABOUT: Final = (Kind.NEWS, Kind.JOKE, Kind.ADVICE, Kind.HYPOTHETICAL, Kind.RECOVERY)
_AT_HAND: Final = (Kind.ASK, Kind.ASKED, Kind.IMPACT)
_PLAIN: Final = (Kind.TROUBLE, Kind.UNABLE, Kind.LACKING)
"""Trouble that praise takes nothing from: "nice app but it keeps crashing", "won't load and my wifi is fine"."""
_ONCE: Final = 3.3
"""The most that trouble counts where a text talks about it (news, jokes, advice) and asks nobody: said once."""
_ANOTHERS: Final = 0.5
"""The share up to which praise is another's and takes nothing from trouble."""
_SYMPTOMS: Final = frozenset(Symptom)
_TELLING: Final = {"slow": 1.4}
"""How much more than others a symptom tells what fails: slow internet is slow rather than no connection."""


@dataclass(slots=True)
class Verdict:
    """A judged text, with what moved it."""

    signal: Signal
    symptoms: tuple[str, ...]
    claims: tuple[str, ...]
    points: float
    text: str
    moved: list[tuple[int, float, int, int]]

    @property
    def reasons(self) -> list[tuple[str, float, str]]:
        """Return what moved it: the kind of each phrase, its points, and its words."""
        return [
            (_WORDS[kind], points, self.text[start:end].strip() or "(the whole text)")
            for kind, points, start, end in self.moved
        ]


class Ledger:
    """Points and symptoms gathered while reading a text's phrases from left to right."""

    __slots__ = (
        "_anchor",
        "_counts",
        "_default",
        "_focus",
        "_talk",
        "_unnamed",
        "moved",
        "parts",
        "said",
        "symptoms",
        "text",
        "total",
    )

    def __init__(self, folded: str, kind: ServiceKind, anchor: Anchor | None):
        self.text = folded
        self._anchor = anchor
        self._focus = kind.weights
        self._default = kind.weights.get("*", 1.0)
        self._talk = kind.talk
        self._unnamed = kind.unnamed
        self.total = self.said = 0.0
        self.symptoms: dict[str, float] = {}
        self.parts: dict[str, None] = {}
        self.moved: list[tuple[int, float, int, int]] = []
        self._counts: dict[int, int] = {}

    def gain(self, tag: str, said: str) -> float:
        """Return the part of a phrase's points that it adds to one that it overlaps."""
        weight = self._focus.get(tag, self._default)
        return max(0.0, 1.0 - self._focus.get(said, self._default) / weight) if weight else 0.0

    def share(self, hit: Hit) -> float:
        """Return how much of a phrase is said of the service."""
        return self._anchor.share(hit.start, hit.end) if self._anchor is not None else 1.0

    def joined(self, left: Hit, right: Hit) -> bool:
        """Tell whether a name and a bad word belong together; they do where the text names no service as a word."""
        return self._anchor is None or self._anchor.joins(left.end, right.start)

    def add(self, kind: int, points: float, start: int, end: int, tag: str = "any") -> None:
        """Count points for ``text[start:end]``, as often as its kind may."""
        if kind in SAID_OF:
            points *= self._focus.get(tag, self._default)
            if not points:
                return
        elif kind == Kind.OTHER:
            points *= self._talk
        if self._anchor is not None and (kind in SAID_OF or kind == Kind.FINE):
            share = self._anchor.share(start, end)
            points *= 0.0 if kind == Kind.FINE and share <= _ANOTHERS else share
        seen = self._counts.get(kind, 0)
        if seen < LIMITS.get(kind, 1):
            self._counts[kind] = seen + 1
            self.total += points
            if kind in SAID_OF:
                self.said += points
            self.moved.append((kind, points, start, end))
        if tag in _SYMPTOMS and kind != Kind.PART:
            self.symptoms[tag] = self.symptoms.get(tag, 0.0) + points

    def named(self) -> tuple[str, ...]:
        """Return the symptoms, the main one first: what is said to fail, else its parts, else the kind's own."""
        said = sorted(self.symptoms, key=lambda tag: self.symptoms[tag] * _TELLING.get(tag, 1.0), reverse=True)
        return tuple(said) or tuple(tag for tag in self.parts if tag in _SYMPTOMS) or (self._unnamed,)

    def settle(self, kind: Kind, points: float) -> None:
        """Correct what a kind counts by the text as a whole."""
        if points:
            self.total += points
            self.moved.append((kind, points, 0, 0))

    def count(self, kind: Kind) -> int:
        """Return how often a kind was counted."""
        return self._counts.get(kind, 0)

    def beside(self, last: Mapping[int, Hit], kind: int, hit: Hit, reach: int | None = None) -> Hit | None:
        """Return the last phrase of a kind if ``hit`` follows it closely and in the same sentence."""
        left = last.get(kind)
        return left if self.near(left, hit, NEAR[kind] if reach is None else reach) else None

    def near(self, left: Hit | None, right: Hit, reach: int) -> bool:
        """Tell whether ``right`` follows ``left`` closely and in the same sentence."""
        if left is None or right.start - left.end > reach:
            return False
        return right.start <= left.end or "|" not in self.text[left.end : right.start]


def judge(folded: str, hits: list[Hit], kind: ServiceKind, anchor: Anchor | None = None) -> Verdict:
    """Return the verdict on a folded text and the phrases found in it.

    Args:
        folded: The text as :func:`clamor.text.fold.fold` gives it.
        hits: The phrases found in it.
        kind: What trouble means for this kind of service.
        anchor: Where the text names the service; None where it is about it whatever it names.

    """
    ledger = Ledger(folded, kind, anchor)
    last: dict[int, Hit] = {}
    claims: dict[str, None] = {}
    for hit in hits:
        for entry, tag in hit.entries:
            if entry == Kind.CLAIM:
                claims[tag] = None
                continue
            if entry == Kind.RECOVERY:
                claims[RECOVERY] = None
            _weigh(ledger, last, hit, entry, tag)
        for entry, _ in hit.entries:
            last[entry] = hit
    return _conclude(ledger, tuple(claims))


def _weigh(ledger: Ledger, last: dict[int, Hit], hit: Hit, kind: int, tag: str) -> None:
    if kind == Kind.PART:
        _weigh_part(ledger, last, hit, tag)
    elif kind in (Kind.BAD, Kind.WEAK, Kind.POOR):
        _weigh_bad(ledger, last, hit, kind, tag)
    elif kind == Kind.ACT:
        if left := ledger.beside(last, Kind.CANNOT, hit):
            ledger.add(Kind.UNABLE, POINTS[Kind.UNABLE], left.start, hit.end, tag)
    elif kind == Kind.DENY:
        if left := ledger.beside(last, Kind.VERB, hit):
            ledger.add(Kind.UNABLE, POINTS[Kind.UNABLE], left.start, hit.end)
    elif kind == Kind.REPORT:
        left = last.get(Kind.PART)
        if left is not None and left.entries[0].tag == _NAME and ledger.near(left, hit, 1):
            ledger.add(Kind.NEWS, POINTS[Kind.NEWS], left.start, hit.end)
    elif kind == Kind.VAGUE:
        if left := ledger.beside(last, Kind.LACK, hit):
            ledger.add(Kind.LACKING, POINTS[Kind.LACKING], left.start, hit.end, "connection")
    elif kind in POINTS:
        for other in _OWN.get(kind, ()):
            if left := ledger.beside(last, other, hit, NEAR[Kind.FIRST]):
                hint = tag if kind == Kind.HINT else left.entries[0].tag
                ledger.add(Kind.OWN, POINTS[Kind.OWN], left.start, hit.end, hint)
        if kind == Kind.TROUBLE and tag == "any":
            left = last.get(Kind.PART) or last.get(Kind.ACT)
            if left is not None and ledger.near(left, hit, NEAR[Kind.TROUBLE]):
                tag = left.entries[0].tag
                tag = "any" if tag in (_NAME, _POWER) else tag
        if kind == Kind.TROUBLE and (left := ledger.beside(last, Kind.CONDITION, hit, 0)):
            ledger.add(Kind.HYPOTHETICAL, POINTS[Kind.JOKE], left.start, hit.end)
        points = POINTS[kind]
        if kind == Kind.TROUBLE and kind in last and last[kind].end > hit.start + 1:
            points *= ledger.gain(tag, last[kind].entries[0].tag)
        ledger.add(kind, points, hit.start, hit.end, tag)


def _weigh_part(ledger: Ledger, last: dict[int, Hit], hit: Hit, tag: str) -> None:
    """Count a part of the service, with a lack, a bad word or a question before it."""
    ledger.parts[tag] = None
    if tag == _NAME and (left := ledger.beside(last, Kind.CONDITION, hit)):
        ledger.add(Kind.HYPOTHETICAL, POINTS[Kind.JOKE], left.start, hit.end)
    ledger.add(Kind.PART, 0.0 if tag == _NAME else POINTS[Kind.PART], hit.start, hit.end, tag)
    for other, pair in _PAIRS:
        left = ledger.beside(last, other, hit, _POWER_NEAR if tag == _POWER else None)
        if left is None or (tag == _POWER) != (left.entries[0].tag == _POWER):
            continue
        if tag != _NAME:
            ledger.add(pair, POINTS[pair], left.start, hit.end, tag)
            return
        if other in _OF_NAMES and (other != Kind.BAD or ledger.joined(left, hit)):
            ledger.add(pair, _OF_NAMES[other] * ledger.share(left), left.start, hit.end)
            return


def _weigh_bad(ledger: Ledger, last: dict[int, Hit], hit: Hit, kind: int, tag: str) -> None:
    """Count a bad word, with the part of the service before it."""
    left = ledger.beside(last, Kind.PART, hit, _POWER_NEAR if tag == _POWER else NEAR[kind])
    if left is not None:
        part = left.entries[0].tag
        if part == _NAME:
            if kind == Kind.BAD and tag != _POWER and ledger.joined(left, hit):
                ledger.add(Kind.FAULTY, POINTS[Kind.FAULTY] * ledger.share(hit), left.start, hit.end, tag)
        elif (part == _POWER) == (tag == _POWER):
            ledger.add(Kind.FAULTY, POINTS[Kind.FAULTY], left.start, hit.end, tag if tag != "any" else part)
    if kind in POINTS:
        ledger.add(kind, POINTS[kind], hit.start, hit.end, tag)


def _conclude(ledger: Ledger, claims: tuple[str, ...]) -> Verdict:
    if ledger.count(Kind.FINE) and any(map(ledger.count, _PLAIN)):
        fine = sum(points for kind, points, _, _ in ledger.moved if kind == Kind.FINE)
        ledger.settle(Kind.FINE, -fine)
    talk = any(ledger.count(kind) for kind in _TALK)
    trouble = sum(points for _, points, _, _ in ledger.moved if points > 0)
    if ledger.said > _ONCE and any(map(ledger.count, _ABOUT)) and not any(map(ledger.count, _AT_HAND)):
        ledger.settle(Kind.TROUBLE, _ONCE - ledger.said)
    if ledger.total >= COMPLAINT:
        return Verdict(Signal.COMPLAINT, ledger.named(), claims, ledger.total, ledger.text, ledger.moved)
    if ledger.count(Kind.HINT) or (talk and (trouble >= COMPLAINT or claims)):
        return Verdict(Signal.COMMENTARY, (), claims, ledger.total, ledger.text, ledger.moved)
    return Verdict(Signal.MENTION, (), claims, ledger.total, ledger.text, ledger.moved)
