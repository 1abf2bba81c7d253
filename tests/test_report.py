"""The report: what it says in words, what it draws, and that nothing in the data can become markup or a request."""

import base64
import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clamor import report, schema
from clamor.errors import InputError
from clamor.report import drawn, page, palette, words
from clamor.report.ledger import ledger
from clamor.report.status import roots
from clamor.report.strips import strip, thinned
from clamor.report.tables import service_ranks
from clamor.report.unknown import unknowns
from clamor.report.window import ELEVATED, NO_DATA, NORMAL, OUTAGE, window
from naive import report as naive

NOW = pd.Timestamp("2026-11-22T06:00Z").as_unit("us")
STEP = pd.Timedelta(minutes=15)
REGIONS = pd.DataFrame(
    [
        ("001", None, "World", None),
        ("019", "001", "Americas", None),
        ("US", "019", "United States", "840"),
        ("US-MI", "US", "Michigan", None),
        ("DE", "001", "Germany", "276"),
        ("SG", "001", "Singapore", "702"),
        ("NA", "001", "Namibia", "516"),
    ],
    columns=["region", "parent", "name", "iso_numeric"],
)


def series(
    states: str, service: str = "tiktok", region: str = "001", source: str = "x", **columns: Any
) -> pd.DataFrame:
    """Flags of one series that ends at NOW; a letter a bin: n(ormal) e(levated) o(utage) -(no data) w(arm-up)."""
    words_of = {"n": "normal", "e": "elevated", "o": "outage", "-": "no_data", "w": "warm_up"}
    frame = pd.DataFrame(
        {
            "source": source,
            "service": service,
            "region": region,
            "bin_minutes": 15,
            "bin_start": pd.date_range(end=NOW - STEP, periods=len(states), freq=STEP).as_unit("us"),
            "state": [words_of[s] for s in states],
            "posts": [{"-": np.nan, "o": 60.0, "e": 20.0}.get(s, 5.0) for s in states],
            "expected_posts": 5.0,
            "low_posts": 1.0,
            "high_posts": 11.0,
            "score": [{"-": np.nan, "o": 9.0, "e": 3.0}.get(s, 0.0) for s in states],
            "ratio": [{"-": np.nan, "o": 12.0, "e": 4.0}.get(s, 1.0) for s in states],
        }
    )
    return frame.assign(**columns)


def incident(**changes: Any) -> dict[str, Any]:
    """One incident that began an hour ago and goes on."""
    share = {"name": "login", "share": 0.4, "share_low": 0.31, "share_high": 0.5, "sample_size": 90}
    onset = NOW - pd.Timedelta(hours=1)
    row = dict.fromkeys(schema.INCIDENTS.columns.names)
    row |= {
        "incident_id": "i1",
        "service": "tiktok",
        "services": ["tiktok"],
        "scope": "multi-country",
        "regions": ["US", "DE"],
        "status": "ongoing",
        "onset_at": onset,
        "onset_low_at": onset - STEP,
        "onset_high_at": onset + STEP,
        "detected_at": onset + STEP,
        "recovered_at": pd.NaT,
        "recovered_low_at": pd.NaT,
        "recovered_high_at": pd.NaT,
        "last_seen_at": NOW,
        "peak_at": onset + STEP,
        "peak_ratio": 12.0,
        "severity": "major",
        "probability": 0.99,
        "excess_posts": 240.0,
        "excess_low_posts": 200.0,
        "excess_high_posts": 290.0,
        "excess_source": "x",
        "first_hand_share": share | {"name": "first_hand"},
        "symptoms": [share],
        "claims": [],
        "sources": ["x"],
        "uneven": False,
        "merged_from": [],
        "bin_minutes": 15,
        "parameters": json.dumps({"budget": 0.1}),
        "catalog_version": "abc",
        "computed_at": NOW,
    }
    return row | changes


