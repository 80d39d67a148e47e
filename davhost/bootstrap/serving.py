"""Hand the application and its settings to the HTTP server, and keep the house."""

from __future__ import annotations

import logging
import os
import ssl
from collections.abc import Callable

from wsgidav.wsgidav_app import WsgiDAVApp

from davhost import server
from davhost.bootstrap.faults import MENDABLE, in_words
from davhost.bootstrap.first_start import FirstAdmin, prepare
from davhost.bootstrap.logs import set_up_logging
from davhost.bootstrap.services import open_services
from davhost.bootstrap.wsgi import build_app
from davhost.settings import BadSettings, Configuration, Settings

__all__ = ["FirstAdmin", "check_certificate", "prepare", "run", "server_options", "set_up_logging"]

log = logging.getLogger("davhost.bootstrap")


def run(
    configuration: Configuration,
    read: Callable[[], Configuration],
    *,
    on_ready: Callable[[str], None],
) -> int:
    """Serve in the foreground until told to stop; return the exit status.

    Args:
        read: reads the settings again, on SIGHUP. Only the address and the
            port stay as they were until the next start.
        on_ready: called once with the URL.

    Raises:
        OSError: the address or port cannot be had.
    """
    current = [configuration]

    def reload() -> server.ServerOptions | None:
        try:
            fresh = read()
            check_certificate(fresh.settings)
        except (BadSettings, OSError) as error:
            log.error("reload: the old settings go on: %s", in_words(error))
            return None
        set_up_logging(fresh.settings)
        current[0] = fresh
        return server_options(fresh.settings)

    return server.run(
        lambda: make_app(current[0]),
        server_options(configuration.settings),
        on_ready=on_ready,
        on_reload=reload,
    )


def make_app(configuration: Configuration) -> WsgiDAVApp:
    """Make the application of one worker, in the worker.

    Raises:
        SystemExit: it cannot be made; the reason is in plain words.
    """
    try:
        services = open_services(configuration.settings)
    except MENDABLE as error:
        raise SystemExit(f"davhost: {in_words(error)}") from error
    services.keep_house()
    return build_app(services, configuration.wsgidav)


def server_options(settings: Settings) -> server.ServerOptions:
    """Tell the HTTP server what concerns it."""
    return server.ServerOptions(
        host=settings.host,
        port=settings.port,
        workers=settings.workers or len(os.sched_getaffinity(0)),
        threads=settings.threads,
        threads_max=settings.threads_max,
        header_timeout_seconds=settings.header_timeout_seconds,
        body_stall_timeout_seconds=settings.body_stall_timeout_seconds,
        idle_timeout_seconds=settings.idle_timeout_seconds,
        send_stall_timeout_seconds=settings.send_stall_timeout_seconds,
        grace_seconds=settings.grace_seconds,
        max_header_bytes=settings.header_bytes_max,
        connections_per_address_max=settings.connections_per_address_max,
        access_log=settings.access_log,
        certificate_path=settings.certificate_path,
        private_key_path=settings.tls_private_key,
    )


def check_certificate(settings: Settings) -> None:
    """Load the certificate once, so that a bad one is refused in one line.

    Raises:
        BadSettings: it cannot be read, is none, or does not fit its key.
    """
    if settings.certificate_path is None:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # An encrypted key would ask at the terminal, in every worker.
        context.load_cert_chain(settings.certificate_path, settings.tls_private_key, lambda: "")
    except ssl.SSLError as error:
        files = f"{settings.certificate_path}, {settings.tls_private_key or 'its key'}"
        raise BadSettings(f"tls_certificate: no PEM certificate and key in {files}") from error
    except OSError as error:
        files = f"{settings.certificate_path}, {settings.tls_private_key or 'no key file'}"
        raise BadSettings(f"tls_certificate: {files}: {error.strerror}") from None
