"""Names of places in one piece of a profile's location text, and how sure it is that they are meant as places."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from clamor.text.fold import words
from clamor.text.gazetteer import COUNTRY, SUBDIVISION, Gazetteer

Kind = Literal["name", "alias", "city", "people", "code", "short", "silent"]

_IDEOGRAPHS: Final = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")
_DOTTED: Final = re.compile(r"\b(?:[^\W\d_]\.){2,}(?:[^\W\d_]\b)?")
_LOST: Final = re.compile(r"(?<=[^\W\d_])\?+(?=[^\W\d_])|(?<=[^\W\d_]{3})\?$|^\?(?=[^\W\d_]{4})")
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SERIAL: Final = re.compile(r"\b([A-Z]{1,3})-(\d)")
"""Finds letters of a number ("LV-426"), which are no codes of places."""
_KANA: Final = re.compile("[\u30a0-\u30ff]")
_HIRAGANA: Final = re.compile("[\u3041-\u309f]")
_HAN: Final = re.compile("[\u4e00-\u9fff]")
_LEADING: Final = frozenset("在住居自于於是的市省区區县縣州府都道標标国國地来現现东東西南北大新和与與及")
"""What may stand right before a name of two ideographs that is not the end of another word."""
_LETTERS: Final = ("", *"aeiouncsygzlrdt")
"""What a letter may have been that an export turned into a question mark."""
_SHORT: Final = {"st": "saint", "ft": "fort", "mt": "mount", "sta": "santa", "sto": "santo"}
_CODES = "in or me ok hi oh de la on it is am no so to my be at by do id al as pa ma md ms up ne"
_AIRPORTS = (
    "act add aut bel ber bog bom bos bra bud can col del den fra gig ham han hel hou ind ist jam ken kul las lim lis"
)
_OTHERS = "los mad man mel oak ord par per pit pol sac san sat sea sin sui tas tur ven vie"
_WORDY: Final = frozenset(f"{_CODES} {_AIRPORTS} {_OTHERS}".split())
"""Codes that are words when written small."""
_PLAIN: Final = frozenset(("uk", "dc", "hk", "nz"))
"""Short names of places that count anywhere."""
_BEFORE = "in from near of at around based living lives live via to en em aus desde dari"
_PLACED: Final = frozenset(_BEFORE.split())
_NUMBERED: Final = frozenset(("the", "area", "code", "state", "til", "i", "die", "baby"))
"""Words beside which a number may be an area code."""
_WIDEST: Final = 5
_LARGE: Final = 1e5
_WRITTEN_ON: Final = frozenset("בלמהוبلو")
"""Prepositions and articles of Hebrew and Arabic that are written as one word with what follows."""
_CASED: Final = frozenset(("в", "во", "из", "у", "з", "із", "до", "с"))
_CASES: Final = frozenset("аеиыуіюїя")
_NOMINATIVES: Final = ("", "а", "я", "ь", "й")
"""Letters that a case of a Slavic name puts in the place of others, after a preposition."""


@dataclass(slots=True)
class Mention:
    """A name found in the text.

    Attributes:
        candidates: Regions with their weights.
        key: The folded name.
        kind: Which list it is from; a ``short`` or ``silent`` one is a place only beside a neighbour that holds it.
        is_word: Whether the name is foremost a word.
        strange: Words of its piece of text that say nothing known.
        codes: How many codes stand in its piece of text.
        placed: Whether a word before it says that it is a place.
        followed: Whether an unknown word stands right behind it, as in what is no place ("Boston Terrier").
        backed: Whether a neighbour lies in it, or it in a neighbour.
        joined: Whether it stands right behind its neighbour, with a comma or nothing in between.
        touching: Whether nothing at all stands between it and its neighbour.
        tagged: Whether it is a hashtag or handle.

    """

    candidates: dict[str, float]
    key: str
    kind: Kind = "name"
    is_word: bool = False
    strange: int = 0
    codes: int = 0
    placed: bool = False
    followed: bool = False
    backed: bool = False
    joined: bool = False
    touching: bool = False
    tagged: bool = False

    def best(self) -> float:
        """Return the largest weight."""
        return max(self.candidates.values())


@dataclass(slots=True)
class Piece:
    """What was found: the mentions, the number of unknown words; whether it jests, names what is away, is made up."""

    mentions: list[Mention]
    strange: int = 0
    jests: bool = False
    away: bool = False
    made_up: bool = False


def read_piece(piece: str, names: Gazetteer, before: Sequence[Mention] = (), *, whole: bool = False) -> Piece:
    """Find the places named in a piece of text between two separators.

    Args:
        piece: The text.
        names: The gazetteer.
        before: Mentions of the pieces to the left.
        whole: Whether there is no other piece.

    """
    found = _unspaced(words(piece), names) if _IDEOGRAPHS.search(piece) else _spaced(piece, names, before, whole=whole)
    codes = sum(mention.kind == "code" for mention in found.mentions)
    for mention in found.mentions:
        mention.strange, mention.codes = found.strange, codes
    return found


def _spaced(piece: str, names: Gazetteer, before: Sequence[Mention], *, whole: bool) -> Piece:
    tokens = _tokens(piece, names)
    if whole and len(tokens) == 1 and tokens[0][0] not in _WORDY:
        tokens = [(tokens[0][0], True)]
    found = Piece([], made_up=any(word in names.fiction for word, _ in tokens))
    at, end = 0, -1
    while at < len(tokens):
        neighbour = found.mentions[-1] if at == end and found.mentions else before[-1] if at == 0 and before else None
        mention, width = _longest(tokens, at, names, neighbour)
        if mention is None and (width := _phrase(tokens, at, names.away)):
            found.away = True
            at += width
            continue
        if mention is None:
            word = tokens[at][0]
            found.jests |= word in names.jokes
            if not (word in names.fillers or word in names.jokes or word.isdigit()):
                found.strange += 1
                if at == end and found.mentions:
                    found.mentions[-1].followed = True
            at += 1
            continue
        mention.placed = at > 0 and tokens[at - 1][0] in _PLACED
        mention.touching = at == end and "-" not in piece
        mention.joined = at == 0 or mention.touching
        at += width
        end = at
        if at < len(tokens) and _longest(tokens, at, names, None)[1] == 1 and _phrase(tokens, at, names.fans):
            found.strange += 1
        elif not found.away:
            found.mentions.append(mention)
    found.mentions = [mention for mention in found.mentions if not _is_number(mention, found, tokens)]
    return found


def _is_number(mention: Mention, found: Piece, tokens: list[tuple[str, bool]]) -> bool:
    """Tell whether an area code is a mere number ("Earth-616", a telephone number)."""
    if not mention.key.isdigit():
        return False
    named = {word for other in found.mentions if other.kind != "silent" for word in other.key.split()}
    return any(word not in named and word not in _NUMBERED for word, _ in tokens)


def _tokens(piece: str, names: Gazetteer) -> list[tuple[str, bool]]:
    """Return folded words with whether they stand out by capitals; in a text all of capitals none does."""
    if "." in piece:
        piece = _DOTTED.sub(lambda found: found[0].replace(".", "") + " ", piece).replace(".", " ")
    raws = _SERIAL.sub(r"\1_\2", piece).replace("-", " ").replace("&", " and ").split()
    loud = any(len(raw) > 4 and raw.isupper() for raw in raws)
    tokens: list[tuple[str, bool]] = []
    for raw in raws:
        capitals = not loud and len(raw) <= 4 and raw.isupper()
        if "?" in raw and _LOST.search(raw):
            tokens.append((raw.lower(), False))
        elif raw.isascii() and raw.isalnum():
            parts = _CAMEL.split(raw)
            if len(parts) == 1 or not _is_known(parts, names):
                tokens.append((raw.lower(), capitals))
            else:
                tokens += [(part.lower(), part.isupper()) for part in parts]
        else:
            tokens += [(word, capitals) for word in words(raw).split()]
    for i, (word, _) in enumerate(tokens):
        if "?" in word:
            tokens[i] = (_restored(tokens, i, names), False)
    return tokens


def _is_known(parts: list[str], names: Gazetteer) -> bool:
    """Tell whether a word in CamelCase is known words written as one, and not a name by itself ("McAllen")."""
    parts = [part.lower() for part in parts]
    if names.kind("".join(parts)):
        return False
    each = all(part in names.fillers or part in names.codes or names.kind(part) for part in parts)
    return each or names.kind(" ".join(parts)) is not None


def _restored(tokens: list[tuple[str, bool]], at: int, names: Gazetteer) -> str:
    """Guess the letter that was lost in a word, by the names that it may be or begin or end."""
    left = f"{tokens[at - 1][0]} " if at else ""
    right = f" {tokens[at + 1][0]}" if at + 1 < len(tokens) else ""
    best, guess = 0.0, words(tokens[at][0].replace("?", ""))
    for letter in _LETTERS:
        word = words(_LOST.sub(letter, tokens[at][0]))
        for key in (f"{word}{right}", f"{left}{word}", word):
            weight = max(names.candidates(key).values(), default=0.0)
            if weight > best and len(key) > 3:
                best, guess = weight, word
    return guess


def _phrase(tokens: list[tuple[str, bool]], at: int, phrases: frozenset[str]) -> int:
    """Return how many words of a phrase of the list begin here."""
    for width in range(min(4, len(tokens) - at), 0, -1):
        if " ".join(word for word, _ in tokens[at : at + width]) in phrases:
            return width
    return 0


def _longest(
    tokens: list[tuple[str, bool]], at: int, names: Gazetteer, before: Mention | None
) -> tuple[Mention | None, int]:
    for width in range(min(_WIDEST, len(tokens) - at), 1, -1):
        part = [word for word, _ in tokens[at : at + width]]
        mention = _named(" ".join(part), names)
        if part[0] in _SHORT and (full := _named(" ".join([_SHORT[part[0]], *part[1:]]), names)):
            full.candidates |= mention.candidates if mention else {}
            return full, width
        if mention and not (mention.kind == "name" and all(word in names.fillers for word in part)):
            return mention, width
    return _single(tokens, at, names, before), 1


def _single(tokens: list[tuple[str, bool]], at: int, names: Gazetteer, before: Mention | None) -> Mention | None:
    """Return the mention of one word: a code, an everyday name, or a name of the gazetteer."""
    word, capitals = tokens[at]
    last = at + 1 == len(tokens)
    meant, held = names.codes.get(word, ()), names.codes.get(word, ()) + names.short.get(word, ())
    clear = word not in _WORDY or last
    if held and (clear or capitals) and before is not None and holds(before, held):
        weights = {region: (COUNTRY if region in meant else COUNTRY / 12) / 10 for region in held}
        return Mention(weights, word, "code" if capitals else "short")
    if meant and clear and capitals:
        return Mention(dict.fromkeys(meant, COUNTRY / 10), word, "code")
    alone = capitals or (len(tokens) == 1 and word not in _WORDY)
    if names.kind(word) in (None, "name", "people"):
        if word in names.fillers or word in names.jokes or len(word) < (4 if word.isascii() and not alone else 2):
            return None
    elif len(word) == 2 and word.isascii() and not (alone or word in _PLAIN):
        return None
    return _named(word, names) or (None if word.isascii() else _inflected(tokens, at, names))


def _inflected(tokens: list[tuple[str, bool]], at: int, names: Gazetteer) -> Mention | None:
    """Return the large place of a word in a case or with a preposition written on it ("в Казани", "بالرياض")."""
    word = tokens[at][0]
    forms: list[str] = []
    if word[0] in _WRITTEN_ON and len(word) > 3:
        forms = [word[1:], f"ا{word[1:]}"]
    elif at and tokens[at - 1][0] in _CASED and word[-1] in _CASES and len(word) > 3:
        forms = [word[:-1] + end for end in _NOMINATIVES]
    found = [mention for form in forms if (mention := _named(form, names)) and mention.best() >= _LARGE]
    return max(found, key=Mention.best) if found else None


def _named(key: str, names: Gazetteer) -> Mention | None:
    kind = names.kind(key)
    if kind is None:
        return None
    is_word = names.names.is_word(key) if kind == "name" else key in names.soft
    return Mention(names.candidates(key), key, kind, is_word=is_word)


def holds(before: Mention, regions: Sequence[str]) -> bool:
    """Tell whether a neighbour to the left may lie in one of the regions ("detroit, mi")."""
    return any(r == s or r.startswith(f"{s}-") for r in before.candidates for s in regions)


def _unspaced(text: str, names: Gazetteer) -> Piece:
    """Cut a text without word spaces by the longest names that it holds."""
    found = Piece([])
    letters = at = end = 0
    while at < len(text):
        for width in range(min(14, len(text) - at), 1, -1):
            key = text[at : at + width].strip()
            if len(key) > 1 and _whole_word(text, at, at + width, end) and (mention := _named(key, names)):
                found.mentions.append(mention)
                at += width
                end = at
                break
        else:
            letters += text[at].isalpha()
            at += 1
    found.strange = letters // 3
    return found


def _whole_word(text: str, start: int, end: int, named: int) -> bool:
    """Tell whether ``text[start:end]`` cuts no word in two: kana are words by themselves, Hangul and Han begin one."""
    if start in (0, named):
        return not (_KANA.match(text[end - 1]) and _KANA.match(text[end : end + 1]))
    before, after = text[start - 1], text[end : end + 1]
    if "\uac00" <= text[start] <= "\ud7af":
        return not "\uac00" <= before <= "\ud7af"
    if _HIRAGANA.match(text[start]):
        return not _HIRAGANA.match(before)
    if end - start == 2 and _HAN.match(text[start]):
        return not _HAN.match(before) or before in _LEADING
    return not (_KANA.match(text[start]) and _KANA.match(before)) and not (
        _KANA.match(text[end - 1]) and _KANA.match(after)
    )


def accepted(mention: Mention, *, jests: bool) -> bool:
    """Tell whether a mention is meant as a place, by its neighbours, its size and the words around it."""
    if mention.backed:
        return mention.strange <= 6
    best = mention.best()
    if mention.kind in ("silent", "short"):
        return False
    if mention.kind == "code":
        return mention.strange == 0 or 2 <= mention.codes >= mention.strange
    if mention.kind == "people":
        return mention.strange == 0 and not jests
    if mention.followed and not mention.placed and (mention.key.isascii() or mention.strange > 1):
        return False
    if mention.is_word and mention.kind in ("alias", "city"):
        return mention.strange == 0 or (mention.placed and not mention.followed)
    if mention.kind in ("alias", "city"):
        return mention.strange <= 6
    if mention.is_word and not 2e5 <= best < SUBDIVISION:
        return False
    if not mention.key.isascii():
        return mention.strange == 0 or mention.strange <= (3 if best >= SUBDIVISION else 2 if best >= 2e5 else 0)
    if jests and best < SUBDIVISION:
        return False
    if len(mention.key) <= 3 and not (best >= 1e7 or 5e5 <= best < SUBDIVISION):
        return False
    if best >= SUBDIVISION:
        return mention.strange <= (3 if best >= 1e7 or mention.placed else 0)
    if mention.strange == 0:
        return best >= (5e3 if " " in mention.key else 15e3 if len(mention.key) >= 6 else 3e4)
    return best >= 2e5 and mention.strange <= (3 if mention.placed else 1)
