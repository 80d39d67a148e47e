"""Guessing passwords: slowed down where it comes from, and nowhere else."""

import socket
import time

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


def guess(server: Target, source: str, *lines: str) -> None:
    """Guess at many accounts until the address is used up, and see that it soon is.

    Many accounts, because guesses at one are slowed down besides.
    """
    began = time.monotonic()
    tries = 0
    while (
        said := status(server, source, Account(f"nobody{tries}@example.org", "a guess"), *lines)
    ) == 401:
        tries += 1
        # Tries come back with time, ten a minute.
        assert tries <= 11 + (time.monotonic() - began) / 6
    assert said == 429
    assert tries >= 10


def test_an_address_has_ten_wrong_tries_a_minute(server: Target) -> None:
    """Then it is 429; who signed in from there before, or comes from elsewhere, still gets in."""
    assert status(server, GUESSER, BOB) == 200
    guess(server, GUESSER)
    assert status(server, GUESSER, Account(ANN.email, "a guess")) == 429
    assert status(server, GUESSER, BOB) == 200
    assert status(server, HOME, ANN) == 200


def test_an_address_that_is_used_up_cannot_guess_right(server: Target) -> None:
    """Also while the owner is busy elsewhere: 429 for wrong and 200 for right would tell."""
    assert status(server, HOME, ANN) == 200
    guess(server, OTHER_GUESSER)
    assert status(server, OTHER_GUESSER, ANN) == 429


def test_an_invented_address_neither_helps_nor_hurts(server: Target) -> None:
    """X-Forwarded-For of who is no trusted proxy is not read: nobody can be blamed by it."""
    guess(server, HELPER, f"X-Forwarded-For: 192.0.2.1, {HOME}", "Forwarded: for=192.0.2.1")
    invented = "X-Forwarded-For: 192.0.2.2"
    assert status(server, HELPER, Account(ANN.email, "a guess"), invented) == 429
    assert status(server, HOME, Account(ANN.email, "a guess")) == 401
