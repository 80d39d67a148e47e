"""PROPFIND, PROPPATCH and MKCOL with properties."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.dav.wsgi import Client, D

WIN = "urn:schemas-microsoft-com:"


def test_a_listing_has_the_folder_and_its_members(client: Client) -> None:
    """Depth 1, with a trailing slash on collections."""
    client.mkcol("/d")
    client.put("/d/a.txt", b"12345")
    client.mkcol("/d/e")
    answer = client.propfind("/d", "<D:allprop/>", "1")
    assert set(answer.hrefs()) == {"/d/", "/d/a.txt", "/d/e/"}
    status, length = answer.propstats("/d/a.txt")[D + "getcontentlength"]
    assert (status, length.text) == (200, "5")
    assert D + "getcontentlength" not in answer.propstats("/d/e/")


def test_the_etag_property_is_the_etag_header(client: Client) -> None:
    """Quoted in both (the stock package leaves the quotes out of the property)."""
    etag = client.put("/a.txt").headers["etag"]
    assert client.propfind("/a.txt").propstats("/a.txt")[D + "getetag"][1].text == etag


def test_depth_infinity_is_refused_with_the_condition(client: Client) -> None:
    """Also when Depth is missing, which means the same (RFC 4918 section 9.1)."""
    for headers in ({"Depth": "infinity"}, {}):
        answer = client.request("PROPFIND", "/", **headers)
        assert answer.status == 403
        assert D + "propfind-finite-depth" in answer.conditions


@pytest.mark.parametrize("depth", ["2", "", "-1", "one"])
def test_another_depth_is_400(client: Client, depth: str) -> None:
    """RFC 4918 section 10.2."""
    assert client.propfind("/", depth=depth).status == 400


def test_propname_names_the_properties(client: Client) -> None:
    """On the stock package the answer is empty."""
    client.put("/a.txt")
    client.proppatch("/a.txt", '<D:set><D:prop><x xmlns="u:">v</x></D:prop></D:set>')
    named = client.propfind("/a.txt", "<D:propname/>").propstats("/a.txt")
    assert {D + "getetag", D + "resourcetype", "{u:}x"} <= set(named)
    assert named["{u:}x"][1].text is None


def test_a_comment_among_the_names_does_no_harm(client: Client) -> None:
    """On the stock package it is a 500."""
    client.put("/a.txt")
    answer = client.propfind("/a.txt", "<D:prop><!-- why not --><D:getetag/></D:prop>")
    assert set(answer.propstats("/a.txt")) == {D + "getetag"}


def test_a_chunked_propfind_is_read(client: Client) -> None:
    """Finder sends chunks; the stock package answers something else."""
    client.put("/a.txt")
    body = b'<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
    answer = client.request("PROPFIND", "/a.txt", body, chunked=True, Depth="0")
    assert set(answer.propstats("/a.txt")) == {D + "getetag"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"nonsense", 400),
        (b"<propfind/>", 400),
        (b'<propfind xmlns="DAV:"/>', 400),
        (b'<propfind xmlns="DAV:"><allprop/><propname/></propfind>', 400),
        (b'<propfind xmlns="DAV:"><prop/><allprop/></propfind>', 400),
        (b'<!DOCTYPE a [<!ENTITY e "x">]><propfind xmlns="DAV:"><allprop/></propfind>', 400),
        (b'<propfind xmlns="DAV:">' + b"<a>" * 100 + b"</a>" * 100 + b"</propfind>", 400),
        (b"<a>" + b" " * (1 << 20), 413),
        (
            b'<propfind xmlns="DAV:"><prop>%b</prop></propfind>'
            % b"".join(b"<p%d/>" % number for number in range(1001)),
            413,
        ),
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
def test_xml_that_asks_for_nothing_sensible_is_refused(
    client: Client, body: bytes, status: int, chunked: bool
) -> None:
    """Malformed, dangerous or too large, with a length or in chunks."""
    answer = client.request("PROPFIND", "/", body, chunked=chunked, Depth="0")
    assert answer.status == status


def test_an_element_that_nobody_knows_is_skipped(client: Client) -> None:
    """RFC 4918 section 17."""
    assert client.propfind("/", '<x xmlns="u:"/><D:allprop/>').status == 207


def test_the_quota_is_ones_own(new_client: Callable[..., Client]) -> None:
    """Not that of the disk; on folders, and never empty on a file."""
    client = new_client(quota_bytes=1000)
    client.put("/a.txt", b"x" * 400)
    inner = "<D:prop><D:quota-used-bytes/><D:quota-available-bytes/></D:prop>"
    root = client.propfind("/", inner).propstats("/")
    assert root[D + "quota-used-bytes"][1].text == "400"
    assert root[D + "quota-available-bytes"][1].text == "600"
    file = client.propfind("/a.txt", inner).propstats("/a.txt")
    assert {status for status, _ in file.values()} == {404}
    assert D + "quota-used-bytes" not in client.propfind("/").propstats("/")


def test_who_am_i_is_answered(client: Client) -> None:
    """RFC 5397."""
    inner = "<D:prop><D:current-user-principal/></D:prop>"
    status, element = client.propfind("/", inner).propstats("/")[D + "current-user-principal"]
    assert (status, element.findtext(D + "href")) == (200, "/")


def test_a_property_comes_back_as_it_was_set(client: Client) -> None:
    """With its prefixes, its language, and what is in it."""
    client.put("/a.txt")
    value = '<q:x xmlns:q="u:q" xml:lang="de" q:k="&quot;"><q:y>a &amp; b</q:y> c</q:x>'
    assert client.proppatch("/a.txt", f"<D:set><D:prop>{value}</D:prop></D:set>").status == 207
    got = client.propfind("/a.txt", '<D:prop><x xmlns="u:q"/></D:prop>')
    assert value.encode() in got.body


def test_properties_are_changed_in_order_and_all_or_none(client: Client) -> None:
    """One that is protected spoils all: 403 for it, 424 for the others."""
    client.put("/a.txt")
    setting = '<D:set><D:prop><x xmlns="u:">1</x></D:prop></D:set>'
    protected = "<D:remove><D:prop><D:getetag/></D:prop></D:remove>"
    answer = client.proppatch("/a.txt", setting + protected)
    found = answer.propstats("/a.txt")
    assert (found["{u:}x"][0], found[D + "getetag"][0]) == (424, 403)
    assert answer.xml.find(f".//{D}cannot-modify-protected-property") is not None
    assert (
        client.propfind("/a.txt", '<D:prop><x xmlns="u:"/></D:prop>').propstats("/a.txt")["{u:}x"][
            0
        ]
        == 404
    )
    both = setting + '<D:remove><D:prop><x xmlns="u:"/></D:prop></D:remove>'
    assert client.proppatch("/a.txt", both).propstats("/a.txt")["{u:}x"][0] == 200
    assert "{u:}x" not in client.propfind("/a.txt").propstats("/a.txt")


def test_properties_go_with_their_file(client: Client) -> None:
    """MOVE keeps them at any depth; a new file of the old name has none."""
    client.mkcol("/a")
    client.mkcol("/a/a")
    client.put("/a/a/a.txt")
    client.proppatch("/a/a/a.txt", '<D:set><D:prop><x xmlns="u:">1</x></D:prop></D:set>')
    client.request("MOVE", "/a", Destination="/b")
    assert "{u:}x" in client.propfind("/b/a/a.txt").propstats("/b/a/a.txt")
    client.request("DELETE", "/b/a/a.txt")
    client.put("/b/a/other.txt")
    assert "{u:}x" not in client.propfind("/b/a/other.txt").propstats("/b/a/other.txt")


def test_a_property_that_is_too_large_is_507(client: Client) -> None:
    """In its own propstat; the stock package keeps megabytes."""
    client.put("/a.txt")
    big = f'<D:set><D:prop><x xmlns="u:">{"v" * 70_000}</x><y xmlns="u:">1</y></D:prop></D:set>'
    found = client.proppatch("/a.txt", big).propstats("/a.txt")
    assert (found["{u:}x"][0], found["{u:}y"][0]) == (507, 424)


def test_explorer_sets_the_times_of_what_it_has_copied(client: Client) -> None:
    """Kept, shown, and the date of the file; a refusal would make it delete the file."""
    client.put("/a.txt")
    date = "Sun, 06 Nov 1994 08:49:37 GMT"
    inner = (
        f'<D:set xmlns:Z="{WIN}"><D:prop><Z:Win32CreationTime>{date}</Z:Win32CreationTime>'
        f"<Z:Win32LastAccessTime>{date}</Z:Win32LastAccessTime>"
        f"<Z:Win32LastModifiedTime>{date}</Z:Win32LastModifiedTime>"
        "<Z:Win32FileAttributes>00000020</Z:Win32FileAttributes></D:prop></D:set>"
    )
    answer = client.proppatch("/a.txt", inner)
    assert {status for status, _ in answer.propstats("/a.txt").values()} == {200}
    found = client.propfind("/a.txt").propstats("/a.txt")
    assert found[f"{{{WIN}}}Win32LastModifiedTime"][1].text == date
    assert found[f"{{{WIN}}}Win32FileAttributes"][1].text == "00000020"
    assert found[D + "getlastmodified"][1].text == date
    assert found[D + "creationdate"][1].text == "1994-11-06T08:49:37Z"


def test_rclone_sets_the_date_of_a_file_that_is_there(client: Client) -> None:
    """By DAV:lastmodified in Unix seconds; nonsense is refused by itself."""
    client.put("/a.txt")
    inner = "<D:set><D:prop><lastmodified xmlns='DAV:'>{}</lastmodified></D:prop></D:set>"
    good = client.proppatch("/a.txt", inner.format(784111777)).propstats("/a.txt")
    assert good[D + "lastmodified"][0] == 200
    assert client.get("/a.txt").headers["last-modified"] == "Sun, 06 Nov 1994 08:49:37 GMT"
    bad = client.proppatch("/a.txt", inner.format("soon")).propstats("/a.txt")
    assert bad[D + "lastmodified"][0] == 409


def test_a_depth_with_proppatch_does_no_harm(client: Client) -> None:
    """webdavclient3 sends one."""
    client.put("/a.txt")
    setting = '<D:set><D:prop><x xmlns="u:">1</x></D:prop></D:set>'
    assert client.proppatch("/a.txt", setting, Depth="0").status == 207


@pytest.mark.parametrize("inner", ["", "<D:set/>", "<D:set><D:prop/></D:set>"])
def test_a_proppatch_of_nothing_is_400(client: Client, inner: str) -> None:
    """There is nothing that it could mean."""
    assert client.proppatch("/", inner).status == 400


def test_properties_of_nothing_are_404(client: Client) -> None:
    """Whatever is set, protected or not."""
    for name in ("getetag", "other"):
        inner = f"<D:set><D:prop><D:{name}/></D:prop></D:set>"
        assert client.proppatch("/none", inner).status == 404


# -- MKCOL ------------------------------------------------------------------


def mkcol(client: Client, props: str, media_type: str = "application/xml") -> int:
    body = f'<D:mkcol xmlns:D="DAV:"><D:set><D:prop>{props}</D:prop></D:set></D:mkcol>'
    answer = client.request("MKCOL", "/d", body.encode(), Content_Type=media_type)
    return answer.status


def test_a_folder_is_made_with_its_properties(client: Client) -> None:
    """RFC 5689, which OPTIONS announces."""
    kind = "<D:resourcetype><D:collection/></D:resourcetype>"
    assert mkcol(client, kind + '<x xmlns="u:">1</x>') == 201
    assert client.propfind("/d").propstats("/d/")["{u:}x"][1].text == "1"
    assert "extended-mkcol" in client.request("OPTIONS", "/").headers["dav"]


def test_a_folder_of_an_unknown_kind_is_not_made(client: Client) -> None:
    """A calendar is refused, and nothing is left behind."""
    calendar = '<D:resourcetype><D:collection/><c xmlns="u:caldav"/></D:resourcetype>'
    assert mkcol(client, calendar) == 403
    assert mkcol(client, "<D:getetag>x</D:getetag>") == 403
    assert client.names() == set()


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"anything", "xyz/foo", 415),
        (b"anything", "", 415),
        (b"<other/>", "application/xml", 415),
        (b"<broken", "text/xml; charset=utf-8", 400),
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_mkcol_does_not_know_is_415(
    client: Client, body: bytes, media_type: str, status: int, chunked: bool
) -> None:
    """In chunks too, where the stock package makes the folder."""
    answer = client.request("MKCOL", "/d", body, chunked=chunked, Content_Type=media_type)
    assert answer.status == status
    assert client.names() == set()


def test_mkcol_says_what_is_in_the_way(client: Client) -> None:
    """405 for what is there, 409 without a parent: rclone relies on both."""
    client.mkcol("/d")
    client.put("/a.txt")
    assert client.request("MKCOL", "/d/").status == 405
    assert client.request("MKCOL", "/a.txt").status == 405
    assert client.request("MKCOL", "/none/d").status == 409
    assert client.request("MKCOL", "/d/new/").headers["location"] == "/d/new/"


# Prefer (RFC 8144)


def test_a_client_may_prefer_not_to_hear_what_is_missing(client: Client) -> None:
    """`return=minimal`: an empty 200 rather than a list of 404, and it is said to be applied."""
    client.put("/a.txt")
    inner = '<D:prop><D:getetag/><D:nothing/><x:y xmlns:x="urn:x"/></D:prop>'
    answer = client.propfind("/a.txt", inner, Prefer="return=minimal")
    assert {status for status, _ in answer.propstats("/a.txt").values()} == {200}
    assert answer.headers["preference-applied"] == "return=minimal"
    nothing = client.propfind("/a.txt", "<D:prop><D:nothing/></D:prop>", Prefer="return=minimal")
    assert nothing.propstats("/a.txt") == {}
    assert nothing.body.count(b"200 OK") == 1
    usual = client.propfind("/a.txt", inner)
    assert {status for status, _ in usual.propstats("/a.txt").values()} == {200, 404}
    assert "preference-applied" not in usual.headers


def test_a_client_may_prefer_a_listing_without_the_folder_itself(client: Client) -> None:
    """`depth-noroot`, with Depth 1; with Depth 0 nothing would be left."""
    client.mkcol("/d")
    client.put("/d/a.txt")
    listed = client.propfind("/d/", depth="1", Prefer="depth-noroot")
    assert listed.hrefs() == ["/d/a.txt"]
    assert listed.headers["preference-applied"] == "depth-noroot"
    alone = client.propfind("/d/", Prefer="depth-noroot")
    assert alone.hrefs() == ["/d/"]
    assert "preference-applied" not in alone.headers


def test_a_client_may_prefer_a_short_yes_to_proppatch(client: Client) -> None:
    """204 when all was done; what was refused is said in full."""
    client.put("/a.txt")
    prop = "<D:set><D:prop>{}</D:prop></D:set>"
    kept = prop.format('<x:y xmlns:x="urn:x">1</x:y>')
    done = client.proppatch("/a.txt", kept, Prefer="return=minimal")
    assert (done.status, done.body) == (204, b"")
    assert done.headers["preference-applied"] == "return=minimal"
    refused = client.proppatch("/a.txt", prop.format("<D:getetag/>"), Prefer="return=minimal")
    assert refused.status == 207
    assert "preference-applied" not in refused.headers
