"""Finder and GNOME Files."""

from __future__ import annotations

import shlex

from .drive import Drive, Kit

_MACOS = """\
#!/bin/sh
# Mounts {url} in Finder.
osascript - {arguments} <<'END'
on run {{address, account, secret}}
  mount volume address as user name account with password secret
end run
END
open /Volumes
"""

_GNOME = """\
#!/bin/sh
# Mounts the drive in GNOME Files and puts it among the bookmarks.
set -eu
address={address}
printf '%s\\n' {password} | gio mount "$address"
bookmarks="${{XDG_CONFIG_HOME:-$HOME/.config}}/gtk-3.0/bookmarks"
mkdir -p "$(dirname "$bookmarks")"
grep -qsF "$address " "$bookmarks" || printf '%s %s\\n' "$address" {label} >> "$bookmarks"
gio open "$address" || true
"""


def macos(drive: Drive) -> Kit:
    """Make the steps for Finder, and a script."""
    arguments = " ".join(map(shlex.quote, (drive.url, drive.email, drive.password)))
    return Kit(
        title="Mac",
        steps=(
            f"In Finder choose Go, Connect to Server (Command-K) and type `{drive.url}`.",
            f"Sign in as a registered user: name `{drive.email}`, and the password from above. "
            "Tick Remember this password.",
            "Or download the file, open Terminal and type `sh ~/Downloads/mount-drive.sh`.",
            "To have it after every start: System Settings, Login Items, add the drive.",
        ),
        file_name="mount-drive.sh",
        media_type="text/x-shellscript",
        content=_MACOS.format(url=_comment(drive.url), arguments=arguments),
    )


def gnome(drive: Drive) -> Kit:
    """Make the steps for GNOME Files, and a script."""
    address = drive.with_scheme("dav", "davs")
    return Kit(
        title="Linux desktop (GNOME)",
        steps=(
            f"In Files choose Network (or Other Locations) and connect to `{address}`.",
            "Type the password from above and let it be remembered.",
            "Or download the file and run it: `sh ~/Downloads/mount-drive.sh`.",
        ),
        file_name="mount-drive.sh",
        media_type="text/x-shellscript",
        content=_GNOME.format(
            address=shlex.quote(address),
            password=shlex.quote(drive.password),
            label=shlex.quote(drive.label),
        ),
    )


def _comment(text: str) -> str:
    """Keep *text* on the line of its comment."""
    return " ".join(text.split())
