"""`davhost settings`: every setting, its value, and where the value came from."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from davhost.cli.common import instance_options, read_settings
from davhost.settings import Configuration, Settings
from davhost.settings.sources import SECRET
from davhost.settings.table import show, unit_of, why

_WIDTH_IN_FILES = 160


@click.command("settings", short_help="Show every setting, and where it was set.")
@instance_options
@click.option("--json", "as_json", is_flag=True, help="Print the values as JSON.")
@click.option("--markdown", is_flag=True, help="Print the reference of all settings.")
def command(config: Path | None, data: Path | None, as_json: bool, markdown: bool) -> None:
    """Show every setting: value, default, unit, what for, and where it was set.

    Settings come from the file, then the environment (DAVHOST_<NAME>), then the
    command line; the last one wins.

    \b
    Examples:
        davhost settings
        DAVHOST_ALLOW='*' davhost settings --json
    """
    if markdown:
        click.echo(reference(), nl=False)
        return
    configuration = read_settings(config, data)
    if as_json:
        click.echo(json.dumps(values(configuration), indent=2))
        return
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH_IN_FILES)
    console.print(_table(configuration))


def values(configuration: Configuration) -> dict[str, str]:
    """Write every value as the file would have it, without passwords."""
    settings = configuration.settings
    return {name: _shown(name, getattr(settings, name)) for name in Settings.model_fields}


def reference() -> str:
    """Write the table of all settings for config/README.md."""
    lines = ["| name | default | unit | what for |", "|---|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = show(name, field.default)
        lines.append(f"| `{name}` | `{default}` | {unit_of(name)} | {why(name)} |")
    return "\n".join(lines) + "\n"


def _table(configuration: Configuration) -> Table:
    table = Table("name", "value", "default", "unit", "what for", "set by", show_lines=True)
    for name, value in values(configuration).items():
        default = show(name, Settings.model_fields[name].default)
        origin = configuration.origins.get(name, "default")
        table.add_row(name, value, default, unit_of(name), why(name), origin)
    return table


def _shown(name: str, value: object) -> str:
    if name == "database_url" and isinstance(value, str):
        return hide_password(value)
    if name in SECRET and value is not None:
        return "***"
    return show(name, value)


def hide_password(url: str) -> str:
    """Replace the password in a database URL by ``***``."""
    scheme, separator, rest = url.partition("://")
    login, at, place = rest.rpartition("@")
    user, colon, _ = login.partition(":")
    return f"{scheme}{separator}{user}{':***' if colon else ''}{at}{place}"
