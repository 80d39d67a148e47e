"""XML in requests: how it is framed, how large, how deep, and what may be in it."""

from tests.defects.known import defect
from tests.defects.target import Target
from tests.server.wire import Reply

ETAG = b'<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'


def chunked(server: Target, method: str, name: str, body: bytes) -> list[int | Reply]:
    """Send a chunked body and a second request on the same connection."""
    coding = ("Transfer-Encoding: chunked", "Depth: 0", "Content-Type: application/xml")
    with server.client() as client:
        head = server.head(method, server.path(name), *coding)
        first = client.ask(head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
        try:
            second = client.ask(server.head("GET", server.path("a.txt"))).status
        except (EOFError, OSError):
            second = 0
    return [first, second]


@defect(
    "D36",
    here=(False, 200, 415, 413),
    stock=lambda seen: seen[0] and seen[1] == 400 and seen[2] == 201 and seen[3] < 400,
)
def test_xml_is_read_in_chunks_and_only_so_much_of_it(server: Target) -> object:
    """Finder sends chunks; the connection goes on; a MKCOL with a body is not waved through."""
    server.put("a.txt")
    propfind, following = chunked(server, "PROPFIND", "a.txt", ETAG)
    assert isinstance(propfind, Reply)
    mkcol, _ = chunked(server, "MKCOL", "d", b"<other/>")
    assert isinstance(mkcol, Reply)
    padded = ETAG + b" " * 2_000_000
    large = server.request("PROPFIND", "a.txt", padded, Depth="0").status
    return b"getlastmodified" in propfind.body, following, mkcol.status, large


@defect("D37", here=400, stock=207)
def test_xml_with_entities_is_refused(server: Target) -> object:
    """No client needs a DTD: davhost does not even look what is in it."""
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + ETAG
    server.put("a.txt")
    return server.request("PROPFIND", "a.txt", bomb, Depth="0").status


@defect("D38", here=(403, True), stock=(207, False))
def test_nobody_lists_a_whole_tree_at_once(server: Target) -> object:
    """Depth infinity costs what the tree holds; refused with the condition of RFC 4918."""
    answer = server.request("PROPFIND", "", Depth="infinity")
    return answer.status, b"propfind-finite-depth" in answer.body
