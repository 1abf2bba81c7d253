"""One row of an archive: a post, or why it is none; and its time."""

import calendar
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, Final, NamedTuple

from clamor.errors import InputError

OLDEST: Final = 1_136_073_600
"""2006-01-01 UTC: X opened in 2006; an older time in an archive is a mistake."""

NOT_UTF8: Final = "not UTF-8"
UNREADABLE_TIME: Final = "unreadable time"
NO_ID: Final = "no id"
NO_TEXT: Final = "no text"


class Skip(NamedTuple):
    """A row that gives no post.

    Attributes:
        reason: In a few words.
        line: Where, counted from 1.
        by_rule: The row is sound and left out by a counting rule (a retweet, a deleted post, another subreddit), in
            contrast to one that cannot be read.

    """

    reason: str
    line: int
    by_rule: bool = False


class BadTimeError(ValueError):
    """A time that a post cannot have; the message is the reason in a few words."""


class NaiveTimeError(BadTimeError):
    """A time without a zone, where none was named."""


def naive(path: Path, line: int, value: object) -> InputError:
    """Return the refusal of a time without a zone."""
    return InputError(
        f"{path}, line {line}: time {value!r} names no zone; a naive time is never guessed; "
        "say which it is with --timezone, like --timezone UTC"
    )


@dataclass(frozen=True, slots=True)
class Clockwork:
    """How the times of an archive are read.

    Attributes:
        now: No post is younger, seconds since the epoch.
        zone: Of times that name none; such times are refused when None.
        dates: A date alone is its midnight.

    """

    now: float
    zone: tzinfo | None = None
    dates: bool = False

    def read(self, value: Any) -> int:
        """Return the time of a post as seconds since the epoch, see :func:`seconds`.

        Raises:
            NaiveTimeError: the time names no zone and none is given.
            BadTimeError: it cannot be read, is before 2006 or in the future.

        """
        if type(value) is int and OLDEST <= value <= self.now < 1e11:
            return value
        try:
            moment = seconds(value, self.zone, dates=self.dates)
        except NaiveTimeError:
            raise
        except ValueError:
            raise BadTimeError(UNREADABLE_TIME) from None
        if moment < OLDEST:
            raise BadTimeError("time before 2006")
        if moment > self.now:
            raise BadTimeError("time in the future")
        return moment


ANY_TIME: Final = Clockwork(math.inf)
"""For posts that a service has just given: none is too young."""
_MONTHS: Final = {name: n for n, name in enumerate(calendar.month_abbr)}
_V1_TIME: Final = re.compile(r"\w{3} (\w{3}) (\d\d) (\d\d):(\d\d):(\d\d) \+0000 (\d{4})$")
_NUMBER: Final = re.compile(r"-?\d{1,20}(\.\d*)?$")
_UTC_WORD: Final = re.compile(r" ?(UTC|GMT|Z)$", re.IGNORECASE)


def seconds(value: Any, zone: tzinfo | None = None, *, dates: bool = False) -> int:
    """Return a time as whole seconds since the epoch.

    Args:
        value: A number of seconds (or milli- or microseconds) since the epoch, as number or text; ISO 8601 with an
            hour; or the form of X's first API, ``Wed Oct 10 20:19:24 +0000 2018``.
        dates: A date alone is its midnight, as for a count of a day; a post has an hour.
        zone: Of times that name none. An hour that a change of clocks repeats is taken as its first pass.

    Raises:
        NaiveTimeError: the time names no zone and none is given.
        ValueError: no such time.

    >>> seconds("2021-04-01T15:52:31.000Z")
    1617292351
    >>> seconds("1617292351") == seconds(1617292351000) == seconds("Thu Apr 01 15:52:31 +0000 2021")
    True

    """
    if isinstance(value, bool):
        raise ValueError(f"{value!r} is not a time")
    if isinstance(value, int | float):
        return _of_number(float(value))
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a time")
    text = value.strip()
    if _NUMBER.match(text):
        return _of_number(float(text))
    if v1 := _V1_TIME.match(text):
        month, day, hour, minute, second, year = v1.groups()
        numbers = (int(year), _MONTHS.get(month, 0), int(day), int(hour), int(minute), int(second))
        return int(datetime(*numbers, tzinfo=UTC).timestamp())
    if len(text) <= 10 and not dates:
        raise ValueError(f"{text!r} has no hour")
    moment = datetime.fromisoformat(_UTC_WORD.sub("+00:00", text))
    if moment.tzinfo is None:
        if zone is None:
            raise NaiveTimeError("time without a zone")
        moment = moment.replace(tzinfo=zone)
    try:
        return int(moment.timestamp() // 1)
    except OverflowError as error:
        raise ValueError(str(error)) from None


def _of_number(number: float) -> int:
    if not abs(number) < 1e17:
        raise ValueError(f"{number!r} is not a time")
    micro, milli = abs(number) >= 1e14, abs(number) >= 1e11
    return int(number // (1e6 if micro else 1e3 if milli else 1))


def zone_named(name: str | None) -> tzinfo | None:
    """Return the time zone of an IANA name.

    Raises:
        InputError: no such zone.

    """
    from zoneinfo import ZoneInfo

    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InputError(f"timezone {name!r}: not an IANA name; name one like UTC or America/Detroit") from None
