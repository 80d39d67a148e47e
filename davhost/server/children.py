"""The worker processes as their supervisor holds them: fork, watch, signal, reap."""

import gc
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from davhost.server.http_server import WSGIApplication
from davhost.server.options import ServerOptions
from davhost.server.worker import RETIRE_SIGNAL, Birth, work

#: What the supervisor acts on; held back while it forks.
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


@dataclass(slots=True, eq=False)
class Worker:
    """A worker process."""

    pid: int
    #: Becomes readable when the worker accepts or has died; None afterwards.
    ready_fd: int | None
    born_at: float = field(default_factory=time.monotonic)
    ready: bool = False
    retiring: bool = False
    told_to_stop: bool = False
    #: The worker to retire when this one is ready.
    replaces: "Worker | None" = None

    def kill(self, number: int) -> None:
        """Send a signal, unless the worker is gone already."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def retire(self) -> None:
        """Tell it to finish what it has, because its successor is ready."""
        self.retiring = True
        self.kill(RETIRE_SIGNAL)

    def stop(self) -> None:
        """Tell it once to stop within the grace time."""
        if not self.told_to_stop:
            self.told_to_stop = True
            self.kill(signal.SIGTERM)


class Children:
    """The workers that live."""

    def __init__(
        self,
        listener: socket.socket,
        make_app: Callable[[], WSGIApplication],
        options: ServerOptions,
        selector: selectors.BaseSelector,
    ) -> None:
        """Note what every worker is born with; none is yet.

        Args:
            selector: the supervisor's; it reports a ``Worker`` as data when
                ``note_ready`` should be called with it.
        """
        self._listener = listener
        self._make_app = make_app
        #: Of the workers that are started from now on.
        self.options = options
        self._selector = selector
        self._lifeline_fd, self._lifeline_write_fd = os.pipe()
        self.workers: list[Worker] = []

    def start(self, replaces: Worker | None = None) -> None:
        """Fork a worker."""
        ready_fd, ready_write_fd = os.pipe()
        birth = Birth(
            self._listener,
            self._make_app,
            self.options,
            os.getpid(),
            self._lifeline_fd,
            ready_write_fd,
        )
        # What is here already is shared with the worker, as long as neither writes to
        # it: the collector does, each time it looks at it.
        gc.freeze()
        # A signal that came between the fork and the worker's own handlers
        # would be taken for the supervisor's, and be lost.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        pid = os.fork()
        if pid == 0:
            self._let_go(ready_fd)
            work(birth, mask)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.close(ready_write_fd)
        worker = Worker(pid, ready_fd, replaces=replaces)
        self.workers.append(worker)
        self._selector.register(ready_fd, selectors.EVENT_READ, worker)

    def note_ready(self, worker: Worker) -> None:
        """Learn if a worker accepts now; its predecessor then retires."""
        if worker.ready_fd is None:
            return
        worker.ready = bool(os.read(worker.ready_fd, 1))
        self._selector.unregister(worker.ready_fd)
        os.close(worker.ready_fd)
        worker.ready_fd = None
        if worker.ready and worker.replaces is not None:
            worker.replaces.retire()
            worker.replaces = None

    def reap(self) -> Iterator[tuple[Worker, int]]:
        """Yield the workers that have died, and their exit codes.

        Only our own are waited for: other children may be somebody else's.
        """
        for worker in list(self.workers):
            with suppress(ChildProcessError):
                pid, status = os.waitpid(worker.pid, os.WNOHANG)
                if pid != 0:
                    self._bury(worker)
                    yield worker, os.waitstatus_to_exitcode(status)

    def close(self) -> None:
        """Let go of the lifeline; workers that still live end at once."""
        os.close(self._lifeline_fd)
        os.close(self._lifeline_write_fd)

    def _bury(self, worker: Worker) -> None:
        self.workers.remove(worker)
        self.note_ready(worker)
        for other in self.workers:
            if other.replaces is worker:
                other.replaces = None  # it simply takes the place

    def _let_go(self, ready_fd: int) -> None:
        """Close in a worker what is the supervisor's alone.

        A lifeline that is held open by one worker would keep the others from
        noticing that the supervisor is gone.
        """
        os.close(ready_fd)
        os.close(self._lifeline_write_fd)
        self._selector.close()
