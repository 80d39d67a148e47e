"""`davhost import`: take an existing directory in."""

from __future__ import annotations

from pathlib import Path

import click

from davhost.bootstrap.services import Services
from davhost.cli.common import instance_options, json_option
from davhost.cli.opening import opened
from davhost.cli.transfers import finish, progress
from davhost.paths import DavPath
from davhost.transfer import Existing, Intake, Item, Report, count, walk
from davhost.transfer.walking import identity


@click.command("import", short_help="Take an existing directory in.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, exists=True))
@click.option("--user", required=True, metavar="EMAIL", help="Whose files they become.")
@click.option(
    "--to",
    "target",
    default="/",
    metavar="PATH",
    help="The folder of the account that they come into; made if it is not there.",
)
@click.option("--skip-existing", is_flag=True, help="Leave alone every file that is there.")
@click.option(
    "--overwrite",
    is_flag=True,
    help="Replace files that differ; what they held becomes a version.",
)
@click.option(
    "--hard-links",
    is_flag=True,
    help="Link instead of copying; see above for what that asks of you.",
)
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@json_option
@instance_options
def command(
    folder: Path,
    user: str,
    target: str,
    skip_existing: bool,
    overwrite: bool,
    hard_links: bool,
    dry_run: bool,
    as_json: bool,
    config: Path | None,
    data: Path | None,
) -> None:
    """Take everything below DIR into an account, also while the server runs.

    Every file is judged as if it were uploaded: its name, its content, the
    quota. What is refused is listed at the end, the rest comes in, and the
    status is 1. Dates are kept. Links, FIFOs and devices are never followed or
    read. Run it again to go on where it broke off: a file that is there with
    the same length and date, or the same content, is not taken again.

    Files are cloned where the file system can (btrfs, XFS), so they need no
    room; otherwise they are copied. With --hard-links they are linked: that
    needs no room either, but then the file in DIR *is* the stored file. It is
    made read-only, and must never again be edited in place; move DIR away or
    delete it afterwards.

    \b
    Examples:
        davhost import /home/ada/Documents --user ada@example.org
        davhost import /mnt/old --user ada@example.org --to /Archive --dry-run
    """
    if skip_existing and overwrite:
        raise click.UsageError("choose one of --skip-existing and --overwrite")
    existing = Existing.SKIP if skip_existing else Existing.REFUSE
    existing = Existing.OVERWRITE if overwrite else existing
    with opened(config, data) as services:
        tree = services.tree_of(services.accounts.principal(user))
        intake = Intake(
            tree,
            DavPath.from_text(target),
            existing=existing,
            hard_links=hard_links,
            dry_run=dry_run,
        )
        report = _run(intake, folder, services, quiet=as_json)
    finish(report, "Would take in" if dry_run else "Took in", as_json=as_json)


def _run(intake: Intake, folder: Path, services: Services, *, quiet: bool) -> Report:
    # The readable tree may come in, the server's own files may not.
    found = (identity(services.settings.data_dir / name) for name in (".", "blobs"))
    avoid = frozenset(who for who in found if who is not None)
    with progress("Taking in", *count(folder, avoid=avoid), quiet=quiet) as on_file:

        def on_done(item: Item) -> None:
            if not item.is_collection and item.obstacle is None:
                on_file(item.size_bytes)

        return intake.run(walk(folder, avoid=avoid), on_done)
