"""COPY, MOVE, DELETE: what arrives, and what is still there."""

import pytest

from tests.defects.known import defect
from tests.defects.target import Target
from tests.live.dav import Answer


def move(server: Target, source: str, destination: str, verb: str = "MOVE", **more: str) -> Answer:
    return server.request(verb, source, Destination=server.url(destination), **more)


@pytest.mark.parametrize("verb", ["COPY", "MOVE"])
@defect("D4", here=(403, b"precious"), stock=lambda seen: seen[1] == 404)
def test_a_folder_named_like_its_parent_is_not_lost(server: Target, verb: str) -> object:
    """MOVE and COPY of /x/x to /x; refused here, because the source is in what would go."""
    server.request("MKCOL", "x")
    server.request("MKCOL", "x/x")
    server.put("x/x/a.txt", b"precious")
    answer = move(server, "x/x", "x", verb)
    found = server.read("x/x/a.txt")
    return answer.status, found if isinstance(found, bytes) else server.read("x/a.txt")


@defect("D7", here={"a;b.txt", "what?.txt", "n#1.txt"}, stock={"a", "what", "n#1.txt"})
def test_any_name_can_be_moved_to(server: Target) -> object:
    """`;`, `?` and `#` in a file name survive a rename."""
    for name in ("a;b.txt", "what%3F.txt", "n%231.txt"):
        server.put("x.txt")
        move(server, "x.txt", name)
    return server.names()


@defect("D8", here=set(), stock={"a.txt"})
def test_a_copy_of_a_folder_alone_is_empty(server: Target) -> object:
    """COPY with Depth 0."""
    server.request("MKCOL", "d")
    server.put("d/a.txt")
    move(server, "d", "e", "COPY", Depth="0")
    return set(server.dav.members(server.path("e/")))


@defect("D24", here=[True] * 4, stock=[False] * 4)
def test_changing_the_root_is_refused_and_copying_needs_no_host(server: Target) -> object:
    """DELETE, PUT and MOVE of / are 4xx; a COPY of HTTP/1.0 without Host works."""
    server.put("a.txt")
    answers = [
        server.dav.request("DELETE", "/"),
        server.dav.request("PUT", "/", b"x"),
        server.dav.move("/", server.path("b")),
    ]
    head = server.head("COPY", server.path("a.txt"), f"Destination: {server.url('b.txt')}")
    lines = head.replace(b"HTTP/1.1", b"HTTP/1.0").split(b"\r\n")
    reply = server.ask(b"\r\n".join(line for line in lines if not line.startswith(b"Host:")))
    return [400 <= answer.status < 500 for answer in answers] + [reply.status == 201]


@defect("D32", here=201, stock=204)
def test_a_copy_to_a_new_name_is_201(server: Target) -> object:
    """Also when whoever keeps the files copies them without reading them."""
    server.dav.request("MKCOL", "/native")
    server.dav.put("/native/a.txt", b"x")
    return server.dav.copy("/native/a.txt", f"/native{server.folder}.txt").status


@defect("D42", here=201, stock=502)
def test_behind_a_proxy_with_tls_files_are_renamed(server: Target) -> object:
    """The client knows the server by https, the server sees plain HTTP; nothing is set."""
    server.put("a.txt")
    destination = server.url("b.txt").replace("http:", "https:")
    return server.request("MOVE", "a.txt", Destination=destination).status


@defect("D44", here=(400, 400, set()), stock=(201, 201, {"a%2Fb.txt", "b.txt"}))
def test_an_encoded_slash_is_no_part_of_a_name_anywhere(server: Target) -> object:
    """%2F is refused in a URL and in Destination: no client could tell what is meant."""
    server.request("MKCOL", "a")
    server.request("MKCOL", "x")
    server.put("x/x.txt")
    put = server.request("PUT", "a%2Fb.txt", b"x").status
    moved = move(server, "x/x.txt", "a%2Fb.txt").status
    inside = set(server.dav.members(server.path("a/")))
    return put, moved, (server.names() | inside) - {"a", "x"}


@defect("D3", here=(423, b"here"), stock=(207, 404))
def test_a_folder_with_a_locked_file_is_not_deleted(server: Target) -> object:
    """Somebody else has the file open: DELETE is refused, and nothing is gone."""
    server.request("MKCOL", "d")
    server.put("d/a.txt", b"here")
    server.put("d/b.txt", b"here")
    server.token("d/a.txt", by=server.other)
    return server.request("DELETE", "d").status, server.read("d/a.txt")
