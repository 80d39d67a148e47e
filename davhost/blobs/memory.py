"""Blobs in memory, for tests: the same promises, except that nothing lasts."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from threading import Lock
from typing import BinaryIO

from ..errors import DiskFull
from . import Adopted, BlobMissing, Upload
from .adopting import Adoption
from .keys import BlobKey, random_hex
from .uploads import HashedUpload, PendingBlob


class MemoryBlobs:
    """A `BlobStore` that ends with its process.

    Args:
        capacity_bytes: how much it holds before it is full; None for no limit.
        random_hex: 32 new hex digits at every call.
    """

    def __init__(
        self,
        *,
        capacity_bytes: int | None = None,
        random_hex: Callable[[], str] = random_hex,
    ) -> None:
        self._capacity_bytes = capacity_bytes
        self._random_hex = random_hex
        self._mutex = Lock()
        self._blobs: dict[str, bytearray] = {}
        self._pending: set[str] = set()
        self._going_on: set[str] = set()

    def upload(self, space_id: int) -> Upload:
        """Begin a pending blob; see `BlobStore.upload`."""
        return HashedUpload(partial(self._begin, space_id))

    def adopt(self, space_id: int, source: BinaryIO, *, hard_link: bool = False) -> Adopted:  # noqa: ARG002
        """Begin a pending blob of a file's bytes; see `BlobStore.adopt`."""

        def begin() -> tuple[PendingBlob, BinaryIO]:
            return self._begin(space_id), open(source.fileno(), "rb", closefd=False)

        return Adoption(begin, source)

    def open(self, key: str) -> BinaryIO:
        """Open a copy of the bytes; see `BlobStore.open`."""
        with self._mutex:
            if key not in self._blobs:
                raise BlobMissing(key)
            return io.BytesIO(self._blobs[key])

    def delete(self, key: str) -> None:
        """Delete a blob; see `BlobStore.delete`."""
        with self._mutex:
            self._blobs.pop(key, None)

    def sweep(self, live: Callable[[Sequence[str]], set[str]]) -> int:
        """Settle undecided uploads; see `BlobStore.sweep`."""
        with self._mutex:
            over = sorted(self._pending - self._going_on)
        if not over:
            return 0
        dead = set(over) - live(over)
        with self._mutex:
            self._pending.difference_update(over)
            return sum(self._blobs.pop(key, None) is not None for key in dead)

    def keys(self) -> Iterator[tuple[str, int]]:
        """Yield keys and sizes; see `BlobStore.keys`."""
        with self._mutex:
            stored = [
                (key, len(content))
                for key, content in sorted(self._blobs.items())
                if key not in self._pending
            ]
        yield from stored

    def room_bytes(self) -> int | None:
        """How much of the capacity is free."""
        if self._capacity_bytes is None:
            return None
        return self._capacity_bytes - sum(size for _, size in self.keys())

    def is_full(self) -> bool:
        """Whether nine tenths of the capacity are used."""
        if self._capacity_bytes is None:
            return False
        return sum(size for _, size in self.keys()) > 0.9 * self._capacity_bytes

    def remove_space(self, space_id: int) -> None:
        """Delete the blobs of a space; see `BlobStore.remove_space`."""
        with self._mutex:
            for key in [key for key in self._blobs if key.startswith(f"{space_id}/")]:
                del self._blobs[key]

    def _begin(self, space_id: int) -> _MemoryPending:
        with self._mutex:
            key = str(BlobKey.make(space_id, self._random_hex()))
            while key in self._blobs or key in self._pending:
                key = str(BlobKey.make(space_id, self._random_hex()))
            self._blobs[key] = bytearray()
            self._pending.add(key)
            self._going_on.add(key)
            return _MemoryPending(self, key)

    def _append(self, key: str, block: bytes) -> None:
        with self._mutex:
            used_bytes = sum(map(len, self._blobs.values()))
            if self._capacity_bytes is not None and used_bytes + len(block) > self._capacity_bytes:
                raise DiskFull("The disk of the server is full.")
            if key in self._blobs:  # the space may have been removed
                self._blobs[key] += block

    def _end(self, key: str, *, bytes_stay: bool, stays_pending: bool) -> None:
        with self._mutex:
            self._going_on.discard(key)
            if not stays_pending:
                self._pending.discard(key)
            if not bytes_stay:
                self._blobs.pop(key, None)


class _MemoryPending:
    """A `PendingBlob` of the store, which does the work."""

    def __init__(self, store: MemoryBlobs, key: str) -> None:
        self._store = store
        self.key = key

    def append(self, block: bytes) -> None:
        self._store._append(self.key, block)

    def seal(self) -> None:
        pass  # nobody writes to it any more

    def keep(self) -> None:
        self._store._end(self.key, bytes_stay=True, stays_pending=False)

    def discard(self) -> None:
        self._store._end(self.key, bytes_stay=False, stays_pending=False)

    def release(self) -> None:
        self._store._end(self.key, bytes_stay=True, stays_pending=True)