def incidents(*rows: dict[str, Any]) -> pd.DataFrame:
    """Incident rows as a frame."""
    if not rows:
        return schema.INCIDENTS.empty()
    frame = pd.DataFrame(list(rows))
    for name in ("recovered_at", "recovered_low_at", "recovered_high_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return frame


def attempts(*rows: tuple[str, float, float, str]) -> pd.DataFrame:
    """Coverage rows of source x: scope, start and end in bins before NOW, status."""
    return pd.DataFrame(
        [
            {
                "source": "x",
                "scope": scope,
                "window_start": NOW - STEP * start,
                "window_end": NOW - STEP * end,
                "status": status,
                "requests": 1,
                "cost_usd": 0.005,
            }
            for scope, start, end, status in rows
        ]
    )


def title(html: str) -> str:
    """The headline of a page."""
    found = re.search(r"<h1>(.*?)</h1>", html, re.S)
    assert found
    return found[1]


def text(html: str) -> str:
    """What a page says, without its scripts and styles."""
    bare = re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", bare))


class Elements(HTMLParser):
    """The elements and attributes of a page, as a browser's tokenizer would see them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


class TestHeadline:
    def test_names_what_fails_where_and_since_when(self) -> None:
        """One ongoing incident is the headline."""
        html = page(
            series("nnnnoooo"), now=NOW, incidents=incidents(incident()), regions=REGIONS, services={"tiktok": "TikTok"}
        )
        assert title(html) == "TikTok is failing in United States and Germany, since 05:00 UTC"
        assert "240 complaints more than normal on X (200 to 290)" in text(html)
        assert "logging in (40%)" in text(html)

    def test_shared_cause_names_the_others(self) -> None:
        """A cause that several services share is one incident with all of them."""
        row = incident(
            service="vodafone", services=["vodafone", "tiktok", "netflix"], scope="shared cause", regions=["DE"]
        )
        html = page(series("nnnnoooo"), now=NOW, incidents=incidents(row), regions=REGIONS)
        assert title(html) == "vodafone and 2 more services are failing, from one cause, in Germany, since 05:00 UTC"

    def test_the_gravest_leads(self) -> None:
        """Minor trouble elsewhere is told in a line, not in the title, and stands below in the table."""
        flags = pd.concat([series("nnnnoooo"), series("nnnnoooo", service="a-minor")])
        rows = [incident(incident_id="m", service="a-minor", services=["a-minor"], severity="minor"), incident()]
        html = page(flags, now=NOW, incidents=incidents(*rows), regions=REGIONS)
        assert title(html) == "tiktok is failing in United States and Germany, since 05:00 UTC"
        assert "a-minor: minor, United States and Germany" in text(html)
        assert html.index(">tiktok</a>") < html.index(">a-minor</a>")

    def test_a_minor_incident_is_not_called_a_failure(self) -> None:
        """The words fit the severity, and the world's count alone names no place."""
        row = incident(severity="minor", regions=["001"])
        html = page(series("nnnnoooo"), now=NOW, incidents=incidents(row), regions=REGIONS)
        assert title(html) == "Minor trouble with tiktok since 05:00 UTC; no country stands out"

    def test_all_quiet(self) -> None:
        """Fresh data without trouble are called quiet."""
        html = page(series("nnnnnnnn"), now=NOW, incidents=incidents())
        assert title(html) == "All quiet"

    def test_old_data_are_not_calm(self) -> None:
        """A page made long after the last bin says that now is not known."""
        html = page(series("nnnnnnnn"), now=NOW + pd.Timedelta(hours=5), incidents=incidents())
        assert title(html) == "Not known now: no data since 06:00 UTC"

    def test_no_data_is_not_calm(self) -> None:
        """Bins that were never observed are said as such."""
        assert title(page(series("--------"), now=NOW)) == "Not known: no data at all"
        assert title(page(schema.FLAGS.empty(), now=NOW)) == "Not known: no data at all"

    def test_one_blind_service_spoils_the_quiet(self) -> None:
        """A service without fresh data is counted as not known."""
        flags = pd.concat([series("nnnnnnnn"), series("nnn-----", service="netflix")])
        assert title(page(flags, now=NOW)) == "No outage heard, but 1 service of 2 not known"

    def test_a_past_outage_is_told(self) -> None:
        """After the recovery the page says that it was."""
        row = incident(
            status="recovered", recovered_at=NOW - STEP, recovered_low_at=NOW - 2 * STEP, recovered_high_at=NOW
        )
        assert (
            title(page(series("noooonnn"), now=NOW, incidents=incidents(row)))
            == "Quiet now, after 1 outage in the last 2 h"
        )

    def test_a_level_that_stayed_is_not_called_recovered(self) -> None:
        """Posts never fell: the card, the tables and the lines call it the new normal."""
        over = {"recovered_at": NOW - STEP, "recovered_low_at": NOW - 2 * STEP, "recovered_high_at": NOW}
        row = incident(status="recovered", ending="new normal", **over)
        told = text(page(series("noooonnn"), now=NOW, incidents=incidents(row)))
        assert "new normal 05:45" in told
        assert "recovered" not in told

    def test_what_is_minor_is_not_counted_as_an_outage(self) -> None:
        """It may be nothing."""
        over = {"status": "recovered", "recovered_at": NOW, "recovered_low_at": NOW - STEP, "recovered_high_at": NOW}
        rows = [incident(**over), incident(**over, incident_id="i2", severity="minor")]
        known = title(page(series("noooonnn"), now=NOW, incidents=incidents(*rows)))
        assert known == "Quiet now, after 1 outage and 1 minor incident in the last 2 h"

    def test_what_may_be_nothing_is_said_to_be(self) -> None:
        """An interval that holds no post in excess, or alarms so weak that some are false."""
        none = incident(severity="minor", excess_posts=1.0, excess_low_posts=0.0, excess_high_posts=1.0)
        weak = incident(severity="minor", probability=0.9)
        for row, said in ((none, "as many posts come by chance"), (weak, "up to 10% of alarms so weak are false")):
            told = text(page(series("nnnnoooo"), now=NOW, incidents=incidents(row)))
            assert said in told
        assert "may be nothing" not in text(page(series("nnnnoooo"), now=NOW, incidents=incidents(incident())))

    def test_who_suffers_from_another_is_not_called_out(self) -> None:
        """Netflix complains with Vodafone: its row says so, and its strip has no outage of its own."""
        flags = pd.concat([series("nnnnoooo", service="vodafone"), series("nnnneenn", service="netflix")])
        row = incident(service="vodafone", services=["vodafone", "netflix"], scope="shared cause", regions=["US"])
        html = page(flags, now=NOW, incidents=incidents(row))
        assert "US, with vodafone" in text(html)
        view = window(flags, NOW)
        assert OUTAGE not in service_ranks(view, "netflix", [row], {})
        assert (service_ranks(view, "vodafone", [row], {}) == OUTAGE).sum() == 4

    def test_an_incident_without_fresh_data_is_not_called_ongoing(self) -> None:
        """When the data stop, nobody knows whether it is over."""
        html = page(series("nnnnoooo"), now=NOW + pd.Timedelta(hours=5), incidents=incidents(incident()))
        assert "not known whether over" in text(html)
        assert "so far" not in text(html)
        assert "Not known 06:00 US and DE" in text(html)


class TestStatus:
    def test_states_and_their_order(self) -> None:
        """The failing come first, then the unknown, then the rest."""
        flags = pd.concat(
            [
                series("nnnnnnnn", "quiet"),
                series("nnnnnoee", "raised"),
                series("nn------", "blind"),
                series("wwwwwwww", "young"),
                series("nnnnoooo", "tiktok"),
            ]
        )
        known = report.status(flags, now=NOW, incidents=incidents(incident())).set_index("service")
        assert known["state"].to_dict() == {
            "tiktok": "outage",
            "raised": "elevated",
            "blind": "unknown",
            "young": "warm_up",
            "quiet": "normal",
        }
        assert list(known.index) == ["tiktok", "raised", "blind", "young", "quiet"]
        assert known.loc["raised", "since"] == NOW - 2 * STEP
        assert known.loc["blind", "last_data_at"] == NOW - 6 * STEP
        assert known.loc["blind", "coverage"] == 0.25

    def test_a_flag_alone_is_an_outage_only_without_incidents(self) -> None:
        """Where incidents were decided, a flagged bin that opened none is merely elevated."""
        flags = series("nnnnnnoo")
        assert report.status(flags, now=NOW)["state"].tolist() == ["outage"]
        assert report.status(flags, now=NOW, incidents=incidents())["state"].tolist() == ["elevated"]

    def test_all_sources_decide_where_they_are(self) -> None:
        """Rows of source all outrank the single sources; posts come from those."""
        flags = pd.concat([series("nnnnnnnn", source="all", posts=np.nan), series("nnnnnnoo", source="x")])
        assert report.status(flags, now=NOW)["state"].tolist() == ["normal"]
        assert window(flags).counted["source"].tolist() == ["x"]

    def test_a_blind_region_is_counted(self) -> None:
        """Regions that are watched without fresh data are told apart."""
        flags = pd.concat([series("nnnn"), series("----", region="DE"), series("nnnn", region="US")])
        known = report.status(flags, now=NOW, regions=REGIONS).iloc[0]
        assert (known["regions_watched"], known["regions_unknown"]) == (3, 1)

    def test_roots_are_the_broadest_regions(self) -> None:
        """A region whose ancestor is there is a part; ZZ stands for nothing."""
        parents = dict(zip(REGIONS["region"], REGIONS["parent"], strict=True))
        parents = {k: v for k, v in parents.items() if isinstance(v, str)}
        assert roots({"001", "US", "US-MI", "ZZ"}, parents) == {"001"}
        assert roots({"US-MI", "DE", "ZZ"}, parents) == {"US-MI", "DE"}
        assert roots({"ZZ"}, parents) == {"ZZ"}
        assert roots({"a", "b"}, {"a": "b", "b": "a"}) != set()

    def test_naive_times_are_refused(self) -> None:
        """A naive time is an error with the next step, not a guess."""
        flags = series("nn")
        flags["bin_start"] = flags["bin_start"].dt.tz_localize(None)
        with pytest.raises(InputError, match="naive times"):
            report.status(flags, now=NOW)
        with pytest.raises(InputError, match="naive time"):
            page(series("nn"), now=pd.Timestamp("2026-11-22"))

    def test_a_state_that_is_none_is_refused(self) -> None:
        """Unknown words are not drawn as something."""
        with pytest.raises(InputError, match="'broken'"):
            report.status(series("nn").assign(state="broken"), now=NOW)


class TestWindow:
    @given(st.lists(st.text("neo-w", min_size=1, max_size=30), min_size=1, max_size=4), st.randoms())
    @settings(max_examples=25, deadline=None)
    def test_summaries_equal_the_slow_twin_in_any_row_order(self, states: list[str], random: Any) -> None:
        """The reductions over codes say what a loop over rows says."""
        flags = pd.concat([series(s, region=f"R{i}") for i, s in enumerate(states)], ignore_index=True)
        order = list(range(len(flags)))
        random.shuffle(order)
        fast = window(flags.iloc[order])
        pd.testing.assert_frame_equal(
            fast.series[list(naive.SUMMARY)], naive.summary(flags)[list(naive.SUMMARY)], check_dtype=False
        )
        everything = range(len(fast.series))
        assert fast.ranks(everything).tolist() == naive.worst(flags)

    def test_a_missing_bin_is_unknown(self) -> None:
        """A bin without a row is no_data, not normal."""
        flags = series("nnnnn").drop(index=2)
        assert window(flags).ranks([0]).tolist() == [NORMAL, NORMAL, NO_DATA, NORMAL, NORMAL]

    def test_the_tail_up_to_now_is_unknown(self) -> None:
        """Bins that should be there by now and are not belong to the window."""
        assert window(series("nnnn"), NOW + 2 * STEP).ranks([0]).tolist() == [NORMAL] * 4 + [NO_DATA] * 2

    def test_other_bin_widths_are_left_out_and_counted(self) -> None:
        """One page has one bin width."""
        view = window(pd.concat([series("nnnn"), series("n").assign(bin_minutes=60)]))
        assert (view.bin_minutes, view.bins, view.skipped_rows) == (15, 4, 1)


class TestDrawn:
    def test_a_gap_stays_a_gap(self) -> None:
        """The line breaks where nothing was observed, and the stretch is marked."""
        view = window(series("nn--on"))
        points = drawn.points(view, 0)
        assert points["posts"] == [5, 5, None, None, 60, 5]
        gap = drawn.gaps(view, 0)
        assert gap["kind"] == ["no data"]
        assert (gap["e"][0] - gap["t"][0]) == 2 * 15 * 60_000

    def test_thinning_keeps_the_worst_bin_whole(self) -> None:
        """Of several bins the worst is drawn with its own band; bands are never added."""
        points = drawn.points(window(series("nnnonnne-nnn")), 0, limit=3)
        assert points["state"] == ["outage", "elevated", "normal"]
        assert points["posts"] == [60, 20, 5]
        assert points["high"] == [11, 11, 11]

    def test_a_lone_bin_is_marked(self) -> None:
        """A bin without neighbours cannot be a line; it becomes a point."""
        assert drawn.points(window(series("-n-nn")), 0)["alone"] == [0, 1, 0, 0, 0]

    @given(st.text("neo-w", min_size=1, max_size=400), st.integers(1, 50))
    @settings(max_examples=40, deadline=None)
    def test_no_outage_and_no_gap_is_lost_by_thinning(self, states: str, limit: int) -> None:
        """However few points, every outage and every gap without trouble is seen."""
        ranks = window(series(states)).ranks([0])
        thin = thinned(ranks, limit)
        assert len(thin) <= max(limit, 1)
        assert (OUTAGE in thin) == (OUTAGE in ranks)
        assert not (NO_DATA in ranks and (ranks < ELEVATED).all()) or NO_DATA in thin
        assert sum(piece.width for piece in strip(ranks)) == pytest.approx(1000, abs=len(ranks))
        points = drawn.points(window(series(states)), 0, limit)
        assert len(points["t"]) <= limit
        assert ("outage" in points["state"]) == ("o" in states)


class TestCoverage:
    def test_failed_attempts_are_not_calm(self) -> None:
        """A scope that failed leaves its bins failed; a later success heals them."""
        flags = series("nnnnnnnn")
        told = attempts(("a", 8, 4, "ok"), ("a", 4, 2, "rate_limited"), ("a", 2, 0, "ok"))
        (source,) = ledger(window(flags), told)
        assert [(p.kind, p.width) for p in source.strip] == [("ok", 500), ("failed", 250), ("ok", 250)]
        assert source.ended == (("ok", 2), ("rate limited", 1))
        (healed,) = ledger(window(flags), pd.concat([told, attempts(("a", 8, 0, "ok"))]))
        assert [p.kind for p in healed.strip] == ["ok"]

    def test_some_scopes_are_partial(self) -> None:
        """A source is complete only where all of its scopes are."""
        told = attempts(("a", 8, 0, "ok"), ("b", 8, 4, "ok"), ("b", 4, 0, "failed"))
        (source,) = ledger(window(series("nnnnnnnn")), told)
        assert [p.kind for p in source.strip] == ["ok", "partial"]

    def test_short_walks_prove_a_bin_together(self) -> None:
        """Attempts that touch inside a bin leave no hole; what was skipped was never tried."""
        told = attempts(("a", 8, 6.5, "ok"), ("a", 6.5, 5.2, "ok"), ("a", 5.2, 0, "ok"), ("sample", 8, 0, "skipped"))
        (source,) = ledger(window(series("nnnnnnnn")), told)
        assert [p.kind for p in source.strip] == ["ok"]

    def test_a_bin_proven_in_part_is_partial(self) -> None:
        """An archive that begins within a bin has not failed there."""
        (source,) = ledger(window(series("nnnnnnnn")), attempts(("a", 7.5, 0, "ok")))
        assert [(p.kind, p.width) for p in source.strip] == [("partial", 125), ("ok", 875)]

    def test_without_a_ledger_the_flags_tell(self) -> None:
        """Coverage is read from the flags where no attempts are known."""
        flags = pd.concat([series("nnnn--"), series("nn----", region="US")])
        (source,) = ledger(window(flags), None)
        assert [p.kind for p in source.strip] == ["ok", "partial", "none"]


class TestUnknown:
    def told(self, flags: pd.DataFrame, coverage: pd.DataFrame | None = None, *rows: dict[str, Any]) -> dict[str, str]:
        view = window(flags, NOW)
        names = words.Names({}, REGIONS)
        return {u.what: u.text for u in unknowns(view, ledger(view, coverage), rows, names, NOW)}

    def test_gaps_blind_spots_and_learning_are_named(self) -> None:
        """What was not observed or not judged is said in a sentence."""
        flags = pd.concat([series("nn--nnnn"), series("--------", region="DE"), series("ww--wwww", region="US")])
        told = self.told(flags)
        assert "30 min of this window: 04:30 to 05:00 UTC" in told["Gap"]
        assert told["Blind spot"].startswith("Germany: no data")
        assert told["Learning"].startswith("1 of 3 series")

    def test_the_share_without_a_place_is_said(self) -> None:
        """Posts of no known place are a share of the world's."""
        told = self.told(pd.concat([series("nnnn"), series("nnnn", region="ZZ", posts=4.0)]))
        assert "80% of its posts come from a place not known" in told["Place"]

    def test_uneven_coverage_is_said(self) -> None:
        """An archive without proof of coverage may make its own rises."""
        told = self.told(series("nnnn"), attempts(("a", 4, 0, "partial")), incident(uneven=True))
        assert "1 incident rests on such data" in told["Uneven"]

    def test_there_is_always_a_limit(self) -> None:
        """Even complete data do not say everything."""
        assert list(self.told(series("nnnn"))) == ["Always"]


HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; alert(1); //",
    "{{ 7 * 7 }}{% raw %}",
    "<!--<script>",
    "\u2028\u2029\x00",
    "javascript:alert(1)",
]


