"""Whatever a client sends: no 500, no hang, and no answer that belongs to another request.

After each request another one goes out on the same connection. Either it is
answered with what it asked for, or the server has closed the connection.
"""

from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.defects.target import Target

fuzz = settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

METHODS = [
    "GET", "HEAD", "OPTIONS", "PROPFIND", "PROPPATCH", "PUT", "DELETE", "MKCOL",
    "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "POST", "TRACE", "FOO",
]  # fmt: skip

#: What a header value can hold on the wire.
VALUE = st.text(st.characters(max_codepoint=255, exclude_categories=("Cc",)), max_size=60)


@pytest.fixture
def sentinel(server: Target) -> bytes:
    """A request whose answer is known; its file is there for each example to spoil."""
    server.dav.put(f"{server.folder}-sentinel.txt", b"the sentinel")
    return server.head("GET", f"{server.folder}-sentinel.txt")


def check(server: Target, sentinel: bytes, data: bytes, method: str = "GET") -> int:
    """Send one request and then the sentinel; return the status of the first."""
    with server.client() as client:
        reply = client.ask(data, method=method)
        while reply.status == 100:
            reply = client.reply(method)
        assert reply.status < 500 or reply.status in (501, 502, 505, 507), (data, reply)
        if reply.headers.get("connection") == "close":
            assert client.is_closed(), data
        else:
            assert client.ask(sentinel).body == b"the sentinel", data
        return reply.status


def body_of(server: Target, method: str, name: str, body: bytes, *lines: str) -> bytes:
    """Spell a request with a body of known length."""
    length = f"Content-Length: {len(body)}"
    return server.head(method, server.path(name), length, *lines) + body


@fuzz
@given(data=st.binary(max_size=200))
def test_bytes_that_are_no_request(server: Target, sentinel: bytes, data: bytes) -> None:
    """Noise is answered or not, and the connection ends; others are served on."""
    with server.client() as client:
        client.send(data)
        client.socket.shutdown(1)
        answer = client.rest()
    assert not answer or answer.startswith(b"HTTP/1.1 "), answer
    assert b"HTTP/1.1 500" not in answer
    assert server.ask(sentinel).body == b"the sentinel"


@fuzz
@given(
    method=st.one_of(st.sampled_from(METHODS), st.text(max_size=8)),
    target=st.one_of(st.text(max_size=30), st.text(max_size=30).map(lambda t: "/" + quote(t))),
    version=st.one_of(st.just("1.1"), st.text("0123456789.", max_size=4)),
)
def test_request_lines(
    server: Target, sentinel: bytes, method: str, target: str, version: str
) -> None:
    """Any method, any target, any version."""
    line = f"{method} {target} HTTP/{version}".replace("\r", "").replace("\n", "")
    head = server.head("GET", "/").split(b"\r\n", 1)[1]
    check(server, sentinel, line.encode(errors="replace") + b"\r\n" + head, method)


@fuzz
@given(
    method=st.sampled_from(METHODS),
    headers=st.dictionaries(
        st.sampled_from(
            ["Accept", "Cookie", "Content-Encoding", "Content-MD5", "Content-Range",
             "Content-Type", "Connection", "Depth", "Destination", "Digest", "Expect", "Host",
             "If", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range",
             "If-Unmodified-Since", "Lock-Token", "OC-Checksum", "Overwrite", "Range",
             "Repr-Digest", "Timeout", "X-Expected-Entity-Length", "X-Forwarded-For",
             "X-Forwarded-Prefix", "X-OC-Mtime", "Transfer-Encoding", "Content-Length"]
        ),
        VALUE,
        max_size=5,
    ),
)  # fmt: skip
def test_headers(server: Target, sentinel: bytes, method: str, headers: dict[str, str]) -> None:
    """Any value in any header that means something."""
    lines = [f"{name}: {value}" for name, value in headers.items()]
    check(server, sentinel, server.head(method, server.path("a.txt"), *lines), method)


TOKENS = [
    "(",
    ")",
    "<",
    ">",
    "[",
    "]",
    "Not",
    '"',
    "W/",
    " ",
    "urn:uuid:0",
    "/a.txt",
    "DAV:no-lock",
    ",",
]


@fuzz
@given(
    value=st.lists(st.one_of(st.sampled_from(TOKENS), VALUE), max_size=12).map("".join),
    method=st.sampled_from(["PUT", "DELETE", "LOCK", "PROPFIND", "UNLOCK", "MOVE"]),
)
def test_if_headers(server: Target, sentinel: bytes, value: str, method: str) -> None:
    """Pieces of the grammar in any order."""
    lines = (f"If: {value}", "Depth: 0", f"Destination: {server.url('b.txt')}")
    check(server, sentinel, server.head(method, server.path("a.txt"), *lines))


