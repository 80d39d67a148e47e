"""`davhost user`: accounts, made and changed by whoever runs the server."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from davhost.catalogue import Account
from davhost.cli import app_password
from davhost.cli.common import (
    Failure,
    allow_option,
    instance_options,
    parse_rules,
    password_option,
    quota_option,
    read_password,
)
from davhost.cli.mounting import server_url
from davhost.cli.opening import opened
from davhost.settings import Settings
from davhost.sizes import format_size, parse_quota


@click.group("user")
def command() -> None:
    """Add, list, change and remove accounts. A running server need not be restarted.

    \b
    Examples:
        davhost user add ada@example.org
        davhost user add bot@example.org --password-stdin --quota '10 GB' < password.txt
        davhost user list
        davhost user set ada@example.org --quota none --allow 'txt,pdf,odt'
        davhost user disable ada@example.org
    """


@command.command()
@click.argument("email")
@password_option
@quota_option
@allow_option
@click.option("--admin", is_flag=True, help="Make an administrator.")
@instance_options
def add(
    email: str,
    password_stdin: bool,
    quota: str | None,
    allow: str | None,
    admin: bool,
    config: Path | None,
    data: Path | None,
) -> None:
    """Make the account EMAIL, with an empty home of its own.

    Without --quota it gets the setting quota_default, without --allow the
    server's list of file types.

    \b
    Examples:
        davhost user add ada@example.org
        davhost user add ada@example.org --quota '10 GB' --allow 'txt,pdf,odt'
        davhost user add bot@example.org --password-stdin < password.txt
    """
    password = read_password(from_stdin=password_stdin)
    with opened(config, data, create=True) as services:
        account = services.accounts.register(
            email,
            password,
            quota_bytes=services.settings.quota_default if quota is None else parse_quota(quota),
            rules=None if allow is None else parse_rules(allow),
            admin=admin,
        )
        click.echo(f"Added {account.email}{' as an administrator' if admin else ''}.")


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@instance_options
def list_(as_json: bool, config: Path | None, data: Path | None) -> None:
    """Show all accounts, how much each keeps and what it may keep."""
    with opened(config, data) as services:
        accounts = services.accounts.list_()
    if as_json:
        click.echo(json.dumps([_values(account) for account in accounts], indent=2))
    else:
        Console().print(_table(accounts))


@command.command()
@click.argument("email")
@password_option
@instance_options
def passwd(email: str, password_stdin: bool, config: Path | None, data: Path | None) -> None:
    """Give the account EMAIL another password; the old one ends at once."""
    password = read_password(from_stdin=password_stdin)
    with opened(config, data) as services:
        services.accounts.set_password(email, password)
        click.echo(f"{email} has a new password.")


@command.command()
@click.argument("email", required=False)
@instance_options
def invite(email: str | None, config: Path | None, data: Path | None) -> None:
    """Make a link with which somebody makes an account; with EMAIL, only one of that address.

    It works once, and for a week. The setting registration must be invitation or open.

    \b
    Examples:
        davhost user invite
        davhost user invite ada@example.org
    """
    with opened(config, data) as services:
        if services.settings.registration == "closed":
            raise Failure("registration is closed: set `registration: invitation` and restart")
        token = services.accounts.invite(email)
        click.echo(f"{_base_url(services.settings)}-/sign-up?invitation={token}")


@command.command()
@click.argument("email")
@instance_options
def reset(email: str, config: Path | None, data: Path | None) -> None:
    """Make a link with which the owner of the account EMAIL sets a new password.

    It works once, and for an hour.
    """
    with opened(config, data) as services:
        services.accounts.get(email)
        token = services.accounts.begin_reset(email)
        if token is None:
            raise Failure(f"{email} is disabled: enable the account first")
        click.echo(f"{_base_url(services.settings)}-/reset?token={token}")


@command.command("two-step-off")
@click.argument("email")
@instance_options
def two_step_off(email: str, config: Path | None, data: Path | None) -> None:
    """Ask the account EMAIL for no code any more: who lost the phone and the recovery codes."""
    with opened(config, data) as services:
        services.accounts.two_step.turn_off(services.accounts.get(email))
        click.echo(f"{email} signs in with the password alone.")


@command.command()
@click.argument("email")
@instance_options
def disable(email: str, config: Path | None, data: Path | None) -> None:
    """Let the account EMAIL sign in no more, from the next request on; its files stay."""
    with opened(config, data) as services:
        services.accounts.disable(email)
        click.echo(f"{email} cannot sign in any more.")


@command.command()
@click.argument("email")
@instance_options
def enable(email: str, config: Path | None, data: Path | None) -> None:
    """Let the account EMAIL sign in again."""
    with opened(config, data) as services:
        services.accounts.enable(email)
        click.echo(f"{email} can sign in again.")


@command.command("sign-out")
@click.argument("email")
@click.option("--devices", is_flag=True, help="End the passwords of its devices, too.")
@instance_options
def sign_out(email: str, devices: bool, config: Path | None, data: Path | None) -> None:
    """Sign the account EMAIL out of every browser: whose computer was lost, or left signed in."""
    with opened(config, data) as services:
        services.accounts.sign_out(email, devices=devices)
        click.echo(f"{email} is signed out of every {'browser and device' * devices or 'browser'}.")


@command.command()
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask.")
@instance_options
def remove(email: str, yes: bool, config: Path | None, data: Path | None) -> None:
    """Remove the account EMAIL with all its files. There is no way back."""
    with opened(config, data) as services:
        account = services.accounts.get(email)
        count = services.accounts.count_files(email)
        what = f"{account.email} with {_files(count)}, {format_size(account.used_bytes)}"
        if not yes:
            click.confirm(f"Remove {what}? There is no way back.", abort=True)
        services.accounts.remove(email)
        click.echo(f"Removed {what}.")


@command.command("set")
@click.argument("email")
@quota_option
@allow_option
@click.option("--admin/--no-admin", default=None, help="Let it administer on the pages, or not.")
@instance_options
def set_(
    email: str,
    quota: str | None,
    allow: str | None,
    admin: bool | None,
    config: Path | None,
    data: Path | None,
) -> None:
    """Change the quota, the allowed file types or the role of the account EMAIL.

    Files that it has already stay, also those that are no longer allowed.

    \b
    Examples:
        davhost user set ada@example.org --quota '50 GB'
        davhost user set ada@example.org --quota none --allow '*'
        davhost user set ada@example.org --admin
    """
    if quota is None and allow is None and admin is None:
        raise click.UsageError("say what to change: --quota, --allow, --admin or --no-admin")
    with opened(config, data) as services:
        if quota is not None:
            services.accounts.set_quota(email, parse_quota(quota))
        if allow is not None:
            services.accounts.set_rules(email, parse_rules(allow))
        if admin is not None:
            services.accounts.set_admin(email, admin=admin)
        account = services.accounts.get(email)
        role = "an administrator, " if account.admin else ""
        quota_text = format_size(account.quota_bytes)
        click.echo(f"{account.email}: {role}quota {quota_text}, {_may(account)}.")


def _base_url(settings: Settings) -> str:
    return settings.public_url or server_url(settings, settings.port)


def _values(account: Account) -> dict[str, Any]:
    return {
        "email": account.email,
        "admin": account.admin,
        "disabled": account.disabled,
        "used_bytes": account.used_bytes,
        "quota_bytes": account.quota_bytes,
        "allow": None if account.rules is None else str(account.rules),
        "created_at": _date(account).isoformat(timespec="seconds"),
    }


def _table(accounts: list[Account]) -> Table:
    table = Table("e-mail", "state", "used", "quota", "allowed", "since")
    for account in accounts:
        marks = ["admin"] * account.admin + ["disabled"] * account.disabled
        table.add_row(
            account.email,
            ", ".join(marks),
            format_size(account.used_bytes),
            format_size(account.quota_bytes),
            "server's list" if account.rules is None else str(account.rules),
            _date(account).strftime("%Y-%m-%d"),
        )
    return table


def _date(account: Account) -> datetime:
    return datetime.fromtimestamp(account.created_us // 1_000_000, UTC)


def _may(account: Account) -> str:
    return "the server's file types" if account.rules is None else f"file types {account.rules}"


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


command.add_command(app_password.command)
