"""Numbers, dates and refusals as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Flask

from ..model import BROWSER

SENTENCES = {
    404: "There is nothing at this address. It may have been moved or deleted.",
    405: "This address cannot be used like that.",
    413: "This is more than a form may hold.",
}

_TITLES = {
    400: "That did not work",
    403: "That is not allowed",
    404: "Not found",
    429: "Please wait a moment",
    500: "Something went wrong",
    503: "Not available right now",
}

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def add_filters(app: Flask) -> None:
    """Teach them to templates."""
    app.add_template_filter(size)
    app.add_template_filter(moment)
    app.add_template_filter(iso_moment)
    app.add_template_filter(day)
    app.add_template_filter(device)


def size(size_bytes: int) -> str:
    """Write a number of bytes with three digits or so: ``14.2 MB``."""
    number, unit = float(size_bytes), 0
    while round(number, 1) >= 1000 and unit < len(_UNITS) - 1:
        number, unit = number / 1000, unit + 1
    return f"{number:.0f} B" if unit == 0 else f"{number:.3g} {_UNITS[unit]}"


def moment(at_us: int) -> str:
    """Write microseconds since 1970 as a date and time in UTC; scripts make it local."""
    return _utc(at_us).strftime("%Y-%m-%d %H:%M")


def iso_moment(at_us: int) -> str:
    """Write microseconds since 1970 as programs read them."""
    return _utc(at_us).isoformat(timespec="seconds")


def day(at_us: int) -> str:
    """Write the day in UTC of microseconds since 1970."""
    return _utc(at_us).strftime("%Y-%m-%d")


def device(via: str | None) -> str:
    """Name what somebody came through, as `Principal.via` keeps it."""
    return "a browser" if via == BROWSER else via or "not known"


def title_of(status: int) -> str:
    """Head the page of a refusal."""
    return _TITLES.get(status, "That did not work")


def _utc(at_us: int) -> datetime:
    return datetime.fromtimestamp(at_us // 1_000_000, UTC)
