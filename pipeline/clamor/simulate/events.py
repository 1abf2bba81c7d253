"""What happens in the world: outages and what only looks like one. Drawn anew for every seed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from clamor.simulate.atlas import CODES, COUNTRIES, WATCHED
from clamor.simulate.services import BY_ID, SERVICES

DAY: Final = 1440
_EUROPE: Final = ("GB", "DE", "FR")
_ASIA: Final = ("JP", "ID", "KR")
_ISP_HOMES: Final = ("GB", "DE", "AU")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happens.

    Attributes:
        kind: outage, provider, viral, backlash, memes or news.
        service: The service at fault or talked about.
        services: All services that people complain about because of it.
        countries: Where, with the factor by which complaints (or mentions, for viral) rise at the peak.
        start_min: First minute, from the world's start.
        end_min: First minute after.
        ramp_min: Minutes from the start to the peak.
        symptoms: Weights of the troubles.
        is_outage: Whether anything was broken.
        note: In words.

    """

    kind: str
    service: str
    services: tuple[str, ...]
    countries: Mapping[str, float]
    start_min: int
    end_min: int
    ramp_min: float = 15.0
    symptoms: Mapping[str, float] = field(default_factory=dict)
    is_outage: bool = True
    note: str = ""

    @property
    def hot(self) -> tuple[str, ...]:
        """Countries where the event is at least a quarter of its largest size, in the atlas's order."""
        top = max(self.countries.values(), default=0.0)
        return tuple(code for code in CODES if self.countries.get(code, 0.0) >= 0.25 * top > 0)

    def shape(self, minutes: int) -> NDArray[np.float64]:
        """Return the event's size at every minute of the world, 1 at its peak."""
        at = np.arange(minutes, dtype=float)
        rise = 1.0 / (1.0 + np.exp(np.minimum((self.start_min + self.ramp_min / 2 - at) * 6.0 / self.ramp_min, 50.0)))
        tired = 0.55 + 0.45 * np.exp(-np.clip(at - self.start_min - self.ramp_min, 0, None) / 90.0)
        tail = np.exp(-np.clip(at - self.end_min, 0, None) / 12.0)
        size: NDArray[np.float64] = np.where(at < self.start_min, 0.0, rise * tired * tail)
        size[size < 1e-3] = 0.0
        return size


def size_of(rng: np.random.Generator, scale: float) -> tuple[float, str]:
    """Return the factor by which complaints rise at the peak, and the word for it: clear, middling or hard."""
    roll = rng.random()
    low, high, word = (30, 110, "clear") if roll < 0.6 else (12, 30, "middling") if roll < 0.85 else (5, 12, "hard")
    return scale * float(np.exp(rng.uniform(np.log(low), np.log(high)))), word


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a world: its first minute, counted from the world's start (seconds since the epoch)."""

    minute: int
    world_start: int


def evaluated(rng: np.random.Generator, day: Day) -> list[Event]:
    """Return the events of an evaluated day, and the things that follow them."""
    tiktok = _tiktok(rng, day)
    others = [service.id for service in SERVICES if service.id not in ("tiktok", "vodafone")]
    first, second = rng.choice(others, 2, replace=False).tolist()
    events = [
        tiktok,
        *_aftermath(rng, tiktok, day.minute + DAY),
        _single(rng, day, first),
        _provider(rng, day),
        _viral(rng, day, tiktok),
        _backlash(rng, day, second),
    ]
    return sorted(events, key=lambda event: (event.start_min, event.kind))


def past(rng: np.random.Generator, history_minutes: int, world_start: int) -> list[Event]:
    """Return what happened in the history: a few outages and a fuss, because no real history is clean."""
    events = []
    days = history_minutes // DAY
    if days < 2:
        return []
    for number in sorted(rng.choice(np.arange(1, days), size=min(3, days - 1), replace=False).tolist()):
        service = str(rng.choice([s.id for s in SERVICES if s.id != "vodafone"]))
        events.append(_single(rng, Day(number * DAY, world_start), service))
    day = Day(int(rng.integers(1, days)) * DAY, world_start)
    events.append(_backlash(rng, day, str(rng.choice([s.id for s in SERVICES]))))
    return events


def _window(rng: np.random.Generator, day_start: int, low_h: float, high_h: float) -> tuple[int, int]:
    """Return a start and end that leave some quiet time at both ends of the day."""
    length = int(60 * rng.uniform(low_h, high_h))
    start = day_start + int(rng.uniform(60, DAY - length - 150))
    return start, start + length


def _tiktok(rng: np.random.Generator, day: Day) -> Event:
    start, end = _window(rng, day.minute, 1.5, 5.0)
    size, word = size_of(rng, 1.0)
    countries = {code: size * float(rng.uniform(0, 0.08)) for code in CODES}
    hot = ["US", *rng.choice(_EUROPE, rng.integers(2, 4), replace=False), *rng.choice(_ASIA, rng.integers(1, 4), False)]
    countries |= {str(code): size * float(rng.uniform(0.6, 1.0)) for code in hot}
    unnamed = float(rng.uniform(0.3, 0.5))
    weights = rng.dirichlet([6, 6, 3, 4, 4]) * (1 - unnamed)
    symptoms = dict(zip(("login", "playback", "crash", "error", "upload"), weights.tolist(), strict=True))
    symptoms["other"] = unnamed
    return Event(
        kind="outage",
        service="tiktok",
        services=("tiktok",),
        countries=countries,
        start_min=start,
        end_min=end,
        ramp_min=float(rng.uniform(10, 20)),
        symptoms=symptoms,
        note=f"{word}: complaints up to {size:.0f} times the usual",
    )


