"""The catalogue's phrases as one automaton: every phrase of every language found in one pass over a text."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from functools import lru_cache
from itertools import product
from operator import attrgetter
from typing import Any, Final, NamedTuple

import ahocorasick

from clamor.schema import Symptom
from clamor.text.fold import bounded, words


class Kind(IntEnum):
    """What a phrase is for the judge."""

    TROUBLE = 0
    PART = 1
    BAD = 2
    ACT = 3
    LACK = 4
    CANNOT = 5
    ASK = 6
    IMPACT = 7
    FEELING = 8
    FIRST = 9
    NEWS = 10
    PAST = 11
    HYPOTHETICAL = 12
    ADVICE = 13
    JOKE = 14
    RECOVERY = 15
    FINE = 16
    PROMO = 17
    STAFF = 18
    OTHER = 19
    CLAIM = 20
    FILLER = 21
    WEAK = 22
    VAGUE = 23
    HINT = 24
    POOR = 25
    WONDER = 26
    VERB = 27
    DENY = 28
    NEUTRAL = 29
    CONDITION = 36
    REPORT = 37
    PASSING = 38
    # Pairs, which the judge makes: a part with a lack, a bad word or a question; an act that cannot be done; a hint
    # beside a first person.
    LACKING = 30
    FAULTY = 31
    ASKED = 32
    UNABLE = 33
    OWN = 34
    WONDERED = 35
    # What the words of a text say as a whole.
    WORDING = 39


class Entry(NamedTuple):
    """One phrase's meaning: its kind and its symptom, claim or ``any``."""

    kind: int
    tag: str


class Hit(NamedTuple):
    """A phrase found at ``text[start:end]`` of the folded text."""

    start: int
    end: int
    entries: tuple[Entry, ...]


TAGGED: Final = {
    "trouble": Kind.TROUBLE,
    "hint": Kind.HINT,
    "part": Kind.PART,
    "bad": Kind.BAD,
    "act": Kind.ACT,
    "claim": Kind.CLAIM,
}
"""Sections of a phrase file whose lists are named by a symptom, a claim or ``any``."""
LISTS: Final = (
    "lack",
    "cannot",
    "ask",
    "impact",
    "feeling",
    "first",
    "filler",
    "vague",
    "weak",
    "poor",
    "wonder",
    "verb",
    "deny",
    "neutral",
    "condition",
    "report",
)
"""Lists at the top of a phrase file; ``[cue]`` holds the others."""
_TRUST: Final = 12
"""What the platform's word on the language weighs, in letters of phrases."""
_HEARD: Final = 160
"""How many characters of a text are heard for everyday words of its language."""
_AROUND: Final = frozenset(
    {Kind.ASK, Kind.WONDER, Kind.PAST, Kind.NEWS, Kind.JOKE, Kind.HYPOTHETICAL, Kind.ADVICE, Kind.CLAIM}
)
"""Kinds of phrases that may hold trouble without changing what it is."""
_ELSEWHERE: Final = frozenset(
    {
        Kind.NEUTRAL,
        Kind.OTHER,
        Kind.JOKE,
        Kind.NEWS,
        Kind.PAST,
        Kind.PROMO,
        Kind.HYPOTHETICAL,
        Kind.ADVICE,
        Kind.FINE,
        Kind.REPORT,
        Kind.PASSING,
    }
)
"""Kinds of phrases whose words are of other things than a service's trouble."""
_SPREAD: Final = str.maketrans("{},", "   ")
RECOVERY: Final = "recovery"
"""The claim that trouble is over; the others are causes."""
_ANY: Final = "*"
_TROUBLE: Final = Entry(Kind.TROUBLE, "any")
_SYMPTOMS: Final = frozenset(Symptom)
_NAMING: Final = frozenset({Kind.TROUBLE, Kind.BAD, Kind.PART, Kind.ACT})
_END: Final = attrgetter("end")
_CHOICE: Final = re.compile(r"\{([^{}]*)\}")


def expand(template: str) -> Iterator[str]:
    """Yield every reading of a phrase with choices.

    >>> list(expand("{is,are} down"))
    ['is down', 'are down']

    """
    pieces = _CHOICE.split(template)
    choices = [piece.split(",") if i % 2 else [piece] for i, piece in enumerate(pieces)]
    for parts in product(*choices):
        yield " ".join("".join(parts).split())


