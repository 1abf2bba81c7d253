"""Are incidents, as told, what they say? False ones against the budget, the coverage of every interval, ids that stay.

    .venv/bin/python tests/benchmarks/bench_incidents.py [--first 2000] [--seeds 4]

Worlds are quiet catalogues (season, AR noise, talk, gaps, level shifts) in which outages are put on top, so that the
posts that an outage brought are known one by one; some cost an hour of the coverage of what they reach. Incidents are
made from the verdicts as ``clamor backtest`` makes them, those of two sources as ``clamor run`` does. Polls see counts
that come in late. All of it synthetic; seeds start at REPORT_SEED, on which no constant was chosen. What is judged
begins with the second week.
"""

import argparse
from dataclasses import dataclass, replace

import numpy as np
import other_worlds
import pandas as pd

from clamor.backtest import compare
from clamor.backtest.chance import rate_interval, share_interval
from clamor.budget import Budget
from clamor.detect import combine, detect, learn
from clamor.incidents import Rules, incidents, lookback
from clamor.run.evaluate import as_flags
from clamor.schema import INCIDENTS
from clamor.simulate.counts import CONTINENT_OF, NATURES, REPORT_SEED, Simulated, catalogue, negative_binomial

WEEK, DAY, HOUR = 672, 96, 4
DAYS = 5
"""Days that are polled."""
LOST = 0.1
"""Chance that an outage costs an hour of the coverage of the series that it reaches."""
BUDGETS = ("0.02", "0.1", "0.5", "2/month")
WORLDS = ("usual", "no chatter", "sudden chatter", "unsteady")
COLUMNS = ["service", "regions", "start_at", "end_at", "members", "lost"]


@dataclass(frozen=True)
class World:
    """A catalogue, the posts that outages brought to it ``(series, bins)``, and those outages."""

    counts: Simulated
    brought: np.ndarray
    events: pd.DataFrame

    @property
    def start(self):
        """Time of the first bin."""
        return self.counts.start.tz_localize("UTC")

    @property
    def end(self):
        """Time of the last bin's end."""
        return self.time(self.counts.posts.shape[1])

    def time(self, bins):
        """Start of a bin."""
        return self.start + pd.Timedelta(minutes=self.counts.bin_minutes) * bins

    def bin(self, time):
        """Number of the bin that begins at a time."""
        return int((time - self.start) / pd.Timedelta(minutes=self.counts.bin_minutes))


def draw(seed, nature, *, services=10, weeks=6, a_week=1.0):
    """Put outages on a quiet catalogue: of a region, a continent or all; fast or slow; none in the first week."""
    quiet = catalogue(seed, replace(nature, outages_per_week=0.0), services=services, weeks=weeks)
    random = np.random.default_rng([seed, 3])
    series, bins = quiet.posts.shape
    mean, lost, rows = np.zeros((series, bins)), np.zeros((series, bins), dtype=bool), []
    for s in range(services):
        end = WEEK
        for _ in range(random.poisson(a_week * (weeks - 1))):
            length = max(2, int(np.exp(random.uniform(*np.log(nature.outage_h))) * HOUR))
            start = end + int(random.exponential(WEEK / a_week / 2)) + 12 * HOUR
            end = start + length
            if end > bins - 12 * HOUR:
                break
            members = s * len(CONTINENT_OF) + reached(random)
            ratio = np.exp(random.uniform(*np.log(nature.ratios)))
            ramp = random.uniform(0.5, 2) * HOUR if random.random() < 0.4 else 1.0
            curve = np.minimum((np.arange(length) + 1) / min(ramp, length), 1)
            own = np.exp(random.normal(0, 0.25, (len(members), 1)))
            mean[members, start:end] = (ratio - 1) * own * curve * quiet.usual[members, start:end]
            gone = random.random() < LOST
            if gone:
                at = int(random.integers(start, end))
                lost[members, at : at + HOUR] = True
            rows.append((quiet.service[members[0]], [quiet.region[i] for i in members], start, end, members, gone))
    brought = negative_binomial(random, mean, 0.05)
    world = World(replace(quiet, posts=np.where(lost, np.nan, quiet.posts + brought), mentions=None), brought, None)
    events = pd.DataFrame(rows, columns=COLUMNS)
    for name in ("start_at", "end_at"):
        events[name] = pd.DatetimeIndex([world.time(each) for each in events[name]], tz="UTC")
    return replace(world, events=events.assign(event_id=[str(i) for i in range(len(events))]))


