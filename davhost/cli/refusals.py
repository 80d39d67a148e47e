"""`davhost refusals`: which names and contents were refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from davhost.cli.common import instance_options, iso_moment, json_option, moment, printable
from davhost.cli.opening import opened
from davhost.model import Refusal


@click.command("refusals", short_help="List the names and contents that were refused.")
@click.option("--user", metavar="EMAIL", help="Only in the home of this account.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    metavar="NUMBER",
    help="At most so many.",
)
@json_option
@instance_options
def command(
    user: str | None, limit: int, as_json: bool, config: Path | None, data: Path | None
) -> None:
    """List what the rules refused, the newest first: when, who, what and why.

    The last 1,000 of each account are remembered, for 90 days.

    \b
    Examples:
        davhost refusals --user ada@example.org
        davhost refusals --limit 1000 --json
    """
    with opened(config, data) as services:
        refusals = services.accounts.refusals(user, limit=limit)
    if as_json:
        click.echo(json.dumps([_values(refusal) for refusal in refusals], indent=2))
    elif refusals:
        Console().print(_table(refusals))
    else:
        click.echo("Nothing was refused.")


def _values(refusal: Refusal) -> dict[str, Any]:
    return {
        "at": iso_moment(refusal.at_us),
        "user": refusal.email,
        "verb": refusal.verb,
        "path": refusal.path,
        "reason": refusal.reason,
    }


def _table(refusals: list[Refusal]) -> Table:
    table = Table("when (UTC)", "who", "what")
    for name in ("path", "why"):
        table.add_column(name, overflow="fold")
    for refusal in refusals:
        cells = (
            moment(refusal.at_us),
            refusal.email or "",
            refusal.verb,
            refusal.path,
            refusal.reason,
        )
        # As Text: what people chose is no markup.
        table.add_row(*(Text(printable(cell)) for cell in cells))
    return table
