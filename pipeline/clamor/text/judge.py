"""From the phrases found in a text to a verdict: first-hand trouble, talk about trouble, or neither.

Points are added for trouble and taken for what speaks against a first-hand report; the parts of a service and the bad
words, lacks and inabilities beside them make most of it, because that is how people complain in any language.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from clamor.catalog import ServiceKind
from clamor.schema import Signal, Symptom
from clamor.text.anchor import Anchor
from clamor.text.lexicon import RECOVERY, Hit, Kind
from clamor.text.wording import Worded

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
WORDED: Final = 2.5
"""The most that the words of a text as a whole speak for trouble: just enough, where nothing speaks against it."""
_LEAN: Final = 0.5
"""What is added to their log-odds, as the real posts among those learnt from complain more rarely than most."""
_TOLD: Final = 0.3
"""What is added besides where the text does not name the service as a word: one tells a company little in passing."""
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
_TALK: Final = frozenset({Kind.NEWS, Kind.PAST, Kind.HYPOTHETICAL, Kind.ADVICE, Kind.JOKE, Kind.RECOVERY, Kind.STAFF})
_ABOUT: Final = frozenset({Kind.NEWS, Kind.JOKE, Kind.ADVICE, Kind.HYPOTHETICAL, Kind.RECOVERY})
_AT_HAND: Final = frozenset({Kind.ASK, Kind.ASKED, Kind.IMPACT})
_PLAIN: Final = frozenset({Kind.TROUBLE, Kind.UNABLE, Kind.LACKING})
"""Trouble that praise takes nothing from: "nice app but it keeps crashing", "won't load and my wifi is fine"."""
_ONCE: Final = 3.3
"""The most that trouble counts where a text talks about it (news, jokes, advice) and asks nobody: said once."""
_ANOTHERS: Final = 0.5
"""The share up to which praise is another's and takes nothing from trouble."""
_SYMPTOMS: Final = frozenset(Symptom)
_OTHER: Final = Symptom.OTHER.value
_SAID: Final = 1.5
"""What a symptom's points weigh beside what the words say of it."""
_OF_PARTS: Final = 2.0
"""Points of a symptom of which only a part of the service is named."""
_OF_NONE: Final = 1.0
"""Points of no symptom, where no phrase names one."""
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
        "_default",
        "_focus",
        "_passing",
        "_talk",
        "_unnamed",
        "_worded",
        "_wording",
        "counts",
        "moved",
        "needed",
        "parts",
        "said",
        "symptoms",
        "text",
        "total",
    )

    def __init__(self, folded: str, kind: ServiceKind, anchor: Anchor | None, worded: Worded | None):
        self.text = folded
        self._worded = worded if kind.wording else None
        self._anchor = anchor
        self._focus = kind.weights
        self._default = kind.weights.get("*", 1.0)
        self._talk = kind.talk
        self._wording = kind.wording
        self._passing = kind.passing
        # Trouble right beside the name is not said in passing: see add().
        self.needed = COMPLAINT + (self._passing if anchor is not None else 0.0)
        self._unnamed = kind.unnamed
        self.total = self.said = 0.0
        self.symptoms: dict[str, float] = {}
        self.parts: dict[str, None] = {}
        self.moved: list[tuple[int, float, int, int]] = []
        self.counts: dict[int, int] = {}

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
                if kind == Kind.TROUBLE and tag == _POWER:
                    self.add(Kind.PASSING, POINTS[Kind.PASSING], start, end)
                return
        elif kind == Kind.OTHER:
            points *= self._talk
        if self._anchor is not None and (kind in SAID_OF or kind == Kind.FINE):
            share = self._anchor.share(start, end)
            if kind == Kind.TROUBLE and self._anchor.touches(start, end):
                self.needed = COMPLAINT
            points *= 0.0 if kind == Kind.FINE and share <= _ANOTHERS else share
        seen = self.counts.get(kind, 0)
        if seen < LIMITS.get(kind, 1):
            self.counts[kind] = seen + 1
            self.total += points
            if kind in SAID_OF:
                self.said += points
            self.moved.append((kind, points, start, end))
        if tag in _SYMPTOMS and kind != Kind.PART:
            self.symptoms[tag] = self.symptoms.get(tag, 0.0) + points

    def named(self) -> tuple[str, ...]:
        """Return the symptoms, the main one first: what is said to fail, else its parts, as the words bear out.

        Where none is named it is the one that services of this kind fail in.
        """
        said = {tag: points * _TELLING.get(tag, 1.0) for tag, points in self.symptoms.items()}
        said = said or {tag: _OF_PARTS for tag in self.parts if self._fails(tag)} or {_OTHER: _OF_NONE}
        if self._worded is not None:
            likely = {t: p for t, p in self._worded.symptoms().items() if t == _OTHER or self._fails(t)}
            said[max(likely, key=lambda tag: likely[tag] + _SAID * said.get(tag, 0.0))] = math.inf
        main, *rest = sorted(said, key=said.__getitem__, reverse=True)
        return tuple(dict.fromkeys([self._unnamed if main == _OTHER else main, *(t for t in rest if t != _OTHER)]))

    def _fails(self, tag: str) -> bool:
        """Tell whether a tag is a symptom that services of this kind have."""
        return tag in _SYMPTOMS and self._focus.get(tag, self._default) > 0

    def settle(self, kind: Kind, points: float) -> None:
        """Correct what a kind counts by the text as a whole."""
        if points:
            self.total += points
            self.moved.append((kind, points, 0, 0))

    def weigh_words(self) -> None:
        """Add what the words say as a whole, where it may decide."""
        if self._worded is not None and self.total + WORDED >= self.needed:
            lean = _LEAN + _TOLD if self._anchor is None and not self._passing else _LEAN
            points = min(self._worded.trouble() + lean, WORDED)
            self.settle(Kind.WORDING, points * self._wording)

    def beside(self, last: Mapping[int, Hit], kind: int, hit: Hit, reach: int | None = None) -> Hit | None:
        """Return the last phrase of a kind if ``hit`` follows it closely and in the same sentence."""
        left = last.get(kind)
        return left if self.near(left, hit, NEAR[kind] if reach is None else reach) else None

    def near(self, left: Hit | None, right: Hit, reach: int) -> bool:
        """Tell whether ``right`` follows ``left`` closely and in the same sentence."""
        if left is None or right.start - left.end > reach:
            return False
        return right.start <= left.end or "|" not in self.text[left.end : right.start]


