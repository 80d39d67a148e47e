"""LOCK, UNLOCK and the If header."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.dav.wsgi import HOST, Client, D

NewClient = Callable[..., Client]


def test_a_lock_protects_until_its_token_comes(client: Client) -> None:
    """423 without the token, with the condition that names the lock."""
    client.put("/a.txt", b"old")
    token = client.token("/a.txt")
    refused = client.request("PUT", "/a.txt", b"new")
    assert refused.status == 423
    assert D + "lock-token-submitted" in refused.conditions
    assert refused.xml.findtext(f".//{D}href") == "/a.txt"
    assert client.put("/a.txt", b"new", If=f"(<{token}>)").status == 204
    assert client.request("UNLOCK", "/a.txt", Lock_Token=f"<{token}>").status == 204
    assert client.put("/a.txt", b"newer").status == 204


def test_a_lock_without_depth_is_infinite(client: Client) -> None:
    """Explorer sends no Depth (RFC 4918 section 9.10.3)."""
    client.mkcol("/d")
    answer = client.lock("/d")
    assert answer.xml.findtext(f".//{D}depth") == "infinity"
    assert answer.xml.findtext(f".//{D}lockroot/{D}href") == "/d/"
    assert client.request("PUT", "/d/a.txt").status == 423


def test_a_lock_on_a_new_name_makes_an_empty_file(client: Client) -> None:
    """davfs2 and LibreOffice begin so: 201."""
    answer = client.lock("/new.txt")
    assert answer.status == 201
    assert client.get("/new.txt").body == b""


@pytest.mark.parametrize(
    ("asked", "granted"),
    [("Second-60", "Second-60"), ("Second-4100000000", None), ("Infinite", None), ("x", None)],
)
def test_a_lock_ends_by_itself(client: Client, asked: str, granted: str | None) -> None:
    """However long is asked for, the server bounds it."""
    client.put("/a.txt")
    timeout = client.lock("/a.txt", Timeout=asked).xml.findtext(f".//{D}timeout") or ""
    seconds = int(timeout.removeprefix("Second-"))
    assert timeout == (granted or timeout)
    assert 60 <= seconds <= 7 * 86_400


def test_a_lock_is_renewed_by_an_empty_lock(client: Client) -> None:
    """With the token in an If header; without one it is 400, with a wrong one 412."""
    client.put("/a.txt")
    token = client.token("/a.txt", Timeout="Second-60")
    renewed = client.request("LOCK", "/a.txt", If=f"(<{token}>)", Timeout="Second-900")
    assert renewed.status == 200
    assert renewed.xml.findtext(f".//{D}timeout") == "Second-900"
    assert "lock-token" not in renewed.headers
    assert client.request("LOCK", "/a.txt").status == 400
    assert client.request("LOCK", "/a.txt", If="(<urn:uuid:0>)").status == 412


@pytest.mark.parametrize(
    "body",
    [
        b"nonsense",
        b"<lockinfo/>",
        b'<lockinfo xmlns="DAV:"/>',
        b'<lockinfo xmlns="DAV:"><lockscope/><locktype><write/></locktype></lockinfo>',
        b'<lockinfo xmlns="DAV:"><lockscope><shared/></lockscope></lockinfo>',
        b'<lockinfo xmlns="DAV:"><lockscope><shared/><exclusive/></lockscope>'
        b"<locktype><write/></locktype></lockinfo>",
    ],
)
def test_a_lock_of_no_known_kind_is_400(client: Client, body: bytes) -> None:
    """And nothing is made on the way."""
    assert client.request("LOCK", "/a.txt", body).status == 400
    assert client.names() == set()


def test_unknown_elements_in_a_lock_are_skipped(client: Client) -> None:
    """RFC 4918 section 17."""
    body = (
        b'<lockinfo xmlns="DAV:"><x xmlns="u:"/><lockscope><exclusive/></lockscope>'
        b"<locktype><write/></locktype></lockinfo>"
    )
    assert client.request("LOCK", "/a.txt", body).status == 201


def test_the_owner_is_shown_as_it_was_sent(client: Client) -> None:
    """Office reads from it who has a document open."""
    body = (
        b'<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype>'
        b"<D:write/></D:locktype><D:owner><D:href>mailto:a@b</D:href></D:owner></D:lockinfo>"
    )
    client.request("LOCK", "/a.txt", body)
    found = client.propfind("/a.txt").propstats("/a.txt")[D + "lockdiscovery"][1]
    assert found.findtext(f".//{D}owner/{D}href") == "mailto:a@b"


def test_a_lock_from_above_is_shown_below(client: Client) -> None:
    """The stock package hides inherited locks."""
    client.mkcol("/d")
    client.put("/d/a.txt")
    token = client.token("/d")
    found = client.propfind("/d/a.txt").propstats("/d/a.txt")[D + "lockdiscovery"][1]
    assert found.findtext(f".//{D}locktoken/{D}href") == token
    assert found.findtext(f".//{D}lockroot/{D}href") == "/d/"


def test_a_lock_on_a_member_stops_one_on_the_folder(client: Client) -> None:
    """A multistatus names the member (RFC 4918 section 9.10.3)."""
    client.mkcol("/d")
    client.put("/d/a.txt")
    client.token("/d/a.txt")
    answer = client.lock("/d")
    assert answer.hrefs() == ["/d/a.txt", "/d/"]
    statuses = [e.findtext(D + "status") for e in answer.xml]
    assert statuses == ["HTTP/1.1 423 Locked", "HTTP/1.1 424 Failed Dependency"]
    assert client.lock("/d/a.txt").status == 423


def test_a_file_that_is_locked_keeps_its_folder(client: Client) -> None:
    """DELETE of the folder is refused whole; the stock package deletes the file."""
    client.mkcol("/d")
    client.put("/d/a.txt", b"here")
    client.put("/d/b.txt", b"here")
    client.token("/d/a.txt")
    assert client.request("DELETE", "/d").status == 423
    assert client.names("/d/") == {"/d/a.txt", "/d/b.txt"}


def test_locks_do_not_stay_behind(client: Client) -> None:
    """After MOVE or DELETE the old name is free at once."""
    client.put("/a.txt")
    token = client.token("/a.txt")
    assert client.request("MOVE", "/a.txt", Destination="/b.txt", If=f"(<{token}>)").status == 201
    client.put("/a.txt")
    assert client.lock("/b.txt").status == 200
    token = client.token("/a.txt")
    assert client.request("DELETE", "/a.txt", If=f"(<{token}>)").status == 204
    assert client.put("/a.txt").status == 201


@pytest.mark.parametrize("verb", ["MOVE", "DELETE"])
def test_a_folder_with_a_file_that_one_has_locked_oneself_can_go(client: Client, verb: str) -> None:
    """The token of the file is enough; the stock package says 423 always."""
    client.mkcol("/d")
    client.put("/d/a.txt")
    token = client.token("/d/a.txt")
    header = f"<http://{HOST}/d/a.txt> (<{token}>)"
    answer = client.request(verb, "/d", Destination="/e", If=header)
    assert answer.status in (201, 204)
    assert client.names() == ({"/e/"} if verb == "MOVE" else set())


def test_shared_locks_do_not_block_their_holders(client: Client) -> None:
    """One's own shared token is enough beside others."""
    client.put("/a.txt")
    mine = client.token("/a.txt", scope="shared")
    client.token("/a.txt", scope="shared")
    assert client.put("/a.txt", If=f"(<{mine}>)").status == 204


