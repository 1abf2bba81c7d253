"""A monthly Reddit dump proves its month, and not a minute of what it was too early to see."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import zstandard

from archives import AT, GROUP, dumped, take, total, written
from clamor.collect.archive_month import Month, Span, named, proven
from clamor.errors import InputError

JANUARY = Span(AT, AT + 31 * 86_400)
LATER = JANUARY.end + 86_400


def minutes(*seen):
    """Minutes of January, true in the given ranges."""
    there = np.zeros(31 * 1440, bool)
    for first, last, step in seen:
        there[first:last:step] = True
    return there


def part(seen, *, now=LATER, written_at=LATER):
    span = proven(JANUARY, seen, now=now, written_at=written_at)
    return None if span is None else ((span.start - AT) / 60, (span.end - AT) / 60)


WHOLE = (0, 31 * 1440)


def test_a_dump_full_of_lines_to_the_end_or_too_thin_to_tell_proves_its_month():
    """A line a minute; a line a day; no line at all."""
    assert part(minutes((0, 31 * 1440, 1))) == WHOLE
    assert part(minutes((700, 31 * 1440, 1440))) == WHOLE
    assert part(minutes()) == WHOLE


def test_a_dump_of_a_month_that_goes_on_proves_up_to_its_last_line():
    """Now, or when the file was last written; the last minute is not whole; without lines it proves none."""
    seen = minutes((0, 9 * 1440 + 900, 1))
    assert part(seen, now=AT + 20 * 86_400) == (0, 9 * 1440 + 899)
    assert part(seen, written_at=AT + 10 * 86_400) == (0, 9 * 1440 + 899)
    assert part(minutes((700, 5000, 1440)), now=AT + 20 * 86_400) == (0, 700 + 2 * 1440)
    assert part(minutes(), now=AT + 20 * 86_400) is None
    assert part(minutes((0, 1, 1)), now=AT + 20 * 86_400) is None


def test_a_dump_that_ends_or_begins_far_from_its_month_proves_what_lies_between():
    """Ten times longer than any two lines are apart, and an hour at least."""
    assert part(minutes((0, 20 * 1440, 1))) == (0, 20 * 1440 - 1)
    assert part(minutes((20 * 1440, 31 * 1440, 1))) == (20 * 1440 + 1, 31 * 1440)
    assert part(minutes((0, 31 * 1440 - 59, 1))) == WHOLE
    assert part(minutes((0, 31 * 1440 - 300, 60))) == WHOLE


def test_a_file_written_long_before_or_after_its_month_says_nothing_by_that():
    """Tools set such times."""
    assert part(minutes((0, 31 * 1440, 1)), written_at=0.0) == WHOLE


def test_times_of_lines_in_all_spellings_are_noted_and_others_pass():
    """Numbers, texts; another month, none and rubbish say nothing."""
    month = Month(JANUARY)
    nothing = (AT - 1, JANUARY.end, None, "soon", [], "nan", "inf")
    for created in (AT + 61, str(AT + 125), float(AT + 180), f"{AT + 240}.0", *nothing):
        month.see(created)
    assert np.flatnonzero(np.frombuffer(month.minutes, np.uint8)).tolist() == [1, 2, 3, 4]


def test_names_state_months():
    """RS and RC, packed or not; others state none."""
    assert named(Path("RS_2026-01.zst")) == named(Path("RC_2026-01")) == JANUARY
    assert [named(Path(name)) for name in ("RS_2026-13.zst", "RS_2026-01b.zst", "tiktok_2026-01.zst")] == [None] * 3


def imported(path, **options):
    rows, attempts, summary = take(path, groups=(GROUP,), **options)
    windows = attempts[["window_start", "window_end", "status"]].values.tolist()
    return total(rows), [[str(time)[:16] for time in window[:2]] + [window[2]] for window in windows], summary


def test_a_month_without_posts_of_a_group_is_covered_and_zero(tmp_path):
    """Others had some, all month long."""
    lines = "\n".join(dumped(n, subreddit="cats", at=AT + 86_400 * n) for n in range(31))
    path = written(tmp_path, "RS_2026-01.zst", zstandard.compress(lines.encode()))
    assert imported(path)[:2] == (0, [["2026-01-01 00:00", "2026-02-01 00:00", "ok"]])


def test_months_within_a_file_of_one_subreddit_are_covered_and_zero(tmp_path):
    """Between its first and its last post, as far as it says so itself: partial."""
    lines = [dumped(1, at=AT), dumped(2, at=AT + 100 * 86_400)]
    _, windows, _ = imported(written(tmp_path, "tiktok_submissions.ndjson", "\n".join(lines)))
    assert windows == [["2026-01-01 00:00", "2026-04-11 00:01", "partial"]]


def test_a_dump_of_the_month_that_goes_on_is_told_and_proves_no_day_to_come(tmp_path):
    """NOW is the 21st of September: the dump ends on the 9th, with lines of any subreddit."""
    september = 1_788_220_800
    lines = [dumped(n, subreddit="tiktok" if n % 9 else "cats", at=september + 3600 * n) for n in range(210)]
    posts, windows, summary = imported(written(tmp_path, "RS_2026-09.ndjson", "\n".join(lines)))
    assert (posts, windows) == (186, [["2026-09-01 00:00", "2026-09-09 17:00", "ok"]])
    assert summary.notes == [
        "RS_2026-09.ndjson is not all of its month: it proves from 2026-09-01 00:00 UTC to 2026-09-09 17:00 UTC"
    ]


def test_a_dump_written_in_its_month_proves_up_to_its_last_line_for_ever(tmp_path):
    """It was fetched on the tenth of January and is imported in September."""
    lines = [dumped(n, at=AT + 86_400 * n) for n in range(9)]
    path = written(tmp_path, "RS_2026-01.ndjson", "\n".join(lines))
    os.utime(path, (AT + 864_000, AT + 864_000))
    assert imported(path)[1] == [["2026-01-01 00:00", "2026-01-09 00:00", "ok"]]


def test_a_post_of_another_month_is_left_out_and_a_dump_of_none_but_these_refused(tmp_path):
    """It stands in the dump of its own month, too."""
    lines = [dumped(1), dumped(2, at=AT - 1), dumped(3, at=AT + 31 * 86_400)]
    posts, _, summary = imported(written(tmp_path, "RS_2026-01.ndjson", "\n".join(lines)))
    assert (posts, summary.left_out["outside the month of its name"].count) == (1, 2)
    with pytest.raises(InputError, match=r"outside the month of its name: 2.; a dump holds the month of"):
        imported(written(tmp_path, "RS_2026-03.ndjson", "\n".join(lines[:2])))


def test_months_imported_together_are_those_imported_one_by_one(tmp_path):
    """Each month is given as soon as it is read."""
    months = {"RS_2026-01.ndjson": AT, "RS_2026-02.ndjson": AT + 31 * 86_400}
    paths = [written(tmp_path, name, dumped(name, at=at)) for name, at in months.items()]
    rows, attempts, summary = take(list(reversed(paths)), groups=(GROUP,))
    alone = [take(path, groups=(GROUP,)) for path in paths]
    pd.testing.assert_frame_equal(rows.reset_index(drop=True), pd.concat([a[0] for a in alone], ignore_index=True))
    pd.testing.assert_frame_equal(attempts, pd.concat([a[1] for a in alone], ignore_index=True))
    assert summary.posts == 2
