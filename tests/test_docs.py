"""The documents and the command line say the same: commands, options, settings, exit codes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from clamor import config, schema
from clamor.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EVERYWHERE = {"--help", "--json", "--lake", "--config"}


def commands(group: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    group = group if group is not None else typer.main.get_command(app)
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


COMMANDS = dict(commands())


def test_every_command_is_in_the_readme() -> None:
    """A newcomer can find each command."""
    assert [name for name in COMMANDS if f"clamor {name}" not in README] == []


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_and_option_explains_itself(name: str) -> None:
    """A command says in its first sentence what it does, in one line of the list; every option has a help text."""
    command = COMMANDS[name]
    first = (command.help or "").strip().split("\n")[0]
    assert first.endswith((".", "others:")) or ". " in first
    assert all(getattr(each, "help", None) or each.param_type_name == "argument" for each in command.params)


def shown() -> Iterator[tuple[str, str]]:
    """Yield the command lines of the README's shell blocks with their options."""
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r"&&|\|", line.split(" #")[0]):
                words = part.strip().removeprefix(".venv/bin/")
                if words.startswith("clamor "):
                    yield words, words.removeprefix("clamor ")


def test_the_readme_shows_only_commands_and_options_that_exist() -> None:
    """What is shown can be typed."""
    lines = list(shown())
    assert len(lines) > 8
    for line, rest in lines:
        name = next((n for n in sorted(COMMANDS, key=len, reverse=True) if f"{rest} ".startswith(f"{n} ")), None)
        assert name is not None, line
        known = {option for each in COMMANDS[name].params for option in (*each.opts, *each.secondary_opts)}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known | EVERYWHERE, line


def test_every_setting_is_in_the_readme() -> None:
    """The table of settings is complete."""
    names = [name for name in config.Settings.model_fields if name not in ("x", "reddit")]
    names += [f"x.{name}" for name in config.X.model_fields]
    assert [name for name in names if f"`{name}`" not in README] == []
    assert all(f".{name}`" in README for name in config.Reddit.model_fields)


def test_the_exit_codes_are_the_same_everywhere() -> None:
    """README, help and module agree on the codes."""
    told = (README, str(app.info.epilog))
    assert all(all(code in text for code in ("0 done", "3 an incident is open", "130 interrupted")) for text in told)


@pytest.mark.parametrize("table", schema.TABLES.values(), ids=schema.TABLES)
def test_the_lakes_page_lists_every_column(table: schema.Table) -> None:
    """The page of the lake has each table's columns, in order, with their types and whether they may be null."""
    page = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    part = page.split(f"\n## {table.name}\n")[1].split("\n## ")[0]
    rows = [tuple(cell.strip() for cell in row.strip("|").split("|")) for row in part.splitlines() if row[:1] == "|"]
    assert rows[2:] == [(f.name, str(f.type), "yes" if f.name in table.nullable else "") for f in table.columns]
