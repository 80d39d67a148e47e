"""Files that are there already become blobs: cloned or linked where that can be.

A clone (reflink: btrfs, XFS, bcachefs) costs no bytes and has a life of its
own. A hard link costs no bytes either, but it is the same file under a second
name: whoever edits the original in place edits the blob. So it is made only
for a caller who asks for it. Everything else is copied.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from typing import BinaryIO

from ..errors import IncompleteBody
from .uploads import HashedUpload, PendingBlob

#: The request of ioctl_ficlone(2), the same on every machine but a few.
FICLONE = 0x40049409

#: What is read, hashed and written at once.
BLOCK_BYTES = 1 << 20


class CannotRead(Exception):
    """The disk did not give back what it should hold."""


class Adoption(HashedUpload):
    """An `Adopted` upload, the same for every store.

    Args:
        begin: makes the pending blob, and opens what its bytes are read from.
        source: a regular file, open for reading; stays the caller's.
    """

    def __init__(self, begin: Callable[[], tuple[PendingBlob, BinaryIO]], source: BinaryIO) -> None:
        super().__init__(lambda: begin()[0])
        self._begin_adopted = begin
        self._source = source

    def blocks(self) -> Iterator[bytes]:
        """Read the content, once; see `Adopted.blocks`."""
        before = _state(self._source)
        if before[0]:
            self._blob, reader = self._begin_adopted()
            with reader:
                reader.seek(0)
                while block := reader.read(BLOCK_BYTES):
                    yield block
        if _state(self._source) != before:
            raise IncompleteBody("The file was changed while it was read.")


def clone(source: int, target: int) -> bool:
    """Let the empty file *target* share the bytes of *source*; whether that can be."""
    try:
        fcntl.ioctl(target, FICLONE, source)
    except OSError:
        return False
    return True


def write(target: int, block: bytes) -> None:
    """Write all of *block*; a disk that is nearly full takes only a part at a time.

    Raises:
        OSError: it cannot be written.
    """
    rest = memoryview(block)
    while rest:
        rest = rest[os.write(target, rest) :]


def copy_hashed(source: BinaryIO, target: int) -> str:
    """Copy a file into the empty file *target*, or clone it; return its hash.

    Stored blobs never change, so the hash of one is the hash of its clone.

    Raises:
        CannotRead: *source* cannot be read.
        OSError: *target* cannot be written.
    """
    total = hashlib.sha256()
    cloned = _has_descriptor(source) and clone(source.fileno(), target)
    while block := _read(source):
        total.update(block)
        if not cloned:
            write(target, block)
    return total.hexdigest()


def _has_descriptor(source: BinaryIO) -> bool:
    """Whether it is a file of this machine."""
    try:
        return source.fileno() >= 0
    except OSError:
        return False


def _read(source: BinaryIO) -> bytes:
    try:
        return source.read(BLOCK_BYTES)
    except OSError as error:
        raise CannotRead(f"It cannot be read: {error.strerror}.") from error


def may_link(source: int) -> bool:
    """Whether the file is ours to link: a blob must belong to the server."""
    return os.geteuid() in (0, os.fstat(source).st_uid)


def link(source: int, name: str, folder: int) -> None:
    """Give the open file *source* a second name in *folder*.

    By its descriptor: the path that led to it may lead elsewhere by now.

    Raises:
        OSError: another file system, too many links, or one without any.
    """
    os.link(f"/proc/self/fd/{source}", name, dst_dir_fd=folder, follow_symlinks=True)


def _state(file: BinaryIO) -> tuple[int, int]:
    """What tells that a file was changed: its size in bytes, and its date."""
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns
