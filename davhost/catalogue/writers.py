"""The writers of SQLite stand in a row, and those who follow at once share a commit.

SQLite lets one transaction write at a time. Who has to wait there asks again
and again, after longer and longer pauses, and is passed by others meanwhile.
And each commit waits for the disk, so that no more writers are done in a second
than the disk syncs. Here they are let in one after the other. Who is done while
the next one waits does not commit, but hands over the transaction; the last one
commits for all of them, and none goes on before. A savepoint lets each of them
fail alone. The rows of several processes take turns at a `Door`. PostgreSQL does
as much by itself.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from sqlalchemy.exc import DBAPIError

from ..errors import Unavailable

T = TypeVar("T")

#: How many writers share a commit; the first of them waits for all the others.
_GROUP_MAX = 32

_OPEN = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC

#: How often the one who is next at the door looks whether it is free.
_LOOK_SECONDS = 0.0005


class Door:
    """Lets processes in one after the other; none is passed twice by the same one.

    A file has two bytes to lock. Who wants to come in locks the first, waits for
    the second and then lets the first go: so who was in before stands behind who
    is waiting. It is a courtesy: what keeps writers apart is SQLite's own lock.

    Args:
        file: is made when it is needed; a process opens it once.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._descriptor: int | None = None

    def enter(self, until: float) -> None:
        """Wait until the door is free, and come in.

        Args:
            until: how long to wait, on the monotonic clock.

        Raises:
            Unavailable: it was not free in time.
        """
        if self._descriptor is None:
            with suppress(OSError):  # then the database cannot be written either
                self._descriptor = os.open(self._file, _OPEN, 0o600)
        self._lock(0, until)
        try:
            self._lock(1, until)
        finally:
            self._unlock(0)

    def leave(self) -> None:
        """Let the next one in."""
        self._unlock(1)

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _lock(self, byte: int, until: float) -> None:
        while self._descriptor is not None:
            try:
                fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
            except (BlockingIOError, PermissionError):  # POSIX allows both for "taken"
                if time.monotonic() > until:
                    raise busy() from None
                time.sleep(_LOOK_SECONDS)
            except OSError:  # a file system without locks
                return
            else:
                return

    def _unlock(self, byte: int) -> None:
        if self._descriptor is not None:
            try:  # with every write, and shorter than `suppress`
                fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, byte)
            except OSError:
                return


class _Signal:
    """Something that one thread waits for; quicker than an `Event`."""

    def __init__(self) -> None:
        self._closed = threading.Lock()
        self._closed.acquire()

    def give(self) -> None:
        """Let the thread go on."""
        self._closed.release()

    def wait(self, seconds: float = -1) -> bool:
        """Wait for it; whether it came in time."""
        return self._closed.acquire(timeout=seconds)


@dataclass(slots=True, eq=False)
class Group(Generic[T]):
    """Writers who share a transaction.

    Args:
        shared: what they hand over.
        failure: why nothing of it was written, once that is known.
        waiting: those who have handed over.
    """

    shared: T
    failure: DBAPIError | None = None
    waiting: list[_Signal] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Turn(Generic[T]):
    """A place in the row.

    Args:
        group: what it is called to, if not to a transaction of its own.
    """

    shares: bool
    group: Group[T] | None = None
    called: _Signal = field(default_factory=_Signal)

    def call(self, group: Group[T] | None) -> None:
        """Let it write."""
        self.group = group
        self.called.give()


class Writers(Generic[T]):
    """The row of one process; safe for threads.

    Args:
        door: where the rows of all processes meet.
    """

    def __init__(self, door: Door) -> None:
        self._door = door
        self._mutex = threading.Lock()
        self._is_taken = False
        self._row: deque[_Turn[T]] = deque()

    def enter(self, *, shares: bool, seconds: float) -> Group[T] | None:
        """Wait for the right to write, which lasts until `hand_over` or `leave`.

        Args:
            shares: whether it may be a part of a group.

        Returns:
            Those whose transaction it is to go on with; None to begin one.

        Raises:
            Unavailable: it did not come in *seconds*.
        """
        until = time.monotonic() + seconds
        with self._mutex:
            turn = _Turn[T](shares) if self._is_taken else None
            if turn is None:
                self._is_taken = True
            else:
                self._row.append(turn)
        if turn is not None:
            self._wait(turn, seconds)
            if turn.group is not None:
                return turn.group
        try:
            self._door.enter(until)
        except BaseException:
            self.leave(None)
            raise
        return None

    def hand_over(self, group: Group[T] | None, shared: T) -> Group[T] | None:
        """Let the next one write in the same transaction, and wait until that is over.

        Args:
            group: those who have written in it before.

        Returns:
            Those whose transaction it was; None, and at once, if there is nobody who
            could go on with it.
        """
        if not self._row:
            return None
        over = _Signal()
        with self._mutex:
            group = group or Group(shared)
            waits = bool(self._row) and self._row[0].shares
            if not waits or len(group.waiting) >= _GROUP_MAX - 1:
                return None
            group.waiting.append(over)
            self._row.popleft().call(group)
        over.wait()
        return group

    def leave(self, group: Group[T] | None) -> None:
        """Let the next one begin a transaction, and all go on who shared the one that is over."""
        self._door.leave()
        with self._mutex:
            if self._row:
                self._row.popleft().call(None)
            else:
                self._is_taken = False
        for signal in group.waiting if group else ():
            signal.give()

    def _wait(self, turn: _Turn[T], seconds: float) -> None:
        if turn.called.wait(seconds):
            return
        with self._mutex:
            if turn in self._row:  # else it was called at this moment
                self._row.remove(turn)
                raise busy()


def busy() -> Unavailable:
    """Say that others have been writing for too long."""
    return Unavailable("The database is busy.", retry_after_seconds=5)
