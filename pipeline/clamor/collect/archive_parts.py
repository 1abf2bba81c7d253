"""What was read of an archive, kept in a folder while an import goes on, so that it can go on where it was ended.

Every file of an import has a folder of its own, found again by the file's path, size, time of change and the way it is
read. In it lie ``begun.json`` and numbered parts, each the posts of the next stretch of the file (28 bytes a post that
names a service, no text, hashed ids), the account of its rows and the place at which it ends. A part is whole or it is
not there: it is written under another name first. What was left by a killed import needs no care.
"""

import hashlib
import json
import os
import shutil
import time
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from math import inf
from pathlib import Path
from typing import Any, Final

import numpy as np

from clamor.collect.archive_file import Mark
from clamor.collect.count import Meaning, Posts

_LAYOUT: Final = 1
_STALE_S: Final = 30 * 86_400
_NONE: Final = np.empty(0, np.int64)


@dataclass
class Account:
    """What was done with the rows of a file, or of a stretch of it.

    Attributes:
        rows: Rows read.
        unmatched: Posts that name none of the services.
        skips: Reason to how many rows gave no post for it, the place of the first, and whether by a counting rule.
        counted: First and last time of a post that names a service, seconds since the epoch; empty when none.
        seen: First and last time of any post, likewise.

    """

    rows: int = 0
    unmatched: int = 0
    skips: dict[str, tuple[int, str, bool]] = field(default_factory=dict)
    counted: tuple[float, ...] = ()
    seen: tuple[float, ...] = ()

    @property
    def rejected(self) -> int:
        """Rows that cannot be read."""
        return sum(count for count, _, by_rule in self.skips.values() if not by_rule)

    @property
    def last(self) -> float:
        """Time of the last post of any kind, minus infinity where there is none."""
        return self.seen[1] if self.seen else -inf

    def skip(self, reason: str, where: str, *, by_rule: bool, count: int = 1) -> None:
        """Add rows that gave no post."""
        known = self.skips.get(reason)
        self.skips[reason] = (known[0] + count, known[1], by_rule) if known else (count, where, by_rule)

    def add(self, later: "Account") -> None:
        """Add the account of the stretch that follows."""
        self.rows += later.rows
        self.unmatched += later.unmatched
        for reason, (count, where, by_rule) in later.skips.items():
            self.skip(reason, where, by_rule=by_rule, count=count)
        self.counted = _both(self.counted, later.counted)
        self.seen = _both(self.seen, later.seen)


def _both(one: tuple[float, ...], other: tuple[float, ...]) -> tuple[float, ...]:
    return (min(one[0], other[0]), max(one[1], other[1])) if one and other else one or other


@dataclass(frozen=True)
class Part:
    """A stretch of a file.

    Attributes:
        end: Where it ends.
        whole: The file ends there.
        rows: Of the file up to there.
        account: Of its rows.
        minutes: Of a monthly dump: the bytes of :class:`~clamor.collect.archive_month.Month` so far, else empty.
        posts: Those that name a service, repeated ids among them.
        size: How many these are, also where they have not been loaded.

    """

    end: Mark
    whole: bool
    rows: int
    account: Account
    minutes: bytes
    posts: Posts
    size: int


