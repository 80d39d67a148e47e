"""Who asks, and by which name and path the server is known to them."""

from __future__ import annotations

import contextlib
from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from davhost.dav.origin import (
    Authority,
    Site,
    client_address,
    raw_target,
    resource_path,
    site_of,
)
from davhost.errors import BadPath, BadRequest, Refused
from davhost.paths import DavPath
from tests.unit.dav.sites import HERE, MOUNTED

PROXIES = (ip_network("127.0.0.0/8"), ip_network("10.0.0.0/24"), ip_network("::1/128"))


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://dav.example.org/a%3Fb.txt", "a?b.txt"),
        ("http://dav.example.org/a;b.txt", "a;b.txt"),
        ("http://dav.example.org/a%23b.txt", "a#b.txt"),
        ("http://dav.example.org/100%25.txt", "100%.txt"),
        ("http://dav.example.org/a+b.txt", "a+b.txt"),
        ("http://dav.example.org/%C3%A9.txt", "é.txt"),
        ("http://dav.example.org/Ã©.txt", "é.txt"),
        ("http://dav.example.org/e%CC%81.txt", "é.txt"),
        ("http://ann%40x:secret@dav.example.org/x.txt", "x.txt"),
        ("https://dav.example.org/x.txt", "x.txt"),
        ("HTTP://DAV.Example.ORG:80/x.txt", "x.txt"),
        ("https://dav.example.org:443/x.txt", "x.txt"),
        ("http://dav.example.org:8080/x.txt", "x.txt"),
        ("/x.txt", "x.txt"),
        ("//x.txt", "x.txt"),
    ],
)
def test_a_url_in_a_header_names_the_file_that_its_author_means(url: str, name: str) -> None:
    """Every spelling that a client uses arrives at the right name."""
    assert HERE.find(url) == DavPath.of(name)


@pytest.mark.parametrize(
    "url",
    [
        "http://dav.example.org/a?b.txt",
        "http://dav.example.org/a#b.txt",
        "/a?b",
        "x.txt",
        "",
        "ftp://dav.example.org/x",
        "http:///x.txt",
        "http://[::1/x.txt",
        "http://a:b:c/x.txt",
        "http://dav.example.org/a%2Fb.txt",
        "http://dav.example.org/a/../b.txt",
        "http://dav.example.org/%2e%2e/b.txt",
        "http://dav.example.org/a%00.txt",
        "http://dav.example.org/%ff.txt",
    ],
)
def test_a_url_that_can_be_misread_is_refused(url: str) -> None:
    """Nothing is cut off or guessed: 400."""
    with pytest.raises(BadRequest):
        HERE.find(url)


@pytest.mark.parametrize(
    "url",
    ["http://other.example.org/x.txt", "http://dav.example.org.evil.org/x.txt", "http://evil/x"],
)
def test_another_host_is_another_server(url: str) -> None:
    """A URL of another host is never taken for a path here."""
    assert HERE.find(url) is None


def test_two_ports_that_are_said_and_differ_are_two_servers() -> None:
    """`host:8080` and `host:9090` are told apart; a port that is not said is not compared."""
    ours = Authority("h", "8080")
    assert not ours.is_same_server(Authority("h", "9090"))
    assert ours.is_same_server(Authority("h", "8080"))
    assert ours.is_same_server(Authority("h", ""))


def test_under_a_prefix_urls_lose_it_and_hrefs_get_it() -> None:
    """A home mounted at /office/dav is the same home."""
    assert MOUNTED.find("http://dav.example.org/office/dav/x.txt") == DavPath.of("x.txt")
    assert MOUNTED.find("http://dav.example.org/office%2Fdav/x.txt".replace("%2F", "/")) is not None
    assert MOUNTED.find("/elsewhere/x.txt") is None
    assert MOUNTED.href(DavPath.of("a b"), collection=True) == "/office/dav/a%20b/"
    assert MOUNTED.href(DavPath(), collection=True) == "/office/dav/"


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "203.0.113.9, 10.0.0.4", "203.0.113.9"),
        ("::ffff:127.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
    ],
)
def test_only_trusted_proxies_say_who_asks(peer: str, forwarded: str, client: str) -> None:
    """An X-Forwarded-For that a client invents does not count."""
    environ = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded}
    assert client_address(environ, PROXIES) == client


