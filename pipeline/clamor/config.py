"""Settings: ``clamor.toml``, overridden by ``CLAMOR_*`` environment variables, overridden by the command line.

Nested settings take two underscores in the environment: ``[x] bearer_token`` is ``CLAMOR_X__BEARER_TOKEN``. Everything
has a default but the credentials.
"""

import json
import os
import re
import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from clamor.budget import Budget
from clamor.errors import ConfigError, InputError

DEFAULT_FILE: Final = Path("clamor.toml")

_WHERE: Final = {
    "CLAMOR_X__BEARER_TOKEN": "an app's bearer token from the X developer portal (developer.x.com)",
    "CLAMOR_REDDIT__CLIENT_ID": "the id of a script app from reddit.com/prefs/apps",
    "CLAMOR_REDDIT__CLIENT_SECRET": "the secret of the same app",
    "CLAMOR_REDDIT__USER_AGENT": "of the form '<platform>:<app id>:<version> (by /u/<name>)'",
}


def _listed(value: Any) -> Any:
    """Let the environment write a list as ``a,b`` as well as in JSON."""
    if not isinstance(value, str):
        return value
    if value.strip().startswith("["):
        return json.loads(value)
    return [part for part in re.split(r"[,\s]+", value) if part]


def _clean(value: SecretStr) -> SecretStr:
    """Take off the line break of a copied credential; one inside would end up in an error message of the client."""
    text = value.get_secret_value().strip()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("a credential has no spaces, line breaks or foreign letters; copy it again")
    return SecretStr(text)


def _budget(value: Any) -> Budget:
    """Read a budget; pydantic wants a ValueError where it is none."""
    try:
        return Budget.parse(value)
    except InputError as error:
        raise ValueError(str(error)) from None


Credential = Annotated[SecretStr, AfterValidator(_clean)]
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]
Languages = Annotated[tuple[Annotated[str, Field(pattern=r"^[a-z]{2,3}$")], ...], NoDecode, BeforeValidator(_listed)]
"""Codes of X's ``lang:`` operator."""


class X(BaseModel):
    """How to reach X and what to ask. Money is in US dollars, prices as of the vendor's pricing page (2026-11).

    ``price_counts_*_usd`` are of a request, ``price_post_usd`` and ``price_author_usd`` of what a request brings.
    """

    model_config = ConfigDict(extra="forbid")

    bearer_token: Credential | None = None
    api_url: str | None = None
    countries: Names = ("US", "GB", "DE", "FR", "BR", "IN", "JP")
    poll_minutes: int = Field(default=15, ge=1)
    country_beat_minutes: int = Field(default=60, ge=1)
    languages: Languages = ("en", "es", "pt", "fr", "de", "ja")
    language_beat_minutes: int = Field(default=1440, ge=1)
    lookback_hours: int = Field(default=24, ge=1, le=167)
    sample_posts: int = Field(default=100, ge=0, le=500)
    sample_profiles: bool = False
    sample_cap_usd: float = Field(default=5.0, ge=0)
    daily_cap_usd: float = Field(default=25.0, ge=0)
    monthly_cap_usd: float = Field(default=500.0, ge=0)
    price_counts_recent_usd: float = Field(default=0.005, ge=0)
    price_counts_all_usd: float = Field(default=0.010, ge=0)
    price_post_usd: float = Field(default=0.005, ge=0)
    price_author_usd: float = Field(default=0.010, ge=0)
    timeout_seconds: float = Field(default=30.0, gt=0)


class Reddit(BaseModel):
    """How to reach Reddit."""

    model_config = ConfigDict(extra="forbid")

    client_id: Credential | None = None
    client_secret: Credential | None = None
    user_agent: str | None = Field(default=None, pattern=r"^[ -~]*$")
    api_url: str | None = None
    timeout_seconds: float = Field(default=30.0, gt=0)


