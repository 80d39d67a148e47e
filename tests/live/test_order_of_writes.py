"""A yes is on the disk: the order of system calls of one request.

What a power cut leaves cannot be tried here, but what it leaves follows from
the order of write, fsync and commit, and that can be seen.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.live.dav import Answer, Dav
from tests.live.server import Server
from tests.live.traces import Event, Order, Recording, Trace, parse, recorded
from tests.live.wait import eventually

pytestmark = pytest.mark.needs("strace")

BODY = b"All work and no play makes Jack a dull boy.\n" * 7_000
PROPERTY = (
    b'<propertyupdate xmlns="DAV:"><set><prop><x xmlns="urn:x">1</x></prop></set></propertyupdate>'
)


@dataclass(frozen=True)
class Case:
    """A request that changes something.

    Args:
        blobs: how many blobs it writes.
        new_folders: how many directories it has to make for them.
    """

    ask: Callable[[Dav], Answer]
    blobs: int = 0
    new_folders: int = 0


CASES = {
    "PUT, the first of an account": Case(lambda box: box.put("/a.txt", BODY), 1, new_folders=2),
    "PUT over a file": Case(lambda box: box.put("/a.txt", BODY.upper()), 1),
    "PUT in chunks": Case(lambda box: box.request("PUT", "/b.txt", iter([BODY, BODY])), 1),
    "PUT of nothing": Case(lambda box: box.put("/empty.txt", b"")),
    "PUT of a temporary": Case(lambda box: box.put("/~WRD0001.tmp", BODY), 1),
    "PUT over a temporary": Case(lambda box: box.put("/~WRD0001.tmp", BODY.upper()), 1),
    "MOVE of a temporary over a file": Case(lambda box: box.move("/~WRD0001.tmp", "/b.txt")),
    "MKCOL": Case(lambda box: box.request("MKCOL", "/d")),
    "COPY": Case(lambda box: box.copy("/a.txt", "/d/a.txt")),
    "COPY of a folder": Case(lambda box: box.copy("/d", "/e")),
    "MOVE of a folder": Case(lambda box: box.move("/e", "/f")),
    "MOVE over a file": Case(lambda box: box.move("/d/a.txt", "/a.txt")),
    "PROPPATCH": Case(lambda box: box.request("PROPPATCH", "/a.txt", PROPERTY)),
    "LOCK": Case(lambda box: box.lock("/a.txt")),
    "LOCK of a free name": Case(lambda box: box.lock("/new.txt")),
    "DELETE": Case(lambda box: box.request("DELETE", "/f")),
}


@dataclass
class Recorded:
    """All cases, done once one after the other."""

    order: Order
    recording: Recording
    request_ids: dict[str, str]

    def trace(self, name: str) -> Trace:
        """What was done for one case."""
        return self.recording.request(self.request_ids[name])


@pytest.fixture(scope="module")
def all_cases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """Do everything on a server as it comes, with one worker, under strace."""
    home = tmp_path_factory.mktemp("traced")
    with Server(home / "data", home, workers=1) as server:
        box = server.new_user("ann", allow=None)
        assert box.members() == {}  # signed in: that is written down the first time
        answers = {}
        with recorded(server, home / "trace") as recording:
            for name, case in CASES.items():
                answers[name] = case.ask(box)
                assert answers[name].status in (200, 201, 204, 207), (name, answers[name])
            ids = {name: str(answer.headers["X-Request-Id"]) for name, answer in answers.items()}
            # A client may have its answer before strace has seen the end of the call.
            eventually(lambda: [recording.request(id_) for id_ in ids.values()])
        yield Recorded(Order(home / "data"), recording, ids)


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_answered_before_it_is_on_the_disk(all_cases: Recorded, name: str) -> None:
    """Bytes, then their names, then the catalogue, then the answer; each synced before the next."""
    trace = all_cases.trace(name)
    assert len(all_cases.order.check(trace)) == CASES[name].blobs
    made = [event for event in trace if event.kind == "bind" and is_blob_folder(event.path)]
    assert len(made) >= CASES[name].new_folders


def test_bytes_are_deleted_after_the_catalogue_has_forgotten_them(all_cases: Recorded) -> None:
    """The trace of an overwritten temporary has that order in it."""
    trace = all_cases.trace("PUT over a temporary")
    deleted = [event for event in trace if event.kind == "unbind" and is_blob(event.path)]
    assert len(deleted) == 1
    early = [deleted[0], *(event for event in trace if event != deleted[0])]
    log = next(event for event in trace if event.path.endswith("-wal") and event.kind == "write")
    early.insert(early.index(log) + 1, early.pop(0))
    with pytest.raises(AssertionError, match="deleted before"):
        all_cases.order.check(early)


def is_blob(path: str) -> bool:
    return re.search(r"/blobs/\d+/[0-9a-f]{2}/[0-9a-f]{32}$", path) is not None


def is_blob_folder(path: str) -> bool:
    return re.search(r"/blobs/\d+(/[0-9a-f]{2})?$", path) is not None


def is_log(path: str) -> bool:
    return path.endswith("-wal")


#: Syncs that no PUT may lack, and the words of the fault when it does.
SYNCS = {
    "of the bytes": (is_blob, "committed before"),
    "of the new directories": (is_blob_folder, "committed before"),
    "of the new directory of the account": (
        lambda path: path.endswith("/blobs"),
        "committed before",
    ),
    "of the catalogue": (is_log, "answered before"),
}  # fmt: skip


@pytest.mark.parametrize("lacks", SYNCS)
def test_a_sync_that_is_missing_is_noticed(all_cases: Recorded, lacks: str) -> None:
    """Without any one of its syncs the same trace is refused."""
    trace = all_cases.trace("PUT, the first of an account")
    is_it, words = SYNCS[lacks]
    doctored = [event for event in trace if not (event.kind == "sync" and is_it(event.path))]
    assert len(doctored) < len(trace)
    with pytest.raises(AssertionError, match=words):
        all_cases.order.check(doctored)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (("sync", is_log), ("sync", is_blob)),
        (("write", is_log), ("sync", is_blob_folder)),
        (("sync", is_blob), ("write", is_blob)),
        (("answer", lambda path: True), ("sync", is_log)),
        (("sync", is_log), ("write", is_log)),
    ],
    ids=[
        "committed before the bytes are synced",
        "committed before the directory is synced",
        "written after the sync",
        "answered before the commit is synced",
        "committed after the sync",
    ],
)
def test_another_order_is_noticed(
    all_cases: Recorded,
    first: tuple[str, Callable[[str], bool]],
    then: tuple[str, Callable[[str], bool]],
) -> None:
    """The same calls in another order are refused."""
    trace = all_cases.trace("PUT, the first of an account")
    late = [index for index, event in enumerate(trace) if fits(event, then)][-1]
    early = [index for index, event in enumerate(trace) if fits(event, first)][-1]
    doctored = list(trace)
    doctored.insert(late, doctored.pop(early))
    assert doctored != trace
    with pytest.raises(AssertionError, match="before"):
        all_cases.order.check(doctored)


def fits(event: Event, what: tuple[str, Callable[[str], bool]]) -> bool:
    kind, is_it = what
    return event.kind == kind and is_it(event.path)


def test_strace_is_read_right() -> None:
    """Calls that others cut into halves are put together; failed ones do not count."""
    text = """\
