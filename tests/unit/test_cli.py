"""The command line: accounts, schema, settings, and errors in one line."""

import json
import re
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from davhost import __version__
from davhost.accounts.passwords import make_password
from davhost.bootstrap.first_start import prepare
from davhost.bootstrap.services import open_services
from davhost.cli import main
from davhost.cli.mounting import instructions, server_url
from davhost.settings import Settings

PASSWORD = "correct horse battery"


class Commands:
    """The commands of davhost on one data folder, run in this process."""

    def __init__(self, data: Path) -> None:
        self.data = data

    def run(self, *arguments: str, stdin: str = "") -> Result:
        """Run a command, whatever comes of it."""
        return CliRunner().invoke(main, [*arguments, "--data", str(self.data)], input=stdin)

    def do(self, *arguments: str, stdin: str = "") -> str:
        """Run a command that must succeed, and give back what it prints."""
        result = self.run(*arguments, stdin=stdin)
        assert result.exit_code == 0, result.output
        return result.stdout

    def fail(self, *arguments: str, stdin: str = "") -> str:
        """Run a command that must fail in words, and give back its one line."""
        result = self.run(*arguments, stdin=stdin)
        assert result.exit_code in (1, 2), result.output
        assert isinstance(result.exception, SystemExit), result.exception
        return result.stderr

    def add(self, email: str, *options: str) -> None:
        """Make an account with the password of these tests."""
        self.do("user", "add", email, "--password-stdin", *options, stdin=PASSWORD + "\n")

    def accounts(self) -> dict[str, dict[str, object]]:
        """Look at all accounts."""
        return {row["email"]: row for row in json.loads(self.do("user", "list", "--json"))}


@pytest.fixture
def commands(tmp_path, monkeypatch) -> Commands:
    """Commands on a data folder that does not exist yet, far from any wsgidav.yaml."""
    monkeypatch.chdir(tmp_path)
    return Commands(tmp_path / "data")


# Accounts


def test_links_for_a_new_account_and_a_new_password(commands, monkeypatch):
    """Both begin with the address that people type; no link is made that cannot work."""
    commands.add("ada@example.org")
    monkeypatch.setenv("DAVHOST_PUBLIC_URL", "https://drive.example.org/")
    assert "registration is closed" in commands.fail("user", "invite")
    monkeypatch.setenv("DAVHOST_REGISTRATION", "invitation")
    invitation = commands.do("user", "invite", "eve@example.org")
    assert invitation.startswith("https://drive.example.org/-/sign-up?invitation=")
    assert "has an account already" in commands.fail("user", "invite", "ada@example.org")
    reset = commands.do("user", "reset", "ada@example.org")
    assert reset.startswith("https://drive.example.org/-/reset?token=")
    assert "has no account" in commands.fail("user", "reset", "nobody@example.org")
    commands.do("user", "disable", "ada@example.org")
    assert "enable the account first" in commands.fail("user", "reset", "ada@example.org")


def test_devices_have_passwords_of_their_own(commands):
    """Made, listed without the password, revoked; a folder that is not there is refused."""
    commands.add("ada@example.org")
    add = ("user", "app-password", "add", "ada@example.org", "--label", "tv")
    password = commands.do(*add, "--read-only").strip()
    assert re.fullmatch(r"([a-z2-9]{5}-){5}[a-z2-9]{5}", password)
    assert "there is no folder /Films" in commands.fail(*add, "--folder", "/Films")
    listed = commands.do("user", "app-password", "list", "ada@example.org", "--json")
    (row,) = json.loads(listed)
    assert (row["label"], row["read_only"], row["used_at"]) == ("tv", True, None)
    assert password not in listed
    revoke = ("user", "app-password", "revoke", "ada@example.org", str(row["number"]))
    commands.do(*revoke)
    assert "has no app password" in commands.fail(*revoke)


def test_adding_a_user_to_nothing_makes_the_instance(commands):
    """`user add` works before the first start, and the data folder is nobody else's."""
    commands.add("ada@example.org")
    assert list(commands.accounts()) == ["ada@example.org"]
    assert stat.S_IMODE(commands.data.stat().st_mode) == 0o700


