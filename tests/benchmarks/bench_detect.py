"""The detection table on synthetic data, clamor beside its peers; prints means with 95% intervals over seeds.

    .venv/bin/python tests/benchmarks/bench_detect.py [--first 2000] [--seeds 4] [--skip-slow]

Peers that need a package (extra ``bench``: river) are left out, with a note, where it is not installed; the seasonal
naive, EARS C2 and the trailing negative binomial are written here from their papers. Seeds start at REPORT_SEED: no
constant of clamor was chosen on them.
"""

import argparse
import time

import numpy as np
import pandas as pd
from scipy.special import betainc

from clamor.detect import detect, learn
from clamor.simulate import charts
from clamor.simulate.counts import NATURES, REPORT_SEED, TROUBLES, catalogue, first_look

WEEK = 672


def upper_tail(y, mean, size):
    """Minus log10 of the negative binomial chance of y or more."""
    p = np.where(y > 0, betainc(np.maximum(y, 1e-9), size, mean / (mean + size)), 1.0)
    return -np.log10(np.maximum(p, 1e-300))


def moved(y, window, lag):
    """Mean and variance of the window that ends lag bins before each bin; NaN is left out."""
    known, filled = ~np.isnan(y), np.nan_to_num(y)
    sums = [np.pad(np.cumsum(v, axis=1, dtype=float), ((0, 0), (1, 0))) for v in (known, filled, filled**2)]
    stop = np.clip(np.arange(y.shape[1]) - lag + 1, 0, None)
    begin = np.clip(stop - window, 0, None)
    n, total, square = (s[:, stop] - s[:, begin] for s in sums)
    n = np.maximum(n, 1)
    return total / n, np.maximum(square / n - (total / n) ** 2, 0)


def ears_c2(y, bins_a_day):
    """EARS C2 (Hutwagner et al. 2003): seven days' bins, two days' guard, in standard deviations."""
    mean, variance = moved(y, 7 * bins_a_day, 2 * bins_a_day + 1)
    return (y - mean) / np.sqrt(np.maximum(variance, 0.5))


def trailing(y, bins_a_day):
    """Negative binomial tail about the last day's mean and variance."""
    mean, variance = moved(y, bins_a_day, 1)
    mean = mean + 0.5 / bins_a_day
    return upper_tail(np.nan_to_num(y), mean, mean**2 / np.maximum(variance - mean, 0.05 * mean))


def seasonal_naive(y, bins_a_week):
    """Against the same bin of the weeks before: negative binomial tail about their mean, variance of the residuals."""
    weeks = y.shape[1] // bins_a_week
    cube = y[:, : weeks * bins_a_week].reshape(len(y), weeks, bins_a_week)
    mean = np.full_like(cube, np.nan)
    for w in range(1, weeks):
        known = np.isfinite(cube[:, :w]).sum(axis=1)
        mean[:, w] = np.where(known, np.nansum(cube[:, :w], axis=1) / np.maximum(known, 1), np.nan)
    mean = mean.reshape(len(y), -1) + 0.05
    rough = np.nanmean(((y - mean) ** 2 - mean) / mean**2, axis=1, keepdims=True)
    return upper_tail(np.nan_to_num(y), np.nan_to_num(mean, nan=1e9), 1 / np.clip(rough, 0.05, 10))


def holt_winters(y, bins_a_day):
    """River's Holt-Winters, additive, daily season; surprise in running standard deviations (first 40 series)."""
    from river.time_series import HoltWinters

    out = np.full(y.shape, np.nan)
    for i, row in enumerate(np.nan_to_num(y)[:40]):
        model, scale = HoltWinters(alpha=0.1, beta=0.01, gamma=0.1, seasonality=bins_a_day), 1.0
        for t, value in enumerate(row):
            if t > 2 * bins_a_day:
                off = value - model.forecast(horizon=1)[0]
                out[i, t] = off / np.sqrt(scale)
                scale = 0.995 * scale + 0.005 * min(off * off, 9 * scale) + 1e-6
            model.learn_one(float(value) + 1e-6)  # it divides by the first day's level
    return out


def clamor(world, mentions=False):
    """The score and flags of clamor.detect, ``(series, bins)``, in the world's order; seconds a million bins."""
    frame = world.frame(mentions)
    began = time.process_time()
    out = detect(frame, world.regions, bin_minutes=world.bin_minutes)
    seconds = (time.process_time() - began) / len(frame) * 1e6
    return *grids(out, world), seconds


