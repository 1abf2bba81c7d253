"""The doctor: each failure of a set-up is found by asking the emulators, named, and told what to do about."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from clamor import catalog, config
from clamor.collect.lock import hold
from clamor.collect.plan import plan
from clamor.run import doctor
from clamor.run.doctor import Check, Health
from clamor.run.ingest import read_state
from clamor.simulate.faults import Fault, Faults
from clamor.simulate.world import World
from clamor.store import Lake
from command import clamor
from loopback import Ticking
from test_faults import emulated

CATALOG = catalog.load()


@pytest.fixture(scope="module")
def world() -> World:
    return World(11, datetime(2026, 10, 5, tzinfo=UTC), history_days=1)


@contextmanager
def patient(world: World, folder: Path, faults: Faults | None = None, **changed: Any) -> Iterator[dict[str, Check]]:
    """The findings on a set-up of one service at the emulators, with what is changed."""
    clock = Ticking(world.eval_start + 7200)
    x = {"bearer_token": "token", "countries": ("US",), "languages": ("en",)} | changed.pop("x", {})
    there = {"client_id": "id", "client_secret": "secret", "user_agent": "test:clamor:0 (by /u/nobody)"}
    there |= changed.pop("reddit", {})
    with emulated(world, clock, faults or Faults()) as (url, _):
        settings = config.Settings(
            lake=str(folder),
            services=("tiktok",),
            x=config.X(**({"api_url": url, "timeout_seconds": 2} | x)),
            reddit=config.Reddit(**({"api_url": url, "timeout_seconds": 2} | there)),
        )
        found = doctor.examine(
            settings,
            CATALOG,
            Lake(str(folder)),
            clock,
            planned=plan(CATALOG, services=["tiktok"], countries=("US",)),
            **changed,
        )
        yield {check.name: check for check in found}
        assert sum(clock.slept) < 40, "a doctor does not wait for the end of a limit"


def broken(found: dict[str, Check]) -> list[str]:
    return [name for name, check in found.items() if check.health == Health.BROKEN]


def test_a_healthy_set_up_costs_what_was_said(world: World, tmp_path: Path) -> None:
    """Nothing is broken; four requests and 2.5 cents, as billed, are in the ledger; the operators are remembered."""
    with patient(world, tmp_path) as found:
        pass
    assert broken(found) == [] and {c.health for c in found.values()} == {Health.OK, Health.SKIPPED}
    spent = read_state(Lake(str(tmp_path)), "x")
    assert sum(c.cost_usd for c in found.values()) == pytest.approx(0.025) == sum(spent.spend_usd.values())
    assert spent.probes == {"x:place_country": "ok", "x:lang": "ok"}
    settings = config.Settings(services=("tiktok",), x=config.X(bearer_token="t"))
    assert doctor.bill(settings, CATALOG) == (4, pytest.approx(0.025), 0)


@pytest.mark.parametrize(
    ("changed", "name", "says", "do"),
    [
        ({"x": {"bearer_token": "wrong"}}, "X: credentials, counts/recent", "401", "make a new one"),
        (
            {"reddit": {"client_secret": "wrong"}},
            "Reddit: services",
            "refused the credentials",
            "reddit.com/prefs/apps",
        ),
        ({"x": {"api_url": "http://127.0.0.1:1"}}, "X: credentials, counts/recent", "no answer", "reaches the service"),
        ({"x": {"daily_cap_usd": 0.001}}, "X: budget", "$0.00 left", "x.daily_cap_usd"),
    ],
)
def test_a_wrong_setting_is_named(changed: Any, name: str, says: str, do: str, world: World, tmp_path: Path) -> None:
    """A refused credential, an address where nobody is, a cap that lets nothing through."""
    with patient(world, tmp_path, **changed) as found:
        pass
    (check,) = (found[each] for each in broken(found) if each.startswith(name))
    assert says in check.says and do in check.do


@pytest.mark.parametrize(
    ("kind", "says", "do"),
    [
        ("rate_limited", "429 past its rate limit", "no other program"),
        ("rate_limited_without_reset", "429 without a reset", "no other program"),
        ("credits", "credits are spent", "buy credits"),
        ("forbidden", "does not allow", "access level"),
        ("server_error", "503", "reaches the service"),
        ("nonsense", "no JSON", "api_url"),
        ("cut", "half-written", "api_url"),
    ],
)
def test_each_refusal_of_x_is_told_apart(kind: str, says: str, do: str, world: World, tmp_path: Path) -> None:
    """What X answers becomes one row with a next step; nothing is waited for."""
    with patient(world, tmp_path, Faults((Fault(kind, "/2/"),))) as found:
        pass
    check = found["X: credentials, counts/recent"]
    assert check.health == Health.BROKEN and says in check.says and do in check.do


def test_an_operator_that_is_refused_is_a_note_and_one_that_came_back_is_remembered(
    world: World, tmp_path: Path
) -> None:
    """Collection goes on without it, so nothing is broken; asking again after an upgrade takes it up."""
    with patient(world, tmp_path, Faults(forbidden_operators=("place_country",))) as found:
        pass
    check = found["X: operator place_country"]
    assert broken(found) == [] and check.health == Health.NOTE and "x.countries" in check.do
    assert "refused at" in read_state(Lake(str(tmp_path)), "x").probes["x:place_country"]
    with patient(world, tmp_path) as found:
        pass
    assert found["X: operator place_country"].health == Health.OK
    assert read_state(Lake(str(tmp_path)), "x").probes["x:place_country"] == "ok"


def test_a_clock_that_is_wrong_is_told_from_the_services_dates(world: World, tmp_path: Path) -> None:
    """Two hundred seconds are broken, thirty a note, in the right direction."""
    with patient(world, tmp_path, Faults(skew_seconds=-200)) as found:
        pass
    assert broken(found) == ["X: clock", "Reddit: clock"] and "200 s ahead" in found["X: clock"].says
    with patient(world, tmp_path, Faults(skew_seconds=30)) as found:
        pass
    assert found["Reddit: clock"].health == Health.NOTE and "30 s behind" in found["Reddit: clock"].says


def test_a_lake_that_cannot_be_written_or_remembers_nonsense_is_named(world: World, tmp_path: Path) -> None:
    """A file in the lake's place, and a damaged state."""
    (tmp_path / "file").write_text("")
    with patient(world, tmp_path / "file", ask=False) as found:
        pass
    assert broken(found) == ["lake"] and "is a file" in found["lake"].says
    with patient(world, tmp_path / "none" / "yet", ask=False) as found:
        pass
    assert "can be made in" in found["lake"].says and not (tmp_path / "none").exists()
    Lake(str(tmp_path / "lake")).write_state("x", {"watermarks": 5})
    with patient(world, tmp_path / "lake", ask=False) as found:
        pass
    assert broken(found) == ["lake"] and "move it away" in found["lake"].do


