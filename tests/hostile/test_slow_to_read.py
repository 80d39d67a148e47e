"""Requests that are short to send and long to read hold nobody up."""

import pytest

from tests.defects.target import Target

SIZE = 60_000

HEADERS = {
    "spaces in a value": "X-Long: a" + " " * SIZE + "b",
    "spaces before a value": "X-Long: " + " " * SIZE + "b",
    "quotes": "If-None-Match: " + '"' * SIZE,
    "commas and spaces": "If-Match: " + ", " * (SIZE // 2) + "x",
    "spaces after a tag": 'If-Match: ""' + " " * SIZE + "x",
    "brackets": "If: " + "(<" * (SIZE // 2),
    "spaces in a list": 'If: (["x"]' + " " * SIZE + "x",
    "ranges": "Range: bytes=" + "0-," * (SIZE // 3),
    "escapes": "Destination: /" + "%2F" * (SIZE // 3),
    "percents": "Destination: /" + "%" * SIZE,
    "slashes": "Destination: " + "/" * SIZE,
    "brackets of a host": "Destination: http://" + "[" * SIZE,
    "digests": "Digest: " + "a=" * (SIZE // 2),
    "credentials": "Authorization: Basic " + " " * SIZE + "!",
}


@pytest.mark.parametrize("kind", HEADERS)
@pytest.mark.parametrize("method", ["PUT", "MOVE", "GET"])
def test_no_header_takes_long_to_read(server: Target, method: str, kind: str) -> None:
    """Twenty of them are answered; read carelessly, the first kind took half a minute each."""
    account = None if kind == "credentials" else server.dav.account
    head = server.head(method, server.path("a.txt"), HEADERS[kind], account=account)
    with server.client() as client:
        for _ in range(20 if method == "GET" else 1):
            reply = client.ask(head)
            assert reply.status < 500
            if reply.headers.get("connection") == "close":
                break


XML = {
    "a long word": b"v" * 900_000,
    "colons": b":" * 900_000,
    "prefixes": b"v:" * 450_000,
    "sections": b"<![CDATA[]]>" * 70_000,
    "comments": b"<!---->" * 120_000,
    "references": b"&#65;" * 180_000,
}


@pytest.mark.parametrize("kind", XML)
@pytest.mark.parametrize("method", ["PROPFIND", "PROPPATCH", "LOCK"])
def test_no_xml_takes_long_to_read(server: Target, method: str, kind: str) -> None:
    """A megabyte is answered, and so is the next request of somebody else."""
    inner = {
        "PROPFIND": b"<prop><x>%b</x></prop>",
        "PROPPATCH": b"<set><prop><x>%b</x></prop></set>",
        "LOCK": b"<lockscope><shared/></lockscope><locktype><write/></locktype><owner>%b</owner>",
    }[method] % XML[kind]
    root = {"PROPFIND": b"propfind", "PROPPATCH": b"propertyupdate", "LOCK": b"lockinfo"}[method]
    body = b'<%b xmlns="DAV:">%b</%b>' % (root, inner, root)
    assert server.request(method, "", body, Depth="0").status < 500
    assert server.stranger.request("OPTIONS", "/").status == 200
