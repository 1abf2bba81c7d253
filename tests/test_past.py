"""What the past allows: tiny counts of days, checked by hand and against a slow twin."""

import numpy as np
import pandas as pd
import pytest

from clamor.detect import detect, past
from clamor.simulate.counts import Nature, catalogue
from naive import detect as naive


def read(peaks, *values):
    """What evidence counts for after days with such peaks."""
    days = past.count(np.array([peaks], dtype=np.float32))
    return past.worth(np.array([values], dtype=np.float32), past.table(days))[0]


def false_days(number):
    """Peaks of so many days of which half a nat more halves them: a tenth lies beyond 1.5, evenly drawn."""
    return list(1.5 + 0.72 * -np.log((np.arange(number // 10) + 0.5) / (number // 10))) + [0.0] * (
        number - number // 10
    )


def outages(number):
    """Peaks of as many outages, from 3 to 22 nats."""
    return list(np.linspace(3, 22, number))


def test_without_a_past_evidence_is_taken_as_it_is():
    """Nothing is known of these series, so the tails alone count."""
    assert list(read([], -3, 0.5, 1.5, 4, 30)) == pytest.approx([-3, 0.5, 1.5, 4, 30], rel=1e-6)


def test_after_quiet_days_the_same_evidence_counts_for_more():
    """600 days below 1.5 beside the 200 that tails are worth: a quarter of the rate, log 4 more; none below 1.5."""
    assert list(read([1.0] * 600, 1.4, 4, 8, 20)) == pytest.approx([1.4, 4 + np.log(4), 8 + np.log(4), 20 + np.log(4)])


def test_a_past_of_many_false_alarms_makes_evidence_count_for_less():
    """Every tenth day peaked beyond 1.5, and as many a nat further on as tails say of a nat less: no outages these."""
    peaks = [1.0] * 1000 + list(1.5 - np.log((np.arange(1000) + 0.5) / 1000))
    assert (read(peaks, 2.5, 4.0) < [2.0, 3.5]).all()


def test_outages_of_the_past_hardly_change_what_evidence_counts_for():
    """200 of them in 4,200 days: taken for false ones they would make evidence of 5 nats count for 3.2."""
    calm, failing = (read(false_days(4000) + outages(n), 3.0, 4.0, 5.0) for n in (0, 200))
    assert np.abs(calm - failing).max() < 0.9
    assert failing[2] > 5


def test_what_evidence_counts_for_equals_its_slow_twin():
    """For any days: at the edges of the table, and never falling in between."""
    random = np.random.default_rng(1)
    for _ in range(5):
        peaks = list(random.gumbel(size=300).astype(np.float32)) + list(random.uniform(0, 30, 30).astype(np.float32))
        edges = past.EDGES[1:95:7]
        assert list(read(peaks, *edges)) == pytest.approx([naive.worth(peaks, at) for at in edges], rel=1e-4)
        assert (np.diff(read(peaks, *np.linspace(0, 30, 500))) >= 0).all()


def test_days_that_were_not_judged_do_not_count():
    """NaN is no day."""
    assert past.count(np.array([[np.nan, 1.0, 1.6, 99.0]])).tolist() == [1, 1, *[0] * 93, 1]


def test_a_quiet_catalogue_gets_its_budget_within_a_factor_of_two():
    """A hundred quiet synthetic series, five weeks: the last bring half a false episode a series-week, as asked."""
    world = catalogue(11, Nature(chatter_per_week=0, outages_per_week=0), services=10, weeks=5)
    out = detect(world.frame(), world.regions, eval_start=pd.Timestamp("2026-01-26", tz="UTC"), budget=0.5)
    flag = out["flag"].to_numpy().reshape(100, -1)
    begins = [flag[:, t] & ~flag[:, max(0, t - 5) : t].any(axis=1) for t in range(flag.shape[1])]
    weeks = flag.shape[1] / 672
    assert 0.25 < np.sum(begins) / 100 / weeks < 1


def test_what_is_needed_is_the_least_that_is_worth_it():
    """The inverse, beyond the table too; what is worth less than any episode is left as it is."""
    table = past.table(past.count(np.array([[1.0] * 500 + [2.0] * 100 + [5.0] * 9], dtype=np.float32)))
    z = np.array([1.6, 2.2, 4.0, 9.0, 40.0], dtype=np.float32)
    assert past.needed(past.worth(z, table), table) == pytest.approx(z, abs=1e-3)
    assert past.needed(np.array([-3.0, 0.5]), table) == pytest.approx([-3, 0.5])
