"""webdavclient3: the Python library, with its whole interface."""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from webdav3.client import Client as Library
from webdav3.exceptions import RemoteResourceNotFound, ResourceLocked, ResponseErrorCode

from tests.live.client_contract import Client, ClientContract, a_file, is_tree, some_bytes
from tests.live.dav import Dav, href
from tests.live.trees import contents, odd_tree


class WebdavClient3:
    """The library against the home that *box* sees."""

    def __init__(self, box: Dav) -> None:
        assert box.account is not None
        self.library = Library(
            {
                "webdav_hostname": box.url("").rstrip("/"),
                "webdav_login": box.account.email,
                "webdav_password": box.account.password,
            }
        )
        if box.is_encrypted:
            self.library.verify = str(box.authority)

    def put(self, local: Path, remote: str) -> None:
        self.library.upload_sync(remote_path=remote, local_path=str(local))

    def get(self, remote: str) -> bytes:
        buffer = io.BytesIO()
        self.library.download_from(buffer, remote)
        return buffer.getvalue()

    def move(self, source: str, destination: str) -> None:
        self.library.move(source, destination)

    def copy(self, source: str, destination: str) -> None:
        """Make a second file."""
        self.library.copy(source, destination)

    def names(self, collection: str) -> set[str]:
        return {name.rstrip("/") for name in self.library.list(collection)}

    def make_collection(self, remote: str) -> None:
        self.library.mkdir(remote)

    def remove(self, remote: str) -> None:
        self.library.clean(remote)


@pytest.fixture(scope="module")
def client(box: Dav) -> Iterator[Client]:
    """The library with the module's account."""
    client = WebdavClient3(box)
    yield client
    client.library.session.close()


@pytest.fixture
def library(client: WebdavClient3) -> Any:
    """The library's own interface."""
    return client.library


class TestWebdavClient3(ClientContract):
    """Everything that every client can do, by webdavclient3."""


def test_check_sees_what_is_there(library: Any, box: Dav, folder: str) -> None:
    """`check` is true for the root, a collection and a file, and false for nothing."""
    box.put(href(folder, "a;b?.txt"), b"content")
    assert library.check()
    assert library.check(folder)
    assert library.check(f"{folder}/")
    assert library.check(f"{folder}/a;b?.txt")
    assert not library.check(f"{folder}/nothing.txt")


def test_info_and_is_dir_tell_what_it_is(library: Any, box: Dav, folder: str) -> None:
    """`info` gives size, ETag, type and times; `is_dir` tells a collection from a file."""
    box.put(href(folder, "a.txt"), b"12345")
    info = library.info(f"{folder}/a.txt")
    assert info["size"] == "5"
    assert info["etag"] == box.etag(href(folder, "a.txt"))
    assert info["content_type"].startswith("text/plain")
    assert info["created"]
    assert info["modified"]
    assert library.is_dir(folder)
    assert not library.is_dir(f"{folder}/a.txt")


def test_list_with_info_tells_every_member(library: Any, box: Dav, folder: str) -> None:
    """`list(get_info=True)` gives each member with its size and kind."""
    box.put(href(folder, "a.txt"), b"12345")
    box.make_collection(href(folder, "inner"))
    listed = {line["path"]: line for line in library.list(folder, get_info=True)}
    assert {path.rstrip("/").rpartition("/")[2] for path in listed} == {"a.txt", "inner"}
    assert sorted((line["isdir"], line["size"]) for line in listed.values())[0] == (False, "5")


def test_free_is_the_quota(library: Any, box: Dav) -> None:
    """`free` is what is left of the account's quota."""
    assert library.free() == box.quota_available_bytes()


def test_copy_copies_files_and_trees(library: Any, box: Dav, folder: str) -> None:
    """`copy` makes a second file or tree and leaves the first."""
    box.make_collection(href(folder, "from; here"))
    box.put(href(folder, "from; here", "a?.txt"), b"content")
    library.copy(f"{folder}/from; here/a?.txt", f"{folder}/b;.txt")
    library.copy(f"{folder}/from; here", f"{folder}/to? there", depth="infinity")
    is_tree(
        box,
        folder,
        {
            "from; here": None,
            "from; here/a?.txt": b"content",
            "b;.txt": b"content",
            "to? there": None,
            "to? there/a?.txt": b"content",
        },
    )


def test_move_overwrites_only_when_told(library: Any, box: Dav, folder: str) -> None:
    """`move` onto a file is refused, and done with `overwrite=True`."""
    box.put(href(folder, "a.txt"), b"a")
    box.put(href(folder, "b.txt"), b"b")
    with pytest.raises(ResponseErrorCode) as refusal:
        library.move(f"{folder}/a.txt", f"{folder}/b.txt")
    assert refusal.value.code == 412
    is_tree(box, folder, {"a.txt": b"a", "b.txt": b"b"})
    library.move(f"{folder}/a.txt", f"{folder}/b.txt", overwrite=True)
    is_tree(box, folder, {"b.txt": b"a"})


