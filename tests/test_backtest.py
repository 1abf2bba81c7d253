"""Comparisons of a handful of incidents with a handful of events, the verdicts written out by eye."""

import doctest
import math

import numpy as np
import pandas as pd
import pytest

from clamor.backtest import backtest, chance, chart, compare, together
from clamor.backtest.known import events_of
from clamor.backtest.policies import coarser
from clamor.budget import Budget
from clamor.detect import detect
from clamor.errors import InputError
from clamor.incidents import incidents

DAY = pd.Timestamp("2026-10-14T00:00Z")


def at(clock):
    return DAY + pd.Timedelta(clock + ":00")


def event(service, regions, start, end, **more):
    return {"service": service, "regions": regions.split(), "start_at": at(start), "end_at": at(end), **more}


def incident(name, service, regions, start, end, **more):
    onset, last = at(start), at(end)
    row = {
        "incident_id": name,
        "service": service,
        "services": [service],
        "scope": "country",
        "regions": regions.split(),
        "status": "recovered",
        "onset_at": onset,
        "onset_low_at": onset - pd.Timedelta(minutes=15),
        "onset_high_at": onset + pd.Timedelta(minutes=15),
        "detected_at": onset + pd.Timedelta(minutes=15),
        "recovered_at": last,
        "recovered_low_at": last - pd.Timedelta(minutes=30),
        "recovered_high_at": last + pd.Timedelta(minutes=15),
        "last_seen_at": last,
        "symptoms": [],
    }
    return row | more


def compared(incidents, events, **options):
    return compare(pd.DataFrame(incidents), pd.DataFrame(events), **options)


def test_found_missed_and_false():
    """One outage of two is found, 20 minutes late; the incident of a quiet service is a false alarm."""
    result = compared(
        [incident("a", "tiktok", "US", "10:15", "12:00"), incident("b", "paypal", "GB", "03:00", "03:30")],
        [event("tiktok", "US GB", "10:10", "11:50"), event("netflix", "BR", "15:00", "16:00")],
    )
    assert (result.found, result.missed, result.false_alarms, result.fragments) == (1, 1, 1, 0)
    first = result.events.iloc[0]
    assert (first.incident_id, first.delay_minutes, first.onset_error_minutes, first.end_error_minutes) == (
        *("a", 20.0, 5.0),
        10.0,
    )
    assert first.onset_covered and first.end_covered
    assert (first.region_precision, first.region_recall) == (1.0, 0.5)
    assert result.alarms["verdict"].tolist() == ["found", "false alarm"]
    assert result.alarms["reason"].tolist() == ["", "nothing happened"]


def test_chatter_is_the_reason_of_a_false_alarm():
    """An incident during a viral video, and no outage, is a false alarm that says why."""
    result = compared(
        [incident("a", "tiktok", "US", "10:15", "12:00")],
        [event("tiktok", "001", "10:00", "13:00", kind="viral", is_outage=False)],
    )
    assert len(result.events) == 0
    assert (result.false_alarms, result.alarms.iloc[0].reason) == (1, "viral")


def test_an_outage_beside_chatter_is_found():
    """Where an outage and the jokes about it overlap, the incident is of the outage."""
    result = compared(
        [incident("a", "tiktok", "US", "10:15", "12:00")],
        [
            event("tiktok", "001", "11:00", "13:00", kind="memes", is_outage=False),
            event("tiktok", "US", "10:00", "11:00"),
        ],
    )
    assert (result.found, result.false_alarms) == (1, 0)


def test_fragments_are_no_false_alarms():
    """Of two incidents of one outage the longer speaks for it, the first tells the delay; the other is a fragment."""
    result = compared(
        [incident("a", "tiktok", "US", "10:15", "10:30"), incident("b", "tiktok", "GB", "11:00", "13:00")],
        [event("tiktok", "US GB", "10:00", "13:00")],
    )
    row = result.events.iloc[0]
    assert (row.incident_id, row.fragments, row.delay_minutes, row.region_recall) == ("b", 1, 30.0, 1.0)
    assert result.alarms["verdict"].tolist() == ["fragment", "found"]
    assert (result.false_alarms, result.fragments) == (0, 1)


def test_another_region_does_not_match():
    """An incident in Japan is not the outage in Brazil; one in a state of the US is the outage in the US."""
    result = compared(
        [incident("a", "tiktok", "JP", "10:15", "12:00"), incident("b", "netflix", "US-MI", "10:15", "12:00")],
        [event("tiktok", "BR", "10:00", "12:00"), event("netflix", "US", "10:00", "12:00")],
    )
    assert result.events["found"].tolist() == [False, True]
    assert result.alarms["verdict"].tolist() == ["false alarm", "found"]


