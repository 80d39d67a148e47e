"""What the edge stands on: the accounts, the door of each home, and its options.

`davhost.bootstrap` makes one `Gate` per process and gives it to every class of
this package that WsgiDAV instantiates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from ..accounts import Accounts
from ..model import Principal
from ..tree import Tree

Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class DavOptions:
    """What the protocol edge can be told: one frozen table."""

    #: Shown by clients when they ask for a password.
    realm: str = "davhost"
    #: Whether PROPFIND with Depth infinity is answered (RFC 4918 section 9.1).
    propfind_infinity: bool = False
    #: The longest XML body.
    xml_body_max_bytes: int = 1 << 20
    #: How deep the elements of an XML body may nest.
    xml_depth_max: int = 64
    #: Proxies whose X-Forwarded-* headers are believed.
    trusted_proxies: tuple[Network, ...] = ()
    #: Whether the address that people type begins with https, whatever arrives here.
    https: bool = False
    #: How much of a body is read or sent at once.
    block_bytes: int = 262_144
    #: Who sees the past among the members of the root: ``mounts``, ``all`` or ``none``.
    past_shown_to: str = "mounts"
    #: How long the listings may be together that a process keeps.
    listings_max_bytes: int = 32 << 20
    #: Takes a line about every request; None for no lines.
    access_log: Callable[[str], object] | None = None


@dataclass(frozen=True)
class Gate:
    """The ways inwards.

    Args:
        tree_of: opens the home of an authenticated principal.
    """

    accounts: Accounts
    tree_of: Callable[[Principal], Tree]
    options: DavOptions
