"""What polling as configured will ask of X and cost, before anything is asked. Pure.

Rate limits: https://docs.x.com/x-api/fundamentals/rate-limits (counts/recent and counts/all: 300 in 15 minutes an app).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from clamor.collect.budget import Budget
from clamor.collect.x_query import language_query, operates_in, queries
from clamor.schema import Signal

WINDOW_MINUTES: Final = 15
WINDOW_REQUESTS: Final = 300
"""Requests to counts/recent in a window; counts/all has as many of its own."""
MONTH_DAYS: Final = 30
PAGE_DAYS: Final = 31
_DAY_MINUTES: Final = 1440


@dataclass(frozen=True)
class Plan:
    """Requests and estimated US dollars of polling as configured.

    Attributes:
        world_requests: Of every poll: complaints and mentions of each service.
        country_requests: Of every beat: complaints of each service in each country where it operates.
        language_requests: Of every beat of theirs: complaints of each service in each language.
        polls_per_day: At the stated interval.
        beats_per_day: Of the countries; no more than polls.
        language_beats_per_day: Of the languages; no more than polls.
        requests_per_window: In 15 minutes, countries and languages spread over the polls of their beats.
        requests_per_day: Of all three.
        usd_per_request: To counts/recent.
        usd_per_poll: Of a poll that counts countries and languages too.
        usd_per_day: Of all three.
        usd_per_month: Of 30 days.
        problem: Which limit is passed and the change that fits, or None.

    """

    world_requests: int
    country_requests: int
    language_requests: int
    polls_per_day: float
    beats_per_day: float
    language_beats_per_day: float
    requests_per_window: float
    requests_per_day: float
    usd_per_request: float
    usd_per_poll: float
    usd_per_day: float
    usd_per_month: float
    problem: str | None

    def __str__(self) -> str:
        """Return the plan in one sentence."""
        poll = self.world_requests + self.country_requests + self.language_requests
        return (
            f"X: at most {poll:,} requests and ${self.usd_per_poll:,.2f} a poll ({self.world_requests:,} world, "
            f"{self.country_requests:,} by country and {self.language_requests:,} by language on their beats, at "
            f"${self.usd_per_request:g} each), {self.requests_per_day:,.0f} requests and ${self.usd_per_day:,.2f} "
            f"a day, {self.requests_per_day * MONTH_DAYS:,.0f} and ${self.usd_per_month:,.2f} a month"
        )


def plan(
    catalog: Any,
    *,
    services: Sequence[str],
    countries: Sequence[str],
    languages: Sequence[str] = (),
    poll_minutes: float = 15,
    country_beat_minutes: float = 60,
    language_beat_minutes: float = 1440,
    budget: Budget | None = None,
) -> Plan:
    """State requests and dollars of a configuration, and refuse one over a rate limit or a cap.

    Args:
        catalog: Names, terms and regions.
        services: Catalogue ids.
        countries: ISO 3166-1 alpha-2 codes; a service is asked for where it operates.
        languages: X's language codes.
        poll_minutes: Between two polls, as cron is set.
        country_beat_minutes: Between two counts of a country.
        language_beat_minutes: Between two counts of a language.
        budget: Prices and caps; the default prices without caps when None.

    Raises:
        ConfigError: a service is unknown or its query does not fit.

    """
    have = budget or Budget()
    world, by_country = requests_of(catalog, services, countries)
    by_language = sum(len(language_query(catalog, service, each).parts) for service in services for each in languages)
    polls = _DAY_MINUTES / poll_minutes
    beats, spoken = (_DAY_MINUTES / max(beat, poll_minutes) for beat in (country_beat_minutes, language_beat_minutes))
    per_day = world * polls + by_country * beats + by_language * spoken
    price = have.prices.counts_recent_usd
    return Plan(
        world_requests=world,
        country_requests=by_country,
        language_requests=by_language,
        polls_per_day=polls,
        beats_per_day=beats,
        language_beats_per_day=spoken,
        requests_per_window=per_day * WINDOW_MINUTES / _DAY_MINUTES,
        requests_per_day=per_day,
        usd_per_request=price,
        usd_per_poll=(world + by_country + by_language) * price,
        usd_per_day=per_day * price,
        usd_per_month=per_day * price * MONTH_DAYS,
        problem=_problem(per_day, world, by_country, by_language * spoken, polls, have),
    )


def requests_of(catalog: Any, services: Sequence[str], countries: Sequence[str]) -> tuple[int, int]:
    """Return the requests of one poll for the world, and of one beat for all countries."""
    world = by_country = 0
    for service in services:
        world += sum(len(query.parts) for query in queries(catalog, service).values())
        for country in operates_in(catalog, service, countries):
            by_country += len(queries(catalog, service, country)[Signal.COMPLAINT].parts)
    return world, by_country


def _problem(asked: float, world: int, by_country: int, spoken: float, polls: float, budget: Budget) -> str | None:
    """Return which limit ``asked`` requests a day pass, and what fits; ``spoken`` of them a day count languages."""
    price = budget.prices.counts_recent_usd
    daily = WINDOW_REQUESTS * _DAY_MINUTES / WINDOW_MINUTES
    limits = [(daily, f"{WINDOW_REQUESTS} requests in {WINDOW_MINUTES} minutes to counts/recent")]
    for cap, days, name in ((budget.daily_usd, 1, "daily"), (budget.monthly_usd, MONTH_DAYS, "monthly")):
        if cap is not None and price > 0:
            limits.append((cap / price / days, f"the {name} cap of ${cap:,.2f}"))
    most, name = min(limits)
    if asked <= most * (1 + 1e-9):
        return None
    change = _change(world, by_country, polls, most - spoken) if spoken < most else "leave languages empty"
    return f"{asked:,.0f} requests a day pass {name} ({most:,.0f} a day); {change if most > 0 else _NO_MONEY}"


_NO_MONEY: Final = "raise the cap, or collect without X"


def _change(world: int, by_country: int, polls: float, most: float) -> str:
    """Return the smallest change of one setting that fits into ``most`` requests a day for the world and countries."""
    room = most - world * polls
    if by_country and room > 0:
        beat = math.ceil(_DAY_MINUTES * by_country / room)
        if beat <= _DAY_MINUTES:
            return f"set country_beat_minutes to {beat}"
    minutes = math.ceil(_DAY_MINUTES * (world + by_country) / most)
    if by_country:
        alone = math.ceil(_DAY_MINUTES * world / most)
        return f"poll every {minutes} minutes, or every {alone} without countries, or name fewer services"
    return f"poll every {minutes} minutes, or name fewer services"
