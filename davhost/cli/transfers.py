"""What import, export and restore share: progress, and what came of it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import NoReturn

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from davhost.cli.common import printable
from davhost.sizes import format_size
from davhost.transfer import Report, Trouble

#: How often a line is written where there is no terminal.
_LINE_SECONDS = 10

#: Is told of each file that is behind us, and how many bytes it has.
OnFile = Callable[[int], None]


@contextmanager
def progress(verb: str, files: int, size_bytes: int, *, quiet: bool = False) -> Iterator[OnFile]:
    """Show how far it is: a bar at a terminal, a line now and then elsewhere.

    Args:
        verb: what is being done, "Taking in".
        files: how many it will be.
        size_bytes: how much it will be.
    """
    console = Console(stderr=True)
    if quiet:
        yield lambda _: None
    elif console.is_terminal:
        with _bar(console) as bar:
            yield _at_terminal(bar, verb, files, bar.add_task(verb, total=size_bytes))
    else:
        yield _lines(verb, files, size_bytes)


def _bar(console: Console) -> Progress:
    name = TextColumn("{task.description}")
    columns = (name, BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True)


def _at_terminal(bar: Progress, verb: str, files: int, task: TaskID) -> OnFile:
    done = [0]

    def on_file(size_bytes: int) -> None:
        done[0] += 1
        bar.update(task, advance=size_bytes, description=f"{verb}: {done[0]} of {files} files")

    return on_file


def _lines(verb: str, files: int, size_bytes: int) -> OnFile:
    done = [0, 0]
    next_line = [time.monotonic() + _LINE_SECONDS]

    def on_file(file_bytes: int) -> None:
        done[0] += 1
        done[1] += file_bytes
        if time.monotonic() >= next_line[0]:
            next_line[0] = time.monotonic() + _LINE_SECONDS
            how_far = f"{done[0]} of {files} files, {format_size(done[1])} of"
            click.echo(f"{verb}: {how_far} {format_size(size_bytes)}", err=True)

    return on_file


@contextmanager
def counted(verb: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """Show how far something is whose end is known only on the way.

    Yields:
        What is told how many are done, and how many there are by now.
    """
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _done, _all: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(verb, total=None)
        yield lambda done, all_: bar.update(task, completed=done, total=all_)


def finish(report: Report, done: str, *, as_json: bool) -> NoReturn:
    """Say what came of it, and end with status 1 if something was left behind.

    Args:
        done: what was done, "Took in".
    """
    if as_json:
        click.echo(json.dumps(asdict(report), indent=2))
    else:
        _say(report, done)
    sys.exit(0 if report.is_complete else 1)


def _say(report: Report, done: str) -> None:
    click.echo(f"{done} {files(report.files)}, {format_size(report.size_bytes)}.")
    if report.unchanged:
        click.echo(f"{files(report.unchanged)} were there already.")
    if report.left_out:
        click.echo(f"Left out {files(report.left_out)} that only the programs need that made them.")
    if report.refused:
        click.echo(f"Not done: {len(report.refused)}", err=True)
        for trouble in report.refused:
            click.echo(f"  {_line(trouble)}", err=True)
    if report.stopped is not None:
        click.echo(f"Stopped: {report.stopped} Run it again to go on.", err=True)


def _line(trouble: Trouble) -> str:
    return f"{printable(trouble.path)}: {printable(trouble.reason)}"


def files(what: int | list[Trouble]) -> str:
    """Count files in words."""
    number = what if isinstance(what, int) else len(what)
    return "1 file" if number == 1 else f"{number} files"
