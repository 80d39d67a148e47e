"""The outermost middleware: target, request id, faults, safe headers, access log.

Everything that a request can raise ends here, in an answer that shows nothing
of the inside.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

from wsgidav.mw.base_mw import BaseMiddleware

from .. import browsing
from ..errors import NotFound, Refused
from . import access_log, faults
from .app import DavApp
from .exchange import ADDRESS, TARGET, Headers, StartResponse, Target, close
from .gate import Gate
from .origin import Site, client_address, is_https, raw_target, resource_path, site_of

log = logging.getLogger("davhost.dav")

#: On every answer that does not set them itself. A browser that gets hold of a
#: file must not run it, frame it, or keep it for the next person.
SAFE_HEADERS: Headers = (
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "private, no-cache"),
)

#: Where a request is sent that says nothing of it.
_NOWHERE = Site()


class Front(BaseMiddleware):  # type: ignore[misc]
    """See the module. It keeps nothing between requests.

    Args:
        next_app: the authenticator.
        config: WsgiDAV's configuration, for its ``mount_path``.
    """

    def __init__(
        self, wsgidav_app: Any, next_app: Callable[..., Any], config: dict[str, Any], gate: Gate
    ) -> None:
        super().__init__(wsgidav_app, next_app, config)
        DavApp.adopt(wsgidav_app)
        self._options = gate.options
        self._mount_path = str(config.get("mount_path") or "")
        self._ids = _Ids()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, whatever happens inside."""
        request_id = self._ids.draw()
        began = time.monotonic()
        trusted = self._options.trusted_proxies
        environ[ADDRESS] = client_address(environ, trusted)
        environ[browsing.HTTPS] = self._options.https or is_https(environ, trusted)
        environ[browsing.REQUEST_ID] = request_id
        sending = _Sending(start_response, request_id)
        body = self._answer(environ, sending, request_id)

        def finished() -> None:
            if self._options.access_log is not None:
                seconds = time.monotonic() - began
                self._options.access_log(
                    access_log.line(
                        environ, sending.status, sending.sent_bytes, seconds, request_id
                    )
                )

        # To HEAD an HTTP server sends nothing of a body, and need not ask for all of it.
        kind = _Body if environ["REQUEST_METHOD"] == "HEAD" else _WholeBody
        return kind(body, sending, finished)

    def _answer(self, environ: dict[str, Any], sending: _Sending, id_: str) -> Iterable[bytes]:
        """Run the application inside; what it raises becomes its answer."""
        site = _NOWHERE
        try:
            site = site_of(environ, self._options.trusted_proxies, self._mount_path)
            environ[TARGET] = _target(environ, site)
            body: Iterable[bytes] = self.next_app(environ, sending)
        except Refused as refused:
            if TARGET in environ:
                site = environ[TARGET].site  # whoever signed in may be confined
            asks = not browsing.is_script(environ)
            response = faults.answer(refused, site, self._options.realm, asks=asks)
        except Exception:
            log.exception("error in request %s", id_)
            response = faults.unexpected(id_)
        else:
            return body
        return response.send(environ, sending)


def _target(environ: dict[str, Any], site: Site) -> Target:
    """Find what the request is about.

    Raises:
        BadPath: it names nothing that could ever be a resource.
        NotFound: ``*`` with another method than OPTIONS.
    """
    raw = raw_target(environ)
    if raw == "*":
        if environ["REQUEST_METHOD"] != "OPTIONS":
            raise NotFound("There is nothing at *.")
        return Target(site, raw, is_server=True)
    return Target(site, raw, resource_path(raw, site))


class _Ids:
    """Random ids of requests, drawn many at a time: the system takes as long for one."""

    _BYTES, _COUNT = 8, 256

    def __init__(self) -> None:
        self._drawn: list[str] = []

    def draw(self) -> str:
        """Return one that nobody else gets; safe for threads."""
        try:
            return self._drawn.pop()
        except IndexError:
            drawn = os.urandom(self._BYTES * self._COUNT).hex(",", self._BYTES).split(",")
            self._drawn = drawn[1:]
            return drawn[0]


class _Sending:
    """A ``start_response`` that makes headers safe and remembers the status."""

    def __init__(self, start_response: StartResponse, request_id: str) -> None:
        self._start_response = start_response
        self._request_id = request_id
        self.status = 0
        self.sent_bytes = 0

    def __call__(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], object]:
        self.status = int(status[:3])
        safe = _safe_beside(tuple([name for name, _ in headers]))
        complete = [*headers, *safe, ("X-Request-Id", self._request_id)]
        write: Callable[[bytes], object]
        if exc_info is None:
            write = self._start_response(status, complete)
        else:
            write = self._start_response(status, complete, exc_info)
        return write


@lru_cache(maxsize=256)
def _safe_beside(names: tuple[str, ...]) -> Headers:
    """Choose the safe headers that an answer lacks which sets those of these names."""
    given = {name.lower() for name in names}
    return tuple(header for header in SAFE_HEADERS if header[0].lower() not in given)


class _Body:
    """The body on its way out: counted, and logged when it is closed."""

    def __init__(
        self,
        body: Any,
        sending: _Sending,
        finished: Callable[[], None],
    ) -> None:
        self._body = body
        self._sending = sending
        self._finished = finished

    def __iter__(self) -> Iterator[bytes]:
        for block in self._body:
            self._sending.sent_bytes += len(block)
            yield block

    def close(self) -> None:
        """Close what was sent, and write the log line."""
        try:
            close(self._body)
        finally:
            self._finished()


class _WholeBody(_Body):
    """A body that is sent by itself; see `davhost.server.gateway`."""

    def send_through(
        self, write: Callable[[bytes], None], send_file: Callable[[int, int, int], None]
    ) -> None:
        """Send the whole body, and count it."""
        sending, through = self._sending, getattr(self._body, "send_through", None)
        if through is None:
            for block in self._body:
                write(block)
                sending.sent_bytes += len(block)
            return

        def count_and_write(block: bytes) -> None:
            write(block)
            sending.sent_bytes += len(block)

        def count_and_send_file(file: int, start: int, size: int) -> None:
            send_file(file, start, size)
            sending.sent_bytes += size

        through(count_and_write, count_and_send_file)
