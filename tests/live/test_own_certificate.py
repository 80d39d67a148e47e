"""`davhost tls init && davhost serve`: https that clients can verify, renewed without a stop."""

import http.client
import os
import signal
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.dav import Dav
from tests.live.programs import run_program
from tests.live.server import Server, clean_environment
from tests.live.wait import eventually


@pytest.fixture
def encrypted(make_server) -> Iterator[Server]:
    """A server with a certificate of its own, as two commands make it."""
    server = make_server(workers=1)
    assert "update-ca-certificates" in server.administer("tls", "init")
    with server:
        yield server


def presented(server: Server) -> str:
    """Verify the server as a new client does; return its certificate."""
    context = ssl.create_default_context(cafile=server.authority)
    with (
        server.dav(None).connect() as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as client,
    ):
        found = client.getpeercert(binary_form=True)
    assert found is not None
    return ssl.DER_cert_to_PEM_cert(found)


def assert_renewed(server: Server) -> None:
    """Fail until the server shows the certificate that is on the disk."""
    assert presented(server) in (server.data / "tls/server.pem").read_text()


def test_the_ready_line_says_https(encrypted: Server) -> None:
    """Nothing else is set, and nobody is warned of passwords in the clear."""
    assert f"davhost is ready at {encrypted.url}\n" in encrypted.output
    assert encrypted.url.startswith("https://")
    assert f"mount {encrypted.url}" in encrypted.output
    assert "davhost tls trust" in encrypted.output
    assert "Warning" not in encrypted.output


@pytest.mark.needs("curl")
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_curl_trusts_it_with_the_authority_and_not_without(
    encrypted: Server, tmp_path: Path, host: str
) -> None:
    """Under the name and under the address."""
    account = encrypted.add_user("curl")
    url = encrypted.url.replace("127.0.0.1", host) + "a.txt"
    sign_in = ("curl", "-sS", "--fail", "--user", f"{account.email}:{account.password}")
    trusting = (*sign_in, "--cacert", str(encrypted.authority))
    environment = clean_environment(tmp_path)
    options = {"home": tmp_path, "environment": environment}
    run_program(*trusting, url, "--upload-file", "-", stdin=b"secret", **options)
    assert run_program(*trusting, url, **options).stdout == b"secret"
    stranger = subprocess.run([*sign_in, url], env=environment, capture_output=True, check=False)
    assert stranger.returncode == 60  # CURLE_PEER_FAILED_VERIFICATION
    assert stranger.stdout == b""


def test_a_renewed_certificate_is_taken_up_while_an_upload_goes_on(encrypted: Server) -> None:
    """SIGHUP: who comes now sees the new one, who is here notices nothing."""
    box: Dav = encrypted.new_user("ada")
    assert box.account is not None
    before = presented(encrypted)
    context = ssl.create_default_context(cafile=encrypted.authority)
    uploading = http.client.HTTPSConnection("127.0.0.1", encrypted.port, context=context)
    uploading.putrequest("PUT", "/a.txt")
    uploading.putheader("Authorization", box.account.authorization)
    uploading.putheader("Content-Length", "10")
    uploading.endheaders(b"12345")

    encrypted.administer("tls", "init")
    os.kill(encrypted.pid, signal.SIGHUP)
    eventually(lambda: assert_renewed(encrypted))
    assert presented(encrypted) != before

    uploading.send(b"67890")
    assert uploading.getresponse().status == 201
    uploading.close()
    assert box.read("/a.txt") == b"1234567890"


def test_a_running_server_goes_over_to_https(make_server) -> None:
    """`tls init` beside a server on plain http, and SIGHUP."""
    with make_server(workers=1) as server:
        box = server.new_user("ada")
        box.put("/a.txt", b"content")
        server.administer("tls", "init")
        os.kill(server.pid, signal.SIGHUP)
        server.scheme = "https"

        def speaks_tls() -> None:
            try:
                assert_renewed(server)
            except OSError as error:
                raise AssertionError(str(error)) from error

        eventually(speaks_tls)
        assert server.dav(box.account).read("/a.txt") == b"content"


def test_a_broken_renewal_changes_nothing(encrypted: Server) -> None:
    """The certificate in use goes on, and the log says what is wrong."""
    before = presented(encrypted)
    (encrypted.data / "tls/server.pem").write_text("half a certific")
    os.kill(encrypted.pid, signal.SIGHUP)

    def is_refused() -> None:
        assert "the old settings go on: tls_certificate" in encrypted.output

    eventually(is_refused)
    assert presented(encrypted) == before


@pytest.mark.needs("openssl")
def test_the_server_warns_of_a_certificate_that_ends_soon(make_server) -> None:
    """At its start, with what to do, also for one from elsewhere."""
    server = make_server(workers=1)
    folder = server.home
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt"]
    command += ["ec_paramgen_curve:prime256v1", "-nodes", "-days", "3", "-subj", "/CN=localhost"]
    command += ["-keyout", "key.pem", "-out", "chain.pem"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    server.environment["DAVHOST_TLS_CERTIFICATE"] = str(folder / "chain.pem")
    server.environment["DAVHOST_TLS_PRIVATE_KEY"] = str(folder / "key.pem")
    with server:
        eventually(lambda: assert_warned(server))


def test_the_folder_of_the_keys_is_no_fault_of_the_data(encrypted: Server) -> None:
    """`davhost check` compares what the server keeps; keys are none of it."""
    encrypted.new_user("ada").put("/a.txt", b"content")
    encrypted.administer("check", "--deep")


def assert_warned(server: Server) -> None:
    """Fail until the warning is there."""
    assert "Warning: the certificate ends on 20" in server.output
