"""A case as a row of the incidents table: its times, size, severity and what posts say."""

from typing import Any

import numpy as np

from clamor.baseline import excess_interval
from clamor.incidents.case import Case, Turn
from clamor.incidents.episodes import ELEVATED, NORMAL, Ints, Rows
from clamor.incidents.evidence import LEAST_EXPECTED, severity, tail
from clamor.incidents.identity import Identity
from clamor.incidents.measured import Bins, Series, known, measured_by
from clamor.incidents.said import Said, claims, first_hand, symptoms
from clamor.incidents.scope import Tree
from clamor.schema import ALL_SOURCES, Ending, IncidentStatus, Scope

HOURS_US = 4 * 3600 * 1_000_000
LEVEL_US, LEVEL_BINS = 6 * 3600 * 1_000_000, 7
"""What held for less is no level: hours, and in wide bins a week of days."""
DAY_US = 24 * 3600 * 1_000_000
LAST_P = 0.05
"""A bin whose posts are less likely than this still shows the outage."""


def row_of(case: Case, name: Identity, rows: Rows, tree: Tree, said: Said, stamp: dict[str, Any]) -> dict[str, Any]:
    """Return the INCIDENTS row of a case; times in microseconds since the epoch."""
    series = measured_by(case, rows, tree)
    began, ended = _turns(case, rows, series)
    size = _size(rows, series, began, ended)
    probability = 1.0 - case.q_value if case.q_value == case.q_value else 0.0
    wide = case.scope in (Scope.GLOBAL, Scope.MULTI_COUNTRY, Scope.SHARED_CAUSE)
    row = {
        "incident_id": name.incident_id,
        "service": case.service,
        "services": list(case.services),
        "scope": str(case.scope),
        "regions": case.named,
        **_times(case, rows, series, began, ended),
        "opened_at": rows.time(case.opened + 1),
        "detected_at": name.detected_at or stamp["computed_at"],
        "peak_ratio": size["peak_ratio"],
        "severity": str(severity(probability, size["peak_ratio"], size["excess_low_posts"], wide=wide)),
        "probability": probability,
        **size,
        "first_hand_share": first_hand(case, rows, said),
        "symptoms": symptoms(case, rows, tree, said),
        "claims": claims(case, rows, tree, said),
        "sources": _sources(case, rows),
        "uneven": _uneven(case, rows, said, series),
        "merged_from": name.merged_from,
        **stamp,
    }
    return _older(row, name.before, rows.start)


def _turns(case: Case, rows: Rows, series: Series | None) -> tuple[Turn, Turn | None]:
    """Return when a case began, and when it was over if it is: told by the posts, since flags look back and linger."""
    began = case.began or Turn(case.first, min(case.clear_before, case.first), case.opened + 1)
    if case.status == IncidentStatus.RECOVERED and case.ended is None:
        return began, _quiet(case, Bins.of(rows, series.inside if series is not None else np.empty(0, np.int64)))
    return began, case.ended


def _size(rows: Rows, series: Series | None, began: Turn, ended: Turn | None) -> dict[str, Any]:
    """Return peak and excess; the excess may be as large as it is from the earliest beginning to the latest end."""
    if series is None:
        source = rows.sources[0] if len(rows.sources) == 1 else ALL_SOURCES
        nothing = dict.fromkeys(("peak_ratio", "excess_posts", "excess_low_posts", "excess_high_posts"))
        return {**nothing, "excess_source": source}
    excess, low, high = _excess(rows, series.inside)
    at = rows.bin[series.rows]
    early = at >= min(began.low, int(rows.bin[series.inside].min()))
    late = at < (rows.bin[series.inside].max() + 1 if ended is None else ended.high)
    low, high = min(low, excess), max(high, excess, _excess(rows, series.rows[early & late])[2])
    bins = Bins.of(rows, series.inside)
    peak = int(np.argmax(bins.excess))
    return {
        "peak_ratio": float((bins.posts[peak] + 0.5) / (bins.expected[peak] + 0.5)),
        "excess_posts": excess,
        "excess_low_posts": low,
        "excess_high_posts": high,
        "excess_source": series.source,
    }


def _excess(rows: Rows, index: Ints) -> tuple[float, float, float]:
    """Return the excess posts of some rows and its interval."""
    index = known(rows, index)
    posts, mean = rows.value["posts"][index], rows.value["expected_posts"][index]
    disp, cv = (np.nan_to_num(rows.value[name][index]) for name in ("dispersion", "level_cv"))
    return excess_interval(posts, mean, disp, cv)


def _times(case: Case, rows: Rows, series: Series | None, began: Turn, ended: Turn | None) -> dict[str, Any]:
    """Return the times of a case."""
    peak = case.opened
    bins = Bins.of(rows, series.inside if series is not None else np.empty(0, np.int64))
    if len(bins.bin):
        peak = int(bins.bin[np.argmax(bins.excess)])
    return {
        "status": str(case.status),
        "onset_at": rows.time(began.at),
        "onset_low_at": rows.time(began.low),
        "onset_high_at": rows.time(began.high),
        "recovered_at": rows.time(ended.at) if ended else None,
        "recovered_low_at": rows.time(ended.low) if ended else None,
        "recovered_high_at": rows.time(ended.high) if ended else None,
        "ending": _ending(case, rows, series, ended),
        "last_seen_at": rows.time(case.last + 1),
        "peak_at": rows.time(peak),
    }


def _ending(case: Case, rows: Rows, series: Series | None, ended: Turn | None) -> str | None:
    """Say what ended a case. It became normal if posts stay up and no flag minds, or what is expected has followed.

    Posts and expectation of some hours from the end on are compared with what was expected at the same time of the last
    day before the case: more than half (in logarithms) of the rise of the case's first hours is still there.
    """
    if ended is None:
        return None
    how = str(Ending.QUIET if case.ended is None else Ending.POSTS)
    if series is None or ended.at - case.since < max(LEVEL_US // rows.width, LEVEL_BINS):
        return how
    hours = max(1, HOURS_US // rows.width)
    shift = -(-(ended.at + hours - case.first) * rows.width // DAY_US) * DAY_US // rows.width
    bins = Bins.of(rows, series.rows)
    mean = dict(zip(bins.bin.tolist(), bins.expected.tolist(), strict=True))
    posts = dict(zip(bins.bin.tolist(), bins.posts.tolist(), strict=True))
    later = [b for b in range(ended.at, ended.at + hours) if b in mean and b - shift in mean]
    first = [b for b in range(case.opened, case.opened + hours) if b in mean]
    then = sum(mean[b - shift] for b in later)
    rise = max(1.0, sum(posts[b] for b in first) / max(sum(mean[b] for b in first), LEAST_EXPECTED))
    level = min(sum(values[b] for b in later) for values in ((posts,) if case.ended is None else (posts, mean)))
    return str(Ending.NEW_NORMAL) if then > 0 and level / then > rise**0.5 else how


def _quiet(case: Case, bins: Bins) -> Turn:
    """Return when a case was over that flags say is over: after the last bin whose posts showed it, if any did."""
    high = bins.bin[tail(bins.posts, bins.expected, bins.variance) < LAST_P]
    last, closed = (int(high[-1]), min(case.closed, int(high[-1]))) if len(high) else (case.last, case.closed)
    first, latest = case.doubt or (closed, last + 1)
    return Turn(last + 1, min(closed, first), max(case.clear_after + 1, latest))


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
        if len(there) < (case.until - case.since + 1) * len(series.regions) or (rows.rank[there] < NORMAL).any():
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
