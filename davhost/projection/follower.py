"""The thread of each process that follows the spaces that change."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from ..errors import Refused, Unavailable

if TYPE_CHECKING:
    from . import Projection

log = logging.getLogger("davhost.projection")

#: Changes that come this soon after each other are applied together: the work
#: for one change is hardly less than for twenty, and requests wait for it.
_GATHER_SECONDS = 0.5
#: Until a tree is tried again that another process works on.
_BUSY_SECONDS = 0.1


class Follower:
    """Catches up what has changed, a moment later, in the background.

    `note` costs its caller nothing. Without `start` the changes are only
    remembered, until `settle`. A tree that cannot be written now waits for its
    next change, or for `look_around`, which housekeeping calls in every round.
    """

    def __init__(self, projection: Projection) -> None:
        self._projection = projection
        self._mutex = threading.Lock()
        self._wake = threading.Event()
        self._spaces: set[int] = set()
        self._users: set[int] = set()
        #: Users whose trees cannot be written now: told once.
        self._failing: set[int] = set()

    def note(self, space_id: int) -> None:
        """Remember that a space was changed; called right after the commit."""
        with self._mutex:
            self._spaces.add(space_id)
        if not self._wake.is_set():
            self._wake.set()

    def note_user(self, user_id: int) -> None:
        """Remember that a tree has to be looked at; that of a removed account goes."""
        with self._mutex:
            self._users.add(user_id)
        self._wake.set()

    def look_around(self) -> int:
        """Remember every tree that lags, whatever the reason; say how many.

        Raises:
            Unavailable: they cannot be looked at now.
        """
        try:
            lagging = self._projection.lagging()
        except OSError as error:
            raise Unavailable("The readable trees cannot be looked at now.") from error
        with self._mutex:
            self._users.update(lagging)
        if lagging:
            self._wake.set()
        return len(lagging)

    def start(self, stop: threading.Event) -> threading.Thread:
        """Begin to follow, with what lags already; the thread ends after *stop* and a note."""
        thread = threading.Thread(target=self._run, args=(stop,), name="readable tree", daemon=True)
        thread.start()
        return thread

    def settle(self) -> None:
        """Catch up everything that is remembered, here and now."""
        self._round(wait=True)

    def _run(self, stop: threading.Event) -> None:
        try:
            self.look_around()
        except Refused as refused:
            log.warning("the readable trees wait: %s", refused.sentence)
        while not stop.is_set():
            self._wake.wait()
            stop.wait(_GATHER_SECONDS)
            self._wake.clear()
            if not self._round(wait=False):
                stop.wait(_BUSY_SECONDS)
                self._wake.set()

    def _round(self, *, wait: bool) -> bool:
        """Catch up once; False if some tree was another's to work on."""
        busy = {user_id for user_id in self._take() if not self._try(user_id, wait=wait)}
        with self._mutex:
            self._users |= busy
        return not busy

    def _take(self) -> list[int]:
        with self._mutex:
            spaces, self._spaces = self._spaces, set()
            users, self._users = self._users, set()
        try:
            users.update(self._projection.owners_of(spaces))
        except Refused as refused:  # the database is away: housekeeping finds what lags
            log.warning("the readable trees wait: %s", _reason(refused))
        return sorted(users)

    def _try(self, user_id: int, *, wait: bool) -> bool:
        """Catch one tree up; False if another process works on it."""
        try:
            done = self._projection.catch_up(user_id, wait=wait)
        except (OSError, Refused) as error:
            self._fail(user_id, "the readable tree of account %s waits: %s", _reason(error))
        except Exception:
            self._fail(user_id, "the readable tree of account %s fails%s", "", exc_info=True)
        else:
            if done and user_id in self._failing:
                self._failing.discard(user_id)
                log.info("the readable tree of account %s goes on", user_id)
            return done
        return True

    def _fail(self, user_id: int, line: str, reason: str, *, exc_info: bool = False) -> None:
        if user_id not in self._failing:
            self._failing.add(user_id)
            log.warning(line, user_id, reason, exc_info=exc_info)


def _reason(error: OSError | Refused) -> str:
    """Say what is wrong, without names that people chose."""
    if isinstance(error, Refused):
        return error.sentence
    return error.strerror or str(error.errno)
