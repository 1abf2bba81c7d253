"""What is normal: panels, seasons, levels, scatter and intervals."""

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clamor.baseline import annual, excess_interval, fit, scatter
from clamor.baseline.counts import local_minute_of_week, panel
from clamor.baseline.groups import Rows
from clamor.baseline.interval import band
from clamor.baseline.lengths import lengths
from clamor.baseline.level import follow
from clamor.baseline.season import calendar, everywhere, season_at
from clamor.baseline.sliding import Sliding
from naive import baseline as naive


def table(values, region="US", regions=None, start="2026-03-02", bin_minutes=15, service="tv"):
    times = pd.date_range(start, periods=len(values), freq=f"{bin_minutes}min", tz="UTC", unit="us")
    counts = pd.DataFrame({"service": service, "region": region, "bin_start": times, "count": values})
    return panel(counts, regions, bin_minutes)


def walk(table):
    """Follow a panel day by day; return the expected counts and the last fit."""
    sizes = lengths(table.bin_minutes)
    dates, fitted, means = calendar(table, sizes), fit.start(len(table.names), sizes), []
    clocks, services = dates.clocks(slice(None)), Rows(table.service_code)
    for columns in fit.blocks(table):
        block = fit.day(table, slice(None), dates.cut(columns), clocks, services, columns)
        level, error = fitted.usual(block.dates, sizes)
        factor = scatter.class_factor(fitted.moments.transpose(1, 2, 0), level, sizes)
        done = follow(fitted, block, level, error, factor, np.ones(len(level), dtype=np.float32), sizes)
        means.append(done.taken.mean)
        fitted = fit.refit(fitted, block, done.taken, sizes)
        by_service = fitted.heard_by(services)
        fitted = fitted.shaped(services, by_service, everywhere(by_service))
    return np.concatenate(means, axis=1), fitted


@pytest.mark.parametrize("zone", ["UTC", "Europe/Paris", "America/St_Johns", "Asia/Kolkata", "Australia/Lord_Howe"])
def test_an_hour_of_the_week_is_an_hour_of_peoples_lives(zone):
    """Local minutes of the week follow the zone's daylight saving, half hours and all."""
    minutes = np.arange(29_550_000, 29_550_000 + 400 * 1440, 977)
    assert list(local_minute_of_week(minutes, zone)) == [naive.minute_of_week(int(m), zone) for m in minutes]


@given(st.lists(st.tuples(st.text("ab\u00e9", min_size=1, max_size=3), st.integers(1, 300)), min_size=1, max_size=9))
def test_each_row_counts_for_the_series_that_it_names(runs):
    """However long the runs of one name are, and whatever follows whom: names are told from their neighbours."""
    services = [name for name, times in runs for _ in range(times)]
    begins = pd.date_range("2026-01-05", periods=len(services), freq="15min", tz="UTC", unit="us")
    table = panel(pd.DataFrame({"service": services, "region": "x", "bin_start": begins, "count": 1.0}), None, 15)
    counted = dict(zip(table.names["service"], np.nansum(table.posts, axis=1), strict=True))
    assert counted == {name: services.count(name) for name in services}


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40), st.integers(1, 24))
def test_sliding_sums_equal_their_slow_twin(values, length):
    """Sums by doubling are sums of the last bins."""
    before = [0] * (length - 1)
    fast = Sliding(np.array([before + values], dtype=np.float32)).last(length)[0]
    assert list(fast) == naive.last(values, length)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 99)), min_size=1, max_size=30))
def test_group_sums_equal_their_slow_twin(rows):
    """Totals, and what the others of a group add up to."""
    groups, values = np.array([g for g, _ in rows]), np.array([[v] for _, v in rows], dtype=np.float32)
    sums = naive.total([v for _, v in rows], list(groups))
    assert list(Rows(groups).total(values)[:, 0]) == sums
    of = dict(zip(sorted(set(groups)), sums, strict=True))
    assert list(Rows(groups).others(values)[:, 0]) == [of[g] - v for g, v in rows]


@pytest.mark.parametrize("groups", [1, 40])
def test_an_empty_series_changes_no_bit_of_a_sum(groups):
    """Rows of zeros between the others leave every sum as it was, to the last bit."""
    random = np.random.default_rng(3)
    code, values = random.integers(groups, size=300), random.normal(size=(300, 7)).astype(np.float32)
    more_code, more = np.insert(code, [3, 150], code[:2]), np.insert(values, [3, 150], 0, axis=0)
    assert np.array_equal(Rows(code).total(values), Rows(more_code).total(more))


