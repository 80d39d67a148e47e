"""Fixtures: servers that end with their test."""

import logging
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.needs import program
from tests.server.wire import LiveServer, start

Serve = Callable[..., LiveServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start servers for applications; stop them at the end."""
    started: list[LiveServer] = []

    def serve_app(app: Callable[..., Any], **options: Any) -> LiveServer:
        started.append(start(app, **options))
        return started[-1]

    yield serve_app
    for server in started:
        server.stop()


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Check that the test left nothing in the log above debug level."""
    yield
    noise = [r for r in caplog.get_records("call") if r.levelno > logging.DEBUG]
    assert noise == []


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, Path]]:
    """Make self-signed certificates for localhost, one per name."""
    folder = tmp_path_factory.mktemp("certificates")

    def make(name: str) -> tuple[Path, Path]:
        chain, key = folder / f"{name}.pem", folder / f"{name}.key"
        if not chain.exists():
            _self_sign(name, chain, key)
        return chain, key

    return make


def _self_sign(name: str, chain: Path, key: Path) -> None:
    command = [program("openssl"), "req", "-x509", "-newkey", "ec"]
    command += ["-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    command += ["-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command += ["-keyout", str(key), "-out", str(chain)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
