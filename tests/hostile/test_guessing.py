"""Guessing passwords: slowed down where it comes from, and nowhere else."""

import socket

import pytest

from tests.defects.target import ANN, BOB, Target
from tests.live.dav import Account
from tests.server.wire import Client

#: Addresses of this machine that stand for other people's.
HOME, GUESSER, OTHER_GUESSER, HELPER = (f"127.0.0.{number}" for number in range(11, 15))


def status(server: Target, source: str, account: Account, *lines: str) -> int:
    """Sign in from the address *source*; return the status of the answer."""
    client = Client.__new__(Client)
    client._pending = bytearray()
    client.socket = socket.create_connection(
        ("127.0.0.1", server.program.port), timeout=20, source_address=(source, 0)
    )
    with client:
        return client.ask(server.head("OPTIONS", "/", *lines, account=account)).status


def test_an_address_has_ten_wrong_tries_a_minute(server: Target) -> None:
    """Then it is 429, whoever it says it is; the owner signs in from where she did before."""
    assert status(server, GUESSER, BOB) == 200
    wrong = Account(ANN.email, "wrong password")
    tries = [status(server, GUESSER, wrong) for _ in range(14)]
    # Tries leak back with time: a slow machine may get one or two more.
    assert tries[:10] == [401] * 10
    assert tries[-1] == 429
    assert tries.count(401) <= 12
    assert status(server, GUESSER, wrong, "X-Forwarded-For: 192.0.2.1", "Forwarded: for=1") == 429
    assert status(server, GUESSER, BOB) == 200
    assert status(server, HOME, ANN) == 200


@pytest.mark.xfail(
    strict=True, reason="a verified password is remembered for every address, not for its own"
)
def test_an_address_that_is_used_up_cannot_guess_right(server: Target) -> None:
    """Also while the owner is busy elsewhere: else 429 for wrong and 200 for right go on for ever."""
    assert status(server, HOME, ANN) == 200
    wrong = Account(ANN.email, "wrong password")
    while status(server, OTHER_GUESSER, wrong) != 429:
        pass
    assert status(server, OTHER_GUESSER, ANN) == 429


def test_an_invented_address_neither_helps_nor_hurts(server: Target) -> None:
    """X-Forwarded-For of who is no trusted proxy is not read: nobody can be blamed by it."""
    wrong = Account(ANN.email, "wrong password")
    tries = [
        status(server, HELPER, wrong, f"X-Forwarded-For: 192.0.2.{number}, {HOME}")
        for number in range(14)
    ]
    assert tries[-1] == 429
    assert status(server, HOME, wrong) == 401
