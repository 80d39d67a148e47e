"""The one table of settings: name, type, default, unit and what each is for.

Everything that shows or documents settings walks this table; nothing repeats
it. The sections of the table are those of wsgidav.yaml.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from davhost.model import Rules
from davhost.settings.values import Network, parse_networks
from davhost.sizes import format_size, parse_quota, parse_size

_POSTGRESQL = ("postgresql", "postgres", "postgresql+psycopg")
KIB, MIB = 2**10, 2**20


def _setting(default: Any, why: str, *, unit: str = "", **limits: Any) -> Any:
    """Make one row of the table; *limits* are pydantic's ``ge`` and ``le``."""
    return Field(default, description=why, json_schema_extra={"unit": unit}, **limits)


def _check_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise ValueError("it must be an address such as https://drive.example.org/")
    if parts.path not in ("", "/"):
        raise ValueError("davhost serves the root of a host name, so the address has no path")
    return f"{parts.scheme}://{parts.netloc}/"


def _check_database(value: str) -> str:
    scheme = value.partition("://")[0]
    if "://" not in value or scheme not in ("sqlite", *_POSTGRESQL):
        raise ValueError("it must begin with postgresql:// or sqlite://")
    return value


def _check_rules(value: str) -> str:
    Rules.parse(value)
    return value


def _join_list(value: object) -> object:
    return ",".join(map(str, value)) if isinstance(value, list) else value


def _switch_off(value: object) -> object:
    return None if value == "" or (isinstance(value, str) and value.lower() == "none") else value


def _check_folder(value: object) -> object:
    if value in ("", None):
        raise ValueError("it must name a folder")
    return value


#: A size in bytes, written as ``10 GB``, ``512 MiB`` or a plain number.
Size = Annotated[int, BeforeValidator(parse_size)]
#: A size in bytes, or None for no limit.
Quota = Annotated[int | None, BeforeValidator(parse_quota)]
#: File name extensions, or ``*``.
Extensions = Annotated[str, BeforeValidator(_join_list), AfterValidator(_check_rules)]
#: The address of the root as clients see it.
PublicUrl = Annotated[str, AfterValidator(_check_url)]
#: What the catalogue is kept in.
DatabaseUrl = Annotated[str, AfterValidator(_check_database)]
#: Addresses and networks.
Networks = Annotated[tuple[Network, ...], BeforeValidator(parse_networks)]


