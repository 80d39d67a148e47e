"""`davhost user app-password`: passwords for devices, by whoever runs the server."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from davhost.accounts import BadScope
from davhost.accounts.devices import Device
from davhost.cli.common import Failure, instance_options, iso_moment, json_option, moment, printable
from davhost.cli.opening import opened
from davhost.paths import DavPath


@click.group("app-password")
def command() -> None:
    """Add, list and revoke the passwords of single devices.

    \b
    Examples:
        davhost user app-password add ada@example.org --label laptop
        davhost user app-password add ada@example.org --label tv --read-only --folder /Films
        davhost user app-password list ada@example.org
        davhost user app-password revoke ada@example.org 3
    """


@command.command()
@click.argument("email")
@click.option("--label", required=True, help="The name of the device.")
@click.option("--read-only", is_flag=True, help="Let it read and nothing else.")
@click.option("--folder", default="/", help="The folder that is all it sees.  [default: /]")
@instance_options
def add(
    email: str,
    label: str,
    read_only: bool,
    folder: str,
    config: Path | None,
    data: Path | None,
) -> None:
    """Make a password for a device of the account EMAIL; it is printed this once."""
    with opened(config, data) as services:
        account = services.accounts.get(email)
        root = DavPath.from_text(folder)
        try:
            _, password = services.accounts.devices.add(
                account, label, read_only=read_only, root=root
            )
        except BadScope as error:
            raise Failure(str(error)) from error
        click.echo(password)


@command.command("list")
@click.argument("email")
@json_option
@instance_options
def list_(email: str, as_json: bool, config: Path | None, data: Path | None) -> None:
    """Show the devices of the account EMAIL, and when each was used last."""
    with opened(config, data) as services:
        devices = services.accounts.devices.list_(services.accounts.get(email))
    if as_json:
        click.echo(json.dumps([_values(device) for device in devices], indent=2))
        return
    table = Table("number", "device", "may", "sees", "last used", "from")
    for device in devices:
        one = device.password
        table.add_row(
            str(one.id),
            printable(one.label),
            "read" if one.read_only else "read and write",
            "nothing: its folder is gone" if device.root is None else printable(str(device.root)),
            "never" if one.used_us is None else moment(one.used_us),
            one.address or "",
        )
    Console().print(table)


@command.command()
@click.argument("email")
@click.argument("number", type=int)
@instance_options
def revoke(email: str, number: int, config: Path | None, data: Path | None) -> None:
    """End password NUMBER of the account EMAIL, from the next request on."""
    with opened(config, data) as services:
        if not services.accounts.devices.revoke(services.accounts.get(email), number):
            raise Failure(f"{email} has no app password {number}")
        click.echo(f"App password {number} of {email} is revoked.")


def _values(device: Device) -> dict[str, object]:
    one = device.password
    return {
        "number": one.id,
        "label": one.label,
        "read_only": one.read_only,
        "folder": None if device.root is None else str(device.root),
        "created_at": iso_moment(one.created_us),
        "used_at": None if one.used_us is None else iso_moment(one.used_us),
        "used_from": one.address,
    }