def reached(random):
    """Draw the regions of an outage: one, a continent's, or all."""
    regions, first = np.arange(len(CONTINENT_OF)), random.integers(len(CONTINENT_OF))
    near = np.array(CONTINENT_OF)[regions] == CONTINENT_OF[first]
    return regions[[regions == first, near, regions >= 0][random.integers(3)]]


def judge(counts, posts, source, rate, **options):
    """Return the flags of one source."""
    frame = replace(counts, posts=posts).frame()
    verdicts = detect(frame, counts.regions, bin_minutes=counts.bin_minutes, budget=rate, **options)
    return as_flags(verdicts, source=source, bin_minutes=counts.bin_minutes, now=pd.Timestamp("2030-01-01", tz="UTC"))


def tell(world, flags, rate, **options):
    """Make incidents of flags; they were detected at the end of their first outage bin."""
    options = {"now": world.end, **options}
    width = world.counts.bin_minutes
    return incidents(flags, regions=world.counts.regions, bin_minutes=width, rules=Rules(budget=rate), **options)


def beside(world, found):
    """Compare the incidents from the second week on with the truth."""
    window = (world.start + pd.Timedelta(weeks=1), world.end)
    found = found.assign(detected_at=found["opened_at"])
    return compare(found, world.events, regions=world.counts.regions, window=window, tolerance_minutes=60)


