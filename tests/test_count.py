"""Counting posts: the rules of the tables, on posts small enough to count by hand, and against a slow twin."""

from types import SimpleNamespace

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from clamor import schema
from clamor.collect.count import Counter
from clamor.schema import Method, Signal
from clamor.text.post import Post, Reading
from naive import count as naive

MINUTE = 1_700_000_040 // 60 * 60
SEEN_AT = 1_700_100_000.0


class FakeReader:
    """Reads the verdicts that the test put into the text, as indexes into ``verdicts``."""

    catalog = SimpleNamespace(version="v1")

    def __init__(self, verdicts):
        self.verdicts = verdicts

    def read(self, post, service=None):
        return self.verdicts[int(post.text)]


LOGIN_US = [Reading("tiktok", Signal.COMPLAINT, ("login", "crash"), ("update",), "US")]
JOKE = [Reading("tiktok", Signal.COMMENTARY)]
NAMED = [Reading("tiktok", Signal.MENTION, region="US")]
TWO = [Reading("tiktok", Signal.MENTION, region="US"), Reading("netflix", Signal.COMPLAINT, ("other",), (), "US")]
VERDICTS = [[], LOGIN_US, JOKE, NAMED, TWO]


def counter(**options):
    return Counter(
        FakeReader(VERDICTS), **{"source": "reddit", "scope": "reddit:new:a", "method": Method.WALK, **options}
    )


