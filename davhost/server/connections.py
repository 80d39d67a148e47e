"""One connection: from the handshake over its requests to its close.

``communicate`` is called in a thread of the pool whenever bytes have arrived.
It goes on as far as they reach and gives the thread back: handshakes, heads
and the reading-out of a closed connection never wait in a thread. Only an
application that reads a body or sends an answer does.
"""

import logging
import ssl
import string
import time
from contextlib import suppress
from enum import Enum, auto
from functools import cached_property
from http import HTTPStatus
from typing import Any

from cheroot.server import HTTPConnection

from davhost.server.channel import Channel
from davhost.server.errors import BadRequest, PeerGone, PeerStalled
from davhost.server.headers import Head, end_of_head, parse_head
from davhost.server.options import ServerOptions
from davhost.server.reader import BLOCK_BYTES, Reader
from davhost.server.refusals import refuse
from davhost.server.requests import Request

log = logging.getLogger("davhost.server")

#: How long a closed connection is read out, so that the client gets to read
#: its answer: a close with unread input resets the connection and destroys
#: the answer on its way (RFC 9112 section 9.6).
LINGER_SECONDS = 5.0
_LINGER_BYTES_MAX = 256 * 2**20
#: Sequential clients send their next request well within this time.
_NEXT_REQUEST_SECONDS = 0.01
_REFUSAL_SECONDS = 1.0
#: What a request can begin with: a token, or an empty line before it.
_FIRST_BYTES = frozenset(b"\r!#$%&'*+-.^_`|~0123456789" + string.ascii_letters.encode())
_PLAIN_HTTP_ON_TLS = "The client sent plain HTTP, but this port speaks HTTPS only."


class Phase(Enum):
    """What a connection waits for while it is parked."""

    HANDSHAKE = auto()
    IDLE = auto()  # the first byte of a request
    HEAD = auto()  # the rest of a head
    LINGER = auto()  # the client's close
    CLOSED = auto()  # nothing more


