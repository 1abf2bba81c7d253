"""Collect → lake: store what a collector yields, in the order that makes a crash harmless."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Final

import msgspec
import pandas as pd

from clamor import schema, volumes
from clamor.collect.batch import Batch, State, coverage
from clamor.errors import LakeError
from clamor.run.gate import Gate
from clamor.schema import Status
from clamor.store import Lake

_FLUSH_ROWS: Final = 100_000
_FLUSH_BATCHES: Final = 400


@dataclass
class Ingested:
    """What one collector stored, added up from its attempts."""

    rows: int = 0
    requests: int = 0
    cost_usd: float = 0.0
    attempts: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def failed(self) -> int:
        """Attempts that proved nothing."""
        return sum(count for status, count in self.attempts.items() if status not in schema.PROVES)

    def note(self, batch: Batch) -> None:
        """Add a batch's attempts."""
        for attempt in batch.attempts:
            status = str(attempt.status)
            self.attempts[status] = self.attempts.get(status, 0) + 1
            self.requests += attempt.requests
            self.cost_usd += attempt.cost_usd
            if attempt.status not in schema.PROVES and attempt.status != Status.SKIPPED:
                problem = f"{attempt.source} {status}: {attempt.detail or attempt.scope}"
                if problem not in self.problems:
                    self.problems.append(problem)


def read_state(lake: Lake, name: str) -> State:
    """Return what a collector remembers; a fresh state at the first run.

    Raises:
        LakeError: the stored state is damaged.

    """
    try:
        return msgspec.convert(lake.read_state(name), State)
    except msgspec.ValidationError as error:
        raise LakeError(
            f"lake {lake.root!r}, state/{name}.json: {error}; it is not what clamor wrote; move it away to start afresh"
        ) from error


def write_state(lake: Lake, name: str, state: State) -> None:
    """Replace what a collector remembers."""
    lake.write_state(name, asdict(state))


def ingest(
    lake: Lake,
    batches: Iterable[Batch],
    *,
    state: tuple[str, State] | None = None,
    on_batch: Callable[[Batch], None] | None = None,
) -> Ingested:
    """Store what a collector yields: rows, then the attempts that prove them, then where to go on.

    Batches are gathered into files of a sensible size. Whatever ends the collector, what it had yielded is stored, and
    what it spent: an interrupt reaches the collector, and waits while something is being stored.

    Args:
        lake: Where to.
        batches: From a collector.
        state: Name and state of the collector, stored last; None for archives, which remember nothing.
        on_batch: Told of every batch.

    """
    done, waiting, rows, source = Ingested(), [], 0, iter(batches)
    memory = None if state is None else _Memory(lake, *state)
    with Gate() as gate:
        try:
            while True:
                with gate.open():
                    batch = next(source, None)
                if batch is None:
                    break
                waiting.append(batch)
                rows += len(batch.volumes)
                done.note(batch)
                if memory is not None:
                    memory.prove()
                if on_batch is not None:
                    on_batch(batch)
                if rows >= _FLUSH_ROWS or len(waiting) >= _FLUSH_BATCHES:
                    done.rows += _flush(lake, waiting, memory)
                    waiting, rows = [], 0
        finally:
            done.rows += _flush(lake, waiting, memory)
    return done


class _Memory:
    """The state as it may be stored: proven times of batches that came out, and all that was spent and learnt."""

    def __init__(self, lake: Lake, name: str, state: State) -> None:
        self._lake, self._name, self._state = lake, name, state
        self._stored = asdict(state)
        self.prove()

    def prove(self) -> None:
        """Note that the batches of all proven times are out; a time without its batch would never be asked again."""
        self._proven = dict(self._state.watermarks)

    def store(self) -> None:
        """Store it, if it is not what is stored."""
        state = replace(self._state, watermarks=self._proven)
        if asdict(state) != self._stored:
            write_state(self._lake, self._name, state)
            self._stored = asdict(state)


def _flush(lake: Lake, batches: Sequence[Batch], memory: _Memory | None) -> int:
    news = _store(lake, batches) if batches else 0
    if memory is not None:
        memory.store()
    return news


def _store(lake: Lake, batches: Sequence[Batch]) -> int:
    attempts = coverage(attempt for batch in batches for attempt in batch.attempts)
    news = schema.VOLUMES.empty()
    fresh = _joined([batch.volumes for batch in batches], schema.VOLUMES)
    if len(attempts) or len(fresh):
        starts = [*attempts["window_start"], *fresh["bin_start"].head(1), *fresh["bin_start"].tail(1)]
        ends = [*attempts["window_end"], *fresh["bin_start"].head(1), *fresh["bin_start"].tail(1)]
        known = lake.read(schema.VOLUMES, start=min(starts), end=max(ends) + pd.Timedelta("1min"))
        news = volumes.changes(known, fresh, attempts)
    lake.append(schema.VOLUMES, news)
    lake.append(schema.LANGUAGES, _joined([batch.languages for batch in batches], schema.LANGUAGES))
    lake.append(schema.SAMPLES, _joined([batch.samples for batch in batches], schema.SAMPLES))
    lake.append(schema.CLAIMS, _joined([batch.claims for batch in batches], schema.CLAIMS))
    lake.append(schema.COVERAGE, attempts)
    return len(news)


def _joined(frames: Iterable[pd.DataFrame], table: schema.Table) -> pd.DataFrame:
    some = [frame for frame in frames if len(frame)]
    return pd.concat(some, ignore_index=True) if some else table.empty()
