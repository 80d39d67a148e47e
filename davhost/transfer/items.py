"""What is taken in, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO

from ..model import PropertyUpdate


@dataclass(frozen=True, slots=True)
class Item:
    """A file or a collection that stands somewhere else and may come in.

    Collections come before their members.

    Args:
        names: the way to it from the top, as it is spelled there.
        size_bytes: 0 for a collection.
        modified_us: its date there.
        open: opens the file for reading, from its start; raises OSError.
        obstacle: why it cannot even be looked at; None if it can.
        sha256: the hash of the content where it is known, lower-case hex.
        properties: the dead properties that it has.
    """

    names: tuple[str, ...]
    is_collection: bool
    size_bytes: int
    modified_us: int
    open: Callable[[], BinaryIO]
    obstacle: str | None = None
    sha256: str | None = None
    properties: tuple[PropertyUpdate, ...] = ()

    @property
    def shown(self) -> str:
        """The way to it, for people."""
        return "/".join(self.names)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that was not done, and why in one sentence."""

    path: str
    reason: str


@dataclass(slots=True)
class Report:
    """What came of a transfer.

    Args:
        files: how many were transferred.
        size_bytes: how much they were.
        collections: how many were made.
        unchanged: how many files were there already.
        left_out: temporaries that no one misses.
        refused: what was not transferred; empty means that all went well.
        stopped: why it ended before the end; None if it did not.
    """

    files: int = 0
    size_bytes: int = 0
    collections: int = 0
    unchanged: int = 0
    left_out: list[Trouble] = field(default_factory=list)
    refused: list[Trouble] = field(default_factory=list)
    stopped: str | None = None

    @property
    def is_complete(self) -> bool:
        """Whether everything is where it should be."""
        return not self.refused and self.stopped is None

    def refuse(self, path: str, reason: str) -> None:
        """Note what was not done."""
        self.refused.append(Trouble(path, reason))
