"""How subreddits share listings, so that 1,000 items are never outrun, and how calls keep to the key's limit."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clamor.collect.batch import State
from clamor.collect.reddit import Group, requests_of
from clamor.collect.reddit_call import Pace
from clamor.collect.reddit_listing import SUBREDDITS_A_LISTING, Seen, halves, learn, sized
from clamor.schema import Status
from loopback import Params, Reply, Ticking
from test_reddit import END, HOUR, NOW, SCOPE, complaints, item, lab, spans

BOTH = Group("services-1", ("busy", "loud", "quiet"), ("tiktok",), ("new",))


@dataclass
class Site:
    """Subreddits that post once every so many seconds; a listing of theirs shows the newest 1,000 items."""

    clock: Ticking
    every: dict[str, float]
    asked: list[str] = field(default_factory=list)
    made: dict[tuple[str, int], list[dict[str, Any]]] = field(default_factory=dict)

    def __call__(self, path: str, params: Params, headers: dict[str, str]) -> Reply:
        if path == "/api/v1/access_token":
            return Reply({"access_token": "t", "token_type": "bearer", "expires_in": 86_400, "scope": "*"})
        names = [name for name in path.split("/")[2].split("+") if name in self.every]
        self.asked.append(path)
        if not names:
            return Reply({"reason": "banned", "message": "Not Found", "error": 404}, 404)
        items = sorted((each for name in names for each in self.items(name)), key=created, reverse=True)[:1000]
        after = params.get("after")
        first = 0 if after is None else 1 + [each["data"]["name"] for each in items].index(after)
        page = items[first : first + 100]
        last = page[-1]["data"]["name"] if page and first + 100 < len(items) else None
        return Reply({"kind": "Listing", "data": {"children": page, "after": last}})

    def items(self, name: str) -> list[dict[str, Any]]:
        """The newest 1,200 of a subreddit; ids count up from the start of time."""
        newest = int(self.clock.now() // self.every[name])
        if (name, newest) not in self.made:
            self.made[name, newest] = [
                item(0, n * self.every[name], id=f"{name}{n}", name=f"t3_{name}{n}", subreddit=name.title())
                for n in range(newest, newest - 1200, -1)
            ]
        return self.made[name, newest]

    def true(self, start: float, end: float) -> int:
        """How many items were made in a window."""
        return sum(1 for name in self.every for each in self.items(name) if start <= created(each) < end)


def created(each: dict[str, Any]) -> float:
    return float(each["data"]["created_utc"])


def test_a_listing_that_is_outrun_is_read_in_halves_and_the_next_walk_knows_better() -> None:
    """1,170 items in a quarter of an hour: nothing is lost, and later walks ask for more listings from the start."""
    site = Site(Ticking(NOW), {"busy": 1.25, "loud": 2.0, "quiet": 600.0})
    with lab(site) as at:
        site.clock = at.clock
        at.state.watermarks[SCOPE] = END - 900
        (batch,) = at.walk(BOTH)
        assert spans(batch) == [(Status.OK, -15, 0)] and complaints(batch) == site.true(END - 900, END)
        assert {path.split("/")[2] for path in site.asked} == {"busy+loud+quiet", "busy", "loud+quiet"}
        assert {name: round(rate) for name, rate in at.state.rates.items()} == {
            "new:busy": 48,
            "new:loud": 30,
            "new:quiet": 0,
        }
        for quarter in (1, 2):
            site.asked.clear()
            at.clock.at = NOW + 900 * quarter
            (batch,) = at.walk(BOTH)
            start = END + 900 * (quarter - 1)
            assert spans(batch)[0][0] == Status.OK and complaints(batch) == site.true(start, start + 900)
            assert {path.split("/")[2] for path in site.asked} == {"busy", "loud", "quiet"}


def test_one_subreddit_that_outruns_a_listing_leaves_a_gap() -> None:
    """Two items a second for a quarter of an hour are 1,800: the oldest of them are unknown, and it is said."""
    site = Site(Ticking(NOW), {"busy": 0.5, "quiet": 600.0})
    with lab(site) as at:
        site.clock = at.clock
        at.state.watermarks[SCOPE] = END - 900
        (batch,) = at.walk(Group("services-1", ("busy", "quiet"), ("tiktok",), ("new",)))
    (gap, ok) = batch.attempts
    assert (gap.status, ok.status) == (Status.CAPPED, Status.OK) and "walk more often" in str(gap.detail)
    assert complaints(batch) == site.true(ok.window_start, ok.window_end)


def test_a_subreddit_that_is_gone_takes_nobody_with_it() -> None:
    """Alone in its listing it is refused; with another it is left out, as Reddit leaves it out of a larger one."""
    site = Site(Ticking(NOW), {"busy": 1.0})
    group = Group("services-1", ("busy", "dead"), ("tiktok",), ("new",))
    with lab(site) as at:
        site.clock = at.clock
        at.state.watermarks[SCOPE] = END - 600
        at.state.rates |= {"new:busy": 60.0, "new:dead": 5.0}
        (batch,) = at.walk(group)
        assert spans(batch) == [(Status.OK, -10, 0)] and complaints(batch) == 600
        assert "/r/dead/new" in site.asked and site.asked[-1] == "/r/busy+dead/new"
        site.every.clear()
        at.clock.at += 600
        (batch,) = at.walk(group)
    assert [status for status, *_ in spans(batch)] == [Status.FAILED] and "404" in str(batch.attempts[0].detail)


def test_a_first_walk_is_one_round() -> None:
    """It leaves no gap behind, so what a listing does not hold is not fetched at any price."""
    site = Site(Ticking(NOW), {"busy": 1.0, "loud": 2.0, "quiet": 600.0})
    with lab(site) as at:
        site.clock = at.clock
        (batch,) = at.walk(BOTH)
    assert len(site.asked) == 10 and [status for status, *_ in spans(batch)] == [Status.CAPPED, Status.OK]


@given(
    st.dictionaries(st.text("abcdef", min_size=1, max_size=4), st.floats(0, 50), min_size=1, max_size=60),
    st.floats(1, 1000),
)
def test_every_subreddit_is_in_one_listing_and_the_load_is_shared(rates: dict[str, float], minutes: float) -> None:
    """No listing is empty or too long, and none is planned over what it holds while there may be more of them."""
    made = sized(list(rates), {f"new:{name}": rate for name, rate in rates.items()}, "new", minutes)
    assert sorted(name for names in made for name in names) == sorted(rates) and all(made)
    assert len(made) <= 9
    total = sum(rates.values()) * minutes
    heaviest = max(sum(rates[name] for name in names) * minutes for names in made)
    assert heaviest <= total / len(made) + max(rates.values()) * minutes + 1e-6


def test_long_groups_are_cut_by_the_length_of_the_address() -> None:
    """629 regional subreddits of which nothing is known are seven listings."""
    made = sized([f"s{n}" for n in range(629)], {}, "new", 15)
    assert len(made) == 7 and max(map(len, made)) <= SUBREDDITS_A_LISTING


def test_a_poll_is_planned_from_the_rates_that_were_seen() -> None:
    """Nothing known: a request a listing. Forty items a minute for 15 minutes: two listings of 300, four pages each."""
    assert requests_of([BOTH], State(), 15) == 1
    assert requests_of([BOTH], State(rates={"new:busy": 20.0, "new:loud": 20.0}), 15) == 8


def test_halves_hold_about_as_many_items_each() -> None:
    """Six, one, one and four items: the cut is behind the first."""
    seen = Seen(created=[0.0] * 12, subreddits=["a"] * 6 + ["b", "c"] + ["d"] * 4)
    assert halves(("a", "b", "c", "d"), seen) == [("a",), ("b", "c", "d")]


def test_a_peak_is_remembered_and_fades() -> None:
    """Two items a minute now, then none: after a hundred walks about a third is left; a short look says nothing."""
    rates: dict[str, float] = {}
    busy = Seen(created=[NOW - 30.0 * n for n in range(20)], subreddits=["a"] * 20, reached=True)
    learn(rates, "new", ("a", "b"), busy, NOW - 600, NOW)
    assert rates == {"new:a": 2.0}
    learn(rates, "new", ("a",), Seen(created=[NOW] * 50, subreddits=["a"] * 50, reached=True), NOW - 60, NOW)
    assert rates == {"new:a": 2.0}
    for _ in range(100):
        learn(rates, "new", ("a", "b"), Seen(reached=True), NOW - 600, NOW)
    assert 0.7 < rates["new:a"] < 0.75


def test_a_hundred_requests_may_come_at_once_and_no_more_than_a_thousand_in_ten_minutes() -> None:
    """The bucket is the client's, so all walks of a process share it; waiting is on the clock that was given."""
    clock = Ticking(NOW)
    pace = Pace(clock)
    for _ in range(100):
        pace.wait()
    assert clock.slept == []
    for _ in range(45):
        pace.wait()
    assert sum(clock.slept) == pytest.approx(30)
    clock.at += HOUR
    for _ in range(100):
        pace.wait()
    assert sum(clock.slept) == pytest.approx(30)
    clock.at += HOUR
    start = clock.at
    for _ in range(1001):
        pace.wait()
    assert clock.at >= start + 600


def test_walks_share_the_limit_of_their_client_and_believe_its_headers() -> None:
    """Twelve walks of ten requests and a token wait 14 s in all; an answer that says 0 remain is waited for."""
    site = Site(Ticking(NOW), {"busy": 1.0})
    with lab(site) as at:
        site.clock = at.clock
        for n in range(12):
            at.state.watermarks.clear()
            at.walk(Group(f"services-{n}", ("busy",), ("tiktok",), ("new",)))
        assert len(site.asked) == 120 and sum(at.clock.slept) == pytest.approx((120 + 1 - 100) / 1.5)

    def used_up(path: str, params: Params, headers: dict[str, str]) -> Reply:
        reply = site(path, params, headers)
        reply.headers = {"x-ratelimit-remaining": "0.0", "x-ratelimit-used": "996", "x-ratelimit-reset": "200"}
        return reply

    with lab(used_up) as at:
        site.clock = at.clock
        at.state.watermarks[SCOPE] = END - 120
        (batch,) = at.walk(Group("services-1", ("busy",), ("tiktok",), ("new",)))
    assert spans(batch)[0][0] == Status.OK and sum(at.clock.slept) == pytest.approx(200 * len(at.clock.slept))
