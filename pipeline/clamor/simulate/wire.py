"""Requests and answers as the emulators see them, apart from any socket."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Request:
    """One request: method, path without query, parameters, headers with lower-case names, body."""

    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(slots=True)
class Answer:
    """One answer, to be sent as it is.

    Attributes:
        status: Of HTTP.
        body: Bytes.
        headers: Without the length.
        cut: The share of it after which the connection breaks.
        drip: Over how many seconds it is spread, a few bytes at a time.

    """

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    cut: float | None = None
    drip: float = 0.0


def as_json(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """Return a JSON answer; texts are not escaped to ASCII, as X and Reddit do not."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(status, body, {"content-type": "application/json; charset=utf-8", **(headers or {})})


def iso(seconds: float) -> str:
    """Return a time as X writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def parse_iso(text: str) -> float:
    """Return seconds since the epoch of an RFC 3339 time.

    Raises:
        ValueError: it is not one, or it has no zone.

    """
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(text)
    return time.timestamp()


def token(number: int) -> str:
    """Return a number as an opaque page token."""
    return f"b26v89c{number:x}z"


def untoken(text: str) -> int | None:
    """Return the number in a page token; None if it is none of ours."""
    try:
        return int(text.removeprefix("b26v89c").removesuffix("z"), 16)
    except ValueError:
        return None


def base36(number: int) -> str:
    """Return a number as Reddit writes ids."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"
