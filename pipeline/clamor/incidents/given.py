"""What one run of the incidents stage is given, as its steps hand it on."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from clamor.incidents.episodes import Rows
from clamor.incidents.readings import Readings
from clamor.incidents.rules import Rules
from clamor.incidents.scope import Tree

MINUTE_US: Final = 60_000_000


@dataclass(frozen=True)
class Given:
    """The flags of a run, and what they are read with.

    Attributes:
        rows: The flags.
        tree: What lies in what.
        rules: Thresholds.
        now_us: Time of the run, microseconds since the epoch.
        providers: Services that others need.
        unread: Sources whose complaints were counted by a query and not read.
        sampled: Samples of those that were read.

    """

    rows: Rows
    tree: Tree
    rules: Rules
    now_us: int
    providers: Collection[str] = ()
    unread: Collection[str] = ()
    sampled: Readings = field(default_factory=dict)

    @property
    def minutes(self) -> int:
        """Width of a bin."""
        return self.rows.width // MINUTE_US

    @property
    def quiet(self) -> int:
        """Normal bins that end an incident."""
        return self.rules.quiet_bins(self.minutes)

    @property
    def fresh(self) -> int:
        """The first bin of which data still say that something goes on now."""
        now_bin = (self.now_us - self.rows.start) // self.rows.width
        return now_bin - self.rules.stale_bins(self.minutes) - 1
