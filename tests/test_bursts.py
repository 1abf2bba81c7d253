"""Bursty series: how far posts within minutes repeat each other, and what follows from it."""

import numpy as np
import pandas as pd
import pytest

from clamor.baseline.lengths import lengths
from clamor.detect import bursts, detect


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
