"""Incidents on flags small enough to be checked by eye.

A series is written as one letter a bin: ``.`` normal, ``e`` elevated, ``O`` outage, ``-`` no data, ``w`` warm-up.
"""

import doctest
import json
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clamor import schema
from clamor.errors import InputError
from clamor.incidents import Rules, episodes, evidence, identity, incidents, lookback, sentence, shares, words
from clamor.schema import FLAGS, INCIDENTS
from naive import incidents as naive

DAY = pd.Timestamp("2026-10-14T00:00Z")
STATES = {".": "normal", "e": "elevated", "O": "outage", "-": "no_data", "w": "warm_up"}
POSTS = {".": 10.0, "e": 20.0, "O": 60.0, "-": np.nan, "w": np.nan}
P = {".": 0.5, "e": 0.005, "O": 1e-6, "-": np.nan, "w": np.nan}
QUIET = 4  # an hour of 15-minute bins
at_width = pd.Timedelta(minutes=15)


def at(bin_number, minutes=15):
    return DAY + pd.Timedelta(minutes=minutes * bin_number)


def series(letters, service="tiktok", region="001", source="x", *, start=0, posts=None, expected=10.0, minutes=15):
    """One series; ``posts`` overrides the counts of elevated and outage bins."""
    n = len(letters)
    counts = [posts if posts is not None and s in "eO" else POSTS[s] for s in letters]
    known = [s in ".eO" for s in letters]
    return pd.DataFrame(
        {
            "source": source,
            "service": service,
            "region": region,
            "bin_minutes": minutes,
            "bin_start": [at(start + i, minutes) for i in range(n)],
            "state": [STATES[s] for s in letters],
            "score": [0.0 if k else np.nan for k in known],
            "p_value": [P[s] for s in letters],
            "q_value": [P[s] for s in letters],
            "posts": counts if source != "all" else np.nan,
            "expected_posts": [expected if k and source != "all" else np.nan for k in known],
            "dispersion": [0.05 if k and source != "all" else np.nan for k in known],
            "level_cv": [0.05 if k and source != "all" else np.nan for k in known],
            "sources": [[source]] * n,
            "computed_at": DAY,
        }
    )


def flagged(letters, region="001", *, start=0, minutes=15):
    """Flags of the combined source, which has no posts of its own: flags alone tell."""
    return series(letters, region=region, source="all", start=start, minutes=minutes)


def found(*parts, **options):
    flags = pd.concat(parts, ignore_index=True)
    options.setdefault("now", flags["bin_start"].max() + pd.Timedelta(minutes=int(flags["bin_minutes"].iloc[0])))
    options.setdefault("bin_minutes", int(flags["bin_minutes"].iloc[0]))
    return incidents(flags, **options)


def only(*parts, **options):
    rows = found(*parts, **options)
    assert len(rows) == 1, rows[["incident_id", "service", "onset_at", "status"]]
    return rows.iloc[0]


def test_outage_opens_and_elevated_keeps_open():
    """Bins 3 (elevated, leading) to 7 (elevated, after a pause shorter than an hour) are one incident."""
    row = only(flagged("...eO.e......"))
    assert (row.onset_at, row.last_seen_at, row.recovered_at) == (at(3), at(7), at(7))
    assert row.status == "recovered"


# --- when: two thresholds, gaps, still open -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("letters", "spans"),
    [
        ("............", []),
        ("...eeee.....", []),  # elevated alone opens nothing
        ("...O........", [(3, 3)]),
        ("...eO.......", [(3, 4)]),  # elevated that leads straight into the outage is its onset
        ("..e.O.......", [(4, 4)]),  # with a normal bin between, it is not
        ("..e-O.......", [(2, 4)]),  # a bin without data is no pause
        ("...O...e....", [(3, 7)]),  # three quiet bins do not close it
        ("...O....e...", [(3, 3)]),  # four do, and elevated does not open
        ("...O....O...", [(3, 3), (8, 8)]),
        ("...O-..-O...", [(3, 8)]),  # unknown bins are not quiet bins
        ("...Ow...O...", [(3, 8)]),
        ("O..........O", [(0, 0), (11, 11)]),
        ("------------", []),
        ("wwwwwwwwwwww", []),
    ],
)
def test_where_episodes_begin_and_end(letters, spans):
    """Outage opens, elevated keeps open, four normal bins (an hour) close; bins without data do neither."""
    rows = found(flagged(letters))
    assert [(at(first), at(last + 1)) for first, last in spans] == list(
        zip(rows["onset_at"], rows["last_seen_at"], strict=True)
    )


@pytest.mark.parametrize(
    ("letters", "late", "status"),
    [
        ("...O", 0, "ongoing"),
        ("...O...", 0, "ongoing"),  # three quiet bins are not enough
        ("...O....", 0, "recovered"),
        ("...O....", 500, "recovered"),  # what was seen stays seen
        ("...O...", 8, "ongoing"),  # two hours old data still speak
        ("...O...", 9, "unknown"),  # older data do not
        ("...O----", 0, "ongoing"),
        ("...O---------", 0, "unknown"),
        ("...O---------....", 0, "recovered"),
        ("...O---------...", 0, "ongoing"),
        ("...O-.-.-.-.", 0, "recovered"),
    ],
)
def test_still_open(letters, late, status):
    """Ongoing while the data are fresh and not quiet for an hour, recovered after a quiet hour, else unknown."""
    row = only(flagged(letters), now=at(len(letters) + late))
    assert row.status == status
    assert pd.isna(row.recovered_at) == (status != "recovered")


def test_after_a_day_without_data_an_outage_is_a_new_one():
    """A pause of 97 unknown bins (more than a day) parts two incidents; the first one's end is not known."""
    rows = found(flagged("..O" + "-" * 97 + "O"))
    assert rows["onset_at"].tolist() == [at(2), at(100)]
    assert found(flagged("..O" + "-" * 96 + "O"))["onset_at"].tolist() == [at(2)]


def test_onset_and_recovery_intervals():
    """From the start of the last clearly normal bin to the end of the first outage bin; and the same at the end."""
    row = only(flagged("...eeOOe......"))
    assert (row.onset_low_at, row.onset_at, row.onset_high_at) == (at(2), at(3), at(6))
    assert (row.recovered_low_at, row.recovered_at, row.recovered_high_at) == (at(6), at(8), at(9))


def test_merely_normal_bins_bound_the_onset_too():
    """Where no bin before is clearly normal, an hour of normal ones is the earliest beginning."""
    doubtful = flagged("........OO......").assign(p_value=[0.1] * 8 + [1e-6] * 2 + [0.5] * 6)
    assert only(doubtful).onset_low_at == at(4)


def test_gaps_widen_the_intervals():
    """Where no data lead to or from the outage, its onset and end are known only so well."""
    row = only(flagged("..---OO--......"))
    assert (row.onset_low_at, row.onset_at, row.onset_high_at) == (at(1), at(5), at(6))
    assert (row.recovered_low_at, row.recovered_at, row.recovered_high_at) == (at(6), at(7), at(10))


def test_nothing_is_known_before_the_first_bin():
    """An outage in the first bin has its onset interval begin there."""
    row = only(flagged("OO........"))
    assert (row.onset_low_at, row.onset_at) == (at(0), at(0))


def test_a_bin_of_a_day():
    """At a bin width of a day two normal days close an incident."""
    rows = found(flagged("...O.O....O..", minutes=1440))
    assert rows["onset_at"].tolist() == [at(3, 1440), at(10, 1440)]
    assert rows["status"].tolist() == ["recovered", "recovered"]


@settings(deadline=None, derandomize=True)
@given(st.text(alphabet="...eeO-w", min_size=1, max_size=40), st.integers(1, 5), st.integers(1, 6))
def test_episodes_equal_the_twin(letters, quiet, silent):
    """The array code finds what a loop over letters finds."""
    decided = episodes.decide(episodes.read(series(letters), 15))
    got = episodes.find(decided, quiet_bins=quiet, silent_bins=silent)
    assert list(zip(got.first, got.opened, got.closed, got.last, strict=True)) == naive.episodes(
        letters, quiet=quiet, silent=silent
    )


