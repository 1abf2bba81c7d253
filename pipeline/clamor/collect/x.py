"""X: posts a minute from the count endpoints, now and for the past.

Each poll asks for the last 24 hours again: it costs the same as the last minutes, heals gaps and takes up late
corrections. A country's counts are ``place_country:`` counts, which see geotagged posts only; they are never compared
with the world's. An interrupt is raised again after what was proven has been yielded.
https://docs.x.com/x-api/posts/counts/introduction
"""

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, groupby
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from clamor import schema
from clamor.collect.batch import Attempt, Batch, State
from clamor.collect.budget import Budget
from clamor.collect.clock import Clock, floor_minute
from clamor.collect.plan import PAGE_DAYS, WINDOW_REQUESTS, Plan, plan
from clamor.collect.retry import Fault
from clamor.collect.x_call import COUNTS_ALL, COUNTS_RECENT, SETTLE_SECONDS, Caller, iso, open_client
from clamor.collect.x_counts import Ints, Nonsense, attempts, by_language, fill, runs, unknown, volumes
from clamor.collect.x_query import LANGUAGE_PROBE, PLACE_PROBE, SOURCE, Query, language_query, operates_in, queries
from clamor.collect.x_sample import sample
from clamor.schema import WORLD, Signal, Status

if TYPE_CHECKING:
    import tweepy

RECENT_DAYS: Final = 7
"""How far back counts/recent reaches."""
LANGUAGE_HOURS: Final = 48
"""What a count by language asks for: the outage, and the day before it for what is usual."""
PROBE_DAYS: Final = 7
"""How long a refused operator is left out: one request a week finds out that an account may use it now."""
_REFUSED: Final = "refused at "
RAISED_MINUTES: Final = 60
"""How often the languages of a failing service are counted."""
MAX_PAGES: Final = 60
_BEAT_SLACK: Final = 0.9
_SIGNALS: Final = (Signal.COMPLAINT, Signal.MENTION)


def poll(
    client: "tweepy.Client",
    catalog: Any,
    *,
    services: Sequence[str],
    countries: Sequence[str],
    state: State,
    clock: Clock,
    languages: Sequence[str] = (),
    lookback_hours: float = 24,
    country_beat_minutes: float = 60,
    language_beat_minutes: float = 1440,
    raised: Collection[str] = (),
    budget: Budget | None = None,
) -> Iterator[Batch]:
    """Count recent posts: the world's complaints and mentions of every service; on beats, by country and language.

    Args:
        client: From :func:`open_client`.
        catalog: Names, terms and regions.
        services: Catalogue ids.
        countries: ISO 3166-1 alpha-2 codes; a service is asked for where it operates.
        state: Changed before each yield.
        clock: Gives now and sleeps.
        languages: X's language codes; their posts are in the world's count too, so they are kept apart from volumes.
        lookback_hours: Asked for at every poll; more, up to seven days, where the last proof is older.
        country_beat_minutes: Least time between two counts of a country.
        language_beat_minutes: Least time between two counts of a language.
        raised: Services whose countries are counted now, and their languages every hour, whatever the beat.
        budget: Prices and caps; the default prices without caps when None.

    Yields one batch a service for the world, then one a service for its countries and languages. What no longer fits
    into the rate window waits for the next poll. Rows are the minutes that have posts; every attempt is in the ledger,
    and a failure leaves its minutes unknown.

    """
    caller = Caller(client, clock=clock, state=state, budget=budget or Budget())
    end = floor_minute(clock.now() - SETTLE_SECONDS)
    world = [[queries(catalog, service)[signal] for signal in _SIGNALS] for service in services]
    work = _Work(caller, COUNTS_RECENT, catalog.version)
    for group in world:
        yield from work.batch([(query, _recent_start(state, query, end, lookback_hours), end) for query in group])
    due = [
        query
        for service in services
        for country in operates_in(catalog, service, countries)
        if (query := queries(catalog, service, country)[Signal.COMPLAINT])
        and (service in raised or _due(state, query, end, country_beat_minutes))
    ]
    due += [
        query
        for service in services
        for language in languages
        if (query := language_query(catalog, service, language))
        and _due(state, query, end, min(language_beat_minutes, RAISED_MINUTES if service in raised else math.inf))
    ]
    room = WINDOW_REQUESTS - sum(len(query.parts) for group in world for query in group)
    for _, ours in groupby(_first_due(due, raised, state, room), key=lambda query: (query.service, query.probe)):
        yield from work.batch([(query, _recent_start(state, query, end, lookback_hours), end) for query in ours])
    yield from work.refused(PLACE_PROBE, services, countries, end - 3600 * lookback_hours, end)
    yield from work.refused(LANGUAGE_PROBE, services, [WORLD] if languages else [], end - 3600 * lookback_hours, end)
    yield from work.skipped()


