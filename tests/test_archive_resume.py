"""An import that is interrupted, spread over processes, or too large for memory gives what any other would give."""

import multiprocessing
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archives import AT, CSV, GROUP, NOW, Listener, dumped, page, take, total, tweet, written
from clamor import schema
from clamor.collect import archive_file, archive_read, archive_sort
from clamor.collect.archive import ImportOptions, ImportSummary, Work, import_files
from clamor.collect.archive_sort import slices
from clamor.collect.batch import coverage
from clamor.collect.count import Posts
from clamor.errors import InputError
from clamor.run import ingest
from clamor.run.imports import OnceLake
from clamor.store import Lake

QUOTED = "id,created_at,text,author\n" + "".join(
    f'{n % 40},{AT + 97 * n},"tiktok\n""is"" down, {"é" * (n % 5)}\nin US",a{n % 9}\n' for n in range(60)
)
PAGES = "\n".join(
    page(*(tweet(20 * n + m, "tiktok is down" if m % 2 else "netflix") for m in range(9))) for n in range(12)
)
DUMP = "\n".join(
    dumped(n % 50, at=AT + 600 * n, subreddit="tiktok" if n % 3 else "cats", author=f"a{n % 7}") for n in range(90)
)
FILES = {"a.csv": QUOTED, "b.jsonl": PAGES, "RS_2026-01.ndjson": DUMP}


class Stopped(Exception):
    """The person at the keyboard."""


def stop_after(calls):
    """Return a progress that raises at its so-many-th call."""
    left = [calls]

    def told(*_):
        left[0] -= 1
        if left[0] < 0:
            raise Stopped

    return told


def given_out(paths, work=None, progress=lambda *_: None, jobs=1, **options):
    summary = ImportSummary()
    batches = list(
        import_files(
            paths,
            reader=Listener(),
            observed_at=NOW,
            options=ImportOptions(**options),
            summary=summary,
            progress=progress,
            jobs=jobs,
            work=work,
        )
    )
    rows = pd.concat([batch.volumes for batch in batches], ignore_index=True)
    return rows, coverage(attempt for batch in batches for attempt in batch.attempts), summary.as_dict()


def same(one, other):
    for left, right in zip(one[:2], other[:2], strict=True):
        pd.testing.assert_frame_equal(left, right)
    assert one[2] == other[2]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("packed", [False, True])
def test_an_import_goes_on_wherever_it_was_interrupted(tmp_path, monkeypatch, name, packed):
    """Ended after every chunk in turn, at many cuts of parts: rows, attempts and account are those of one go."""
    data = FILES[name].encode()
    if packed:
        data = b"".join(zstandard.compress(data[at : at + 300]) for at in range(0, len(data), 300))
    path = written(tmp_path, name, data)
    options = {"groups": (GROUP,)} if name.startswith("RS") else {}
    want = given_out([path], **options)
    monkeypatch.setattr("clamor.collect.archive_file._CHUNK", 300)
    monkeypatch.setattr("clamor.collect.archive_file._BLOCK", 300)
    monkeypatch.setattr("clamor.collect.archive_file._ZSTD_BLOCK", 40)
    for size in (1, 700, 1500):
        monkeypatch.setattr("clamor.collect.archive_read._PART_BYTES", size)
        work, ends = Work(tmp_path / f"work-{size}"), 0
        while True:
            try:
                got = given_out([path], work, stop_after(3 + 2 * ends), **options)
                break
            except Stopped:
                ends += 1
        assert ends > 1
        same(got, want)
        work.clear()
        assert not (tmp_path / f"work-{size}").exists()
    if name == "a.csv":
        assert want[2]["rows"] == 60


