"""What posts say in a case: symptoms in excess over what is usual, the first-hand share, and claims.

Two kinds of posts were read one by one: samples of a source that is only counted, and the complaints of a source whose
posts are all read. Both are added up (shares, never volumes). A symptom is named if more posts tell of it than are
explained by its usual share in the posts that would have come anyway, and by misreading; its share is that of the posts
in excess.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd
from scipy.special import gammainc

from clamor.incidents.case import Case
from clamor.incidents.episodes import Rows
from clamor.incidents.measured import Series, clearest, known
from clamor.incidents.scope import Tree
from clamor.incidents.shares import Posts, share
from clamor.schema import ANY_SYMPTOM, WORLD, Scope, Signal, Symptom

LEAST_SAMPLE: Final = 20
"""A region's own sample describes an incident there only from so many complaints on; else the world's does."""
LEAST_HISTORY: Final = 30
"""Posts before the incident that it takes to say what is usual."""
MISREAD: Final = 0.01
"""Share of complaints in which a given symptom is found that is not there; about so on synthetic posts."""
CHANCE: Final = 0.005
"""A symptom that chance brings more often is not named: nine are looked for, so one incident in twenty has one."""


@dataclass(frozen=True)
class Said:
    """What posts of the services say: read samples, complaints by symptom, claims; and where coverage was uneven."""

    samples: Posts | None
    symptoms: Posts | None
    claims: Posts | None
    uneven: pd.DataFrame | None

    @classmethod
    def of(
        cls,
        services: Collection[str],
        samples: pd.DataFrame | None,
        claims: pd.DataFrame | None,
        symptoms: pd.DataFrame | None,
        uneven: pd.DataFrame | None,
    ) -> "Said":
        """Keep what is about these services."""
        wanted = sorted(set(services))

        def posts(frame: pd.DataFrame | None, name: str, extra: str | None = None) -> Posts | None:
            if frame is None or not wanted:
                return None
            keep = frame["service"].isin(wanted)
            if "signal" in frame:
                keep &= frame["signal"] == str(Signal.COMPLAINT)
            return Posts(frame.loc[keep], name, extra) if keep.any() else None

        rough = uneven.loc[uneven["uneven"] & uneven["service"].isin(wanted)] if uneven is not None else None
        return cls(posts(samples, "symptom", "sample_size"), posts(symptoms, "symptom"), posts(claims, "claim"), rough)


@dataclass
class _Read:
    """Complaints that were read, by symptom; ``usual`` of them would have come anyway."""

    size: float = 0.0
    usual: float = 0.0
    counts: dict[str, float] = field(default_factory=dict)

    def add(self, size: float, usual: float, counts: Mapping[str, float]) -> None:
        """Add those of one source."""
        self.size += size
        self.usual += min(usual, size)
        for name, posts in counts.items():
            self.counts[name] = self.counts.get(name, 0.0) + posts


def symptoms(case: Case, rows: Rows, tree: Tree, said: Said) -> list[dict[str, Any]]:
    """Return the shares of the symptoms that a case brought, the largest first, and last of those that name none."""
    read = _Read()
    for series in clearest(case, rows, tree, most=1):
        _add_read(read, case, rows, tree, said, series)
    usual = _usual(case, rows, said)
    fraction = read.usual / read.size if read.size else 0.0
    named = []
    for name, hits in read.counts.items():
        explained = read.usual * usual.get(name, 0.0) + (read.size - read.usual) * MISREAD
        if name == Symptom.OTHER or gammainc(hits, max(explained, 1e-9)) <= CHANCE:
            named.append(share(name, hits, read.size, usual.get(name, 0.0), fraction if usual else 0.0))
    told = (row for row in named if row["share"] > 0)
    return sorted(told, key=lambda row: (row["name"] == Symptom.OTHER, -row["share"], row["name"]))


def _add_read(read: _Read, case: Case, rows: Rows, tree: Tree, said: Said, series: Series) -> None:
    """Add what was read of one source: its sample, or else its complaints by symptom."""
    inside = known(rows, series.inside)
    posts = float(rows.value["posts"][inside].sum())
    usual = float(rows.value["expected_posts"][inside].sum())
    if said.samples and series.source in said.samples.sources(case.service):
        counts, _ = _sample(said.samples, case, series.source, _window(case, rows))
        size = counts.pop(ANY_SYMPTOM, 0.0)
        read.add(size, size * min(1.0, usual / posts) if posts else 0.0, counts)
    elif said.symptoms and series.source in said.symptoms.sources(case.service):
        places = said.symptoms.regions_of(case.service, series.source)
        (region,) = series.regions
        near = [region] if region in places else [r for r in places if region in tree.path(r)]
        starts = rows.start + rows.bin[inside] * rows.width
        read.add(posts, usual, said.symptoms.within(case.service, series.source, starts, rows.width, near))


def _usual(case: Case, rows: Rows, said: Said) -> dict[str, float]:
    """Return the usual share of each symptom in the complaints before the case, of all sources; empty if not known."""
    counts: dict[str, float] = {}
    for source in said.symptoms.sources(case.service) if said.symptoms else ():
        before = said.symptoms.totals(case.service, source, 0, rows.time(case.first)) if said.symptoms else {}
        counts = {name: counts.get(name, 0.0) + before.get(name, 0.0) for name in {*counts, *before}}
    total = sum(counts.values())
    return {name: posts / total for name, posts in counts.items()} if total >= LEAST_HISTORY else {}


def _window(case: Case, rows: Rows) -> tuple[int, int]:
    return rows.time(case.first), rows.time(case.until + 1)


def first_hand(case: Case, rows: Rows, said: Said) -> dict[str, Any] | None:
    """Return the share of first-hand complaints in the largest sample of posts that the complaint query matched."""
    best = None
    for source in said.samples.sources(case.service) if said.samples else ():
        counts, read = _sample(said.samples, case, source, _window(case, rows)) if said.samples else ({}, 0.0)
        if read > 0 and (best is None or read > best["sample_size"]):
            best = share("first-hand", counts.get(ANY_SYMPTOM, 0.0), read)
    return best


def _sample(posts: Posts, case: Case, source: str, window: tuple[int, int]) -> tuple[dict[str, float], float]:
    """Return counts of read posts by symptom and the number read: of the named regions if enough, else of the world."""
    counts: dict[str, float] = {}
    read = 0.0
    for regions in (case.named, [WORLD]):
        counts = posts.totals(case.service, source, *window, regions)
        read = posts.extras(case.service, source, *window, regions).get(ANY_SYMPTOM, 0.0)
        if counts.get(ANY_SYMPTOM, 0.0) >= LEAST_SAMPLE and len(counts) > 1:
            break
    return counts, read


def claims(case: Case, rows: Rows, tree: Tree, said: Said) -> list[dict[str, Any]]:
    """Return each claim's share among the statements of a cause or recovery, of the source with most of them."""
    if said.claims is None:
        return []
    best: dict[str, float] = {}
    for source in said.claims.sources(case.service):
        places = said.claims.regions_of(case.service, source)
        near = None if case.scope == Scope.GLOBAL else [r for r in places if set(tree.path(r)) & set(case.named)]
        counts = said.claims.totals(case.service, source, *_window(case, rows), near)
        best = max(best, counts, key=lambda found: sum(found.values()))
    total = sum(best.values())
    told = (share(name, posts, total) for name, posts in best.items() if posts > 0)
    return sorted(told, key=lambda row: (-row["share"], row["name"]))
