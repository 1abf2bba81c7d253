"""What was seen in every bin, and what was not looked at."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clamor import schema, volumes
from clamor.collect.batch import Attempt, coverage
from clamor.errors import InputError
from clamor.schema import Status
from naive import volumes as naive

T0 = pd.Timestamp("2026-10-01", tz="UTC")
PARENTS = {"US-MI": "US", "US": "019", "019": "001", "DE": "150", "150": "001"}


def row(scope: str, minute: int, posts: int, **changes: Any) -> dict[str, Any]:
    source = "x" if scope.startswith("x:") or scope.startswith("file:") else "reddit"
    return {
        "source": source, "scope": scope, "service": "tiktok", "region": "001", "signal": "complaint", "symptom": "any",
        "bin_minutes": 1, "bin_start": T0 + pd.Timedelta(minutes=minute), "posts": posts, "authors": None,
        "unit": "posts", "method": "counts", "catalog_version": "c1", "observed_at": T0 + pd.Timedelta(days=2),
    } | changes  # fmt: skip


def attempt(scope: str, first: int, last: int, **changes: Any) -> Attempt:
    source = "x" if scope.startswith("x:") or scope.startswith("file:") else "reddit"
    values: dict[str, Any] = {
        "source": source, "scope": scope, "services": ("tiktok",), "regions": ("001",), "signals": ("complaint",),
        "window_start": T0.timestamp() + 60 * first, "window_end": T0.timestamp() + 60 * last,
        "requested_at": T0.timestamp() + 60 * last + 90, "bin_minutes": 1, "status": Status.OK, "bins_received": 0,
    }  # fmt: skip
    return Attempt(**(values | changes))


def table(rows: list[dict[str, Any]]) -> Any:
    frame = pd.DataFrame(rows) if rows else schema.VOLUMES.empty()
    return schema.conform(frame, schema.VOLUMES)


def counted(
    rows: list[dict[str, Any]], attempts: list[Attempt], minutes: int = 45, bin_minutes: int = 15
) -> pd.DataFrame:
    end = T0 + pd.Timedelta(minutes=minutes)
    return volumes.counts(table(rows), coverage(attempts), PARENTS, bin_minutes=bin_minutes, start=T0, end=end)


def series(frame: pd.DataFrame, region: str = "001") -> list[float | None]:
    values = frame.loc[frame["region"] == region].sort_values("bin_start")["count"]
    return [None if np.isnan(value) else value for value in values]


def test_covered_and_none_is_zero_and_uncovered_is_unknown() -> None:
    """Two posts in the first bin, none in the second, and nobody looked at the end of the third."""
    frame = counted([row("x:1", 3, 2)], [attempt("x:1", 0, 44)])
    assert series(frame) == [2, 0, None]
    assert frame["observed"].tolist() == [True, True, False]


def test_adjacent_attempts_cover_a_bin_together() -> None:
    """Seven minutes and eight minutes make a quarter of an hour; with a minute between them missing they do not."""
    assert series(counted([row("x:1", 3, 2)], [attempt("x:1", 0, 7), attempt("x:1", 7, 15)], 15)) == [2]
    assert series(counted([row("x:1", 3, 2)], [attempt("x:1", 0, 7), attempt("x:1", 8, 15)], 15)) == [None]


@pytest.mark.parametrize("status", [s for s in Status if s not in schema.PROVES])
def test_a_failed_attempt_proves_nothing(status: Status) -> None:
    """No fault may turn unknown into zero."""
    assert series(counted([], [attempt("x:1", 0, 15, status=status)], 15)) == [None]


def test_partial_coverage_is_observed_but_uneven() -> None:
    """An archive without a stated window counts, and says so."""
    frame = counted([row("file:a", 3, 2)], [attempt("file:a", 0, 30, status=Status.PARTIAL)], 30)
    assert series(frame) == [2, 0] and frame["uneven"].all()


def test_the_newest_observation_of_a_key_counts() -> None:
    """A later reading of the same minute replaces the earlier one, down to zero."""
    rows = [row("x:1", 3, 9), row("x:1", 3, 4, observed_at=T0 + pd.Timedelta(days=3)), row("x:1", 4, 5)]
    rows.append(row("x:1", 4, 0, observed_at=T0 + pd.Timedelta(days=3)))
    assert series(counted(rows, [attempt("x:1", 0, 15)], 15)) == [4]


def test_disjoint_scopes_add_up_and_all_must_have_watched() -> None:
    """Submissions and comments are summed; where the comments failed, the sum is unknown."""
    rows = [row("reddit:new:g", 3, 2), row("reddit:comments:g", 4, 5), row("reddit:new:g", 20, 1)]
    attempts = [attempt("reddit:new:g", 0, 30), attempt("reddit:comments:g", 0, 15)]
    attempts.append(attempt("reddit:comments:g", 15, 30, status=Status.FAILED))
    assert series(counted(rows, attempts, 30)) == [7, None]


def test_a_dump_and_a_walk_of_one_group_are_one_stream() -> None:
    """They hold the same posts, so the later one counts, and going from one to the other breaks nothing."""
    rows = [row("dump:RS:g", 3, 2), row("dump:RS:g", 20, 4), row("reddit:new:g", 20, 3), row("reddit:new:g", 40, 1)]
    attempts = [attempt("dump:RS:g", 0, 30), attempt("reddit:new:g", 15, 45)]
    frame = counted(rows, attempts)
    assert series(frame) == [2, 3, 1]
    assert frame["segment"].tolist() == [0, 0, 0]


def test_a_changed_query_is_a_new_segment() -> None:
    """The old query is expected for a day, then the series goes on without it, and warms up again."""
    day = 1440
    attempts = [attempt("x:old", 0, day), attempt("x:new", day, 4 * day)]
    frame = counted([], attempts, 4 * day, 1440)
    assert series(frame) == [0, None, 0, 0]
    assert frame["segment"].tolist()[0] < frame["segment"].tolist()[2] == frame["segment"].tolist()[3]


def test_xs_index_move_is_a_new_segment() -> None:
    """No baseline reaches across 4 May 2026."""
    start = pd.Timestamp("2026-05-03", tz="UTC")
    first = int((start - T0).total_seconds() // 60)
    attempts = coverage([attempt("x:1", first, first + 2880)])
    frame = volumes.counts(table([]), attempts, PARENTS, bin_minutes=1440, start=start, end=start + pd.Timedelta("2D"))
    assert frame["segment"].tolist() == [0, 1]


def test_posts_are_summed_up_the_tree_and_unknown_places_only_into_the_world() -> None:
    """One post in Michigan, one somewhere in the US, one nobody knows where."""
    rows = [row("reddit:new:g", 1, 1, region=region) for region in ("US-MI", "US", "ZZ")]
    frame = counted(rows, [attempt("reddit:new:g", 0, 15)], 15)
    assert {region: series(frame, region) for region in ("US-MI", "US", "019", "001")} == {
        "US-MI": [1], "US": [2], "019": [2], "001": [3],
    }  # fmt: skip
    assert "ZZ" not in set(frame["region"])


def test_x_counts_are_never_summed_up_the_tree() -> None:
    """The world is its own query, and so is each country."""
    rows = [row("x:w", 1, 9), row("x:us", 1, 2, region="US")]
    attempts = [attempt("x:w", 0, 15), attempt("x:us", 0, 15, regions=("US",))]
    frame = counted(rows, attempts, 15)
    assert (series(frame, "001"), series(frame, "US")) == ([9], [2])
    assert set(frame["region"]) == {"001", "US"}


def test_zero_is_claimed_only_where_an_archive_looked() -> None:
    """A file that covers Michigan says nothing of Ohio or of the world."""
    rows = [row("file:a", 1, 1, region="US-MI"), row("file:a", 1, 1, region="DE")]
    frame = counted(rows, [attempt("file:a", 0, 15, regions=("US-MI",))], 15)
    assert set(frame["region"]) == {"US-MI"}


def test_mentions_stand_beside_complaints_and_are_unknown_where_not_asked() -> None:
    """Complaints were counted for half an hour, mentions for a quarter."""
    rows = [row("x:c", 1, 1), row("x:m", 1, 8, signal="mention")]
    attempts = [attempt("x:c", 0, 30), attempt("x:m", 0, 15, signals=("mention",))]
    frame = counted(rows, attempts, 30)
    assert frame["mentions"].tolist()[0] == 8 and np.isnan(frame["mentions"].tolist()[1])


def test_a_width_that_the_stored_bins_do_not_make_is_refused() -> None:
    """Hours cannot be cut into quarters."""
    with pytest.raises(InputError, match="ask for a multiple of 60 min"):
        counted([row("file:a", 0, 1, bin_minutes=60)], [attempt("file:a", 0, 60)], 60)


def test_a_change_of_the_catalogue_starts_a_new_segment_for_posts() -> None:
    """Posts read with other phrases are not compared."""
    rows = [row("reddit:new:g", 1, 1), row("reddit:new:g", 20, 1, catalog_version="c2")]
    assert counted(rows, [attempt("reddit:new:g", 0, 30)], 30)["segment"].tolist() == [0, 1]


SCOPES = ("x:1", "x:2", "reddit:new:g", "dump:RS:g", "reddit:comments:g", "file:a", "file:b")
windows = st.tuples(
    st.sampled_from(SCOPES), st.integers(0, 25), st.integers(1, 25), st.sampled_from(["ok", "partial", "failed"]),
    st.sampled_from([("001",), ("US",), ("US-MI",)]),
)  # fmt: skip
posts = st.tuples(
    st.sampled_from(SCOPES), st.integers(0, 29), st.integers(0, 5), st.sampled_from(["001", "US", "US-MI", "DE", "ZZ"]),
    st.integers(0, 2),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(windows, min_size=1, max_size=8), st.lists(posts, max_size=12))
def test_counts_are_those_of_the_slow_twin(asked: list[Any], found: list[Any]) -> None:
    """Bin by bin, the fast routine and the words of the design agree, unknown bins included."""
    attempts = [attempt(s, a, a + n, status=Status(k), regions=r) for s, a, n, k, r in asked]
    rows = [row(s, m, n, region=r, observed_at=T0 + pd.Timedelta(days=d)) for s, m, n, r, d in found]
    rows = list({(r["scope"], r["bin_start"], r["region"], r["observed_at"]): r for r in rows}.values())
    frame = counted(rows, attempts, 30, 5)
    ledger, stored = coverage(attempts), pd.DataFrame(rows or {name: [] for name in schema.VOLUMES.columns.names})
    for got in frame.to_dict("records"):
        key = (got["source"], got["service"], got["region"])
        want = naive.value(stored, ledger, PARENTS, key, "complaint", got["bin_start"], pd.Timedelta("5min"))
        assert (None if np.isnan(got["count"]) else got["count"]) == want, (key, got["bin_start"])


def test_changes_writes_what_is_new_and_a_zero_for_what_is_gone() -> None:
    """Of three known minutes one is the same, one has more posts, and one is no longer found."""
    known = table([row("x:1", m, n) for m, n in ((0, 1), (1, 2), (2, 3))])
    fresh = pd.DataFrame([row("x:1", 0, 1), row("x:1", 1, 5)]).assign(observed_at=T0 + pd.Timedelta(days=3))
    news = volumes.changes(
        known, schema.to_pandas(schema.conform(fresh, schema.VOLUMES)), coverage([attempt("x:1", 0, 15)])
    )
    assert sorted(zip(news["bin_start"].dt.minute, news["posts"], strict=True)) == [(1, 5), (2, 0)]


def test_changes_keeps_what_a_failed_or_narrow_attempt_did_not_see() -> None:
    """A row may be replaced only where a proven attempt covered its whole bin."""
    known = table([row("x:1", 2, 3)])
    for attempts in ([attempt("x:1", 0, 15, status=Status.FAILED)], [attempt("x:1", 0, 2)], [attempt("x:2", 0, 15)]):
        assert volumes.changes(known, schema.VOLUMES.empty(), coverage(attempts)).empty


def test_a_service_that_a_scope_takes_up_later_was_not_watched_before() -> None:
    """The scope is the same; what it would have counted is not."""
    attempts = [attempt("reddit:new:g", 0, 15, services=("roblox",)), attempt("reddit:new:g", 15, 45)]
    frame = counted([], attempts)
    tiktok = frame.loc[(frame["service"] == "tiktok") & (frame["region"] == "001")]
    assert tiktok["bin_start"].min() == T0 + pd.Timedelta("15min") and tiktok["count"].tolist() == [0, 0]
