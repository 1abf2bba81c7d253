"""What each step of the method is worth: the figures with it taken out, less those with all of it.

    .venv/bin/python tests/benchmarks/bench_parts.py [--first 300] [--seeds 2] [--only pool]

Three generators of catalogues, each in its usual nature (`clamor.simulate.counts`, `other_worlds.py`,
`third_worlds.py`); all of it synthetic. POD is the share of outages of series that are found while false episodes stay
at 0.1 or 0.02 a series-week, `regional` is at 0.1, `false` are those of the flags as shipped. A step is
taken out by setting its constants to where they do nothing. Constants were chosen on such seeds: these tables say what
matters, not how good the detector is.
"""

import argparse
import contextlib
from unittest import mock

import bench_detect
import numpy as np
import other_worlds
import pandas as pd
import third_worlds
from bench_other import scored

from clamor import catalog
from clamor.baseline import fit, lengths, level, scatter
from clamor.detect import detect, news, past, pooling, slow, tails
from clamor.simulate.counts import catalogue

FIGURES = ("POD@.1", "POD@.02", "regional", "false")


def ones(*shape_of):
    """One for each value of the first argument."""
    return np.ones_like(shape_of[0])


PARTS = {
    "negative binomial (Poisson instead)": [(scatter, "estimate", lambda excess, *_: np.full_like(excess, 1e-4))],
    "season": [(fit, "shape", lambda cells, *_: np.ones_like(cells[:, 0]))],
    "level of the last day": [(level, "LEVEL_PRIOR_POSTS", 1e6), (level, "NEW_POSTS", 1e6)],
    "clipped training counts": [(scatter, "CLIP_SD", 1e3)],
    "hours that look like outages not learnt": [(level, "SUSPECT_SD", 1e3)],
    "scatter by volume class": [(scatter, "class_factor", lambda moments, *_: ones(moments[0]))],
    "lift by the hour before": [(level, "_lifts", lambda hours, *_: (ones(hours), ones(hours)))],
    "what regions share in it": [(level, "STEADY_SERVICE_POSTS", 1e9)],
    "what is a region's own in it": [(scatter, "LAG_VARIANCE", 1e-4), (scatter, "LAG_WORTH", 1e9)],
    "windows (single bins instead)": [(lengths, "_windows", lambda _: (1,))],
    "sizes (five times only)": [(lengths, "RATIOS", (5.0,))],
    "pooling over regions": [(pooling.Ties, "tied", lambda _, seen: np.zeros(len(seen), dtype=np.float32))],
    "hypothesis: some regions are out": [(pooling, "SCATTERED", 1e-9)],
    "hypothesis: all talk": [(pooling, "CHATTER", 1e-9)],
    "a region's say is limited": [(pooling, "CAP_NATS", 50.0)],
    "regions err together": [(pooling, "ROUGH", 1.0), (pooling, "ROUGH_ADDED", 0.0)],
    "evidence beyond the joint one": [(pooling, "BEYOND", 0.0)],
    "no evidence after the burst": [(pooling, "NOW_CAP_NATS", 50.0)],
    "place and spread by volume class": [(tails, "CLASS_DAYS", 1e9)],
    "least spread where pooled": [(tails, "TIED_SPREAD", 0.4)],
    "tails beyond their Gumbel law": [(tails, "_heavy", lambda peaks, *_: np.ones(len(peaks), dtype=np.float32))],
    "days of shared peaks left out": [(tails, "SHARED_FROM", 1e9)],
    "what the past allows": [(past, "WORTH", 1e9)],
    "news only (what was told is forgotten)": [(news, "FADE_HOURS", 1e-3)],
    "sums of hours": [(slow, "windows", lambda _: ())],
}
"""What is taken out: constants or functions, and what takes their place."""


def own(seed):
    """Our own simulator's world."""
    world = catalogue(seed)

    def judged():
        score, flags, _ = bench_detect.clamor(world)
        row = bench_detect.row(score, world, flags)
        return {name: row.get(name, row["shipped false/week"]) for name in FIGURES}

    return judged


def other(world, regions):
    """A world of another generator."""
    truth = other_worlds.Truth(world, world.counts.shape[1] - 672)
    frame = other_worlds.frame(world, gaps="nan")
    order = np.lexsort((world.regions, world.services))

    def judged():
        out = detect(frame, regions)
        score, flag = (np.empty(world.counts.shape) for _ in range(2))
        for name, grid in (("score", score), ("flag", flag)):
            grid[order] = out[name].to_numpy(dtype=float).reshape(grid.shape)
        row = scored(truth, score)
        named = ("0.1", "0.02", "regional")
        shown = [row[f"by series {name}"] for name in named] + [truth.rate(flag > 0)]
        return dict(zip(FIGURES, shown, strict=True))

    return judged


def main():
    """Print a table for each generator."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--first", type=int, default=300)
    options.add_argument("--seeds", type=int, default=2)
    options.add_argument("--only", default="", help="steps whose name holds this")
    given = options.parse_args()
    seeds = range(given.first, given.first + given.seeds)
    tree = catalog.regions()
    generators = {
        "own": [own(seed) for seed in seeds],
        "second": [other(other_worlds.catalogue(seed), None) for seed in seeds],
        "third": [other(third_worlds.catalogue(seed, third_worlds.NATURES["usual"]), tree) for seed in seeds],
    }
    whole = {name: figures(worlds) for name, worlds in generators.items()}
    print("with all of it:\n" + pd.DataFrame(whole).T.round(3).to_string() + "\n\ntaken out, mean and each generator:")
    for name, patches in PARTS.items():
        if given.only in name:
            with contextlib.ExitStack() as stack:
                for module, constant, neutral in patches:
                    stack.enter_context(mock.patch.object(module, constant, neutral))
                change = pd.DataFrame({each: figures(worlds) - whole[each] for each, worlds in generators.items()})
            rows = [change.mean(axis=1), *(change[each] for each in generators)]
            print(f"{name:42s}" + "   ".join("".join(f"{value:+7.3f}" for value in row) for row in rows), flush=True)


def figures(worlds):
    """Means over the seeds."""
    return pd.DataFrame([judged() for judged in worlds]).mean()


if __name__ == "__main__":
    main()
