"""Settings: the command line over the environment over the file; what is wrong is said before anything is asked."""

from pathlib import Path

import pytest

from clamor import config
from clamor.budget import Budget
from clamor.errors import ClamorError, ConfigError, InputError


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def toml(text: str | bytes) -> Path:
    path = Path("settings.toml")
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_the_environment_wins_over_the_file_and_options_over_both(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three places, one order."""
    path = toml("lake = 'file'\nbudget = 0.2\nservices = ['tiktok']\n[x]\ncountries = ['US']\n")
    monkeypatch.setenv("CLAMOR_LAKE", "environment")
    monkeypatch.setenv("CLAMOR_X__COUNTRIES", "GB,DE")
    found = config.load(path, budget=0.3)
    assert (found.lake, found.budget, found.services, found.x.countries) == (
        "environment", Budget(0.3), ("tiktok",), ("GB", "DE"),
    )  # fmt: skip


@pytest.mark.parametrize("said", ["2/month", " 2 / month "])
def test_a_budget_of_the_whole_catalogue(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the file and from the environment; a number is of a series-week."""
    assert config.load(toml(f"budget = '{said}'")).budget == Budget(2, "month")
    monkeypatch.setenv("CLAMOR_BUDGET", said)
    assert config.load().budget == Budget(2, "month")
    monkeypatch.setenv("CLAMOR_BUDGET", "0.5")
    assert config.load().budget == Budget(0.5)


@pytest.mark.parametrize("said", ["2/fortnight", "two/month", "0/month", "1e9", "", "nan", "2/", "/month", "-1", True])
def test_what_is_no_budget_is_refused(said: object) -> None:
    """One line says the value and what a budget is."""
    with pytest.raises(InputError, match="budget"):
        Budget.parse(said)


def test_a_catalogue_s_budget_is_shared_out_over_its_series() -> None:
    """Two a month are 2 / 4.348 a week: over 46 series a hundredth each; one a series-week is one whatever there is."""
    assert Budget(2, "month").rate(46) == pytest.approx(0.01, rel=1e-3)
    assert Budget(1.0).rate(46) == 1.0
    assert Budget(2, "month").told(46) == "2 false incidents a month in all, 0.01 a week for each of 46 series"
    assert [str(Budget.parse(text)) for text in ("0.10", "2/month", "1/day")] == ["0.1", "2/month", "1/day"]


def test_clamor_toml_is_read_where_it_is_and_not_missed_where_it_is_not() -> None:
    """The default file need not exist; a named one must."""
    assert config.load().lake == "data/lake"
    Path("clamor.toml").write_text("lake = 'here'")
    assert config.load().lake == "here"
    with pytest.raises(ConfigError, match="no such file"):
        config.load(Path("nope.toml"))


@pytest.mark.parametrize(
    "text",
    ["lake =", "lake = 5", "lake = ''", "lakee = 'x'", "budget = -1", "budget = nan", "budget = inf", "bin = 15",
     "bin = '7min'", "services = 5", "history_days = 0", "x = 5", "[x]\nsample_posts = 9999", "[x]\nbearer = 'q'",
     "[y]\na = 1", b"\xff\xfe", "[reddit]\nuser_agent = \"two\\nlines\""],
)  # fmt: skip
def test_a_wrong_setting_is_one_line(text: str | bytes) -> None:
    """Every mistake names the setting or the file."""
    with pytest.raises(ClamorError) as caught:
        config.load(toml(text))
    assert "\n" not in str(caught.value) and len(str(caught.value)) > 20


def test_a_mistyped_variable_is_not_a_setting_that_is_silently_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """One underscore too few is named, with the variable that was meant."""
    monkeypatch.setenv("CLAMOR_X_BEARER_TOKEN", "t")
    with pytest.raises(ConfigError, match="did you mean CLAMOR_X__BEARER_TOKEN"):
        config.load()


def test_credentials_are_never_shown_and_lose_their_line_break(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copied token works; a broken one is refused without being repeated; a settings object hides it."""
    monkeypatch.setenv("CLAMOR_X__BEARER_TOKEN", " sesame\n")
    found = config.load()
    token = found.x.bearer_token
    assert token is not None and token.get_secret_value() == "sesame" and "sesame" not in repr(found)
    monkeypatch.setenv("CLAMOR_X__BEARER_TOKEN", "open\nsesame")
    with pytest.raises(ConfigError) as caught:
        config.load()
    assert "sesame" not in str(caught.value) and "copy it again" in str(caught.value)


def test_missing_credentials_are_named_by_source() -> None:
    """Nothing set: everything is missing, and each has a place to get it."""
    missing = config.load().missing()
    names = [name for source in missing.values() for name in source]
    assert len(names) == 4 and config.how_to_get(names).count("\n") == 3


@pytest.mark.parametrize(("text", "minutes"), [("1min", 1), ("15min", 15), ("1h", 60), ("1d", 1440), ("1w", 10080)])
def test_widths_are_read(text: str, minutes: int) -> None:
    """Widths divide a day or are a week."""
    assert config.bin_width(text) == minutes


@pytest.mark.parametrize("text", ["", "0", "15", "7min", "1y", "-1h", "1.5h", "2d", "h"])
def test_other_widths_are_refused(text: str) -> None:
    """Others name what would do."""
    with pytest.raises(InputError, match="15min"):
        config.bin_width(text)
