"""Certificates of one's own: what they say, and that strict programs verify them."""

import ssl
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from davhost import certificates
from davhost.bootstrap.own_certificate import ends_soon, own_names
from davhost.settings import Settings, load
from tests.needs import program
from tests.unit.test_cli import Commands, commands

__all__ = ["commands"]

NOW = datetime.now(UTC).replace(microsecond=0)
NAMES = ("nas.local", "192.0.2.7", "2001:db8::7", "*.example.org", "localhost")


@pytest.fixture(scope="module")
def authority() -> certificates.Authority:
    """One authority, now."""
    return certificates.make_authority("nas", NOW)


def certificate_of(pem: bytes) -> x509.Certificate:
    """Read the certificate of a file that holds a key too."""
    return x509.load_pem_x509_certificate(pem)


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(
    ("option", "name", "holds"),
    [
        ("-verify_hostname", "nas.local", True),
        ("-verify_hostname", "drive.example.org", True),
        ("-verify_ip", "192.0.2.7", True),
        ("-verify_ip", "2001:db8::7", True),
        ("-verify_hostname", "other.local", False),
        ("-verify_ip", "192.0.2.8", False),
    ],
)
def test_openssl_verifies_the_chain(authority, tmp_path, option, name, holds):
    """Strictly, as a server's certificate, for each of its names and no other."""
    (tmp_path / "ca.pem").write_bytes(certificates.certificate_pem(authority))
    (tmp_path / "server.pem").write_bytes(certificates.make_server(authority, NAMES, NOW))
    command = [program("openssl"), "verify", "-x509_strict", "-purpose", "sslserver"]
    command += ["-CAfile", "ca.pem", option, name, "server.pem"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is holds, done.stdout + done.stderr


def test_the_certificate_is_one_that_apple_takes(authority):
    """At most 825 days, for servers, with its names in the extension, signed with SHA-256."""
    certificate = certificate_of(certificates.make_server(authority, NAMES, NOW))
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert life <= timedelta(days=825)
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert certificate.signature_hash_algorithm is not None
    assert certificate.signature_hash_algorithm.name == "sha256"
    assert certificates.names_in(certificate.public_bytes(certificates.Encoding.PEM)) == NAMES


def test_the_authority_signs_servers_only_and_no_other_authority(authority):
    """A path length of 0: what it signs can sign nothing."""
    limits = authority.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert limits.critical
    assert (limits.value.ca, limits.value.path_length) == (True, 0)


def test_a_certificate_does_not_outlive_its_authority(authority):
    """Near its end the authority signs for what is left, and after it nothing."""
    end = authority.certificate.not_valid_after_utc
    late = certificates.make_server(authority, NAMES, end - timedelta(days=10))
    assert certificates.end_of(late) == end
    with pytest.raises(ValueError, match="expired"):
        certificates.make_server(authority, NAMES, end)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("NAS.local", "nas.local"),
        ("drive.example.org.", "drive.example.org"),
        ("büro.example", "xn--bro-hoa.example"),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:DB8:0::7", "2001:db8::7"),
        ("*.example.org", "*.example.org"),
    ],
)
def test_names_are_read_as_people_write_them(text, name):
    """Host names in any case and alphabet, addresses of both kinds."""
    assert certificates.parse_name(text) == name


@pytest.mark.parametrize(
    "text", ["", "https://nas/", "nas:8080", "a b", "-nas", "a..b", "[::1]", "a*", "x" * 64]
)
def test_what_is_no_name_is_refused(text):
    """An address with a port would make a certificate that fits nothing."""
    with pytest.raises(ValueError, match="neither a host name nor an address"):
        certificates.parse_name(text)


def test_the_address_that_people_type_is_a_name():
    """public_url says it already; the address of all networks is nobody's name."""
    settings = Settings(public_url="https://drive.example.org:8443/", host="0.0.0.0")
    names = own_names(settings)
    assert "drive.example.org" in names
    assert "0.0.0.0" not in names


# The command


def pem(commands: Commands, name: str) -> bytes:
    """Read a file that the command made."""
    return (commands.data / "tls" / name).read_bytes()


