"""Signing in, OPTIONS, unknown methods, faults, logs, proxies."""

from __future__ import annotations

import dataclasses
import io
import logging
import re
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network
from typing import Any
from wsgiref.validate import validator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from davhost.bootstrap.services import Services
from davhost.bootstrap.wsgi import build_app
from davhost.dav.app import DavApp
from davhost.tree import Tree
from tests.dav.conftest import NewClient
from tests.dav.wsgi import HOST, Client, D

METHODS = ["GET", "HEAD", "OPTIONS", "PROPFIND", "PROPPATCH", "PUT", "DELETE", "MKCOL",
           "COPY", "MOVE", "LOCK", "UNLOCK", "POST", "REPORT", "TRACE", "FOO"]  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("target", ["/", "/a.txt", "*"])
def test_nobody_gets_in_without_signing_in(nobody: Client, method: str, target: str) -> None:
    """Every method and URL is answered by the same question for a password."""
    answer = nobody.request(method, target, b"x")
    if target == "*" and method != "OPTIONS":
        assert answer.status == 404
        return
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == 'Basic realm="davhost", charset="UTF-8"'


@pytest.mark.parametrize(
    "value",
    ["Basic", "Basic !", "Basic YQ==", "Basic /w==", "Digest username=x", "x", "Basic \xff"],
)
def test_a_malformed_authorization_is_401(nobody: Client, value: str) -> None:
    """The stock package answers 500."""
    assert nobody.get("/", Authorization=value).status == 401


def test_a_header_that_names_somebody_signs_nobody_in(client: Client, nobody: Client) -> None:
    """The stock package can be told to believe such a header."""
    assert client.account
    who = client.account[0]
    assert nobody.get("/", X_User=who, X_Remote_User=who, Remote_User=who).status == 401
    assert nobody.request("GET", "/", environ={"REMOTE_USER": who}).status == 401


def test_a_wrong_password_is_401(client: Client) -> None:
    """And so is an account that does not exist: the same answer."""
    assert client.account
    wrong = Client(client.app, (client.account[0], "wrong"))
    missing = Client(client.app, ("nobody@example.org", "wrong"))
    first = wrong.request("GET", "/", environ={"REMOTE_ADDR": "198.51.100.1"})
    second = missing.request("GET", "/", environ={"REMOTE_ADDR": "198.51.100.2"})
    assert (first.status, first.body) == (second.status, second.body) == (401, first.body)


def test_guessing_is_slowed_down(client: Client) -> None:
    """After ten wrong tries a minute: 429 with Retry-After."""
    assert client.account
    wrong = Client(client.app, (client.account[0], "wrong"))
    environ = {"REMOTE_ADDR": "198.51.100.3"}
    answers = [wrong.request("GET", "/", environ=environ) for _ in range(30)]
    assert answers[0].status == 401
    slowed = [answer for answer in answers if answer.status == 429]
    assert len(slowed) >= 10
    assert int(slowed[0].headers["retry-after"]) >= 1


def test_options_announces_what_holds(client: Client) -> None:
    """Classes 1, 2, 3 for Finder, MS-Author-Via for Explorer, Allow for each kind."""
    client.put("/a.txt")
    client.mkcol("/d")
    root = client.request("OPTIONS", "/d")
    assert root.status == 200
    assert root.headers["dav"] == "1, 2, 3, extended-mkcol"
    assert root.headers["ms-author-via"] == "DAV"
    assert "PUT" not in root.headers["allow"].split(", ")
    assert "MKCOL" not in root.headers["allow"]
    assert "PUT" in client.request("OPTIONS", "/a.txt").headers["allow"]
    assert client.request("OPTIONS", "/new.txt").headers["allow"] == "OPTIONS, PUT, MKCOL, LOCK"
    assert client.request("OPTIONS", "*").status == 200


@pytest.mark.parametrize(
    ("method", "status"), [("POST", 405), ("PATCH", 405), ("TRACE", 405), ("FOO", 501)]
)
def test_a_method_without_use_is_refused(client: Client, method: str, status: int) -> None:
    """405 with Allow for those that HTTP knows, 501 for the rest."""
    answer = client.request(method, "/", b"x")
    assert answer.status == status
    assert ("allow" in answer.headers) == (status == 405)


