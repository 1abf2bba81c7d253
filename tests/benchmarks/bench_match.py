"""Posts a second of the matcher with the full catalogue, beside a plain compiled alternation, in one run.

    python tests/benchmarks/bench_match.py

The posts are synthetic: everyday words, one in ten naming a service, half of those complaining.
"""

import random
import re
import time
from collections.abc import Callable

from clamor import catalog
from clamor.text.match import Matcher, forms

TALK = """
    so today we went out with some friends and had really good coffee near that new place by the river because it was
    sunny then walked home slowly talking about school work family plans next weekend maybe a movie or dinner later
"""
WORDS = TALK.split()


def posts(number: int, seed: int = 1) -> list[str]:
    """Return synthetic posts of 8 to 40 words."""
    rng = random.Random(seed)
    names = ["TikTok", "instagram", "WhatsApp", "Netflix", "@VodafoneUK", "spotify", "o2"]
    made = []
    for i in range(number):
        words = rng.choices(WORDS, k=rng.randint(8, 40))
        if i % 10 == 0:
            words.insert(rng.randrange(len(words)), rng.choice(names))
            words.append(rng.choice(["is down again!", "won't load, anyone else?", "\U0001f60d", "lol"]))
        made.append(" ".join(words))
    return made


def rate(read: Callable[[str], object], texts: list[str]) -> float:
    """Return texts read a second of processor time."""
    start = time.process_time()
    for text in texts:
        read(text)
    return len(texts) / (time.process_time() - start)


def main() -> None:
    """Print the rates."""
    known = catalog.load()
    start = time.process_time()
    matcher = Matcher(known)
    print(f"compiled in {time.process_time() - start:.2f} s")
    keys = {key.strip() for service in known.services.values() for key in forms(service)}
    plain = re.compile(r"\b(?:" + "|".join(map(re.escape, sorted(keys, key=len, reverse=True))) + r")\b", re.IGNORECASE)
    texts = posts(20_000)
    named = texts[::10]
    print(f"plain re alternation, names only  {rate(plain.findall, texts[:1_000]):>10,.0f} posts/s")
    print(f"matcher, all posts                {rate(matcher.match, texts):>10,.0f} posts/s")
    half = [text for pair in zip(named, texts[1::10], strict=True) for text in pair]
    print(f"matcher, half naming a service    {rate(matcher.match, half):>10,.0f} posts/s")
    print(f"matcher, posts naming a service   {rate(matcher.match, named):>10,.0f} posts/s")


if __name__ == "__main__":
    main()
