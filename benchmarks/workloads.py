"""What is measured: each workload is its stock, and an endless row of operations.

A workload never measures a wrong answer: every status is checked, and of the
first listing of a run also how many members it tells.
"""

import contextlib
import dataclasses
import os
import re
import socket
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import propfind
from benchmarks.client import PATIENCE_SECONDS, Client, UnexpectedAnswer
from benchmarks.programs import find, output_of
from benchmarks.watch import Watch

_MIB = 1 << 20
_GIB = 1 << 30
_RESPONSE = re.compile(rb"</(?:\w+:)?response>")
#: How many resources are prepared at once, and at most for how long, while the watch stands.
_BATCH = 200
_BATCH_SECONDS = 3.0
#: How long a client waits for an answer beside many others.
_CROWD_PATIENCE_SECONDS = 15.0


@dataclass
class Run:
    """One connection's part of one measurement.

    Attributes:
        folder: a new, empty collection of this connection, with a slash at its end.
        stock: the files that every server has held from the start.
    """

    client: Client
    folder: str
    watch: Watch
    stock: Path

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
        """Make the bytes of a request; headers are named as in Python, if_match."""
        named = [(name.replace("_", "-").title(), value) for name, value in headers.items()]
        return self.client.address.request(method, path, body, headers=named)

    def url(self, path: str) -> str:
        """Give the address of a path, for Destination."""
        return self.client.address.url(path)


@dataclass(frozen=True)
class Workload(ABC):
    """One row of the table."""

    name: str
    #: What an operation consists of, in the plural, and how many of them.
    unit: str = field(default="requests", kw_only=True)
    amount: float = field(default=1, kw_only=True)
    connections: int = field(default=1, kw_only=True)

    def stock(self, folder: Path) -> None:  # noqa: B027 most need nothing
        """Make in *folder* what the servers must hold before they start."""

    @abstractmethod
    def operations(self, run: Run) -> Iterator[None]:
        """Prepare for the first value that is asked for, then do one operation for each."""


