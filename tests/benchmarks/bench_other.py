"""Score `clamor detect --counts` as an outsider would: other generators, files in, rows out, scoring of its own.

    python tests/benchmarks/bench_other.py --first 11 --seeds 4
    python tests/benchmarks/bench_other.py --first 11 --seeds 4 --only third:

All data are synthetic (`*_worlds.py`); the tool is only used through its command line. Beside it, in the same run: a
trailing negative binomial, EARS C2 and, for catalogues, a single bin that knows its mean: all of it but outages, or
season and level without noise and talk; for the third generator also the ceiling: all known but outages, pooled over
windows, sizes and regions. POD is the share of outages found (by an alarm in any series that they hit, from first to
last bin) while false alarm episodes stay at 0.1 or 0.02 a series-week; `by series` counts every series of an outage for
itself; `1 h` and `regional` are at 0.1. Bins above the limit, joined over an hour, are an episode; it is false if no
outage of its series is within it or the two hours before. After the sign come half-widths of 95% (t) over the seeds.
"""

import argparse
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import burst_worlds
import nab
import numpy as np
import other_worlds as worlds
import pandas as pd
import third_worlds as third
from scipy import special

RATES = (0.1, 0.02)
CATALOGUES = {
    "five weeks, one judged": {"weeks": 5},
    "two weeks, one judged": {"weeks": 2},
    "no talk": {"weeks": 5, "chatter": 0.0},
    "all talk jumps": {"weeks": 5, "sudden": 1.0},
    "one region each": {"weeks": 5, "services": 200, "regions": 1, "outages": 0.3},
    "one region each, failing often": {"weeks": 5, "services": 200, "regions": 1},
    "one service": {"weeks": 5, "services": 1, "regions": 40, "outages": 6.0},
}
TREE = "region,parent,utc_offset_h\n"


def door(world, *, eval_start=None, budget=0.1, regions=False, gaps="missing"):
    """The verdicts of `clamor detect --counts`, each column as ``(series, bins)``; NaN where there is no row."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        worlds.frame(world, gaps=gaps).to_parquet(folder / "counts.parquet", index=False)
        command = [str(Path(sys.executable).with_name("clamor")), "detect", "--counts", str(folder / "counts.parquet")]
        command += ["--out", str(folder / "out.parquet"), "--bin", f"{world.bin_minutes}min", "--budget", str(budget)]
        if eval_start is not None:
            command += ["--eval-start", world.times()[eval_start].isoformat()]
        if regions:
            rows = {f"{place},,{worlds.ZONES[place[:4]]}\n" for place in world.regions}
            (folder / "regions.csv").write_text(TREE + "".join(sorted(rows)))
            command += ["--regions", str(folder / "regions.csv")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}: {done.stderr}")
        return wide(world, pd.read_parquet(folder / "out.parquet"))


def wide(world, rows):
    """Rows to one array a column."""
    keys = pd.MultiIndex.from_arrays([world.services, world.regions])
    series = keys.get_indexer(pd.MultiIndex.from_frame(rows[["service", "region"]]))
    bins = ((rows["bin_start"] - world.start) // pd.Timedelta(minutes=world.bin_minutes)).to_numpy()
    inside = (series >= 0) & (bins >= 0) & (bins < world.counts.shape[1])
    out = {}
    for name in ("score", "p_value", "q_value", "expected", "low", "high", "flag"):
        out[name] = np.full(world.counts.shape, np.nan)
        out[name][series[inside], bins[inside]] = rows[name].astype("float64").to_numpy()[inside]
    return out


def tail(counts, mean, size):
    """``-log10 P(X >= x)`` of a negative binomial (Poisson where ``size`` is infinite), half of ``x`` itself."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(np.isinf(size), 0.0, mean / (mean + size))

        def above(x):
            finite = special.betainc(np.maximum(x, 1e-9), np.where(np.isinf(size), 1.0, size), np.maximum(share, 1e-12))
            upper = np.where(np.isinf(size), special.gammainc(np.maximum(x, 1e-9), mean), finite)
            return np.where(x <= 0, 1.0, upper)

        return -np.log10(np.maximum(0.5 * (above(counts) + above(counts + 1)), 1e-300))


def trailing(counts, bins=28):
    """Tail of a negative binomial whose moments are those of the last ``bins``; no score before eight."""
    frame = pd.DataFrame(counts.T).shift(1).rolling(bins, min_periods=8)
    mean = np.maximum(frame.mean().to_numpy().T, 0.5 / bins)
    var = frame.var().to_numpy().T
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.where(var > mean * 1.01, mean**2 / (var - mean), np.inf)
    return tail(counts, mean, size)


def ears(counts):
    """EARS C2 (Hutwagner et al. 2003): standard deviations above the mean of seven bins, two bins back."""
    frame = pd.DataFrame(counts.T).shift(3).rolling(7, min_periods=4)
    mean, spread = frame.mean().to_numpy().T, frame.std().to_numpy().T
    return (counts - mean) / np.maximum(spread, 0.3)


