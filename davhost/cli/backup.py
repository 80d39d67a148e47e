"""`davhost backup`: a whole instance at one moment, while it serves."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path

import click

from davhost import __version__
from davhost.backup import Backup, BadBackup, Maker, newest, thin, verify
from davhost.bootstrap.services import Services
from davhost.cli.common import Failure, MomentType, instance_options, json_option
from davhost.cli.opening import opened
from davhost.cli.transfers import counted
from davhost.sizes import format_size

at_option = click.option(
    "--at",
    type=MomentType(),
    metavar="TIME",
    help="The newest backup that is not younger: 2026-11-22T22:30, in UTC.",
)


@click.command("backup", short_help="Save everything at one moment, while it serves.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--keep",
    type=click.IntRange(1),
    metavar="NUMBER",
    help="Afterwards delete all backups in DIR but so many, the newest.",
)
@click.option("--full", is_flag=True, help="Copy every file, also those of the backup before.")
@click.option("--verify", "check", is_flag=True, help="Make none; read one again, every byte.")
@at_option
@json_option
@instance_options
def command(
    folder: Path,
    keep: int | None,
    full: bool,
    check: bool,
    at: datetime | None,
    as_json: bool,
    config: Path | None,
    data: Path | None,
) -> None:
    """Save all accounts and files into DIR, also while the server runs.

    Every backup is complete, in a directory of its own that is called by its
    moment. Files that the backup before has are linked to it, so that only new
    ones need room. One that breaks off is not taken for complete, and the next
    goes on where it was. Keep DIR on another disk than the data.

    The status is 1 if a file is lost or damaged on the server; the others are
    saved. --verify reads the newest backup again, or that of --at.

    \b
    Examples:
        davhost backup /mnt/backups --keep 30
        davhost backup /mnt/backups --verify
        davhost restore /mnt/backups --data ./again
    """
    if at is not None and not check:
        raise click.UsageError("--at goes with --verify")
    try:
        if check:
            _check(newest(folder, at), as_json=as_json)
            return
        with opened(config, data) as services:
            backup = _make(services, folder, full=full, quiet=as_json)
        gone = thin(folder, keep) if keep is not None else []
    except BadBackup as error:
        raise Failure(str(error)) from error
    _say(backup, gone, as_json=as_json)


def _make(services: Services, folder: Path, *, full: bool, quiet: bool) -> Backup:
    maker = Maker(services.catalogue, services.blobs, folder, davhost=__version__, full=full)
    with counted("Saving", quiet=quiet) as on_blob:
        return maker.make(services.clock.now_us(), on_blob)


def _say(backup: Backup, gone: list[Backup], *, as_json: bool) -> None:
    manifest = backup.manifest()
    if as_json:
        names = [old.name for old in gone]
        values = {"backup": str(backup.folder), "deleted": names, **json.loads(manifest.json())}
        click.echo(json.dumps(values, indent=2))
    else:
        click.echo(
            f"{backup.folder}: {manifest.blobs} contents, {format_size(manifest.size_bytes)}; "
            f"{manifest.copied} of them new."
        )
        for old in gone:
            click.echo(f"Deleted {old.name}.")
        for key in manifest.lost:
            click.echo(f"davhost: the content {key} is lost on the server", err=True)
        for key in manifest.damaged:
            click.echo(f"davhost: the content {key} is damaged on the server", err=True)
    sys.exit(0 if manifest.is_whole else 1)


def _check(backup: Backup, *, as_json: bool) -> None:
    faults = list(verify(backup))
    if as_json:
        click.echo(json.dumps({"backup": str(backup.folder), "faults": faults}, indent=2))
    elif not faults:
        click.echo(f"{backup.folder} is whole: {backup.manifest().blobs} contents.")
    else:
        for fault in faults:
            click.echo(f"davhost: {backup.name}: {fault}", err=True)
    sys.exit(1 if faults else 0)