def keys_of(template: str) -> Iterator[str]:
    """Yield the folded keys of a template; folding its pieces once is what makes loading quick."""
    pieces = _CHOICE.split(template)
    choices = [[_fold(c) for c in piece.split(",")] if i % 2 else [_fold(piece)] for i, piece in enumerate(pieces)]
    if all(choice.isascii() for some in choices for choice in some):
        yield from (f" {key} " for parts in product(*choices) if (key := " ".join("".join(parts).split())))
        return
    for parts in product(*choices):
        if key := bounded(" ".join("".join(parts).split())):
            yield key


@lru_cache(maxsize=8192)
def _fold(piece: str) -> str:
    head = " " if piece[:1].isspace() else ""
    tail = " " if piece[-1:].isspace() else ""
    return f"{head}{words(piece)}{tail}" if piece else ""


def templates(table: Mapping[str, Any]) -> Iterator[tuple[str, Entry]]:
    """Yield the phrases of one language, as written, with their meanings."""
    for section, kind in TAGGED.items():
        for tag, written in table.get(section, {}).items():
            entry = Entry(Kind[tag.upper()], "any") if tag in LISTS else Entry(kind, tag)
            yield from ((template, entry) for template in written)
    for name in LISTS:
        yield from ((template, Entry(Kind[name.upper()], "any")) for template in table.get(name, ()))
    for name, written in table.get("cue", {}).items():
        yield from ((template, Entry(Kind[name.upper()], "any")) for template in written)


_Said = tuple[tuple[int, Entry], ...]
"""What a phrase means: the number of a language, and an entry."""


class _Value(NamedTuple):
    """What the automaton keeps of a phrase: its length, its languages, and by language its entries and its causes."""

    length: int
    languages: tuple[int, ...]
    entries: dict[int, tuple[Entry, ...]]
    causes: dict[int, tuple[Entry, ...]]

    @classmethod
    def of(cls, length: int, said: _Said) -> "_Value":
        """Sort the entries of a phrase; everyday words have none."""
        entries: dict[int, tuple[Entry, ...]] = {}
        causes: dict[int, tuple[Entry, ...]] = {}
        for number, entry in said:
            kept = causes if entry.kind == Kind.CLAIM and entry.tag != RECOVERY else entries
            kept[number] = kept.get(number, ()) + (() if entry.kind == Kind.FILLER else (entry,))
        return cls(length, tuple(dict.fromkeys(number for number, _ in said)), entries, causes)


class Vocabulary(NamedTuple):
    """The words of one language by which a phrase and a name are seen to belong together.

    Attributes:
        known: Words that may stand between a name and what is said of it.
        links: Words that may stand between a subject and what is said of it ("the boiler *has* been broken").

    """

    known: frozenset[str]
    links: frozenset[str]

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> "Vocabulary":
        """Gather the words of a phrase file's trouble, and its own lists of others."""
        said = [template for template, entry in templates(table) if entry.kind not in _ELSEWHERE]
        links = frozenset(words(word) for word in table.get("links", ()))
        said += table.get("common", ())
        known = frozenset(word for template in said for word in words(template.translate(_SPREAD)).split())
        return cls(known | links, links)


_NO_WORDS: Final = Vocabulary(frozenset(), frozenset())


def _everyday(phrases: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[int, ...]]:
    """Return the everyday words of the languages that have spaces, each with the numbers of its languages."""
    spoken: dict[str, tuple[int, ...]] = {}
    for number, table in enumerate(phrases.values()):
        for word in dict.fromkeys(map(words, (*table.get("filler", ()), *table.get("common", ())))):
            spoken[word] = (*spoken.get(word, ()), number)
    return spoken


