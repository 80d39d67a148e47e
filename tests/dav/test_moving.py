"""COPY, MOVE and DELETE."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.dav.wsgi import HOST, Client

VERBS = pytest.mark.parametrize("verb", ["COPY", "MOVE"])


def url(path: str) -> str:
    return f"http://{HOST}{path}"


@VERBS
@pytest.mark.parametrize(
    "name",
    ["a%3Fb.txt", "a;b.txt", "a%3Bb.txt", "a%23b.txt", "100%25.txt", "a+b&c.txt", "a%20b.txt",
     "%F0%9F%8E%88.txt", "%C3%A9.txt", "it's(1)!.txt", "a=b@c,d.txt"],
)  # fmt: skip
def test_any_name_survives(client: Client, verb: str, name: str) -> None:
    """`what?.txt`, `a;b.txt`, `#`, `%`: the destination is the name that was meant."""
    client.put("/x.txt", b"content")
    assert client.request(verb, "/x.txt", Destination=url("/" + name)).status == 201
    assert client.get("/" + name).body == b"content"
    assert len(client.names()) == (2 if verb == "COPY" else 1)


@VERBS
def test_raw_utf_8_in_a_destination_is_understood(client: Client, verb: str) -> None:
    """lftp sends names as they are."""
    client.put("/x.txt")
    raw = "/é.txt".encode().decode("latin-1")
    assert client.request(verb, "/x.txt", Destination=url(raw)).status == 201
    assert "/%C3%A9.txt" in client.names()


@VERBS
@pytest.mark.parametrize(
    ("destination", "status"),
    [
        ("", 400),
        ("b.txt", 400),
        ("http://dav.example.org/a?b.txt", 400),
        ("http://dav.example.org/a%2Fb.txt", 400),
        ("http://dav.example.org/../b.txt", 400),
        ("http://dav.example.org/%ff.txt", 400),
        ("http://dav.example.org/a%00b.txt", 400),
        ("http://other.example.org/b.txt", 502),
        ("http://dav.example.org/none/b.txt", 409),
        ("http://dav.example.org/a.txt", 403),
        ("http://dav.example.org/", 403),
    ],
)
def test_a_destination_that_cannot_be_is_refused(
    client: Client, verb: str, destination: str, status: int
) -> None:
    """And the source is where it was."""
    client.put("/a.txt", b"here")
    assert client.request(verb, "/a.txt", Destination=destination).status == status
    assert client.names() == {"/a.txt"}
    assert client.get("/a.txt").body == b"here"


@VERBS
def test_the_password_in_a_destination_is_ignored(client: Client, verb: str) -> None:
    """lftp writes `http://user:password@host/` there."""
    client.put("/a.txt")
    destination = f"http://ann:secret@{HOST}/b.txt"
    answer = client.request(verb, "/a.txt", Destination=destination)
    assert answer.status == 201
    assert answer.headers["location"] == "/b.txt"


@VERBS
@pytest.mark.parametrize(
    "environ",
    [
        {"HTTP_HOST": HOST, "HTTP_DESTINATION": f"https://{HOST}/b.txt"},
        {"HTTP_HOST": f"{HOST}:443", "HTTP_DESTINATION": f"https://{HOST}/b.txt"},
        {"HTTP_HOST": HOST, "HTTP_DESTINATION": f"https://{HOST}:8443/b.txt"},
        {"HTTP_HOST": "DAV.example.org", "HTTP_DESTINATION": f"https://{HOST}/b.txt"},
        {"HTTP_HOST": HOST, "HTTP_DESTINATION": "/b.txt"},
        {
            "HTTP_HOST": HOST,
            "SCRIPT_NAME": "/dav",
            "REQUEST_URI": "/dav/a.txt",
            "HTTP_DESTINATION": f"https://{HOST}/dav/b.txt",
        },
    ],
)
def test_behind_a_proxy_files_are_renamed(
    client: Client, verb: str, environ: dict[str, Any]
) -> None:
    """TLS that ends before the server, ports and mount prefixes need no setting."""
    client.put("/a.txt")
    assert client.request(verb, "/a.txt", environ=environ).status == 201
    assert "/b.txt" in client.names()


def test_without_a_host_copying_still_works(client: Client) -> None:
    """HTTP/1.0: on the stock package it is a 500."""
    client.put("/a.txt")
    env = client.environ("COPY", "/a.txt")
    del env["HTTP_HOST"]
    env["HTTP_DESTINATION"] = "http://whatever/b.txt"
    assert client.call(env).status == 201


@VERBS
@pytest.mark.parametrize("target", ["/x/", "/x"])
def test_a_folder_is_not_lost_when_it_goes_over_its_parent(
    client: Client, verb: str, target: str
) -> None:
    """MOVE /x/x to /x deleted everything in the stock package; here it is refused."""
    client.mkcol("/x")
    client.mkcol("/x/x")
    client.put("/x/x/a.txt", b"precious")
    answer = client.request(verb, "/x/x", Destination=url(target))
    assert answer.status == 403
    assert client.get("/x/x/a.txt").body == b"precious"


def test_copy_with_depth_0_leaves_the_members_behind(client: Client) -> None:
    """The stock package copies all of them."""
    client.mkcol("/d")
    client.put("/d/a.txt")
    assert client.request("COPY", "/d", Destination=url("/e"), Depth="0").status == 201
    assert client.names("/e/") == set()
    assert client.request("COPY", "/d", Destination=url("/f")).status == 201
    assert client.names("/f/") == {"/f/a.txt"}


@pytest.mark.parametrize(
    ("verb", "headers", "status"),
    [
        ("COPY", {"Depth": "1"}, 400),
        ("COPY", {"Overwrite": "maybe"}, 400),
        ("COPY", {"Overwrite": "F"}, 412),
        ("MOVE", {"Depth": "0"}, 400),
        ("MOVE", {"Depth": "1"}, 400),
        ("MOVE", {"Overwrite": "F"}, 412),
        ("DELETE", {"Depth": "0"}, 400),
        ("DELETE", {"Depth": "1"}, 400),
        ("DELETE", {"Depth": "x"}, 400),
    ],
)
def test_a_folder_goes_whole_or_not_at_all(
    client: Client, verb: str, headers: dict[str, str], status: int
) -> None:
    """Depth and Overwrite are read by the letter."""
    client.mkcol("/d")
    client.mkcol("/e")
    answer = client.request(verb, "/d/", Destination=url("/e/"), **headers)
    assert answer.status == status
    assert client.names() == {"/d/", "/e/"}


def test_moving_over_a_file_is_204_and_to_a_new_name_201(client: Client) -> None:
    """201 says where it is now."""
    client.put("/a.txt", b"a")
    client.put("/b.txt", b"b")
    assert client.request("MOVE", "/a.txt", Destination=url("/b.txt")).status == 204
    answer = client.request("MOVE", "/b.txt", Destination=url("/c%20d.txt"), Depth="infinity")
    assert (answer.status, answer.headers["location"]) == (201, "/c%20d.txt")
    assert client.get("/c%20d.txt").body == b"a"


@pytest.mark.parametrize("verb", ["DELETE", "MOVE", "COPY", "PUT", "MKCOL"])
def test_the_top_folder_stays(client: Client, verb: str) -> None:
    """It is refused clearly; the stock package answers 500."""
    client.put("/a.txt")
    answer = client.request(verb, "/", Destination=url("/b"))
    assert answer.status in (403, 405)
    assert client.names() == {"/a.txt"}


def test_delete_is_204_and_then_404(client: Client) -> None:
    """Gone is gone."""
    client.put("/a.txt")
    assert client.request("DELETE", "/a.txt").status == 204
    assert client.request("DELETE", "/a.txt").status == 404


@VERBS
def test_nobody_renames_into_another_home(new_client: Callable[..., Client], verb: str) -> None:
    """A Destination is always in one's own home."""
    ann, bob = new_client(), new_client()
    ann.put("/mine.txt", b"ann's")
    bob.put("/a.txt", b"bob's")
    bob.request(verb, "/a.txt", Destination=url("/mine.txt"))
    assert ann.get("/mine.txt").body == b"ann's"


@VERBS
def test_a_forbidden_type_does_not_come_in_by_renaming(
    new_client: Callable[..., Client], verb: str
) -> None:
    """`evil.exe` is refused as a destination too."""
    client = new_client(rules="txt")
    client.put("/a.txt")
    assert client.request(verb, "/a.txt", Destination=url("/evil.exe")).status == 403
    assert client.names() == {"/a.txt"}
