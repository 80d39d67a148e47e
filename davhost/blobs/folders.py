"""The directories of a local blob store: walked one by one, made and synced.

Links are never followed, so that what somebody plants in the data folder leads
nowhere. Whatever the disk refuses becomes a refusal without a path in it.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from ..errors import DiskFull, Refused, Unavailable
from .keys import BlobKey

_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: A planted FIFO would let an ordinary open wait for ever.
OPEN_PLAIN = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
CREATE = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
#: What opening gives for an absent file, or a link, folder, socket or device.
NOT_A_BLOB = frozenset(
    {errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENXIO, errno.ENODEV}
)

_PENDING = "pending"


class Folders:
    """The directories below *root*, which is made if it is not there.

    Args:
        durable: False leaves out every fsync.

    Raises:
        OSError: the directory cannot be made.
    """

    def __init__(self, root: Path, *, durable: bool) -> None:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The administrator may have made it a link; what comes later is not followed.
        self.root = root.resolve(strict=True)
        self._way = str(self.root)
        self._durable = durable
        if not (self.root / _PENDING).is_dir():
            with opened(self.root) as folder, opened(self.root.parent) as parent:
                self._make(_PENDING, folder)
                self.sync(parent)

    def of(self, place: BlobKey) -> Opened:
        """Open the directory of a blob."""
        return Opened(self._open(place))

    def space(self, name: str) -> Opened:
        """Open the directory of a space."""
        return opened(f"{self._way}/{name}")

    def pending(self) -> Opened:
        """Open the directory of the markers, which is there if the disk is."""
        return Opened(self.open_pending())

    def open_pending(self) -> int:
        """Open the directory of the markers, for the caller to close."""
        return os.open(f"{self._way}/{_PENDING}", _OPEN_FOLDER)

    def expect(self) -> None:
        """Tell an absent blob from an absent disk.

        Raises:
            Unavailable: the disk with the store is not mounted, or broken.
        """
        with Refusing(), self.pending():
            pass

    def open_or_make(self, place: BlobKey) -> int:
        """Open the directory of a blob, for the caller to close."""
        try:
            return self._open(place)
        except FileNotFoundError:
            pass
        space_name, name = str(place.space_id), place.hex[:2]
        with opened(self.root) as root:
            self._make(space_name, root)
            with opened(space_name, dir_fd=root) as space:
                self._make(name, space)
                return os.open(name, _OPEN_FOLDER, dir_fd=space)

    def begin_sync(self, file: int, start: int, size_bytes: int) -> None:
        """Let the disk begin with a part of a file, and do not wait: `sync` will have less to do.

        Linux begins to write what it is told will not be needed soon; what cannot be
        begun is left to `sync`, which also says what went wrong.
        """
        if self._durable:
            with suppress(OSError):
                os.posix_fadvise(file, start, size_bytes, os.POSIX_FADV_DONTNEED)

    def sync(self, descriptor: int) -> None:
        """Wait until a file or directory is on the disk."""
        if self._durable:
            os.fsync(descriptor)

    def _open(self, place: BlobKey) -> int:
        space = os.open(f"{self._way}/{place.space_id}", _OPEN_FOLDER)
        try:
            return os.open(place.hex[:2], _OPEN_FOLDER, dir_fd=space)
        finally:
            os.close(space)

    def _make(self, name: str, parent: int) -> None:
        with suppress(FileExistsError):  # another upload was quicker
            os.mkdir(name, mode=0o700, dir_fd=parent)
        self.sync(parent)


class Opened:
    """A directory that is open, and is closed at the end of a ``with`` block."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __enter__(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def __exit__(self, *_: object) -> None:
        """Close the directory."""
        os.close(self._descriptor)


def opened(path: Path | str, *, dir_fd: int | None = None) -> Opened:
    """Open a directory that is not a link."""
    return Opened(os.open(path, _OPEN_FOLDER, dir_fd=dir_fd))


def close(descriptor: int) -> None:
    """Close what holds nothing that must reach the disk."""
    with suppress(OSError):
        os.close(descriptor)


def names(folder: int) -> list[str]:
    """List a directory in order."""
    return sorted(os.listdir(folder))


def find_stat(name: str, folder: int) -> os.stat_result | None:
    """The status of what stands under a name, links not followed; None if nothing does."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


class Refusing:
    """Turn what the disk says in a ``with`` block into what the client is told."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Raise a refusal for an OSError."""
        if isinstance(error, OSError):
            raise refusal(error) from error


def refusal(error: OSError) -> Refused:
    """Say why the disk cannot be used, for a client to read."""
    if error.errno in _NO_ROOM:
        return disk_full()
    return Unavailable("The server cannot use its disk now.", retry_after_seconds=30)


def disk_full() -> DiskFull:
    """Say that there is no room."""
    return DiskFull("The disk of the server is full.")
