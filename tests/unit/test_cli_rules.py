"""The commands about rules: explain a name, list refusals, list what a file held."""

import json

import pytest

from davhost.bootstrap.services import open_services
from davhost.cli.common import printable
from davhost.errors import Refused
from davhost.settings import Settings
from tests import samples
from tests.instance import Home
from tests.unit.test_cli import Commands, commands

__all__ = ["commands"]

ADA = "ada@example.org"


@pytest.fixture
def ada(commands: Commands):
    """The home of an account with the default allow-list."""
    commands.add(ADA)
    services = open_services(Settings(data_dir=commands.data))
    yield Home(services.tree_of(services.accounts.principal(ADA)))
    services.close()


def refuse(home: Home, path: str, content: bytes = b"x") -> None:
    """Ask for what is refused."""
    with pytest.raises(Refused):
        home.put(path, content)


# davhost policy allow


def test_the_servers_list_is_chosen(commands, ada):
    """For whoever has no list of their own, also while the server runs; and taken back."""
    refuse(ada, "/plan.md")
    assert commands.run("policy", "allow", ".MD,odt").output == "md,odt\n"
    ada.put("/plan.md", b"text")
    refuse(ada, "/a.txt")
    explained = commands.run("policy", "explain", ADA, "/plan.md").output
    assert ".md is on the allowed list" in explained
    assert commands.run("policy", "allow").output == "md,odt\n"
    assert "txt" in commands.run("policy", "allow", "--default").output
    refuse(ada, "/other.md")
    ada.put("/a.txt", b"text")


@pytest.mark.parametrize("arguments", [["a/b"], [""], ["txt", "--default"]])
def test_a_list_that_is_none_is_refused(commands, ada, arguments):
    """Nothing is changed."""
    assert commands.run("policy", "allow", *arguments).exit_code == 2
    ada.put("/a.txt", b"text")


# davhost policy explain


@pytest.mark.parametrize(
    ("path", "deciding", "outcome"),
    [
        ("/a/con.txt", "no client could use: Windows keeps this name", "Refused with 400."),
        ("/trail.txt.", "no client could use: The name ends in a dot", "Refused with 400."),
        ("/._plan.pdf", "beside files: ._* is a temporary of Finder", "Kept as a temporary"),
        ("/~$plan.docx", "beside files: ~$* is a temporary of Microsoft Office", "Kept as a temp"),
        ("/plan.PDF", "on the allowed list: docx,", "Kept as a file. Its content must be a PDF"),
        ("/plan.docx", ".docx is on the allowed list", "It must not hold macros."),
        ("/~WRD0001.tmp", "of a saving program: ~WR?*.tmp is a temporary of Word", "Kept as a te"),
        ("/plan.pdf.part", "temporary ending: an allowed name with .part", "Kept as a temporary"),
        ("/evil.exe", "anything else: File type .exe is not", "Refused with 403. File type .exe"),
        ("/evil", "anything else: File names without a type are not", "Allowed here: docx, gif,"),
        (
            "/plan.docx.sb-1a2b3c4d-XyZabc/plan.docx",
            "on the allowed list: docx,",
            "Kept as a temporary",
        ),
    ],
)
def test_every_class_of_names_is_explained(commands, path, deciding, outcome):
    """The rules in their order down to the one that holds, and what it comes to."""
    commands.add(ADA)
    lines = commands.do("policy", "explain", ADA, path).splitlines()
    assert lines[0] == "Is it"
    assert deciding in next(line for line in lines if line.startswith("  yes  "))
    assert outcome in lines[-1]


def test_the_rules_are_asked_in_their_order(commands):
    """All that do not hold say no."""
    commands.add(ADA, "--allow", "txt")
    assert commands.do("policy", "explain", ADA, "/evil.exe").splitlines() == [
        "Is it",
        "  no   a name that no client could use",
        "  no   a mark that programs put beside files",
        "  no   a file type on the allowed list: txt",
        "  no   a temporary name of a saving program",
        "  no   an allowed name with a temporary ending",
        "  yes  anything else: File type .exe is not on the allowed list",
        "Refused with 403. File type .exe is not on the allowed list. Allowed here: txt.",
    ]


def test_where_everything_is_allowed(commands):
    """Temporaries are files too, and content may be anything."""
    commands.add(ADA, "--allow", "*")
    for path in ("/evil.exe", "/~WRD0001.tmp", "/plan.pdf"):
        lines = commands.do("policy", "explain", ADA, path).splitlines()
        assert lines[-1] == "Kept as a file."
        assert "every name is allowed" in lines[-2]


@pytest.mark.parametrize(
    ("path", "outcome"),
    [
        ("/program.exe", "Kept as a folder; the allowed list is about files."),
        ("/x.sb-1a2b3c4d-XyZabc", "Kept as a folder; the files in it are temporary files."),
        ("/nul", "Refused with 400. Windows keeps this name for a device."),
    ],
)
def test_folders_are_explained(commands, path, outcome):
    """They may have any name that clients can use."""
    commands.add(ADA)
    assert commands.do("policy", "explain", ADA, path, "--folder").splitlines()[-1] == outcome


