"""What the tree answers with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from ..model import Lock, Resource, Space
from ..paths import DavPath
from .listings import Entry


class Looked(NamedTuple):
    """A resource, and whether the client has it already (304)."""

    resource: Resource
    not_modified: bool


class Opened(NamedTuple):
    """A resource with its bytes; the caller closes *content*.

    Args:
        content: seekable; None when there are no bytes to send.
    """

    resource: Resource
    not_modified: bool
    content: BinaryIO | None


class Outcome(NamedTuple):
    """What a write left at its URL, and whether the URL was unmapped before."""

    resource: Resource
    created: bool


class Locking(NamedTuple):
    """A granted lock, and whether it made an empty file (RFC 4918 section 7.3)."""

    lock: Lock
    resource: Resource
    created: bool


@dataclass(frozen=True, slots=True)
class Changed:
    """What is different in a collection since a point of its journal (RFC 6578).

    Args:
        seq: the point that this answer brings the client to.
        entries: what is mapped now and is new or was changed.
        removed: what was mapped, perhaps only in between, and is not now.
    """

    seq: int
    space: Space
    entries: Sequence[Entry]
    removed: Sequence[DavPath]
