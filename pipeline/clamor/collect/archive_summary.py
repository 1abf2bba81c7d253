"""What an import did with every row: nothing is dropped without being counted here."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from clamor.collect.archive_row import Skip


@dataclass(slots=True)
class Tally:
    """How often something happened, and where first.

    Attributes:
        count: Times.
        first: File and line of the first.

    """

    count: int
    first: str


@dataclass
class ImportSummary:
    """The account of one import; ``rows`` is the sum of all that is said of rows below it.

    Attributes:
        files: Names of the files.
        rows: Rows read: posts of a page, records of a CSV file, lines that hold no post.
        posts: Posts counted, each id once.
        duplicates: Rows left out because their id had been counted (posts that name no service are not compared).
        unmatched: Posts that name none of the services.
        rejected: Reason to rows that cannot be read.
        left_out: Reason to sound rows that a counting rule leaves out.
        unplaced: Posts among ``posts`` whose place is not known.
        first: Time of the earliest post counted, seconds since the epoch, or None.
        last: Time of the latest, likewise.
        services: Services that were counted.
        regions: Regions where posts were counted.
        scopes: Scopes under which the counts are kept.
        notes: What else a person should know, a sentence each.

    """

    files: list[str] = field(default_factory=list)
    rows: int = 0
    posts: int = 0
    duplicates: int = 0
    unmatched: int = 0
    rejected: dict[str, Tally] = field(default_factory=dict)
    left_out: dict[str, Tally] = field(default_factory=dict)
    unplaced: int = 0
    first: int | None = None
    last: int | None = None
    services: set[str] = field(default_factory=set)
    regions: set[str] = field(default_factory=set)
    scopes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def skip(self, skip: Skip, where: str, count: int = 1) -> None:
        """Record rows that gave no post for one reason, and where the first stands."""
        tally = (self.left_out if skip.by_rule else self.rejected).setdefault(skip.reason, Tally(0, where))
        tally.count += count

    def lines(self, things: str = "posts") -> list[str]:
        """Return the account for people, the sum first and one line a reason after it; ``things`` are what is counted.

        Numbers that others counted come as ``bins``, statements as ``marks``: they name their service, so the repeated
        and the unknown are said of posts only.
        """
        rejected = sum(tally.count for tally in self.rejected.values())
        left_out = sum(tally.count for tally in self.left_out.values())
        files = "one file" if len(self.files) == 1 else f"{len(self.files)} files"
        named = f"{self.duplicates:,} with a repeated id, {self.unmatched:,} about no known service, "
        text = [
            f"{self.rows:,} rows of {files}: {self.posts:,} {things} counted, {named if things == 'posts' else ''}"
            f"{rejected:,} rejected, {left_out:,} left out"
        ]
        if self.first is not None and self.last is not None:
            text.append(
                f"{things} from {_shown(self.first)} to {_shown(self.last)}"
                + (f", {self.unplaced:,} without a known place" if things == "posts" else "")
            )
        for word, tallies in (("rejected", self.rejected), ("left out", self.left_out)):
            text += [f"{word}: {reason}: {t.count:,} (first: {t.first})" for reason, t in sorted(tallies.items())]
        return text + self.notes

    def as_dict(self) -> dict[str, Any]:
        """Return the account as JSON values."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        for name in ("rejected", "left_out"):
            plain[name] = {
                reason: {"count": tally.count, "first": tally.first} for reason, tally in plain[name].items()
            }
        return plain | {"services": sorted(self.services), "regions": sorted(self.regions)}


def _shown(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M UTC")
