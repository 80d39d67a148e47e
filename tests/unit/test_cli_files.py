"""The command line: in and out, trash, history, backup and restore."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.unit.test_cli import Commands

ADA = ("--user", "ada@example.org")


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """Commands on a data folder with one account."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAVHOST_DURABILITY", "fast")
    made = Commands(tmp_path / "data")
    made.add("ada@example.org")
    return made


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A directory to take in."""
    folder = tmp_path / "source"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "sub" / "b.txt").write_text("bb")
    return folder


def trash_of(commands: Commands) -> list[dict[str, object]]:
    """What is in Ada's trash."""
    found: list[dict[str, object]] = json.loads(commands.do("trash", "list", *ADA, "--json"))
    return found


def names_of(commands: Commands, tmp_path: Path, name: str = "look") -> set[str]:
    """The files that Ada has, as an export shows them."""
    commands.do("export", str(tmp_path / name), *ADA)
    return {p.relative_to(tmp_path / name).as_posix() for p in (tmp_path / name).rglob("*")}


# In and out


def test_in_and_out(commands, source, tmp_path):
    """What comes in goes out."""
    assert commands.do("import", str(source), *ADA) == "Took in 2 files, 3 B.\n"
    assert "2 files were there already" in commands.do("import", str(source), *ADA)
    assert names_of(commands, tmp_path) == {"a.txt", "sub", "sub/b.txt"}


def test_what_is_refused_is_listed_and_the_status_is_1(commands, source):
    """On standard error, one line each, without what could steer a terminal."""
    (source / "evil\x1b[2J.exe").write_text("MZ")
    result = commands.run("import", str(source), *ADA)
    assert result.exit_code == 1
    assert result.stdout.startswith("Took in 2 files")
    assert "\x1b" not in result.stderr
    assert "evil" in result.stderr
    assert len(result.stderr.splitlines()) == 2


def test_reports_can_be_read_by_programs(commands, source):
    """--json has everything, also what was refused."""
    (source / "evil.exe").write_text("MZ")
    result = commands.run("import", str(source), *ADA, "--json")
    report = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (report["files"], report["size_bytes"]) == (2, 3)
    assert [trouble["path"] for trouble in report["refused"]] == ["evil.exe"]


def test_a_dry_run_says_would(commands, source, tmp_path):
    """And leaves everything as it is."""
    assert commands.do("import", str(source), *ADA, "--dry-run").startswith("Would take in 2 files")
    assert names_of(commands, tmp_path) == set()


def test_import_never_takes_the_servers_own_data(commands, tmp_path):
    """Whose folder is below the one that comes in."""
    result = commands.run("import", str(tmp_path), *ADA)
    assert "own data" in result.stderr


def test_the_readable_tree_can_be_taken_in_again(commands, source, tmp_path):
    """If the database is lost, the names and bytes are still there."""
    commands.do("import", str(source), *ADA)
    users = commands.data / "users"
    if not users.exists():
        pytest.skip("there are no readable trees")
    (tree,) = (path for path in users.iterdir() if path.name.isdigit())
    again = Commands(tmp_path / "again")
    again.add("ada@example.org")
    again.do("import", str(tree), *ADA, "--hard-links")
    assert names_of(again, tmp_path) == {"a.txt", "sub", "sub/b.txt"}


@pytest.mark.parametrize("command", ["import", "export"])
def test_an_unknown_account_is_named(commands, source, command):
    """Before anything is read or written."""
    reason = commands.fail(command, str(source), "--user", "nobody@example.org")
    assert "nobody@example.org has no account" in reason


def test_export_leaves_other_files_alone(commands, source, tmp_path):
    """One line says what would make it write all the same."""
    commands.do("import", str(source), *ADA)
    assert "--overwrite" in commands.fail("export", str(source), *ADA)


# Trash and history


