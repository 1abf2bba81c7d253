"""The thresholds of the incident stage, in one place."""

from dataclasses import dataclass
from typing import Final

from scipy.special import gammainc

WEEK_US: Final = 7 * 86_400 * 1_000_000
"""Microseconds of a week."""


@dataclass(frozen=True)
class Rules:
    """What serves the budget, and what describes. Every incident records them in ``parameters``.

    Whether there is an incident follows from one rule, the budget that the flags were made for: an ``outage`` bin opens
    one at once, and nothing here opens or forbids any. The *refractory* rules keep one outage from being told as
    several, which would be false incidents too; the *chance* rules keep apart what only chance has put together; the
    rest says where, when and how badly.

    Attributes:
        quiet_minutes: Refractory: normal bins for this long (two at least) end an incident; what is flagged before that
            joins it.
        silent_minutes: Refractory: after this long without data, what is flagged next is a new incident.
        stale_minutes: Data older than this (twice the closing time at least) no longer say that an incident goes on.
        budget: Chance: false incidents a series-week that the flags were made for. Series that the budget alone would
            flag together in a window are not put together.
        chance: Chance: what chance does not do more often than this is taken as one.
        risk: Chance with which an incident that goes on may be called over, by one look at its posts; and one that is
            over may be kept open.
        region_p: Where: a region whose series never raised an outage is named if its excess has a smaller p-value.
        flagged_p: Where: the same for a region that was flagged; flags may come from evidence pooled over regions.
        pooled_p: Where: and for a service or country that is judged together with others of which that p-value holds.
        region_ratio: Where: and its posts are at least this many times the expected ones.
        region_share: Where: and rose at least by this fraction of what the most affected region of the source rose by.
        rest_share: Where: the same for all unnamed countries together, whose rise makes an incident global.
        shared_services: Why: so many services failing in one country at a time share a cause; one beside a provider.
        blame_ratio: Why: a service with this many times the excess posts of a provider is not the provider's victim.

    """

    quiet_minutes: int = 60
    silent_minutes: int = 24 * 60
    stale_minutes: int = 120
    budget: float = 0.1
    chance: float = 0.05
    risk: float = 0.01
    region_p: float = 0.001
    flagged_p: float = 0.01
    pooled_p: float = 0.05
    region_ratio: float = 1.2
    region_share: float = 0.3
    rest_share: float = 0.5
    shared_services: int = 3
    blame_ratio: float = 4.0

    def quiet_bins(self, bin_minutes: int) -> int:
        """Return how many normal bins end an incident."""
        return max(2, -(-self.quiet_minutes // bin_minutes))

    def asked_bins(self, bin_minutes: int) -> int:
        """Return how many bins after the last flagged one are asked when it was over; then an incident is settled."""
        return 2 * self.quiet_bins(bin_minutes)

    def silent_bins(self, bin_minutes: int) -> int:
        """Return how many bins without data an incident survives."""
        return max(2, -(-self.silent_minutes // bin_minutes))

    def stale_bins(self, bin_minutes: int) -> int:
        """Return how many bins old the last data may be."""
        return max(2 * self.quiet_bins(bin_minutes), -(-self.stale_minutes // bin_minutes))

    def rare(self, others: int, series: int, span: int) -> bool:
        """Tell whether chance seldom flags so many ``others`` among ``series`` in ``span`` microseconds.

        The count of chance flags is Poisson of mean ``series * budget * weeks``.
        """
        return bool(gammainc(others, max(series, 1) * self.budget * span / WEEK_US) < self.chance)
