"""One request and its answer on a connection.

cheroot reads a request while it holds a thread; here the head has been
gathered before, and this class only acts on it.
"""

import logging
from http import HTTPStatus
from typing import Any

from cheroot.server import HTTPRequest

from davhost.server.answers import Answer, Checked, Delimiter, frame, plain_answer
from davhost.server.bodies import Body, ChunkedBody, KnownLengthBody
from davhost.server.channel import Channel
from davhost.server.errors import BadAnswer, PeerGone, PeerStalled
from davhost.server.headers import Head
from davhost.server.options import ServerOptions
from davhost.server.reader import Reader

log = logging.getLogger("davhost.server")

#: A small first piece of a body goes out together with the head.
_JOIN_BYTES = 32768
_DRAIN_SECONDS = 2.0


class Request(HTTPRequest):
    """A request whose head is known, and the answer to it."""

    def __init__(self, server: Any, conn: Any, head: Head) -> None:
        """Start with nothing of the body read and nothing sent.

        cheroot's own constructor is not called: what it prepares is for heads
        that it reads and writes itself.
        """
        self.server = server
        self.conn = conn
        self.channel: Channel = conn.channel
        self.options: ServerOptions = server.options
        self.head = head
        self.body = self._body(conn.reader)
        self.answer: Answer | None = None
        self.sent_headers = False
        self._unsent = b""
        self._sent_bytes = 0
        #: False once the connection must not carry another request.
        self.reusable = False

    def respond(self) -> None:
        """Let the gateway answer, then decide about the connection.

        Raises:
            PeerGone, PeerStalled: the answer could not be sent to its end.
        """
        self.server.gateway(self).respond()
        self.reusable = not self._closes() and self._settle_body()

    def start(self, checked: Checked, body_length: int | None = None) -> None:
        """Compose the head; it is sent with the first bytes or at the end.

        Args:
            body_length: in bytes, if the whole body is at hand already.

        Raises:
            BadAnswer: the application declares a malformed length.
        """
        keeps_alive = (
            self.head.framing.keeps_alive and not self.server.retiring and self._body_allows()
        )
        self.answer = frame(
            checked,
            method=self.head.method,
            http11=self.head.http11,
            keeps_alive=keeps_alive,
            body_length=body_length,
        )
        self._unsent = self.answer.head

    def write(self, chunk: bytes) -> None:
        """Send a piece of the body, framed; nothing if there must be no body.

        Raises:
            BadAnswer: the body is longer than declared; the rest is not sent.
            PeerGone, PeerStalled: the client went or stopped reading.
        """
        answer = self._begun()
        if answer.delimiter is Delimiter.NO_BODY:
            return self.flush()
        if answer.length is not None:
            room = answer.length - self._sent_bytes
            if len(chunk) > room:
                self._send(chunk[:room])
                raise BadAnswer("the body is longer than its Content-Length")
        self._sent_bytes += len(chunk)
        if answer.delimiter is Delimiter.CHUNKS:
            chunk = b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunk else b""
        return self._send(chunk)

    def send_file(self, file: int, start: int, size: int) -> None:
        """Send a piece of the body that is in a file; nothing if there must be no body.

        Args:
            file: a descriptor.
            start: the offset of the first byte.

        Raises:
            BadAnswer: the body is longer than declared, or its length is not declared.
            EOFError: the file is shorter.
            PeerGone, PeerStalled: the client went or stopped reading.
        """
        answer = self._begun()
        if answer.delimiter is Delimiter.NO_BODY:
            return self.flush()
        if answer.length is None:
            raise BadAnswer("a file is sent with a Content-Length")
        if size > answer.length - self._sent_bytes:
            raise BadAnswer("the body is longer than its Content-Length")
        self.flush()
        self._sent_bytes += size
        stall_seconds = self.options.send_stall_timeout_seconds
        return self.channel.send_file_within(file, start, size, stall_seconds)

    def finish(self) -> None:
        """Send what delimits the answer.

        Raises:
            BadAnswer: the body is shorter than declared.
            PeerGone, PeerStalled: the client went or stopped reading.
        """
        answer = self._begun()
        if answer.delimiter is Delimiter.LENGTH and self._sent_bytes != answer.length:
            raise BadAnswer("the body is shorter than its Content-Length")
        if answer.delimiter is Delimiter.CHUNKS:
            self._send(b"0\r\n\r\n")
        elif self._unsent:
            self.flush()

    def flush(self) -> None:
        """Send the head if it has not been sent."""
        self._send(b"")

    def refuse(self, status: HTTPStatus, text: str) -> None:
        """Answer with a line of text and let the connection close."""
        if self.sent_headers:
            return
        self.sent_headers = True
        self.answer, self._unsent = None, b""
        answer = plain_answer(f"{status.value} {status.phrase}", text, method=self.head.method)
        self.channel.send_within(answer, self.options.header_timeout_seconds)

    @property
    def complete(self) -> bool:
        """Tell if the whole request was read, so that a close loses no answer."""
        return self.body.finished

    def _begun(self) -> Answer:
        if self.answer is None:
            raise BadAnswer("the answer has no head")
        return self.answer

    def _send(self, data: bytes) -> None:
        unsent, self._unsent = self._unsent, b""
        if unsent:
            self.sent_headers = True
            if len(data) > _JOIN_BYTES:
                self.channel.send_within(unsent, self.options.send_stall_timeout_seconds)
            else:
                data = unsent + data
        if data:
            self.channel.send_within(data, self.options.send_stall_timeout_seconds)

    def _body(self, reader: Reader) -> Body:
        before_read = self._send_continue if self.head.framing.expects_continue else None
        stall_seconds = self.options.body_stall_timeout_seconds
        if self.head.framing.chunked:
            limit = self.options.max_header_bytes
            return ChunkedBody(reader, limit, stall_seconds, before_read)
        return KnownLengthBody(reader, self.head.framing.content_length, stall_seconds, before_read)

    def _send_continue(self) -> None:
        """Invite the body, unless the answer has begun (RFC 9110 section 10.1.1)."""
        if not self.sent_headers:
            stall_seconds = self.options.send_stall_timeout_seconds
            self.channel.send_within(b"HTTP/1.1 100 Continue\r\n\r\n", stall_seconds)

    def _body_allows(self) -> bool:
        """Tell if the rest of the request body is little enough to be dropped."""
        body = self.body
        if body.finished:
            return True
        return not (body.awaits_continue or body.failed) and body.ends_within(
            self.options.drain_bytes
        )

    def _closes(self) -> bool:
        return self.answer is None or self.answer.closes

    def _settle_body(self) -> bool:
        if self.body.finished:
            return True
        try:
            return self.body.drain(_DRAIN_SECONDS)
        except (PeerGone, PeerStalled):
            return False
