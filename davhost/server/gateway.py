"""WSGI: call the application and send what it answers (PEP 3333).

A body may have a method ``send_through(write, send_file)``, beside being an
iterable for other servers: it is called to send the whole body, with functions
for bytes and for pieces of files, which need not be read into memory.
"""

import logging
import sys
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from cheroot.wsgi import Gateway_10

from davhost.server.answers import Checked, Delimiter, Fields, check_answer
from davhost.server.errors import (
    BadAnswer,
    BadBody,
    BodyStalled,
    IncompleteBody,
    PeerGone,
    PeerStalled,
)
from davhost.server.requests import Request

log = logging.getLogger("davhost.server")

BODY_FAULTS = (BadBody, IncompleteBody, BodyStalled)


class Gateway(Gateway_10):
    """The bridge between one request and the application."""

    req: Request

    def __init__(self, req: Request) -> None:
        """Build the environ, as cheroot's constructors do one after the other."""
        self.req = req
        self.env = self.get_environ()
        self._checked: Checked | None = None

    def get_environ(self) -> dict[str, Any]:  # type: ignore[override]
        """Return the environ; cheroot's leaves some of it out and gets some wrong."""
        head = self.req.head
        return {
            **self.req.conn.environ,
            **head.variables,
            "REQUEST_METHOD": head.method,
            "REQUEST_URI": head.target,
            "PATH_INFO": unquote(head.path, "latin-1"),
            "QUERY_STRING": head.query,
            "SERVER_PROTOCOL": "HTTP/1.1" if head.http11 else "HTTP/1.0",
            "wsgi.errors": sys.stderr,
            "wsgi.input": self.req.body,
        }

    def respond(self) -> None:
        """Run the application; whatever it raises becomes an answer or a cut.

        Raises:
            PeerGone, PeerStalled: the answer did not reach its end.
        """
        try:
            self._run()
        except (PeerGone, PeerStalled):
            raise
        except BODY_FAULTS as error:
            self._refuse(*_answer_to(error))
        except BaseException as error:  # also SystemExit of an application
            self._report(error)
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, "internal server error")

    def start_response(
        self, status: str, headers: Fields, exc_info: Any = None
    ) -> Callable[[bytes], None]:
        """Note the answer's head (PEP 3333); nothing is sent yet."""
        if self._checked is not None and not exc_info:
            raise BadAnswer("start_response was called twice")
        if exc_info and self.req.sent_headers:
            raise exc_info[1]
        self._checked = check_answer(status, headers)
        # A second call replaces the first; cheroot would send both.
        self.req.answer = None
        return self.write

    def write(self, chunk: bytes) -> None:
        """Send a piece of the body, and the head before the first."""
        if not isinstance(chunk, bytes):
            raise BadAnswer(f"an application sends bytes, not {type(chunk).__name__}")
        self._start()
        self.req.write(chunk)

    def send_file(self, file: int, start: int, size: int) -> None:
        """Send a piece of the body that is in a file; see `Request.send_file`."""
        self._start()
        self.req.send_file(file, start, size)

    def _run(self) -> None:
        response = self.req.server.wsgi_app(self.env, self.start_response)
        try:
            self._send(response)
        finally:
            close = getattr(response, "close", None)
            if close is not None:
                close()

    def _send(self, response: Iterable[bytes]) -> None:
        if isinstance(response, (list, tuple)) and self._checked is not None:
            self._start(sum(map(len, response)))
        send_through = getattr(response, "send_through", None)
        if send_through is not None:
            send_through(self.write, self.send_file)
        else:
            self._send_pieces(response)
        self._start()
        return self.req.finish()

    def _send_pieces(self, response: Iterable[bytes]) -> None:
        for chunk in response:
            if chunk:
                self.write(chunk)
                if self._is_bodiless():
                    # HEAD: the rest of a large file need not be read.
                    break

    def _start(self, body_length: int | None = None) -> None:
        if self._checked is None:
            raise BadAnswer("the application did not call start_response")
        if self.req.answer is None:
            self.req.start(self._checked, body_length)

    def _is_bodiless(self) -> bool:
        answer = self.req.answer
        return answer is not None and answer.delimiter is Delimiter.NO_BODY

    def _refuse(self, status: HTTPStatus, text: str) -> None:
        if self.req.sent_headers:
            # The answer has begun: only a cut shows that it is not complete.
            raise PeerGone("the answer could not be finished")
        self.req.refuse(status, text)

    def _report(self, error: BaseException) -> None:
        method = self.env["REQUEST_METHOD"]
        target = self.env["REQUEST_URI"]
        log.error("error while answering %s %r", method, target, exc_info=error)


def _answer_to(fault: Exception) -> tuple[HTTPStatus, str]:
    """Say what a client gets for a body fault that the application let pass."""
    if isinstance(fault, BodyStalled):
        return HTTPStatus.REQUEST_TIMEOUT, "the body did not come in time"
    return HTTPStatus.BAD_REQUEST, str(fault)
