"""The layers of davhost, and which packages each may use.

A module imports only from lower layers, and from its own part. `server` knows
nothing of davhost at all. `cli` stands above `bootstrap`, because commands need
the parts that only bootstrap may join; `settings` stands beside the edges,
because they are told what concerns them and do not look it up.
"""

import ast
import subprocess
import sys

import pytest

from tests.architecture.source import Module, modules, part_of

#: The lower layers of each part; "" is ``davhost/__init__.py``.
LAYERS = {
    "": 0,
    "errors": 0,
    "clock": 0,
    "certificates": 0,
    "sizes": 0,
    "paths": 1,
    "browsing": 1,
    "mail": 1,
    "kits": 1,
    "model": 2,
    "bodies": 2,
    "changes": 3,
    "conditions": 3,
    "names": 3,
    "contents": 3,
    "policy": 4,
    "explanation": 5,
    "catalogue": 5,
    "blobs": 5,
    "tree": 6,
    "accounts": 6,
    "housekeeping": 6,
    "projection": 6,
    "checking": 7,
    "dav": 7,
    "web": 7,
    "server": 7,
    "settings": 7,
    "transfer": 7,
    "backup": 8,
    "bootstrap": 8,
    "cli": 9,
    "__main__": 10,
}

#: Packages that only these parts may import.
ONLY_IN = {
    "sqlalchemy": {"catalogue"},
    "alembic": {"catalogue"},
    "psycopg": set(),
    "wsgidav": {"dav", "bootstrap"},
    "cheroot": {"server"},
    "passlib": {"accounts"},
    "argon2": {"accounts"},
    "defusedxml": {"dav"},
    "pydantic": {"settings"},
    "cryptography": {"certificates", "kits"},
    "yaml": {"settings"},
    "click": {"cli"},
    "rich": {"cli"},
    "flask": {"web"},
    "flask_wtf": {"web"},
    "wtforms": {"web"},
    "stream_zip": {"web"},
    "PIL": {"web"},
    "segno": {"web"},
    "pyotp": {"accounts"},
}

#: Packages that a server does without, until a step of the schema or TLS needs them: each
#: would cost every process some 10 MiB, and every start some time.
ONLY_WHEN_NEEDED = {"alembic", "cryptography"}

#: Time, chance and place are arguments; only these may reach for them.
AMBIENT = {
    "time.time": {"clock", "bootstrap", "server"},  # the server writes the Date field
    "time.time_ns": {"clock"},
    "datetime.datetime.now": set(),
    "datetime.datetime.utcnow": set(),
    "uuid.uuid1": set(),
    "uuid.uuid4": set(),
    "os.environ": {"settings"},
    "os.getenv": set(),
}

EVERY_MODULE = pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)


def test_every_part_has_a_layer():
    """A new module or package says where it stands."""
    assert {module.part for module in modules()} <= set(LAYERS)


@EVERY_MODULE
def test_modules_import_only_from_lower_layers(module: Module):
    """Nothing reaches up or sideways."""
    ours = [name for name in module.imports() if name.partition(".")[0] == "davhost"]
    wrong = [
        name
        for name in ours
        if part_of(name) != module.part and LAYERS[part_of(name)] >= LAYERS[module.part]
    ]
    assert not wrong, f"{module.name} (layer {LAYERS[module.part]}) imports {wrong}"


def test_a_server_starts_without_what_it_may_never_need():
    """One import at the head of a module is enough to undo what the others have put off."""
    served = "import davhost.cli.serve, davhost.bootstrap.serving, sys; print(*sys.modules)"
    command = [sys.executable, "-c", served]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "sqlalchemy" in loaded
    assert not ONLY_WHEN_NEEDED.intersection(loaded)


@EVERY_MODULE
def test_packages_stay_where_they_belong(module: Module):
    """SQL is in the catalogue, WsgiDAV at its edge, cheroot in the server, and so on."""
    used = {name.partition(".")[0] for name in module.imports()}
    wrong = {name for name in used if module.part not in ONLY_IN.get(name, {module.part})}
    assert not wrong, f"{module.name} imports {wrong}"


@EVERY_MODULE
def test_time_chance_and_place_are_arguments(module: Module):
    """Below bootstrap nobody asks the wall clock, rolls a UUID or reads the environment."""
    wrong = {name for name in module.uses() if module.part not in AMBIENT.get(name, {module.part})}
    assert not wrong, f"{module.name} uses {wrong}"


@pytest.mark.parametrize(
    "module", [m for m in modules() if m.part == "server"], ids=lambda module: module.name
)
def test_the_http_server_knows_nothing_of_davhost(module: Module):
    """It serves any WSGI application."""
    ours = [name for name in module.imports() if name.partition(".")[0] == "davhost"]
    assert [name for name in ours if part_of(name) != "server"] == []


@EVERY_MODULE
def test_everything_public_has_a_docstring(module: Module):
    """Modules, classes, functions and methods say in one sentence what they are for."""
    missing = [] if ast.get_docstring(module.tree) else ["the module"]
    missing += list(_undocumented(module.tree))
    assert not missing, f"{module.name}: {', '.join(missing)}"


def _undocumented(parent: ast.Module | ast.ClassDef):
    for node in parent.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if node.name.startswith("_") or _is_overload(node):
            continue
        if not ast.get_docstring(node):
            yield node.name
        if isinstance(node, ast.ClassDef):
            yield from (f"{node.name}.{name}" for name in _undocumented(node))


def _is_overload(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(ast.unparse(decorator).endswith("overload") for decorator in node.decorator_list)


def test_nothing_imports_lazily_from_above():
    """The reader sees into functions too, where an import could hide."""
    tree = ast.parse("def f():\n    from davhost.cli import main\n")
    module = Module("davhost.errors", modules()[0].path)
    module.__dict__["tree"] = tree
    assert "davhost.cli.main" in list(module.imports())
