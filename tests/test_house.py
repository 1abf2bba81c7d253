"""The house stands as designed: imports go one way, nobody peeks at a truth, files are one idea, help is light."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "pipeline" / "clamor"
FILES = sorted(PACKAGE.rglob("*.py"))
RIM = {"cli", "demo", "run"}
ALLOWED = {
    "schema": {"errors"},
    "errors": set(),
    "budget": {"errors"},
    "config": {"budget", "errors"},
    "frames": {"errors", "schema"},
    "store": {"errors", "schema"},
    "volumes": {"errors", "schema"},
    "catalog": {"errors", "schema"},
    "text": {"catalog", "errors", "frames", "schema"},
    "collect": {"catalog", "errors", "schema", "text"},
    "baseline": {"errors", "schema"},
    "detect": {"baseline", "errors", "schema"},
    "incidents": {"baseline", "errors", "schema"},
    "backtest": {"baseline", "budget", "detect", "errors", "incidents", "schema"},
    "report": {"errors", "schema"},
    "simulate": {"catalog", "errors", "schema"},
    "run": {
        "backtest",
        "budget",
        "collect",
        "config",
        "detect",
        "errors",
        "incidents",
        "report",
        "schema",
        "store",
        "volumes",
    },
}
"""Which parts a part may import; the command line and the demo join everything."""
BUILD_SCRIPTS = {"build_places.py", "build_gazetteer.py"}


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """Yield the parts of the package that a file imports, at its top or later."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "clamor":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("clamor."):
            yield str(node.module).split(".")[1]
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[1] for alias in node.names if alias.name.startswith("clamor."))


@pytest.mark.parametrize("part", sorted(ALLOWED))
def test_imports_go_one_way(part: str) -> None:
    """A part imports only what lies below it."""
    found = {
        name for path in FILES if part_of(path) == part and path.name not in BUILD_SCRIPTS for name in imported(path)
    }
    assert found - {part} <= ALLOWED[part]


def test_every_part_has_its_place() -> None:
    """A new part is added to the table above, with what it may import."""
    assert {part_of(path) for path in FILES} - {"__init__"} == set(ALLOWED) | RIM


def test_only_the_simulator_its_demo_and_the_backtest_see_a_truth() -> None:
    """A simulated truth must not leak into what is judged by it."""
    peeking = {
        part_of(path)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "truth"
    }
    assert peeking <= {"simulate", "backtest", "demo"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_is_one_idea(path: Path) -> None:
    """No file is longer than 500 lines."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500


def test_help_imports_nothing_heavy() -> None:
    """`clamor --help` answers in a tenth of a second because it loads no data library, client or chart."""
    code = "import sys, clamor.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"pandas", "numpy", "pyarrow", "scipy", "altair", "tweepy", "praw", "requests", "rich", "pydantic"}
    assert not heavy & set(done.stdout.split())
