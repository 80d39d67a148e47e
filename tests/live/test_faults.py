"""Disks and databases that fail while the server serves, and come back.

Whatever is away, what needs it is refused with 503 and Retry-After, or 507, and
everything else goes on. When it is back so is the server, without a restart,
and nothing is lost.
"""

import errno
import os
import resource
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.live.at_once import at_once
from tests.live.client_contract import is_tree, some_bytes
from tests.live.conftest import MakeServer
from tests.live.dav import Answer, Dav, href
from tests.live.mounts import remount, tmpfs
from tests.live.server import Server
from tests.live.storage import TIDY
from tests.live.wait import PATIENCE_SECONDS, eventually
from tests.postgres import running_postgres

OLD = some_bytes(200_000, "old")
NEW = some_bytes(300_000, "new")
PROPERTY = (
    b'<propertyupdate xmlns="DAV:"><set><prop><x xmlns="urn:x">1</x></prop></set></propertyupdate>'
)

#: What a home holds before anything fails.
BEFORE = {"old.pdf": OLD, "d": None, "d/other.pdf": OLD[::-1]}


def fill_home(box: Dav) -> None:
    """Make it hold `BEFORE`."""
    box.put("/old.pdf", OLD)
    box.make_collection("/d")
    box.put("/d/other.pdf", OLD[::-1])


def uploads(box: Dav) -> list[partial[Answer]]:
    """What needs the disk of the files."""
    return [
        partial(box.request, "PUT", "/new.pdf", NEW),
        partial(box.request, "PUT", "/old.pdf", NEW),
        partial(box.request, "PUT", "/d/new.pdf", iter([NEW, NEW])),
    ]


def changes(box: Dav) -> list[partial[Answer]]:
    """What needs only the catalogue."""
    return [
        partial(box.request, "MKCOL", "/made"),
        partial(box.copy, "/d", "/copied"),
        partial(box.request, "PUT", "/empty.txt", b""),
        partial(box.request, "PROPPATCH", "/d", PROPERTY),
    ]


def clear(box: Dav) -> None:
    """Take away what `changes` has made."""
    for path in ("/made", "/copied", "/empty.txt"):
        assert box.request("DELETE", path).status == 204


def departures(box: Dav) -> list[partial[Answer]]:
    """What would change what was there before."""
    return [
        partial(box.request, "DELETE", "/d"),
        partial(box.move, "/d", "/e"),
        partial(box.lock, "/old.pdf"),
    ]


def refused(answer: Answer, *statuses: int) -> None:
    """See that it was refused, and that a 503 says when to come back."""
    assert answer.status in statuses, (answer.status, answer.body)
    assert answer.status != 503 or int(answer.headers["Retry-After"]) > 0


def reads(box: Dav) -> None:
    """See that everything of before can be listed and read."""
    is_tree(box, "", BEFORE)


def works_again(server: Server, box: Dav) -> None:
    """Write, read, and compare everything with everything."""
    box.put("/new.pdf", NEW)
    box.put("/old.pdf", NEW[::-1])
    assert box.request("DELETE", "/d").status == 204
    is_tree(box, "", {"new.pdf": NEW, "old.pdf": NEW[::-1]})
    eventually(partial(is_clean, server))


def is_clean(server: Server) -> None:
    """See that no invariant is broken and every byte is right."""
    checked = server.run("check", "--deep")
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.needs("root", "mount")
def test_a_disk_without_inodes_is_507(make_server: MakeServer, tmp_path: Path) -> None:
    """No file can be made: uploads are 507; changes of the catalogue and reading go on."""
    disk = tmp_path / "disk"
    settings = TIDY | {"DAVHOST_DISK_RESERVE": "0"}
    with (
        tmpfs(disk, "size=100m,nr_inodes=2000"),
        make_server(data=disk / "data", settings=settings) as server,
    ):
        box = server.new_user("inodes")
        fill_home(box)
        with no_inodes(disk):
            for upload in uploads(box):
                refused(upload(), 507)
            reads(box)
            for change in changes(box):
                assert change().status in (201, 207)
        clear(box)
        reads(box)
        works_again(server, box)


@contextmanager
def no_inodes(disk: Path) -> Iterator[None]:
    """Take them all, and take those that become free."""
    folder = disk / "taken"
    folder.mkdir()
    with ExitStack() as stack:
        done = threading.Event()
        taker = threading.Thread(target=_take_inodes, args=(folder, done))
        stack.callback(lambda: [file.unlink() for file in folder.iterdir()])
        stack.callback(taker.join)
        stack.callback(done.set)
        taker.start()
        eventually(lambda: _none_left(disk))
        yield


def _take_inodes(folder: Path, done: threading.Event) -> None:
    number = 0
    while not done.is_set():
        try:
            (folder / str(number)).touch()
            number += 1
        except OSError as error:
            assert error.errno == errno.ENOSPC  # noqa: PT017  # a helper, not a test
            done.wait(0.01)


def _none_left(disk: Path) -> None:
    assert os.statvfs(disk).f_favail == 0


@pytest.mark.needs("root", "mount")
def test_a_disk_that_is_read_only_is_503(
    make_server: MakeServer, tmp_path: Path, postgres_url: str
) -> None:
    """Uploads are refused; what the database alone can do goes on, and so does reading."""
    disk = tmp_path / "disk"
    with tmpfs(disk, "size=100m"):
        server = make_server(data=disk / "data", settings=TIDY, database_url=postgres_url)
        with server:
            box = server.new_user("readonly")
            fill_home(box)
            # Nothing may be open for writing: the trees are up to date, and all is swept.
            eventually(partial(remount, disk, "ro"))
            for upload in uploads(box):
                refused(upload(), 503)
            reads(box)
            for change in changes(box):
                assert change().status in (201, 207)
            remount(disk, "rw")
            clear(box)
            reads(box)
            works_again(server, box)


