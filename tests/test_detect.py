"""detect(): verdicts on one's own counts."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from clamor.baseline.lengths import lengths
from clamor.detect import combine, detect, learn, news, pooling, tails, walk
from clamor.errors import InputError
from clamor.run.evaluate import as_flags
from clamor.schema import FLAGS, VERDICT_COLUMNS
from clamor.simulate import charts
from clamor.simulate.counts import Nature, catalogue
from naive import detect as naive


def frame(values, service="tv", region="US", start="2026-03-02", bin_minutes=15):
    times = pd.date_range(start, periods=len(values), freq=f"{bin_minutes}min", tz="UTC", unit="us")
    return pd.DataFrame({"service": service, "region": region, "bin_start": times, "count": values})


def quiet(days=3, mean=4.0, seed=1, **kwargs):
    bins = days * 96
    return frame(np.random.default_rng(seed).poisson(mean, bins).astype(float), **kwargs)


def several(days=3):
    parts = [
        quiet(days, mean, seed, service=s, region=r)
        for seed, (s, r, mean) in enumerate([("a", "US", 0.1), ("a", "DE", 5.0), ("b", "US", 60.0), ("b", "DE", 1.0)])
    ]
    return pd.concat(parts, ignore_index=True)


def test_a_jump_is_an_outage_at_once_and_quiet_bins_are_not():
    """Forty posts where four are normal is an outage in that very bin; the days before are quiet."""
    counts = quiet()
    counts.loc[250:255, "count"] = 40.0
    out = detect(counts)
    assert list(out.columns[: len(VERDICT_COLUMNS)]) == list(VERDICT_COLUMNS)
    assert out["state"][250] == "outage"
    assert not out["flag"][:250].any()
    assert (out["flag"] == (out["state"] == "outage")).all()
    assert out["excess"][250] == pytest.approx(36, abs=3)


def test_the_first_four_hours_are_warm_up_and_have_no_score():
    """Sixteen bins of 15 minutes are warm-up: state says so, score and p are null."""
    out = detect(quiet(1))
    assert (out["state"][:16] == "warm_up").all()
    assert out[["score", "p_value"]][:16].isna().all().all()
    assert out[["score", "p_value"]][16:].notna().all().all()


def test_four_hours_of_history_are_enough_to_see_an_outage():
    """On a one-day chart of one report a bin, twelve reports are an outage."""
    counts = quiet(1, mean=1.0)
    counts.loc[60:63, "count"] = 12.0
    assert detect(counts)["flag"][60:64].any()


def test_unknown_is_no_data_however_it_is_said():
    """A missing row, a null count and observed=false give the same verdicts, no_data among them."""
    counts = several()
    hole = counts.index[(counts["bin_start"].dt.hour == 7) & (counts["region"] == "DE")]
    hole = hole[hole % 288 > 100]
    dropped = detect(counts.drop(hole))
    null = counts.copy()
    null.loc[hole, "count"] = np.nan
    unseen = counts.assign(observed=~counts.index.isin(hole))
    pd.testing.assert_frame_equal(dropped, detect(null))
    pd.testing.assert_frame_equal(dropped, detect(unseen))
    assert (dropped["state"] == "no_data").sum() == len(hole)
    assert dropped.loc[dropped["state"] == "no_data", "score"].isna().all()


def test_the_order_of_rows_does_not_matter():
    """Shuffled rows give the same verdicts."""
    counts = several()
    shuffled = counts.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(detect(counts), detect(shuffled))


def test_later_rows_change_nothing_before_them():
    """Cutting, editing and adding later rows (a new service or region too) leaves every earlier verdict identical."""
    counts = several(4)
    cut = pd.Timestamp("2026-03-04T13:30Z")
    early = counts[counts["bin_start"] < cut]
    edited = counts.copy()
    edited.loc[edited["bin_start"] >= cut, "count"] *= 50
    late = [quiet(1, 9.0, 9, service=s, region="FR", start="2026-03-05") for s in ("0new", "a")]
    expected = detect(early)
    for changed in (edited, *(pd.concat([counts, new], ignore_index=True) for new in late)):
        after = detect(changed)
        after = after[after["bin_start"] < cut].reset_index(drop=True)
        pd.testing.assert_frame_equal(expected, after, check_exact=True)


def test_eval_start_only_chooses_rows():
    """The rows from eval_start on are those of a full run, whose q-values look back on all its days."""
    counts = several(10)
    since = pd.Timestamp("2026-03-11T05:00Z")
    for day in ("2026-03-10", "2026-03-11"):
        counts.loc[counts["bin_start"].between(f"{day}T08:00Z", f"{day}T10:00Z"), "count"] *= 4
    full = detect(counts)
    assert full.loc[full["bin_start"] >= since, "q_value"].nunique() > 10
    pd.testing.assert_frame_equal(
        detect(counts, eval_start=since), full[full["bin_start"] >= since].reset_index(drop=True), check_exact=True
    )


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda c: pd.concat([c, c[5:6]]), "is there twice"),
        (lambda c: c.assign(count=c["count"] - 100), "not negative"),
        (lambda c: c.assign(count=np.inf), "finite"),
        (lambda c: c.assign(count="many"), "not a number"),
        (lambda c: c.assign(bin_start=c["bin_start"].dt.tz_localize(None)), "time zone"),
        (lambda c: c.assign(bin_start=c["bin_start"] + pd.Timedelta(minutes=7)), "not aligned .* floor .* whole bins"),
        (
            lambda c: c.assign(bin_start=[*(c["bin_start"][:-1] + pd.Timedelta(minutes=5)), c["bin_start"].iloc[-1]]),
            "not aligned .* say --bin 5min",
        ),
        (
            lambda c: c.assign(bin_start=c["bin_start"] + pd.to_timedelta(np.arange(len(c)), unit="s")),
            "not aligned .* floor the times to whole minutes",
        ),
        (lambda c: c[::4], "say --bin 60min"),
        (lambda c: c.drop(columns="region"), "'region' is missing"),
        (lambda c: c.assign(region=None), "region is null"),
        (lambda c: c.assign(observed="yes"), "not boolean"),
    ],
)
def test_bad_counts_are_one_line_with_the_rule(spoil, says):
    """Every broken rule is named in one line that ends in the next step."""
    with pytest.raises(InputError, match=says) as caught:
        detect(spoil(quiet(1)))
    assert "\n" not in str(caught.value)
    assert str(caught.value).count(";") >= 1


@pytest.mark.parametrize(
    ("regions", "says"),
    [
        ({"region": ["US", "EU"], "parent": ["EU", "US"]}, "its own ancestor"),
        ({"region": ["DE"], "parent": ["EU"]}, "not listed"),
        ({"region": ["US", "US"], "parent": ["EU", "EU"]}, "is there twice"),
        ({"region": ["US"], "timezone": ["Mars/Base"]}, "not an IANA name"),
        ({"region": ["US"], "utc_offset_h": [99]}, "within -14 to 14"),
    ],
)
def test_bad_regions_are_refused(regions, says):
    """Unknown, repeated and cyclic regions and impossible zones are named."""
    with pytest.raises(InputError, match=says):
        detect(quiet(1), pd.DataFrame(regions))


def test_naive_eval_start_and_an_empty_budget_are_refused():
    """A time without a zone and a budget of nothing are refused."""
    with pytest.raises(InputError, match="naive"):
        detect(quiet(1), eval_start=pd.Timestamp("2026-03-02"))
    with pytest.raises(InputError, match="budget 0"):
        detect(quiet(1), budget=0)


def test_no_rows_give_no_rows():
    """An empty frame is answered by an empty one."""
    assert len(detect(quiet(1)[:0])) == 0


@pytest.mark.parametrize("bin_minutes", [1, 5, 60, 1440, 10080])
def test_any_width_works(bin_minutes):
    """Minutes, hours, days and weeks: after the warm-up a tenfold count is an outage."""
    values = np.random.default_rng(5).poisson(10, 400).astype(float)
    lasts = slice(390, 390 + (20 // bin_minutes or 1))  # bursts of single minutes are everywhere
    values[lasts] = 100
    out = detect(frame(values, bin_minutes=bin_minutes, start="2020-01-06"), bin_minutes=bin_minutes)
    assert out["flag"][lasts].any()
    assert out["flag"][:390].mean() < (0.02 if bin_minutes < 10080 else 0.12)  # the budget is 0.1 a week


@pytest.mark.parametrize("level", [1e6, 3e8])
def test_the_busiest_series_overflow_nothing(level):
    """Up to the largest count that is let in, a jump is an outage, without a warning (an error in tests) on the way."""
    values = level * np.exp(0.1 * np.random.default_rng(1).standard_normal(1000))
    values[900:904] *= 2.5
    out = detect(frame(values))
    assert out["flag"][900:904].any()
    assert out["flag"][96:900].mean() < 0.01


def flags(source, scores, states=None):
    rows = detect(quiet(1))[20 : 20 + len(scores)].reset_index(drop=True)
    p = 10.0 ** -np.asarray(scores)
    rows = as_flags(rows, source=source, bin_minutes=15, now=pd.Timestamp("2026-03-03", tz="UTC"))
    rows = rows.assign(score=scores, p_value=p, q_value=p)
    rows["state"] = states or ["normal"] * len(rows)
    return rows[FLAGS.columns.names]


def test_two_sources_that_agree_are_worth_more_than_either():
    """Two p-values of 1e-3 make one below 1e-4; a source without data is left out and not named."""
    both = pd.concat([flags("x", [3.0, 3.0]), flags("reddit", [3.0, 3.0], ["normal", "no_data"])])
    out = combine(both)
    assert list(out["source"].unique()) == ["all"]
    assert out["p_value"][0] < 1e-4
    assert out["p_value"][1] == pytest.approx(1e-3)
    assert [list(s) for s in out["sources"]] == [["reddit", "x"], ["x"]]


def test_rows_of_a_whole_table_in_order_keep_its_names_and_times_and_share_nothing_that_changes():
    """Their keys are not built anew; what is written into the answer does not reach the table."""
    counts = several(2).sort_values(["service", "region", "bin_start"], ignore_index=True)
    built = detect(counts.sample(frac=1.0, random_state=1))
    answer = detect(counts)
    pd.testing.assert_frame_equal(answer, built)
    assert np.shares_memory(answer["bin_start"].array.asi8, counts["bin_start"].array.asi8)
    answer.loc[0, ["service", "bin_start"]] = ["other", pd.Timestamp("2030-01-01", tz="UTC")]
    assert counts["service"][0] != "other"
    assert counts["bin_start"][0].year != 2030


def test_no_source_with_data_is_no_data():
    """Unknown from every source is unknown, never calm."""
    out = combine(pd.concat([flags("x", [1.0], ["no_data"]), flags("reddit", [1.0], ["no_data"])]))
    assert list(out["state"]) == ["no_data"]
    assert out["score"].isna().all()


def test_the_level_is_carried_over_midnight():
    """On the second day a steady series is expected where it was on the first."""
    out = detect(quiet(3, mean=100.0))
    assert out["expected"][96:].between(80, 120).all()


def test_a_stored_fit_gives_the_very_answer_of_a_full_run():
    """Judging a day and a half by what was learnt up to midnight equals judging it with all bins before it."""
    counts = several(4)
    midnight, since = pd.Timestamp("2026-03-05", tz="UTC"), pd.Timestamp("2026-03-05T03:00Z")
    learnt = learn(counts[counts["bin_start"] < midnight])
    full = detect(counts, eval_start=since)
    again = detect(counts[counts["bin_start"] >= midnight], eval_start=since, learnt=learnt)
    pd.testing.assert_frame_equal(full, again, check_exact=True)


def test_a_stored_fit_goes_on_with_other_series_than_it_learnt():
    """A series that is new starts afresh, one that fell silent gives no rows, and the others are as in a full run."""
    counts = several(4)
    midnight = pd.Timestamp("2026-03-05", tz="UTC")
    gone = (counts["service"] == "b") & (counts["region"] == "DE") & (counts["bin_start"] >= midnight)
    new = quiet(1, 9.0, 9, service="0new", region="FR", start="2026-03-05")
    counts = pd.concat([counts[~gone], new], ignore_index=True)
    learnt = learn(counts[counts["bin_start"] < midnight])
    full = detect(counts, eval_start=midnight)
    again = detect(counts[counts["bin_start"] >= midnight], eval_start=midnight, learnt=learnt)
    pd.testing.assert_frame_equal(full, again, check_exact=True)


def test_a_stored_fit_refuses_what_it_does_not_fit():
    """Bins that are learnt already, another width, and a past that ends within a day are refused."""
    counts = quiet(2)
    midnight = pd.Timestamp("2026-03-03", tz="UTC")
    learnt = learn(counts[counts["bin_start"] < midnight])
    with pytest.raises(InputError, match="is learnt"):
        detect(counts, learnt=learnt)
    with pytest.raises(InputError, match="bins of 15 min, not 60"):
        detect(counts[96::4], bin_minutes=60, learnt=learnt)
    with pytest.raises(InputError, match="midnight"):
        learn(counts[:100])


def test_a_new_segment_warms_up_again():
    """Where the segment number changes nothing is carried over: the series is new."""
    counts = quiet(3).assign(segment=lambda c: (c.index >= 150).astype(int))
    out = detect(counts)
    assert (out["state"][150:166] == "warm_up").all()
    assert (out["state"][166:] != "warm_up").all()


def test_a_region_where_nobody_complains_is_not_out_because_others_are():
    """When a service fails in four regions, a fifth with no posts is not flagged; a sixth with four posts is."""
    parts = [quiet(4, 6.0, i, service="tv", region=f"R{i}") for i in range(4)]
    parts += [quiet(4, 0.02, 9, service="tv", region="silent"), quiet(4, 0.02, 10, service="tv", region="faint")]
    counts = pd.concat(parts, ignore_index=True)
    late = counts.groupby("region").cumcount() >= 370
    counts.loc[late & counts["region"].str.startswith("R"), "count"] += 25
    counts.loc[late & ~counts["region"].str.startswith("R"), "count"] = 0
    counts.loc[counts.index[(counts["region"] == "faint") & late][:4], "count"] = 1
    out = detect(counts)
    flagged = out[out["flag"] & (out["bin_start"] >= counts["bin_start"][370])].groupby("region").size()
    assert {f"R{i}" for i in range(4)} <= set(flagged.index)
    assert "silent" not in flagged.index
    assert "faint" in flagged.index


@pytest.mark.parametrize(("y", "mean", "size"), [(0, 0.02, 0.5), (3, 0.4, 2.0), (40, 8.0, 5.0), (900, 850.0, 60.0)])
def test_likelihood_ratios_equal_their_slow_twin(y, mean, size):
    """The ratios of two negative binomials, written with logarithms of gammas."""
    ratios = (1.5, 5.0, 40.0)
    fast = np.exp(pooling.log_ratios(*(np.array([v], dtype=np.float32) for v in (y, mean, size)), ratios))
    assert fast[:, 0] == pytest.approx(naive.likelihoods(y, mean, size, ratios), rel=2e-3)


def test_ratios_beyond_any_doubt_keep_their_proportions_within_float32():
    """The best is at most e^60; the others of its window shrink with it, those of other windows do not."""
    nats = np.array([[70.0, 10.0], [69.0, 9.0]], dtype=np.float32)
    assert np.log(pooling.limited(nats)) == pytest.approx(np.array([[60.0, 10.0], [59.0, 9.0]]), abs=1e-4)


NOBODY = np.zeros(0, dtype=np.int64)
FLAT = (NOBODY, NOBODY)


def test_pooled_odds_equal_their_slow_twin():
    """All accounts of who is out, who is not, and what is talk, with the cap on what one region may say of others."""
    sizes = dataclasses.replace(lengths(15), ratios=(2.0, 5.0))
    likely = [(0.3, 0.1), (2.0, 1.0), (300.0, 500.0), (1.0, 0.9), (7.0, 7.0), (0.9, 0.2), (4.0, 30.0)]
    service, parent = [0, 0, 0, 0, 0, 1, 1], [0, 0, 1, 1, 1, 2, 3]
    ties = pooling.Ties.of(np.array(service), np.array(parent), FLAT)
    of_one_window = np.array(likely, dtype=np.float32).T[:, None, :, None]
    fast = np.concatenate(pooling.odds(of_one_window, ties, NOBODY, pooling.talk(sizes)), axis=1)
    assert fast == pytest.approx(np.array(naive.odds(likely, sizes.ratios, service, parent)), rel=1e-3)


def test_a_region_that_is_not_known_yet_changes_no_odds():
    """A further region of a service that has neither posts nor expectations changes no odds, in no bit."""
    sizes = dataclasses.replace(lengths(15), ratios=(2.0, 5.0))
    y, m, size = (np.array([[[v] for v in row]], dtype=np.float32) for row in ((9, 3, 0), (2, 2, 0), (5, 4, 1)))
    answers = []
    for rows in (2, 3):
        ties = pooling.Ties.of(np.zeros(rows, dtype=np.int64), np.array([0, 0, 1])[:rows], FLAT)
        likely = pooling.limited(pooling.log_ratios(y[:, :rows], m[:, :rows], size[:, :rows], sizes.ratios))
        answers.append([odds[:2].tolist() for odds in pooling.odds(likely, ties, NOBODY, pooling.talk(sizes))])
    assert answers[0] == answers[1]


def test_talk_is_sooner_thought_of_in_longer_bins_up_to_an_hour():
    """Talk grows within an hour: a bin of half of one sees it jump twice as often as a quarter, a day no sooner."""
    usual = pooling.talk(lengths(15))
    for minutes, times in ((1, 1), (30, 2), (60, 4), (180, 4)):
        assert pooling.talk(lengths(minutes)) == pytest.approx([times * odds for odds in usual])
    assert pooling.talk(dataclasses.replace(lengths(1440), ratios=lengths(15).ratios)) == pytest.approx(usual)


def test_a_region_that_holds_others_is_not_pooled_once_they_were_seen():
    """What a sum of regions shows was said by them: it is heeded, and pooled, only while they are unknown."""
    above = np.array([2, 2]), np.array([0, 1])
    ties = pooling.Ties.of(np.zeros(3, dtype=np.int64), np.array([0, 0, 1]), above)
    assert ties.heeded(np.array([9, 0, 9], dtype=np.float32)).tolist() == [1, 1, 0]
    assert ties.tied(np.array([9, 9, 9], dtype=np.float32)).tolist() == [1, 1, 0]
    assert ties.heeded(np.array([0, 0, 9], dtype=np.float32)).tolist() == [1, 1, 1]


def test_a_region_that_only_repeats_others_changes_none_of_their_odds():
    """Not heeded, a sum is as good as absent; heeded, it would count what the regions said twice."""
    sizes = dataclasses.replace(lengths(15), ratios=(2.0, 5.0))
    y, m, size = (np.array([[[v] for v in row]], dtype=np.float32) for row in ((9, 2, 11), (2, 2, 4), (5, 4, 5)))

    def odds(rows, silent):
        ties = pooling.Ties.of(np.zeros(rows, dtype=np.int64), np.array([0, 0, 1])[:rows], FLAT)
        likely = pooling.limited(pooling.log_ratios(y[:, :rows], m[:, :rows], size[:, :rows], sizes.ratios))
        return [odds[:2].tolist() for odds in pooling.odds(likely, ties, silent, pooling.talk(sizes))]

    assert odds(3, np.array([2])) == odds(2, NOBODY)
    assert odds(3, NOBODY) != odds(2, NOBODY)


def test_a_region_is_pooled_once_another_of_its_service_was_seen():
    """Lone services, and those whose other regions are new, are judged by themselves."""
    ties = pooling.Ties.of(np.array([0, 0, 1, 2, 2]), np.array([0, 1, 2, 3, 3]), FLAT)
    assert ties.tied(np.array([9, 0, 9, 5, 7], dtype=np.float32)).tolist() == [0, 1, 0, 1, 1]


def test_the_share_of_false_ones_equals_its_slow_twin():
    """q from the histogram is Benjamini and Hochberg's over all tests so far, to the width of its cells (a tenth)."""
    p = np.random.default_rng(3).random((20, 6)).astype(np.float32)
    p[:4, 3:] *= 1e-4
    cell = tails.cells(p, np.zeros(len(p), dtype=np.bool_))
    fast = tails.false_shares(tails.tests(cell), tails.start(20)).take(cell)
    for i, t in [(0, 3), (2, 5), (10, 1), (19, 5)]:
        slow = naive.false_share(p.T.tolist(), t, float(p[i, t]))
        assert slow * 0.75 <= fast[i, t] <= max(slow * 1.6, 1e-9)


