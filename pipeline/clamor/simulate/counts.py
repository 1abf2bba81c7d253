"""Synthetic counts with known outages, for tuning and for honest figures. Everything here is synthetic.

Each function draws one kind of world from one seed. Seeds below :data:`REPORT_SEED` are for tuning; the figures that
are reported use seeds from there on, which no constant was ever chosen by.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

REPORT_SEED = 1000
"""Seeds from here on are for reporting only."""

Array = npt.NDArray[np.float64]
Generator = np.random.Generator
CONTINENT_OF = ("NA", "NA", "NA", "EU", "EU", "EU", "EU", "AS", "AS", "AS")
OFFSET_H = {"NA": -6.0, "EU": 1.0, "AS": 8.0}
TRUTH_COLUMNS = ["event", "series", "start", "stop", "kind", "onset", "ratio", "judged"]


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """Counts of many series with the truth beside them.

    Attributes:
        posts: Counts ``(series, bins)``, NaN where not observed.
        mentions: All posts naming the service, same shape.
        usual: The true mean without outage or chatter, AR noise included.
        service: Service name of each series.
        region: Region of each series.
        regions: Region tree with ``utc_offset_h``.
        truth: One row an outage and series: ``event, series, start, stop`` (columns, half open), ``kind`` (global,
            regional, single), ``onset`` (fast, slow), ``ratio``, ``judged`` (whether it lies in the judged weeks).
        start: Time of the first bin.
        bin_minutes: Width of a bin.

    """

    posts: Array
    mentions: Array | None
    usual: Array
    service: list[str]
    region: list[str]
    regions: pd.DataFrame | None
    truth: pd.DataFrame
    start: pd.Timestamp
    bin_minutes: int

    def frame(self, mentions: bool = False) -> pd.DataFrame:
        """Return the counts as the long frame of ``clamor detect --counts``; unobserved bins have a null count."""
        series, bins = self.posts.shape
        times = self.start + pd.to_timedelta(np.arange(bins) * self.bin_minutes, unit="min")
        frame = pd.DataFrame(
            {
                "service": np.repeat(np.array(self.service, dtype=object), bins),
                "region": np.repeat(np.array(self.region, dtype=object), bins),
                "bin_start": pd.DatetimeIndex(np.tile(times.to_numpy(), series)).tz_localize("UTC").as_unit("us"),
                "count": self.posts.ravel(),
            }
        )
        if mentions and self.mentions is not None:
            frame["mentions"] = self.mentions.ravel()
        return frame


def negative_binomial(random: Generator, mean: Array, scatter: Array | float) -> Array:
    """Draw counts of that mean with variance mean + scatter * mean**2."""
    size = 1 / np.maximum(np.broadcast_to(np.asarray(scatter, dtype=float), mean.shape), 1e-6)
    return np.asarray(random.poisson(random.gamma(size, mean / size)), dtype=float)


def ar_noise(random: Generator, shape: tuple[int, int], sd: Array | float, keep: float) -> Array:
    """Draw a stationary AR(1) of that standard deviation, row by row."""
    shocks = random.normal(size=shape) * np.sqrt(1 - keep**2)
    out = np.empty(shape)
    out[:, 0] = random.normal(size=shape[0])
    for t in range(1, shape[1]):
        out[:, t] = keep * out[:, t - 1] + shocks[:, t]
    return np.asarray(out * np.asarray(sd))


def week_shape(random: Generator, hours: Array) -> Array:
    """Return a smooth season over local hours since Monday: a day with two humps, a weekend of its own."""
    day = 2 * np.pi * hours / 24
    a, b, shift = random.uniform(0.4, 1.1), random.uniform(0.0, 0.4), random.uniform(-1, 1)
    weekend = ((hours // 24) % 7 >= 5) * random.uniform(-0.4, 0.3)
    return np.asarray(a * np.sin(day - 2.4 + shift) + b * np.sin(2 * day + shift) + weekend)


def catalogue(
    seed: int,
    *,
    services: int = 20,
    weeks: int = 5,
    judged_weeks: int = 1,
    chatter_per_week: float = 0.7,
    outages_per_week: float = 2.0,
    bin_minutes: int = 15,
    ar_sd: float = 0.2,
    holidays: bool = True,
    lost_coverage: float = 0.1,
) -> Simulated:
    """Simulate many services in ten regions: season, AR noise, chatter, gaps, level shifts and outages of every size.

    Args:
        seed: Seed of everything.
        services: Number of services, ten regions each.
        weeks: Length.
        judged_weeks: Outages that count lie in the last weeks; a few more lie in the training weeks.
        chatter_per_week: Bursts of talk a service and week that are no outages.
        outages_per_week: Outages a service and judged week.
        bin_minutes: Width of a bin.
        ar_sd: Standard deviation of the log level's AR(1) noise.
        holidays: Whether one day of the five weeks looks like a Sunday, with a different volume.
        lost_coverage: Chance that an outage also costs an hour of coverage in its series.

    """
    random = np.random.default_rng(seed)
    regions = len(CONTINENT_OF)
    series, bins = services * regions, weeks * 7 * 1440 // bin_minutes
    service = np.repeat(np.arange(services), regions)
    region = np.tile(np.arange(regions), services)
    volume = np.exp(random.uniform(np.log(0.05), np.log(80), services))[service]
    share = np.exp(random.normal(0, 1.0, series))
    level = np.clip(volume * share, 0.02, 200) * bin_minutes / 15
    hours = np.arange(bins) * bin_minutes / 60
    log_mean = np.empty((series, bins))
    shapes = [np.random.default_rng([seed, 7, s]).integers(1 << 31) for s in range(services)]
    for i in range(series):
        local = hours + OFFSET_H[CONTINENT_OF[region[i]]]
        if holidays:
            off = (hours // 24 == 24) & (region[i] < 5)
            local = np.where(off, local % 24 + 144, local)
        own = np.random.default_rng([seed, 8, i])
        log_mean[i] = week_shape(np.random.default_rng(shapes[service[i]]), local) + 0.25 * week_shape(own, local)
    per_hour = 60 // bin_minutes
    log_mean += ar_noise(random, (series, bins), random.uniform(0.3, 1.5, (series, 1)) * ar_sd, 0.97 ** (4 / per_hour))
    log_mean += _shifts(random, series, bins)
    usual = level[:, None] * np.exp(log_mean)
    boost = _chatter(random, service, services, bins, weeks * chatter_per_week, per_hour)
    talk = usual * 12 * boost**1.3
    truth, factor = _outages(random, service, region, bins, weeks, judged_weeks, outages_per_week, per_hour)
    mean = usual * np.maximum(boost, factor)
    posts = negative_binomial(random, mean, random.uniform(0.03, 0.6, (series, 1)))
    mentions = negative_binomial(random, talk + (mean - usual), 0.05) + posts
    posts[_gaps(random, truth, series, bins, lost_coverage, per_hour)] = np.nan
    tree = pd.DataFrame(
        {
            "region": [f"R{r}" for r in range(regions)] + ["NA", "EU", "AS"],
            "parent": [*CONTINENT_OF, "001", "001", "001"],
            "utc_offset_h": [OFFSET_H[c] for c in CONTINENT_OF] + [0.0, 0.0, 0.0],
        }
    )
    return Simulated(
        posts=posts,
        mentions=np.where(np.isnan(posts), np.nan, mentions),
        usual=usual,
        service=[f"s{s:02d}" for s in service],
        region=[f"R{r}" for r in region],
        regions=tree,
        truth=truth,
        start=pd.Timestamp("2026-01-05"),
        bin_minutes=bin_minutes,
    )


def _shifts(random: Generator, series: int, bins: int) -> Array:
    """Level shifts (in one series of ten, any time) and slow drifts."""
    out = random.normal(0, 0.1, (series, 1)) * np.linspace(0, 1, bins)[None]
    for i in np.flatnonzero(random.random(series) < 0.1):
        out[i, random.integers(bins) :] += random.choice([-1, 1]) * random.uniform(0.25, 0.8)
    return np.asarray(out)


def _chatter(
    random: Generator, service: npt.NDArray[np.int64], services: int, bins: int, rate: float, hour: int
) -> Array:
    """Bursts that are not outages: viral topics over a service's regions, in-jokes in one, scheduled events."""
    boost = np.ones((len(service), bins))
    for s in range(services):
        for _ in range(random.poisson(rate)):
            at, rise = int(random.integers(bins)), random.uniform(0.5, 4) * hour
            peak, decay = np.exp(random.uniform(np.log(1.3), np.log(5))), random.uniform(1, 8) * hour
            t = np.arange(bins) - at
            curve = np.exp(np.where(t < 0, np.maximum(t, -60 * rise) / rise, -t / decay))
            rows = np.flatnonzero(service == s)
            if random.random() < 0.4:
                rows = random.choice(rows, 1 + random.integers(3), replace=False)
            boost[rows] = np.maximum(boost[rows], 1 + (peak - 1) * curve * random.uniform(0.5, 1, (len(rows), 1)))
    return boost


