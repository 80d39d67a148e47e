"""Concurrent clients on few names: there is one order that explains every answer.

`DAVHOST_TEST_HISTORIES` says how many histories are recorded on each database,
`DAVHOST_TEST_HISTORY_SEED` repeats what the clients ask.
"""

import os
import random
import secrets
from functools import partial

import pytest

from tests.live.at_once import at_once
from tests.live.client_contract import new_name
from tests.live.dav import Dav, KeptDav, href
from tests.live.histories import (
    Operation,
    Recorder,
    Reply,
    Request,
    explain,
    one_by_one,
    shifted,
)
from tests.live.server import Server

HISTORIES = int(os.environ.get("DAVHOST_TEST_HISTORIES", "3"))
SEED = int(os.environ.get("DAVHOST_TEST_HISTORY_SEED", str(secrets.randbits(32))))

CLIENTS = 5
REQUESTS = 25
METHODS = ["PUT", "PUT", "GET", "GET", "GET", "MOVE", "MOVE", "COPY", "DELETE"]


class Client:
    """Sends random requests about the names in one folder, on one connection."""

    def __init__(self, dav: KeptDav, folder: str, names: list[str], rng: random.Random) -> None:
        self._dav = dav
        self._folder = folder
        self._names = names
        self._rng = rng
        self._recorder = Recorder(self._ask)
        self._etags: list[str] = []

    def work(self, requests: int) -> list[Operation]:
        """Send so many requests, and give back the history."""
        for _ in range(requests):
            self._remember(self._recorder.do(self._draw()))
        return self._recorder.operations

    def read_all(self) -> list[Operation]:
        """Read every name: what is left in the end has to be explained too."""
        for name in self._names:
            self._recorder.do(Request("GET", name))
        return self._recorder.operations

    def _draw(self) -> Request:
        rng, method = self._rng, self._rng.choice(METHODS)
        name, to = rng.sample(self._names, 2)
        if method in ("MOVE", "COPY"):
            return Request(method, name, to, overwrite=rng.random() < 0.5)
        if method != "PUT":
            return Request(method, name)
        request = Request(method, name, content=rng.randbytes(rng.choice([8, 8, 60_000])))
        if rng.random() < 0.25:
            return Request(method, name, content=request.content, if_none=True)
        if rng.random() < 0.5 and self._etags:
            etag = rng.choice(self._etags)
            return Request(method, name, content=request.content, if_match=etag)
        return request

    def _remember(self, reply: Reply) -> None:
        if reply.etag is not None:
            self._etags = [*self._etags[-3:], reply.etag]

    def _ask(self, request: Request) -> Reply:
        headers = {}
        if request.to:
            headers["Destination"] = self._dav.url(href(self._folder, request.to))
            headers["Overwrite"] = "T" if request.overwrite else "F"
        if request.if_none:
            headers["If-None-Match"] = "*"
        if request.if_match is not None:
            headers["If-Match"] = request.if_match
        body = request.content if request.method == "PUT" else None
        answer = self._dav.request(request.method, href(self._folder, request.name), body, headers)
        content = answer.body if (request.method, answer.status) == ("GET", 200) else b""
        return Reply(answer.status, content, answer.headers["ETag"])


def recorded(box: Dav, names: list[str], seed: str) -> list[list[Operation]]:
    """Let clients work on *names* of a new folder, all at once, and record what they see."""
    folder = new_name()
    box.make_collection(href(folder))
    connections = [KeptDav(box) for _ in range(CLIENTS)]
    clients = [
        Client(dav, folder, names, random.Random(f"{seed} {number}"))
        for number, dav in enumerate(connections)
    ]
    try:
        histories = at_once(*(partial(client.work, REQUESTS) for client in clients))
        return [clients[0].read_all(), *histories[1:]]
    finally:
        for dav in connections:
            dav.__exit__()


@pytest.mark.parametrize(
    "names", [["a.txt", "b.txt"], ["a.txt", "b.txt", "c.txt", "d.txt"]], ids=len
)
def test_one_order_explains_every_answer(each_server: Server, names: list[str]) -> None:
    """PUT, GET, MOVE, COPY and DELETE, with conditions, on two worker processes."""
    box = each_server.new_user("history")
    for number in range(HISTORIES):
        histories = recorded(box, names, f"{SEED} {number}")
        why_not = explain(histories)
        assert why_not is None, f"DAVHOST_TEST_HISTORY_SEED={SEED}, history {number}: {why_not}"


