"""The servers and accounts that the live suites use."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.live.client_contract import Client, new_name
from tests.live.dav import Dav
from tests.live.server import Server
from tests.postgres import PostgresServer

#: Makes a server that has not been started; keyword arguments as for `Server`.
MakeServer = Callable[..., Server]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of one module on one worker: they share its server and mounts.

    A module with two servers may say so, with a group for each.
    """
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here) and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture
def make_server(tmp_path: Path) -> MakeServer:
    """Make servers on data folders of their own; the test starts and stops them."""

    def make(data: Path | None = None, **options: Any) -> Server:
        home = tmp_path / new_name()
        home.mkdir()
        return Server(data or home / "data", home, **options)

    return make


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on SQLite, as it comes, that the suites of one worker share."""
    home = tmp_path_factory.mktemp("shared")
    with Server(home / "data", home) as running:
        yield running


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def each_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server with two worker processes, on SQLite and on PostgreSQL."""
    home = tmp_path_factory.mktemp(request.param)
    with ExitStack() as stack:
        database_url = None
        if request.param == "postgresql":
            postgres: PostgresServer = request.getfixturevalue("postgres_server")
            database = postgres.create_database()
            stack.callback(postgres.drop_database, database)
            database_url = postgres.url(database)
        yield stack.enter_context(Server(home / "data", home, workers=2, database_url=database_url))


@pytest.fixture(scope="module")
def box(server: Server) -> Dav:
    """The home of the account that a module's client works with; every name is allowed."""
    return server.new_user("client", quota="2GB")


@pytest.fixture
def strict_box(server: Server) -> Dav:
    """A new, empty home with the default allow-list."""
    return server.new_user("strict", allow=None)


@pytest.fixture
def folder(client: Client) -> str:
    """A collection of the test's own, made by the client under test."""
    name = new_name()
    client.make_collection(name)
    return name
