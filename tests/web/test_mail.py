"""The postman against a real mail server: encrypted, signed in, or not at all."""

from __future__ import annotations

import logging
import ssl
import subprocess
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from davhost.mail import MailOptions, Postman
from tests.web.mailbox import Mailbox, serving


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost, and its key in one file."""
    folder = tmp_path_factory.mktemp("certificate")
    file = folder / "both.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run([*make, "-keyout", key, "-out", cert], check=True, capture_output=True)
    file.write_text(key.read_text() + cert.read_text())
    return file


def _context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def _authenticator(_server, _session, _envelope, _mechanism, login) -> AuthResult:
    assert isinstance(login, LoginPassword)
    return AuthResult(success=(login.login, login.password) == (b"drive", b"s3cret"))


def test_mail_goes_encrypted_and_signed_in(certificate: Path) -> None:
    """STARTTLS comes before the password."""
    mailbox = Mailbox()
    options = {
        "tls_context": _context(certificate),
        "require_starttls": True,
        "authenticator": _authenticator,
        "auth_required": True,
    }
    with serving(mailbox, **options) as port:
        told = MailOptions(
            "localhost", port, "d@example.org", "starttls", "drive", "s3cret", str(certificate)
        )
        Postman(told).send("ada@example.org", "Grüße", "ein Satz mit ü")
    mail = mailbox.wait(1)
    assert mail["Subject"] == "Grüße"
    assert mail.get_content().strip() == "ein Satz mit ü"
    assert mail["Auto-Submitted"] == "auto-generated"


def test_a_server_without_encryption_gets_no_mail() -> None:
    """Nobody in between can talk us out of it."""
    mailbox = Mailbox()
    with serving(mailbox) as port:
        postman = Postman(MailOptions("localhost", port, "d@example.org", "starttls"))
        with pytest.raises(OSError, match="STARTTLS"):
            postman.send("ada@example.org", "x", "x")
    assert mailbox.mails == []


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path) -> None:
    """The mail server must be the one that was meant."""
    mailbox = Mailbox()
    with serving(mailbox, tls_context=_context(certificate)) as port:
        postman = Postman(MailOptions("localhost", port, "d@example.org", "starttls"))
        with pytest.raises(ssl.SSLCertVerificationError):
            postman.send("ada@example.org", "x", "x")
    assert mailbox.mails == []


def test_a_mail_that_fails_is_logged_and_the_next_one_goes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One bad address does not hold up the others."""
    mailbox = Mailbox()
    with serving(mailbox) as port, caplog.at_level(logging.ERROR, "davhost.mail"):
        postman = Postman(MailOptions("127.0.0.1", port, "d@example.org", "none"))
        postman.soon(lambda: postman.send("no\nbody", "x", "x"))
        postman.soon(lambda: postman.send("ada@example.org", "x", "x"))
        assert mailbox.wait(1)["To"] == "ada@example.org"
    assert "a mail was not sent" in caplog.text
