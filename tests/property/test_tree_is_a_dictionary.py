"""A tree under random operations does what a dictionary of paths would do.

Names of saving programs are among the names, so that every promotion of a
temporary is crossed with everything else.
"""

import itertools
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from davhost.errors import Refused
from davhost.policy import ContentRules
from tests.instance import Home, Instance, make_instance

NAMES = ["a.txt", "b.txt", "~WRD1.tmp", "sedAbCdEf", "a.txt~", "d", "e", "x.exe", "n\u00e9e.pdf"]
FOLDERS = st.lists(st.sampled_from(["d", "e"]), max_size=2)
PATHS = st.builds(
    lambda folders, name: "/" + "/".join([*folders, name]), FOLDERS, st.sampled_from(NAMES)
)

#: What a path holds: the bytes of a file, or None for a collection.
Model = dict[str, bytes | None]


class TreeMachine(RuleBasedStateMachine):
    """Applies each operation to a tree and to a dictionary, and compares."""

    instance: Instance
    numbers = itertools.count()

    def __init__(self) -> None:
        """Begin with an empty home."""
        super().__init__()
        self.home: Home = self.instance.home(f"user{next(self.numbers)}@example.org")
        self.model: Model = {"/": None}

    @rule(path=PATHS, content=st.binary(max_size=20))
    def put(self, path: str, content: bytes) -> None:
        """Write a file, new or over."""
        expected = (
            _has_folder(self.model, path)
            and self.model.get(path, b"") is not None
            and _is_kept(path)
        )
        assert _succeeds(lambda: self.home.put(path, content)) == expected
        if expected:
            self.model[path] = content

    @rule(path=PATHS)
    def mkcol(self, path: str) -> None:
        """Make a collection; any valid name will do."""
        expected = _has_folder(self.model, path) and path not in self.model
        assert _succeeds(lambda: self.home.mkcol(path)) == expected
        if expected:
            self.model[path] = None

    @rule(path=PATHS)
    def delete(self, path: str) -> None:
        """Delete a tree."""
        expected = path in self.model
        assert _succeeds(lambda: self.home.delete(path)) == expected
        _remove(self.model, path)

    @rule(source=PATHS, destination=PATHS, overwrite=st.booleans())
    def move(self, source: str, destination: str, overwrite: bool) -> None:
        """Move a tree."""
        expected = self._can_transfer(source, destination, overwrite)
        done = _succeeds(lambda: self.home.move(source, destination, overwrite=overwrite))
        assert done == expected
        if expected:
            taken = _tree(self.model, source)
            _remove(self.model, source)
            self._put_tree(destination, taken)

    @rule(source=PATHS, destination=PATHS, overwrite=st.booleans())
    def copy(self, source: str, destination: str, overwrite: bool) -> None:
        """Copy a tree."""
        expected = self._can_transfer(source, destination, overwrite)
        done = _succeeds(lambda: self.home.copy(source, destination, overwrite=overwrite))
        assert done == expected
        if expected:
            self._put_tree(destination, _tree(self.model, source))

    @precondition(lambda self: len(self.model) > 1)
    @rule(seconds=st.sampled_from([1.0, 1000.0]))
    def wait(self, seconds: float) -> None:
        """Let time pass: after a while a file that comes back is a new one."""
        self.instance.clock.pass_(seconds)

    @invariant()
    def the_tree_is_the_model(self) -> None:
        """Names, contents and the quota agree."""
        assert set(self.home.names()) | {"/"} == set(self.model)
        contents = {path: content for path, content in self.model.items() if content is not None}
        assert {path: self.home.get(path) for path in contents} == contents
        space = self.home.tree.space()
        assert space.used_bytes + space.scratch_bytes == sum(map(len, contents.values()))

    def _can_transfer(self, source: str, destination: str, overwrite: bool) -> bool:
        apart = not _within(source, destination) and not _within(destination, source)
        return (
            source in self.model
            and apart
            and _has_folder(self.model, destination)
            and (overwrite or destination not in self.model)
            and (self.model[source] is None or _is_kept(destination))
        )

    def _put_tree(self, destination: str, taken: Model) -> None:
        _remove(self.model, destination)
        self.model.update({destination + below: content for below, content in taken.items()})


def _succeeds(operation: object) -> bool:
    try:
        operation()  # type: ignore[operator]
    except Refused as refused:
        return refused.status >= 500
    return True


def _is_kept(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name not in ("d", "e", "x.exe")


def _has_folder(model: Model, path: str) -> bool:
    parent = path.rpartition("/")[0] or "/"
    return parent in model and model[parent] is None


def _within(path: str, top: str) -> bool:
    return path == top or path.startswith(top + "/")


def _tree(model: Model, top: str) -> Model:
    return {path[len(top) :]: c for path, c in model.items() if _within(path, top)}


def _remove(model: Model, top: str) -> None:
    for path in [path for path in model if _within(path, top)]:
        del model[path]


def test_a_tree_is_a_dictionary_of_paths(tmp_path: Path) -> None:
    """Whatever the operations and their order, the tree holds what the model holds."""
    TreeMachine.instance = make_instance(
        f"sqlite:///{tmp_path}/davhost.sqlite",
        tmp_path,
        contents=ContentRules(fits_type=False),  # any bytes under any name
    )
    try:
        run_state_machine_as_test(
            TreeMachine,
            settings=settings(
                max_examples=60,
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )
    finally:
        TreeMachine.instance.catalogue.close()