def test_an_account_shows_what_it_was_given(commands):
    """Quota, file types and rights are listed as they are."""
    commands.add("ada@example.org", "--quota", "10 GB", "--allow", "odt, txt", "--admin")
    account = commands.accounts()["ada@example.org"]
    assert account["quota_bytes"] == 10**10
    assert account["allow"] == "odt,txt"
    assert account["admin"]
    assert not account["disabled"]
    assert account["used_bytes"] == 0
    table = commands.do("user", "list")
    assert "ada@example.org" in table
    assert "10 GB" in table


def test_without_options_the_servers_own_rules_hold(commands, monkeypatch):
    """The default quota is the setting; the list of file types is the server's."""
    monkeypatch.setenv("DAVHOST_QUOTA_DEFAULT", "1 MiB")
    commands.add("ada@example.org")
    commands.add("eve@example.org", "--quota", "none")
    accounts = commands.accounts()
    assert accounts["ada@example.org"]["quota_bytes"] == 2**20
    assert accounts["ada@example.org"]["allow"] is None
    assert accounts["eve@example.org"]["quota_bytes"] is None


def test_an_address_has_one_account_whatever_its_case(commands):
    """Ada and ADA are the same person."""
    commands.add("ada@example.org")
    reason = commands.fail(
        "user", "add", "ADA@Example.org", "--password-stdin", stdin=PASSWORD + "\n"
    )
    assert "has an account already" in reason
    assert len(commands.accounts()) == 1


@pytest.mark.parametrize(
    ("email", "stdin"),
    [("ada", PASSWORD), ("ada@example.org", "short"), ("ada@example.org", "")],
    ids=["no address", "short password", "no password"],
)
def test_what_cannot_be_an_account_is_refused(commands, email, stdin):
    """One line says why, and nothing is made."""
    reason = commands.fail("user", "add", email, "--password-stdin", stdin=stdin)
    assert reason.startswith("davhost: ")
    assert len(reason.splitlines()) == 1
    assert not commands.data.exists() or commands.accounts() == {}


def test_without_a_terminal_nobody_is_asked(commands):
    """A script that forgets --password-stdin is told so."""
    assert "--password-stdin" in commands.fail("user", "add", "ada@example.org")


@pytest.mark.parametrize("options", [("--quota", "much"), ("--allow", "tar.gz")])
def test_bad_options_are_refused(commands, options):
    """Before anything is read or made."""
    arguments = ("user", "add", "ada@example.org", "--password-stdin", *options)
    assert options[0] in commands.fail(*arguments, stdin=PASSWORD)
    assert not commands.data.exists()


def signs_in(commands: Commands, email: str, password: str) -> bool:
    """Try to sign in, in a process of its own as it were."""
    services = open_services(Settings(data_dir=commands.data))
    try:
        services.accounts.authenticate(email, password, "192.0.2.1")
    except Exception:
        return False
    else:
        return True
    finally:
        services.close()


def test_a_new_password_ends_the_old_one(commands):
    """Any character but the end of the line may be part of it."""
    commands.add("ada@example.org")
    fresh = " pass: wörd 🔑 "
    commands.do("user", "passwd", "ada@example.org", "--password-stdin", stdin=fresh + "\r\n")
    assert signs_in(commands, "ada@example.org", fresh)
    assert not signs_in(commands, "ada@example.org", PASSWORD)


def test_a_disabled_account_stays_out_until_it_is_enabled(commands):
    """Nothing but signing in changes."""
    commands.add("ada@example.org")
    commands.do("user", "disable", "ada@example.org")
    assert commands.accounts()["ada@example.org"]["disabled"]
    assert not signs_in(commands, "ada@example.org", PASSWORD)
    commands.do("user", "enable", "ada@example.org")
    assert signs_in(commands, "ada@example.org", PASSWORD)


def test_the_last_administrator_stays_one(commands):
    """It can be neither disabled nor lose its role, until another may take over."""
    commands.add("ada@example.org")
    commands.do("user", "set", "ada@example.org", "--admin")
    assert commands.accounts()["ada@example.org"]["admin"]
    for last in (("disable", "ada@example.org"), ("set", "ada@example.org", "--no-admin")):
        assert "only account that administers" in commands.fail("user", *last)
    commands.add("bob@example.org", "--admin")
    commands.do("user", "set", "ada@example.org", "--no-admin")
    assert not commands.accounts()["ada@example.org"]["admin"]


