"""What the server can be told: one frozen table."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Where to listen, how much to take on, and how long to wait for whom."""

    #: Name or address to listen on; ``0.0.0.0`` and ``::`` mean all of them.
    host: str = "127.0.0.1"
    #: TCP port; 0 takes any free one.
    port: int = 8080
    #: Worker processes.
    workers: int = 1
    #: Threads that each worker keeps even when idle.
    threads: int = 8
    #: Threads that a worker may grow to while slow bodies occupy them.
    threads_max: int = 1000
    #: For a whole request head (and the TLS handshake before the first).
    header_timeout_seconds: float = 15
    #: Between two pieces of a request body.
    body_stall_timeout_seconds: float = 60
    #: Between two requests on one connection.
    idle_timeout_seconds: float = 120
    #: For a reader that takes nothing; a media player may pause this long.
    send_stall_timeout_seconds: float = 300
    #: For requests in flight when the server is told to stop.
    grace_seconds: float = 30
    #: Request line and header fields together; also the limit of trailers.
    max_header_bytes: int = 65536
    #: Of an unread request body that is read and dropped to keep a connection.
    drain_bytes: int = 262144
    #: Open connections of one address (of one /64 for IPv6) in each worker;
    #: 0 means no limit. Behind a proxy all clients share its address.
    connections_per_address_max: int = 4096
    #: Whether what the server refuses by itself is written to the access log.
    access_log: bool = False
    #: Connections that the kernel may hold until they are accepted.
    backlog: int = 128
    #: PEM file with the certificate chain; TLS when set.
    certificate_path: Path | None = None
    #: PEM file with the private key; None when it is in the certificate file.
    private_key_path: Path | None = None

    @property
    def scheme(self) -> str:
        """``https`` when a certificate is set, else ``http``."""
        return "http" if self.certificate_path is None else "https"
