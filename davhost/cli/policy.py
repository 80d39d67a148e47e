"""`davhost policy`: what the rules say about a name, and why."""

from __future__ import annotations

from pathlib import Path

import click

from davhost.cli.common import instance_options, printable
from davhost.cli.opening import opened
from davhost.explanation import Explanation, explain_collection, explain_file
from davhost.model import Rules
from davhost.paths import DavPath


@click.group("policy", short_help="What may be kept, and why.")
def command() -> None:
    """Choose what the server allows, and explain what an account may keep.

    \b
    Examples:
        davhost policy allow 'txt,pdf,odt'
        davhost policy explain ada@example.org '/Letters/~$plan.docx'
    """


@command.command()
@click.argument("types", required=False)
@click.option("--default", is_flag=True, help="Take the list of the settings again.")
@instance_options
def allow(types: str | None, default: bool, config: Path | None, data: Path | None) -> None:
    """Say which file types the server allows, or allow TYPES from now on.

    It counts for all accounts that have no list of their own, from the next
    request on, and until it is changed here or on the page; the setting `allow`
    is what holds before, and with --default again.

    \b
    Examples:
        davhost policy allow
        davhost policy allow 'txt,pdf,odt'
        davhost policy allow --default
    """
    if types is not None and default:
        raise click.UsageError("Give either TYPES or --default.")
    try:
        chosen = None if types is None else Rules.parse(types)
    except ValueError as fault:
        raise click.BadParameter(str(fault), param_hint="TYPES") from fault
    with opened(config, data) as services:
        if default or chosen is not None:
            services.accounts.choose_server_rules(chosen)
        click.echo(str(services.accounts.server_rules(services.policy.rules)))


@command.command()
@click.argument("user")
@click.argument("path")
@click.option("--folder", is_flag=True, help="PATH is to be a folder, not a file.")
@instance_options
def explain(user: str, path: str, folder: bool, config: Path | None, data: Path | None) -> None:
    """Say what would happen to a file called PATH in the home of USER, rule by rule.

    Nothing is made. The rules are asked in their order until one holds.

    \b
    Examples:
        davhost policy explain ada@example.org /evil.exe
        davhost policy explain ada@example.org /Photos --folder
    """
    with opened(config, data) as services:
        account = services.accounts.get(user)
        rules = account.rules or services.accounts.server_rules(services.policy.rules)
        explain_ = explain_collection if folder else explain_file
        explained = explain_(DavPath.from_text(path), rules, services.policy)
    for line in _lines(explained):
        click.echo(printable(line))


def _lines(explained: Explanation) -> list[str]:
    steps = [
        f"  yes  {step.rule}: {step.reason}" if step.reason else f"  no   {step.rule}"
        for step in explained.steps
    ]
    return ["Is it", *steps, explained.outcome]
