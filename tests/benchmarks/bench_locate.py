"""Profile texts and coordinates read a second, and what the gazetteer costs in time and memory.

    python tests/benchmarks/bench_locate.py

The texts are the synthetic ones of tests/labels, with real and made-up places in many scripts.
"""

import csv
import random
import resource
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from clamor import catalog
from clamor.text.gazetteer import gazetteer, nearest
from clamor.text.locate import Locator
from clamor.text.post import Post
from clamor.text.profile import read_profile

LABELS = Path(__file__).parents[1] / "labels" / "synthetic_places.csv"


def rate(read: Callable[[Any], object], items: Iterable[Any]) -> float:
    """Return items read a second of processor time."""
    start, number = time.process_time(), 0
    for number, item in enumerate(items, 1):  # noqa: B007
        read(item)
    return number / (time.process_time() - start)


def peak_mib() -> float:
    """Return the most memory that this process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print the rates."""
    with LABELS.open(encoding="utf-8", newline="") as lines:
        texts = [row["text"] for row in csv.DictReader(lines)]
    before, start = peak_mib(), time.process_time()
    gazetteer()
    nearest(51.5, -0.1)
    print(f"gazetteer loaded in {time.process_time() - start:.2f} s, {peak_mib() - before:.0f} MiB more")
    rng = random.Random(1)
    points = [(rng.uniform(25, 55), rng.uniform(-120, 30)) for _ in range(20_000)]
    print(f"profile texts                 {rate(read_profile, texts * 3):>10,.0f} a second")
    locator = Locator(catalog.load())
    posts = [Post(str(i), 0, "", user_location=rng.choice(texts)) for i in range(50_000)]
    print(f"posts, each text met 30 times  {rate(locator.locate, posts):>10,.0f} a second")
    print(f"coordinates, each of them new {rate(lambda at: nearest(*at), points):>10,.0f} a second")


if __name__ == "__main__":
    main()
