"""Parked connections: one selector that accepts, wakes and expires.

Everything that waits for a client to send something waits here, and costs a
descriptor but no thread. The selector's thread itself never reads from a
client and never waits for one.
"""

import errno
import logging
import os
import selectors
import threading
import time
from contextlib import suppress
from socket import socket
from typing import Any

from davhost.server.connections import Connection, Phase

log = logging.getLogger("davhost.server")

_TICK_SECONDS = 0.5
_TICK_WHILE_RETIRING_SECONDS = 0.02
_ACCEPT_AT_ONCE = 16
#: While connections wait for a turn there is no hurry to find more of them: those
#: that come meanwhile are taken together.
_BATCH_SECONDS = 0.01
_PAUSE_SECONDS = 0.1
_SHED_AT_ONCE = 16
#: Who has come a moment ago is about to ask for something.
_IDLE_BEFORE_SHED_SECONDS = 1.0
_WARN_EVERY_SECONDS = 60.0
#: After the grace time cancelled requests may still tidy up.
_AFTER_GRACE_SECONDS = 2.0
#: Read-outs of closed connections are cut short when the server stops.
_LINGER_WHILE_STOPPING_SECONDS = 0.5
_OUT_OF_RESOURCES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

_LISTENER = object()
_WAKE = object()


class ConnectionManager:
    """Takes the place of ``cheroot.connections.ConnectionManager``."""

    def __init__(self, server: Any) -> None:
        """Register the server's listening socket."""
        self._server = server
        self._selector = selectors.DefaultSelector()
        self._lock = threading.Lock()
        self._parked: dict[int, Connection] = {}
        self._closed = False
        self._accepts = False
        self._paused_until = 0.0
        self._warned_at = float("-inf")
        self._wake_fd, self.wake_write_fd = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._selector.register(self._wake_fd, selectors.EVENT_READ, _WAKE)
        self._resume_accepting()

    def put(self, connection: Connection) -> None:
        """Park a connection until it has something to read or its time is over."""
        fd = connection.socket.fileno()
        with self._lock:
            if not self._closed:
                self._parked[fd] = connection
                self._selector.register(fd, selectors.EVENT_READ, connection)
                return
        connection.close()

    def wake(self) -> None:
        """End the current wait of ``run``; may be called in a signal handler."""
        with suppress(BlockingIOError):
            os.write(self.wake_write_fd, b".")

    def run(self) -> None:
        """Serve until the server has retired."""
        looked_at = time.monotonic()
        while not self._is_done():
            wait_seconds = looked_at + self._tick_seconds() - time.monotonic()
            for key, _ in self._selector.select(max(0.0, wait_seconds)):
                self._handle(key.data, key.fd)
            self._server.requests.wait_for_demand(_BATCH_SECONDS)
            now = time.monotonic()
            # Not after each event: it looks at every connection that is parked.
            if now >= looked_at + self._tick_seconds():
                looked_at = now
                self._retire_parked(now)
                self._expire(now)
                self._look_after_accepting(now)

    def close(self) -> None:
        """Close the listener, what is still parked, and the selector."""
        self._server.socket.close()
        with self._lock:
            self._closed = True
        for connection in self._parked_connections():
            self._unpark(connection)
            connection.close()
        self._selector.close()
        os.close(self._wake_fd)
        os.close(self.wake_write_fd)

    def _handle(self, data: Any, fd: int) -> None:
        if data is _LISTENER:
            self._accept()
        elif data is _WAKE:
            os.read(fd, 4096)
        elif data.phase is not Phase.CLOSED:  # as `_shed` may have done a moment ago
            self._unpark(data)
            self._go_on(data)

    def _go_on(self, connection: Connection) -> None:
        """Give a connection a thread, unless it has had its time.

        A client that sends a byte now and then is hardly ever found parked,
        so its time is looked at here too.
        """
        if connection.phase is not Phase.IDLE and connection.deadline <= time.monotonic():
            connection.expire()
        else:
            self._server.process_conn(connection)

    def _unpark(self, connection: Connection) -> None:
        fd = connection.socket.fileno()
        with self._lock:
            del self._parked[fd]
            self._selector.unregister(fd)

    def _parked_connections(self) -> list[Connection]:
        with self._lock:
            return list(self._parked.values())

    # Accepting

    def _accept(self) -> None:
        if self._server.admission.is_full:
            return self._pause("the limit of open connections is reached")
        for _ in range(_ACCEPT_AT_ONCE):
            if self._server.admission.is_full:
                return None  # comes back here if somebody waits
            try:
                sock, address = self._server.socket.accept()
            except BlockingIOError:
                return None  # another worker was faster
            except OSError as error:
                if error.errno in _OUT_OF_RESOURCES:
                    return self._pause(os.strerror(error.errno or 0))
                continue  # this client is gone already
            self._welcome(sock, address)
        return None

    def _welcome(self, sock: socket, address: Any) -> None:
        connection = self._server.connect(sock, address)
        if connection is not None:
            self.put(connection)

    def _pause(self, reason: str) -> None:
        """Stop accepting for a moment and make room.

        The kernel would report the waiting client over and over otherwise.
        """
        now = time.monotonic()
        if now - self._warned_at > _WARN_EVERY_SECONDS:
            self._warned_at = now
            log.warning("cannot accept connections for now: %s", reason)
        self._stop_accepting()
        self._paused_until = now + _PAUSE_SECONDS
        self._shed()

    def _shed(self) -> None:
        """Close the connections that have been idle for longest."""
        since = time.monotonic() - _IDLE_BEFORE_SHED_SECONDS
        idle = [
            parked
            for parked in self._parked_connections()
            if parked.phase is Phase.IDLE and parked.idle_since < since
        ]
        idle.sort(key=lambda parked: parked.idle_since)
        for connection in idle[:_SHED_AT_ONCE]:
            self._unpark(connection)
            connection.close()

    def _stop_accepting(self) -> None:
        if self._accepts:
            self._accepts = False
            with self._lock:
                self._selector.unregister(self._server.socket)

    def _resume_accepting(self) -> None:
        if not self._accepts:
            self._accepts = True
            with self._lock:
                self._selector.register(self._server.socket, selectors.EVENT_READ, _LISTENER)

    def _look_after_accepting(self, now: float) -> None:
        if self._server.retiring:
            self._stop_accepting()
            # Clients that come now are refused once every process has closed it.
            self._server.socket.close()
        elif now >= self._paused_until:
            self._resume_accepting()

    # Time

    def _tick_seconds(self) -> float:
        if self._server.retiring:
            return _TICK_WHILE_RETIRING_SECONDS
        return _TICK_SECONDS if self._accepts else _PAUSE_SECONDS

    def _expire(self, now: float) -> None:
        for connection in self._parked_connections():
            if connection.deadline <= now:
                self._unpark(connection)
                connection.expire()

    def _retire_parked(self, now: float) -> None:
        """Close idle connections when the server stops, and hurry the rest."""
        server = self._server
        if not server.retiring:
            return
        if now >= server.retire_at:
            server.cancellation.fire()
        for connection in self._parked_connections():
            if server.cancellation.fired:
                connection.deadline = now
            elif connection.phase is Phase.LINGER:
                connection.deadline = min(connection.deadline, now + _LINGER_WHILE_STOPPING_SECONDS)
            elif connection.phase is Phase.IDLE and not server.keeps_idle:
                connection.deadline = now

    def _is_done(self) -> bool:
        server = self._server
        if not server.retiring:
            return False
        if server.admission.total == 0:
            return True
        return bool(time.monotonic() >= server.retire_at + _AFTER_GRACE_SECONDS)