class Settings(BaseModel):
    """Every setting of one server, checked.

    Paths are absolute once `sources.load` has read them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    # Where things are
    data_dir: Annotated[Path, BeforeValidator(_check_folder)] = _setting(
        Path("data"), "Everything the server keeps: the catalogue (SQLite) and all files."
    )
    database_url: Annotated[DatabaseUrl | None, BeforeValidator(_switch_off)] = _setting(
        None,
        "The catalogue of names, accounts and locks, e.g. "
        "postgresql://davhost:secret@db.example.org/davhost; none is a SQLite file in data_dir.",
    )
    admin_email: str = _setting(
        "admin@localhost",
        "The first administrator, made when a server with no account starts.",
        pattern=r"^[^@\s]+@[^@\s]+$",
    )

    # Where it listens
    host: str = _setting(
        "127.0.0.1",
        "Address to listen on; 0.0.0.0 or :: for every network of this machine.",
        min_length=1,
    )
    port: int = _setting(8080, "TCP port; 0 takes any free one.", ge=0, le=65535)
    public_url: Annotated[PublicUrl | None, BeforeValidator(_switch_off)] = _setting(
        None,
        "The address that people type, when a proxy stands in front; links in mails begin with it.",
    )
    trusted_proxies: Networks = _setting(
        (), "Proxies whose X-Forwarded-For names the client; nobody else's is believed."
    )
    tls_certificate: Annotated[Path | Literal["auto"] | None, BeforeValidator(_switch_off)] = (
        _setting(
            "auto",
            "PEM file with the certificate and its chain; auto is the one that `davhost tls init` "
            "made, if it did; none is plain http.",
        )
    )
    tls_private_key: Annotated[Path | None, BeforeValidator(_switch_off)] = _setting(
        None, "PEM file with the private key; none when it is in the certificate file."
    )

    # What may be kept
    allow: Extensions = _setting(
        "txt,pdf,png,jpg,jpeg,gif,docx,xlsx,ppt,pptx",
        "File types that may be kept, for accounts that have no list of their own; * allows all. "
        "Administrators may choose another list while the server runs (davhost policy allow).",
    )
    content_check: bool = _setting(
        True,
        "Whether the content of a file must be of the type that its name says, where not every "
        "type is allowed; empty files always may be.",
    )
    macros_allowed: bool = _setting(
        False, "Whether Office documents may hold macros, where not every type is allowed."
    )
    quota_default: Quota = _setting(
        None, "Quota of accounts made without one; none for no limit.", unit="bytes"
    )
    scratch_bytes_max: Size = _setting(
        4 * 1024 * MIB,
        "Room for the temporary files of saving programs in one account, beside its quota.",
        unit="bytes",
    )
    durability: Literal["full", "fast"] = _setting(
        "full",
        "full: an answered write survives a power cut. fast: it survives a crash of the server "
        "only; for tests and for data that can be had again.",
    )
    readable_tree: bool = _setting(
        True,
        "Whether every account also stands as plain files, for reading only, in data_dir/users; "
        "when you switch it off, remove that folder.",
    )
    disk_reserve: Size = _setting(
        64 * MIB,
        "Room that uploads leave on the disk, so that the catalogue can still be written.",
        unit="bytes",
    )

    # Sign-in
    credentials_cache_seconds: float = _setting(
        300,
        "How long a checked password need not be checked slowly again; changes count at once.",
        unit="s",
        ge=0,
        le=86400,
    )
    wrong_tries_per_minute: int = _setting(
        10, "Wrong passwords from one address (one /64 for IPv6) before it must wait.", ge=1
    )
    password_checks_at_once: int = _setting(
        2,
        "Passwords that one process checks at the same time; each takes 64 MiB for a moment.",
        ge=1,
        le=256,
    )

    registration: Literal["open", "invitation", "closed"] = _setting(
        "closed",
        "Who may make an account on the web page: anybody, whoever has an invitation, or nobody; "
        "with a mail server, open means everybody who can read mail at the address.",
    )

    # Mail
    smtp_host: Annotated[str | None, BeforeValidator(_switch_off)] = _setting(
        None, "The mail server, for links to a new password; none sends no mail."
    )
    smtp_port: int = _setting(587, "TCP port of the mail server.", ge=1, le=65535)
    smtp_security: Literal["starttls", "tls", "none"] = _setting(
        "starttls",
        "starttls turns encryption on before anything is said, tls begins with it (port 465), "
        "none is for a mail server on this machine.",
    )
    smtp_user: Annotated[str | None, BeforeValidator(_switch_off)] = _setting(
        None, "The account at the mail server; none signs in with none."
    )
    smtp_password: Annotated[str | None, BeforeValidator(_switch_off)] = _setting(
        None, "Its password; better in DAVHOST_SMTP_PASSWORD than in a file."
    )
    smtp_ca_file: Annotated[Path | None, BeforeValidator(_switch_off)] = _setting(
        None, "PEM file with the certificates to trust for the mail server; none is the system's."
    )
    mail_from: str = _setting(
        "davhost@localhost",
        "The sender of mails: an address, or a name and an address in angle brackets.",
        pattern=r"^[^@\r\n]+@[^@\r\n]+$",
    )

    # Locks and properties
    lock_timeout_default_seconds: int = _setting(
        600, "Life of a lock whose client asks for no time.", unit="s", ge=180
    )
    lock_timeout_max_seconds: int = _setting(
        86400, "Longest life of a lock before its client renews it.", unit="s", ge=180
    )
    locks_per_user_max: int = _setting(1000, "Locks that one account may hold.", ge=1)
    property_bytes_max: Size = _setting(
        64 * KIB, "Size of one property that a client stores.", unit="bytes"
    )
    properties_per_resource_max: int = _setting(
        1000, "Properties that clients may store at one file or folder.", ge=0
    )
    propfind_infinity: bool = _setting(
        False, "Whether one request may list a whole tree (PROPFIND with Depth: infinity)."
    )
    xml_body_bytes_max: Size = _setting(
        MIB, "Size of the XML in a request; longer is refused.", unit="bytes"
    )

    listing_cache_bytes_max: Size = _setting(
        32 * MIB,
        "Memory of each worker for answers to PROPFIND, until something changes; long ones"
        " are in temporary files, of eight times as much. 0 for none.",
        unit="bytes",
    )

    # The HTTP server
    workers: Annotated[int | None, BeforeValidator(_switch_off)] = _setting(
        None, "Worker processes; none for one per processor core.", ge=1, le=256
    )
    threads: int = _setting(8, "Threads that each worker keeps ready.", ge=1, le=10000)
    threads_max: int = _setting(
        1000, "Threads that a worker may grow to while slow transfers hold them.", ge=1, le=10000
    )
    header_timeout_seconds: float = _setting(
        15, "For a whole request head, and for the TLS handshake.", unit="s", gt=0
    )
    body_stall_timeout_seconds: float = _setting(
        60, "For the next piece of an upload.", unit="s", gt=0
    )
    idle_timeout_seconds: float = _setting(
        120, "Between two requests on one connection.", unit="s", gt=0
    )
    send_stall_timeout_seconds: float = _setting(
        300, "For a reader that takes nothing; a media player may pause this long.", unit="s", gt=0
    )
    grace_seconds: float = _setting(
        30, "For transfers in flight when the server is told to stop.", unit="s", ge=0
    )
    header_bytes_max: Size = _setting(
        64 * KIB, "Request line and header fields together.", unit="bytes"
    )
    connections_per_address_max: int = _setting(
        4096,
        "Open connections of one address in each worker, 0 for no limit; "
        "all clients behind a proxy share its address.",
        ge=0,
    )

    # Housekeeping and log
    housekeeping_interval_seconds: float = _setting(
        60, "Between two sweeps of expired locks and of what broken uploads left.", unit="s", gt=0
    )
    scratch_keep_hours: float = _setting(
        24, "How long temporary files stay that saving programs left behind.", unit="h", gt=0
    )
    trash_keep_days: float = _setting(
        30, "How long the bytes of what was deleted stay on the disk.", unit="d", ge=0
    )
    versions_keep_all_hours: float = _setting(
        24,
        "How long every content that was overwritten is kept; then, of one hour, only the last.",
        unit="h",
        ge=0,
    )
    versions_keep_hourly_days: float = _setting(
        7,
        "How long one content of every hour is kept; then, of one day, only the last.",
        unit="d",
        ge=0,
    )
    versions_keep_days: float = _setting(
        30, "How long one content of every day is kept, until it goes for good.", unit="d", ge=0
    )
    past_shown_to: Literal["mounts", "all", "none"] = _setting(
        "mounts",
        "Who finds the folder .davhost (earlier contents and trash) in listings: programs that "
        "mount a drive, all, or none; by its name it opens for everyone. Programs that "
        "synchronise would copy it.",
    )
    kept_percent: float = _setting(
        50,
        "Share of its quota that an account may fill with trash and earlier contents even when "
        "its files need the room; beyond it the oldest go, but none of the last day.",
        unit="%",
        ge=0,
    )
    refusals_keep_days: float = _setting(
        90, "How long the list of refused names and contents goes back.", unit="d", ge=0
    )
    brake: bool = _setting(
        True,
        "Whether an account can only be read after too many of its files were changed at once, "
        "as a blackmailer's program does; `davhost rewind` puts them back.",
    )
    brake_changes: int = _setting(
        2000,
        "Files overwritten, renamed or deleted within brake_minutes that had not been touched "
        "for brake_minutes before.",
        ge=1,
    )
    brake_minutes: float = _setting(10, "See brake_changes.", unit="min", gt=0)
    same_file_minutes: float = _setting(
        10,
        "How long after it was deleted or renamed a document comes back as the same file "
        "when a program puts a temporary in its place.",
        unit="min",
        ge=0,
    )
    access_log: bool = _setting(True, "Whether every request writes one line to the log.")
    log_level: Literal["debug", "info", "warning", "error"] = _setting(
        "info", "The least important messages that are written."
    )

    @model_validator(mode="after")
    def _check_pairs(self) -> Self:
        if self.lock_timeout_default_seconds > self.lock_timeout_max_seconds:
            raise ValueError(
                "lock_timeout_default_seconds must not be greater than lock_timeout_max_seconds"
            )
        if self.threads > self.threads_max:
            raise ValueError("threads must not be greater than threads_max")
        if self.tls_private_key is not None and not isinstance(self.tls_certificate, Path):
            raise ValueError("tls_private_key needs a file in tls_certificate beside it")
        if self.smtp_host is not None and self.public_url is None:
            raise ValueError("smtp_host needs public_url beside it: links in mails begin with it")
        return self

    @property
    def own_certificate_path(self) -> Path:
        """Where `davhost tls init` puts the server's certificate and key."""
        return self.data_dir / "tls" / "server.pem"

    @property
    def certificate_path(self) -> Path | None:
        """The certificate to serve with now; None for plain http."""
        if self.tls_certificate == "auto":
            return self.own_certificate_path if self.own_certificate_path.is_file() else None
        return self.tls_certificate

    @property
    def catalogue_url(self) -> str:
        """The SQLAlchemy URL of the catalogue, with the driver that davhost installs."""
        if self.database_url is None:
            return f"sqlite:///{self.data_dir / 'davhost.sqlite'}"
        scheme, separator, rest = self.database_url.partition("://")
        driver = "postgresql+psycopg" if scheme in _POSTGRESQL else scheme
        return driver + separator + rest

    @property
    def rules(self) -> Rules:
        """The allow-list of accounts that have none of their own."""
        return Rules.parse(self.allow)


def unit_of(name: str) -> str:
    """The unit of a setting: ``bytes``, ``s``, ``min``, ``h``, ``d``, ``%`` or nothing."""
    extra = Settings.model_fields[name].json_schema_extra
    return str(extra["unit"]) if isinstance(extra, dict) else ""


def why(name: str) -> str:
    """What a setting is for, in one or two sentences."""
    return Settings.model_fields[name].description or ""


def show(name: str, value: object) -> str:
    """Write the value of a setting as the configuration file would have it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    if unit_of(name) == "bytes" and isinstance(value, int):
        return format_size(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
