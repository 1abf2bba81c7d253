"""A case as a row of the incidents table: its times, size, severity and what posts say."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from clamor.baseline import excess_interval
from clamor.incidents.case import Case, Turn
from clamor.incidents.episodes import ELEVATED, NORMAL, Ints, Rows
from clamor.incidents.evidence import severity, tail
from clamor.incidents.identity import Identity
from clamor.incidents.measured import Series, known, measured_by
from clamor.incidents.scope import Tree
from clamor.incidents.shares import Posts, described, share
from clamor.schema import ALL_SOURCES, ANY_SYMPTOM, WORLD, IncidentStatus, Scope, Signal

LAST_P = 0.05
"""A bin whose posts are less likely than this still shows the outage."""
LEAST_SAMPLE = 20
"""A region's own sample describes an incident there only from so many complaints on; else the world's does."""


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


def row_of(case: Case, name: Identity, rows: Rows, tree: Tree, said: Said, stamp: dict[str, Any]) -> dict[str, Any]:
    """Return the INCIDENTS row of a case; times in microseconds since the epoch."""
    series = measured_by(case, rows, tree)
    size = _size(case, rows, series)
    probability = 1.0 - case.q_value if case.q_value == case.q_value else 0.0
    wide = case.scope in (Scope.GLOBAL, Scope.MULTI_COUNTRY, Scope.SHARED_CAUSE)
    first_hand, shares = _symptoms(case, rows, tree, said, series)
    row = {
        "incident_id": name.incident_id,
        "service": case.service,
        "services": list(case.services),
        "scope": str(case.scope),
        "regions": case.named,
        **_times(case, rows, series),
        "detected_at": name.detected_at or stamp["computed_at"],
        "peak_ratio": size["peak_ratio"],
        "severity": str(severity(probability, size["peak_ratio"], size["excess_low_posts"], wide=wide)),
        "probability": probability,
        **size,
        "first_hand_share": first_hand,
        "symptoms": shares,
        "claims": _claims(case, rows, tree, said),
        "sources": _sources(case, rows),
        "uneven": _uneven(case, rows, said, series),
        "merged_from": name.merged_from,
        **stamp,
    }
    return _older(row, name.before, rows.start)


def _size(case: Case, rows: Rows, series: Series | None) -> dict[str, Any]:
    if series is None:
        source = rows.sources[0] if len(rows.sources) == 1 else ALL_SOURCES
        nothing = dict.fromkeys(("peak_ratio", "excess_posts", "excess_low_posts", "excess_high_posts"))
        return {**nothing, "excess_source": source}
    index = known(rows, series.inside)
    posts, mean = rows.value["posts"][index], rows.value["expected_posts"][index]
    disp, cv = (np.nan_to_num(rows.value[name][index]) for name in ("dispersion", "level_cv"))
    excess, low, high = excess_interval(posts, mean, disp, cv)
    low, high = min(low, excess), max(high, excess)
    peak = int(np.argmax(posts - mean))
    return {
        "peak_ratio": float((posts[peak] + 0.5) / (mean[peak] + 0.5)),
        "excess_posts": excess,
        "excess_low_posts": low,
        "excess_high_posts": high,
        "excess_source": series.source,
    }


def _times(case: Case, rows: Rows, series: Series | None) -> dict[str, Any]:
    """Return the times of a case; its end is told by the posts, since flags look back over windows and linger."""
    peak, ended = case.opened, case.ended
    began = case.began or Turn(case.first, min(case.clear_before, case.first), case.opened + 1)
    index = known(rows, series.inside) if series is not None else np.empty(0, np.int64)
    if case.status == IncidentStatus.RECOVERED and ended is None:
        ended = _quiet(case, rows, index)
    if len(index):
        peak = int(rows.bin[index[np.argmax(rows.value["posts"][index] - rows.value["expected_posts"][index])]])
    return {
        "status": str(case.status),
        "onset_at": rows.time(began.at),
        "onset_low_at": rows.time(began.low),
        "onset_high_at": rows.time(began.high),
        "recovered_at": rows.time(ended.at) if ended else None,
        "recovered_low_at": rows.time(ended.low) if ended else None,
        "recovered_high_at": rows.time(ended.high) if ended else None,
        "last_seen_at": rows.time(case.last + 1),
        "peak_at": rows.time(peak),
    }


def _quiet(case: Case, rows: Rows, index: Ints) -> Turn:
    """Return when a case was over that flags say is over: after the last bin whose posts showed it, if any did."""
    mean = rows.value["expected_posts"][index]
    disp, cv = (np.nan_to_num(rows.value[name][index]) for name in ("dispersion", "level_cv"))
    chance = tail(rows.value["posts"][index], mean, mean + (disp + cv**2) * mean**2)
    high = rows.bin[index[chance < LAST_P]]
    last, closed = (int(high[-1]), min(case.closed, int(high[-1]))) if len(high) else (case.last, case.closed)
    return Turn(last + 1, closed, case.clear_after + 1)


def _symptoms(
    case: Case, rows: Rows, tree: Tree, said: Said, series: Series | None
) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """Return the first-hand share of read posts, and symptom shares of the source that says most about them."""
    window = (rows.time(case.first), rows.time(case.until + 1))
    first_hand = None
    options: list[tuple[float, str, list[dict[str, Any]]]] = []
    for source in said.samples.sources(case.service) if said.samples else ():
        counts, read = _sample(said.samples, case, source, window)
        complaints = counts.pop(ANY_SYMPTOM, 0.0)
        if read > 0 and (first_hand is None or read > first_hand["sample_size"]):
            first_hand = share("first-hand", complaints, read)
        if complaints > 0:
            options.append((complaints, source, described(counts, complaints, {}, 0.0, 0.0)))
    counted = said.symptoms.sources(case.service) if said.symptoms else ()
    options.extend(_counted(said.symptoms, case, rows, tree, source, series) for source in counted)
    best = max(options, key=lambda option: (option[0] if option[2] else -1.0, option[1]), default=(0.0, "", []))
    return first_hand, best[2]


def _sample(posts: Posts | None, case: Case, source: str, window: tuple[int, int]) -> tuple[dict[str, float], float]:
    """Return counts of read posts by symptom and the number read: of the named regions if enough, else of the world."""
    counts: dict[str, float] = {}
    read = 0.0
    for regions in (case.named, [WORLD]):
        counts = posts.totals(case.service, source, *window, regions) if posts else {}
        read = posts.extras(case.service, source, *window, regions).get(ANY_SYMPTOM, 0.0) if posts else 0.0
        if counts.get(ANY_SYMPTOM, 0.0) >= LEAST_SAMPLE and len(counts) > 1:
            break
    return counts, read


def _counted(
    posts: Posts | None, case: Case, rows: Rows, tree: Tree, source: str, series: Series | None
) -> tuple[float, str, list[dict[str, Any]]]:
    """Return symptom shares of counted complaints, with what is usual for the service taken off."""
    if posts is None or series is None or source != series.source:
        return 0.0, source, []
    places = posts.regions_of(case.service, source)
    regions = [series.region] if series.region in places else [r for r in places if series.region in tree.path(r)]
    inside, before = known(rows, series.inside), known(rows, series.before)
    size = float(rows.value["posts"][inside].sum())
    usual = float(rows.value["expected_posts"][inside].sum())
    counts, history = (
        posts.within(case.service, source, rows.start + rows.bin[index] * rows.width, rows.width, regions)
        for index in (inside, before)
    )
    history_size = float(rows.value["posts"][before].sum())
    counts.pop(ANY_SYMPTOM, None)
    return size, source, described(counts, size, history, history_size, usual / size if size else 0.0)


def _claims(case: Case, rows: Rows, tree: Tree, said: Said) -> list[dict[str, Any]]:
    """Return each claim's share among the statements of a cause or recovery, of the source with most of them."""
    if said.claims is None:
        return []
    window = (rows.time(case.first), rows.time(case.until + 1))
    best: dict[str, float] = {}
    for source in said.claims.sources(case.service):
        places = said.claims.regions_of(case.service, source)
        near = None if case.scope == Scope.GLOBAL else [r for r in places if set(tree.path(r)) & set(case.named)]
        counts = said.claims.totals(case.service, source, *window, near)
        best = max(best, counts, key=lambda found: sum(found.values()))
    return described(best, sum(best.values()), {}, 0.0, 0.0)


