"""A running server that scenarios are played on: davhost, or the stock packages."""

import json
import re
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Protocol

from tests.live.dav import Account, Answer, Dav
from tests.live.server import Server, clean_environment
from tests.live.wait import PATIENCE_SECONDS, eventually
from tests.server.wire import Client, Reply

REPOSITORY = Path(__file__).parents[2]

_READY = re.compile(r"^listening on port (\d+)$", re.MULTILINE)

ANN = Account("ann@example.org", "ann's password")
BOB = Account("bob@example.org", "bob's password")


class Program(Protocol):
    """A server as a process."""

    port: int

    @property
    def authority(self) -> Path | None:
        """By which its certificate is verified; None on plain http."""

    @property
    def output(self) -> str:
        """Everything that it has printed and logged."""

    def start(self) -> None:
        """Start it."""

    def stop(self) -> None:
        """End it by SIGTERM and wait."""

    def end(self) -> None:
        """Kill it, if it still runs."""

    def processes(self) -> list[int]:
        """The numbers of its processes."""


class Stock:
    """The stock packages in a process of their own."""

    authority = None

    def __init__(self, home: Path, **options: Any) -> None:
        self.home = home
        self.root = home / "root"
        self.log = home / "stock.log"
        self.port = 0
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def output(self) -> str:
        """Everything that it has logged."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def start(self) -> None:
        """Start it, on any free port."""
        before = len(self.output)
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.defects.stock", json.dumps(self._options)],
                cwd=REPOSITORY,
                env=clean_environment(self.home),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            eventually(lambda: self._note_port(before))
        except BaseException:
            self.end()
            raise

    def _note_port(self, before: int) -> None:
        if self._process is not None and self._process.poll() is not None:
            raise RuntimeError(f"the stock server ended:\n{self.output}")
        ready = _READY.search(self.output, before)
        assert ready, self.output
        self.port = int(ready[1])

    def stop(self) -> None:
        """End it by SIGTERM and wait."""
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(PATIENCE_SECONDS)
        finally:
            self.end()

    def end(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def processes(self) -> list[int]:
        """The number of its process."""
        assert self._process is not None
        return [self._process.pid]

    @classmethod
    def with_webdav(cls, home: Path, **options: Any) -> "Stock":
        """Make one that serves WsgiDAV, where Ann and Bob see the same files."""
        accounts = {account.email: account.password for account in (ANN, BOB)}
        return cls(home, root=str(home / "root"), accounts=accounts, **options)


@dataclass(frozen=True)
class Target:
    """One of the two, with a folder of the scenario's own.

    Args:
        folder: the URL path of an empty collection, without a slash at the end.
        root: the folder on the disk whose names the stock packages serve, and
            in which davhost shows the same names.
    """

    program: Program
    is_stock: bool
    root: Path
    folder: str = ""

    @property
    def dav(self) -> Dav:
        """Ann's view."""
        return self._view(ANN)

    @property
    def stranger(self) -> Dav:
        """Bob's view."""
        return self._view(BOB)

    def _view(self, account: Account) -> Dav:
        return Dav("127.0.0.1", self.program.port, account, authority=self.program.authority)

    @property
    def other(self) -> Dav:
        """Another client of the same files.

        On the stock packages Bob, who shares all of them; on davhost a second
        device of Ann's.
        """
        return self.stranger if self.is_stock else self.dav

    def client(self) -> Client:
        """Open a connection to speak byte by byte."""
        return Client(self.program.port, wrap=self._wrap)

    @cached_property
    def _wrap(self) -> Callable[[socket.socket], ssl.SSLSocket] | None:
        """What makes a connection one over TLS, with the certificate verified."""
        if self.program.authority is None:
            return None
        context = ssl.create_default_context(cafile=self.program.authority)
        return partial(context.wrap_socket, server_hostname="127.0.0.1")

    def url(self, name: str) -> str:
        """The absolute URL of a name in the folder."""
        return self.dav.url(self.path(name))

    def path(self, name: str) -> str:
        """The URL path of a name in the folder."""
        return f"{self.folder}/{name}"

    def head(self, method: str, path: str, *lines: str, account: Account | None = ANN) -> bytes:
        """Spell a request head as Ann, or as somebody who does not sign in."""
        fields = [f"Host: {self.dav.host}:{self.dav.port}", *lines]
        if account is not None:
            fields.append(f"Authorization: {account.authorization}")
        return "\r\n".join([f"{method} {path} HTTP/1.1", *fields, "", ""]).encode("latin-1")

    def ask(self, data: bytes, method: str = "GET") -> Reply:
        """Send *data* on a new connection and read one answer."""
        with self.client() as client:
            return client.ask(data, method=method)

    def put(self, name: str, body: bytes = b"content", **headers: str) -> Answer:
        """Store a file in the folder, and fail if it is not taken."""
        return self.dav.put(self.path(name), body, _spelled(headers))

    def request(self, method: str, name: str, body: bytes | None = None, **headers: str) -> Answer:
        """Send a request for a name in the folder; ``If_Match`` is If-Match."""
        return self.dav.request(method, self.path(name), body, _spelled(headers))

    def read(self, name: str) -> bytes | int:
        """The content of a file, or the status if it cannot be read."""
        answer = self.request("GET", name)
        return answer.body if answer.status == 200 else answer.status

    def names(self) -> set[str]:
        """The names in the folder."""
        return set(self.dav.members(self.folder + "/"))

    def token(
        self, name: str, by: Dav | None = None, scope: str = "exclusive", **headers: str
    ) -> str:
        """Lock a name; return the token."""
        answer = (by or self.dav).lock(self.path(name), scope, **headers)
        assert answer.status in (200, 201), (answer.status, answer.body)
        return str(answer.headers["Lock-Token"]).strip("<>")

    def propfind(self, name: str, inner: str, depth: str = "0") -> Answer:
        """Ask for properties; *inner* is what stands in DAV:propfind."""
        body = f'<D:propfind xmlns:D="DAV:">{inner}</D:propfind>'.encode()
        return self.request("PROPFIND", name, body, Depth=depth)

    def proppatch(self, name: str, inner: str) -> Answer:
        """Set properties; *inner* is what stands in DAV:prop."""
        body = (
            '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop>'
            f"{inner}</D:prop></D:set></D:propertyupdate>"
        )
        return self.request("PROPPATCH", name, body.encode())


def _spelled(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def start_davhost(home: Path, *, encrypted: bool = False, **settings: str) -> Target:
    """Start davhost as it comes, with Ann and Bob, who may keep any file."""
    server = Server(home / "data", home, workers=1, settings=settings)
    if encrypted:
        server.administer("tls", "init")
    server.start()
    for account in (ANN, BOB):
        server.register(account)
    return Target(server, False, home / "data" / "users")


def start_stock(home: Path, **options: Any) -> Target:
    """Start the stock packages."""
    stock = Stock.with_webdav(home, **options)
    stock.start()
    return Target(stock, True, stock.root)
