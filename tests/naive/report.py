"""Slow twins of the report's reductions: loops over rows."""

import numpy as np
import pandas as pd

RANKED = ["no_data", "warm_up", "normal", "elevated", "outage"]
SUMMARY = ("region", "bins", "observed", "rank", "last", "last_observed", "worst", "outage", "peak_ratio", "started")


def summary(flags: pd.DataFrame) -> pd.DataFrame:
    """One row a region, in order of its name."""
    first, rows = flags["bin_start"].min(), []
    for region, part in flags.groupby("region"):
        part = part.sort_values("bin_start")
        places = [int((t - first) / pd.Timedelta(minutes=15)) for t in part["bin_start"]]
        ranks = [RANKED.index(s) for s in part["state"]]
        started = places[-1]
        for place, rank in zip(reversed(places), reversed(ranks), strict=True):
            if rank != ranks[-1]:
                break
            started = place
        raised = [r for r, rank in zip(part["ratio"], ranks, strict=True) if rank == 4 and not np.isnan(r)]
        rows.append(
            {
                "region": region,
                "bins": len(ranks),
                "observed": sum(rank > 0 for rank in ranks),
                "rank": ranks[-1],
                "last": places[-1],
                "last_observed": max((p for p, rank in zip(places, ranks, strict=True) if rank > 0), default=-1),
                "worst": max(ranks),
                "outage": ranks.count(4),
                "peak_ratio": max(raised, default=np.nan),
                "started": started,
            }
        )
    return pd.DataFrame(rows)


def worst(flags: pd.DataFrame) -> list[int]:
    """The worst rank at every bin from the first to the last."""
    first = flags["bin_start"].min()
    bins = int((flags["bin_start"].max() - first) / pd.Timedelta(minutes=15)) + 1
    found = [0] * bins
    for time, state in zip(flags["bin_start"], flags["state"], strict=True):
        place = int((time - first) / pd.Timedelta(minutes=15))
        found[place] = max(found[place], RANKED.index(state))
    return found
