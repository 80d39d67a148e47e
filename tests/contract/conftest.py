"""Every contract holds on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.instance import Home, Instance, make_instance


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/davhost.sqlite"
    url: str = request.getfixturevalue("postgres_url")
    return url


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
