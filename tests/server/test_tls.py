"""TLS: certificate files, versions, silent and mistaken clients."""

import socket
import ssl
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.server import apps
from tests.server.conftest import Serve
from tests.server.wire import Client, LiveServer, until

pytestmark = pytest.mark.needs("openssl")

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
Wrap = Callable[[socket.socket], ssl.SSLSocket]


@pytest.fixture
def chain_and_key(certificate: Callable[[str], tuple[Path, Path]]) -> tuple[Path, Path]:
    return certificate("localhost")


@pytest.fixture
def serve_tls(serve: Serve, chain_and_key: tuple[Path, Path]) -> Serve:
    def serve_app(app: Any, **options: Any) -> LiveServer:
        chain, key = chain_and_key
        return serve(app, certificate_path=chain, private_key_path=key, **options)

    return serve_app


@pytest.fixture
def wrap(chain_and_key: tuple[Path, Path]) -> Wrap:
    context = ssl.create_default_context(cafile=chain_and_key[0])
    return lambda sock: context.wrap_socket(sock, server_hostname="localhost")


def test_requests_are_served_over_tls(serve_tls: Serve, wrap: Wrap) -> None:
    """The application knows that it is https, request after request."""
    client = serve_tls(apps.echo_environ).client(wrap)
    for _ in range(3):
        lines = client.ask(GET).body.decode().split("\n")
        assert "wsgi.url_scheme=https" in lines
        assert "HTTPS=on" in lines
        assert "SSL_PROTOCOL=TLSv1.3" in lines


def test_large_bodies_pass_both_ways(serve_tls: Serve, wrap: Wrap) -> None:
    """Also where a TLS record and a segment do not end together."""
    content = bytes(range(256)) * 20_000
    client = serve_tls(apps.echo).client(wrap)
    for _ in range(2):
        client.send(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(content))
        client.send(content)
        assert client.reply().body == content


def test_pipelined_requests_in_one_record_are_all_answered(serve_tls: Serve, wrap: Wrap) -> None:
    """What the TLS layer holds decrypted is not forgotten."""
    client = serve_tls(apps.hello).client(wrap)
    head = b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 3000 + b"\r\n\r\n"
    client.send(head * 5)
    assert [client.reply().body for _ in range(5)] == [b"hello"] * 5


def test_silent_tls_clients_do_not_keep_others_out(serve_tls: Serve, wrap: Wrap) -> None:
    """No thread waits for a handshake; cheroot accepts nobody meanwhile."""
    server = serve_tls(apps.hello, threads=1, threads_max=1)
    for _ in range(100):
        server.client()
    half = server.client()
    half.send(b"\x16\x03\x01\x02\x00\x01\x00")
    assert server.client(wrap).is_open()


def test_a_handshake_that_takes_too_long_is_dropped(serve_tls: Serve) -> None:
    """The limit for heads includes it."""
    client = serve_tls(apps.hello, header_timeout_seconds=0.2).client()
    client.send(b"\x16\x03\x01\x02\x00\x01\x00")
    assert client.is_closed()


def test_plain_http_on_the_tls_port_is_told_so(serve_tls: Serve, quiet: None) -> None:
    """A readable 400 instead of a reset; cheroot fails in its error path."""
    answer = serve_tls(apps.hello).exchange(GET)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"HTTPS" in answer


def test_old_versions_of_tls_are_refused(
    serve_tls: Serve, chain_and_key: tuple[Path, Path], quiet: None
) -> None:
    """TLS 1.1 and older are broken (RFC 8996)."""
    context = ssl.create_default_context(cafile=chain_and_key[0])
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    server = serve_tls(apps.hello)
    with pytest.raises(ssl.SSLError), Client(server.port) as client:
        context.wrap_socket(client.socket, server_hostname="localhost")


@pytest.mark.parametrize("noise", [b"\x16\x03\x01\x00\x05hello", b"\x00" * 100, b"\xff\n\nnoise"])
def test_noise_on_the_tls_port_is_dropped_quietly(
    noise: bytes, serve_tls: Serve, wrap: Wrap, quiet: None, capfd: pytest.CaptureFixture[str]
) -> None:
    """Scanners leave nothing in the log and nothing behind."""
    server = serve_tls(apps.hello)
    server.exchange(noise)
    assert until(lambda: server.server.admission.total == 0)
    assert server.client(wrap).is_open()
    assert capfd.readouterr().err == ""


def test_a_stream_over_tls_ends_with_a_close_notify(serve_tls: Serve, wrap: Wrap) -> None:
    """Only then does a client know that the end is the end."""

    def app(environ: apps.Environ, start_response: Any) -> Any:
        start_response("200 OK", [])
        yield b"all of it"

    client = serve_tls(app).client(wrap)
    assert isinstance(client.socket, ssl.SSLSocket)
    client.socket.suppress_ragged_eofs = False
    assert client.ask(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n").body == b"all of it"


def test_a_missing_certificate_is_an_error_at_start(serve: Serve, tmp_path: Path) -> None:
    """It is not noticed by the first client."""
    with pytest.raises(FileNotFoundError):
        serve(apps.hello, certificate_path=tmp_path / "missing.pem")