def test_what_nobody_foresaw_is_a_500_that_says_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No path, no exception; the log has it, once, under the id that the client got."""

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("/srv/secret/path")

    monkeypatch.setattr(Tree, "open", broken)
    answer = client.get("/a.txt")
    assert answer.status == 500
    assert b"secret" not in answer.body
    assert b"RuntimeError" not in answer.body
    errors = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert answer.headers["x-request-id"] in errors[0].getMessage()


def test_a_request_is_one_line_in_the_log(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    """Who, what, result; percent-encoded, without the query and without the password."""
    caplog.set_level(logging.INFO, "davhost.access")
    client.put("/a%0Ab.txt".replace("%0A", "%20"), b"12345")
    answer = client.get("/a%20b.txt?token=secret", User_Agent='evil"\n\x1b[31m')
    lines = [r.getMessage() for r in caplog.records if r.name == "davhost.access"]
    assert len(lines) == 2
    assert lines[1].startswith(
        f'192.0.2.7 {(client.account or ("",))[0]} "GET /a%20b.txt" 200 5 bytes'
    )
    assert answer.headers["x-request-id"] in lines[1]
    assert "secret" not in lines[1]
    assert lines[1].isprintable()


@pytest.mark.parametrize("target", ["/%0Aforged", "/a\nforged", "/\x1b[31m", "/a b", '/"x"'])
def test_nobody_forges_a_line_of_the_log(
    client: Client, caplog: pytest.LogCaptureFixture, target: str
) -> None:
    """A line stays a line whatever the URL holds."""
    caplog.set_level(logging.INFO, "davhost.access")
    client.get(target)
    (line,) = [r.getMessage() for r in caplog.records if r.name == "davhost.access"]
    assert line.isprintable()
    assert line.isascii()
    assert line.count('"') == 4


def proxied(services: Services, **more: Any) -> DavApp:
    """Make an application that trusts a proxy on this machine."""
    trusting = services.settings.model_copy(
        update={"trusted_proxies": (ip_network("127.0.0.0/8"),)} | more
    )
    return build_app(dataclasses.replace(services, settings=trusting))


def test_behind_a_prefix_every_href_has_it(client: Client, services: Services) -> None:
    """X-Forwarded-Prefix of a trusted proxy, in listings, locks and Location."""
    inside = Client(proxied(services), client.account)
    environ = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_PREFIX": "/office"}
    made = inside.request("MKCOL", "/d", environ=environ)
    assert made.headers["location"] == "/office/d/"
    listed = inside.request("PROPFIND", "/", environ=environ | {"HTTP_DEPTH": "1"})
    assert listed.hrefs() == ["/office/", "/office/d/"]
    moved = inside.request(
        "MOVE",
        "/d",
        environ=environ | {"HTTP_DESTINATION": f"https://{HOST}/office/e"},
    )
    assert moved.status == 201
    outside = inside.request("MOVE", "/e", environ=environ | {"HTTP_DESTINATION": "/e2"})
    assert outside.status == 502


def test_a_client_that_invents_a_proxy_is_not_believed(client: Client) -> None:
    """X-Forwarded headers count only from trusted addresses."""
    client.mkcol("/d")
    listed = client.propfind("/d", X_Forwarded_Prefix="/evil", X_Forwarded_Host="evil")
    assert listed.hrefs() == ["/d/"]


def test_the_stock_application_is_taken_over(app: Callable[..., Any]) -> None:
    """`wsgidav --config wsgidav.yaml` makes its own class, and enters requests as ours."""
    assert isinstance(app, DavApp)


@pytest.mark.parametrize("path_info", ["/..", "/../..", "/a/../../b", "/\udcff", "/ÿ", "", "x"])
def test_no_path_breaks_the_server_before_it_is_parsed(client: Client, path_info: str) -> None:
    """Where a WSGI server offers only PATH_INFO, what is wrong with it is a 4xx."""
    env = client.environ("GET", "/")
    del env["REQUEST_URI"]
    env["PATH_INFO"] = path_info
    assert client.call(env).status in (200, 400, 404)


def test_only_path_info_is_enough(client: Client) -> None:
    """The stock server's PATH_INFO, octets as latin-1, names the same file."""
    client.put("/%C3%A9%3F.txt", b"here")
    env = client.environ("GET", "/")
    del env["REQUEST_URI"]
    env["PATH_INFO"] = "/é?.txt".encode().decode("latin-1")
    assert client.call(env).body == b"here"


