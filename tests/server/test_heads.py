"""Request heads are read strictly (RFC 9112): what is ambiguous is refused."""

import contextlib

import pytest

from davhost.server.errors import BadRequest
from davhost.server.headers import end_of_head, parse_head
from tests.server import apps
from tests.server.conftest import Serve


def head(*lines: str, request: str = "GET / HTTP/1.1") -> bytes:
    return ("\r\n".join((request, *lines)) + "\r\n\r\n").encode("latin-1")


REFUSED = {
    "Content-Length twice": (400, head("Host: x", "Content-Length: 5", "Content-Length: 6")),
    "Content-Length twice the same": (
        400,
        head("Host: x", "Content-Length: 5", "content-length: 5"),
    ),
    "Content-Length -1": (400, head("Host: x", "Content-Length: -1")),
    "Content-Length +5": (400, head("Host: x", "Content-Length: +5")),
    "Content-Length 1_0": (400, head("Host: x", "Content-Length: 1_0")),
    "Content-Length 0x10": (400, head("Host: x", "Content-Length: 0x10")),
    "Content-Length list": (400, head("Host: x", "Content-Length: 5, 5")),
    "Content-Length empty": (400, head("Host: x", "Content-Length:")),
    "Content-Length superscript": (400, head("Host: x", "Content-Length: \xb2")),
    "Content-Length beyond 64 bits": (413, head("Host: x", "Content-Length: " + "9" * 30)),
    "Content-Length with Transfer-Encoding": (
        400,
        head("Host: x", "Content-Length: 5", "Transfer-Encoding: chunked"),
    ),
    "unknown transfer coding": (501, head("Host: x", "Transfer-Encoding: gzip, chunked")),
    "unknown last transfer coding": (501, head("Host: x", "Transfer-Encoding: xchunked")),
    "chunked twice": (400, head("Host: x", "Transfer-Encoding: chunked, chunked")),
    "chunked in two lines": (
        400,
        head("Host: x", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    ),
    "empty Transfer-Encoding": (400, head("Host: x", "Transfer-Encoding:")),
    "Transfer-Encoding in HTTP/1.0": (
        400,
        head("Host: x", "Transfer-Encoding: chunked", request="PUT / HTTP/1.0"),
    ),
    "Host missing": (400, head("Accept: */*")),
    "Host twice": (400, head("Host: x", "Host: x")),
    "Host empty": (400, head("Host:")),
    "Host with a path": (400, head("Host: x/y")),
    "Host with user": (400, head("Host: u@x")),
    "space before colon": (400, head("Host: x", "Content-Length : 5")),
    "tab before colon": (400, head("Host: x", "Content-Length\t: 5")),
    "space before name": (400, head(" Host: x", "Host: x")),
    "folded line": (400, head("Host: x", "X-Long: one", " two")),
    "line without colon": (400, head("Host: x", "nonsense")),
    "empty name": (400, head("Host: x", ": value")),
    "name outside token": (400, head("Host: x", "X(y): 1")),
    "name with NUL": (400, head("Host: x", "X\x00y: 1")),
    "NUL in value": (400, head("Host: x", "X-Y: a\x00b")),
    "CR in value": (400, head("Host: x", "X-Y: a\rb")),
    "escape in value": (400, head("Host: x", "X-Y: \x1b[2J")),
    "bare LF between lines": (400, b"GET / HTTP/1.1\nHost: x\r\n\r\n"),
    "bare LF in value": (400, head("Host: x", "X-Y: a\nZ: b")),
    "only bare LF": (400, b"GET / HTTP/1.1\nHost: x\n\n"),
    "bare LF at the end": (400, b"GET / HTTP/1.1\r\nHost: x\r\n\n"),
    "no version": (400, head("Host: x", request="GET /")),
    "two spaces": (400, head("Host: x", request="GET  / HTTP/1.1")),
    "space in target": (400, head("Host: x", request="GET /a b HTTP/1.1")),
    "control in target": (400, head("Host: x", request="GET /a\x01 HTTP/1.1")),
    "lower-case http": (400, head("Host: x", request="GET / http/1.1")),
    "version with underscore": (400, head("Host: x", request="GET / HTTP/1_1")),
    "HTTP/2": (505, head("Host: x", request="PRI * HTTP/2.0")),
    "method outside token": (400, head("Host: x", request="G@T / HTTP/1.1")),
    "lower-case method": (501, head("Host: x", request="get / HTTP/1.1")),
    "CONNECT": (501, head("Host: x", request="CONNECT x:80 HTTP/1.1")),
    "target without slash": (400, head("Host: x", request="GET x HTTP/1.1")),
    "asterisk for GET": (400, head("Host: x", request="GET * HTTP/1.1")),
    "fragment": (400, head("Host: x", request="GET /a#b HTTP/1.1")),
    "absolute target of another scheme": (400, head("Host: x", request="GET ftp://x/ HTTP/1.1")),
    "absolute target with user": (400, head("Host: x", request="GET http://u@x/ HTTP/1.1")),
    "absolute target without host": (400, head("Host: x", request="GET http:///a HTTP/1.1")),
    "unknown expectation": (417, head("Host: x", "Expect: 200-maybe")),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_ambiguous_request_is_refused_and_the_connection_closed(
    name: str, serve: Serve, quiet: None
) -> None:
    """What comes after a malformed head is never read as a request."""
    status, data = REFUSED[name]
    answer = serve(apps.hello).exchange(data + head("Host: x"))
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert answer.count(b"\r\nDate: ") == 1
    assert b"Connection: close\r\n" in answer


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/", "/", ""),
        ("//x/y", "//x/y", ""),
        ("/a%2Fb?c=/d?e", "/a%2Fb", "c=/d?e"),
        ("/caf\xc3\xa9", "/caf\xc3\xa9", ""),
        ("http://x/a?b", "/a", "b"),
        ("HTTPS://x:8443", "/", ""),
        ("http://x?q", "/", "q"),
        ("http://[::1]:80/a", "/a", ""),
    ],
)
def test_a_target_is_split_before_anything_is_decoded(target: str, path: str, query: str) -> None:
    """Origin form and absolute form name the same path; ``//x`` is a path."""
    parsed = parse_head(head("Host: x", request=f"GET {target} HTTP/1.1"))
    assert (parsed.target, parsed.path, parsed.query) == (target, path, query)


