"""`davhost db`: the schema of the catalogue, up, down, and which one it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from davhost.bootstrap.services import open_catalogue
from davhost.catalogue import Catalogue
from davhost.cli.common import Failure, demand_data, instance_options, read_settings


@click.group("db", short_help="Bring the database to this version, or back.")
def command() -> None:
    """Bring the catalogue's schema up to date, or back, and show its revision.

    Stop the server and make a backup first.

    \b
    Examples:
        davhost db current
        davhost db upgrade
    """


@command.command()
@instance_options
def upgrade(config: Path | None, data: Path | None) -> None:
    """Bring the schema to the revision that this version of davhost needs."""
    with _catalogue(config, data, create=True) as catalogue:
        before = catalogue.current_revision()
        catalogue.upgrade()
        click.echo(f"{before or 'empty'} -> {catalogue.current_revision()}")


@command.command()
@click.argument("revision")
@click.option("--yes", is_flag=True, help="Do not ask.")
@instance_options
def downgrade(revision: str, yes: bool, config: Path | None, data: Path | None) -> None:
    """Take the schema back to REVISION, for an older version of davhost.

    What the newer tables held is lost; `base` removes everything.
    """
    with _catalogue(config, data) as catalogue:
        before = catalogue.current_revision()
        if before is None:
            raise Failure("there is no schema to take back")
        if not yes:
            click.confirm(f"Take the schema from {before} back to {revision}?", abort=True)
        try:
            catalogue.downgrade(revision)
        except ValueError as error:
            raise Failure(str(error)) from error
        click.echo(f"{before} -> {catalogue.current_revision() or 'empty'}")


@command.command()
@instance_options
def current(config: Path | None, data: Path | None) -> None:
    """Show the schema's revision, and whether it is the one that is needed."""
    with _catalogue(config, data) as catalogue:
        click.echo(catalogue.current_revision() or "empty")
        catalogue.check_schema()


@contextmanager
def _catalogue(
    config: Path | None, data: Path | None, *, create: bool = False
) -> Iterator[Catalogue]:
    settings = read_settings(config, data).settings
    if not create:
        demand_data(settings)
    catalogue = open_catalogue(settings)
    try:
        yield catalogue
    finally:
        catalogue.close()
