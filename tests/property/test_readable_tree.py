"""The readable tree is the catalogue, however it was cut off or hurried.

The operations are those of the comparison with a dictionary; the projection
follows when the machine says so, is killed between two of its steps, and runs
in two threads at once.
"""

import threading
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from davhost.policy import ContentRules
from davhost.projection import run as run_module
from tests.instance import make_instance
from tests.killing import killed_after
from tests.property.test_tree_is_a_dictionary import TreeMachine
from tests.readable import Readable


class ReadableMachine(TreeMachine):
    """Applies the journal now and then, and compares the disk with the model."""

    readable: Readable

    @rule()
    def catch_up(self) -> None:
        """Follow to the end: then the disk is the model."""
        self.readable.catch_up(self.home)
        self._compare()

    @rule(steps=st.integers(0, 25))
    def be_killed(self, steps: int) -> None:
        """End before any step; the next catch up makes up for it."""
        with killed_after(steps):
            self.readable.catch_up(self.home)

    @rule(entries=st.integers(1, 4))
    def catch_up_in_parts(self, entries: int) -> None:
        """Follow in small batches, as after a long time."""
        old, run_module.BATCH = run_module.BATCH, entries
        try:
            self.readable.catch_up(self.home)
        finally:
            run_module.BATCH = old
        self._compare()

    @rule()
    def catch_up_together(self) -> None:
        """Follow in two threads at once."""
        threads = [
            threading.Thread(target=self.readable.catch_up, args=(self.home,)) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._compare()

    def teardown(self) -> None:
        """In the end it is exact, by its own comparison too."""
        self.readable.catch_up(self.home)
        self._compare()
        assert self.readable.is_exact(self.home)

    def _compare(self) -> None:
        assert {"/": None} | self.readable.shown(self.home) == self.model


def test_the_readable_tree_is_the_model(tmp_path: Path) -> None:
    """Whatever happens in whatever order, the disk shows what the tree holds."""
    instance = make_instance(
        f"sqlite:///{tmp_path}/davhost.sqlite",
        tmp_path,
        contents=ContentRules(fits_type=False),  # any bytes under any name
    )
    ReadableMachine.instance = instance
    ReadableMachine.readable = Readable(instance, tmp_path / "users")
    try:
        run_state_machine_as_test(
            ReadableMachine,
            settings=settings(
                max_examples=60,
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )
    finally:
        instance.catalogue.close()
