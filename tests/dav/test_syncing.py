"""REPORT sync-collection: only what has changed (RFC 6578)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.dav.wsgi import HOST, Answer, Client, D


def sync(
    client: Client, token: str = "", target: str = "/", level: str = "1", more: str = ""
) -> Answer:
    body = (
        f'<D:sync-collection xmlns:D="DAV:"><D:sync-token>{token}</D:sync-token>'
        f"<D:sync-level>{level}</D:sync-level>{more}<D:prop><D:getetag/></D:prop>"
        "</D:sync-collection>"
    )
    return client.request("REPORT", target, body.encode(), Depth="0")


def token_of(answer: Answer) -> str:
    assert answer.status == 207, (answer.status, answer.body)
    return answer.xml.findtext(D + "sync-token") or ""


def statuses(answer: Answer) -> dict[str, str]:
    return {
        response.findtext(D + "href") or "": (response.findtext(D + "status") or "200")[-9:]
        for response in answer.xml.findall(D + "response")
    }


def test_the_first_time_everything_is_listed(client: Client) -> None:
    """Members with their ETags, without the folder itself, and a token for the next time."""
    etag = client.put("/a.txt").headers["etag"]
    client.mkcol("/d")
    answer = sync(client)
    assert set(answer.hrefs()) == {"/a.txt", "/d/"}
    assert answer.propstats("/a.txt")[D + "getetag"][1].text == etag
    assert token_of(answer)


def test_the_next_time_only_what_has_changed(client: Client) -> None:
    """New and changed members, and 404 for those that are gone."""
    for name in "abc":
        client.put(f"/{name}.txt")
    token = token_of(sync(client))
    client.put("/b.txt", b"changed")
    client.request("DELETE", "/c.txt")
    client.put("/d.txt")
    answer = sync(client, token)
    assert statuses(answer) == {"/b.txt": "200", "/d.txt": "200", "/c.txt": "Not Found"}
    assert statuses(sync(client, token_of(answer))) == {}


def test_the_token_is_a_property_too(client: Client) -> None:
    """On folders, when it is asked for; with supported-report-set beside it."""
    client.put("/a.txt")
    inner = "<D:prop><D:sync-token/><D:supported-report-set/></D:prop>"
    found = client.propfind("/", inner).propstats("/")
    assert statuses(sync(client, found[D + "sync-token"][1].text or "")) == {}
    assert found[D + "supported-report-set"][1].find(f".//{D}sync-collection") is not None
    file = client.propfind("/a.txt", inner).propstats("/a.txt")
    assert {status for status, _ in file.values()} == {404}
    assert D + "sync-token" not in client.propfind("/").propstats("/")


def test_level_infinite_goes_deep(client: Client) -> None:
    """And level 1 does not."""
    client.mkcol("/d")
    token = token_of(sync(client))
    client.put("/d/a.txt")
    assert "/d/a.txt" in statuses(sync(client, token, level="infinite"))
    assert "/d/a.txt" not in statuses(sync(client, token))


def test_a_token_of_somebody_else_is_refused(new_client: Callable[..., Client]) -> None:
    """So is one that was never given out: 403 with the condition."""
    ann, bob = new_client(), new_client()
    for token in (token_of(sync(ann)), "urn:x:1", "nonsense"):
        answer = sync(bob, token)
        assert answer.status == 403
        assert D + "valid-sync-token" in answer.conditions


def test_a_client_that_takes_less_is_told(client: Client) -> None:
    """507 with the condition of RFC 6578 section 3.7."""
    client.put("/a.txt")
    client.put("/b.txt")
    answer = sync(client, more="<D:limit><D:nresults>1</D:nresults></D:limit>")
    assert answer.status == 507
    assert D + "number-of-matches-within-limits" in answer.conditions


SYNC = b'<sync-collection xmlns="DAV:">%s</sync-collection>'


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"<x/>", 403),
        (SYNC % b"", 400),
        (SYNC % b"<sync-token/>", 400),
        (SYNC % b"<sync-token/><sync-level>2</sync-level>", 400),
    ],
)
def test_a_report_that_is_none_is_refused(client: Client, body: bytes, status: int) -> None:
    """403 for a report that is not made here, 400 for one that cannot be read."""
    assert client.request("REPORT", "/", body).status == status


def test_a_file_has_no_report(client: Client) -> None:
    """405, and Allow does not name it."""
    client.put("/a.txt")
    answer = sync(client, target="/a.txt")
    assert answer.status == 405
    assert "REPORT" not in answer.headers["allow"]
    assert sync(client, target="/none").status == 404


def test_a_change_can_depend_on_the_sync_token(client: Client) -> None:
    """With If (RFC 6578 section 5) it is made only if nothing has happened in between."""
    client.mkcol("/d")
    token = token_of(sync(client, target="/d/"))
    tagged = f"<http://{HOST}/d/> (<{token}>)"
    assert client.request("PUT", "/d/a.txt", b"first", If=tagged).status == 201
    assert client.request("PUT", "/d/b.txt", b"second", If=tagged).status == 412
    assert client.request("GET", "/d/b.txt").status == 404
    fresh = f"<http://{HOST}/d/> (<{token_of(sync(client, token, target='/d/'))}>)"
    assert client.request("MOVE", "/d/a.txt", Destination="/d/c.txt", If=fresh).status == 201


def test_the_sync_token_is_the_state_of_the_folder_itself(client: Client) -> None:
    """Without a tag it is that of the request URI; a file has none."""
    client.mkcol("/d")
    client.put("/d/a.txt")
    token = token_of(sync(client))
    assert client.request("PUT", "/d/a.txt", If=f"(<{token}>)").status == 412
    assert client.request("DELETE", "/d/", If=f"(<{token}>)").status == 204
    client.mkcol("/d")
    assert client.request("DELETE", "/d/", If=f"(<{token}>)").status == 412
    assert client.request("DELETE", "/d/", If=f"(Not <{token}>)").status == 204


def test_a_sync_token_opens_no_lock(client: Client) -> None:
    """It is a state token, and not that of a lock."""
    client.mkcol("/d")
    assert client.lock("/d/").status == 200
    token = token_of(sync(client))
    tagged = f"<http://{HOST}/d/> (<{token}>)"
    assert client.request("PUT", "/d/a.txt", If=tagged).status == 423


def test_the_sync_token_of_somebody_else_is_no_state_of_ours(
    new_client: Callable[..., Client],
) -> None:
    """Also when both homes are at the same point."""
    ann, bob = new_client(), new_client()
    for client in (ann, bob):
        client.mkcol("/d")
    token = token_of(sync(bob))
    assert ann.request("DELETE", "/d/", If=f"(<{token}>)").status == 412


def test_a_synchronising_client_may_prefer_short_answers(client: Client) -> None:
    """`return=minimal` leaves out what a member does not have (RFC 8144 section 2.1)."""
    client.mkcol("/d")
    client.put("/a.txt")
    body = (
        '<D:sync-collection xmlns:D="DAV:"><D:sync-token/><D:sync-level>1</D:sync-level>'
        "<D:prop><D:getcontentlength/></D:prop></D:sync-collection>"
    )
    answer = client.request("REPORT", "/", body.encode(), Depth="0", Prefer="return=minimal")
    assert set(answer.hrefs()) == {"/a.txt", "/d/"}
    assert b" 404 " not in answer.body
    assert answer.headers["preference-applied"] == "return=minimal"
    assert token_of(answer)