def test_a_lost_device_is_signed_out(commands):
    """With --devices its app password ends, too."""
    commands.add("ada@example.org")
    add = ("user", "app-password", "add", "ada@example.org", "--label", "tv")
    password = commands.do(*add).strip()
    commands.do("user", "sign-out", "ada@example.org")
    assert signs_in(commands, "ada@example.org", password)
    commands.do("user", "sign-out", "ada@example.org", "--devices")
    assert not signs_in(commands, "ada@example.org", password)
    assert signs_in(commands, "ada@example.org", PASSWORD)


def test_quota_and_file_types_can_change_later(commands):
    """`default` and `none` take a limit back."""
    commands.add("ada@example.org", "--quota", "1 GB", "--allow", "txt")
    said = commands.do("user", "set", "ada@example.org", "--quota", "2 GB")
    assert "2 GB" in said
    assert commands.accounts()["ada@example.org"]["allow"] == "txt"
    commands.do("user", "set", "ada@example.org", "--quota", "none", "--allow", "default")
    account = commands.accounts()["ada@example.org"]
    assert (account["quota_bytes"], account["allow"]) == (None, None)
    assert "--quota" in commands.fail("user", "set", "ada@example.org")


def test_removing_asks_and_says_what_goes(commands):
    """No is the answer of silence."""
    commands.add("ada@example.org")
    asked = commands.run("user", "remove", "ada@example.org", stdin="n\n")
    assert asked.exit_code == 1
    assert "0 files" in asked.output
    assert commands.accounts()
    commands.do("user", "remove", "ada@example.org", "--yes")
    assert commands.accounts() == {}


