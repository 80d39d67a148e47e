"""What a server keeps on the disk, compared with what its users see."""

from collections.abc import Iterable
from pathlib import Path

from tests.live.dav import Dav

#: Housekeeping that does not wait: what is deleted or replaced goes at once.
TIDY = {
    "DAVHOST_HOUSEKEEPING_INTERVAL_SECONDS": "0.5",
    "DAVHOST_TRASH_KEEP_DAYS": "0",
    "DAVHOST_VERSIONS_KEEP_DAYS": "0",
}


def stored_bytes(data: Path) -> int:
    """Count the bytes of all blobs, whatever their state."""
    sizes = {}
    for file in (data / "blobs").rglob("*"):
        try:
            stat = file.stat()
        except FileNotFoundError:
            continue  # housekeeping was faster
        if file.is_file():
            sizes[stat.st_ino] = stat.st_size
    return sum(sizes.values())


def listed_bytes(boxes: Iterable[Dav]) -> int:
    """Count the bytes of all files in the homes that *boxes* see."""
    return sum(len(body) for box in boxes for body in box.tree().values() if body is not None)


def nothing_is_left_over(data: Path, *boxes: Dav) -> None:
    """See that the disk holds the bytes that the listings show, and no others.

    Needs homes without copies, which share their bytes, and a server that is `TIDY`.
    """
    assert stored_bytes(data) == listed_bytes(boxes)