def backfill(
    client: "tweepy.Client",
    catalog: Any,
    *,
    services: Sequence[str],
    countries: Sequence[str],
    since: float,
    until: float | None,
    state: State,
    clock: Clock,
    budget: Budget | None = None,
) -> Iterator[Batch]:
    """Count the past with counts/all, newest first, one batch a page of 31 days.

    What the state says is proven is not asked for again, so a backfill that was interrupted goes on at the page where
    it stopped, and one that is repeated asks for nothing. Pages are cut by time rather than by the service's tokens:
    every edge is a whole minute, and no token can have expired.

    Args:
        client: From :func:`open_client`.
        catalog: Names, terms and regions.
        services: Catalogue ids.
        countries: ISO 3166-1 alpha-2 codes; a service is asked for where it operates.
        since: First minute wanted, seconds since the epoch.
        until: End, exclusive; None for now.
        state: Changed before each yield.
        clock: Gives now and sleeps.
        budget: Prices and caps; the default prices without caps when None.

    """
    caller = Caller(client, clock=clock, state=state, budget=budget or Budget())
    work = _Work(caller, COUNTS_ALL, catalog.version)
    start, end = _span(since, until, clock.now())
    for query in _history_of(catalog, services, countries):
        for page in _missing_pages(state, query, start, end):
            yield from work.batch([(query, *page)])
    yield from work.refused(PLACE_PROBE, services, countries, start, end)
    yield from work.skipped()


def backfill_requests(
    catalog: Any,
    *,
    services: Sequence[str],
    countries: Sequence[str],
    since: float,
    until: float | None,
    state: State,
    now: float,
) -> int:
    """Return how many pages :func:`backfill` would ask for now: those that the state does not prove already."""
    start, end = _span(since, until, now)
    return sum(
        len(query.parts) * sum(1 for _ in _missing_pages(state, query, start, end))
        for query in _history_of(catalog, services, countries)
        if query.region == WORLD or refusal(state, PLACE_PROBE, now) is None
    )


def _span(since: float, until: float | None, now: float) -> tuple[float, float]:
    """Return the whole, settled minutes of a stretch of the past."""
    settled = floor_minute(now - SETTLE_SECONDS)
    return math.ceil(since / 60) * 60.0, settled if until is None else min(floor_minute(until), settled)


def _history_of(catalog: Any, services: Sequence[str], countries: Sequence[str]) -> Iterator[Query]:
    for service in services:
        yield from (queries(catalog, service)[signal] for signal in _SIGNALS)
        for country in operates_in(catalog, service, countries):
            yield queries(catalog, service, country)[Signal.COMPLAINT]


def refusal(state: State, probe: str, now: float) -> str | None:
    """Return why an operator is left out now, None where it is not; a refusal is asked about again after a week."""
    said = state.probes.get(probe, "ok")
    if not said.startswith(_REFUSED) or said[len(_REFUSED) :] < iso(now - PROBE_DAYS * 86_400):
        return None
    return said


