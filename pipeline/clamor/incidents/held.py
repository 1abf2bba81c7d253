"""Bins that no flag minds though their posts go on as in the outage before: they keep it open.

Flags compare a bin with the hours before it, since talk that has grown is expected to go on; so an outage that lasts at
one size is flagged for its first hours only. Where normal bins would close an episode, their posts are asked: the
likelihood of half the episode's own size is set against that of what is usual. If they speak for the outage, they count
as elevated up to the last that does, and the next ones are asked. A level that stays is learnt in about a day: posts
are then what is expected, and the outage is over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import log

import numpy as np

from clamor.incidents.episodes import ELEVATED, NORMAL, Decided, Floats, Ints, find
from clamor.incidents.given import Given
from clamor.incidents.heard import LEFT, Heard, speakers
from clamor.schema import ALL_SOURCES


def hold(decided: Decided, given: Given, voices: Mapping[int, Sequence[int]] | None = None) -> Decided:
    """Raise the normal bins after each episode in which its posts go on.

    Args:
        decided: Verdicts, sorted by series and bin.
        given: Their posts; ``rules.risk`` says how sure these must be.
        voices: Number of an episode to those of the series whose posts speak for it; others are left as they are. None:
            every episode is spoken for by its own series.

    """
    rank, enough, quiet = decided.rank.copy(), log(1 / given.rules.risk), given.quiet
    found = find(decided, quiet_bins=quiet, silent_bins=given.rules.silent_bins(given.minutes))
    bins = int(decided.bin.max(initial=0)) + 1
    ends = np.searchsorted(decided.series, found.series, side="right").tolist()
    lasts = np.searchsorted(decided.series * bins + decided.bin, found.series * bins + found.last).tolist()
    for i, (last, end) in enumerate(zip(lasts, ends, strict=True)):
        calm = _closing(rank, last + 1, end, quiet)
        opened = int(found.opened[i])
        speaking = [int(found.series[i])] if voices is None else voices.get(i, [])
        if not len(calm) or not speaking:
            continue
        until = int(decided.bin[end - 1]) + 1
        heard = [each for series in speaking for each in _heard(given, series, opened, until)]
        says = _says(heard, int(found.last[i]) + 1 - opened, quiet, enough)
        while len(says) and len(calm):
            so_far = np.cumsum(says[decided.bin[calm] - opened])
            most = int(np.argmax(so_far))
            if so_far[most] < enough:
                break
            rank[calm[: most + 1]] = ELEVATED
            calm = _closing(rank, int(calm[most]) + 1, end, quiet)
    return replace(decided, rank=rank)


def _closing(rank: Ints, at: int, end: int, quiet: int) -> Ints:
    """Return the ``quiet`` normal rows that close an episode, from ``at`` on; none if it is flagged before that."""
    until = at + int(np.argmax(np.append(rank[at:end], ELEVATED) >= ELEVATED))
    calm = at + np.flatnonzero(rank[at:until] == NORMAL)[:quiet]
    return calm if len(calm) == quiet else calm[:0]


def _heard(given: Given, series: int, first: int, end: int) -> list[Heard]:
    """Return what each source heard of a service in a region."""
    rows, heard = given.rows, []
    for source, name in enumerate(rows.sources):
        index, _ = rows.of_series(series * len(rows.sources) + source, first, end)
        if name != ALL_SOURCES and len(index):
            heard.append(Heard.of(rows, index, first, end, read=name not in given.unread))
    return heard


def _says(heard: Sequence[Heard], until: int, quiet: int, enough: float) -> Floats:
    """Return how much each bin says that it goes on, in nats, if anybody heard; the episode ends before ``until``."""
    says = np.zeros(len(heard[0].posts) if heard else 0)
    for each in speakers(heard, 0, until, quiet, enough):
        if each.shows(0, until):
            says += each.gain(1.0, 1 + LEFT * each.ratio(0, until))
    return says
