"""Writers of SQLite take turns and share commits; none is told yes before the commit."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from davhost.catalogue import engine, transactions
from davhost.catalogue.connections import Connections, Lent
from davhost.catalogue.prepared import Prepared
from davhost.catalogue.schema import known_address, throttle
from davhost.catalogue.transactions import Transaction
from davhost.catalogue.writers import Door
from davhost.errors import DiskFull, Unavailable

_ADD = Prepared(insert(throttle), ["key", "wrong", "at"])
_KEYS = select(throttle.c.key).order_by(throttle.c.key)

Work = Callable[[Transaction], None]


class Hall:
    """Threads that write to one database, and how often something was committed."""

    def __init__(self, database: Connections, monkeypatch: pytest.MonkeyPatch) -> None:
        self.database = database
        self.commits = 0
        self.is_committing = threading.Event()
        self.may_commit = threading.Event()
        self.may_commit.set()
        self._threads = ThreadPoolExecutor(max_workers=16)
        commit = Lent.commit

        def counted(lent: Lent) -> None:
            self.is_committing.set()
            assert self.may_commit.wait(60)
            self.commits += 1
            commit(lent)

        monkeypatch.setattr(Lent, "commit", counted)

    def close(self) -> None:
        """Wait for the threads."""
        self.may_commit.set()
        self._threads.shutdown()
        self.database.close()

    def write(self, work: Work, *, shares: bool = True) -> Future[None]:
        """Let somebody write; when this returns, they are in or stand in the row."""
        is_in, writers = threading.Event(), self.database.writers
        assert writers is not None
        row = len(writers._row)

        def run() -> None:
            with Transaction(self.database, writes=True, shares=shares) as running:
                is_in.set()
                work(running)

        future = self._threads.submit(run)
        while not (is_in.is_set() or len(writers._row) > row or future.done()):
            is_in.wait(0.001)
        return future

    def hold(
        self, key: str = "first", *, shares: bool = True
    ) -> tuple[Future[None], Callable[[], None]]:
        """Let somebody write until they are released, so that others stand in the row."""
        go_on = threading.Event()

        def work(running: Transaction) -> None:
            add(running, key)
            assert go_on.wait(60)

        return self.write(work, shares=shares), go_on.set

    def keys(self) -> list[str]:
        """What has been written."""
        with self.database.engine.connect() as other:
            return list(other.execute(_KEYS).scalars())


@pytest.fixture
def hall(sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hall]:
    """An empty database and nobody in it."""
    file = tmp_path / "davhost.sqlite"
    shutil.copyfile(sqlite_template, file)
    hall = Hall(Connections(engine.connect(f"sqlite:///{file}", durable=True)), monkeypatch)
    yield hall
    hall.close()


def add(running: Transaction, key: str) -> None:
    running.run(_ADD, key=key, wrong=1.0, at=0.0)


def adding(key: str) -> Work:
    return lambda running: add(running, key)


def failing(key: str) -> Work:
    def work(running: Transaction) -> None:
        add(running, key)
        raise ZeroDivisionError

    return work


def breaking_the_commit(running: Transaction) -> None:
    """Promise a row until the commit, and break the promise."""
    running.execute(text("PRAGMA defer_foreign_keys = ON"))
    running.execute(insert(known_address).values(user_id=1, address="nobody's", at_us=0))


def test_who_follows_at_once_shares_the_commit(hall: Hall) -> None:
    first, release = hall.hold()
    others = [hall.write(adding(f"k{number}")) for number in range(9)]
    release()
    for future in (first, *others):
        future.result(60)
    assert hall.commits == 1
    assert hall.keys() == ["first", *[f"k{number}" for number in range(9)]]


def test_nobody_goes_on_before_the_commit(hall: Hall) -> None:
    first, release = hall.hold()
    others = [hall.write(adding(f"k{number}")) for number in range(3)]
    hall.may_commit.clear()
    release()
    assert hall.is_committing.wait(60)
    assert not any(future.done() for future in (first, *others))
    assert hall.keys() == []
    hall.may_commit.set()
    for future in (first, *others):
        future.result(60)


@pytest.mark.parametrize("fails", range(4))
def test_who_fails_fails_alone(hall: Hall, fails: int) -> None:
    """The first, the last or one in the middle: what the others wrote stays."""
    works = [
        failing(f"k{number}") if number == fails else adding(f"k{number}") for number in range(4)
    ]
    door, release = hall.hold("held", shares=False)
    futures = [hall.write(work) for work in works]
    release()
    door.result(60)
    for number, future in enumerate(futures):
        if number == fails:
            with pytest.raises(ZeroDivisionError):
                future.result(60)
        else:
            future.result(60)
    assert hall.keys() == ["held", *[f"k{number}" for number in range(4) if number != fails]]


def test_a_statement_that_fails_fails_alone(hall: Hall) -> None:
    first, release = hall.hold("same")
    twin, last = hall.write(adding("same")), hall.write(adding("last"))
    release()
    first.result(60)
    last.result(60)
    with pytest.raises(IntegrityError):
        twin.result(60)
    assert hall.keys() == ["last", "same"]


@pytest.mark.parametrize("place", range(3))
def test_a_commit_that_fails_is_nobodys_yes(hall: Hall, place: int) -> None:
    """Whoever broke it; and the next one writes as if nothing had been."""
    first, release = hall.hold()
    works = [adding("a"), adding("b")]
    works.insert(place, breaking_the_commit)
    futures = [first, *map(hall.write, works)]
    release()
    for future in futures:
        with pytest.raises(DBAPIError):
            future.result(60)
    assert hall.keys() == []
    hall.write(adding("next")).result(60)
    assert hall.keys() == ["next"]


def test_who_is_refused_is_not_told_yes_either_when_the_commit_fails(hall: Hall) -> None:
    """What it was refused for may never have been."""
    first, release = hall.hold()
    broken, refused = hall.write(breaking_the_commit), hall.write(failing("refused"))
    release()
    for future in (first, broken, refused):
        with pytest.raises(DBAPIError):
            future.result(60)


def test_a_full_disk_loses_nothing_that_was_told(hall: Hall) -> None:
    """Whatever SQLite takes back when there is no more room, nobody of them is told yes for it."""

    def filling(running: Transaction) -> None:
        running.execute(text("PRAGMA max_page_count = 1"))  # as many as there are
        for number in range(2000):
            add(running, f"{number} {'x' * 2000}")

    first, release = hall.hold()
    full, last = hall.write(filling), hall.write(adding("last"))
    release()
    with pytest.raises((DiskFull, Unavailable)):
        full.result(60)
    told = [
        key for key, future in (("first", first), ("last", last)) if future.exception(60) is None
    ]
    assert hall.keys() == sorted(told)


def test_what_takes_long_shares_no_commit(hall: Hall) -> None:
    """Nobody waits for it who was there before; it waits for nobody."""
    first, release = hall.hold()
    long = hall.write(adding("long"), shares=False)
    last = hall.write(adding("last"))
    release()
    for future in (first, long, last):
        future.result(60)
    assert hall.commits == 3


def test_who_waits_too_long_is_refused_and_forgotten(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, release = hall.hold()
    with monkeypatch.context() as patched:
        patched.setattr(transactions, "BUSY_SECONDS", 0.01)
        with pytest.raises(Unavailable, match="busy"):
            hall.write(adding("late")).result(60)
    other = hall.write(adding("other"))
    release()
    first.result(60)
    other.result(60)
    assert hall.keys() == ["first", "other"]


def test_more_than_a_commit_holds(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("davhost.catalogue.writers._GROUP_MAX", 3)
    first, release = hall.hold()
    others = [hall.write(adding(f"k{number}")) for number in range(6)]
    release()
    for future in (first, *others):
        future.result(60)
    assert hall.commits == 3
    assert len(hall.keys()) == 7


def test_a_database_without_a_place_for_the_door_is_written_all_the_same(hall: Hall) -> None:
    """The door is a courtesy among processes."""
    file = Path(f"{hall.database.engine.url.database}-writers")
    file.mkdir()
    hall.write(adding("a")).result(60)
    assert hall.keys() == ["a"]


#: Comes in, and when it is told to goes out and asks again at once, behind who waits.
_PASSER = """
import fcntl, sys, time
from pathlib import Path
from davhost.catalogue.writers import Door
from davhost.errors import Unavailable
door = Door(Path(sys.argv[1]))
door.enter(time.monotonic() + 60)
print("in", flush=True)
while True:  # until somebody waits
    try:
        fcntl.lockf(door._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 0)
    except OSError:
        break
    fcntl.lockf(door._descriptor, fcntl.LOCK_UN, 1, 0)
    time.sleep(0.001)
door.leave()
try:
    door.enter(0)
except Unavailable:
    print("behind", flush=True)
else:
    print("passed", flush=True)
"""


@pytest.fixture
def passer(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process, which is in."""
    command = [sys.executable, "-c", _PASSER, str(tmp_path / "door")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert says(other) == "in"
        yield other
        other.kill()


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    """The door of this process."""
    door = Door(tmp_path / "door")
    yield door
    door.leave()
    door.close()


def says(other: subprocess.Popen[str]) -> str:
    assert other.stdout is not None
    return other.stdout.readline().strip()


def test_no_process_passes_one_that_waits(passer: subprocess.Popen[str], door: Door) -> None:
    door.enter(time.monotonic() + 60)
    assert says(passer) == "behind"


def test_a_process_that_dies_leaves_the_door_open(
    passer: subprocess.Popen[str], door: Door
) -> None:
    with pytest.raises(Unavailable, match="busy"):
        door.enter(0)
    passer.kill()
    door.enter(time.monotonic() + 60)
