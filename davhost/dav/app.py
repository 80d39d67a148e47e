"""WsgiDAV's application, entered without what its own entry does to requests.

`WsgiDAVApp.__call__` unquotes and normalises PATH_INFO before any middleware
runs, answers ``/..`` with headers and no body, and closes the connection
after every 204 that has no Content-Length, which RFC 9110 section 8.6 forbids
it to have. Configuration, providers, middleware and domain controller stay
WsgiDAV's; only the first step of a request is replaced.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from wsgidav.wsgidav_app import WsgiDAVApp

from .exchange import StartResponse


class DavApp(WsgiDAVApp):  # type: ignore[misc]
    """A `WsgiDAVApp` that leaves the request target to `front`."""

    @classmethod
    def adopt(cls, app: WsgiDAVApp) -> None:
        """Make *app* enter requests as this class does.

        ``wsgidav --config wsgidav.yaml`` makes a plain `WsgiDAVApp` and has no
        setting for another class, and Python looks up ``__call__`` on the
        class, so the class is what must change.
        """
        if type(app) is WsgiDAVApp:
            app.__class__ = cls

    @cached_property
    def _home_provider(self) -> Any:
        """Find the provider at ``/``, which stays the same as long as the process."""
        _share, provider = self.resolve_provider("/")
        return provider

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Hand a request to the first middleware."""
        environ["wsgidav.app"] = self
        environ["wsgidav.config"] = self.config
        environ["wsgidav.verbose"] = self.verbose
        environ["wsgidav.provider"] = self._home_provider
        answer: Iterable[bytes] = self.application(environ, start_response)
        return answer
