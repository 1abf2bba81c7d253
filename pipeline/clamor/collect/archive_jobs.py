"""Many files at once: each is read by a process of its own, or one after the other in this one.

What is read goes through files (:mod:`clamor.collect.archive_parts`), so the processes share nothing: one says how far
it is in sixteen bytes beside its parts, and stops when it is told so, when its parent is gone, or when it is killed;
what it had kept stays. Whatever the number of processes, the results and the order of messages are the same.
"""

import os
import signal
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from clamor.collect.archive_read import Job, read
from clamor.collect.count import PostReader
from clamor.errors import InputError

_LOOK_S: Final = 0.25
_PROCESS_BYTES: Final = 300 << 20
_TOLD: Final = struct.Struct("<qq")
Progress = Callable[[int, int, int], object]
"""Called with the bytes read, the bytes of all files, and the rows read in this call."""
Wait = Callable[[Job], None]
"""Returns when a file has been read."""


def processes_for(windows: Sequence[int], *, cores: int, memory: int) -> int:
    """Return how many files to read at once: one a core, as far as their windows leave a quarter of the memory free.

    Args:
        windows: Of each file, from :func:`~clamor.collect.archive_file.window_of`.
        cores: Of this computer.
        memory: Of this computer, bytes.

    >>> processes_for([1 << 31] * 12, cores=8, memory=16 << 30)
    5

    """
    return max(1, min(cores, len(windows), memory * 3 // 4 // (max(windows) + _PROCESS_BYTES)))


@contextmanager
def reading(jobs: Sequence[Job], reader: PostReader, processes: int, progress: Progress) -> Iterator[Wait]:
    """Read files; give a function that waits for one of them.

    Args:
        jobs: In the order in which they will be waited for.
        reader: Reads the posts.
        processes: At most so many at once; 1 reads each file in this process when it is waited for.
        progress: Called now and then.

    Raises:
        InputError: when a file is waited for that cannot be used.

    """
    jobs = list({job.kept.folder: job for job in jobs}.values())
    if min(processes, len(jobs)) <= 1:
        yield _Alone(jobs, reader, progress).wait
        return
    stop = jobs[0].kept.folder.parent / f"stop-{os.getpid()}"
    spread = ProcessPoolExecutor(
        min(processes, len(jobs)), mp_context=get_context("spawn"), initializer=_leave_interrupts_to_the_parent
    )
    try:
        futures = {job.kept.folder: spread.submit(_work, job, reader, os.getpid(), stop) for job in jobs}
        yield _Spread(jobs, futures, progress).wait
    finally:
        stop.parent.mkdir(parents=True, exist_ok=True)
        stop.touch()
        spread.shutdown(cancel_futures=True)
        stop.unlink()


class _Alone:
    """Reads in this process."""

    def __init__(self, jobs: Iterable[Job], reader: PostReader, progress: Progress) -> None:
        self._todo = {job.kept.folder for job in jobs}
        self._reader, self._progress = reader, progress
        self._total = sum(job.file.size for job in jobs)
        self._bytes = self._rows = 0

    def wait(self, job: Job) -> None:
        if job.kept.folder in self._todo:
            self._todo.remove(job.kept.folder)
            read(job, self._reader, self._told)

    def _told(self, size: int, rows: int) -> None:
        self._bytes += size
        self._rows += rows
        self._progress(self._bytes, self._total, self._rows)


class _Spread:
    """Waits for other processes and says how far all of them are."""

    def __init__(self, jobs: Sequence[Job], futures: dict[Path, "Future[None]"], progress: Progress) -> None:
        self._jobs, self._futures, self._progress = jobs, futures, progress
        self._total = sum(job.file.size for job in jobs)

    def wait(self, job: Job) -> None:
        future = self._futures[job.kept.folder]
        while True:
            done = wait([future], timeout=_LOOK_S).done
            told = [_read_told(job.kept.folder) for job in self._jobs]
            self._progress(sum(size for size, _ in told), self._total, sum(rows for _, rows in told))
            if done:
                break
        try:
            future.result()
        except BrokenProcessPool:
            raise InputError(
                f"{job.file.path}: a process that read was killed, for want of memory perhaps; what was read is kept; "
                "run it again with fewer --jobs"
            ) from None


def _read_told(folder: Path) -> tuple[int, int]:
    try:
        size, rows = _TOLD.unpack((folder / "told").read_bytes())
    except (OSError, struct.error):
        return 0, 0
    return int(size), int(rows)


def _leave_interrupts_to_the_parent() -> None:
    """Ignore Ctrl-C, which reaches all processes: the parent tells the others what to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _work(job: Job, reader: PostReader, parent: int, stop: Path) -> None:
    """Read one file in a process of its own."""
    size = rows = 0
    job.kept.folder.mkdir(parents=True, exist_ok=True)
    with (job.kept.folder / "told").open("wb", buffering=0) as file:

        def told(more: int, read_rows: int) -> None:
            nonlocal size, rows
            size, rows = size + more, rows + read_rows
            os.pwrite(file.fileno(), _TOLD.pack(size, rows), 0)

        told(0, 0)
        read(job, reader, told, lambda: os.getppid() != parent or stop.exists())
