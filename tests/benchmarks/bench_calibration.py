"""Does clamor keep what it says? Calibration on every kind of synthetic series, and the bursty and rare ones' figures.

    .venv/bin/python tests/benchmarks/bench_calibration.py [--seeds 3]

Prints, with the seeds from REPORT_SEED on, which no constant was chosen on: p-values of quiet bins by volume class,
coverage of the 95% intervals, false discoveries by q-value, false episodes of the flags against the budget; then the
score of the Numenta benchmark's paper on bursty series, and the large events of rare ones. All of it synthetic.
"""

import argparse

import numpy as np
import pandas as pd
from bench_detect import quiet, starts, trailing
from nab import best, nab, once_a_day

from clamor.detect import detect
from clamor.simulate import charts
from clamor.simulate.counts import REPORT_SEED, Nature, catalogue

CLASSES = (0.1, 1.0, 10.0)
NAMES = ("< 0.1", "0.1-1", "1-10", "> 10")
SHARES = (0.5, 0.1, 0.01, 0.001)
BUDGETS = (0.02, 0.1, 0.5)
HOURS_AFTER = {5: 2, 15: 2, 60: 48}
"""Hours after an event that are not counted as quiet."""


def worlds(seed):
    """One world of each kind."""
    yield "catalogue", catalogue(seed)
    yield "catalogue, quiet", catalogue(seed, Nature(chatter_per_week=0, outages_per_week=0))
    yield "catalogue, outages every week", catalogue(seed, judged_weeks=5)
    for kind in charts.BURSTS:
        yield f"bursty, {kind}", charts.bursty(seed, kind)
    yield "rare, 60 min", charts.rare(seed)
    yield "rare, 15 min", charts.rare(seed, bin_minutes=15)


def grids(world, **options):
    """The columns of clamor.detect as arrays of the world's shape and order."""
    out = detect(world.frame(), world.regions, bin_minutes=world.bin_minutes, **options)
    order = np.lexsort((world.region, world.service))
    made = {}
    for name in ("score", "p_value", "q_value", "expected", "low", "high", "flag"):
        made[name] = np.empty(world.posts.shape)
        made[name][order] = out[name].to_numpy(dtype=float).reshape(world.posts.shape)
    return made


def free(world):
    """Bins of no event, nor of the hours after one."""
    return quiet(world, HOURS_AFTER[world.bin_minutes] * 60 // world.bin_minutes)


def false_episodes(flag, world):
    """False episodes a series and week in the first week, and later; they are an hour apart, a day in rare series."""
    week = 10080 // world.bin_minutes
    gap = 1440 // world.bin_minutes if world.service[0].startswith("rare") else 60 // world.bin_minutes
    ok = free(world)
    new = starts(flag > 0, gap) & ok
    return [new[:, part].sum() / ok[:, part].sum() * week for part in (slice(0, week), slice(week, None))]


def calibration(world, made):
    """Shares of p-values and coverage by volume class, and the share of false ones among small q-values."""
    ok = free(world) & ~np.isnan(made["p_value"])
    ok[:, : 10080 // world.bin_minutes] = False
    level = np.searchsorted(CLASSES, made["expected"])
    inside = (world.posts >= made["low"]) & (world.posts <= made["high"])
    rows = []
    for k, name in enumerate(NAMES):
        mine = ok & (level == k)
        if mine.sum() > 5000:
            row = {"class": name, "bins": int(mine.sum()), "in 95%": inside[mine].mean()}
            row |= {f"p<={s}": (made["p_value"][mine] <= s).mean() for s in SHARES}
            rows.append(row)
    small = made["q_value"] <= 0.1
    return rows, {"bins q<=.1": int(small.sum()), "false of them": (small & ok).sum() / max(small.sum(), 1)}


def average(y, keep=0.95):
    """Surprise about an exponentially weighted mean, in standard deviations of the same memory."""
    mean, variance, out = y[:, :12].mean(axis=1), y[:, :12].var(axis=1) + 1, np.zeros(y.shape)
    for t in range(y.shape[1]):
        off = y[:, t] - mean
        out[:, t] = off / np.sqrt(variance)
        mean, variance = mean + (1 - keep) * off, keep * (variance + (1 - keep) * off * off)
    return out


def numenta(world, made):
    """The benchmark's score of clamor's score and flags, and of two peers."""
    begins = [sorted(world.truth["start"][world.truth["series"] == i]) for i in range(len(world.posts))]
    flags = made["flag"] > 0
    found = [flags[i, a:b].any() for i, a, b in world.truth[["series", "start", "stop"]].to_numpy()]
    return {
        "score": best(made["score"], begins)[0],
        "flags": nab(flags, begins),
        "flags once a day": nab(once_a_day(flags, 288), begins),
        "EWMA": best(average(world.posts), begins)[0],
        "trailing NB": best(trailing(world.posts, 288), begins)[0],
        "events flagged": 100 * np.mean(found),
    }


def main():
    """Print all tables."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--first", type=int, default=REPORT_SEED)
    given = options.parse_args()
    classes, discoveries, episodes, bursts, rare = [], [], [], [], []
    for seed in range(given.first, given.first + given.seeds):
        for kind, world in worlds(seed):
            for budget in BUDGETS:
                made = grids(world, budget=budget)
                first, later = false_episodes(made["flag"], world)
                episodes.append({"kind": kind, f"{budget}, week 1": first, f"{budget}, later": later})
                if budget != 0.1:
                    continue
                rows, found = calibration(world, made)
                classes += [{"kind": kind, **row} for row in rows]
                discoveries.append({"kind": kind, **found})
                if kind.startswith("bursty"):
                    bursts.append({"kind": kind, **numenta(world, made)})
                if kind.startswith("rare"):
                    cut = world.truth[["series", "start", "stop"]].to_numpy()
                    rare.append(
                        {"kind": kind, "events flagged": np.mean([made["flag"][i, a:b].any() for i, a, b in cut])}
                    )
    for title, rows, by in (
        (
            "p-values of quiet bins and coverage of the 95% interval, by expected posts a bin",
            classes,
            ["kind", "class"],
        ),
        ("Bins with q <= 0.1, and the false ones among them", discoveries, ["kind"]),
        ("False episodes a series and week, by budget", episodes, ["kind"]),
        ("Numenta benchmark's formula, 0 to 100", bursts, ["kind"]),
        ("Rare series' large events", rare, ["kind"]),
    ):
        print(f"\n{title}:\n{pd.DataFrame(rows).groupby(by, sort=False).mean().round(4).to_string()}", flush=True)


if __name__ == "__main__":
    main()