def test_the_trash_and_the_way_back(commands, source, tmp_path):
    """By the number that the list shows."""
    commands.do("import", str(source), *ADA)
    assert commands.do("trash", "list", *ADA) == "The trash is empty.\n"
    delete(commands, "/sub")
    (left,) = trash_of(commands)
    assert (left["name"], left["files"], left["size_bytes"]) == ("sub", 1, 2)
    assert "sub/" in commands.do("trash", "list", *ADA)
    assert commands.do("trash", "restore", str(left["number"]), *ADA).endswith(": /sub\n")
    assert trash_of(commands) == []
    assert "sub/b.txt" in names_of(commands, tmp_path)


def test_what_cannot_come_back_is_said(commands, source):
    """The others come back all the same."""
    commands.do("import", str(source), *ADA)
    delete(commands, "/a.txt")
    number = trash_of(commands)[0]["number"]
    result = commands.run("trash", "restore", "4711", str(number), *ADA)
    assert result.exit_code == 1
    assert result.stderr == "davhost: 4711 stays in the trash: There is no 4711 in the trash.\n"
    assert trash_of(commands) == []
    assert commands.run("trash", "restore", *ADA).exit_code == 2


def test_emptying_asks_first(commands, source):
    """No is the answer of silence; --older-than keeps what is younger."""
    commands.do("import", str(source), *ADA)
    delete(commands, "/a.txt")
    assert commands.run("trash", "empty", *ADA, stdin="n\n").exit_code == 1
    commands.do("trash", "empty", *ADA, "--yes", "--older-than", "1")
    assert len(trash_of(commands)) == 1
    assert "1 file" in commands.do("trash", "empty", *ADA, "--yes")
    assert trash_of(commands) == []


def test_content_of_before_comes_back(commands, source, tmp_path):
    """By the number that the history shows; nothing is lost."""
    commands.do("import", str(source), *ADA)
    (source / "a.txt").write_text("new")
    commands.do("import", str(source), *ADA, "--overwrite")
    commands.do("history", "/a.txt", *ADA, "--restore", "1")
    names_of(commands, tmp_path)
    assert (tmp_path / "look" / "a.txt").read_text() == "a"
    assert len(json.loads(commands.do("history", "/a.txt", *ADA, "--json"))) == 3
    assert "no content 9" in commands.fail("history", "/a.txt", *ADA, "--restore", "9")


# Backup and restore


def test_a_backup_becomes_a_server(commands, source, tmp_path):
    """With the same accounts and files; and only in an empty place."""
    commands.do("import", str(source), *ADA)
    assert "2 contents" in commands.do("backup", "backups")
    assert "is whole" in commands.do("backup", "backups", "--verify")
    other = Commands(tmp_path / "other")
    other.do("restore", "backups")
    assert list(other.accounts()) == ["ada@example.org"]
    assert names_of(other, tmp_path) == {"a.txt", "sub", "sub/b.txt"}
    assert "accounts already" in other.fail("restore", "backups")


def test_old_backups_go(commands, source):
    """--keep leaves the newest."""
    names = []
    for _ in range(3):
        said = json.loads(commands.do("backup", "backups", "--keep", "2", "--json"))
        names.append(Path(said["backup"]).name)
    assert said["deleted"] == names[:1]
    left = {path.name for path in Path("backups").iterdir()}
    assert left == {*names[1:], "latest"}


def test_a_damaged_backup_is_said(commands, source):
    """Status 1, one line for each fault."""
    commands.do("import", str(source), *ADA)
    commands.do("backup", "backups")
    blob = next(p for p in Path("backups").glob("*/blobs/*/*/*") if p.is_file())
    blob.chmod(0o600)
    blob.write_text("?")
    result = commands.run("backup", "backups", "--verify")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1


def test_what_is_missing_on_the_server_is_said(commands, source):
    """The rest is saved, the status is 1."""
    commands.do("import", str(source), *ADA)
    blob = next(p for p in (commands.data / "blobs").glob("*/*/*") if p.is_file())
    blob.unlink()
    result = commands.run("backup", "backups")
    assert result.exit_code == 1
    assert "is lost on the server" in result.stderr


