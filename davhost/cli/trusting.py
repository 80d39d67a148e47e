"""The words that bring a computer to trust the server's own certificate authority. Pure."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

#: What the copy is called on other computers; Windows and Android want this ending.
_COPY = "davhost-ca.crt"


def instructions(authority: Path, fingerprint: str) -> str:
    """How every system comes to trust the certificate *authority* of this server."""
    parts = [
        f"Every computer has to trust the authority once. Copy {authority}",
        f"to it as {_COPY}, by e-mail or USB stick: it is no secret. Its SHA-256 is",
        f"    {fingerprint}",
        f"{authority.with_name('ca.key')} can vouch for any name:",
        "keep it as you keep passwords, and do not copy it.",
        "",
    ]
    for title, text in _SECTIONS:
        parts += [f"  {title}", indent(dedent(text).strip("\n"), "      "), ""]
    return "\n".join(parts)


_SECTIONS = (
    (
        "Windows (a terminal as administrator; Explorer, net use, Office and Cyberduck)",
        f"certutil -addstore -f Root {_COPY}",
    ),
    (
        "macOS (a terminal; Finder, Safari, Office and Cyberduck)",
        f"""
        sudo security add-trusted-cert -d -r trustRoot \\
            -k /Library/Keychains/System.keychain {_COPY}
        """,
    ),
    (
        "Debian, Ubuntu (GNOME Files, KDE, curl, rclone, cadaver, LibreOffice)",
        f"""
        sudo install -m 644 {_COPY} /usr/local/share/ca-certificates/{_COPY}
        sudo update-ca-certificates
        """,
    ),
    (
        "Fedora (the same)",
        f"""
        sudo install -m 644 {_COPY} /etc/pki/ca-trust/source/anchors/{_COPY}
        sudo update-ca-trust
        """,
    ),
    (
        "davfs2",
        f"""
        sudo install -m 644 {_COPY} /etc/davfs2/certs/{_COPY}
        echo 'trust_ca_cert {_COPY}' | sudo tee -a /etc/davfs2/davfs2.conf
        """,
    ),
    (
        "One program only, without telling the system",
        f"""
        rclone --ca-cert {_COPY} lsf davhost:
        curl --cacert {_COPY} ...
        lftp -e 'set ssl:ca-file {_COPY}' ...
        """,
    ),
    (
        "iPhone, iPad (open the file there)",
        """
        Settings > General > VPN & Device Management > install the profile, then
        Settings > General > About > Certificate Trust Settings > switch it on
        """,
    ),
    (
        "Android",
        """
        Settings > Security > Encryption & credentials > Install a certificate > CA certificate
        """,
    ),
)
