"""X's past → lake: what it costs, whether the caps leave that, and the counting of what is not known yet."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from clamor.collect import x
from clamor.collect.batch import Batch, utc
from clamor.collect.budget import spent
from clamor.collect.clock import Clock
from clamor.collect.plan import PAGE_DAYS, WINDOW_MINUTES, WINDOW_REQUESTS
from clamor.config import Settings
from clamor.errors import ConfigError
from clamor.run import live
from clamor.run.ingest import Ingested, ingest, read_state
from clamor.store import Lake

_CAPS: Final = "x.daily_cap_usd and x.monthly_cap_usd"


@dataclass(frozen=True)
class Past:
    """A stretch of X's past to be counted, in seconds since the epoch; ``until`` None is now."""

    settings: Settings
    catalog: Any
    since: float
    until: float | None

    def affordable(self, lake: Lake, now: float) -> str:
        """Say what is still to be asked and what it costs.

        Raises:
            ConfigError: it costs more than the caps leave; the message has what fits.

        """
        requests, budget = self._requests(lake, self.since, now), live.money(self.settings)
        cost = requests * budget.prices.counts_all_usd
        used = spent(read_state(lake, "x"), budget, now)
        left = min(cap for cap in (used.day_left_usd, used.month_left_usd) if cap is not None)
        said = f"X's past: {requests:,} requests at ${budget.prices.counts_all_usd:g}, ${cost:,.2f} in all"
        if cost > left + 1e-9:
            raise ConfigError(f"{said}, pass what the caps leave, ${left:,.2f}; {self._fitting(lake, left, now)}")
        minutes = (requests - 1) // WINDOW_REQUESTS * WINDOW_MINUTES
        return said + (f", at least {minutes} minutes for the rate limit" if minutes > 0 else "")

    def fetch(self, lake: Lake, client: Any, clock: Clock, *, on_requests: Callable[[float, float], None]) -> Ingested:
        """Count what the lake does not know yet; ``on_requests`` is told how many were made and how many there are."""
        if self.settings.synthetic:
            lake.mark_synthetic("its sources are set to be synthetic")
        state, asked, all_of_them = read_state(lake, "x"), 0, self._requests(lake, self.since, clock.now())

        def count(batch: Batch) -> None:
            nonlocal asked
            asked += sum(attempt.requests for attempt in batch.attempts)
            on_requests(asked, max(asked, all_of_them))

        batches = x.backfill(
            client,
            self.catalog,
            services=list(self.settings.services or self.catalog.services),
            countries=self.settings.x.countries,
            since=self.since,
            until=self.until,
            state=state,
            clock=clock,
            budget=live.money(self.settings),
        )
        return ingest(lake, batches, state=("x", state), on_batch=count)

    def _requests(self, lake: Lake, since: float, now: float) -> int:
        return x.backfill_requests(
            self.catalog,
            services=list(self.settings.services or self.catalog.services),
            countries=self.settings.x.countries,
            since=since,
            until=self.until,
            state=read_state(lake, "x"),
            now=now,
        )

    def _fitting(self, lake: Lake, left: float, now: float) -> str:
        price, page = self.settings.x.price_counts_all_usd, PAGE_DAYS * 86_400.0
        since = self.since + page
        while since < (self.until or now):
            if self._requests(lake, since, now) * price <= left:
                return f"--since {utc(since):%Y-%m-%d} fits, or name fewer services (--service), or raise {_CAPS}"
            since += page
        return (
            f"name fewer services (--service) or countries (x.countries), wait for the next UTC day, or raise {_CAPS}"
        )
