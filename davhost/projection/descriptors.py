"""Steps from one open folder to the next that nothing planted can divert."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_FOLDER = frozenset({errno.ENOTDIR, errno.ELOOP})
_TRIES = 5


@contextmanager
def opened(path: Path | bytes | str, *, dir_fd: int | None = None) -> Iterator[int]:
    """Open a folder that is not a link."""
    descriptor = os.open(path, _OPEN_FOLDER, dir_fd=dir_fd)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def open_folder(name: bytes, parent: int) -> int:
    """Open a folder that is not a link, for the caller to close."""
    return os.open(name, _OPEN_FOLDER, dir_fd=parent)


def own_folder(name: bytes, parent: int, mode: int, *, expected: bool = True) -> tuple[int, bool]:
    """Open a folder, made if it is missing; what else has its name is removed.

    Args:
        expected: whether it is probably there; otherwise it is made first.

    Returns:
        A descriptor for the caller to close, and whether the folder was made.
    """
    made = not expected and _make(name, parent, mode)
    for _ in range(_TRIES):
        try:
            folder = open_folder(name, parent)
        except FileNotFoundError:
            made = _make(name, parent, mode)
        except OSError as error:
            if error.errno not in _NO_FOLDER:
                raise
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=parent)
        else:
            if made:
                os.fchmod(folder, mode)  # whatever the umask is
            return folder, made
    raise FileExistsError(errno.EEXIST, "it comes back again and again", os.fsdecode(name))


def _make(name: bytes, parent: int, mode: int) -> bool:
    """Make a folder; False if something has its name."""
    try:
        os.mkdir(name, mode, dir_fd=parent)
    except FileExistsError:  # or another process was quicker
        return False
    return True


def names_in(folder: int) -> list[bytes]:
    """List the names in a folder, as bytes: the locale does not matter."""
    return [os.fsencode(name) for name in os.listdir(folder)]


def find_stat(name: bytes, folder: int) -> os.stat_result | None:
    """The status of what stands under a name, links not followed; None if nothing does."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def is_folder(name: bytes, folder: int) -> bool:
    """Whether a folder stands under a name."""
    status = find_stat(name, folder)
    return status is not None and stat.S_ISDIR(status.st_mode)
