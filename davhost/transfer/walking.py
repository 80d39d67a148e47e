"""Look at a directory of this machine: what is in it, and nothing behind it.

Links are not followed, not on the way either: every directory is opened by its
name in the one above. FIFOs, sockets and devices are named and never opened.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

from .items import Item

_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A file may become a FIFO between the look and the open: then it must not wait.
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

_KINDS = {
    stat.S_IFLNK: "It is a symbolic link",
    stat.S_IFIFO: "It is a FIFO",
    stat.S_IFSOCK: "It is a socket",
    stat.S_IFBLK: "It is a device",
    stat.S_IFCHR: "It is a device",
}

#: A directory's device and inode: who it is, whatever the way to it.
Identity = tuple[int, int]


def identity(folder: Path) -> Identity | None:
    """Say who a directory is; None if it is not there."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def walk(top: Path, *, avoid: frozenset[Identity] = frozenset()) -> Iterator[Item]:
    """Yield everything below *top*, collections before their members, by name.

    A file can be opened until the next item is asked for.

    Args:
        top: a directory; it alone may be named by a link.
        avoid: directories that are not looked into.

    Raises:
        OSError: *top* cannot be read.
    """
    with _opened(os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)) as folder:
        yield from _walk(folder, (), avoid)


def count(top: Path, *, avoid: frozenset[Identity] = frozenset()) -> tuple[int, int]:
    """Count the files below *top*, and their bytes."""
    files = size_bytes = 0
    for item in walk(top, avoid=avoid):
        if not item.is_collection and item.obstacle is None:
            files += 1
            size_bytes += item.size_bytes
    return files, size_bytes


def _walk(folder: int, way: tuple[str, ...], avoid: frozenset[Identity]) -> Iterator[Item]:
    for name in sorted(os.listdir(folder)):
        names = (*way, name)
        try:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:  # gone meanwhile
            continue
        except OSError as error:
            yield _blocked(names, f"It cannot be read: {error.strerror}")
            continue
        if stat.S_ISDIR(status.st_mode):
            yield from _walk_into(folder, name, names, status, avoid)
        else:
            yield _item(folder, names, status)


def _walk_into(
    folder: int,
    name: str,
    names: tuple[str, ...],
    status: os.stat_result,
    avoid: frozenset[Identity],
) -> Iterator[Item]:
    if (status.st_dev, status.st_ino) in avoid:
        yield _blocked(names, "It is the server's own data")
        return
    try:
        descriptor = os.open(name, _OPEN_FOLDER, dir_fd=folder)
    except OSError as error:
        yield _blocked(names, f"It cannot be read: {error.strerror}")
        return
    with _opened(descriptor) as below:
        yield Item(names, True, 0, status.st_mtime_ns // 1000, _cannot_open)
        yield from _walk(below, names, avoid)


def _item(folder: int, names: tuple[str, ...], status: os.stat_result) -> Item:
    if not stat.S_ISREG(status.st_mode):
        return _blocked(names, _KINDS.get(stat.S_IFMT(status.st_mode), "It is no file"))
    opener = partial(_open_file, folder, names[-1])
    return Item(names, False, status.st_size, status.st_mtime_ns // 1000, opener)


def _blocked(names: tuple[str, ...], obstacle: str) -> Item:
    return Item(names, False, 0, 0, _cannot_open, obstacle)


def _open_file(folder: int, name: str) -> BinaryIO:
    descriptor = os.open(name, _OPEN_FILE, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "It is no file any more")
    return os.fdopen(descriptor, "rb")


def _cannot_open() -> BinaryIO:
    raise OSError(errno.EISDIR, "It is no file")


@contextmanager
def _opened(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)