@pytest.mark.parametrize(
    "arguments",
    [
        ("passwd", "--password-stdin"),
        ("disable",),
        ("enable",),
        ("remove", "--yes"),
        ("set", "--quota", "none"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_an_unknown_account_is_named(commands, arguments):
    """For every command that needs one."""
    verb, *options = arguments
    commands.do("db", "upgrade")
    reason = commands.fail("user", verb, "nobody@example.org", *options, stdin=PASSWORD)
    assert reason == "davhost: nobody@example.org has no account\n"


# First start


def test_the_first_start_makes_one_administrator(tmp_path):
    """With a password that lets in; the second start makes nothing."""
    settings = Settings(data_dir=tmp_path / "data", admin_email="root@example.org")
    admin = prepare(settings)
    assert admin is not None
    assert admin.email == "root@example.org"
    assert signs_in(Commands(settings.data_dir), admin.email, admin.password)
    assert prepare(settings) is None


def test_passwords_that_are_made_differ_and_can_be_read_aloud():
    """A hundred bits, and no letter that looks like another."""
    made = {make_password() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"([a-km-np-z2-9]{5}-){3}[a-km-np-z2-9]{5}", p) for p in made)


# Schema


def test_the_schema_goes_up_and_down(commands):
    """`current` succeeds only when it is the one that is needed."""
    commands.data.mkdir()
    assert "db upgrade" in commands.fail("db", "current")
    assert commands.do("db", "upgrade").startswith("empty -> ")
    assert commands.do("db", "current").strip()
    assert commands.do("db", "downgrade", "base", "--yes").endswith("-> empty\n")
    assert "no schema" in commands.fail("db", "downgrade", "base", "--yes")


def test_going_down_asks(commands):
    """What newer tables held is lost."""
    commands.do("db", "upgrade")
    assert commands.run("db", "downgrade", "base", stdin="n\n").exit_code == 1
    commands.do("db", "current")


# Errors and help


def test_a_bad_setting_is_one_line_and_status_2(commands, monkeypatch):
    """With the name that was meant."""
    monkeypatch.setenv("DAVHOST_PROT", "1")
    result = commands.run("user", "list")
    assert result.exit_code == 2
    assert result.stderr == (
        "davhost: environment: there is no setting DAVHOST_PROT; did you mean DAVHOST_PORT?\n"
    )


def test_a_data_folder_that_cannot_be_is_one_line(commands):
    """Here a file is in the way."""
    commands.data.write_text("")
    arguments = ("user", "add", "ada@example.org", "--password-stdin")
    reason = commands.fail(*arguments, stdin=PASSWORD)
    assert reason == f"davhost: {commands.data}: File exists\n"


def test_a_mistyped_data_folder_is_not_made(commands):
    """Only `serve`, `user add` and `db upgrade` begin something new."""
    for arguments in (("user", "list"), ("db", "current"), ("user", "disable", "a@b.c")):
        assert "is not there" in commands.fail(*arguments)
    assert not commands.data.exists()


def test_an_old_schema_is_refused_with_the_command_that_upgrades(commands):
    """By every command that needs the tables."""
    commands.add("ada@example.org")
    commands.do("db", "downgrade", "base", "--yes")
    assert "`davhost db upgrade`" in commands.fail("user", "list")


def test_a_database_that_is_away_is_one_line(commands, monkeypatch):
    """Nobody wants the traceback of a driver."""
    monkeypatch.setenv("DAVHOST_DATABASE_URL", "postgresql://u:secret@127.0.0.1:1/davhost")
    commands.data.mkdir()
    reason = commands.fail("user", "list")
    assert "database" in reason
    assert "refused" in reason
    assert "secret" not in reason


def test_a_database_of_another_kind_is_refused(commands, monkeypatch):
    """SQLite and PostgreSQL, and no other."""
    monkeypatch.setenv("DAVHOST_DATABASE_URL", "mysql://localhost/davhost")
    assert "sqlite" in commands.fail("user", "list")


def test_settings_say_where_they_come_from(commands, monkeypatch):
    """One table with value, default, unit, reason and source of each."""
    monkeypatch.setenv("DAVHOST_ALLOW", "*")
    table = commands.do("settings")
    assert "environment" in table
    shown = json.loads(commands.do("settings", "--json"))
    assert set(shown) == set(Settings.model_fields)
    assert shown["allow"] == "*"
    assert shown["data_dir"] == str(commands.data)


@pytest.mark.parametrize("name", ["", *main.list_commands(None)])
def test_every_command_explains_itself(name):
    """--help says what it does, and what each option means."""
    family = main.get_command(None, name) if name else None
    commands = [[], *([below] for below in getattr(family, "commands", {}))]
    for below in commands:
        result = CliRunner().invoke(main, [*([name] if name else []), *below, "--help"])
        assert result.exit_code == 0
        assert len(result.stdout.splitlines()) > 4
        assert not re.search(r"^  --[a-z-]+ *[A-Z]*$", result.stdout, re.MULTILINE)


def test_the_version_is_one_line():
    """`davhost --version` for reports."""
    assert CliRunner().invoke(main, ["--version"]).stdout == f"davhost, version {__version__}\n"


# How to mount


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        (
            "http://127.0.0.1:8080/",
            ["BasicAuthLevel", "dav://a%40b.c@127.0.0.1:8080/", "port 8080"],
        ),
        ("https://drive.example.org/", ["davs://a%40b.c@drive.example.org/", "port 443"]),
    ],
)
def test_every_system_finds_its_steps(url, wanted):
    """With the right scheme, and the user's address escaped where it stands in a URL."""
    text = instructions(url, "a@b.c")
    for system in ("Windows", "macOS", "GNOME", "KDE", "davfs2", "rclone", "Cyberduck"):
        assert system in text
    for piece in [*wanted, url]:
        assert piece in text
    assert ("BasicAuthLevel" in text) == url.startswith("http:")


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({}, "http://127.0.0.1:8080/"),
        ({"port": 80}, "http://127.0.0.1/"),
        ({"host": "::1"}, "http://[::1]:8080/"),
        ({"tls_certificate": "c.pem", "port": 443, "host": "h"}, "https://h/"),
    ],
)
def test_the_url_is_one_that_can_be_pasted(settings, url):
    """Brackets for IPv6, no port where it is the usual one."""
    checked = Settings(**settings)
    assert server_url(checked, checked.port) == url


def test_mount_help_takes_the_public_address(commands, monkeypatch):
    """What a proxy answers to is what people type."""
    monkeypatch.setenv("DAVHOST_PUBLIC_URL", "https://drive.example.org")
    assert "net use * https://drive.example.org/ " in commands.do("mount-help")
    other = commands.do("mount-help", "--url", "http://nas:8080/", "--email", "ada@example.org")
    assert "net use * http://nas:8080/ /user:ada@example.org" in other