def test_the_first_days_expectation_is_the_mean_so_far():
    """With no history the expectation of a bin is the mean of the bins before it (and a third of a post of doubt)."""
    posts = np.random.default_rng(1).poisson(3, 96).astype(float)
    expected, _ = walk(table(posts))
    slow = naive.day_level(list(posts), [1.0] * 96, 1.0, 96, 0.0)
    assert expected[0] == pytest.approx(slow, rel=1e-3)


def test_a_season_of_local_hours_is_learned_within_a_week():
    """A day that swings by a factor of five is expected as such in the second week, in the region's own hours."""
    regions = pd.DataFrame({"region": ["US"], "timezone": ["America/New_York"]})
    hours = np.arange(14 * 96) / 4
    usual = 20 * np.exp(0.8 * np.sin(2 * np.pi * hours / 24))
    expected, _ = walk(table(np.random.default_rng(2).poisson(usual).astype(float), regions=regions))
    error = np.log(expected[0] / usual)[8 * 96 :]
    assert np.abs(error).mean() < 0.15


def test_an_outage_does_not_become_the_level_but_a_shift_does():
    """Three hours of a tenfold count leave the next day as it was; a doubling for good is normal within two days."""
    posts = np.random.default_rng(4).poisson(10, 20 * 96).astype(float)
    outage, shift = posts.copy(), posts.copy()
    outage[15 * 96 : 15 * 96 + 12] *= 10
    shift[15 * 96 :] *= 2
    assert walk(table(outage))[0][0, 16 * 96 :].mean() == pytest.approx(10, rel=0.1)
    assert walk(table(shift))[0][0, 17 * 96 : 18 * 96].mean() == pytest.approx(20, rel=0.15)


def test_a_rare_series_mean_is_not_driven_to_zero():
    """One post in fifty bins is expected as one in fifty: no post is so rare that it counts as an outage."""
    posts = (np.random.default_rng(5).random(28 * 96) < 0.02).astype(float)
    expected, _ = walk(table(posts))
    assert expected[0, 14 * 96 :].mean() == pytest.approx(0.02, rel=0.3)


@pytest.mark.parametrize("bin_minutes", [15, 180, 1440])
def test_a_day_without_counts_may_be_skipped(bin_minutes):
    """The fit after a day of which nothing was observed is the same, to the last bit, whether it was walked or not."""
    sizes = lengths(bin_minutes)
    posts = np.append(np.random.default_rng(5).poisson(9, 40 * sizes.day).astype(float), [np.nan] * sizes.day)
    whole = table(posts, bin_minutes=bin_minutes)
    walked = walk(whole)[1]
    before = walk(table(posts[: -sizes.day], bin_minutes=bin_minutes))[1]
    skipped = fit.rest(before, sizes.day, sizes)
    services = Rows(whole.service_code)
    by_service = skipped.heard_by(services)
    skipped = skipped.shaped(services, by_service, everywhere(by_service))
    for field in fields(fit.Fitted):
        assert np.array_equal(getattr(walked, field.name), getattr(skipped, field.name)), field.name


@pytest.mark.parametrize("kappa", [0.05, 0.3, 1.0])
def test_over_dispersion_is_found_again(kappa):
    """The scatter of single bins is estimated within a third after three weeks."""
    random = np.random.default_rng(6)
    posts = random.poisson(random.gamma(1 / kappa, 20 * kappa, 21 * 96)).astype(float)
    _, fitted = walk(table(posts))
    excess, worth = fitted.moments[0, :, scatter.BIN]
    assert excess / worth == pytest.approx(kappa, rel=0.33)


@pytest.mark.parametrize(("together", "least", "most"), [(True, -0.01, 0.02), (False, 0.05, 0.2)])
def test_what_regions_share_is_not_how_far_one_goes_its_own_way(together, least, most):
    """A week of 30 a bin in six regions whose level wanders by a third (variance 0.1), as one or each by itself."""
    random, keep = np.random.default_rng(8), 0.5 ** (1 / 16)
    steps = random.normal(0, 0.32 * np.sqrt(1 - keep**2), (6, 7 * 96))
    logs = np.zeros((6, 7 * 96))
    for t in range(1, 7 * 96):
        logs[:, t] = keep * logs[:, t - 1] + (steps[0, t] if together else steps[:, t])
    times = pd.date_range("2026-03-02", periods=7 * 96, freq="15min", tz="UTC", unit="us")
    rows = {"service": "tv", "region": np.repeat([*"abcdef"], 7 * 96), "bin_start": times.append([times] * 5)}
    _, fitted = walk(panel(pd.DataFrame({**rows, "count": random.poisson(30 * np.exp(logs)).ravel()}), None, 15))
    excess, worth = fitted.moments[:, :, scatter.LAG].sum(axis=0)
    assert least < excess / worth < most


