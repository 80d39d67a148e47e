"""`davhost policy`: what the rules say about a name, and why."""

from __future__ import annotations

from pathlib import Path

import click

from davhost.cli.common import instance_options, printable
from davhost.cli.opening import opened
from davhost.explanation import Explanation, explain_collection, explain_file
from davhost.paths import DavPath


@click.group("policy", short_help="Explain what may be kept, and why.")
def command() -> None:
    """Explain what an account may keep.

    \b
    Example:
        davhost policy explain ada@example.org '/Letters/~$plan.docx'
    """


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
        rules = services.policy.rules if account.rules is None else account.rules
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
