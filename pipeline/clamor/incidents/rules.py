"""The thresholds of the incident stage, in one place."""

from dataclasses import dataclass
from typing import Final

from scipy.special import gammainc

WEEK_US: Final = 7 * 86_400 * 1_000_000
"""Microseconds of a week."""


@dataclass(frozen=True)
class Rules:
    """When an incident opens, closes, merges and whom it names. Every incident records them in ``parameters``.

    Attributes:
        quiet_minutes: Normal bins for this long (two at least) end an incident; what is flagged before that joins it.
        silent_minutes: After this long without data, what is flagged next is a new incident.
        stale_minutes: Data older than this (twice the closing time at least) no longer say that an incident goes on.
        region_p: A region whose series never raised an outage is named if its excess has a smaller p-value.
        flagged_p: The same for a region that was flagged; flags may come from evidence pooled over regions.
        pooled_p: And for a service or country that is judged together with others of which that p-value holds.
        region_ratio: And its posts are at least this many times the expected ones.
        region_share: And rose at least by this fraction of what the most affected region of the source rose by.
        rest_share: The same for all unnamed countries together, whose rise makes an incident global.
        least_posts: An incident needs about so many posts in excess in one series, however rare posts are.
        shared_services: So many services failing in one country at a time share a cause; one fewer with a provider.
        blame_ratio: A service with this many times the excess posts of a provider is not the provider's victim.
        budget: False incidents a series-week that the flags were made for: what may meet by chance follows from it.
        risk: Chance with which an incident that goes on may be called over, by one look at its posts.
        chance: What chance does not do more often than this is taken as one.

    """

    quiet_minutes: int = 60
    silent_minutes: int = 24 * 60
    stale_minutes: int = 120
    region_p: float = 0.001
    flagged_p: float = 0.01
    pooled_p: float = 0.05
    region_ratio: float = 1.2
    region_share: float = 0.3
    rest_share: float = 0.5
    least_posts: int = 3
    shared_services: int = 3
    blame_ratio: float = 4.0
    budget: float = 0.1
    risk: float = 0.01
    chance: float = 0.05

    def quiet_bins(self, bin_minutes: int) -> int:
        """Return how many normal bins end an incident."""
        return max(2, -(-self.quiet_minutes // bin_minutes))

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