def _awake(rng: np.random.Generator, day: Day, country: str, low_h: float, high_h: float) -> tuple[int, int]:
    """Return a window that seldom lies in a country's night, when nobody is there to complain."""
    zone = ZoneInfo(COUNTRIES[CODES.index(country)].zones[0][0])
    while True:
        start, end = _window(rng, day.minute, low_h, high_h)
        middle = datetime.fromtimestamp(day.world_start + 30 * (start + end), UTC).astimezone(zone)
        if 8 <= middle.hour < 23 or rng.random() < 0.1:
            return start, end


def _single(rng: np.random.Generator, day: Day, service: str) -> Event:
    traffic = BY_ID[service]
    share = {code: COUNTRIES[CODES.index(code)].weight * traffic.countries.get(code, 1.0) for code in WATCHED}
    country = str(rng.choice([code for code in WATCHED if share[code] >= 0.03]))
    start, end = _awake(rng, day, country, 1.0, 4.0)
    size, word = size_of(rng, 2.5)
    named = [name for name in traffic.symptoms if name != "other"]
    unnamed = float(rng.uniform(0.25, 0.5))
    weights = rng.dirichlet([2.0 * traffic.symptoms[name] for name in named]) * (1 - unnamed)
    return Event(
        kind="outage",
        service=service,
        services=(service,),
        countries={country: size},
        start_min=start,
        end_min=end,
        ramp_min=float(rng.uniform(5, 25)),
        symptoms=dict(zip(named, weights.tolist(), strict=True)) | {"other": unnamed},
        note=f"{word}: complaints up to {size:.0f} times the usual in one country",
    )


def _provider(rng: np.random.Generator, day: Day) -> Event:
    country = str(rng.choice(_ISP_HOMES))
    start, end = _awake(rng, day, country, 1.0, 4.0)
    size, word = size_of(rng, 2.5)
    return Event(
        kind="provider",
        service="vodafone",
        services=tuple(service.id for service in SERVICES),
        countries={country: size},
        start_min=start,
        end_min=end,
        ramp_min=float(rng.uniform(3, 12)),
        symptoms={"connection": 0.5, "slow": 0.1, "messaging": 0.05, "playback": 0.05, "other": 0.3},
        note=f"{word}: an internet provider fails; its customers blame what they were using",
    )


def _viral(rng: np.random.Generator, day: Day, outage: Event) -> Event:
    """Draw a video that everybody talks about, away from the outage so that it stands alone."""
    for _ in range(50):
        start, end = _window(rng, day.minute, 2.0, 5.0)
        if end + 60 < outage.start_min or start > outage.end_min + 240:
            break
    factor = float(rng.uniform(0.6, 1.6))
    return Event(
        kind="viral",
        service="tiktok",
        services=("tiktok",),
        countries={code: factor * float(rng.uniform(0.5, 1.2)) for code in CODES},
        start_min=start,
        end_min=end,
        ramp_min=45.0,
        is_outage=False,
        note=f"a video spreads: {factor:.1f} times the usual talk on top, nothing is broken",
    )


def _backlash(rng: np.random.Generator, day: Day, service: str) -> Event:
    start, end = _window(rng, day.minute, 2.0, 6.0)
    factor = float(rng.uniform(0.15, 0.5))
    return Event(
        kind="backlash",
        service=service,
        services=(service,),
        countries=dict.fromkeys(CODES, factor),
        start_min=start,
        end_min=end,
        ramp_min=30.0,
        is_outage=False,
        note="anger about prices, nothing is broken",
    )


def _aftermath(rng: np.random.Generator, outage: Event, day_end: int) -> Iterator[Event]:
    """Yield the memes and the news that go on after an outage is over."""
    for kind, low, high in (("memes", 60, 240), ("news", 120, 360)):
        end = min(outage.end_min + int(rng.uniform(low, high)), day_end)
        yield Event(
            kind=kind,
            service=outage.service,
            services=outage.services,
            countries=dict.fromkeys(CODES, 1.0),
            start_min=outage.end_min,
            end_min=end,
            ramp_min=5.0,
            is_outage=False,
            note="jokes after the outage" if kind == "memes" else "articles after the outage",
        )


def draw_gap(rng: np.random.Generator, day_start: int) -> tuple[int, int]:
    """Return the minutes in which nobody collects."""
    length = int(rng.uniform(75, 165))
    start = day_start + int(rng.uniform(120, DAY - length - 120))
    return start, start + length


def overlapping(events: Sequence[Event], start: int, end: int) -> list[Event]:
    """Return the events that touch a window of minutes."""
    return [event for event in events if event.start_min < end and event.end_min > start]