def test_the_host_that_a_trusted_proxy_was_asked_for_is_ours() -> None:
    """Behind a proxy that sets X-Forwarded-Host, Destination has that host."""
    environ = {
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1:8080",
        "HTTP_X_FORWARDED_HOST": "cloud.example.org",
    }
    assert site_of(environ, PROXIES, "").find("https://cloud.example.org/x") is not None
    assert site_of(environ, (), "").find("https://cloud.example.org/x") is None


def test_a_proxy_that_hides_the_host_does_not_break_renaming() -> None:
    """A proxy that forwards without saying for which host: any is taken for ours."""
    environ = {
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1:8080",
        "HTTP_X_FORWARDED_PROTO": "https",
    }
    assert site_of(environ, PROXIES, "").find("https://cloud.example.org/x") is not None
    assert site_of(environ, (), "").find("https://cloud.example.org/x") is None


@pytest.mark.parametrize(
    ("environ", "mount_path", "path"),
    [
        ({"REQUEST_URI": "/dav/a.txt", "SCRIPT_NAME": "/dav"}, "", "/a.txt"),
        ({"REQUEST_URI": "/dav/a.txt"}, "/dav", "/a.txt"),
        ({"REQUEST_URI": "/a.txt"}, "/dav", "/a.txt"),
        ({"REQUEST_URI": "/dav"}, "/dav", "/"),
        ({"REQUEST_URI": "/dav/a.txt", "HTTP_X_FORWARDED_PREFIX": "/dav"}, "", "/dav/a.txt"),
        ({"REQUEST_URI": "http://h/dav/a.txt?x"}, "/dav", "/a.txt"),
        ({"PATH_INFO": "/a b?.txt"}, "", "/a b?.txt"),
        ({"PATH_INFO": "/Ã©.txt"}, "", "/é.txt"),
        ({"PATH_INFO": "/a.txt", "SCRIPT_NAME": "/dav"}, "", "/a.txt"),
    ],
)
def test_the_prefix_of_a_mount_is_not_part_of_the_path(
    environ: dict[str, Any], mount_path: str, path: str
) -> None:
    """Whoever takes the prefix off, or nobody, the same file is meant."""
    environ = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "h"} | environ
    assert resource_path(raw_target(environ), site_of(environ, PROXIES, mount_path)).text == path


def test_the_target_keeps_its_escapes_and_loses_its_query() -> None:
    """`%2F` reaches the parser, `?x` does not."""
    assert raw_target({"REQUEST_URI": "/a%2Fb?c=/d"}) == "/a%2Fb"
    assert raw_target({"REQUEST_URI": "http://h?x"}) == "/"
    assert raw_target({"REQUEST_URI": "*"}) == "*"


@given(st.text(alphabet=st.characters(max_codepoint=255)))
def test_no_url_in_a_header_breaks_the_parser(url: str) -> None:
    """Whatever is sent as a URL, the answer is a path, another server, or a refusal."""
    try:
        found = HERE.find(url)
    except Refused:
        return
    assert found is None or isinstance(found, DavPath)


@given(st.text(alphabet=st.characters(max_codepoint=255)), st.text(max_size=20))
def test_no_request_target_breaks_the_parser(target: str, prefix: str) -> None:
    """Whatever is sent as a request target, the answer is a path or a refusal."""
    environ = {"REQUEST_URI": target, "PATH_INFO": target, "SCRIPT_NAME": prefix}
    with contextlib.suppress(BadPath):
        resource_path(raw_target(environ), site_of(environ, PROXIES, ""))


def test_a_site_without_names_answers_to_any() -> None:
    """HTTP/1.0 without Host: there is nothing to compare a Destination with."""
    assert Site().find("http://anything/x") == DavPath.of("x")
