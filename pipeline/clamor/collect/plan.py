"""What a configuration will ask of X and cost, before anything is asked. Pure.

Rate limits: https://docs.x.com/x-api/fundamentals/rate-limits (counts/recent and counts/all: 300 in 15 minutes an app).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from clamor.collect.budget import Budget
from clamor.collect.x_query import operates_in, queries
from clamor.schema import Signal

WINDOW_MINUTES: Final = 15
WINDOW_REQUESTS: Final = 300
"""Requests to counts/recent in a window; counts/all has as many of its own."""
MONTH_DAYS: Final = 30
PAGE_DAYS: Final = 31
_DAY_MINUTES: Final = 1440


@dataclass(frozen=True)
class Plan:
    """Requests and estimated US dollars of polling as configured, and of filling in the past.

    Attributes:
        world_requests: Of every poll: complaints and mentions of each service.
        country_requests: Of every beat: complaints of each service in each country where it operates.
        polls_per_day: At the stated interval.
        beats_per_day: Of the countries; no more than polls.
        requests_per_window: In 15 minutes, countries spread over the polls of their beat.
        requests_per_day: Of both.
        usd_per_poll: Of a poll that counts countries too.
        usd_per_day: Of both.
        usd_per_month: Of 30 days.
        backfill_requests: Pages of counts/all for the history.
        backfill_usd: Their cost, once.
        problem: Which limit is passed and the change that fits, or None.

    """

    world_requests: int
    country_requests: int
    polls_per_day: float
    beats_per_day: float
    requests_per_window: float
    requests_per_day: float
    usd_per_poll: float
    usd_per_day: float
    usd_per_month: float
    backfill_requests: int
    backfill_usd: float
    problem: str | None

    def __str__(self) -> str:
        """Return the plan in one sentence."""
        poll = self.world_requests + self.country_requests
        history = (
            f"; the history once: {self.backfill_requests:,} requests and ${self.backfill_usd:,.2f}"
            if self.backfill_requests
            else ""
        )
        return (
            f"X: at most {poll:,} requests and ${self.usd_per_poll:,.2f} a poll ({self.world_requests:,} world, "
            f"{self.country_requests:,} by country on their beat), {self.requests_per_day:,.0f} requests and "
            f"${self.usd_per_day:,.2f} a day, ${self.usd_per_month:,.2f} a month{history}"
        )


def plan(
    catalog: Any,
    *,
    services: Sequence[str],
    countries: Sequence[str],
    poll_minutes: float = 15,
    country_beat_minutes: float = 60,
    backfill_days: float = 0,
    budget: Budget | None = None,
) -> Plan:
    """State requests and dollars of a configuration, and refuse one over a rate limit or a cap.

    Args:
        catalog: Names, terms and regions.
        services: Catalogue ids.
        countries: ISO 3166-1 alpha-2 codes; a service is asked for where it operates.
        poll_minutes: Between two polls, as cron is set.
        country_beat_minutes: Between two counts of a country.
        backfill_days: History to fill in.
        budget: Prices and caps; the default prices without caps when None.

    Raises:
        ConfigError: a service is unknown or its query does not fit.

    """
    have = budget or Budget()
    world, by_country = requests_of(catalog, services, countries)
    polls, beats = _DAY_MINUTES / poll_minutes, _DAY_MINUTES / max(country_beat_minutes, poll_minutes)
    per_day = world * polls + by_country * beats
    price, pages = have.prices.counts_recent_usd, math.ceil(backfill_days / PAGE_DAYS)
    return Plan(
        world_requests=world,
        country_requests=by_country,
        polls_per_day=polls,
        beats_per_day=beats,
        requests_per_window=per_day * WINDOW_MINUTES / _DAY_MINUTES,
        requests_per_day=per_day,
        usd_per_poll=(world + by_country) * price,
        usd_per_day=per_day * price,
        usd_per_month=per_day * price * MONTH_DAYS,
        backfill_requests=(world + by_country) * pages,
        backfill_usd=(world + by_country) * pages * have.prices.counts_all_usd,
        problem=_problem(world, by_country, polls, beats, have),
    )


def requests_of(catalog: Any, services: Sequence[str], countries: Sequence[str]) -> tuple[int, int]:
    """Return the requests of one poll for the world, and of one beat for all countries."""
    world = by_country = 0
    for service in services:
        world += sum(len(query.parts) for query in queries(catalog, service).values())
        for country in operates_in(catalog, service, countries):
            by_country += len(queries(catalog, service, country)[Signal.COMPLAINT].parts)
    return world, by_country


def _problem(world: int, by_country: int, polls: float, beats: float, budget: Budget) -> str | None:
    price = budget.prices.counts_recent_usd
    daily = WINDOW_REQUESTS * _DAY_MINUTES / WINDOW_MINUTES
    limits = [(daily, f"{WINDOW_REQUESTS} requests in {WINDOW_MINUTES} minutes to counts/recent")]
    if budget.daily_usd is not None:
        limits.append((budget.daily_usd / price, f"the daily cap of ${budget.daily_usd:,.2f}"))
    if budget.monthly_usd is not None:
        limits.append((budget.monthly_usd / price / MONTH_DAYS, f"the monthly cap of ${budget.monthly_usd:,.2f}"))
    most, name = min(limits)
    asked = world * polls + by_country * beats
    if asked <= most * (1 + 1e-9):
        return None
    return f"{asked:,.0f} requests a day pass {name} ({most:,.0f} a day); {_change(world, by_country, polls, most)}"


def _change(world: int, by_country: int, polls: float, most: float) -> str:
    """Return the smallest change of one setting that fits."""
    room = most - world * polls
    if most <= 0:
        return "raise the cap, or collect without X"
    if by_country and room > 0:
        beat = math.ceil(_DAY_MINUTES * by_country / room)
        if beat <= _DAY_MINUTES:
            return f"set country_beat_minutes to {beat}"
    minutes = math.ceil(_DAY_MINUTES * (world + by_country) / most)
    if by_country:
        alone = math.ceil(_DAY_MINUTES * world / most)
        return f"poll every {minutes} minutes, or every {alone} without countries, or name fewer services"
    return f"poll every {minutes} minutes, or name fewer services"
