"""Money: what a call is estimated to cost, what was spent, and the caps that are checked before each call.

Prices are those of X's pay-per-use plan (https://docs.x.com/x-api/getting-started/pricing), parameters because they
change. The ledger is :attr:`State.spend_usd`, by UTC day; it is an estimate, the vendor's invoice is the truth.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from clamor.collect.batch import State


@dataclass(frozen=True, kw_only=True)
class Prices:
    """Estimated cost in US dollars of one request, post or expanded author."""

    counts_recent_usd: float = 0.005
    counts_all_usd: float = 0.010
    post_usd: float = 0.005
    author_usd: float = 0.010


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Prices and the caps in US dollars for a UTC day and a UTC month; None is no cap."""

    prices: Prices = field(default_factory=Prices)
    daily_usd: float | None = None
    monthly_usd: float | None = None


@dataclass(frozen=True)
class Spent:
    """Estimated US dollars spent in the UTC day and month, and what the caps leave (None: no cap)."""

    day_usd: float
    month_usd: float
    day_left_usd: float | None
    month_left_usd: float | None


def spent(state: State, budget: Budget, now: float) -> Spent:
    """Return what was spent in the day and month of ``now`` (seconds since the epoch), and what is left."""
    day = _day(now)
    day_usd = state.spend_usd.get(day, 0.0)
    month_usd = sum(usd for key, usd in state.spend_usd.items() if key[:7] == day[:7])
    return Spent(day_usd, month_usd, _left(budget.daily_usd, day_usd), _left(budget.monthly_usd, month_usd))


def refusal(state: State, budget: Budget, now: float, cost_usd: float) -> str | None:
    """Return why a call of this cost may not be made now, or None if it may."""
    have = spent(state, budget, now)
    for name, left, cap in (
        ("daily", have.day_left_usd, budget.daily_usd),
        ("monthly", have.month_left_usd, budget.monthly_usd),
    ):
        if left is not None and cost_usd > left + 1e-9:
            return (
                f"a call of ${cost_usd:.3f} would pass the {name} cap of ${cap:.2f} (${left:.3f} left); "
                f"raise the cap or wait for the next UTC {'day' if name == 'daily' else 'month'}"
            )
    return None


def charge(state: State, now: float, cost_usd: float) -> None:
    """Add a cost to the ledger's UTC day."""
    day = _day(now)
    state.spend_usd[day] = round(state.spend_usd.get(day, 0.0) + cost_usd, 6)


def _day(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")


def _left(cap: float | None, used: float) -> float | None:
    return None if cap is None else max(0.0, cap - used)
