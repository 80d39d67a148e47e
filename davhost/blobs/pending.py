"""Uploads to a local store that are not decided yet, and the markers that tell of them.

A marker is made before the blob and goes after its fate is known. Who uploads
holds an exclusive flock on it all the time, which ends with the process: a
marker whose flock can be had is the note of an upload that is over.

The blob is a hard link to its marker: to make a file costs many times what a
second name for it does. Where there are no links it is a file of its own.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from typing import BinaryIO

from ..errors import Unavailable
from .adopting import clone, link, write
from .folders import (
    CREATE,
    NOT_A_BLOB,
    OPEN_PLAIN,
    Folders,
    Refusing,
    close,
    find_stat,
    names,
    refusal,
)
from .keys import BlobKey
from .room import MIB, Room
from .showing import NO_LINK

#: How far an upload may go before the room on the disk is looked at again.
ROOM_CHECK_BYTES = 8 * MIB

#: How many markers a sweep holds at once: 64 descriptors have to be enough.
_SWEEP_BATCH = 16

#: A second key is needed when a sweep is quicker than the flock; a fifth never.
_KEY_TRIES = 5


class PendingFiles:
    """The uploads of one store that are going on, in any process.

    Args:
        random_hex: 32 new hex digits at every call.
    """

    def __init__(self, folders: Folders, room: Room, random_hex: Callable[[], str]) -> None:
        self.folders = folders
        self.room = room
        self._random_hex = random_hex

    def begin(self, space_id: int, source: int | None = None) -> PendingFile:
        """Make the marker and the file of an upload.

        Args:
            source: descriptor of a file that becomes the blob; None for a new one.

        Raises:
            DiskFull, Unavailable: the store cannot be written now.
        """
        try:
            for _ in range(_KEY_TRIES):
                place = BlobKey.make(space_id, self._random_hex())
                blob = self._try_begin(place, source)
                if blob is not None:
                    return blob
        except OSError as error:
            raise refusal(error) from error
        raise Unavailable("The server found no place for the file.", retry_after_seconds=5)

    def sweep(
        self, live: Callable[[Sequence[str]], set[str]], delete: Callable[[BlobKey], bool]
    ) -> int:
        """Settle the uploads that are over; see `BlobStore.sweep`.

        Args:
            delete: deletes the bytes of a blob; says whether there were any.
        """
        with Refusing(), self.folders.pending() as pending:
            markers = names(pending)
        return sum(
            self._sweep(markers[start : start + _SWEEP_BATCH], live, delete)
            for start in range(0, len(markers), _SWEEP_BATCH)
        )

    def _try_begin(self, place: BlobKey, source: int | None) -> PendingFile | None:
        """Begin an upload under a key; None if the key is not to be had."""
        pending = self.folders.open_pending()
        try:
            marker = os.open(marker_of(place), os.O_RDWR | CREATE, 0o600, dir_fd=pending)
        except BaseException as error:
            close(pending)
            if isinstance(error, FileExistsError):
                return None
            raise
        blob = PendingFile(self, place, pending, marker)
        is_begun = False
        try:
            is_begun = blob.begin(source)
        finally:
            if not is_begun:
                blob.keep()  # nothing of it is there but the marker
        return blob if is_begun else None

    def _sweep(
        self,
        markers: Sequence[str],
        live: Callable[[Sequence[str]], set[str]],
        delete: Callable[[BlobKey], bool],
    ) -> int:
        """Settle those of *markers* whose uploads are over, holding their flocks."""
        with ExitStack() as held:
            with Refusing(), self.folders.pending() as pending:
                over = [place for name in markers if (place := _take_over(name, pending, held))]
            if not over:
                return 0
            alive = live([str(place) for place in over])
            return sum(self._settle(place, str(place) in alive, delete) for place in over)

    def _settle(self, place: BlobKey, is_live: bool, delete: Callable[[BlobKey], bool]) -> bool:
        """Forget a marker, and before it the bytes that no row names; whether there were any."""
        deleted = False
        if not is_live:
            try:
                deleted = delete(place)
            except OSError:
                return False  # keeps its marker for the next sweep
        with suppress(OSError), self.folders.pending() as pending:
            os.unlink(marker_of(place), dir_fd=pending)
        return deleted


class PendingFile:
    """A `PendingBlob`: it holds its descriptors, so that undoing it needs no new one.

    Args:
        pending: the directory of the markers.
        marker: holds the flock.

    Attributes:
        is_whole: it was born with all its bytes, as a clone or a link; what is
            appended was read from here.
    """

    def __init__(self, files: PendingFiles, place: BlobKey, pending: int, marker: int) -> None:
        self._files = files
        self._place = place
        self._pending = pending
        self._marker = marker
        #: The directory of the blob, and the blob, open for writing.
        self._folder: int | None = None
        self._content: int | None = None
        self.is_whole = False
        self._unchecked_bytes = ROOM_CHECK_BYTES
        self._size_bytes = self._begun_bytes = 0

    def begin(self, source: int | None) -> bool:
        """Lock the marker and make the file of the blob; False if the key is not to be had.

        Args:
            source: descriptor of a file that becomes the blob; None for a new one.

        Raises:
            OSError: the file cannot be made; there is none.
        """
        # A sweep may come between the marker and its flock: it holds the flock
        # then, or has removed the marker as the note of an upload that is over.
        if not _lock(self._marker) or os.fstat(self._marker).st_nlink == 0:
            return False
        self._folder = self._files.folders.open_or_make(self._place)
        try:
            if source is None:
                self._content = _link_marker(self._place, self._pending, self._folder)
            else:
                self._content = _link_source(self._place, source, self._folder)
        except FileExistsError:
            return False
        return True

    @property
    def key(self) -> str:
        """Where the bytes will be found."""
        return str(self._place)

    def append(self, block: bytes) -> None:
        """Write *block* behind the others.

        Now and then look at the room, and let the disk begin with what is here: or else
        all of a large file would be brought there at the end, while the client waits.
        """
        assert self._content is not None  # noqa: S101 - uploads are sealed once
        if self.is_whole:
            return
        try:
            self._unchecked_bytes += len(block)
            if self._unchecked_bytes >= ROOM_CHECK_BYTES:
                self._files.room.check(len(block))
                self._unchecked_bytes = 0
                self._begin_sync(self._content)
            self._size_bytes += len(block)
            write(self._content, block)
        except OSError as error:
            raise refusal(error) from error

    def clone(self, source: int) -> bool:
        """Share the bytes of another file, if the file system can."""
        assert self._content is not None  # noqa: S101 - uploads are sealed once
        self.is_whole = clone(source, self._content)
        return self.is_whole

    def reader(self) -> BinaryIO:
        """Read what is here already, while it is pending."""
        assert self._content is not None  # noqa: S101 - uploads are sealed once
        return os.fdopen(os.dup(self._content), "rb")

    def seal(self) -> None:
        """Make the bytes read-only and durable, and then their name."""
        assert self._content is not None  # noqa: S101 - uploads are sealed once
        assert self._folder is not None  # noqa: S101 - and have begun
        try:
            os.fchmod(self._content, 0o444)
            self._files.folders.sync(self._content)
            content, self._content = self._content, None
            os.close(content)
            self._files.folders.sync(self._folder)
        except OSError as error:
            raise refusal(error) from error

    def keep(self) -> None:
        """Take the marker away, or leave it to a sweep if that is not possible."""
        with suppress(OSError):
            os.unlink(marker_of(self._place), dir_fd=self._pending)
        self._close()

    def discard(self) -> None:
        """Delete the bytes and then the marker; what cannot be deleted keeps it."""
        try:
            with suppress(FileNotFoundError):
                os.unlink(self._place.hex, dir_fd=self._folder)
        except OSError:
            self.release()
        else:
            self.keep()

    def release(self) -> None:
        """Let go of the flock, so that a sweep takes over."""
        with suppress(OSError):
            # A child that was forked meanwhile would keep a closed flock alive.
            fcntl.flock(self._marker, fcntl.LOCK_UN)
        self._close()

    def _begin_sync(self, content: int) -> None:
        new_bytes = self._size_bytes - self._begun_bytes
        if new_bytes:
            self._files.folders.begin_sync(content, self._begun_bytes, new_bytes)
            self._begun_bytes = self._size_bytes

    def _close(self) -> None:
        for descriptor in (self._content, self._folder, self._pending, self._marker):
            if descriptor is not None:
                close(descriptor)


def marker_of(place: BlobKey) -> str:
    """The name of the marker of an upload."""
    return f"{place.space_id}-{place.hex}"


def _link_marker(place: BlobKey, pending: int, folder: int) -> int:
    """Give the marker the name of the blob; return it open for writing."""
    try:
        os.link(
            marker_of(place),
            place.hex,
            src_dir_fd=pending,
            dst_dir_fd=folder,
            follow_symlinks=False,
        )
    except OSError as error:
        if error.errno not in NO_LINK:
            raise
        return os.open(place.hex, os.O_RDWR | CREATE, 0o600, dir_fd=folder)
    return _open_linked(place, os.O_RDWR, folder)


def _link_source(place: BlobKey, source: int, folder: int) -> int:
    """Give a file that is there the name of the blob; return it open for reading."""
    link(source, place.hex, folder)
    return _open_linked(place, os.O_RDONLY, folder)


def _open_linked(place: BlobKey, access: int, folder: int) -> int:
    try:
        return os.open(place.hex, access | OPEN_PLAIN, dir_fd=folder)
    except OSError:
        with suppress(OSError):
            os.unlink(place.hex, dir_fd=folder)
        raise


def _lock(marker: int) -> bool:
    """Take the flock of a marker; False if it is taken."""
    try:
        fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _take_over(name: str, pending: int, held: ExitStack) -> BlobKey | None:
    """Lock the marker of an upload that is over; None if it goes on or is no marker."""
    place = BlobKey.find(name.replace("-", "/", 1))
    if place is None:
        return None
    try:
        # For reading: it became read-only together with the blob.
        marker = os.open(name, os.O_RDONLY | OPEN_PLAIN, dir_fd=pending)
    except OSError as error:
        if error.errno in NOT_A_BLOB:
            return None
        raise
    held.callback(close, marker)
    # Its name, too: a blob that was kept meanwhile is another one of the same file.
    is_file = stat.S_ISREG(os.fstat(marker).st_mode)
    is_over = is_file and _lock(marker) and find_stat(name, pending) is not None
    return place if is_over else None
