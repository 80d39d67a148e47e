"""The real `davhost` program, started, stopped and killed from outside."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from davhost.bootstrap.first_start import prepare
from davhost.bootstrap.services import Services, open_services
from davhost.model import Rules
from davhost.settings import load
from davhost.sizes import parse_quota
from tests.live.dav import Account, Dav
from tests.live.wait import PATIENCE_SECONDS, eventually
from tests.needs import program

#: The console script of the environment in which the tests run.
DAVHOST = Path(sys.executable).with_name("davhost")

_READY = re.compile(r"(https?)://127\.0\.0\.1:(\d+)/")


def clean_environment(home: Path) -> dict[str, str]:
    """Make an environment in which nothing of the developer's own shows."""
    kept = {
        name: os.environ[name]
        for name in ("PATH", "TMPDIR", "COVERAGE_PROCESS_START")
        if name in os.environ
    }
    return kept | {"HOME": str(home), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}


class Server:
    """One instance of davhost: a data folder, and the process that serves it.

    Use it as a context manager: leaving it ends the server by SIGTERM, which
    must be clean, with exit status 0 and no traceback in the log.

    Args:
        descriptors: how many files each of its processes may have open.
    """

    def __init__(
        self,
        data: Path,
        home: Path,
        *,
        workers: int | None = None,
        database_url: str | None = None,
        settings: Mapping[str, str] | None = None,
        descriptors: int | None = None,
    ) -> None:
        self.data = data
        self.home = home
        self.log = home / "server.log"
        self.environment = clean_environment(home) | dict(settings or {})
        if database_url is not None:
            self.environment["DAVHOST_DATABASE_URL"] = database_url
        self._workers = workers
        self._descriptors = descriptors
        self._process: subprocess.Popen[bytes] | None = None
        self.scheme = "http"
        self.port = 0

    def __enter__(self) -> "Server":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.stop()
        else:  # the test has failed already: its reason matters, not ours
            self.end()

    @property
    def url(self) -> str:
        """The address that the server printed."""
        return f"{self.scheme}://127.0.0.1:{self.port}/"

    @property
    def authority(self) -> Path | None:
        """What `davhost tls init` has made for clients to trust, if the server speaks TLS."""
        return self.data / "tls" / "ca.pem" if self.scheme == "https" else None

    @property
    def output(self) -> str:
        """Everything that the server has printed and logged since it was made."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    @property
    def pid(self) -> int:
        """The process that was started: the supervisor, when there are workers."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the server and wait until it says where it is."""
        assert self._process is None
        command = [str(DAVHOST), "serve", "--data", str(self.data), "--port", str(self.port)]
        command += ["--host", "127.0.0.1"]
        if self._workers is not None:
            command += ["--workers", str(self._workers)]
        if self._descriptors is not None:
            command = [program("prlimit"), f"--nofile={self._descriptors}", *command]
        before = len(self.output)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.home,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            eventually(lambda: self._note_port(before))
        except BaseException:
            self.end()
            raise

    def _note_port(self, before: int) -> None:
        if self._process is not None and self._process.poll() is not None:
            raise RuntimeError(f"davhost ended with {self._process.returncode}:\n{self.output}")
        ready = _READY.search(self.output, before)
        assert ready, f"davhost did not say where it serves:\n{self.output}"
        self.scheme, self.port = ready[1], int(ready[2])

    def stop(self) -> None:
        """End the server by SIGTERM and see that it ends well."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"SIGTERM does not end davhost:\n{self.output}") from None
        finally:
            self.end()
        assert status == 0, f"davhost ended with {status} after SIGTERM:\n{self.output}"
        _, found, traceback = self.output.partition("Traceback")
        assert not found, f"davhost has logged: …{traceback[:4000]}"

    def kill(self) -> None:
        """Kill the supervisor with SIGKILL; its workers must end by themselves."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        eventually(self._nobody_is_left)
        self._process = None

    def kill_all(self) -> None:
        """Kill every process of the server at one blow, as a power cut would."""
        assert self._process is not None
        os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        eventually(self._nobody_is_left)
        self._process = None

    def end(self) -> None:
        """End whatever still runs, in whatever state it is."""
        if self._process is None:
            return
        for pid in self.processes():
            # Not killpg: when the supervisor is gone its number may be another's.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def processes(self) -> list[int]:
        """List the processes of this server that are alive: those of its session."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text(errors="replace").rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            state, session = fields[0], int(fields[3])
            if session == self.pid and state not in "ZX":
                found.append(int(stat.parent.name))
        return found

    def workers(self) -> list[int]:
        """List its processes but the supervisor."""
        return [pid for pid in self.processes() if pid != self.pid]

    def _nobody_is_left(self) -> None:
        left = self.processes()
        assert not left, f"workers outlive their supervisor: {left}"

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a davhost command on the same data."""
        return subprocess.run(
            [str(DAVHOST), *arguments, "--data", str(self.data)],
            cwd=self.home,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )

    def administer(self, *arguments: str, stdin: str = "") -> str:
        """Run a davhost command that must succeed, and give back what it prints."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, f"davhost {arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def add_user(
        self, name: str = "user", *, allow: str | None = "*", quota: str | None = None
    ) -> Account:
        """Make an account with a new address that starts with *name*."""
        account = Account(f"{name}+{uuid.uuid4().hex[:8]}@example.org", f"p:w%41{uuid.uuid4().hex}")
        self.register(account, allow=allow, quota=quota)
        return account

    def register(
        self, account: Account, *, allow: str | None = "*", quota: str | None = None
    ) -> None:
        """Make *account* as `davhost user add` does, by the same calls.

        In this process: there are hundreds of accounts, and a program takes longer
        to start than to make one.
        """
        with self.opened() as services:
            room = services.settings.quota_default if quota is None else parse_quota(quota)
            rules = None if allow is None else Rules.parse(allow)
            services.accounts.register(
                account.email, account.password, quota_bytes=room, rules=rules
            )

    @contextlib.contextmanager
    def opened(self) -> Iterator[Services]:
        """Open its parts in this process, as a command does in one of its own."""
        options = {"data_dir": self.data}
        loaded = load(options=options, environment=self.environment, folder=self.home)
        umask = os.umask(0o077)  # as the program does: nobody else may read it
        try:
            prepare(loaded.settings, with_admin=False)
            services = open_services(loaded.settings)
            try:
                yield services
            finally:
                services.close()
        finally:
            os.umask(umask)

    def dav(self, account: Account | None) -> Dav:
        """Look at the server with the eyes of *account*."""
        return Dav("127.0.0.1", self.port, account, authority=self.authority)

    def new_user(
        self, name: str = "user", *, allow: str | None = "*", quota: str | None = None
    ) -> Dav:
        """Make an account and look at its empty home."""
        return self.dav(self.add_user(name, allow=allow, quota=quota))
