"""A seeded world: services, countries, two weeks of posts and one evaluated day whose truth is known.

Everything in it is synthetic: the services' names are real, the posts, the people and the outages are not.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from clamor.simulate import dump, events, posts, texts, threads
from clamor.simulate.atlas import WATCHED
from clamor.simulate.events import DAY, Event
from clamor.simulate.services import SERVICES

TRUTH_COLUMNS: Final = (
    "event_id",
    "kind",
    "service",
    "services",
    "regions",
    "start_at",
    "end_at",
    "is_outage",
    "symptoms",
    "note",
)
"""Columns of `World.truth`: services, regions and symptoms are tuples of str, the times are UTC at microseconds."""

MARGIN: Final = 60
"""Minutes that are simulated beyond the evaluated days, so that the last poll sees a world that goes on."""
_BUSY: Final = ("roblox", "youtube", "discordapp")


class World:
    """All posts of a span of days, and what truly happened.

    Args:
        seed: Two worlds of one seed and one start are equal.
        start: First minute: an aware time or seconds since the epoch, a multiple of 60 s. Seasons follow local time.
        history_days: Days before the first evaluated day.
        eval_days: Days with events to be found.

    Attributes:
        texts: The table of distinct texts that posts point into.
        posts: Posts on X by service, in the services' order, and last those about none.
        items: Submissions and comments on Reddit.
        events: What happens in the evaluated days.
        past: What happened in the history.

    """

    def __init__(
        self, seed: int, start: datetime | float, history_days: int = 14, eval_days: int = 1, gap: bool = True
    ) -> None:
        self.seed = seed
        self.start = int(start.timestamp() if isinstance(start, datetime) else start)
        if self.start % 60:
            raise ValueError(f"start {start!r}: a world begins on a whole minute")
        self.history_days = history_days
        self.eval_days = eval_days
        self.minutes = (history_days + eval_days) * DAY + MARGIN
        rng = posts.stream_rng(seed, "events")
        days = [(history_days + day) * DAY for day in range(eval_days)]
        self.past = events.past(rng, history_days * DAY, self.start)
        self.events = [event for day in days for event in events.evaluated(rng, events.Day(day, self.start))]
        self._gap = events.draw_gap(rng, days[0]) if gap else None
        self.texts = texts.build(seed)
        self.posts, added = posts.draw(seed, self.texts, [*self.past, *self.events], self.start, self.minutes)
        burst = (*(self._gap or (0, 1)), str(rng.choice(_BUSY)), int(rng.integers(1400, 2200)) if gap else 0)
        self.items = threads.draw(seed, self.texts, added, self.start, self.minutes, burst)

    @property
    def end(self) -> int:
        """Seconds since the epoch at which the evaluated days end."""
        return self.start + 60 * (self.minutes - MARGIN)

    @property
    def horizon(self) -> int:
        """Seconds since the epoch at which there are no posts any more: the emulators stop answering then."""
        return self.start + 60 * self.minutes

    @property
    def eval_start(self) -> int:
        """Seconds since the epoch at which the evaluated days begin."""
        return self.start + 86400 * self.history_days

    @property
    def services(self) -> tuple[str, ...]:
        """Catalogue ids of the services, in the order of `posts`."""
        return tuple(service.id for service in SERVICES)

    @property
    def countries(self) -> tuple[str, ...]:
        """ISO 3166-1 codes of the countries worth asking for; a tenth of the posts comes from elsewhere."""
        return WATCHED

    @property
    def gap(self) -> tuple[pd.Timestamp, pd.Timestamp] | None:
        """Start and end of the time in which nobody collects; None if there is no such time.

        A live thread runs on a busy subreddit meanwhile, so that more than 1,000 comments are lost to a listing.
        """
        return None if self._gap is None else (self._at(self._gap[0]), self._at(self._gap[1]))

    @property
    def truth(self) -> pd.DataFrame:
        """What happens in the evaluated days: one row an event, with TRUTH_COLUMNS.

        `regions` are the countries where the event is at least a quarter of its largest size. Rows with `is_outage`
        false (viral, memes, news, backlash) only look like outages.
        """
        return self._frame(self.events, "e")

    @property
    def history(self) -> pd.DataFrame:
        """What happened before the evaluated days, in the same columns."""
        return self._frame(self.past, "h")

    def write_dump(self, folder: Path) -> list[Path]:
        """Write the history's submissions and comments as monthly RS_*.zst and RC_*.zst files; return their paths."""
        return dump.write(self, folder)

    def _at(self, minute: int) -> pd.Timestamp:
        return pd.Timestamp((self.start + 60 * minute) * 1_000_000, unit="us", tz=UTC)

    def _frame(self, happenings: Sequence[Event], prefix: str) -> pd.DataFrame:
        rows: list[dict[str, Any]] = [
            {
                "event_id": f"{prefix}{number}",
                "kind": event.kind,
                "service": event.service,
                "services": event.services,
                "regions": event.hot if event.kind not in ("memes", "news", "backlash", "viral") else ("001",),
                "start_at": self._at(event.start_min),
                "end_at": self._at(event.end_min),
                "is_outage": event.is_outage,
                "symptoms": tuple(name for name, weight in event.symptoms.items() if weight >= 0.08),
                "note": event.note,
            }
            for number, event in enumerate(happenings, 1)
        ]
        frame = pd.DataFrame(rows, columns=list(TRUTH_COLUMNS))
        for name in ("start_at", "end_at"):
            frame[name] = pd.to_datetime(frame[name], utc=True).astype("datetime64[us, UTC]")
        return frame


def memory_bytes(world: World) -> int:
    """Return the bytes that a world's columns hold, texts left out."""
    columns = [np.asarray(getattr(part, name)) for part in world.posts for name in part.__slots__]
    columns += [np.asarray(getattr(world.items, name)) for name in world.items.__slots__]
    return sum(column.nbytes for column in columns)