@pytest.fixture(scope="module")
def quiet_catalogue():
    """Sixty quiet synthetic series over three weeks, season, AR noise and gaps, and the verdicts on the last."""
    simulated = catalogue(11, Nature(chatter_per_week=0, outages_per_week=0), services=6, weeks=3)
    out = detect(simulated.frame(), simulated.regions, eval_start=pd.Timestamp("2026-01-19", tz="UTC"))
    return out[out["p_value"].notna()]


@pytest.mark.parametrize(("level", "least", "most"), [(0.5, 0.44, 0.62), (0.1, 0.08, 0.13), (0.01, 0.006, 0.018)])
def test_p_values_are_uniform_on_quiet_data(quiet_catalogue, level, least, most):
    """On quiet synthetic series one bin in ten has p <= 0.1, one in a hundred p <= 0.01."""
    assert least < (quiet_catalogue["p_value"] <= level).mean() < most


@pytest.mark.parametrize(("minutes", "mean"), [(5, 0.1), (15, 0.1), (60, 1.0)])
def test_p_values_of_the_second_day_are_not_read_by_the_scale_of_the_first(minutes, mean):
    """Forty quiet Poisson series: at most one bin in fifty of their second day has p <= 0.01."""
    day = 1440 // minutes
    times = pd.date_range("2026-03-02", periods=2 * day, freq=f"{minutes}min", tz="UTC", unit="us")
    counts = np.random.default_rng(5).poisson(mean, (40, 2 * day)).astype(float)
    parts = [
        pd.DataFrame({"service": f"s{i // 20}", "region": f"r{i % 20:02d}", "bin_start": times, "count": row})
        for i, row in enumerate(counts)
    ]
    p = detect(pd.concat(parts, ignore_index=True), bin_minutes=minutes)["p_value"].to_numpy().reshape(40, -1)
    assert (p[:, day:] <= 0.01).mean() < 0.02


