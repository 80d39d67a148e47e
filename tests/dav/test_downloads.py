"""GET and HEAD."""

from __future__ import annotations

import os
from email import message_from_bytes
from pathlib import Path

import pytest

from davhost.bootstrap.services import Services
from davhost.paths import DavPath
from tests.dav.wsgi import Client, D

BODY = bytes(range(256)) * 8


def test_head_says_what_get_says(client: Client) -> None:
    """The same headers, and no body."""
    client.put("/a.txt", BODY)
    head, get = client.request("HEAD", "/a.txt"), client.get("/a.txt")
    assert head.body == b""
    ignored = {"x-request-id"}
    assert {k: v for k, v in head.headers.items() if k not in ignored} == {
        k: v for k, v in get.headers.items() if k not in ignored
    }
    assert get.headers["accept-ranges"] == "bytes"
    assert get.headers["etag"].startswith('"')


def test_a_player_jumps_to_the_middle(client: Client) -> None:
    """One range is 206 with exactly these bytes."""
    client.put("/a.mp4", BODY)
    answer = client.get("/a.mp4", Range="bytes=1000-1009")
    assert (answer.status, answer.body) == (206, BODY[1000:1010])
    assert answer.headers["content-range"] == "bytes 1000-1009/2048"
    assert client.get("/a.mp4", Range="bytes=-5").body == BODY[-5:]


def test_several_ranges_come_in_parts(client: Client) -> None:
    """Every range that was asked for is there (the stock package sends the last one only)."""
    client.put("/a.bin", BODY)
    answer = client.get("/a.bin", Range="bytes=2000-2009,0-4")
    assert answer.status == 206
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    parts = message_from_bytes(head + answer.body).get_payload()
    assert [(p["Content-Range"], p.get_payload(decode=True)) for p in parts] == [
        ("bytes 2000-2009/2048", BODY[2000:2010]),
        ("bytes 0-4/2048", BODY[:5]),
    ]


@pytest.mark.parametrize("value", ["bytes=-0", "bytes=2048-", "bytes=9999-10000"])
def test_bytes_that_do_not_exist_are_416(client: Client, value: str) -> None:
    """Content-Range tells how long the file is."""
    client.put("/a.bin", BODY)
    answer = client.get("/a.bin", Range=value)
    assert answer.status == 416
    assert answer.headers["content-range"] == "bytes */2048"


@pytest.mark.parametrize("value", ["items=0-5", "bytes=x", "bytes=5-1"])
def test_a_range_that_is_none_gets_the_whole_file(client: Client, value: str) -> None:
    """An unknown unit or nonsense is ignored."""
    client.put("/a.bin", BODY)
    answer = client.get("/a.bin", Range=value)
    assert (answer.status, answer.body) == (200, BODY)


def test_a_download_goes_on_only_if_the_file_is_the_same(client: Client) -> None:
    """If-Range with an old ETag sends the whole new file."""
    etag = client.put("/a.bin", b"old" * 100).headers["etag"]
    assert client.get("/a.bin", Range="bytes=3-", If_Range=etag).status == 206
    client.put("/a.bin", b"new" * 100)
    answer = client.get("/a.bin", Range="bytes=3-", If_Range=etag)
    assert (answer.status, answer.body) == (200, b"new" * 100)


def test_head_has_no_ranges(client: Client) -> None:
    """RFC 9110 section 14.2: Range is for GET."""
    client.put("/a.bin", BODY)
    answer = client.request("HEAD", "/a.bin", Range="bytes=0-1")
    assert (answer.status, answer.headers["content-length"]) == (200, "2048")


def test_an_unchanged_file_is_304_with_its_etag(client: Client) -> None:
    """By ETag, and by a date that is equal to Last-Modified."""
    client.put("/a.txt", b"x")
    got = client.get("/a.txt")
    by_etag = client.get("/a.txt", If_None_Match=got.headers["etag"])
    by_date = client.get("/a.txt", If_Modified_Since=got.headers["last-modified"])
    assert (by_etag.status, by_date.status) == (304, 304)
    assert by_etag.headers["etag"] == by_date.headers["etag"] == got.headers["etag"]


def test_a_matching_etag_wins_over_a_date(client: Client) -> None:
    """If-Modified-Since in the future does not turn If-None-Match into 412."""
    etag = client.put("/a.txt", b"x").headers["etag"]
    answer = client.get(
        "/a.txt", If_None_Match=etag, If_Modified_Since="Fri, 31 Dec 2199 00:00:00 GMT"
    )
    assert answer.status == 304


