"""`davhost tree`: the plain files in which every account can be read."""

from __future__ import annotations

from pathlib import Path

import click

from davhost.cli.common import Failure, instance_options
from davhost.cli.opening import opened


@click.group("tree", short_help="Make the readable tree again.")
def command() -> None:
    """Look after data/users, where every account stands as plain files.

    The server keeps it up to date by itself; `davhost check` compares it.
    """


@command.command()
@click.option("--user", "email", metavar="EMAIL", help="Of this account only.")
@instance_options
def rebuild(email: str | None, config: Path | None, data: Path | None) -> None:
    """Make the readable tree again from the catalogue, and put it in the old one's place.

    The server may run meanwhile.

    \b
    Examples:
        davhost tree rebuild
        davhost tree rebuild --user ada@example.org
    """
    with opened(config, data) as services:
        if services.projection is None:
            raise Failure("the setting readable_tree is off: there is no readable tree")
        one = None if email is None else services.accounts.get(email).id
        owners = [o for o in services.projection.owners() if one in (None, o.user_id)]
        for owner in owners:
            services.projection.rebuild(owner.user_id)
            click.echo(
                f"{owner.email}: made again in {services.settings.data_dir}/users/{owner.user_id}"
            )
