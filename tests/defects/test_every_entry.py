"""No known defect is without a proof."""

import importlib
import pkgutil

import tests.defects
from tests.defects.known import KNOWN, PROOFS


def test_every_known_defect_is_proved() -> None:
    """Each entry has a test, and each test speaks of an entry."""
    for module in pkgutil.iter_modules(tests.defects.__path__, "tests.defects."):
        if module.name.rpartition(".")[2].startswith("test_"):
            importlib.import_module(module.name)
    assert set(PROOFS) == set(KNOWN)


def test_the_table_is_complete() -> None:
    """D1 to D44 and C1 to C17, each once, with a sentence."""
    labels = [f"D{n}" for n in range(1, 45)] + [f"C{n}" for n in range(1, 18)]
    assert list(KNOWN) == labels
    assert all(sentence.endswith(".") for sentence in KNOWN.values())
