"""Who asks, and by which name and path this server is known to them.

Behind a proxy that ends TLS, the request line and Host are not what the client
sees. So URLs that clients send are matched by path and by host name, never by
scheme; headers of the X-Forwarded family count only from a trusted proxy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, NamedTuple
from urllib.parse import quote

from ..errors import BadPath, BadRequest
from ..paths import ROOT, DavPath
from .gate import Network

Environ = Mapping[str, Any]

_URL = re.compile(r"https?://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<rest>.*)", re.I | re.DOTALL)
_AUTHORITY = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[^:\[\]]+)(:(?P<port>\d*))?", re.I)
_PATH_END = re.compile(r"[?#]")
_DEFAULT_PORTS = ("", "80", "443")

#: Headers by which a proxy shows itself.
_PROXY_HEADERS = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
    "HTTP_FORWARDED",
    "HTTP_VIA",
)


class Authority(NamedTuple):
    """A host name and port.

    Args:
        host: lower case, without the dot at the end.
        port: empty for none and for the default ports, because TLS may end
            at a proxy.
    """

    host: str
    port: str

    @classmethod
    def parse(cls, text: str) -> Authority | None:
        """Read ``user@host:port``; user info is dropped (lftp sends it)."""
        match = _AUTHORITY.fullmatch(text.rpartition("@")[2].strip())
        if match is None:
            return None
        port = match["port"] or ""
        return cls(match["host"].lower().rstrip("."), "" if port in _DEFAULT_PORTS else port)

    def is_same_server(self, other: Authority) -> bool:
        """Whether both are this server.

        Many proxies pass the host on without its port, so only two ports that
        are both said, and differ, tell servers apart.
        """
        if self.host != other.host:
            return False
        return not self.port or not other.port or self.port == other.port


class Site(NamedTuple):
    """This server as the client knows it.

    Args:
        prefix: the path under which the root of a home is mounted.
        authorities: the names it answers to; None when a proxy hides them.
        is_cut: whether a proxy has taken the prefix off the request target.
        scope: the collection that is the root for whoever asks.
    """

    prefix: DavPath = ROOT
    authorities: tuple[Authority, ...] | None = None
    is_cut: bool = False
    scope: DavPath = ROOT

    def href(self, path: DavPath, *, collection: bool) -> str:
        """Write the URL path of a resource as the client can ask for it.

        What is above or beside the scope (the root of a lock) has no URL there,
        and no name: it shows as the root.
        """
        if path.is_within(self.scope):
            below = path.names[len(self.scope.names) :]
        else:
            below, collection = (), True
        return DavPath(self.prefix.names + below).href(collection=collection)

    def scoped(self, scope: DavPath) -> Site:
        """Make *scope* the root."""
        return self._replace(scope=scope)

    def path_of(self, raw: str) -> DavPath | None:
        """Parse a raw URL path; None when it is not below the prefix.

        Raises:
            BadPath: it names nothing that could ever be a resource.
        """
        path = DavPath.from_url(raw)
        length = len(self.prefix.names)
        if path.names[:length] != self.prefix.names:
            return None
        if not length and self.scope.is_root:
            return path
        return DavPath(self.scope.names + path.names[length:])

    def find(self, url: str) -> DavPath | None:
        """Find the resource that a URL in a header names.

        It is split before it is unquoted, so that ``%3F`` stays a part of the
        name. A query or fragment is refused: whoever sends ``a?b.txt`` bare
        means a file, and must not get ``a``.

        Returns:
            None when the URL is on another server.

        Raises:
            BadRequest: neither an http URL nor an absolute path, or with a
                query or fragment.
            BadPath: the path names nothing that could ever be a resource.

        Source: RFC 4918 section 8.3 (Simple-ref).
        """
        match = _URL.fullmatch(url)
        if match is None:
            if not url.startswith("/"):
                raise BadRequest("A URL in a header is neither absolute nor a path from the root.")
            raw, rest = _split(url)
        else:
            raw, rest = match["path"], match["rest"]
        if rest:
            raise BadRequest("A URL in a header has a query or fragment; write ? as %3F, # as %23.")
        path = self.path_of(raw)
        if match is not None and not self._is_here(match["authority"]):
            return None
        return path

    def _is_here(self, authority: str) -> bool:
        theirs = Authority.parse(authority)
        if theirs is None:
            raise BadRequest("A URL in a header has no valid host.")
        if self.authorities is None:
            return True
        return any(theirs.is_same_server(ours) for ours in self.authorities)


def is_trusted(address: str, trusted: tuple[Network, ...]) -> bool:
    """Whether *address* is that of a proxy whose word counts."""
    if not trusted:
        return False
    parsed = _parse_address(address)
    return parsed is not None and any(parsed in network for network in trusted)


def client_address(environ: Environ, trusted: tuple[Network, ...]) -> str:
    """Find who asks: the nearest address that is not a trusted proxy's.

    Whatever a client writes into X-Forwarded-For itself stands to the left of
    what the proxies add, so the list is read from the right.
    """
    address = str(environ.get("REMOTE_ADDR") or "")
    if not trusted:
        return address
    hops = str(environ.get("HTTP_X_FORWARDED_FOR") or "").split(",")
    while hops and is_trusted(address, trusted):
        hop = _parse_address(hops.pop().strip())
        if hop is None:
            break
        address = str(hop)
    return address


def is_https(environ: Environ, trusted: tuple[Network, ...]) -> bool:
    """Whether the client's connection is https, here or at a trusted proxy."""
    if environ.get("wsgi.url_scheme") == "https":
        return True
    by_proxy = trusted and is_trusted(str(environ.get("REMOTE_ADDR") or ""), trusted)
    forwarded = str(environ.get("HTTP_X_FORWARDED_PROTO") or "")
    return bool(by_proxy) and forwarded.rpartition(",")[2].strip().lower() == "https"


