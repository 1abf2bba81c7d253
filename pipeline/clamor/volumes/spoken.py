"""In which languages a service's complaints are written, and in which they usually are."""

from typing import Final

import pandas as pd

COLUMNS: Final = ("language", "posts", "share", "usual_share")


def spoken(rows: pd.DataFrame, *, service: str, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    """Return posts and share of each counted language in ``[start, end)``, the largest first, with the share before.

    A post has one language, so these counts are disjoint and the shares are of their sum; posts in languages that were
    not counted are in none of them. They are parts of the world's count: neither is ever added to a volume. Only bins
    in which every language of that time is known are looked at.

    Args:
        rows: LANGUAGES, all versions, with some bins before ``start``: what is usual is learnt from them.
        service: Catalogue id.
        start: Of an incident.
        end: Until when.

    Returns:
        Columns ``language``, ``posts``, ``share``, ``usual_share`` (null where nothing is known before); no rows where
        nothing is known.

    """
    mine = rows.loc[rows["service"] == service].sort_values("observed_at", kind="stable")
    newest = mine.drop_duplicates(["language", "bin_minutes", "bin_start"], keep="last")
    wide = newest.pivot_table(index="bin_start", columns="language", values="posts", aggfunc="sum", dropna=False)
    inside = wide.loc[(wide.index >= start) & (wide.index < end)].dropna(axis="columns", how="all").dropna()
    total = inside.to_numpy().sum()
    if not total:
        return pd.DataFrame(columns=list(COLUMNS))
    before = wide.loc[wide.index < start, inside.columns].dropna()
    usual = before.sum() / before.to_numpy().sum() if before.to_numpy().sum() else before.sum() * float("nan")
    told = pd.DataFrame({"posts": inside.sum().astype("int64"), "share": inside.sum() / total, "usual_share": usual})
    told = told.rename_axis("language").reset_index()
    return told.sort_values(["posts", "language"], ascending=[False, True], ignore_index=True)[list(COLUMNS)]


def told(shares: pd.DataFrame) -> str:
    """Return the shares of :func:`spoken` in one line; empty for none."""
    columns = (shares[name].tolist() for name in COLUMNS)
    parts = [
        f"{language} {share:.0%}" + ("" if usual != usual else f" (usually {usual:.0%})")
        for language, posts, share, usual in zip(*columns, strict=True)
        if posts
    ]
    return f"of {shares['posts'].sum():,} posts in the counted languages: {', '.join(parts)}" if parts else ""
