"""A case: an incident in the making. Bins and indices, no ids yet, no history."""

from dataclasses import dataclass, field

from clamor.incidents.evidence import Cells
from clamor.schema import IncidentStatus, Scope


@dataclass(frozen=True)
class Turn:
    """When a case began or was over, in bin numbers.

    Attributes:
        at: The first bin that shows it.
        low: The bin at whose start it could have happened at the earliest.
        high: The bin before whose start it had happened.

    """

    at: int
    low: int
    high: int


@dataclass(slots=True)
class Case:
    """An incident in the making; times are bin numbers.

    Attributes:
        service: The service to blame.
        services: All that fail for the same cause, the blamed one first.
        born: First ``outage`` bin and the service that had it: what the id is made of.
        first: First flagged bin.
        last: Last flagged bin.
        opened: First ``outage`` bin.
        closed: Last ``outage`` bin.
        clear_before: Last clearly normal bin before.
        clear_after: First clearly normal bin after, -1 if none.
        began: When it began, by the posts; None where only flags can tell.
        ended: When it was over, by the posts; None where it is not, or only flags can tell.
        status: Ongoing, recovered or unknown.
        q_value: Smallest q-value inside, NaN if unknown.
        excess: Affected region to its excess posts in its best source.
        named: Finest affected regions, the strongest first.
        scope: How far it reaches.
        found: Evidence of the blamed service in the window, by source and region.
        doubt: First and last bin in which it may have ended, if flags alone say that it is over.
        echoes: Services that only light up with this one (people blame their provider); not part of it.

    """

    service: str
    services: tuple[str, ...]
    born: tuple[int, str]
    first: int
    last: int
    opened: int
    closed: int
    clear_before: int
    clear_after: int
    status: IncidentStatus
    q_value: float
    excess: dict[str, float] = field(default_factory=dict)
    named: list[str] = field(default_factory=list)
    scope: Scope = Scope.COUNTRY
    found: Cells | None = None
    began: Turn | None = None
    ended: Turn | None = None
    doubt: tuple[int, int] | None = None
    echoes: tuple[str, ...] = ()

    @property
    def since(self) -> int:
        """The first bin in which it went on: flags may come later than the posts that tell it afterwards."""
        return self.first if self.began is None else min(self.first, self.began.at)

    @property
    def until(self) -> int:
        """The last bin in which it went on."""
        return self.last if self.ended is None else min(self.last, self.ended.at - 1)
