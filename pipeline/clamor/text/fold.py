"""One spelling for every way to write a word, so that phrases match as written in the catalogue.

Folding lower-cases, normalises compatibility forms (full-width letters, half-width kana), drops accents, Arabic vowel
signs and apostrophes, cuts URLs out, and turns everything but letters, digits, ``@``, ``_`` and ``&`` into spaces.
Scripts without word spaces (Han, kana, Hangul, Thai, ...) are set apart from the others by spaces.
"""

import re
import unicodedata
from typing import Final

_SPACED: Final = bytes(i if chr(i).isalnum() or chr(i) in "@_|&" else 32 for i in bytes(range(128)).lower()).ljust(256)
"""Small letters and spaces for signs, byte by byte: three times as fast as :meth:`str.translate`."""
_PLAIN: Final = re.compile("[^\x00-\x7f\u00a0-\u00bf\u2000-\u2bff\ufe0f\U0001f000-\U0001faff\ufffd]")
"""Finds a letter beyond ASCII; what it lets through are signs and emoji."""
_URL: Final = re.compile(
    r"(?:https?://|www\.|pic\.twitter\.com/)\S*|\b[\w-]+\.(?:com|net|org|gg|co|tv|be|ly|me|io|app)/\S*"
)
_MARKS: Final = re.compile("[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670]+")
_UNSEEN: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]+")
"""Joiners, marks of direction and selectors of a glyph: they are written inside words and are none of their letters."""
_SIGNS: Final = re.compile(r"[^\w@&|\u0900-\u0dff\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff]")
UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
)
_HAS_UNSPACED: Final = re.compile(f"[{UNSPACED}]")
_BORDERS: Final = re.compile(f"(?<=[{UNSPACED}])(?=[0-9a-z@])|(?<=[0-9a-z])(?=[{UNSPACED}])")
_TWINS: Final = str.maketrans(
    {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ى": "ي", "ة": "ه", "ک": "ك", "ی": "ي", "ٱ": "ا", "ё": "е", "ß": "s"}
)
_APOSTROPHES: Final = (
    ("n't", "nt"),
    ("'s ", "s "),
    ("'m ", "m "),
    ("'re ", "re "),
    ("'ve ", "ve "),
    ("'ll ", "ll "),
    ("'d ", "d "),
)
_ENDS: Final = (". ", "! ", "? ", "; ", "\n", "。", "！", "？", "؟")
_TRIPLES: Final = tuple(letter * 3 for letter in "aeiounswrhyglmtpd")
_LONG: Final = re.compile(r"([a-z])\1{2,}")


def fold(text: str) -> str:
    """Return a text as folded words, one space between them and at both ends; ``|`` stands where a sentence ends.

    >>> fold("TikTok’s DOWN, can't log in!! Why?")
    ' tiktoks down cant log in | why | '

    """
    text = f" {text.lower()} "
    if not text.isascii():
        text = _UNSEEN.sub("", text).replace("’", "'").replace("‘", "'")
        text = _strip(text) if _PLAIN.search(text) else text.encode("ascii", "replace").decode("ascii")
    if "/" in text or "www." in text:
        text = _URL.sub(" ", text)
    if "&amp;" in text:
        text = text.replace("&amp;", "&")
    if "'" in text:
        for written, short in _APOSTROPHES:
            text = text.replace(written, short)
    for end in _ENDS:
        if end in text:
            text = text.replace(end, " | ")
    if text.isascii():
        text = _spaced(text)
    else:
        if _HAS_UNSPACED.search(text):
            text = _BORDERS.sub(" ", text)
        text = _SIGNS.sub(" ", text)
    return f" {' '.join(text.split())} "


def skim(text: str) -> str | None:
    """Return a text lower-cased with spaces for signs, or None where that says too little (letters beyond ASCII).

    It is what :func:`fold` begins with, at a third of its price: enough to rule out that a word occurs.
    """
    if not text.isascii():
        if _PLAIN.search(text.lower()):
            return None
        text = _UNSEEN.sub("", text).replace("’", "'").encode("ascii", "replace").decode("ascii")
    return f" {_spaced(text)} "


def _spaced(ascii_text: str) -> str:
    return ascii_text.encode("ascii").translate(_SPACED).decode("ascii")


def _strip(text: str) -> str:
    text = _MARKS.sub("", unicodedata.normalize("NFKD", text).lower()).translate(_TWINS)
    return f" {unicodedata.normalize('NFC', text).strip()} "


def shorten(text: str) -> str:
    """Undo letters drawn out (``sloooow``): three or more of one become one."""
    for triple in _TRIPLES:
        if triple in text:
            return _LONG.sub(r"\1", text)
    return text


def words(text: str) -> str:
    """Fold a text to its words alone, one space between them, without marks."""
    return " ".join(fold(text).replace("|", " ").split())


def bounded(key: str) -> str:
    """Mark the word bounds of a folded key with spaces, where its script has them."""
    if not key:
        return ""
    if not key.isascii():
        key = _BORDERS.sub(" ", key)
    head = "" if not key[0].isascii() and _HAS_UNSPACED.match(key[0]) else " "
    tail = "" if not key[-1].isascii() and _HAS_UNSPACED.match(key[-1]) else " "
    return f"{head}{key}{tail}"


def phrase(text: str) -> str:
    """Fold a phrase of the catalogue to the key under which a folded text shows it."""
    return bounded(words(text))