class Kept:
    """The folder of one file.

    Args:
        folder: Made when something is first written.

    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begun(self) -> dict[str, Any] | None:
        """Return the facts with which the reading of the file began, also in an earlier call; None before it."""
        try:
            facts: dict[str, Any] = json.loads((self.folder / "begun.json").read_bytes())
        except (OSError, ValueError):
            return None
        return facts

    def begin(self, facts: dict[str, Any]) -> dict[str, Any]:
        """Store the facts with which the reading of the file begins."""
        self.folder.mkdir(parents=True, exist_ok=True)
        waiting = self.folder / f"begun.{os.getpid()}.tmp"
        waiting.write_text(json.dumps(facts), encoding="utf-8")
        waiting.replace(self.folder / "begun.json")
        return facts

    def save(self, number: int, part: Part) -> None:
        """Store a part."""
        meta = {
            "end": part.end,
            "whole": part.whole,
            "rows": part.rows,
            "account": asdict(part.account),
            "size": part.size,
            "meanings": part.posts.meanings,
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._path(number)
        waiting = path.with_name(f"{path.stem}.{os.getpid()}.tmp.npz")
        np.savez(
            waiting,
            meta=np.frombuffer(json.dumps(meta).encode(), np.uint8),
            minutes=np.packbits(np.frombuffer(part.minutes, np.uint8)),
            ids=part.posts.ids,
            bins=part.posts.bins,
            authors=part.posts.authors,
            codes=part.posts.codes,
        )
        waiting.replace(path)

    def last(self) -> tuple[int, Part] | None:
        """Return the last of the parts that lie in a row from the first, and its number; None where there is none."""
        found = None
        for number in range(self._count()):
            try:
                found = number, self.load(number, posts=False)
            except (OSError, ValueError, KeyError, zipfile.BadZipFile):
                break
        return found

    def parts(self, *, posts: bool) -> Iterator[Part]:
        """Yield all parts of a file that was read to its end, with or without their posts."""
        for number in range(self._count()):
            part = self.load(number, posts=posts)
            yield part
            if part.whole:
                return

    def load(self, number: int, *, posts: bool) -> Part:
        """Return a part, with or without its posts.

        Raises:
            OSError: it is not there.
            ValueError: it is damaged; also as ``KeyError`` and ``zipfile.BadZipFile``.

        """
        with self._path(number).open("rb") as file, np.load(file, allow_pickle=False) as stored:
            meta = json.loads(stored["meta"].tobytes())
            minutes = np.unpackbits(stored["minutes"])
            columns = (stored[name] if posts else _NONE for name in ("ids", "bins", "authors", "codes"))
            ids, bins, authors, codes = columns
        account = Account(**meta["account"])
        account.skips = {reason: (count, where, rule) for reason, (count, where, rule) in account.skips.items()}
        account.counted, account.seen = tuple(account.counted), tuple(account.seen)
        taken = Posts(ids, bins, authors, codes, [_meaning(said) for said in meta["meanings"]])
        return Part(Mark(*meta["end"]), meta["whole"], meta["rows"], account, minutes.tobytes(), taken, meta["size"])

    def _count(self) -> int:
        number = 0
        while self._path(number).exists():
            number += 1
        return number

    def _path(self, number: int) -> Path:
        return self.folder / f"part-{number:06}.npz"


def _meaning(stored: list[Any]) -> Meaning:
    return tuple(
        (service, region, signal, tuple(symptoms), tuple(claims), scope)
        for service, region, signal, symptoms, claims, scope in stored
    )


class Work:
    """Where an import keeps what it has read until all of it is stored.

    Args:
        root: Folder of this computer. What lies in it untouched for 30 days is of an import that nobody went on with,
            and is removed.

    Attributes:
        resumed: Something was there of one of the files: an earlier import of it did not come to its end.

    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._used: dict[Path, None] = {}
        self.resumed = False
        for folder in root.glob("*/") if root.exists() else ():
            if folder.stat().st_mtime < time.time() - _STALE_S:
                shutil.rmtree(folder, ignore_errors=True)

    def of(self, path: Path, *how: object) -> Kept:
        """Return the folder of a file that is read in a certain way; a file that has changed is another file."""
        state = path.stat()
        facts = (_LAYOUT, str(path.resolve()), state.st_size, state.st_mtime_ns, *how)
        folder = self.root / hashlib.sha256(repr(facts).encode()).hexdigest()[:24]
        self._used[folder] = None
        self.resumed |= folder.exists()
        return Kept(folder)

    def spill(self) -> Path:
        """Return a folder for what does not fit into memory; it lies in that of the first file and goes with it."""
        return next(iter(self._used)) / "sorting"

    def clear(self, *, keep: bool = False) -> None:
        """Remove what this import kept: call it when all is stored; or (``keep``) only what holds no post."""
        for folder in self._used:
            if not (keep and any(folder.glob("part-*"))):
                shutil.rmtree(folder, ignore_errors=True)
        if self.root.exists() and not any(self.root.iterdir()):
            self.root.rmdir()
