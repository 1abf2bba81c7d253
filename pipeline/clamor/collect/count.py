"""Posts -> counts: read each post, count it once by its id, and give the rows of ``volumes`` and ``claims``.

The counting rules of the tables live here and nowhere else. A post that names a service adds one to the service's
``mention`` row, whatever it says; a complaint adds one to ``complaint``/``any`` and to each of its symptoms; commentary
adds one to ``commentary``/``any``. It is counted at its finest known region or ``ZZ``; parents are sums made on
reading. Rows are sparse: a bin without posts has no row, and is zero where an attempt covered it.
"""

from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import inf
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from clamor import schema
from clamor.collect.batch import utc
from clamor.schema import ANY_SYMPTOM, UNKNOWN_REGION, Method, Signal
from clamor.text.post import Post, Reading

Ints = npt.NDArray[np.int64]
Said = tuple[str, str, str, tuple[str, ...], tuple[str, ...], str]
"""What one post says about one service: service, region, signal, symptoms, claims, and the scope that counts it."""
Meaning = tuple[Said, ...]
_NOTHING: Final = -1
_FOREVER: Final = 2**62
_SORTED_AT_ONCE: Final = 1 << 18


class HasVersion(Protocol):
    """A catalogue, of which only the version is needed here."""

    @property
    def version(self) -> str:
        """A short hash of the catalogue's data."""


class PostReader(Protocol):
    """What reads a post: :class:`clamor.text.read.Reader`."""

    @property
    def catalog(self) -> HasVersion:
        """The catalogue that the verdicts come from."""

    def read(self, post: Post, service: str | None = None) -> Sequence[Reading]:
        """Return what the post says about each service that it names, or about the given one."""


@dataclass(frozen=True)
class Posts:
    """Posts as four columns: nothing of a post but these 28 bytes is ever kept.

    Attributes:
        ids: Hash of each post's id, int64, see :func:`key_of`.
        bins: Its bin since the epoch, int64.
        authors: Hash of its author, int64; 0 where it has none.
        codes: Its meaning, int32, a position in ``meanings``.
        meanings: What posts say.

    """

    ids: Ints
    bins: Ints
    authors: Ints
    codes: npt.NDArray[np.signedinteger[Any]]
    meanings: Sequence[Meaning]

    def __len__(self) -> int:
        """Return how many posts there are, repeated ids among them."""
        return len(self.ids)


def key_of(text: str) -> int:
    """Return 64 bits of BLAKE2b as a signed integer, the same in every process; 0 for an empty text.

    Among a hundred million posts the chance that any two ids meet is 3 in 10,000 (a birthday bound).
    """
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True) if text else 0


