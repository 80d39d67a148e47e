"""The listening socket: bound once by the supervisor, shared by the workers."""

import contextlib
import resource
import socket
from collections.abc import Iterator
from typing import Any

from davhost.server.options import ServerOptions

_DESCRIPTORS_MAX = 1 << 20
_ANY_IPV4 = "0.0.0.0"  # noqa: S104 - compared with, not bound to
_ANY_IPV6 = "::"


def listen(options: ServerOptions) -> socket.socket:
    """Return a socket that listens on the host and port of *options*.

    Raises:
        OSError: the name is unknown, or the port is taken or forbidden.
    """
    error: OSError | None = None
    for family, address in _addresses(options):
        try:
            return _listen_on(family, address, options.backlog)
        except OSError as failure:
            error = failure
    raise error or OSError(f"no address for {options.host!r}")


def url_of(listener: socket.socket, options: ServerOptions) -> str:
    """Return the URL that a person on this machine can open."""
    port = listener.getsockname()[1]
    shown = {_ANY_IPV4: "127.0.0.1", _ANY_IPV6: "localhost"}.get(options.host, options.host)
    if ":" in shown:
        shown = f"[{shown}]"
    return f"{options.scheme}://{shown}:{port}/"


def raise_descriptor_limit() -> None:
    """Allow as many open files as the system lets this process have.

    The usual soft limit of 1,024 is there for programs that use select().
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS_MAX if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS_MAX)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _addresses(options: ServerOptions) -> Iterator[tuple[int, Any]]:
    """Yield what the host may mean, IPv4 first: ``localhost`` is 127.0.0.1 to most."""
    found = socket.getaddrinfo(
        options.host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    for family, _, _, _, address in sorted(found, key=lambda info: info[0] != socket.AF_INET):
        yield family, address


def _listen_on(family: int, address: Any, backlog: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Accepted sockets inherit the following two.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, address[0] != _ANY_IPV6)
        sock.bind(address)
        sock.listen(backlog)
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock
