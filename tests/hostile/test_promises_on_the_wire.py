"""XML that reaches outside, invitations, browsers, and the log: one promise each."""

import base64
import re
import socket

import pytest

from tests.defects.target import ANN, Target
from tests.live.server import Server
from tests.live.wait import eventually

# XML


@pytest.mark.parametrize("method", ["PROPFIND", "PROPPATCH", "LOCK", "MKCOL", "REPORT"])
@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE x SYSTEM "{url}">',
        '<!DOCTYPE x [<!ENTITY e SYSTEM "{url}">]>',
        '<!DOCTYPE x [<!ENTITY % e SYSTEM "{url}"> %e;]>',
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>',
    ],
)
def test_xml_reaches_nothing_outside(server: Target, method: str, declaration: str) -> None:
    """A DTD or an entity is 400, and nobody is called."""
    with socket.create_server(("127.0.0.1", 0)) as outside:
        url = f"http://127.0.0.1:{outside.getsockname()[1]}/x"
        body = declaration.format(url=url).encode() + b'<x xmlns="DAV:">&e;</x>'
        answer = server.request(method, "x", body, Content_Type="application/xml", Depth="0")
        assert answer.status == 400
        outside.settimeout(0.05)
        with pytest.raises(TimeoutError):
            outside.accept()


# Invitations


@pytest.mark.parametrize("why", ["type", "lock", "space", "parent", "condition", "digest", "name"])
def test_nobody_is_invited_to_upload_what_will_be_refused(server: Target, why: str) -> None:
    """With Expect: 100-continue the refusal is the first answer, so the body is never sent."""
    account = ANN
    path, lines = server.path("a.txt"), ["Expect: 100-continue", "Content-Length: 100000"]
    server.put("a.txt")
    if why == "lock":
        server.token("a.txt")
    elif why in ("type", "space"):
        program = server.program
        assert isinstance(program, Server)
        account = program.add_user(why, allow="txt", quota="10 KB")
        path = "/a.exe" if why == "type" else "/a.txt"
    elif why == "parent":
        path = server.path("none/a.txt")
    elif why == "condition":
        lines.append("If-None-Match: *")
    elif why == "digest":
        lines.append("Content-MD5: nonsense")
    else:
        path = server.path("con.txt")
    expected = {"type": 403, "lock": 423, "space": 507, "parent": 409, "condition": 412}
    status = server.ask(server.head("PUT", path, *lines, account=account)).status
    assert status == expected.get(why, 400)


# Browsers


@pytest.mark.parametrize("name", ["page.html", "image.svg", "page.xhtml", "run.js", "a.txt", ""])
def test_a_browser_runs_nothing_of_a_users(server: Target, name: str) -> None:
    """Whatever is shown is sandboxed, not sniffed, not framed and open to no other site."""
    if name:
        server.put(name, b"<script>alert(1)</script>")
    answer = server.request("GET", name, Origin="https://evil.example")
    assert answer.status == 200
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    policy = answer.headers["Content-Security-Policy"]
    assert {"sandbox", "default-src 'none'", "frame-ancestors 'none'"} <= set(policy.split("; "))
    assert not [header for header in answer.headers if header.lower().startswith("access-control")]
    if name and not name.endswith(".txt"):
        assert answer.headers["Content-Disposition"].startswith("attachment")
    assert not re.search(r"\d", answer.headers["Server"]), "no version is shown"


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain"])
def test_another_site_changes_nothing(server: Target, kind: str) -> None:
    """A form of another site can send GET, HEAD and POST: none of them writes."""
    server.put("a.txt", b"mine")
    for path in ("", "a.txt", "new.txt"):
        headers = {"Content_Type": kind, "Origin": "https://evil.example"}
        assert server.request("POST", path, b"method=DELETE", **headers).status == 405
        overridden = {"X_HTTP_Method_Override": "DELETE", "X_HTTP_Method": "DELETE"}
        server.request("GET", path, **overridden)
    assert server.dav.request("GET", server.path("a.txt?method=DELETE")).body == b"mine"
    preflight = server.ask(
        server.head(
            "OPTIONS",
            "/",
            "Origin: https://evil.example",
            "Access-Control-Request-Method: PUT",
            account=None,
        )
    )
    assert preflight.status == 401
    assert "access-control-allow-origin" not in preflight.headers
    assert server.names() == {"a.txt"}


# The log


def test_the_log_holds_neither_passwords_nor_forged_lines(server: Target) -> None:
    """Whatever a client sends as name, URL, header or account: one printable line each."""
    secret = "correct-horse-in-the-log"
    before = len(server.program.output)
    evil = [
        f"Authorization: Basic {base64.b64encode(raw).decode()}"
        for raw in (
            f"ann@example.org:{secret}".encode(),
            f"x\nFORGED {secret}:{secret}".encode(),
            b"\x1b[2J\xff:" + secret.encode(),
        )
    ]
    for line in evil:
        server.ask(server.head("GET", "/", line, account=None))
    for path in (
        "/%0AFORGED",
        "/%0D%0AFORGED%1b[31m",
        '/"FORGED',
        "/\xe2\x80\xa8FORGED",
        "/%C2%85F",
    ):
        agent = "User-Agent: x\x80\x85\xff\tFORGED"
        server.ask(server.head("GET", path + f"?token={secret}", agent, f"Cookie: a={secret}"))
        move = server.head("MOVE", "/none", f"Destination: http://u:{secret}@127.0.0.1/x%0AFORGED")
        server.ask(move)
    log = server.program.output[before:]
    assert "FORGED" in log
    assert secret not in log
    assert ANN.password not in log
    assert ANN.authorization.split()[1] not in log
    for line in log.split("\n")[:-1]:
        assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ (INFO|WARNING) davhost\.", line), line
        assert line.isascii()
        assert line.isprintable()


def test_the_client_can_name_its_request(server: Target) -> None:
    """The id in the answer is in the line of the log, and another one each time."""
    first, second = (server.request("GET", "none.txt") for _ in range(2))
    ids = [answer.headers["X-Request-Id"] for answer in (first, second)]
    assert ids[0] != ids[1]

    def assert_logged() -> None:
        assert all(id_ in server.program.output for id_ in ids)

    eventually(assert_logged)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"HEAD / HTTP/1.1\r\nHost: x\r\nno header\r\n\r\n",
        b"GET / HTTP/3.0\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
        b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"PUT /a HTTP/1.1\r\nHost: x\r\nExpect: more\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["no host", "control", "header", "version", "too long", "two lengths", "expectation"],
)
def test_what_is_no_request_is_answered_as_safely_and_logged(server: Target, data: bytes) -> None:
    """As an answer of the application is: no browser runs it, one line has its id."""
    usual = server.ask(server.head("GET", "/", account=None))
    answer = server.ask(data, method=data.partition(b" ")[0].decode())
    assert 400 <= answer.status <= 505
    safe = ("x-content-type-options", "content-security-policy", "cross-origin-resource-policy")
    for name in (*safe, "referrer-policy", "cache-control"):
        assert answer.headers[name] == usual.headers[name]
    id_ = answer.headers["x-request-id"]

    def assert_logged_once() -> None:
        lines = [line for line in server.program.output.splitlines() if id_ in line]
        assert len(lines) == 1
        assert f' 127.0.0.1 - "- -" {answer.status} {len(answer.body)} bytes ' in lines[0]

    eventually(assert_logged_once)