LETTERS = st.text(alphabet=".....eO-", min_size=24, max_size=24)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.lists(LETTERS, min_size=1, max_size=4), st.integers(0, 12))
def test_incidents_equal_the_twin(texts, late):
    """Spans, id times and status over several regions are those of the loop."""
    by_region = dict(zip(("001", "US", "GB", "JP"), texts, strict=False))
    rows = found(*(flagged(text, region) for region, text in by_region.items()), now=at(24 + late))
    got = [
        ((row.onset_at - DAY) // at_width, (row.last_seen_at - DAY) // at_width - 1, row.incident_id, row.status)
        for row in rows.itertuples()
    ]
    expected = naive.incidents(by_region, quiet=QUIET, silent=96, stale=8, now=24 + late)
    name = [
        (first, last, identity.mint("tiktok", at(opened).value // 1000), how) for first, last, opened, how in expected
    ]
    assert got == sorted(name, key=lambda row: (row[0], row[2]))


# --- where: regions and scope ---------------------------------------------------------------------------------------

CALM = "." * 16
OUT = "....OOOO........"
TREE = pd.DataFrame(
    {
        "region": ["001", "019", "150", "142", "US", "BR", "DE", "FR", "GB", "JP", "KR"],
        "parent": [None, "001", "001", "001", "019", "019", "150", "150", "150", "142", "142"],
    }
)


def test_a_country_alone():
    """The world and Europe show it too, but France is where it is."""
    rows = [series(OUT, region=region) for region in ("001", "150", "FR")]
    row = only(*rows, series(CALM, region="DE"), series(CALM, region="US"), regions=TREE)
    assert (row.scope, list(row.regions)) == ("country", ["FR"])


def test_the_finest_regions_are_named():
    """Michigan has nearly all of the country's excess: it is named alone."""
    row = only(
        series(OUT, region="001"), series(OUT, region="US"), series(OUT, region="US-MI"), series(CALM, region="US-NY")
    )
    assert (row.scope, list(row.regions)) == ("subdivision", ["US-MI"])


def test_a_country_stays_beside_a_subdivision_that_does_not_explain_it():
    """Michigan has four tenths of the country's excess: the country is named too."""
    row = only(series(OUT, region="US", posts=135), series(OUT, region="US-MI"))
    assert (row.scope, list(row.regions)) == ("country", ["US", "US-MI"])


def test_several_countries():
    """Two countries of one continent are multi-country, one incident."""
    row = only(
        *(series(OUT, region=r) for r in ("001", "DE", "FR")), *(series(CALM, region=r) for r in ("GB", "ES", "IT"))
    )
    assert (row.scope, sorted(row.regions)) == ("multi-country", ["DE", "FR"])


def test_global_over_three_continents():
    """The world's series and countries of three continents: global, and the countries are named by size."""
    row = only(
        series(OUT, region="001", posts=500),
        *(series(OUT, region=r, posts=p) for r, p in (("US", 90), ("DE", 70), ("JP", 80))),
        *(series(CALM, region=r) for r in ("GB", "FR", "BR", "KR")),
        regions=TREE,
    )
    assert (row.scope, list(row.regions)) == ("global", ["US", "JP", "DE"])
    assert row.excess_posts == 4 * 490


def test_global_without_a_series_of_the_world():
    """Where the world has no series, three continents or most of the countries are enough; two of six are not."""
    names = ["US", "DE", "JP", "GB", "FR", "BR"]
    out = {r: series(OUT, region=r) for r in names}
    calm = {r: series(CALM, region=r) for r in names}
    three = [out[r] if r in ("US", "DE", "JP") else calm[r] for r in names]
    assert only(*three, regions=TREE).scope == "global"
    assert only(*(out[r] if r in ("DE", "FR") else calm[r] for r in names), regions=TREE).scope == "multi-country"


def test_the_world_alone():
    """Where no country can be told, the world is named."""
    row = only(series(OUT, region="001"), series(CALM, region="US"), series(CALM, region="DE"))
    assert (row.scope, list(row.regions)) == ("global", ["001"])


def test_a_region_that_was_never_flagged_is_named_by_its_excess():
    """Brazil is elevated by half in every bin, never enough for an outage, too much for chance over the window."""
    quiet_but_high = series("." * 16, region="BR").assign(posts=[10.0] * 4 + [25.0] * 4 + [10.0] * 8)
    row = only(
        series(OUT, region="001", posts=300), series(OUT, region="US"), quiet_but_high, series(CALM, region="GB")
    )
    assert sorted(row.regions) == ["BR", "US"]


def test_unnamed_countries_that_rise_together_make_it_global():
    """Only the US is clear, but eight small countries together have five times their posts, nearly as the US."""
    small = ["BR", "DE", "FR", "GB", "IN", "JP", "KR", "AU"]
    rest = [
        series(CALM, region=region, expected=0.2).assign(posts=[0.4] * 4 + [1.0, 1.0, 0.0, 2.0] + [0.4] * 8)
        for region in small
    ]
    row = only(series(OUT, region="001", posts=300), series(OUT, region="US"), *rest)
    assert row.scope == "global"


def test_flags_lent_from_the_whole_are_no_place():
    """Evidence pooled over regions may flag a country without posts in excess: it is not named."""
    lent = series(OUT, region="GB", posts=10)
    assert list(only(series(OUT, region="001"), series(OUT, region="FR"), lent).regions) == ["FR"]
    assert list(only(series(OUT, region="001"), lent).regions) == ["001"]


def test_over_several_countries_only_countries_are_named():
    """Texas alone shows it in the US, and Japan: the US and Japan are named."""
    row = only(*(series(OUT, region=r) for r in ("001", "US", "US-TX", "JP")))
    assert sorted(row.regions) == ["JP", "US"]


def test_a_few_posts_from_everywhere_name_no_country():
    """Japan rises from 10 to 35 posts a bin while the US rises from 10 to 110: the outage is in the US alone."""
    row = only(
        series(OUT, region="001", posts=200), series(OUT, region="US", posts=110), series(OUT, region="JP", posts=35)
    )
    assert (row.scope, list(row.regions)) == ("country", ["US"])


def test_unknown_places_are_not_named():
    """Posts whose place is not known are not a region."""
    row = only(series(OUT, region="001"), series(OUT, region="ZZ"), series(OUT, region="GB"))
    assert list(row.regions) == ["GB"]


def test_somebody_else_s_regions():
    """Any names and any tree will do: here a plant of two halls, one of which fails."""
    tree = pd.DataFrame({"region": ["plant", "north", "south"], "parent": [None, "plant", "plant"]})
    row = only(series(OUT, region="plant"), series(OUT, region="north"), series(CALM, region="south"), regions=tree)
    assert (row.scope, list(row.regions)) == ("country", ["north"])


def test_what_holds_others_is_an_area():
    """In somebody else's tree of three levels the leaves are countries and the rest areas; kinds, if given, decide."""
    rows = [("north", None), ("NA", "north"), ("R0", "NA"), ("R1", "NA")]
    tree = pd.DataFrame(rows, columns=["region", "parent"])
    flags = [series(OUT, region=r) for r in ("north", "NA", "R0", "R1")]
    assert only(*flags, regions=tree).scope == "multi-country"
    kinds = tree.assign(kind=["area", "country", "subdivision", "subdivision"])
    assert only(*flags, regions=kinds).scope == "subdivision"


def test_regions_join_while_the_incident_is_open():
    """Germany begins three quiet bins after the US ended: the same incident; five bins after: another."""
    us = series("..O.............", region="US")
    assert len(found(us, series("......O.........", region="DE"))) == 1
    assert len(found(us, series("........O.......", region="DE"))) == 2


MANY = [f"{a}{b}" for a in "ABCDEF" for b in "ABCDEFGHIJ"]


def test_regions_that_meet_by_chance_stay_apart():
    """Of sixty countries two are flagged within four hours, which chance does one time in eight: two incidents."""
    long = "....OOOOOOOOOOOOOOOO...."
    calm = [series("." * 24, region=region) for region in MANY[2:]]
    rows = found(series(long, region="AA"), series(long, region="AB"), *calm, parameters={"budget": 0.1})
    assert [list(regions) for regions in rows["regions"]] == [["AA"], ["AB"]]
    assert sorted(rows["incident_id"]) == ["tiktok-20261014T0100Z", "tiktok-20261014T0100Z-2"]
    pd.testing.assert_frame_equal(
        found(series(long, region="AA"), series(long, region="AB"), *calm, previous=rows, parameters={"budget": 0.1}),
        rows,
    )


def test_regions_below_a_flagged_one_are_one_incident():
    """The same two countries with the world flagged too; and with a budget so small that chance would not do it."""
    long = "....OOOOOOOOOOOOOOOO...."
    calm = [series("." * 24, region=region) for region in MANY[2:]]
    pair = [series(long, region="AA"), series(long, region="AB"), *calm]
    assert sorted(only(*pair, series(long, region="001")).regions) == ["AA", "AB"]
    assert sorted(only(*pair, rules=Rules(budget=0.001)).regions) == ["AA", "AB"]


def test_services_that_meet_by_chance_share_no_cause():
    """Three of two thousand services fail in one country within the hour: at that many, chance does it often."""
    three = [failing(service) for service in ("a", "b", "c")]
    calm = pd.concat([series("." * 16, service=f"s{i}", region="DE") for i in range(20)], ignore_index=True)
    assert only(*three, calm).scope == "shared cause"
    many = pd.concat([calm.assign(service=calm["service"] + f"-{k}") for k in range(100)], ignore_index=True)
    assert len(found(*three, many)) == 3


# --- why: shared causes and blame -----------------------------------------------------------------------------------


def failing(service, region="DE", letters=OUT, posts=60, **more):
    return series(letters, service=service, region=region, posts=posts, **more)


def test_a_shared_cause_began_when_what_is_blamed_did():
    """Netflix rose a bin earlier, which may be chance; four bins earlier is not."""
    for early, began in ((3, 4), (0, 0)):
        victim = failing("netflix", letters="...." + "." * early + "O" * (8 - early) + "." * 8)
        cause = failing("vodafone", letters="........OOOO........", posts=100)
        row = only(cause, victim, providers=["vodafone"])
        assert row.service == "vodafone" and row.onset_at == at(4 + began)


def test_a_provider_takes_services_along():
    """Three services and their provider fail in Germany alone: one incident, blamed on the provider."""
    calm = [series(CALM, service=s, region="FR") for s in ("vodafone", "netflix", "spotify", "roblox")]
    row = only(
        failing("vodafone", posts=100), *map(failing, ("netflix", "spotify", "roblox")), *calm, providers=["vodafone"]
    )
    assert (row.scope, row.service, list(row.regions)) == ("shared cause", "vodafone", ["DE"])
    assert list(row.services) == ["vodafone", "netflix", "roblox", "spotify"]


def test_without_a_provider_the_largest_is_blamed():
    """Three services fail in one country and no provider is known: the one with the largest excess."""
    row = only(failing("netflix"), failing("spotify", posts=90), failing("roblox"))
    assert (row.scope, row.service) == ("shared cause", "spotify")


def test_one_provider_failing_in_two_places_shares_no_cause_with_itself():
    """Michigan and Ohio lose power at the same time: one service, so nothing is shared."""
    calm = [series("." * 12, service="electric-power", region=region) for region in ("US-NY", "US-TX")]
    hit = [series("...OO.......", service="electric-power", region=region) for region in ("US-MI", "US-OH")]
    rows = found(*hit, *calm, providers=["electric-power"])
    assert set(rows["scope"]) <= {"subdivision", "country"}


def test_two_services_are_no_shared_cause():
    """Two services that fail together by chance stay two incidents; a provider and a service are one."""
    assert len(found(failing("netflix"), failing("spotify"))) == 2
    assert only(failing("netflix"), failing("vodafone"), providers=["vodafone"]).scope == "shared cause"


def test_a_service_that_fails_elsewhere_too_is_not_swallowed():
    """TikTok fails in Germany, France and the US while a provider fails in Germany: two incidents."""
    rows = found(
        *(failing("tiktok", region) for region in ("DE", "FR", "US")),
        *(failing(service) for service in ("vodafone", "netflix", "spotify")),
        providers=["vodafone"],
    )
    assert rows["service"].tolist() == ["tiktok", "vodafone"]
    assert list(rows["services"].iloc[1]) == ["vodafone", "netflix", "spotify"]


def test_a_service_that_fails_at_another_time_is_not_swallowed():
    """PayPal's own outage in Germany began five bins before the provider's."""
    early, late = "..OOOOOOOOOO............", ".......OOOO............."
    rows = found(
        failing("paypal", letters=early),
        *(failing(s, letters=late) for s in ("vodafone", "netflix")),
        providers=["vodafone"],
    )
    assert rows["service"].tolist() == ["paypal", "vodafone"]


def test_a_service_with_excess_only_is_named_among_the_victims():
    """Spotify never raised an outage, but its posts in Germany doubled for the whole window."""
    doubled = series(CALM, service="spotify", region="DE").assign(posts=[10.0] * 4 + [25.0] * 4 + [10.0] * 8)
    row = only(failing("vodafone"), failing("netflix"), doubled, providers=["vodafone"])
    assert list(row.services) == ["vodafone", "netflix", "spotify"]


def test_victims_too_small_alone_are_told_together():
    """Five services with one or two posts where 0.2 were expected: none is sure, all of them beside a provider are."""
    few = [
        series(CALM, service=f"s{i}", region="DE", expected=0.05).assign(
            posts=[0.0] * 4 + [1.0, 0.0, 1.0, 0.0] + [0.0] * 8
        )
        for i in range(5)
    ]
    row = only(failing("vodafone"), *few, providers=["vodafone"])
    assert (row.scope, list(row.services)) == ("shared cause", ["vodafone", "s0", "s1", "s2", "s3", "s4"])
    assert only(failing("vodafone"), few[0].assign(posts=0.1), providers=["vodafone"]).scope == "country"


def test_a_provider_s_cause_lies_where_others_suffer():
    """Vodafone is loud in Germany and, by hearsay, in France; only in Germany do others rise with it."""
    few = [
        series(CALM, service=f"s{i}", region=region, expected=0.05).assign(
            posts=[0.0] * 4 + ([1.0, 0.0, 1.0, 0.0] if region == "DE" else [0.0] * 4) + [0.0] * 8
        )
        for i in range(5)
        for region in ("DE", "FR")
    ]
    row = only(failing("vodafone"), failing("vodafone", "FR"), *few, providers=["vodafone"])
    assert (row.scope, row.service, list(row.regions)) == ("shared cause", "vodafone", ["DE"])
    assert list(row.services) == ["vodafone", "s0", "s1", "s2", "s3", "s4"]


def test_who_fails_elsewhere_may_suffer_here():
    """Netflix has an outage of its own in Japan; its few posts in Germany still tell of the provider there."""
    few = series(CALM, service="netflix", region="DE", expected=0.05).assign(
        posts=[0.0] * 4 + [1.0, 1.0, 1.0, 0.0] + [0.0] * 8
    )
    rows = found(failing("vodafone"), failing("netflix", "JP"), few, providers=["vodafone"])
    assert rows.set_index("service")["scope"].to_dict() == {"netflix": "country", "vodafone": "shared cause"}


def test_a_provider_that_fails_while_nobody_else_rises_is_alone():
    """Twenty services of Germany go on as ever: no shared cause."""
    calm = [series(CALM, service=f"s{i}", region="DE") for i in range(20)]
    assert only(failing("vodafone"), *calm, providers=["vodafone"]).scope == "country"


def test_a_shared_cause_is_over_when_what_is_blamed_is():
    """The provider's posts stop after four bins; the flags of a victim linger for six more."""
    victim = failing("netflix", letters="....OOOOOOOOOO....", posts=15)
    row = only(failing("vodafone", letters=OUT + ".."), victim, providers=["vodafone"])
    assert (row.status, row.recovered_at, row.last_seen_at) == ("recovered", at(8), at(14))


def test_many_that_rise_beside_one_share_its_cause():
    """Roblox alone is flagged in Germany and its provider is not watched; five others rise there, or none does."""
    few = [
        series(CALM, service=f"s{i}", region="DE", expected=0.05).assign(
            posts=[0.0] * 4 + [1.0, 1.0, 1.0, 0.0] + [0.0] * 8
        )
        for i in range(5)
    ]
    row = only(failing("roblox"), *few)
    assert (row.scope, list(row.services)) == ("shared cause", ["roblox", "s0", "s1", "s2", "s3", "s4"])
    assert only(failing("roblox"), *(each.assign(posts=0.05) for each in few)).scope == "country"


def test_late_victims_join_their_provider():
    """Roblox shows it six bins after the others: it is a victim too, unless it is larger than the provider."""
    long, late = "..OOOOOOOOOO............", "........OO.............."
    whole = [failing(s, letters=long, posts=100) for s in ("vodafone", "netflix")]
    row = only(*whole, failing("roblox", letters=late, posts=50), providers=["vodafone"])
    assert list(row.services) == ["vodafone", "netflix", "roblox"]
    assert len(found(*whole, failing("roblox", letters=late, posts=900), providers=["vodafone"])) == 2


def test_a_big_platform_is_blamed_and_not_the_provider_that_lights_up():
    """TikTok fails in Germany with ten times the provider's excess posts: the provider only echoes it."""
    row = only(failing("tiktok", posts=510), failing("vodafone", posts=60), providers=["vodafone"])
    assert (row.service, list(row.services), row.scope) == ("tiktok", ["tiktok"], "country")


def test_a_provider_that_fails_later_is_no_echo():
    """TikTok has failed for hours when a provider fails too, with far fewer posts: an outage of its own."""
    long, late = "...." + "O" * 12 + "....", "...." + "." * 8 + "O" * 4 + "...."
    rows = found(
        failing("tiktok", letters=long, posts=600),
        failing("tiktok", region="FR", letters=long, posts=600),
        failing("vodafone", letters=late, posts=60),
        providers=["vodafone"],
    )
    assert sorted(rows["service"]) == ["tiktok", "vodafone"]


def test_a_provider_that_lights_up_in_a_global_outage_is_an_echo():
    """The same when the platform fails in the world; a provider's incident of its own size stays."""
    world = [failing("tiktok", region, posts=510) for region in ("001", "DE", "US", "JP")]
    assert only(*world, failing("vodafone", posts=60), providers=["vodafone"]).service == "tiktok"
    assert len(found(*world, failing("vodafone", posts=260), providers=["vodafone"])) == 2


# --- which sources, how much ----------------------------------------------------------------------------------------


def test_all_decides_and_the_sources_tell_the_posts():
    """Where source all has rows it decides; posts come from the clearest single source, never from a sum."""
    row = only(
        series("................", source="x", posts=12),
        series("....OOOO........", source="reddit", posts=40),
        series(".....OOO........", source="all"),
    )
    assert (row.opened_at, row.onset_at) == (at(6), at(4))
    assert (row.excess_source, row.excess_posts, list(row.sources)) == ("reddit", 120.0, ["reddit"])


def test_without_all_the_worst_source_decides():
    """Two sources and no combination of them: the worst state of each bin counts."""
    row = only(series("....O...........", source="x"), series(".....O..........", source="reddit"))
    assert (row.onset_at, row.last_seen_at, list(row.sources)) == (at(4), at(6), ["reddit", "x"])


def test_excess_is_joint():
    """Four bins of 60 posts for 10 expected: 200 in excess, with an interval for the whole window."""
    row = only(series(OUT))
    assert row.excess_posts == 200.0
    _, variance = naive.excess([60.0] * 4, [10.0] * 4, [0.05] * 4, [0.05] * 4)
    half = 1.96 * variance**0.5
    assert row.excess_low_posts == pytest.approx(200 - half, abs=3)
    assert row.excess_high_posts == pytest.approx(200 + half, abs=3)


def test_an_outage_bin_opens_an_incident_however_few_its_posts():
    """Whether few posts are enough was weighed when the bin was flagged, by the budget: no second rule forbids it."""
    rare = series("....OOOO........", expected=0.001)
    assert len(found(rare.assign(posts=[0.0] * 4 + [1.0, 0.0, 1.0, 0.0] + [0.0] * 8))) == 1


def test_the_end_is_told_by_the_posts():
    """Flags go on for two bins after the last bin with posts that chance does not explain: the end is before them.

    It may have been half an hour earlier: people go on complaining.
    """
    row = only(series("....OOOO........").assign(posts=[10.0] * 4 + [60.0, 60.0, 10.0, 10.0] + [10.0] * 8))
    assert (row.recovered_low_at, row.recovered_at, row.recovered_high_at) == (at(4), at(6), at(7))
    assert (row.status, row.last_seen_at) == ("recovered", at(8))


def aftermath(read, counted, **options):
    """Four bins of outage in two sources; then what each counts while the flags of both linger for six bins."""
    parts = [
        series("....OOOOOOOOOO....", source=name).assign(posts=[10.0] * 4 + [60.0] * 4 + posts + [10.0] * 4)
        for name, posts in (("reddit", read), ("x", counted))
    ]
    return only(*parts, **options)


def test_commentary_does_not_delay_the_end():
    """Jokes match the query for six bins more; where posts are read there are as few complaints as ever."""
    row = aftermath([10.0] * 6, [60.0] * 6, unread=["x"])
    assert (row.status, row.recovered_at, row.last_seen_at, row.excess_posts) == ("recovered", at(8), at(14), 200.0)


def test_first_hand_complaints_do():
    """The same where both sources were read: somebody still complains first-hand, so it went on until the end."""
    assert aftermath([10.0] * 6, [60.0] * 6).recovered_at == at(14)
    assert aftermath([60.0] * 6, [10.0] * 6, unread=["x"]).recovered_at == at(14)


def test_where_nothing_is_read_counts_tell():
    """Of two sources that only count, neither is overruled."""
    assert aftermath([10.0] * 6, [60.0] * 6, unread=["reddit", "x"]).recovered_at == at(14)


def test_samples_tell_the_end_where_nothing_else_is_read():
    """X alone: posts stay up for twelve bins more, but of a hundred that are read two name a trouble, not sixteen."""
    counted = series("." * 4 + "O" * 20).assign(posts=[10.0] * 4 + [60.0] * 20)
    read = [
        row
        for first, named in ((4, 16), (8, 16), (12, 2), (16, 2), (20, 2))
        for row in (
            sample("any", 70, 100, bin_number=first),
            sample("any", 30, 100, bin_number=first, signal="commentary"),
            sample("login", named, 70, bin_number=first),
            sample("other", 70 - named, 70, bin_number=first),
        )
    ]
    row = only(counted, samples=pd.DataFrame(read), unread=["x"])
    assert row.status == "recovered" and row.recovered_low_at <= at(12) <= row.recovered_high_at
    assert only(counted, unread=["x"]).status == "ongoing"
    steady = [{**row, "posts": 16 if row["symptom"] == "login" else row["posts"]} for row in read]
    assert only(counted, samples=pd.DataFrame(steady), unread=["x"]).status == "ongoing"


def test_one_quiet_bin_ends_nothing_and_two_do():
    """An outage of fifty posts a bin is over after two bins without, long before the flags have been quiet an hour."""
    assert only(series("....OOOO.")).status == "ongoing"
    row = only(series("....OOOO.."))
    assert (row.status, row.recovered_at) == ("recovered", at(8))


def test_an_end_that_dies_away_began_earlier():
    """From the hundred of an outage to the usual ten in two hours: it may have been over when posts began to fall."""
    fall = [10.0] * 4 + [100.0] * 8 + [76.0, 55.0, 37.0, 25.0, 18.0, 14.0, 12.0] + [10.0] * 9
    row = only(series("...." + "O" * 12 + "." * 12).assign(posts=fall))
    assert row.recovered_low_at <= at(12) < row.recovered_at
    sharp = only(series("...." + "O" * 12 + "." * 12).assign(posts=[10.0] * 4 + [100.0] * 12 + [10.0] * 12))
    assert (sharp.recovered_low_at, sharp.recovered_at) == (at(13), at(16))


def test_talk_before_an_outage_is_not_its_beginning():
    """Posts are twice what is usual for two hours, as talk is, before they jump: it began with the jump."""
    row = only(series("." * 16 + "OOOO" + "." * 8).assign(posts=[10.0] * 8 + [20.0] * 8 + [90.0] * 4 + [10.0] * 8))
    assert (row.onset_low_at, row.onset_at, row.onset_high_at) == (at(15), at(16), at(17))


def test_an_alarm_before_an_outage_is_told_on_its_own():
    """Lingering flags join two rises with five hours of usual posts between them; their posts tell them apart."""
    posts = [10.0] * 8 + [30.0] * 3 + [10.0] * 20 + [90.0] * 6 + [10.0] * 8
    early, late = found(series("." * 8 + "OOO" + "eee." * 5 + "OOOOOO" + "." * 8).assign(posts=posts)).itertuples()
    assert (early.onset_at, early.recovered_at) == (at(8), at(11))
    assert (late.onset_at, late.recovered_at) == (at(31), at(37))
    assert late.opened_at == at(32)


def test_an_alarm_elsewhere_before_an_outage_is_not_its_beginning():
    """France is flagged for nothing that Germany's posts show; three hours later Germany fails, flags in between."""
    france = series("....OO" + "eee." * 3 + "ee" + "." * 8, region="FR").assign(
        posts=[1.0] * 4 + [8.0] * 2 + [1.0] * 22
    )
    germany = series("." * 16 + "OOOO" + "." * 8, region="DE").assign(posts=[10.0] * 16 + [200.0] * 4 + [10.0] * 8)
    rows = found(france.assign(expected_posts=1.0), germany)
    assert rows["onset_at"].tolist() == [at(4), at(16)]
    assert [list(regions) for regions in rows["regions"]] == [["FR"], ["DE"]]


def test_a_slow_rise_began_earlier():
    """Bins that rise in step towards the first outage bin may belong to it, however little each shows."""
    rise = [10.0] * 8 + [14.0, 19.0, 24.0, 29.0] + [34.0] * 4 + [10.0] * 8
    row = only(series("." * 12 + "OOOO" + "." * 8).assign(posts=rise))
    assert row.onset_low_at <= at(8) and row.onset_at <= at(12)
    assert only(series("." * 12 + "OOOO" + "." * 8)).onset_low_at == at(11)


def test_excess_is_of_all_regions_where_no_series_holds_them():
    """Two countries and no series of the world: their posts are disjoint, and those of both are told."""
    row = only(series(OUT, region="FR"), series(OUT, region="GB"))
    assert (set(row.regions), row.excess_posts) == ({"FR", "GB"}, 400.0)
    assert row.excess_low_posts < 400 < row.excess_high_posts
    assert only(series(OUT, region="FR"), series(OUT, region="GB"), series(OUT, region="001")).excess_posts == 200.0


def test_an_outage_that_goes_on_is_not_over_because_its_flags_are():
    """Flags mind what is new, posts stay at five times the usual: the outage goes on until they fall."""
    steady = series("....OOOO................").assign(posts=[10.0] * 4 + [50.0] * 14 + [10.0] * 6)
    row = only(steady)
    assert (row.status, row.recovered_at, row.last_seen_at) == ("recovered", at(18), at(18))
    assert row.excess_posts == 14 * 40
    assert only(steady.head(18)).status == "ongoing"
    assert only(series("....OOOO................")).recovered_at == at(8)


def test_an_outage_goes_on_where_its_posts_are_not_where_its_flag_was():
    """New York was flagged for a bin; Michigan, merely elevated then, has most posts, and has them for longer."""
    letters = "." * 20
    state = {"US-NY": "....O" + letters, "US-MI": "....e" + letters}
    posts = {"US-NY": [10.0] * 4 + [60.0] + [10.0] * 20, "US-MI": [10.0] * 4 + [300.0] * 8 + [10.0] * 13}
    row = only(*(series(state[region], region=region).assign(posts=posts[region]) for region in state))
    assert row["regions"] == ["US-MI"]
    assert (row["onset_at"], row["recovered_at"], row["last_seen_at"]) == (at(4), at(12), at(12))
    assert row["opened_at"] == at(5)


def test_a_split_flag_of_one_outage_is_one_incident():
    """What is flagged again before the posts have fallen is the same incident; after it, another."""
    again = series("....OO......OO..........")
    assert len(found(again.assign(posts=[10.0] * 4 + [50.0] * 10 + [10.0] * 10))) == 1
    assert len(found(again)) == 2


def test_counts_hold_an_outage_open_only_where_nobody_reads():
    """Counted posts go on, first-hand complaints do not: it is over if those that are read would surely show it."""
    counted = series("....OOOO............", source="x").assign(posts=[10.0] * 4 + [50.0] * 12 + [10.0] * 4)
    read = series("....OOOO............", source="reddit").assign(posts=[10.0] * 4 + [50.0] * 4 + [10.0] * 12)
    assert only(counted, read, unread=["x"]).recovered_at == at(8)
    assert only(counted, unread=["x"]).recovered_at == at(16)
    sparse = read.assign(posts=[0.0] * 5 + [2.0] + [0.0] * 14, expected_posts=0.01)
    assert only(counted, sparse, unread=["x"]).recovered_at == at(16)


def test_a_weak_end_is_told_later_and_known_less_well():
    """25 posts where ten are usual: it takes three bins to be sure, and the end may lie after the first of them."""
    weak = series("OOOOOOOO" + "." * 12).assign(posts=[25.0] * 8 + [10.0] * 12)
    row = only(weak)
    assert row.recovered_at == at(8)
    strong = only(series("OOOOOOOO" + "." * 12))
    assert strong.recovered_high_at == at(9) and row.recovered_high_at == at(10)


def test_an_outage_comes_back():
    """It was over for two bins, then posts rise again within the hour: it goes on under the same id."""
    before = found(series("....OOOO.."))
    row = only(series("....OOOO..OO"), previous=before)
    assert (row.status, row.incident_id) == ("ongoing", before.iloc[0].incident_id)


def test_without_posts_the_excess_is_not_known():
    """Flags of the combined source alone say nothing of posts."""
    row = only(series(OUT, source="all"))
    assert pd.isna(row.excess_posts) and pd.isna(row.peak_ratio)
    assert (row.excess_source, list(row.sources), row.severity) == ("all", ["all"], "moderate")


@pytest.mark.parametrize("expected", [1e-4, 0.01, 1.0, 50.0])
@pytest.mark.parametrize("dispersion", [0.0, 1.0, 10.0])
def test_an_interval_holds_its_excess(expected, dispersion):
    """However rare posts are, low <= excess <= high."""
    row = only(series(OUT, expected=expected, posts=70).assign(dispersion=dispersion, level_cv=1.5))
    assert row.excess_low_posts <= row.excess_posts <= row.excess_high_posts


def test_peak():
    """The peak is the bin with the most posts over the expected ones; half a post is added to both."""
    row = only(series(OUT).assign(posts=[10.0] * 4 + [40.0, 90.0, 60.0, 50.0] + [10.0] * 8))
    assert (row.peak_at, row.peak_ratio) == (at(5), 90.5 / 10.5)


@pytest.mark.parametrize(
    ("probability", "ratio", "low", "wide", "word"),
    [
        (0.999, 2.0, 100.0, False, "minor"),
        (0.999, 5.0, 100.0, False, "moderate"),
        (0.999, 20.0, 100.0, False, "major"),
        (0.999, 20.0, 100.0, True, "critical"),
        (0.999, 2.0, 100.0, True, "moderate"),
        (0.98, 20.0, 100.0, True, "moderate"),
        (0.90, 20.0, 100.0, True, "minor"),
        (0.999, 20.0, 4.0, True, "moderate"),
        (0.999, 20.0, 1.0, False, "moderate"),
        (0.999, 20.0, 0.0, True, "minor"),
        (0.999, None, None, False, "minor"),
    ],
)
def test_severity_needs_probability_and_size(probability, ratio, low, wide, word):
    """Size gives the steps, probability and the sure excess hold them down."""
    assert evidence.severity(probability, ratio, low, wide=wide) == word


def test_uneven_coverage_is_said():
    """An incident is uneven if a bin of its window was not observed, or observed unevenly."""
    assert not only(series("...OOO......")).uneven
    assert only(series("...O-O......")).uneven
    rough = pd.DataFrame({"service": "tiktok", "region": "001", "bin_start": [at(4)], "uneven": [True]})
    assert only(series("...OOO......"), uneven=rough).uneven
    assert not only(series("...OOO......"), uneven=rough.assign(bin_start=at(8))).uneven


@settings(deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(st.floats(0, 500), st.floats(0.01, 100), st.floats(0, 1), st.floats(0, 0.3)), min_size=1, max_size=8
    )
)
def test_windows_add_up_like_the_twin(bins):
    """Sums and the joint variance of a window are those of a loop over its bins."""
    posts, expected, dispersion, level_cv = map(list, zip(*bins, strict=True))
    flags = series("O" * len(bins)).assign(
        posts=posts, expected_posts=expected, dispersion=dispersion, level_cv=level_cv
    )
    rows = episodes.read(flags, 15)
    cell = evidence.cells(rows, np.arange(len(bins)), rows.region)
    total, variance = naive.excess(posts, expected, dispersion, level_cv)
    assert float(cell.excess[0]) == pytest.approx(total, abs=1e-6)
    assert float(cell.variance[0]) == pytest.approx(variance)


def test_tail_probabilities():
    """Poisson: P(X >= 3 | mean 1) is 8.0%. Negative binomial of mean 2 and variance 4: P(X >= 2) is one half."""
    one = np.ones(1)
    assert evidence.tail(3 * one, one, one)[0] == pytest.approx(0.0803, abs=1e-4)
    assert evidence.tail(2 * one, 2 * one, 4 * one)[0] == pytest.approx(0.5)
    assert evidence.tail(0 * one, one, one)[0] == 1.0


# --- what people say ------------------------------------------------------------------------------------------------


def sample(symptom, posts, size=50, *, signal="complaint", region="001", bin_number=4):
    return {
        "source": "x",
        "service": "tiktok",
        "region": region,
        "signal": signal,
        "symptom": symptom,
        "bin_minutes": 60,
        "bin_start": at(bin_number),
        "posts": posts,
        "sample_size": size,
        "observed_at": at(9),
    }


def test_shares_of_a_read_sample():
    """Of 50 posts read 40 are first-hand; 20 of those say login: a half, with Wilson's interval."""
    read = [sample("any", 40), sample("login", 20), sample("playback", 10), sample("any", 10, signal="commentary")]
    row = only(series(OUT), samples=pd.DataFrame(read))
    assert row.first_hand_share["share"] == 0.8
    assert row.first_hand_share["sample_size"] == 50
    assert isinstance(row.first_hand_share["sample_size"], int)
    assert [(s["name"], s["share"]) for s in row.symptoms] == [("login", 0.5), ("playback", 0.25)]
    assert (row.symptoms[0]["share_low"], row.symptoms[0]["share_high"]) == pytest.approx((0.352, 0.648), abs=1e-3)


def test_samples_of_another_time_say_nothing():
    """A sample from after the incident is not counted."""
    row = only(series(OUT), samples=pd.DataFrame([sample("any", 40, bin_number=9), sample("login", 20, bin_number=9)]))
    assert row.first_hand_share is None
    assert len(row.symptoms) == 0


def complaints(symptom, per_bin, bins):
    return [
        {
            "source": "x",
            "service": "tiktok",
            "region": "001",
            "symptom": symptom,
            "bin_start": at(b),
            "posts": per_bin,
            "bin_minutes": 15,
        }
        for b in bins
    ]


def test_what_is_usual_is_taken_off():
    """60 posts a bin, 10 of them usual, of which 8 say login as always: the outage itself is all playback."""
    rows = [*complaints("login", 8, range(8)), *complaints("playback", 50, range(4, 8))]
    row = only(series(OUT), symptoms=pd.DataFrame(rows))
    assert [s["name"] for s in row.symptoms] == ["playback"]
    assert row.symptoms[0]["share"] == pytest.approx(1.0)
    assert row.symptoms[0]["sample_size"] == 240


def test_a_symptom_as_usual_is_not_named():
    """Login is told of as often as ever; five more posts say upload, which chance and misreading do not explain."""
    usual = [*complaints("login", 8, range(-96, 8)), *complaints("other", 2, range(-96, 4))]
    rows = [*usual, *complaints("upload", 5, range(4, 8)), *complaints("other", 47, range(4, 8))]
    row = only(series(OUT), symptoms=pd.DataFrame(rows))
    assert [s["name"] for s in row.symptoms] == ["upload", "other"]
    assert row.symptoms[0]["share"] == pytest.approx(20 / 200)


def test_one_post_names_no_symptom():
    """Of 40 complaints one says payment, which is as likely misread; what names nothing comes last, however large."""
    read = [sample("any", 40), sample("payment", 1), sample("login", 6), sample("other", 33)]
    row = only(series(OUT), samples=pd.DataFrame(read))
    assert [(s["name"], s["share"]) for s in row.symptoms] == [("login", 0.15), ("other", 0.825)]


def test_what_was_read_in_two_sources_is_one_reading():
    """Twelve of 40 complaints of a sample on X and 24 of 240 on Reddit say login: 36 of 280."""
    counted = series(OUT, source="reddit").assign(posts=[2.0] * 4 + [60.0] * 4 + [2.0] * 8, expected_posts=2.0)
    rows = pd.DataFrame(complaints("login", 6, range(4, 8))).assign(source="reddit")
    read = pd.DataFrame([sample("any", 40), sample("login", 12)])
    row = only(series(OUT), counted, samples=read, symptoms=rows)
    assert [(s["name"], s["share"], s["sample_size"]) for s in row.symptoms] == [("login", 36 / 280, 280)]


def test_a_sample_of_the_aftermath_says_nothing():
    """The outage is over after four bins; a sample of the hour that follows reads what is said about it then."""
    late = [sample("any", 40, bin_number=7), sample("login", 40, bin_number=7)]
    assert len(only(series(OUT), samples=pd.DataFrame(late)).symptoms) == 0


def test_symptoms_of_unknown_bins_are_not_counted():
    """Where a bin's posts are not known, its symptoms are left out too: a share is never above one."""
    usual = complaints("other", 10, range(4))
    row = only(series("....O-O........."), symptoms=pd.DataFrame([*usual, *complaints("crash", 40, range(4, 7))]))
    assert [(s["name"], s["sample_size"]) for s in row.symptoms] == [("crash", 120)]
    assert row.symptoms[0]["share"] == pytest.approx(80 / 100)  # of 120 posts 20 are usual and none of those crash
    more = only(series(OUT), symptoms=pd.DataFrame(complaints("crash", 500, range(4, 8))))
    assert more.symptoms[0]["share"] == 1.0


def test_claims_are_shares_of_statements():
    """Three of four statements say maintenance."""
    rows = [
        {
            "source": "x",
            "service": "tiktok",
            "region": "US",
            "claim": c,
            "bin_start": at(5),
            "posts": p,
            "bin_minutes": 15,
        }
        for c, p in (("maintenance", 30), ("attack", 10))
    ]
    row = only(series(OUT), claims=pd.DataFrame(rows))
    assert [(c["name"], c["share"], c["sample_size"]) for c in row.claims] == [
        ("maintenance", 0.75, 40),
        ("attack", 0.25, 40),
    ]


# --- ids from run to run --------------------------------------------------------------------------------------------


def test_an_id_is_kept_and_detection_is_the_first():
    """The second run sees more of the same incident: same id, detected when the first run showed it."""
    first = found(series("....OO"), now=at(6))
    second = found(series("....OO......"), previous=first, now=at(12)).iloc[0]
    assert second.incident_id == first.iloc[0].incident_id == "tiktok-20261014T0100Z"
    assert (second.detected_at, second.computed_at, second.status) == (at(6), at(12), "recovered")


def test_an_id_survives_a_revision():
    """Late data move the first outage bin from 4 to 3: the id stays as it was minted."""
    first = found(series("....OO......"))
    row = found(series("...OOO......"), previous=first).iloc[0]
    assert (row.incident_id, row.onset_at) == ("tiktok-20261014T0100Z", at(3))


def test_merged_incidents_keep_the_oldest_id():
    """Late data fill the pause between two incidents."""
    first = found(series("..O.....O...."))
    assert len(first) == 2
    row = found(series("..O.e..eO...."), previous=first)
    assert len(row) == 1
    assert row.iloc[0].incident_id == "tiktok-20261014T0030Z"
    assert list(row.iloc[0].merged_from) == ["tiktok-20261014T0200Z"]


def test_merges_are_remembered():
    """Later runs keep what an incident was merged from."""
    first = found(series("..O.....O...."))
    merged = found(series("..O.e..eO...."), previous=first)
    again = found(series("..O.e..eO...."), previous=merged)
    assert list(again.iloc[0].merged_from) == ["tiktok-20261014T0200Z"]


def test_a_revised_incident_is_withdrawn_and_comes_back():
    """When later data show nothing, the row stays as withdrawn; when they show it again, it is itself again."""
    first = found(series("....OO......"))
    gone = found(series("............"), previous=first, now=at(20))
    assert gone["status"].tolist() == ["withdrawn"]
    assert gone.iloc[0].computed_at == at(20)
    pd.testing.assert_frame_equal(found(series("............"), previous=gone, now=at(21)), gone)
    back = found(series("....OO......"), previous=gone, now=at(22)).iloc[0]
    assert (back.incident_id, back.status, back.detected_at) == (first.iloc[0].incident_id, "recovered", at(12))


def test_lost_data_withdraw_nothing():
    """When the data of its time are gone, nothing says that the incident was wrong."""
    first = found(series("....OO......"))
    kept = found(series("....--......"), previous=first, now=at(20))
    pd.testing.assert_frame_equal(kept, first)


def test_older_incidents_and_other_services_are_left_alone():
    """What ended before the window, or is not among the flags, is returned as it was."""
    first = found(series("....OO......"), series("....OO......", service="paypal"))
    later = found(series("............", start=48), previous=first)
    pd.testing.assert_frame_equal(later, first)
    other = found(series("............", service="netflix"), previous=first)
    pd.testing.assert_frame_equal(other, first)


def test_a_split_gives_one_new_id():
    """Revised data part an incident in two: one part keeps the id, the other gets its own."""
    first = found(series("..O.e..eO...."))
    rows = found(series("..O.....O...."), previous=first)
    assert rows["incident_id"].tolist() == ["tiktok-20261014T0030Z", "tiktok-20261014T0200Z"]


def test_an_incident_that_began_before_the_window_goes_on():
    """The window begins in the middle of the outage: id, onset and the larger excess are kept."""
    first = found(series("..OOOO"))
    rows = found(series("O......", start=6), previous=first, now=at(13))
    row = rows.iloc[0]
    assert len(rows) == 1
    assert (row.incident_id, row.onset_at, row.excess_posts) == ("tiktok-20261014T0030Z", at(2), 200.0)
    assert (row.status, row.last_seen_at) == ("recovered", at(7))


@pytest.mark.parametrize(
    ("letters", "status", "last"),
    [("....", "recovered", 6), ("...", "ongoing", 6), ("e....", "recovered", 7), ("ee.", "ongoing", 8)],
)
def test_an_incident_that_ends_before_the_window_is_closed_in_it(letters, status, last):
    """The window holds only its end: quiet bins close it, elevated bins keep it open as ever."""
    first = found(series("..OOOO"))
    row = only(series(letters, start=6), previous=first)
    assert (row.incident_id, row.status, row.last_seen_at) == ("tiktok-20261014T0030Z", status, at(last))


def test_lookback_shows_incidents_whole():
    """Flags should begin a day before the onset interval of what is open, and of what the window would cut."""
    day = pd.Timedelta(days=1)
    still = found(flagged("....OO"))
    assert lookback(still, at(6)) == at(3) - day
    done = found(flagged("....OO......"))
    assert lookback(done, at(5)) == at(3) - day
    assert lookback(done, at(13)) == at(3) - day
    assert lookback(done, at(29)) == at(3) - day
    assert lookback(done, at(30)) == at(30 - 16)
    lost = found(flagged("....OO"), now=at(90))
    assert lookback(lost, at(80)) == at(3) - day
    assert lookback(found(flagged("....OO"), now=at(120)), at(120)) == at(120 - 16)


def test_what_is_settled_is_left_alone():
    """The later of two incidents goes on; flags that show only the end of the earlier one do not touch it."""
    flags = flagged("OOOO" + "." * 16 + "OO")
    known = found(flags)
    later = found(flags.loc[flags["bin_start"] >= at(3)], previous=known, since=at(20), now=at(23))
    pd.testing.assert_series_equal(later.iloc[0], known.iloc[0])
    assert later.iloc[1].computed_at == at(23)


def test_what_was_open_is_not_settled():
    """Nothing is known for six hours; then four normal bins close what was open before."""
    flags = flagged("..OO" + "-" * 24 + "....")
    lost = found(flags.loc[flags["bin_start"] < at(28)])
    assert lost["status"].tolist() == ["unknown"]
    row = only(flags, previous=lost, since=at(28))
    assert (row.incident_id, row.status) == (lost.iloc[0].incident_id, "recovered")


SERVICES = ("tiktok", "netflix", "vodafone")
REGIONS = ("001", "DE", "FR")
WORLD = st.lists(st.text(alphabet="......eOO-", min_size=16, max_size=16), min_size=9, max_size=9)


def world(texts):
    names = [(service, region) for service in SERVICES for region in REGIONS]
    return pd.concat([series(text, s, r) for (s, r), text in zip(names, texts, strict=True)], ignore_index=True)


def run(texts, cuts):
    flags, known = world(texts), None
    for cut in cuts:
        seen = flags.loc[flags["bin_start"] < at(cut)]
        known = incidents(seen, previous=known, providers=["vodafone"], now=at(cut))
    return known


def test_an_id_never_names_a_service_that_is_not_part_of_it():
    """A provider's incident turns out to be a platform's echo: the platform gets its own id, and keeps the record."""
    first = found(failing("vodafone"), providers=["vodafone"])
    row = only(failing("vodafone"), failing("tiktok", posts=900), previous=first, providers=["vodafone"])
    assert row.incident_id == "tiktok-20261014T0100Z"
    assert list(row.merged_from) == ["vodafone-20261014T0100Z"]


LASTING = [name for name in INCIDENTS.columns.names if name not in ("detected_at", "merged_from")]


@settings(deadline=None, derandomize=True, max_examples=15)
@given(WORLD, st.integers(1, 15))
def test_ids_do_not_depend_on_where_runs_are_cut(texts, cut):
    """Bin by bin, in two runs or in one: the same incidents with the same ids."""
    every = run(texts, range(1, 17))
    pd.testing.assert_frame_equal(run(texts, [cut, 16])[LASTING], every[LASTING])
    pd.testing.assert_frame_equal(run(texts, [16])[LASTING], every[LASTING])


LEVELS = st.lists(st.tuples(st.integers(1, 12), st.sampled_from([0.0, 2.0, 10.0, 30.0, 60.0])), min_size=2, max_size=12)


@settings(deadline=None, derandomize=True, max_examples=25)
@given(
    st.text(alphabet="...eOO-", min_size=60, max_size=60), LEVELS, st.lists(st.integers(3, 20), min_size=1, max_size=6)
)
def test_polls_tell_what_one_run_over_all_tells(letters, levels, windows):
    """Posts of any size beside any flags: runs that see only what lookback() asks for end with the same incidents."""
    posts = [posts for length, posts in levels for _ in range(length)][:60]
    flags = series("." * 20 + letters)
    mine = flags.index[20 : 20 + len(posts)]
    flags.loc[mine, "posts"] = flags.loc[mine, "posts"].where(flags["posts"].isna(), posts)
    known, begin = schema.INCIDENTS.empty(), 0
    for cut in sorted({*np.minimum(np.cumsum(windows), 80).tolist(), 80}):
        seen = flags.loc[(flags["bin_start"] >= lookback(known, at(begin))) & (flags["bin_start"] < at(cut))]
        known, begin = incidents(seen, previous=known, since=at(begin), now=at(cut)), cut
    told = [name for name in LASTING if name != "computed_at"]
    pd.testing.assert_frame_equal(known[told], incidents(flags, now=at(80))[told])


@settings(deadline=None, derandomize=True, max_examples=20)
@given(WORLD, st.randoms(use_true_random=False))
def test_replay_and_order_change_nothing(texts, random):
    """A second run on the same flags returns the same table, and so does any order of rows."""
    once = run(texts, [16])
    flags = world(texts)
    options = {"providers": ["vodafone"], "now": at(16)}
    pd.testing.assert_frame_equal(incidents(flags, previous=once, **options), once)
    order = list(range(len(flags)))
    random.shuffle(order)
    pd.testing.assert_frame_equal(incidents(flags.iloc[order], **options), once)


@settings(deadline=None, derandomize=True, max_examples=20)
@given(WORLD, st.integers(1, 40))
def test_missing_data_never_close_an_incident(texts, dark):
    """Bins without data after the end turn nothing into recovered, and withdraw nothing."""
    before = run(texts, [16])
    after = incidents(
        world([t + "-" * dark for t in texts]), previous=before, providers=["vodafone"], now=at(16 + dark)
    )
    pd.testing.assert_series_equal(after["incident_id"], before["incident_id"])
    assert (after["status"] == "withdrawn").sum() == 0
    pd.testing.assert_series_equal(after["status"] == "recovered", before["status"] == "recovered")


@settings(deadline=None, derandomize=True, max_examples=20)
@given(WORLD, WORLD)
def test_any_revision_gives_a_sound_table(texts, revised):
    """Whatever later data say: ids are unique, times in order, rows conform, and no old incident is lost."""
    before = run(texts, [12])
    after = incidents(world(revised), previous=before, providers=["vodafone"], now=at(16))
    schema.conform(after, INCIDENTS)
    assert after["incident_id"].is_unique
    assert (after["onset_low_at"] <= after["onset_at"]).all()
    assert (after["onset_at"] < after["onset_high_at"]).all()
    assert (after["onset_at"] < after["last_seen_at"]).all()
    done = after.loc[after["status"] == "recovered"]
    assert (done["recovered_low_at"] <= done["recovered_at"]).all()
    assert (done["recovered_at"] < done["recovered_high_at"]).all()
    assert set(before["incident_id"]) <= set(after["incident_id"]) | {
        n for names in after["merged_from"] for n in names
    }


# --- the table, words, bad input ------------------------------------------------------------------------------------


def test_the_table_conforms():
    """What comes out is the incidents table, with rules and settings written down."""
    rows = found(series(OUT), parameters={"budget": 0.1}, catalog_version="abc", rules=Rules(region_p=0.01))
    table = schema.conform(rows, INCIDENTS)
    assert table.schema == INCIDENTS.columns
    assert json.loads(rows.iloc[0].parameters) | {"budget": 0.1, "region_p": 0.01} == json.loads(
        rows.iloc[0].parameters
    )
    assert rows.iloc[0].catalog_version == "abc"


def test_no_flags_no_change():
    """Without flags the known incidents are returned; without those an empty table."""
    pd.testing.assert_frame_equal(incidents(FLAGS.empty(), now=DAY), INCIDENTS.empty())
    known = found(series(OUT))
    pd.testing.assert_frame_equal(incidents(FLAGS.empty(), previous=known, now=DAY), known)


def test_flags_as_the_table_has_them():
    """Rows read back from the flags table are accepted as they are."""
    columns = {
        "low_posts": 1.0,
        "high_posts": 2.0,
        "excess_posts": 0.0,
        "excess_low_posts": 0.0,
        "excess_high_posts": 0.0,
        "ratio": 1.0,
    }
    flags = schema.to_pandas(schema.conform(series(OUT).assign(**columns), FLAGS))
    assert len(incidents(flags, now=at(16))) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bin_minutes": 60}, "bins of 60 min"),
        ({"state": "broken"}, "state 'broken'"),
        ({"bin_start": DAY}, "two rows for x, tiktok, 001"),
        ({"bin_start": [at(0), at(1) + pd.Timedelta(minutes=1)]}, "one grid of 15 min"),
    ],
)
def test_bad_flags_are_refused(change, message):
    """One line says the value and the rule."""
    with pytest.raises(InputError, match=message):
        incidents(series("O.").assign(**change), now=at(2))


