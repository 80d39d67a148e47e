"""Whether the targets are told as they are."""

from benchmarks.report import Result
from benchmarks.servers import SERVERS
from benchmarks.targets import TARGETS, Check, check, markdown, matches
from benchmarks.workloads import WORKLOADS


def row(**rates: float) -> dict[str, Result]:
    """Make results of these rates; each unit costs as much as its share of a second."""
    return {
        name.replace("_", "-"): Result(rate, 1e6 / rate, 60 << 20, 1.0)
        for name, rate in rates.items()
    }


def test_every_target_is_of_workloads_and_servers_that_there_are() -> None:
    """A name that was changed elsewhere would leave its target unchecked."""
    for target in TARGETS:
        assert target.ours in SERVERS
        for pattern in target.workloads.split():
            assert any(matches(name, pattern) for name in WORKLOADS), pattern
        for pattern in target.against.split():
            assert any(matches(name, pattern) for name in SERVERS), pattern


def test_the_best_of_the_others_counts_and_never_davhost_itself() -> None:
    """A tree that is moved half as quickly as by the best is half of the target."""
    table = {"move-tree": row(davhost=50, davhost_fast=900, nginx=100, rclone=80)}
    assert Check("move-tree", "davhost", "nginx", 1.0, 0.5) in check(table)


def test_memory_is_held_against_its_limit() -> None:
    """120 MiB are allowed and 60 used: twice as good as it must be."""
    assert Check("get-1k", "davhost", "120 MiB of memory", 1.0, 2.0) in check(
        {"get-1k": row(davhost=1)}
    )


def test_growth_is_the_cost_of_one_entry() -> None:
    """An entry of 50,000 that costs twice as much as one of 1,000 is too dear."""
    table = {
        "list-1000-rclone-first": row(davhost=100),
        "list-50000-rclone-first": row(davhost=50),
    }
    growth = [one for one in check(table) if "an entry" in one.against]
    assert [(one.reached, one.met) for one in growth] == [(0.5, False)]


def test_what_is_not_met_is_bold() -> None:
    """The eye finds it."""
    text = markdown([Check("a", "b", "c", 1.0, 0.5), Check("a", "b", "d", 1.0, 1.0)])
    assert "| a | b | c | 1.00 | **0.50** |\n| a | b | d | 1.00 | 1.00 |" in text
