"""The one rule: how many false incidents a user is ready to see.

It is said for each series (``0.1``: one in ten weeks of a service in a region) or for the whole catalogue (``2/month``,
``1/week``, ``1/day``). Everything that decides works with the first; the second is shared out evenly over the series
that are watched, whenever it is asked for: who watches more has to be surer of each.
"""

from dataclasses import dataclass
from typing import Any, Final

from clamor.errors import InputError

SPANS: Final = {"day": 1 / 7, "week": 1.0, "month": 365.2425 / 12 / 7}
"""Weeks of each span that a whole catalogue's budget may be said for."""
LEAST, MOST = 1e-6, 1000.0
RULE: Final = "a budget is a number, of false incidents a series-week as 0.1, or of the whole catalogue as 2/month"


@dataclass(frozen=True)
class Budget:
    """False incidents that are accepted.

    Attributes:
        number: How many.
        span: In which span (``day, week, month``) in the whole catalogue; None for in a week of each series.

    >>> [Budget.parse(text).rate(series=100) for text in ("0.1", "1/week")]
    [0.1, 0.01]

    """

    number: float = 0.1
    span: str | None = None

    @classmethod
    def parse(cls, said: Any) -> "Budget":
        """Read ``0.1`` or ``2/month``.

        Raises:
            InputError: it is neither, not between 1e-6 and 1000, or not of a day, week or month.

        """
        if isinstance(said, Budget):
            return said
        text = str(said).strip()
        number, slash, span = (part.strip() for part in text.partition("/"))
        try:
            value = float(number)
        except ValueError:
            raise InputError(f"budget {text!r}: {RULE}") from None
        if not LEAST <= value <= MOST or isinstance(said, bool):
            raise InputError(f"budget {text!r}: not between {LEAST:g} and {MOST:g}; {RULE}")
        if slash and span not in SPANS:
            raise InputError(f"budget {text!r}: a whole catalogue's is of a day, week or month; write 2/month")
        return cls(value, span if slash else None)

    def rate(self, series: int) -> float:
        """Return false incidents a series-week, where so many series are watched."""
        return self.number if self.span is None else self.number / SPANS[self.span] / max(series, 1)

    def __str__(self) -> str:
        """Write it as it may be given again."""
        return f"{self.number:g}" if self.span is None else f"{self.number:g}/{self.span}"

    def told(self, series: int) -> str:
        """Say in words what it means where so many series are watched."""
        if self.span is None:
            return f"{self.number:g} false incidents a series-week"
        share = f"{self.rate(series):.2g} a week for each of {series:,} series"
        return f"{self.number:g} false incidents a {self.span} in all, {share}"