def test_a_refused_lock_or_put_leaves_no_empty_file(client: Client) -> None:
    """Below a locked folder, the stock package creates it all the same."""
    client.mkcol("/d")
    client.token("/d")
    assert client.lock("/d/new.txt").status == 423
    assert client.request("PUT", "/d/new.txt", b"x").status == 423
    assert client.names("/d/") == set()


@pytest.mark.parametrize("token", ["", "urn:uuid:1", "<>", "<a b>"])
def test_unlock_without_a_token_is_400(client: Client, token: str) -> None:
    """RFC 4918 section 9.11."""
    client.put("/a.txt")
    assert client.request("UNLOCK", "/a.txt", Lock_Token=token).status == 400


def test_unlock_with_another_locks_token_is_409(client: Client) -> None:
    """With the condition of RFC 4918 section 9.11.1."""
    client.put("/a.txt")
    client.put("/b.txt")
    token = client.token("/b.txt")
    answer = client.request("UNLOCK", "/a.txt", Lock_Token=f"<{token}>")
    assert answer.status == 409
    assert D + "lock-token-matches-request-uri" in answer.conditions


def test_homes_do_not_share_locks(new_client: NewClient) -> None:
    """The same URL in two homes is two resources."""
    ann, bob = new_client(), new_client()
    ann.put("/a.txt")
    bob.put("/a.txt")
    token = ann.token("/a.txt")
    assert bob.put("/a.txt").status == 204
    assert bob.request("UNLOCK", "/a.txt", Lock_Token=f"<{token}>").status == 409
    assert bob.request("PUT", "/a.txt", If=f"(<{token}>)").status == 412


