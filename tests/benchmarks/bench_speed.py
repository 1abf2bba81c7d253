"""How long judging takes, how much memory it needs, and what scoring new bins costs once the past is learnt.

    python tests/benchmarks/bench_speed.py [--bins 0.5 3.4 10]

Seconds are of one core's processor time, per million series-bins, arrays in memory: the counts lie in a frame, the
verdicts come out as one. Each size runs in a process of its own, once cold (the first call) and then warm. What the
first call costs more is memory that the system hands out for the first time, mostly that of the verdicts themselves;
the system's own seconds in it are printed beside it. Beside them, in the same process, two peers on the same counts as
a plain array: a rolling z-score over a day (EARS-like) and a seasonal negative binomial of the weeks before, single
bins, no frame at all. So times of another machine can be compared as ratios. Nothing is asserted.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from bench_detect import WEEK, ears_c2, seasonal_naive

from clamor.detect import detect, learn
from clamor.simulate.counts import REPORT_SEED, catalogue

WEEKS = 5


def took(run):
    """Processor seconds of a call, and its result."""
    began = time.process_time()
    result = run()
    return time.process_time() - began, result


def peak_mb():
    """The most memory that the process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def counts(millions):
    """A synthetic catalogue of about that many millions of bins, as a frame and as an array."""
    world = catalogue(REPORT_SEED, services=max(1, round(millions * 1e6 / (WEEKS * WEEK * 10))), weeks=WEEKS)
    frame = world.frame().astype({"service": "str", "region": "str"})
    return world, frame


def one_size(millions):
    """Print the figures of one size."""
    world, frame = counts(millions)
    bins, before = len(frame), peak_mb()
    system = resource.getrusage(resource.RUSAGE_SELF).ru_stime
    cold, out = took(lambda: detect(frame, world.regions))
    system = resource.getrusage(resource.RUSAGE_SELF).ru_stime - system
    peak = peak_mb()
    del out
    warm = min(took(lambda: detect(frame, world.regions))[0] for _ in range(3))
    peers = {
        "rolling z": took(lambda: ears_c2(world.posts, 96))[0],
        "seasonal NB": took(lambda: seasonal_naive(world.posts, WEEK))[0],
    }
    midnight = frame["bin_start"].max().floor("D")
    past, day = frame[frame["bin_start"] < midnight], frame[frame["bin_start"] >= midnight]
    refit, learnt = took(lambda: learn(past, world.regions))
    took(lambda: detect(day, world.regions, learnt=learnt))
    score = took(lambda: detect(day, world.regions, learnt=learnt))[0]
    each = 1e6 / bins
    ratios = ", ".join(f"{warm / seconds:.1f} x {name} ({seconds * each:.3f})" for name, seconds in peers.items())
    print(
        f"{bins / 1e6:5.2f} M bins: {warm * each:.3f} s/M warm, {cold * each:.3f} cold ({system * each:.3f} of it the "
        f"system's); {ratios}; "
        f"peak {peak:,.0f} MB, {before:,.0f} before; a day on a stored fit {score / (refit + score):.3f} of a refit",
        flush=True,
    )


def command_line(millions):
    """Print the wall time and memory of `clamor detect --counts`, Parquet to Parquet."""
    world, frame = counts(millions)
    with tempfile.TemporaryDirectory() as folder:
        given, regions, out = (str(Path(folder, name)) for name in ("counts.parquet", "regions.csv", "out.parquet"))
        frame.to_parquet(given, index=False)
        world.regions.to_csv(regions, index=False)
        del frame, world
        call = ["detect", "--counts", given, "--regions", regions, "--out", out]
        code = f"from clamor.cli import main; import sys; sys.argv[1:] = {call!r}; main()"
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, stderr=subprocess.DEVNULL)
        wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"  clamor detect --counts: {wall:.1f} s wall, {busy:.1f} s busy, {after.ru_maxrss / 1024:,.0f} MB", flush=True
    )


SHAPES = {
    "1 series, 1 day of 15 min": (1, 96, 15),
    "100,000 series, 1 day of 15 min": (100_000, 96, 15),
    "2,000 series, 1 week of 15 min": (2000, 672, 15),
    "3,000 series, 40 days of 1 h": (3000, 960, 60),
    "20,000 series, 120 days of 1 day": (20_000, 120, 1440),
    "170 series, 7 years of 1 week": (170, 364, 10_080),
    "10 series, 15,800 bins of 5 min": (10, 15_800, 5),
    "20 series, 2 weeks of 1 min": (20, 20_160, 1),
    "1 series, 2 years of 15 min": (1, 70_080, 15),
}
"""Series, bins and minutes a bin of other tables: short, long, wide and fine."""


def one_shape(name):
    """Print what a table of another shape costs, called once, beside a rolling z-score of the same counts."""
    series, bins, width = SHAPES[name]
    random = np.random.default_rng(REPORT_SEED)
    mean = np.exp(random.uniform(-3, 4, (series, 1))).astype(np.float32)
    posts = np.concatenate([random.poisson(m, (1, bins)).astype(np.float32) for m in mean])
    times = pd.date_range("2020-01-06", periods=bins, freq=f"{width}min", tz="UTC", unit="us")
    frame = pd.DataFrame(
        {
            "service": pd.array([f"s{i // 10:05d}" for i in range(series)], dtype="str").repeat(bins),
            "region": pd.array([f"r{i % 10}" for i in range(series)], dtype="str").repeat(bins),
            "bin_start": pd.DatetimeIndex(np.tile(times.to_numpy(), series), tz="UTC"),
            "count": posts.ravel(),
        }
    )
    before = peak_mb()
    seconds = took(lambda: detect(frame, bin_minutes=width))[0]
    peak = peak_mb()
    each = 1e6 / len(frame)
    peer = took(lambda: ears_c2(posts, max(1440 // width, 7)))[0]
    print(
        f"  {name}: {seconds * each:.2f} s/M cold, {seconds:.2f} s in all, {seconds / peer:.1f} x rolling z "
        f"({peer * each:.2f}); peak {peak:,.0f} MB, {before:,.0f} before",
        flush=True,
    )


def main():
    """Print all sizes."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--bins", type=float, nargs="+", default=[0.5, 3.4, 10.0], help="millions")
    options.add_argument("--only", choices=("size", "command", *SHAPES), help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.only in SHAPES:
        one_shape(given.only)
    elif given.only is not None:
        for millions in given.bins:
            {"size": one_size, "command": command_line}[given.only](millions)
    else:
        for millions in given.bins:
            for only in ("size", "command"):
                subprocess.run([sys.executable, __file__, "--bins", str(millions), "--only", only], check=True)
        for name in SHAPES:
            subprocess.run([sys.executable, __file__, "--only", name], check=True)


if __name__ == "__main__":
    main()