def test_a_disk_that_refuses_every_write_is_503(make_server: MakeServer) -> None:
    """Neither the catalogue (SQLite) nor a file can be written; reading goes on."""
    with make_server(workers=2, settings=TIDY) as server:
        box = server.new_user("refused")
        fill_home(box)
        for _ in range(20):
            reads(box)  # until both workers know the password and have their connections
        with no_writes(server):
            for ask in [*uploads(box), *changes(box), *departures(box)]:
                refused(ask(), 503)
            reads(box)
        reads(box)
        works_again(server, box)


@contextmanager
def no_writes(server: Server) -> Iterator[None]:
    """Let no file of the workers have any byte: every write fails with EFBIG."""
    workers = server.workers()
    before = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in workers}
    for pid, (_, hard) in before.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        for pid, limits in before.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
    assert server.workers() == workers


def is_taken(box: Dav, name: str, body: bytes) -> bool:
    """Upload a file; False when the server says that it should be tried again."""
    try:
        answer = box.request("PUT", href(name), body)
    except (OSError, HTTPException):
        return False  # not even a connection
    if answer.status in (201, 204):
        return True
    refused(answer, 503)
    return False


@pytest.mark.needs("prlimit")
def test_64_descriptors_are_enough_to_survive(make_server: MakeServer) -> None:
    """Far more clients than that at once: who is told to come back, and does, is served."""
    crowd, files = 40, 5
    settings = TIDY | {"DAVHOST_HOUSEKEEPING_INTERVAL_SECONDS": "2"}
    with make_server(workers=1, settings=settings, descriptors=64) as server:
        box = server.new_user("crowd")
        fill_home(box)

        def upload(number: int) -> None:
            for file in range(files):
                name = f"{number} {file}.pdf"
                while not is_taken(box, name, some_bytes(100_000, name)):
                    assert time.monotonic() < give_up_at
                    time.sleep(0.1)

        give_up_at = time.monotonic() + PATIENCE_SECONDS
        at_once(*(partial(upload, number) for number in range(crowd)))
        names = [f"{number} {file}.pdf" for number in range(crowd) for file in range(files)]
        is_tree(box, "", BEFORE | {name: some_bytes(100_000, name) for name in names})
        for name in names:
            assert box.request("DELETE", href(name)).status == 204
        works_again(server, box)


def test_a_database_that_another_program_locks_is_503(make_server: MakeServer) -> None:
    """Whoever wants to write is told to come back, nobody waits for ever, and reading goes on."""
    with make_server(workers=2, settings=TIDY) as server:
        box = server.new_user("locked")
        fill_home(box)
        for _ in range(20):
            reads(box)  # until both workers know the password
        other = sqlite3.connect(server.data / "davhost.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            with ThreadPoolExecutor() as threads:
                asked = [*uploads(box), *changes(box), *departures(box)]
                answers = [threads.submit(ask) for ask in asked]
                reads(box)
            for answer in answers:
                refused(answer.result(), 503)
            reads(box)
        finally:
            other.close()
        works_again(server, box)


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_postgresql_that_stops_is_503_until_it_is_back(
    make_server: MakeServer, mode: str
) -> None:
    """Clients go on all the time: what was answered is there, and nothing else is in the way."""
    with ExitStack() as stack:
        postgres = stack.enter_context(running_postgres())
        url = postgres.url(postgres.create_database())
        server = stack.enter_context(make_server(workers=2, settings=TIDY, database_url=url))
        box = server.new_user("stopped")
        fill_home(box)
        writers = [Writer(box, number) for number in range(4)]
        for writer in writers:
            writer.start()
            stack.callback(writer.end)
        for _ in range(2):
            eventually(lambda: all_get(writers, {201}))
            postgres.stop(mode)
            eventually(lambda: all_get(writers, {503}))
            postgres.start()
        eventually(lambda: all_get(writers, {201}))
        for writer in writers:
            writer.end()
            assert writer.statuses <= {201, 503}
        found = box.tree()
        for writer in writers:
            assert writer.stored.items() <= found.items()
        for name in found.keys() - BEFORE.keys():
            assert found[name] == Writer.content(name)
            assert box.request("DELETE", href(name)).status == 204
        works_again(server, box)


def all_get(writers: list["Writer"], statuses: set[int]) -> None:
    """See that from now on everybody is answered like that."""
    for writer in writers:
        writer.statuses |= writer.latest
        writer.latest.clear()
    eventually(lambda: all_answered(writers))
    assert all(writer.latest <= statuses for writer in writers)


def all_answered(writers: list["Writer"]) -> None:
    assert all(writer.latest for writer in writers)


class Writer(threading.Thread):
    """Writes new files until it is told to end, whatever it is answered."""

    def __init__(self, box: Dav, number: int) -> None:
        super().__init__()
        self._box = box
        self._number = number
        self._over = threading.Event()
        self.stored: dict[str, bytes] = {}
        self.latest: set[int] = set()
        self.statuses: set[int] = set()

    @staticmethod
    def content(name: str) -> bytes:
        """What is written under a name."""
        return some_bytes(30_000, name)

    def run(self) -> None:
        """Write."""
        number = 0
        while not self._over.wait(0.02):
            number += 1
            name = f"{self._number} {number}.pdf"
            answer = self._box.request("PUT", href(name), self.content(name))
            if answer.status == 201:
                self.stored[name] = self.content(name)
            else:
                refused(answer, 503)
            self.latest.add(answer.status)

    def end(self) -> None:
        """Stop writing."""
        self._over.set()
        self.join()
        self.statuses |= self.latest