class TestSafety:
    def hostile_page(self, name: str) -> str:
        flags = pd.concat([series("nnnnoooo", service=name, source=name), series("nnnnoooo", name, "US", name)])
        row = incident(
            service=name,
            services=[name, "b"],
            regions=[name, "US"],
            incident_id=name,
            severity=name,
            scope=name,
            excess_source=name,
            sources=[name],
            parameters=name,
            catalog_version=name,
            merged_from=[name],
            symptoms=[{"name": name, "share": 0.4, "share_low": 0.3, "share_high": 0.5, "sample_size": 9}],
        )
        regions = pd.concat([REGIONS.assign(name=name), pd.DataFrame([{"region": name, "name": name}])])
        marks = pd.DataFrame([{"source": name, "service": name, "mark_at": NOW - STEP, "status": name, "url": name}])
        coverage = attempts(("a", 4, 0, "ok")).assign(source=name, status=name)
        return page(
            flags,
            now=NOW,
            incidents=incidents(row),
            coverage=coverage,
            marks=marks,
            regions=regions,
            services={name: name},
            title=name,
            lake=name,
            catalog_version=name,
        )

    @pytest.mark.parametrize("name", HOSTILE)
    def test_no_name_becomes_markup(self, name: str) -> None:
        """Whatever services and regions are called, the page has the same elements and no handlers."""
        plain, hostile = Elements(self.hostile_page("plain")), Elements(self.hostile_page(name))
        assert hostile.tags == plain.tags
        assert not [key for key, _ in hostile.attributes if key.startswith("on")]
        assert not [value for key, value in hostile.attributes if key == "href" and not str(value).startswith("#")]

    @given(st.text(max_size=40))
    @settings(max_examples=15, deadline=None)
    def test_no_text_at_all_becomes_markup(self, name: str) -> None:
        """The same for any text."""
        assert Elements(self.hostile_page(name or "x")).tags == Elements(self.hostile_page("plain")).tags

    def test_nothing_is_fetched(self) -> None:
        """No element loads anything, and the page's own policy forbids what would."""
        html = page(series("nnnnoooo"), now=NOW, incidents=incidents(incident()), regions=REGIONS)
        elements = Elements(html)
        assert not {"link", "img", "iframe", "object", "embed", "video", "audio"} & set(elements.tags)
        assert not [value for key, value in elements.attributes if key in ("src", "srcset", "action", "data")]
        assert "url(" not in re.sub(r"<script.*?</script>", "", html, flags=re.S)
        assert "default-src 'none'" in html

    def test_only_our_scripts_may_run(self) -> None:
        """The policy lists the digests of the two scripts; their text is what is in the page."""
        html = page(series("nnnnoooo"), now=NOW)
        scripts = re.findall(r"<script>(.*?)</script>", html, re.S)
        digests = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts]
        assert len(scripts) == 2
        assert all(f"'sha256-{digest}'" in html for digest in digests)


