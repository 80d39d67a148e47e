"""Blobs as files in a directory of this machine.

::

    blobs/<space id>/<first two hex digits>/<32 hex digits>   a blob, mode 0444
    blobs/pending/<space id>-<32 hex digits>                  the marker of an upload

An upload makes its marker first and holds an exclusive flock on it for its
whole life, through the commit of the catalogue; the bytes go straight to their
final place. A process that is killed drops its flocks by itself, so a marker
whose flock can be had is the note of an upload that is over. ext4 and XFS
bring changes of directories to the disk in the order in which they were made,
so after a power cut no blob is there without its marker or its row.

Names that people choose never come here. Directories are walked one by one
without following links, so that what somebody plants in the data folder leads
nowhere.
"""

from __future__ import annotations

import errno
import fcntl
import math
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO

from ..errors import DiskFull, Refused, Unavailable
from . import Adopted, BlobMissing, Upload, showing
from .adopting import Adoption, clone, copy_hashed, link, may_link
from .keys import BlobKey, random_hex
from .uploads import HashedUpload, PendingBlob

MIB = 1 << 20

#: How far an upload may go before the room on the disk is looked at again.
ROOM_CHECK_BYTES = 8 * MIB

#: What a download takes from the disk at once.
READ_BUFFER_BYTES = 256 * 1024

#: How many markers a sweep holds at once: 64 descriptors have to be enough.
_SWEEP_BATCH = 16

#: A second key is needed when a sweep is quicker than the flock; a fifth never.
_KEY_TRIES = 5

_PENDING = "pending"
#: How a blob that comes out of a backup is called until it is whole.
_RESTORED = "restored"
#: Makes the file of a blob, from its name and the directory; returns it open.
_Make = Callable[[str, int], int]
_SPACE = re.compile(r"0|[1-9][0-9]{0,18}")
_FOLDER = re.compile(r"[0-9a-f]{2}")