def test_prediction_intervals_hold_their_coverage(quiet_catalogue):
    """At least 95% of the quiet counts lie in the 95% band, and no more than that in busy series."""
    inside = quiet_catalogue["posts"].between(quiet_catalogue["low"], quiet_catalogue["high"])
    assert inside.mean() > 0.95
    assert inside[quiet_catalogue["expected"] > 10].mean() == pytest.approx(0.95, abs=0.02)


def test_quiet_series_stay_within_twice_the_budget(quiet_catalogue):
    """A budget of 0.1 false incidents a series-week is not exceeded twofold on sixty quiet series, give or take."""
    flags = quiet_catalogue.groupby(["service", "region"], sort=False)["flag"]
    starts = flags.apply(lambda f: (f & ~f.rolling(8, min_periods=1).max().shift(1, fill_value=0).astype(bool)).sum())
    assert starts.sum() <= 2 * 0.1 * 60 + 2 * (2 * 0.1 * 60) ** 0.5


def test_a_day_with_an_outage_teaches_other_services_no_season():
    """A service that was seen for one day only, high in its evening, changes nothing that is expected of the next."""
    evening = np.random.default_rng(1).poisson(5, 96).astype(float)
    evening[72:84] *= 8
    before = frame(evening, service="before", start="2026-03-02")
    after = frame(np.random.default_rng(2).poisson(5, 96).astype(float), service="after", start="2026-03-03")
    both = detect(pd.concat([before, after], ignore_index=True))
    both = both[both["service"] == "after"].reset_index(drop=True)
    assert both["expected"].equals(detect(after)["expected"])


