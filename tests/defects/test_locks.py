"""Locks: whom they stop, and for how long."""

from tests.defects.known import defect
from tests.defects.target import Target


@defect("D9", here=(423, 423, set()), stock=(423, 423, {"new.txt"}))
def test_a_refused_lock_or_upload_leaves_no_empty_file(server: Target) -> object:
    """Somebody else has locked the folder."""
    server.request("MKCOL", "d")
    server.token("d", by=server.other)
    lock = server.dav.lock(server.path("d/new.txt")).status
    put = server.request("PUT", "d/other.txt", b"x").status
    return lock, put, set(server.dav.members(server.path("d/")))


@defect("D10", here=201, stock=423)
def test_the_old_name_is_free_after_a_move(server: Target) -> object:
    """A lock does not stay behind on a URL whose file has gone."""
    server.put("a.txt")
    token = server.token("a.txt", by=server.other)
    headers = {"Destination": server.url("b.txt"), "If": f"(<{token}>)"}
    moved = server.other.request("MOVE", server.path("a.txt"), headers=headers)
    assert moved.status == 201
    return server.request("PUT", "a.txt", b"x").status


@defect("D11", here=201, stock=423)
def test_a_folder_moves_with_the_file_that_one_has_locked(server: Target) -> object:
    """The token of the file comes along in the request."""
    server.request("MKCOL", "d")
    server.put("d/a.txt")
    token = server.token("d/a.txt")
    condition = f"<{server.url('d/a.txt')}> (<{token}>)"
    return server.request("MOVE", "d", Destination=server.url("e"), If=condition).status


@defect("D12", here=204, stock=423)
def test_a_shared_lock_does_not_stop_its_own_holder(server: Target) -> object:
    """Two clients share a file; one of them saves it with its own token."""
    server.put("a.txt")
    token = server.token("a.txt", scope="shared")
    server.token("a.txt", by=server.other, scope="shared")
    return server.request("PUT", "a.txt", b"new", If=f"(<{token}>)").status


@defect("D35", here=(False, True), stock=(True, False))
def test_a_lock_is_shown_below_and_its_token_to_nobody_else(server: Target) -> object:
    """Somebody else's token would unlock; a lock from above is one's own to see."""
    server.request("MKCOL", "d")
    server.put("d/a.txt")
    token = server.token("d")
    inner = "<D:prop><D:lockdiscovery/></D:prop>"
    body = f'<D:propfind xmlns:D="DAV:">{inner}</D:propfind>'.encode()
    theirs = server.stranger.request("PROPFIND", server.path("d"), body, {"Depth": "0"})
    shown_below = token.encode() in server.propfind("d/a.txt", inner).body
    return token.encode() in theirs.body, shown_below


@defect("D15", here=(412, 412, 404), stock=(201, 201, b"x"))
def test_conditions_count_on_names_that_are_not_there(server: Target) -> object:
    """If-Match: * and an If with an ETag cannot hold where there is no file."""
    first = server.request("PUT", "a.txt", b"x", If_Match="*").status
    second = server.request("PUT", "b.txt", b"x", If='(["etag"])').status
    return first, second, server.read("a.txt")


@defect("D16", here=(412, b"old"), stock=(204, b"new"))
def test_a_false_token_does_not_pass_with_the_url_of_its_file(server: Target) -> object:
    """A tagged list says of which resource it speaks, and is evaluated."""
    server.put("a.txt", b"old")
    condition = f"<{server.url('a.txt')}> (<urn:uuid:false>)"
    return server.request("PUT", "a.txt", b"new", If=condition).status, server.read("a.txt")
