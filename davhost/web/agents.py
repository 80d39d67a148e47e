"""Browsers and programs, named as people name them."""

from __future__ import annotations

import re

#: The order matters: nearly all of them claim to be those further down.
_PROGRAMS = (
    ("Microsoft-WebDAV-MiniRedir", "Windows Explorer"),
    (r"Microsoft Office|ms-office|MSOffice", "Microsoft Office"),
    ("WebDAVFS|WebDAVLib", "Finder"),
    ("gvfs", "GNOME Files"),
    ("KIO/|Konqueror", "KDE"),
    ("davfs2", "davfs2"),
    ("rclone", "rclone"),
    ("Cyberduck", "Cyberduck"),
    ("Edg(e|A|iOS)?/", "Edge"),
    ("OPR/|Opera", "Opera"),
    ("Vivaldi", "Vivaldi"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox|FxiOS", "Firefox"),
    ("Chrome|CriOS|Chromium", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X|Macintosh|Darwin", "Mac"),
    ("Linux", "Linux"),
)


def describe(user_agent: str) -> str:
    """Name a browser by what it says of itself: ``Firefox on Linux``."""
    program = _first(_PROGRAMS, user_agent)
    system = _first(_SYSTEMS, user_agent)
    if program and system:
        return f"{program} on {system}"
    return program or system or "An unknown browser"


def _first(table: tuple[tuple[str, str], ...], text: str) -> str | None:
    return next((name for pattern, name in table if re.search(pattern, text)), None)
