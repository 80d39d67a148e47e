"""Slow and silent clients do not stop others."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.server import apps
from tests.server.conftest import Serve
from tests.server.wire import WAIT_SECONDS, Client, LiveServer, until

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def drip(clients: list[Client], data: bytes, stop: threading.Event, seconds: float) -> None:
    """Send one byte of *data* on each connection every *seconds*, round and round."""
    position = 0
    while not stop.wait(seconds):
        byte = data[position % len(data) : position % len(data) + 1]
        for client in clients:
            client.send(byte)
        position += 1


def test_a_crowd_of_slow_clients_is_not_noticed_by_others(serve: Serve, quiet: None) -> None:
    """500 idle, 200 with slow heads and 500 with slow bodies, on one worker."""
    reading = threading.Semaphore(0)

    def app(environ: apps.Environ, start_response: Any) -> list[bytes]:
        if environ["REQUEST_METHOD"] == "PUT":
            reading.release()
            return apps.count(environ, start_response)
        return apps.hello(environ, start_response)

    server = serve(app)
    idle = [server.client() for _ in range(500)]
    for client in idle:
        assert client.ask(GET).body == b"hello"
    heads = [server.client() for _ in range(200)]
    bodies = [server.client() for _ in range(500)]
    for client in bodies:
        client.send(b"PUT /f HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
    stop = threading.Event()
    drips = [
        threading.Thread(target=drip, args=(heads, b"GET /" + b"a" * 500, stop, 0.2)),
        threading.Thread(target=drip, args=(bodies, b"x", stop, 1.0)),
    ]
    for thread in drips:
        thread.start()
    try:
        for _ in range(500):
            assert reading.acquire(timeout=20)
        slowest = max(ask_anew(server) for _ in range(50))
        assert all(client.ask(GET).body == b"hello" for client in idle[::10])
    finally:
        stop.set()
        for thread in drips:
            thread.join()
    # On an idle server it takes about a millisecond; held threads would make
    # it take the minute of the stall limit.
    assert slowest < 2


def ask_anew(server: LiveServer) -> float:
    started = time.monotonic()
    with Client(server.port) as client:
        assert client.ask(GET).body == b"hello"
    return time.monotonic() - started


def test_a_slow_head_is_refused_after_its_time(serve: Serve, quiet: None) -> None:
    """The limit is for the whole head: a byte now and then does not extend it."""
    client = serve(apps.hello, header_timeout_seconds=0.5).client()
    stop = threading.Event()
    thread = threading.Thread(target=drip, args=([client], b"GET /aaaa", stop, 0.05))
    thread.start()
    try:
        reply = client.reply()
    finally:
        stop.set()
        thread.join()
    assert reply.status == 408
    assert reply.headers["connection"] == "close"


def test_a_slow_second_head_is_refused_too(serve: Serve) -> None:
    """The limit begins anew with each request's first byte."""
    client = serve(apps.hello, header_timeout_seconds=0.3).client()
    assert client.ask(GET).body == b"hello"
    assert client.ask(b"GET / HT").status == 408
    assert client.is_closed()


def test_a_silent_client_is_dropped_without_a_word(serve: Serve) -> None:
    """It has asked for nothing, so it is told nothing."""
    client = serve(apps.hello, header_timeout_seconds=0.2).client()
    assert client.is_closed()


def test_an_idle_connection_stays_as_long_as_promised(serve: Serve) -> None:
    """Longer than the limits for heads and bodies, not longer than its own."""
    options = {"header_timeout_seconds": 0.2, "body_stall_timeout_seconds": 0.2}
    client = serve(apps.hello, idle_timeout_seconds=1.5, **options).client()
    assert client.is_open()
    time.sleep(0.8)
    assert client.is_open()
    assert client.is_closed()


def test_many_idle_connections_are_kept(serve: Serve) -> None:
    """None of 100 is told to close; cheroot keeps ten."""
    server = serve(apps.hello)
    clients = [server.client() for _ in range(100)]
    for _ in range(2):
        replies = [client.ask(GET) for client in clients]
        assert not [reply for reply in replies if "connection" in reply.headers]