def test_one_accounts_files_come_back(commands, source, tmp_path):
    """Beside what is there, or in their old place; a path of them, as it was at a time."""
    commands.do("import", str(source), *ADA)
    name = Path(json.loads(commands.do("backup", "backups", "--json"))["backup"]).name
    delete(commands, "/sub")
    commands.do("restore", "backups", *ADA)
    assert f"Restored {name}/sub/b.txt" in names_of(commands, tmp_path, "1")
    commands.do("restore", "backups", *ADA, "--path", "/sub", "--in-place", "--at", name)
    assert "sub/b.txt" in names_of(commands, tmp_path, "2")


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("restore", "."), "no complete backup"),
        (("backup", "backups", "--verify"), "backups"),
        (("restore", ".", "--in-place"), "--user"),
        (("backup", "backups", "--at", "2026-01-01"), "--verify"),
        (("restore", ".", "--at", "yesterday"), "2026-11-22T22:30"),
    ],
)
def test_what_cannot_be_is_one_sentence(commands, arguments, wanted):
    """And no traceback."""
    assert wanted in commands.fail(*arguments)


def test_backups_are_nobody_elses(commands):
    """They hold what the data folder holds, also where the umask is open."""
    before = os.umask(0o022)
    try:
        commands.do("backup", "backups")
    finally:
        os.umask(before)
    assert Path("backups").stat().st_mode & 0o077 == 0


def delete(commands: Commands, path: str) -> None:
    """Delete what a client would delete."""
    from davhost.bootstrap.services import open_services
    from davhost.paths import DavPath
    from davhost.settings import Settings

    services = open_services(Settings(data_dir=commands.data, durability="fast"))
    try:
        tree = services.tree_of(services.accounts.principal("ada@example.org"))
        tree.unbind(DavPath.from_text(path))
    finally:
        services.close()


def test_a_restored_server_passes_its_check(commands, source, tmp_path):
    """Every invariant, every byte, and the readable tree."""
    commands.do("import", str(source), *ADA)
    (source / "a.txt").write_text("new")
    commands.do("import", str(source), *ADA, "--overwrite")
    delete(commands, "/sub")
    commands.do("backup", "backups")
    other = Commands(tmp_path / "other")
    other.do("restore", "backups")
    other.do("check", "--deep")
    other.do("trash", "restore", "--all", *ADA)
    other.do("import", str(source), *ADA, "--to", "/linked", "--hard-links")
    other.do("check", "--deep")


# Back in time


def test_everything_goes_back_to_a_time(commands, source, tmp_path):
    """What is new goes to the trash, what was deleted comes back; the numbers say so."""
    commands.do("import", str(source), *ADA)
    before = datetime.now(UTC).isoformat()
    delete(commands, "/a.txt")
    (source / "a.txt").unlink()
    (source / "new.txt").write_text("new")
    commands.do("import", str(source), *ADA)
    said = commands.do("rewind", *ADA, "--to", before, "--yes")
    assert "1 came out of the trash" in said
    assert names_of(commands, tmp_path, "again") == {"a.txt", "sub", "sub/b.txt"}


def test_what_cannot_go_back_is_named_and_the_status_is_1(commands, source, tmp_path):
    """Emptying the trash was for good."""
    commands.do("import", str(source), *ADA)
    before = datetime.now(UTC).isoformat()
    delete(commands, "/a.txt")
    commands.do("trash", "empty", *ADA, "--yes")
    result = commands.run("rewind", *ADA, "--to", before, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["lost"] == ["/a.txt"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "say which"),
        (("--to", "2000-01-01", "--to-brake"), "say which"),
        (("--to", "soon"), "is no time"),
        (("--to", "2999-01-01"), "is still to come"),
        (("--to-brake",), "is not stopped"),
    ],
)
def test_a_time_that_makes_no_sense_is_refused(commands, arguments, reason):
    """In one line, and nothing is changed."""
    result = commands.run("rewind", *ADA, *arguments, "--yes")
    assert result.exit_code != 0
    assert reason in result.output


def test_an_account_that_is_not_stopped_is_not_released(commands):
    """The brake says what is so."""
    assert commands.do("brake", "list") == "No account is stopped.\n"
    assert "is not stopped" in commands.run("brake", "release", *ADA).output
