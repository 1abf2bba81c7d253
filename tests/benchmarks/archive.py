"""How many dump lines a second become counted rows: `python tests/benchmarks/archive.py` (processor time, one core).

The dump is synthetic: 100,000 submissions of about two kilobytes with some eighty fields; one in fifty names
a service.
"""

import json
import random
import tempfile
import time
from pathlib import Path

import zstandard

from clamor import catalog
from clamor.collect.archive import ImportOptions, ImportSummary, import_files
from clamor.collect.reddit import Group
from clamor.text.read import Reader

LINES = 100_000
TALK = (
    "the a of and is it my phone today people really think game watch show music video like never always someone going "
    "cat dinner school train movie friend weather shoes garden paint recipe question help please anyone else know why"
)


class Deaf:
    """A reader that hears nothing, to time all but the reading."""

    def __init__(self, reader):
        self.catalog = reader.catalog

    def read(self, post, service=None):
        return []


def write(path):
    """Write the synthetic dump; return the bytes of a line."""
    chance, talk = random.Random(1), TALK.split()
    other = {
        f"field_{n}": chance.choice([None, False, True, 0, "", "self", "https://example.org/abc"]) for n in range(70)
    }
    lines = []
    for n in range(LINES):
        words = chance.choices(talk, k=chance.randrange(10, 100))
        title = "tiktok is down again" if n % 50 == 0 else " ".join(words[:9])
        own = {"id": f"x{n}", "author": f"u{n % 999}", "subreddit": "videos", "created_utc": 1_767_225_600 + 10 * n}
        lines.append(json.dumps({**other, **own, "title": title, "selftext": " ".join(words[9:]), "media": {"a": [1]}}))
    path.write_bytes(zstandard.compress("\n".join(lines).encode()))
    return sum(map(len, lines)) // LINES


def timed(path, reader):
    """Return lines a second and the summary."""
    group = Group("bench", ("videos",), tuple(reader.catalog.services))
    summary, start = ImportSummary(), time.process_time()
    for _ in import_files(
        [path], reader=reader, observed_at=1.8e9, options=ImportOptions(groups=(group,)), summary=summary
    ):
        pass
    return summary.rows / (time.process_time() - start), summary


if __name__ == "__main__":
    reader = Reader(catalog.load())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "RS_2026-01.zst"
        size = write(path)
        for name, who in (("with the reader", reader), ("without reading", Deaf(reader))):
            rate, summary = timed(path, who)
            print(f"{name}: {rate:,.0f} lines/s of {size:,} bytes, {summary.posts:,} posts counted")
