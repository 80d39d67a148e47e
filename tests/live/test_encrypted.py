"""Every client over TLS, davhost's own and that of nginx in front, as without.

All but litmus verify the certificate, which is one of `davhost tls init`. Nothing
is set for nginx: the address in `Destination` is the one that the client knows,
and davhost behind it hears plain HTTP.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from webdav3.exceptions import WebDavException

from tests.live.client_contract import Client, ClientContract, is_tree, new_name
from tests.live.dav import Dav, href
from tests.live.server import Server
from tests.live.test_cadaver import Cadaver
from tests.live.test_curl import Curl
from tests.live.test_davfs2 import Davfs
from tests.live.test_examples import Site, site
from tests.live.test_gio import Gio
from tests.live.test_lftp import Lftp
from tests.live.test_litmus import SUITES, check_suite
from tests.live.test_rclone import Rclone, rclone_mounted
from tests.live.test_saving import office, text_of
from tests.live.test_webdavclient3 import WebdavClient3

__all__ = ["site"]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("davhost", marks=pytest.mark.xdist_group("encrypted by davhost")),
        pytest.param(
            "nginx",
            marks=[pytest.mark.needs("nginx"), pytest.mark.xdist_group("encrypted by nginx")],
        ),
    ],
)
def box(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dav]:
    """A home on davhost with a certificate of its own, and behind nginx as the example has it."""
    if request.param == "nginx":
        behind: Site = request.getfixturevalue("site")
        yield behind.dav(behind.server.add_user("tls"))
        return
    home = tmp_path_factory.mktemp("tls")
    server = Server(home / "data", home, workers=1)
    server.administer("tls", "init")
    with server:
        yield server.new_user("tls")


@contextmanager
def _webdavclient3(box: Dav, _home: Path) -> Iterator[Client]:
    client = WebdavClient3(box)
    yield client
    client.library.session.close()


@contextmanager
def _gio(box: Dav, home: Path) -> Iterator[Client]:
    session = Gio(box, home)
    try:
        session.mount()
        yield session
        session.unmount()
    finally:
        session.close()


@contextmanager
def _davfs2(box: Dav, _home: Path) -> Iterator[Client]:
    # The user davfs2 may not enter pytest's own folders.
    with tempfile.TemporaryDirectory(prefix="davhost-tls-") as folder:
        Path(folder).chmod(0o755)
        with Davfs(box, Path(folder)).mounted() as mount:
            yield mount


@contextmanager
def _rclone_mount(box: Dav, home: Path) -> Iterator[Client]:
    point = home / "mount"
    point.mkdir()
    with rclone_mounted(Rclone(box, home), point) as mount:
        yield mount


def _with(
    start: Callable[[Dav, Path], AbstractContextManager[Client]], *needs: str
) -> pytest.ParameterSet:
    return pytest.param(start, id=start.__name__.strip("_"), marks=pytest.mark.needs(*needs))


def _plain(kind: Any, *needs: str) -> pytest.ParameterSet:
    start = lambda box, home: nullcontext(kind(box, home))  # noqa: E731
    return pytest.param(start, id=kind.__name__.lower(), marks=pytest.mark.needs(*needs))


CLIENTS = (
    _plain(Curl, "curl"),
    _plain(Rclone, "rclone"),
    _plain(Lftp, "lftp"),
    _plain(Cadaver, "cadaver", "root", "unshare"),
    _with(_webdavclient3),
    _with(_gio, "gio", "gvfsd", "gvfsd-dav", "dbus-run-session", "root", "unshare"),
    _with(_davfs2, "mount.davfs", "root", "/dev/fuse"),
    _with(_rclone_mount, "rclone", "fusermount3", "/dev/fuse"),
)

#: Everything at once that is written in more than one way; one by one without TLS.
NAME = "a; b? #1 50%25 & déjà vu 日本.txt"


@pytest.mark.parametrize("start", CLIENTS)
def test_a_client_does_its_whole_job_over_tls(
    box: Dav,
    tmp_path: Path,
    start: Callable[[Dav, Path], AbstractContextManager[Client]],
) -> None:
    """It puts, replaces, gets, makes folders, renames, copies, lists and removes."""
    contract = ClientContract()
    with start(box, tmp_path) as client:

        def folder() -> str:
            name = new_name()
            client.make_collection(name)
            return name

        contract.test_a_file_arrives_byte_by_byte(client, box, folder(), tmp_path)
        contract.test_an_upload_replaces_a_file(client, box, folder(), tmp_path)
        contract.test_an_odd_name_is_kept(client, box, folder(), tmp_path, NAME)
        contract.test_an_odd_name_survives_move(client, box, folder(), tmp_path, NAME)
        contract.test_a_collection_moves_with_its_members(client, box, folder(), tmp_path)
        contract.test_a_removed_file_is_gone(client, box, folder(), tmp_path)
        if hasattr(client, "copy"):
            where = folder()
            box.put(href(where, "a;b?.txt"), b"content")
            client.copy(f"{where}/a;b?.txt", f"{where}/c;d?.txt")
            is_tree(box, where, {"a;b?.txt": b"content", "c;d?.txt": b"content"})


@pytest.mark.parametrize("start", CLIENTS)
def test_a_client_refuses_a_server_that_it_cannot_verify(
    box: Dav,
    tmp_path: Path,
    start: Callable[[Dav, Path], AbstractContextManager[Client]],
) -> None:
    """With another authority of the same name nothing is sent: the tests above do verify."""
    other = Server(tmp_path / "other", tmp_path)
    other.administer("tls", "init")
    authority = other.data / "tls/ca.pem"
    misled = Dav(box.host, box.port, box.account, authority=authority)
    refusals = (AssertionError, OSError, WebDavException)
    with pytest.raises(refusals), start(misled, tmp_path) as client:
        client.make_collection("sent to a stranger")
    assert "sent to a stranger" not in box.members()


@pytest.mark.needs("soffice", "/usr/lib/python3/dist-packages/uno.py", "root", "unshare")
def test_libreoffice_edits_over_tls(box: Dav, tmp_path: Path) -> None:
    """LibreOffice opens a .docx at its https address and stores it there."""
    assert box.account is not None
    local = tmp_path / "local.docx"
    office(tmp_path, "make", str(local), "old")
    path = href(new_name() + ".docx")
    box.put(path, local.read_bytes())
    account = (box.account.email, box.account.password)
    office(tmp_path, "edit", box.url(path), " and new", *account, authority=box.authority)
    assert "old and new" in text_of(box.read(path))


#: litmus leaves out the one test of `http` that matters when it speaks TLS.
SUITES_OVER_TLS = [suite for suite in SUITES if suite != "http"]


@pytest.mark.needs("litmus")
@pytest.mark.parametrize("suite", SUITES_OVER_TLS)
def test_litmus_finds_nothing_over_tls(box: Dav, suite: str, tmp_path: Path) -> None:
    """Every test of litmus passes, without a warning."""
    assert box.account is not None
    check_suite(box.url(), box.account, suite, tmp_path)
