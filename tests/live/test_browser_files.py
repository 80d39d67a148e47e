"""The files page in a real browser against a real server: the list, and what is done with it."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.live.chromium import browser
from tests.live.dav import href
from tests.live.files_page import DESKTOP, PHONE, Home, accessibility_faults, open_home, shoot
from tests.live.wait import eventually

__all__ = ["browser", "open_home"]

pytestmark = pytest.mark.needs("chromium")

#: Names that bite, each in its own way.
NAMES = [
    "<b onclick=alert(1)>&\"'.txt",
    "50% off?#1;.txt",
    "%41%2F.txt",
    "\U0001f600 é 漢字.txt",
    "\u200fשלום\u202e.txt",
]


FEW = {"Letters": None, "Photos": None, "a.txt": b"one", "b.txt": b"twotwo", "c.txt": b"three"}


# The list


def test_names_are_just_names(open_home: Callable[..., Home]) -> None:
    """Whatever a name holds, it is shown, opened, renamed and deleted like any other."""
    home = open_home({name: name.encode() for name in NAMES})
    assert sorted(home.desk.names()) == sorted(NAMES)
    for name in NAMES:
        home.desk.row(name).get_by_role("link").click()
        expect(home.page.locator(".preview pre")).to_have_text(name)
        home.page.keyboard.press("Escape")
        home.desk.row(name).click(position={"x": 400, "y": 20})
        home.page.keyboard.press("F2")
        home.page.get_by_label("Name", exact=True).fill("new " + name)
        home.page.keyboard.press("Enter")
        expect(home.desk.row("new " + name)).to_be_visible()
        assert home.dav.read(href("new " + name)) == name.encode()
        home.page.keyboard.press("Delete")
        expect(home.desk.row("new " + name)).to_have_count(0)
    assert home.dav.members() == {}


def test_columns_sort_and_say_so(open_home: Callable[..., Home]) -> None:
    """Folders first; a second press turns it round; the URL remembers it."""
    home = open_home(FEW)
    size = home.page.get_by_role("columnheader", name="Size")
    size.get_by_role("link").click()
    assert home.desk.names() == ["Letters", "Photos", "a.txt", "c.txt", "b.txt"]
    expect(size).to_have_attribute("aria-sort", "ascending")
    size.get_by_role("link").click()
    assert home.desk.names() == ["Letters", "Photos", "b.txt", "c.txt", "a.txt"]
    home.page.reload()
    home.page.wait_for_selector("#files[data-ready]")
    assert home.desk.names() == ["Letters", "Photos", "b.txt", "c.txt", "a.txt"]


def test_the_filter_narrows_the_list_down(open_home: Callable[..., Home]) -> None:
    """From anywhere with a slash, and back to the rows with an arrow."""
    home = open_home(FEW)
    home.page.keyboard.press("/")
    home.page.keyboard.type("B.T")
    assert home.desk.names() == ["b.txt"]
    home.page.keyboard.press("ArrowDown")
    expect(home.desk.row("b.txt")).to_be_focused()
    home.page.keyboard.press("/")
    home.page.keyboard.press("Escape")
    assert len(home.desk.names()) == 5


def test_everything_is_done_with_keys(open_home: Callable[..., Home]) -> None:
    """Arrows move, Space and Shift select, Enter opens, and the focus is never lost."""
    home = open_home({**FEW, "Letters/in.txt": b"x"})
    keys, desk = home.page.keyboard, home.desk
    home.page.locator(".listing tbody tr").first.focus()
    keys.press("ArrowDown")
    expect(desk.row("Photos")).to_be_focused()
    keys.press("End")
    expect(desk.row("c.txt")).to_be_focused()
    keys.press("Shift+ArrowUp")
    expect(home.page.locator('tr[aria-selected="true"]')).to_have_count(2)
    keys.press("Delete")
    expect(desk.said()).to_contain_text("2 items deleted.")
    expect(desk.row("a.txt")).to_be_focused()
    keys.press("Control+z")
    expect(desk.row("b.txt")).to_be_focused()
    keys.press("Control+a")
    expect(home.page.locator(".selection .count")).to_have_text("5 selected")
    keys.press("Escape")
    keys.press("Home")
    keys.press("Enter")
    expect(desk.row("in.txt")).to_be_focused()
    home.page.go_back()
    expect(desk.row("a.txt")).to_be_visible()


def test_axe_finds_no_fault_and_pictures_are_taken(open_home: Callable[..., Home]) -> None:
    """In every state that the page has, light and dark, on a desktop and on a phone."""
    from tests.web.test_thumbnails import picture

    files: dict[str, bytes | None] = {
        "Invoices": None,
        "Letters": None,
        "Photos 2026": None,
        "Budget.xlsx": b"x" * 48_213,
        "Contract.pdf": b"%PDF-1.4" + b"x" * 320_400,
        "Holiday.jpg": picture("JPEG", size=(1600, 1000)),
        "Minutes of the meeting in which everybody agreed.docx": b"x" * 91_000,
        "Notes.txt": b"Milk\nBread\n" * 300,
        "Song.mp3": b"x" * 4_100_000,
    }
    home = open_home(files, quota="10MB")
    page, desk = home.page, home.desk
    expect(page.locator("img.thumbnail")).to_have_js_property("complete", True)

    def look(name: str) -> None:
        shoot(page, name)
        for scheme, size in (("light", DESKTOP), ("dark", PHONE)):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size(size)
            assert accessibility_faults(page) == [], (name, scheme)
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(DESKTOP)

    look("files")
    desk.row("Notes.txt").get_by_role("checkbox").click()
    desk.row("Song.mp3").get_by_role("checkbox").click()
    look("files-selected")
    page.keyboard.press("Escape")
    desk.row("Notes.txt").get_by_role("button").click()
    look("files-menu")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="New folder").click()
    look("files-new-folder")
    page.keyboard.press("Escape")
    desk.row("Notes.txt").click(position={"x": 400, "y": 20})
    page.get_by_role("button", name="Move").click()
    expect(page.get_by_role("treeitem")).to_have_count(4)
    look("files-move")
    page.keyboard.press("Escape")
    desk.row("Notes.txt").get_by_role("link").click()
    expect(page.locator(".preview pre")).to_contain_text("Milk")
    look("files-preview-text")
    page.get_by_role("button", name="Previous").click()
    page.get_by_role("button", name="Previous").click() if page.locator(
        ".stage img"
    ).count() == 0 else None
    look("files-preview-image")
    page.keyboard.press("Escape")
    page.keyboard.press("Delete")
    expect(desk.said()).to_contain_text("deleted")
    look("files-deleted")
    home.dav.put("/Budget.xlsx", b"changed")
    page.goto("/-/versions/Budget.xlsx")
    look("versions")
    assert home.dav.request("DELETE", "/Letters/").status == 204
    page.goto("/-/trash")
    look("trash")


def test_ten_thousand_names_are_as_usable_as_ten(open_home: Callable[..., Home]) -> None:
    """The first rows come with the page, the others are drawn when they come into sight."""
    home = open_home({"many": None})
    for number in range(320):
        home.dav.put(f"/many/{number:05}.txt", b"")
    home.desk.go("/many/")
    grid = home.page.locator(".listing")
    expect(grid).to_have_attribute("aria-rowcount", "321")
    eventually(lambda: _holds(len(home.desk.names()) < 100))
    home.page.locator(".listing tbody tr").first.focus()
    home.page.keyboard.press("End")
    expect(home.desk.row("00319.txt")).to_be_focused()
    home.page.evaluate("scrollTo(0, 0)")
    expect(home.desk.row("00000.txt")).to_be_visible()
    expect(home.desk.row("00319.txt")).to_be_focused()
    home.page.keyboard.press("Control+a")
    expect(home.page.locator(".selection .count")).to_have_text("320 selected")


def _holds(condition: bool) -> None:
    assert condition


def test_who_has_no_scripts_does_it_all_by_forms(open_home: Callable[..., Home]) -> None:
    """Looking, uploading, folders, renaming, deleting after a question."""
    home = open_home({"f": None, "f/a.txt": b"one"}, allow="txt,pdf")
    plain = home.desk.context.browser.new_context(
        java_script_enabled=False,
        storage_state=home.desk.context.storage_state(),
        viewport=DESKTOP,
        base_url=home.dav.url("/"),
    )
    page = plain.new_page()
    page.goto("/")
    page.get_by_role("link", name="f", exact=True).click()
    page.get_by_role("link", name="a.txt", exact=True).click()
    expect(page.locator("body")).to_have_text("one")
    page.goto("/f/")
    files = [("a.txt", b"two"), ('\u200fשלום "é".txt', b"x" * 3_000_000), ("b.exe", b"MZ")]
    page.get_by_label("Files of this computer").set_input_files(
        [{"name": name, "mimeType": "text/plain", "buffer": content} for name, content in files]
    )
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Not everything worked")
    expect(page.locator("main")).to_contain_text("Allowed here: pdf, txt")
    page.get_by_role("link", name="Back to f").click()
    page.get_by_label("Name of a new folder").fill("New")
    page.get_by_role("button", name="Make the folder").click()
    shoot(page, "files-plain")
    page.get_by_role("link", name="More for a.txt").click()
    page.get_by_label("Name", exact=True).fill("c.txt")
    page.get_by_label("Folder").fill("/f/New")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("“a.txt” is “c.txt” in f/New now.")
    page.goto("/f/")
    page.get_by_label("Select a (2).txt").check()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Delete “a (2).txt”?")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("status")).to_have_text("1 item deleted.")
    assert home.dav.tree("/f/") == {files[1][0]: files[1][1], "New": None, "New/c.txt": b"one"}
    plain.close()
    for url in ("/-/details/f/New/c.txt", "/-/details/f"):
        home.page.goto(url)
        assert accessibility_faults(home.page) == []


# New, rename, move, copy, delete


def test_a_folder_is_made_and_entered(open_home: Callable[..., Home]) -> None:
    """A name that is taken is said in the question."""
    home = open_home(FEW)
    home.page.get_by_role("button", name="New folder").click()
    name = home.page.get_by_label("Name", exact=True)
    name.fill("Letters")
    name.press("Enter")
    expect(home.page.locator("dialog .fault")).to_contain_text("in this folder already")
    name.fill("a/b")
    name.press("Enter")
    expect(home.page.locator("dialog .fault")).to_contain_text("slash")
    name.fill("Ünïcode \U0001f600")
    name.press("Enter")
    expect(home.desk.row("Ünïcode \U0001f600")).to_be_focused()
    home.page.keyboard.press("Enter")
    expect(home.page.get_by_role("heading", level=1)).to_have_text("Ünïcode \U0001f600")
    assert home.dav.members()["Ünïcode \U0001f600"].is_collection


def test_a_name_that_the_server_refuses_is_said_in_its_words(
    open_home: Callable[..., Home],
) -> None:
    """In the question, which stays."""
    home = open_home({"a.txt": b"x"}, allow="txt,pdf")
    home.desk.row("a.txt").click(position={"x": 400, "y": 20})
    home.page.keyboard.press("F2")
    home.page.get_by_label("Name", exact=True).fill("a.exe")
    home.page.keyboard.press("Enter")
    expect(home.page.locator("dialog .fault")).to_contain_text("Allowed here: pdf, txt")
    home.page.keyboard.press("Escape")
    expect(home.desk.row("a.txt")).to_be_focused()


def test_things_are_moved_with_the_tree_and_back(open_home: Callable[..., Home]) -> None:
    """Chosen by keys, undone with one press."""
    home = open_home({**FEW, "Letters/Old": None, ".DS_Store": b"x", "._a.txt": b"x"})
    aside = home.page.get_by_text("2 items that programs keep here for themselves are not shown.")
    expect(aside).to_be_visible()
    home.desk.row("a.txt").get_by_role("checkbox").click()
    home.desk.row("b.txt").get_by_role("checkbox").click()
    home.page.get_by_role("button", name="Move").click()
    expect(home.page.get_by_role("treeitem", name="Letters")).to_be_visible()
    home.page.get_by_role("treeitem", name="Files").focus()
    home.page.keyboard.press("ArrowDown")
    home.page.keyboard.press("ArrowRight")
    expect(home.page.get_by_role("treeitem", name="Old")).to_be_visible()
    home.page.keyboard.press("ArrowDown")
    home.page.get_by_role("button", name="Move here").click()
    expect(home.desk.said()).to_contain_text("2 items moved to “Old”.")
    assert set(home.dav.members("/Letters/Old/")) == {"a.txt", "b.txt"}
    assert home.desk.names() == ["Letters", "Photos", "c.txt"]
    expect(aside).to_be_visible()
    home.desk.said().get_by_role("button", name="Undo").click()
    expect(home.desk.row("a.txt")).to_be_focused()
    assert home.dav.read("/a.txt") == b"one"


def test_things_are_dragged_onto_folders(open_home: Callable[..., Home]) -> None:
    """And onto the path, to take them up again."""
    home = open_home(FEW)
    home.desk.row("a.txt").drag_to(home.desk.row("Letters"))
    expect(home.desk.row("a.txt")).to_have_count(0)
    assert home.dav.read("/Letters/a.txt") == b"one"
    home.desk.row("Letters").get_by_role("link").click()
    expect(home.desk.row("a.txt")).to_be_visible()
    home.desk.row("a.txt").drag_to(home.page.locator(".crumbs a").first)
    expect(home.desk.row("a.txt")).to_have_count(0)
    assert home.dav.read("/a.txt") == b"one"


def test_a_copy_has_a_name_of_its_own(open_home: Callable[..., Home]) -> None:
    """In the same folder nobody is asked."""
    home = open_home(FEW)
    home.desk.row("a.txt").get_by_role("button").click()
    home.page.get_by_role("menuitem", name="Copy").click()
    home.page.get_by_role("button", name="Copy here").click()
    expect(home.desk.row("a (copy).txt")).to_be_visible()
    assert home.dav.read("/a (copy).txt".replace(" ", "%20")) == b"one"


@pytest.mark.parametrize(
    ("choice", "there", "beside"),
    [("Replace", b"one", None), ("Keep both", b"old", b"one"), ("Skip", b"old", None)],
)
def test_a_name_that_is_taken_is_asked_about(
    open_home: Callable[..., Home], choice: str, there: bytes, beside: bytes | None
) -> None:
    """Nothing is overwritten unasked."""
    home = open_home({**FEW, "Letters/a.txt": b"old"})
    home.desk.row("a.txt").drag_to(home.desk.row("Letters"))
    home.page.get_by_role("button", name=choice).click()
    eventually(lambda: _holds(home.dav.read("/Letters/a.txt") == there))
    eventually(lambda: _holds(("a (2).txt" in home.dav.members("/Letters/")) is bool(beside)))
    if beside:
        assert home.dav.read("/Letters/a%20(2).txt") == beside


def test_what_was_deleted_comes_back(open_home: Callable[..., Home]) -> None:
    """A folder with all that is in it, from the menu, with one press."""
    home = open_home({"f": None, "f/in": None, "f/in/a.txt": b"one"})
    home.desk.row("f").click(button="right")
    home.page.get_by_role("menuitem", name="Delete").click()
    expect(home.desk.said()).to_contain_text("“f” deleted.")
    assert home.dav.members() == {}
    home.desk.said().get_by_role("button", name="Undo").click()
    expect(home.desk.row("f")).to_be_focused()
    assert home.dav.read("/f/in/a.txt") == b"one"


def test_a_locked_file_is_said_to_be(open_home: Callable[..., Home]) -> None:
    """In words, and nothing of it is lost from the list."""
    home = open_home(FEW)
    assert home.dav.lock("/a.txt").status == 200
    home.desk.row("a.txt").click(position={"x": 400, "y": 20})
    home.page.keyboard.press("Delete")
    expect(home.desk.said()).to_contain_text("locked")
    expect(home.desk.row("a.txt")).to_be_focused()


def test_it_works_by_touch(open_home: Callable[..., Home]) -> None:
    """A tap opens, the box selects, the bar at the foot acts."""
    home = open_home(FEW, viewport=PHONE, has_touch=True, is_mobile=True)
    home.desk.row("a.txt").get_by_role("checkbox").tap()
    home.page.get_by_role("button", name="Delete").tap()
    expect(home.desk.row("a.txt")).to_have_count(0)
    home.desk.row("Letters").get_by_role("link").tap()
    expect(home.page.get_by_role("heading", level=1)).to_have_text("Letters")


def test_two_people_side_by_side(open_home: Callable[..., Home]) -> None:
    """Each sees and changes what is theirs, under the same URLs."""
    anna, ben = open_home({"a.txt": b"anna"}), open_home({"a.txt": b"ben", "b.txt": b"x"})
    anna.desk.row("a.txt").click(position={"x": 400, "y": 20})
    anna.page.keyboard.press("Delete")
    expect(anna.desk.row("a.txt")).to_have_count(0)
    ben.page.reload()
    assert ben.desk.names() == ["a.txt", "b.txt"]
    ben.page.goto("/-/trash")
    expect(ben.page.get_by_text("The trash is empty")).to_be_visible()


# Download and preview


def test_files_folders_and_selections_are_downloaded(
    open_home: Callable[..., Home], tmp_path: Path
) -> None:
    """A file as it is, the others as a zip."""
    home = open_home({**FEW, "Letters/é <1>.txt": b"letter"})

    def saved(names: list[str]) -> tuple[str, bytes]:
        for name in names:
            home.desk.row(name).get_by_role("checkbox").click()
        with home.page.expect_download() as download:
            home.page.get_by_role("button", name="Download").click()
        home.page.keyboard.press("Escape")
        return download.value.suggested_filename, Path(download.value.path()).read_bytes()

    assert saved(["a.txt"]) == ("a.txt", b"one")
    name, data = saved(["Letters"])
    assert name == "Letters.zip"
    assert zipfile.ZipFile(io.BytesIO(data)).read("Letters/é <1>.txt") == b"letter"
    _, data = saved(["a.txt", "b.txt"])
    assert zipfile.ZipFile(io.BytesIO(data)).namelist() == ["a.txt", "b.txt"]


def test_documents_are_shown_by_the_viewer_of_the_browser(open_home: Callable[..., Home]) -> None:
    """And what only calls itself one is not run: it comes to the viewer all the same."""
    from tests.web.test_thumbnails import picture

    script = b"<script>top.document.title = 'taken over'</script>"
    home = open_home({"a.pdf": picture("PDF"), "b.pdf": script})
    home.desk.row("a.pdf").get_by_role("link").click()
    expect(home.page.locator(".stage iframe")).to_have_attribute("src", re.compile("^blob:"))

    def in_viewer() -> int:
        home.page.wait_for_timeout(50)
        return sum(frame.url.startswith("chrome-extension:") for frame in home.page.frames)

    eventually(lambda: _holds(in_viewer() == 1))
    home.page.get_by_role("button", name="Next").click()
    eventually(lambda: _holds(in_viewer() == 1))
    expect(home.page).to_have_title("Files · davhost")


def test_versions_and_trash_give_back_with_one_press(open_home: Callable[..., Home]) -> None:
    """From the menu of a file, and from the top of every page."""
    home = open_home({"a.txt": b"one"})
    home.dav.put("/a.txt", b"two")
    home.desk.row("a.txt").get_by_role("button").click()
    home.page.get_by_role("menuitem", name="Versions").click()
    home.page.get_by_role("button", name=re.compile("Restore the version")).click()
    expect(home.page.get_by_text("The file holds this content again")).to_be_visible()
    assert home.dav.read("/a.txt") == b"one"
    assert home.dav.request("DELETE", "/a.txt").status == 204
    home.page.get_by_role("link", name="Trash").click()
    home.page.get_by_role("button", name="Restore a.txt").click()
    expect(home.page.get_by_text("“a.txt” is back in Files.")).to_be_visible()
    assert home.dav.read("/a.txt") == b"one"


def wave() -> bytes:
    """Make a second of silence."""
    import wave as waves

    data = io.BytesIO()
    with waves.open(data, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"\0\0" * 8000)
    return data.getvalue()


#: Records a quarter of a second of a film in the browser itself.
RECORD = """async () => {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: 64, height: 48 });
  const brush = canvas.getContext("2d");
  const recorder = new MediaRecorder(canvas.captureStream(30), { mimeType: "video/webm" });
  const parts = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  const stopped = new Promise((resolve) => { recorder.onstop = resolve; });
  recorder.start();
  for (let step = 0; step < 10; step += 1) {
    brush.fillStyle = `hsl(${step * 36} 80% 50%)`;
    brush.fillRect(0, 0, 64, 48);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  recorder.stop();
  await stopped;
  return [...new Uint8Array(await new Blob(parts).arrayBuffer())];
}"""


def test_films_play_in_place_and_are_read_in_parts(open_home: Callable[..., Home]) -> None:
    """Without being downloaded as a whole first."""
    home = open_home()
    home.dav.put("/a.webm", bytes(home.page.evaluate(RECORD)))
    home.page.reload()
    with home.page.expect_response("**/a.webm") as answered:
        home.desk.row("a.webm").get_by_role("link").click()
    assert answered.value.status == 206
    assert answered.value.request.headers["range"].startswith("bytes=0-")
    film = home.page.locator(".stage video")
    expect(film).to_have_js_property("videoWidth", 64)
    film.evaluate("(film) => { film.muted = true; return film.play(); }")
    expect(film).to_have_js_property("ended", True)


def test_files_are_shown_in_place_one_after_the_other(open_home: Callable[..., Home]) -> None:
    """Pictures, text and sound; the arrows lead on, Escape leads back to the last one."""
    from tests.web.test_thumbnails import picture

    home = open_home(
        {
            "1.png": picture(),
            "2.txt": b"<script>alert(1)</script>",
            "3.wav": wave(),
            "4.png": b"no picture",
            "5.txt": b"x" * (1 << 20) + b"end",
        }
    )
    page = home.page
    home.desk.row("1.png").get_by_role("link").click()
    expect(page.locator(".stage img")).to_have_js_property("naturalWidth", 640)
    page.keyboard.press("ArrowRight")
    expect(page.locator(".stage pre")).to_have_text("<script>alert(1)</script>")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".stage audio")).to_have_js_property("duration", 1)
    page.get_by_role("button", name="Next").click()
    expect(page.locator(".stage .cannot")).to_be_visible()
    page.get_by_role("button", name="Next").click()
    expect(page.locator(".stage")).to_contain_text("This is the beginning.")
    assert "end" not in page.locator(".stage pre").inner_text()
    page.keyboard.press("Escape")
    expect(home.desk.row("5.txt")).to_be_focused()
