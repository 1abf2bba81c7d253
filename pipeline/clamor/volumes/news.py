"""What a reading says that was not known: changed rows, and zeros where posts are gone; and posts by symptom."""

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from clamor import schema
from clamor.schema import Signal
from clamor.volumes.scopes import stream_of


def changes(known: pa.Table, fresh: pd.DataFrame, attempts: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of ``fresh`` that say something new, and an explicit 0 for each that a re-read no longer finds.

    Args:
        known: Stored volumes (all versions) of at least the windows of the attempts.
        fresh: Volumes just counted, without zero rows.
        attempts: Coverage rows that belong to ``fresh``; only a proven attempt over the whole bin may replace.

    """
    key = list(schema.VOLUMES.key)
    scopes = attempts["scope"].unique().tolist() if len(attempts) else []
    mine = known.filter(pc.is_in(known.column("scope"), pa.array(scopes, pa.string())))
    stored = schema.to_pandas(mine).sort_values("observed_at", kind="stable").drop_duplicates(key, keep="last")
    if stored.empty:
        return fresh
    merged = fresh.merge(stored[[*key, "posts", "authors"]], on=key, how="left", suffixes=("", "_stored"))
    same = (merged["posts"] == merged["posts_stored"]).fillna(False)
    same &= merged["authors"].fillna(-1).astype("int64") == merged["authors_stored"].fillna(-1).astype("int64")
    news = fresh.loc[~same.to_numpy(dtype=bool)]
    gone = stored[stored["posts"] > 0].merge(fresh[key], on=key, how="left", indicator=True)
    gone = gone.loc[gone["_merge"] == "left_only"].drop(columns="_merge")
    emptied = _emptied(gone, attempts.loc[attempts["status"].isin([str(status) for status in schema.PROVES])])
    if emptied.empty:
        return news
    zeros = emptied.assign(posts=0, authors=pd.array([pd.NA], dtype="Int64")[0])
    return pd.concat([news, zeros], ignore_index=True) if len(news) else zeros


def _emptied(gone: pd.DataFrame, proven: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose whole bin a proven attempt of their source and scope covered, stamped with its time."""
    if gone.empty or proven.empty:
        return gone.head(0)
    windows = proven[["source", "scope", "window_start", "window_end", "requested_at"]]
    pairs = gone.reset_index(drop=True).reset_index(names="_row").merge(windows, on=["source", "scope"])
    ends = pairs["bin_start"] + pd.to_timedelta(pairs["bin_minutes"], unit="min")
    covered = pairs.loc[(pairs["bin_start"] >= pairs["window_start"]) & (ends <= pairs["window_end"])]
    last = covered.sort_values("requested_at", kind="stable").drop_duplicates("_row", keep="last")
    stamped: pd.DataFrame = last.assign(observed_at=last["requested_at"])[gone.columns]
    return stamped


def symptoms(volumes: pa.Table) -> pd.DataFrame:
    """Return the complaints by symptom, one row a key and stream: what may be added up over regions and time."""
    named = pc.and_(
        pc.not_equal(volumes.column("symptom"), schema.ANY_SYMPTOM),
        pc.equal(volumes.column("signal"), Signal.COMPLAINT.value),
    )
    rows = schema.to_pandas(volumes.filter(named)).sort_values("observed_at", kind="stable")
    streams = {scope: stream_of(scope) for scope in rows["scope"].unique()}
    rows["_stream"] = [scope if streams[scope] == "file" else streams[scope] for scope in rows["scope"]]
    key = ["_stream", *(name for name in schema.VOLUMES.key if name != "scope")]
    return rows.drop_duplicates(key, keep="last").drop(columns="_stream").reset_index(drop=True)
