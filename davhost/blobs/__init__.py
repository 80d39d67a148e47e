"""Immutable bytes under opaque keys: what every blob store promises.

A blob is written once, never changed, and known only by its key; names,
owners and sizes are the catalogue's. The order is always *bytes before row,
row before deletion*::

    with store.upload(space_id) as upload:
        for block in body:
            upload.write(block)
        stored = upload.finish()       # 1: durable, still nameless
        try:
            with catalogue.begin() as tx:  # 2: named, or nothing
                tx.apply(permit, stored)
        except Refused:
            upload.discard()           # the catalogue said no
            raise
        upload.keep()                  # 3: live
    # any other way out leaves the bytes to sweep()

A crash at any point leaves at most bytes that no row names, and a note that
lets `BlobStore.sweep` find them without looking at every blob. Nothing here
knows a file name, a principal or a quota.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import BinaryIO, Protocol, Self

from ..model import Stored

__all__ = ["Adopted", "BlobMissing", "BlobStore", "Upload"]


class BlobMissing(LookupError):
    """No blob is stored under the key.

    Args:
        key: what was asked for.
    """

    def __init__(self, key: str) -> None:
        super().__init__("No blob is stored under this key.")
        self.key = key


class Upload(Protocol):
    """A pending blob: it receives bytes, and then its fate from the catalogue.

    The upload is *open* until `finish`, *finished* until one of `keep`,
    `discard` and `release` (the first one decides), and then *over*. It
    belongs to one thread. Nothing is stored before the first byte arrives, so
    an empty file costs nothing.

    Leaving the ``with`` block, with an exception or without:

    - over: nothing happens;
    - still open: `discard`, for nobody can know the key yet;
    - finished: `release`, for whether a row was committed is not known.
    """

    @property
    def size_bytes(self) -> int:
        """How many bytes were written so far."""
        ...

    def write(self, block: bytes) -> None:
        """Append *block*.

        When this raises, the bytes were given back and the upload is over.

        Raises:
            DiskFull: no room, or the reserve of the store would be touched.
            Unavailable: the store cannot be written now.
            ValueError: the upload is not open; a defect of the caller.
        """
        ...

    def finish(self) -> Stored:
        """Make the bytes durable; nothing can be written any more.

        When this raises, the bytes were given back and the upload is over: a
        failed fsync is never tried again, as the second one would succeed
        without the lost pages.

        Returns:
            The key, size and hash. The key is None for empty content, which
            is not stored.

        Raises:
            DiskFull: no room for what was written.
            Unavailable: the store cannot be written now.
            ValueError: the upload is not open; a defect of the caller.
        """
        ...

    def keep(self) -> None:
        """Make the blob live: the row that names it is committed.

        Never fails for the store's sake, as the client's file is safe: a note
        that cannot be removed now is removed by `BlobStore.sweep`.

        Raises:
            ValueError: the upload is not finished; a defect of the caller.
        """
        ...

    def discard(self) -> None:
        """Delete the bytes: no row will ever name them.

        Never raises: what cannot be deleted now is left to `BlobStore.sweep`.
        Nothing happens when the upload is over.
        """
        ...

    def release(self) -> None:
        """Leave the bytes to `BlobStore.sweep`: the row may be committed or not.

        Never raises. Nothing happens when the upload is over.
        """
        ...

    def __enter__(self) -> Self:
        """Return the upload itself."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        """Discard what is still open, release what is finished and undecided."""
        ...


class Adopted(Upload, Protocol):
    """An upload that brings its own bytes; write to it what `blocks` yields."""

    def blocks(self) -> Iterator[bytes]:
        """Read the content, once; what was linked or cloned is read from the blob.

        Raises:
            IncompleteBody: somebody changed the file meanwhile.
            DiskFull: no room for a copy.
            Unavailable: the store cannot be written now.
            OSError: the file cannot be read.
        """
        ...


class BlobStore(Protocol):
    """Where blobs are; shared by all threads.

    Every method that finds the store out of order raises `Unavailable`. No
    sentence of an error holds a disk path.
    """

    def upload(self, space_id: int) -> Upload:
        """Begin a pending blob that counts to the space; touches no disk yet."""
        ...

    def adopt(self, space_id: int, source: BinaryIO, *, hard_link: bool = False) -> Adopted:
        """Begin a pending blob of the bytes of a file that is there already.

        The store clones the file where it can; otherwise it copies. Touches no
        disk yet.

        Args:
            source: a regular file of this machine, open for reading from its
                start; stays the caller's, and open until the upload is over.
            hard_link: link it rather than copy it, where the store can. Then
                the file becomes the blob: it is made read-only, and whoever
                edits it in place afterwards damages what was stored.
        """
        ...

    def open(self, key: str) -> BinaryIO:
        """Open a blob for reading from its start; the file can seek.

        What is open can be read to its end, also after `delete`. A read that
        the disk fails raises OSError.

        Raises:
            BlobMissing: nothing is stored there, or something that is no blob.
            Unavailable: the store cannot be read now.
        """
        ...

    def delete(self, key: str) -> None:
        """Delete a blob; nothing happens if there is none.

        Raises:
            Unavailable: the store cannot be written now; the blob may be there.
        """
        ...

    def sweep(self, live: Callable[[Sequence[str]], set[str]]) -> int:
        """Settle the uploads that ended without a decision, as after a crash.

        An upload that is still going on, in any process, is never touched.
        What cannot be deleted now waits for the next sweep, and so does
        everything that *live* raised an error for.

        Args:
            live: is given keys and returns those that a row names. A commit
                may still be on its way when the process that asked for it is
                dead (PostgreSQL finishes it without a client), so it has to
                take the mutex of the spaces before it looks.

        Returns:
            How many blobs were deleted.

        Raises:
            Unavailable: the store cannot be read or written now.
        """
        ...

    def keys(self) -> Iterator[tuple[str, int]]:
        """Yield every blob's key and its size in bytes, for checking.

        Pending ones are left out; blobs that come and go meanwhile may be
        there or not.

        Raises:
            Unavailable: the store cannot be read now.
        """
        ...

    def room_bytes(self) -> int | None:
        """How many bytes uploads may still bring; None where that is not known.

        Raises:
            Unavailable: the store cannot be read now.
        """
        ...

    def is_full(self) -> bool:
        """Whether it is time to give up old bytes: uploads are refused now, or soon."""
        ...

    def remove_space(self, space_id: int) -> None:
        """Delete every blob of a space that the catalogue has forgotten.

        Raises:
            Unavailable: the store cannot be written now; try again.
        """
        ...