def test_an_interrupted_import_begins_with_its_first_now_and_a_changed_file_is_another(tmp_path, monkeypatch):
    """So what was stored before is what is given again; a file that grew is read from its start."""
    monkeypatch.setattr("clamor.collect.archive_read._PART_BYTES", 1)
    path = written(tmp_path, "a.csv", CSV)
    work = Work(tmp_path / "work")

    def begin(now):
        return list(import_files([path], reader=Listener(), observed_at=now, work=work))

    first = begin(NOW)
    assert [batch.attempts[0].requested_at for batch in begin(NOW + 60)] == [NOW] == [first[0].attempts[0].requested_at]
    written(tmp_path, "a.csv", CSV + "3,2026-01-01T00:03Z,tiktok\n")
    assert begin(NOW + 60)[0].attempts[0].requested_at == NOW + 60


def test_a_part_that_is_damaged_is_read_again(tmp_path, monkeypatch):
    """It and all after it."""
    monkeypatch.setattr("clamor.collect.archive_read._PART_BYTES", 1)
    monkeypatch.setattr("clamor.collect.archive_file._BLOCK", 100)
    path = written(tmp_path, "a.csv", QUOTED)
    work = Work(tmp_path / "work")
    want = given_out([path], work)
    parts = sorted((tmp_path / "work").glob("*/part-*.npz"))
    assert len(parts) > 5
    parts[3].write_bytes(parts[3].read_bytes()[:-30])
    same(given_out([path], work), want)


def test_what_was_left_for_a_month_is_removed(tmp_path):
    """Nobody went on with that import."""
    old = tmp_path / "work" / "0123"
    old.mkdir(parents=True)
    os.utime(old, (1, 1))
    Work(tmp_path / "work")
    assert not old.exists()


def test_several_processes_give_the_same_as_one(tmp_path):
    """What they read is not read again; an error is that of the first file that has one."""
    paths = [written(tmp_path, name, text) for name, text in FILES.items()]
    work, calls = Work(tmp_path / "work"), []
    want = given_out(paths)
    same(given_out(paths, work, jobs=2), want)
    same(given_out(paths, work, lambda *so_far: calls.append(so_far)), want)
    assert calls[-1][2] == 0
    bad = [written(tmp_path, f"{n}.csv", f"id,created_at,text\n1,2026-01-01 00:0{n}:00,tiktok\n") for n in range(2)]
    with pytest.raises(InputError, match=r"0\.csv, line 2: time '2026-01-01 00:00:00' names no zone"):
        given_out([*paths, *bad], work, lambda *so_far: calls.append(so_far), jobs=2)
    assert calls[-1][1] == sum(path.stat().st_size for path in [*paths, *bad])


@pytest.mark.slow
def test_an_interrupt_ends_all_processes_and_leaves_what_they_kept(tmp_path):
    """Whatever they were at: none is left, and the import goes on from there."""
    paths = [written(tmp_path, name, text) for name, text in FILES.items()]
    work = Work(tmp_path / "work")

    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        given_out(paths, work, interrupt, jobs=2)
    assert multiprocessing.active_children() == []
    assert list((tmp_path / "work").glob("stop-*")) == []
    assert list((tmp_path / "work").glob("*/part-*")) != []
    same(given_out(paths, work), given_out(paths))