class Settings(BaseSettings):
    """All settings. ``services`` empty means every service of the catalogue."""

    model_config = SettingsConfigDict(env_prefix="CLAMOR_", env_nested_delimiter="__", extra="forbid")

    lake: str = Field(default="data/lake", min_length=1)
    catalog: Path | None = None
    services: Names = ()
    bin: str = "15min"
    budget: Annotated[Budget, NoDecode, BeforeValidator(_budget)] = Budget()
    synthetic: bool = False
    history_days: int = Field(default=28, ge=1)
    x: X = X()
    reddit: Reddit = Reddit()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the command line win over the environment, and the environment over the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @field_validator("bin")
    @classmethod
    def _is_width(cls, text: str) -> str:
        """Refuse a wrong width before anything is asked and paid."""
        bin_width(text)
        return text

    @property
    def bin_minutes(self) -> int:
        """Width of the bins in minutes."""
        return bin_width(self.bin)

    def missing(self) -> dict[str, list[str]]:
        """Return, for each live source, the settings without which it cannot start."""
        x = {"CLAMOR_X__BEARER_TOKEN": self.x.bearer_token}
        reddit = {
            "CLAMOR_REDDIT__CLIENT_ID": self.reddit.client_id,
            "CLAMOR_REDDIT__CLIENT_SECRET": self.reddit.client_secret,
            "CLAMOR_REDDIT__USER_AGENT": self.reddit.user_agent,
        }
        return {
            name: [variable for variable, value in wanted.items() if not value]
            for name, wanted in (("x", x), ("reddit", reddit))
        }


def load(path: Path | None = None, **overrides: Any) -> Settings:
    """Read the settings; ``path`` must exist if it is given, ``clamor.toml`` need not.

    Raises:
        ConfigError: the file cannot be read, or a setting is unknown or has an impossible value.

    """
    if path is not None and not path.is_file():
        raise ConfigError(f"--config {path}: no such file; a settings file is TOML, see the README's Settings")
    file = path or DEFAULT_FILE
    given = {name: value for name, value in overrides.items() if value is not None}
    _check_environment(os.environ)

    class FromFile(Settings):
        model_config = SettingsConfigDict(toml_file=file)

    try:
        return FromFile(**given)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: {error}; a settings file is TOML; mend that line") from error
    except (ValidationError, OSError, ValueError) as error:
        where = "" if isinstance(error, ValidationError) or "EnvSettings" in str(error) else f"{file}: "
        raise ConfigError(f"{where}{_first(error)}; see the README's Settings") from error


def _check_environment(names: Iterable[str]) -> None:
    """Refuse variables that look like settings and are none: a typo would be a setting that is silently not there."""
    known = {f"CLAMOR_{name}".upper() for name in Settings.model_fields}
    known |= {
        f"CLAMOR_{part}__{name}".upper()
        for part, model in (("x", X), ("reddit", Reddit))
        for name in model.model_fields
    }
    for name in names:
        if name.upper().startswith("CLAMOR_") and name.upper() not in known:
            near = get_close_matches(name.upper(), sorted(known), n=1)
            hint = f"did you mean {near[0]}?" if near else "see the README's Settings"
            raise ConfigError(f"{name} in the environment is no setting; {hint}")


def _first(error: Exception) -> str:
    """Say in one line what the first thing wrong is."""
    if not isinstance(error, ValidationError):
        return str(error).splitlines()[0]
    first = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    variable = "CLAMOR_" + "__".join(str(part) for part in first["loc"]).upper()
    secret = any(word in name for word in ("token", "secret", "client_id"))
    return f"setting {name} ({variable}) = {'(hidden)' if secret else repr(first['input'])}: {first['msg']}"


_UNITS: Final = {"min": 1, "m": 1, "h": 60, "d": 1440, "w": 10_080}


def bin_width(text: str) -> int:
    """Turn a bin width (``15min``, ``1h``, ``1d``, ``1w``) into minutes.

    Raises:
        InputError: the text is no width, or the width neither divides a day nor is a week.

    """
    number = text.strip().rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = text.strip()[len(number) :]
    if not number.isdigit() or unit not in _UNITS or int(number) < 1:
        raise InputError(f"--bin {text!r}: not a width; write 15min, 1h, 1d or 1w")
    minutes = int(number) * _UNITS[unit]
    if 1440 % minutes and minutes != _UNITS["w"]:
        raise InputError(f"--bin {text!r}: bins divide a day or are one week; try 5min, 15min, 1h, 6h, 1d or 1w")
    return minutes


def how_to_get(variables: list[str]) -> str:
    """Say for each missing variable what it is and where to get it, one a line."""
    return "\n".join(f"  {name}: {_WHERE[name]}" for name in variables)
