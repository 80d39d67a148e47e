"""The foreground process: it binds the port and keeps the workers running.

It never runs the application, so no database connection or thread of it can
cross a fork, and nothing that a request does can end it.
"""

import logging
import os
import selectors
import signal
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from davhost.server.children import SIGNALS, Children, Worker
from davhost.server.http_server import WSGIApplication
from davhost.server.listener import listen, raise_descriptor_limit, url_of
from davhost.server.options import ServerOptions

log = logging.getLogger("davhost.server")

_TICK_SECONDS = 1.0
_BACKOFF_FIRST_SECONDS = 0.1
_BACKOFF_MAX_SECONDS = 10.0
#: A worker that lived this long did not die of how it was started.
_HEALTHY_SECONDS = 10.0
#: After the grace time a worker has this long before it is killed.
_KILL_AFTER_GRACE_SECONDS = 3.0


def run(
    make_app: Callable[[], WSGIApplication],
    options: ServerOptions,
    *,
    on_ready: Callable[[str], None],
    on_reload: Callable[[], ServerOptions | None] | None = None,
) -> int:
    """Serve in the foreground until SIGTERM or SIGINT.

    Must be called in the main thread of a process without other threads,
    because it forks. SIGHUP replaces the workers one by one.

    Args:
        make_app: called in each worker after its fork. It may raise
            ``SystemExit("reason")`` to refuse in plain words.
        on_ready: called once, here, with the URL (which ends in ``/``) when
            all of the first workers accept.
        on_reload: called here on SIGHUP before any worker is replaced; it
            returns the options of their successors. If it returns None or
            raises, the workers stay as they are; host and port always stay.

    Returns:
        The exit status: 0 after an orderly stop, 1 if no worker could start.

    Raises:
        OSError: the port cannot be bound.
    """
    raise_descriptor_limit()
    with listen(options) as listener:
        supervisor = Supervisor(listener, make_app, options, on_reload)
        with supervisor.handles_signals():
            return supervisor.run(lambda: on_ready(url_of(listener, options)))


class Supervisor:
    """Starts, replaces and stops workers."""

    def __init__(
        self,
        listener: socket.socket,
        make_app: Callable[[], WSGIApplication],
        options: ServerOptions,
        on_reload: Callable[[], ServerOptions | None] | None,
    ) -> None:
        """Prepare; nothing is started yet."""
        self._listener = listener
        self._options = options
        self._on_reload = on_reload
        self._selector = selectors.DefaultSelector()
        self._children = Children(listener, make_app, options, self._selector)
        self._to_replace: deque[Worker] = deque()
        self._stop_at: float | None = None
        self._reload_wanted = False
        self._started = False
        self._failed = False
        self._backoff_seconds = 0.0
        self._next_start_at = 0.0

    def run(self, on_ready: Callable[[], None]) -> int:
        """Keep the workers running until told to stop; return the exit status."""
        try:
            while not (self._stopping and not self._children.workers):
                self._look_after_workers()
                if not self._started and self._all_ready():
                    self._started = True
                    on_ready()
                self._wait()
                for worker, status in self._children.reap():
                    self._mourn(worker, status)
        finally:
            self._children.close()
            self._selector.close()
        return 1 if self._failed else 0

    @contextmanager
    def handles_signals(self) -> Iterator[None]:
        """Turn signals into wishes, and put the old handlers back at the end."""
        read_fd, write_fd = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._selector.register(read_fd, selectors.EVENT_READ)
        old_fd = signal.set_wakeup_fd(write_fd, warn_on_full_buffer=False)
        old = {number: signal.signal(number, self._on_signal) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in old.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(old_fd)
            os.close(read_fd)
            os.close(write_fd)

    # Signals and waiting

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            self._reload_wanted = True
        elif number != signal.SIGCHLD:
            self._stop()

    def _wait(self) -> None:
        for key, _ in self._selector.select(self._seconds_to_next_start()):
            if key.data is None:
                with suppress(BlockingIOError):
                    os.read(key.fd, 4096)
            else:
                self._children.note_ready(key.data)

    def _seconds_to_next_start(self) -> float:
        seconds = self._next_start_at - time.monotonic()
        return min(seconds, _TICK_SECONDS) if seconds > 0 else _TICK_SECONDS

    @property
    def _stopping(self) -> bool:
        return self._stop_at is not None

    def _stop(self) -> None:
        """Begin to stop; a second signal changes nothing."""
        if self._stop_at is None:
            self._stop_at = time.monotonic()

    # Workers

    def _look_after_workers(self) -> None:
        if self._stopping:
            self._end_workers()
            return
        if self._reload_wanted:
            self._reload_wanted = False
            self._reload()
        self._replace_next()
        while self._may_start():
            self._children.start()

    def _may_start(self) -> bool:
        """Tell if a worker is missing and it is time to start it.

        The first one starts alone: if it fails the reason is shown once, and
        whatever it sets up is there for the others.
        """
        serving = self._serving()
        if len(serving) >= self._options.workers or time.monotonic() < self._next_start_at:
            return False
        return self._started or not serving or any(w.ready for w in serving)

    def _serving(self) -> list[Worker]:
        """The workers that stay, and not those that are to take another's place."""
        return [w for w in self._children.workers if not w.retiring and w.replaces is None]

    def _all_ready(self) -> bool:
        ready = sum(w.ready and not w.retiring for w in self._children.workers)
        return not self._stopping and ready >= self._options.workers

    def _mourn(self, worker: Worker, status: int) -> None:
        if self._stopping or worker.retiring:
            return
        if not self._started and not worker.ready and not self._children.workers:
            self._failed = True
            self._stop()
        elif worker.replaces is not None:
            log.error("reload: a new worker could not start; the old ones go on")
            self._to_replace.clear()
        else:
            log.error("worker %d ended with status %d and is replaced", worker.pid, status)
            self._back_off(worker)

    def _back_off(self, worker: Worker) -> None:
        """Replace at once, but slower and slower if that does not help."""
        if time.monotonic() - worker.born_at > _HEALTHY_SECONDS:
            self._backoff_seconds = 0.0
            return
        self._next_start_at = time.monotonic() + self._backoff_seconds
        doubled = max(_BACKOFF_FIRST_SECONDS, 2 * self._backoff_seconds)
        self._backoff_seconds = min(_BACKOFF_MAX_SECONDS, doubled)

    # Reload

    def _reload(self) -> None:
        try:
            fresh = self._options if self._on_reload is None else self._on_reload()
        except Exception:
            log.exception("reload: refused; the workers go on as they are")
            return
        if fresh is None:
            return
        bound = (self._options.host, self._options.port)
        if (fresh.host, fresh.port) != bound:
            log.warning("reload: another host or port is taken up by the next start only")
        self._options = self._children.options = fresh
        self._to_replace = deque(w for w in self._children.workers if not w.retiring)

    def _replace_next(self) -> None:
        """Start the next successor once the last one has taken over."""
        if any(worker.replaces is not None for worker in self._children.workers):
            return
        while self._to_replace:
            old = self._to_replace.popleft()
            if old not in self._children.workers or old.retiring:
                continue
            if len(self._serving()) > self._options.workers:
                old.retire()
            else:
                self._children.start(replaces=old)
                return

    # Stop

    def _end_workers(self) -> None:
        now = time.monotonic()
        stop_at = self._stop_at or now
        too_late = now > stop_at + self._options.grace_seconds + _KILL_AFTER_GRACE_SECONDS
        # Nothing new is accepted, not even into the backlog.
        self._listener.close()
        for worker in self._children.workers:
            if too_late:
                worker.kill(signal.SIGKILL)
            else:
                worker.stop()
