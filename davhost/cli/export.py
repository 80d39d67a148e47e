"""`davhost export`: write an account out as plain files."""

from __future__ import annotations

from pathlib import Path

import click

from davhost.cli.common import Failure, instance_options, json_option
from davhost.cli.opening import opened
from davhost.cli.transfers import finish, progress
from davhost.paths import DavPath
from davhost.transfer import NotEmpty, Outlet
from davhost.tree import Entry, Tree


@click.command("export", short_help="Write an account out as plain files.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--user", required=True, metavar="EMAIL", help="Whose files.")
@click.option("--path", default="/", metavar="PATH", help="Only this folder or file.")
@click.option(
    "--overwrite",
    is_flag=True,
    help="Write into a directory that is not empty; other files there stay.",
)
@json_option
@instance_options
def command(
    folder: Path,
    user: str,
    path: str,
    overwrite: bool,
    as_json: bool,
    config: Path | None,
    data: Path | None,
) -> None:
    """Write the files of an account into the new or empty directory DIR.

    Names and dates are kept. A file whose content is lost is reported, the
    others are written, and the status is 1. Run it again to go on where it
    broke off.

    \b
    Examples:
        davhost export /mnt/stick/ada --user ada@example.org
        davhost export ./letters --user ada@example.org --path /Letters
    """
    with opened(config, data) as services:
        tree, top = services.tree_of(services.accounts.principal(user)), DavPath.from_text(path)
        outlet = Outlet(tree, top, folder, overwrite=overwrite)
        with progress("Writing", *_count(tree, top), quiet=as_json) as on_file:

            def on_done(entry: Entry) -> None:
                if not entry.resource.is_collection:
                    on_file(entry.resource.size_bytes)

            try:
                report = outlet.run(on_done)
            except NotEmpty as error:
                raise Failure(str(error)) from error
    finish(report, "Wrote", as_json=as_json)


def _count(tree: Tree, top: DavPath) -> tuple[int, int]:
    """Count files and bytes below *top*."""
    entries = tree.listing(top, depth=None, dead=False, locks=False).entries
    found = [entry.resource for entry in entries if not entry.resource.is_collection]
    return len(found), sum(resource.size_bytes for resource in found)
