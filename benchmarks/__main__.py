"""Measure davhost beside other WebDAV servers: python -m benchmarks --help."""

import argparse
import dataclasses
import json
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from fnmatch import fnmatchcase
from pathlib import Path

from benchmarks import machine, report, targets
from benchmarks.client import UnexpectedAnswer
from benchmarks.load import LoadFailed, Sample, measure
from benchmarks.programs import ProgramMissing
from benchmarks.servers import SERVERS
from benchmarks.servers.base import Server
from benchmarks.workloads import WORKLOADS, Workload

#: What is measured unless something else is said: every set of properties at one length
#: only, and rclone's and all properties at every length.
USUAL = (
    "get-*,propfind-*,list-*-rclone-*,list-*-allprop-*,list-1000-*,"
    "put-*,mkcol,move,delete,lock-unlock,copy-*,*-tree,rclone-sync"
)
#: What shows most in a few minutes.
QUICK = (
    "get-1k*,propfind-0,list-1000-rclone-*,list-10000-rclone-*,"
    "put-4k-new,put-4k-over,mkcol,move,delete,lock-unlock,copy-*,*-tree"
)


def chosen(patterns: str, names: Iterable[str]) -> list[str]:
    """Choose names by patterns with commas between them, in the order of *names*.

    Raises:
        SystemExit: a pattern matches none.
    """
    every = list(names)
    wanted = [pattern.strip() for pattern in patterns.split(",")]
    for pattern in wanted:
        if not any(fnmatchcase(name, pattern) for name in every):
            sys.exit(f"No {pattern!r}; there are: {', '.join(every)}")
    return [name for name in every if any(fnmatchcase(name, each) for each in wanted)]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class Measurement:
    """Every chosen workload on every chosen server, round after round."""

    def __init__(self, servers: dict[str, Server], workloads: Sequence[Workload]) -> None:
        self._servers = servers
        self._workloads = workloads
        self.samples: dict[str, dict[str, list[Sample]]] = {
            workload.name: {server: [] for server in servers} for workload in workloads
        }
        self.failures: list[str] = []

    def round(self, number: int, seconds: float) -> None:
        """Run each workload on all servers in turn, in an order of chance."""
        for workload in self._workloads:
            order = list(self._servers)
            random.shuffle(order)
            for name in order:
                self._one(workload, name, f"r{number}-{workload.name}", seconds)

    def _one(self, workload: Workload, name: str, tag: str, seconds: float) -> None:
        try:
            sample = measure(workload, self._servers[name], tag, seconds)
        except (LoadFailed, UnexpectedAnswer, OSError) as error:
            self.failures.append(f"{workload.name} on {name}: {error}")
            _say(f"  {self.failures[-1]}")
            return
        self.samples[workload.name][name].append(sample)
        one = report.result(workload, [sample])
        _say(
            f"  {workload.name} {name}: {report.short(one.rate)} {workload.unit}/s,"
            f" {report.short(one.cpu_us)} us each, {one.peak_bytes >> 20} MiB"
        )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--servers", default="*", help="names or patterns, with commas")
    parser.add_argument("--workloads", default=USUAL, help="names or patterns; * for all")
    parser.add_argument("--rounds", type=int, default=3, help="how often, each in a new order")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each measurement")
    parser.add_argument("--folder", type=Path, help="where the servers keep their files")
    parser.add_argument("--json", type=Path, help="write every sample there, too")
    parser.add_argument("--list", action="store_true", help="name all servers and workloads")
    parser.add_argument(
        "--quick", action="store_true", help="one short round of the small operations"
    )
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.workloads, arguments.rounds, arguments.seconds = QUICK, 1, 0.5
    return arguments


def _start(names: Sequence[str], home: Path, stock: Path, stack: ExitStack) -> dict[str, Server]:
    servers = {}
    for name in names:
        try:
            server = SERVERS[name](home / name, stock)
            server.version()
        except ProgramMissing as missing:
            _say(f"{name} is left out: {missing}")
            continue
        _say(f"starting {name}")
        server.take()
        servers[name] = stack.enter_context(server)
    return servers


def main() -> int:
    """Measure, print the tables; the status is 1 if a server gave a wrong answer."""
    arguments = _arguments()
    if arguments.list:
        print("servers:", *SERVERS, "\nworkloads:", *WORKLOADS, sep="\n  ")
        return 0
    # Ended by either signal it still ends its servers, and prints what it has.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    workloads = [WORKLOADS[name] for name in chosen(arguments.workloads, WORKLOADS)]
    names = chosen(arguments.servers, SERVERS)
    home = Path(tempfile.mkdtemp(prefix="davhost-benchmark-", dir=arguments.folder))
    home.chmod(0o755)
    try:
        with ExitStack() as stack:
            stock = home / "stock"
            stock.mkdir()
            for workload in workloads:
                workload.stock(stock)
            servers = _start(names, home, stock, stack)
            measurement = Measurement(servers, workloads)
            try:
                for number in range(arguments.rounds):
                    _say(f"round {number + 1} of {arguments.rounds}")
                    measurement.round(number, arguments.seconds)
            except KeyboardInterrupt:
                measurement.failures.append("stopped before its end")
            about = machine.about() | {name: one.version() for name, one in servers.items()}
    finally:
        shutil.rmtree(home, ignore_errors=True)
    table = report.results(workloads, measurement.samples)
    print(report.markdown(workloads, list(servers), table, about))
    if checks := targets.check(table):
        print(targets.markdown(checks))
    for failure in measurement.failures:
        print(f"- failed: {failure}")
    if arguments.json is not None:
        written = {"about": about, "samples": measurement.samples}
        arguments.json.write_text(json.dumps(written, default=dataclasses.asdict, indent=1))
    return 1 if measurement.failures else 0


if __name__ == "__main__":
    sys.exit(main())
