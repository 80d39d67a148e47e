"""Running other people's programs, and the machines that they think they run on."""

import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.live.wait import PATIENCE_SECONDS
from tests.needs import program


def run_program(
    *command: str, home: Path, environment: Mapping[str, str], stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run a program that must succeed, in a home of its own, and capture what it prints."""
    done = subprocess.run(
        [program(command[0]), *command[1:]],
        input=stdin,
        cwd=home,
        env=environment,
        capture_output=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr.decode(errors="replace"))
    return done


#: Where GnuTLS, OpenSSL and curl on Debian look for whom to trust.
_TRUSTED_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"


def trusting(authority: Path | None) -> list[str]:
    """Spell the beginning of a command that runs where *authority* is the one that is trusted.

    For programs that ask the system whom to trust: as after `update-ca-certificates`,
    in a mount namespace of their own, so that the machine stays as it is. Needs root.
    """
    if authority is None:
        return []
    script = f'mount --bind "$0" {_TRUSTED_AUTHORITIES} && exec "$@"'
    return [program("unshare"), "--mount", "sh", "-c", script, str(authority)]


def free_port() -> int:
    """Find a TCP port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def assert_listens(port: int) -> None:
    """Fail until somebody accepts connections."""
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) == 0