def test_settings_count_in_explanations(commands, monkeypatch):
    """The server's list, and the checks that are turned off."""
    commands.add(ADA)
    monkeypatch.setenv("DAVHOST_ALLOW", "docx,exe")
    monkeypatch.setenv("DAVHOST_CONTENT_CHECK", "false")
    monkeypatch.setenv("DAVHOST_MACROS_ALLOWED", "true")
    for path in ("/plan.docx", "/evil.exe"):
        assert commands.do("policy", "explain", ADA, path).endswith("Kept as a file.\n")


def test_what_cannot_be_explained_is_one_line(commands):
    """Nobody there, or no name at all."""
    commands.add(ADA)
    assert "has no account" in commands.fail("policy", "explain", "eve@example.org", "/a.txt")
    assert "root has no name" in commands.fail("policy", "explain", ADA, "/")
    assert "cannot name a resource" in commands.fail("policy", "explain", ADA, "/a/../b.txt")


# davhost refusals


def test_refusals_are_listed(commands, ada):
    """When, who, what and why, the newest first."""
    assert commands.do("refusals") == "Nothing was refused.\n"
    assert json.loads(commands.do("refusals", "--json")) == []
    refuse(ada, "/evil.exe")
    refuse(ada, "/plan.pdf", samples.EXE)
    listed = json.loads(commands.do("refusals", "--user", ADA, "--json"))
    assert [(row["user"], row["verb"], row["path"]) for row in listed] == [
        (ADA, "write", "/plan.pdf"),
        (ADA, "write", "/evil.exe"),
    ]
    assert listed[0]["reason"].startswith("Content is not a PDF document.")
    assert listed[0]["at"].endswith("+00:00")
    assert len(json.loads(commands.do("refusals", "--limit", "1", "--json"))) == 1
    assert "/evil.exe" in commands.do("refusals")


def test_refusals_of_one_account(commands, ada):
    """Or of nobody that exists."""
    refuse(ada, "/evil.exe")
    commands.add("eve@example.org")
    assert commands.do("refusals", "--user", "eve@example.org") == "Nothing was refused.\n"
    assert "has no account" in commands.fail("refusals", "--user", "bob@example.org")


def test_a_name_cannot_steer_the_terminal(commands, ada):
    """Neither by control characters nor as markup."""
    refuse(ada, "/[red]\x1b[2J\u202eexe.\x9b")
    listed = commands.do("refusals").replace("\n", "")
    assert "\x1b" not in listed
    assert "\u202e" not in listed
    assert "[red]" in listed
    assert "\\x1b" in listed
    assert "\x1b" not in commands.do("refusals", "--json")


def test_printable_text_is_left_alone():
    """Letters of every script, and emoji that are joined."""
    for text in (
        "plan \u00e4 \u65e5\u672c",
        "\U0001f469\u200d\U0001f467",
        "\u0645\u06cc\u200c\u0631",
    ):
        assert printable(text) == text
    assert printable("a\nb\ud800\u2028") == "a\\nb\\ud800\\u2028"


# davhost history


def test_history_lists_the_newest_first(commands, ada):
    """Each save is one line, numbered from the oldest."""
    for content in (b"1", b"22", b"333"):
        ada.put("/plan.txt", content)
    listed = json.loads(commands.do("history", "/plan.txt", "--user", ADA, "--json"))
    assert [(row["number"], row["size_bytes"]) for row in listed] == [(3, 3), (2, 2), (1, 1)]
    assert listed[0]["replaced_at"] is None
    assert listed[1]["replaced_at"]
    assert "current" in commands.do("history", "/plan.txt", "--user", ADA)


def test_one_save_is_one_version(commands, ada):
    """However many steps a program takes."""
    ada.put("/plan.docx", samples.DOCX)
    ada.put("/~WRD0001.tmp", samples.docx(b"new"))
    ada.move("/plan.docx", "/~WRL0002.tmp")
    ada.move("/~WRD0001.tmp", "/plan.docx")
    ada.delete("/~WRL0002.tmp")
    listed = json.loads(commands.do("history", "/plan.docx", "--user", ADA, "--json"))
    assert [row["size_bytes"] for row in listed] == [
        len(samples.docx(b"new")),
        len(samples.DOCX),
    ]


def test_what_has_no_history_is_one_line(commands, ada):
    """Nothing there, a folder, nobody."""
    ada.mkcol("/folder")
    assert "nothing here" in commands.fail("history", "/a.txt", "--user", ADA)
    assert "is a folder" in commands.fail("history", "/folder", "--user", ADA)
    assert "has no account" in commands.fail("history", "/a.txt", "--user", "eve@example.org")
