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
        top: descriptor of the top folder.
        old_top: a tree that this one will replace; a file of which the store
            has lost the bytes is taken over from there.
    """

    def __init__(
        self, control: Control, blobs: LocalBlobs, top: int, old_top: int | None = None
    ) -> None:
        self._control = control
        self._blobs = blobs
        self._top = top
        self._old_top = old_top

    @property
    def inode(self) -> int:
        """Which folder it is."""
        return os.fstat(self._top).st_ino

    @contextmanager
    def reach(self, names: Names) -> Iterator[int]:
        """Walk to a folder; two descriptors are enough for any depth.

        Raises:
            NotThere: there is no such folder.
        """
        with reached(self._top, names) as folder:
            yield folder

    def stands(self, names: Names) -> bool:
        """Whether there is a folder."""
        try:
            with self.reach(names):
                return True
        except NotThere:
            return False

    def make(self, folder: int, name: bytes) -> bool | None:
        """See that a folder stands under a name.

        Returns:
            Whether it was made; None if this file system has no such name.
        """
        try:
            made, was_made = own_folder(name, folder, FOLDER_MODE)
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
            if self.is_right(folder, name, file):
                return
            self._make_temporary(file)
            self._put(folder, name)
        except BlobMissing:
            # Overwritten meanwhile, and an entry of the journal will say so, or
            # lost: `check` says so, and what stands here may be the last copy.
            self._save_last_copy(folder, name, path)
        except OSError as error:
            if error.errno not in _UNNAMEABLE:
                raise
            log.warning("the readable tree has no place for a file: %s", error.strerror)

    def is_right(self, folder: int, name: bytes, file: Resource) -> bool:
        """Whether the bytes of *file* stand under a name.

        Raises:
            BlobMissing: the store has lost them.
        """
        status = find_stat(name, folder)
        if status is None or not stat.S_ISREG(status.st_mode):
            return False
        if status.st_size != file.size_bytes:
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
        try:
            with self.reach(source[:-1]) as old, self.reach(target[:-1]) as new:
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
        with self.reach(names) as folder:
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

    def _make_temporary(self, file: Resource) -> None:
        with suppress(FileNotFoundError):
            os.unlink(_TEMPORARY, dir_fd=self._control.folder)
        if file.blob_key is not None:
            self._blobs.link(file.blob_key, _TEMPORARY, self._control.folder)
            return
        empty = os.open(_TEMPORARY, _CREATE, FILE_MODE, dir_fd=self._control.folder)
        os.fchmod(empty, FILE_MODE)
        os.close(empty)

    def _put(self, folder: int, name: bytes) -> None:
        """Rename the temporary into its place, over whatever is there."""
        try:
            os.rename(_TEMPORARY, name, src_dir_fd=self._control.folder, dst_dir_fd=folder)
        except IsADirectoryError:
            self.discard(folder, name)
            os.rename(_TEMPORARY, name, src_dir_fd=self._control.folder, dst_dir_fd=folder)

    def _save_last_copy(self, folder: int, name: bytes, path: Names) -> None:
        """Take a file over from the tree that this one replaces."""
        if self._old_top is None:
            return
        with suppress(NotThere, OSError), reached(self._old_top, path[:-1]) as old:
            status = find_stat(path[-1], old)
            if status is not None and stat.S_ISREG(status.st_mode):
                os.link(path[-1], name, src_dir_fd=old, dst_dir_fd=folder, follow_symlinks=False)


@contextmanager
def reached(top: int, names: Names) -> Iterator[int]:
    """Walk from an open folder to one below it.

    Raises:
        NotThere: there is no such folder.
    """
    folder = os.dup(top)
    try:
        for name in names:
            try:
                below = open_folder(name, folder)
            except OSError as error:
                if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG):
                    raise NotThere from None
                raise
            os.close(folder)
            folder = below
        yield folder
    finally:
        os.close(folder)
