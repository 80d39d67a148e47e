"""TLS from certificate files."""

import socket
import ssl
from pathlib import Path
from typing import Any

from cheroot.ssl import Adapter


class TLSAdapter(Adapter):
    """Wraps accepted sockets without a handshake.

    cheroot shakes hands in the accepting thread, where one silent client
    keeps out all others for its whole timeout.
    """

    def __init__(self, certificate_path: Path, private_key_path: Path | None) -> None:
        """Load the certificate chain and the key.

        Raises:
            OSError: a file cannot be read.
            ssl.SSLError: they are no certificate and key, or no pair.
        """
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
        self.context.set_alpn_protocols(["http/1.1"])
        self.context.load_cert_chain(certificate_path, private_key_path)

    def bind(self, sock: socket.socket) -> socket.socket:
        """Return the listening socket as it is."""
        return sock

    def wrap(self, sock: socket.socket) -> tuple[ssl.SSLSocket, dict[str, str]]:
        """Wrap a non-blocking socket; the handshake comes with its first bytes."""
        wrapped = self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return wrapped, {}

    def get_environ(self, sock: ssl.SSLSocket | None = None) -> dict[str, str]:
        """Return what an application is told about the connection."""
        name, version, _ = (sock and sock.cipher()) or ("", "", 0)
        return {
            "wsgi.url_scheme": "https",
            "HTTPS": "on",
            "SSL_PROTOCOL": version,
            "SSL_CIPHER": name,
        }

    def makefile(self, sock: Any, mode: str = "r", bufsize: int = -1) -> Any:
        """Never called: connections read through their channel."""
        raise NotImplementedError