def _outages(
    random: Generator,
    service: npt.NDArray[np.int64],
    region: npt.NDArray[np.int64],
    bins: int,
    weeks: int,
    judged_weeks: int,
    rate: float,
    hour: int,
) -> tuple[pd.DataFrame, Array]:
    """Draw outages 2x to 50x, fast or slow, of the whole service or of one continent; a few in the training weeks."""
    factor = np.ones((len(service), bins))
    rows: list[dict[str, object]] = []
    event = 0
    per_week = bins // weeks
    continents = np.array(CONTINENT_OF)[region]
    for s in range(int(service.max()) + 1):
        for week in range(weeks):
            judged = week >= weeks - judged_weeks
            for _ in range(random.poisson(rate if judged else 0.2 * rate)):
                length = max(2, int(np.exp(random.uniform(np.log(0.5), np.log(8))) * hour))
                at = int(random.integers(week * per_week, (week + 1) * per_week - length))
                everywhere = random.random() < 0.5
                place = str(random.choice(["NA", "EU", "AS"]))
                members = np.flatnonzero((service == s) & (everywhere | (continents == place)))
                if (factor[members, max(0, at - 6 * hour) : at + length + 6 * hour] > 1).any():
                    continue
                ratio = np.exp(random.uniform(np.log(2), np.log(50)))
                slow = random.random() < 0.4
                ramp = max(1.0, min(length, random.uniform(0.5, 3) * hour)) if slow else 1.0
                curve = np.minimum((np.arange(length) + 1) / ramp, 1)
                fade = np.minimum((length - np.arange(length)) / max(1, 0.25 * length), 1)
                own = np.exp(random.normal(0, 0.25, (len(members), 1)))
                factor[members, at : at + length] = 1 + (ratio - 1) * own * curve * fade
                kind = "global" if everywhere else "regional"
                rows.extend(
                    {"event": event, "series": int(i), "start": at, "stop": at + length, "kind": kind,
                     "onset": "slow" if slow else "fast", "ratio": ratio, "judged": judged}
                    for i in members
                )  # fmt: skip
                event += 1
    return pd.DataFrame(rows, columns=TRUTH_COLUMNS), factor


def _gaps(
    random: Generator, truth: pd.DataFrame, series: int, bins: int, lost: float, hour: int
) -> npt.NDArray[np.bool_]:
    """Coverage lost at random, for everything at once, and now and then in the middle of an outage."""
    gone = np.zeros((series, bins), dtype=bool)
    for i in range(series):
        for _ in range(random.poisson(1.0)):
            at = int(random.integers(bins))
            gone[i, at : at + int(random.integers(1, 8 * hour))] = True
    for _ in range(2):
        at = int(random.integers(bins))
        gone[:, at : at + int(random.integers(1, 3 * hour))] = True
    for row in truth[["series", "start", "stop"]].to_numpy(dtype=np.int64):
        if random.random() < lost:
            at = int(random.integers(row[1], row[2]))
            gone[row[0], at : at + hour] = True
    return gone
