"""The worlds and the reference of the goal's table, on data small enough to check."""

import importlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest


@pytest.fixture
def load(monkeypatch):
    """A benchmark module, found as when it is run as a script."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "benchmarks"))
    return importlib.import_module


def test_a_world_comes_again_from_its_seed_and_outages_lift_what_they_hit(load):
    """Two services: the same counts twice; large outages bring several times the quiet mean; one region means one."""
    worlds = load("table_worlds")
    nature = replace(worlds.NATURES["talk of series"], talk=0.0, slow=0.0)
    world, again = (worlds.catalogue(5, nature, services=4) for _ in range(2))
    np.testing.assert_array_equal(world.counts, again.counts)
    assert world.counts.shape == (20, 5 * worlds.WEEK) and 0 < np.isnan(world.counts).mean() < 0.1
    hit = np.zeros(world.counts.shape, bool)
    for each in world.outages[world.outages["size"] > 8].itertuples():
        hit[each.series, each.first : each.last] = True
    hit &= np.isfinite(world.counts)
    assert world.counts[hit].sum() > 3 * world.means[hit].sum()
    series = world.outages.groupby(["outage", "kind"]).size()
    assert set(series.xs("regional", level="kind")) == {1} and set(series.xs("global", level="kind")) == {5}


def test_whom_an_outage_of_its_service_spares_is_not_judged_meanwhile(load):
    """An alarm in a sibling is false only before, or more than four hours after the end; elsewhere it always is."""
    worlds = load("table_worlds")
    world = worlds.catalogue(5, worlds.NATURES["talk of series"], services=2)
    truth_rows = [("a", "regional", 0, 3000, 3010, 5.0)]
    told = type(world.outages)(truth_rows, columns=world.outages.columns)
    truth = worlds.Truth(replace(world, outages=told, counts=np.ones_like(world.counts)))
    for series, at, false in ((1, 3005, 0), (1, 3025, 0), (1, 3026, 1), (1, 2998, 1), (5, 3005, 1)):
        alarm = np.zeros(world.counts.shape, bool)
        alarm[series, at] = True
        assert truth.false(alarm[:, truth.first :]) == false, (series, at)


def test_the_glm_finds_the_season_and_the_scatter(load):
    """Counts drawn about a daily wave with alpha 0.1: the mean within 10%, alpha within 0.03."""
    reference, rng = load("reference"), np.random.default_rng(1)
    days = np.arange(5 * reference.WEEK) / reference.DAY
    mean = 20 * np.exp(0.7 * np.cos(2 * np.pi * days))
    counts = rng.poisson(mean * rng.gamma(10, 0.1, (3, len(days)))).astype(float)
    counts[1, 100:150] = np.nan
    fitted, alpha = reference.glm(counts)
    assert np.abs(fitted / mean - 1).max() < 0.1
    assert np.abs(alpha - 0.1).max() < 0.03


def test_pooling_finds_what_no_region_shows_and_the_lift_forgives_what_grew(load):
    """Four regions at 16 of 8 posts: hardly anything alone, together plain; the same again an hour later is no news."""
    reference = load("reference")
    counts = np.full((4, 5 * reference.WEEK), 8.0)
    counts[:, -8:] = 16
    world = SimpleNamespace(counts=counts, services=["s"] * 4)
    fitted = np.full(counts.shape, 8.0), np.full((4, 1), 0.01)
    plain = {"slow": False, "windows": False, "extra": False}
    alone, pooled = (reference.reference(world, fitted, pool=pool, **plain) for pool in (False, True))
    assert alone[:, -8].max() < 2.5 < 5 < pooled[:, -8].min()
    assert pooled[:, -1].max() < 1
    assert reference.reference(world, fitted, lift=False, **plain)[:, -1].min() > 5