A, B = "a.txt", "b.txt"
PUT_1, PUT_2 = Request("PUT", A, content=b"1"), Request("PUT", A, content=b"2")
MADE_1, MADE_2 = Reply(201, etag='"1"'), Reply(201, etag='"2"')
READ, READ_B = Request("GET", A), Request("GET", B)
SEES_1, SEES_2, SEES_NOTHING = Reply(200, b"1", '"1"'), Reply(200, b"2", '"2"'), Reply(404)
MOVE = Request("MOVE", A, B)
PUTS = one_by_one((PUT_1, MADE_1), (PUT_2, Reply(204, etag='"2"')))


def during(*operations: tuple[Request, Reply]) -> list[Operation]:
    """Requests that run all the time, each beside everything else."""
    return [Operation(request, reply, 0, 1000) for request, reply in operations]


IMPOSSIBLE = {
    "a read that is late": [PUTS, shifted(one_by_one((READ, SEES_1)), by=10)],
    "a read that goes back": [
        [PUTS[0], *during((PUT_2, Reply(204, etag='"2"')))],
        shifted(one_by_one((READ, SEES_2), (READ, SEES_1)), by=10),
    ],
    "content that nobody wrote": [PUTS, during((READ, Reply(200, b"12", '"1"')))],
    "content with the ETag of another": [PUTS, during((READ, Reply(200, b"1", '"2"')))],
    "two who made the same file": [
        during((Request("PUT", A, content=b"1", if_none=True), MADE_1)),
        during((Request("PUT", A, content=b"2", if_none=True), MADE_2)),
    ],
    "an update that is lost": [
        one_by_one((PUT_1, MADE_1)),
        *(
            shifted(
                during((Request("PUT", A, content=b"3", if_match='"1"'), Reply(204, etag=etag))),
                by=10,
            )
            for etag in ('"3"', '"4"')
        ),
    ],
    "a file that is nowhere while it moves": [
        [*one_by_one((PUT_1, MADE_1)), Operation(MOVE, Reply(201), 10, 100)],
        shifted(one_by_one((READ, SEES_NOTHING), (READ_B, SEES_NOTHING)), by=20),
    ],
    "a file that is in both places while it moves": [
        [*one_by_one((PUT_1, MADE_1)), Operation(MOVE, Reply(201), 10, 100)],
        shifted(one_by_one((READ_B, SEES_1), (READ, SEES_1)), by=20),
    ],
    "a move that succeeds and says it does not": [
        one_by_one((PUT_1, MADE_1), (MOVE, Reply(404)), (READ_B, SEES_1))
    ],
    "two who moved the same file": [
        one_by_one((PUT_1, MADE_1)),
        *(shifted(during((Request("MOVE", A, to), Reply(201))), by=10) for to in ("b", "c")),
    ],
    "a deleted file that comes back": [
        one_by_one((PUT_1, MADE_1), (Request("DELETE", A), Reply(204)), (READ, SEES_1))
    ],
    "Overwrite: F that overwrites": [
        one_by_one(
            (PUT_1, MADE_1),
            (Request("COPY", A, B), Reply(201)),
            (Request("COPY", A, B, overwrite=False), Reply(204)),
        )
    ],
    "an error": [one_by_one((PUT_1, Reply(500)))],
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_has_no_order_is_noticed(name: str) -> None:
    """The search does not explain everything away."""
    assert explain(IMPOSSIBLE[name]) is not None


POSSIBLE = {
    "a read during a write sees the old": [PUTS, [Operation(READ, SEES_1, 2, 9)]],
    "a read during a write sees the new": [PUTS, [Operation(READ, SEES_2, 2, 9)]],
    "of two who make the same file one is refused": [
        during((Request("PUT", A, content=b"1", if_none=True), MADE_1)),
        during((Request("PUT", A, content=b"2", if_none=True), Reply(412))),
    ],
    "a file is read where it is moved to": [
        [*one_by_one((PUT_1, MADE_1)), Operation(MOVE, Reply(201), 10, 100)],
        shifted(one_by_one((READ, SEES_1), (READ_B, SEES_1), (READ, SEES_NOTHING)), by=20),
    ],
}


@pytest.mark.parametrize("name", POSSIBLE)
def test_what_has_an_order_is_explained(name: str) -> None:
    """Requests that overlap may be answered in either order."""
    assert explain(POSSIBLE[name]) is None
