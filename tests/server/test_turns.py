"""Threads take turns while they are busy, and not while they are held."""

import threading
import time
from typing import Any

import pytest

from tests.server import apps
from tests.server.conftest import Serve
from tests.server.wire import WAIT_SECONDS

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Crowd:
    """An application that knows how many of its requests run at once."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._present = 0
        self.present_max = 0

    def __call__(self, environ: apps.Environ, start_response: Any) -> list[bytes]:
        """Answer after a moment in which other threads could run."""
        with self._lock:
            self._present += 1
            self.present_max = max(self.present_max, self._present)
        time.sleep(self._seconds)
        with self._lock:
            self._present -= 1
        return apps.hello(environ, start_response)


def test_requests_that_end_do_not_run_beside_each_other(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads that fight for the interpreter would cost each request more."""
    monkeypatch.setattr("davhost.server.pool._LOOK_SECONDS", WAIT_SECONDS)
    app = Crowd(0.001)
    server = serve(app)
    clients = [server.client() for _ in range(8)]
    for _ in range(10):
        for client in clients:
            client.send(GET)
        assert [client.reply().body for client in clients] == [b"hello"] * 8
    assert app.present_max == 1


def test_requests_that_are_held_run_beside_each_other(serve: Serve) -> None:
    """Each waits for all the others, as for a disk: none may wait for its turn."""
    together = threading.Barrier(12)

    def app(environ: apps.Environ, start_response: Any) -> list[bytes]:
        together.wait(WAIT_SECONDS)
        return apps.hello(environ, start_response)

    server = serve(app, threads=2)
    clients = [server.client() for _ in range(12)]
    for client in clients:
        client.send(GET)
    assert [client.reply().body for client in clients] == [b"hello"] * 12


def test_who_holds_a_turn_keeps_nobody_waiting(serve: Serve) -> None:
    """While one request goes on and on, another client is served again and again."""
    end = threading.Event()

    def app(environ: apps.Environ, start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/long":
            assert end.wait(WAIT_SECONDS)
        return apps.hello(environ, start_response)

    server = serve(app, threads=1)
    long, short = server.client(), server.client()
    long.send(GET.replace(b"/ ", b"/long "))
    try:
        assert [short.ask(GET).body for _ in range(20)] == [b"hello"] * 20
    finally:
        end.set()
    assert long.reply().body == b"hello"
