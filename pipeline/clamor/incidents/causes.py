"""Which cases are one cause: a provider that takes many services along, or a platform that lights up providers.

Two rules, both by size. *Shared cause*: several services begin to fail in one country at the same time and nowhere
else; they become one case that blames the provider among them, unless another service is much larger. *Echo*: people
blame their internet provider when a big platform fails; a provider's case inside a much larger case of a platform in
the same regions is no outage of its own.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import numpy as np

from clamor.incidents.case import Case
from clamor.incidents.episodes import Rows
from clamor.incidents.evidence import Window, cells, single, tail, together
from clamor.incidents.rules import Rules
from clamor.incidents.scope import Tree
from clamor.schema import IncidentStatus, Scope


def join(
    cases: Sequence[Case], rows: Rows, tree: Tree, rules: Rules, *, providers: Collection[str], quiet_bins: int
) -> list[Case]:
    """Join the cases that share a cause and drop echoes into the case that they echo; the rest stay as they are."""
    nearby: Nearby | None = None
    gone: set[int] = set()
    joined: list[Case] = []
    for country, cluster in _clusters(cases, tree, quiet_bins):
        if len(cluster) < 2 and not any(cases[i].service in providers for i in cluster):
            continue
        nearby = nearby or Nearby(cases, rows, providers)
        members = [cases[i] for i in cluster]
        extra = nearby.also(members, country, rules)
        exposure = (nearby.watched(country), (quiet_bins + 1) * rows.width)
        shared = _share(members, extra, country, rows, rules, providers, exposure)
        if shared is not None:
            joined.append(shared)
            gone.update(cluster)
    alone = _late([case for i, case in enumerate(cases) if i not in gone], joined, rows, tree, providers)
    return sorted([*_drop_echoes(alone, rows, tree, rules, providers, quiet_bins), *joined], key=_order)


def _order(case: Case) -> tuple[object, ...]:
    return (case.service, case.first, case.born)


def _clusters(cases: Sequence[Case], tree: Tree, quiet_bins: int) -> Iterator[tuple[str, list[int]]]:
    """Yield each country with the cases that lie in it alone and began within the closing time of each other."""
    local: dict[str, list[int]] = {}
    for i, case in enumerate(cases):
        countries = {tree.country(region) for region in case.named}
        if case.scope in (Scope.COUNTRY, Scope.SUBDIVISION) and len(countries) == 1 and (country := countries.pop()):
            local.setdefault(country, []).append(i)
    for country, members in sorted(local.items()):
        cluster: list[int] = []
        for i in sorted(members, key=lambda i: (cases[i].born, cases[i].service)):
            if cluster and cases[i].born[0] - cases[cluster[0]].born[0] > quiet_bins:
                yield country, cluster
                cluster = []
            cluster.append(i)
        yield country, cluster


class Nearby:
    """What else happens in a country at a time, looked up without reading all rows for each question."""

    def __init__(self, cases: Sequence[Case], rows: Rows, providers: Collection[str]) -> None:
        self._cases, self._rows, self._providers = cases, rows, providers
        self._first = np.array([case.first for case in cases], np.int64)
        self._last = np.array([case.last for case in cases], np.int64)
        self._window = Window(rows.region, rows.bin)
        pairs = np.unique(rows.region * len(rows.services) + rows.service)
        self._services = np.bincount(pairs // len(rows.services), minlength=len(rows.regions))

    def watched(self, country: str) -> int:
        """Return how many services have a series in the country."""
        return int(self._services[self._rows.regions.index(country)]) if country in self._rows.regions else 0

    def also(self, members: Sequence[Case], country: str, rules: Rules) -> list[str]:
        """Return services without a case of their own that suffer there at the members' time.

        They are judged together, source by source, as each alone may be too small to tell; by a milder limit beside
        a provider. If they show an excess, those are named that have one themselves by the mildest.
        """
        rows = self._rows
        if country not in rows.regions:
            return []
        first, last = min(case.first for case in members), max(case.last for case in members)
        index = self._window.rows(rows.regions.index(country), first, last)
        found = single(rows, cells(rows, index, rows.service))
        near = np.flatnonzero((self._first <= last) & (self._last >= first)).tolist()
        busy = {service for i in near for service in self._cases[i].services}
        found = found.where(np.array([rows.services[i] not in busy for i in found.item.tolist()], bool))
        names: set[str] = set()
        sources = np.unique(found.source)
        limit = rules.flagged_p if any(case.service in self._providers for case in members) else rules.region_p
        for source in sources:
            one = found.where(found.source == source)
            if together(one, limit / len(sources), rules.region_ratio):
                chance = tail(one.posts, one.expected, one.variance)
                hit = (chance < rules.pooled_p) & (one.posts >= rules.region_ratio * one.expected) & (one.known > 0)
                names |= {rows.services[i] for i in one.item[hit].tolist()}
        return sorted(names)


def size(case: Case, rows: Rows, region: str) -> dict[str, float]:
    """Return the excess posts of a case in a region, by source."""
    found = case.found
    if found is None or region not in rows.regions:
        return {}
    at = np.flatnonzero(found.item == rows.regions.index(region))
    return {rows.sources[found.source[i]]: max(0.0, float(found.excess[i])) for i in at.tolist()}


def _share(
    members: list[Case],
    extra: list[str],
    country: str,
    rows: Rows,
    rules: Rules,
    providers: Collection[str],
    exposure: tuple[int, int],
) -> Case | None:
    """Join the members of a cluster if they are enough to share a cause, and more than meet by chance.

    ``exposure`` is the number of services watched in the country and the microseconds within which they began.
    """
    has_provider = any(case.service in providers for case in members)
    services = [*(case.service for case in members), *extra]
    if len(set(services)) < max(2, rules.shared_services - has_provider):
        return None
    if not rules.rare(len(members) + len(extra) - 1, *exposure):
        return None
    cause = _blame(members, country, rows, rules, providers)
    others = [service for service in services if service not in providers]
    if has_provider and cause.service not in providers and len(others) < rules.shared_services:
        return None
    rest = sorted(set(services) - {cause.service})
    statuses = {case.status for case in members}
    status = next(
        s for s in (IncidentStatus.ONGOING, IncidentStatus.RECOVERED, IncidentStatus.UNKNOWN) if s in statuses
    )
    q_values = [case.q_value for case in members if not np.isnan(case.q_value)]
    leader = min(members, key=lambda case: (case.first, -case.clear_before))
    return replace(
        cause,
        services=(cause.service, *rest),
        born=min((case.born for case in members), key=lambda born: (born[0], born[1] not in providers, born[1])),
        first=leader.first,
        last=max(case.last for case in members),
        opened=min(case.opened for case in members),
        closed=max(case.closed for case in members),
        clear_before=leader.clear_before,
        clear_after=max(case.clear_after for case in members) if status == IncidentStatus.RECOVERED else -1,
        status=status,
        q_value=min(q_values, default=float("nan")),
        named=sorted({region for case in members for region in case.named}, key=lambda r: (r != country, r)),
        scope=Scope.SHARED_CAUSE,
    )


def _blame(members: list[Case], country: str, rows: Rows, rules: Rules, providers: Collection[str]) -> Case:
    """Return the largest provider, unless a service is ``blame_ratio`` times as large: then that one."""
    sizes = [size(case, rows, country) for case in members]
    sources = sorted({source for by_source in sizes for source in by_source})
    source = max(sources, key=lambda s: sum(by_source.get(s, 0.0) for by_source in sizes), default="")
    ranked = sorted(
        zip((by_source.get(source, 0.0) for by_source in sizes), members, strict=True),
        key=lambda pair: (-pair[0], pair[1].service),
    )
    provider = next((pair for pair in ranked if pair[1].service in providers), ranked[0])
    return ranked[0][1] if ranked[0][0] > rules.blame_ratio * provider[0] else provider[1]


def _late(cases: list[Case], joined: list[Case], rows: Rows, tree: Tree, providers: Collection[str]) -> list[Case]:
    """Add smaller cases that begin in a provider's country while it fails to its shared cause; return the rest."""
    by_country: dict[str, list[Case]] = {}
    for shared in joined:
        if shared.service in providers and (country := tree.country(shared.named[0])):
            by_country.setdefault(country, []).append(shared)
    kept = []
    for case in cases:
        countries = {tree.country(region) for region in case.named}
        country = next(iter(countries)) if len(countries) == 1 else None
        for shared in by_country.get(country or "", ()):
            if shared.first <= case.first <= shared.last and case.service not in providers:
                mine, whole = (size(each, rows, str(country)) for each in (case, shared))
                if max(mine.values(), default=0.0) <= max(whole.values(), default=0.0):
                    shared.services = (shared.service, *sorted({*shared.services[1:], case.service}))
                    break
        else:
            kept.append(case)
    return kept


