"""Threads that take turns, grow with need and go again.

cheroot's pool keeps the number of threads it started with, so as many slow
uploads stop the server. This one tells *busy* from *stuck*. While requests end
one after the other there is one turn: more threads would only fight for the
interpreter, and change places wherever one of them lets go of it for a moment.
When none has ended for a while the turn is held by something slow, a client or
a disk. Then it does not count any more, and others get theirs.
"""

import logging
import threading
import time
from collections import deque
from queue import Empty, SimpleQueue
from typing import Any

log = logging.getLogger("davhost.server")

#: If no connection was done with for this long, something slow holds the turns.
_LOOK_SECONDS = 0.005
#: However the threads come and go, no connection should wait this long.
_WAIT_SECONDS_MAX = 0.1
_IDLE_SECONDS = 20.0


class ThreadPool:
    """Runs ``communicate`` of the connections that are put into it.

    Takes the place of ``cheroot.workers.threadpool.ThreadPool``.
    """

    def __init__(self, server: Any, minimum: int, maximum: int) -> None:
        """Note the limits; threads start with ``start``."""
        self._server = server
        self._minimum = minimum
        self._maximum = max(minimum, maximum)
        self._lock = threading.Lock()
        #: Connections that wait for a turn, and since when on the monotonic clock.
        self._waiting: deque[tuple[float, Any]] = deque()
        #: Connections that have a turn, on their way to a thread that is idle.
        self._handed: SimpleQueue[Any] = SimpleQueue()
        #: Threads that wait for a connection, less those handed.
        self._idle = 0
        self._size = 0
        #: Turns that are taken and count: those that were given in this round.
        self._turns = 0
        self._turns_max = 1
        self._round = 0
        self._pausing = False
        #: How often a thread has come back from a connection.
        self._done = 0
        self._short = threading.Event()
        #: Released when the last that waited has got its turn.
        self._demand = threading.Lock()
        self._stopped = False

    def start(self) -> None:
        """Start the minimum of threads and the one that watches over them."""
        self._grow(self._minimum)
        threading.Thread(target=self._watch, name="davhost-pool-watch", daemon=True).start()

    def put(self, connection: Any) -> None:
        """Hand over a connection; never blocks."""
        with self._lock:
            self._waiting.append((time.monotonic(), connection))
            self._hand_out(self._turns_max)
        if self._waiting and not self._short.is_set():
            self._short.set()

    def is_wanted(self) -> bool:
        """Tell if a connection waits for the thread that asks."""
        return bool(self._waiting)

    def wait_for_demand(self, seconds: float) -> None:
        """Wait until no connection waits for its turn, at most *seconds*."""
        with self._lock:
            if not self._waiting:
                return
            self._demand.acquire(blocking=False)
        self._demand.acquire(timeout=seconds)

    def pause(self, connection: Any) -> bool:
        """Give a turn back while its thread waits for the client, if nobody else does.

        Where there are several clients, the selector finds with less effort
        who has something to say.
        """
        with self._lock:
            if self._waiting or self._pausing:
                return False
            self._pausing = True
            self._give_back(connection.turn)
            connection.turn = None
            return True

    def resume(self, connection: Any) -> bool:
        """Take a turn again; False if others have it or wait for it."""
        with self._lock:
            self._pausing = False
            if self._waiting or self._turns >= self._turns_max:
                return False
            self._give(connection)
            return True

    @property
    def size(self) -> int:
        """The number of threads."""
        return self._size

    def stop(self) -> None:
        """Let every thread end after the connection it is at; do not wait."""
        self._stopped = True
        self._short.set()
        for _ in range(self._size):
            self._handed.put(None)

    # Turns: only under the lock

    def _give(self, connection: Any) -> None:
        self._turns += 1
        connection.turn = self._round

    def _give_back(self, turn: int | None) -> None:
        self._turns -= turn == self._round

    def _take(self) -> Any:
        _, connection = self._waiting.popleft()
        self._give(connection)
        if not self._waiting and self._demand.locked():
            self._demand.release()
        return connection

    def _hand_out(self, turns_max: int) -> None:
        while self._waiting and self._turns < turns_max and self._idle:
            self._idle -= 1
            self._handed.put(self._take())

    def _is_late(self) -> bool:
        return bool(self._waiting) and self._waiting[0][0] < time.monotonic() - _WAIT_SECONDS_MAX

    # Watching

    def _watch(self) -> None:
        """Look after the turns as long as connections wait for one."""
        while not self._stopped:
            self._short.wait()
            self._short.clear()
            while self._waiting and not self._stopped:
                done = self._done
                time.sleep(_LOOK_SECONDS)
                self._adapt(self._done - done)

    def _adapt(self, done: int) -> None:
        """Let more in if none has come back, fewer if several have."""
        with self._lock:
            if done:
                self._turns_max = max(1, self._turns_max - (done > 1))
            else:
                self._turns_max = min(self._minimum, self._turns_max + 1)
            wanted = 0 if done else self._turns_max
            if self._is_late():
                wanted = len(self._waiting)
            missing = min(wanted, len(self._waiting)) - self._idle
        if missing > 0:
            # And some in reserve: the next client should find a thread at once
            # though slow ones hold so many.
            self._grow(missing + self._minimum)
        if wanted:
            self._begin_round(wanted)

    def _begin_round(self, turns_max: int) -> None:
        """Give turns anew; those that are taken do not count any more."""
        with self._lock:
            self._round += 1
            self._turns = 0
            self._hand_out(turns_max)

    def _grow(self, count: int) -> None:
        for _ in range(min(count, self._maximum - self._size)):
            with self._lock:
                self._size += 1
                self._idle += 1
            try:
                threading.Thread(target=self._work, name="davhost-request", daemon=True).start()
            except RuntimeError as error:
                with self._lock:
                    self._size -= 1
                    self._idle -= 1
                log.warning("no more threads than %d: %s", self._size, error)
                return

    # Work

    def _work(self) -> None:
        while not self._stopped:
            try:
                connection = self._handed.get(timeout=_IDLE_SECONDS)
            except Empty:
                if self._may_leave():
                    return
                continue
            while connection is not None:
                connection = self._next(self._run(connection))

    def _next(self, turn: int | None) -> Any:
        """Give a turn back; return the connection that has it now, or None to wait."""
        with self._lock:
            self._done += 1
            self._give_back(turn)
            if self._waiting and self._turns < self._turns_max and not self._stopped:
                return self._take()
            self._idle += 1
            return None

    def _may_leave(self) -> bool:
        """Tell a thread without work if enough others wait for some."""
        with self._lock:
            leaves = self._idle > self._minimum
            self._size -= leaves
            self._idle -= leaves
            return leaves

    def _run(self, connection: Any) -> int | None:
        """Go on with a connection; return its turn, which is to be given back."""
        parks = False
        try:
            parks = connection.communicate()
        except BaseException:  # a thread of the pool must not die of a request
            log.exception("error on the connection of %s", connection.remote_addr)
            connection.channel.abort()
        # Read before it is parked: from then on another thread may have it.
        turn: int | None = connection.turn
        if parks:
            self._server.put_conn(connection)
        else:
            connection.close()
        return turn
