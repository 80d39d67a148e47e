"""Uploading in a real browser to a real server: by every way, and through every mishap."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.live.chromium import browser
from tests.live.dav import Dav
from tests.live.files_page import Home, accessibility_faults, open_home, shoot
from tests.live.server import Server

__all__ = ["browser", "open_home"]

pytestmark = pytest.mark.needs("chromium")

#: How much the large upload has; the issue asks for 1 GB, the ordinary run for less.
LARGE_BYTES = int(os.environ.get("DAVHOST_TEST_UPLOAD_BYTES") or 40_000_000)


def pick(home: Home, *files: Path | dict[str, Any]) -> None:
    """Choose files with the button."""
    home.page.locator("#pick-files").set_input_files(list(files))  # type: ignore[arg-type]


def ended(home: Home, text: str) -> None:
    """See how the uploads ended."""
    expect(home.panel.get_by_role("heading")).to_have_text(text)


def file(name: str, content: bytes) -> dict[str, Any]:
    """Describe a file as Playwright hands it to a page."""
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


#: Hands files to the page as a drop or a paste does.
HAND_OVER = """([kind, files]) => {
  const data = new DataTransfer();
  for (const [name, text, type] of files) data.items.add(new File([text], name, { type }));
  const init = { bubbles: true, cancelable: true };
  const event = kind === "paste"
    ? new ClipboardEvent("paste", { ...init, clipboardData: data })
    : new DragEvent(kind, { ...init, dataTransfer: data });
  (document.querySelector(".drop-here") ?? document.body).dispatchEvent(event);
}"""


def test_several_files_are_uploaded_at_once(open_home: Callable[..., Home]) -> None:
    """Byte for byte, with names that bite, and they are in the list."""
    home = open_home()
    names = ["a.txt", "<b>&\"'.txt", "50% off?#1;.txt", "\U0001f600.txt", "\u200fשלום.txt", "e"]
    pick(home, *(file(name, name.encode() * 1000) for name in names))
    ended(home, "6 files uploaded")
    for name in names:
        expect(home.desk.row(name)).to_be_visible()
    assert home.dav.tree() == {name: name.encode() * 1000 for name in names}


def test_a_whole_folder_is_uploaded(open_home: Callable[..., Home], tmp_path: Path) -> None:
    """With the folders in it, and without what the system of its owner left there."""
    (tmp_path / "Trip" / "Day 1").mkdir(parents=True)
    (tmp_path / "Trip" / "plan.txt").write_bytes(b"plan")
    (tmp_path / "Trip" / "Day 1" / "a.txt").write_bytes(b"a")
    (tmp_path / "Trip" / ".DS_Store").write_bytes(b"litter")
    home = open_home()
    home.page.locator("#pick-folder").set_input_files(str(tmp_path / "Trip"))
    ended(home, "2 files uploaded")
    assert home.dav.tree() == {
        "Trip": None,
        "Trip/plan.txt": b"plan",
        "Trip/Day 1": None,
        "Trip/Day 1/a.txt": b"a",
    }
    expect(home.desk.row("Trip")).to_be_visible()


def test_files_keep_their_dates(open_home: Callable[..., Home], tmp_path: Path) -> None:
    """As a mounted drive keeps them."""
    (tmp_path / "old.txt").write_bytes(b"x")
    os.utime(tmp_path / "old.txt", (1_234_567_890, 1_234_567_890))
    home = open_home()
    pick(home, tmp_path / "old.txt")
    ended(home, "1 file uploaded")
    modified = home.dav.request("HEAD", "/old.txt").headers["Last-Modified"]
    assert modified == "Fri, 13 Feb 2009 23:31:30 GMT"


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_files_are_dropped_and_pasted(open_home: Callable[..., Home], kind: str) -> None:
    """A screenshot that is pasted has no name: it gets the time."""
    home = open_home()
    home.page.evaluate(
        HAND_OVER, [kind, [["a.txt", "one", "text/plain"], ["image.png", "two", "image/png"]]]
    )
    ended(home, "2 files uploaded")
    assert home.dav.read("/a.txt") == b"one"
    pasted = [name for name in home.dav.members() if name.startswith("Pasted ")]
    assert len(pasted) == (1 if kind == "paste" else 0)


def test_files_are_dropped_onto_a_folder(open_home: Callable[..., Home]) -> None:
    """They go into it, not beside it."""
    home = open_home()
    home.dav.make_collection("/Letters/")
    home.page.reload()
    home.desk.row("Letters").evaluate("(row) => row.classList.add('drop-here')")
    home.page.evaluate(HAND_OVER, ["drop", [["a.txt", "one", "text/plain"]]])
    ended(home, "1 file uploaded")
    assert home.dav.read("/Letters/a.txt") == b"one"


@pytest.mark.parametrize("choice", ["Replace", "Keep both", "Skip"])
def test_a_name_that_is_taken_is_asked_about(open_home: Callable[..., Home], choice: str) -> None:
    """Once for all if people say so, and what is replaced is kept as a version."""
    home = open_home()
    for name in ("a.txt", "b.txt"):
        home.dav.put(f"/{name}", b"old")
    home.page.reload()
    home.page.wait_for_selector("#files[data-ready]")
    pick(home, file("a.txt", b"new"), file("b.txt", b"new"), file("c.txt", b"new"))
    expect(home.page.get_by_role("dialog")).to_contain_text("is in this folder already")
    home.page.get_by_role("checkbox", name=re.compile("The same for")).check()
    home.page.get_by_role("button", name=choice).click()
    there = {"Replace": b"new"}.get(choice, b"old")
    expected = {"a.txt": there, "b.txt": there, "c.txt": b"new"}
    if choice == "Keep both":
        expected |= {"a (2).txt": b"new", "b (2).txt": b"new"}
    ended(home, "1 file uploaded, 2 skipped" if choice == "Skip" else "3 files uploaded")
    assert home.dav.tree() == expected
    if choice == "Replace":
        home.page.goto("/-/versions/a.txt")
        expect(
            home.page.get_by_role("button", name=re.compile("Restore the version"))
        ).to_be_visible()


def test_what_another_program_stored_meanwhile_is_not_overwritten(
    open_home: Callable[..., Home],
) -> None:
    """The page did not know of it, and asks."""
    home = open_home()
    seen: list[str] = []

    def be_quicker(route: Any) -> None:
        seen.append(route.request.headers.get("if-none-match", ""))
        if len(seen) == 1:
            home.dav.put("/a.txt", b"theirs")
        route.continue_()

    home.page.route(
        "**/a.txt", lambda r: be_quicker(r) if r.request.method == "PUT" else r.continue_()
    )
    pick(home, file("a.txt", b"ours"))
    home.page.get_by_role("button", name="Keep both").click()
    ended(home, "1 file uploaded")
    assert seen[0] == "*"
    assert home.dav.tree() == {"a.txt": b"theirs", "a (2).txt": b"ours"}


def test_what_cannot_come_is_said_before_it_is_sent(open_home: Callable[..., Home]) -> None:
    """The type, and the room, in words; the others come."""
    home = open_home(allow="txt,pdf", quota="10kB")
    sent: list[str] = []
    home.page.on("request", lambda r: sent.append(r.url) if r.method == "PUT" else None)
    pick(home, file("tool.exe", b"x"), file("big.txt", b"x" * 20_000), file("a.txt", b"x"))
    ended(home, "1 file uploaded, 2 not")
    expect(home.panel).to_contain_text(
        "Files of type .exe are not allowed here. Allowed: pdf, txt."
    )
    expect(home.panel).to_contain_text("There is room for 10 kB more, and this has 20 kB.")
    assert [url.rpartition("/")[2] for url in sent] == ["a.txt"]


def test_what_the_server_refuses_is_said_in_its_words(open_home: Callable[..., Home]) -> None:
    """Content that is not what its name says can only be judged there."""
    home = open_home(allow="txt,pdf")
    pick(home, file("a.pdf", b"MZ no document at all"))
    ended(home, "0 files uploaded, 1 not")
    expect(home.panel).to_contain_text("A file named .pdf must hold what its name says")
    assert home.dav.members() == {}


#: A connection on which an upload of megabytes takes a while.
SLOW = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 10_000_000}

#: Notes every line that the panel of uploads shows.
WATCH = """() => {
  globalThis.shown = [];
  const note = () => shown.push(document.querySelector(".uploads > p.soft").textContent);
  new MutationObserver(note).observe(document.querySelector(".uploads"),
    { childList: true, subtree: true, characterData: true });
}"""


def large(folder: Path, size_bytes: int) -> tuple[Path, str]:
    """Make a file that is quick to make and to compare; return its checksum too."""
    path, digest = folder / "large.bin", hashlib.sha256()
    with path.open("wb") as out:
        for number in range(size_bytes // 1_000_000):
            block = number.to_bytes(4, "big") * 250_000
            digest.update(block)
            out.write(block)
    return path, digest.hexdigest()


def checksum(dav: Dav, path: str) -> str:
    """Read a file of the server in parts and sum it up."""
    digest, size_bytes = hashlib.sha256(), int(dav.request("HEAD", path).headers["Content-Length"])
    for first in range(0, size_bytes, 50_000_000):
        part = dav.request("GET", path, headers={"Range": f"bytes={first}-{first + 49_999_999}"})
        digest.update(part.body)
    return digest.hexdigest()


def test_a_large_file_comes_whole_with_progress(
    open_home: Callable[..., Home], tmp_path: Path
) -> None:
    """How much, how fast and how long is seen on the way."""
    path, expected = large(tmp_path, LARGE_BYTES)
    home = open_home()
    home.page.evaluate(WATCH)
    line = home.page.context.new_cdp_session(home.page)
    line.send("Network.emulateNetworkConditions", SLOW)  # or all of it may be there at once
    pick(home, path)
    expect(home.panel).to_be_visible()
    expect(home.panel.locator("p.soft").first).to_contain_text("B/s")
    assert accessibility_faults(home.page) == []
    shoot(home.page, "files-uploading")
    line.send("Network.emulateNetworkConditions", SLOW | {"uploadThroughput": -1})
    expect(home.panel.get_by_role("heading")).to_have_text("1 file uploaded", timeout=600_000)
    shown = home.page.evaluate("shown")
    assert any(re.search(r"MB of .*B · .*B/s", line) for line in shown), shown
    assert checksum(home.dav, "/large.bin") == expected


def test_an_upload_that_is_cancelled_leaves_nothing(
    open_home: Callable[..., Home], tmp_path: Path
) -> None:
    """And can be begun again."""
    path, expected = large(tmp_path, 5_000_000)
    home = open_home()
    home.page.route("**/large.bin", lambda route: None)  # it does not get anywhere
    pick(home, path)
    home.panel.get_by_role("button", name="Cancel large.bin").click()
    ended(home, "0 files uploaded, 1 cancelled")
    assert home.dav.members() == {}
    home.page.unroute("**/large.bin")
    home.panel.get_by_role("button", name="Try again large.bin").click()
    ended(home, "1 file uploaded")
    assert checksum(home.dav, "/large.bin") == expected


def test_an_upload_goes_on_when_the_server_is_back(
    open_home: Callable[..., Home], make_server: Callable[..., Server], tmp_path: Path
) -> None:
    """Killed in the middle and started again: nobody has to do anything."""
    path, expected = large(tmp_path, 30_000_000)
    with make_server() as server:
        home = open_home(on=server)
        line = home.page.context.new_cdp_session(home.page)
        line.send("Network.emulateNetworkConditions", SLOW)
        pick(home, path)
        expect(home.panel.locator("p.soft").first).to_contain_text("MB of")
        server.kill_all()
        line.send("Network.emulateNetworkConditions", SLOW | {"uploadThroughput": -1})
        expect(home.panel).to_contain_text("It will be tried again.")
        assert not home.page.get_by_role("dialog").is_visible()
        server.start()
        ended(home, "1 file uploaded")
        assert checksum(home.dav, "/large.bin") == expected
        home.page.goto("about:blank")


def test_uploads_go_on_while_one_looks_around(open_home: Callable[..., Home]) -> None:
    """Opening a folder does not end them, and leaving the page asks."""
    home = open_home()
    home.dav.make_collection("/Letters/")
    home.page.reload()
    home.page.wait_for_selector("#files[data-ready]")
    held: list[Any] = []
    home.page.route(
        "**/a.txt", lambda r: held.append(r) if r.request.method == "PUT" else r.continue_()
    )
    with home.page.expect_request(lambda r: r.method == "PUT"):
        pick(home, file("a.txt", b"one"))
    home.desk.row("Letters").get_by_role("link").click()
    expect(home.page.get_by_role("heading", level=1)).to_have_text("Letters")
    held[0].continue_()
    ended(home, "1 file uploaded")
    assert home.dav.read("/a.txt") == b"one"
