"""A profile's location text to regions: "NYC ✈ LDN", "Paris, TX", "Georgia", "she/her 🇵🇭", "your bed".

The text is cut into segments, the longest known names in each become mentions, a mention that lies inside its
neighbour narrows it ("Paris" in "TX"), and what stays open stays a set.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from clamor.schema import UNKNOWN_REGION
from clamor.text.fold import words
from clamor.text.gazetteer import COUNTRY, SUBDIVISION, Gazetteer, gazetteer, nearest

ANSWER: Final = 0.8
"""Confidence below which a place is ``ZZ``, its candidates kept."""
_SURE: Final = 0.82
_FLAG: Final = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_NATIONS: Final = {"gbeng": "GB-ENG", "gbsct": "GB-SCT", "gbwls": "GB-WLS"}
_TAGGED: Final = re.compile("\U0001f3f4([\U000e0061-\U000e007a]+)\U000e007f")
_CUT: Final = re.compile(
    r"[,;/|\\•·・‧∙●◆★~\n\r\t()\[\]{}<>+→←↔➡⇄✈️🛫🛬:\"“”«»…、，。／｜!=*_]"
    r"|(?<!\w)\?|\?(?!\w)|\.\.+| [-–—] | [xX] |[–—]"
)
_NUMBER: Final = r"(-?\d{1,3}\.(?:\d{2,}|\d(?=\s*°)))"
_DEGREES: Final = re.compile(
    _NUMBER + r"[^\d\w.\-]{0,4}([NSns])?[^\d\w.\-]{1,4}" + _NUMBER + r"[^\d\w.\-]{0,4}([EWew])?"
)
_POSTCODE: Final = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b")
_IDEOGRAPHS: Final = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")
_SHORT: Final = {"st": "saint", "ft": "fort", "mt": "mount", "sta": "santa", "sto": "santo"}


@dataclass(frozen=True, slots=True)
class Place:
    """A place as a region code, or the candidates where it stays open."""

    region: str = UNKNOWN_REGION
    regions: tuple[str, ...] = ()
    method: str = "none"
    confidence: float = 0.0


NOWHERE: Final = Place()


@dataclass(slots=True)
class _Mention:
    """A name found in the text: its candidates, and whether its neighbours or the writing speak for it."""

    candidates: dict[str, float]
    segment: int
    key: str
    strange: int = 0
    codes: int = 0
    placed: bool = False
    is_word: bool = False
    backed: bool = False
    code: bool = False
    silent: bool = False

    @property
    def admin(self) -> bool:
        """Whether the name is foremost that of a country or a subdivision."""
        return max(self.candidates.values()) >= SUBDIVISION

    def top(self) -> str:
        """Return the weightiest candidate."""
        return max(self.candidates, key=self.candidates.__getitem__)


def read_profile(text: str) -> Place:
    """Return the place that a profile's location text names, ``ZZ`` with candidates where it stays open."""
    if (found := _DEGREES.search(text)) and (region := _coordinates(*found.groups())):
        return Place(region, (region,), "coordinates", 0.97)
    flags = _flags(text)
    places = _places(_FLAG.sub(" | ", _TAGGED.sub(" | ", text)), gazetteer())
    for flag in flags:
        if not any(flag in _countries(group) for group in places):
            places.append({flag: 1.0})
        else:
            places = [{r: p for r, p in g.items() if r[:2] == flag} or g for g in places]
    if not places and _POSTCODE.search(text):
        return Place("GB", ("GB",), "postcode", 0.85)
    return _answer(places, "flag" if flags and len(places) == len(flags) else "profile")


def _coordinates(lat: str, north: str | None, long: str, east: str | None) -> str | None:
    y = float(lat) * (-1 if north in ("S", "s") else 1)
    x = float(long) * (-1 if east in ("W", "w") else 1)
    return nearest(y, x)


def _flags(text: str) -> list[str]:
    codes = ["".join(chr(ord(c) - 0x1F1E6 + 65) for c in flag) for flag in _FLAG.findall(text)]
    nations = ["".join(chr(ord(c) - 0xE0000) for c in tags) for tags in _TAGGED.findall(text)]
    found = [c for c in codes if c != "EU"] + [_NATIONS[n] for n in nations if n in _NATIONS]
    return list(dict.fromkeys(found))


