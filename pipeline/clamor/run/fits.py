"""What the past taught, kept in the lake from run to run for as long as that past stays what it was."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

import clamor
from clamor import schema, volumes
from clamor.detect import Learnt
from clamor.detect.keep import from_arrays, to_arrays
from clamor.errors import LakeError
from clamor.store import Lake

CODE: Final = ("baseline", "detect", "volumes")
"""Parts of the package that what is learnt depends on."""
Key = dict[str, str | int]
KEY: Final = "key"
TOLD: Final = {
    "code": "clamor changed",
    "catalogue": "the catalogue changed",
    "posts": "posts of settled days came late",
    "attempts": "coverage of settled days came late",
}
"""Why a fit is learnt anew, as far as it is worth a line: a new day is not."""


@dataclass(frozen=True)
class Fits:
    """The kept fits of one lake, catalogue and bin width.

    Attributes:
        lake: Where they lie.
        catalogue: Version of the catalogue.
        bin_minutes: Width of the bins.
        since: Where the history begins; None for all there is.
        until: The midnight up to which it is learnt.
        say: Is told in a line why a fit is not used.

    """

    lake: Lake
    catalogue: str
    bin_minutes: int
    since: pd.Timestamp | None
    until: pd.Timestamp
    say: Callable[[str], None]

    def load(self) -> dict[str, Learnt]:
        """Return, by source, the fits that still hold."""
        found = {source: self._held(source) for source in self.lake.fits(self.bin_minutes)}
        return {source: learnt for source, learnt in found.items() if learnt is not None}

    def save(self, source: str, learnt: Learnt, key: Key) -> None:
        """Keep what was learnt of a source, with what that depended on before it was read."""
        file = io.BytesIO()
        arrays: dict[str, Any] = {KEY: np.array(json.dumps(key)), **to_arrays(learnt)}
        np.savez(file, **arrays)
        self.lake.write_fit(source, self.bin_minutes, file.getvalue())

    def _held(self, source: str) -> Learnt | None:
        try:
            with np.load(io.BytesIO(self.lake.read_fit(source, self.bin_minutes)), allow_pickle=False) as file:
                kept = json.loads(str(file[KEY]))
                now = self.key(source)
                if kept == now:
                    return from_arrays({name: file[name] for name in file.files})
        except (
            LakeError,
            KeyError,
            OSError,
            EOFError,
            ValueError,
            TypeError,
            AttributeError,
            zipfile.BadZipFile,
        ) as error:
            self.say(f"{source}: the kept fit is not readable ({str(error) or type(error).__name__}): learnt anew")
            return None
        why = [words for name, words in TOLD.items() if kept.get(name) != now[name]]
        if why and kept.get("until") == now["until"] and kept.get("since") == now["since"]:
            self.say(f"{source}: {', '.join(why)}: the past is learnt anew")
        return None

    def key(self, source: str) -> Key:
        """Return what a fit depends on. Facts are only ever added, so their number tells whether they are the same."""
        reach = None if self.since is None else self.since - pd.Timedelta(hours=volumes.HOLD_HOURS)
        return {
            "code": _code(),
            "catalogue": self.catalogue,
            "since": str(self.since),
            "until": str(self.until),
            "posts": self.lake.count(schema.VOLUMES, start=self.since, end=self.until, source=source),
            "attempts": self.lake.count(schema.COVERAGE, start=reach, end=self.until, source=source),
        }


@cache
def _code() -> str:
    digest = hashlib.sha256(np.__version__.encode())
    root = Path(clamor.__file__).parent
    for path in sorted(path for part in CODE for path in (root / part).glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
