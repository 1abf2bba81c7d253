"""Outages that come on over hours: tiny days checked by hand and against slow twins."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from clamor.baseline.lengths import lengths
from clamor.detect import detect, past, slow
from naive import detect as naive

QUARTERS, HOURS = lengths(15), lengths(60)
READ = np.maximum(past.EDGES, 0)  # evidence is taken as it is


def heard(posts, means, tells=None, memory=None, tied=0.0, skipped=0, sizes=HOURS):
    """What the hours of a day of one series say."""
    posts, means = (np.array([values], dtype=np.float32) for values in (posts, means))
    taken = SimpleNamespace(posts=posts, mean=means, level=means.mean(axis=1))
    done = SimpleNamespace(taken=taken, known=np.full(posts.shape, 1e6, dtype=np.float32))
    tells = np.zeros(posts.shape, dtype=bool) if tells is None else np.array([tells])
    memory = slow.start(1, sizes) if memory is None else memory
    return slow.hear(memory, done, posts >= 0, tells, np.array([tied], dtype=np.float32), skipped, sizes)


def test_rare_posts_that_gather_over_a_day_are_an_outage(monkeypatch):
    """12 weeks of a post in 33 hours, at last 20 within 38 hours: told while it lasts, and not without such sums."""
    random = np.random.default_rng(5)
    posts = random.poisson(0.03 / 4, 84 * 96)
    posts[79 * 96 : 79 * 96 + 38 * 4 : 38 * 4 // 20] += 1
    times = pd.date_range("2026-03-02", periods=len(posts), freq="15min", tz="UTC")
    frame = pd.DataFrame({"service": "grid", "region": "XX", "bin_start": times, "count": posts})

    def flagged():
        out = detect(frame, eval_start=pd.Timestamp("2026-04-06", tz="UTC"))
        return out.loc[out["flag"], "bin_start"]

    assert len(flagged()) and flagged().between(times[79 * 96], times[79 * 96 + 38 * 4]).all()
    monkeypatch.setattr(slow, "HOURS", ())
    assert flagged().empty


def test_sums_are_longer_than_what_is_summed_anyhow_and_fit_the_bins():
    """In steps of an hour, or of a bin if that is longer; bins of a quarter of a day and more hold them anyhow."""
    found = {minutes: slow.windows(lengths(minutes)) for minutes in (1, 7, 15, 60, 180, 360, 1440)}
    every = (4, 8, 24)
    assert found == {1: every, 7: (), 15: every, 60: (8, 24), 180: (8,), 360: (), 1440: ()}


def test_evidence_equals_its_slow_twin():
    """Hours of two days, some of which were told, of a lone series and of one of several regions."""
    random = np.random.default_rng(2)
    for tied in (0.0, 1.0) * 10:
        means = random.gamma(2, 1, 48).astype(np.float32)
        posts = random.poisson(means * np.repeat(random.choice([1, 2, 4], 12), 4)).astype(float)
        tells = random.random(48) < 0.05
        first = heard(posts[:24], means[:24], tells[:24], tied=tied)
        memory = slow.learn(slow.start(1, HOURS), first, np.ones((1, 24)) > 0, np.zeros(1), HOURS)
        made = heard(posts[24:], means[24:], tells[24:], memory, tied)
        over = posts - means > 0.7 * np.sqrt(means + 0.1 * means**2)
        told = naive.told_hours(tells, over, False)
        assert [*first.told[0], *made.told[0]] == told
        level = np.array([means[24:].mean()])
        rough = slow._kappa(memory, level, slow.windows(HOURS), 1)[:, 0] + 1e-6 + 0.6 * tied
        twin = [naive.slow(posts, means, told, at, (8, 24), rough, HOURS.ratios) for at in range(24, 48)]
        assert made.raw[0] == pytest.approx(twin, rel=1e-3, abs=1e-3)


def test_what_was_told_does_not_echo():
    """Three hours of 30 posts are told; a post more than usual an hour later says nothing, as it says after calm."""
    calm, means = [1, 1, 1, 1, 0, 3, 1, 1, 1, 1, 1, 1] * 2, [1.0] * 24
    outage = [*calm[:14], 30, 30, 30, 0, 3, *calm[19:]]
    tells = [14 <= hour < 17 for hour in range(24)]
    told = heard(outage, means, tells)
    assert told.told[0].nonzero()[0].tolist() == [14, 15, 16]
    assert told.raw[0, 18] == pytest.approx(heard(calm, means).raw[0, 17], abs=0.7)
    assert heard(outage, means).raw[0, 18] > 10 > 1 > told.raw[0, 18]


def test_what_was_told_goes_on_while_posts_are_many_and_over_midnight():
    """Hours after the last that tells belong to it until one is back to normal, on the next day too."""
    day = heard([1] * 20 + [9, 9, 6, 6], [1.0] * 24, [hour == 20 for hour in range(24)])
    memory = slow.learn(slow.start(1, HOURS), day, np.ones((1, 24)) > 0, np.zeros(1), HOURS)
    assert memory.told[0].nonzero()[0].tolist() == [20, 21, 22, 23]
    assert heard([6, 6, 1, 6] + [1] * 20, [1.0] * 24, memory=memory).told[0].nonzero()[0].tolist() == [0, 1]
    assert slow.rest(memory).told.all()


def test_a_day_that_begins_within_an_hour_has_its_hours_where_others_have_them():
    """From 01:30 UTC on: the first whole hour ends at 02:00 with the two quarters that are known."""
    made = heard([2.0] * 10, [1.0] * 10, skipped=6, sizes=QUARTERS)
    assert made.posts.tolist() == [[0, 4, 8, 8]]


def scale(most=None, silent=False):
    """A scale by which evidence is read as it is, up to where tails are heavier."""
    one = np.ones(1, dtype=np.float32)
    most = np.full((4, len(past.EDGES)), 99.0) if most is None else most
    return slow.Scale(0 * one, one, most, np.zeros(1, dtype=np.int64), one < silent * 2)


def test_both_kinds_of_evidence_keep_their_share_of_the_rate():
    """19 in 20 and 1 in 20; the hour's counts at its last bin, 7.45 beyond 1.5 being 5 by a tail 1.7 times as heavy."""
    z = np.array([[1, 1, 1, 1, 4, 4, 4, 4.0]], dtype=np.float32)
    raw = np.array([[1.5 + 1.7 * 5, 1.5]], dtype=np.float32)
    made = slow.joined(z, raw, scale(), READ, 0, QUARTERS)[0]
    assert made == pytest.approx([*[1 + np.log(0.95)] * 3, 6.5 + np.log(0.05), *[4 + np.log(0.95)] * 4], abs=1e-5)
    assert np.exp(-made[0]) * 0.95 + np.exp(-made[0]) * 0.05 == pytest.approx(np.exp(-made[0]))
    silent = slow.joined(z, raw, scale(silent=True), READ, 0, QUARTERS)[0]
    assert silent == pytest.approx(z[0] + np.log(0.95))