def thin(world, seed):
    """Return what a second, smaller source would count: noise of its own, three tenths of the posts, dark hours."""
    random = np.random.default_rng([seed, 4])
    shape = world.brought.shape
    scatter = random.uniform(0.03, 0.3, (shape[0], 1))
    posts = negative_binomial(random, 0.3 * world.counts.usual, scatter) + random.binomial(
        world.brought.astype(int), 0.3
    )
    dark = np.repeat(random.random(-(-shape[1] // 8)) < 0.03, 8)[: shape[1]]
    return np.where(dark, np.nan, posts)


def budgets(seeds):
    """Print false incidents a series-week beside the budget, by nature; last those of two sources together."""
    for name in (*WORLDS, "usual, two sources"):
        drawn = [(seed, draw(seed, NATURES[name.split(",")[0]])) for seed in seeds]
        for text in BUDGETS:
            false = found = events = weeks = 0
            for seed, world in drawn:
                series = len(world.counts.posts)
                rate = Budget.parse(text).rate(series)
                flags = judge(world.counts, world.counts.posts, "x", rate)
                if "two" in name:
                    flags = pd.concat(
                        [flags, judge(world.counts, thin(world, seed), "reddit", rate)], ignore_index=True
                    )
                    flags = pd.concat([flags, combine(flags, budget=rate)], ignore_index=True)
                compared = beside(world, tell(world, flags, rate))
                false, found = false + compared.false_alarms, found + compared.found
                events, weeks = events + len(compared.events), weeks + series * (compared.days / 7)
            low, high = (each / rate for each in rate_interval(false, weeks))
            share = false / weeks / rate
            print(f"{name:20s} {text:>8s}: {false:4d} false = {share:5.2f} ({low:.2f} to {high:.2f}) of the budget; "
                  f"{found} of {events} outages found", flush=True)  # fmt: skip


def excess(world, found, compared):
    """For each incident that speaks for an outage: the posts that it brought in its regions and time, and in all."""
    seen = np.where(np.isnan(world.counts.posts), 0, world.brought)
    right = compared.alarms.loc[compared.alarms["verdict"] == "found", ["incident_id", "event_id"]]
    for row in right.merge(found, on="incident_id").to_dict("records"):
        event = world.events.iloc[int(row["event_id"])]
        first = world.bin(row["onset_at"])
        end = world.bin(row["last_seen_at"] if pd.isna(row["recovered_at"]) else row["recovered_at"])
        regions = row["regions"] if row["scope"] != "global" else world.counts.region
        named = [i for i in event["members"] if world.counts.region[i] in regions]
        whole = seen[event["members"]][:, max(0, first - 4 * HOUR) : end + 4 * HOUR].sum()
        sizes = {"inside": seen[named, first:end].sum(), "whole": whole, "said": row["excess_posts"]}
        ends = {"low": row["excess_low_posts"], "high": row["excess_high_posts"]}
        yield {**sizes, **ends, "lost": event["lost"], "regions": len(named)}


def held(name, hits):
    """Print a share with its interval."""
    hits = [bool(hit) for hit in hits]
    low, high = share_interval(sum(hits), len(hits))
    print(f"    {name:58s} {np.mean(hits):.3f} ({low:.3f} to {high:.3f}) of {len(hits)}", flush=True)


def intervals(seeds, rate=0.1):
    """Print how often the 95% intervals of onset, recovery and excess hold the truth, and what regions are named."""
    for name in WORLDS:
        sizes, events = [], []
        for seed in seeds:
            world = draw(seed, NATURES[name])
            told = tell(world, judge(world.counts, world.counts.posts, "x", rate), rate)
            compared = beside(world, told)
            lost = world.events.set_index("event_id")["lost"]
            events.append(compared.events.assign(lost=compared.events["event_id"].map(lost)))
            sizes += excess(world, told, compared)
        size, event = pd.DataFrame(sizes), pd.concat(events, ignore_index=True)
        event = event.loc[event["found"].astype(bool)]
        over = event.loc[event["end_covered"].notna()]
        print(name)
        held("onset interval holds the beginning", event["onset_covered"])
        held("recovery interval holds the end", over["end_covered"])
        held("the same, of outages that cost an hour of coverage", over.loc[over["lost"], "end_covered"])
        hit = {each: (size["low"] <= size[each]) & (size[each] <= size["high"]) for each in ("inside", "whole")}
        held("excess interval holds what was brought there and then", hit["inside"])
        held("the same, incidents of one region", hit["inside"][size["regions"] == 1])
        held("excess interval holds all that the outage brought", hit["whole"])
        width = ((size["high"] - size["low"]) / size["said"]).median()
        off = {each: event[f"{each}_error_minutes"].astype(float) for each in ("onset", "end")}
        spans = "; ".join(
            f"{k} off by {v.quantile(0.1):.0f} to {v.quantile(0.9):.0f} min (80%)" for k, v in off.items()
        )
        places = " ".join(
            f"{each} {event[f'region_{each}'].astype(float).mean():.2f}" for each in ("precision", "recall")
        )
        print(f"    median width of the excess interval {width:.2f} of the excess; {spans}; regions: {places}; "
              f"{int(event['fragments'].sum())} told again", flush=True)  # fmt: skip


def elsewhere(seeds, rate=0.1):
    """Print the same of a second generator's outages, whose complaints die away over an hour after the end."""
    for name, options in (("second generator", {}), ("second generator, no talk", {"chatter": 0.0})):
        events, false, weeks = [], 0, 0.0
        for seed in seeds:
            world = other_worlds.catalogue(seed, **options)
            times, width = world.times(), pd.Timedelta(minutes=world.bin_minutes)
            ends = times.append(times[-1:] + width)
            rows = [
                {"service": world.services[hit["series"].iloc[0]], "regions": [world.regions[i] for i in hit["series"]],
                 "start_at": ends[hit["first"].min()], "end_at": ends[hit["last"].max()]}
                for _, hit in world.outages.groupby("outage")
            ]  # fmt: skip
            verdicts = detect(other_worlds.frame(world), bin_minutes=world.bin_minutes, budget=rate)
            flags = as_flags(verdicts, source="x", bin_minutes=world.bin_minutes, now=ends[-1])
            found = incidents(flags, now=ends[-1], bin_minutes=world.bin_minutes, rules=Rules(budget=rate))
            window = (times[0] + pd.Timedelta(weeks=1), ends[-1])
            found = found.assign(detected_at=found["opened_at"])
            compared = compare(found, pd.DataFrame(rows), window=window, tolerance_minutes=60)
            events.append(compared.events)
            false, weeks = false + compared.false_alarms, weeks + len(world.counts) * compared.days / 7
        event = pd.concat(events, ignore_index=True)
        print(
            f"{name}: {false / weeks / rate:.2f} of the budget false, {int(event['found'].sum())} of {len(event)} found"
        )
        held("onset interval holds the beginning", event["onset_covered"].dropna())
        held("recovery interval holds the end", event["end_covered"].dropna())


def polled(world, seed, rate):
    """Poll every hour of the last days; the newest two hours are only in part there. Yield the incidents after each."""
    random, counts, known = np.random.default_rng([seed, 5]), world.counts, INCIDENTS.empty()
    settled = judge(counts, counts.posts, "x", rate)
    bins = counts.posts.shape[1]
    for midnight in range(bins - DAYS * DAY, bins, DAY):
        taught = learn(replace(counts, posts=counts.posts[:, :midnight]).frame(), counts.regions, budget=rate)
        for now in range(midnight + HOUR, midnight + DAY + 1, HOUR):
            there = np.clip(0.4 + 0.6 * (now - np.arange(midnight, now)) / (2 * HOUR), 0, 1)
            posts = counts.posts[:, midnight:now]
            late = np.where(np.isnan(posts), np.nan, random.binomial(np.nan_to_num(posts).astype(int), there))
            today = replace(counts, start=world.time(midnight).tz_localize(None))
            flags = judge(today, late, "x", rate, learnt=taught)
            since = lookback(known, world.time(midnight))
            before = settled["bin_start"].between(since, world.time(midnight), inclusive="left")
            flags = pd.concat([settled.loc[before], flags], ignore_index=True)
            known = tell(world, flags, rate, previous=known, since=world.time(midnight), now=world.time(now))
            yield known


def late(seeds, rate=0.1):
    """Print how many incidents keep their id, and how many are withdrawn, as late counts come in."""
    counted = np.zeros(5, dtype=int)
    for seed in seeds:
        world = draw(seed, NATURES["usual"], services=8, a_week=4.0)
        told, known = set(), INCIDENTS.empty()
        for known in polled(world, seed, rate):
            told |= set(known["incident_id"])
        withdrawn = int((known["status"] == "withdrawn").sum())
        lately = world.events.loc[world.events["start_at"] >= world.end - pd.Timedelta(days=DAYS)]
        compared = compare(known, lately, regions=world.counts.regions, tolerance_minutes=60)
        counted += [len(told), withdrawn, len(told) - len(known), compared.found, len(lately)]
    ids, withdrawn, merged, found, events = counted.tolist()
    print("hourly polls, the newest two hours in part")
    print(f"    {ids} incidents told, {withdrawn} withdrawn later, {merged} merged into others, the rest keep their id")
    print(f"    {found} of {events} outages found", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=REPORT_SEED)
    parser.add_argument("--seeds", type=int, default=4)
    asked = parser.parse_args()
    seeds = range(asked.first, asked.first + asked.seeds)
    budgets(seeds)
    intervals(seeds)
    elsewhere(seeds)
    late(seeds)
