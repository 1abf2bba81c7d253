"""The history's submissions and comments as monthly archive dumps: RS_YYYY-MM.zst and RC_YYYY-MM.zst.

One JSON object a line, in order of time, compressed with a long window, as the public dumps are: ids without a kind,
`created_utc` as an integer here and as a string there, a `_meta` on what was deleted later.
"""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from clamor.simulate.reddit_posts import item

if TYPE_CHECKING:
    from clamor.simulate.world import World

_WINDOW_LOG: Final = 27
_LISTING_ONLY: Final = ("name", "link_title", "num_comments", "removed_by_category")


def write(world: "World", folder: Path) -> list[Path]:
    """Write the items before the evaluated days; return the files in the order of their names."""
    folder.mkdir(parents=True, exist_ok=True)
    last = int(np.searchsorted(world.items.second, world.eval_start - world.start))
    months: dict[str, list[bytes]] = {}
    for number in range(last):
        fields = _line(world, number)
        month = time.strftime("%Y-%m", time.gmtime(world.start + int(world.items.second[number])))
        kind = "RS" if "title" in fields else "RC"
        line = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
        months.setdefault(f"{kind}_{month}.zst", []).append(line)
    paths = []
    for name, lines in sorted(months.items()):
        paths.append(folder / name)
        paths[-1].write_bytes(_compress(b"\n".join(lines) + b"\n"))
    return paths


def _compress(data: bytes) -> bytes:
    import zstandard

    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=_WINDOW_LOG, enable_ldm=True)
    return zstandard.ZstdCompressor(compression_params=parameters).compress(data)


def _line(world: "World", number: int) -> dict[str, Any]:
    fields = item(world, number)
    for name in _LISTING_ONLY:
        fields.pop(name, None)
    created = int(fields["created_utc"])
    fields["created_utc"] = str(created) if number % 50 == 0 else created
    fields["retrieved_on"] = created + 20 + number % 40
    if number % 97 == 0 and fields["author"] != "[deleted]":
        fields["_meta"] = {"was_deleted_later": True}
    return fields
