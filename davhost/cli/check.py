"""`davhost check`: whether rows, bytes and readable trees agree, and mend them."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from davhost.bootstrap.faults import MENDABLE, in_words
from davhost.checking import Checking, Finding, Report
from davhost.cli.common import Failure, instance_options, printable
from davhost.cli.opening import opened

_PROBLEMS = 1
_NOT_CHECKED = 2


class NotChecked(Failure):
    """It could not be checked: nothing is known."""

    exit_code = _NOT_CHECKED


@click.command("check", short_help="Check that everything is there and whole; repair it.")
@click.option("--deep", is_flag=True, help="Also read all bytes and compare their hashes.")
@click.option("--repair", is_flag=True, help="Mend what can be mended without a choice.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
@instance_options
def command(
    deep: bool, repair: bool, as_json: bool, config: Path | None, data: Path | None
) -> None:
    """Check names, bytes, counters, the journal and the readable trees, both ways.

    The server may run meanwhile. Without --repair nothing is changed; with it
    counters are set right, blobs that nothing names are deleted, and readable
    trees are mended. What cannot be mended is named, with what is still there.

    The exit status is 0 when nothing is wrong (any more), 1 when something is,
    and 2 when it could not be checked.

    \b
    Examples:
        davhost check
        davhost check --deep
        davhost check --repair --json
    """
    try:
        with opened(config, data) as services:
            checking = Checking(
                services.catalogue, services.blobs, services.clock, services.projection
            )
            report = checking.run(deep=deep, repair=repair)
    except Failure as failure:
        raise NotChecked(failure.message) from failure
    except MENDABLE as error:
        raise NotChecked(in_words(error)) from error
    if as_json:
        click.echo(json.dumps(_values(report), indent=2))
    else:
        _show(report)
    sys.exit(0 if report.is_clean else _PROBLEMS)


def _values(report: Report) -> dict[str, object]:
    return {
        "clean": report.is_clean,
        "findings": [asdict(finding) for finding in report.findings],
        "notes": report.notes,
        "looked_at": report.looked_at,
    }


def _show(report: Report) -> None:
    console = Console(soft_wrap=True, highlight=False)
    for finding in report.findings:
        console.print(_line(finding))
    for note in report.notes:
        console.print(Text(f"note: {printable(note)}", style="dim"))
    numbers = [f"{number:,} {what}" for what, number in report.looked_at.items() if number]
    console.print(Text("Looked at " + ", ".join(numbers) + ".", style="dim"))
    console.print(_sum(report))


def _line(finding: Finding) -> Text:
    line = Text("repaired: " if finding.repaired else "problem: ")
    line.stylize("green" if finding.repaired else "bold red")
    where = ": ".join(part for part in (finding.account, finding.path) if part)
    if where:
        line.append(printable(where) + ": ", style="bold")
    line.append(printable(finding.sentence))
    return line


def _sum(report: Report) -> Text:
    left = sum(not finding.repaired for finding in report.findings)
    mended = len(report.findings) - left
    if left:
        words = f"{left} {'problem' if left == 1 else 'problems'}" + (
            f" left, {mended} repaired." if mended else "."
        )
        return Text(words, style="bold red")
    return Text(f"{mended} repaired; nothing is wrong any more." if mended else "Nothing is wrong.")
