"""Request bodies as applications read them: ``wsgi.input``.

Both kinds stream: memory is bounded by what the application asks for, never
by what the client declares. A body that does not arrive whole raises, always,
so that it cannot be taken for a shorter one.
"""

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

from davhost.server.errors import (
    BadBody,
    BadRequest,
    BodyStalled,
    IncompleteBody,
    PeerGone,
    PeerStalled,
)
from davhost.server.headers import parse_field
from davhost.server.reader import BLOCK_BYTES, Reader

#: The most that is asked of the kernel at once.
READ_BYTES = 262144

#: RFC 9112 section 7.1; sixteen digits would be 2**64 already.
_CHUNK_HEADER = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?")
_CHUNK_HEADER_BYTES_MAX = 4096


class Body(ABC):
    """A request body that is read once, from the first byte to the last."""

    _ahead = b""  # read by readline() beyond its line
    _failure: Exception | None = None

    def __init__(
        self, reader: Reader, stall_seconds: float, before_read: Callable[[], None] | None
    ) -> None:
        """Prepare to read; nothing is read or sent yet.

        Args:
            before_read: called once before the first byte is asked for; this
                is where ``100 Continue`` is sent.
        """
        self._reader = reader
        self._stall_seconds = stall_seconds
        self._before_read = before_read
        self.finished = False

    def read(self, size: int | None = -1) -> bytes:
        """Return *size* bytes, or fewer only if the body ends before.

        Blocks until all of them are there, as reading from a file does. The
        empty string means that the body is complete, and nothing else does.

        Args:
            size: in bytes; None or a negative number means all the rest.

        Raises:
            IncompleteBody: the client went before the end of the body.
            BodyStalled: it sent nothing for body_stall_timeout_seconds.
            BadBody: the chunked coding is malformed.
        """
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(READ_BYTES), b""))
        first = self._piece(size)
        if len(first) == size or not first:
            return first
        pieces = [first]
        missing = size - len(first)
        while missing and (piece := self._piece(missing)):
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def readline(self, size: int | None = -1) -> bytes:
        """Return a line with its LF, or at most *size* bytes of one.

        Raises:
            IncompleteBody, BodyStalled, BadBody: as ``read`` does.
        """
        limit = size if size is not None and size >= 0 else None
        line = bytearray()
        while limit is None or len(line) < limit:
            piece = self._piece(BLOCK_BYTES)
            end = piece.find(b"\n") + 1 or len(piece)
            if limit is not None:
                end = min(end, limit - len(line))
            line += piece[:end]
            self._ahead = piece[end:]
            if not piece or line.endswith(b"\n"):
                break
        return bytes(line)

    def readlines(self, hint: int | None = -1) -> list[bytes]:
        """Return the lines that are left, or enough of them for *hint* bytes."""
        lines: list[bytes] = []
        size = 0
        for line in self:
            lines.append(line)
            size += len(line)
            if hint is not None and 0 < hint <= size:
                break
        return lines

    def __iter__(self) -> Iterator[bytes]:
        """Return the lines one by one."""
        return iter(self.readline, b"")

    def close(self) -> None:  # noqa: B027 - a file has one
        """Do nothing: the server decides what becomes of the connection."""

    @property
    def awaits_continue(self) -> bool:
        """Tell if the client still waits to be invited to send the body."""
        return self._before_read is not None and not self.finished

    @property
    def failed(self) -> bool:
        """Tell if reading has raised; nothing after it can be understood."""
        return self._failure is not None

    @abstractmethod
    def ends_within(self, size: int) -> bool:
        """Tell if it is known that at most *size* bytes are left to read."""

    def drain(self, seconds: float) -> bool:
        """Read the rest and drop it; True if it came within *seconds*."""
        if self.finished:
            return True
        deadline = time.monotonic() + seconds
        try:
            while not self.finished:
                self._stall_seconds = max(0.0, deadline - time.monotonic())
                self._piece(READ_BYTES)
        except (IncompleteBody, BodyStalled, BadBody):
            return False
        return True

    @abstractmethod
    def _next(self, size: int) -> bytes:
        """Return 1 to *size* bytes of content; ``b""`` once at the end."""

    def _piece(self, size: int) -> bytes:
        """Return what is read ahead, else the next bytes of content."""
        if self._failure is not None:
            raise self._failure
        if self._ahead:
            piece, self._ahead = self._ahead[:size], self._ahead[size:]
            return piece
        if self.finished or size == 0:
            return b""
        return self._receive(size)

    def _receive(self, size: int) -> bytes:
        try:
            self._announce()
            return self._next(min(size, READ_BYTES))
        except PeerStalled:
            self._failure = BodyStalled("the client stopped sending the body")
        except PeerGone as error:
            self._failure = IncompleteBody(f"the body ended early: {error}")
        except BadBody as error:
            self._failure = error
        # Kept and raised again: a second read must not look like the end.
        raise self._failure

    def _announce(self) -> None:
        if self._before_read is not None:
            before_read, self._before_read = self._before_read, None
            before_read()