@dataclass
class _Work:
    """Counts queries over windows, and remembers those that were left out."""

    caller: Caller
    route: str
    catalog_version: str
    left: list[tuple[Query, float, float]] = field(default_factory=list)

    def batch(self, wanted: Iterable[tuple[Query, float, float]]) -> Iterator[Batch]:
        """Yield the rows and attempts of these queries as one batch; nothing for none."""
        frames: list[pd.DataFrame] = []
        spoken: list[pd.DataFrame] = []
        ledger: list[Attempt] = []
        interrupt: KeyboardInterrupt | None = None
        for query, start, end in wanted:
            if self.caller.breaker.closed is not None:
                self.left.append((query, start, end))
                continue
            if query.probe and self._refusal(query.probe):
                continue
            try:
                end, minutes, fault = self._count_settled(query, start, end)
            except KeyboardInterrupt as error:
                minutes, fault = unknown(start, end), Fault(Status.INTERRUPTED, "interrupted")
                interrupt = error
            at = self.caller.clock.now()
            ledger += self._ledger(query, minutes, start, at, fault)
            rows = by_language if query.language else volumes
            (spoken if query.language else frames).append(
                rows(query, minutes, start, observed_at=at, catalog_version=self.catalog_version)
            )
            _remember(self.caller.state, query, minutes, start)
            if interrupt is not None:
                break
        if ledger:
            yield Batch(
                tuple(ledger), volumes=_joined(frames, schema.VOLUMES), languages=_joined(spoken, schema.LANGUAGES)
            )
        if interrupt is not None:
            raise interrupt

    def skipped(self) -> Iterator[Batch]:
        """Yield the attempts that were not made because the source is closed, and why."""
        closed = self.caller.breaker.closed
        if closed is None or not self.left:
            return
        status = Status.BUDGET if closed.status == Status.BUDGET else Status.SKIPPED
        fault = Fault(status, str(closed))
        ledger: list[Attempt] = []
        for query, start, end in self.left:
            ledger += self._ledger(query, unknown(start, end), start, self.caller.clock.now(), fault)
        yield Batch(tuple(ledger))

    def refused(
        self, probe: str, services: Sequence[str], regions: Sequence[str], start: float, end: float
    ) -> Iterator[Batch]:
        """Yield one row that says that an operator was left out, where the account may not use it: of no signal."""
        why = self._refusal(probe)
        if why is None or not regions:
            return
        row = Attempt(
            source=SOURCE,
            scope=probe,
            window_start=start,
            window_end=end,
            requested_at=self.caller.clock.now(),
            services=tuple(services),
            regions=tuple(regions),
            signals=(),
            bin_minutes=1,
            status=Status.SKIPPED,
            bins_received=0,
            requests=0,
            detail=why,
        )
        yield Batch((row,))

    def _refusal(self, probe: str) -> str | None:
        """Return what X said when the operator was last asked for; None where it may be asked for."""
        return refusal(self.caller.state, probe, self.caller.clock.now())

    def _count_settled(self, query: Query, start: float, end: float) -> tuple[float, Ints, Fault | None]:
        """Count up to what has settled on X's clock, which is known after the first answer; return that end too."""
        end = min(end, self._settled(start))
        for _ in range(2):
            minutes, fault = self._count(query, start, end)
            settled = self._settled(start)
            if settled >= end:
                break
            end, minutes = settled, minutes[: int((settled - start) // 60)]
            if fault is None or fault.http_status != 400:
                break
        return end, minutes, fault

    def _settled(self, start: float) -> float:
        now = self.caller.clock.now() - self.caller.behind_seconds
        return max(start + 60.0, floor_minute(now - SETTLE_SECONDS))

    def _count(self, query: Query, start: float, end: float) -> tuple[Ints, Fault | None]:
        """Return posts a minute over ``[start, end)``, known where all parts of the query are, and what went wrong."""
        total = unknown(start, end)
        for number, part in enumerate(query.parts):
            minutes, fault = self._count_part(part, start, end)
            known = (minutes >= 0) & ((total >= 0) | (number == 0))
            total[known] = minutes[known] + (total[known] if number else 0)
            total[~known] = -1
            if fault is not None and not known.any():
                break
        self._probe(query, fault)
        return total, fault

    def _count_part(self, part: str, start: float, end: float) -> tuple[Ints, Fault | None]:
        minutes = unknown(start, end)
        params = {"query": part, "start_time": iso(start), "end_time": iso(end), "granularity": "minute"}
        seen: set[str] = set()
        for _ in range(MAX_PAGES):
            try:
                token = self._page(minutes, start, params)
            except Fault as fault:
                return minutes, fault
            if token is None or token in seen or (minutes >= 0).all():
                break
            seen.add(token)
            params["next_token"] = token
        return minutes, None

    def _page(self, minutes: Ints, start: float, params: dict[str, str]) -> str | None:
        """Fill one page in and return the next one's token; ask once more for an answer that cannot be believed."""
        prices = self.caller.budget.prices
        cost = prices.counts_all_usd if self.route == COUNTS_ALL else prices.counts_recent_usd
        for last in (False, True):
            body = self.caller.get(self.route, params, cost)
            try:
                return fill(minutes, start, body)
            except Nonsense as error:
                if last:
                    raise Fault(Status.MALFORMED, f"X: {error}", http_status=200) from error
        raise AssertionError("unreachable")

    def _probe(self, query: Query, fault: Fault | None) -> None:
        """Remember whether the account may use an operator, and close the source where it may not even count."""
        refused = fault is not None and (
            fault.http_status == 403 or (fault.http_status == 400 and "operator" in str(fault).lower())
        )
        if query.probe is None:
            if refused:
                self.caller.breaker.closed = fault
        elif refused:
            self.caller.state.probes[query.probe] = f"{_REFUSED}{iso(self.caller.clock.now())}: {fault}"
        elif fault is None:
            self.caller.state.probes[query.probe] = "ok"

    def _ledger(self, query: Query, minutes: Ints, start: float, at: float, fault: Fault | None) -> Iterable[Attempt]:
        requests, cost_usd = self.caller.take()
        rows = attempts(query, minutes, start, requested_at=at, requests=requests, cost_usd=cost_usd)
        if fault is None:
            return rows
        return [
            row
            if row.status == Status.OK
            else replace(row, status=fault.status, http_status=fault.http_status, detail=str(fault))
            for row in rows
        ]


def _joined(frames: list[pd.DataFrame], table: schema.Table) -> pd.DataFrame:
    if len(frames) > 1:
        return pd.concat(frames, ignore_index=True)
    return frames[0] if frames else table.empty()


def _recent_start(state: State, query: Query, end: float, lookback_hours: float) -> float:
    if query.language:
        lookback_hours = max(lookback_hours, LANGUAGE_HOURS)
    oldest = end - RECENT_DAYS * 86_400 + 600
    wanted = min(end - lookback_hours * 3600, state.watermarks.get(query.scope, math.inf))
    return floor_minute(max(wanted, oldest))


def _due(state: State, query: Query, end: float, beat_minutes: float) -> bool:
    return end - state.watermarks.get(query.scope, -math.inf) >= _BEAT_SLACK * 60 * beat_minutes


def _first_due(due: Sequence[Query], raised: Collection[str], state: State, room: int) -> list[Query]:
    """Return those that still fit into this rate window, by service: raised ones, then the longest not counted."""
    urgent = sorted(due, key=lambda q: (q.service not in raised, state.watermarks.get(q.scope, -math.inf)))
    sizes = accumulate(len(query.parts) for query in urgent)
    chosen = {query.scope for query, size in zip(urgent, sizes, strict=True) if size <= max(room, 1)}
    return [query for query in due if query.scope in chosen]


def _since(query: Query) -> str:
    """Key of :attr:`State.watermarks` for the start of what is proven without a break."""
    return f"since {query.scope}"


def _remember(state: State, query: Query, minutes: Ints, start: float) -> None:
    """Extend the stretch that is proven without a break, or begin a newer one."""
    marks = state.watermarks
    for begin, end, known in runs(minutes, start):
        if not known:
            continue
        since, until = marks.get(_since(query), math.inf), marks.get(query.scope, -math.inf)
        if begin <= until and end >= since:
            marks[_since(query)], marks[query.scope] = min(begin, since), max(end, until)
        elif begin > until:
            marks[_since(query)], marks[query.scope] = begin, end


def _missing_pages(state: State, query: Query, start: float, end: float) -> Iterator[tuple[float, float]]:
    """Yield the windows of ``[start, end)`` that are not proven, none longer than a page, outwards from what is."""
    page = PAGE_DAYS * 86_400.0
    since, until = state.watermarks.get(_since(query), end), state.watermarks.get(query.scope, end)
    first = max(start, until)
    while first < end:
        last = min(end, first + page)
        yield first, last
        first = last
    last = min(end, since)
    while last > start:
        first = max(start, last - page)
        yield first, last
        last = first


__all__ = [
    "LANGUAGE_PROBE",
    "PLACE_PROBE",
    "SOURCE",
    "Plan",
    "backfill",
    "backfill_requests",
    "language_query",
    "open_client",
    "plan",
    "poll",
    "queries",
    "sample",
]
