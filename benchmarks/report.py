"""What the samples say: medians, shares of the best, tables in Markdown, and JSON."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from benchmarks.load import Sample
from benchmarks.workloads import Workload

#: The samples of each server for each workload, by their names.
Samples = Mapping[str, Mapping[str, Sequence[Sample]]]


@dataclass(frozen=True)
class Result:
    """One workload on one server: the medians of the rounds.

    Attributes:
        rate: units of the workload in a second.
        cpu_us: processor time of the server for one unit, in microseconds.
        peak_bytes: the most memory that one of its processes held in any round.
        share: the rate as a share of the best of all servers.
    """

    rate: float
    cpu_us: float
    peak_bytes: int
    share: float


def result(workload: Workload, samples: Sequence[Sample]) -> Result:
    """Take the medians of the rounds; the share is still that of the best."""
    units = [sample.operations * workload.amount for sample in samples]
    pairs = list(zip(units, samples, strict=True))
    return Result(
        rate=median(count / sample.seconds for count, sample in pairs),
        cpu_us=median(sample.cpu_seconds * 1e6 / count for count, sample in pairs),
        peak_bytes=max(sample.peak_bytes for sample in samples),
        share=1.0,
    )


def results(workloads: Sequence[Workload], samples: Samples) -> dict[str, dict[str, Result]]:
    """Compute the results of each workload, by the names of workload and server."""
    table = {}
    for workload in workloads:
        row = {
            server: result(workload, taken)
            for server, taken in samples.get(workload.name, {}).items()
            if taken
        }
        best = max((one.rate for one in row.values()), default=0.0)
        table[workload.name] = {
            server: replace(one, share=one.rate / best) for server, one in row.items()
        }
    return table


def short(value: float) -> str:
    """Write a number so that three figures of it can be read."""
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}"


def _rate(one: Result) -> str:
    return f"{short(one.rate)} ({one.share:.2f})"


def _table(
    title: str,
    workloads: Sequence[Workload],
    servers: Sequence[str],
    table: Mapping[str, Mapping[str, Result]],
    cell: Callable[[Result], str],
) -> list[str]:
    lines = [f"### {title}", "", "| workload | unit | " + " | ".join(servers) + " |"]
    lines.append("|---|---|" + "--:|" * len(servers))
    for workload in workloads:
        row = table[workload.name]
        cells = [cell(row[server]) if server in row else "–" for server in servers]
        lines.append(f"| {workload.name} | {workload.unit} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def markdown(
    workloads: Sequence[Workload],
    servers: Sequence[str],
    table: Mapping[str, Mapping[str, Result]],
    about: Mapping[str, Any],
) -> str:
    """Write the results as Markdown.

    Args:
        about: date, machine and versions, each a line.
    """
    lines = [f"- {name}: {value}" for name, value in about.items()]
    lines += [""]
    lines += _table("Units a second (share of the best)", workloads, servers, table, _rate)
    lines += _table(
        "Processor time of the server for one unit, microseconds",
        workloads, servers, table, lambda one: short(one.cpu_us),
    )  # fmt: skip
    lines += _table(
        "Peak memory of its largest process, MiB",
        workloads, servers, table, lambda one: short(one.peak_bytes / (1 << 20)),
    )  # fmt: skip
    return "\n".join(lines)