@pytest.mark.parametrize(
    ("regions", "scope", "services", "found", "cause"),
    [
        ("DE", "shared cause", ["vodafone", "netflix"], True, True),
        ("DE", "country", ["vodafone"], True, False),
        ("FR", "country", ["vodafone"], False, None),
    ],
)
def test_shared_cause(regions, scope, services, found, cause):
    """A provider's failure is told apart if one incident names it as a shared cause."""
    result = compared(
        [incident("a", services[0], regions, "10:15", "12:00", scope=scope, services=services)],
        [event("vodafone", "DE", "10:00", "12:00", services=("vodafone", "netflix", "spotify"))],
    )
    assert result.events.iloc[0].found == found
    assert result.events.iloc[0].cause_right is cause or bool(result.events.iloc[0].cause_right) == cause


def test_a_sufferer_matches_only_inside_the_cause_s_regions():
    """Netflix failing in Germany is the provider's failure there; Netflix failing in the world is not."""
    provider = event("vodafone", "DE", "10:00", "12:00", services=("vodafone", "netflix"))
    inside = compared([incident("a", "netflix", "DE", "10:15", "12:00")], [provider])
    assert (inside.found, inside.events.iloc[0].service_right) == (1, False)
    world = compared([incident("a", "netflix", "001", "10:15", "12:00")], [provider])
    assert (world.found, world.false_alarms) == (0, 1)


def test_grace_at_both_ends():
    """An incident that begins within half an hour after an outage matches; one that begins later does not."""
    events = [event("tiktok", "US", "10:00", "11:00")]
    assert compared([incident("a", "tiktok", "US", "11:20", "12:00")], events).found == 1
    assert compared([incident("a", "tiktok", "US", "11:40", "12:00")], events).found == 0


def test_withdrawn_incidents_find_nothing():
    """A withdrawn incident does not count as found, nor as false if there was an outage."""
    events = [event("tiktok", "US", "10:00", "11:00")]
    result = compared([incident("a", "tiktok", "US", "10:20", "11:00", status="withdrawn")], events)
    assert (result.found, result.false_alarms, result.alarms.iloc[0].verdict) == (0, 0, "withdrawn")


def test_symptoms_that_agree():
    """Login is told and true, crash told and not true, playback true and not told; other is nothing told."""
    shares = [{"name": n, "share": s} for n, s in (("login", 0.5), ("crash", 0.3), ("other", 0.2))]
    result = compared(
        [incident("a", "tiktok", "US", "10:15", "12:00", symptoms=shares)],
        [event("tiktok", "US", "10:00", "12:00", symptoms=("login", "playback", "other"))],
    )
    assert tuple(result.events.iloc[0][["symptom_precision", "symptom_recall"]]) == (0.5, 0.5)


def test_the_world_alone_names_no_country():
    """An incident that names the world finds the outage but says nothing of where it is."""
    row = compared([incident("a", "tiktok", "001", "10:15", "12:00")], [event("tiktok", "US GB", "10:00", "12:00")])
    assert row.events.iloc[0].region_precision is None
    assert row.events.iloc[0].region_recall == 0.0


def test_summary_has_exact_intervals():
    """Half of two outages: the interval of Clopper and Pearson is 1.3% to 98.7%; one false alarm in a day."""
    result = compared(
        [incident("a", "tiktok", "US", "10:15", "12:00"), incident("b", "paypal", "GB", "03:00", "03:30")],
        [event("tiktok", "US", "10:00", "11:50"), event("netflix", "BR", "15:00", "16:00")],
        window=(DAY, DAY + pd.Timedelta(days=1)),
    )
    rows = result.summary().set_index("measure")
    assert tuple(rows.loc["outages found"].round(3)) == (0.5, 0.013, 0.987, 2)
    assert rows.loc["false alarms a day", "value"] == 1.0
    assert math.isinf(rows.loc["delay, minutes, quantile 0.5", "high"])


def test_what_lies_outside_the_window_is_left_out():
    """Only what overlaps the watched time is compared."""
    window = (at("00:00"), at("09:00"))
    result = compared(
        [incident("a", "tiktok", "US", "10:15", "12:00")], [event("tiktok", "US", "10:00", "11:50")], window=window
    )
    assert (len(result.events), len(result.alarms)) == (0, 0)
    assert len(result.summary()) > 0


