"""`davhost brake`: accounts that can only be read since too much was changed at once."""

from __future__ import annotations

import json
from pathlib import Path

import click

from davhost.bootstrap.services import Services
from davhost.cli.common import Failure, instance_options, iso_moment, json_option, moment
from davhost.cli.opening import opened


@click.group("brake", short_help="List accounts that were stopped, and let them write again.")
def command() -> None:
    """List accounts that can only be read, and let them write again.

    An account is stopped when too many of its files were overwritten, renamed
    or deleted at once (settings brake, brake_changes, brake_minutes).

    \b
    Examples:
        davhost brake list
        davhost rewind --user ada@example.org --to-brake
        davhost brake release --user ada@example.org
    """


@command.command("list")
@json_option
@instance_options
def list_(as_json: bool, config: Path | None, data: Path | None) -> None:
    """List the accounts that are stopped, and when the changes began."""
    with opened(config, data) as services:
        found = {
            account.email: braked_us
            for account in services.accounts.list_()
            if (braked_us := braked(services, account.email)) is not None
        }
    if as_json:
        values = [{"email": email, "since": iso_moment(at_us)} for email, at_us in found.items()]
        click.echo(json.dumps(values, indent=2))
    elif not found:
        click.echo("No account is stopped.")
    for email, at_us in {} if as_json else found.items():
        click.echo(f"{email}: stopped; the changes began at {moment(at_us)} UTC")


@command.command()
@click.option("--user", required=True, metavar="EMAIL", help="Whose account.")
@instance_options
def release(user: str, config: Path | None, data: Path | None) -> None:
    """Let an account write again. What was changed stays changed: see `davhost rewind`."""
    with opened(config, data) as services:
        if braked(services, user) is None:
            raise Failure(f"{user} is not stopped")
        services.tree_of(services.accounts.principal(user)).release_brake()
    click.echo(f"{user} can write again.")


def braked(services: Services, email: str) -> int | None:
    """When the burst of changes began that stopped an account; None if it is not stopped."""
    return services.tree_of(services.accounts.principal(email)).space().braked_us