def test_the_authority_of_an_absolute_target_replaces_host() -> None:
    """RFC 9112 section 3.2.2: Host is ignored when the target names a host."""
    parsed = parse_head(head("Host: one", request="GET http://two:81/ HTTP/1.1"))
    assert parsed.variables["HTTP_HOST"] == "two:81"


@pytest.mark.parametrize("coding", ["chunked", "Chunked", "CHUNKED", " chunked ,"])
def test_chunked_is_known_in_any_case(coding: str) -> None:
    """Finder writes it with a capital C."""
    assert parse_head(head("Host: x", f"Transfer-Encoding: {coding}")).framing.chunked


def test_a_name_with_underscore_cannot_pose_as_another_header(serve: Serve) -> None:
    """``Content_Length`` and ``X_User`` never reach the application."""
    answer = serve(apps.echo_environ).exchange(
        head("Host: x", "X_User: root", "Content_Length: 5", "X-User: me", "Connection: close")
    )
    assert b"HTTP_X_USER=me\n" in answer
    assert b"CONTENT_LENGTH" not in answer


AFTER_EACH_OTHER = [
    head("Host: x"),
    head("Host: x", request="PUT /a?b HTTP/1.1"),
    head("Host: x", request="GET / HTTP/1.0"),
    head("Host: x", request="GET http://two:81/ HTTP/1.1"),
    head("Host: x", "Expect: 100-continue", "Content-Length: 5", request="PUT /a HTTP/1.1"),
    head("Host: x", "Expect: 100-continue", "Content-Length: 5", request="PUT /a HTTP/1.0"),
    head("Host: x", "Transfer-Encoding: chunked", request="PUT /a HTTP/1.1"),
    head("Host: x", "Connection: close"),
    head(request="GET / HTTP/1.0"),
]


@pytest.mark.parametrize("before", AFTER_EACH_OTHER)
@pytest.mark.parametrize("after", AFTER_EACH_OTHER)
def test_a_head_means_the_same_whatever_came_before(before: bytes, after: bytes) -> None:
    """Fields that a client repeats are not read again; nothing else is taken over."""
    known = parse_head(before)
    assert parse_head(after, known) == parse_head(after)
    assert parse_head(after, parse_head(after)) == parse_head(after)


def test_what_http_1_0_may_leave_out_is_missed_in_1_1() -> None:
    """The same fields are judged again when the version is another."""
    known = parse_head(head(request="GET / HTTP/1.0"))
    with pytest.raises(BadRequest):
        parse_head(head(), known)


def test_repeated_headers_are_joined() -> None:
    """Nothing that a client sends twice is lost; cheroot keeps the last."""
    parsed = parse_head(head("Host: x", "If: (<a>)", "If: (<b>)", "Cookie: a=1", "Cookie: b=2"))
    assert parsed.variables["HTTP_IF"] == "(<a>), (<b>)"
    assert parsed.variables["HTTP_COOKIE"] == "a=1; b=2"


