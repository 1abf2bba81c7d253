"""Bursty series: how far posts within minutes repeat each other, and what follows from it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from clamor.baseline.lengths import lengths
from clamor.detect import bursts, detect, past, tails


def test_how_bursty_a_series_is_shows_in_its_single_bins():
    """Peaks of 2.5 nats and a little more say tame, of ten bursty, one outage nothing; at first a lone series is."""
    sizes = lengths(5)
    tame = np.tile(np.array([3.2, 3.2, 2.0], dtype=np.float32), (1, 9))
    peaks = np.concatenate([tame, np.where(tame > 2.5, 12.5, 2.0), np.where(np.arange(27) == 5, 60, tame)])
    nothing = np.full((2, 28), np.nan, dtype=np.float32)
    assert bursts.share(peaks, np.zeros(3), sizes) == pytest.approx([0, 1, 0])
    assert bursts.share(nothing, np.array([0, 1]), sizes) == pytest.approx([1, 0])
    assert (bursts.share(peaks, np.zeros(3), lengths(15)) == 0).all()
    half = np.array([0, 0.5, 1], dtype=np.float32)
    assert bursts.trust(half, 30) == pytest.approx([0.5**0.3, (0.5**0.3 * 0.25) ** 0.5, 0.25])
    assert bursts.trust(half, 120) == pytest.approx([1, 1, 1])
    assert bursts.now_sd(half) == pytest.approx([0.7, 2.35, 4.0])


def test_fine_bins_of_a_quiet_catalogue_are_flagged_in_an_outage():
    """Five-minute bins of a service in four regions: one has ten times as many posts after two weeks: flagged."""
    random, bins, since = np.random.default_rng(3), 16 * 288, 15 * 288
    times = pd.date_range("2026-03-02", periods=bins, freq="5min", tz="UTC", unit="us")
    mean = np.full((4, bins), 6.0)
    mean[2, since:] = 60.0
    parts = [
        pd.DataFrame({"service": "tv", "region": f"R{r}", "bin_start": times, "count": random.poisson(mean[r])})
        for r in range(4)
    ]
    flag = detect(pd.concat(parts, ignore_index=True), bin_minutes=5)["flag"].to_numpy().reshape(4, bins)
    assert flag[2, since + 1 : since + 12].all()
    assert flag[[0, 1, 3]].sum() + flag[2, :since].sum() == 0


def test_the_tail_of_a_bursty_series_bends():
    """Place 0, spread 1, mean excess 2: z of 5.5 nats is 1.5 + 4/2; wholly bursty 1.5 + log(1 + 2 * 0.2/0.8) / 0.2."""
    series = np.zeros(2, dtype=np.float32)
    to = tails.Scale(
        place=series,
        spread=series + 1,
        heavy=series + 2,
        bursty=np.array([0, 1], dtype=np.float32),
        nats=tails.EDGES.astype(np.float32)[None],
        body=np.log([100]).astype(np.float32),  # one in a hundred bins lies beyond z = 4.6
        past=np.maximum(past.EDGES, 0),
        which=series.astype(np.int64),
        new=series > 0,
        young=series > 0,
    )
    z = tails.standardize(np.full((2, 1), 5.5, dtype=np.float32), to)
    assert z[:, 0] == pytest.approx([3.5, 1.5 + np.log(1.5) / 0.2])
    p = tails.p_value(*[np.full((2, 1), np.log(100) + 2, dtype=np.float32)] * 2, to)
    assert p[:, 0] == pytest.approx([0.01 * np.exp(-2), 0.01 * np.exp(-2 * 0.7)], rel=1e-3)


def test_p_values_of_a_series_that_has_not_seen_its_week_count_as_their_roots():
    """A hundredth of a young series lies in the cell of a tenth of an old one."""
    p = np.array([[0.01], [0.1]], dtype=np.float32)
    assert len(set(tails.cells(p, np.array([True, False])).ravel())) == 1


def test_what_is_false_today_is_weighed_against_earlier_days():
    """Five of a thousand bins with p = 0.001: q is 0.2 by the day itself, 0.5 as of all after quiet weeks."""
    p = np.full((1000, 1), 0.5, dtype=np.float32)
    p[:5] = 0.001
    old = np.zeros(1000, dtype=np.bool_)
    cell = tails.cells(p, old)
    of_day, memory = tails.tests(cell), tails.start(1000)
    assert tails.false_shares(of_day, memory).take(cell).min() == pytest.approx(0.2, rel=0.03)
    quiet = tails.tests(tails.cells(np.full_like(p, 0.5), old))
    for _ in range(28):
        memory = replace(memory, recent=memory.recent * 0.5 ** (1 / 14) + quiet[0])
    assert tails.false_shares(of_day, memory).take(cell).min() == pytest.approx(0.5, rel=0.03)


def test_outages_of_past_weeks_are_no_heavy_tail():
    """Five outages of 28 days weigh as five peaks of 8 beyond 1.5, however large they are."""
    random = np.random.default_rng(8)
    light = random.gumbel(size=(40, 28)).astype(np.float32)
    outages = light.copy()
    outages[:, 3:8] = 60.0
    limited = np.minimum(outages, 1.5 + 8)
    which, sure, tame = np.zeros(40, dtype=np.int64), np.full(40, 8.0), np.zeros(40, dtype=np.float32)
    found = [tails._heavy(peaks, which, sure, tame, lengths(15)).mean() for peaks in (light, outages, limited)]
    assert found[0] < found[1] == found[2] < 6


def test_the_first_day_of_several_series_is_watched_less_closely_than_that_of_a_lone_one():
    """One report a bin and then five for half an hour: an alarm in a lone chart, not in one of two of a service."""
    times = pd.date_range("2026-03-02", periods=96, freq="15min", tz="UTC", unit="us")
    counts = np.tile([1.0, 1.0, 2.0, 0.0], 24)
    counts[60:62] = 5
    lone = pd.DataFrame({"service": "tv", "region": "R0", "bin_start": times, "count": counts})
    other = lone.assign(region="R1", count=np.tile([1.0, 1.0, 2.0, 0.0], 24))
    assert detect(lone)["flag"][60:62].any()
    assert not detect(pd.concat([lone, other], ignore_index=True))["flag"].any()
