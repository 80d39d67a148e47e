"""Listings that have been written, kept for as long as nothing changes in their space.

A mounted drive asks for the same few collections again and again. Whether
anything has changed the catalogue says in one query, whatever the size of the
collection, so what is kept is never shown to be out of date, also when another
process made the change.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from tempfile import TemporaryFile
from typing import NamedTuple

from ..tree import Revision

#: What is sent or read at once of a long listing.
_PIECE_BYTES = 1 << 20

#: Files may take so many times what listings take in memory.
_FILES_FACTOR = 8


class LongListing:
    """A body in a temporary file without a name, which is gone with the last who sends it.

    Raises:
        OSError: there is no place for it.
    """

    def __init__(self) -> None:
        with TemporaryFile() as file:
            self._file = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._file)
        self.size_bytes = 0

    def append(self, block: bytes) -> None:
        """Write *block* behind the others.

        Raises:
            OSError: the disk is full, or broken.
        """
        rest = memoryview(block)
        while rest:
            rest = rest[os.write(self._file, rest) :]
        self.size_bytes += len(block)

    def __iter__(self) -> Iterator[bytes]:
        """Read it.

        Raises:
            EOFError: the file is shorter than what was written.
        """
        for start, size_bytes in self._pieces():
            block = os.pread(self._file, size_bytes, start)
            if len(block) < size_bytes:
                raise EOFError("a kept listing ends early")
            yield block

    def send_through(
        self, _write: Callable[[bytes], None], send_file: Callable[[int, int, int], None]
    ) -> None:
        """Send the whole body; see `davhost.server.gateway`."""
        for start, size_bytes in self._pieces():
            send_file(self._file, start, size_bytes)

    def _pieces(self) -> Iterator[tuple[int, int]]:
        for start in range(0, self.size_bytes, _PIECE_BYTES):
            yield start, min(_PIECE_BYTES, self.size_bytes - start)


class Kept(NamedTuple):
    """The body of an answer, and the state of the space that it shows."""

    revision: Revision
    body: Sequence[bytes] | LongListing


class KeptListings:
    """The listings that one process keeps; safe for threads.

    Args:
        bytes_max: how long those in memory may be together; those that nobody has
            asked for the longest go first. Long ones are in files, and may be eight
            times as long together. 0 keeps none.
    """

    def __init__(self, bytes_max: int) -> None:
        self._short = _Shelf(bytes_max)
        self._long = _Shelf(_FILES_FACTOR * bytes_max)
        self._lock = threading.Lock()

    def find(self, key: Hashable) -> Kept | None:
        """Find the listing that answers the question *key*, of whatever revision."""
        with self._lock:
            return self._short.find(key) or self._long.find(key)

    def keep(self, key: Hashable, kept: Kept) -> None:
        """Keep a listing in the place of the one of before."""
        with self._lock:
            self._short.drop(key)
            self._long.drop(key)
            shelf = self._long if isinstance(kept.body, LongListing) else self._short
            shelf.put(key, kept)

    def drop(self, key: Hashable) -> None:
        """Let go of a listing that is out of date."""
        with self._lock:
            self._short.drop(key)
            self._long.drop(key)

    def noted(self, key: Hashable, revision: Revision, body: Iterable[bytes]) -> Iterator[bytes]:
        """Pass on a long body that is still being made; at its end it is kept.

        It is not if it is too long, or if the disk has no room for it.
        """
        listing = self._begin()
        for block in body:
            if listing is not None and not self._append(listing, block):
                listing = None
            yield block
        if listing is not None:
            self.keep(key, Kept(revision, listing))

    def _begin(self) -> LongListing | None:
        try:
            return LongListing() if self._long.bytes_max else None
        except OSError:
            return None

    def _append(self, listing: LongListing, block: bytes) -> bool:
        if listing.size_bytes + len(block) > self._long.bytes_max:
            return False
        try:
            listing.append(block)
        except OSError:
            return False
        return True


class _Shelf:
    """Listings that share a limit; whoever touches it holds the lock."""

    def __init__(self, bytes_max: int) -> None:
        self.bytes_max = bytes_max
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()
        self._bytes = 0

    def find(self, key: Hashable) -> Kept | None:
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
        return kept

    def put(self, key: Hashable, kept: Kept) -> None:
        size = _size(kept)
        if size > self.bytes_max:
            return
        self._kept[key] = kept
        self._bytes += size
        while self._bytes > self.bytes_max:
            self.drop(next(iter(self._kept)))

    def drop(self, key: Hashable) -> None:
        dropped = self._kept.pop(key, None)
        if dropped is not None:
            self._bytes -= _size(dropped)


def _size(kept: Kept) -> int:
    if isinstance(kept.body, LongListing):
        return kept.body.size_bytes
    return sum(map(len, kept.body))