class Lexicon:
    """All phrases, compiled. A text is read in the one language that most of its phrases belong to.

    Args:
        phrases: Language to its phrase file.
        always: Folded keys that mean the same in every language.

    """

    def __init__(self, phrases: Mapping[str, Mapping[str, Any]], always: Mapping[str, Entry]):
        self._languages = (*phrases, _ANY)
        self._vocabularies = {language: Vocabulary.of(table) for language, table in phrases.items()}
        self._everyday = _everyday(phrases)
        meanings: dict[str, _Said] = {key: ((len(phrases), entry),) for key, entry in always.items()}
        for number, table in enumerate(phrases.values()):
            for template, entry in templates(table):
                one = ((number, entry),)
                for key in keys_of(template):
                    if entry.kind == Kind.FILLER and key[0] == key[-1] == " ":
                        continue
                    known = meanings.setdefault(key, one)
                    if known is not one and one[0] not in known:
                        meanings[key] = known + one
        self.size = len(meanings)
        self._automaton = ahocorasick.Automaton()
        values: dict[tuple[int, _Said], _Value] = {}
        for key, said in meanings.items():
            value = values.get((len(key), said))
            if value is None:
                value = values[len(key), said] = _Value.of(len(key), said)
            self._automaton.add_word(key, value)
        self._automaton.make_automaton()

    def vocabulary(self, language: str) -> "Vocabulary":
        """Return the words that a language's phrases of trouble are made of."""
        return self._vocabularies.get(language, _NO_WORDS)

    def find(self, folded: str, language: str | None = None, names: Sequence[Hit] = ()) -> tuple[list[Hit], str]:
        """Return the phrases in a folded text, in order of their ends, and the language that it was read in.

        A phrase inside another is left out, but for trouble inside a question or a cue, and for what people say of
        the cause. ``language`` is what the platform says; it decides where words do not. ``names`` are hits of the
        services' names, to be put among the phrases.
        """
        found = list(self._automaton.iter(folded))
        best = self._spoken(folded, found, language)
        anyway = len(self._languages) - 1
        here: list[tuple[int, int, tuple[Entry, ...]]] = []
        aside = list(names)
        for last, (length, _, said, causes) in found:
            if entries := said.get(best) or said.get(anyway):
                here.append((last + 1 - length, last + 1, entries))
            if causes and (stated := causes.get(best)):
                aside.append(Hit(last + 1 - length, last + 1, stated))
        kept = _outermost(here)
        if aside:
            kept = sorted([*kept, *aside], key=_END)
        return kept, self._languages[best] if best < anyway else "en"

    def _spoken(self, folded: str, found: list[tuple[int, "_Value"]], language: str | None) -> int:
        """Return the number of the language that most letters of the phrases found and of everyday words are of."""
        votes = [0] * len(self._languages)
        for _, (length, languages, _, _) in found:
            for number in languages:
                votes[number] += length
        votes[-1] = 0
        if language not in self._languages and votes.count(0) < len(votes) - 1:
            everyday = self._everyday
            for word in folded[:_HEARD].split():
                for number in everyday.get(word, ()):
                    votes[number] += len(word)
        trusted = language if language in self._languages else "en"
        number = self._languages.index(trusted) if trusted in self._languages else 0
        if votes[number] or not any(votes):
            votes[number] += _TRUST if language else 1
        return votes.index(max(votes))


def _outermost(found: Iterable[tuple[int, int, tuple[Entry, ...]]]) -> list[Hit]:
    """Keep the phrases that lie in no other; trouble of no symptom takes that of a phrase inside it."""
    kept: list[Hit] = []
    low = high = -1
    for start, end, entries in found:
        while start <= low and end > high and kept:
            inner = kept[-1].entries[0]
            if entries[0].kind in _AROUND and inner.kind == Kind.TROUBLE:
                break
            entries = _named(entries, inner)
            kept.pop()
            low, high = (kept[-1].start, kept[-1].end) if kept else (-1, -1)
        if start < low or end > high:
            kept.append(Hit(start, end, entries))
            low, high = start, end
        elif kept[-1].entries[0].kind in _AROUND:
            if entries[0].kind == Kind.TROUBLE:
                kept.append(Hit(start, end, entries))
        else:
            kept[-1] = Hit(kept[-1].start, kept[-1].end, _named(kept[-1].entries, entries[0]))
    return kept


def _named(outer: tuple[Entry, ...], inner: Entry) -> tuple[Entry, ...]:
    """Give trouble of no symptom that of a phrase inside it ("the app keeps lagging": slow)."""
    if outer[0] == _TROUBLE and inner.kind in _NAMING and inner.tag in _SYMPTOMS:
        return (Entry(Kind.TROUBLE, inner.tag),)
    return outer