def test_services_do_not_depend_on_the_order_or_names_of_others():
    """Renaming services so that they sort the other way round changes no verdict."""
    counts = several()
    renamed = counts.assign(service=counts["service"].map({"a": "z", "b": "y"}))
    one, two = detect(counts), detect(renamed)
    two["service"] = two["service"].map({"z": "a", "y": "b"})
    two = two.sort_values(["service", "region", "bin_start"], ignore_index=True)
    pd.testing.assert_frame_equal(one, two, rtol=1e-4)


def test_complaints_that_follow_the_talk_are_chatter():
    """Complaints that triple while all mentions grow fivefold are a viral topic; without the mentions, an outage."""
    counts = quiet(6, 20.0)
    late = counts.index >= 520
    counts.loc[late, "count"] *= 3
    talk = np.random.default_rng(2).poisson(np.where(late, 1200, 240)).astype(float)
    assert detect(counts)["flag"][520:530].any()
    assert not detect(counts.assign(mentions=counts["count"] + talk))["flag"][520:530].any()


def test_an_outage_that_is_talked_about_is_an_outage_still():
    """Complaints that grow tenfold while talk doubles are no chatter; nor do unknown mentions hide anything."""
    counts = quiet(6, 20.0)
    late = counts.index >= 520
    counts.loc[late, "count"] *= 10
    talk = np.random.default_rng(2).poisson(np.where(late, 480, 240)).astype(float)
    assert detect(counts.assign(mentions=counts["count"] + talk))["flag"][520]
    assert detect(counts.assign(mentions=np.where(counts.index < 400, talk, np.nan)))["flag"][520]


