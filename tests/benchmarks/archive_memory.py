"""Peak memory of an import, whatever the file's size: `python tests/benchmarks/archive_memory.py [LINES] [WINDOW_LOG]`.

The archive is synthetic: comments in no order of time, one in five naming a service, one in twenty a repeated id. It is
written as a stream, packed with zstd (WINDOW_LOG 31 is that of the monthly Reddit dumps), imported into a new lake by
the command line in a process of its own, whose peak of resident memory is asked of the kernel, and removed.
"""

import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import zstandard

TALK = "so today we went out with some friends and had really good coffee near that new place by the river"
LINE = '{{"id":"c{key}","created_utc":{at},"subreddit":"s{sub}","author":"u{author}","body":"{text}"}}\n'
HALF_A_YEAR_S = 180 * 86_400


def lines_of(numbers, talks):
    """Return some lines of the archive."""
    keys = [n if n % 20 else n // 2 for n in numbers]
    return "".join(
        LINE.format(
            key=key,
            at=1_767_225_600 + key * 2_654_435_761 % HALF_A_YEAR_S,
            sub=key % 97,
            author=key % 99_991,
            text=talks[key * 40_503 % len(talks)],
        )
        for key in keys
    ).encode()


def write(path, lines, window_log):
    """Write the synthetic archive."""
    chance = random.Random(1)
    talks = [" ".join(chance.choices(TALK.split(), k=chance.randrange(4, 40))) for _ in range(5_000)]
    talks += [f"{talk} tiktok is down again" for talk in talks[:1_250]]
    parameters = zstandard.ZstdCompressionParameters.from_level(1, window_log=window_log, enable_ldm=window_log > 27)
    with path.open("wb") as raw, zstandard.ZstdCompressor(compression_params=parameters).stream_writer(raw) as out:
        for begin in range(0, lines, 10_000):
            out.write(lines_of(range(begin, min(begin + 10_000, lines)), talks))


def main(lines=1_000_000, window_log=27):
    """Print what one import took."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "comments.zst"
        write(path, lines, window_log)
        size, start = path.stat().st_size, time.monotonic()
        code = "from clamor.cli import main; main()"
        subprocess.run([sys.executable, "-c", code, "import", str(path), "--lake", f"{folder}/lake"], check=True)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(
            f"{lines:,} lines, {size:,} bytes packed (window 2^{window_log}): peak {used.ru_maxrss / 1024:,.0f} MiB, "
            f"{used.ru_utime:,.0f} s of processor, {time.monotonic() - start:,.0f} s in all"
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