_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A planted FIFO would let an ordinary open wait for ever.
_OPEN_PLAIN = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
#: What opening gives for an absent file, or a link, folder, socket or device.
_NOT_A_BLOB = frozenset(
    {errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENXIO, errno.ENODEV}
)


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
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The administrator may have made it a link; what comes later is not followed.
        self._root = root.resolve(strict=True)
        self._durable = durable
        self._reserve_bytes = reserve_bytes
        self._random_hex = random_hex
        if not (self._root / _PENDING).is_dir():
            with _opened(self._root) as folder, _opened(self._root.parent) as parent:
                self._make_folder(_PENDING, folder)
                self._sync(parent)

    def upload(self, space_id: int) -> Upload:
        """Begin a pending blob; see `BlobStore.upload`."""
        return HashedUpload(partial(self._begin, space_id))

    def adopt(self, space_id: int, source: BinaryIO, *, hard_link: bool = False) -> Adopted:
        """Begin a pending blob of a file's bytes; see `BlobStore.adopt`."""
        return Adoption(partial(self._begin_adopted, space_id, source, hard_link), source)

    def open(self, key: str) -> BinaryIO:
        """Open a blob for reading; see `BlobStore.open`."""
        place = BlobKey.find(key)
        if place is None:
            raise BlobMissing(key)
        try:
            with self._folder(place) as folder:
                blob = os.open(place.hex, os.O_RDONLY | _OPEN_PLAIN, dir_fd=folder)
        except OSError as error:
            if error.errno not in _NOT_A_BLOB:
                raise _refusal(error) from error
            self._expect_store()
            raise BlobMissing(key) from None
        if not stat.S_ISREG(os.fstat(blob).st_mode):
            os.close(blob)
            raise BlobMissing(key)
        return os.fdopen(blob, "rb", buffering=READ_BUFFER_BYTES)

    def find_stat(self, key: str) -> os.stat_result | None:
        """The status of a blob's file; None if there is none, or something that is no blob.

        Raises:
            Unavailable: the store cannot be read now.
        """
        place = BlobKey.find(key)
        status = None
        if place is not None:
            with _refusing():
                with suppress(FileNotFoundError, NotADirectoryError), self._folder(place) as folder:
                    status = _find_stat(place.hex, folder)
                if status is None:
                    self._expect_store()
        return status if status and stat.S_ISREG(status.st_mode) else None

    def link(self, key: str, name: bytes, folder: int) -> None:
        """Show a blob under a second name, for reading; a copy where links are impossible.

        Args:
            folder: descriptor of a directory, in which *name* is free.

        Raises:
            BlobMissing: nothing is stored there, or something that is no blob.
            OSError: the link or copy cannot be made.
            Unavailable: the store cannot be read now.
        """
        place = BlobKey.find(key)
        if place is None or self.find_stat(key) is None:
            raise BlobMissing(key)
        try:
            with self._folder(place) as source:
                os.link(
                    place.hex, name, src_dir_fd=source, dst_dir_fd=folder, follow_symlinks=False
                )
        except FileNotFoundError:
            raise BlobMissing(key) from None
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
        with ExitStack() as held, _refusing():
            folder = self._open_or_make_folder(place)
            held.callback(_close, folder)
            with suppress(FileNotFoundError):  # of a restore that broke off
                os.unlink(_RESTORED, dir_fd=folder)
            content = _make_empty(_RESTORED, folder)
            held.callback(_close, content)
            sha256 = copy_hashed(source, content)
            os.fchmod(content, 0o444)
            self._sync(content)
            os.rename(_RESTORED, place.hex, src_dir_fd=folder, dst_dir_fd=folder)
            self._sync(folder)
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
        folder = self._open_or_make_folder(place)
        try:
            link(source, place.hex, folder)
            self._sync(folder)
        finally:
            os.close(folder)

    def delete(self, key: str) -> None:
        """Delete a blob; see `BlobStore.delete`."""
        place = BlobKey.find(key)
        if place is not None:
            with _refusing():
                if not self._delete_bytes(place):
                    self._expect_store()

    def sweep(self, live: Callable[[Sequence[str]], set[str]]) -> int:
        """Settle undecided uploads; see `BlobStore.sweep`."""
        with _refusing(), self._pending_folder() as pending:
            markers = _names(pending)
        return sum(
            self._sweep(markers[start : start + _SWEEP_BATCH], live)
            for start in range(0, len(markers), _SWEEP_BATCH)
        )

    def keys(self) -> Iterator[tuple[str, int]]:
        """Yield keys and sizes, holding nothing open meanwhile; see `BlobStore.keys`."""
        with _refusing(), self._pending_folder(), _opened(self._root) as root:
            spaces = [name for name in _names(root) if _SPACE.fullmatch(name)]
        for space_name in spaces:
            for folder_name in self._folder_names(space_name):
                yield from self._keys_in(space_name, folder_name)

    def remove_space(self, space_id: int) -> None:
        """Delete the blobs of a space; see `BlobStore.remove_space`.

        An upload that is still going on there loses its bytes.
        """
        name = str(space_id)
        with _refusing(), self._pending_folder(), _opened(self._root) as root:
            while _find_stat(name, root) is not None:
                with suppress(FileNotFoundError):  # somebody else deleted a part
                    shutil.rmtree(name, dir_fd=root)

    # -- the directories

    @contextmanager
    def _folder(self, place: BlobKey) -> Iterator[int]:
        """Open the directory of a blob."""
        with (
            _opened(self._root / str(place.space_id)) as space,
            _opened(place.hex[:2], dir_fd=space) as folder,
        ):
            yield folder

    @contextmanager
    def _pending_folder(self) -> Iterator[int]:
        with _opened(self._root / _PENDING) as folder:
            yield folder

    def _expect_store(self) -> None:
        """Tell an absent blob from an absent disk.

        Raises:
            Unavailable: the disk with the store is not mounted, or broken.
        """
        with _refusing(), self._pending_folder():
            pass

    def _open_or_make_folder(self, place: BlobKey) -> int:
        """Open the directory of a blob, for the caller to close."""
        space_name, name = str(place.space_id), place.hex[:2]
        with (
            suppress(FileNotFoundError),
            _opened(self._root / space_name) as space,
        ):
            return os.open(name, _OPEN_FOLDER, dir_fd=space)
        with _opened(self._root) as root:
            self._make_folder(space_name, root)
            with _opened(space_name, dir_fd=root) as space:
                self._make_folder(name, space)
                return os.open(name, _OPEN_FOLDER, dir_fd=space)

    def _make_folder(self, name: str, parent: int) -> None:
        with suppress(FileExistsError):  # another upload was quicker
            os.mkdir(name, mode=0o700, dir_fd=parent)
        self._sync(parent)

    def _sync(self, descriptor: int) -> None:
        if self._durable:
            os.fsync(descriptor)

    # -- uploads

    def _begin(self, space_id: int, make: _Make | None = None) -> _LocalPending:
        """Make the marker and the file of an upload; an empty one, if *make* is not given."""
        with _refusing():
            self._check_room(1)
            for _ in range(_KEY_TRIES):
                place = BlobKey.make(space_id, self._random_hex())
                blob = self._try_begin(place, make or _make_empty)
                if blob is not None:
                    return blob
        raise Unavailable("The server found no place for the file.")

    def _begin_adopted(
        self, space_id: int, source: BinaryIO, hard_link: bool
    ) -> tuple[PendingBlob, BinaryIO]:
        """Begin an upload of a file that is there; say where its bytes are to be read."""
        descriptor = source.fileno()
        if hard_link and may_link(descriptor):
            with suppress(Unavailable):  # another file system, or one without links
                linked = self._begin(space_id, partial(_make_link, descriptor))
                linked.is_whole = True
                return linked, linked.reader()
        pending = self._begin(space_id)
        if pending.clone(descriptor):
            return pending, pending.reader()
        return pending, open(descriptor, "rb", closefd=False)

    def _try_begin(self, place: BlobKey, make: _Make) -> _LocalPending | None:
        """Begin an upload under a key; None if the key is not to be had."""
        with ExitStack() as undo:
            try:
                with self._pending_folder() as pending:
                    marker = os.open(_marker(place), os.O_RDWR | _CREATE, 0o600, dir_fd=pending)
                undo.callback(_close, marker)
                undo.callback(self._unmark, place)
                # A sweep may come between the marker and its flock: it holds the flock
                # then, or has removed the marker as the note of an upload that is over.
                if not _lock(marker):
                    return None
                folder = self._open_or_make_folder(place)
                undo.callback(_close, folder)
                content = make(place.hex, folder)
            except FileExistsError:
                return None
            undo.pop_all()
            return _LocalPending(self, place, marker, folder, content)

    def _unmark(self, place: BlobKey) -> None:
        """Remove a marker, or leave it to a sweep if that is not possible."""
        with suppress(OSError), self._pending_folder() as pending:
            os.unlink(_marker(place), dir_fd=pending)

    def is_full(self) -> bool:
        """Whether less than twice the reserve is free."""
        with _refusing():
            free_bytes, reserve_bytes = self._room()
        return free_bytes < 2 * reserve_bytes

    def _check_room(self, block_bytes: int) -> None:
        """Keep the reserve free.

        Raises:
            DiskFull: *block_bytes* more would touch it.
        """
        free_bytes, reserve_bytes = self._room()
        if free_bytes - block_bytes < reserve_bytes:
            raise _disk_full()

    def _room(self) -> tuple[float, int]:
        """Bytes that are free, and those that uploads leave alone."""
        disk = os.statvfs(self._root)
        if disk.f_blocks == 0:  # some network file systems do not tell
            return math.inf, 0
        reserve_bytes = min(self._reserve_bytes, disk.f_blocks * disk.f_frsize // 20)
        return disk.f_bavail * disk.f_frsize, reserve_bytes

    # -- sweeping and listing

    def _sweep(self, markers: Sequence[str], live: Callable[[Sequence[str]], set[str]]) -> int:
        """Settle those of *markers* whose uploads are over, holding their flocks."""
        with ExitStack() as held:
            with _refusing(), self._pending_folder() as pending:
                over = [place for name in markers if (place := _take_over(name, pending, held))]
            if not over:
                return 0
            alive = live([str(place) for place in over])
            return sum(self._settle(place, is_live=str(place) in alive) for place in over)

    def _settle(self, place: BlobKey, *, is_live: bool) -> bool:
        """Forget a marker, and before it the bytes that no row names; whether there were any."""
        deleted = False
        if not is_live:
            try:
                deleted = self._delete_bytes(place)
            except OSError:
                return False  # keeps its marker for the next sweep
        self._unmark(place)
        return deleted

    def _delete_bytes(self, place: BlobKey) -> bool:
        """Delete a blob's file; whether there was one."""
        try:
            with self._folder(place) as folder:
                os.unlink(place.hex, dir_fd=folder)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def _folder_names(self, space_name: str) -> list[str]:
        """List the directories of a space."""
        with (
            _refusing(),
            self._pending_folder(),  # a space may be gone, the disk may not
            suppress(FileNotFoundError, NotADirectoryError),
            _opened(self._root / space_name) as space,
        ):
            return [name for name in _names(space) if _FOLDER.fullmatch(name)]
        return []

    def _keys_in(self, space_name: str, folder_name: str) -> list[tuple[str, int]]:
        """List one directory's blobs that are not pending."""
        found: list[tuple[str, int]] = []
        with (
            _refusing(),
            self._pending_folder() as pending,
            suppress(FileNotFoundError, NotADirectoryError),
            _opened(self._root / space_name) as space,
            _opened(folder_name, dir_fd=space) as folder,
        ):
            for name in _names(folder):
                key = f"{space_name}/{name}"
                size_bytes = _find_size(key, folder, pending)
                if size_bytes is not None and name.startswith(folder_name):
                    found.append((key, size_bytes))
        return found


class _LocalPending:
    """A `PendingBlob`: three descriptors, so that undoing it needs no new one.

    Args:
        marker: holds the flock.
        folder: the directory of the blob.
        content: the blob, open for writing.

    Attributes:
        is_whole: it was born with all its bytes, as a clone or a link; what is
            appended was read from here.
    """

    def __init__(
        self, store: LocalBlobs, place: BlobKey, marker: int, folder: int, content: int
    ) -> None:
        self._store = store
        self._place = place
        self._marker = marker
        self._folder = folder
        self._content: int | None = content
        self.is_whole = False
        self._unchecked_bytes = ROOM_CHECK_BYTES

    @property
    def key(self) -> str:
        return str(self._place)

    def append(self, block: bytes) -> None:
        assert self._content is not None  # noqa: S101 - uploads are sealed once
        if self.is_whole:
            return
        with _refusing():
            self._unchecked_bytes += len(block)
            if self._unchecked_bytes >= ROOM_CHECK_BYTES:
                self._store._check_room(len(block))
                self._unchecked_bytes = 0
            rest = memoryview(block)
            while rest:
                rest = rest[os.write(self._content, rest) :]

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
        assert self._content is not None  # noqa: S101 - uploads are sealed once
        with _refusing():
            os.fchmod(self._content, 0o444)
            self._store._sync(self._content)
            content, self._content = self._content, None
            os.close(content)
            self._store._sync(self._folder)

    def keep(self) -> None:
        self._close_blob()
        self._store._unmark(self._place)
        _close(self._marker)

    def discard(self) -> None:
        try:
            with suppress(FileNotFoundError):
                os.unlink(self._place.hex, dir_fd=self._folder)
        except OSError:
            self.release()
        else:
            self.keep()

    def release(self) -> None:
        self._close_blob()
        with suppress(OSError):
            # A child that was forked meanwhile would keep a closed flock alive.
            fcntl.flock(self._marker, fcntl.LOCK_UN)
        _close(self._marker)

    def _close_blob(self) -> None:
        if self._content is not None:
            _close(self._content)
        _close(self._folder)


def _make_empty(name: str, folder: int) -> int:
    return os.open(name, os.O_RDWR | _CREATE, 0o600, dir_fd=folder)


def _make_link(source: int, name: str, folder: int) -> int:
    link(source, name, folder)
    return os.open(name, os.O_RDONLY | _OPEN_PLAIN, dir_fd=folder)


@contextmanager
def _opened(path: Path | str, *, dir_fd: int | None = None) -> Iterator[int]:
    """Open a directory that is not a link."""
    descriptor = os.open(path, _OPEN_FOLDER, dir_fd=dir_fd)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _refusing() -> Iterator[None]:
    """Turn what the disk says into what the client is told."""
    try:
        yield
    except OSError as error:
        raise _refusal(error) from error


def _refusal(error: OSError) -> Refused:
    if error.errno in _NO_ROOM:
        return _disk_full()
    return Unavailable("The server cannot use its disk now.", retry_after_seconds=30)


def _disk_full() -> DiskFull:
    return DiskFull("The disk of the server is full.")


def _marker(place: BlobKey) -> str:
    return f"{place.space_id}-{place.hex}"


def _lock(marker: int) -> bool:
    """Take the flock of a marker; False if it is taken or the marker was removed."""
    try:
        fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return os.fstat(marker).st_nlink > 0


def _close(descriptor: int) -> None:
    """Close what holds nothing that must reach the disk."""
    with suppress(OSError):
        os.close(descriptor)


def _names(folder: int) -> list[str]:
    return sorted(os.listdir(folder))


def _take_over(name: str, pending: int, held: ExitStack) -> BlobKey | None:
    """Lock the marker of an upload that is over; None if it goes on or is no marker."""
    place = BlobKey.find(name.replace("-", "/", 1))
    if place is None:
        return None
    try:
        marker = os.open(name, os.O_RDWR | _OPEN_PLAIN, dir_fd=pending)
    except OSError as error:
        if error.errno in _NOT_A_BLOB:
            return None
        raise
    held.callback(_close, marker)
    return place if stat.S_ISREG(os.fstat(marker).st_mode) and _lock(marker) else None


def _find_stat(name: str, folder: int) -> os.stat_result | None:
    """The status of what stands under a name, links not followed; None if nothing does."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _find_size(key: str, folder: int, pending: int) -> int | None:
    """The size of a blob in bytes; None if it is none, or pending."""
    place = BlobKey.find(key)
    # The marker is older than the bytes and goes after them: bytes that are
    # still there when it is not are nobody's upload.
    if place is None or _find_stat(_marker(place), pending) is not None:
        return None
    status = _find_stat(place.hex, folder)
    return status.st_size if status and stat.S_ISREG(status.st_mode) else None
