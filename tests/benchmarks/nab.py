"""The score of the Numenta anomaly benchmark, from its paper: early alarms within windows earn, others cost.

Lavin and Ahmad 2015 (doi 10.1109/ICMLA.2015.141), standard profile. Only the formulas; no data or labels of theirs.
"""

import numpy as np

FALSE_COST = 0.11
PROBATION_SHARE, PROBATION_OF = 0.15, 5000
WINDOWS_SHARE = 0.1
"""The windows of a series cover a tenth of it, in equal parts."""


def earned(position):
    """What an alarm earns: 1 at a window's first bin (-1), 0 at its last (0), -1 well after it."""
    return 2 / (1 + np.exp(5 * np.minimum(position, 3.0))) - 1


def windows(starts, bins):
    """Windows about the starts of a series' anomalies, overlapping ones joined; ``[(first, last)]``."""
    half = int(WINDOWS_SHARE * bins / max(len(starts), 1)) // 2
    out = []
    for start in sorted(starts):
        first, last = max(0, start - half), min(bins - 1, start + half)
        if out and first <= out[-1][1]:
            out[-1] = (out[-1][0], last)
        else:
            out.append((first, last))
    return out


def gained(alarms, spans):
    """Score of one series' alarms (bins), before normalization."""
    total = 0.0
    for first, last in spans:
        inside = alarms[(alarms >= first) & (alarms <= last)]
        total += earned((inside[0] - last) / (last - first)) if len(inside) else -1.0
    for at in alarms:
        before = [span for span in spans if span[1] < at]
        if not any(first <= at <= last for first, last in spans):
            far = before and (at - before[-1][1]) / (before[-1][1] - before[-1][0]) < 3
            position = (at - before[-1][1]) / (before[-1][1] - before[-1][0]) if far else 3.0
            total += FALSE_COST * (earned(position) if far else -1.0)
    return total


def nab(hit, starts):
    """Score of alarms, 0 (none at all) to 100 (each window hit in its first bin, nothing else).

    Args:
        hit: Whether each bin is an alarm, ``(series, bins)``.
        starts: The anomalies of each series, lists of bins.

    """
    bins = hit.shape[1]
    probation = int(PROBATION_SHARE * min(bins, PROBATION_OF))
    total, count = 0.0, 0
    for row, mine in zip(hit, starts, strict=True):
        spans = windows(mine, bins)
        alarms = np.flatnonzero(row)
        total += gained(alarms[alarms >= probation], spans)
        count += len(spans)
    return float(100 * (total + count) / (count * (earned(-1.0) + 1)))


def best(score, starts):
    """The score at the best single threshold for all series, as the benchmark chooses it, and that threshold."""
    seen = score[~np.isnan(score)]
    limits = np.unique(np.quantile(seen, 1 - np.geomspace(2e-5, 0.02, 40)))
    filled = np.nan_to_num(score, nan=-np.inf)
    return max((nab(filled >= limit, starts), float(limit)) for limit in limits)


def once_a_day(hit, day):
    """Alarms without those within a day of an earlier bin that hit."""
    out = hit.copy()
    at = np.arange(hit.shape[1])
    last = np.maximum.accumulate(np.where(hit, at, -(10**9)), axis=1)
    out[:, 1:] &= at[1:] - last[:, :-1] > day
    return out
