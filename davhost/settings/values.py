"""How people write sizes and networks, and how davhost writes them back. Pure."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network

Network = IPv4Network | IPv6Network

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
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")


def parse_size(value: object) -> int:
    """Read ``10 GB``, ``512 MiB`` or plain bytes into bytes.

    Raises:
        ValueError: it is no size, or it is less than one byte and not zero.
    """
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("it must be a size such as 10 GB, 512 MiB or 1048576")
    match = _SIZE.fullmatch(str(value).strip().lower())
    if match is None or match[2] not in _UNITS:
        raise ValueError("it must be a size such as 10 GB, 512 MiB or 1048576")
    size_bytes = round(float(match[1]) * _UNITS[match[2]]) if "." in match[1] else None
    return int(match[1]) * _UNITS[match[2]] if size_bytes is None else size_bytes


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


def parse_networks(value: object) -> tuple[Network, ...]:
    """Read addresses and networks, as a list or separated by commas.

    Raises:
        ValueError: naming the one that is neither.
    """
    if value is None or value == "none":
        return ()
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        raise ValueError("it must be a list of networks such as 10.0.0.0/8, ::1")
    return tuple(_network(part) for part in parts if str(part).strip())


def _network(part: object) -> Network:
    if isinstance(part, IPv4Network | IPv6Network):
        return part
    try:
        return ip_network(str(part).strip())
    except ValueError as error:
        raise ValueError(f"{error}; write networks such as 10.0.0.0/8, ::1") from None
