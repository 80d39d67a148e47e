"""Dates as HTTP, DAV and Windows write them; inside, microseconds since 1970 UTC."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from itertools import repeat

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY_SECONDS = 86_400
_LAST_SECOND = 253_402_300_799  # the end of the year 9999

# RFC 9110 section 5.6.7: IMF-fixdate, and the two obsolete forms.
_MONTH = "(?P<month>[a-z]{3})"
_TIME = r"(?P<hour>\d{2}):(?P<minute>\d{2}):(?P<second>\d{2})"
_FORMS = tuple(
    re.compile(form, re.IGNORECASE | re.ASCII)
    for form in (
        rf"[a-z]{{3}}, (?P<day>\d\d?) {_MONTH} (?P<year>\d{{4}}) {_TIME} (GMT|UTC)",
        rf"[a-z]{{6,9}}, (?P<day>\d\d)-{_MONTH}-(?P<year>\d\d) {_TIME} (GMT|UTC)",
        rf"[a-z]{{3}} {_MONTH} (?P<day>[ \d]\d) {_TIME} (?P<year>\d{{4}})",
    )
)


def seconds(time_us: int) -> int:
    """Cut microseconds to whole seconds, within the years that dates can say."""
    return _bounded(time_us // 1_000_000)


@lru_cache(maxsize=1024)
def http_date(time_us: int) -> str:
    """Write a date as ``Sun, 06 Nov 1994 08:49:37 GMT`` (RFC 9110 section 5.6.7)."""
    return http_dates((time_us,))[0]


def http_dates(times_us: Iterable[int]) -> list[str]:
    """Write dates, at least one, as `http_date` does."""
    return [
        f"{_day(day)[0]} {_MINUTES[second // 60]}{_SECONDS[second % 60]} GMT"
        for day, second in _days_and_seconds(times_us)
    ]


def iso_date(time_us: int) -> str:
    """Write a date as ``1994-11-06T08:49:37Z`` (RFC 3339, for creationdate)."""
    return iso_dates((time_us,))[0]


def iso_dates(times_us: Iterable[int]) -> list[str]:
    """Write dates, at least one, as `iso_date` does."""
    return [
        f"{_day(day)[1]}T{_MINUTES[second // 60]}{_SECONDS[second % 60]}Z"
        for day, second in _days_and_seconds(times_us)
    ]


def _days_and_seconds(times_us: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Part times into days since 1970 and seconds of their day."""
    whole = [time_us // 1_000_000 for time_us in times_us]
    if min(whole) < 0 or max(whole) > _LAST_SECOND:
        whole = list(map(_bounded, whole))
    return map(divmod, whole, repeat(_DAY_SECONDS))


def _bounded(second: int) -> int:
    return min(max(second, 0), _LAST_SECOND)


@lru_cache(maxsize=4096)
def _day(day: int) -> tuple[str, str]:
    """Write a day, counted from 1970, in both ways; listings repeat few of them."""
    at = time.gmtime(day * _DAY_SECONDS)
    return (
        f"{_DAYS[at.tm_wday]}, {at.tm_mday:02} {_MONTHS[at.tm_mon - 1]} {at.tm_year:04}",
        f"{at.tm_year:04}-{at.tm_mon:02}-{at.tm_mday:02}",
    )


_MINUTES = [f"{hour:02}:{minute:02}:" for hour in range(24) for minute in range(60)]
_SECONDS = [f"{second:02}" for second in range(60)]


def parse_http_date(text: str) -> int | None:
    """Read an HTTP date; None when it is none, and is to be ignored.

    Returns:
        Seconds since 1970 UTC; negative for the 1601 of Windows.
    """
    match = next((m for form in _FORMS if (m := form.fullmatch(text.strip()))), None)
    if match is None:
        return None
    month = match["month"].title()
    if month not in _MONTHS:
        return None
    try:
        at = datetime(
            _full_year(match["year"]),
            _MONTHS.index(month) + 1,
            int(match["day"]),
            int(match["hour"]),
            int(match["minute"]),
            min(int(match["second"]), 59),
            tzinfo=UTC,
        )
    except ValueError:
        return None
    return int(at.timestamp())


def _full_year(digits: str) -> int:
    """Read a year; of two digits, take the century that is nearest."""
    year = int(digits)
    if len(digits) == 4:
        return year
    return year + (2000 if year < 70 else 1900)