def test_an_interval_that_misses_the_true_end_is_counted():
    """Said to be over between 11:30 and 12:15, ended at 11:20; one that goes on says nothing of an end."""
    result = compared(
        [
            incident("a", "tiktok", "US", "10:15", "12:00"),
            incident("b", "paypal", "US", "10:15", "12:00", recovered_at=None),
        ],
        [event("tiktok", "US", "10:00", "11:20"), event("paypal", "US", "10:00", "11:20")],
    )
    rows = result.summary().set_index("measure")
    assert tuple(rows.loc["recovery interval holds the end", ["value", "n"]]) == (0.0, 1)
    assert rows.loc["end is off by minutes, quantile 0.5", "value"] == 40.0


def test_together_pools():
    """Two worlds of one day each, one outage found in each, are two of two in two days."""
    window = (DAY, DAY + pd.Timedelta(days=1))
    one = compared(
        [incident("a", "tiktok", "US", "10:15", "12:00")], [event("tiktok", "US", "10:00", "11:50")], window=window
    )
    pooled = together([one, one])
    assert (pooled.found, pooled.days) == (2, 2.0)


def test_no_incidents_at_all():
    """Nothing found, nothing false, no error."""
    from clamor.schema import INCIDENTS

    result = compare(INCIDENTS.empty(), pd.DataFrame([event("tiktok", "US", "10:00", "11:50")]))
    assert (result.found, result.missed, result.false_alarms) == (0, 1, 0)
    assert len(result.summary()) > 0


def test_intervals_as_documented():
    """The examples in the docstrings hold."""
    assert doctest.testmod(chance).failed == 0


# --- a history under several budgets --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def history():
    """A week of one service in two regions at 15 minutes (synthetic), with two clear outages in the last three days."""
    rng = np.random.default_rng(7)
    times = pd.date_range("2026-10-01", periods=7 * 96, freq="15min", tz="UTC").as_unit("us")
    parts = []
    for region in ("US", "GB"):
        counts = rng.poisson(6, len(times)).astype(float)
        parts.append(pd.DataFrame({"service": "tiktok", "region": region, "bin_start": times, "count": counts}))
    frame = pd.concat(parts, ignore_index=True)
    labels = pd.DataFrame(
        {
            "service": "tiktok",
            "region": ["US", "GB", "US"],
            "start_at": pd.to_datetime(["2026-10-05T09:00Z", "2026-10-06T12:00Z", "2026-09-01T00:00Z"]),
            "end_at": pd.to_datetime(["2026-10-05T11:00Z", "2026-10-06T13:30Z", "2026-09-01T02:00Z"]),
        }
    )
    for row in labels.itertuples():
        hit = (frame["region"] == row.region) & frame["bin_start"].between(row.start_at, row.end_at, inclusive="left")
        frame.loc[hit, "count"] += 60
    return frame, labels


def test_backtest_of_a_clear_history(history):
    """Both outages are found within half an hour under any budget; one before the history is unwatched, not missed."""
    frame, labels = history
    result = backtest(frame, labels, budgets=(Budget(0.1), Budget(0.01)), eval_start=pd.Timestamp("2026-10-03T00:00Z"))
    table = result.table
    assert table["budget"].tolist() == ["0.01", "0.1"]
    assert table[["events", "found", "unwatched"]].to_numpy().tolist() == [[2, 2, 1], [2, 2, 1]]
    assert (table["delay_median_minutes"] <= 30).all()
    assert table["series_weeks"].iloc[0] == pytest.approx(2 * 5 / 7)
    assert table["recall_low"].iloc[0] == pytest.approx(0.158, abs=1e-3)
    assert len(result.events()) == 4


def test_a_backtest_says_what_the_live_run_would_have(history):
    """The delay is that of a run bin by bin: the end of the first outage bin less the known start."""
    frame, labels = history
    result = backtest(frame, labels, budgets=(Budget(0.1),), eval_start=pd.Timestamp("2026-10-03T00:00Z"))
    first = result.comparisons["0.1", 15].events.iloc[0]
    known = None
    for hour in ("09:15", "09:30", "09:45"):
        now = pd.Timestamp(f"2026-10-05T{hour}Z")
        verdicts = detect(frame.loc[frame["bin_start"] < now], eval_start=pd.Timestamp("2026-10-05T00:00Z"))
        flags = verdicts.rename(columns={"expected": "expected_posts"}).assign(source="history", bin_minutes=15)
        known = incidents(flags, previous=known, now=now, parameters={"budget": 0.1})
    assert known.iloc[0]["detected_at"] == first["detected_at"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"service": "netflix"}, "service 'netflix' is not in the history"),
        ({"start_at": pd.Timestamp("2026-10-05T09:00")}, "naive"),
        ({"end_at": pd.Timestamp("2026-08-01T00:00Z")}, "it ends after it starts"),
    ],
)
def test_labels_that_cannot_be_used(history, change, message):
    """One line says the value and the rule."""
    frame, labels = history
    with pytest.raises(InputError, match=message):
        backtest(frame, labels.assign(**change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"region": "USA"}, "region 'USA' shares no ground with the history's .GB, US."),
        ({"event_id": [None, "a", "b"]}, "event_id is empty"),
    ],
)
def test_labels_that_nothing_could_match(history, change, message):
    """A misspelt place would otherwise be an outage that is always missed."""
    frame, labels = history
    with pytest.raises(InputError, match=message):
        backtest(frame, labels.assign(**change))


