"""A profile's location text to regions: "NYC ✈ LDN", "Paris, TX", "Georgia", "she/her 🇵🇭", "your bed".

The text is cut into pieces, the longest known names in each become mentions, a mention that lies inside its
neighbour narrows it ("Paris" in "TX"), and what stays open stays a set.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from clamor.schema import UNKNOWN_REGION
from clamor.text.degrees import coordinates
from clamor.text.gazetteer import SUBDIVISION, Gazetteer, gazetteer, nearest
from clamor.text.mentions import Mention, accepted, read_piece

ANSWER: Final = 0.8
"""Confidence below which a place is ``ZZ``, its candidates kept."""
_SURE: Final = 0.82
_COUNTRY_SURE: Final = 0.9
_TINY: Final = 0.05
_LARGE: Final = 2e5
_FLAG: Final = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_TAGGED: Final = re.compile("\U0001f3f4([\U000e0061-\U000e007a]+)\U000e007f")
_CUT: Final = re.compile(
    r"[,;/|\\•·・‧∙●◆★~\n\r\t()\[\]{}<>+→←↔⇄\u2600-\u27bf\U0001f300-\U0001faff:\"“”«»…、，。／｜!=*_]"
    r"|(?<!\w)\?|\?{2,}(?!\w)|\?(?!\w|$)|\.\.+| [-–—] | [xX] |[–—]"
)
_POSTCODE: Final = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b")


@dataclass(frozen=True, slots=True)
class Place:
    """A place as a region code, or the candidates where it stays open."""

    region: str = UNKNOWN_REGION
    regions: tuple[str, ...] = ()
    method: str = "none"
    confidence: float = 0.0


NOWHERE: Final = Place()


@dataclass(slots=True)
class _Group:
    """What one place of the text may be: shares that add up to one, and how sure it is that a place is meant."""

    shares: dict[str, float] = field(default_factory=dict)
    sure: float = 1.0

    def countries(self) -> dict[str, float]:
        """Return the shares by country."""
        found: dict[str, float] = {}
        for region, share in self.shares.items():
            found[region[:2]] = found.get(region[:2], 0.0) + share
        return found


def read_profile(text: str) -> Place:
    """Return the place that a profile's location text names, ``ZZ`` with candidates where it stays open."""
    if (at := coordinates(text)) and (region := nearest(*at)):
        return Place(region, (region,), "coordinates", 0.97)
    text = text.replace("\ufffd", "?")
    names = gazetteer()
    flags = _flags(text, names)
    groups = _groups(_FLAG.sub(" | ", _TAGGED.sub(" | ", text)) if flags else text, names)
    alone = not groups
    for flag in flags:
        agreeing = [group for group in groups if flag[:2] in group.countries()]
        for group in agreeing:
            inside = {r: share for r, share in group.shares.items() if r.startswith(flag)}
            group.shares = _whole(inside or group.shares)
            group.sure = max(group.sure, 0.98)
        if not agreeing:
            groups.append(_Group({flag: 1.0}, 0.96))
    if not groups and _POSTCODE.search(text):
        return Place("GB", ("GB",), "postcode", 0.85)
    return _answer(groups, "flag" if flags and alone else "profile")


def _flags(text: str, names: Gazetteer) -> list[str]:
    if text.isascii():
        return []
    codes = ["".join(chr(ord(c) - 0x1F1E6 + 65) for c in flag) for flag in _FLAG.findall(text)]
    tags = ["".join(chr(ord(c) - 0xE0000) for c in tag).upper() for tag in _TAGGED.findall(text)]
    found = [*codes, *(f"{tag[:2]}-{tag[2:]}" for tag in tags)]
    return [code for code in dict.fromkeys(found) if code in names.regions]


def _whole(shares: dict[str, float]) -> dict[str, float]:
    total = sum(shares.values())
    return {region: share / total for region, share in shares.items()}


