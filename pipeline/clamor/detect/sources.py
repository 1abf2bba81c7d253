"""Evidence of several sources about one service, region and bin, combined; counts are never added."""

import numpy as np
import pandas as pd

from clamor.detect.budget import ELEVATED_P, outage_score
from clamor.errors import InputError
from clamor.schema import ALL_SOURCES, FLAGS, State

KEY = ["service", "region", "bin_minutes", "bin_start"]
JUDGED = (State.NORMAL, State.ELEVATED, State.OUTAGE)
EMPTY = tuple(name for name in FLAGS.nullable if name not in ("score", "p_value", "q_value"))


def combine(flags: pd.DataFrame, budget: float = 0.1, bin_minutes: int = 15) -> pd.DataFrame:
    """Combine the verdicts of several sources into verdicts of source ``all``.

    Fisher's method on the p-values of the sources that are covered and out of warm-up: with one such source its
    verdict stands, else ``score`` is minus log10 of the joint p-value: how unusual a bin is, told before or not. Where
    no source has data the state is ``no_data``; where those with data still warm up, ``warm_up``.

    Args:
        flags: Rows of the flags table, one or more sources (rows of source ``all`` are ignored).
        budget: False incidents per series and week.
        bin_minutes: Width of the bins.

    Returns:
        Rows of the flags table with source ``all``; ``sources`` names those used; posts and expectations are null,
        because counts of different sources do not add.

    Raises:
        InputError: a column is missing.

    """
    from scipy.special import gammaincc  # takes as long to load as all the rest

    missing = [name for name in FLAGS.columns.names if name not in flags.columns]
    if missing:
        raise InputError(f"flags: column {missing[0]!r} is missing; a row is {FLAGS.grain}; add it")
    rows = flags[(flags["source"] != ALL_SOURCES) & (flags["bin_minutes"] == bin_minutes)]
    if rows.empty:
        return FLAGS.empty()
    rows = rows.sort_values([*KEY, "source"], ignore_index=True)
    key = rows.groupby(KEY, sort=False).ngroup().to_numpy()
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    judged = rows["state"].isin(JUDGED).to_numpy() & rows["p_value"].notna().to_numpy()
    count = np.add.reduceat(judged.astype(np.int64), starts)
    nats = np.where(judged, -np.log(np.clip(rows["p_value"].fillna(1).to_numpy(dtype=float), 1e-300, 1)), 0.0)
    total = np.add.reduceat(nats, starts)
    lone = np.maximum.reduceat(np.where(judged, np.arange(len(rows)), -1), starts)
    p = np.where(count > 1, gammaincc(np.maximum(count, 1), total), np.exp(-total))
    score = -np.log10(np.maximum(p, 1e-300))
    state = np.where(score >= outage_score(budget, bin_minutes), State.OUTAGE, State.NORMAL).astype(object)
    state[(state == State.NORMAL) & (p < ELEVATED_P)] = State.ELEVATED
    single = count == 1
    state[single] = rows["state"].to_numpy(dtype=object)[lone[single]]
    score[single] = rows["score"].to_numpy(dtype=float)[lone[single]]
    warming = np.maximum.reduceat((rows["state"] == State.WARM_UP).to_numpy(), starts)
    state[count == 0] = np.where(warming[count == 0], State.WARM_UP, State.NO_DATA)
    q = np.minimum(np.minimum.reduceat(np.where(judged, rows["q_value"].fillna(1), 1.0), starts) * count, 1)
    out = rows.loc[starts, KEY].reset_index(drop=True)
    none = count == 0
    out["source"] = ALL_SOURCES
    out["state"] = state.astype(str)
    out["score"], out["p_value"] = np.where(none, np.nan, score), np.where(none, np.nan, p)
    out["q_value"] = np.where(none, np.nan, q)
    for name in EMPTY:
        out[name] = np.nan
    out["sources"] = _names(rows["source"].to_numpy(dtype=object), judged, starts)
    out["computed_at"] = rows["computed_at"].groupby(key).max().to_numpy()
    out["computed_at"] = out["computed_at"].astype(rows["computed_at"].dtype)
    combined: pd.DataFrame = out[FLAGS.columns.names]
    return combined


def _names(
    source: "np.ndarray[tuple[int], np.dtype[np.object_]]",
    judged: "np.ndarray[tuple[int], np.dtype[np.bool_]]",
    starts: "np.ndarray[tuple[int], np.dtype[np.intp]]",
) -> list[list[str]]:
    ends = [*starts[1:], len(source)]
    return [list(source[a:b][judged[a:b]]) for a, b in zip(starts, ends, strict=True)]
