"""The server of one process: listener, connections and threads put together."""

import logging
import resource
import time
from collections.abc import Callable
from socket import socket
from typing import Any

from cheroot.wsgi import Server

from davhost.server.admission import Admission, unmap
from davhost.server.channel import Cancellation
from davhost.server.connections import Connection
from davhost.server.gateway import Gateway
from davhost.server.manager import ConnectionManager
from davhost.server.options import ServerOptions
from davhost.server.pool import ThreadPool
from davhost.server.tls import TLSAdapter

log = logging.getLogger("davhost.server")

WSGIApplication = Callable[..., Any]

_DESCRIPTORS_FOR_THE_APPLICATION_MAX = 1024


class HTTPServer(Server):
    """Serves one WSGI application on a socket that listens already."""

    ConnectionClass = Connection
    version = "davhost"
    software = "davhost"

    def __init__(self, listener: socket, app: WSGIApplication, options: ServerOptions) -> None:
        """Put the parts together; ``prepare`` starts them.

        Raises:
            OSError, ssl.SSLError: the certificate files cannot be used.
        """
        super().__init__(listener.getsockname()[:2], app)
        listener.setblocking(False)
        self.socket = listener
        self.options = options
        self.gateway = Gateway
        self.environ = self._environ()
        if options.certificate_path is not None:
            self.ssl_adapter = TLSAdapter(options.certificate_path, options.private_key_path)
        self.cancellation = Cancellation()
        self.admission = Admission(_connections_max(), options.connections_per_address_max)
        self.requests = ThreadPool(self, options.threads, options.threads_max)
        self.retiring = False
        self.retire_at = float("inf")
        self.keeps_idle = False

    def _environ(self) -> dict[str, Any]:
        """Return what the environs of all requests have in common (PEP 3333)."""
        host, port = self.bind_addr
        return {
            "SCRIPT_NAME": "",
            "SERVER_NAME": host,
            "SERVER_PORT": str(port),
            "SERVER_SOFTWARE": self.software,
            "ACTUAL_SERVER_PROTOCOL": self.protocol,
            # Both kinds of body end by themselves.
            "wsgi.input_terminated": True,
            "wsgi.multiprocess": True,
            "wsgi.multithread": True,
            "wsgi.run_once": False,
            "wsgi.url_scheme": "http",
            "wsgi.version": Gateway.version,
        }

    def prepare(self) -> None:
        """Start the threads; from now on clients are accepted by ``serve``."""
        self._connections = ConnectionManager(self)
        self.requests.start()
        self.ready = True

    def serve(self) -> None:
        """Serve until ``retire`` has come to its end."""
        try:
            self._connections.run()
        finally:
            self.ready = False
            self.cancellation.fire()
            self.requests.stop()
            self._connections.close()

    @property
    def wakeup_fd(self) -> int:
        """A descriptor that ends the selector's wait when written to."""
        return self._connections.wake_write_fd

    def retire(self, seconds: float, *, keeps_idle: bool = False) -> None:
        """Accept no more, let requests in flight end within *seconds*, return from ``serve``.

        Only sets values and wakes the selector, so it may be called in a
        signal handler. What is in flight after *seconds* is cut: bodies raise
        ``IncompleteBody``, answers end in a reset.

        Args:
            keeps_idle: leave idle connections open until each has made one
                more request, so that no client notices.
        """
        self.keeps_idle = keeps_idle
        self.retire_at = time.monotonic() + seconds
        self.retiring = True
        self._connections.wake()

    def stop(self) -> None:
        """Retire at once."""
        self.retire(0)

    def connect(self, sock: socket, address: Any) -> Connection | None:
        """Make a connection of an accepted socket, unless its address has too many."""
        host = unmap(address[0])
        if not self.admission.enter(host):
            log.info("%s has too many connections", host)
            sock.close()
            return None
        try:
            sock.setblocking(False)
            if self.ssl_adapter is not None:
                sock, _ = self.ssl_adapter.wrap(sock)
            connection: Connection = self.ConnectionClass(self, sock)
        except (OSError, ValueError) as error:  # gone before it was looked at
            log.debug("%s: %s", host, error)
            sock.close()
            self.admission.leave(host)
            return None
        connection.remote_addr = host
        connection.remote_port = address[1]
        return connection

    def process_conn(self, conn: Connection) -> None:
        """Hand a connection with something to read to a thread."""
        self.requests.put(conn)

    def put_conn(self, conn: Connection) -> None:
        """Park a connection that a thread has done with."""
        if self.ready:
            self._connections.put(conn)
        else:
            conn.close()

    def forget(self, conn: Connection) -> None:
        """Take a closed connection off the count."""
        if conn.remote_addr is not None:
            self.admission.leave(conn.remote_addr)
            conn.remote_addr = None

    def clear_stats(self) -> None:
        """Keep no statistics: cheroot would keep every server in a global."""
        self.stats = {"Enabled": False}

    def error_log(self, msg: str = "", level: int = logging.ERROR, traceback: bool = False) -> None:
        """Write to the log; cheroot writes to standard error."""
        log.log(level, "%s", msg, exc_info=traceback)


def _connections_max() -> int:
    """Leave descriptors for the application: a connection is no use without."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(8, limit - min(limit // 2, _DESCRIPTORS_FOR_THE_APPLICATION_MAX))