@pytest.mark.parametrize("target", ["//a.txt", "/./a.txt", "http://x/a.txt", "/a.txt?q", "/a.txt/"])
def test_other_spellings_of_a_path(client: Client, target: str) -> None:
    """Absolute form, doubled slashes and queries mean the same file; dots are refused."""
    client.put("/a.txt", b"here")
    assert client.get(target).status == (400 if "/./" in target else 200)


HEADERS = st.dictionaries(
    st.sampled_from(
        ["If", "If_Match", "If_None_Match", "Range", "If_Range", "Destination", "Depth",
         "Overwrite", "Timeout", "Lock_Token", "X_OC_Mtime", "Content_Range", "Host",
         "Content_Encoding", "Content_Type", "Digest", "OC_Checksum", "X_Forwarded_For"]
    ),
    st.text(alphabet=st.characters(max_codepoint=255), max_size=40),
    max_size=5,
)  # fmt: skip


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    method=st.sampled_from(METHODS),
    target=st.one_of(
        st.sampled_from(["/", "/a.txt", "/d/", "*", "/d/x"]),
        st.text(alphabet=st.characters(max_codepoint=255), max_size=30),
    ),
    headers=HEADERS,
    body=st.one_of(
        st.binary(max_size=50),
        st.sampled_from(
            [b'<propfind xmlns="DAV:"><allprop/></propfind>', b"<a>", b"\xef\xbb\xbf<a/>"]
        ),
    ),
    chunked=st.booleans(),
)
def test_bad_input_is_never_a_500(
    client: Client, method: str, target: str, headers: dict[str, str], body: bytes, chunked: bool
) -> None:
    """Whatever comes, the answer is well formed and blames whom it should."""
    answer = client.request(method, target, body, chunked=chunked, **headers)
    assert answer.status < 500 or answer.status in (501, 502), (answer.status, answer.body)


@pytest.mark.filterwarnings("ignore:Unknown REQUEST_METHOD")
def test_the_application_keeps_to_wsgi(client: Client) -> None:
    """PEP 3333, as the standard library checks it."""
    client.put("/a.txt", b"here")
    checked = Client(validator(client.app), client.account)
    for method in ("GET", "HEAD", "OPTIONS", "PROPFIND", "PUT", "DELETE", "FOO"):
        env = checked.environ(method, "/a.txt", b"x" if method == "PUT" else b"")
        env |= {"HTTP_DEPTH": "0", "CONTENT_LENGTH": env.get("CONTENT_LENGTH", "0")}
        env["wsgi.input"] = io.BufferedReader(env["wsgi.input"])
        env["wsgi.errors"] = sys.stderr
        if method == "HEAD":
            env["CONTENT_LENGTH"] = "0"
        assert checked.call(env).status < 500 or method == "FOO"


def test_refusals_are_for_people_too(client: Client) -> None:
    """A sentence stands in the body beside the condition."""
    answer = client.request("MKCOL", "/none/d")
    assert answer.status == 409
    assert any("folder" in (e.text or "") for e in answer.xml)
    assert answer.xml.tag == D + "error"


def test_who_signs_in_is_asked_with_each_request(client: Client, new_client: NewClient) -> None:
    """A connection that another account, or a wrong password, comes over is no one's."""
    other = new_client()
    connection: dict[str, Any] = {}
    environ = {"davhost.connection": connection, "REMOTE_ADDR": "198.51.100.7"}
    client.put("/mine.txt", b"mine")
    email, password = client.account or ("", "")
    wrong = Client(client.app, (email, password + "x"))
    for _ in range(2):
        assert client.request("GET", "/mine.txt", environ=environ).status == 200
        assert other.request("GET", "/mine.txt", environ=environ).status == 404
        assert wrong.request("GET", "/mine.txt", environ=environ).status == 401
        assert Client(client.app, None).request("GET", "/mine.txt", environ=environ).status == 401


def test_each_request_has_an_id_of_its_own(client: Client) -> None:
    """Also when many come at once: they are drawn in stock."""
    with ThreadPoolExecutor(8) as threads:
        answers = threads.map(lambda _: client.request("OPTIONS", "/"), range(600))
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert len(set(ids)) == 600
    assert all(re.fullmatch("[0-9a-f]{16}", id_) for id_ in ids)
