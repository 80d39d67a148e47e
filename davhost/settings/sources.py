"""Read settings from the file, the environment and the command line, in that order.

Later sources win. Whatever is unknown or wrong is refused with its name, where
it stands and the nearest name that exists; nothing is ignored in silence.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from davhost.settings.table import Settings

PREFIX = "DAVHOST_"
SECTION = "davhost"
DEFAULT_FILE = Path("wsgidav.yaml")

#: Not settings: the file to read, and what the tests are told.
_OTHER_VARIABLES = frozenset({"DAVHOST_CONFIG"})
_TEST_PREFIX = "DAVHOST_TEST_"

#: They stand at the top of a WsgiDAV configuration, so not in davhost's section.
TOP_LEVEL = ("host", "port")

#: What WsgiDAV 4.4 and its command line read at the top of the file.
WSGIDAV_KEYS = frozenset(
    {
        *("add_header_MS_Author_Via", "cors", "default_charset", "dir_browser", "error_printer"),
        *("fs_dav_provider", "honor_mtime_header", "host", "hotfixes", "http_authenticator"),
        *("lock_storage", "logging", "middleware_stack", "mount_path", "mutable_live_props"),
        *("nt_dc", "pam_dc", "port", "property_manager", "provider_mapping", "server"),
        *("server_args", "simple_dc", "ssl_adapter", "ssl_certificate", "ssl_certificate_chain"),
        *("ssl_private_key", "suppress_version_info", "verbose"),
    }
)

#: Settings that are a password or hold one: their values are not shown.
SECRET = ("database_url", "smtp_password")

#: Settings that are paths, and what is none when it stands there.
_PATHS = {
    "data_dir": ("", "none"),
    "tls_certificate": ("", "none", "auto"),
    "tls_private_key": ("", "none"),
    "smtp_ca_file": ("", "none"),
}


class BadSettings(ValueError):
    """A setting is unknown or has a bad value; the message says which, where and what to do."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """Checked settings, and where they came from.

    Args:
        file: the file that was read, or None.
        wsgidav: its keys for WsgiDAV, davhost's section left out.
        origins: for each setting that is not the default, where it was set.
    """

    settings: Settings
    file: Path | None
    wsgidav: Mapping[str, Any]
    origins: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Source:
    """Raw values from one place.

    Args:
        spelling: for each setting, how it is called there.
        paths_from: the folder that relative paths start in.
    """

    where: str
    values: Mapping[str, Any]
    spelling: Mapping[str, str]
    paths_from: Path


def load(
    file: Path | None = None,
    *,
    options: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Configuration:
    """Read and check all settings.

    Args:
        file: a WsgiDAV configuration in YAML; without it, DAVHOST_CONFIG or
            ``wsgidav.yaml`` in *folder* is read if it is there.
        options: from the command line, by name of setting; None is not given.
        environment: variables; those of the process by default.
        folder: where relative paths start that are not in a file.

    Raises:
        BadSettings: something is unknown, wrong, or cannot be read.
    """
    environment = os.environ if environment is None else environment
    folder = Path.cwd() if folder is None else folder
    file = file or _default_file(environment, folder)
    document = {} if file is None else _read(file)
    return merge(document, file, options=options, environment=environment, folder=folder)


def merge(
    document: Mapping[str, Any],
    file: Path | None,
    *,
    options: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Configuration:
    """Check the content of a configuration file together with the other sources.

    Args:
        document: the whole content of the file.
        file: only for messages, and for the folder where relative paths start.

    Raises:
        BadSettings: something is unknown or wrong.
    """
    environment = os.environ if environment is None else environment
    folder = Path.cwd() if folder is None else folder
    sources = [
        _from_file(document, file, folder),
        _from_environment(environment, folder),
        _from_options(options or {}, folder),
    ]
    origins = {name: source.where for source in sources for name in source.values}
    wsgidav = {key: value for key, value in document.items() if key != SECTION}
    return Configuration(_validate(sources), file, wsgidav, origins)


def _default_file(environment: Mapping[str, str], folder: Path) -> Path | None:
    named = environment.get("DAVHOST_CONFIG")
    if named:
        return Path(named)
    return folder / DEFAULT_FILE if (folder / DEFAULT_FILE).is_file() else None


def _read(file: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise BadSettings(f"{file}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadSettings(f"{file} is not YAML: {' '.join(str(error).split())}") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise BadSettings(f"{file}: expected 'name: value' lines")
    return document


def _from_file(document: Mapping[str, Any], file: Path | None, folder: Path) -> _Source:
    where = str(file) if file is not None else "the configuration"
    known = WSGIDAV_KEYS | {SECTION}
    for key in document:
        # WsgiDAV's own command line adds keys of this kind.
        if str(key) not in known and not str(key).startswith("_"):
            raise BadSettings(_unknown(where, str(key), known))
    section = document.get(SECTION) or {}
    if not isinstance(section, Mapping):
        raise BadSettings(f"{where}: '{SECTION}:' must hold indented 'name: value' lines")
    names = [name for name in Settings.model_fields if name not in TOP_LEVEL]
    for key in section:
        if str(key) in TOP_LEVEL:
            raise BadSettings(f"{where}: {SECTION}.{key} stands at the top of the file as '{key}:'")
        if key not in names:
            raise BadSettings(_unknown(where, f"{SECTION}.{key}", names))
    top = {name: document[name] for name in TOP_LEVEL if name in document}
    spelling = {name: f"{SECTION}.{name}" for name in section}
    paths_from = folder if file is None else file.absolute().parent
    return _Source(where, {**section, **top}, spelling, paths_from)


def _from_environment(environment: Mapping[str, str], folder: Path) -> _Source:
    values, spelling = {}, {}
    known = {PREFIX + name.upper(): name for name in Settings.model_fields}
    for variable, value in sorted(environment.items()):
        if not variable.startswith(PREFIX) or variable.startswith(_TEST_PREFIX):
            continue
        if variable in known:
            values[known[variable]] = value
            spelling[known[variable]] = variable
        elif variable not in _OTHER_VARIABLES:
            raise BadSettings(_unknown("environment", variable, known))
    return _Source("environment", values, spelling, folder)


def _from_options(options: Mapping[str, Any], folder: Path) -> _Source:
    values = {name: value for name, value in options.items() if value is not None}
    spelling = {name: "--" + name.removesuffix("_dir") for name in values}
    return _Source("command line", values, spelling, folder)


def _validate(sources: Sequence[_Source]) -> Settings:
    # The default starts where it would if its line in the file were not a comment.
    merged: dict[str, Any] = {"data_dir": sources[0].paths_from / "data"}
    said: dict[str, str] = {}
    for source in sources:
        for name, value in source.values.items():
            merged[name] = _anchor(name, value, source.paths_from)
            said[name] = f"{source.where}: {source.spelling.get(name, name)}"
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        raise BadSettings("\n".join(_explain(e, said) for e in error.errors())) from None


def _anchor(name: str, value: object, folder: Path) -> object:
    """Make a relative path start in *folder*; leave what is no path to the table."""
    is_path = name in _PATHS and isinstance(value, str | Path)
    if not is_path or str(value).lower() in _PATHS[name]:
        return value
    return folder / Path(str(value)).expanduser()


def _explain(error: ErrorDetails, said: Mapping[str, str]) -> str:
    name = str(error["loc"][0]) if error["loc"] else ""
    message = error["msg"].removeprefix("Value error, ")
    if not name:
        return message
    value = repr(error["input"])
    shown = "" if name in SECRET or value in message else f", not {value}"
    return f"{said.get(name, name)}: {message[:1].lower()}{message[1:]}{shown}"


def _unknown(where: str, name: str, known: Iterable[str]) -> str:
    """Say that *name* is unknown, and which of *known* was probably meant."""
    prefix, _, bare = name.rpartition(".")
    near = difflib.get_close_matches(bare, list(known), n=1, cutoff=0.5)
    meant = f"; did you mean {prefix + '.' if prefix else ''}{near[0]}?" if near else ""
    return f"{where}: there is no setting {name}{meant}"
