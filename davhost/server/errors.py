"""Every way a request or its connection can fail.

The first three are for applications, the others stay inside this package.
"""

from http import HTTPStatus


class IncompleteBody(ConnectionError):
    """The connection ended before the request body did.

    What arrived is not the file that the client meant, so it must not be
    kept (RFC 9112 section 8).
    """


class BodyStalled(TimeoutError):
    """The client sent no byte of the body for longer than is allowed."""


class BadBody(ValueError):
    """The body breaks the chunked coding (RFC 9112 section 7.1)."""


class BadRequest(Exception):
    """The request head is refused; answered with *status*, then closed."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        """Keep the status and a line of plain text for the client."""
        super().__init__(reason)
        self.status = status
        self.reason = reason


class BadAnswer(Exception):
    """The application's status, headers or body cannot be sent."""


class PeerGone(Exception):
    """The connection is broken, or was cut because the server ends."""


class PeerStalled(Exception):
    """The peer neither sent nor took a byte for longer than is allowed."""
