"""The parts of one server, opened for the time of a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from davhost.accounts import AccountExists, BadEmail, LastAdmin, NoSuchAccount, WeakPassword
from davhost.bootstrap.first_start import prepare
from davhost.bootstrap.services import Services, open_services
from davhost.cli.common import Failure, demand_data, read_settings


@contextmanager
def opened(config: Path | None, data: Path | None, *, create: bool = False) -> Iterator[Services]:
    """Open the server's parts; what accounts refuse becomes one line."""
    settings = read_settings(config, data).settings
    if create:
        prepare(settings, with_admin=False)
    else:
        demand_data(settings)
    services = open_services(settings)
    try:
        yield services
    except (AccountExists, BadEmail, LastAdmin, NoSuchAccount, WeakPassword) as error:
        raise Failure(str(error)) from error
    finally:
        services.close()
