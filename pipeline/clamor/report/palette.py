"""Colours that say the same thing everywhere, told apart by lightness too (Okabe and Ito's order of ideas).

In the page they become CSS variables, so that a chart follows the reader's light or dark mode.
"""

from collections.abc import Mapping
from typing import Final

from clamor.schema import Severity, State

OUTAGE: Final = "#b8301c"
ELEVATED: Final = "#e8a33d"
NORMAL: Final = "#a8c8dc"
WARM_UP: Final = "#cdc3e3"
NO_DATA: Final = "#fdfdfe"
UNWATCHED: Final = "#e9ebee"
INK: Final = "#1d2229"
MUTED: Final = "#5d6772"
GRID: Final = "#e3e6ea"
BAND: Final = "#bcd7ea"
EXPECTED: Final = "#4a86b4"
GAP: Final = "#d4d8dd"
MARK: Final = "#6b3fa0"

STATES: Final[Mapping[str, str]] = {
    State.OUTAGE: OUTAGE,
    State.ELEVATED: ELEVATED,
    State.NORMAL: NORMAL,
    State.WARM_UP: WARM_UP,
    State.NO_DATA: NO_DATA,
}
SEVERITIES: Final[Mapping[str, str]] = {
    Severity.MINOR: "#f0bf78",
    Severity.MODERATE: "#e58a3c",
    Severity.MAJOR: "#d0522b",
    Severity.CRITICAL: "#8f1d12",
}
DARK: Final[Mapping[str, str]] = {
    OUTAGE: "#f0644a",
    ELEVATED: "#f0b454",
    NORMAL: "#3f6a86",
    WARM_UP: "#5a5080",
    NO_DATA: "#15181d",
    UNWATCHED: "#262b32",
    INK: "#e8eaed",
    MUTED: "#a2abb6",
    GRID: "#2f353d",
    BAND: "#27465c",
    EXPECTED: "#6ba9d6",
    GAP: "#3a414a",
    MARK: "#b490e0",
    SEVERITIES[Severity.MINOR]: "#f3cb8e",
    SEVERITIES[Severity.MODERATE]: "#ec9c55",
    SEVERITIES[Severity.MAJOR]: "#ec7148",
    SEVERITIES[Severity.CRITICAL]: "#ff5a48",
}
"""Each light colour and its dark twin."""


def variables(*, dark: bool) -> str:
    """Return the colours as CSS declarations, named by their light value."""
    return ";".join(f"--c{light[1:]}:{DARK[light] if dark else light}" for light in DARK)


def themed(spec: str) -> str:
    """Replace the colours in a chart's JSON by the page's variables."""
    for light in DARK:
        spec = spec.replace(f'"{light}"', f'"var(--c{light[1:]})"')
    return spec
