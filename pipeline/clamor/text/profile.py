"""A profile's location text to regions: "NYC ✈ LDN", "Paris, TX", "Georgia", "she/her 🇵🇭", "your bed".

The text is cut into pieces, the longest known names in each become mentions, a mention that lies inside its
neighbour narrows it ("Paris" in "TX"), and what stays open stays a set.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from clamor.schema import UNKNOWN_REGION
from clamor.text.degrees import coordinates
from clamor.text.gazetteer import COUNTRY, SUBDIVISION, Gazetteer, gazetteer, nearest
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
    r"([,;/|\\•·・‧∙●◆★~\n\r\t()\[\]{}<>+→←↔⇄\u2600-\u27bf\U0001f300-\U0001faff:\"“”«»…、，。／｜!=*_#@]"
    r"|(?<!\w)\?(?!\w{4})|\?{2,}(?!\w)|\?(?!\w|$)|\.\.+| [-–—] | [xX] |[–—]|(?<=\w{4})\.\s)"
)
_ADDRESS: Final = re.compile(r"\S+@\S+\.\w+|(?:https?://|www\.)\S+")
_SMALL: Final = 1.5e5
"""People of a town below which what follows it after a comma says where it is, though no table knows it there."""
_KNOWN: Final = 5e5
"""The most that a town weighs where letters of several meanings follow it ("Richmond, CA")."""
_CITIES: Final = frozenset(("ny", "dc", "la"))
"""Codes of states that as often mean their city, which may stand beside another ("London, NY")."""
_SHARE: Final = 0.85
"""The least share of one country in the people of all towns of a name that is not left open."""
_POSTCODE: Final = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b")
_DISTRICT: Final = re.compile(r"\b(?:SE|SW|NW|EC|WC)\d{1,2}[A-Z]?\b")
"""A postal district of London."""


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
    written = text
    if (at := coordinates(text)) and (region := nearest(*at)):
        return Place(region, (region,), "coordinates", 0.97)
    names = gazetteer()
    text = _DISTRICT.sub(" ", text.replace("\ufffd", "?"))
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
    if not groups and (code := _POSTCODE.search(written) or _DISTRICT.search(written)):
        region = "GB-ENG" if code.re is _DISTRICT else "GB"
        return Place(region, (region,), "postcode", 0.85)
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
    """Return what each place of a text may be; a hashtag or handle beside unknown words is talk, no place."""
    pieces = _pieces(text)
    mentions: list[Mention] = []
    strange = 0
    jests = away = made_up = False
    for piece, cut in pieces:
        found = read_piece(piece, names, mentions, whole=len(pieces) == 1)
        for mention in found.mentions:
            mention.tagged = cut[-1] in "#@" if cut else False
        if found.mentions and found.mentions[0].joined:
            found.mentions[0].joined = cut in (",", "(")
        jests, away, made_up = jests or found.jests, away or found.away, made_up or found.made_up
        mentions += [] if away and not found.away else found.mentions
        strange += found.strange
    merged = _merged([each for each in mentions if each.candidates and not (each.tagged and strange)], names)
    meant = [mention for mention in _unnamed(merged, jests=jests) if mention.backed or not made_up]
    doubts = [mention for mention in merged if meant and mention.kind == "code" and mention not in meant]
    return [_weighed(mention) for mention in (*meant, *doubts)]


def _unnamed(mentions: list[Mention], *, jests: bool) -> list[Mention]:
    """Return the mentions that are meant as places: not those that begin another name ("Austin Butler")."""
    meant = [accepted(mention, jests=jests) for mention in mentions]
    begins = [
        after.touching and not good and after.kind not in ("code", "short")
        for after, good in zip(mentions[1:], meant[1:], strict=True)
    ]
    return [
        mention
        for mention, good, begun in zip(mentions, meant, [*begins, False], strict=False)
        if good and (mention.backed or mention.placed or not begun)
    ]


def _pieces(text: str) -> list[tuple[str, str]]:
    """Return the pieces of a text with the separator before each."""
    parts = ["", *_CUT.split(_ADDRESS.sub("|", text))]
    found: list[tuple[str, str]] = []
    cut = ""
    for mark, piece in zip(parts[::2], parts[1::2], strict=True):
        cut = (cut + mark.strip()) or mark
        if piece and not piece.isspace():
            found.append((piece, cut))
            cut = ""
    return found


def _merged(mentions: list[Mention], names: Gazetteer) -> list[Mention]:
    """Merge neighbours of which one lies inside the other ("Paris, TX"; "Texas, Houston")."""
    merged: list[Mention] = []
    for mention in mentions:
        last = merged[-1] if merged else None
        if last and last.kind == "code" and mention.joined and (own := _letters(last, mention, names)):
            last.candidates = own
        if last and last.key != mention.key and (both := _inside(last, mention)):
            last.candidates = both
            last.backed = True
            last.strange = min(last.strange, mention.strange)
        elif last and _within(last, mention):
            mention.strange = min(last.strange, mention.strange)
            merged[-1] = mention
        else:
            merged.append(mention)
    return merged


def _letters(left: Mention, right: Mention, names: Gazetteer) -> dict[str, float]:
    """Return the states that letters of a state mean in the country behind them ("TN, India")."""
    if not all("-" in region for region in left.candidates):
        return {}
    top = right.best()
    countries = [region for region, weight in right.candidates.items() if weight == top and "-" not in region]
    held = (region for region in names.short.get(left.key, ()) if region[:2] in countries and "-" in region)
    return dict.fromkeys(held, COUNTRY / 10)


def _within(left: Mention, right: Mention) -> bool:
    """Tell whether a place right behind another says where that lies, though no table knows it there.

    "Brookfield, Scotland" is no Brookfield of Wisconsin, and "Berlin, CT" not Berlin.
    """
    if not right.joined or left.backed or left.kind not in ("name", "city", "alias"):
        return False
    named = [region for region, weight in left.candidates.items() if weight >= COUNTRY]
    if len(named) == 1 and "-" in named[0]:
        return False
    if len(named) > 1:
        return right.best() >= COUNTRY
    if right.kind in ("code", "short"):
        return right.key not in _CITIES and all(region.endswith(f"-{right.key.upper()}") for region in right.candidates)
    return left.kind == "name" and left.best() < (1e6 if right.best() >= SUBDIVISION else _SMALL)


def _inside(left: Mention, right: Mention) -> dict[str, float]:
    """Return the finer candidates of two neighbours that agree; none if they name different places."""
    agreed: dict[str, float] = {}
    best, top = left.best(), right.best()
    most = _KNOWN if right.kind in ("code", "short") else best
    for r, people in left.candidates.items():
        for s, weight in right.candidates.items():
            if r == s or r.startswith(f"{s}-"):
                whole = weight >= SUBDIVISION
                if (whole and _states(right, s, best)) or (people >= 0.1 * best and (whole or weight == top)):
                    agreed[r] = max(agreed.get(r, 0.0), min(people, most) * (weight / top) ** 0.5)
            elif s.startswith(f"{r}-") and people >= SUBDIVISION and weight >= 0.1 * top:
                agreed[s] = max(agreed.get(s, 0.0), weight)
    return agreed


def _states(right: Mention, region: str, best: float) -> bool:
    """Tell whether a region behind a place says where that lies, be that place ever so small there ("London, KY")."""
    if "-" in region:
        letters = len(right.key) == 2 or region.endswith(f"-{right.key.upper()}")
        return letters if right.kind == "code" else right.joined
    return right.joined and best < COUNTRY


def _weighed(mention: Mention) -> _Group:
    """Leave the candidates that are likely by their people: one where it is nearly sure, else those with a chance."""
    shares = _whole({region: people**1.3 for region, people in mention.candidates.items()})
    best = max(shares, key=shares.__getitem__)
    countries = _Group(_whole(mention.candidates)).countries()
    if mention.kind == "name" and not mention.backed and max(countries.values()) < _SHARE:
        return _Group(_whole({r: share for r, share in shares.items() if share >= _TINY}), _trust(mention))
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