def test_a_yearly_season_and_trend_are_learned_from_weeks():
    """Weekly counts that grow and swing with the year are expected within a tenth after six years."""
    weeks = np.arange(400)
    usual = np.exp(3 + 0.002 * weeks + 0.5 * np.cos(2 * np.pi * weeks / 52.18))
    posts = np.random.default_rng(7).poisson(usual).astype(float)
    expected, _ = walk(table(posts, start="2018-01-01", bin_minutes=10080))
    assert np.abs(np.log(expected[0] / usual)[312:]).mean() < 0.1


def test_equations_are_solved_as_by_their_slow_twin():
    """Elimination over all series at once equals LAPACK's solution of each."""
    random = np.random.default_rng(9)
    root, sides = random.normal(size=(5, 6, 6)), random.normal(size=(5, 6, 2))
    matrix = root @ root.transpose(0, 2, 1) + np.eye(6)
    fast = annual.solve(matrix.transpose(1, 2, 0).copy(), sides.transpose(1, 2, 0).copy())
    assert fast.transpose(2, 0, 1) == pytest.approx(np.linalg.solve(matrix, sides), rel=1e-9)


def test_unobserved_weeks_add_nothing_to_the_year():
    """A bin whose expectation is 0 because it was not observed leaves the normal equations as they were."""
    start, x = annual.start(1), annual.terms(np.array([1000]), 0)[0]
    zero = np.zeros(1, dtype=np.float32)
    after = annual.learn(start, x, zero, zero, zero + 1, zero, 0.0)
    assert not after.information.any()
    assert not after.first.any()


@settings(max_examples=30)
@given(st.floats(0.02, 300), st.floats(0, 1.5))
def test_the_band_holds_its_coverage(mean, kappa):
    """At least 95% of negative binomial counts lie within the 95% band, up to its discreteness and skewness."""
    random = np.random.default_rng(8)
    size = 1 / max(kappa, 1e-6)
    counts = random.poisson(random.gamma(size, mean / size, 20_000))
    m = np.float32(mean)
    low, high = band(m, m + m * m * np.float32(kappa))
    assert ((counts >= low) & (counts <= high)).mean() > 0.925


def test_an_excess_interval_is_of_the_window_not_of_its_bins():
    """Shared level error adds up over the window: the interval of four bins is wider than that of independent bins."""
    shared = excess_interval([30] * 4, [10.0] * 4, [0.0] * 4, [0.3] * 4)
    apart = excess_interval([30] * 4, [10.0] * 4, [0.09] * 4, [0.0] * 4)
    assert shared[0] == apart[0] == 80
    assert shared[2] - shared[1] > 1.4 * (apart[2] - apart[1])
    assert shared[1] < 80 < shared[2]


@pytest.mark.parametrize(("posts", "expected"), [([0.0], [0.0]), ([1.0], [0.0005]), ([0.0], [1e-9])])
def test_an_excess_interval_of_next_to_nothing_is_finite_and_in_order(posts, expected):
    """Tiny expectations give an interval around the excess."""
    excess, low, high = excess_interval(posts, expected, [8.0], [1.3])
    assert np.isfinite([excess, low, high]).all()
    assert low <= excess <= high


def test_the_season_is_interpolated_between_the_middles_of_hours():
    """Four bins of an hour lie on the line between the hour's middle and its neighbours'."""
    made = table(np.zeros(96))
    sizes = lengths(15)
    season = np.zeros((1, sizes.cells), dtype=np.float32)
    season[0, 1] = 1.0
    dates = calendar(made, sizes)
    at = season_at(season, dates, dates.clocks(slice(None)))[0]
    assert list(at[:12].round(3)) == [0, 0, 0.125, 0.375, 0.625, 0.875, 0.875, 0.625, 0.375, 0.125, 0, 0]
