"""How the outsider's benchmark scores alarms, on a world that can be counted by eye."""

import importlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import other_worlds as worlds

WEEK = 168


@pytest.fixture
def world():
    """Two hourly series of one week; an outage of both at hour 100, of three hours."""
    told = [("a", "global", row, 100, 103, 5.0) for row in (0, 1)]
    truth = pd.DataFrame(told, columns=worlds.OUTAGE)
    quiet = np.ones((2, WEEK))
    return worlds.World(quiet, truth, worlds.START, 60, ["s", "s"], ["x", "y"], quiet, quiet, np.ones(2))


def hits(*at):
    hit = np.zeros((2, WEEK), bool)
    for row, bin_ in at:
        hit[row, bin_] = True
    return hit


def test_alarms_an_hour_apart_are_one_episode_and_near_an_outage_none_is_false(world):
    """Two false episodes: bins 10 and 11 together, bin 20; what is up to two hours after the end is not false."""
    truth = worlds.Truth(world, 0)
    assert truth.false(hits((0, 10), (0, 11), (0, 20), (0, 100), (1, 104))) == 2
    assert truth.false(hits((0, 105))) == 1
    assert truth.rate(hits((0, 10), (1, 10))) == pytest.approx(1.0)  # of two series-weeks


def test_an_outage_is_found_by_any_of_its_series(world):
    """One of two series in its second hour: the outage is found, half of its series, nothing within the hour."""
    outages, pairs = worlds.Truth(world, 0).found(hits((1, 101)))
    assert outages["found"].tolist() == [True] and outages["soon"].tolist() == [False]
    assert pairs["found"].mean() == 0.5


def test_the_limit_is_the_lowest_that_keeps_the_rate(world):
    """With scores 1, 2 and 3 in quiet hours far apart, one false episode in two weeks leaves only the 3."""
    score = np.zeros((2, WEEK))
    score[0, [10, 20, 30]] = 1.0, 2.0, 3.0
    assert worlds.Truth(world, 0).limit(score, 0.5) == 2.0


@pytest.mark.parametrize("gaps", ["missing", "nan", "false"])
def test_a_gap_can_be_told_in_three_ways(world, gaps):
    """No row, an empty count or `observed` false: the same bins are known."""
    world.counts[1, 7] = np.nan
    rows = worlds.frame(world, gaps=gaps)
    known = rows[rows["count"].notna() & rows.get("observed", pd.Series(True, rows.index))]
    assert len(known) == 2 * WEEK - 1


def test_the_third_generator_makes_what_it_says(monkeypatch):
    """The same world from the same seed; in large outages several times the quiet mean; codes or invented names."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "benchmarks"))
    third = importlib.import_module("third_worlds")
    nature = third.Nature(weeks=1, minutes=60, outages=(4.0, 2.0, 6.0))
    world, again = (third.catalogue(3, nature, series=40) for _ in range(2))
    np.testing.assert_array_equal(world.counts, again.counts)
    assert world.counts.shape == (40, WEEK) and 0 < np.isnan(world.counts).mean() < 0.2
    large = world.outages[world.outages["size"] > 10]
    hit = np.zeros(world.counts.shape, bool)
    for each in large.itertuples():
        hit[each.series, each.first : each.last] = True
    hit &= np.isfinite(world.counts)
    assert len(large) > 5 and world.counts[hit].sum() > 3 * world.means[hit].sum()
    named = third.catalogue(3, replace(nature, codes=False), series=40)
    assert set(named.regions) <= set(third.NAMES) and set(world.regions) <= set(third.WEST + third.EAST)
