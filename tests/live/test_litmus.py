"""litmus, the protocol test of the WebDAV community: necessary, nowhere near sufficient."""

import re
from pathlib import Path

import pytest

from tests.live.dav import Account
from tests.live.programs import run_program
from tests.live.server import Server, clean_environment

pytestmark = pytest.mark.needs("litmus")

#: How many tests each suite of litmus 0.13 has, so that none can be left out unseen.
SUITES = {"basic": 16, "copymove": 13, "props": 30, "locks": 41, "http": 4}


@pytest.fixture(scope="module")
def account(each_server: Server) -> Account:
    """An account whose names need no extensions, as litmus gives none."""
    return each_server.add_user("litmus")


def check_suite(url: str, account: Account, suite: str, home: Path) -> None:
    """Run one suite of litmus: every test passes, without a warning."""
    environment = clean_environment(home) | {"TESTS": suite}
    command = ("litmus", url, account.email, account.password)
    # litmus writes debug.log where it stands.
    said = run_program(*command, home=home, environment=environment).stdout.decode()
    found = re.search(r"summary for `\w+': of (\d+) tests run: (\d+) passed, (\d+) failed", said)
    assert found, said
    assert tuple(map(int, found.groups())) == (SUITES[suite], SUITES[suite], 0), said
    assert not re.search(r"WARNING|FAIL|SKIPPED", said), said


@pytest.mark.parametrize("suite", SUITES)
def test_litmus_finds_nothing(
    each_server: Server, account: Account, suite: str, tmp_path: Path
) -> None:
    """Every test of litmus passes, without a warning."""
    check_suite(each_server.url, account, suite, tmp_path)
