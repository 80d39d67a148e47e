"""Every contract holds on both databases."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from davhost.catalogue import Catalogue
from tests.instance import Home, Instance, make_instance
from tests.postgres import PostgresServer


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/davhost.sqlite"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of each kind with the tables, copied: to make them takes longer than a test."""
    if request.param == "sqlite":
        file = tmp_path / "davhost.sqlite"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), file)
        yield f"sqlite:///{file}"
        return
    postgres: PostgresServer = request.getfixturevalue("postgres_server")
    database = postgres.create_database(request.getfixturevalue("postgres_template"))
    yield postgres.url(database)
    postgres.drop_database(database)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the tables."""
    file = tmp_path_factory.mktemp("template") / "davhost.sqlite"
    _make_tables(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """A database with the tables; nobody stays connected to it."""
    database = postgres_server.create_database()
    _make_tables(postgres_server.url(database))
    return database


def _make_tables(database_url: str) -> None:
    catalogue = Catalogue(database_url, durable=False)
    catalogue.upgrade()
    catalogue.close()


@pytest.fixture
def instance(database_url: str, tmp_path: Path) -> Iterator[Instance]:
    """A complete instance."""
    made = make_instance(database_url, tmp_path)
    yield made
    made.catalogue.close()


@pytest.fixture
def ann(instance: Instance) -> Home:
    """A home with the default allow-list and without quota."""
    return instance.home("ann@example.org")
