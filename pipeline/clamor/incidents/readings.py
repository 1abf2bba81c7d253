"""Samples of posts that were read, as one more source that tells when a case is over.

Where posts are only counted by a query, news and jokes about an outage are counted as well, and a reader takes some of
them for complaints ("X is down"). They seldom name a trouble. So of each sample the complaints that name one are
counted, beside those that the usual posts among the read ones would bring.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from clamor.incidents.episodes import Floats, Rows
from clamor.schema import ANY_SYMPTOM, WORLD, Signal, Symptom

NAMED: Final = 0.5
"""About so many complaints of a quiet day name their trouble."""


@dataclass(frozen=True)
class Reading:
    """One sample: its window (microseconds since the epoch), posts read, and complaints that name a trouble."""

    start: int
    end: int
    read: float
    named: float


Readings = Mapping[tuple[str, str], list[Reading]]
"""Service and source to its samples, in order of time."""


def readings(samples: pd.DataFrame | None) -> Readings:
    """Return what SAMPLES rows of the world say of complaints that name a trouble."""
    found: dict[tuple[str, str], list[Reading]] = {}
    if samples is None or samples.empty:
        return found
    world = samples.loc[samples["region"] == WORLD]
    world = world.assign(start=world["bin_start"].astype("datetime64[us, UTC]").astype("int64"))
    for (service, source, _), rows in world.groupby(["service", "source", "start"]):
        specific = (rows["signal"] == str(Signal.COMPLAINT)) & ~rows["symptom"].isin([ANY_SYMPTOM, str(Symptom.OTHER)])
        read = rows.loc[rows["symptom"] == ANY_SYMPTOM, "sample_size"].max()
        start = int(rows["start"].iloc[0])
        end = start + int(rows["bin_minutes"].iloc[0]) * 60_000_000
        named = float(rows.loc[specific, "posts"].sum())
        found.setdefault((str(service), str(source)), []).append(Reading(start, end, float(read), named))
    return found


def as_series(
    known: list[Reading], rows: Rows, source: str, service: str, first: int, end: int
) -> tuple[Floats, Floats]:
    """Return complaints that name a trouble, and how many are expected, in the bins in which samples end; else NaN.

    A sample's posts are the newest of its window: it is set beside the counts of the last bins that bring so many.
    """
    posts, mean = np.full(end - first, np.nan), np.full(end - first, np.nan)
    if WORLD not in rows.regions:
        return posts, mean
    place = (rows.sources.index(source), rows.services.index(service), rows.regions.index(WORLD))
    index = rows.of_series(rows.number(*place), 0, 0)[0]
    counted = dict(zip(rows.bin[index].tolist(), index.tolist(), strict=True))
    for each in known:
        at = (each.end - rows.start) // rows.width - 1
        if not first <= at < end or not each.read > 0:
            continue
        total = usual = 0.0
        for number in range(at, (each.start - rows.start) // rows.width - 1, -1):
            row = counted.get(number)
            if row is not None and np.isfinite(rows.value["posts"][row] + rows.value["expected_posts"][row]):
                total += float(rows.value["posts"][row])
                usual += float(rows.value["expected_posts"][row])
            if total >= each.read:
                break
        if total > 0:
            posts[at - first], mean[at - first] = each.named, each.read * min(1.0, usual / total) * NAMED
    return posts, mean
