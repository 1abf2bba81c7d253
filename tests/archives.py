"""What the tests of archives share: a reader with plain verdicts, small files, and the import itself."""

import json
from pathlib import Path

import pandas as pd
import pytest

from clamor import catalog, schema
from clamor.collect import reddit
from clamor.collect.archive import ImportOptions, ImportSummary, import_files
from clamor.collect.batch import coverage
from clamor.schema import Signal
from clamor.text.post import Reading

SHARED = Path(__file__).parents[1].parent / "shared" / "data"
NOW = 1_790_000_000.0
AT = 1_767_225_600
"""2026-01-01 00:00 UTC."""
CATALOG = catalog.load()


class Listener:
    """A reader whose verdicts are easy to see: words of the text that are services, 'down' complains, 'in X' places."""

    catalog = CATALOG

    def read(self, post, service=None):
        words = post.text.split()
        named = [service] if service else sorted({"tiktok", "netflix"} & set(words))
        down = "down" in words
        region = words[-1] if words[-2:-1] == ["in"] else "ZZ"
        signal = Signal.COMPLAINT if down else Signal.MENTION
        return [Reading(name, signal, ("other",) if down else (), (), region) for name in named]


def take(paths, summary=None, reader=None, **options):
    """Import files; return (volumes, coverage, summary), both frames checked against their tables."""
    summary = summary if summary is not None else ImportSummary()
    paths = [paths] if isinstance(paths, Path) else paths
    batches = list(
        import_files(
            paths,
            reader=reader or Listener(),
            observed_at=NOW,
            options=ImportOptions(**options),
            summary=summary,
        )
    )
    rows = pd.concat([batch.volumes for batch in batches]) if batches else schema.VOLUMES.empty()
    schema.conform(rows, schema.VOLUMES)
    attempts = coverage(attempt for batch in batches for attempt in batch.attempts)
    schema.conform(attempts, schema.COVERAGE)
    left = sum(t.count for t in [*summary.rejected.values(), *summary.left_out.values()])
    assert summary.rows == summary.posts + summary.duplicates + summary.unmatched + left
    return rows, attempts, summary


def total(rows, signal="mention"):
    return int(rows.loc[(rows["signal"] == signal) & (rows["symptom"] == "any"), "posts"].sum())


def written(folder, name, text):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


CSV = "id,created_at,text\n1,2026-01-01T00:00:30Z,tiktok is down\n2,2026-01-01T00:02:00Z,tiktok is fun\n"
GROUP = reddit.Group("social", ("netflix", "tiktok"), ("netflix", "tiktok"))


def page(*posts, **more):
    return json.dumps({"data": list(posts), "meta": {"result_count": len(posts)}, **more})


def tweet(n, text="tiktok is down", **more):
    return {"id": str(n), "created_at": f"2026-01-01T00:0{n % 10}:00.000Z", "text": text, "author_id": "7", **more}


def dumped(n, text="tiktok is down", subreddit="tiktok", at=AT, **more):
    return json.dumps({"id": f"i{n}", "title": text, "selftext": "", "created_utc": at, "subreddit": subreddit, **more})


def commented(n, text="tiktok is down", subreddit="tiktok", at=AT, **more):
    return json.dumps({"id": f"i{n}", "body": text, "created_utc": at, "subreddit": subreddit, **more})


def shared(name):
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"the real data are not here: {name}")
    return path
