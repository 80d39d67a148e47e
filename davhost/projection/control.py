"""What the projection keeps for itself about one user's tree.

::

    users/.state/<user id>/        its control folder; the lock is a flock on it
        exact-41-1700…-90-5211     the mark: an empty file, its name says everything
        tmp, old-1, new-2          what is on its way into the tree or out of it

The mark is a name because file systems bring names to the disk in the order in
which they were made: after a power cut no mark is newer than what it stands
for, without any fsync. Everything else here is left over from a crash and goes.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ..model import JournalPoint
from .descriptors import names_in, opened, own_folder

_STATE = b".state"
_MARK = re.compile(rb"(exact|near)-([0-9]+)-([0-9]+)-([0-9]+)-([0-9]+)")
_NUMBERED = re.compile(rb"[a-z]+-([0-9]+)")
_FOLDER_MODE = 0o700


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a tree has come.

    Args:
        point: the last entry of the journal that was applied.
        top_inode: the folder it was applied to; another one in its place is
            made again.
        exact: whether the tree is what the catalogue was at *point*. If not,
            every difference is at, or below, a path that later entries name.
    """

    point: JournalPoint
    top_inode: int
    exact: bool

    def file_name(self) -> bytes:
        """Write the mark as the name of its file."""
        kind, point = "exact" if self.exact else "near", self.point
        return f"{kind}-{point.seq}-{point.at_us}-{point.resource_id}-{self.top_inode}".encode()

    @classmethod
    def find(cls, name: bytes) -> Mark | None:
        """Read the name of a file; None if it is no mark."""
        match = _MARK.fullmatch(name)
        if match is None:
            return None
        seq, at_us, resource_id, inode = map(int, match.groups()[1:])
        return cls(JournalPoint(seq, at_us, resource_id), inode, match[1] == b"exact")


class Control:
    """The control folder of one user, while its lock is held.

    Args:
        users: descriptor of the folder with all trees.
        folder: descriptor of the control folder.
    """

    def __init__(self, users: int, folder: int, user_id: int) -> None:
        self.users = users
        self.folder = folder
        self.tree_name = str(user_id).encode()
        self._mark_name: bytes | None = None
        self._is_clear = False
        self._number: int | None = None

    def find_mark(self) -> Mark | None:
        """Read the mark; None if the tree has to be compared with the catalogue as a whole."""
        names = names_in(self.folder)
        mark = _only_mark(names)
        self._mark_name = mark.file_name() if mark else None
        self._is_clear = mark is not None and len(names) == 1
        return mark

    def write_mark(self, mark: Mark) -> None:
        """Put *mark* in the place of the last one, in one step."""
        name = mark.file_name()
        if self._mark_name is None:
            self.drop_mark()
            flags = os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
            os.close(os.open(name, flags, 0o600, dir_fd=self.folder))
        else:
            os.rename(self._mark_name, name, src_dir_fd=self.folder, dst_dir_fd=self.folder)
        self._mark_name = name

    def drop_mark(self) -> None:
        """Say that nothing is known of the tree."""
        for name in names_in(self.folder):
            if Mark.find(name):
                self.discard(self.folder, name)
        self._mark_name = None

    def new_name(self, prefix: str) -> bytes:
        """Find a name in the control folder that nothing has."""
        if self._number is None:
            found = (_NUMBERED.fullmatch(name) for name in names_in(self.folder))
            self._number = max((int(match[1]) for match in found if match), default=0)
        self._number += 1
        self._is_clear = False  # it is for something that will lie here
        return f"{prefix}-{self._number}".encode()

    def discard(self, folder: int, name: bytes) -> None:
        """Take whatever stands under a name away, in one step; nothing may be there.

        A folder waits here for `clear`.
        """
        try:
            os.unlink(name, dir_fd=folder)
        except FileNotFoundError:
            return
        except (IsADirectoryError, PermissionError):
            old = self.new_name("old")
            os.rename(name, old, src_dir_fd=folder, dst_dir_fd=self.folder)

    def clear(self) -> None:
        """Delete what was discarded, and what a crash left."""
        if self._is_clear:
            return
        for name in names_in(self.folder):
            if name != self._mark_name:
                self._raze(name)

    def remove(self) -> None:
        """Delete the tree and all that is known of it: the account is gone."""
        self.discard(self.users, self.tree_name)
        self.drop_mark()
        self.clear()
        with opened(_STATE, dir_fd=self.users) as state:
            os.rmdir(self.tree_name, dir_fd=state)

    def _raze(self, name: bytes) -> None:
        """Delete a tree of any depth with two descriptors: each folder is first moved up here."""
        waiting = [name]
        while waiting:
            top = waiting.pop()
            try:
                os.unlink(top, dir_fd=self.folder)
            except (IsADirectoryError, PermissionError):
                with opened(top, dir_fd=self.folder) as folder:
                    waiting += self._empty(folder)
                os.rmdir(top, dir_fd=self.folder)

    def _empty(self, folder: int) -> list[bytes]:
        """Delete the files of a folder and move its folders up; return their names here."""
        moved: list[bytes] = []
        for member in names_in(folder):
            try:
                os.unlink(member, dir_fd=folder)
            except (IsADirectoryError, PermissionError):
                up = self.new_name("old")
                os.rename(member, up, src_dir_fd=folder, dst_dir_fd=self.folder)
                moved.append(up)
        return moved


@contextmanager
def locked(users: Path, user_id: int, *, wait: bool) -> Iterator[Control | None]:
    """Hold the lock of one user's tree, in this and every other process.

    Args:
        wait: until it can be had; otherwise None is yielded if it is taken.
    """
    with opened(users) as root:
        folder = _lock_folder(root, user_id, wait=wait)
        if folder is None:
            yield None
            return
        try:
            yield Control(root, folder, user_id)
        finally:
            # A child that was forked meanwhile would keep a closed flock alive.
            fcntl.flock(folder, fcntl.LOCK_UN)
            os.close(folder)


def peek(users: int, user_id: int) -> Mark | None:
    """Read a mark without the lock: as it is at some moment."""
    try:
        with (
            opened(_STATE, dir_fd=users) as state,
            opened(str(user_id), dir_fd=state) as folder,
        ):
            return _only_mark(names_in(folder))
    except (FileNotFoundError, NotADirectoryError):
        return None


def known_ids(users: int) -> set[int]:
    """List the users of whom a tree or a control folder is there."""
    found = names_in(users)
    with suppress(FileNotFoundError, NotADirectoryError), opened(_STATE, dir_fd=users) as state:
        found += names_in(state)
    return {int(name) for name in found if re.fullmatch(rb"[1-9][0-9]{0,18}", name)}


def _lock_folder(root: int, user_id: int, *, wait: bool) -> int | None:
    """Open the control folder and take its flock; None if that is taken."""
    mode = fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB
    while True:
        state, _ = own_folder(_STATE, root, _FOLDER_MODE)
        try:
            folder, _ = own_folder(str(user_id).encode(), state, _FOLDER_MODE)
        finally:
            os.close(state)
        try:
            fcntl.flock(folder, mode)
            if os.fstat(folder).st_nlink > 0:
                return folder
        except BlockingIOError:
            os.close(folder)
            return None
        except BaseException:
            os.close(folder)
            raise
        os.close(folder)  # `remove` was quicker


def _only_mark(names: list[bytes]) -> Mark | None:
    marks = [mark for name in names if (mark := Mark.find(name))]
    return marks[0] if len(marks) == 1 else None
