"""The plan: requests and dollars before anything is asked, checked by hand."""

from clamor.collect.batch import State
from clamor.collect.budget import Budget, Prices, charge, refusal, spent
from clamor.collect.plan import plan
from clamor.collect.x import backfill_requests, queries
from clamor.schema import Signal
from test_x import catalogue

MANY = catalogue({f"s{n}": (f"name{n}",) for n in range(60)}, {"en": ("down",)})
TWELVE = ("US", "CA", "BR", "MX", "GB", "DE", "FR", "IN", "JP", "ID", "KR", "AU")


def test_sixty_services_in_twelve_countries_are_counted_by_hand() -> None:
    """60 x 2 world requests a poll and 60 x 12 a beat: 840 and $4.20 at most, 28,800 and $144 a day."""
    made = plan(MANY, services=list(MANY.services), countries=TWELVE)
    assert (made.world_requests, made.country_requests) == (120, 720)
    assert made.usd_per_poll == 4.2
    assert (made.requests_per_window, made.requests_per_day, made.usd_per_day) == (300, 28_800, 144)
    assert made.usd_per_month == 4320
    assert made.problem is None
    assert "840 requests and $4.20 a poll" in str(made)


def test_a_plan_over_the_rate_limit_names_the_beat_that_fits() -> None:
    """One country more and the beat has to be longer; with that beat the plan is accepted."""
    given = {"services": list(MANY.services), "countries": (*TWELVE, "NG")}
    over = plan(MANY, **given)
    assert "300 requests in 15 minutes" in str(over.problem) and "country_beat_minutes to 65" in str(over.problem)
    assert plan(MANY, **given, country_beat_minutes=65).problem is None
    assert plan(MANY, **given, country_beat_minutes=64).problem is not None


def test_a_plan_over_a_cap_names_what_fits() -> None:
    """The cap that is passed first is named, and the change is enough."""
    few = {"services": ["s0", "s1"], "countries": ("US",)}
    caps = Budget(daily_usd=2.0, monthly_usd=59.0)
    over = plan(MANY, **few, budget=caps)
    assert "monthly cap of $59.00" in str(over.problem) and "country_beat_minutes to 309" in str(over.problem)
    assert plan(MANY, **few, budget=caps, country_beat_minutes=309).problem is None
    tight = plan(MANY, **few, budget=Budget(daily_usd=1.0))
    assert "poll every 44 minutes, or every 29 without countries" in str(tight.problem)
    assert plan(MANY, **few, budget=Budget(daily_usd=1.0), poll_minutes=44).problem is None
    assert "raise the cap" in str(plan(MANY, **few, budget=Budget(daily_usd=0.0)).problem)


def test_languages_are_planned_on_their_own_beat() -> None:
    """One service in six languages once a day is six requests more, and dropping them is the change that may fit."""
    one = {"services": ["s0"], "countries": (), "languages": ("en", "es", "pt", "fr", "de", "ja")}
    made = plan(MANY, **one)
    assert (made.language_requests, made.requests_per_day, round(made.usd_per_day, 6)) == (6, 2 * 96 + 6, 0.99)
    assert "6 by language" in str(made) and "$0.005 each" in str(made) and "5,940 and $29.70 a month" in str(made)
    hourly = plan(MANY, **one, poll_minutes=720, language_beat_minutes=60, budget=Budget(daily_usd=0.03))
    assert hourly.language_beats_per_day == 2 and "leave languages empty" in str(hourly.problem)


def test_prices_are_configuration() -> None:
    """At a tenth of the price the same plan costs a tenth, and at none no cap is passed."""
    given = {"services": list(MANY.services), "countries": TWELVE}
    cheap = Prices(counts_recent_usd=0.0005)
    assert round(plan(MANY, **given, budget=Budget(prices=cheap)).usd_per_day, 6) == 14.4
    free = Budget(prices=Prices(counts_recent_usd=0.0), daily_usd=0.0)
    assert plan(MANY, **given, budget=free).problem is None


def test_the_past_is_counted_by_hand_and_only_what_is_missing() -> None:
    """60 services, 14 queries each, 62 days: 1,680 pages; what the state proves already is not asked again."""
    now = 1_793_491_260.0
    given = {"services": list(MANY.services), "countries": TWELVE, "since": now - 62 * 86_400, "until": None}
    assert backfill_requests(MANY, **given, state=State(), now=now) == 1680
    state = State()
    query = queries(MANY, "s0")[Signal.COMPLAINT]
    state.watermarks |= {query.scope: now, f"since {query.scope}": now - 40 * 86_400}
    assert backfill_requests(MANY, **given, state=state, now=now) == 1679


def test_the_ledger_counts_by_utc_day_and_month() -> None:
    """What was spent on the last of a month does not weigh on the next."""
    state, budget = State(), Budget(prices=Prices(), daily_usd=1.0, monthly_usd=1.5)
    last, first = 1_793_491_140.0, 1_793_491_260.0  # 2026-10-31 23:59 and 2026-11-01 00:01
    charge(state, last, 0.9)
    assert state.spend_usd == {"2026-10-31": 0.9}
    assert refusal(state, budget, last, 0.1) is None
    assert "daily cap of $1.00" in str(refusal(state, budget, last, 0.11))
    assert refusal(state, budget, first, 1.0) is None
    charge(state, first, 0.8)
    now = spent(state, budget, first)
    assert (now.day_usd, now.month_usd, round(now.month_left_usd or 0, 6)) == (0.8, 0.8, 0.7)
    charge(state, first + 86_400, 0.6)
    assert "monthly cap of $1.50" in str(refusal(state, budget, first + 86_400, 0.2))
