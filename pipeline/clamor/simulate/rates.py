"""How many posts a minute people write about a service: seasons in local time, chatter, and what events add."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from clamor.simulate.atlas import COUNTRIES
from clamor.simulate.events import Event
from clamor.simulate.services import Traffic

Rate = NDArray[np.float32]
"""Posts a minute, shape (minutes, countries)."""

TRICKY: Final = 0.025
"""Share of ordinary talk with trouble words in it ("down to share my ...")."""
_PEAKS: Final = {"evening": (20.5, 0.9), "daytime": (14.0, 1.0), "school": (18.0, 1.15)}
_WEEKENDS: Final = {"evening": 1.12, "daytime": 0.85, "school": 1.3}


@dataclass(frozen=True, slots=True)
class Stream:
    """Posts of one kind about one service, to be drawn.

    Attributes:
        rate: Posts a minute by minute (from `first`) and country.
        first: Minute of the first row.
        pools: Pools of texts with their weights.
        place_share: Share that names a town in the text.

    """

    rate: Rate
    first: int
    pools: Mapping[str, float]
    place_share: float = 0.0


@cache
def _offsets(zone: str, start: int, hours: int) -> NDArray[np.float64]:
    """Return the zone's hours ahead of UTC, looked up once in 24 hours."""
    info = ZoneInfo(zone)
    days = [datetime.fromtimestamp(start + 86400 * day, UTC).astimezone(info) for day in range(hours // 24 + 2)]
    ahead = [local.utcoffset().total_seconds() / 3600 for local in days]  # type: ignore[union-attr]
    return np.repeat(ahead, 24)[:hours]


@cache
def season(kind: str, start: int, minutes: int) -> Rate:
    """Return the shape of the local week, mean about 1, by minute and country."""
    hours = minutes // 60 + 2
    peak, depth = _PEAKS[kind]
    utc = start / 3600 + np.arange(hours)
    columns = []
    for country in COUNTRIES:
        shape = np.zeros(hours)
        for zone, share in country.zones:
            local = utc + _offsets(zone, start, hours)
            angle = 2 * np.pi * (local % 24 - peak) / 24
            weekday = ((local + 72) // 24) % 7  # the epoch was a Thursday; 0 is Monday
            weekend = np.where(weekday >= 5, _WEEKENDS[kind], 1.0)
            shape += share * weekend * np.exp(depth * np.cos(angle) + 0.25 * np.cos(2 * angle))
        columns.append(shape / shape.mean())
    grid = np.stack(columns, axis=1)
    at = np.arange(minutes) / 60.0
    low = at.astype(int)
    part = (at - low)[:, None]
    shape_by_minute: Rate = (grid[low] * (1 - part) + grid[low + 1] * part).astype(np.float32)
    return shape_by_minute


def popularity(service: Traffic) -> Rate:
    """Return each country's share of a service's posts."""
    share = np.array([c.weight * service.countries.get(c.code, service.elsewhere) for c in COUNTRIES], dtype=np.float32)
    shares: Rate = share / share.sum()
    return shares


def unspecific(symptoms: Mapping[str, float], share: float) -> dict[str, float]:
    """Return the weights of symptoms with this share for complaints that name none ("is it down?")."""
    named = {name: weight for name, weight in symptoms.items() if name != "other"}
    total = sum(named.values())
    return {name: (1 - share) * weight / total for name, weight in named.items()} | {"other": share}


def chatter(rng: np.random.Generator, minutes: int, step: int, memory: float, spread: float) -> NDArray[np.float32]:
    """Return a factor by minute that wanders around 1: an AR(1) in the logarithm, in steps of some minutes."""
    steps = minutes // step + 2
    noise = rng.normal(0.0, spread * np.sqrt(1 - memory**2), steps)
    log = np.empty(steps)
    level = rng.normal(0.0, spread)
    for index in range(steps):
        level = memory * level + noise[index]
        log[index] = level
    factor: NDArray[np.float32] = np.repeat(np.exp(log - spread**2 / 2).astype(np.float32), step)[:minutes]
    return factor


def clumps(rng: np.random.Generator, minutes: int, step: int, shape: float) -> NDArray[np.float32]:
    """Return a factor by minute that makes counts negative-binomial: gamma of mean 1 in steps of some minutes."""
    drawn = rng.gamma(shape, 1 / shape, minutes // step + 1).astype(np.float32)
    factor: NDArray[np.float32] = np.repeat(drawn, step)[:minutes]
    return factor


def ordinary(rng: np.random.Generator, service: Traffic, start: int, minutes: int) -> tuple[Rate, list[Stream]]:
    """Return the noise-free rate of posts and the streams of an ordinary day."""
    usual = season(service.season, start, minutes) * popularity(service) * np.float32(service.posts_per_minute)
    talk = chatter(rng, minutes, 15, 0.93, 0.16)
    moods = np.stack([chatter(rng, minutes, 60, 0.85, 0.12) for _ in COUNTRIES], axis=1)
    mention = usual * talk[:, None] * moods * clumps(rng, minutes, 3, 6.0)[:, None]
    grumble = usual * (talk * chatter(rng, minutes, 15, 0.9, 0.22) * clumps(rng, minutes, 5, 2.0))[:, None]
    share = np.float32(service.complaint_share)
    return usual, [
        Stream(mention * (1 - share), 0, {"mention": 1 - TRICKY, "tricky": TRICKY}),
        Stream(grumble * share, 0, unspecific(service.symptoms, 0.35), place_share=0.03),
        Stream(mention * np.float32(0.004), 0, {"news": 2, "meme": 2, "back": 1, "advice": 3, "after": 1, "price": 4}),
    ]


def _window(event: Event, minutes: int) -> tuple[int, int, NDArray[np.float32]]:
    size = event.shape(minutes).astype(np.float32)
    first = min(event.start_min, minutes - 1)
    return first, min(event.end_min + 90, minutes), size


def caused(rng: np.random.Generator, event: Event, service: Traffic, usual: Rate, codes: Sequence[str]) -> list[Stream]:
    """Return the streams that an event adds to a service."""
    minutes = len(usual)
    first, last, size = _window(event, minutes)
    factors = np.array([event.countries.get(code, 0.0) for code in codes], dtype=np.float32)
    window = usual[first:last] * size[first:last, None]
    wobble = chatter(rng, last - first, 5, 0.8, 0.15)[:, None]
    if event.kind == "viral":
        return [Stream(window * factors * wobble, first, {"viral": 0.7, "mention": 0.3})]
    if event.kind == "backlash":
        return [Stream(window * factors * wobble, first, {"price": 1.0})]
    if event.kind in ("memes", "news"):
        pools = {"meme": 2, "after": 3, "back": 1} if event.kind == "memes" else {"news": 4, "advice": 1, "after": 1}
        return [Stream(window * np.float32(0.12) * wobble, first, pools)]
    if event.service != service.id:
        factors = factors * np.float32(rng.uniform(0.06, 0.15))
    complaints = window * factors * np.float32(service.complaint_share) * wobble
    return [
        Stream(complaints, first, dict(event.symptoms), place_share=0.07),
        Stream(complaints * np.float32(0.25), first, {"mention": 1.0}),
        *_echo(rng, event, complaints, usual, first),
    ]


def _echo(rng: np.random.Generator, event: Event, complaints: Rate, usual: Rate, first: int) -> list[Stream]:
    """Return the talk about an outage: later than the complaints, everywhere, and with "X is back" at its end."""
    minutes = len(usual)
    loud = complaints.sum(axis=1)
    lag = np.exp(-np.arange(180) / 45.0) - np.exp(-np.arange(180) / 12.0)
    heard = np.convolve(loud, lag / lag.sum())[: minutes - first].astype(np.float32)
    spread = usual[first : first + len(heard)]
    everywhere = spread / spread.sum(axis=1, keepdims=True)
    share = np.float32(rng.uniform(0.35, 0.8))
    back = np.zeros(len(heard), dtype=np.float32)
    over = np.arange(len(heard)) - (event.end_min - first)
    back[over >= 0] = np.exp(-over[over >= 0] / 25.0) * loud.max(initial=0.0) * 0.25
    return [
        Stream(everywhere * (share * heard)[:, None], first, {"meme": 4, "news": 3, "advice": 2, "after": 0.3}),
        Stream(everywhere * back[:, None], first, {"back": 1.0}),
    ]