def _countries(group: dict[str, float]) -> set[str]:
    return {region[:2] for region in group} | set(group)


def _answer(places: list[dict[str, float]], method: str) -> Place:
    """Merge what the groups of mentions say: one region, a common country, or a set."""
    if not places:
        return NOWHERE
    found: dict[str, float] = {}
    for group in places:
        total = sum(group.values())
        for region, weight in group.items():
            found[region] = max(found.get(region, 0.0), weight / total)
    finest = {r: p for r, p in found.items() if not any(o.startswith(f"{r}-") for o in found)}
    regions = tuple(sorted(finest, key=lambda r: -finest[r]))
    sure = min(max(group.values()) / sum(group.values()) for group in places)
    if len(regions) == 1:
        return Place(regions[0], regions, method, round(min(0.97, max(sure, 0.9)), 3))
    countries = {r[:2] for r in regions}
    if len(countries) == 1:
        return Place(countries.pop(), regions, method, 0.93)
    return Place(UNKNOWN_REGION, regions, method, round(max(finest.values()) / sum(finest.values()), 3))


def _places(text: str, names: Gazetteer) -> list[dict[str, float]]:
    segments = [segment for segment in _CUT.split(text) if segment and segment.strip()]
    mentions: list[_Mention] = []
    joking = False
    for i, segment in enumerate(segments):
        found, strange, joke = _mentions(segment, i, names, mentions)
        joking = joking or joke
        for mention in found:
            mention.strange = strange
            mention.codes = sum(m.code for m in found)
        mentions += found
    groups = _groups([m for m in mentions if m.candidates])
    return [_narrow(m.candidates) for m in groups if _accepted(m, joking)]


def _tokens(segment: str) -> Iterator[tuple[str, bool]]:
    """Yield folded words with whether they were written in capitals; words without spaces between are cut by names."""
    for raw in segment.replace(".", " ").replace("-", " ").replace("&", " & ").split():
        if "?" in raw:  # a letter that a spreadsheet lost
            yield "?", False
            continue
        capitals = raw.isupper() and len(raw) <= 4
        for word in words(raw).split():
            yield word, capitals


def _mentions(segment: str, index: int, names: Gazetteer, before: list[_Mention]) -> tuple[list[_Mention], int, bool]:
    """Return the places named in a segment, the number of words that are none, and whether it jests."""
    whole = segment.strip()
    dotted = whole.replace(".", "").replace(" ", "")
    if "." in whole and dotted.isupper() and dotted in names.codes:
        return [_Mention(_code(dotted, names), index, dotted, code=True)], 0, False
    if _IDEOGRAPHS.search(segment):
        return _unspaced(words(segment), index, names)
    tokens = list(_tokens(segment))
    found: list[_Mention] = []
    strange, joke, at, end = 0, False, 0, -1
    while at < len(tokens):
        neighbour = found[-1] if at == end and found else before[-1] if at == 0 and before else None
        mention, width = _longest(tokens, at, names, neighbour)
        if mention is not None:
            mention.segment = index
            mention.placed = at > 0 and tokens[at - 1][0] in ("in", "from", "near", "of")
            found.append(mention)
            at = end = at + width
            continue
        word = tokens[at][0]
        joke = joke or word in names.jokes
        if word not in names.fillers and word not in names.jokes and not word.isdigit():
            strange += 1
        at += 1
    return found, strange, joke


def _longest(
    tokens: list[tuple[str, bool]], at: int, names: Gazetteer, before: _Mention | None
) -> tuple[_Mention | None, int]:
    for width in range(min(5, len(tokens) - at), 0, -1):
        part = [word for word, _ in tokens[at : at + width]]
        key = " ".join(part)
        if width == 1:
            if key.upper() in names.codes and (tokens[at][1] or _holds(before, names.codes[key.upper()])):
                return _Mention(_code(key.upper(), names), 0, key, code=True), 1
            alone = len(tokens) == 1 or tokens[at][1] or len(key) > 3
            if key in names.aliases and alone:
                return _aliased(key, names), 1
            if key in names.fillers or key in names.jokes or len(key) < 3 + key.isascii() * (not alone):
                return None, 0
        if all(word in names.fillers for word in part) and key not in names.aliases:
            continue
        candidates = names.candidates(key)
        if not candidates and part[0] in _SHORT:
            candidates = names.candidates(" ".join([_SHORT[part[0]], *part[1:]]))
        if candidates or key in names.aliases:
            if key in names.aliases:
                return _aliased(key, names), width
            return _Mention(candidates, 0, key, is_word=key in names.english), width
    return None, 0


