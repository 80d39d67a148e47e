"""A non-blocking socket with waits that have a limit and can be cancelled.

The only module that reads from or writes to a client's socket. Plain and TLS
connections look the same from here on. Nothing in it waits unless its name
ends in ``_within``.
"""

import os
import select
import socket
import ssl
import struct
import threading
import time
from contextlib import suppress

from davhost.server.errors import PeerGone, PeerStalled

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
#: What is read at once of a file that must be encrypted.
_FILE_BLOCK_BYTES = 262_144
_UNFINISHED = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Cancellation:
    """A switch that ends every wait of every channel at once.

    Waits poll the reading end of a pipe beside their socket; closing the
    writing end wakes all of them, however many there are.
    """

    def __init__(self) -> None:
        """Open the pipe."""
        self.fd, self._trigger = os.pipe()
        self._lock = threading.Lock()
        self.fired = False

    def fire(self) -> None:
        """End all waits, now and for ever."""
        with self._lock:
            if not self.fired:
                self.fired = True
                os.close(self._trigger)

    def close(self) -> None:
        """Give the descriptors back; no channel may wait any more."""
        self.fire()
        os.close(self.fd)


class Channel:
    """The two directions of one connection."""

    def __init__(self, sock: socket.socket, cancellation: Cancellation) -> None:
        """Take over *sock*, which becomes non-blocking."""
        sock.setblocking(False)
        self.socket = sock
        self._cancellation = cancellation
        self._waits_for = select.POLLIN
        self._readable: select.poll | None = None

    def shake_hands(self) -> bool:
        """Go on with the TLS handshake; True when it is complete.

        Raises:
            ssl.SSLError: the peer does not speak TLS, or not ours.
            PeerGone: the connection ended.
        """
        if not isinstance(self.socket, ssl.SSLSocket):
            return True
        try:
            self.socket.do_handshake()
        except _UNFINISHED as error:
            self._note(error)
            return False
        except ssl.SSLError:
            raise
        except (OSError, ValueError) as error:
            raise PeerGone(str(error)) from error
        return True

    def peek(self) -> bytes:
        """Look at the first byte under the TLS layer; ``b""`` if there is none."""
        with suppress(OSError):
            return socket.socket.recv(self.socket, 1, socket.MSG_PEEK)
        return b""

    def receive(self, size: int) -> bytes | None:
        """Take at most *size* bytes that are here already.

        Returns:
            ``b""`` at the end of the stream, None if there is nothing yet.
        """
        try:
            return self.socket.recv(size)
        except _UNFINISHED as error:
            self._note(error)
            return None
        except (OSError, ValueError) as error:
            raise PeerGone(str(error)) from error

    def receive_within(self, size: int, seconds: float) -> bytes:
        """Take 1 to *size* bytes, or ``b""`` at the end of the stream.

        Raises:
            PeerStalled: nothing came for *seconds*.
            PeerGone: the connection broke or was cancelled.
        """
        self._check()
        if (data := self.receive(size)) is not None:
            return data
        deadline = time.monotonic() + seconds
        while (data := self.receive(size)) is None:
            self._wait(deadline)
        return data

    def readable_within(self, seconds: float) -> bool:
        """Tell if something to read (or the end) comes within *seconds*."""
        if self._readable is None:
            self._readable = select.poll()
            self._readable.register(self.socket, select.POLLIN)
        return bool(self._readable.poll(seconds * 1000))

    def holds_decrypted_bytes(self) -> bool:
        """Tell if the TLS layer holds bytes, which no selector would report."""
        return isinstance(self.socket, ssl.SSLSocket) and self.socket.pending() > 0

    def send_within(self, data: bytes, seconds: float) -> None:
        """Send all of *data*; the limit starts anew with each byte taken.

        Raises:
            PeerStalled: the peer took nothing for *seconds*.
            PeerGone: the connection broke or was cancelled.
        """
        rest = memoryview(data)
        deadline = None
        while rest:
            self._check()
            sent = self._send(rest)
            if sent == len(rest):
                return  # at once, as nearly always
            if sent:
                rest = rest[sent:]
                deadline = None
                continue
            deadline = deadline or time.monotonic() + seconds
            self._wait(deadline)

    def send_file_within(self, file: int, start: int, size: int, seconds: float) -> None:
        """Send *size* bytes of a file from *start* on, as `send_within` does.

        The kernel copies them by itself, unless they must be encrypted here.

        Raises:
            EOFError: the file ends before.
            PeerStalled, PeerGone: as `send_within`.
        """
        end = start + size
        deadline = None
        while start < end:
            if isinstance(self.socket, ssl.SSLSocket):
                block = os.pread(file, min(end - start, _FILE_BLOCK_BYTES), start)
                self.send_within(block, seconds)
                sent: int | None = len(block)
            else:
                self._check()
                sent = self._send_file(file, start, end - start)
            if sent:
                start += sent
                deadline = None
            elif sent is not None:
                raise EOFError(f"a file ends {end - start} bytes early")
            else:
                deadline = deadline or time.monotonic() + seconds
                self._wait(deadline)

    def send_plain(self, data: bytes) -> None:
        """Send *data* under the TLS layer, as far as the kernel takes it."""
        with suppress(OSError):
            socket.socket.send(self.socket, data)

    def finish(self) -> None:
        """Say that nothing more will be sent; reading goes on."""
        with suppress(OSError, ValueError):
            if isinstance(self.socket, ssl.SSLSocket):
                # Sends close_notify, so that the end is known to be meant.
                self.socket.unwrap()
        with suppress(OSError):
            # From here on an SSLSocket reads raw bytes, which are discarded.
            self.socket.shutdown(socket.SHUT_WR)

    def abort(self) -> None:
        """Make the close a reset: what was sent must not look complete."""
        with suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)

    def close(self) -> None:
        """Close the socket; does nothing the second time."""
        with suppress(OSError):
            self.socket.close()

    def _send(self, data: memoryview) -> int:
        try:
            return self.socket.send(data)
        except _UNFINISHED as error:
            self._note(error, select.POLLOUT)
            return 0
        except (OSError, ValueError) as error:
            raise PeerGone(str(error)) from error

    def _send_file(self, file: int, start: int, size: int) -> int | None:
        """Send as much as the kernel takes; None if it takes nothing now, 0 at the file's end."""
        try:
            return os.sendfile(self.socket.fileno(), file, start, size)
        except BlockingIOError as error:
            self._note(error, select.POLLOUT)
            return None
        except (OSError, ValueError) as error:
            raise PeerGone(str(error)) from error

    def _note(self, error: Exception, plain: int = select.POLLIN) -> None:
        """Remember what to wait for: TLS may have to read in order to write."""
        if isinstance(error, ssl.SSLWantReadError):
            self._waits_for = select.POLLIN
        elif isinstance(error, ssl.SSLWantWriteError):
            self._waits_for = select.POLLOUT
        else:
            self._waits_for = plain

    def _check(self) -> None:
        if self._cancellation.fired:
            raise PeerGone("the server ends")

    def _wait(self, deadline: float) -> None:
        poll = select.poll()
        poll.register(self.socket, self._waits_for)
        poll.register(self._cancellation.fd, select.POLLIN)
        ready = poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
        self._check()
        if not ready:
            raise PeerStalled
