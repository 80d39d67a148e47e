"""Blobs as files in a directory of this machine.

::

    blobs/<space id>/<first two hex digits>/<32 hex digits>   a blob, mode 0444
    blobs/pending/<space id>-<32 hex digits>                  the marker of an upload

Bytes go straight to their final place; their marker (`pending`), a second name
of the same file, says that no row names them yet. ext4 and XFS bring changes of
directories to the disk in the order in which they were made, so after a power
cut no blob is there without its marker or its row. Names that people choose
never come here.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from io import BufferedReader, FileIO
from pathlib import Path
from typing import BinaryIO

from ..errors import Unavailable
from . import Adopted, BlobMissing, Upload, showing
from .adopting import Adoption, copy_hashed, link, may_link
from .folders import (
    CREATE,
    NOT_A_BLOB,
    OPEN_PLAIN,
    Folders,
    Refusing,
    close,
    find_stat,
    names,
    opened,
    refusal,
)
from .keys import BlobKey, random_hex
from .pending import PendingFiles, marker_of
from .room import MIB, Room
from .uploads import HashedUpload, PendingBlob

#: What a download takes from the disk at once.
READ_BUFFER_BYTES = 256 * 1024

#: How a blob that comes out of a backup is called until it is whole.
_RESTORED = "restored"
_SPACE = re.compile(r"0|[1-9][0-9]{0,18}")
_FOLDER = re.compile(r"[0-9a-f]{2}")


class LocalBlobs:
    """A `BlobStore` in a directory, which is made if it is not there.

    Args:
        durable: False leaves out every fsync: quicker, and what was
            acknowledged in the last half minute is lost by a power cut.
        reserve_bytes: what uploads leave free, at most 5 % of the file system:
            a full disk must not keep the catalogue beside it from deleting.
        random_hex: 32 new hex digits at every call.

    Raises:
        OSError: the directory cannot be made.
    """

    def __init__(
        self,
        root: Path,
        *,
        durable: bool = True,
        reserve_bytes: int = 64 * MIB,
        random_hex: Callable[[], str] = random_hex,
    ) -> None:
        self._folders = Folders(root, durable=durable)
        self._durable = durable
        self._room = Room(self._folders.root, reserve_bytes)
        self._pending = PendingFiles(self._folders, self._room, random_hex)

    def upload(self, space_id: int) -> Upload:
        """Begin a pending blob; see `BlobStore.upload`."""
        return HashedUpload(partial(self._pending.begin, space_id))

    def adopt(self, space_id: int, source: BinaryIO, *, hard_link: bool = False) -> Adopted:
        """Begin a pending blob of a file's bytes; see `BlobStore.adopt`."""
        return Adoption(partial(self._begin_adopted, space_id, source, hard_link), source)

    def open(self, key: str) -> BinaryIO:
        """Open a blob for reading; see `BlobStore.open`."""
        place = BlobKey.find(key)
        if place is None:
            raise BlobMissing(key)
        try:
            with self._folders.of(place) as folder:
                blob = os.open(place.hex, os.O_RDONLY | OPEN_PLAIN, dir_fd=folder)
        except OSError as error:
            if error.errno not in NOT_A_BLOB:
                raise refusal(error) from error
            self._folders.expect()
            raise BlobMissing(key) from None
        status = os.fstat(blob)
        if not stat.S_ISREG(status.st_mode):
            os.close(blob)
            raise BlobMissing(key)
        return BufferedReader(FileIO(blob), max(1, min(status.st_size, READ_BUFFER_BYTES)))

    def find_stat(self, key: str) -> os.stat_result | None:
        """The status of a blob's file; None if there is none, or something that is no blob.

        Raises:
            Unavailable: the store cannot be read now.
        """
        place = BlobKey.find(key)
        status = None
        if place is not None:
            with Refusing():
                with (
                    suppress(FileNotFoundError, NotADirectoryError),
                    self._folders.of(place) as folder,
                ):
                    status = find_stat(place.hex, folder)
                if status is None:
                    self._folders.expect()
        return status if status and stat.S_ISREG(status.st_mode) else None

    def link(self, key: str, name: bytes, folder: int) -> None:
        """Give a blob a second name, for reading.

        Args:
            folder: descriptor of a directory, in which *name* is free.

        Raises:
            BlobMissing: nothing is stored there, or something that is no blob.
            OSError: the link cannot be made, or the store not be read.
            Unavailable: the store is not there now.
        """
        place = BlobKey.find(key)
        if place is None:
            raise BlobMissing(key)
        with suppress(FileNotFoundError, NotADirectoryError), self._folders.of(place) as source:
            status = find_stat(place.hex, source)
            if status is not None and stat.S_ISREG(status.st_mode):
                os.link(
                    place.hex, name, src_dir_fd=source, dst_dir_fd=folder, follow_symlinks=False
                )
                return
        self._folders.expect()
        raise BlobMissing(key)

    def show(self, key: str, name: bytes, folder: int) -> None:
        """Show a blob under a second name, for reading; a copy where links are impossible.

        Args, Raises: as `link`.
        """
        try:
            self.link(key, name, folder)
        except OSError as error:
            if error.errno not in showing.NO_LINK:
                raise
            with self.open(key) as blob:
                showing.copy(blob, name, folder, durable=self._durable)

    def put_back(self, key: str, source: BinaryIO) -> str:
        """Store a blob under the key that it had in another store; a restore does.

        Nothing is pending meanwhile: the row that names it comes after, and
        nobody else may use the store. What is there already is replaced.

        Returns:
            The hash of what was stored, lower-case hex.

        Raises:
            ValueError: no blob can have such a key.
            DiskFull, Unavailable: the store cannot be written now.
            CannotRead: *source* cannot be read.
        """
        place = BlobKey.find(key)
        if place is None:
            raise ValueError(f"{key!r} is no key of a blob")
        with ExitStack() as held, Refusing():
            folder = self._folders.open_or_make(place)
            held.callback(close, folder)
            with suppress(FileNotFoundError):  # of a restore that broke off
                os.unlink(_RESTORED, dir_fd=folder)
            content = os.open(_RESTORED, os.O_RDWR | CREATE, 0o600, dir_fd=folder)
            held.callback(close, content)
            sha256 = copy_hashed(source, content)
            os.fchmod(content, 0o444)
            self._folders.sync(content)
            os.rename(_RESTORED, place.hex, src_dir_fd=folder, dst_dir_fd=folder)
            self._folders.sync(folder)
        return sha256

    def restore(self, key: str, source: int) -> None:
        """Put lost bytes back in their place; they were compared with the hash of the blob.

        Args:
            source: descriptor of a file with the bytes, which becomes the blob.

        Raises:
            OSError: it cannot be linked there, or the blob is not lost.
        """
        place = BlobKey.find(key)
        if place is None:
            raise BlobMissing(key)
        folder = self._folders.open_or_make(place)
        try:
            link(source, place.hex, folder)
            self._folders.sync(folder)
        finally:
            os.close(folder)

    def delete(self, key: str) -> None:
        """Delete a blob; see `BlobStore.delete`."""
        place = BlobKey.find(key)
        if place is not None:
            with Refusing():
                if not self._delete_bytes(place):
                    self._folders.expect()

    def sweep(self, live: Callable[[Sequence[str]], set[str]]) -> int:
        """Settle undecided uploads; see `BlobStore.sweep`."""
        return self._pending.sweep(live, self._delete_bytes)

    def keys(self) -> Iterator[tuple[str, int]]:
        """Yield keys and sizes, holding nothing open meanwhile; see `BlobStore.keys`."""
        with Refusing(), self._folders.pending(), opened(self._folders.root) as root:
            spaces = [name for name in names(root) if _SPACE.fullmatch(name)]
        for space_name in spaces:
            for folder_name in self._folder_names(space_name):
                yield from self._keys_in(space_name, folder_name)

    def remove_space(self, space_id: int) -> None:
        """Delete the blobs of a space; see `BlobStore.remove_space`.

        An upload that is still going on there loses its bytes.
        """
        name = str(space_id)
        with Refusing(), self._folders.pending(), opened(self._folders.root) as root:
            while find_stat(name, root) is not None:
                with suppress(FileNotFoundError):  # somebody else deleted a part
                    shutil.rmtree(name, dir_fd=root)

    def room_bytes(self) -> int | None:
        """How much of the disk is free, without what uploads leave alone."""
        return self._room.left_bytes()

    def is_full(self) -> bool:
        """Whether less than twice the reserve is free."""
        return self._room.is_scarce()

    def _begin_adopted(
        self, space_id: int, source: BinaryIO, hard_link: bool
    ) -> tuple[PendingBlob, BinaryIO]:
        """Begin an upload of a file that is there; say where its bytes are to be read."""
        descriptor = source.fileno()
        with Refusing():
            self._room.check(1)  # where bytes are shared, it is not looked at again
        if hard_link and may_link(descriptor):
            with suppress(Unavailable):  # another file system, or one without links
                linked = self._pending.begin(space_id, descriptor)
                linked.is_whole = True
                return linked, linked.reader()
        pending = self._pending.begin(space_id)
        if pending.clone(descriptor):
            return pending, pending.reader()
        return pending, open(descriptor, "rb", closefd=False)

    def _delete_bytes(self, place: BlobKey) -> bool:
        """Delete a blob's file; whether there was one."""
        try:
            with self._folders.of(place) as folder:
                os.unlink(place.hex, dir_fd=folder)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def _folder_names(self, space_name: str) -> list[str]:
        """List the directories of a space."""
        with (
            Refusing(),
            self._folders.pending(),  # a space may be gone, the disk may not
            suppress(FileNotFoundError, NotADirectoryError),
            self._folders.space(space_name) as space,
        ):
            return [name for name in names(space) if _FOLDER.fullmatch(name)]
        return []

    def _keys_in(self, space_name: str, folder_name: str) -> list[tuple[str, int]]:
        """List one directory's blobs that are not pending."""
        found: list[tuple[str, int]] = []
        with (
            Refusing(),
            self._folders.pending() as pending,
            suppress(FileNotFoundError, NotADirectoryError),
            self._folders.space(space_name) as space,
            opened(folder_name, dir_fd=space) as folder,
        ):
            for name in names(folder):
                key = f"{space_name}/{name}"
                size_bytes = _find_size(key, folder, pending)
                if size_bytes is not None and name.startswith(folder_name):
                    found.append((key, size_bytes))
        return found


def _find_size(key: str, folder: int, pending: int) -> int | None:
    """The size of a blob in bytes; None if it is none, or pending."""
    place = BlobKey.find(key)
    # The marker is older than the bytes and goes after them: bytes that are
    # still there when it is not are nobody's upload.
    if place is None or find_stat(marker_of(place), pending) is not None:
        return None
    status = find_stat(place.hex, folder)
    return status.st_size if status and stat.S_ISREG(status.st_mode) else None
