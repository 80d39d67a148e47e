"""What a server asks of the disk before it says yes, seen by strace."""

import os
import re
import signal
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.live.server import Server
from tests.live.wait import eventually
from tests.needs import program

_CALLS = (
    "openat,mkdirat,mkdir,renameat,renameat2,rename,linkat,link,unlinkat,unlink,"
    "write,writev,pwrite64,pwritev,sendfile,copy_file_range,ftruncate,"
    "fsync,fdatasync,sendto,sendmsg"
)

_LINE = re.compile(r"(\d+) +(.*)")
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>(.*)")
_UNFINISHED = " <unfinished ...>"
_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+)(?:<(.*?)>)?(?:\(deleted\))?(?: .*)?")
#: A descriptor with what it stands for, or a string.
_ARGUMENT = re.compile(r'(?:\w+<([^>]*)>)|"((?:[^"\\]|\\.)*)"')

_WRITES = {"write", "writev", "pwrite64", "pwritev", "sendfile", "copy_file_range", "ftruncate"}
_SYNCS = {"fsync", "fdatasync"}
_BINDS = {"mkdirat", "mkdir", "renameat", "renameat2", "rename", "linkat", "link"}
_UNBINDS = {"unlinkat", "unlink"}


@dataclass(frozen=True)
class Event:
    """One system call that succeeded.

    Args:
        kind: ``bind`` (a name appears), ``unbind``, ``write``, ``sync`` or ``answer``.
        path: of the file or directory; for an answer the beginning of its text.
    """

    kind: str
    path: str


Trace = list[Event]


@dataclass
class Recording:
    """What the threads of a worker did while it was looked at, as far as it is written."""

    file: Path

    def request(self, head: str) -> Trace:
        """Find what led to the one answer that begins with *head*, and the answer itself."""
        found = [
            trace
            for thread in parse(self.file.read_text(errors="replace")).values()
            for trace in _requests(thread)
            if head in trace[-1].path
        ]
        assert len(found) == 1, (head, found)
        return found[0]


@contextmanager
def recorded(server: Server, file: Path) -> Iterator[Recording]:
    """Look at the only worker of *server*; what is not written at the end is not recorded."""
    (worker,) = server.workers()
    command = [program("strace"), "-f", "-y", "-s", "400", "-e", f"trace={_CALLS}"]
    command += ["-p", str(worker), "-o", str(file)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
        assert strace.stderr is not None
        said = strace.stderr.readline()
        assert "attached" in said, said
        eventually(lambda: _all_traced(worker, strace.pid))
        try:
            yield Recording(file)
        finally:
            strace.send_signal(signal.SIGTERM)  # it lets go of the worker


def _all_traced(worker: int, tracer: int) -> None:
    for thread in os.listdir(f"/proc/{worker}/task"):  # noqa: PTH208  # names, not paths
        status = Path(f"/proc/{worker}/task/{thread}/status").read_text()
        assert f"TracerPid:\t{tracer}\n" in status


def parse(text: str) -> dict[str, Trace]:
    """Read the output of ``strace -f -y``: the events of each thread, in order."""
    threads: dict[str, Trace] = {}
    begun: dict[str, str] = {}
    for line in text.splitlines():
        numbered = _LINE.fullmatch(line)
        if numbered is None:
            continue
        thread, call = numbered.groups()
        resumed = _RESUMED.fullmatch(call)
        if call.endswith(_UNFINISHED):
            begun[thread] = call.removesuffix(_UNFINISHED)
            continue
        if resumed is not None:
            call = begun.pop(thread, "") + resumed[1]
        threads.setdefault(thread, []).extend(_events(call))
    return threads


def _events(line: str) -> Iterator[Event]:
    call = _CALL.fullmatch(line)
    if call is None or int(call[3]) < 0:
        return
    name, arguments, _, opened = call.groups()
    found = _ARGUMENT.findall(arguments)
    if name in ("sendto", "sendmsg"):
        said = next((text for _, text in found if text), "")
        if said.startswith("HTTP/1.1 "):
            yield Event("answer", said)
    elif name == "openat" and "O_CREAT" in arguments:
        yield Event("bind", opened)
    elif name in _BINDS:
        yield Event("bind", _last_path(found))
    elif name in _UNBINDS:
        yield Event("unbind", _last_path(found))
    elif name in _WRITES | _SYNCS and found:
        yield Event("sync" if name in _SYNCS else "write", found[0][0])


def _last_path(arguments: list[tuple[str, str]]) -> str:
    """Join the last name with the directory that it is in."""
    index = max(i for i, (_, name) in enumerate(arguments) if name)
    folder = arguments[index - 1][0] if index else ""
    return str(Path(folder) / arguments[index][1])


def _requests(thread: Trace) -> Iterator[Trace]:
    """Cut what a thread did after each answer."""
    begin = 0
    for index, event in enumerate(thread):
        if event.kind == "answer":
            yield thread[begin : index + 1]
            begin = index + 1


class Order:
    """The order in which a change has to reach the disk.

    Every file is synced after its last byte, and every directory after the last
    name that appeared in it: blobs before the catalogue names them, the
    catalogue before the answer is given or the bytes of before are deleted.
    Then a power cut at any moment finds the change whole, or none of it, and an
    answer only together with the change.

    Args:
        data: the data folder; what is written elsewhere is no promise.
    """

    def __init__(self, data: Path) -> None:
        self._blobs = f"{data}/blobs/"
        self._log = f"{data}/davhost.sqlite-wal"

    def check(self, trace: Iterable[Event]) -> list[str]:
        """Fail unless the order is right; say which blobs were written."""
        unsynced: dict[str, str] = {}
        written: list[str] = []
        answered = committed = False
        for event in trace:
            if event.kind == "answer":
                assert committed, "it is answered before anything is committed"
                assert not unsynced, f"it is answered before {unsynced}"
                answered = True
            if not self._matters(event.path):
                continue
            if event.kind == "sync":
                committed = committed or (event.path == self._log and event.path in unsynced)
                unsynced.pop(event.path, None)
            elif event.kind in ("bind", "unbind") and event.path == self._log:
                # It is there from the start, and each new connection opens it like this.
                assert event.kind == "bind", "the log is removed while the server runs"
            elif event.kind == "bind":
                unsynced[str(Path(event.path).parent)] = f"the name {event.path} is on the disk"
            elif event.kind == "unbind" and event.path.startswith(self._blobs):
                assert self._log not in unsynced, "a blob is deleted before that is committed"
            elif event.kind == "write":
                if event.path == self._log:
                    bytes_ = {p: why for p, why in unsynced.items() if p != self._log}
                    assert not bytes_, f"it is committed before {bytes_}"
                elif event.path not in written and event.path.startswith(self._blobs):
                    written.append(event.path)
                unsynced[event.path] = f"the bytes of {event.path} are on the disk"
        assert answered, "there is no answer"
        return written

    def _matters(self, path: str) -> bool:
        # What is in the log is safe there: SQLite copies it into the database, and
        # syncs that, in its own time. The readable tree follows the catalogue. A
        # marker is a note for after a crash: nothing is lost with it.
        pending = path.startswith(f"{self._blobs}pending/")
        return path == self._log or (f"{path}/".startswith(self._blobs) and not pending)
