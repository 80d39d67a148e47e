"""`davhost mount-help`: how each system mounts the drive."""

from __future__ import annotations

from pathlib import Path

import click

from davhost.cli.common import instance_options, read_settings
from davhost.cli.mounting import instructions, server_url


@click.command("mount-help", short_help="Print how each system mounts the drive.")
@instance_options
@click.option("--url", metavar="URL", help="Address of the server, if not the configured one.")
@click.option("--email", default="you@example.org", metavar="EMAIL", help="Account to sign in as.")
def command(config: Path | None, data: Path | None, url: str | None, email: str) -> None:
    """Print how to mount the drive on Windows, macOS, GNOME, KDE, davfs2, rclone and Cyberduck.

    \b
    Example:
        davhost mount-help --url https://drive.example.org/ --email ada@example.org
    """
    configuration = read_settings(config, data, public_url=url)
    settings = configuration.settings
    click.echo(instructions(settings.public_url or server_url(settings, settings.port), email))
