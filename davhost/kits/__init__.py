"""Mount kits: for each kind of device the exact steps, and a file that is ready to use.

Pure text: what is written here runs on other people's computers, so every
value is quoted for the language that it stands in.
"""

from __future__ import annotations

from collections.abc import Callable

from . import desktops, linux, programs, windows
from .drive import Drive, Kit

__all__ = ["KITS", "Drive", "Kit"]

#: By the name that forms send; the first is what most people have.
KITS: dict[str, Callable[[Drive], Kit]] = {
    "windows": windows.kit,
    "macos": desktops.macos,
    "gnome": desktops.gnome,
    "davfs2": linux.davfs2,
    "rclone": programs.rclone,
    "cyberduck": programs.cyberduck,
    "phone": programs.phone,
}
