"""Simulated counts: each trouble that is added to the usual world is there, and the world else the same."""

from dataclasses import replace

import numpy as np
import pytest

from clamor.simulate.counts import NATURES, TROUBLES, Nature, catalogue, first_look

SIZE = {"services": 2, "weeks": 5}


@pytest.fixture(scope="module")
def usual():
    return catalogue(7, NATURES["usual"], **SIZE)


def in_outages(world):
    inside = np.zeros(world.posts.shape, dtype=bool)
    for series, start, stop in world.truth[["series", "start", "stop"]].to_numpy():
        inside[series, start:stop] = True
    return inside


def test_first_looks_lack_a_share_of_the_posts_and_know_no_other_bins(usual):
    """Up to 30% are missing, 15% on average; what was not observed then is not observed at first either."""
    early = first_look(usual, 7)
    assert (np.isnan(early.posts) == np.isnan(usual.posts)).all()
    assert np.nanmax(early.posts - usual.posts) <= 0
    assert np.nansum(early.posts) / np.nansum(usual.posts) == pytest.approx(0.85, abs=0.01)


def test_slow_ramps_take_hours_to_their_peak():
    """With two to eight hours of onset, no outage begins with even a third of what it comes to."""
    nature = replace(TROUBLES["slow ramps"], chatter_per_week=0.0, ratios=(20.0, 20.0))
    world = catalogue(7, nature, services=4)
    assert set(world.truth["onset"]) == {"slow"}
    begin = [np.nansum(world.posts[s, a : a + 2]) / world.usual[s, a : a + 2].sum() for s, a in _busy(world)]
    later = [np.nansum(world.posts[s, a + 8 : a + 10]) / world.usual[s, a + 8 : a + 10].sum() for s, a in _busy(world)]
    assert np.median(begin) < np.median(later) / 3


def _busy(world):
    rows = world.truth[["series", "start"]].to_numpy()
    return [(s, a) for s, a in rows if world.usual[s, a : a + 10].mean() > 5]


def test_outages_may_cost_their_own_counts(usual):
    """Four in five lose an hour, where one in ten does usually."""
    lost = catalogue(7, TROUBLES["coverage lost in outages"], **SIZE)
    shares = [np.isnan(world.posts)[in_outages(world)].mean() for world in (usual, lost)]
    assert shares[1] > shares[0] + 0.05


def test_holidays_are_sundays_in_half_of_the_regions():
    """A Tuesday that is a holiday has the season of a Sunday there, and elsewhere its own."""
    quiet = Nature(ar_sd=0.0, holidays=())
    plain, other = (catalogue(7, replace(quiet, holidays=days), **SIZE) for days in ((), (29,)))
    tuesday, sunday = (slice(day * 96, day * 96 + 96) for day in (29, 34))
    away = plain.usual[5:10, tuesday] / other.usual[5:10, tuesday]
    assert away == pytest.approx(np.ones_like(away))
    ratio = other.usual[:5, tuesday] / other.usual[:5, sunday]
    assert ratio.std() < (plain.usual[:5, tuesday] / plain.usual[:5, sunday]).std()


def test_scatter_by_hour_is_most_at_four_in_the_morning(usual):
    """Six times as much as at four in the afternoon, about the same means; usually it is the same."""
    night = catalogue(7, TROUBLES["scatter by hour"], **SIZE)
    assert (night.usual == usual.usual).all()
    unevenness = [_scatter(world, 4) / _scatter(world, 16) for world in (usual, night)]
    assert unevenness[1] > 2 * unevenness[0]


def _scatter(world, hour):
    """Median squared surprise of busy series in that local hour, in squared means."""
    busy = np.flatnonzero(world.usual.mean(axis=1) > 20)
    local = np.arange(world.posts.shape[1]) / 4 + np.select([busy % 10 < 3, busy % 10 < 7], [-6.0, 1.0], 8.0)[:, None]
    squares = (world.posts[busy] / world.usual[busy] - 1) ** 2
    return np.nanmedian(squares[np.abs(local % 24 - hour) < 1.5])
