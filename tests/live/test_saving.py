"""Real programs save over a mounted drive with the default allow-list.

What they leave is looked at from inside the instance: the content, that the
document is the same resource, and that what it held is exactly one version.
"""

import io
import os
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live.client_contract import new_name
from tests.live.dav import Dav, href
from tests.live.programs import trusting
from tests.live.server import clean_environment
from tests.live.test_davfs2 import Davfs
from tests.live.wait import PATIENCE_SECONDS
from tests.needs import program
from tests.sequences.worlds import Home, World, world

pytestmark = pytest.mark.needs("mount.davfs", "root", "/dev/fuse")

OLD = b"first line\nsecond line\n"
NEW = b"first line\n2nd line\n"

#: The Python that Debian's packages are for; it knows LibreOffice's bridge.
SYSTEM_PYTHON = "/usr/bin/python3"

#: Safe writing as a program of the user's own does it.
PYTHON_REPLACE = (
    "import os, sys, tempfile; name = sys.argv[1]; text = open(name).read();"
    "handle, new = tempfile.mkstemp(dir=os.path.dirname(name));"
    "os.write(handle, text.replace('second', '2nd').encode()); os.close(handle);"
    "os.replace(new, name)"
)


@dataclass(frozen=True)
class Drive:
    """A home with the default allow-list, from outside, from inside, and how to mount it."""

    box: Dav
    home: Home
    davfs: Davfs


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server with the default allow-list."""
    with world(tmp_path_factory.mktemp("saving")) as running:
        yield running


@pytest.fixture(scope="module")
def drive(running: World) -> Iterator[Drive]:
    """One account's drive; davfs2 must be able to enter the folder of its configuration."""
    home = running.new_home(None)
    box = running.server.dav(home.account)
    with tempfile.TemporaryDirectory(prefix="davhost-saving-") as folder:
        Path(folder).chmod(0o755)
        yield Drive(box, home, Davfs(box, Path(folder) / "mount"))


@pytest.fixture
def folder(drive: Drive) -> str:
    """A collection of the test's own."""
    name = new_name()
    drive.box.make_collection(href(name))
    return name


def _run(*command: str, home: Path, stdin: bytes = b"") -> None:
    done = subprocess.run(
        [program(command[0]), *command[1:]],
        cwd=home,
        env=clean_environment(home) | {"GIO_USE_VFS": "local"},
        input=stdin,
        capture_output=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)


_VIM = ["vim", "-es", "-u", "NONE", "-i", "NONE"]
_EDIT = ["-c", "%s/second/2nd/", "-c", "wq"]

#: How programs change a text; the file and a file with the new text come in place.
PROGRAMS = {
    "sed": ["sed", "-i", "s/second/2nd/", "FILE"],
    "sed with a backup": ["sed", "-i.bak", "s/second/2nd/", "FILE"],
    "perl": ["perl", "-i", "-pe", "s/second/2nd/", "FILE"],
    "python": [SYSTEM_PYTHON, "-c", PYTHON_REPLACE, "FILE"],
    "vim in place": [*_VIM, "-c", "set swapfile nowritebackup", *_EDIT, "FILE"],
    "vim renaming": [*_VIM, "-c", "set swapfile writebackup backupcopy=no", *_EDIT, "FILE"],
    "vim with a backup": [*_VIM, "-c", "set swapfile backup backupcopy=no", *_EDIT, "FILE"],
    "vim copying": [*_VIM, "-c", "set swapfile backup backupcopy=yes", *_EDIT, "FILE"],
    "gio save": ["gio", "save", "FILE", "<"],
    "gio copy": ["gio", "copy", "NEW", "FILE"],
    "rsync": ["rsync", "-I", "NEW", "FILE"],
    "rsync with a backup": ["rsync", "-I", "--backup", "NEW", "FILE"],
    "rsync in place": ["rsync", "-I", "--inplace", "NEW", "FILE"],
    "cp": ["cp", "NEW", "FILE"],
}


