"""A PostgreSQL of the tests' own: Debian's programs on a temporary folder.

`postgres_url` is a fresh, empty database for one test. The server behind it
starts at first use, once per pytest process, and is gone afterwards.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.needs import leave_out, require

#: Nobody else's data is at stake and the machine is not switched off: no fsync.
_OPTIONS = "-F -c max_connections=300 -c listen_addresses=127.0.0.1 -c log_min_messages=warning"


@dataclass(frozen=True)
class PostgresServer:
    """A running PostgreSQL that listens on loopback only."""

    port: int

    def url(self, database: str) -> str:
        """Spell the address of *database* as SQLAlchemy reads it."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str) -> None:
        """Run one statement of administration, outside any transaction."""
        with self._connect() as connection:
            connection.execute(statement.encode())

    @cached_property
    def version(self) -> int:
        """Which PostgreSQL it is: 150004 is 15.4."""
        with self._connect() as connection:
            return connection.info.server_version

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="postgres", dbname="postgres", autocommit=True
        )

    def create_database(self, template: str = "template1") -> str:
        """Create a database under a name never used before: empty, or as *template* is."""
        database = f"davhost_{uuid.uuid4().hex}"
        # Since PostgreSQL 15 its own choice is to write every page to the log, too.
        copying = "STRATEGY FILE_COPY" if self.version >= 150000 else ""
        self.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}" {copying}')
        return database

    def drop_database(self, database: str) -> None:
        """Remove *database*, whoever is still connected to it."""
        self.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')


def _programs() -> Path | None:
    """Find the newest PostgreSQL that Debian has installed, or one on PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version_of)
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _version_of(initdb: Path) -> int:
    return int(initdb.parts[-3])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _as_postgres(command: list[str], cwd: Path) -> None:
    """Run *command*; as the user postgres if we are root, whom PostgreSQL refuses."""
    if os.geteuid() == 0:
        command = ["runuser", "-u", "postgres", "--", *command]
    # Not a pipe: the server would inherit it, and we would wait for its end.
    with (cwd / "commands.log").open("a+b") as log:
        done = subprocess.run(
            command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False
        )
        log.seek(0)
        assert done.returncode == 0, f"{command}: {log.read().decode(errors='replace')}"


@dataclass(frozen=True)
class OwnPostgres(PostgresServer):
    """One that nobody else uses, so that it can be stopped and started again.

    Args:
        folder: where its data, socket and log are.
        pg_ctl: the program that controls it, with what it has to be told.
    """

    folder: Path
    pg_ctl: tuple[str, ...]

    def start(self) -> None:
        """Start it on its port."""
        options = f"{_OPTIONS} -p {self.port} -k {self.folder}"
        log = f"--log={self.folder}/server.log"
        _as_postgres([*self.pg_ctl, log, "-o", options, "start"], self.folder)

    def stop(self, mode: str = "immediate") -> None:
        """Stop it: ``fast`` ends its sessions in order, ``immediate`` is a crash."""
        _as_postgres([*self.pg_ctl, f"--mode={mode}", "stop"], self.folder)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL for this pytest process, stopped at its end."""
    with running_postgres() as server:
        yield server


@contextmanager
def running_postgres() -> Iterator[OwnPostgres]:
    """Run a new PostgreSQL; stopped or not at the end, nothing of it is left."""
    if os.environ.get("DAVHOST_TEST_POSTGRES") == "0":
        pytest.skip("the quick tests leave PostgreSQL out; make test has it")
    programs = _programs()
    if programs is None:
        leave_out("needs PostgreSQL (tests/install-system-packages installs it)")
        raise AssertionError  # leave_out never returns
    if os.geteuid() == 0:
        require("runuser")
    # Not pytest's tmp_path: its parents are closed to the user postgres, and a
    # socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="davhost-pg-"))
    data = folder / "data"
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
    try:
        initdb = [str(programs / "initdb"), "--pgdata", str(data), "--username=postgres"]
        initdb += ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        _as_postgres(initdb, folder)
        pg_ctl = (str(programs / "pg_ctl"), "--pgdata", str(data), "--wait", "--timeout=120")
        server = _start(pg_ctl, folder)
        try:
            yield server
        finally:
            if (data / "postmaster.pid").exists():
                server.stop()
    finally:
        shutil.rmtree(folder)


def _start(pg_ctl: tuple[str, ...], folder: Path) -> OwnPostgres:
    """Start on a free port; another program may take it first, so try again."""
    for attempt in range(5):
        server = OwnPostgres(_free_port(), folder, pg_ctl)
        try:
            server.start()
        except AssertionError:
            if attempt == 4:
                raise
        else:
            return server
    raise AssertionError("unreachable")


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The SQLAlchemy URL of a fresh, empty PostgreSQL database."""
    database = postgres_server.create_database()
    yield postgres_server.url(database)
    postgres_server.drop_database(database)