def test_evidence_counts_for_no_more_than_how_seldom_it_was_reached():
    """Of 600 days in several regions 8 peaked at 5: with the 200 of the tails one in 93 reached 4, log 93 is 4.5."""
    peaks = np.zeros((25, 24), dtype=np.float32)
    peaks[:8, 0] = 50
    level, tied = np.full(25, 5.0, dtype=np.float32), np.ones(25, dtype=np.float32)
    to = slow.scale(peaks, level, tied, 0 * tied)
    at = list(past.EDGES).index(4.0)
    assert to.most[2, at] == pytest.approx(-np.log((8 + 200 * np.exp(-4)) / 800))
    assert to.most[0, at] == pytest.approx(4)
    late = slow.joined(np.zeros((25, 1), dtype=np.float32), np.full((25, 1), 50, dtype=np.float32), to, READ, 0, HOURS)
    assert late.max() == pytest.approx(-np.log(8 / 800) + np.log(0.05), abs=0.05)


def test_the_largest_day_of_a_lone_series_is_no_tail():
    """It may be real, and has no other series beside it that would tell how seldom that is."""
    peaks = np.zeros((1, 28), dtype=np.float32)
    peaks[0, 5] = 50
    one = np.ones(1, dtype=np.float32)
    lone, tied = (slow.scale(peaks, one, each, 0 * one).most[1, -1] for each in (0 * one, one))
    assert lone > 10 > tied


def test_bursty_series_and_those_of_no_day_say_nothing():
    """Bursts last for hours, so their sums are no outages; and no tail is known before the first day."""
    peaks = np.array([[1.0], [1.0], [np.nan]], dtype=np.float32)
    one = np.ones(3, dtype=np.float32)
    assert slow.scale(peaks, one, one, np.array([0, 0.2, 0])).silent.tolist() == [False, True, True]
