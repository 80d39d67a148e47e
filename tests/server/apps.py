"""Tiny WSGI applications that tests serve."""

from typing import Any

Environ = dict[str, Any]
BLOCK_BYTES = 262144


def hello(environ: Environ, start_response: Any) -> list[bytes]:
    """Answer every request without reading its body."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


def refuse(environ: Environ, start_response: Any) -> list[bytes]:
    """Refuse a PUT without reading its body, answer everything else."""
    if environ["REQUEST_METHOD"] == "PUT":
        start_response("403 Forbidden", [])
        return [b"refused"]
    return hello(environ, start_response)


def count(environ: Environ, start_response: Any) -> list[bytes]:
    """Read the body to its end and answer with its length."""
    size = 0
    while block := environ["wsgi.input"].read(BLOCK_BYTES):
        size += len(block)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"%d" % size]


def echo(environ: Environ, start_response: Any) -> list[bytes]:
    """Answer with the request body."""
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return [body]


def echo_environ(environ: Environ, start_response: Any) -> list[bytes]:
    """Answer with the part of the environ that is text."""
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    lines = [f"{k}={v}" for k, v in sorted(environ.items()) if isinstance(v, str | bool)]
    return ["\n".join(lines).encode()]