IDS = st.lists(
    st.tuples(st.integers(-20, 20), st.integers(0, 5000), st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=60
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=IDS, room=st.integers(2, 30), width=st.sampled_from([60, 86_400]))
def test_posts_sorted_through_files_are_those_sorted_in_memory(tmp_path, monkeypatch, rows, room, width):
    """Each id once, the same copy of it, no slice after a later one."""
    meanings = [((s, "US" if s > "b" else "ZZ", "mention", (), (), "f"),) for s in "abcde"]
    ids, bins, authors, codes = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    posts = Posts(ids, bins, authors, codes.astype(np.int32), meanings)
    cut = len(rows) // 2
    halves = [
        Posts(ids[part], bins[part], authors[part], posts.codes[part], meanings)
        for part in (slice(cut), slice(cut, None))
    ]
    naive = {}
    for key, at, author, code in rows:
        rank = (at, code <= 1, code, author)
        naive[key] = min(naive.get(key, rank), rank)
    monkeypatch.setattr("clamor.collect.archive_sort._AT_ONCE", room)
    got, before, repeats = {}, -1.0, 0
    for some, until, repeated in slices(iter(halves), len(rows), width=width, folder=lambda: tmp_path / "spill"):
        assert all(before <= at * width < until or len(rows) <= room for at in some.bins)
        before, repeats = until, repeats + repeated
        for key, at, author, code in zip(some.ids, some.bins, some.authors, some.codes, strict=True):
            rank = (at, code <= 1, code, author)
            assert len(rows) <= room or key not in got
            got[key] = min(got.get(key, rank), rank)
    assert got == naive
    assert len(rows) <= room or repeats == len(rows) - len(naive)
    assert not (tmp_path / "spill").exists()


def test_a_post_in_two_stretches_or_two_files_is_counted_once(tmp_path, monkeypatch):
    """However small the parts and the memory: the copies meet."""
    monkeypatch.setattr("clamor.collect.archive_read._PART_POSTS", 2)
    monkeypatch.setattr("clamor.collect.archive_file._BLOCK", 64)
    monkeypatch.setattr("clamor.collect.archive_sort._AT_ONCE", 4)
    lines = [f"{n % 10},{AT + 3600 * (n % 10)},tiktok\n" for n in range(30)]
    paths = [written(tmp_path, f"{n}.csv", "id,created_at,text\n" + "".join(lines[n::2])) for n in range(2)]
    rows, attempts, summary = take(paths)
    assert (total(rows), summary.posts, summary.duplicates) == (10, 10, 20)
    assert attempts["window_end"].max() == pd.Timestamp("2026-01-01 09:01Z")


def import_and_die(root, paths, steps):
    """Import into a lake; end this process by SIGTERM at the so-many-th chunk read or file stored."""
    left = steps

    def step(*_):
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGTERM)

    class StepLake(OnceLake):
        def _put(self, path, content):
            super()._put(path, content)
            step()

    archive_file._BLOCK = archive_read._PART_BYTES = 2000
    archive_sort._AT_ONCE, ingest._FLUSH_ROWS = 100, 15
    work = Work(Path(root, "importing"))
    lake = StepLake(root, lambda: work.resumed)
    ingest.ingest(lake, import_files(paths, reader=Listener(), observed_at=NOW, progress=step, work=work))
    work.clear()


def ends_with(run):
    """Run something in a process of its own; return how it ended."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        try:
            run()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_again_and_again(folder):
    """What a process of its own does: threads of the libraries must not have begun before it forks."""
    paths = [Path(folder, name) for name in ("a.csv", "b.jsonl")]
    ends, steps = [ends_with(lambda: import_and_die(f"{folder}/alone", paths, 0))], 2
    while len(ends) == 1 or ends[-1]:
        ends.append(ends_with(partial(import_and_die, f"{folder}/killed", paths, steps)))
        steps = min(steps + 1, 4)
    print(*ends)


def content(root):
    """All rows of a lake's facts, in order, as bytes."""
    tables = {}
    for name in ("volumes", "coverage", "claims"):
        frame = schema.to_pandas(Lake(str(root)).read(schema.TABLES[name]))
        texts = frame.astype(str)
        tables[name] = texts.sort_values(list(texts.columns)).to_csv(index=False).encode()
    return tables


def test_an_import_killed_again_and_again_ends_with_the_lake_of_one_that_was_left_alone(tmp_path):
    """A real process, ended by SIGTERM while it reads and while it stores, after every so many steps: byte for byte."""
    written(tmp_path, "a.csv", QUOTED)
    written(tmp_path, "b.jsonl", PAGES)
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import test_archive_resume as test; "
    code += f"test.killed_again_and_again({str(tmp_path)!r})"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    alone, *ends = map(int, done.stdout.split())
    assert (alone, ends[-1]) == (0, 0)
    assert ends[:-1] == [-signal.SIGTERM] * (len(ends) - 1)
    assert len(ends) >= 8
    want = content(tmp_path / "alone")
    assert want["volumes"].count(b"\n") > 40
    assert content(tmp_path / "killed") == want
    assert not (tmp_path / "killed" / "importing").exists()
