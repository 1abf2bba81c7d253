"""What posts say in an incident: shares of symptoms, first-hand posts and claims, each with an interval.

Shares come from read posts or from complaint posts by symptom, of one source at a time. What is usual for a service is
taken off: where a fraction ``f`` of a window's complaints would have come anyway and a symptom usually has the share
``u``, the outage's own share is ``(k / n - f u) / (1 - f)``. Intervals are Wilson's (1927), 95%, moved the same way.
"""

from typing import Any, Final

import numpy as np
import pandas as pd

Z95: Final = 1.959963984540054
"""Quantile .975 of the normal distribution."""
MOST_USUAL: Final = 0.8
"""A window that is more usual than this is described as it is: too little would be left to describe."""


def wilson(hits: float, size: float) -> tuple[float, float]:
    """Return Wilson's 95% interval of a share of ``hits`` among ``size``.

    >>> [round(x, 3) for x in wilson(3, 10)]
    [0.108, 0.603]
    """
    if size <= 0:
        return 0.0, 1.0
    share, z2 = hits / size, Z95**2
    middle = (share + z2 / (2 * size)) / (1 + z2 / size)
    half = Z95 * ((share * (1 - share) + z2 / (4 * size)) / size) ** 0.5 / (1 + z2 / size)
    return max(0.0, middle - half), min(1.0, middle + half)


def share(name: str, hits: float, size: float, usual: float = 0.0, fraction: float = 0.0) -> dict[str, Any]:
    """Return one SHARE: of ``size`` posts ``hits``, less the usual share in the fraction that is usual."""
    hits = min(hits, size)
    fraction = fraction if fraction <= MOST_USUAL else 0.0
    values = (
        min(1.0, max(0.0, (value - fraction * usual) / (1 - fraction)))
        for value in (hits / size if size else 0.0, *wilson(hits, size))
    )
    return dict(zip(("name", "share", "share_low", "share_high"), (name, *values), strict=True)) | {
        "sample_size": int(size)
    }


class Posts:
    """Counted posts of one kind (symptoms or claims) as arrays, to be added up over windows.

    Args:
        frame: Columns ``source``, ``service``, ``region``, ``bin_start``, ``posts``, perhaps ``bin_minutes`` and
        others. name: Column that holds what was counted.
        extra: A further column to add up.

    """

    def __init__(self, frame: pd.DataFrame, name: str, extra: str | None = None) -> None:
        by = ["service", "source"]
        frame = frame.sort_values([*by, "bin_start"], kind="stable") if len(frame) else frame
        self.start = frame["bin_start"].astype("datetime64[us, UTC]").astype("int64").to_numpy()
        minutes = frame["bin_minutes"].to_numpy(np.int64) if "bin_minutes" in frame else np.ones(len(frame), np.int64)
        self.end = self.start + minutes * 60_000_000
        self.region = frame["region"].to_numpy(object)
        self.name = frame[name].to_numpy(object)
        self.posts = frame["posts"].to_numpy(np.float64)
        self.extra = frame[extra].to_numpy(np.float64) if extra else self.posts
        keys = list(zip(frame["service"].tolist(), frame["source"].tolist(), strict=True))
        cuts = [i for i in range(len(keys)) if i == 0 or keys[i] != keys[i - 1]]
        self.blocks: dict[str, dict[str, slice]] = {}
        for start, end in zip(cuts, [*cuts[1:], len(keys)], strict=True):
            self.blocks.setdefault(keys[start][0], {})[keys[start][1]] = slice(start, end)

    def sources(self, service: str) -> list[str]:
        """Return the sources that counted posts about a service."""
        return list(self.blocks.get(service, ()))

    def regions_of(self, service: str, source: str) -> list[str]:
        """Return the regions that a source counted posts about a service in."""
        block = self.blocks.get(service, {}).get(source)
        return [] if block is None else np.unique(self.region[block].astype(str)).tolist()

    def within(self, service: str, source: str, starts: Any, width: int, regions: Any) -> dict[str, float]:
        """Add up posts by name over the bins (sorted ``starts`` and a width, microseconds) that are known.

        Args:
            service: Of what service.
            source: Of what source.
            starts: Starts of the known bins.
            width: Their width.
            regions: Names of regions to keep.

        """
        block = self.blocks.get(service, {}).get(source)
        if block is None or not len(starts):
            return {}
        start = self.start[block]
        bin_of = starts[np.maximum(np.searchsorted(starts, start, side="right") - 1, 0)]
        return self._sum(self.posts, block, (bin_of <= start) & (start < bin_of + width), regions)

    def totals(self, service: str, source: str, start: int, end: int, regions: Any = None) -> dict[str, float]:
        """Add up posts by name over bins that reach into ``[start, end)`` and begin well before its end.

        The middle of a bin decides at the end: a sample's posts are the newest of its window.

        Args:
            service: Of what service.
            source: Of what source.
            start: First moment, microseconds since the epoch.
            end: End, not included.
            regions: Names of regions to keep; None keeps all.

        """
        return self._over(self.posts, service, source, start, end, regions)

    def extras(self, service: str, source: str, start: int, end: int, regions: Any = None) -> dict[str, float]:
        """Likewise for the extra column."""
        return self._over(self.extra, service, source, start, end, regions)

    def _over(self, values: Any, service: str, source: str, start: int, end: int, regions: Any) -> dict[str, float]:
        block = self.blocks.get(service, {}).get(source)
        if block is None:
            return {}
        middle = (self.start[block] + self.end[block]) // 2
        return self._sum(values, block, (middle < end) & (self.end[block] > start), regions)

    def _sum(self, values: Any, block: slice, keep: Any, regions: Any) -> dict[str, float]:
        if regions is not None:
            keep = keep & np.isin(self.region[block].astype(str), list(regions))
        names, group = np.unique(self.name[block][keep].astype(str), return_inverse=True)
        sums = np.bincount(group, values[block][keep], len(names))
        return dict(zip(names.tolist(), sums.tolist(), strict=True))
