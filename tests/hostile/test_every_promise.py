"""No promise is without a test."""

import ast
from pathlib import Path

import pytest

from tests.hostile.promises import PROMISES

TESTS = Path(__file__).parents[1]


def test_every_promise_is_in_the_table() -> None:
    """S1 to S13, each once, with a sentence."""
    assert list(PROMISES) == [f"S{number}" for number in range(1, 14)]
    assert all(sentence.endswith(".") for sentence, _ in PROMISES.values())


@pytest.mark.parametrize("label", PROMISES)
def test_every_promise_is_kept_by_tests(label: str) -> None:
    """The tests that it names are there."""
    _, keepers = PROMISES[label]
    assert keepers
    for keeper in keepers:
        file, _, name = keeper.partition("::")
        tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
        defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert name in defined, keeper


def test_security_md_says_what_counts_and_how_to_report() -> None:
    """And that each report becomes a test."""
    text = (TESTS.parent / "SECURITY.md").read_text(encoding="utf-8")
    titles = [line for line in text.splitlines() if line.startswith("#")]
    assert {"## Report a hole in private", "## What counts", "## What does not"} <= set(titles)
    assert "becomes a test" in " ".join(text.split())
