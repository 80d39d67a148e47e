"""`davhost history`: what a file held before."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from davhost.cli.common import Failure, instance_options, iso_moment, json_option, moment, printable
from davhost.cli.opening import opened
from davhost.model import Resource, Version
from davhost.paths import DavPath
from davhost.sizes import format_size
from davhost.tree import Tree


@dataclass(frozen=True, slots=True)
class _Content:
    """One content of a file.

    Args:
        number: 1 for the oldest that is kept.
        replaced_us: None for the current one.
    """

    number: int
    modified_us: int
    size_bytes: int
    replaced_us: int | None


@click.command("history", short_help="List what a file held before.")
@click.argument("path")
@click.option("--user", required=True, metavar="EMAIL", help="Whose file it is.")
@click.option(
    "--restore",
    type=click.IntRange(1),
    metavar="NUMBER",
    help="Make this content the current one; what is current now is kept.",
)
@json_option
@instance_options
def command(
    path: str,
    user: str,
    restore: int | None,
    as_json: bool,
    config: Path | None,
    data: Path | None,
) -> None:
    """List the contents that the file PATH has and had, the newest first.

    Saving a document makes one of them, however many steps a program takes.

    \b
    Examples:
        davhost history /Letters/plan.docx --user ada@example.org
        davhost history /Letters/plan.docx --user ada@example.org --restore 3
    """
    with opened(config, data) as services:
        tree = services.tree_of(services.accounts.principal(user))
        target = DavPath.from_text(path)
        file = tree.look(target).resource
        if file.is_collection:
            raise Failure(f"{printable(target.text)} is a folder: folders have no contents")
        if restore is not None:
            _restore(tree, target, restore)
            file = tree.look(target).resource
        contents = _contents(file, tree.versions(target))
    if as_json:
        click.echo(json.dumps([_values(content) for content in contents], indent=2))
    else:
        Console().print(_table(contents))


def _restore(tree: Tree, target: DavPath, number: int) -> None:
    versions = tree.versions(target)
    if number > len(versions):
        raise Failure(f"{printable(target.text)} has no content {number} to go back to")
    tree.restore_version(target, versions[len(versions) - number].id)


def _contents(file: Resource, versions: list[Version]) -> list[_Content]:
    current = _Content(len(versions) + 1, file.modified_us, file.size_bytes, None)
    numbers = range(len(versions), 0, -1)
    return [current] + [
        _Content(number, version.modified_us, version.size_bytes, version.replaced_us)
        for number, version in zip(numbers, versions, strict=True)
    ]


def _values(content: _Content) -> dict[str, Any]:
    replaced_us = content.replaced_us
    return {
        "number": content.number,
        "modified_at": iso_moment(content.modified_us),
        "replaced_at": None if replaced_us is None else iso_moment(replaced_us),
        "size_bytes": content.size_bytes,
    }


def _table(contents: list[_Content]) -> Table:
    table = Table("number", "written (UTC)", "size", "replaced (UTC)")
    for content in contents:
        replaced_us = content.replaced_us
        table.add_row(
            str(content.number),
            moment(content.modified_us),
            format_size(content.size_bytes),
            "current" if replaced_us is None else moment(replaced_us),
        )
    return table