@pytest.mark.parametrize(
    ("connection", "version", "keeps"),
    [
        ("", "1.1", True),
        ("close", "1.1", False),
        ("Close", "1.1", False),
        ("TE, close", "1.1", False),
        ("keep-alive", "1.1", True),
        ("", "1.0", False),
        ("Keep-Alive", "1.0", True),
        ("keep-alive", "1.0", True),
        ("keep-alive, close", "1.0", False),
    ],
)
def test_connection_is_a_list_in_any_case(connection: str, version: str, keeps: bool) -> None:
    """cheroot compares the whole value, in one spelling."""
    parsed = parse_head(
        head("Host: x", f"Connection: {connection}", request=f"GET / HTTP/{version}")
    )
    assert parsed.framing.keeps_alive is keeps


def test_a_value_is_stripped_of_blanks_on_both_sides() -> None:
    """However many there are, and only there; 60,000 once took half a minute."""
    blanks = " \t" * 30_000
    parsed = parse_head(head(f"Host:{blanks}x{blanks}", f"X-Y: a{blanks}b", "X-Z: "))
    assert parsed.variables["HTTP_HOST"] == "x"
    assert parsed.variables["HTTP_X_Y"] == f"a{blanks}b"
    assert parsed.variables["HTTP_X_Z"] == ""


def test_a_head_ends_wherever_it_is_cut() -> None:
    """A head that comes byte by byte is found like one that comes at once."""
    data = bytearray(head("Host: x"))
    searched = 0
    for size in range(1, len(data) + 1):
        end = end_of_head(data[:size], searched)
        assert end == (len(data) if size == len(data) else -1)
        searched = size


def test_parsing_refuses_by_exception_only() -> None:
    """No input makes the parser raise anything but a refusal."""
    for position in range(len(head("Host: x"))):
        for byte in range(256):
            data = bytearray(head("Host: x"))
            data[position] = byte
            with contextlib.suppress(BadRequest):
                parse_head(bytes(data))


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET /" + b"a" * 5000, 414),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 5000, 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 1000 + b"\r\n", 431),
        (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    ],
)
def test_a_head_beyond_the_limit_is_refused(data: bytes, status: int, serve: Serve) -> None:
    """The head is bounded before it is complete, not after."""
    answer = serve(apps.hello, max_header_bytes=4096).exchange(data)
    assert answer.startswith(b"HTTP/1.1 %d " % status)


def test_what_is_no_http_is_refused_at_once(serve: Serve, quiet: None) -> None:
    """A TLS client on the plain port is not left waiting for a time limit."""
    answer = serve(apps.hello).exchange(b"\x16\x03\x01\x02\x00\x01")
    assert answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("field", ["Host:", "X: " + "a" * 5000])
def test_a_refused_head_has_no_body(field: str, serve: Serve) -> None:
    """Also when its header is what is wrong with it."""
    answer = serve(apps.hello, max_header_bytes=4096).exchange(
        head(field, request="HEAD / HTTP/1.1")
    )
    assert answer.startswith(b"HTTP/1.1 4")
    assert answer.endswith(b"\r\n\r\n")


def test_an_empty_line_before_a_request_is_skipped(serve: Serve) -> None:
    """RFC 9112 section 2.2: old clients send one after a body."""
    client = serve(apps.hello).client()
    assert client.ask(b"\r\n" + head("Host: x")).body == b"hello"
    assert client.ask(b"\r\n" + head("Host: x")).body == b"hello"


def test_the_application_sees_the_target_as_it_was_sent(serve: Serve) -> None:
    """REQUEST_URI is raw, so that ``%2F`` and ``/`` can be told apart."""
    reply = (
        serve(apps.echo_environ)
        .client()
        .ask(b"GET //a%2Fb/caf\xc3\xa9%20?q=%41 HTTP/1.1\r\nHost: h:1\r\nX-Y: z\r\n\r\n")
    )
    lines = reply.body.decode().split("\n")
    assert "REQUEST_URI=//a%2Fb/caf\u00c3\u00a9%20?q=%41" in lines
    assert "PATH_INFO=//a/b/caf\u00c3\u00a9 " in lines
    assert "QUERY_STRING=q=%41" in lines
    assert "HTTP_HOST=h:1" in lines
    assert "HTTP_X_Y=z" in lines
    assert "wsgi.input_terminated=True" in lines
    assert "REMOTE_ADDR=127.0.0.1" in lines
    assert "SERVER_NAME=127.0.0.1" in lines


def test_options_of_the_server_itself_is_answered(serve: Serve) -> None:
    """``OPTIONS *`` is valid."""
    reply = serve(apps.hello).client().ask(head("Host: x", request="OPTIONS * HTTP/1.1"))
    assert reply.status == 200
