"""`davhost serve`: run the server in the foreground until it is told to stop."""

from __future__ import annotations

import errno
import shlex
import sys
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import click

from davhost.bootstrap import serving
from davhost.bootstrap.first_start import FirstAdmin
from davhost.cli.common import Failure, instance_options, read_settings
from davhost.cli.mounting import ANY_ADDRESS, instructions, server_url
from davhost.settings import Configuration, Settings


@click.command("serve")
@click.option("--host", metavar="HOST", help="Address to listen on.  [default: 127.0.0.1]")
@click.option(
    "--port", type=int, metavar="N", help="TCP port, 0 for any free one.  [default: 8080]"
)
@click.option("--workers", type=int, metavar="N", help="Worker processes.  [default: one per core]")
@instance_options
def command(
    config: Path | None,
    data: Path | None,
    host: str | None,
    port: int | None,
    workers: int | None,
) -> None:
    """Serve the drive until SIGTERM or Ctrl-C.

    On an empty data folder it makes the database and a first administrator,
    whose password is printed once. SIGTERM lets transfers in flight finish;
    SIGHUP reads the settings and certificates again.

    \b
    Examples:
        davhost serve
        davhost serve --data /srv/drive --port 9000
        davhost serve --config /etc/davhost/wsgidav.yaml --host 0.0.0.0
    """

    def read() -> Configuration:
        return read_settings(config, data, host=host, port=port, workers=workers)

    configuration = read()
    settings = configuration.settings
    serving.set_up_logging(settings)
    serving.check_certificate(settings)
    admin = serving.prepare(settings)
    if admin is not None:
        _greet(admin, settings)
    try:
        status = serving.run(
            configuration, read, on_ready=lambda url: _on_ready(url, settings, admin)
        )
    except OSError as error:
        where = f"{settings.host}, port {settings.port}"
        raise Failure(
            f"cannot listen on {where}: {error.strerror or error}{_hint(error)}"
        ) from error
    sys.exit(status)


def _greet(admin: FirstAdmin, settings: Settings) -> None:
    """Show the first administrator's password, before anything can fail."""
    click.echo(f"This is a new server; its data is in {settings.data_dir}")
    click.echo("The first administrator, shown only now:")
    click.echo(f"    e-mail    {admin.email}")
    click.echo(f"    password  {admin.password}")
    click.echo(f"Another password: davhost user passwd {admin.email}{_data_option(settings)}")
    click.echo("")


def _on_ready(url: str, settings: Settings, admin: FirstAdmin | None) -> None:
    click.echo(f"davhost is ready at {url}")
    if settings.public_url is not None:
        click.echo(f"Everybody else finds it at {settings.public_url}")
    if _is_own(settings):
        click.echo("Its certificate is its own: `davhost tls trust` says how computers trust it.")
    if admin is not None:
        click.echo("")
        click.echo(instructions(_url_for_others(url, settings), admin.email))
        click.echo("davhost mount-help prints this again.")
    for warning in (_exposure(settings), _ending(settings)):
        if warning:
            click.echo(warning, err=True)
    sys.stdout.flush()


def _url_for_others(url: str, settings: Settings) -> str:
    """The address that other computers find the server at, if they can."""
    if settings.public_url is not None:
        return settings.public_url
    if settings.host in ANY_ADDRESS:
        return server_url(settings, urlsplit(url).port or settings.port)
    return url


def _data_option(settings: Settings) -> str:
    if settings.data_dir == Path.cwd() / "data":
        return ""
    return f" --data {shlex.quote(str(settings.data_dir))}"


def _hint(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "; another program listens there, choose another port with --port"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "; ports below 1024 need more rights, choose another with --port"
    return ""


def _exposure(settings: Settings) -> str | None:
    """Warn about passwords that would cross a network in the clear."""
    if settings.certificate_path is not None or settings.trusted_proxies:
        return None
    if _is_loopback(settings.host):
        return None
    return (
        "Warning: passwords and files cross the network unprotected. Run `davhost tls init`, set "
        "tls_certificate, or put a proxy with TLS in front and name it in trusted_proxies "
        "(config/nginx.conf)."
    )


def _ending(settings: Settings) -> str | None:
    """Warn before clients can no longer connect."""
    if settings.certificate_path is None:
        return None
    # A tenth of a second that nobody waits for without TLS.
    from davhost.bootstrap.own_certificate import ends_soon

    ends_at = ends_soon(settings)
    if ends_at is None:
        return None
    advice = "run `davhost tls init`, then reload" if _is_own(settings) else "renew it, then reload"
    return f"Warning: the certificate ends on {ends_at:%Y-%m-%d}: {advice} (SIGHUP)."


def _is_own(settings: Settings) -> bool:
    """Whether the certificate is one that computers have to be told about."""
    return settings.certificate_path == settings.own_certificate_path


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
