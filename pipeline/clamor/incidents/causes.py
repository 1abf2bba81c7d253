"""Which cases are one cause: a provider that takes many services along, or a platform that lights up providers.

*Shared cause*: where a provider fails, the other services of that country are judged together; if they rise with it,
they suffer from it, and their own cases there are part of its case. Where several services begin to fail in one country
at the same time and nowhere else without a provider, they share a cause too, and the largest is blamed. *Echo*: people
blame their internet provider when a big platform fails; a provider's case that begins with a much larger one of a
platform in the same regions is no outage of its own. One that begins later is: by then people know what failed.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import numpy as np

from clamor.incidents.case import Case
from clamor.incidents.episodes import Rows
from clamor.incidents.evidence import Window, cells, single, tail, together
from clamor.incidents.given import Given
from clamor.incidents.scope import Tree
from clamor.schema import Scope


def join(cases: Sequence[Case], given: Given) -> list[Case]:
    """Join the cases that share a cause and drop echoes into the case that they echo; the rest stay as they are."""
    if not cases:
        return []
    nearby = Nearby(cases, given)
    gone: set[int] = set()
    joined: list[Case] = []
    for i in _by_size(cases, given.providers):
        if i not in gone:
            victims, shared = _taken_along(i, cases, nearby, gone)
            joined += shared
            gone.update(victims)
    for country, cluster in _clusters(cases, gone, given):
        shared = _at_once([cases[i] for i in cluster], country, nearby)
        joined += shared
        gone.update(cluster if shared else ())
    alone = [case for i, case in enumerate(cases) if i not in gone]
    return sorted([*_drop_echoes(alone, given), *joined], key=_order)


def _order(case: Case) -> tuple[object, ...]:
    return (case.service, case.first, case.born)


def _by_size(cases: Sequence[Case], providers: Collection[str]) -> list[int]:
    """Return the cases of providers, the largest first."""
    mine = [i for i, case in enumerate(cases) if case.service in providers]
    return sorted(mine, key=lambda i: (-max(cases[i].excess.values(), default=0.0), _order(cases[i])))


def _clusters(cases: Sequence[Case], gone: Collection[int], given: Given) -> Iterator[tuple[str, list[int]]]:
    """Yield each country with the cases that lie in it alone and began within the closing time of each other."""
    local: dict[str, list[int]] = {}
    for i, case in enumerate(cases):
        country = lies_in(case, given.tree)
        if i not in gone and country:
            local.setdefault(country, []).append(i)
    for country, members in sorted(local.items()):
        cluster: list[int] = []
        for i in sorted(members, key=lambda i: (cases[i].born, cases[i].service)):
            if cluster and cases[i].born[0] - cases[cluster[0]].born[0] > given.quiet:
                yield country, cluster
                cluster = []
            cluster.append(i)
        yield country, cluster


def lies_in(case: Case, tree: Tree) -> str | None:
    """Return the country that a case lies in alone, None if it reaches further."""
    countries = {tree.country(region) for region in case.named}
    local = case.scope in (Scope.COUNTRY, Scope.SUBDIVISION) and len(countries) == 1
    return countries.pop() if local else None


class Nearby:
    """What else happens in a country at a time, looked up without reading all rows for each question."""

    def __init__(self, cases: Sequence[Case], given: Given) -> None:
        self.given, rows = given, given.rows
        self._cases = cases
        self._first = np.array([case.first for case in cases], np.int64)
        self._last = np.array([case.last for case in cases], np.int64)
        self._window = Window(rows.region, rows.bin)
        pairs = np.unique(rows.region * len(rows.services) + rows.service)
        self._services = np.bincount(pairs // len(rows.services), minlength=len(rows.regions))

    def watched(self, country: str) -> int:
        """Return how many services have a series in the country."""
        regions = self.given.rows.regions
        return int(self._services[regions.index(country)]) if country in regions else 0

    def during(self, first: int, last: int) -> list[int]:
        """Return the cases that go on in some of these bins."""
        return np.flatnonzero((self._first <= last) & (self._last >= first)).tolist()

    def also(self, members: Sequence[Case], country: str, limit: float) -> list[str]:
        """Return services without a case of their own there that suffer in the country at the members' time.

        They are judged together, source by source, as each alone may be too small to tell, at the p-value ``limit``.
        If they show an excess, those are named that have one themselves by the mildest limit.
        """
        rows, rules = self.given.rows, self.given.rules
        if country not in rows.regions:
            return []
        first, last = min(case.first for case in members), max(case.until for case in members)
        index = self._window.rows(rows.regions.index(country), first, last)
        found = single(rows, cells(rows, index, rows.service))
        there = (i for i in self.during(first, last) if self.given.tree.meet(self._cases[i].named, [country]))
        busy = {service for i in there for service in self._cases[i].services}
        found = found.where(np.array([rows.services[i] not in busy for i in found.item.tolist()], bool))
        names: set[str] = set()
        sources = np.unique(found.source)
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


def _taken_along(i: int, cases: Sequence[Case], nearby: Nearby, gone: Collection[int]) -> tuple[set[int], list[Case]]:
    """Return the cases that a provider's case takes along, itself included, and what they are together."""
    cause, given = cases[i], nearby.given
    countries = list(dict.fromkeys(c for region in cause.named if (c := given.tree.country(region))))
    victims: set[int] = set()
    suffering: set[str] = set()
    where: list[str] = []
    for country in countries:
        mine = [
            v
            for v in nearby.during(cause.first - given.quiet, cause.last + given.quiet)
            if v not in gone and v != i and _victim(cases[v], cause, country, given)
        ]
        also = nearby.also([cause], country, given.rules.flagged_p / len(countries))
        services = {cases[v].service for v in mine}
        if also or (services and given.rules.rare(len(services), nearby.watched(country), _meeting(given))):
            victims.update(mine)
            suffering |= {*also, *services}
            where.append(country)
    if not suffering - {cause.service}:
        return set(), []
    named = [region for region in cause.named if given.tree.country(region) in where]
    whole = _whole(
        cause, [cases[v] for v in victims], suffering, sorted({*where, *named}, key=lambda r: (r not in where, r))
    )
    return {i, *victims}, [whole]


