"""A blob appears under a second name, elsewhere on this machine, for people to read.

A hard link costs nothing. Where there can be none (another file system, one
without links, or one blob with too many names) it is a clone or a copy.
"""

from __future__ import annotations

import errno
import os
from typing import BinaryIO

from .adopting import BLOCK_BYTES, clone, write

#: Reasons why a link is impossible that a copy gets around.
NO_LINK = frozenset({errno.EMLINK, errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS})

_CREATE = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC


def copy(blob: BinaryIO, name: bytes, folder: int, *, durable: bool) -> None:
    """Make the file *name*, read-only, with the bytes and the date of *blob*.

    Raises:
        OSError: it cannot be written, or *name* is taken.
    """
    status = os.fstat(blob.fileno())
    target = os.open(name, _CREATE, 0o600, dir_fd=folder)
    try:
        if not clone(blob.fileno(), target):
            _copy_bytes(blob, target)
        os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
        os.fchmod(target, 0o444)
        if durable:
            os.fsync(target)
    finally:
        os.close(target)


def _copy_bytes(blob: BinaryIO, target: int) -> None:
    while block := blob.read(BLOCK_BYTES):
        write(target, block)
