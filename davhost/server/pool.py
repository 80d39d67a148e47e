"""Threads that grow with need and go again.

cheroot's pool keeps the number of threads it started with, so as many slow
uploads stop the server. This one tells *busy* from *stuck*: while threads
come back for more work a queue is merely load, and more threads would only
fight for the interpreter; when none has come back for a moment they are held
by slow clients, and new ones are started.
"""

import logging
import threading
import time
from queue import Empty, SimpleQueue
from typing import Any

log = logging.getLogger("davhost.server")

#: No thread came back for this long: they are held.
_STUCK_SECONDS = 0.01
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
        self._queue: SimpleQueue[Any] = SimpleQueue()
        self._lock = threading.Lock()
        #: Threads that wait for work, less connections that wait for a thread.
        self._spare = 0
        self._size = 0
        self._taken = 0
        self._short = threading.Event()
        self._stopped = False

    def start(self) -> None:
        """Start the minimum of threads and the one that watches over them."""
        self._grow(self._minimum)
        threading.Thread(target=self._watch, name="davhost-pool-watch", daemon=True).start()

    def put(self, connection: Any) -> None:
        """Hand over a connection; never blocks."""
        with self._lock:
            self._spare -= 1
            short = self._spare < 0
        self._queue.put(connection)
        if short:
            self._short.set()

    def has_spare_threads(self) -> bool:
        """Tell if a thread would be idle right now."""
        return self._spare > 0

    @property
    def size(self) -> int:
        """The number of threads."""
        return self._size

    def stop(self) -> None:
        """Let every thread end after the connection it is at; do not wait."""
        self._stopped = True
        self._short.set()
        for _ in range(self._size):
            self._queue.put(None)

    def _watch(self) -> None:
        """Start threads whenever connections wait and none takes them."""
        while not self._stopped:
            self._short.wait()
            self._short.clear()
            self._relieve()

    def _relieve(self) -> None:
        served_at = self._taken - self._spare
        deadline = time.monotonic() + _WAIT_SECONDS_MAX
        while self._spare < 0 and not self._stopped:
            taken = self._taken
            time.sleep(_STUCK_SECONDS)
            now = time.monotonic()
            if taken == self._taken or now > deadline:
                # As many as wait, and some in reserve: the next client should
                # find a thread at once though slow ones hold so many.
                self._grow(self._minimum - self._spare)
            elif self._taken < served_at:
                continue
            # All that waited when the deadline was set have a thread now.
            served_at = self._taken - self._spare
            deadline = now + _WAIT_SECONDS_MAX

    def _grow(self, count: int) -> None:
        for _ in range(min(count, self._maximum - self._size)):
            with self._lock:
                self._size += 1
                self._spare += 1
            try:
                threading.Thread(target=self._work, name="davhost-request", daemon=True).start()
            except RuntimeError as error:
                with self._lock:
                    self._size -= 1
                    self._spare -= 1
                log.warning("no more threads than %d: %s", self._size, error)
                return

    def _work(self) -> None:
        while not self._stopped:
            try:
                connection = self._queue.get(timeout=_IDLE_SECONDS)
            except Empty:
                if self._may_leave():
                    return
                continue
            if connection is None:
                return
            self._taken += 1
            self._run(connection)
            with self._lock:
                self._spare += 1

    def _may_leave(self) -> bool:
        """Tell a thread without work if enough others wait for some."""
        with self._lock:
            leaves = self._spare > self._minimum
            self._size -= leaves
            self._spare -= leaves
            return leaves

    def _run(self, connection: Any) -> None:
        parks = False
        try:
            parks = connection.communicate()
        except BaseException:  # a thread of the pool must not die of a request
            log.exception("error on the connection of %s", connection.remote_addr)
            connection.channel.abort()
        if parks:
            self._server.put_conn(connection)
        else:
            connection.close()
