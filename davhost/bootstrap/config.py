"""The WsgiDAV configuration that wsgidav.yaml spells out, for when there is no file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: A test keeps wsgidav.yaml equal to this.
WSGIDAV: Mapping[str, Any] = {
    "server": "cheroot",
    "host": "127.0.0.1",
    "port": 8080,
    "verbose": 1,
    "suppress_version_info": True,
    "hotfixes": {"re_encode_path_info": False},
    "lock_storage": False,
    "property_manager": None,
    "dir_browser": {"enable": False},
    "http_authenticator": {
        "domain_controller": "davhost.bootstrap.wsgi.DomainController",
        "accept_basic": True,
        "accept_digest": False,
        "default_to_digest": False,
    },
    "provider_mapping": {
        "/": {
            "class": "davhost.bootstrap.wsgi.home_provider",
            "kwargs": {"application": "${application}"},
        }
    },
    "middleware_stack": [
        "davhost.bootstrap.wsgi.front",
        "davhost.bootstrap.wsgi.browsers",
        "davhost.bootstrap.wsgi.authenticator",
        "davhost.bootstrap.wsgi.resolver",
    ],
}


def overlay(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one configuration over another, section by section."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = overlay(below, value)
        else:
            merged[key] = value
    return merged