def test_properties_are_kept(library: Any, box: Dav, folder: str) -> None:
    """`set_property` and `get_property` agree, for one property and for several."""
    box.put(href(folder, "a.txt"), b"content")
    path = f"{folder}/a.txt"
    library.set_property(path, {"namespace": "urn:x", "name": "colour", "value": "blue & green"})
    assert library.get_property(path, {"namespace": "urn:x", "name": "colour"}) == "blue & green"
    several = [{"namespace": "urn:x", "name": name, "value": name * 2} for name in ("a", "b")]
    library.set_property_batch(path, several)
    for option in several:
        assert library.get_property(path, option) == option["value"]


def test_lock_keeps_others_out(library: Any, box: Dav, folder: str, tmp_path: Path) -> None:
    """`lock` lets its holder write and nobody else, until it is given back."""
    box.put(href(folder, "a.txt"), b"before")
    path = f"{folder}/a.txt"
    # The collection: the library sends its token with a HEAD of the parent as well.
    with library.lock(folder, timeout=300) as holder:
        with pytest.raises(ResourceLocked):
            library.upload_to(b"another's", path)
        holder.upload_sync(remote_path=path, local_path=str(a_file(tmp_path, b"the holder's")))
    is_tree(box, folder, {"a.txt": b"the holder's"})
    library.upload_to(b"after", path)
    is_tree(box, folder, {"a.txt": b"after"})


def test_uploads_come_from_buffers_and_iterators(library: Any, box: Dav, folder: str) -> None:
    """`upload_to` takes a buffer, and an upload with a progress call goes out in chunks."""
    body = some_bytes(300_000)
    library.upload_to(io.BytesIO(body), f"{folder}/a.pdf")
    is_tree(box, folder, {"a.pdf": body})
    assert b"".join(library.download_iter(f"{folder}/a.pdf")) == body


def test_a_chunked_upload_reports_progress(
    library: Any, box: Dav, folder: str, tmp_path: Path
) -> None:
    """`upload_file` and `download_file` with a progress call transfer the whole file."""
    body = some_bytes(300_000)
    steps: list[tuple[int, int]] = []
    local = a_file(tmp_path, body)

    def progress(*step: int) -> None:
        steps.append((step[0], step[1]))

    library.upload_file(f"{folder}/a.pdf", str(local), progress=progress)
    is_tree(box, folder, {"a.pdf": body})
    library.download_file(f"{folder}/a.pdf", str(tmp_path / "back"), progress=progress)
    assert (tmp_path / "back").read_bytes() == body
    assert len(steps) > 2


def test_trees_go_there_and_back(library: Any, box: Dav, folder: str, tmp_path: Path) -> None:
    """`upload` and `download` of a folder bring the same tree there and back."""
    local = odd_tree(tmp_path / "local")
    library.upload(f"{folder}/tree", str(local))
    expected: dict[str, bytes | None] = {"tree": None}
    expected |= {f"tree/{name}": body for name, body in contents(local).items()}
    is_tree(box, folder, expected)
    library.download(f"{folder}/tree", str(tmp_path / "back"))
    assert contents(tmp_path / "back") == contents(local)


def test_push_and_pull_bring_what_is_new(
    library: Any, box: Dav, folder: str, tmp_path: Path
) -> None:
    """`push` uploads what the drive lacks; `pull` downloads what the folder lacks."""
    here = tmp_path / "here"
    here.mkdir()
    (here / "from here.txt").write_bytes(b"here")
    library.push(folder, str(here))
    is_tree(box, folder, {"from here.txt": b"here"})
    box.put(href(folder, "from there.txt"), b"there")
    library.pull(folder, str(here))
    assert contents(here) == {"from here.txt": b"here", "from there.txt": b"there"}


def test_a_resource_object_does_the_same(
    library: Any, box: Dav, folder: str, tmp_path: Path
) -> None:
    """`resource(...)` reads, writes, renames, copies and removes."""
    resource = library.resource(f"{folder}/a.txt")
    resource.read_from(b"content")
    assert resource.check()
    assert not resource.is_dir()
    buffer = io.BytesIO()
    resource.write_to(buffer)
    assert buffer.getvalue() == b"content"
    resource.rename("b; c?.txt")
    resource.copy(f"{folder}/d.txt")
    is_tree(box, folder, {"b; c?.txt": b"content", "d.txt": b"content"})
    resource.clean()
    is_tree(box, folder, {"d.txt": b"content"})


def test_a_missing_resource_is_reported(library: Any, folder: str, tmp_path: Path) -> None:
    """Reading what is not there raises the library's own error and makes no local file."""
    with pytest.raises(RemoteResourceNotFound):
        library.download_sync(
            remote_path=f"{folder}/nothing.txt", local_path=str(tmp_path / "nothing")
        )
    with pytest.raises(RemoteResourceNotFound):
        library.info(f"{folder}/nothing.txt")
    assert not os.listdir(tmp_path)  # noqa: PTH208


def test_a_refused_type_is_reported(strict_box: Dav) -> None:
    """A type that is not allowed raises 403 and leaves nothing."""
    client = WebdavClient3(strict_box)
    try:
        with pytest.raises(ResponseErrorCode) as refusal:
            client.library.upload_to(b"MZ", "tool.exe")
    finally:
        client.library.session.close()
    assert refusal.value.code == 403
    is_tree(strict_box, "", {})
