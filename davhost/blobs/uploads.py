"""The life of an upload, the same above every store.

Counts, hashes and remembers what may still happen; where bytes go is the
business of a `PendingBlob`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from types import TracebackType
from typing import Protocol, Self

from ..model import Stored
from .hashing import StreamHash


class PendingBlob(Protocol):
    """What a store holds for an upload that has at least one byte.

    `append` and `seal` raise DiskFull or Unavailable; the others never raise.
    """

    @property
    def key(self) -> str:
        """Where the bytes will be found."""
        ...

    def append(self, block: bytes) -> None:
        """Write *block* behind the others."""
        ...

    def seal(self) -> None:
        """Make the bytes durable and unchangeable."""
        ...

    def keep(self) -> None:
        """Forget that the blob was pending."""
        ...

    def discard(self) -> None:
        """Delete the bytes, then forget that they were pending."""
        ...

    def release(self) -> None:
        """Leave the blob pending, for a sweep to find."""
        ...


class _State(Enum):
    OPEN = auto()
    FINISHED = auto()
    OVER = auto()


class HashedUpload:
    """An `Upload` that hashes what it passes on.

    Args:
        begin: makes the pending blob, called with the first byte.
    """

    def __init__(self, begin: Callable[[], PendingBlob]) -> None:
        self._begin = begin
        self._blob: PendingBlob | None = None
        self._hash = StreamHash()
        self._state = _State.OPEN

    @property
    def size_bytes(self) -> int:
        """How many bytes were written so far."""
        return self._hash.size_bytes

    def write(self, block: bytes) -> None:
        """Append *block*; see `Upload.write`."""
        self._expect(_State.OPEN)
        if not block:
            return
        try:
            if self._blob is None:
                self._blob = self._begin()
            self._blob.append(block)
        except BaseException:
            self.discard()
            raise
        self._hash.update(block)

    def finish(self) -> Stored:
        """Make the bytes durable; see `Upload.finish`."""
        self._expect(_State.OPEN)
        key = None
        if self._blob is not None:
            try:
                self._blob.seal()
            except BaseException:
                self.discard()
                raise
            key = self._blob.key
        self._state = _State.FINISHED
        return Stored(key, self.size_bytes, self._hash.hexdigest())

    def keep(self) -> None:
        """Make the blob live; see `Upload.keep`."""
        self._expect(_State.FINISHED)
        if blob := self._end():
            blob.keep()

    def discard(self) -> None:
        """Delete the bytes; see `Upload.discard`."""
        if blob := self._end():
            blob.discard()

    def release(self) -> None:
        """Leave the bytes to a sweep; see `Upload.release`."""
        if blob := self._end():
            blob.release()

    def __enter__(self) -> Self:
        """Return the upload itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        """Discard what is still open, release what is finished and undecided."""
        if self._state is _State.OPEN:
            self.discard()
        else:
            self.release()

    def _expect(self, state: _State) -> None:
        if self._state is not state:
            raise ValueError(f"the upload is {self._state.name.lower()}")

    def _end(self) -> PendingBlob | None:
        """End the upload and give its pending blob to the one who decides."""
        self._state = _State.OVER
        self._hash.close()
        blob, self._blob = self._blob, None
        return blob
