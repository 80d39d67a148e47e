"""Who gets in, and what those outside and those who read the log can see."""

import hashlib
import os

import yaml

from tests.defects.known import defect, note
from tests.defects.target import ANN, REPOSITORY, Target

MALFORMED = ("Basic YQ==", "Basic !", "Basic /w==", "Basic", "nonsense")


def status(server: Target, *lines: str, path: str = "/") -> int:
    """Ask as somebody whose only credentials are in *lines*."""
    return server.ask(server.head("PROPFIND", path, "Depth: 0", *lines, account=None)).status


@defect("D25", here={401}, stock=lambda seen: 500 in seen)
def test_malformed_credentials_are_refused_like_wrong_ones(server: Target) -> object:
    """No colon, no base64, no UTF-8: the client is asked again."""
    return {status(server, f"Authorization: {value}") for value in MALFORMED}


def digest_header(nonce: str) -> str:
    """Sign in as Ann by Digest, with any nonce (RFC 7616)."""

    def md5(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    first = md5(f"{ANN.email}:/:{ANN.password}")
    answer = md5(f"{first}:{nonce}:00000001:abc:auth:{md5('PROPFIND:/')}")
    return (
        f'Authorization: Digest username="{ANN.email}", realm="/", nonce="{nonce}", uri="/", '
        f'response="{answer}", qop=auth, nc=00000001, cnonce="abc", algorithm=MD5'
    )


@defect("D26", here=[401, 401], stock=[207, 207])
def test_a_captured_sign_in_cannot_be_sent_again(server: Target) -> object:
    """A nonce that no server has issued, twice.

    davhost has no Digest at all: what a server must keep for it is as good
    as the password, and over TLS no client needs it.
    """
    line = digest_header("never issued")
    return [status(server, line), status(server, line)]


@defect("D43", here=401, stock=207)
def test_no_header_signs_anybody_in_without_a_password(server: Target) -> object:
    """Stock WsgiDAV can be set to believe one that every client can send.

    davhost has no such setting, nor shadow_map or the hotfixes for old
    Windows: its configuration names none of them (see the next test).
    """
    return status(server, f"X-Remote-User: {ANN.email}", f"Remote-User: {ANN.email}")


@note("D43")
def test_the_configuration_loosens_nothing() -> None:
    """No trusted header, no shadow map, and of the hotfixes only one, which is off."""
    settings = yaml.safe_load((REPOSITORY / "wsgidav.yaml").read_text(encoding="utf-8"))
    assert settings["hotfixes"] == {"re_encode_path_info": False}
    assert "trusted_auth_header" not in settings["http_authenticator"]
    assert settings["http_authenticator"]["accept_digest"] is False
    assert "fs_dav_provider" not in settings


@defect("D27", here=(False, False), stock=(True, True))
def test_errors_show_nothing_of_the_inside(server: Target) -> object:
    """No path of the disk and no exception in the body of any refusal."""
    folder = server.root / server.folder[1:]
    folder.mkdir(parents=True, exist_ok=True)
    os.symlink("/etc/hostname", folder / "link.txt")  # noqa: PTH211
    link = server.request("GET", "link.txt").body
    failed = server.dav.request("PUT", "/", b"x").body
    return str(server.root).encode() in link, b"Error(" in failed or b"Error:" in failed


@defect("D28", here=False, stock=True)
def test_nobody_writes_a_line_of_the_log(server: Target) -> object:
    """A line end in a URL stays an escape in the line of its request."""
    mark = f"FORGED{server.folder[1:]}"
    server.dav.request("GET", f"/%0D%0A{mark}%20line")
    server.dav.request("GET", "/x", headers={"User-Agent": f"x%0A{mark}"})
    log = server.program.output
    assert mark in log or server.is_stock
    return any(line.startswith(mark) for line in log.splitlines())
