"""Coordinates written in a text: ``51.5°N, 0.12°W``, ``40° 26' 46" N 79° 58' 56" W``, ``lat: -23.55, lon: -46.63``."""

import re
from typing import Final

_ANGLE: Final = (
    r"(?P<{0}a>[NSEW](?![a-z]))?\s*(?P<{0}d>[-\u2212+]?\d{{1,3}}(?:[.,]\d+)?)\s*(?P<{0}o>[°º˚?\ufffd]*|deg)\s*"
    r"(?:(?P<{0}m>\d{{1,2}}(?:\.\d+)?)\s*['′’´]\s*(?:(?P<{0}s>\d{{1,2}}(?:\.\d+)?)\s*(?:[\"″”]|['′’´]{{2}})\s*)?)?"
    r"(?({0}a)|(?P<{0}z>[NSEWnsew](?![A-Za-z]))?)"
)
_PAIR: Final = re.compile(
    r"(?<![\w.])"
    + _ANGLE.format("y")
    + r"\s*(?P<cut>[,;/|\s])\s*(?:lon\w*|lng)?\s*[:=]?\s*"
    + _ANGLE.format("x")
    + r"(?!\w|\.\d)"
)


def coordinates(text: str) -> tuple[float, float] | None:
    """Return the degrees north and east that a text states, or None.

    Bare numbers count with two decimals or more (``6.52,3.37``), three where only a space is between them; with a
    degree sign or a point of the compass any do.
    """
    for found in _PAIR.finditer(text):
        pair = [_angle(found, side) for side in "yx"]
        if pair[0] is None or pair[1] is None:
            continue
        (lat, first), (long, second) = pair  # type: ignore[misc]
        if first == "x" or second == "y":
            if (first, second) != ("x", "y"):
                continue
            lat, long = long, lat
        if abs(lat) <= 90 and abs(long) <= 180:
            return lat, long
    return None


def _angle(found: re.Match[str], side: str) -> tuple[float, str] | None:
    """Return signed degrees and the axis that their point of the compass names, if any."""
    ahead, degrees, sign, minutes, seconds, behind = (found[f"{side}{part}"] for part in "adomsz")
    point = (behind or ahead or "").upper()
    number = degrees.replace(",", ".").replace("\u2212", "-")
    if (
        not point
        and not sign
        and len(number.partition(".")[2]) < (3 if found["cut"].isspace() or "," in degrees else 2)
    ):
        return None
    value = abs(float(number)) + float(minutes or 0) / 60 + float(seconds or 0) / 3600
    negative = number.startswith("-") or point in ("S", "W")
    axis = "y" if point in ("N", "S") else "x" if point else ""
    return (-value if negative else value), axis
