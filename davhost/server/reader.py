"""The input buffer of a connection, shared by request heads and bodies.

Bytes that come after the end of a head or a body stay here for the next
reader, so nothing is lost between pipelined requests.
"""

from davhost.server.channel import Channel
from davhost.server.errors import BadBody, PeerGone

#: Bytes asked of the kernel at once for heads and framing.
BLOCK_BYTES = 65536


class Reader:
    """Buffered reading from a channel."""

    def __init__(self, channel: Channel) -> None:
        """Start with an empty buffer."""
        self._channel = channel
        self.pending = bytearray()

    def fill(self) -> bool:
        """Take in what has arrived, without waiting; True if there was any.

        Raises:
            PeerGone: the stream ended.
        """
        data = self._channel.receive(BLOCK_BYTES)
        if data is None:
            return False
        self._append(data)
        while self._channel.holds_decrypted_bytes():
            # A selector does not see these, so they must not stay there.
            self._append(self._channel.receive(BLOCK_BYTES) or b"")
        return True

    def fill_within(self, seconds: float) -> None:
        """Take in at least one byte.

        Raises:
            PeerStalled: nothing came for *seconds*.
            PeerGone: the stream ended or broke.
        """
        self._append(self._channel.receive_within(BLOCK_BYTES, seconds))

    def take(self, size: int) -> bytes:
        """Remove at most *size* bytes from the buffer."""
        data = bytes(self.pending[:size])
        del self.pending[:size]
        return data

    def some(self, size: int, seconds: float) -> bytes:
        """Return 1 to *size* bytes, or ``b""`` at the end of the stream.

        Raises:
            PeerStalled: nothing came for *seconds*.
            PeerGone: the connection broke.
        """
        if self.pending:
            return self.take(size)
        return self._channel.receive_within(size, seconds)

    def line(self, limit_bytes: int, seconds: float) -> bytes:
        """Return the next line without its CRLF.

        Raises:
            BadBody: the line is longer than *limit_bytes* or does not end in CRLF.
            PeerStalled: nothing came for *seconds*.
            PeerGone: the stream ended or broke.
        """
        searched = 0
        while (end := self.pending.find(b"\n", searched)) < 0:
            searched = len(self.pending)
            if searched > limit_bytes:
                break
            self.fill_within(seconds)
        if end < 0 or end > limit_bytes:
            raise BadBody("a line of the chunked coding is too long")
        line = self.take(end + 1)
        if not line.endswith(b"\r\n"):
            # A bare LF is read as a line end by some proxies and not by
            # others: that is how requests are smuggled.
            raise BadBody("a line of the chunked coding does not end in CRLF")
        return line[:-2]

    def _append(self, data: bytes) -> None:
        if not data:
            raise PeerGone("end of stream")
        self.pending += data
