"""`davhost restore`: out of a backup, everything or one account's files."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import NoReturn

import click

from davhost.accounts.registry import email_key
from davhost.backup import Backup, BadBackup, NoSuchSpace, items_of, newest, restore_all
from davhost.blobs.local import LocalBlobs
from davhost.bootstrap.services import open_catalogue, open_services
from davhost.cli.backup import at_option
from davhost.cli.common import Failure, instance_options, json_option, read_settings
from davhost.cli.opening import opened
from davhost.cli.transfers import OnFile, counted, finish, progress
from davhost.paths import DavPath
from davhost.settings import Settings
from davhost.transfer import Existing, Intake, Item


@click.command("restore", short_help="Bring back a backup, or one account's files of it.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, exists=True))
@at_option
@click.option("--user", metavar="EMAIL", help="Only the files of this account.")
@click.option("--path", default="/", metavar="PATH", help="Only this folder or file of theirs.")
@click.option(
    "--in-place",
    is_flag=True,
    help="Put the files where they were; what they replace becomes a version.",
)
@json_option
@instance_options
def command(
    folder: Path,
    at: datetime | None,
    user: str | None,
    path: str,
    in_place: bool,
    as_json: bool,
    config: Path | None,
    data: Path | None,
) -> None:
    """Bring back the newest backup in DIR, or that of --at.

    Without --user it becomes a new server in the data folder (and database)
    that the settings name, which must be empty: the accounts with their
    passwords, all files, versions, the trash. If it breaks off, run it again.

    With --user it brings files of one account back into a running server, into
    a new folder "Restored <time>" beside everything else. With --in-place they
    go where they were: what is missing comes back, what differs gets its old
    content, and its present content becomes a version. Nothing is deleted.

    \b
    Examples:
        davhost restore /mnt/backups --data /srv/drive
        davhost restore /mnt/backups --user ada@example.org
        davhost restore /mnt/backups --user ada@example.org --path /Letters --in-place
    """
    if user is None and (in_place or path != "/"):
        raise click.UsageError("--path and --in-place go with --user")
    try:
        backup = newest(folder, at)
        if user is None:
            _restore_all(backup, read_settings(config, data).settings, quiet=as_json)
        items = items_of(backup, email_key(user), DavPath.from_text(path))
        _take_in(
            backup, items, user, path, in_place=in_place, as_json=as_json, where=(config, data)
        )
    except (BadBackup, NoSuchSpace) as error:
        raise Failure(str(error)) from error


def _restore_all(backup: Backup, settings: Settings, *, quiet: bool) -> NoReturn:
    catalogue = open_catalogue(settings)
    try:
        blobs = LocalBlobs(settings.data_dir / "blobs", durable=settings.durability == "full")
        with counted("Restoring", quiet=quiet) as on_blob:
            restored = restore_all(backup, catalogue, blobs, on_blob)
    except ValueError as error:
        raise Failure(f"{settings.data_dir}: {error}") from error
    finally:
        catalogue.close()
    _show(settings)
    click.echo(f"Restored {backup.name} into {settings.data_dir}: {restored.blobs} contents.")
    for fault in restored.faults:
        click.echo(f"davhost: {fault}", err=True)
    sys.exit(1 if restored.faults else 0)


def _show(settings: Settings) -> None:
    """Make the readable trees, as the server would when it starts."""
    services = open_services(settings)
    try:
        if services.projection is not None:
            for user_id in services.projection.lagging():
                services.projection.catch_up(user_id)
    finally:
        services.close()


def _take_in(
    backup: Backup,
    items: list[Item],
    user: str,
    path: str,
    *,
    in_place: bool,
    as_json: bool,
    where: tuple[Path | None, Path | None],
) -> NoReturn:
    target = DavPath.from_text(path)
    top = target.parent if in_place else DavPath.of(f"Restored {backup.name}")
    files = [item.size_bytes for item in items if not item.is_collection]
    with opened(*where) as services:
        tree = services.tree_of(services.accounts.principal(user))
        intake = Intake(tree, top, existing=Existing.OVERWRITE)
        with progress("Restoring", len(files), sum(files), quiet=as_json) as on_file:
            report = intake.run(items, lambda item: _count(item, on_file))
    finish(report, f"Restored of {backup.name} into {top}:", as_json=as_json)


def _count(item: Item, on_file: OnFile) -> None:
    if not item.is_collection:
        on_file(item.size_bytes)
