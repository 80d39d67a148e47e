"""Listings that have been written, kept for as long as nothing changes in their space.

A mounted drive asks for the same few collections again and again. Whether
anything has changed the catalogue says in one query, whatever the size of the
collection, so what is kept is never shown to be out of date, also when another
process made the change.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import NamedTuple

from ..tree import Revision


class Kept(NamedTuple):
    """The body of an answer, and the state of the space that it shows."""

    revision: Revision
    blocks: Sequence[bytes]


class KeptListings:
    """The listings that one process keeps; safe for threads.

    Args:
        bytes_max: how long they may be together; those that nobody has asked for
            the longest go first. 0 keeps none.
    """

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def find(self, key: Hashable) -> Kept | None:
        """Find the listing that answers the question *key*, of whatever revision."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
            return kept

    def keep(self, key: Hashable, kept: Kept) -> None:
        """Keep a listing in the place of the one of before."""
        size = _size(kept)
        with self._lock:
            self._drop(key)
            if size > self._bytes_max:
                return
            self._kept[key] = kept
            self._bytes += size
            while self._bytes > self._bytes_max:
                self._drop(next(iter(self._kept)))

    def drop(self, key: Hashable) -> None:
        """Let go of a listing that is out of date."""
        with self._lock:
            self._drop(key)

    def noted(self, key: Hashable, revision: Revision, body: Iterable[bytes]) -> Iterator[bytes]:
        """Pass on a body that is still being made; at its end it is kept if it is short enough."""
        noted: list[bytes] = []
        room_bytes = self._bytes_max
        for block in body:
            room_bytes -= len(block)
            if room_bytes >= 0:
                noted.append(block)
            else:
                noted.clear()
            yield block
        if room_bytes >= 0:
            self.keep(key, Kept(revision, noted))

    def _drop(self, key: Hashable) -> None:
        dropped = self._kept.pop(key, None)
        if dropped is not None:
            self._bytes -= _size(dropped)


def _size(kept: Kept) -> int:
    return sum(map(len, kept.blocks))