def rows(frame):
    """Rows of VOLUMES as {key: posts}."""
    seconds = (frame["bin_start"] - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(seconds=1)
    return dict(
        zip(
            zip(frame["service"], frame["region"], frame["signal"], frame["symptom"], seconds, strict=True),
            zip(frame["posts"], [None if pd.isna(a) else a for a in frame["authors"]], strict=True),
            strict=True,
        )
    )


def post(n, verdict, *, at=MINUTE, author="ann"):
    return Post(id=str(n), created_at=at, text=str(verdict), author=author)


def test_a_complaint_counts_as_mention_complaint_and_each_of_its_symptoms():
    """One complaint with two symptoms is four rows of one post."""
    counted = counter()
    assert counted.add(post(1, 1)) == 1
    assert rows(counted.volumes(SEEN_AT)) == {
        ("tiktok", "US", "mention", "any", MINUTE): (1, 1),
        ("tiktok", "US", "complaint", "any", MINUTE): (1, 1),
        ("tiktok", "US", "complaint", "login", MINUTE): (1, 1),
        ("tiktok", "US", "complaint", "crash", MINUTE): (1, 1),
    }
    assert counted.claims(SEEN_AT)[["service", "region", "claim", "posts"]].values.tolist() == [
        ["tiktok", "US", "update", 1]
    ]


def test_a_joke_is_a_mention_and_commentary_and_stays_at_its_unknown_place():
    """Commentary adds to mention and commentary, at ZZ when the place is not known."""
    counted = counter()
    counted.add(post(1, 2))
    assert set(rows(counted.volumes(SEEN_AT))) == {
        ("tiktok", "ZZ", "mention", "any", MINUTE),
        ("tiktok", "ZZ", "commentary", "any", MINUTE),
    }


def test_a_post_on_two_services_counts_for_both_and_one_on_none_for_nothing():
    """Two services: two mentions; none: only `unmatched` grows."""
    counted = counter()
    assert [counted.add(post(n, v)) for n, v in ((1, 4), (2, 0))] == [2, 0]
    assert (counted.posts, counted.unmatched, counted.duplicates) == (1, 1, 0)
    frame = counted.volumes(SEEN_AT)
    assert frame.loc[frame["signal"] == "mention", ["service", "posts"]].values.tolist() == [
        ["netflix", 1],
        ["tiktok", 1],
    ]


def test_a_repeated_id_is_counted_once():
    """The same id three times is one post; the repeats are said."""
    counted = counter()
    for _ in range(3):
        counted.add(post(7, 3))
    counted.add(post(8, 3))
    assert (counted.posts, counted.duplicates) == (2, 2)
    assert rows(counted.volumes(SEEN_AT)) == {("tiktok", "US", "mention", "any", MINUTE): (2, 1)}


def test_authors_are_distinct_within_a_row_and_unknown_if_one_is_missing():
    """Two posts of one author are one author; a post without an author makes the number null."""
    counted = counter()
    for n, author in enumerate(["ann", "ann", "bob"]):
        counted.add(post(n, 3, author=author))
    counted.add(post(9, 3, author="", at=MINUTE + 60))
    assert rows(counted.volumes(SEEN_AT)) == {
        ("tiktok", "US", "mention", "any", MINUTE): (3, 2),
        ("tiktok", "US", "mention", "any", MINUTE + 60): (1, None),
    }


def test_only_the_wanted_services_are_counted():
    """`services` leaves the others out; a post that names only those is unmatched."""
    counted = counter(services=["netflix"])
    assert [counted.add(post(n, v)) for n, v in ((1, 4), (2, 3))] == [1, 0]
    assert set(counted.volumes(SEEN_AT)["service"]) == {"netflix"}
    assert counted.unmatched == 1


def test_counts_taken_in_pieces_are_the_counts_taken_at_once():
    """A stream in order of time may be emitted and forgotten bin by bin."""
    piecewise, whole, taken = counter(), counter(), []
    for n in range(10):
        one = post(n, 1 + n % 4, at=MINUTE + 20 * n)
        whole.add(one)
        piecewise.add(one)
        taken.append(piecewise.volumes(SEEN_AT, before=one.created_at))
        piecewise.forget(one.created_at)
    assert piecewise.held < 4
    taken.append(piecewise.volumes(SEEN_AT))
    pieces = [rows(frame) for frame in taken]
    assert {k: v for piece in pieces for k, v in piece.items()} == rows(whole.volumes(SEEN_AT))
    assert sum(map(len, pieces)) == len(whole.volumes(SEEN_AT))
    assert piecewise.posts == whole.posts == 10


def test_repeats_are_found_however_many_posts_are_sorted_at_once(monkeypatch):
    """Sorting in parts leaves the same posts."""
    monkeypatch.setattr("clamor.collect.count._SORTED_AT_ONCE", 3)
    counted = counter()
    for n in [*range(20), *range(5, 25), 7, 7]:
        counted.add(post(n, 3))
    assert (counted.posts, counted.duplicates) == (25, 17)


def test_no_posts_give_empty_tables():
    """Nothing counted is a table of no rows with the declared columns."""
    counted = counter()
    counted.add(post(1, 0))
    assert len(schema.conform(counted.volumes(SEEN_AT), schema.VOLUMES)) == 0
    assert len(schema.conform(counted.claims(SEEN_AT), schema.CLAIMS)) == 0
    assert (counted.first, counted.last) == (None, None)


REGIONS = st.sampled_from(["US", "US-MI", "ZZ"])
READINGS = st.one_of(
    st.builds(
        Reading,
        service=st.sampled_from(["a", "b"]),
        signal=st.just(Signal.COMPLAINT),
        symptoms=st.sampled_from([("other",), ("login",), ("login", "slow")]),
        claims=st.sampled_from([(), ("dns",), ("dns", "update")]),
        region=REGIONS,
    ),
    st.builds(
        Reading,
        service=st.sampled_from(["a", "b"]),
        signal=st.sampled_from([Signal.COMMENTARY, Signal.MENTION]),
        region=REGIONS,
    ),
)
POSTS = st.lists(
    st.tuples(
        st.builds(
            Post,
            id=st.sampled_from("pqrstu"),
            created_at=st.integers(MINUTE - 200, MINUTE + 400),
            text=st.just(""),
            author=st.sampled_from(["", "ann", "bob"]),
        ),
        st.lists(READINGS, max_size=2, unique_by=lambda r: r.service),
    ),
    max_size=25,
)


@settings(max_examples=80, deadline=None)
@given(read=POSTS, bin_minutes=st.sampled_from([1, 3]), data=st.data())
def test_counts_equal_the_slow_twins_in_any_order(read, bin_minutes, data):
    """Volumes and claims are those of dictionaries and sets, whatever the order of the posts."""
    verdicts = [readings for _, readings in read]
    order = data.draw(st.permutations(range(len(read))))
    counted = Counter(FakeReader(verdicts), source="x", scope="s", method=Method.IMPORT, bin_minutes=bin_minutes)
    for n in order:
        p = read[n][0]
        counted.add(Post(id=p.id, created_at=p.created_at, text=str(n), author=p.author))
        if data.draw(st.integers(0, 9)) == 0:
            assert counted.posts + counted.duplicates <= len(read)
    frame = counted.volumes(SEEN_AT)
    schema.conform(frame, schema.VOLUMES)
    got, want = rows(frame), naive.volumes(read, bin_minutes)
    assert {k: n for k, (n, _) in got.items()} == {k: n for k, (n, _) in want.items()}
    said = counted.claims(SEEN_AT)
    schema.conform(said, schema.CLAIMS)
    assert int(said["posts"].sum()) == sum(naive.claims(read, bin_minutes).values())
    named = [p.id for p, readings in read if readings]
    assert (counted.posts, counted.duplicates) == (len(set(named)), len(named) - len(set(named)))


@settings(max_examples=50, deadline=None)
@given(read=POSTS)
def test_authors_equal_the_slow_twins_where_ids_are_unique(read):
    """Distinct authors a row, null where one is not known."""
    read = [
        (Post(id=str(n), created_at=p.created_at, text=str(n), author=p.author), r) for n, (p, r) in enumerate(read)
    ]
    counted = Counter(FakeReader([r for _, r in read]), source="x", scope="s", method=Method.IMPORT)
    for p, _ in read:
        counted.add(p)
    assert rows(counted.volumes(SEEN_AT)) == naive.volumes(read, 1)