def test_a_naive_now_is_refused():
    """Every time is UTC by type."""
    with pytest.raises(InputError, match="naive"):
        incidents(series("O."), now=pd.Timestamp("2026-10-14"))


def test_sentences():
    """An incident in words: since when, where, what, how many; and how sure of its end."""
    names = {"tiktok": "TikTok"}
    assert sentence(only(series("....OO"), now=at(6)), names) == (
        "TikTok: global outage since 2026-10-14 01:00 UTC; about 100 excess posts (87 to 112)"
    )
    assert "from 2026-10-14 01:00 to 01:30 UTC" in sentence(only(series("....OO....")))
    assert "last seen 01:30, end not known" in sentence(only(series("....OO"), now=at(90)))
    shared = only(failing("vodafone"), failing("netflix"), providers=["vodafone"])
    assert sentence(shared).startswith("vodafone (with netflix): outage of several services from")


@pytest.mark.parametrize("module", [shares, identity, words])
def test_examples_hold(module):
    """The examples in the docstrings are true."""
    assert doctest.testmod(module).failed == 0


def test_cost_is_linear():
    """Ten times the series cost about ten times the work, not a hundred times."""
    letters = "." * 6 + "O" + "." * 9

    def work(n):
        flags = pd.concat([series(letters, service=f"s{i:03d}") for i in range(20)], ignore_index=True)
        many = pd.concat([flags.assign(service=flags["service"] + f"-{k:04d}") for k in range(n)], ignore_index=True)
        begin = time.process_time()
        incidents(many, now=at(16))
        return time.process_time() - begin

    work(1)
    assert work(40) < 30 * max(work(4), 0.02)
