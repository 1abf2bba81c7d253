"""Slow, obvious twins of clamor.baseline: loops, datetime and zoneinfo."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def minute_of_week(minute, zone):
    """Local minute of the week of a UTC minute since the epoch, Monday 00:00 being 0."""
    local = datetime.fromtimestamp(minute * 60, UTC).astimezone(ZoneInfo(zone))
    return local.weekday() * 1440 + local.hour * 60 + local.minute


def last(values, length):
    """Sum of the last values up to each, of those there are."""
    return [sum(values[max(0, t - length + 1) : t + 1]) for t in range(len(values))]


def total(values, groups):
    """Sum of each group, groups in order."""
    return [sum(v for v, g in zip(values, groups, strict=True) if g == wanted) for wanted in sorted(set(groups))]


def day_level(posts, season, level, recent, slow_posts):
    """Expected count of each bin of a first-in-line series: season times slow level times the last day's ratio."""
    prior = 0.3 + 30.0 * slow_posts / (slow_posts + 30.0)
    out = []
    for t in range(len(posts)):
        past = range(max(0, t - recent), t)
        heard = prior + sum(posts[s] for s in past)
        usual = prior + sum(season[s] * level for s in past)
        out.append(season[t] * level * heard / usual)
    return out