def _write(path: Path, size_bytes: int) -> None:
    """Make a file of that size, if there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        return
    block = bytes(range(256)) * 4096
    with path.open("wb") as file:
        for start in range(0, size_bytes, len(block)):
            file.write(block[: size_bytes - start])


class GetSmall(Workload):
    """GET of 1 KiB."""

    def stock(self, folder: Path) -> None:
        """Make the file."""
        _write(folder / "small.bin", 1024)

    def operations(self, run: Run) -> Iterator[None]:
        """Get it."""
        request = run.request("GET", "/small.bin")
        yield
        while True:
            if run.client.ask(request, 200).length != 1024:
                raise UnexpectedAnswer("GET /small.bin: not 1024 bytes")
            yield


class PropfindZero(GetSmall):
    """PROPFIND of one file."""

    def operations(self, run: Run) -> Iterator[None]:
        """Ask for its properties."""
        request = run.request(
            "PROPFIND",
            "/small.bin",
            propfind.RCLONE,
            depth="0",
            content_type="application/xml",
        )
        yield
        while True:
            run.client.ask(request, 207)
            yield


@dataclass(frozen=True)
class Listing(Workload):
    """PROPFIND of a collection, Depth 1.

    Where the listing shall be the first one, another connection writes one member
    before each, so that nothing of the collection before can be used again.
    """

    entries: int
    properties: str
    first: bool

    @property
    def path(self) -> str:
        """The collection."""
        return f"/list-{self.entries}/"

    def stock(self, folder: Path) -> None:
        """Make the collection."""
        for number in range(self.entries):
            _write(folder / self.path.strip("/") / f"Some file {number:05d}.txt", 10)

    def operations(self, run: Run) -> Iterator[None]:
        """List it."""
        request = run.request(
            "PROPFIND",
            self.path,
            propfind.BODIES[self.properties],
            depth="1",
            content_type="application/xml",
        )
        told = len(_RESPONSE.findall(run.client.ask(request, 207, keep=True).body))
        if told != self.entries + 1:
            raise UnexpectedAnswer(f"{self.path} lists {told} resources")
        other = Client(run.client.address)
        write = run.request("PUT", self.path + "Some%20file%2000000.txt", b"0123456789")
        if self.first:
            # Another worker may have to check the password, which needs memory of its own.
            other.ask(write, 200, 201, 204)
        yield
        while not self.first:
            run.client.ask(request, 207)
            yield
        while True:
            with run.watch.halted():
                other.ask(write, 200, 201, 204)
            run.client.ask(request, 207)
            yield


class GetLarge(Workload):
    """GET of 1 GiB."""

    def stock(self, folder: Path) -> None:
        """Make the file."""
        _write(folder / "large.bin", _GIB)

    def operations(self, run: Run) -> Iterator[None]:
        """Get it."""
        request = run.request("GET", "/large.bin")
        yield
        while True:
            if run.client.ask(request, 200).length != _GIB:
                raise UnexpectedAnswer("GET /large.bin: not 1 GiB")
            yield


class PutLarge(Workload):
    """PUT of 1 GiB to a new name."""

    def operations(self, run: Run) -> Iterator[None]:
        """Send it, and delete it again."""
        block = memoryview(bytes(range(256)) * (_MIB // 256))
        path = run.folder + "large.bin"
        request = run.client.address.request("PUT", path, length=_GIB)
        delete = run.request("DELETE", path)
        yield
        while True:
            run.client.ask(request, 201, content=(block for _ in range(_GIB // _MIB)))
            yield
            with run.watch.halted():
                run.client.ask(delete, 200, 204)


class PutNew(Workload):
    """PUT of 4 KiB to a new name."""

    def operations(self, run: Run) -> Iterator[None]:
        """Write one file after the other."""
        body = b"x" * 4096
        number = 0
        yield
        while True:
            run.client.ask(run.request("PUT", f"{run.folder}{number}.bin", body), 201)
            number += 1
            yield


class PutOver(Workload):
    """PUT of 4 KiB over a file."""

    def operations(self, run: Run) -> Iterator[None]:
        """Write the same file again and again."""
        request = run.request("PUT", run.folder + "over.bin", b"x" * 4096)
        run.client.ask(request, 201)
        yield
        while True:
            run.client.ask(request, 200, 201, 204)
            yield


class MakeCollection(Workload):
    """MKCOL."""

    def operations(self, run: Run) -> Iterator[None]:
        """Make one collection beside the other."""
        number = 0
        yield
        while True:
            run.client.ask(run.request("MKCOL", f"{run.folder}{number}/"), 201)
            number += 1
            yield


class MoveFile(Workload):
    """MOVE of a file to a new name beside it."""

    def operations(self, run: Run) -> Iterator[None]:
        """Rename a file to and fro."""
        names = [run.folder + "here.bin", run.folder + "there.bin"]
        run.client.ask(run.request("PUT", names[0], b"x" * 4096), 201)
        moves = [
            run.request("MOVE", source, destination=run.url(destination))
            for source, destination in (names, reversed(names))
        ]
        yield
        while True:
            for move in moves:
                run.client.ask(move, 201, 204)  # nginx says 204, whether it replaces or not
                yield


class DeleteFile(Workload):
    """DELETE of a file."""

    def operations(self, run: Run) -> Iterator[None]:
        """Delete files that have been written while the watch stood."""
        number = 0
        yield
        while True:
            paths: list[str] = []
            with run.watch.halted():
                full_at = time.monotonic() + _BATCH_SECONDS
                while len(paths) < _BATCH and time.monotonic() < full_at:
                    number += 1
                    paths.append(f"{run.folder}{number}.bin")
                    run.client.ask(run.request("PUT", paths[-1], b"x" * 4096), 201)
            for path in paths:
                run.client.ask(run.request("DELETE", path), 200, 204)
                yield


class LockUnlock(Workload):
    """LOCK and UNLOCK of a file."""

    def operations(self, run: Run) -> Iterator[None]:
        """Lock it and unlock it."""
        path = run.folder + "locked.bin"
        run.client.ask(run.request("PUT", path, b"x" * 4096), 201)
        body = (
            b'<?xml version="1.0" encoding="utf-8"?><D:lockinfo xmlns:D="DAV:">'
            b"<D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype>"
            b"<D:owner><D:href>ada</D:href></D:owner></D:lockinfo>"
        )
        lock = run.request(
            "LOCK", path, body, depth="0", timeout="Second-600", content_type="application/xml"
        )
        yield
        while True:
            token = run.client.ask(lock, 200).headers[b"lock-token"].decode()
            run.client.ask(run.request("UNLOCK", path, lock_token=token), 204)
            yield


class CopyLarge(Workload):
    """COPY of 100 MiB to a new name."""

    def stock(self, folder: Path) -> None:
        """Make the file."""
        _write(folder / "hundred.bin", 100 * _MIB)

    def operations(self, run: Run) -> Iterator[None]:
        """Copy it; delete the copies while the watch stands."""
        copies = [f"{run.folder}{number}.bin" for number in range(5)]
        yield
        while True:
            for path in copies:
                copy = run.request("COPY", "/hundred.bin", destination=run.url(path))
                run.client.ask(copy, 200, 201, 204)  # lighttpd says 200
                yield
            with run.watch.halted():
                for path in copies:
                    run.client.ask(run.request("DELETE", path), 200, 204)


class TreeWorkload(Workload):
    """What is done with a collection of 500 files in 20 collections."""

    def stock(self, folder: Path) -> None:
        """Make the tree."""
        for number in range(500):
            _write(folder / "tree" / f"part {number % 20}" / f"file {number}.bin", 1000 + number)

    def copy(self, run: Run, path: str) -> None:
        """Make a tree of the same kind."""
        destination = run.url(path)
        copy = run.request("COPY", "/tree/", destination=destination, depth="infinity")
        run.client.ask(copy, 200, 201, 204)  # lighttpd says 200


class DeleteTree(TreeWorkload):
    """DELETE of the tree."""

    def operations(self, run: Run) -> Iterator[None]:
        """Delete trees that have been copied while the watch stood."""
        path = run.folder + "tree/"
        delete = run.request("DELETE", path)
        yield
        while True:
            with run.watch.halted():
                self.copy(run, path)
            run.client.ask(delete, 200, 204)
            yield


class MoveTree(TreeWorkload):
    """MOVE of the tree to a new name beside it."""

    def operations(self, run: Run) -> Iterator[None]:
        """Rename the tree to and fro."""
        names = [run.folder + "here/", run.folder + "there/"]
        self.copy(run, names[0])
        moves = [
            run.request("MOVE", source, destination=run.url(destination))
            for source, destination in (names, reversed(names))
        ]
        yield
        while True:
            for move in moves:
                run.client.ask(move, 200, 201, 204)  # lighttpd says 200
                yield


class RcloneSync(TreeWorkload):
    """rclone sync of the tree, where nothing has changed."""

    def operations(self, run: Run) -> Iterator[None]:
        """Run rclone, with its start, which is the same for all servers."""
        rclone = find("rclone")
        address = run.client.address
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            "RCLONE_CONFIG": "/dev/null",
            "RCLONE_CONFIG_DAV_TYPE": "webdav",
            "RCLONE_CONFIG_DAV_URL": run.url("/"),
            "RCLONE_CONFIG_DAV_VENDOR": "other",
            "RCLONE_CONFIG_DAV_USER": address.user,
            "RCLONE_CONFIG_DAV_PASS": output_of(rclone, "obscure", address.password),
        }
        # --immutable and --max-delete let it fail where there is anything to do.
        command = [rclone, "sync", "--immutable", "--max-delete", "0"]
        yield
        while True:
            done = subprocess.run(
                [*command, str(run.stock / "tree"), "dav:tree"],
                env=environment,
                capture_output=True,
                text=True,
                timeout=PATIENCE_SECONDS,
            )
            if done.returncode:
                raise UnexpectedAnswer(f"rclone sync: {done.stderr[-500:]}")
            yield


class BesideIdle(PropfindZero):
    """PROPFIND of one file while 500 other connections stand idle."""

    def operations(self, run: Run) -> Iterator[None]:
        """Open them, each with one answer, and ask on another."""
        idle = [Client(run.client.address) for _ in range(500)]
        options = run.request("OPTIONS", "/")
        for client in idle:
            client.ask(options)
        yield from super().operations(_impatient(run))


class BesideSlow(PropfindZero):
    """PROPFIND of one file while 200 clients upload a byte now and then."""

    def operations(self, run: Run) -> Iterator[None]:
        """Begin the uploads, and ask on another connection."""
        slow = []
        for number in range(200):
            client = Client(run.client.address)
            path = f"{run.folder}{number}.bin"
            client.connect().sendall(client.address.request("PUT", path, length=_MIB) + b"x" * 1024)
            slow.append(client.connect())
        drip = threading.Thread(target=_drip, args=(slow,), daemon=True)
        drip.start()
        time.sleep(1)
        yield from super().operations(_impatient(run))


def _drip(connections: list[socket.socket]) -> None:
    """Send a byte on each connection, over and over, until one of them ends."""
    with contextlib.suppress(OSError):
        while True:
            for connection in connections:
                connection.sendall(b"x")
            time.sleep(0.5)


def _impatient(run: Run) -> Run:
    """Give up soon on a server that others keep from answering."""
    client = Client(run.client.address, patience_seconds=_CROWD_PATIENCE_SECONDS)
    return dataclasses.replace(run, client=client)


def _listings() -> Iterator[Workload]:
    for entries in (100, 1000, 10_000, 50_000):
        for properties in propfind.BODIES:
            for first in (True, False):
                when = "first" if first else "again"
                yield Listing(
                    f"list-{entries}-{properties}-{when}",
                    entries,
                    properties,
                    first,
                    unit="entries",
                    amount=entries,
                )


WORKLOADS: dict[str, Workload] = {
    workload.name: workload
    for workload in (
        GetSmall("get-1k"),
        GetSmall("get-1k-16", connections=16),
        PropfindZero("propfind-0"),
        *_listings(),
        GetLarge("get-1g", unit="MiB", amount=1024),
        PutLarge("put-1g", unit="MiB", amount=1024),
        PutNew("put-4k-new"),
        PutNew("put-4k-new-8", connections=8),
        PutOver("put-4k-over"),
        PutOver("put-4k-over-8", connections=8),
        MakeCollection("mkcol"),
        MoveFile("move"),
        DeleteFile("delete"),
        LockUnlock("lock-unlock", unit="pairs"),
        CopyLarge("copy-100m"),
        MoveTree("move-tree"),
        DeleteTree("delete-tree"),
        RcloneSync("rclone-sync", unit="syncs"),
        BesideIdle("propfind-0-500-idle"),
        BesideSlow("propfind-0-200-slow"),
    )
}
