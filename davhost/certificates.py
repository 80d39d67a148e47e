"""A private certificate authority, and the certificates of a server that it signs.

For people who have no domain name: a drive at home, in a class, in an office.
Pure: names, keys and times come in, PEM goes out; nothing here touches a disk.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

#: As long as one would keep devices: each has to be told about the authority by hand.
AUTHORITY_DAYS = 3650
#: macOS and iOS take no server certificate that is valid for more than 825 days,
#: also of authorities that people added themselves (support.apple.com/103769).
SERVER_DAYS = 820
#: Clocks of clients may be behind.
_BACKDATED = timedelta(days=1)

_COMMON_NAME_CHARACTERS_MAX = 64  # RFC 5280, appendix A.1, ub-common-name
_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST_NAME = re.compile(rf"(\*\.)?{_LABEL}(\.{_LABEL})*")

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Authority:
    """Who signs: a certificate that devices come to trust, and its key.

    It is not constrained to some names (RFC 5280 section 4.2.1.10): a server
    that gets another name or address would need another authority, and every
    device would have to be told again.
    """

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey


def make_authority(name: str, now: datetime) -> Authority:
    """Make an authority for the server of the machine *name*."""
    key = generate_private_key(SECP256R1())
    common = x509.NameAttribute(
        NameOID.COMMON_NAME, f"davhost {name}"[:_COMMON_NAME_CHARACTERS_MAX]
    )
    subject = x509.Name([common])
    builder = (
        _valid(x509.CertificateBuilder(), now, now + timedelta(days=AUTHORITY_DAYS))
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return Authority(builder.sign(key, SHA256()), key)


def make_server(authority: Authority, names: Sequence[str], now: datetime) -> bytes:
    """Make a key and a certificate for a server, as one PEM file of both.

    Args:
        names: host names and addresses, parsed by `parse_name`.

    Raises:
        ValueError: the authority has expired.
    """
    issuer = authority.certificate
    if issuer.not_valid_after_utc <= now:
        raise ValueError("the authority has expired: move its folder away to have a new one")
    key = generate_private_key(SECP256R1())
    end = min(now + timedelta(days=SERVER_DAYS), issuer.not_valid_after_utc)
    ours = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    theirs = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        _valid(x509.CertificateBuilder(), now, end)
        .subject_name(_subject(names[0]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .add_extension(
            x509.SubjectAlternativeName([_general(name) for name in names]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(ours, critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(theirs), critical=False
        )
    )
    certificate = builder.sign(authority.key, SHA256())
    return private_pem(key) + certificate.public_bytes(Encoding.PEM)


def read_authority(certificate_pem: bytes, key_pem: bytes) -> Authority:
    """Read an authority that was made before.

    Raises:
        ValueError: it is none, or the two do not belong together.
    """
    certificate = x509.load_pem_x509_certificate(certificate_pem)
    key = load_pem_private_key(key_pem, None)
    if not isinstance(key, EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise ValueError("the key is not that of the certificate")
    return Authority(certificate, key)


def names_in(server_pem: bytes) -> tuple[str, ...]:
    """List the host names and addresses that a server's certificate is for.

    Raises:
        ValueError: it is no certificate.
    """
    certificate = x509.load_pem_x509_certificate(server_pem)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return tuple(str(name.value) for name in names)


def fingerprint(pem: bytes) -> str:
    """Write the SHA-256 of a certificate as systems show it.

    Raises:
        ValueError: it is no certificate.
    """
    return x509.load_pem_x509_certificate(pem).fingerprint(SHA256()).hex(":").upper()


def end_of(server_pem: bytes) -> datetime:
    """Tell until when a certificate is valid."""
    return x509.load_pem_x509_certificate(server_pem).not_valid_after_utc


def certificate_pem(authority: Authority) -> bytes:
    """Write the certificate of an authority, which is for everybody."""
    return authority.certificate.public_bytes(Encoding.PEM)


def private_pem(key: EllipticCurvePrivateKey) -> bytes:
    """Write a private key, which is for nobody else."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def parse_name(text: str) -> str:
    """Read a host name (international ones too, and ``*.example.org``) or an address.

    Raises:
        ValueError: it is neither.
    """
    address = _find_address(text)
    if address is not None:
        return str(address)
    try:
        name = text.lower().rstrip(".").encode("idna").decode()
    except UnicodeError:
        name = ""
    if not _HOST_NAME.fullmatch(name) or len(name) > 253:
        raise ValueError(f"{text!r} is neither a host name nor an address")
    return name


def _find_address(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _general(name: str) -> x509.GeneralName:
    address = _find_address(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(address)


def _subject(name: str) -> x509.Name:
    """Name a certificate for people to see; programs look at the extensions."""
    common = name[:_COMMON_NAME_CHARACTERS_MAX]
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _valid(
    builder: x509.CertificateBuilder, now: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        builder.serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(end)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
