"""What is not known, in plain sentences: gaps, blind places, uneven coverage, unplaced posts, short baselines."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from clamor.report.drawn import runs
from clamor.report.ledger import SourceCoverage
from clamor.report.status import Incident
from clamor.report.window import NO_DATA, WARM_UP, Window
from clamor.report.words import Names, counted, listed, percent, period, span
from clamor.schema import UNKNOWN_REGION, WORLD, Status

_GAPS: Final = 6


@dataclass(frozen=True)
class Unknown:
    """One thing that is not known: a heading of a word or two, and a sentence."""

    what: str
    text: str


def unknowns(
    view: Window,
    sources: Sequence[SourceCoverage],
    incidents: Sequence[Incident],
    names: Names,
    now: pd.Timestamp,
) -> list[Unknown]:
    """Return everything that the data do not say, most important first. Never empty: some limits always hold."""
    found = [
        *_gaps(view, names, now),
        *_blind(view, names),
        *_ledger(sources, names),
        *_uneven(sources, incidents, names),
    ]
    found += [*_learning(view, names), *_unplaced(view, names), *_shares(incidents, names)]
    if view.skipped_rows:
        text = f"{view.skipped_rows:,} rows of other bin widths than {view.bin_minutes} minutes were left out."
        found.append(Unknown("Bin widths", text))
    limits = (
        "Complaints are what people post, not a measurement of the service. A place where few people post can fail "
        "unheard, and a small rise can be chance."
    )
    return [*found, Unknown("Always", limits)]


def _gaps(view: Window, names: Names, now: pd.Timestamp) -> list[Unknown]:
    """Stretches in which a source saw nothing at all."""
    found = []
    days_only = view.bin_minutes >= 1440
    for source, rows in view.counted.groupby("source"):
        blind = runs(view.ranks(rows.index), (NO_DATA,))
        if not blind:
            continue
        largest = sorted(sorted(blind, key=lambda run: run[0] - run[1])[:_GAPS])
        told = [period(view.at(a), view.at(b), now, days_only) for a, b, _ in largest]
        missing = pd.Timedelta(minutes=view.bin_minutes * sum(b - a for a, b, _ in blind))
        total = counted(missing.days, "day") if days_only else span(missing)
        more = f", and {len(blind) - len(told)} shorter ones" if len(blind) > len(told) else ""
        zone = "" if days_only else " UTC"
        text = f"{names.source(str(source))} has no data for {total} of this window: {'; '.join(told)}{zone}{more}."
        found.append(Unknown("Gap", text))
    return found


def _blind(view: Window, names: Names) -> list[Unknown]:
    """Regions that no source observed at all, and the series that miss much."""
    seen = view.decided[view.decided["region"].ne(UNKNOWN_REGION)].groupby("region")["observed"].max()
    never = [names.region(str(region)) for region in seen.index[seen == 0]]
    if not never:
        return []
    text = f"{listed(never, 12)}: no data in this window, for any service. Nothing can be said about {_them(never)}."
    return [Unknown("Blind spot", text)]


def _them(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"


def _ledger(sources: Sequence[SourceCoverage], names: Names) -> list[Unknown]:
    """Count the attempts that proved nothing."""
    found = []
    proving = {str(Status.OK), str(Status.PARTIAL), str(Status.SKIPPED)}
    for source in sources:
        bad = [(status, many) for status, many in source.ended if status not in proving]
        if bad:
            told = listed([f"{many:,} {status}" for status, many in bad], 6)
            many = counted(source.attempts, "attempt")
            text = f"{names.source(source.source)}: of {many}, {told}. Later attempts may have filled their gaps."
            found.append(Unknown("Failed attempts", text))
    return found


def _uneven(sources: Sequence[SourceCoverage], incidents: Sequence[Incident], names: Names) -> list[Unknown]:
    """Name the sources that were observed unevenly."""
    found = []
    for source in sources:
        partial = dict(source.ended).get(str(Status.PARTIAL), 0)
        if partial:
            text = (
                f"{names.source(source.source)}: {counted(partial, 'attempt')} only partial (an archive without "
                "proof of what it covers, or a page cut short). They count as observed; a rise may be the collecting."
            )
            found.append(Unknown("Uneven", text))
    uneven = sum(bool(i["uneven"]) for i in incidents)
    if uneven:
        text = f"{counted(uneven, 'incident rests', 'incidents rest')} on such data: sizes and times may be artefacts."
        found.append(Unknown("Uneven", text))
    return found


def _learning(view: Window, names: Names) -> list[Unknown]:
    """Series whose baseline is not there yet."""
    learning = view.decided[view.decided["rank"] == WARM_UP]
    if learning.empty:
        return []
    services = [names.service(str(s)) for s in learning["service"].unique()]
    many = f"{len(learning):,} of {counted(len(view.decided), 'series', 'series')}"
    return [Unknown("Learning", f"{many} ({listed(services, 5)}) are still learning what is normal: not judged.")]


def _unplaced(view: Window, names: Names) -> list[Unknown]:
    """Say how many posts have no known place, as a share of the source's where both are counted."""
    found = []
    series = view.series[view.series["region"].isin([UNKNOWN_REGION, WORLD])]
    for source, rows in series.groupby("source"):
        lost, whole = (_posts(view, rows.index[rows["region"] == region]) for region in (UNKNOWN_REGION, WORLD))
        if lost > 0:
            share = f"{percent(lost / whole)} of its posts" if whole >= lost else "some of its posts"
            text = f"{names.source(str(source))}: {share} come from a place not known; they count for no country."
            found.append(Unknown("Place", text))
    return found


def _posts(view: Window, rows: "pd.Index[int]") -> float:
    return float(sum(np.nansum(view.read(int(row)).numbers["posts"]) for row in rows))


def _shares(incidents: Sequence[Incident], names: Names) -> list[Unknown]:
    """Name the services whose incidents have no symptoms told apart."""
    unread = [i for i in incidents if not len(i["symptoms"])]
    if not unread:
        return []
    services = list(dict.fromkeys(names.service(i["service"]) for i in unread))
    return [
        Unknown(
            "Symptoms", f"{listed(services, 5)}: no symptoms were told apart, so what people complain of is not known."
        )
    ]
