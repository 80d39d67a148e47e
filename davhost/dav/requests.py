"""Dispatch: which function answers which method, and what Allow says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wsgidav.request_server import RequestServer

from ..errors import MethodNotAllowed, NotImplementedHere
from ..model import Resource
from . import faults, locking, properties, reading, reports, writing
from .exchange import TARGET, Exchange, Handler, Response, StartResponse, empty
from .gate import DavOptions
from .provider import HomeProvider

#: What holds: RFC 4918 classes 1, 2 and 3, and MKCOL with properties (RFC 5689).
COMPLIANCE = "1, 2, 3, extended-mkcol"

_ON_COLLECTIONS = (
    "OPTIONS, GET, HEAD, PROPFIND, PROPPATCH, REPORT, DELETE, COPY, MOVE, LOCK, UNLOCK"
)
_ON_FILES = "OPTIONS, GET, HEAD, PUT, PROPFIND, PROPPATCH, DELETE, COPY, MOVE, LOCK, UNLOCK"
_ON_UNMAPPED = "OPTIONS, PUT, MKCOL, LOCK"
_ON_SERVER = f"{_ON_COLLECTIONS}, PUT, MKCOL"

#: Methods that this server knows and has no use for: 405. Any other name is 501.
_UNUSED = frozenset({"POST", "PATCH", "TRACE", "SEARCH", "ACL", "CONNECT", "ORDERPATCH"})


def options(exchange: Exchange) -> Response:
    """OPTIONS: say what the server and the resource can do (RFC 4918 section 10.1)."""
    on_server = exchange.target.is_server
    allow = _ON_SERVER if on_server else allowed(exchange.tree.find(exchange.path))
    return empty(200, ("DAV", COMPLIANCE), ("MS-Author-Via", "DAV"), ("Allow", allow))


HANDLERS: dict[str, Handler] = {
    "OPTIONS": options,
    "GET": reading.get,
    "HEAD": reading.head,
    "PROPFIND": properties.propfind,
    "PROPPATCH": properties.proppatch,
    "REPORT": reports.report,
    "PUT": writing.put,
    "DELETE": writing.delete,
    "MKCOL": writing.mkcol,
    "COPY": writing.copy,
    "MOVE": writing.move,
    "LOCK": locking.lock,
    "UNLOCK": locking.unlock,
}


class DavRequests(RequestServer):  # type: ignore[misc]
    """WsgiDAV's request server with handlers of its own for every method.

    Its signature of a handler is kept, so that the provider's
    `custom_request_handler` can still stand in between.
    """

    def __init__(self, provider: HomeProvider, options: DavOptions) -> None:
        super().__init__(provider)
        self._provider = provider
        self._options = options

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request.

        Raises:
            Refused: whatever the rules say.
        """
        answer: Iterable[bytes] = self._provider.custom_request_handler(
            environ, start_response, self._handle
        )
        return answer

    def _handle(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        tree = self._provider.tree_of(environ)
        exchange = Exchange(environ, environ[TARGET], tree, self._options, self._provider.listings)
        try:
            response = _handler(str(environ["REQUEST_METHOD"]))(exchange)
        except MethodNotAllowed as refused:
            allow = ("Allow", allowed(tree.find(exchange.path)))
            response = faults.answer(refused, exchange.site, self._options.realm, allow)
        return response.send(environ, start_response)


def allowed(resource: Resource | None) -> str:
    """List the methods that *resource* supports; None is an unmapped URL."""
    if resource is None:
        return _ON_UNMAPPED
    return _ON_COLLECTIONS if resource.is_collection else _ON_FILES


def _handler(method: str) -> Handler:
    handler = HANDLERS.get(method)
    if handler is not None:
        return handler
    if method in _UNUSED:
        raise MethodNotAllowed(f"{method} has no use here.")
    raise NotImplementedHere("The server does not know this method.")
