"""`davhost trash`: what was deleted, and the way back."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from davhost.cli.common import instance_options, iso_moment, json_option, moment, printable
from davhost.cli.opening import opened
from davhost.cli.transfers import files
from davhost.errors import Refused
from davhost.model import Departed
from davhost.sizes import format_size

_user_option = click.option("--user", required=True, metavar="EMAIL", help="Whose trash.")


@click.group("trash", short_help="List what was deleted, and bring it back.")
def command() -> None:
    """List what was deleted, bring it back, or remove it for good.

    \b
    Examples:
        davhost trash list --user ada@example.org
        davhost trash restore 4711 --user ada@example.org
        davhost trash empty --user ada@example.org --older-than 7
    """


@command.command("list")
@_user_option
@json_option
@instance_options
def list_(user: str, as_json: bool, config: Path | None, data: Path | None) -> None:
    """List what was deleted and can be restored, the last one first.

    The number in front is what `davhost trash restore` wants.
    """
    with opened(config, data) as services:
        trash = services.tree_of(services.accounts.principal(user)).trash()
    if as_json:
        click.echo(json.dumps([_values(left) for left in trash], indent=2))
    elif trash:
        Console().print(_table(trash))
    else:
        click.echo("The trash is empty.")


@command.command()
@click.argument("numbers", metavar="NUMBER...", nargs=-1, type=int)
@click.option("--all", "everything", is_flag=True, help="Restore all that is in the trash.")
@_user_option
@instance_options
def restore(
    numbers: tuple[int, ...], everything: bool, user: str, config: Path | None, data: Path | None
) -> None:
    """Put back what was deleted, with everything in it.

    It comes back to where it was. If something else is there now, it is put
    beside it as "name (restored)"; if its folder is gone, into the nearest one
    above that is left.
    """
    if bool(numbers) == everything:
        raise click.UsageError("say which: numbers of `davhost trash list`, or --all")
    refused = 0
    with opened(config, data) as services:
        tree = services.tree_of(services.accounts.principal(user))
        for number in numbers or [left.resource.id for left in tree.trash()]:
            try:
                click.echo(f"{number}: {printable(tree.restore_departed(number).text)}")
            except Refused as error:
                refused += 1
                reason = printable(error.sentence or error.phrase)
                click.echo(f"davhost: {number} stays in the trash: {reason}", err=True)
    sys.exit(1 if refused else 0)


@command.command()
@click.option(
    "--older-than",
    type=click.FloatRange(0),
    metavar="DAYS",
    help="Only what was deleted more than so many days ago.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@_user_option
@instance_options
def empty(
    older_than: float | None, yes: bool, user: str, config: Path | None, data: Path | None
) -> None:
    """Remove what was deleted for good. There is no way back."""
    with opened(config, data) as services:
        tree = services.tree_of(services.accounts.principal(user))
        before_us = None
        if older_than is not None:
            before_us = services.clock.now_us() - int(older_than * 86_400_000_000)
        going = [x for x in tree.trash() if before_us is None or x.departed_us < before_us]
        what = f"{files(sum(left.files for left in going))} of {user}"
        size = format_size(sum(left.size_bytes for left in going))
        if going and not yes:
            click.confirm(f"Remove {what}, {size}, for good?", abort=True)
        tree.empty_trash(before_us)
    click.echo(f"Removed {what}, {size}.")


def _values(left: Departed) -> dict[str, Any]:
    return {
        "number": left.resource.id,
        "name": left.name,
        "place": left.place.text,
        "place_is_there": left.place_is_there,
        "is_folder": left.resource.is_collection,
        "files": left.files,
        "size_bytes": left.size_bytes,
        "deleted_at": iso_moment(left.departed_us),
    }


def _table(trash: list[Departed]) -> Table:
    table = Table("number", "deleted (UTC)", "files", "size")
    for name in ("name", "comes back to"):
        table.add_column(name, overflow="fold")
    for left in trash:
        place = left.place.text + ("" if left.place_is_there else " (its folder is gone)")
        name = left.name + ("/" if left.resource.is_collection else "")
        table.add_row(
            str(left.resource.id),
            moment(left.departed_us),
            str(left.files),
            format_size(left.size_bytes),
            Text(printable(name)),
            Text(printable(place)),
        )
    return table
