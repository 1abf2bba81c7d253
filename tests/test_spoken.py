"""In which languages complaints are written: shares of disjoint counts, with what is usual."""

import pandas as pd

from clamor.volumes import spoken, told

AT = pd.Timestamp("2026-10-01 12:00", tz="UTC")
QUARTER = pd.Timedelta("15min")


def rows(**posts: list[int | None]) -> pd.DataFrame:
    """Posts by language in quarters of an hour from an hour before noon on; None is not known."""
    return pd.DataFrame(
        [
            ("tiktok", language, 15, AT + QUARTER * (n - 4), count, AT)
            for language, counts in posts.items()
            for n, count in enumerate(counts)
            if count is not None
        ],
        columns=["service", "language", "bin_minutes", "bin_start", "posts", "observed_at"],
    )


def test_shares_of_an_outage_stand_beside_what_is_usual() -> None:
    """Before noon three of four posts are English; after it 30 of 40 are Japanese."""
    made = rows(en=[3, 3, 3, 3, 5, 5], ja=[1, 1, 1, 1, 10, 20])
    got = spoken(made, service="tiktok", start=AT, end=AT + 2 * QUARTER)
    assert got.to_dict("list") == {
        "language": ["ja", "en"], "posts": [30, 10], "share": [0.75, 0.25], "usual_share": [0.25, 0.75],
    }  # fmt: skip
    assert told(got) == "of 40 posts in the counted languages: ja 75% (usually 25%), en 25% (usually 75%)"


def test_a_bin_in_which_a_language_is_not_known_says_nothing() -> None:
    """Half of an answer would make the other half look large."""
    got = spoken(
        rows(en=[1, 1, 1, 1, 5, 5], ja=[1, 1, 1, 1, 5, None]), service="tiktok", start=AT, end=AT + 2 * QUARTER
    )
    assert got["posts"].tolist() == [5, 5]


def test_the_newest_count_of_a_bin_stands() -> None:
    """Counts are asked for again, and late posts come in."""
    late = rows(en=[None] * 4 + [9]).assign(observed_at=AT + QUARTER)
    got = spoken(pd.concat([late, rows(en=[None] * 4 + [5])]), service="tiktok", start=AT, end=AT + QUARTER)
    assert got["posts"].tolist() == [9] and got["usual_share"].isna().all()
    assert told(got) == "of 9 posts in the counted languages: en 100%"


def test_nothing_known_is_no_share() -> None:
    """Of no posts there are no shares, and nothing is told."""
    assert told(spoken(rows(en=[1]), service="tiktok", start=AT, end=AT + QUARTER)) == ""
    assert told(spoken(rows(en=[0] * 6), service="tiktok", start=AT, end=AT + QUARTER)) == ""
