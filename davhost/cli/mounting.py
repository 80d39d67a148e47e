"""The words that bring a person from the address to a mounted drive. Pure."""

from __future__ import annotations

import socket
from textwrap import dedent, indent
from urllib.parse import quote, urlsplit

from davhost.settings import Settings

#: Hosts that stand for every address of the machine.
ANY_ADDRESS = ("0.0.0.0", "::", "")  # noqa: S104 - compared, not bound
_WEBCLIENT = r"HKLM\SYSTEM\CurrentControlSet\Services\WebClient\Parameters"


def server_url(settings: Settings, port: int) -> str:
    """The address of the root as this machine knows it.

    Args:
        port: where the server listens; `settings.port` may be 0.
    """
    scheme = "http" if settings.certificate_path is None else "https"
    host = socket.gethostname() if settings.host in ANY_ADDRESS else settings.host
    host = f"[{host}]" if ":" in host else host
    standard = {"http": 80, "https": 443}[scheme]
    return f"{scheme}://{host}{'' if port == standard else f':{port}'}/"


def instructions(url: str, email: str) -> str:
    """How to mount *url* on every system, for the account *email*."""
    parts = [f"How to mount {url} as {email}:", ""]
    for title, text in _sections(url, email):
        parts += [f"  {title}", indent(dedent(text).strip("\n"), "      "), ""]
    return "\n".join(parts)


def _sections(url: str, email: str) -> list[tuple[str, str]]:
    address = urlsplit(url)
    tls = address.scheme == "https"
    login = f"{quote(email, safe='')}@{address.netloc}"
    port = address.port or (443 if tls else 80)
    return [
        ("Windows (a terminal as administrator, once)", _windows_registry(tls)),
        (
            "Windows (every user: a terminal, or Explorer > This PC > Map network drive)",
            f"net use * {url} /user:{email} /persistent:yes",
        ),
        ("macOS (Finder > Go > Connect to Server, Cmd-K)", url),
        ("GNOME (Files > Network, or a terminal)", f"gio mount dav{'s' * tls}://{login}/"),
        ("KDE (the address bar of Dolphin)", f"webdav{'s' * tls}://{login}/"),
        (
            "Linux with davfs2",
            f"""
            echo 'buf_size 64' | sudo tee -a /etc/davfs2/davfs2.conf   # kernel 6.16 and newer
            sudo mount -t davfs {url} /mnt -o uid=$(id -u),username={email}
            """,
        ),
        (
            "rclone",
            f"""
            rclone config create --obscure davhost webdav url={url} vendor=owncloud \\
                user={email} pass='your password'
            rclone lsf davhost:
            """,
        ),
        (
            "Cyberduck, Mountain Duck, phones (a WebDAV bookmark)",
            f"""
            {"WebDAV (HTTPS)" if tls else "WebDAV (HTTP)"}, server {address.hostname}, \
port {port}, user name {email}, path /
            """,
        ),
    ]


def _windows_registry(tls: bool) -> str:
    # Windows signs in with Basic over TLS only, and takes files up to 47 MiB,
    # until the registry says otherwise.
    lines = [f"reg add {_WEBCLIENT} /v FileSizeLimitInBytes /t REG_DWORD /d 4294967295 /f"]
    if not tls:
        lines.append(f"reg add {_WEBCLIENT} /v BasicAuthLevel /t REG_DWORD /d 2 /f")
    lines += ["sc.exe config WebClient start= auto", "net stop WebClient", "net start WebClient"]
    return "\n".join(lines)
