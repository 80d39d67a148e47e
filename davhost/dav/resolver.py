"""The innermost middleware: hands a request to its handler."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from wsgidav.mw.base_mw import BaseMiddleware

from ..errors import NotFound
from .exchange import StartResponse
from .gate import Gate
from .provider import HomeProvider
from .requests import DavRequests


class Resolver(BaseMiddleware):  # type: ignore[misc]
    """Takes the place of WsgiDAV's `RequestResolver`."""

    def __init__(
        self, wsgidav_app: Any, next_app: Callable[..., Any], config: dict[str, Any], gate: Gate
    ) -> None:
        super().__init__(wsgidav_app, next_app, config)
        self._gate = gate
        self._requests: dict[HomeProvider, DavRequests] = {}

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer the request of somebody who signed in.

        Raises:
            Refused: whatever the rules say.
        """
        provider = environ["wsgidav.provider"]
        requests = self._requests.get(provider)
        if requests is None:
            if not isinstance(provider, HomeProvider):
                raise NotFound("There are no homes at this URL.")
            requests = self._requests[provider] = DavRequests(provider, self._gate.options)
        return requests(environ, start_response)
