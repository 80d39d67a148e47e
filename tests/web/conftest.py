"""The whole application in this process, and browsers for it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from davhost.accounts.passwords import Passwords
from davhost.bootstrap.first_start import prepare
from davhost.bootstrap.services import Services, open_services
from davhost.bootstrap.wsgi import build_app
from davhost.catalogue import Account
from davhost.model import Rules
from davhost.settings import Settings
from tests.web.browser import Browser, Wsgi

PASSWORD = "correct horse"
_numbers = itertools.count(1)


@contextmanager
def running(folder: Path, **settings: object) -> Iterator[Services]:
    """Make the parts of an empty instance; passwords cost nothing."""
    usual = {"data_dir": folder, "durability": "fast", "readable_tree": False}
    chosen = Settings(**(usual | settings))
    prepare(chosen, with_admin=False)
    parts = open_services(chosen)
    with pytest.MonkeyPatch.context() as patch:
        # argon2 is slow on purpose. Other packages hash as servers do: so this ends
        # with the package.
        patch.setattr(Passwords, "hash", lambda _, password: f"plain {password}")
        patch.setattr(Passwords, "verify", _verify)
        patch.setattr(Passwords, "needs_update", lambda _, account: False)
        yield parts
    parts.close()


@pytest.fixture(scope="package")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """The parts of an empty instance."""
    with running(tmp_path_factory.mktemp("instance")) as parts:
        yield parts


def _verify(_: Passwords, account: Account | None, password: str) -> bool:
    return account is not None and account.password_hash == f"plain {password}"


@pytest.fixture(scope="package")
def app(services: Services) -> Wsgi:
    """The WSGI application."""
    return build_app(services)


@pytest.fixture
def email(services: Services) -> str:
    """An account with an empty home, in which every name is allowed."""
    address = f"user{next(_numbers)}@example.org"
    services.accounts.register(address, PASSWORD, rules=Rules.parse("*"))
    return address


@pytest.fixture
def new_browser(app: Wsgi) -> Callable[..., Browser]:
    """Open a browser that has been nowhere yet, at an address of its own."""

    def make(**options: str) -> Browser:
        number = next(_numbers)
        return Browser(app, address=f"198.51.{number // 250}.{number % 250}", **options)

    return make


@pytest.fixture
def browser(new_browser: Callable[..., Browser]) -> Browser:
    """A browser that has been nowhere yet."""
    return new_browser()


@pytest.fixture
def signed_in(browser: Browser, email: str) -> Browser:
    """A browser in which the account is signed in."""
    assert browser.sign_in(email, PASSWORD).status_code == 303
    return browser
