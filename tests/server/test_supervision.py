"""Workers are started, replaced and stopped without clients noticing."""

import json
import os
import queue
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.server.wire import WAIT_SECONDS, Client, until

ROOT = Path(__file__).parents[2]


def get(path: str, *fields: str) -> bytes:
    return "\r\n".join([f"GET /{path} HTTP/1.1", "Host: x", *fields, "", ""]).encode()


PID = get("pid")
LONG_PUT = b"PUT /read HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"


class Supervised:
    """A supervisor in a process of its own."""

    def __init__(self, environ: dict[str, str], options: dict[str, Any]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.server.supervised", json.dumps(options)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | environ,
        )
        self.lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.port = 0
        self.seen: list[str] = []

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line.strip())

    def wait_for(self, word: str) -> str:
        """Return the next line that begins with *word*."""
        while True:
            line = self.lines.get(timeout=WAIT_SECONDS)
            self.seen.append(line)
            if line.startswith(word):
                return line

    def wait_ready(self) -> "Supervised":
        port = urlsplit(self.wait_for("ready").split()[1]).port
        assert port is not None
        self.port = port
        return self

    def client(self, wrap: Any = None) -> Client:
        return Client(self.port, wrap=wrap)

    def pid(self) -> int:
        """Ask a worker on a new connection for its process id."""
        with self.client() as client:
            return int(client.ask(PID).body)

    def workers(self) -> set[int]:
        """Return the supervisor's children."""
        number = self.process.pid
        children = Path(f"/proc/{number}/task/{number}/children").read_text()
        return {int(pid) for pid in children.split()}

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        """Return the exit status."""
        return self.process.wait(WAIT_SECONDS)

    def end(self) -> str:
        """Kill what is left, and return what it wrote to standard error."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        if self.process.stderr.closed:
            return ""
        self.process.kill()
        error = self.process.stderr.read()
        self.process.wait(WAIT_SECONDS)
        self._reader.join(WAIT_SECONDS)
        self.process.stdout.close()
        self.process.stderr.close()
        return error


Launch = Callable[..., Supervised]


@pytest.fixture
def launch() -> Iterator[Launch]:
    """Start supervisors; end them with the test."""
    launched: list[Supervised] = []

    def start(environ: dict[str, str] | None = None, **options: Any) -> Supervised:
        launched.append(Supervised(environ or {}, options))
        return launched[-1]

    yield start
    for supervised in launched:
        supervised.end()


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_every_worker_makes_its_own_application(launch: Launch) -> None:
    """After the fork: nothing of a database crosses it; ready is said once, at the end."""
    supervised = launch(workers=3).wait_ready()
    made = {int(line.split()[1]) for line in supervised.seen if line.startswith("made")}
    assert made == supervised.workers()
    assert len(made) == 3
    assert supervised.process.pid not in made
    assert supervised.pid() in made


def test_workers_share_the_memory_that_was_taken_before_them(launch: Launch) -> None:
    """A collection of garbage would write to every object that there was, and copy it."""
    supervised = launch({"BALLAST": "300000"}, workers=1).wait_ready()
    with supervised.client() as client:
        private_bytes = int(client.ask(get("collect")).body)
    assert private_bytes < 4 * 2**20


def test_a_worker_that_dies_is_replaced(launch: Launch) -> None:
    """Whether it was killed or crashed over a request; clients are served on."""
    supervised = launch(workers=1).wait_ready()
    first = supervised.pid()
    os.kill(first, signal.SIGKILL)
    second = supervised.pid()
    assert second != first
    with supervised.client() as client, pytest.raises((EOFError, ConnectionError)):
        client.ask(get("die"))
    assert supervised.pid() not in (first, second)
    assert supervised.process.poll() is None


def test_a_worker_that_dies_again_and_again_is_replaced_more_slowly(launch: Launch) -> None:
    """A broken machine is not kept busy with starting workers."""
    supervised = launch(workers=1).wait_ready()
    started = time.monotonic()
    for _ in range(6):
        with supervised.client() as client, pytest.raises((EOFError, ConnectionError)):
            client.ask(get("die"))
    supervised.pid()
    assert time.monotonic() - started > 1  # 0.1 + 0.2 + 0.4 + 0.8 s at least


def test_a_server_that_cannot_start_says_why(launch: Launch) -> None:
    """Not forever trying: the error is shown and the status is not 0."""
    supervised = launch({"CRASH": "1"}, workers=2)
    assert supervised.wait() == 1
    error = supervised.end()
    assert error.count("RuntimeError: the database is on fire") == 1


def test_a_refusal_to_start_is_plain_text(launch: Launch, tmp_path: Path) -> None:
    """SystemExit("...") in make_app is for people: no traceback."""
    flag = tmp_path / "flag"
    flag.write_text("run davhost upgrade first")
    supervised = launch({"FAIL_FLAG": str(flag)}, workers=2)
    assert supervised.wait() == 1
    assert supervised.end() == "run davhost upgrade first\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_stops_at_once(number: int, launch: Launch) -> None:
    """Idle connections and new ones without a request do not hold it."""
    supervised = launch(workers=2).wait_ready()
    with supervised.client() as client, supervised.client():
        client.ask(PID)
        started = time.monotonic()
        supervised.signal(number)
        assert supervised.wait() == 0
        assert time.monotonic() - started < 5  # below 0.1 s on an idle machine
        assert client.is_closed()
    assert supervised.end() == ""


def test_a_stop_lets_work_after_the_answer_finish(launch: Launch) -> None:
    """A mail that was promised is sent; one that cannot be sent holds nobody for ever."""
    supervised = launch(workers=1).wait_ready()
    with supervised.client() as client:
        assert client.ask(get("later")).body == b"soon"
    supervised.signal(signal.SIGTERM)
    assert supervised.wait() == 0
    supervised.wait_for("worked")
    assert supervised.end() == ""


def test_a_stop_lets_requests_in_flight_finish(launch: Launch) -> None:
    """The upload ends well, while new clients are refused."""
    supervised = launch(workers=2).wait_ready()
    with supervised.client() as client:
        client.send(LONG_PUT + b"12345")
        supervised.wait_for("reading")
        supervised.signal(signal.SIGTERM)
        assert until(lambda: refuses(supervised.port))
        reply = client.ask(b"67890")
    assert (reply.status, reply.body) == (200, b"10")
    assert reply.headers["connection"] == "close"
    assert supervised.wait() == 0
    assert supervised.wait_for("complete") == "complete 10"


def refuses(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return False
    except ConnectionError:
        return True


def test_a_stalled_upload_cannot_hold_the_stop_and_is_not_taken_for_whole(launch: Launch) -> None:
    """After the grace time the application gets an exception, not an end of file."""
    supervised = launch(workers=1, grace_seconds=0.5).wait_ready()
    with supervised.client() as client:
        client.send(LONG_PUT + b"12345")
        supervised.wait_for("reading")
        supervised.signal(signal.SIGTERM)
        assert supervised.wait() == 0
        assert supervised.wait_for("incomplete")
        with pytest.raises((EOFError, ConnectionError)):
            client.reply()


def test_a_stalled_download_cannot_hold_the_stop(launch: Launch) -> None:
    """The reader sees a broken transfer, not a short file."""
    supervised = launch(workers=1, grace_seconds=0.5).wait_ready()
    with supervised.client() as client:
        client.send(get("download"))
        supervised.wait_for("sending")
        supervised.signal(signal.SIGTERM)
        assert supervised.wait() == 0
        with pytest.raises((EOFError, ConnectionError)):
            client.reply()


def test_a_second_signal_changes_nothing(launch: Launch) -> None:
    """An impatient Ctrl-C does not cut a transfer, nor prolong the grace time."""
    supervised = launch(workers=1).wait_ready()
    with supervised.client() as client:
        client.send(LONG_PUT)
        supervised.wait_for("reading")
        for _ in range(3):
            supervised.signal(signal.SIGTERM)
            supervised.signal(signal.SIGINT)
            time.sleep(0.05)
        assert client.ask(b"1234567890").status == 200
    assert supervised.wait() == 0


def test_a_reload_replaces_every_worker_and_no_client_notices(launch: Launch) -> None:
    """Neither connections nor requests fail, on new and on kept connections."""
    supervised = launch(workers=2).wait_ready()
    old = supervised.workers()
    failures: list[Exception] = []
    stop = threading.Event()

    def ask_on() -> None:
        while not stop.is_set():
            try:
                with supervised.client() as client:
                    for _ in range(50):
                        if client.ask(PID).headers.get("connection") == "close":
                            break
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=ask_on) for _ in range(4)]
    for thread in threads:
        thread.start()
    supervised.signal(signal.SIGHUP)
    supervised.wait_for("reload")
    replaced = until(lambda: len(supervised.workers()) == 2 and not supervised.workers() & old)
    stop.set()
    for thread in threads:
        thread.join()
    assert replaced
    assert failures == []


def test_a_reload_lets_transfers_and_idle_connections_go_on(launch: Launch) -> None:
    """A worker that is replaced finishes what it has, its successor takes the new."""
    supervised = launch(workers=1, grace_seconds=0.1).wait_ready()
    old = supervised.pid()
    with supervised.client() as uploading, supervised.client() as idle:
        uploading.send(LONG_PUT + b"12345")
        supervised.wait_for("reading")
        assert int(idle.ask(PID).body) == old
        supervised.signal(signal.SIGHUP)
        assert until(lambda: supervised.pid() != old)
        time.sleep(0.5)
        assert uploading.ask(b"67890").body == b"10"
        reply = idle.ask(PID)
        assert (int(reply.body), reply.headers["connection"]) == (old, "close")
    assert until(lambda: not is_alive(old))


def test_a_reload_that_fails_leaves_the_server_as_it_is(launch: Launch, tmp_path: Path) -> None:
    """A mistake in the new settings does not take the service down."""
    flag = tmp_path / "flag"
    supervised = launch({"FAIL_FLAG": str(flag)}, workers=2).wait_ready()
    old = supervised.workers()
    flag.write_text("nonsense in the settings")
    supervised.signal(signal.SIGHUP)
    supervised.wait_for("reload")
    assert until(lambda: supervised.workers() == old)
    time.sleep(0.3)
    assert supervised.workers() == old
    flag.unlink()
    supervised.signal(signal.SIGHUP)
    assert until(lambda: len(supervised.workers()) == 2 and not supervised.workers() & old)


def test_a_reload_takes_up_other_options(launch: Launch, tmp_path: Path) -> None:
    """More workers or fewer, and what each of them is told, without a stop."""
    file = tmp_path / "options"
    supervised = launch({"OPTIONS_FILE": str(file)}, workers=3).wait_ready()
    seen = supervised.workers()
    for wanted in (1, 2):
        file.write_text(json.dumps({"workers": wanted, "header_timeout_seconds": 0.1}))
        supervised.signal(signal.SIGHUP)
        supervised.wait_for("reload")
        assert until(partial(are_new, supervised, wanted, frozenset(seen)))
        seen |= supervised.workers()
        with supervised.client() as client:
            client.send(b"GET /")
            assert client.reply().status == 408


def are_new(supervised: Supervised, count: int, seen: frozenset[int]) -> bool:
    workers = supervised.workers()
    return len(workers) == count and not workers & seen


def test_a_reload_cannot_change_the_port(launch: Launch, tmp_path: Path) -> None:
    """It is said in the log, and the rest of the options counts."""
    file = tmp_path / "options"
    supervised = launch({"OPTIONS_FILE": str(file)}, workers=1).wait_ready()
    old = supervised.pid()
    file.write_text(json.dumps({"port": 1, "workers": 1}))
    supervised.signal(signal.SIGHUP)
    assert until(lambda: supervised.pid() != old)
    assert "next start" in supervised.end()


@pytest.mark.needs("openssl")
def test_a_reload_loads_the_certificate_again(
    launch: Launch, certificate: Callable[[str], tuple[Path, Path]], tmp_path: Path
) -> None:
    """Renewed certificates are used without a stop."""
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"

    def install(name: str) -> bytes:
        for source, target in zip(certificate(name), (chain, key), strict=True):
            target.write_bytes(source.read_bytes())
        return ssl.PEM_cert_to_DER_cert(chain.read_text())

    def presented() -> bytes | None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with supervised.client(context.wrap_socket) as client:
            assert isinstance(client.socket, ssl.SSLSocket)
            return client.socket.getpeercert(binary_form=True)

    first = install("first")
    paths = {"certificate_path": str(chain), "private_key_path": str(key)}
    supervised = launch(workers=1, **paths).wait_ready()
    assert presented() == first
    second = install("second")
    supervised.signal(signal.SIGHUP)
    assert until(lambda: presented() == second)


def test_workers_end_with_their_supervisor(launch: Launch) -> None:
    """Also when it is killed: no orphan keeps the port or the files."""
    supervised = launch(workers=3).wait_ready()
    workers = supervised.workers()
    with supervised.client() as client:
        client.send(LONG_PUT)
        supervised.wait_for("reading")
        supervised.signal(signal.SIGKILL)
        assert until(lambda: not any(map(is_alive, workers)), 5)
    assert until(lambda: refuses(supervised.port))


def test_a_worker_that_is_told_to_stop_is_replaced(launch: Launch) -> None:
    """Somebody ends a worker by hand: it finishes, and another takes over."""
    supervised = launch(workers=1).wait_ready()
    old = supervised.pid()
    with supervised.client() as client:
        client.send(LONG_PUT)
        supervised.wait_for("reading")
        os.kill(old, signal.SIGTERM)
        assert client.ask(b"1234567890").status == 200
    assert until(lambda: not is_alive(old))
    assert supervised.pid() != old