def grids(out, world):
    """The score and flags of whole verdicts, ``(series, bins)``, in the world's order."""
    order = np.lexsort((world.region, world.service))
    made = np.empty((2, len(order), len(out) // len(order)))
    for name, grid in zip(("score", "flag"), made, strict=True):
        grid[order] = out[name].to_numpy(dtype=float).reshape(grid.shape)
    return made[0], made[1] > 0


def revised(world, seed):
    """The same where the bins of a day are as first counted, short of late posts, and those of earlier days in full."""
    score, flags = np.full(world.posts.shape, np.nan), np.zeros(world.posts.shape, dtype=bool)
    full, early = world.frame(), first_look(world, seed).frame()
    for day in range(world.posts.shape[1] // 96 - 7, world.posts.shape[1] // 96):
        midnight = (world.start + pd.Timedelta(days=day)).tz_localize("UTC")
        today = early[(early["bin_start"] >= midnight) & (early["bin_start"] < midnight + pd.Timedelta(days=1))]
        out = detect(today, world.regions, learnt=learn(full[full["bin_start"] < midnight], world.regions))
        score[:, day * 96 : day * 96 + 96], flags[:, day * 96 : day * 96 + 96] = grids(out, world)
    return score, flags


def starts(hit, gap=4):
    """First bins of episodes: hits more than a gap apart."""
    at = np.arange(hit.shape[1])
    last = np.maximum.accumulate(np.where(hit, at, -(10**6)), axis=1)
    before = np.concatenate([np.full((len(hit), 1), -(10**6)), last[:, :-1]], axis=1)
    return hit & (at - before > gap + 1)


def quiet(world, grace=8):
    """Bins that belong to no outage, nor to the two hours after one."""
    free = np.ones(world.posts.shape, dtype=bool)
    for series, start, stop in world.truth[["series", "start", "stop"]].to_numpy():
        free[series, max(0, start - 1) : stop + grace] = False
    return free


def found(hit, truth, bins=None):
    """Whether each outage of each series is hit, within its first bins if said."""
    rows = truth[["series", "start", "stop"]].to_numpy()
    return np.array([hit[i, a : b if bins is None else min(b, a + bins)].any() for i, a, b in rows])


def threshold(score, free, rate):
    """The score at which quiet bins start ``rate`` false episodes a series and week."""
    weeks = score.shape[1] / WEEK
    low, high = -5.0, float(np.nanmax(score)) + 1
    for _ in range(30):
        middle = (low + high) / 2
        over = (starts(np.nan_to_num(score, nan=-99) >= middle) & free).sum() > rate * len(score) * weeks
        low, high = (middle, high) if over else (low, middle)
    return high


def row(score, world, flags=None):
    """POD of a catalogue's outages (per series) at 0.1 and 0.02, within an hour, of regional ones, and per event."""
    last = slice(-WEEK, None)
    truth = world.truth[world.truth["judged"] & ~np.isnan(score).all(axis=1)[world.truth["series"]]]
    use = ~np.isnan(score).all(axis=1)
    at = {rate: threshold(score[use][:, last], quiet(world)[use][:, last], rate) for rate in (0.1, 0.02)}
    hit = found(score >= at[0.1], truth)
    figures = {
        "POD@.1": hit.mean(),
        "POD@.02": found(score >= at[0.02], truth).mean(),
        "1 h": found(score >= at[0.1], truth, 4).mean(),
        "regional": hit[(truth["kind"] == "regional").to_numpy()].mean(),
        "event": truth.assign(hit=hit).groupby("event")["hit"].max().mean(),
    }
    if flags is not None:
        figures["shipped false/week"] = (starts(flags[:, last]) & quiet(world)[:, last]).sum() / len(score)
        figures["shipped POD"] = found(flags, truth).mean()
    return figures


def show(name, rows):
    """Print means and 95% intervals over seeds."""
    table = pd.DataFrame(rows)
    half = 1.96 * table.std(ddof=1) / np.sqrt(len(table)) if len(table) > 1 else table.mean() * np.nan
    print(f"{name:28s}", "  ".join(f"{c} {table[c].mean():.3f}±{half[c]:.3f}" for c in table), flush=True)


def catalogues(seeds, slow, nature, **options):
    """The table of a catalogue's outages; returns the rows of each method."""
    peers = {"EARS C2": lambda y: ears_c2(y, 96), "trailing NB": lambda y: trailing(y, 96)}
    peers["seasonal naive NB"] = lambda y: seasonal_naive(y, WEEK)
    if slow:
        peers["river Holt-Winters (40)"] = lambda y: holt_winters(y, 96)
    rows = {name: [] for name in ("true mean, single bin", "clamor", "clamor with mentions", *peers)}
    for seed in seeds:
        world = catalogue(seed, nature, **options)
        known = np.where(np.isnan(world.posts), np.nan, upper_tail(np.nan_to_num(world.posts), world.usual, 3.3))
        rows["true mean, single bin"].append(row(known, world))
        score, flags, seconds = clamor(world)
        rows["clamor"].append({**row(score, world, flags), "s/M": seconds})
        score, flags, seconds = clamor(world, mentions=True)
        rows["clamor with mentions"].append({**row(score, world, flags), "s/M": seconds})
        for name, peer in peers.items():
            score = np.where(np.isnan(world.posts), np.nan, peer(world.posts))
            score[:, :WEEK] = np.nan
            rows[name].append(row(score, world))
    for name, figures in rows.items():
        show(name, figures)
    return rows


def troubles(seeds):
    """What each trouble costs: the usual world, its first looks at counts that are revised later, and further ones."""
    rows = {}
    for seed in seeds:
        for name, nature in {"usual": NATURES["usual"], **TROUBLES}.items():
            world = catalogue(seed, nature)
            score, flags, _ = clamor(world)
            rows.setdefault(name, []).append(row(score, world, flags))
            if name == "usual":
                score, flags = revised(world, seed)
                rows.setdefault("revised later", []).append(row(score, world, flags))
    for name, figures in rows.items():
        show(name, figures)


def caught(score, world, share):
    """Incidents of one-day charts caught at a share of quiet bins flagged."""
    free = quiet(world, 60)
    free[:, :16] = False
    limit = np.nanquantile(score[free], 1 - share)
    return int(found(score > limit, world.truth).sum())


def one_day_charts(seeds):
    """The table of one-day charts with four hours of history."""
    rows = {"clamor": [], "trailing NB": [], "EARS-like, 3 sigma": []}
    for seed in seeds:
        world = charts.charts(seed)
        score, flags, _ = clamor(world)
        free = quiet(world, 60)
        free[:, :16] = False
        shipped = {"shipped": found(flags, world.truth).sum(), "of quiet": flags[free].mean()}
        rows["clamor"].append({"at .5%": caught(score, world, 0.005), "at 1%": caught(score, world, 0.01), **shipped})
        mean, variance = moved(world.posts, 96, 1)
        sigma = (world.posts - mean) / np.sqrt(np.maximum(variance, 0.25))
        for name, peer in (("trailing NB", trailing(world.posts, 96)), ("EARS-like, 3 sigma", sigma)):
            rows[name].append({"at .5%": caught(peer, world, 0.005), "at 1%": caught(peer, world, 0.01)})
    for name, figures in rows.items():
        show(name, figures)


def weekly_reports(seeds):
    """Noufaily's scenarios: POD at 1% of quiet weeks flagged."""
    rows = {"clamor": [], "true mean": []}
    for seed in seeds:
        world = charts.weekly(seed, repeats=4)
        phi = np.repeat([s[4] for s in charts.SCENARIOS], 4)[:, None]
        known = upper_tail(world.posts, world.usual, world.usual / np.maximum(phi - 1, 1e-3))
        free = quiet(world, 0)
        free[:, : -charts.JUDGED_WEEKS] = False
        truth = world.truth[world.truth["judged"]]
        for name, score in (("clamor", clamor(world)[0]), ("true mean", known)):
            limit = np.nanquantile(score[free], 0.99)
            rows[name].append({"POD at 1%": found(score > limit, truth).mean()})
    for name, figures in rows.items():
        show(name, figures)


def main():
    """Print all tables."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seeds", type=int, default=4)
    options.add_argument("--first", type=int, default=REPORT_SEED)
    options.add_argument("--skip-slow", action="store_true")
    given = options.parse_args()
    seeds = range(given.first, given.first + given.seeds)
    slow = not given.skip_slow
    try:
        import river  # noqa: F401
    except ImportError:
        slow = False
        print("river is not installed (extra bench): left out")
    every = {}
    for name, nature in NATURES.items():
        for weeks in (5, 2) if name == "usual" else (5,):
            print(f"\nSynthetic catalogue, {name}, {weeks} weeks, 200 series:")
            rows = catalogues(seeds, slow and name == "usual" and weeks == 5, nature, weeks=weeks)
            for method, figures in rows.items():
                every.setdefault(method, []).append(pd.DataFrame(figures))
    print("\nMean of these seven tables:")
    for method, tables in every.items():
        if len(tables) == 7:
            show(method, sum(tables) / 7)
    print("\nclamor where a trouble is added to the usual world:")
    troubles(seeds)
    print("\nSynthetic one-day charts, incidents caught of 131:")
    one_day_charts(seeds)
    print("\nNoufaily et al. 2013, 42 scenarios:")
    weekly_reports(seeds)


if __name__ == "__main__":
    main()