class KnownLengthBody(Body):
    """A body whose length the client declared."""

    def __init__(
        self,
        reader: Reader,
        length: int,
        stall_seconds: float,
        before_read: Callable[[], None] | None = None,
    ) -> None:
        """Prepare to read *length* bytes; 0 means that there is no body."""
        super().__init__(reader, stall_seconds, before_read)
        self._left = length
        self.finished = length == 0

    def read(self, size: int | None = -1) -> bytes:
        """Return *size* bytes, or fewer only at the end; see `Body.read`."""
        if size == self._left == len(self._reader.pending) and self._is_untouched():
            # A short body that came with its head, as most do that are no files.
            self._left = 0
            self.finished = True
            return self._reader.take(size)
        return super().read(size)

    def ends_within(self, size: int) -> bool:
        """Tell if at most *size* bytes are left to read."""
        return self._left <= size

    def _is_untouched(self) -> bool:
        return not (self.finished or self._ahead or self._before_read or self._failure)

    def _next(self, size: int) -> bytes:
        data = self._reader.some(min(size, self._left), self._stall_seconds)
        if not data:
            raise PeerGone(f"{self._left} bytes are missing")
        self._left -= len(data)
        self.finished = self._left == 0
        return data


class ChunkedBody(Body):
    """A body in chunks, each of which is streamed too.

    cheroot reads a chunk into memory before it gives a byte of it away.
    """

    def __init__(
        self,
        reader: Reader,
        overhead_bytes_max: int,
        stall_seconds: float,
        before_read: Callable[[], None] | None = None,
    ) -> None:
        """Prepare to read.

        Args:
            overhead_bytes_max: of chunk extensions and trailers together.
        """
        super().__init__(reader, stall_seconds, before_read)
        self._overhead_bytes_left = overhead_bytes_max
        self._chunk_left = 0
        self._started = False

    def ends_within(self, size: int) -> bool:  # noqa: ARG002 - nobody knows
        """Tell if the end has been seen, for only then is it known."""
        return self.finished

    def _next(self, size: int) -> bytes:
        if self._chunk_left == 0:
            self._open_chunk()
            if self.finished:
                return b""
        wanted = min(size, self._chunk_left)
        if wanted < BLOCK_BYTES and not self._reader.pending:
            # Small chunks come many to a segment: take them in together.
            self._reader.fill_within(self._stall_seconds)
        data = self._reader.some(wanted, self._stall_seconds)
        if not data:
            raise PeerGone("a chunk is incomplete")
        self._chunk_left -= len(data)
        return data

    def _open_chunk(self) -> None:
        if self._started:
            self._close_chunk()
        self._started = True
        line = self._reader.line(_CHUNK_HEADER_BYTES_MAX, self._stall_seconds)
        match = _CHUNK_HEADER.fullmatch(line)
        if match is None:
            raise BadBody("malformed chunk size")
        self._spend(len(line) - len(match[1]))
        self._chunk_left = int(match[1], 16)
        if self._chunk_left == 0:
            self._drop_trailers()

    def _close_chunk(self) -> None:
        if self._reader.line(len("\r"), self._stall_seconds):
            raise BadBody("a chunk is longer than its size")

    def _drop_trailers(self) -> None:
        """Read the trailer section; its fields mean nothing to a file server."""
        while line := self._reader.line(self._overhead_bytes_left, self._stall_seconds):
            self._spend(len(line) + 2)
            try:
                parse_field(line.decode("latin-1"))
            except BadRequest as error:
                raise BadBody(f"trailer: {error.reason}") from error
        self.finished = True

    def _spend(self, size: int) -> None:
        self._overhead_bytes_left -= size
        if self._overhead_bytes_left < 0:
            raise BadBody("too many chunk extensions or trailers")
