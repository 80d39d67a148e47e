"""The certificate authority in the data folder, and the certificate that it signs.

The authority is made once and never again: devices trust it. What it signs is
made anew each time, key and all, and takes its place in one step.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from davhost import certificates
from davhost.certificates import Authority
from davhost.clock import SystemClock
from davhost.settings import BadSettings, Settings

#: By these the server is known to the machine that it runs on.
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
#: Renewing by hand should not be a matter of hours.
_SOON = timedelta(days=30)
#: Documentation addresses (RFC 5737, RFC 3849): nothing is sent to them.
_ELSEWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """What was made.

    Args:
        authority_path: the certificate that devices are to trust.
        server_path: key and certificate of the server.
        is_new: whether devices have yet to be told about the authority.
    """

    authority_path: Path
    server_path: Path
    names: tuple[str, ...]
    ends_at: datetime
    is_new: bool


def authority_path(settings: Settings) -> Path:
    """Where the certificate of the authority is; `ca.key` beside it is its key."""
    return settings.own_certificate_path.with_name("ca.pem")


def make(settings: Settings, names: Sequence[str]) -> OwnCertificate:
    """Make the server's certificate, and the authority if there is none.

    Args:
        names: what the server is called besides the local names; without any
            those of the certificate before, or what this machine is called.

    Raises:
        BadSettings: what is there is no authority, or has expired.
        OSError: the folder cannot be written to.
    """
    now = _now()
    public, server = authority_path(settings), settings.own_certificate_path
    for folder in (settings.data_dir, public.parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    is_new = not public.exists()
    try:
        authority = _make_authority(public, now) if is_new else _read_authority(public)
        chosen = _unique([*(names or _names_before(server) or own_names(settings)), *LOCAL_NAMES])
        pem = certificates.make_server(authority, chosen, now)
    except ValueError as error:
        raise BadSettings(f"{public}: {error}") from error
    _write(server, pem, mode=0o600)
    ends_at = certificates.end_of(pem)
    return OwnCertificate(public, server, chosen, ends_at, is_new)


def fingerprint(settings: Settings) -> str:
    """The SHA-256 of the authority's certificate, to compare with what a system shows.

    Raises:
        BadSettings: what is there is no certificate.
    """
    public = authority_path(settings)
    try:
        return certificates.fingerprint(public.read_bytes())
    except ValueError as error:
        raise BadSettings(f"{public}: {error}") from error


def ends_soon(settings: Settings, now: datetime | None = None) -> datetime | None:
    """Tell when the certificate that is served with ends; None if that is far away."""
    end = end_at(settings)
    return end if end is not None and end < (now or _now()) + _SOON else None


def end_at(settings: Settings) -> datetime | None:
    """Tell when the certificate that is served with ends; None without one, or if nobody knows.

    Raises:
        OSError: the file cannot be read.
    """
    if settings.certificate_path is None:
        return None
    try:
        return certificates.end_of(settings.certificate_path.read_bytes())
    except ValueError:  # OpenSSL reads more kinds of files
        return None


def own_names(settings: Settings) -> tuple[str, ...]:
    """Find what other computers call this one: host name, mDNS name, addresses."""
    host = socket.gethostname()
    found = [host, *([] if "." in host else [f"{host}.local"])]
    if settings.public_url is not None:
        found.append(urlsplit(settings.public_url).hostname or "")
    parsed = []
    for name in [*found, settings.host, *_addresses()]:
        # A host name may hold what no certificate can: then it is left out.
        with suppress(ValueError):
            parsed.append(certificates.parse_name(name))
    return _unique([name for name in parsed if name not in ("0.0.0.0", "::")])  # noqa: S104 - compared


def _now() -> datetime:
    return datetime.fromtimestamp(SystemClock(0).now_us() // 1_000_000, UTC)


def _make_authority(public: Path, now: datetime) -> Authority:
    """The key comes first: a certificate without it would be of no use for ever."""
    authority = certificates.make_authority(socket.gethostname(), now)
    _write(public.with_name("ca.key"), certificates.private_pem(authority.key), mode=0o600)
    _write(public, certificates.certificate_pem(authority), mode=0o644)
    return authority


def _read_authority(public: Path) -> Authority:
    return certificates.read_authority(public.read_bytes(), public.with_name("ca.key").read_bytes())


def _names_before(server: Path) -> tuple[str, ...]:
    return certificates.names_in(server.read_bytes()) if server.exists() else ()


def _addresses() -> Iterator[str]:
    """The addresses from which this machine talks to others."""
    for family, elsewhere in _ELSEWHERE:
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((elsewhere, 9))
            yield str(probe.getsockname()[0])


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _write(file: Path, content: bytes, *, mode: int) -> None:
    """Put *content* in the place of the file, on the disk, in one step."""
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as target:
        target.write(content)
        target.flush()
        os.fsync(descriptor)
    fresh.replace(file)