def test_two_posts_are_no_outage_by_themselves():
    """In a series of a post a day, two posts within an hour are not an outage; six are."""
    values = np.zeros(40 * 24)
    values[::29] = 1
    pair, six = values.copy(), values.copy()
    pair[912:914] = 1
    six[912:914] = 3
    assert not detect(frame(pair, bin_minutes=60), bin_minutes=60)["flag"][880:].any()
    assert detect(frame(six, bin_minutes=60), bin_minutes=60)["flag"][912:914].any()


def test_one_long_event_is_one_alarm_and_news_now_and_then():
    """Hours of half as many posts again: the alarm begins where the score says so, and goes on where nothing is new."""
    counts = quiet(12, 20.0)
    counts.loc[1000:1019, "count"] *= 1.6
    out = detect(counts)[1000:1020].reset_index(drop=True)
    fresh = out["score"] >= 3.83  # an outage at 0.1 a week
    assert out["flag"][fresh].all()
    assert fresh[out["flag"].idxmax()]
    assert fresh.sum() < out["flag"].sum()
    assert (out["p_value"][out["flag"]] < 0.01).all()


def test_after_an_alarm_a_lesser_burst_is_no_news_but_a_larger_one_and_later_ones_are():
    """Soon after an alarm a lesser burst raises none, one of ten times the posts does; days later any does."""

    def second(at, posts):
        counts = quiet(14, 20.0)
        counts.loc[1000, "count"] = 60.0
        counts.loc[at, "count"] = posts
        out = detect(counts)
        assert out["flag"][1000]
        return out["flag"][at]

    assert not second(1006, 46.0)
    assert second(1006, 460.0)
    assert second(1200, 46.0)


