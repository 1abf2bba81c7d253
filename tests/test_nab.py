"""The Numenta benchmark's score, as its paper defines it, on alarms that can be counted by eye."""

import numpy as np
import pytest

from benchmarks.nab import nab, once_a_day, windows


def alarms(*at, bins=5000):
    hit = np.zeros((1, bins), dtype=bool)
    hit[0, list(at)] = True
    return hit


def test_nothing_is_worth_0_and_the_first_bin_of_each_window_100():
    """No alarm scores 0; one in the first bin of the only window 100; one in its middle a little less."""
    first, last = windows([3000], 5000)[0]
    assert (first, last) == (2750, 3250)
    assert nab(alarms(), [[3000]]) == 0
    assert nab(alarms(first), [[3000]]) == pytest.approx(100)
    assert nab(alarms(3000), [[3000]]) == pytest.approx(100 * (1 + 0.848) / (1 + 0.98661), abs=0.1)


def test_every_alarm_outside_costs_and_those_of_the_first_bins_do_not_count():
    """Two false alarms cost 0.11 each of the two points that lie between missing and finding; probation is free."""
    cost = nab(alarms(2750), [[3000]]) - nab(alarms(1000, 1001, 2750), [[3000]])
    assert cost == pytest.approx(100 * 2 * 0.11 / (1 + 0.98661), abs=0.01)
    assert nab(alarms(10, 700, 2750), [[3000]]) == pytest.approx(100)


def test_once_a_day_keeps_the_first_of_each_run():
    """An alarm within a day of any earlier one is dropped."""
    assert list(np.flatnonzero(once_a_day(alarms(5, 6, 200, 600), 288)[0])) == [5, 600]