@pytest.mark.needs("vim", "rsync", "gio", "perl")
@pytest.mark.parametrize("command", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_a_program_saves(drive: Drive, folder: str, tmp_path: Path, command: list[str]) -> None:
    """The document has the new text, is itself, and has one version: what it was."""
    drive.box.put(href(folder, "a.txt"), OLD)
    before = drive.home.files(folder)["a.txt"].id
    new = tmp_path / "new.txt"
    new.write_bytes(NEW)
    with drive.davfs.mounted() as mount:
        places = {"FILE": str(mount.point / folder / "a.txt"), "NEW": str(new)}
        words = [places.get(word, word) for word in command if word != "<"]
        _run(*words, home=tmp_path, stdin=NEW if "<" in command else b"")
    _is_saved(drive, folder, "a.txt", before)
    assert drive.home.contents(folder) == {"a.txt": NEW}
    assert drive.home.versions(folder, "a.txt") == [OLD]


def _is_saved(drive: Drive, folder: str, name: str, id_before: int) -> None:
    assert drive.home.files(folder)[name].id == id_before
    assert drive.home.forbidden() == []
    drive.home.check_sums()


def test_mv_replaces(drive: Drive, folder: str, tmp_path: Path) -> None:
    """`mv` from another disk deletes first: it is another file, the old one in the trash."""
    drive.box.put(href(folder, "a.txt"), OLD)
    new = tmp_path / "new.txt"
    new.write_bytes(NEW)
    with drive.davfs.mounted() as mount:
        _run("mv", "-f", str(new), str(mount.point / folder / "a.txt"), home=tmp_path)
    assert drive.home.contents(folder) == {"a.txt": NEW}
    assert OLD in drive.home.trash()


def test_a_forbidden_type_leaves_nothing(drive: Drive, folder: str, tmp_path: Path) -> None:
    """`cp evil.exe` and a rename to it fail, and what was there is as it was."""
    evil = tmp_path / "evil.exe"
    evil.write_bytes(b"MZ" * 1000)
    drive.box.put(href(folder, "a.txt"), OLD)
    with drive.davfs.mounted() as mount:
        where = mount.point / folder
        for command in (
            ["cp", str(evil), str(where)],
            ["cp", str(evil), str(where / "evil.pdf.exe")],
            ["mv", str(where / "a.txt"), str(where / "a.exe")],
        ):
            done = subprocess.run(command, capture_output=True, check=False)
            assert done.returncode != 0, command
        assert os.listdir(where) == ["a.txt"]  # noqa: PTH208  # what ls does
    assert drive.box.tree(href(folder) + "/") == {"a.txt": OLD}


@pytest.mark.needs("soffice", "/usr/lib/python3/dist-packages/uno.py")
def test_libreoffice_saves(drive: Drive, folder: str, tmp_path: Path) -> None:
    """LibreOffice opens and stores a .docx over the mount, and by its own WebDAV client."""
    local = tmp_path / "local.docx"
    office(tmp_path, "make", str(local), "old")
    for name in ("mount.docx", "http.docx"):
        drive.box.put(href(folder, name), local.read_bytes())
    before = {name: file.id for name, file in drive.home.files(folder).items()}
    with drive.davfs.mounted() as mount:
        office(tmp_path, "edit", (mount.point / folder / "mount.docx").as_uri(), " and new")
    account = drive.home.account
    url = drive.box.url(href(folder, "http.docx"))
    office(tmp_path, "edit", url, " and new", account.email, account.password)
    contents = drive.home.contents(folder)
    assert set(contents) == {"mount.docx", "http.docx"}
    for name, content in contents.items():
        assert "old and new" in text_of(content), name
        _is_saved(drive, folder, name, before[name])
        assert drive.home.versions(folder, name) == [local.read_bytes()], name
    drive.home.world.tomorrow()
    assert set(drive.home.resources(folder)) == {"mount.docx", "http.docx"}


def office(home: Path, *arguments: str, authority: Path | None = None) -> None:
    """Have LibreOffice do one thing; see `office.py`."""
    script = Path(__file__).with_name("office.py")
    _run(*trusting(authority), SYSTEM_PYTHON, str(script), *arguments, home=home)


def text_of(docx: bytes) -> str:
    """Read the text of a Word document, and its markup."""
    with zipfile.ZipFile(io.BytesIO(docx)) as package:
        return package.read("word/document.xml").decode()