def site_of(environ: Environ, trusted: tuple[Network, ...], mount_path: str) -> Site:
    """Find the names and the prefix by which the client knows this server.

    Args:
        mount_path: WsgiDAV's setting, for a proxy that says nothing.

    Raises:
        BadPath: the prefix is none.
    """
    script_name = str(environ.get("SCRIPT_NAME") or mount_path)
    if not trusted or not is_trusted(str(environ.get("REMOTE_ADDR") or ""), trusted):
        return _site_at(script_name, (str(environ.get("HTTP_HOST") or ""),))
    names = _forwarded_names(environ)
    forwarded = environ.get("HTTP_X_FORWARDED_PREFIX")
    return _site(str(forwarded), names) if forwarded else _site_at(script_name, names)


# Of both few are kept: names are as long as a header may be.
@lru_cache(maxsize=64)
def _site_at(script_name: str, names: tuple[str, ...] | None) -> Site:
    """Read what `_site` does, from a prefix that the request target still has."""
    return _site(_quoted(script_name), names)._replace(is_cut=False)


@lru_cache(maxsize=64)
def _site(prefix: str, names: tuple[str, ...] | None) -> Site:
    """Read the prefix and the names, which are the same in most requests."""
    found = [authority for name in names or () if (authority := Authority.parse(name)) is not None]
    # HTTP/1.0 without Host: there is nothing to compare with.
    return Site(DavPath.from_url(prefix), tuple(found) or None, is_cut=True)


def _forwarded_names(environ: Environ) -> tuple[str, ...] | None:
    host = str(environ.get("HTTP_HOST") or "")
    forwarded = str(environ.get("HTTP_X_FORWARDED_HOST") or "")
    if not forwarded and any(header in environ for header in _PROXY_HEADERS):
        # It forwards, and does not say under which name: then any is right.
        return None
    return (host, *forwarded.split(","))


def raw_target(environ: Environ) -> str:
    """Take the path of the request target as it was sent, without its query.

    PATH_INFO has lost the difference between ``%2F`` and a slash; it serves
    only where the WSGI server offers nothing better.
    """
    target = environ.get("REQUEST_URI") or environ.get("RAW_URI")
    if not target:
        path_info = str(environ.get("SCRIPT_NAME") or "") + str(environ.get("PATH_INFO") or "/")
        return _quoted(path_info)
    target = str(target)
    match = None if target[:1] == "/" else _URL.fullmatch(target)
    return (match["path"] or "/") if match else _split(target)[0]


def _split(target: str) -> tuple[str, str]:
    """Cut a path before its query or fragment."""
    found = _PATH_END.search(target)
    end = len(target) if found is None else found.start()
    return target[:end], target[end:]


def _quoted(path_info: str) -> str:
    """Undo what a WSGI server did to a path: it decoded the octets as latin-1."""
    try:
        octets = path_info.encode("latin-1")
    except UnicodeEncodeError:
        octets = path_info.encode(errors="surrogateescape")
    return quote(octets, safe="/*")


@lru_cache(maxsize=4096)
def _parse_address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip("[]"))
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def resource_path(raw: str, site: Site) -> DavPath:
    """Parse the path of a request target into the path of a resource.

    A target that is not below the prefix is one from which a proxy has cut it
    without saying so.

    Raises:
        BadPath: it names nothing that could ever be a resource.
    """
    if raw[:1] != "/":
        raise BadPath("The request target is not a path.")
    path = None if site.is_cut else site.path_of(raw)
    return DavPath.from_url(raw) if path is None else path