def _aliased(key: str, names: Gazetteer) -> _Mention:
    """Return the mention of an alias; one of no region ("nice") is a place only beside a neighbour that holds it."""
    meant = bool(names.aliases[key])
    return _Mention(names.candidates(key), 0, key, backed=meant, silent=not meant)


def _holds(before: _Mention | None, regions: tuple[str, ...]) -> bool:
    """Tell whether a neighbour to the left may lie in one of the regions ("detroit, mi")."""
    return before is not None and any(r == s or r.startswith(f"{s}-") for r in before.candidates for s in regions)


def _code(code: str, names: Gazetteer) -> dict[str, float]:
    regions = names.codes[code]
    return {region: (COUNTRY if i == 0 else COUNTRY / 12) / 10 for i, region in enumerate(regions)}


def _unspaced(text: str, index: int, names: Gazetteer) -> tuple[list[_Mention], int, bool]:
    """Cut a text without word spaces by the longest names that it holds."""
    found: list[_Mention] = []
    strange = at = 0
    while at < len(text):
        for width in range(min(14, len(text) - at), 1, -1):
            key = text[at : at + width].strip()
            if len(key) > 1 and (candidates := names.candidates(key)):
                found.append(_Mention(candidates, index, key, backed=True))
                at += width
                break
        else:
            strange += text[at].isalpha()
            at += 1
    return found, strange // 3, False


def _groups(mentions: list[_Mention]) -> list[_Mention]:
    """Merge neighbours of which one lies inside the other ("Paris, TX"; "Texas, Houston")."""
    groups: list[_Mention] = []
    for mention in mentions:
        if groups and (both := _inside(groups[-1], mention)):
            last = groups[-1]
            last.candidates = both
            last.backed = True
            last.strange = min(last.strange, mention.strange)
            continue
        groups.append(mention)
    return groups


def _inside(left: _Mention, right: _Mention) -> dict[str, float]:
    """Return the finer candidates of two neighbours that agree; none if they name different places."""
    agreed: dict[str, float] = {}
    for r, people in left.candidates.items():
        for s, weight in right.candidates.items():
            if r == s or r.startswith(f"{s}-"):
                forward = weight >= SUBDIVISION or s == right.top()
                if forward:
                    agreed[r] = max(agreed.get(r, 0.0), people)
            elif s.startswith(f"{r}-") and people >= SUBDIVISION and weight >= 0.1 * max(right.candidates.values()):
                agreed[s] = max(agreed.get(s, 0.0), weight)
    return agreed


def _accepted(mention: _Mention, joking: bool) -> bool:
    """Tell whether a mention is meant as a place."""
    best = max(mention.candidates.values())
    if mention.backed:
        return mention.strange <= 6
    if mention.silent:
        return False
    if mention.code:
        return mention.strange == 0 or 2 <= mention.codes >= mention.strange
    if joking and best < SUBDIVISION:
        return False
    if mention.is_word and best < 2e5:
        return False
    if len(mention.key) <= 3 and not (best >= 1e7 or 5e5 <= best < SUBDIVISION):
        return False
    if best >= SUBDIVISION:
        return mention.strange <= 3
    if mention.strange == 0:
        return best >= (5e3 if len(mention.key) >= 6 else 2e4)
    return best >= 2e5 and mention.strange <= (3 if mention.placed else 1)


def _narrow(candidates: dict[str, float]) -> dict[str, float]:
    """Leave the candidates that are likely by their people: one where it is nearly sure, else those with a chance."""
    weighed = {region: people**1.3 for region, people in candidates.items()}
    total = sum(weighed.values())
    best = max(weighed, key=weighed.__getitem__)
    if weighed[best] / total >= _SURE:
        return {best: weighed[best] / total}
    return {region: weight / total for region, weight in weighed.items() if weight / total >= 0.05}
