"""Let one workload run on one server for a while, and measure it."""

import multiprocessing
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

from benchmarks.client import Client
from benchmarks.processes import ProcessTree
from benchmarks.servers.base import Server
from benchmarks.watch import Watch
from benchmarks.workloads import Run, Workload

#: Forked, so that a connection costs no start of an interpreter.
_PROCESSES = multiprocessing.get_context("fork")
#: A run ends at this multiple of its time, whatever its preparation has taken.
_PATIENCE = 8
_PATIENCE_SECONDS = 600


class LoadFailed(Exception):
    """A client of the load met a wrong answer."""


@dataclass(frozen=True)
class Sample:
    """One measurement.

    Attributes:
        operations: how many were done.
        seconds: how long they took, all connections together.
        cpu_seconds: what the server used for them, and behind them until it was idle.
        peak_bytes: the most memory that one process of the server held meanwhile.
    """

    operations: int
    seconds: float
    cpu_seconds: float
    peak_bytes: int


@dataclass(frozen=True)
class _Part:
    """What one connection has done; the times are of the system's steady clock."""

    operations: int
    began: float
    ended: float
    ran_seconds: float
    halted_cpu_seconds: float


@contextmanager
def _collections(server: Server, tag: str, count: int) -> Iterator[list[str]]:
    """Make a new collection for each connection; delete them afterwards."""
    client = Client(server.address)
    paths = [f"/{tag}-{number}/" for number in range(count)]
    for path in paths:
        client.ask(server.address.request("MKCOL", path), 201)
    client.close()
    yield paths
    for path in paths:
        client.ask(server.address.request("DELETE", path), 200, 204, 404)
    client.close()


def measure(workload: Workload, server: Server, tag: str, seconds: float) -> Sample:
    """Run *workload* on *server* for about *seconds*.

    Args:
        tag: names the collections of this run; never used before on this server.

    Raises:
        LoadFailed: an answer was not what the workload needs.
    """
    tree = server.tree
    with _collections(server, tag, workload.connections) as folders:
        pipes = [_PROCESSES.Pipe() for _ in folders]
        clients = [
            _PROCESSES.Process(target=_one, args=(workload, server, folder, seconds, pipe[1]))
            for folder, pipe in zip(folders, pipes, strict=True)
        ]
        for process in clients:
            process.start()
        try:
            ours = [pipe[0] for pipe in pipes]
            for pipe in ours:
                _take(pipe)
            before = tree.settle()
            tree.forget_peaks()
            for pipe in ours:
                pipe.send("go")
            parts = [_take(pipe) for pipe in ours]
            peak_bytes = tree.peak_bytes()
            used = tree.settle() - before
        finally:
            for process in clients:
                process.terminate()
                process.join()
    return _sum(parts, used, peak_bytes)


def _sum(parts: list[_Part], cpu_seconds: float, peak_bytes: int) -> Sample:
    """Put together what the connections have done."""
    halted = sum(part.halted_cpu_seconds for part in parts)
    if len(parts) == 1:
        seconds = parts[0].ran_seconds
    else:
        seconds = max(part.ended for part in parts) - min(part.began for part in parts)
    operations = sum(part.operations for part in parts)
    return Sample(operations, seconds, max(cpu_seconds - halted, 0.0), peak_bytes)


def _take(pipe: Connection) -> _Part:
    """Receive a word of a client process.

    Raises:
        LoadFailed: it is bad news, or none came.
    """
    if not pipe.poll(_PATIENCE_SECONDS):
        raise LoadFailed("no answer in time")
    word = pipe.recv()
    if isinstance(word, str):
        raise LoadFailed(word)
    part: _Part = word
    return part


def _one(workload: Workload, server: Server, folder: str, seconds: float, pipe: Connection) -> None:
    """Be one connection, in a process of its own, which the run alone ends."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        _be(workload, server, folder, seconds, pipe)
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {error}")


def _be(workload: Workload, server: Server, folder: str, seconds: float, pipe: Connection) -> None:
    client = Client(server.address)
    # The password is checked and the connection is open before time counts.
    client.ask(server.address.request("PROPFIND", folder, headers=[("Depth", "0")]), 207)
    watch = Watch(ProcessTree(server.pid))
    operations = workload.operations(Run(client, folder, watch, server.stock))
    next(operations)
    pipe.send(_Part(0, 0, 0, 0, 0))
    pipe.recv()
    began = time.monotonic()
    watch.start()
    count = 0
    while not count or (watch.seconds < seconds and time.monotonic() - began < seconds * _PATIENCE):
        next(operations)
        count += 1
    watch.stop()
    pipe.send(_Part(count, began, time.monotonic(), watch.seconds, watch.halted_cpu_seconds))
    client.close()
