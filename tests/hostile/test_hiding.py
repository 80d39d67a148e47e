"""What others cannot find out: names, files, tokens and accounts of somebody else."""

import pytest

from davhost.accounts import AccountsOptions
from davhost.accounts.passwords import Passwords
from tests.defects.target import ANN, BOB, Target
from tests.live.dav import Account

LOCK = (
    b'<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope>'
    b"<locktype><write/></locktype></lockinfo>"
)
PATCH = b'<propertyupdate xmlns="DAV:"><set><prop><x/></prop></set></propertyupdate>'
REQUESTS = [
    ("GET", b"", ()),
    ("HEAD", b"", ()),
    ("OPTIONS", b"", ()),
    ("PROPFIND", b"", ("Depth: 0",)),
    ("PUT", b"x", ("If-Match: *",)),
    ("DELETE", b"", ()),
    ("COPY", b"", ("Destination: /copied.txt",)),
    ("MOVE", b"", ("Destination: /moved.txt",)),
    ("UNLOCK", b"", ("Lock-Token: {token}",)),
    ("LOCK", b"", ("If: ({token})",)),
    ("PUT", b"x", ("If: ({token})",)),
    ("PUT", b"x", ("If-Match: {etag}",)),
    ("PROPPATCH", PATCH, ()),
]  # fmt: skip


def what_bob_is_told(
    server: Target, name: str, method: str, body: bytes, lines: tuple[str, ...]
) -> object:
    """Bob's answer, without what differs between any two answers."""
    head = server.head(
        method, server.path(name), f"Content-Length: {len(body)}", *lines, account=BOB
    )
    reply = server.ask(head + body, method)
    headers = {k: v for k, v in reply.headers.items() if k not in ("date", "x-request-id")}
    return reply.status, headers, reply.body.replace(name.encode(), b"NAME")


@pytest.mark.parametrize(("method", "body", "lines"), REQUESTS)
def test_what_is_somebody_elses_is_answered_like_what_is_not_there(
    server: Target, method: str, body: bytes, lines: tuple[str, ...]
) -> None:
    """Bob asks for a locked file of Ann's, with her token and ETag, and for nothing at all."""
    server.put("hers.txt", b"secret")
    token = server.token("hers.txt")
    etag = server.dav.etag(server.path("hers.txt"))
    lines = tuple(line.format(token=f"<{token}>", etag=etag) for line in lines)
    theirs = what_bob_is_told(server, "hers.txt", method, body, lines)
    nothing = what_bob_is_told(server, "none.txt", method, body, lines)
    assert theirs == nothing
    assert server.read("hers.txt") == b"secret"


def test_an_account_that_is_not_there_is_answered_like_a_wrong_password(server: Target) -> None:
    """The same status, headers and body; that it takes the same time is shown below."""
    answers = []
    for account in (Account(ANN.email, "wrong one"), Account("nobody@example.org", "wrong one")):
        reply = server.ask(server.head("GET", "/", account=account))
        unlike = ("date", "x-request-id")
        headers = {k: v for k, v in reply.headers.items() if k not in unlike}
        answers.append((reply.status, headers, reply.body))
    assert answers[0] == answers[1]
    assert answers[0][0] == 401


def test_an_account_that_is_not_there_costs_the_time_of_one_that_is() -> None:
    """One slow hash is checked either way; counted, because time cannot be trusted in a test."""
    passwords = Passwords(AccountsOptions(rounds=1))
    checked: list[str] = []
    verify = passwords._hashing.verify

    def count(password: str, hashed: str) -> bool:
        checked.append(hashed)
        return bool(verify(password, hashed))

    passwords._hashing.verify = count
    assert not passwords.verify(None, "a password")
    assert len(checked) == 1
    known = passwords.hash("another password")
    assert checked[0].split("$")[1:4] == known.split("$")[1:4], "another cost"
