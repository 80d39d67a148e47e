"""How people write sizes, and how davhost writes them back. Pure."""

from __future__ import annotations

import re

#: Windows, macOS and shops disagree about what a gigabyte is, so both are here.
_UNITS = {
    "": 1,
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "k": 2**10,
    "m": 2**20,
    "g": 2**30,
    "t": 2**40,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}
_SIZE = re.compile(r"(\d{1,20}(?:\.\d{1,20})?)\s*([a-z]*)")

#: What a column of the database holds.
_SIZE_MAX = 2**63 - 1


def parse_size(value: object) -> int:
    """Read ``10 GB``, ``512 MiB`` or plain bytes into bytes.

    Raises:
        ValueError: it is no size, or more than any disk holds.
    """
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("it must be a size such as 10 GB, 512 MiB or 1048576")
    match = _SIZE.fullmatch(str(value).strip().lower())
    if match is None or match[2] not in _UNITS:
        raise ValueError("it must be a size such as 10 GB, 512 MiB or 1048576")
    number = float(match[1]) if "." in match[1] else int(match[1])
    size_bytes = round(number * _UNITS[match[2]])
    if size_bytes > _SIZE_MAX:
        raise ValueError("it must be less than 9 million TB")
    return size_bytes


def parse_quota(value: object) -> int | None:
    """Read a size, or ``none`` for no limit, into bytes.

    Raises:
        ValueError: it is neither.
    """
    if value is None or (isinstance(value, str) and value.strip().lower() in ("none", "")):
        return None
    return parse_size(value)


def format_size(size_bytes: int | None) -> str:
    """Write bytes as people read them: ``10 GB``, ``512 MiB``, ``1.4 MB``; None is ``none``."""
    if size_bytes is None:
        return "none"
    for unit in ("TiB", "TB", "GiB", "GB", "MiB", "MB", "KiB", "kB"):
        scale = _UNITS[unit.lower()]
        if size_bytes >= scale and size_bytes % scale == 0:
            return f"{size_bytes // scale} {unit}"
    for unit in ("TB", "GB", "MB", "kB"):
        scale = _UNITS[unit.lower()]
        if size_bytes >= scale:
            return f"{size_bytes / scale:.1f} {unit}"
    return f"{size_bytes} B"
