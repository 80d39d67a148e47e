"""Local trees to upload, and their comparison with what the drive holds."""

from pathlib import Path

from tests.live.client_contract import some_bytes
from tests.live.names import ODD_NAMES


def odd_tree(root: Path) -> Path:
    """Make a local tree with odd names, an empty file and an empty folder."""
    inner = root / "deep; er" / "what?"
    inner.mkdir(parents=True)
    (root / "empty folder").mkdir()
    (root / "empty.txt").touch()
    for name in ODD_NAMES.values():
        (inner / name).write_bytes(some_bytes(5_000, name))
    return root


def contents(root: Path) -> dict[str, bytes | None]:
    """Read a local tree in the form of `Dav.tree`: None for a folder."""
    return {
        str(path.relative_to(root)): None if path.is_dir() else path.read_bytes()
        for path in root.rglob("*")
    }