def _answer(groups: list[_Group], method: str) -> Place:
    """Merge what the groups say: one region, a common country, or a set."""
    if not groups:
        return NOWHERE
    _agree(groups)
    found: dict[str, float] = {}
    for group in groups:
        for region, share in group.shares.items():
            found[region] = max(found.get(region, 0.0), share)
    finest = {r: p for r, p in found.items() if not any(o.startswith(f"{r}-") for o in found)}
    regions = tuple(sorted(finest, key=lambda r: -finest[r]))
    sure = min(group.sure for group in groups)
    if len(regions) == 1:
        return _place(regions[0], regions, method, sure * min(max(g.shares.values()) for g in groups))
    tops = [max(group.countries().items(), key=lambda item: item[1]) for group in groups]
    if len({country for country, _ in tops}) == 1 and (share := min(share for _, share in tops)) >= _COUNTRY_SURE:
        return _place(tops[0][0], regions, method, sure * share)
    return Place(UNKNOWN_REGION, regions, method, round(sure * max(finest.values()) / sum(finest.values()), 3))


def _agree(groups: list[_Group]) -> None:
    """Let groups that are sure of one country decide for those that are open ("US - IL - ID")."""
    sure = {top for group in groups for top, share in group.countries().items() if share >= _COUNTRY_SURE}
    if len(sure) != 1:
        return
    (country,) = sure
    for group in groups:
        if 0 < group.countries().get(country, 0.0) < _COUNTRY_SURE:
            group.shares = _whole({r: share for r, share in group.shares.items() if r[:2] == country})


def _place(region: str, regions: tuple[str, ...], method: str, sure: float) -> Place:
    return Place(region if sure >= ANSWER else UNKNOWN_REGION, regions, method, round(sure, 3))


def _groups(text: str, names: Gazetteer) -> list[_Group]:
    pieces = [piece for piece in _CUT.split(text) if piece and not piece.isspace()]
    mentions: list[Mention] = []
    jests = away = False
    for piece in pieces:
        found = read_piece(piece, names, mentions, whole=len(pieces) == 1)
        jests, away = jests or found.jests, away or found.away
        mentions += [] if away and not found.away else found.mentions
    merged = _merged([mention for mention in mentions if mention.candidates])
    meant = [mention for mention in merged if accepted(mention, jests=jests)]
    doubts = [mention for mention in merged if meant and mention.kind == "code" and mention not in meant]
    return [_weighed(mention) for mention in (*meant, *doubts)]


def _merged(mentions: list[Mention]) -> list[Mention]:
    """Merge neighbours of which one lies inside the other ("Paris, TX"; "Texas, Houston")."""
    merged: list[Mention] = []
    for mention in mentions:
        last = merged[-1] if merged else None
        if last and last.key != mention.key and (both := _inside(last, mention)):
            last.candidates = both
            last.backed = True
            last.strange = min(last.strange, mention.strange)
        else:
            merged.append(mention)
    return merged


def _inside(left: Mention, right: Mention) -> dict[str, float]:
    """Return the finer candidates of two neighbours that agree; none if they name different places."""
    agreed: dict[str, float] = {}
    best, top = left.best(), right.best()
    for r, people in left.candidates.items():
        for s, weight in right.candidates.items():
            if r == s or r.startswith(f"{s}-"):
                if weight >= SUBDIVISION or (weight == top and people >= 0.1 * best):
                    agreed[r] = max(agreed.get(r, 0.0), people)
            elif s.startswith(f"{r}-") and people >= SUBDIVISION and weight >= 0.1 * top:
                agreed[s] = max(agreed.get(s, 0.0), weight)
    return agreed


def _weighed(mention: Mention) -> _Group:
    """Leave the candidates that are likely by their people: one where it is nearly sure, else those with a chance."""
    shares = _whole({region: people**1.3 for region, people in mention.candidates.items()})
    best = max(shares, key=shares.__getitem__)
    if shares[best] >= _SURE:
        return _Group({best: 1.0}, _trust(mention) * (0.95 + 0.05 * shares[best]))
    return _Group(_whole({region: share for region, share in shares.items() if share >= _TINY}), _trust(mention))


def _trust(mention: Mention) -> float:
    """Say how sure it is that a mention means a place, by the kind of name and the words around it."""
    if mention.backed:
        base = 0.99
    elif mention.kind == "people":
        base = 0.9
    elif mention.kind in ("alias", "city") or mention.best() >= _LARGE:
        base = 0.97
    else:
        base = 0.85
    return base - 0.02 * min(mention.strange, 4)
