"""What the past allows: tiny counts of days, checked by hand and against a slow twin."""

import numpy as np
import pandas as pd
import pytest

from clamor.detect import detect, past
from clamor.simulate.counts import Nature, catalogue
from naive import detect as naive

EVERY = np.ones((1, 1), dtype=np.bool_)


def counted(days):
    """Counts of days, a week ago, from how many had which highest news."""
    today = past.NOTHING.copy()
    for highest, number in days.items():
        today += number * past.count(np.array([[highest]], dtype=np.float32), EVERY, EVERY[0])
    return passed(past.learn(past.start(), [today]), 7)


def passed(counts, days):
    """The same so many days later, on which nothing was observed."""
    for _ in range(days):
        counts = past.learn(counts, [past.NOTHING])
    return counts


def read(days, *values):
    """What evidence counts for after such days."""
    return past.worth(np.array([values], dtype=np.float32), past.table(counted(days)))[0]


def test_without_a_past_evidence_is_taken_as_it_is():
    """Nothing is known of these series, so the tails alone count."""
    assert list(read({}, -3, 0.5, 1.5, 4, 30)) == [-3, 0.5, 1.5, 4, 30]


def test_after_quiet_days_the_same_evidence_counts_for_more():
    """600 days without news beside the 200 that tails are worth: a quarter of the rate, log 4 more; none below 1.5."""
    assert list(read({1: 600}, 1.4, 4, 8, 20)) == pytest.approx([1.4, 4 + np.log(4), 8 + np.log(4), 20])


def test_after_days_of_frequent_news_evidence_is_taken_as_it_is():
    """One day in ten brought news, more than tails tell, of two to six nats: they may have been outages."""
    assert list(read({1: 900, 2.1: 25, 3.1: 25, 4.1: 25, 5.1: 25}, 3, 4, 5)) == [3, 4, 5]


def test_great_outages_of_the_past_do_not_keep_lesser_evidence_from_counting():
    """False news falls by e a nat, so that of nine and more nats says nothing of what lies between four and six."""
    assert read({1: 570, 9: 30}, 4)[0] == pytest.approx(4 + np.log(4))


def test_what_evidence_counts_for_equals_its_slow_twin():
    """For any days: at the edges of the table, and never falling in between."""
    random = np.random.default_rng(1)
    for _ in range(20):
        days = {float(news): int(random.integers(1, 400)) for news in random.uniform(0, 12, 12).astype(np.float32)}
        edges = past.EDGES[1:45]
        assert list(read(days, *edges)) == pytest.approx([naive.worth(days, at) for at in edges], rel=1e-4)
        assert (np.diff(read(days, *np.linspace(0, 20, 500))) >= 0).all()


def test_a_day_counts_from_a_week_later_on_for_four_weeks():
    """Else outages of this week would change how its scores compare."""
    today = past.learn(past.start(), [past.count(np.full((800, 1), 1.0), np.ones((800, 1)) > 0, np.ones(800) > 0)])
    counts = [past.table(passed(today, days))[-1] > past.table(past.start())[-1] for days in (6, 7, 34, 35)]
    assert counts == [False, True, True, False]


def test_a_quiet_catalogue_gets_its_budget_within_a_factor_of_two():
    """A hundred quiet synthetic series, five weeks: the last bring half a false episode a series-week, as asked."""
    world = catalogue(11, Nature(chatter_per_week=0, outages_per_week=0), services=10, weeks=5)
    out = detect(world.frame(), world.regions, eval_start=pd.Timestamp("2026-01-26", tz="UTC"), budget=0.5)
    flag = out["flag"].to_numpy().reshape(100, -1)
    begins = [flag[:, t] & ~flag[:, max(0, t - 5) : t].any(axis=1) for t in range(flag.shape[1])]
    weeks = flag.shape[1] / 672
    assert 0.25 < np.sum(begins) / 100 / weeks < 1
