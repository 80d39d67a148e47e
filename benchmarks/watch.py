"""A stopwatch for time and for the server's processor time, which can be halted."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.processes import ProcessTree


class Watch:
    """What an operation costs, without what its preparation costs.

    Attributes:
        seconds: the time that ran.
        halted_cpu_seconds: what the server used while the watch was halted.
    """

    def __init__(self, tree: ProcessTree) -> None:
        self._tree = tree
        self._running_since: float | None = None
        self._ran_seconds = 0.0
        self.halted_cpu_seconds = 0.0

    @property
    def seconds(self) -> float:
        """The time that ran until now."""
        running = 0.0
        if self._running_since is not None:
            running = time.monotonic() - self._running_since
        return self._ran_seconds + running

    def start(self) -> None:
        """Let it run."""
        self._running_since = time.monotonic()

    def stop(self) -> None:
        """Let it stand."""
        self._ran_seconds = self.seconds
        self._running_since = None

    @contextmanager
    def halted(self) -> Iterator[None]:
        """Prepare something that does not count; only where one connection is used."""
        self.stop()
        before = self._tree.settle()  # what the operations before have put off is theirs
        yield
        self.halted_cpu_seconds += self._tree.settle() - before
        self.start()