@fuzz
@given(
    value=st.one_of(
        st.lists(
            st.tuples(st.integers(-2, 3000) | st.just(""), st.integers(-2, 10**20) | st.just("")),
            max_size=40,
        ).map(lambda pairs: "bytes=" + ",".join(f"{a}-{b}" for a, b in pairs)),
        VALUE,
    )
)
def test_ranges(server: Target, sentinel: bytes, value: str) -> None:
    """Any ranges of a file: its parts, the whole of it, or 416."""
    server.dav.put(server.path("a.bin"), bytes(2000))
    data = server.head("GET", server.path("a.bin"), f"Range: {value}")
    assert check(server, sentinel, data) in (200, 206, 400, 416)


@fuzz
@given(
    value=st.one_of(
        VALUE,
        st.text(max_size=30).map(lambda t: "/" + quote(t)),
        st.text(max_size=30).map(lambda t: "http://127.0.0.1/" + quote(t)),
    ),
    verb=st.sampled_from(["COPY", "MOVE"]),
)
def test_destinations(server: Target, sentinel: bytes, value: str, verb: str) -> None:
    """Any Destination: done, or a refusal that leaves the source where it is."""
    server.put("source.txt", b"source")
    source = server.path("source.txt")
    status = check(server, sentinel, server.head(verb, source, f"Destination: {value}"))
    if status >= 300:
        assert server.read("source.txt") == b"source"


XML_NAMES = st.sampled_from(
    ["propfind", "prop", "allprop", "propname", "include", "propertyupdate", "set", "remove",
     "lockinfo", "lockscope", "exclusive", "shared", "locktype", "write", "owner", "mkcol",
     "resourcetype", "collection", "getetag", "displayname", "sync-collection", "sync-token",
     "sync-level", "limit", "nresults", "href"]
)  # fmt: skip
XML_TEXT = st.text(max_size=10).map(
    lambda text: text.replace("&", "&amp;").replace("<", "&lt;").replace("\x00", "")
)
ELEMENT = st.recursive(
    st.builds("<{}/>".format, XML_NAMES) | XML_TEXT | st.just("<!-- c -->"),
    lambda inner: st.builds(
        lambda name, pieces: f"<{name}>{''.join(pieces)}</{name}>",
        XML_NAMES,
        st.lists(inner, max_size=4),
    ),
    max_leaves=12,
)


@fuzz
@given(
    method=st.sampled_from(["PROPFIND", "PROPPATCH", "LOCK", "MKCOL", "REPORT"]),
    root=XML_NAMES,
    inner=st.lists(ELEMENT, max_size=4).map("".join),
    cut=st.one_of(st.none(), st.integers(0, 100)),
)
def test_xml(
    server: Target, sentinel: bytes, method: str, root: str, inner: str, cut: int | None
) -> None:
    """The elements of WebDAV in any order and nesting, some of them cut off."""
    body = f'<{root} xmlns="DAV:">{inner}</{root}>'.encode(errors="replace")[:cut]
    lines = ("Depth: 0", "Content-Type: application/xml")
    check(server, sentinel, body_of(server, method, "x", body, *lines))


@fuzz
@given(name=st.text(min_size=1, max_size=40).filter(lambda n: n not in (".", "..")))
def test_names(server: Target, sentinel: bytes, name: str) -> None:
    """A name is refused, or it is there: listed, readable and deletable by the same URL."""
    url = quote(name.encode(errors="replace"), safe="")
    status = check(server, sentinel, body_of(server, "PUT", url, b"content"))
    if status in (201, 204):
        assert len(server.names()) == 1
        assert server.read(url) == b"content"
        assert server.request("DELETE", url).status == 204
    else:
        assert 400 <= status < 500
    assert server.names() == set()


@fuzz
@given(
    sizes=st.lists(st.integers(0, 5), max_size=5),
    ends=st.sampled_from([b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"", b"0\r\n", b"-1\r\n", b"zz\r\n"]),
    method=st.sampled_from(["PUT", "PROPFIND", "MKCOL", "COPY", "GET"]),
)
def test_chunks(
    server: Target, sentinel: bytes, sizes: list[int], ends: bytes, method: str
) -> None:
    """Chunks that end well or not; what follows is never read as content."""
    head = server.head(method, server.path("a.txt"), "Transfer-Encoding: chunked", "Depth: 0")
    body = b"".join(b"%x\r\n%b\r\n" % (size, b"x" * size) for size in sizes) + ends
    with server.client() as client:
        client.send(head + body + sentinel)
        client.socket.shutdown(1)
        answer = client.rest()
    assert b"HTTP/1.1 500" not in answer
    assert answer.count(b"\r\nDate: ") <= 2