7 openat(3</d/blobs>, "x", O_RDWR|O_CREAT|O_EXCL, 0600) = 4</d/blobs/x>
7 write(4</d/blobs/x>, "a)b, \\"c\\" = 1"..., 300 <unfinished ...>
8 fsync(9</d/davhost.sqlite-wal>) = 0
7 <... write resumed>)              = 300
7 mkdirat(3</d/blobs>, "2", 0700)   = -1 EEXIST (File exists)
7 mkdirat(3</d/blobs>, "3", 0700)   = 0
7 renameat(3</d/blobs>, "x", 3</d/blobs>, "y") = 0
7 unlinkat(3</d/blobs>, "y", 0)     = 0
7 fsync(3</d/blobs>)                = -1 EIO (Input/output error)
7 sendto(5<socket:[77]>, "HTTP/1.1 201 Created\\r\\n"..., 90, 0, NULL, 0) = 90
"""
    assert parse(text) == {
        "7": [
            Event("bind", "/d/blobs/x"),
            Event("write", "/d/blobs/x"),
            Event("bind", "/d/blobs/3"),
            Event("bind", "/d/blobs/y"),
            Event("unbind", "/d/blobs/y"),
            Event("answer", r"HTTP/1.1 201 Created\r\n"),
        ],
        "8": [Event("sync", "/d/davhost.sqlite-wal")],
    }
