import io
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from clamor.simulate.events import Event
from clamor.simulate.index import Search, fold, tokens
from clamor.simulate.query import Group, Leaf, QueryError, parse
from clamor.simulate.services import SERVICES
from clamor.simulate.threads import STATES, subreddits
from clamor.simulate.world import TRUTH_COLUMNS, World, memory_bytes
from naive.simulate import matching_seconds

START = datetime(2026, 10, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def world() -> World:
    return World(7, START, history_days=2)


@pytest.fixture(scope="module")
def search(world: World) -> Search:
    return Search(world)


@pytest.fixture(scope="module")
def sparse() -> World:
    """One day with every tenth post."""
    small = World(3, START, history_days=0, gap=False)
    for block, columns in enumerate(small.posts):
        small.posts[block] = type(columns)(**{name: getattr(columns, name)[::10] for name in columns.__slots__})
    return small


def test_a_seed_makes_one_world(world: World) -> None:
    """Two worlds of one seed are equal to the last post; another seed is another day."""
    again, other = World(7, START, history_days=2), World(8, START, history_days=2)
    assert again.texts.texts == world.texts.texts
    for mine, theirs in zip(world.posts, again.posts, strict=True):
        assert np.array_equal(mine.second, theirs.second)
        assert np.array_equal(mine.text, theirs.text)
    assert np.array_equal(world.items.body, again.items.body)
    assert again.truth.equals(world.truth)
    assert not other.truth.start_at.equals(world.truth.start_at)


def test_the_truth_tells_outages_from_what_only_looks_like_one(world: World) -> None:
    """One TikTok outage in the US, Europe and Asia, one country of another service, one provider, four decoys."""
    truth = world.truth
    assert list(truth.columns) == list(TRUTH_COLUMNS)
    assert str(truth.start_at.dtype) == "datetime64[us, UTC]"
    assert sorted(truth.kind) == sorted(["outage", "outage", "provider", "viral", "backlash", "memes", "news"])
    assert truth.is_outage.tolist() == truth.kind.isin(["outage", "provider"]).tolist()
    hot = set(truth[(truth.service == "tiktok") & truth.is_outage].regions.iloc[0])
    assert "US" in hot and hot & {"GB", "DE", "FR"} and hot & {"JP", "ID", "KR"}
    assert len(truth[truth.kind == "provider"].services.iloc[0]) == len(SERVICES)
    assert (truth.start_at >= pd.Timestamp(world.eval_start, unit="s", tz=UTC)).all()
    assert (truth.end_at > truth.start_at).all()


def test_ten_seeds_are_ten_days() -> None:
    """The TikTok outage comes at other hours and in other sizes with every seed."""
    from clamor.simulate import events
    from clamor.simulate.posts import stream_rng

    day = events.Day(0, int(START.timestamp()))
    drawn = [events.evaluated(stream_rng(seed, "events"), day) for seed in range(10)]
    tiktok = [next(e for e in day if e.service == "tiktok" and e.is_outage) for day in drawn]
    assert len({event.start_min // 60 for event in tiktok}) >= 5
    sizes = sorted(max(event.countries.values()) for event in tiktok)
    assert sizes[0] < 10 and sizes[-1] > 25


def test_an_event_ramps_up_and_dies_away() -> None:
    """Nothing before the start, near one at the end of the ramp, little 40 minutes after the end."""
    event = Event(
        kind="outage", service="x", services=("x",), countries={}, start_min=100, end_min=300, ramp_min=20, note=""
    )
    size = event.shape(500)
    assert size[:100].max() == 0
    assert size[130] > 0.85
    assert size[299] > 0.5
    assert size[340] < 0.05


def test_a_country_has_its_own_hours() -> None:
    """Fewer people post at four in the morning, local time, than at nine in the evening."""
    from clamor.simulate.atlas import CODES
    from clamor.simulate.rates import season

    shape = season("evening", int(START.timestamp()), 1440)
    for code, night, evening in (("JP", 19, 12), ("DE", 2, 19), ("BR", 7, 0)):
        column = shape[:, CODES.index(code)]
        assert column[night * 60] < 0.5 * column[evening * 60]


def test_complaints_rise_where_and_while_the_service_is_down(world: World) -> None:
    """Complaints in the hot countries are several times the day before's, and only in the event's time."""
    event = next(e for e in world.events if e.service == "tiktok" and e.is_outage)
    posts = world.posts[world.services.index("tiktok")]
    complaint = np.array(world.texts.signals)[posts.text] == "complaint"
    minute = posts.second // 60

    def count(first: int, last: int) -> int:
        return int((complaint & (minute >= first) & (minute < last)).sum())

    during = count(event.start_min, event.end_min)
    assert during > 1.5 * count(event.start_min - 1440, event.end_min - 1440)


def test_a_world_is_small(world: World) -> None:
    """Columns are compact: three days in some ten megabytes."""
    assert sum(map(len, world.posts)) > 300_000
    assert memory_bytes(world) < 12e6


def test_posts_of_one_service_name_it_or_are_in_trouble_with_it(world: World) -> None:
    """Every text has a signal, and a complaint has a symptom."""
    texts = world.texts
    assert len(texts.texts) == len(texts.signals) == len(texts.symptoms)
    assert all((signal == "complaint") == bool(s) for signal, s in zip(texts.signals, texts.symptoms, strict=True))
    assert not any("{" in text for text in texts.texts)


@pytest.mark.parametrize(
    ("query", "text", "wanted"),
    [
        ("tiktok down", "is TikTok DOWN again", True),
        ("tiktok down", "tiktok is fine", False),
        ('"not working"', "it's not  working.", True),
        ('"not working"', "working, not playing", False),
        ("tiktok (down OR broken)", "my tiktok broken", True),
        ("tiktok -down", "tiktok down", False),
        ("can't", "I can’t even", True),
        ("cafe", "the Café is shut", True),
        ("#down", "tiktok #Down", True),
        ("down", "tiktok #down", True),
        ("#down", "tiktok down", False),
        ("落ち", "TikTok落ちてる?", True),
        ("tiktok", "TikTok落ちてる?", True),
        ("tik", "tiktok", False),
        ("a b OR c", "c", True),
        ("a b OR c", "a", False),
    ],
)
def test_the_query_language_matches_as_x_says(query: str, text: str, wanted: bool) -> None:
    """Words are whole and folded, phrases are in order, AND binds before OR."""
    from clamor.simulate.index import Index
    from clamor.simulate.texts import Signal, Texts
    from naive.simulate import _matches

    table = Texts()
    table.add((0, "x", "en"), text, "en", Signal.MENTION)
    index = Index(table)
    node = parse(query)
    assert _matches(node, text, "en", None, False) is wanted

    def answer(node: Group | Leaf) -> bool:
        if isinstance(node, Leaf):
            mask = index.leaf(node)
            assert mask is not None
            return bool(mask[0]) != node.negated
        answers = [answer(child) for child in node.nodes]
        return all(answers) if node.how == "all" else any(answers)

    assert answer(node) is wanted


@pytest.mark.parametrize(
    "query",
    [
        "",
        "x" * 513,
        "lang:en",
        "-is:retweet",
        "tiktok OR lang:en",
        "-tiktok",
        "(tiktok",
        "tiktok)",
        "tiktok OR",
        "tiktok AND down",
        "tiktok -(down OR up)",
        "tiktok profile_country:US",
        "tiktok has:wings",
        "tiktok place_country:USA",
        'tiktok ""',
    ],
)
def test_a_query_that_x_refuses_is_refused(query: str) -> None:
    """Too long, unknown operators, no standalone term in an alternative, unbalanced parentheses, a negated group."""
    with pytest.raises(QueryError):
        parse(query)


def test_a_query_of_512_characters_is_accepted() -> None:
    """The limit itself is allowed."""
    assert parse("x" * 512) == Leaf("word", "x" * 512)


def test_precedence_is_and_before_or() -> None:
    """`a b OR c` is `(a b) OR c`."""
    both = Group("all", (Leaf("word", "a"), Leaf("word", "b")))
    assert parse("a b OR c") == Group("any", (both, Leaf("word", "c")))


WORDS = st.sampled_from(["tiktok", "down", "x1", "störung", "落ち", "#tag", "@handle"])
LEAVES = st.one_of(
    WORDS.map(lambda word: Leaf(word[0], word[1:]) if word[0] in "#@" else Leaf("word", word)),
    st.sampled_from(["not working", "a b c"]).map(lambda phrase: Leaf("phrase", phrase)),
    st.sampled_from([("lang", "en"), ("place_country", "US"), ("is", "retweet")]).map(lambda pair: Leaf(*pair)),
)


def groups(children: st.SearchStrategy[Leaf | Group]) -> st.SearchStrategy[Group]:
    return st.tuples(st.sampled_from(["all", "any"]), st.lists(children, min_size=2, max_size=3)).map(
        lambda pair: Group(pair[0], tuple(pair[1]))
    )


def written(node: Leaf | Group) -> str:
    if isinstance(node, Group):
        return f"({(' ' if node.how == 'all' else ' OR ').join(map(written, node.nodes))})"
    text = {"word": node.value, "phrase": f'"{node.value}"'}.get(node.kind)
    text = text or f"{node.kind}{'' if node.kind in '#@' else ':'}{node.value}"
    return f"-{text}" if node.negated else text


@given(st.recursive(LEAVES, groups, max_leaves=8))
def test_what_is_written_is_what_is_parsed(node: Leaf | Group) -> None:
    """Any tree, written with all its parentheses, is read back."""
    query = f"tiktok {written(node)}"
    if len(query) <= 512:
        assert parse(query) == Group("all", (Leaf("word", "tiktok"), node))


def test_words_are_split_at_punctuation_and_at_scripts_without_spaces() -> None:
    """Hindi vowel signs stay with their letters."""
    assert tokens(fold("TikTok落ちた, can't! हिंदी #a_b")) == ["tiktok", "落ちた", "can", "t", "हिंदी", "a_b"]


@pytest.mark.parametrize(
    "query",
    [
        '(tiktok OR "tik tok") (down OR broken OR "not working" OR crash) -is:retweet',
        "(spotify OR spoti) -lang:en place_country:BR",
        "discord has:geo lang:de OR vodafone störung",
        "落ちてる OR 터졌어 -roblox",
        "#paypaldown OR @paypal",
    ],
)
def test_columns_answer_as_a_post_at_a_time_would(sparse: World, query: str) -> None:
    """The index and the columns find the very posts that asking every post finds."""
    assert Search(sparse).seconds(query).tolist() == matching_seconds(sparse, query)


def test_a_query_over_the_whole_world_is_exact_in_place_and_time(world: World, search: Search) -> None:
    """Country counts are the geotagged share of that country; retweets are left out only if asked."""
    everything = search.seconds("tiktok OR vodafone OR spotify")
    fewer = search.seconds("(tiktok OR vodafone OR spotify) -is:retweet")
    assert 0.8 * len(everything) < len(fewer) < len(everything)
    tagged = search.seconds("(tiktok OR vodafone OR spotify) has:geo")
    assert 0.17 * len(everything) < len(tagged) < 0.23 * len(everything)
    assert (np.diff(everything) >= 0).all()


def test_reddit_is_modest_and_has_deleted_and_removed_items(world: World) -> None:
    """Some 300 items an hour, comments under submissions that came before them."""
    items = world.items
    busy = np.bincount(items.second // 3600, minlength=world.minutes // 60)
    assert 200 < np.median(busy) < 400
    assert {STATES[state] for state in np.unique(items.state)} == set(STATES)
    comments = np.flatnonzero(items.title < 0)
    under = items.parent[comments]
    assert (under >= 0).mean() > 0.95
    assert (under[under >= 0] < comments[under >= 0]).mean() > 0.95
    assert (items.subreddit[under[under >= 0]] == items.subreddit[comments[under >= 0]]).all()


def test_the_gap_loses_more_than_a_listing_shows(world: World) -> None:
    """While nobody collects, one subreddit alone gets more comments than the 1,000 that a listing keeps."""
    assert world.gap is not None
    first, last = (stamp.timestamp() - world.start for stamp in world.gap)
    inside = (world.items.second >= first) & (world.items.second < last) & (world.items.title < 0)
    assert np.bincount(world.items.subreddit[inside]).max() > 1000


def test_the_dump_is_the_history(world: World, tmp_path: Path) -> None:
    """Every item before the evaluated day is one line, in order of time, and none after it."""
    paths = world.write_dump(tmp_path)
    assert [path.name for path in paths] == ["RC_2026-10.zst", "RS_2026-10.zst"]
    lines = [json.loads(line) for path in paths for line in _lines(path)]
    names = [subreddits()[number].name for number in world.items.subreddit]
    before = world.items.second < world.eval_start - world.start
    assert Counter(line["subreddit"] for line in lines) == Counter(np.array(names)[before].tolist())
    assert max(int(line["created_utc"]) for line in lines) < world.eval_start
    for path in paths:
        times = [int(json.loads(line)["created_utc"]) for line in _lines(path)]
        assert times == sorted(times)
    assert {"title" in line for line in lines} == {True, False}
    assert any(isinstance(line["created_utc"], str) for line in lines)


def _lines(path: Path) -> list[bytes]:
    reader = zstandard.ZstdDecompressor(max_window_size=2**31).stream_reader(io.BytesIO(path.read_bytes()))
    return reader.read().splitlines()


def test_a_world_begins_on_a_whole_minute() -> None:
    """Half a minute is refused with the rule."""
    with pytest.raises(ValueError, match="whole minute"):
        World(1, 1_000_000_030, history_days=1)