def _victim(case: Case, cause: Case, country: str, given: Given) -> bool:
    """Tell whether a case may come from a provider's: in its country alone, begun with it, or later and smaller."""
    if lies_in(case, given.tree) != country or case.service == cause.service:
        return False
    mine, whole = (size(each, given.rows, country) for each in (case, cause))
    times = max((posts / max(whole.get(source, 0.0), 0.5) for source, posts in mine.items()), default=0.0)
    if abs(case.born[0] - cause.born[0]) <= given.quiet:
        return times < given.rules.blame_ratio
    return cause.first <= case.first <= cause.last and times <= 1


def _meeting(given: Given) -> int:
    """Return the microseconds within which what begins is taken to begin together."""
    return (given.quiet + 1) * given.rows.width


def _at_once(members: list[Case], country: str, nearby: Nearby) -> list[Case]:
    """Join the members of a cluster if they are enough to share a cause, and more than meet by chance."""
    given, rules = nearby.given, nearby.given.rules
    extra = nearby.also(members, country, rules.region_p)
    services = {*(case.service for case in members), *extra} - set(given.providers)
    if len(services) < rules.shared_services:
        return []
    if not rules.rare(len(members) + len(extra) - 1, nearby.watched(country), _meeting(given)):
        return []
    cause = _largest(members, country, given.rows)
    named = sorted({region for case in members for region in case.named}, key=lambda r: (r != country, r))
    return [_whole(cause, [case for case in members if case is not cause], services, named)]


def _whole(cause: Case, others: Sequence[Case], services: Collection[str], named: list[str]) -> Case:
    """Return the case of a shared cause: it begins and ends with what is blamed, unless another surely began before."""
    members = [cause, *others]
    leader = min(members, key=lambda case: (case.first, -case.clear_before))
    q_values = [case.q_value for case in members if not np.isnan(case.q_value)]
    began = cause.began
    for case in others:
        if case.began is not None and (began is None or case.began.high <= began.low):
            began = case.began
    return replace(
        cause,
        services=(cause.service, *sorted({*services} - {cause.service})),
        born=min((case.born for case in members), key=lambda born: (born[0], born[1] != cause.service, born[1])),
        first=leader.first,
        last=max(case.last for case in members),
        opened=min(case.opened for case in members),
        closed=max(case.closed for case in members),
        clear_before=leader.clear_before,
        began=began,
        q_value=min(q_values, default=float("nan")),
        named=named,
        scope=Scope.SHARED_CAUSE,
    )


def _largest(members: list[Case], country: str, rows: Rows) -> Case:
    """Return the member with the most excess posts there, in the source that has most of them in all."""
    sizes = [size(case, rows, country) for case in members]
    sources = sorted({source for by_source in sizes for source in by_source})
    source = max(sources, key=lambda s: sum(by_source.get(s, 0.0) for by_source in sizes), default="")
    pairs = zip((by_source.get(source, 0.0) for by_source in sizes), members, strict=True)
    return min(pairs, key=lambda pair: (-pair[0], pair[1].service))[1]


def _drop_echoes(cases: list[Case], given: Given) -> list[Case]:
    """Drop a provider's case that began with a much larger one of another service in the same regions; note it."""
    platforms = [case for case in cases if case.service not in given.providers]
    first = np.array([case.first for case in platforms], np.int64)
    last = np.array([case.last for case in platforms], np.int64)
    kept = []
    for case in cases:
        near = np.flatnonzero((np.abs(first - case.first) <= given.quiet) & (last >= case.first)).tolist()
        loud = (
            (_times(platforms[i], case, given.rows), platforms[i])
            for i in (near if case.service in given.providers else ())
            if given.tree.meet(platforms[i].named, case.named)
        )
        times, platform = max(loud, key=lambda pair: (pair[0], pair[1].service), default=(0.0, case))
        if times >= given.rules.blame_ratio:
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