def _weigh_act(ledger: Ledger, last: dict[int, Hit], hit: Hit, kind: int, tag: str) -> None:
    """Count an act that cannot be done."""
    if left := ledger.beside(last, Kind.CANNOT, hit):
        ledger.add(Kind.UNABLE, POINTS[Kind.UNABLE], left.start, hit.end, tag)


def _weigh_denial(ledger: Ledger, last: dict[int, Hit], hit: Hit, kind: int, tag: str) -> None:
    """Count a denial after a verb."""
    if left := ledger.beside(last, Kind.VERB, hit):
        ledger.add(Kind.UNABLE, POINTS[Kind.UNABLE], left.start, hit.end)


def _weigh_report(ledger: Ledger, last: dict[int, Hit], hit: Hit, kind: int, tag: str) -> None:
    """Count what follows a name in headlines."""
    left = last.get(Kind.PART)
    if left is not None and left.entries[0].tag == _NAME and ledger.near(left, hit, 1):
        ledger.add(Kind.NEWS, POINTS[Kind.NEWS], left.start, hit.end)


def _weigh_vague(ledger: Ledger, last: dict[int, Hit], hit: Hit, kind: int, tag: str) -> None:
    """Count a lack of something vague."""
    if left := ledger.beside(last, Kind.LACK, hit):
        ledger.add(Kind.LACKING, POINTS[Kind.LACKING], left.start, hit.end, "connection")


def _weigh_own(ledger: Ledger, last: dict[int, Hit], hit: Hit, kind: int, tag: str) -> None:
    """Count a hint, a first person or an impact, beside each other as somebody's own."""
    for other in _OWN[kind]:
        if left := ledger.beside(last, other, hit, NEAR[Kind.FIRST]):
            hint = tag if kind == Kind.HINT else left.entries[0].tag
            ledger.add(Kind.OWN, POINTS[Kind.OWN], left.start, hit.end, hint)
    ledger.add(kind, POINTS[kind], hit.start, hit.end, tag)


