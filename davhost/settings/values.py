"""How people write networks. Pure."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network

Network = IPv4Network | IPv6Network


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