def ewma(counts, half_life=36):
    """Standard deviations above an exponential mean, spread and mean of earlier bins only."""
    frame = pd.DataFrame(counts.T).shift(1).ewm(halflife=half_life, min_periods=8)
    return (counts - frame.mean().to_numpy().T) / np.maximum(frame.std().to_numpy().T, 1.0)


def pooled(world, zone, *, windows=(1, 2, 4, 8), ratios=(1.5, 2.5, 5.0, 12.0, 30.0)):
    """Log odds that a series is out, alone or with its zone or service, to that others are: the quiet mean is known.

    Windows are of up to two hours, so that none still holds an outage where an alarm is false.
    """
    service = np.unique(world.services, return_inverse=True)[1]
    groups = [np.arange(len(service)), np.unique(2 * service + zone, return_inverse=True)[1], service]
    size, bins = world.sizes[:, None], world.counts.shape[1]
    odds = [np.full((group.max() + 1, bins), -np.inf) for group in groups]
    for ratio in ratios:
        more = np.log((size + ratio * world.means) / (size + world.means))
        nats = np.nan_to_num(world.counts * (np.log(ratio) - more) - size * more, nan=0.0)
        for group, out in zip(groups, odds, strict=True):
            total = np.zeros((len(out), bins + 1))
            np.add.at(total[:, 1:], group, nats)
            total = total.cumsum(axis=1)
            for window in (each for each in windows if each * world.bin_minutes <= max(120, world.bin_minutes)):
                out[:, window - 1 :] = np.logaddexp(out[:, window - 1 :], total[:, window:] - total[:, :-window])
    own, near, whole = (out[group] + np.log(1e-3) for out, group in zip(odds, groups, strict=True))
    elsewhere = np.zeros_like(own)
    for row, mine in enumerate(service):
        others = np.flatnonzero((service == mine) & (np.arange(len(own)) != row))
        far = others[zone[others] != zone[row]][:1]
        elsewhere[row] = np.logaddexp.reduce(np.concatenate([np.zeros((1, bins)), own[others], near[far]]))
    return np.where(np.isfinite(world.counts), np.logaddexp.reduce([own, near, whole]) - elsewhere, np.nan)


def scored(truth, score):
    """The row of a table: POD at both rates, within an hour and regional, of outages and of series of outages."""
    out = {}
    for rate in RATES:
        both = truth.found(np.nan_to_num(score, nan=-np.inf) > truth.limit(score, rate))
        for by, rows in zip(("", "by series "), both, strict=True):
            out[f"{by}{rate}"] = rows["found"].mean()
            if rate == RATES[0]:
                out[f"{by}1 h"] = rows["soon"].mean()
                out[f"{by}regional"] = rows.loc[rows["kind"] == "regional", "found"].mean()
    order = sorted(out, key=lambda name: name.startswith("by"))
    return {name: out[name] for name in order}


def catalogue(seed, **options):
    """Rows of a table, by method, of one seed's catalogue."""
    tree = options.pop("tree", True) and options.get("regions", 10) > 1
    return compared(worlds.catalogue(seed, **options), regions=tree)