def _weigh_trouble(ledger: Ledger, last: dict[int, Hit], hit: Hit, kind: int, tag: str) -> None:
    """Count trouble, with the symptom of the part before it; trouble on a condition is imagined."""
    if tag == "any":
        left = last.get(Kind.PART) or last.get(Kind.ACT)
        if left is not None and ledger.near(left, hit, NEAR[Kind.TROUBLE]):
            tag = left.entries[0].tag
            tag = "any" if tag in (_NAME, _POWER) else tag
    if left := ledger.beside(last, Kind.CONDITION, hit, 0):
        ledger.add(Kind.HYPOTHETICAL, POINTS[Kind.JOKE], left.start, hit.end)
    points = POINTS[kind]
    if kind in last and last[kind].end > hit.start + 1:
        points *= ledger.gain(tag, last[kind].entries[0].tag)
    ledger.add(kind, points, hit.start, hit.end, tag)


def _weigh_plain(ledger: Ledger, last: dict[int, Hit], hit: Hit, kind: int, tag: str) -> None:
    """Count a phrase that counts by itself."""
    if kind in POINTS:
        ledger.add(kind, POINTS[kind], hit.start, hit.end, tag)


def _weigh_part(ledger: Ledger, last: dict[int, Hit], hit: Hit, kind: int, tag: str) -> None:
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


_WAYS: Final[dict[int, Callable[[Ledger, dict[int, Hit], Hit, int, str], None]]] = {
    Kind.PART: _weigh_part,
    Kind.BAD: _weigh_bad,
    Kind.WEAK: _weigh_bad,
    Kind.POOR: _weigh_bad,
    Kind.ACT: _weigh_act,
    Kind.DENY: _weigh_denial,
    Kind.REPORT: _weigh_report,
    Kind.VAGUE: _weigh_vague,
    Kind.HINT: _weigh_own,
    Kind.FIRST: _weigh_own,
    Kind.IMPACT: _weigh_own,
    Kind.TROUBLE: _weigh_trouble,
}
"""How the kinds of phrases are weighed that others beside them change."""


def judge(
    folded: str, hits: list[Hit], kind: ServiceKind, anchor: Anchor | None = None, worded: Worded | None = None
) -> Verdict:
    """Return the verdict on a folded text and the phrases found in it.

    Args:
        folded: The text as :func:`clamor.text.fold.fold` gives it.
        hits: The phrases found in it.
        kind: What trouble means for this kind of service.
        anchor: Where the text names the service; None where it is about it whatever it names.
        worded: What its words say as a whole; None where only phrases count.

    """
    ledger = Ledger(folded, kind, anchor, worded)
    last: dict[int, Hit] = {}
    claims: dict[str, None] = {}
    for hit in hits:
        for entry, tag in hit.entries:
            if entry == Kind.CLAIM:
                claims[tag] = None
                continue
            if entry == Kind.RECOVERY:
                claims[RECOVERY] = None
            _WAYS.get(entry, _weigh_plain)(ledger, last, hit, entry, tag)
        for entry, _ in hit.entries:
            last[entry] = hit
    return _conclude(ledger, tuple(claims))


def _conclude(ledger: Ledger, claims: tuple[str, ...]) -> Verdict:
    found = ledger.counts.keys()
    if Kind.FINE in found and not _PLAIN.isdisjoint(found):
        fine = sum(points for kind, points, _, _ in ledger.moved if kind == Kind.FINE)
        ledger.settle(Kind.FINE, -fine)
    trouble = sum(points for _, points, _, _ in ledger.moved if points > 0)
    if ledger.said > _ONCE and not _ABOUT.isdisjoint(found) and _AT_HAND.isdisjoint(found):
        ledger.settle(Kind.TROUBLE, _ONCE - ledger.said)
    ledger.weigh_words()
    if ledger.total >= ledger.needed:
        return Verdict(Signal.COMPLAINT, ledger.named(), claims, ledger.total, ledger.text, ledger.moved)
    if Kind.HINT in found or (not _TALK.isdisjoint(found) and (trouble >= COMPLAINT or claims)):
        return Verdict(Signal.COMMENTARY, (), claims, ledger.total, ledger.text, ledger.moved)
    return Verdict(Signal.MENTION, (), claims, ledger.total, ledger.text, ledger.moved)
