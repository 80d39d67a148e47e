"""One davhost as it comes, with Ann and Bob, for all hostile clients."""

import dataclasses
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.defects.target import Target, start_davhost

_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of one module on one worker: they share its server."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="session")
def davhost(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The server; leaving it fails when its log has a traceback."""
    target = start_davhost(tmp_path_factory.mktemp("hostile"))
    yield target
    target.program.stop()


@pytest.fixture
def server(davhost: Target) -> Target:
    """The server, with a folder of the test's own."""
    folder = f"/f{next(_numbers)}"
    davhost.dav.make_collection(folder)
    return dataclasses.replace(davhost, folder=folder)
