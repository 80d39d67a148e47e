"""The readable tree as a person sees it, and as the catalogue says it should be."""

import stat
from dataclasses import dataclass
from pathlib import Path

from davhost.blobs.local import LocalBlobs
from davhost.paths import DavPath
from davhost.projection import Projection
from tests.instance import Home, Instance


@dataclass
class Readable:
    """The readable trees of one instance."""

    instance: Instance
    users: Path

    def __post_init__(self) -> None:
        """Make the projection; nothing is on the disk yet."""
        assert isinstance(self.instance.blobs, LocalBlobs)
        self.projection = Projection(
            self.instance.catalogue, self.instance.blobs, self.instance.clock, self.users
        )

    def top(self, home: Home) -> Path:
        """The folder of a home."""
        return self.users / str(home.tree.principal.user_id)

    def catch_up(self, home: Home) -> None:
        """Apply what is in the journal."""
        assert self.projection.catch_up(home.tree.principal.user_id)

    def shown(self, home: Home) -> dict[str, bytes | None]:
        """Read a whole tree."""
        return shown(self.top(home))

    def is_exact(self, home: Home) -> bool:
        """Whether the tree is the catalogue, by reading and by comparing."""
        compared = self.projection.compare(home.tree.principal.user_id)
        assert self.shown(home) == wanted(home)
        assert compared.known
        assert (compared.pending, compared.differences) == (0, [])
        return True


def shown(top: Path) -> dict[str, bytes | None]:
    """Read a folder: the bytes of files and None for folders, by path."""
    found: dict[str, bytes | None] = {}
    for path in sorted(top.rglob("*")):
        mode = path.lstat().st_mode
        name = "/" + path.relative_to(top).as_posix()
        if stat.S_ISDIR(mode):
            found[name] = None
        else:
            assert stat.S_ISREG(mode), f"{name} is neither file nor folder"
            assert stat.S_IMODE(mode) == 0o444, name
            found[name] = path.read_bytes()
    return found


def wanted(home: Home) -> dict[str, bytes | None]:
    """Read the catalogue: the same."""
    listing = home.tree.listing(DavPath(), depth=None, dead=False, locks=False)
    return {
        entry.path.text: None if entry.resource.is_collection else home.get(entry.path.text)
        for entry in listing.entries[1:]
    }


def descriptors() -> int:
    """How many descriptors this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))
