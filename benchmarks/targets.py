"""What davhost must reach beside the others, and whether it does."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from benchmarks.report import Result, short

#: The results by the names of workload and server.
Table = Mapping[str, Mapping[str, Result]]

_OWN = "davhost"
_FAST = "davhost-fast"
_SMALL = "get-1k propfind-0 move delete mkcol lock-unlock"
_LONG = "list-1000-*-{0} list-10000-*-{0} list-50000-*-{0}"
_MEMORY_BYTES = 120 << 20
#: How much more an entry of a long listing may cost than one of a short listing.
_GROWTH = 1.1


def _rate(ours: Result, theirs: Result) -> float:
    """Compare what is done in a second."""
    return ours.rate / theirs.rate


def _cpu(ours: Result, theirs: Result) -> float:
    """Compare what is done in a second of processor time."""
    return theirs.cpu_us / ours.cpu_us if ours.cpu_us else 0.0


@dataclass(frozen=True)
class Target:
    """One line of the targets.

    Attributes:
        workloads: patterns of names, with blanks between them.
        against: patterns of servers; the best of them counts.
        least: how many times as good as theirs ours must be.
    """

    workloads: str
    against: str
    least: float
    ours: str = _OWN
    compare: Callable[[Result, Result], float] = _rate


TARGETS = (
    Target(_LONG.format("again"), "*", 1.0),
    Target(_LONG.format("first"), "apache-*", 1.0),
    Target(_SMALL, "copyparty", 1.0),
    Target(_SMALL, "rclone", 1.5),
    Target(_SMALL, "apache-bcrypt5", 5.0),
    Target(_SMALL, "apache-bcrypt10", 50.0),
    Target("get-1k-16", "rclone", 1.25),
    Target("get-1g", "nginx", 0.9),
    Target("put-1g", "apache-* nginx", 0.9, ours=_FAST),
    Target("put-4k-new put-4k-over", "copyparty", 0.8, ours=_FAST),
    Target("put-4k-new-8 put-4k-over-8", "wsgidav", 1.0),
    Target("copy-100m move-tree delete-tree", "*", 1.0),
    Target("list-*-first", "wsgidav", 15.0, compare=_cpu),
)


@dataclass(frozen=True)
class Check:
    """One target on one workload: what was reached of it."""

    workload: str
    ours: str
    against: str
    least: float
    reached: float

    @property
    def met(self) -> bool:
        """Whether it is reached."""
        return self.reached >= self.least


def matches(name: str, patterns: str) -> bool:
    """Say whether one of the patterns, with blanks between them, is of this name."""
    return any(fnmatchcase(name, pattern) for pattern in patterns.split())


def check(table: Table) -> list[Check]:
    """Check every target for which there are results."""
    return [*_beside(table), *_memory(table), *_growth(table)]


def _beside(table: Table) -> Iterator[Check]:
    for target in TARGETS:
        for workload, row in table.items():
            ours = row.get(target.ours)
            if ours is None or not matches(workload, target.workloads):
                continue
            others = {
                name: target.compare(ours, theirs)
                for name, theirs in row.items()
                if matches(name, target.against) and name not in (_OWN, _FAST)
            }
            if others:
                hardest = min(others, key=lambda name: others[name])
                by = ", processor time" if target.compare is _cpu else ""
                yield Check(workload, target.ours, hardest + by, target.least, others[hardest])


def _memory(table: Table) -> Iterator[Check]:
    for name in (_OWN, _FAST):
        peaks = {workload: row[name].peak_bytes for workload, row in table.items() if name in row}
        if peaks:
            worst = max(peaks, key=lambda workload: peaks[workload])
            yield Check(worst, name, "120 MiB of memory", 1.0, _MEMORY_BYTES / peaks[worst])


def _growth(table: Table) -> Iterator[Check]:
    for workload, row in table.items():
        shorter = table.get(workload.replace("list-50000-", "list-1000-"), {})
        if workload.startswith("list-50000-") and _OWN in row and _OWN in shorter:
            reached = _cpu(row[_OWN], shorter[_OWN])
            yield Check(workload, _OWN, "an entry of 1,000, processor time", 1 / _GROWTH, reached)


def markdown(checks: Sequence[Check]) -> str:
    """Write the checks as a table, those that are not met in bold."""
    lines = ["### Targets", "", "| workload | server | against | at least | reached |"]
    lines.append("|---|---|---|--:|--:|")
    for one in checks:
        reached = short(one.reached) if one.met else f"**{short(one.reached)}**"
        cells = (one.workload, one.ours, one.against, short(one.least), reached)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])
