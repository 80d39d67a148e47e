"""davfs2: the drive as a file system, mounted by systemd."""

from __future__ import annotations

from .drive import Drive, Kit

#: Where it is mounted; the name of the unit follows from it.
POINT = "/mnt/davhost"
UNIT = "mnt-davhost.mount"

_UNIT = """\
[Unit]
Description=The drive of {email}
Wants=network-online.target
After=network-online.target

[Mount]
What={url}
Where={point}
Type=davfs
Options=_netdev,rw,uid={uid},gid={gid},file_mode=600,dir_mode=700
TimeoutSec=60

[Install]
WantedBy=remote-fs.target
"""

_SCRIPT = """\
#!/bin/sh
# Mounts the drive at {point}, now and after every start:
#     sudo sh install-drive.sh
# It writes {point}, its line in /etc/davfs2/secrets, and a unit of systemd.
set -eu
test "$(id -u)" = 0 || {{ echo "run it as root: sudo sh $0" >&2; exit 1; }}
command -v mount.davfs >/dev/null || {{ echo "davfs2 is missing: apt install davfs2" >&2; exit 1; }}
uid="${{SUDO_UID:-0}}"
gid="${{SUDO_GID:-0}}"

mkdir -p {point} /etc/davfs2
touch /etc/davfs2/secrets /etc/davfs2/davfs2.conf
chmod 600 /etc/davfs2/secrets
sed -i '\\|^{point} |d' /etc/davfs2/secrets
cat >> /etc/davfs2/secrets <<'END'
{secrets}END
# Since Linux 6.16 every folder looks empty with the buffer of before.
grep -q '^buf_size' /etc/davfs2/davfs2.conf || echo 'buf_size 64' >> /etc/davfs2/davfs2.conf

sed "s/@UID@/$uid/; s/@GID@/$gid/" > /etc/systemd/system/{unit_name} <<'END'
{unit}END
systemctl daemon-reload
systemctl enable --now {unit_name}
echo "The drive is at {point}."
"""


def davfs2(drive: Drive) -> Kit:
    """Make a script that installs the unit."""
    script = _SCRIPT.format(
        point=POINT,
        secrets=secrets(drive, POINT),
        unit=unit(drive, POINT, uid="@UID@", gid="@GID@"),
        unit_name=UNIT,
    )
    return Kit(
        title="Linux (davfs2 and systemd)",
        steps=(
            "Install davfs2: `sudo apt install davfs2`",
            "Download the file and run it: `sudo sh ~/Downloads/install-drive.sh`",
            f"The drive is at `{POINT}`, also after the next start. Delete the file, it holds "
            "the password.",
            f"To end it: `sudo systemctl disable --now {UNIT}`",
        ),
        file_name="install-drive.sh",
        media_type="text/x-shellscript",
        content=script,
    )


def secrets(drive: Drive, point: str) -> str:
    """Write the line of /etc/davfs2/secrets."""
    return f"{point} {_quoted(drive.email)} {_quoted(drive.password)}\n"


def unit(drive: Drive, point: str, *, uid: str, gid: str) -> str:
    """Write the unit of systemd that mounts the drive at *point*."""
    return _UNIT.format(
        email=_escaped(drive.email), url=_escaped(drive.url), point=point, uid=uid, gid=gid
    )


def _quoted(text: str) -> str:
    """Write *text* as davfs2 reads it (davfs2.conf(5)): quoted, with backslashes before marks."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _escaped(text: str) -> str:
    """Write *text* as systemd takes it literally (systemd.unit(5)): % begins a specifier."""
    return text.replace("%", "%%")