def test_a_collection_is_there_for_clients_that_only_know_http(client: Client) -> None:
    """webdavclient3's check() and lftp's mirror ask by HEAD and GET."""
    client.mkcol("/d")
    client.put("/d/a%20%3Cb%3E.txt", b"x")
    assert client.request("HEAD", "/d/").status == 200
    answer = client.get("/d")
    assert answer.status == 200
    assert b'href="/d/a%20%3Cb%3E.txt">a &lt;b&gt;.txt</a>' in answer.body
    assert b"<b>" not in answer.body


def test_a_list_of_a_folder_is_never_stale(client: Client) -> None:
    """Its date says nothing of its members, so it is not answered by 304."""
    client.mkcol("/d")
    date = "Fri, 31 Dec 2199 00:00:00 GMT"
    assert client.get("/d/", If_Modified_Since=date).status == 200
    assert client.request("HEAD", "/d/", If_Modified_Since=date).status == 200


def test_a_rewrite_of_the_same_size_has_another_etag(client: Client) -> None:
    """Within one second too: davfs2 would drop edits into lost+found."""
    etags = {client.put("/a.txt", bytes([65 + i])).headers["etag"] for i in range(20)}
    assert len(etags) == 20
    assert not any(etag.startswith("W/") for etag in etags)


def test_one_name_in_two_spellings_is_one_file(client: Client) -> None:
    """A Mac asks for é in two characters, others in one."""
    client.put("/e%CC%81.txt", b"here")
    assert client.get("/%C3%A9.txt").body == b"here"
    assert client.put("/%C3%A9.txt", b"new").status == 204
    assert client.names() == {"/%C3%A9.txt"}


def test_what_is_not_there_is_404(client: Client) -> None:
    """With a body that a person can read."""
    answer = client.get("/none.txt")
    assert answer.status == 404
    assert answer.xml.tag == D + "error"
    assert answer.headers["content-type"] == "application/xml; charset=utf-8"


@pytest.mark.parametrize("name", ["page.html", "image.svg", "run.js", "doc.xml", "x.pdf", "a.docx"])
def test_a_browser_saves_what_it_could_run(client: Client, name: str) -> None:
    """Active types come as attachments, in a sandbox, and are not sniffed."""
    client.put(f"/{name}", b"<script>alert(1)</script>")
    headers = client.get(f"/{name}").headers
    assert headers["content-disposition"].startswith(f'attachment; filename="{name}"')
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "sandbox" in headers["content-security-policy"]


def test_a_picture_is_shown(client: Client) -> None:
    """Inert types have no Content-Disposition."""
    client.put("/a.png", b"x")
    assert "content-disposition" not in client.get("/a.png").headers


def test_a_saved_file_keeps_its_name(client: Client) -> None:
    """RFC 8187: any name, in a header that only knows ASCII."""
    client.put("/%C3%A9%20%22x%22%3B.html", b"x")
    disposition = client.get("/%C3%A9%20%22x%22%3B.html").headers["content-disposition"]
    assert disposition == (
        "attachment; filename=\"_ _x_;.html\"; filename*=UTF-8''%C3%A9%20%22x%22%3B.html"
    )


def test_a_shared_cache_keeps_nothing(client: Client) -> None:
    """Answers are private; a client's own cache asks again by ETag."""
    client.put("/a.txt", b"x")
    assert client.get("/a.txt").headers["cache-control"] == "private, no-cache"
    assert client.get("/none").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("size", [5, 200_000])
def test_a_damaged_file_is_never_sent_as_a_whole_one(
    client: Client, services: Services, size: int
) -> None:
    """A short one is refused in words, a long one breaks off; the next file is all right."""
    client.put("/bad.txt", b"x" * size)
    client.put("/good.txt", b"good")
    tree = services.tree_of(services.accounts.principal((client.account or ("",))[0]))
    found = tree.find(DavPath.of("bad.txt"))
    assert found is not None
    with tree.open_listed(found) as blob:
        path = Path(f"/proc/self/fd/{blob.fileno()}").resolve()
    path.chmod(0o600)
    os.truncate(path, size - 1)
    if size < 65_536:
        answer = client.get("/bad.txt")
        assert answer.status == 500
        assert b"damaged" in answer.body
        assert str(path).encode() not in answer.body
    else:
        with pytest.raises(OSError, match="early"):
            client.get("/bad.txt")
    assert client.get("/good.txt").body == b"good"
