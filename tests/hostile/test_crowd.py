"""A crowd of slow clients does not stop others: the real server with one worker."""

import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.defects.target import Target, start_davhost
from tests.server.test_slow_clients import drip
from tests.server.wire import WAIT_SECONDS, Client

#: Time limits that a crowd which comes slowly on a busy machine does not meet.
PATIENT = {
    "DAVHOST_HEADER_TIMEOUT_SECONDS": "200",
    "DAVHOST_BODY_STALL_TIMEOUT_SECONDS": "200",
    "DAVHOST_IDLE_TIMEOUT_SECONDS": "200",
}
assert WAIT_SECONDS < 100


def put_head(server: Target, number: int) -> bytes:
    return server.head("PUT", f"/upload{number}.txt", "Content-Length: 1000000")


@pytest.mark.parametrize("encrypted", [False, True], ids=["http", "https"])
def test_idle_slow_and_trickling_clients_stop_nobody(tmp_path: Path, encrypted: bool) -> None:
    """500 idle, 200 with a header byte by byte, 500 uploads that trickle: a PROPFIND is answered.

    On an idle server it takes milliseconds; held threads would make it wait
    for the time limits of the crowd, all of which are longer than the client's.
    """
    server = start_davhost(tmp_path, encrypted=encrypted, **PATIENT)
    stop = threading.Event()
    with ExitStack() as stack:
        stack.callback(server.program.end)
        assert server.dav.request("OPTIONS", "/").status == 200

        def connect(count: int) -> list[Client]:
            return [stack.enter_context(server.client()) for _ in range(count)]

        idle, heads, bodies = connect(500), connect(200), connect(500)
        for client in idle:
            client.send(server.head("OPTIONS", "/"))
        for client in idle:
            assert client.reply().status == 200
        for number, client in enumerate(bodies):
            client.send(put_head(server, number))
        slow = b"GET / HTTP/1.1\r\nX-Slow: " + b"a" * 60
        drips = [
            threading.Thread(target=drip, args=(heads, slow, stop, 0.5)),
            threading.Thread(target=drip, args=(bodies, b"x", stop, 1.0)),
        ]
        for thread in drips:
            thread.start()
        try:
            for _ in range(5):
                with server.client() as client:
                    reply = client.ask(server.head("PROPFIND", "/", "Depth: 1"))
                    assert reply.status == 207
                    assert b"upload" not in reply.body
            for client in idle[::25]:
                client.send(server.head("OPTIONS", "/"))
                assert client.reply().status == 200
        finally:
            stop.set()
            for thread in drips:
                thread.join()
