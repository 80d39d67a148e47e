"""What the command line chooses."""

import pytest

from benchmarks.__main__ import QUICK, USUAL, chosen
from benchmarks.workloads import WORKLOADS


def test_patterns_choose_in_the_order_of_the_table() -> None:
    """However they are written, the rows stand as always, and once."""
    assert chosen("b*, a,b2", ["a", "b1", "b2", "c"]) == ["a", "b1", "b2"]


def test_a_pattern_for_nothing_is_told() -> None:
    """A name that was mistyped does not make a shorter table."""
    with pytest.raises(SystemExit, match="No 'd'"):
        chosen("a,d", ["a", "b"])


def test_the_usual_and_the_quick_workloads_are_there() -> None:
    """Both choose something for each of their patterns, and quick is a part of usual."""
    assert set(chosen(QUICK, WORKLOADS)) < set(chosen(USUAL, WORKLOADS))
