"""The command line: one module per family of commands, loaded when it is used.

Commands read settings, ask `bootstrap` for the parts, call one of their
methods and say what happened. They decide nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from davhost import __version__
from davhost.cli.common import Failure, explain

#: Name of the command, and the module here that has it as ``command``.
_MODULES = {
    "serve": "serve",
    "user": "user",
    "policy": "policy",
    "refusals": "refusals",
    "history": "history",
    "trash": "trash",
    "rewind": "rewind",
    "brake": "brake",
    "import": "import_",
    "export": "export",
    "backup": "backup",
    "restore": "restore",
    "mount-help": "mount_help",
    "tls": "tls",
    "check": "check",
    "tree": "tree",
    "settings": "settings",
    "db": "db",
}


class _Commands(click.Group):
    """Commands that are imported when they are asked for, and fail in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        """List all commands, in the order in which one meets them."""
        return list(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the module of one command."""
        if cmd_name not in _MODULES:
            return None
        module = import_module(f"davhost.cli.{_MODULES[cmd_name]}")
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what an administrator can mend is one line, no traceback."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            known = explain(error)
            if known is None:
                raise
            raise known from error


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="davhost")
def main() -> None:
    """A WebDAV file server with accounts: a network drive that you run yourself.

    \b
    Start a server in this folder, and give somebody an account:
        davhost serve
        davhost user add ada@example.org

    Every command takes --data FOLDER for another server's data and --config
    FILE for a configuration; DAVHOST_<NAME> in the environment sets any of the
    settings that `davhost settings` lists.
    """


__all__ = ["Failure", "main"]