class TestPage:
    def test_synthetic_data_say_so(self) -> None:
        """The banner stands wherever the data are synthetic, and only there."""
        assert "Synthetic data." in text(page(series("nn"), now=NOW, synthetic=True))
        assert "Synthetic data." not in text(page(series("nn"), now=NOW))

    def test_one_library_for_all_charts(self) -> None:
        """Ten services are not ten copies of the chart library."""
        flags = pd.concat([series("nnnnnnnn", service=f"s{i}") for i in range(10)])
        html = page(flags, now=NOW)
        assert html.count('data-template="posts"') == 10
        assert len(html) < 1_500_000

    def test_all_that_is_drawn_has_words(self) -> None:
        """Each chart and strip carries a text for those who cannot see it."""
        html = page(series("nnnnoooo"), now=NOW, incidents=incidents(incident()), regions=REGIONS)
        drawn_things = re.findall(r'<(?:svg|div)[^>]*(?:class="strip"|class="chart)[^>]*>', html)
        assert drawn_things
        assert all('role="img"' in thing and 'aria-label="' in thing for thing in drawn_things)

    def test_subdivisions_colour_their_country_and_stand_in_the_table(self) -> None:
        """A map of countries cannot show Michigan; the table does."""
        flags = series("nnnnoooo", "electric-power", "US-MI")
        html = page(flags, now=NOW, regions=REGIONS)
        assert "Michigan" in text(html)
        assert "1 not drawn by themselves" in text(html)
        assert "Outage at some time in: United States" in html

    def test_regions_that_nobody_knows_need_no_map(self) -> None:
        """Other people's region names are listed; no map is drawn."""
        html = page(series("nnnn", region="Ward 7"), now=NOW)
        assert 'data-template="world"' not in html
        assert "Ward 7" in text(html)

    def test_day_bins_over_years(self) -> None:
        """Wide bins are told by day and drawn with few points."""
        days = pd.date_range("2016-01-01", periods=1500, freq="D", tz="UTC").as_unit("us")
        flags = series("n" * 1500, "electric-power", "US-MI").assign(bin_start=days, bin_minutes=1440)
        html = page(flags, now=NOW, regions=REGIONS)
        assert title(html) == "Not known now: no data since 9 Feb 2020"
        data = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)
        assert data
        assert len(json.loads(data[1])["charts"]["c1"]["bins"]["t"]) == 500

    def test_an_import_is_not_called_unread(self) -> None:
        """Posts of an archive were all read, so nothing is said of a sample."""
        row = incidents(incident(first_hand_share=None))
        html = page(series("nnnnoooo"), now=NOW, incidents=row, coverage=attempts(("file:ab", 8, 0, "partial")))
        assert "first-hand is not known" not in text(html)

    def test_detect_answers_are_taken(self) -> None:
        """What detect says of somebody's counts is a report too."""
        names = {"expected_posts": "expected", "low_posts": "low", "high_posts": "high"}
        verdicts = series("nnnnoooo").drop(columns=["source", "bin_minutes"]).rename(columns=names)
        assert title(page(verdicts, now=NOW)) == "Outage flagged in the newest bins: tiktok"

    def test_frames_from_the_lake_are_taken(self) -> None:
        """Lists, structs and nulls as Arrow gives them are read."""
        frame = incidents(incident(), incident(incident_id="i2", first_hand_share=None, symptoms=[], status="unknown"))
        stored = schema.to_pandas(schema.conform(frame, schema.INCIDENTS))
        queried = attempts(("x:1234", 8, 0, "ok"))
        html = page(series("nnnnoooo"), now=NOW, incidents=stored, coverage=queried, regions=REGIONS)
        assert "40% (31% to 50%) of 90 posts read" in text(html)
        assert "which share of them is first-hand is not known" in text(html)

    def test_of_one_service_each_broadest_region_is_drawn(self) -> None:
        """States without a country above them get a chart each, shaded where an incident touched them."""
        flags = pd.concat([series("nnnnoooo", region=r) for r in ("US-MI", "DE", "SG")])
        html = page(flags, now=NOW, incidents=incidents(incident(regions=["US-MI"])), regions=REGIONS)
        data = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)
        assert data
        shaded = [len(c["shades"]["t"]) for c in json.loads(data[1])["charts"].values() if "bins" in c]
        assert sorted(shaded) == [0, 0, 1, 1], "the card's chart and Michigan's"

    def test_many_services_are_drawn_worst_first_and_all_are_listed(self) -> None:
        """Charts are limited, the table is not."""
        flags = pd.concat([series("nnnn", service=f"s{i:02d}") for i in range(30)] + [series("nnno", service="zz")])
        html = page(flags, now=NOW)
        assert html.count('data-template="posts"') == 24
        assert "7 more services are in the table above" in text(html)
        assert html.index("<h3>zz</h3>") < html.index("<h3>s00</h3>")
        assert all(f"s{i:02d}" in html for i in range(30))


