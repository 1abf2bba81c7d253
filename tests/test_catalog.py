"""The catalogue: what it holds and how a person's own file changes it."""

from pathlib import Path

import pytest

from clamor import catalog
from clamor.errors import ConfigError


def test_region_tree_is_whole() -> None:
    """Every region but the world has a parent that is a region, and Namibia is not a missing value."""
    frame = catalog.load().regions
    codes = set(frame["region"])
    assert {"001", "NA", "US-TX", "GB-ENG", "JP-13", "DE-BY", "IN-DL", "BR-SP", "AU-NSW", "CA-ON"} <= codes
    assert set(frame.loc[frame["region"] != "001", "parent"]) <= codes
    assert frame["region"].is_unique
    placed = frame[frame["kind"] != "area"]
    assert placed["timezone"].notna().all() and placed["utc_offset_h"].between(-12, 14).all()


def test_override_adds_and_replaces_fields(tmp_path: Path) -> None:
    """A user's file adds a service and changes only the named fields of a known one."""
    own = tmp_path / "own.toml"
    own.write_text('[acme]\nnames = ["acme bank"]\n[tiktok]\nsubreddits = ["tt"]\n')
    known, mine = catalog.load(), catalog.load(own)
    assert mine.services["acme"].names == ("acme bank",)
    assert mine.services["tiktok"].subreddits == ("tt",)
    assert mine.services["tiktok"].names == known.services["tiktok"].names
    assert mine.version != known.version


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[x]\nnames = 3", "must be a list"),
        ("[x]\nnmaes = ['x']", "unknown field 'nmaes'"),
        ("[x]\nname = 'X'", "no names"),
        ("x = 1", "not a table"),
        ("[x", "UTF-8 TOML"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, says: str) -> None:
    """A mistake in a user's file is one line that says what to do."""
    own = tmp_path / "own.toml"
    own.write_text(text)
    with pytest.raises(ConfigError, match=says):
        catalog.load(own)


def test_catalogue_holds_what_it_promises() -> None:
    """At least 60 services, 15 countries' providers, 12 languages and 300 subreddits of places, without mistakes."""
    known = catalog.load()
    assert len(known.services) >= 60 and len(known.phrases) >= 12 and len(known.subreddit_regions) >= 300
    providers = {code for s in known.services.values() if s.kind == "telecom" for code in s.regions}
    assert len(providers) >= 15
    assert catalog.check(known) == []


def test_check_finds_mistakes(tmp_path: Path) -> None:
    """Clashing names, unknown regions and queries too long for X are found."""
    own = tmp_path / "own.toml"
    long = ", ".join(f'"a rather long name {i}"' for i in range(30))
    own.write_text(f'[acme]\nnames = ["tiktok"]\nregions = ["XX"]\nquery_names = [{long}]\n')
    kinds = {finding.kind for finding in catalog.check(catalog.load(own)) if finding.about in ("acme", "tiktok")}
    assert kinds == {"clash", "region", "query"}
