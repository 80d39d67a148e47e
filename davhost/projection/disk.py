"""The plain files of one user: placed, moved and taken away by name.

Every step starts from an open folder and follows no link; what stands under a
name and is foreign is replaced or removed, never written to.
"""

from __future__ import annotations

import errno
import logging
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from ..blobs import BlobMissing
from ..blobs.local import LocalBlobs
from ..model import Resource
from .control import Control
from .descriptors import find_stat, is_folder, names_in, open_folder, own_folder

log = logging.getLogger("davhost.projection")

#: Names from the top of a tree, as bytes.
Names = tuple[bytes, ...]

#: The gate is the folder of all trees (0700): whoever opens it, opens it once.
FOLDER_MODE = 0o755
FILE_MODE = 0o444

_TEMPORARY = b"tmp"
_CREATE = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
#: This file system has no such name: the catalogue's is longer or odder.
_UNNAMEABLE = frozenset({errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ})


class NotThere(LookupError):
    """A folder on the way is missing, or is none."""


class Disk:
    """One tree, reached from its top folder.

    Args:
        control: of the same user, locked.
        top: descriptor of the top folder; `close` closes it.

    Attributes:
        old_top: descriptor of a tree that this one will replace; a file of which
            the store has lost the bytes is taken over from there.
    """

    def __init__(self, control: Control, blobs: LocalBlobs, top: int) -> None:
        self._control = control
        self._blobs = blobs
        self._top = top
        self.old_top: int | None = None
        #: The folder that was reached last: what is next is mostly in the same one.
        self._reached: tuple[Names, int] | None = None

    def close(self) -> None:
        """Close the folders."""
        self._leave()
        os.close(self._top)

    @property
    def inode(self) -> int:
        """Which folder it is."""
        return os.fstat(self._top).st_ino

    def reach(self, names: Names) -> int:
        """Walk to a folder; two descriptors are enough for any depth.

        Returns:
            A descriptor that is open until the next call, or a `move`.

        Raises:
            NotThere: there is no such folder.
        """
        if self._reached is None or self._reached[0] != names:
            self._leave()
            self._reached = names, _walk(self._top, names)
        return self._reached[1]

    def _leave(self) -> None:
        if self._reached is not None:
            os.close(self._reached[1])
            self._reached = None

    def stands(self, names: Names) -> bool:
        """Whether there is a folder, which is reached then."""
        try:
            self.reach(names)
        except NotThere:
            return False
        return True

    def has_folder(self, names: Names) -> bool:
        """Whether there is a folder; the one that it is in is reached."""
        return self.stands(names[:-1]) and is_folder(names[-1], self.reach(names[:-1]))

    def make(self, folder: int, name: bytes) -> bool | None:
        """See that a folder stands under a name.

        Returns:
            Whether it was made; None if this file system has no such name.
        """
        try:
            made, was_made = own_folder(name, folder, FOLDER_MODE, expected=False)
        except OSError as error:
            if error.errno not in _UNNAMEABLE:
                raise
            log.warning("the readable tree has no place for a folder: %s", error.strerror)
            return None
        os.close(made)
        return was_made

    def place(self, folder: int, name: bytes, file: Resource, path: Names) -> None:
        """See that a file with the bytes of *file* stands under a name.

        Args:
            path: the same place from the top.
        """
        try:
            status = find_stat(name, folder)
            if status is None or not self._is_right(status, file):
                self._put(folder, name, file, is_free=status is None)
        except BlobMissing:
            # Overwritten meanwhile, and an entry of the journal will say so, or
            # lost: `check` says so, and what stands here may be the last copy.
            self._save_last_copy(folder, name, path)
        except OSError as error:
            if error.errno not in _UNNAMEABLE:
                raise
            self.discard(self._control.folder, _TEMPORARY)
            log.warning("the readable tree has no place for a file: %s", error.strerror)

    def is_right(self, folder: int, name: bytes, file: Resource) -> bool:
        """Whether the bytes of *file* stand under a name.

        Raises:
            BlobMissing: the store has lost them.
        """
        status = find_stat(name, folder)
        return status is not None and self._is_right(status, file)

    def _is_right(self, status: os.stat_result, file: Resource) -> bool:
        if not stat.S_ISREG(status.st_mode) or status.st_size != file.size_bytes:
            return False
        if file.blob_key is None:
            return True
        blob = self._blobs.find_stat(file.blob_key)
        if blob is None:
            raise BlobMissing(file.blob_key)
        if (status.st_dev, status.st_ino) == (blob.st_dev, blob.st_ino):
            return True
        # A copy: it was given the blob's date, to the nanosecond.
        return status.st_nlink == 1 and status.st_mtime_ns == blob.st_mtime_ns

    def is_lost(self, file: Resource) -> bool:
        """Whether the store has lost the bytes of *file*."""
        return file.blob_key is not None and self._blobs.find_stat(file.blob_key) is None

    def discard(self, folder: int, name: bytes) -> None:
        """See that nothing stands under a name."""
        self._control.discard(folder, name)

    def move(self, source: Names, target: Names) -> bool:
        """Move a folder, replacing what is there; False if there is none, or no place."""
        self._leave()
        try:
            with reached(self._top, source[:-1]) as old, reached(self._top, target[:-1]) as new:
                if not is_folder(source[-1], old):
                    return False
                self.discard(new, target[-1])
                os.rename(source[-1], target[-1], src_dir_fd=old, dst_dir_fd=new)
                return True
        except NotThere:
            return False
        except OSError as error:
            if error.errno not in _UNNAMEABLE:
                raise
            return False

    def align(self, names: Names, members: Iterable[Resource]) -> list[tuple[Names, Resource]]:
        """Bring the members of a folder into line, foreign ones removed.

        Returns:
            The collections among them, whose own members are still to do.

        Raises:
            NotThere: the folder is gone.
        """
        wanted = {member.name.encode(): member for member in members}
        collections: list[tuple[Names, Resource]] = []
        folder = self.reach(names)
        for name in names_in(folder):
            if name not in wanted:
                self.discard(folder, name)
        for name, member in wanted.items():
            path = (*names, name)
            if not member.is_collection:
                self.place(folder, name, member, path)
            elif self.make(folder, name) is not None:
                collections.append((path, member))
        return collections

    def _put(self, folder: int, name: bytes, file: Resource, *, is_free: bool) -> None:
        """Put the bytes of *file* under a name in one step, over whatever is there.

        Args:
            is_free: nothing is there, so that a link needs no second step.
        """
        if is_free and file.blob_key is not None:
            with suppress(OSError):  # there are no links here, or it is no name
                self._blobs.link(file.blob_key, name, folder)
                return
        self._make_temporary(file)
        self._rename_temporary(folder, name)

    def _make_temporary(self, file: Resource) -> None:
        with suppress(FileNotFoundError):
            os.unlink(_TEMPORARY, dir_fd=self._control.folder)
        if file.blob_key is not None:
            self._blobs.show(file.blob_key, _TEMPORARY, self._control.folder)
            return
        empty = os.open(_TEMPORARY, _CREATE, FILE_MODE, dir_fd=self._control.folder)
        os.fchmod(empty, FILE_MODE)
        os.close(empty)

    def _rename_temporary(self, folder: int, name: bytes) -> None:
        try:
            os.rename(_TEMPORARY, name, src_dir_fd=self._control.folder, dst_dir_fd=folder)
        except IsADirectoryError:
            self.discard(folder, name)
            os.rename(_TEMPORARY, name, src_dir_fd=self._control.folder, dst_dir_fd=folder)

    def _save_last_copy(self, folder: int, name: bytes, path: Names) -> None:
        """Take a file over from the tree that this one replaces."""
        if self.old_top is None:
            return
        with suppress(NotThere, OSError), reached(self.old_top, path[:-1]) as old:
            status = find_stat(path[-1], old)
            if status is not None and stat.S_ISREG(status.st_mode):
                os.link(path[-1], name, src_dir_fd=old, dst_dir_fd=folder, follow_symlinks=False)


@contextmanager
def reached(top: int, names: Names) -> Iterator[int]:
    """Walk from an open folder to one below it.

    Raises:
        NotThere: there is no such folder.
    """
    folder = _walk(top, names)
    try:
        yield folder
    finally:
        os.close(folder)


def _walk(top: int, names: Names) -> int:
    """Open a folder below an open one, for the caller to close."""
    folder = os.dup(top)
    for name in names:
        try:
            below = open_folder(name, folder)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG):
                raise NotThere from None
            raise
        finally:
            os.close(folder)
        folder = below
    return folder
