"""rclone, Cyberduck, and programs on phones."""

from __future__ import annotations

import base64
import plistlib
import re
import secrets

from .drive import Drive, Kit

#: With which rclone keeps passwords from being read over a shoulder; it is in
#: its source (fs/config/obscure), and protects from nothing else.
_RCLONE_KEY = bytes.fromhex("9c935b48730a554d6bfd7c63c886a92bd390198eb8128afbf4de162b8b95f638")


def rclone(drive: Drive) -> Kit:
    """Make a section of rclone.conf."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", drive.label).strip("-").lower() or "davhost"
    content = (
        f"[{name}]\ntype = webdav\nurl = {drive.url}\nvendor = other\n"
        f"user = {drive.email}\npass = {obscure(drive.password)}\n"
    )
    return Kit(
        title="rclone",
        steps=(
            "Download the file and add it to rclone's own: "
            "`cat ~/Downloads/rclone.conf >> ~/.config/rclone/rclone.conf`",
            f"See that it works: `rclone lsf {name}:`",
            f"Mount it: `rclone mount --vfs-cache-mode writes {name}: ~/drive`",
        ),
        file_name="rclone.conf",
        content=content,
    )


def obscure(password: str, start: bytes | None = None) -> str:
    """Write a password as rclone keeps it: AES in counter mode under a key that all know.

    Args:
        start: the initial counter, 16 random bytes unless it is said.
    """
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    start = secrets.token_bytes(16) if start is None else start
    encryptor = Cipher(algorithms.AES(_RCLONE_KEY), modes.CTR(start)).encryptor()
    octets = start + encryptor.update(password.encode()) + encryptor.finalize()
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def cyberduck(drive: Drive) -> Kit:
    """Make a bookmark of Cyberduck and Mountain Duck."""
    bookmark = {
        "Protocol": "davs" if drive.is_https else "dav",
        "Provider": "iterate GmbH",
        "Nickname": drive.label,
        "Hostname": drive.host,
        "Port": str(drive.port),
        "Username": drive.email,
        "Path": "/",
    }
    return Kit(
        title="Cyberduck, Mountain Duck",
        steps=(
            "Download the file and open it: Cyberduck takes it among its bookmarks.",
            "Open the bookmark and type the password from above; let it be remembered.",
        ),
        file_name="drive.duck",
        media_type="application/octet-stream",
        content=plistlib.dumps(bookmark).decode(),
    )


def phone(drive: Drive) -> Kit:
    """Say what programs on phones ask for; codes to scan stand beside it."""
    return Kit(
        title="Phone or tablet",
        steps=(
            "Get a program that speaks WebDAV: on Android for example Material Files or Solid "
            "Explorer, on iPhone and iPad for example Owlfiles or Documents.",
            f"Add a WebDAV server there: address `{drive.url}`, user name `{drive.email}`.",
            "Scan the codes with the camera and copy instead of typing: the first is the address, "
            "the second the password.",
        ),
    )