# -- If ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ("({etag})", 204),
        ('(["other"])', 412),
        ("(Not {etag})", 412),
        ('(Not ["other"])', 204),
        ('(["other"]) ({etag})', 204),
        ('({etag} ["other"])', 412),
        ("(Not <DAV:no-lock> {etag})", 204),
        ("(<DAV:no-lock>)", 412),
        ("(<urn:uuid:never>)", 412),
        ("</a.txt> ({etag})", 204),
        ("<http://" + HOST + "/a.txt> ({etag})", 204),
        ("<https://" + HOST + ":443/a.txt> ({etag})", 204),
        ("<http://" + HOST + '/a.txt> (["other"])', 412),
        ("<http://" + HOST + "/a.txt> (<urn:uuid:never>)", 412),
        ("<http://" + HOST + "/b.txt> ({etag})", 412),
        ("<http://" + HOST + "/none.txt> (Not {etag})", 204),
        ("<http://elsewhere.example/a.txt> ({etag})", 412),
        ("garbage", 400),
        ("({etag}", 400),
        ("()", 400),
    ],
)
def test_an_if_header_is_evaluated_by_the_letter(client: Client, value: str, status: int) -> None:
    """Tags, Not, several lists; false tokens never pass (RFC 4918 section 10.4)."""
    etag = client.put("/a.txt").headers["etag"]
    client.put("/b.txt")
    header = value.replace("{etag}", f"[{etag}]")
    assert client.request("PUT", "/a.txt", b"new", If=header).status == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If_Match": "*"}, 412),
        ({"If": '(["x"])'}, 412),
        ({"If": "(<urn:uuid:0>)"}, 412),
        ({"If": '(Not ["x"])'}, 201),
        ({"If_None_Match": "*"}, 201),
        ({"If_Unmodified_Since": "Sun, 06 Nov 1994 08:49:37 GMT"}, 201),
    ],
)
def test_conditions_count_on_names_that_are_not_there(
    client: Client, headers: dict[str, str], status: int
) -> None:
    """The stock package ignores them on unmapped URLs."""
    assert client.request("PUT", "/new.txt", b"x", **headers).status == status
    assert client.names() == ({"/new.txt"} if status == 201 else set())


@pytest.mark.parametrize(
    ("verb", "target"),
    [("DELETE", "/a.txt"), ("MOVE", "/a.txt"), ("COPY", "/a.txt"), ("MKCOL", "/c"),
     ("PROPPATCH", "/a.txt"), ("PROPFIND", "/a.txt"), ("LOCK", "/a.txt"), ("GET", "/a.txt"),
     ("HEAD", "/a.txt"), ("UNLOCK", "/a.txt")],
)  # fmt: skip
def test_every_method_keeps_conditions(client: Client, verb: str, target: str) -> None:
    """An If-Match that does not hold stops any method, and nothing has changed."""
    client.put("/a.txt")
    bodies = {
        "LOCK": b'<lockinfo xmlns="DAV:"><lockscope><shared/></lockscope>'
        b"<locktype><write/></locktype></lockinfo>",
        "PROPPATCH": b'<propertyupdate xmlns="DAV:"><set><prop><x/></prop></set></propertyupdate>',
    }
    answer = client.request(
        verb,
        target,
        bodies.get(verb, b""),
        If_Match='"other"',
        Destination="/b.txt",
        Depth="0",
        Lock_Token="<urn:uuid:0>",
    )
    assert answer.status == 412
    assert client.names() == {"/a.txt"}