def _sources(case: Case, rows: Rows) -> list[str]:
    """Return the sources that showed it: those flagged themselves, else the clearest one."""
    found = case.found
    if found is None or not len(found.source):
        return [ALL_SOURCES]
    hit = np.array([rows.regions[r] in case.excess for r in found.item], bool)
    showed = sorted({rows.sources[s] for s in found.source[hit & (found.rank >= ELEVATED)].tolist()})
    return showed or [rows.sources[found.source[int(np.argmax(found.z))]]]


def _uneven(case: Case, rows: Rows, said: Said, series: Series | None) -> bool:
    """Tell whether some of the window was observed unevenly or not at all."""
    if series is not None:
        there = known(rows, series.inside)
        if len(there) < case.until - case.first + 1 or (rows.rank[there] < NORMAL).any():
            return True
    if said.uneven is None or said.uneven.empty:
        return False
    rough = said.uneven.loc[said.uneven["service"] == case.service]
    start = rough["bin_start"].astype("datetime64[us, UTC]").astype("int64")
    return bool(((start >= rows.time(case.first)) & (start <= rows.time(case.until))).any())


def _older(row: dict[str, Any], before: list[dict[str, Any]], window_start: int) -> dict[str, Any]:
    """Keep from what was known before what lies before the window: the onset, and the larger peak and excess."""
    for old in before:
        if old["onset_at"] >= window_start:
            continue
        row |= {name: old[name] for name in ("onset_at", "onset_low_at", "onset_high_at") if old[name] < row[name]}
        row["probability"] = max(row["probability"], old["probability"])
        if (old["peak_ratio"] or 0.0) > (row["peak_ratio"] or 0.0):
            row |= {name: old[name] for name in ("peak_ratio", "peak_at", "severity")}
        if (old["excess_posts"] or 0.0) > (row["excess_posts"] or 0.0):
            row |= {name: old[name] for name in old if name.startswith("excess_")}
    return row
