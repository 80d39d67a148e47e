"""Both servers, shared by all scenarios; each scenario has a folder of its own."""

import dataclasses
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.conftest import certificate, serve

# The mark compares; show its values as a test's own are shown.
pytest.register_assert_rewrite("tests.defects.known")

from tests.defects.target import Target, start_davhost, start_stock  # noqa: E402

__all__ = ["certificate", "serve"]

#: An upload that stalls is given up after this long, on both servers.
STALL_SECONDS = 3
_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of one module on one worker: they share its servers."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="session")
def davhost(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """davhost as it comes."""
    home = tmp_path_factory.mktemp("davhost")
    target = start_davhost(home, DAVHOST_BODY_STALL_TIMEOUT_SECONDS=str(STALL_SECONDS))
    yield target
    target.program.stop()


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The stock packages as they come."""
    target = start_stock(tmp_path_factory.mktemp("stock"), timeout=STALL_SECONDS)
    yield target
    target.program.end()


@pytest.fixture(params=["davhost", "stock"])
def server(request: pytest.FixtureRequest) -> Target:
    """One of the two."""
    target: Target = request.getfixturevalue(request.param)
    folder = f"/f{next(_numbers)}"
    target.dav.make_collection(folder)
    return dataclasses.replace(target, folder=folder)


@pytest.fixture(params=["davhost", "stock"])
def own_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Target]:
    """One of the two, for a scenario that stops it and starts it again."""
    if request.param == "davhost":
        target = start_davhost(tmp_path, DAVHOST_GRACE_SECONDS="1")
    else:
        target = start_stock(tmp_path)
    target.dav.make_collection("/f")
    yield dataclasses.replace(target, folder="/f")
    target.program.end()