def test_threads_come_with_need_and_go_again(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slow uploads do not leave hundreds of threads behind."""
    monkeypatch.setattr("davhost.server.pool._IDLE_SECONDS", 0.2)
    server = serve(apps.count, threads=2)
    clients = [server.client() for _ in range(50)]
    for client in clients:
        client.send(b"PUT /f HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n")
    assert until(lambda: server.server.requests.size >= 50)
    for client in clients:
        assert client.ask(b"hello").body == b"5"
    assert until(lambda: server.server.requests.size <= 4)
    assert clients[0].ask(GET).status == 200


def test_the_number_of_threads_is_bounded(serve: Serve) -> None:
    """Who comes beyond the limit waits for a thread and is then served."""
    server = serve(apps.count, threads=1, threads_max=5)
    clients = [server.client() for _ in range(20)]
    for client in clients:
        client.send(b"PUT /f HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n")
    assert until(lambda: server.server.requests.size == 5)
    for client in clients:
        client.send(b"hello")
    assert [client.reply().body for client in clients] == [b"5"] * 20


def test_one_address_cannot_take_all_connections(serve: Serve) -> None:
    """Beyond the limit new ones are closed; when old ones go there is room again."""
    server = serve(apps.hello, connections_per_address_max=3)
    clients = [server.client() for _ in range(3)]
    assert all(client.is_open() for client in clients)
    with Client(server.port) as fourth:
        assert fourth.is_closed()
    clients[0].socket.close()
    assert until(lambda: server.server.admission.total == 2)
    with Client(server.port) as fourth:
        assert fourth.is_open()


def test_no_descriptor_is_left_behind(serve: Serve) -> None:
    """However connections end, their descriptors come back."""
    server = serve(apps.refuse, header_timeout_seconds=0.2)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for number in range(100):
        with Client(server.port) as client:
            client.send([GET, b"", b"GET", b"bad\r\n\r\n", GET + b"GET"][number % 5])
            if number % 5 in (0, 3, 4):
                client.reply()
    assert until(lambda: server.server.admission.total == 0)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_a_full_server_recovers_by_itself(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """At the limit of connections idle ones make room for new ones."""
    monkeypatch.setattr("davhost.server.http_server._connections_max", lambda: 20)
    server = serve(apps.hello)
    idle = [server.client() for _ in range(20)]
    assert all(client.is_open() for client in idle)
    # On a slow machine only the first would have been idle for long enough to go.
    assert until(lambda: are_idle(server, 20, 1.0))
    assert server.client().is_open()
    assert "cannot accept" in caplog.text
    assert until(lambda: server.server.admission.total < 20)


def test_who_is_closed_to_make_room_may_just_have_spoken(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that arrives in the same moment as one client too many ends nothing else."""
    monkeypatch.setattr("davhost.server.http_server._connections_max", lambda: 4)
    monkeypatch.setattr("davhost.server.manager._IDLE_BEFORE_SHED_SECONDS", 0)
    server = serve(apps.hello)
    idle = [server.client() for _ in range(4)]
    assert all(client.is_open() for client in idle)
    with one_moment(server, monkeypatch):
        new = server.client()
        for client in idle:
            client.send(GET)
    assert new.is_open()


def test_whoever_has_just_come_is_not_closed_to_make_room(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients that are new and have not asked yet stay; those that were served long ago go."""
    monkeypatch.setattr("davhost.server.http_server._connections_max", lambda: 4)
    server = serve(apps.hello)
    served = [server.client() for _ in range(2)]
    assert all(client.is_open() for client in served)
    monkeypatch.setattr("davhost.server.manager._IDLE_BEFORE_SHED_SECONDS", 0.5)
    assert until(lambda: are_idle(server, 2, 0.5))
    new = [server.client() for _ in range(3)]
    assert all(client.is_open() for client in new)
    assert all(client.is_closed() for client in served)


def are_idle(server: LiveServer, count: int, seconds: float) -> bool:
    """Tell if so many connections have been idle for longer than that."""
    since = time.monotonic() - seconds
    parked = server.server._connections._parked_connections()
    return sum(connection.idle_since < since for connection in parked) == count


@contextmanager
def one_moment(server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the server notice at once what happens meanwhile."""
    selector = server.server._connections._selector
    select, waits, go = selector.select, threading.Event(), threading.Event()

    def late(seconds: float) -> Any:
        waits.set()
        assert go.wait(WAIT_SECONDS)
        return select(seconds)

    monkeypatch.setattr(selector, "select", late)
    assert waits.wait(WAIT_SECONDS)
    yield
    go.set()


class NoDescriptors:
    """A listening socket in a process that has run out of descriptors."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.tries = 0
        self.exhausted = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._listener, name)

    def accept(self) -> Any:
        self.tries += 1
        if self.exhausted:
            raise OSError(24, "Too many open files")
        return self._listener.accept()


def test_running_out_of_descriptors_neither_spins_nor_kills(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    """Accepting pauses, open connections go on, and later new ones come in."""
    server = serve(apps.hello)
    listener = server.server.socket = NoDescriptors(server.server.socket)
    waiting = server.client()
    waiting.send(GET)
    assert until(lambda: listener.tries >= 3)
    tries = listener.tries
    time.sleep(0.5)
    assert listener.tries - tries < 20
    listener.exhausted = False
    assert waiting.reply().body == b"hello"
    assert caplog.text.count("cannot accept") == 1


def test_a_busy_client_shares_its_thread(serve: Serve) -> None:
    """A connection that always has another request does not keep others waiting."""
    server = serve(apps.hello, threads=1, threads_max=1)
    busy, stop = server.client(), threading.Event()

    def ask_on() -> None:
        while not stop.is_set():
            busy.ask(GET)

    thread = threading.Thread(target=ask_on)
    thread.start()
    try:
        assert [ask_anew(server) < 5 for _ in range(20)] == [True] * 20
    finally:
        stop.set()
        thread.join()
