"""What is done to an account counts on the very next request, in every process."""

import pytest

from tests.live.at_once import at_once
from tests.live.client_contract import is_tree
from tests.live.conftest import MakeServer
from tests.live.dav import Account, Dav
from tests.live.server import Server

#: Enough for both workers to get some.
REQUESTS = 4


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, make_server: MakeServer) -> Server:
    """A server with two workers, which does not slow down who errs often."""
    database_url = None
    if request.param == "postgresql":
        database_url = request.getfixturevalue("postgres_url")
    settings = {"DAVHOST_WRONG_TRIES_PER_MINUTE": "1000"}
    return make_server(workers=2, database_url=database_url, settings=settings)


def statuses(box: Dav) -> set[int]:
    """Ask many times at once, so that every process has answered."""
    asks = [lambda: box.request("PROPFIND", "/", headers={"Depth": "0"}).status] * REQUESTS
    return set(at_once(*asks))


def with_password(server: Server, box: Dav, password: str) -> Dav:
    """Look at the same home with another password."""
    assert box.account is not None
    return server.dav(Account(box.account.email, password))


def test_a_password_change_counts_at_once(server: Server) -> None:
    """The old password is worth nothing and the new one everything, at once."""
    with server:
        box = server.new_user("ada")
        assert box.account is not None
        box.put("/a.txt", b"content")
        assert statuses(box) == {207}
        new = with_password(server, box, "a new password")
        server.administer(
            "user", "passwd", box.account.email, "--password-stdin", stdin="a new password\n"
        )
        assert statuses(box) == {401}
        assert statuses(new) == {207}
        is_tree(new, "", {"a.txt": b"content"})


def test_a_disabled_account_is_out_at_once(server: Server) -> None:
    """A disabled account is refused at once; enabled again, it finds its files."""
    with server:
        box = server.new_user("ada")
        assert box.account is not None
        box.put("/a.txt", b"content")
        assert statuses(box) == {207}
        server.administer("user", "disable", box.account.email)
        assert statuses(box) == {401}
        server.administer("user", "enable", box.account.email)
        assert statuses(box) == {207}
        is_tree(box, "", {"a.txt": b"content"})


def test_a_removed_account_is_out_at_once_with_its_files(server: Server) -> None:
    """A removed account is refused at once; a new one of the same name finds nothing."""
    with server:
        box = server.new_user("ada")
        other = server.new_user("grace")
        assert box.account is not None
        box.put("/a.txt", b"content")
        other.put("/a.txt", b"grace's")
        assert statuses(box) == {207}
        server.administer("user", "remove", "--yes", box.account.email)
        assert statuses(box) == {401}
        server.administer(
            *("user", "add", box.account.email, "--password-stdin"),
            stdin=f"{box.account.password}\n",
        )
        assert statuses(box) == {207}
        is_tree(box, "", {})
        is_tree(other, "", {"a.txt": b"grace's"})
