"""A refused upload costs little, its client reads the answer, nothing desyncs."""

import ssl
import time
from typing import Any

import pytest

from tests.server import apps
from tests.server.conftest import Serve
from tests.server.wire import Client, rss_bytes

PUT = b"PUT /f HTTP/1.1\r\nHost: x\r\n"
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def send_all_or_reset(client: Client, blocks: int) -> int:
    """Send MiB after MiB until done or cut; return how many went out."""
    block = bytes(2**20)
    for sent in range(blocks):
        try:
            client.send(block)
        except OSError:
            return sent
    return blocks


def test_a_small_refused_body_keeps_the_connection(serve: Serve) -> None:
    """The rest of the body is dropped, and not read as the next request."""
    client = serve(apps.refuse).client()
    body = b"GET /evil HTTP/1.1\r\nHost: x\r\n\r\n" * 100
    for _ in range(3):
        reply = client.ask(PUT + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert reply.status == 403
        assert "connection" not in reply.headers
    assert client.ask(GET).body == b"hello"


def test_a_small_refused_body_that_comes_late_keeps_the_connection(serve: Serve) -> None:
    """The answer does not wait for the body, and the body is dropped when it comes."""
    client = serve(apps.refuse).client()
    assert client.ask(PUT + b"Content-Length: 30\r\n\r\n").status == 403
    client.send(b"GET /evil HTTP/1.1\r\nHost: x\r\n\r\n"[:30])
    assert client.ask(GET).body == b"hello"


def test_a_small_refused_body_that_never_comes_closes(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiting for a promised body is bounded in time."""
    monkeypatch.setattr("davhost.server.requests._DRAIN_SECONDS", 0.1)
    client = serve(apps.refuse).client()
    assert client.ask(PUT + b"Content-Length: 30\r\n\r\n").status == 403
    assert client.is_closed()


def test_a_refused_chunked_body_closes(serve: Serve) -> None:
    """Its chunks are not read as the next request; cheroot answers them with 400."""
    client = serve(apps.refuse).client()
    reply = client.ask(PUT + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" + GET)
    assert reply.status == 403
    assert reply.headers["connection"] == "close"
    assert client.is_closed()


@pytest.mark.parametrize("framing", [b"Content-Length: 209715200", b"Transfer-Encoding: chunked"])
def test_a_refused_body_of_200_mib_costs_no_memory(framing: bytes, serve: Serve) -> None:
    """cheroot reads the whole body into memory before it sends its answer."""
    client = serve(apps.refuse).client()
    client.send(PUT + framing + b"\r\n\r\n")
    if b"chunked" in framing:
        client.send(b"c800000\r\n")
    before = rss_bytes()
    send_all_or_reset(client, 200)
    assert rss_bytes() - before < 16 * 2**20
    reply = client.reply()
    assert (reply.status, reply.body) == (403, b"refused")
    assert reply.headers["connection"] == "close"


def test_a_client_reads_its_refusal_although_it_goes_on_sending(serve: Serve) -> None:
    """The connection is read out for a while instead of being reset at once."""
    client = serve(apps.refuse).client()
    client.send(PUT + b"Content-Length: 1000000000\r\n\r\n")
    for _ in range(20):
        client.send(bytes(100_000))
        time.sleep(0.01)
    assert client.reply().body == b"refused"


def test_reading_out_a_closed_connection_ends(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that never stops sending is cut in the end."""
    monkeypatch.setattr("davhost.server.connections.LINGER_SECONDS", 0.3)
    client = serve(apps.refuse).client()
    assert client.ask(PUT + b"Content-Length: 1000000000000\r\n\r\n").status == 403
    assert send_all_or_reset(client, 10**6) < 10**6


def test_reading_out_needs_no_thread(serve: Serve) -> None:
    """Refused clients that stay connected do not hold the server."""
    server = serve(apps.refuse, threads=1, threads_max=1)
    for _ in range(20):
        client = server.client()
        assert client.ask(PUT + b"Content-Length: 1000000000\r\n\r\nx").status == 403
    assert server.client().is_open()


def test_a_client_is_not_invited_to_send_what_is_refused(serve: Serve) -> None:
    """No 100 Continue before the application reads, and the connection closes."""
    client = serve(apps.refuse).client()
    reply = client.ask(PUT + b"Content-Length: 10\r\nExpect: 100-continue\r\n\r\n")
    assert reply.status == 403
    assert reply.headers["connection"] == "close"
    assert client.is_closed()


@pytest.mark.parametrize("expectation", [b"100-continue", b"100-Continue"])
def test_a_client_is_invited_when_the_body_is_read(expectation: bytes, serve: Serve) -> None:
    """100 Continue comes with the first read, once, and then the answer."""
    client = serve(apps.echo).client()
    for _ in range(2):
        head = PUT + b"Content-Length: 5\r\nExpect: %b\r\n\r\n" % expectation
        assert client.ask(head).status == 100
        assert client.ask(b"hello").body == b"hello"


def test_an_old_client_is_not_sent_100_continue(serve: Serve) -> None:
    """HTTP/1.0 does not know it (RFC 9110 section 10.1.1)."""
    client = serve(apps.echo).client()
    head = b"PUT / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello"
    assert client.ask(head).body == b"hello"


def test_an_empty_body_is_not_invited(serve: Serve) -> None:
    """There is nothing to send, so the answer comes alone."""
    client = serve(apps.echo).client()
    assert client.ask(PUT + b"Content-Length: 0\r\nExpect: 100-continue\r\n\r\n").status == 200
    assert client.is_open()


def test_an_answer_may_begin_before_the_body_is_read(serve: Serve) -> None:
    """The body is not taken from an application that answers while it reads."""

    def app(environ: apps.Environ, start_response: Any) -> Any:
        start_response("200 OK", [])
        yield b"first "
        yield environ["wsgi.input"].read()

    client = serve(app).client()
    assert client.ask(PUT + b"Content-Length: 5\r\n\r\nhello").body == b"first hello"


def test_pipelined_requests_are_answered_in_order(serve: Serve) -> None:
    """Several requests in one segment are several requests."""
    client = serve(apps.echo).client()
    bodies = [b"one", b"two", b"three"]
    client.send(b"".join(PUT + b"Content-Length: %d\r\n\r\n%b" % (len(b), b) for b in bodies))
    assert [client.reply().body for _ in bodies] == bodies


@pytest.mark.needs("openssl")
def test_a_client_reads_its_refusal_over_tls_too(serve: Serve, certificate: Any) -> None:
    """The close of a refused upload is gentle under TLS as well."""
    chain, key = certificate("localhost")
    server = serve(apps.refuse, certificate_path=chain, private_key_path=key)
    context = ssl.create_default_context(cafile=chain)
    client = server.client(lambda sock: context.wrap_socket(sock, server_hostname="localhost"))
    client.send(PUT + b"Content-Length: 1000000000\r\n\r\n")
    for _ in range(20):
        client.send(bytes(10_000))
    assert client.reply().body == b"refused"
