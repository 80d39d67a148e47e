"""Over TLS, davhost's own and that of nginx in front: litmus, curl and rclone work as without.

Nothing is set for it: the address in `Destination` is the one that the client
knows, and davhost behind nginx hears plain HTTP.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live.dav import Account
from tests.live.programs import run_program
from tests.live.server import Server, clean_environment
from tests.live.test_examples import Site, make_certificate, site
from tests.live.test_litmus import SUITES, check_suite

__all__ = ["site"]


@dataclass(frozen=True)
class Encrypted:
    """An https address, an account there, and the certificate to trust."""

    url: str
    account: Account
    certificate: Path


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("davhost", marks=pytest.mark.needs("openssl")),
        pytest.param("nginx", marks=pytest.mark.needs("nginx", "openssl")),
    ],
)
def encrypted(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Encrypted]:
    """davhost with a certificate of its own, and nginx as the example has it."""
    if request.param == "nginx":
        behind: Site = request.getfixturevalue("site")
        yield Encrypted(behind.url, behind.server.add_user("tls"), behind.certificate)
        return
    home = tmp_path_factory.mktemp("tls")
    certificate, key = make_certificate(home)
    settings = {"DAVHOST_TLS_CERTIFICATE": str(certificate), "DAVHOST_TLS_PRIVATE_KEY": str(key)}
    with Server(home / "data", home, workers=1, settings=settings) as server:
        url = f"https://localhost:{server.port}/"
        yield Encrypted(url, server.add_user("tls"), certificate)


#: litmus leaves out the one test of `http` that matters when it speaks TLS.
SUITES_OVER_TLS = [suite for suite in SUITES if suite != "http"]


@pytest.mark.needs("litmus")
@pytest.mark.parametrize("suite", SUITES_OVER_TLS)
def test_litmus_finds_nothing_over_tls(encrypted: Encrypted, suite: str, tmp_path: Path) -> None:
    """Every test of litmus passes, without a warning."""
    check_suite(encrypted.url, encrypted.account, suite, tmp_path)


@pytest.mark.needs("curl")
@pytest.mark.parametrize("verb", ["COPY", "MOVE"])
def test_curl_renames_over_tls(encrypted: Encrypted, verb: str, tmp_path: Path) -> None:
    """The absolute https address of the new name is understood; so is an upload in chunks."""

    def curl(name: str, *options: str, stdin: bytes = b"") -> bytes:
        user = f"{encrypted.account.email}:{encrypted.account.password}"
        command = ["curl", "--silent", "--show-error", "--fail", "--user", user]
        command += ["--cacert", str(encrypted.certificate), *options, encrypted.url + name]
        environment = clean_environment(tmp_path)
        done = run_program(*command, home=tmp_path, environment=environment, stdin=stdin)
        return done.stdout

    content = bytes(range(256)) * 5000
    curl("a.bin", "--upload-file", "-", stdin=content)
    curl("a.bin", "-X", verb, "-H", f"Destination: {encrypted.url}b%3B%3F.bin")
    assert curl("b%3B%3F.bin") == content
    curl("b%3B%3F.bin", "-X", "DELETE")


@pytest.mark.needs("rclone")
def test_rclone_syncs_and_renames_over_tls(encrypted: Encrypted, tmp_path: Path) -> None:
    """A folder goes up, is moved there, and comes down as it was."""
    environment = clean_environment(tmp_path) | {
        "RCLONE_CONFIG": str(tmp_path / "rclone.conf"),
        "RCLONE_CA_CERT": str(encrypted.certificate),
        "RCLONE_CONFIG_DRIVE_TYPE": "webdav",
        "RCLONE_CONFIG_DRIVE_URL": encrypted.url,
        "RCLONE_CONFIG_DRIVE_VENDOR": "other",
        "RCLONE_CONFIG_DRIVE_USER": encrypted.account.email,
        "RCLONE_RETRIES": "1",
    }

    def rclone(*command: str, stdin: bytes = b"") -> bytes:
        done = run_program("rclone", *command, home=tmp_path, environment=environment, stdin=stdin)
        return done.stdout

    (tmp_path / "rclone.conf").touch()
    obscured = rclone("obscure", "-", stdin=encrypted.account.password.encode())
    environment["RCLONE_CONFIG_DRIVE_PASS"] = obscured.decode().strip()
    here = tmp_path / "here"
    (here / "inner").mkdir(parents=True)
    (here / "inner" / "what; é?.bin").write_bytes(bytes(300_000))
    (here / "empty.txt").touch()
    rclone("sync", str(here), "drive:up")
    rclone("moveto", "drive:up", "drive:moved")
    rclone("check", str(here), "drive:moved", "--download")
    rclone("purge", "drive:moved")