def third_catalogue(seed, nature):
    """The same of a world of the third generator, and the ceiling; codes of regions bring the tool's own tree."""
    world = third.catalogue(seed, nature)
    west = np.isin(world.regions, third.WEST + third.NAMES[:5])
    truth = worlds.Truth(world, world.counts.shape[1] - 7 * 24 * 60 // world.bin_minutes)
    return compared(world) | {"all known but outages, pooled": scored(truth, pooled(world, west))}


def compared(world, *, regions=False):
    """Rows of a table, by method, of the last week of a world."""
    first = world.counts.shape[1] - 7 * 24 * 60 // world.bin_minutes
    truth = worlds.Truth(world, first)
    got = door(world, eval_start=first, regions=regions)
    clamor = scored(truth, got["score"])
    hit = got["flag"] == 1
    events, pairs = truth.found(hit)
    shipped = {"": events["found"].mean(), "by series ": pairs["found"].mean()}
    clamor |= {f"shipped: {by}found": share for by, share in shipped.items()}
    clamor |= {"shipped: false": truth.rate(hit), **health(truth, world, got)}
    return {
        "clamor": clamor,
        "all known but outages, single bin": scored(truth, tail(world.counts, world.means, world.sizes[:, None])),
        "season and level known, single bin": scored(truth, tail(world.counts, world.season, world.sizes[:, None])),
        "trailing NB": scored(truth, trailing(world.counts)),
        "EARS C2": scored(truth, ears(world.counts)),
    }


def health(truth, world, got):
    """On bins without outages: share of p below 0.01 and 0.001, and of counts within the interval."""
    quiet = ~truth.near & np.isfinite(world.counts) & np.isfinite(got["p_value"])
    quiet[:, : truth.first] = False
    p, inside = got["p_value"][quiet], (world.counts >= got["low"]) & (world.counts <= got["high"])
    return {"p<.01": (p < 0.01).mean(), "p<.001": (p < 0.001).mean(), "in 95%": inside[quiet].mean()}


def day_charts(seed, *, apart=False):
    """Incidents caught of 131 at 0.5% and 1% of quiet bins; all charts on one day, or each on its own within a year."""
    world = worlds.charts(seed)
    truth = worlds.Truth(world, 16)
    got = door(world) if not apart else _on_days(world, np.random.default_rng([775, seed]).integers(0, 365, 131))
    out = {}
    scores = {"clamor": got["score"], "trailing NB": trailing(world.counts), "EARS C2": ears(world.counts)}
    for name, score in scores.items():
        quiet = score[~truth.near][np.isfinite(score[~truth.near])]
        hits = {f"caught {at:.1%}": score > np.quantile(quiet, 1 - at) for at in (0.005, 0.01)}
        out[name] = {key: truth.found(hit)[0]["found"].sum() for key, hit in hits.items()}
    flag = got["flag"] == 1
    judged = ~truth.near & np.isfinite(got["score"])
    out["clamor"] |= {"caught as shipped": truth.found(flag)[0]["found"].sum(), "of quiet": flag[judged].mean()}
    return out


def _on_days(world, days):
    """The verdicts of one-day series that lie on these days of a year, in one file."""
    at = np.arange(len(days))[:, None], days[:, None] * 96 + np.arange(96)
    year = np.full((len(days), 366 * 96), np.nan)
    year[at] = world.counts
    return {name: values[at] for name, values in door(replace(world, counts=year)).items()}


def companies(seed, make=worlds.companies):
    """The Numenta formula at the best single threshold, and of flags; false episodes a week of the flags."""
    world = make(seed)
    starts = [world.outages.loc[world.outages["series"] == row, "first"].tolist() for row in range(len(world.counts))]
    got = door(world)
    truth = worlds.Truth(world, 2016)
    flag = got["flag"] == 1
    told = {"NAB, flags": nab.nab(nab.once_a_day(flag, 288), starts), "false a week": truth.rate(flag)}
    out = {"clamor": {"NAB": nab.best(got["score"], starts)[0], **told}}
    for name, score in (("EWMA", ewma(world.counts)), ("trailing NB", trailing(world.counts))):
        out[name] = {"NAB": nab.best(score, starts)[0]}
    return out


def rare(seed):
    """Large events found, and false episodes in twenty weeks a series, as shipped."""
    world = worlds.rare(seed)
    truth = worlds.Truth(world, 4 * 168)
    flag = door(world)["flag"] == 1
    peer = trailing(world.counts, 336)
    peer = peer > truth.limit(peer, 1 / 20)
    return {
        name: {"found": truth.found(hit)[0]["found"].mean(), "false in 20 weeks": 20 * truth.rate(hit)}
        for name, hit in (("clamor", flag), ("trailing NB (best limit)", peer))
    }


def table(title, seeds, one):
    """Run every seed, print means with half-widths."""
    results = [one(seed) for seed in seeds]
    rows = {method: _row([each[method] for each in results]) for method in results[0]}
    print(f"\n{title}\n" + pd.DataFrame(rows).T.fillna("").to_string(), flush=True)


def _row(cells):
    """Mean and half-width of every column over the seeds that have it."""
    out = {}
    for column in cells[0]:
        values = np.array([each[column] for each in cells], float)
        values = values[np.isfinite(values)]
        if len(values) > 1:
            half = special.stdtrit(len(values) - 1, 0.975) * values.std(ddof=1) / len(values) ** 0.5
            out[column] = f"{values.mean():.3f} ± {half:.3f}"
        else:
            out[column] = f"{values[0]:.3f}" if len(values) else "-"
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--only", default="", help="tables whose title holds this")
    given = parser.parse_args()
    seeds = range(given.first, given.first + given.seeds)
    tables = {
        f"catalogue: {name}": lambda seed, o=options: catalogue(seed, **o) for name, options in CATALOGUES.items()
    }
    tables["catalogue: five weeks, no regions file"] = lambda seed: catalogue(seed, tree=False)
    tables |= {
        f"third: {name}": lambda seed, nature=nature: third_catalogue(seed, nature)
        for name, nature in third.NATURES.items()
    }
    tables["131 one-day charts, all of one day"] = day_charts
    tables["131 one-day charts, each of its own day"] = lambda seed: day_charts(seed, apart=True)
    tables |= {"companies, 5 minutes": companies}
    tables |= {
        f"companies, 5 minutes: {name}": lambda seed, make=make: companies(seed, make)
        for name, make in burst_worlds.KINDS.items()
    }
    tables["rare posts, hourly"] = rare
    for title, one in tables.items():
        if given.only in title:
            table(title, seeds, one)


if __name__ == "__main__":
    main()
