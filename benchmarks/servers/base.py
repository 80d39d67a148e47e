"""What the launchers of all servers share."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path

from benchmarks.client import Address, Client, UnexpectedAnswer
from benchmarks.processes import ProcessTree

_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
#: Of the one account that every server of this run has.
_USER, _PASSWORD = "ada@example.org", secrets.token_hex(8)


class ServerFailed(Exception):
    """The program did not start, or did not take its stock."""


def free_port() -> int:
    """Find a TCP port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server(ABC):
    """One server on an empty folder, with one account.

    As a context manager it runs; leaving ends it.

    Args:
        home: its folder, which is not there yet.
        stock: the files that it shall hold from the start.
    """

    def __init__(self, home: Path, stock: Path) -> None:
        self.home = home
        self.stock = stock
        self.root = home / "root"
        self.root.mkdir(parents=True)
        self.address = Address(free_port(), _USER, _PASSWORD)
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def version(self) -> str:
        """Name the program and its version, in a few words."""

    @abstractmethod
    def command(self) -> list[str]:
        """Write the configuration, and give the command that serves in the foreground."""

    def environment(self) -> dict[str, str]:
        """Give the variables that the server starts with."""
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8"}

    def take(self) -> None:
        """Take the stock in, before the start: hard links, on one disk."""
        shutil.copytree(self.stock, self.root, copy_function=os.link, dirs_exist_ok=True)

    @property
    def pid(self) -> int:
        """The process that was started.

        Raises:
            ServerFailed: none was.
        """
        if self._process is None:
            raise ServerFailed(f"{type(self).__name__} does not run")
        return self._process.pid

    @property
    def tree(self) -> ProcessTree:
        """All its processes."""
        return ProcessTree(self.pid)

    def __enter__(self) -> "Server":
        log = self.home / "server.log"
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                self.command(),
                cwd=self.home,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._await_start(log)
        except BaseException:
            self.stop()
            raise
        return self

    def _await_start(self, log: Path) -> None:
        give_up_at = time.monotonic() + _START_SECONDS
        request = self.address.request("PROPFIND", "/", headers=[("Depth", "0")])
        while True:
            client = Client(self.address)
            try:
                client.ask(request, 207)
                return
            except (OSError, UnexpectedAnswer) as error:
                ended = self._process is not None and self._process.poll() is not None
                if ended or time.monotonic() > give_up_at:
                    told = log.read_text(errors="replace")[-3000:]
                    raise ServerFailed(f"{type(self).__name__}: {error}\n{told}") from error
            finally:
                client.close()
            time.sleep(0.1)

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it: asked first, then made to."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._process = None
