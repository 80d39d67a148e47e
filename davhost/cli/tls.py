"""`davhost tls`: https without a domain name, and how computers come to trust it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from davhost.bootstrap import own_certificate
from davhost.certificates import parse_name
from davhost.cli.common import Failure, instance_options, read_settings
from davhost.cli.trusting import instructions
from davhost.settings import Settings


class NameType(click.ParamType[str]):
    """A host name or an address, as certificates hold it."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check the text."""
        try:
            return parse_name(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.group("tls", short_help="Make certificates of your own, and have them trusted.")
def command() -> None:
    """Make certificates of your own for https, and print how computers come to trust them.

    For a server with no domain name. With one, a certificate of Let's Encrypt needs
    nothing on the computers: set tls_certificate, or put nginx in front.
    """


@command.command(short_help="Make or renew the server's certificate.")
@click.option(
    "--name",
    "names",
    type=NameType(),
    multiple=True,
    metavar="NAME",
    help="Host name or address that people type; repeat it for more.  [default: those of the "
    "certificate before, or this machine's]",
)
@instance_options
def init(config: Path | None, data: Path | None, names: tuple[str, ...]) -> None:
    """Make a certificate authority and a certificate of the server, in the data folder.

    Run it again before the certificate ends, or with other names: the authority
    stays as it is, so nothing has to be done on the computers.

    \b
    Examples:
        davhost tls init && davhost serve --host 0.0.0.0
        davhost tls init --name nas.local --name 192.168.1.20
    """
    settings = read_settings(config, data).settings
    made = own_certificate.make(settings, names)
    click.echo(f"{'Made' if made.is_new else 'Renewed'}: the certificate in {made.server_path}")
    click.echo(f"    for      {', '.join(made.names)}")
    click.echo(f"    until    {made.ends_at:%Y-%m-%d}; run this again before")
    click.echo(_next_step(settings))
    if made.is_new:
        click.echo("")
        click.echo(instructions(made.authority_path, own_certificate.fingerprint(settings)))
        click.echo("`davhost tls trust` prints this again.")


@command.command()
@instance_options
def trust(config: Path | None, data: Path | None) -> None:
    """Print how each system comes to trust the server's certificate."""
    settings = read_settings(config, data).settings
    public = own_certificate.authority_path(settings)
    if not public.exists():
        raise Failure(f"{public} is not there: run `davhost tls init` first")
    click.echo(instructions(public, own_certificate.fingerprint(settings)))


def _next_step(settings: Settings) -> str:
    """How the server comes to use it."""
    path = settings.own_certificate_path
    if settings.certificate_path == path:
        return "`davhost serve` finds it and speaks https; a running server takes it up on SIGHUP."
    setting = f"tls_certificate: {shlex.quote(str(path))}"
    return f"The settings name another certificate or none; to use this one: {setting}"