class TestNotebook:
    def test_a_chart_holds_its_data_in_utc(self) -> None:
        """The chart of a series has its bins, breaks at gaps and labels its axis UTC."""
        spec = report.chart(series("nn--oo"), incidents(incident()), service="tiktok").to_dict()
        assert '"UTC"' in json.dumps(spec)
        assert '"type": "local"' not in json.dumps(spec)
        held = [rows for rows in spec["datasets"].values() if rows and "posts" in rows[0]] if "datasets" in spec else []
        rows = (
            held[0]
            if held
            else next(
                layer["data"]["values"]
                for layer in spec["layer"]
                if layer["data"]["values"] and "posts" in layer["data"]["values"][0]
            )
        )
        assert [row["posts"] for row in rows] == [5, 5, None, None, 60, 60]

    def test_a_series_that_is_not_there_is_an_error(self) -> None:
        """The message says what was asked for and how to see what is there."""
        with pytest.raises(InputError, match=r"'nothing'.*drop_duplicates"):
            report.chart(series("nn"), service="nothing")

    def test_the_map_is_of_one_service_or_of_all(self) -> None:
        """Rows carry the worst state of each country."""
        flags = pd.concat([series("nnno", region="US"), series("nnnn", "netflix", "SG")])
        spec = json.dumps(report.map_chart(flags, REGIONS, service="tiktok").to_dict())
        assert '"United States"' in spec
        assert '"Singapore"' not in spec
        with pytest.raises(InputError, match="no country"):
            report.map_chart(series("nn", region="Ward 7"), REGIONS)

    def test_the_timeline_needs_incidents(self) -> None:
        """Incidents become bars; none is an error, not an empty picture."""
        assert "tiktok, DE and US" in json.dumps(report.timeline(incidents(incident(regions=["DE", "US"]))).to_dict())
        with pytest.raises(InputError, match="nothing to draw"):
            report.timeline(incidents())


