"""The goal's table, every row measured: clamor, a reference in numpy and its parts, ceilings, and peers.

    python tests/benchmarks/bench_table.py --first 41 --seeds 4

The data are synthetic (`table_worlds.py`: a generator held to the table's other rows); clamor is only used through
`clamor detect --counts`. Columns: POD at 0.1 false alarm episodes a series-week, of it within an hour and of outages of
one region, an outage counting for each series that it hits; counted once; at 0.02; flags as shipped; processor seconds
a million bins, arrays or frame in memory. After the sign come half-widths of 95% (t) over the seeds. River's
Holt-Winters is left out, with a note, where the extra `bench` is not installed.
"""

import argparse
import importlib.util
import time
from types import SimpleNamespace

import numpy as np
import table_worlds as worlds
from bench_detect import holt_winters, seasonal_naive
from bench_other import door, ears, pooled, scored, table, tail
from other_worlds import frame
from reference import glm, past, reference
from reference import tail as poisson_or_nb

from clamor.detect import detect

PARTS = {
    "Poisson for NB": {"nb": False},
    "no pooling": {"pool": False},
    "no lift by the last hour": {"lift": False},
    "no windows": {"windows": False},
    "no slow level": {"slow": False},
    "no extra dispersion": {"extra": False},
}
COLUMNS = {
    "POD": "by series 0.1",
    "within 1 h": "by series 1 h",
    "regional": "by series regional",
    "counted once": "0.1",
    "POD at 0.02": "by series 0.02",
}
SIX = 6


def six_before(counts):
    """Number, sum and sum of squares of the last six bins: what algo.rki 1 and algo.bayes 1 look back on."""
    known, y = np.isfinite(counts), np.nan_to_num(counts)
    return np.maximum(past(known, 1, SIX), 1), past(y, 1, SIX), past(y**2, 1, SIX)


def rki(counts):
    """R surveillance's algo.rki: Poisson tail about the mean of the last six, a normal one above twenty."""
    from scipy.special import log_ndtr

    number, total, squares = six_before(counts)
    mean = total / number
    spread = np.sqrt(np.maximum(squares - number * mean**2, 0) / np.maximum(number - 1, 1))
    normal = -log_ndtr(-np.clip((np.nan_to_num(counts) - mean) / np.maximum(spread, 1e-9), -5, 1e4)) / np.log(10)
    return np.where(mean > 20, normal, poisson_or_nb(np.nan_to_num(counts), np.maximum(mean, 1 / 12), 0.0))


def bayes(counts):
    """R surveillance's algo.bayes: what the last six predict under Jeffreys' prior."""
    number, total, _ = six_before(counts)
    return poisson_or_nb(np.nan_to_num(counts), (total + 0.5) / number, 1 / (total + 0.5))


def all_holt_winters(counts):
    """River's, which is written for some forty series at a time."""
    return np.concatenate([holt_winters(part, 96) for part in np.array_split(counts, max(1, len(counts) // 40))])


def peers(world):
    """Methods by name, each a function without arguments that returns a score, ``(series, bins)``."""
    counts, size = world.counts, world.sizes[:, None]
    west = np.isin(world.regions, worlds.REGIONS[:3])
    fit = SimpleNamespace(value=None)

    def fitted():
        fit.value = fit.value or glm(counts)
        return fit.value

    def single(alpha):
        mean = fitted()[0]
        return poisson_or_nb(np.nan_to_num(counts), mean, fitted()[1] if alpha else 0.0)

    out = {
        "all known but outages, pooled": lambda: pooled(world, west),
        "seasonal NB GLM, single bin": lambda: single(alpha=True),
        "seasonal Poisson GLM, single bin": lambda: single(alpha=False),
        "numpy reference": lambda: reference(world, fitted()),
    }
    for name, part in PARTS.items():
        out[f"  {name}"] = lambda part=part: reference(world, fitted(), **part)
    out |= {
        "season and level known, single bin": lambda: tail(counts, world.season, size),
        "seasonal naive": lambda: seasonal_naive(counts, worlds.WEEK),
        "EARS C2": lambda: ears(counts),
        "rki": lambda: rki(counts),
        "bayes": lambda: bayes(counts),
    }
    if importlib.util.find_spec("river"):
        out["river Holt-Winters"] = lambda: all_holt_winters(counts)
    return out


def row(truth, score):
    """The table's columns of one score."""
    got = scored(truth, score)
    return {name: got[column] for name, column in COLUMNS.items()}


def compared(seed, nature):
    """Rows of the table, by method, of the last week of one world."""
    world = worlds.catalogue(seed, nature)
    truth, bins = worlds.Truth(world), world.counts.size / 1e6
    got = door(world, eval_start=truth.first)
    hit = got["flag"] == 1
    shipped = {"shipped": truth.found(hit)[1]["found"].mean(), "shipped: false": truth.rate(hit)}
    counts, began = frame(world), time.process_time()
    detect(counts, bin_minutes=world.bin_minutes)
    rows = {"clamor": row(truth, got["score"]) | shipped | {"s a million": (time.process_time() - began) / bins}}
    for name, method in peers(world).items():
        began = time.process_time()
        score = np.where(np.isfinite(world.counts), method(), np.nan)
        rows[name] = row(truth, score) | {"s a million": (time.process_time() - began) / bins}
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", type=int, default=41)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--only", default="", choices=["", *worlds.NATURES])
    given = parser.parse_args()
    if not importlib.util.find_spec("river"):
        print("river is not installed (extra `bench`): no row of its Holt-Winters")
    for name, nature in worlds.NATURES.items():
        if given.only in ("", name):
            title = f"The table, {name}"
            table(title, range(given.first, given.first + given.seeds), lambda seed, n=nature: compared(seed, n))


if __name__ == "__main__":
    main()
