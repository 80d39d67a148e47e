"""Make an instance out of an empty folder: schema, and a first administrator."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from davhost.accounts.passwords import make_password
from davhost.bootstrap.services import open_catalogue, open_services
from davhost.settings import Settings


@dataclass(frozen=True, slots=True)
class FirstAdmin:
    """The account that was made because there was none.

    Args:
        password: is shown once and kept nowhere.
    """

    email: str
    password: str


def prepare(settings: Settings, *, with_admin: bool = True) -> FirstAdmin | None:
    """Make what is missing before an instance can be used.

    An empty database gets its schema; an old one is left alone and refused.

    Args:
        with_admin: whether to make an administrator if there is no account.

    Returns:
        The administrator, if one was made.

    Raises:
        OSError: the data folder cannot be made or written to.
        SchemaOutdated: the schema is not the one that this version needs.
        Unavailable: the database cannot be reached.
    """
    catalogue = open_catalogue(settings)
    try:
        with _alone(settings):
            if catalogue.current_revision() is None:
                catalogue.upgrade()
            return _first_admin(settings) if with_admin else None
    finally:
        catalogue.close()


def _first_admin(settings: Settings) -> FirstAdmin | None:
    services = open_services(settings)
    try:
        if services.accounts.list_():
            return None
        password = make_password()
        services.accounts.register(settings.admin_email, password, admin=True)
        return FirstAdmin(settings.admin_email, password)
    finally:
        services.close()


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Let one process at a time prepare the data folder."""
    folder = os.open(settings.data_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
