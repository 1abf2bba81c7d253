"""`clamor import` as a person meets it: how far it is, what an interrupt leaves, what memory a file asks for."""

import io
import sys
from pathlib import Path

import pytest
import zstandard

from archives import CSV, dumped, written
from clamor import schema
from clamor.cli import importing
from clamor.collect import archive_read
from clamor.store import Lake
from command import clamor


class Terminal(io.StringIO):
    """A terminal on which one can read again."""

    def isatty(self) -> bool:
        return True


def test_progress_is_bytes_rows_a_second_and_time_left_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe stays silent."""
    for stream, shown in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setenv("COLUMNS", "120")
        with importing._Progress() as progress:
            progress(5_000_000, 20_000_000, 12_345)
        said = stream.getvalue()
        assert ("5.0/20.0 MB" in said, "12,345 rows, " in said, "/s" in said) == (shown,) * 3


def test_an_interrupted_import_says_so_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C after the first part: what was read stays below the lake until the same command has stored it."""
    rows = [line for n in range(3) for line in dumped(n, at=1_767_225_600 + 60 * n).splitlines()]
    path, lake = written(tmp_path, "a.ndjson", "\n".join(rows)), tmp_path / "lake"
    arguments = ("import", path, "--lake", lake, "--jobs", 1)
    monkeypatch.setattr("clamor.collect.archive_file._BLOCK", 200)
    monkeypatch.setattr("clamor.collect.archive_file._CHUNK", 200)
    monkeypatch.setattr(archive_read, "_PART_BYTES", 1)
    calls = []

    def interrupt(*so_far: object) -> None:
        calls.append(so_far)
        if len(calls) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as at_the_keyboard:
        at_the_keyboard.setattr(importing._Progress, "__call__", lambda self, *so_far: interrupt(*so_far))
        code, _, said = clamor(capsys, *arguments)
    assert (code, "interrupted; what was proven is stored, run it again to go on" in said) == (130, True)
    assert list(lake.glob("importing/*/part-*"))
    code, _, said = clamor(capsys, *arguments)
    assert (code, "3 rows of one file: 3 posts counted" in said) == (0, True)
    assert not (lake / "importing").exists()
    assert Lake(str(lake)).read(schema.COVERAGE).num_rows == 1


def test_a_file_that_cannot_be_used_leaves_nothing_behind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No folder for what was not read."""
    path = written(tmp_path, "a.csv", CSV.replace("Z,", ","))
    code, _, said = clamor(capsys, "import", path, "--lake", tmp_path / "lake")
    assert (code, "names no zone" in said) == (1, True)
    assert not (tmp_path / "lake").exists() or not list((tmp_path / "lake").iterdir())


def test_a_file_that_takes_much_memory_to_unpack_says_so_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The window that its writer chose, as the monthly dumps do."""
    packed = io.BytesIO()
    parameters = zstandard.ZstdCompressionParameters.from_level(1, window_log=29)
    with zstandard.ZstdCompressor(compression_params=parameters).stream_writer(packed, closefd=False) as out:
        out.write(dumped(1).encode())
    path = written(tmp_path, "RS_2026-01.zst", packed.getvalue())
    code, _, said = clamor(capsys, "import", path, "--lake", tmp_path / "lake")
    assert (code, "to unpack RS_2026-01.zst takes 0.5 GiB of memory" in said) == (0, True)