def test_a_day_cut_at_midnight_within_an_alarm_goes_on_as_if_uncut():
    """What was told and the episode that goes on are part of what is learnt."""
    counts = quiet(12, 20.0)
    counts.loc[11 * 96 - 6 : 11 * 96 + 8, "count"] *= 6
    midnight = pd.Timestamp("2026-03-13", tz="UTC")
    learnt = learn(counts[counts["bin_start"] < midnight])
    assert learnt.known.told.said[0] > 3
    full = detect(counts, eval_start=midnight)
    assert full["flag"][:4].any()
    pd.testing.assert_frame_equal(
        full, detect(counts[counts["bin_start"] >= midnight], learnt=learnt, eval_start=midnight), check_exact=True
    )


@pytest.mark.parametrize("bin_minutes", [5, 60, 1440])
def test_days_without_counts_are_skipped_as_if_they_had_been_walked(bin_minutes, monkeypatch):
    """After a gap of days everything is the same, to the last bit, and so are the rows within it."""
    bins = 60 * max(1, 1440 // bin_minutes)
    values = np.random.default_rng(8).poisson(5, bins).astype(float)
    values[bins // 3 - 2 : bins // 3] = 90  # told shortly before
    counts = frame(values, bin_minutes=bin_minutes)
    counts.loc[bins // 3 : bins // 2, "count"] = np.nan
    skipped = detect(counts, bin_minutes=bin_minutes)

    def judged(layout, columns, known, out):
        walk._reshape(layout, known)
        walk._judge(layout, columns, known, 0.1, out, last=False)

    monkeypatch.setattr(walk, "_rest", judged)
    pd.testing.assert_frame_equal(skipped, detect(counts, bin_minutes=bin_minutes), check_exact=True)


def test_what_was_told_equals_its_slow_twin():
    """News of a day, bin by bin, as METHOD.md says it."""
    random = np.random.default_rng(6)
    z = (random.gumbel(size=(30, 96)) * 2.5).astype(np.float32)
    judged = random.random(z.shape) > 0.1
    sizes = lengths(15)
    start = news.start(30)
    told = dataclasses.replace(start, level=np.linspace(0, 6, 30).astype(np.float32), age=start.age * 0 + 20)
    bursty = np.linspace(0, 1, 30).astype(np.float32)
    fast, after = news.news(z, judged, told, bursty, sizes)
    for i in range(30):
        slow, level, age = naive.news(z[i].tolist(), judged[i].tolist(), float(told.level[i]), 20.0, 15, bursty[i])
        assert fast[i] == pytest.approx(slow, abs=1e-4)
        assert (after.level[i], after.age[i]) == pytest.approx((level, age), abs=1e-4)


def test_heaviness_is_measured_and_a_single_great_peak_is_not():
    """Peaks with a mean excess of six are found to be heavy; one real outage in light peaks is left out."""
    random = np.random.default_rng(7)
    which = np.zeros(40, dtype=np.int64)
    light = random.gumbel(size=(40, 28)).astype(np.float32)
    once = light.copy()
    once[:, 5] = 50.0
    heavy = np.where(light > 1.5, 1.5 + 6 * (light - 1.5), light).astype(np.float32)
    sure, tame = np.full(40, 8.0), np.zeros(40, dtype=np.float32)
    found = [float(np.median(tails._heavy(p, which, sure, tame, lengths(15)))) for p in (light, once, heavy)]
    assert found[0] < 1.7
    assert found[1] < 2.2
    assert found[2] > 4
    assert (tails._heavy(heavy, which, sure, tame, lengths(1440)) == 1).all()  # a day's bin is its own peak
    short = [tails._heavy(light[:, :2], which, sure, share, lengths(5)).mean() for share in (tame, tame + 1)]
    assert short[1] > 2 * short[0]  # what is thought of bursty series until their own days say otherwise


def test_a_day_on_which_several_regions_peak_was_not_quiet():
    """Three regions of one service beyond z = 3: left out; two, or three of different services: kept."""
    peak = np.array([4.0, 5.0, 6.0, 4.0, 4.0, 0.0, 9.0], dtype=np.float32)
    assert list(tails._shared(peak, np.array([0, 0, 0, 1, 1, 1, 2]))) == [True, True, True, False, False, False, False]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["plain", "clustered"])
def test_bursty_series_keep_the_budget_within_twice_once_known(kind):
    """From the fourth week on, bursty normal series raise at most twice 0.1 false alarms a week, give or take."""
    world = charts.bursty(5, kind)
    out = detect(world.frame(), bin_minutes=5)
    flag = out["flag"].to_numpy().reshape(world.posts.shape)
    free = np.ones(flag.shape, dtype=bool)
    for i, a, b in world.truth[["series", "start", "stop"]].to_numpy():
        free[i, max(0, a - 1) : b + 24] = False
    before = np.zeros_like(flag)
    for lag in range(1, 14):
        before[:, lag:] |= flag[:, :-lag]
    false = (flag & ~before & free)[:, 3 * 2016 :].sum()
    weeks = 10 * (55 / 7 - 3)
    assert false <= 2 * 0.1 * weeks + 2 * (2 * 0.1 * weeks) ** 0.5


def test_a_busy_series_far_below_its_expectation_is_judged():
    """Two hundred posts a bin that become four hundred and at once fifty: no evidence, but a number, in every bin."""
    counts = quiet(17, 200.0)
    counts.loc[15 * 96 :, "count"] *= 2
    counts.loc[16 * 96 :, "count"] = 50.0
    out = detect(counts)[16:]
    assert out[["score", "p_value"]].notna().all().all()
    assert not out["flag"][16 * 96 :].any()


def test_in_bins_of_an_hour_an_outage_does_not_echo_when_it_is_over():
    """Three hours of outage in three regions; a lone post five hours after its end begins no alarm."""
    posts = np.random.default_rng(1).poisson(0.4, (3, 24 * 28))
    posts[:, 600:603] = 34, 17, 14
    posts[:, 603:612] = 1, 0, 0, 0, 1, 1, 0, 1, 1
    times = pd.date_range("2026-03-02", periods=24 * 28, freq="1h", tz="UTC")
    rows = [{"service": "a", "region": f"r{i}", "bin_start": times, "count": row} for i, row in enumerate(posts)]
    verdicts = detect(pd.concat(map(pd.DataFrame, rows), ignore_index=True), bin_minutes=60)
    flagged = set(verdicts.loc[verdicts["flag"], "bin_start"])
    assert set(times[600:603]) <= flagged <= set(times[600:605])