def test_an_event_of_two_services_is_refused(history):
    """One event, one service."""
    frame, labels = history
    both = pd.concat([frame, frame.assign(service="netflix")], ignore_index=True)
    mixed = labels.assign(event_id="one", service=["tiktok", "netflix", "tiktok"])
    with pytest.raises(InputError, match="'one' has several services"):
        backtest(both, mixed)


def test_an_event_whose_parts_lie_days_apart_is_refused(history):
    """The weeks between two outages of one id would count as outage; regions that fail within a day are one."""
    frame, labels = history
    first = labels.iloc[:1].assign(event_id="one")
    for days, refused in ((1, False), (9, True)):
        later = first.assign(**{name: first[name] + pd.Timedelta(days=days) for name in ("start_at", "end_at")})
        both = pd.concat([first, later])
        if refused:
            with pytest.raises(InputError, match="'one' has parts more than a day apart"):
                events_of(both, frame)
        else:
            assert len(events_of(both, frame)) == 1


def test_a_known_incident_where_nobody_looked_is_unwatched(history):
    """The US has no data in the time of its outage; Great Britain's data say nothing of it."""
    frame, labels = history
    blind = frame.loc[(frame["region"] != "US") | (frame["bin_start"] < pd.Timestamp("2026-10-05T00:00Z"))]
    result = backtest(blind, labels, budgets=(Budget(0.1),), eval_start=pd.Timestamp("2026-10-03T00:00Z"))
    assert result.table[["events", "found", "unwatched"]].to_numpy().tolist() == [[1, 1, 2]]


def test_a_grid_of_budgets_and_bin_widths(history):
    """Every budget at every width, the strictest first; a budget of the whole catalogue is told as it was said."""
    frame, labels = history
    budgets = (Budget(0.1), Budget(2, "month"), Budget(0.1))
    result = backtest(frame, labels, budgets=budgets, bins=(60, 15), eval_start=pd.Timestamp("2026-10-03T00:00Z"))
    table = result.table
    assert table[["budget", "bin_minutes"]].to_numpy().tolist() == [
        ["0.1", 15],
        ["2/month", 15],
        ["0.1", 60],
        ["2/month", 60],
    ]
    assert table["budget_per_series_week"].round(3).tolist() == [0.1, 0.23, 0.1, 0.23]
    assert (table["found"] == 2).all() and set(result.alarms()["bin_minutes"]) == {15, 60}


def test_wider_bins_are_sums_of_whole_ones():
    """Four quarters of an hour; an hour with an unobserved, an absent or an unknown quarter is not observed."""
    times = pd.date_range("2026-10-01", periods=12, freq="15min", tz="UTC").as_unit("us")
    counts = pd.DataFrame(
        {
            "service": "tiktok",
            "region": "US",
            "bin_start": times,
            "count": [1.0, 2.0, 3.0, 4.0, 5.0, np.nan, 1.0, 1.0, 7.0, 7.0, 7.0, 7.0],
            "observed": [True] * 11 + [False],
        }
    )
    wide = coarser(counts.drop(index=0), 60)
    assert wide["observed"].tolist() == [False, False, False]
    wide = coarser(counts, 60)
    assert wide["count"].tolist()[0] == 10.0 and wide["observed"].tolist() == [True, False, False]
    assert coarser(counts, 15) is counts


@pytest.mark.parametrize("width", [5, 20])
def test_a_width_that_the_history_does_not_fill_is_refused(history, width):
    """Quarters of an hour make no bins of five or of twenty minutes."""
    frame, labels = history
    with pytest.raises(InputError, match="the history's are of 15 min"):
        backtest(frame, labels, bins=(width,))


def test_labels_without_a_column(history):
    """The missing column is named."""
    frame, labels = history
    with pytest.raises(InputError, match="column 'region' is missing"):
        backtest(frame, labels.drop(columns="region"))


def test_the_chart_draws_every_budget(history):
    """One point a budget in every panel."""
    frame, labels = history
    table = backtest(frame, labels, budgets=(Budget(0.1),), eval_start=pd.Timestamp("2026-10-03T00:00Z")).table
    drawn = chart(table).to_dict()
    assert len(drawn["hconcat"]) == 3