def test_a_user_agent_of_another_form_is_a_note(world: World, tmp_path: Path) -> None:
    """Reddit asks for a form; it is told, with the form."""
    with patient(world, tmp_path, reddit={"user_agent": "my little script"}, ask=False) as found:
        pass
    assert found["reddit: user agent"].health == Health.NOTE and "(by /u/<name>)" in found["reddit: user agent"].do


def test_while_a_run_holds_the_credential_nobody_is_asked(world: World, tmp_path: Path) -> None:
    """The lock's row says who; asking would cost the run its rate limit and its state."""
    with hold("x", "token", now=0.0), patient(world, tmp_path) as found:
        pass
    assert "x is in use by process" in found["lock"].says and found["X, Reddit"].health == Health.SKIPPED
    assert broken(found) == []


def test_the_command_says_what_it_costs_and_exits_with_1_when_something_is_broken(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offline it asks nobody; without any credential both sources are broken, with where to get them."""
    monkeypatch.chdir(tmp_path)
    code, out, err = clamor(capsys, "doctor", "--offline", "--json")
    rows = json.loads(out)
    assert (
        code == 1
        and err == ""
        and [row["name"] for row in rows if row["health"] == "broken"]
        == [
            "x: settings",
            "reddit: settings",
        ]
    )
    assert "developer.x.com" in rows[0]["do"]
    monkeypatch.setenv("CLAMOR_X__BEARER_TOKEN", "t")
    monkeypatch.setenv("CLAMOR_SERVICES", "tiktok")
    assert clamor(capsys, "doctor", "--offline")[0] == 0
    monkeypatch.setenv("CLAMOR_X__API_URL", "http://127.0.0.1:1")
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    code, out, err = clamor(capsys, "doctor")
    assert code == 1 and "asks X 4 times, $0.025 in all, and Reddit 0 times, free" in err and "no answer" in out