class Counter:
    """Counts posts of one scope, or of several that share their ids.

    A post is four integers in memory (its id and author hashed, its bin, its meaning), 28 bytes; posts that name no
    service are only numbered. :meth:`forget` lets a stream in order of time run in flat memory, :meth:`take` and
    :meth:`put` let the columns go through files.

    A repeated id is counted once. Where its copies disagree, the earliest bin wins, then a known place over none, then
    the alphabet, of the scopes last: the counts do not depend on the order of the posts.

    Args:
        reader: Reads a post; its catalogue's version is written on every row.
        source: As in the tables, ``x`` or ``reddit``.
        scope: What the posts prove, see the tables' counting rules, where :meth:`add` names no other.
        method: How the posts were come by.
        bin_minutes: Native width of the bins, aligned to the epoch.
        services: Count only these; all that the reader knows when None.
        service: Read every post as being about this service, because its context already says so.

    Attributes:
        unmatched: Posts that named none of the services, repeated ids not removed.
        first: Time of the earliest post that was counted, seconds since the epoch, or None.
        last: Time of the latest, likewise.

    """

    def __init__(
        self,
        reader: PostReader,
        *,
        source: str,
        scope: str,
        method: Method,
        bin_minutes: int = 1,
        services: Collection[str] | None = None,
        service: str | None = None,
    ) -> None:
        self.source = source
        self.scope = scope
        self.method = method
        self.bin_minutes = bin_minutes
        self.unmatched = 0
        self.first: int | None = None
        self.last: int | None = None
        self._reader = reader
        self._service = service
        self._scopes = {scope: frozenset(services) if services is not None else None}
        self._meanings: dict[Meaning, int] = {}
        self._ids, self._bins, self._authors, self._codes = array("q"), array("q"), array("q"), array("i")
        self._settled = 0
        self._repeats = 0
        self._forgotten = 0
        self._unplaced = 0

    def add(self, post: Post, scopes: Mapping[str, Collection[str] | None] | None = None) -> int:
        """Read and count one post, once in each of ``scopes`` (to the services counted there, all when None).

        Returns:
            How many services it counts for, over all scopes; 0 for a post that does not count.

        """
        readings = self._reader.read(post, self._service)
        if not readings:
            self.unmatched += 1
            return 0
        meaning = tuple(
            [
                (r.service, r.region, r.signal._value_, r.symptoms, r.claims, scope)
                for scope, wanted in (scopes or self._scopes).items()
                for r in readings
                if wanted is None or r.service in wanted
            ]
        )
        if not meaning:
            self.unmatched += 1
            return 0
        code = self._meanings.get(meaning)
        if code is None:
            code = self._meanings[meaning] = len(self._meanings)
        created_at = post.created_at
        self._ids.append(key_of(post.id))
        self._bins.append(created_at // (60 * self.bin_minutes))
        self._authors.append(key_of(post.author))
        self._codes.append(code)
        if self.first is None or created_at < self.first:
            self.first = created_at
        if self.last is None or created_at > self.last:
            self.last = created_at
        return len(meaning)

    def take(self) -> Posts:
        """Take out the posts as they were added, repeated ids among them, and begin anew, meanings included."""
        ids, bins, authors, codes = (_numbers(column) for column in self._columns())
        taken = Posts(ids, bins, authors, codes, list(self._meanings))
        self._meanings = {}
        self._ids, self._bins, self._authors, self._codes = array("q"), array("q"), array("q"), array("i")
        self._settled = 0
        return taken

    def put(self, posts: Posts) -> None:
        """Add posts that another counter took out."""
        codes = [self._meanings.setdefault(meaning, len(self._meanings)) for meaning in posts.meanings]
        told = np.array(codes, dtype=np.int32)[posts.codes] if codes else posts.codes
        for column, more in zip(self._columns(), (posts.ids, posts.bins, posts.authors, told), strict=True):
            column.frombytes(np.ascontiguousarray(more).data.cast("B"))

    @property
    def posts(self) -> int:
        """Posts counted so far, each id once, the forgotten ones included."""
        self._settle()
        return self._forgotten + len(self._ids)

    @property
    def duplicates(self) -> int:
        """Posts left out because their id had been counted."""
        self._settle()
        return self._repeats

    @property
    def held(self) -> int:
        """Posts in memory, repeated ids among them."""
        return len(self._ids)

    @property
    def unplaced(self) -> int:
        """Posts counted so far whose place is not known."""
        self._settle()
        return self._unplaced + self._without_place(_numbers(self._codes))

    @property
    def regions(self) -> frozenset[str]:
        """Regions of the posts counted so far, ``ZZ`` among them if a post had no known place."""
        return frozenset(region for meaning in self._meanings for _, region, *_ in meaning)

    @property
    def services(self) -> frozenset[str]:
        """Services named by the posts counted so far."""
        return frozenset(service for meaning in self._meanings for service, *_ in meaning)

    def volumes(self, observed_at: float, *, before: float | None = None) -> pd.DataFrame:
        """Return the counts as rows of VOLUMES, sorted by series and bin.

        Args:
            observed_at: When the posts were seen, seconds since the epoch.
            before: Only bins that end at or before this time, seconds since the epoch; all when None.

        ``authors`` is the number of distinct authors of the row's posts, null if one of them has no author.

        """
        kinds = [_volume_kinds(meaning) for meaning in self._meanings]
        names, rows = self._grouped(kinds, before)
        frame = pd.DataFrame(names, columns=["scope", "service", "region", "signal", "symptom"], dtype="str")
        frame = frame.take(rows["kind"]).reset_index(drop=True)
        frame["posts"], frame["authors"] = rows["posts"], pd.array(rows["authors"], dtype="Int64")
        frame.loc[rows["authors"] == _NOTHING, "authors"] = pd.NA
        frame["unit"], frame["method"] = "posts", str(self.method)
        frame["catalog_version"] = self._reader.catalog.version
        return self._finished(frame, rows["bin"], observed_at, schema.VOLUMES)

    def claims(self, observed_at: float, *, before: float | None = None) -> pd.DataFrame:
        """Return the posts that state a cause or a recovery as rows of CLAIMS; arguments as for :meth:`volumes`."""
        kinds = [_claim_kinds(meaning) for meaning in self._meanings]
        names, rows = self._grouped(kinds, before)
        frame = pd.DataFrame(names, columns=["scope", "service", "region", "claim"], dtype="str")
        frame = frame.take(rows["kind"]).reset_index(drop=True)
        frame["posts"] = rows["posts"]
        return self._finished(frame, rows["bin"], observed_at, schema.CLAIMS)

    def forget(self, before: float) -> None:
        """Drop the posts of bins that end at or before this time, after their rows have been taken.

        A later post of such a bin would start its row anew, so this is for posts that come in order of time.
        """
        self._settle()
        keep = _numbers(self._bins) >= self._bin_before(before)
        self._forgotten += int((~keep).sum())
        self._unplaced += self._without_place(_numbers(self._codes)[~keep])
        self._keep(np.flatnonzero(keep))

    def drain(
        self, observed_at: float, *, before: float = inf, size: int = 25_000
    ) -> Iterator[tuple[pd.DataFrame, pd.DataFrame, float]]:
        """Take the rows out, in order of time and about ``size`` posts at once, and forget their posts.

        Yields:
            Volumes, claims, and the time before which all rows have now been given; ``before`` with the last.

        """
        self._settle()
        width = 60 * self.bin_minutes
        while len(self._bins) > size:
            cut = (int(np.partition(_numbers(self._bins), size)[size]) + 1) * width
            if cut >= before:
                break
            yield self.volumes(observed_at, before=cut), self.claims(observed_at, before=cut), cut
            self.forget(cut)
        yield self.volumes(observed_at, before=before), self.claims(observed_at, before=before), before
        self.forget(before)

    def _without_place(self, codes: Ints) -> int:
        nowhere = np.array([any(r[1] == UNKNOWN_REGION for r in said) for said in self._meanings], dtype=bool)
        return int(nowhere[codes].sum())

    def _bin_before(self, before: float) -> int:
        return _FOREVER if before == inf else int(before // (60 * self.bin_minutes))

    def _columns(self) -> tuple["array[int]", ...]:
        return self._ids, self._bins, self._authors, self._codes

    def _keep(self, rows: Ints) -> None:
        kept = [array(column.typecode, _numbers(column)[rows].tobytes()) for column in self._columns()]
        self._ids, self._bins, self._authors, self._codes = kept
        self._settled = len(rows)

    def _settle(self) -> None:
        """Leave one post of each id; about a million at a time, so that sorting them takes little room."""
        if self._settled == len(self._ids):
            return
        ids, bins, authors, codes = (_numbers(column) for column in self._columns())
        kept = first_of_each(ids, bins, authors, ranks(list(self._meanings))[codes])
        self._repeats += len(ids) - len(kept)
        self._keep(kept)

    def _grouped(
        self, kinds: list[list[tuple[str, ...]]], before: float | None
    ) -> tuple[list[tuple[str, ...]], dict[str, Ints]]:
        """Spread each post over its kinds of row; return the kinds, sorted, and the rows as columns."""
        self._settle()
        names = sorted({kind for of_one in kinds for kind in of_one})
        number = {kind: n for n, kind in enumerate(names)}
        sizes = np.array([len(of_one) for of_one in kinds], dtype=np.int64)
        flat = np.array([number[kind] for of_one in kinds for kind in of_one], dtype=np.int64)
        codes, bins, authors = _numbers(self._codes), _numbers(self._bins), _numbers(self._authors)
        if before is not None:
            early = bins < self._bin_before(before)
            codes, bins, authors = codes[early], bins[early], authors[early]
        repeats = sizes[codes]
        starts = (np.cumsum(sizes) - sizes)[codes]
        within = np.arange(repeats.sum()) - np.repeat(np.cumsum(repeats) - repeats, repeats)
        kind = flat[np.repeat(starts, repeats) + within]
        return names, _rows(kind, np.repeat(bins, repeats), np.repeat(authors, repeats))

    def _finished(self, frame: pd.DataFrame, bins: Ints, observed_at: float, table: schema.Table) -> pd.DataFrame:
        frame["source"] = self.source
        frame["bin_minutes"] = np.full(len(frame), self.bin_minutes, dtype=np.int32)
        microseconds = bins * (60_000_000 * self.bin_minutes)
        frame["bin_start"] = pd.Series(microseconds.view("M8[us]"), index=frame.index).dt.tz_localize("UTC")
        frame["observed_at"] = pd.Series(utc(observed_at), index=frame.index, dtype="datetime64[us, UTC]")
        return frame[table.columns.names] if len(frame) else table.empty()


def ranks(meanings: Sequence[Meaning]) -> Ints:
    """Return each meaning's place in the order that settles disagreeing copies of a post."""
    best_first = sorted(range(len(meanings)), key=lambda code: _order(meanings[code]))
    places = np.empty(len(meanings), dtype=np.int64)
    places[best_first] = np.arange(len(meanings))
    return places


def _order(meaning: Meaning) -> tuple[list[bool], list[tuple[Any, ...]], list[str]]:
    """Put a known place before none, then the alphabet, of the scopes last."""
    return [said[1] == UNKNOWN_REGION for said in meaning], [said[:5] for said in meaning], [s[5] for s in meaning]


def first_of_each(ids: Ints, bins: Ints, authors: Ints, ranks: Ints) -> Ints:
    """Return the positions, ascending, of one post of each id: the earliest bin, then the best rank.

    About 250,000 ids are sorted at a time, so that it takes little room.
    """
    keep = np.zeros(len(ids), dtype=bool)
    parts = 1 + len(ids) // _SORTED_AT_ONCE
    for part in range(parts):
        mine = np.flatnonzero(ids % parts == part)
        order = mine[np.lexsort((authors[mine], ranks[mine], bins[mine], ids[mine]))]
        keep[order[np.diff(ids[order], prepend=~ids[order[:1]]) != 0]] = True
    return np.flatnonzero(keep)


def _volume_kinds(meaning: Meaning) -> list[tuple[str, ...]]:
    """Return the (scope, service, region, signal, symptom) rows that a post of this meaning adds one to."""
    kinds: set[tuple[str, ...]] = set()
    for service, region, signal, symptoms, _, scope in meaning:
        kinds.add((scope, service, region, str(Signal.MENTION), ANY_SYMPTOM))
        if signal != Signal.MENTION:
            kinds.add((scope, service, region, signal, ANY_SYMPTOM))
        if signal == Signal.COMPLAINT:
            kinds.update((scope, service, region, signal, str(symptom)) for symptom in symptoms)
    return sorted(kinds)


def _claim_kinds(meaning: Meaning) -> list[tuple[str, ...]]:
    return sorted({(said[5], said[0], said[1], str(claim)) for said in meaning for claim in said[4]})


def _rows(kind: Ints, bins: Ints, authors: Ints) -> dict[str, Ints]:
    """Count posts and distinct authors for every (kind, bin); authors are -1 where one of them is not known."""
    order = np.lexsort((authors, bins, kind))
    kind, bins, authors = kind[order], bins[order], authors[order]
    first = np.ones(len(kind), dtype=bool)
    first[1:] = (np.diff(kind) != 0) | (np.diff(bins) != 0)
    new_author = first.copy()
    new_author[1:] |= np.diff(authors) != 0
    starts = np.flatnonzero(first)
    if not len(starts):
        return {"kind": starts, "bin": starts, "posts": starts, "authors": starts}
    distinct = np.add.reduceat(new_author.astype(np.int64), starts)
    anonymous = np.add.reduceat((authors == 0).astype(np.int64), starts) > 0
    return {
        "kind": kind[starts],
        "bin": bins[starts],
        "posts": np.diff(np.r_[starts, len(kind)]),
        "authors": np.where(anonymous, _NOTHING, distinct),
    }


def _numbers(column: "array[int]") -> npt.NDArray[Any]:
    return np.frombuffer(column, dtype=column.typecode) if len(column) else np.empty(0, dtype=column.typecode)