def _drop_echoes(
    cases: list[Case], rows: Rows, tree: Tree, rules: Rules, providers: Collection[str], quiet_bins: int
) -> list[Case]:
    """Drop a provider's case inside a much larger one of another service in the same regions, and note it there."""
    platforms = [case for case in cases if case.service not in providers]
    first = np.array([case.first for case in platforms], np.int64)
    last = np.array([case.last for case in platforms], np.int64)
    kept = []
    for case in cases:
        near = np.flatnonzero((first <= case.first + quiet_bins) & (last >= case.first)).tolist()
        loud = (
            (_times(platforms[i], case, rows), platforms[i])
            for i in (near if case.service in providers else ())
            if tree.meet(platforms[i].named, case.named)
        )
        times, platform = max(loud, key=lambda pair: (pair[0], pair[1].service), default=(0.0, case))
        if times >= rules.blame_ratio:
            platform.echoes = tuple(sorted({*platform.echoes, case.service}))
        else:
            kept.append(case)
    return kept


def _times(platform: Case, provider: Case, rows: Rows) -> float:
    """Return how many times the provider's excess the platform's is, where the provider's is largest."""
    excess, region, source = max(
        (
            (posts, region, source)
            for region in provider.named
            for source, posts in size(provider, rows, region).items()
        ),
        default=(0.0, "", ""),
    )
    return size(platform, rows, region).get(source, 0.0) / excess if excess > 0 else 0.0