class Connection(HTTPConnection):
    """A client's connection."""

    RequestHandlerClass = Request

    def __init__(self, server: Any, sock: Any, makefile: Any = None) -> None:  # noqa: ARG002
        """Take over an accepted socket.

        cheroot's own constructor is not called: it would make two buffered
        files in pure Python and two caches for every connection.
        """
        self.server = server
        self.options: ServerOptions = server.options
        self.socket = sock
        self.channel = Channel(sock, server.cancellation)
        self.reader = Reader(self.channel)
        self.ssl_env: dict[str, str] = {}
        self.requests_seen = 0
        self.phase = Phase.HANDSHAKE if isinstance(sock, ssl.SSLSocket) else Phase.IDLE
        #: On the monotonic clock: since when it waits for a request, and when
        #: the manager closes it.
        self.idle_since = time.monotonic()
        self.deadline = self.idle_since + self.options.header_timeout_seconds
        #: Of the pool: in which round it was given its turn; None when it has none.
        self.turn: int | None = None
        self._handshake_began = False
        #: Whether something has arrived, as far as the selector knows.
        self._is_woken = True
        self._method = "GET"
        self._head: Head | None = None
        self._searched_bytes = 0
        self._discarded_bytes = 0

    @cached_property
    def environ(self) -> dict[str, Any]:
        """What the environs of all requests on it have in common."""
        return {
            **self.server.environ,
            "REMOTE_ADDR": self.remote_addr,
            "REMOTE_PORT": str(self.remote_port),
            **self.ssl_env,
            # For what an application works out for a connection, not for a request.
            "davhost.connection": {},
        }

    def communicate(self) -> bool:
        """Go on with what has arrived; True to wait for more without a thread."""
        self._is_woken = True
        try:
            self._go_on()
        except (PeerGone, PeerStalled) as error:
            log.debug("%s: %s", self.remote_addr, error)
            self.channel.abort()
            self.phase = Phase.CLOSED
        except BadRequest as refusal:
            self._refuse(refusal)
        except ssl.SSLError as error:
            self._refuse_handshake(error)
        return self.phase is not Phase.CLOSED

    def expire(self) -> None:
        """Close it because its time is over; a begun request is told so."""
        if self.phase is Phase.HEAD and self.reader.pending:
            status, reason = HTTPStatus.REQUEST_TIMEOUT, "the request did not come in time"
            with suppress(PeerGone, PeerStalled):
                self.channel.send_within(self._refusal(status, reason), 0)
            self.channel.finish()
        self.close()

    def close(self) -> None:
        """Close the socket and tell the server."""
        self.phase = Phase.CLOSED
        self.channel.close()
        self.server.forget(self)

    def _go_on(self) -> None:
        if self.phase is Phase.LINGER:
            self._discard()
            return
        if self.phase is Phase.HANDSHAKE and not self._shake_hands():
            return
        while (head := self._gather_head()) is not None:
            if not self._serve(head) or self._gives_way():
                return

    def _gives_way(self) -> bool:
        """Let others have the thread first, however fast this client asks.

        Requests that are in the buffer already go on: parked, they would not
        be noticed.
        """
        return not self.reader.pending and bool(self.server.requests.is_wanted())

    def _shake_hands(self) -> bool:
        if not self._handshake_began:
            first = self.channel.peek()
            self._handshake_began = bool(first)
            # A TLS record begins with a byte below 0x20, HTTP with a method.
            if first.isalpha():
                answer = self._refusal(HTTPStatus.BAD_REQUEST, _PLAIN_HTTP_ON_TLS)
                self.channel.send_plain(answer)
                self._linger()
                return False
        if not self.channel.shake_hands():
            return False
        self.ssl_env = self.server.ssl_adapter.get_environ(self.socket)
        self.phase = Phase.IDLE
        return True

    def _gather_head(self) -> Head | None:
        """Return the next request head, or None if it is not complete yet.

        Raises:
            BadRequest: it can never become a good one.
            PeerGone: the client has closed.
        """
        while (head := self._take_head()) is None:
            if not self._take_in():
                return None
        return head

    def _take_in(self) -> bool:
        """Take in what has arrived, or what comes in a moment; False if there is nothing."""
        if self._is_woken or self.phase is not Phase.IDLE:
            self._is_woken = False
            if self.reader.fill():
                return True
        # A sequential client needs a moment to read its answer: to look before is no use.
        return self._next_comes_soon()

    def _take_head(self) -> Head | None:
        pending = self.reader.pending
        while pending.startswith(b"\r\n"):
            del pending[:2]  # RFC 9112 section 2.2
        if not pending:
            return None
        if self.phase is Phase.IDLE:
            self._begin_head()
        # Known before the head is read, because a refused HEAD has no body either.
        self._method = "HEAD" if pending.startswith(b"HEAD ") else "GET"
        end = end_of_head(pending, self._searched_bytes)
        self._searched_bytes = len(pending)
        self._check_beginning(end)
        if end < 0:
            return None
        self._head = parse_head(self.reader.take(end), self._head)
        return self._head

    def _begin_head(self) -> None:
        self.phase = Phase.HEAD
        self._searched_bytes = 0
        if self.requests_seen:
            self.deadline = time.monotonic() + self.options.header_timeout_seconds

    def _check_beginning(self, end: int) -> None:
        """Refuse what is too large, or no HTTP at all, before the head is complete."""
        pending = self.reader.pending
        if pending[0] not in _FIRST_BYTES:
            raise BadRequest(HTTPStatus.BAD_REQUEST, "this is not HTTP")
        size = len(pending) if end < 0 else end
        if size <= self.options.max_header_bytes:
            return
        if pending.find(b"\n", 0, self.options.max_header_bytes) < 0:
            raise BadRequest(HTTPStatus.REQUEST_URI_TOO_LONG, "the request line is too long")
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        raise BadRequest(status, "the header section is too large")

    def _next_comes_soon(self) -> bool:
        """Wait a moment for the next request if no one else needs the thread."""
        threads = self.server.requests
        if self.phase is not Phase.IDLE or not self.requests_seen or not threads.pause(self):
            return False
        comes = self.channel.readable_within(_NEXT_REQUEST_SECONDS)
        return threads.resume(self) and comes and self.reader.fill()

    def _serve(self, head: Head) -> bool:
        """Answer one request; True if the connection can carry another."""
        self.requests_seen += 1
        request = self.RequestHandlerClass(self.server, self, head)
        request.respond()
        if request.reusable:
            self.phase = Phase.IDLE
            self.idle_since = time.monotonic()
            self.deadline = self.idle_since + self.options.idle_timeout_seconds
        elif request.complete and not self.reader.pending:
            self.channel.finish()
            self.phase = Phase.CLOSED
        else:
            self._linger()
        return self.phase is Phase.IDLE

    def _refuse(self, refusal: BadRequest) -> None:
        log.debug("%s: refused: %s", self.remote_addr, refusal.reason)
        with suppress(PeerGone, PeerStalled):
            answer = self._refusal(refusal.status, refusal.reason)
            self.channel.send_within(answer, _REFUSAL_SECONDS)
        self._linger()

    def _refusal(self, status: HTTPStatus, reason: str) -> bytes:
        logs = self.options.access_log
        return refuse(status, reason, self.remote_addr, method=self._method, logs=logs)

    def _refuse_handshake(self, error: ssl.SSLError) -> None:
        log.debug("%s: TLS handshake: %s", self.remote_addr, error.reason)
        self.phase = Phase.CLOSED

    def _linger(self) -> None:
        """Say that nothing more comes, and read on until the client closes."""
        self.channel.finish()
        self.reader.pending.clear()
        self.phase = Phase.LINGER
        self.deadline = time.monotonic() + LINGER_SECONDS

    def _discard(self) -> None:
        while (data := self.channel.receive(BLOCK_BYTES)) is not None:
            self._discarded_bytes += len(data)
            too_much = self._discarded_bytes > _LINGER_BYTES_MAX
            if not data or too_much or time.monotonic() > self.deadline:
                self.phase = Phase.CLOSED
                return