def test_altair_is_imported_by_whoever_draws() -> None:
    """Asking for the status costs no import of the chart library."""
    code = "import sys, clamor.report; sys.exit(bool({'altair', 'vl_convert', 'jinja2'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TestWords:
    @pytest.mark.parametrize(
        ("minutes", "said"),
        [
            (45, "45 min"),
            (60, "1 h"),
            (200, "3 h 20 min"),
            (36 * 60, "36 h"),
            (52 * 60, "2 d 4 h"),
            (1440 * 5, "5 days"),
            (1440 * 1096, "3 years"),
        ],
    )
    def test_durations(self, minutes: int, said: str) -> None:
        """Durations are as coarse as a reader wants them."""
        assert words.span(pd.Timedelta(minutes=minutes)) == said

    def test_periods_name_each_day_once(self) -> None:
        """From when to when, as briefly as can be understood."""
        at = pd.Timestamp
        assert words.period(at("2026-11-22T04:00Z"), at("2026-11-22T05:30Z"), NOW) == "04:00 to 05:30"
        assert words.period(at("2026-11-21T04:00Z"), at("2026-11-21T05:30Z"), NOW) == "21 Nov 04:00 to 05:30"
        assert words.period(at("2026-11-21T04:00Z"), at("2026-11-22T00:00Z"), NOW) == "21 Nov 04:00 to 22 Nov 00:00"
        assert words.period(at("2017-03-08T00:00Z"), at("2017-03-16T00:00Z"), NOW, True) == "8 Mar 2017 to 16 Mar"
        assert words.period(at("2016-12-30T00:00Z"), at("2017-01-02T00:00Z"), NOW, True) == "30 Dec 2016 to 2 Jan 2017"

    @pytest.mark.parametrize(
        ("minutes", "said"), [(15, "15-minute"), (60, "hourly"), (120, "2-hour"), (1440, "daily"), (2880, "2-day")]
    )
    def test_bin_widths(self, minutes: int, said: str) -> None:
        """Widths are said as a reader would."""
        assert words.width(minutes)[0] == said

    @pytest.mark.parametrize(("share", "said"), [(0, "0%"), (0.004, "<1%"), (0.5, "50%"), (0.996, ">99%"), (1, "100%")])
    def test_shares_are_never_rounded_to_certainty(self, share: float, said: str) -> None:
        """Nearly none is not none."""
        assert words.percent(share) == said

    def test_places(self) -> None:
        """Countries are named before areas, and the world's count alone names none."""
        names = words.Names({}, REGIONS)
        assert names.place(["001", "US", "DE"], "global") == "worldwide: United States and Germany"
        assert names.place(["001", "019"]) == "Americas"
        assert names.place(["001"]) == "no country stands out"
        assert names.place(["DE-NW", "DE", "US"]) == "Germany (DE-NW) and United States"
        assert names.place(["DE-NW"]) == "DE-NW"

    def test_every_light_colour_has_a_dark_twin(self) -> None:
        """No mark keeps a light colour on a dark page."""
        assert {*palette.STATES.values(), *palette.SEVERITIES.values()} <= set(palette.DARK)
