"""The whole application in this process: SQLite, local blobs, WsgiDAV's stack."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
from hypothesis import settings

from davhost.accounts.passwords import Passwords
from davhost.bootstrap.first_start import prepare
from davhost.bootstrap.services import Services, open_services
from davhost.bootstrap.wsgi import build_app
from davhost.catalogue import Account
from davhost.model import Rules
from davhost.settings import Settings
from tests.dav.wsgi import Client

# A busy machine is no failure.
settings.register_profile("davhost", deadline=None)
settings.load_profile("davhost")

PASSWORD = "correct horse"
_numbers = itertools.count(1)


@pytest.fixture(scope="package")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """The parts of an empty instance."""
    chosen = Settings(data_dir=tmp_path_factory.mktemp("instance"), durability="fast")
    prepare(chosen, with_admin=False)
    parts = open_services(chosen)
    with pytest.MonkeyPatch.context() as patch:
        # Every test has an account of its own, and argon2 is slow on purpose. Other
        # packages hash as servers do: so this ends with the package.
        patch.setattr(Passwords, "hash", lambda _, password: f"plain {password}")
        patch.setattr(Passwords, "verify", _verify)
        patch.setattr(Passwords, "needs_update", lambda _, account: False)
        yield parts
    parts.close()


def _verify(_: Passwords, account: Account | None, password: str) -> bool:
    return account is not None and account.password_hash == f"plain {password}"


@pytest.fixture(scope="package")
def app(services: Services) -> Callable[..., object]:
    """The WSGI application."""
    return build_app(services)


NewClient = Callable[..., Client]


@pytest.fixture(scope="package")
def new_client(services: Services, app: Callable[..., object]) -> NewClient:
    """Make an account with an empty home, and a client for it."""

    def make(*, rules: str = "*", quota_bytes: int | None = None) -> Client:
        email = f"user{next(_numbers)}@example.org"
        services.accounts.register(
            email, PASSWORD, quota_bytes=quota_bytes, rules=Rules.parse(rules)
        )
        return Client(app, (email, PASSWORD))

    return make


@pytest.fixture
def client(new_client: NewClient) -> Client:
    """A client with an empty home in which every file name is allowed."""
    return new_client()


@pytest.fixture
def nobody(app: Callable[..., object]) -> Client:
    """A client that does not sign in."""
    return Client(app, None)
