"""What wsgidav.yaml names: davhost's parts as WsgiDAV wants to make them.

WsgiDAV calls each of these with itself. The parts behind them are made once
for each `WsgiDAVApp`, in whichever process it is, so that plain
``wsgidav --config wsgidav.yaml`` gets the same application as ``davhost serve``.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from wsgidav.wsgidav_app import WsgiDAVApp

from davhost.bootstrap.config import WSGIDAV, overlay
from davhost.bootstrap.faults import MENDABLE, in_words
from davhost.bootstrap.first_start import prepare
from davhost.bootstrap.logs import access_log
from davhost.bootstrap.services import Services, open_services
from davhost.bootstrap.vitals import vitals_of
from davhost.dav.authenticator import AccountsController, BasicAuthenticator
from davhost.dav.browsers import Browsers
from davhost.dav.front import Front
from davhost.dav.gate import DavOptions, Gate
from davhost.dav.provider import HomeProvider
from davhost.dav.resolver import Resolver
from davhost.mail import MailOptions, Postman
from davhost.settings import Settings
from davhost.settings.sources import merge
from davhost.web import PageOptions, make_pages

#: Where `build_app` leaves parts that are made already.
_GIVEN = "_davhost_services"

_services: WeakKeyDictionary[WsgiDAVApp, Services] = WeakKeyDictionary()
_gates: WeakKeyDictionary[WsgiDAVApp, Gate] = WeakKeyDictionary()
_making = threading.Lock()


def build_app(services: Services, wsgidav: Mapping[str, Any] | None = None) -> WsgiDAVApp:
    """Make the application on parts that exist.

    Args:
        wsgidav: keys of a configuration file, laid over the built-in ones.
    """
    config = overlay(WSGIDAV, wsgidav or {})
    # davhost has set up logging already; WsgiDAV would put its own in the way.
    config["logging"] = {**(config.get("logging") or {}), "enable": False}
    config[_GIVEN] = services
    return WsgiDAVApp(config)


def services_of(application: WsgiDAVApp) -> Services:
    """Find the parts of *application*, or make them from its configuration.

    Raises:
        SystemExit: they cannot be made; the reason is in plain words.
    """
    with _making:
        if application not in _services:
            given = application.config.get(_GIVEN)
            _services[application] = given or _services_from(application.config)
        return _services[application]


def gate_of(application: WsgiDAVApp) -> Gate:
    """Find or make the one gate of *application*."""
    services = services_of(application)
    with _making:
        if application not in _gates:
            _gates[application] = make_gate(services)
        return _gates[application]


def make_gate(services: Services) -> Gate:
    """Make the way inwards for the protocol edge."""
    return Gate(services.accounts, services.tree_of, dav_options(services.settings))


def dav_options(settings: Settings) -> DavOptions:
    """Tell the protocol edge what concerns it."""
    return DavOptions(
        propfind_infinity=settings.propfind_infinity,
        xml_body_max_bytes=settings.xml_body_bytes_max,
        trusted_proxies=settings.trusted_proxies,
        past_shown_to=settings.past_shown_to,
        listings_max_bytes=settings.listing_cache_bytes_max,
        access_log=access_log() if settings.access_log else None,
        https=(settings.public_url or "").startswith("https:"),
    )


def page_options(settings: Settings) -> PageOptions:
    """Tell the pages what concerns them."""
    return PageOptions(
        public_url=settings.public_url,
        registration=settings.registration,
        quota_default_bytes=settings.quota_default,
        rules=settings.rules,
    )


def make_postman(settings: Settings) -> Postman | None:
    """Make the one who sends mails; None when there is no mail server."""
    if settings.smtp_host is None:
        return None
    return Postman(
        MailOptions(
            host=settings.smtp_host,
            port=settings.smtp_port,
            sender=settings.mail_from,
            security=settings.smtp_security,
            user=settings.smtp_user,
            password=settings.smtp_password,
            ca_file=str(settings.smtp_ca_file) if settings.smtp_ca_file else None,
        )
    )


def home_provider(application: WsgiDAVApp) -> HomeProvider:
    """Make the provider at ``/``."""
    return HomeProvider(gate_of(application))


def front(application: WsgiDAVApp, next_app: Callable[..., Any], config: dict[str, Any]) -> Front:
    """Make the outermost middleware."""
    return Front(application, next_app, config, gate_of(application))


def browsers(
    application: WsgiDAVApp, next_app: Callable[..., Any], config: dict[str, Any]
) -> Browsers:
    """Make the middleware that gives browsers their pages."""
    services = services_of(application)
    settings = services.settings
    pages = make_pages(
        services.accounts,
        services.tree_of,
        page_options(settings),
        partial(vitals_of, services),
        make_postman(settings),
    )
    return Browsers(application, next_app, config, gate_of(application), pages)


def authenticator(
    application: WsgiDAVApp, next_app: Callable[..., Any], config: dict[str, Any]
) -> BasicAuthenticator:
    """Make the middleware that lets people in."""
    return BasicAuthenticator(application, next_app, config, gate_of(application))


def resolver(
    application: WsgiDAVApp, next_app: Callable[..., Any], config: dict[str, Any]
) -> Resolver:
    """Make the innermost middleware."""
    return Resolver(application, next_app, config, gate_of(application))


class DomainController(AccountsController):
    """The accounts; WsgiDAV makes it from its name, with two arguments."""

    def __init__(self, application: WsgiDAVApp, config: dict[str, Any]) -> None:
        """Take the gate of *application*."""
        super().__init__(application, config, gate_of(application))


def _services_from(config: Mapping[str, Any]) -> Services:
    """Make the parts for an application that somebody else started."""
    file = config.get("_config_file")
    os.umask(0o077)  # as `davhost serve` does: the data is nobody else's
    try:
        settings = merge(config, Path(file) if file else None).settings
        admin = prepare(settings)
        services = open_services(settings)
        services.keep_house()
    except MENDABLE as error:
        raise SystemExit(f"davhost: {in_words(error)}") from error
    if admin is not None:
        line = f"davhost: first administrator {admin.email}, password {admin.password}"
        print(line, flush=True)
    return services
