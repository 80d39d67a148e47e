"""What the commands share: options, sizes, passwords, and errors in one line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, TypeVar

import click

from davhost.model import Rules
from davhost.settings import BadSettings, Configuration, Settings, load
from davhost.sizes import parse_quota

#: They join and part letters and emoji: invisible, and a part of names.
_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"

_Command = TypeVar("_Command", bound=Callable[..., Any])


class Failure(click.ClickException):
    """The command did not do it; one line says why and what to do."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the reason to standard error."""
        click.echo(f"davhost: {self.format_message()}", file=file, err=file is None)


class Misuse(Failure):
    """It was asked for wrongly: a bad setting, a missing argument."""

    exit_code = 2


def explain(error: Exception) -> Failure | None:
    """Put an error that an administrator can mend into words; None for a defect."""
    # The database comes with it, for which help and half of the commands need not wait.
    from davhost.bootstrap.faults import MENDABLE, in_words

    if not isinstance(error, MENDABLE) or isinstance(error, BrokenPipeError):
        return None
    kind = Misuse if isinstance(error, BadSettings) else Failure
    return kind(in_words(error))


class QuotaType(click.ParamType[str]):
    """A size such as ``10 GB``, or ``none``; the text is kept, so that none can be told apart."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check the text."""
        try:
            parse_quota(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return str(value)


class RulesType(click.ParamType[str]):
    """A list of file types such as ``txt,pdf``, ``*``, or ``default``; the text is kept."""

    name = "list"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check the text."""
        try:
            parse_rules(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return str(value)


class MomentType(click.ParamType[datetime]):
    """A moment as people and programs write it; without a zone it is UTC."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read ISO 8601, and the names of backups."""
        if isinstance(value, datetime):
            return value
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no time such as 2026-11-22T22:30", param, ctx)
        return found if found.tzinfo else found.replace(tzinfo=UTC)


def parse_rules(text: str) -> Rules | None:
    """Read an allow-list; ``default`` is None, the list of the server.

    Raises:
        ValueError: an extension is none.
    """
    return None if text.strip().lower() == "default" else Rules.parse(text)


def instance_options(command: _Command) -> _Command:
    """Add --data and --config, which say whose server it is about."""
    for option in (
        click.option(
            "--config",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Configuration file; without it wsgidav.yaml in this folder, if there is one.",
        ),
        click.option(
            "--data",
            type=click.Path(path_type=Path),
            metavar="FOLDER",
            help="Data folder of the server.  [default: data]",
        ),
    ):
        command = option(command)
    return command


def read_settings(config: Path | None, data: Path | None, **options: Any) -> Configuration:
    """Read the settings of the server that the options name.

    Raises:
        BadSettings: something is unknown or wrong.
    """
    return load(config, options={"data_dir": data, **options})


def demand_data(settings: Settings) -> None:
    """Refuse to look for accounts where there is no server: --data may be mistyped.

    Raises:
        Failure: the data folder is not there.
    """
    if not settings.data_dir.exists():
        raise Failure(f"{settings.data_dir} is not there: no server has its data in it")


def printable(text: str) -> str:
    """Write *text* so that it cannot steer a terminal, or turn the direction of a line.

    People choose names of files; what is not a visible character is escaped.
    """
    return "".join(c if c.isprintable() or c in _JOINERS else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()


def moment(at_us: int) -> str:
    """Write microseconds since 1970 as people read them, in UTC."""
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def iso_moment(at_us: int) -> str:
    """Write microseconds since 1970 as programs read them, in UTC."""
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).isoformat(timespec="seconds")


def read_password(*, from_stdin: bool) -> str:
    """Read a password from standard input, or twice from the person at the terminal.

    Raises:
        Misuse: there is no terminal, or no password came.
    """
    if from_stdin:
        # One line: `echo` adds the end of the line, a password may hold anything else.
        password = sys.stdin.readline().removesuffix("\n").removesuffix("\r")
        if not password:
            raise Misuse("no password came on standard input")
        return password
    if not sys.stdin.isatty():
        raise Misuse("there is no terminal to ask for a password: pass it with --password-stdin")
    password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return str(password)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
password_option = click.option(
    "--password-stdin",
    is_flag=True,
    help="Read the password from standard input, one line, instead of asking for it.",
)
quota_option = click.option(
    "--quota",
    type=QuotaType(),
    metavar="SIZE",
    help="Most bytes that the account may keep: 10 GB, 512 MiB, none.",
)
allow_option = click.option(
    "--allow",
    type=RulesType(),
    metavar="LIST",
    help="File types that it may keep: txt,pdf,jpg; * allows all; default is the server's list.",
)