def test_init_makes_keys_that_nobody_else_reads(commands):
    """And a certificate for this machine; it says where, for what, and how to trust it."""
    said = commands.do("tls", "init")
    assert {"localhost", "127.0.0.1", "::1"} < set(
        certificates.names_in(pem(commands, "server.pem"))
    )
    for name in ("ca.key", "server.pem"):
        assert stat.S_IMODE((commands.data / "tls" / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((commands.data / "tls").stat().st_mode) == 0o700
    assert str(commands.data / "tls/ca.pem") in said
    assert certificates.fingerprint(pem(commands, "ca.pem")) in said
    for system in ("certutil", "security add-trusted-cert", "update-ca-certificates", "Android"):
        assert system in said
        assert system in commands.do("tls", "trust")


def test_init_again_renews_and_never_replaces_the_authority(commands):
    """The key and the certificate are new, its names are those of before."""
    commands.do("tls", "init", "--name", "nas.local", "--name", "192.0.2.7")
    authority, before = (
        pem(commands, "ca.pem") + pem(commands, "ca.key"),
        pem(commands, "server.pem"),
    )
    said = commands.do("tls", "init")
    assert "certutil" not in said
    after = pem(commands, "server.pem")
    assert after != before
    assert pem(commands, "ca.pem") + pem(commands, "ca.key") == authority
    expected = ("nas.local", "192.0.2.7", "localhost", "127.0.0.1", "::1")
    assert certificates.names_in(before) == certificates.names_in(after) == expected


def test_other_names_take_the_place_of_those_before(commands):
    """A server that has moved gets a certificate for where it is now."""
    commands.do("tls", "init", "--name", "old.local")
    commands.do("tls", "init", "--name", "new.local")
    names = certificates.names_in(pem(commands, "server.pem"))
    assert "new.local" in names
    assert "old.local" not in names


@pytest.mark.parametrize("spoil", ["ca.key", "ca.pem", "server.pem"])
def test_what_is_damaged_is_refused_in_one_line(commands, spoil):
    """Nothing is overwritten that devices may trust."""
    commands.do("tls", "init")
    (commands.data / "tls" / spoil).write_bytes(b"nonsense")
    assert len(commands.fail("tls", "init").splitlines()) == 1
    assert pem(commands, spoil) == b"nonsense"


def test_what_is_no_name_is_a_mistake_of_the_command(commands):
    """A URL is not a name; nothing is made."""
    assert "neither a host name" in commands.fail("tls", "init", "--name", "https://nas/")
    assert not commands.data.exists()
    assert "tls init" in commands.fail("tls", "trust")


def test_serve_finds_what_init_made_unless_it_is_told_otherwise(commands, tmp_path):
    """`auto` is the default; a file or `none` in the settings wins."""

    def found(**environment: str) -> Path | None:
        options = {"data_dir": commands.data}
        return load(
            environment=environment, folder=tmp_path, options=options
        ).settings.certificate_path

    assert found() is None
    commands.do("tls", "init")
    assert found() == commands.data / "tls/server.pem"
    assert found(DAVHOST_TLS_CERTIFICATE="auto") == commands.data / "tls/server.pem"
    assert found(DAVHOST_TLS_CERTIFICATE="none") is None
    assert found(DAVHOST_TLS_CERTIFICATE="other.pem") == tmp_path / "other.pem"


def test_init_says_when_the_settings_name_another_certificate(commands, monkeypatch):
    """Otherwise one would wonder why nothing changes."""
    monkeypatch.setenv("DAVHOST_TLS_CERTIFICATE", "none")
    assert f"tls_certificate: {commands.data}/tls/server.pem" in commands.do("tls", "init")


def test_a_certificate_that_ends_soon_is_told_of(commands):
    """A month before, and when it is too late."""
    commands.do("tls", "init")
    settings = Settings(data_dir=commands.data)
    ends_at = certificates.end_of(pem(commands, "server.pem"))
    assert ends_soon(settings) is None
    assert ends_soon(settings, ends_at - timedelta(days=31)) is None
    for days in (29, 0, -1):
        assert ends_soon(settings, ends_at - timedelta(days=days)) == ends_at
    assert ends_soon(Settings(data_dir=commands.data, tls_certificate=None)) is None


def test_one_file_holds_the_key_and_its_certificate(commands):
    """They change together: whoever loads it between two renewals loads a pair."""
    commands.do("tls", "init")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(commands.data / "tls/server.pem")
