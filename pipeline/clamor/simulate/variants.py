"""Small accidents of writing: case, stretched words, typing slips, emoji, tails. Seeded."""

import random
import re
from typing import Final

_EMOJI: Final = ("😭", "💀", "😤", "🙄", "😂", "🤡", "😡", "🥲", "👀", "😭😭😭", "🙃", "🤔")
_TAILS: Final = {
    "en": (" lol", " smh", " fr", " ???", " ugh", " pls", " tf", " omg", "!!", "..."),
    "en-GB": (" ffs", " mate", " honestly", "???"),
    "en-AU": (" mate", " hey", " ffs"),
    "en-NG": (" abeg", " o", " sha", " na wa"),
    "es": (" jaja", " ayuda", " wey", "??", " qué onda"),
    "pt": (" kkkk", " socorro", " aff", "??", " mds"),
    "fr": (" mdr", " svp", " wtf", " ???", " ptn"),
    "de": (" lol", " man ey", "???", " ernsthaft", " danke für nichts"),
    "hi-Latn": (" yaar", " bhai", " kya", " 😭"),
    "ja": ("w", "笑", "…", "!?", "泣"),
    "id": (" wkwk", " dong", " sih", " anjir"),
    "ko": (" ㅠㅠ", " ㅋㅋ", "...", " 하"),
}
_STRETCH: Final = re.compile(r"\b(so|why|no|really|please|what|pls|que|qué|não|warum|nooo)\b", re.IGNORECASE)
_WORD: Final = re.compile(r"\b[a-z]{5,}\b")


def vary(rng: random.Random, text: str, language: str) -> str:
    """Return a text as one person in a hurry would write it."""
    roll = rng.random()
    if roll < 0.1:
        text = text.lower()
    elif roll < 0.15 and len(text) < 60:
        text = text.upper()
    if rng.random() < 0.08:
        text = _STRETCH.sub(lambda m: m[0] + m[0][-1] * rng.randint(2, 4), text, count=1)
    text = misspell(rng, text, 0.08)
    if rng.random() < 0.25:
        text += rng.choice(_TAILS.get(language, ("!", "...")))
    if rng.random() < 0.2:
        text += " " + rng.choice(_EMOJI)
    if rng.random() < 0.08:
        text = text.replace("'", "’")
    elif rng.random() < 0.15:
        text = text.replace("'", "")
    return text


def misspell(rng: random.Random, text: str, probability: float) -> str:
    """Return a text in which, with this probability, one longer word has a slip of the fingers."""
    words = list(_WORD.finditer(text))
    if not words or rng.random() > probability:
        return text
    word = rng.choice(words)
    at = word.start() + rng.randrange(1, len(word[0]) - 1)
    kind = rng.randrange(3)
    if kind == 0:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if kind == 1:
        return text[:at] + text[at + 1 :]
    return text[:at] + text[at] + text[at:]
