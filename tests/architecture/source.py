"""Read the package's source: its modules, what they import and what they call."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import davhost

ROOT = Path(davhost.__file__).parent


@dataclass(frozen=True)
class Module:
    """One file of the package.

    Args:
        name: dotted, ``davhost.settings.table``; a package's own is its name.
    """

    name: str
    path: Path

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed file."""
        return ast.parse(self.path.read_text(encoding="utf-8"), str(self.path))

    @property
    def part(self) -> str:
        """The part of davhost that the module belongs to: ``settings``, ``tree``."""
        return part_of(self.name)

    def imports(self) -> Iterator[str]:
        """Yield every imported name, dotted and absolute: ``davhost.model.Rules``."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = self._base(node)
                yield from (f"{base}.{alias.name}".lstrip(".") for alias in node.names)

    def uses(self) -> Iterator[str]:
        """Yield every dotted name that the code mentions: ``time.time``, ``os.environ``.

        Names that were imported are spelled out: ``from uuid import uuid4``
        makes ``uuid4`` into ``uuid.uuid4``.
        """
        known = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and not node.level:
                known |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
            elif isinstance(node, ast.Import):
                known |= {a.asname: a.name for a in node.names if a.asname}
        for node in ast.walk(self.tree):
            dotted = _dotted(node)
            if dotted:
                head, _, rest = dotted.partition(".")
                yield f"{known.get(head, head)}{'.' + rest if rest else ''}"

    def _base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = self.name.split(".")
        if self.path.name != "__init__.py":
            package = package[:-1]
        package = package[: len(package) - (node.level - 1)]
        return ".".join([*package, *([node.module] if node.module else [])])


@cache
def modules() -> tuple[Module, ...]:
    """List all modules of the package."""
    return tuple(Module(_name_of(path), path) for path in sorted(ROOT.rglob("*.py")))


def part_of(name: str) -> str:
    """Say which part of davhost a dotted name belongs to; the package itself is empty."""
    _, _, inside = name.partition(".")
    part = inside.partition(".")[0]
    is_part = (ROOT / part).is_dir() or (ROOT / f"{part}.py").is_file()
    return part if part and is_part else ""


def _name_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _dotted(node: ast.AST) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        below = _dotted(node.value)
        return f"{below}.{node.attr}" if below else None
    return None
