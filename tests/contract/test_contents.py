"""What becomes a file is what its name says, whatever way it comes in."""

from collections.abc import Callable
from pathlib import Path

import pytest

from davhost.blobs import BlobStore
from davhost.catalogue.journals import REFUSALS_MAX
from davhost.errors import ContentLost, ContentRefused, NameRefused
from davhost.model import Rules
from davhost.policy import ContentRules
from davhost.tree import inspecting
from tests import samples
from tests.instance import Home, Instance, make_instance, path_

ANN = "ann@example.org"


def put_new(home: Home, path: str, content: bytes) -> None:
    """PUT to an unmapped URL."""
    home.put(path, content)


def put_over(home: Home, path: str, content: bytes) -> None:
    """PUT over what Explorer made: an empty file."""
    home.put(path, b"")
    home.put(path, content)


def put_locked(home: Home, path: str, content: bytes) -> None:
    """PUT over the empty file that a LOCK made."""
    token = home.lock(path)
    home.tree.unlock(path_(path), token)
    home.put(path, content)


def move_scratch(home: Home, path: str, content: bytes) -> None:
    """MOVE a temporary onto an unmapped URL."""
    home.put("/~WRD0001.tmp", content)
    home.move("/~WRD0001.tmp", path)


def move_scratch_over(home: Home, path: str, content: bytes) -> None:
    """MOVE a temporary over a file."""
    home.put(path, b"")
    move_scratch(home, path, content)


def move_scratch_back(home: Home, path: str, content: bytes) -> None:
    """MOVE the file away, and a temporary into its place."""
    home.put(path, b"")
    home.move(path, "/~WRL0002.tmp")
    move_scratch(home, path, content)


def put_while_away(home: Home, path: str, content: bytes) -> None:
    """MOVE the file away, and PUT a new one."""
    home.put(path, b"")
    home.move(path, "/~WRL0002.tmp")
    home.put(path, content)


def copy_scratch(home: Home, path: str, content: bytes) -> None:
    """COPY a temporary to an unmapped URL."""
    home.put("/~WRD0001.tmp", content)
    home.copy("/~WRD0001.tmp", path)


def copy_scratch_over(home: Home, path: str, content: bytes) -> None:
    """COPY a temporary over a file."""
    home.put(path, b"")
    copy_scratch(home, path, content)


def move_file(home: Home, path: str, content: bytes) -> None:
    """Rename a file of another type."""
    home.put("/other.html", content)
    home.move("/other.html", path)


def move_file_over(home: Home, path: str, content: bytes) -> None:
    """Rename a file of another type over a file."""
    home.put(path, b"")
    move_file(home, path, content)


def copy_file(home: Home, path: str, content: bytes) -> None:
    """COPY a file of another type."""
    home.put("/other.html", content)
    home.copy("/other.html", path)


def copy_file_over(home: Home, path: str, content: bytes) -> None:
    """COPY a file of another type over a file."""
    home.put(path, b"")
    copy_file(home, path, content)


def move_renamed_away(home: Home, path: str, content: bytes) -> None:
    """Rename a file of another type to a temporary's name first."""
    home.put("/other.html", content)
    home.move("/other.html", "/~WRL0002.tmp")
    home.move("/~WRL0002.tmp", path)


WAYS_IN = (
    put_new,
    put_over,
    put_locked,
    move_scratch,
    move_scratch_over,
    move_scratch_back,
    put_while_away,
    copy_scratch,
    copy_scratch_over,
    move_file,
    move_file_over,
    copy_file,
    copy_file_over,
    move_renamed_away,
)

WayIn = Callable[[Home, str, bytes], None]

every_way_in = pytest.mark.parametrize("way_in", WAYS_IN, ids=lambda way: way.__name__)


@pytest.fixture
def ann(instance: Instance) -> Home:
    """A home where html, which nothing is known about, is allowed too."""
    return instance.home(ANN, allow="txt,pdf,docx,html")


def held(home: Home, path: str) -> bytes | None:
    """What is at *path*; None when the URL is not mapped."""
    return home.get(path) if path in home.names() else None


def live_bytes(blobs: BlobStore) -> int:
    """The sizes of all blobs."""
    return sum(size for _, size in blobs.keys())  # noqa: SIM118 - a store, no dictionary


@every_way_in
@pytest.mark.parametrize("path", ["/plan.pdf", "/PLAN.DOCX"])
def test_what_fits_comes_in(ann: Home, way_in: WayIn, path: str) -> None:
    """Whatever the way."""
    content = samples.FITTING[path.rpartition(".")[2].lower()]
    way_in(ann, path, content)
    assert ann.get(path) == content


@every_way_in
def test_empty_content_is_never_judged(ann: Home, way_in: WayIn) -> None:
    """It is a normal stage of saving."""
    way_in(ann, "/plan.pdf", b"")
    assert ann.get("/plan.pdf") == b""


@every_way_in
def test_what_does_not_fit_stays_out(ann: Home, way_in: WayIn) -> None:
    """No way in makes a program into a document, and the refusal says why."""
    with pytest.raises(ContentRefused) as caught:
        way_in(ann, "/plan.pdf", samples.EXE)
    assert caught.value.status == 403
    assert caught.value.condition == "{https://davhost.example/ns}content-fits-type"
    assert caught.value.phrase == "Content is not a PDF document"
    assert ".pdf" in caught.value.sentence
    assert not held(ann, "/plan.pdf")


def test_the_old_content_stays(ann: Home, instance: Instance) -> None:
    """A refusal changes neither the file, nor its history, nor what is counted."""
    ann.mkcol("/in")
    ann.put("/in/plan.pdf", samples.PDF)
    before = (ann.used(), ann.tree.look(path_("/in/plan.pdf")))
    ann.put("/in/~x.tmp", samples.EXE)
    ann.put("/in/x.html", samples.EXE)
    room = (ann.used(), ann.scratch(), live_bytes(instance.blobs))
    for refused in (
        lambda: ann.put("/in/plan.pdf", samples.EXE),
        lambda: ann.move("/in/~x.tmp", "/in/plan.pdf"),
        lambda: ann.copy("/in/~x.tmp", "/in/plan.pdf"),
        lambda: ann.move("/in/x.html", "/in/plan.pdf"),
        lambda: ann.copy("/in/x.html", "/in/plan.pdf"),
    ):
        with pytest.raises(ContentRefused):
            refused()
    assert ann.get("/in/plan.pdf") == samples.PDF
    assert ann.tree.versions(path_("/in/plan.pdf")) == []
    assert (ann.used(), ann.scratch(), live_bytes(instance.blobs)) == room
    assert before[1] == ann.tree.look(path_("/in/plan.pdf"))


def test_the_bytes_of_a_refused_upload_are_gone(ann: Home, instance: Instance) -> None:
    """They take no room on the disk."""
    with pytest.raises(ContentRefused):
        ann.put("/plan.pdf", samples.EXE * 1000)
    assert list(instance.blobs.keys()) == []
    assert ann.names() == []
    assert (ann.used(), ann.scratch()) == (0, 0)


def test_what_stops_half_way_is_not_lost(ann: Home) -> None:
    """A refused save leaves the document under its temporary name, from where it comes back."""
    ann.put("/plan.pdf", samples.PDF)
    ann.move("/plan.pdf", "/~WRL0002.tmp")
    with pytest.raises(ContentRefused):
        ann.put("/plan.pdf", samples.EXE)
    ann.move("/~WRL0002.tmp", "/plan.pdf")
    assert ann.get("/plan.pdf") == samples.PDF


def test_a_file_that_is_away_keeps_its_type(ann: Home, instance: Instance) -> None:
    """Its temporary name is no way to fill a document with something else."""
    ann.put("/plan.pdf", samples.PDF)
    ann.move("/plan.pdf", "/~WRL0002.tmp")
    with pytest.raises(ContentRefused):
        ann.put("/~WRL0002.tmp", samples.EXE)
    instance.clock.pass_(2 * 24 * 3600)
    instance.housekeeping().round()
    assert ann.get("/plan.pdf") == samples.PDF


def test_a_file_that_is_away_fits_every_name_it_has(ann: Home) -> None:
    """A folder to save in is no way to give a file another type."""
    ann.mkcol("/a.sb-1a2b3c4d-XyZabc")
    ann.put("/page.html", samples.EXE)
    with pytest.raises(ContentRefused):
        ann.move("/page.html", "/a.sb-1a2b3c4d-XyZabc/plan.pdf")
    ann.put("/page.html", samples.PDF)
    ann.move("/page.html", "/a.sb-1a2b3c4d-XyZabc/plan.pdf")
    with pytest.raises(ContentRefused):
        ann.put("/a.sb-1a2b3c4d-XyZabc/plan.pdf", samples.EXE)
    ann.put("/evil.html", samples.EXE)
    with pytest.raises(ContentRefused):
        ann.copy("/evil.html", "/a.sb-1a2b3c4d-XyZabc/plan.pdf")


def test_a_copy_is_no_way_into_a_file_that_is_away(ann: Home) -> None:
    """What is copied over it must be of its type."""
    ann.put("/plan.pdf", samples.PDF)
    ann.move("/plan.pdf", "/~WRL0002.tmp")
    ann.put("/evil.html", samples.EXE)
    with pytest.raises(ContentRefused):
        ann.copy("/evil.html", "/~WRL0002.tmp")


@pytest.mark.parametrize("verb", ["move", "copy"])
def test_a_folder_to_save_in_becomes_an_ordinary_one(ann: Home, verb: str) -> None:
    """Then its members become files, and are judged."""
    ann.mkcol("/a.sb-1a2b3c4d-XyZabc")
    ann.mkcol("/a.sb-1a2b3c4d-XyZabc/b")
    ann.put("/a.sb-1a2b3c4d-XyZabc/plan.pdf", samples.PDF)
    ann.put("/a.sb-1a2b3c4d-XyZabc/b/plan.pdf", samples.EXE)
    with pytest.raises(ContentRefused):
        getattr(ann, verb)("/a.sb-1a2b3c4d-XyZabc", "/folder")
    assert "/folder" not in ann.names()
    ann.put("/a.sb-1a2b3c4d-XyZabc/b/plan.pdf", samples.PDF)
    getattr(ann, verb)("/a.sb-1a2b3c4d-XyZabc", "/folder")
    assert ann.get("/folder/b/plan.pdf") == samples.PDF


def test_a_renamed_backup_does_not_come_back_as_another_type(ann: Home) -> None:
    """Its name is that of a temporary, and it is a file."""
    ann.put("/plan.pdf", samples.PDF)
    ann.move("/plan.pdf", "/MCF-plan.html")
    ann.put("/MCF-plan.html", samples.EXE)
    for verb in (ann.copy, ann.move):
        with pytest.raises(ContentRefused):
            verb("/MCF-plan.html", "/plan.pdf")


def test_a_version_is_judged_by_the_name_of_now(ann: Home) -> None:
    """The file may have had another type then."""
    ann.put("/page.html", samples.EXE)
    ann.put("/page.html", samples.PDF)
    ann.move("/page.html", "/plan.pdf")
    versions = ann.tree.versions(path_("/plan.pdf"))
    with pytest.raises(ContentRefused):
        ann.tree.restore_version(path_("/plan.pdf"), versions[-1].id)
    assert ann.get("/plan.pdf") == samples.PDF


@pytest.mark.parametrize("path", ["/~WRD0001.tmp", "/._plan.pdf", "/~$plan.docx", "/plan.pdf.part"])
def test_temporaries_are_never_judged(ann: Home, path: str) -> None:
    """Programs write there what they like."""
    ann.put(path, samples.EXE)
    assert ann.get(path) == samples.EXE


def test_a_folder_to_save_in_is_never_judged(ann: Home) -> None:
    """Only what leaves it becomes a file."""
    ann.mkcol("/plan.docx.sb-1a2b3c4d-XyZabc")
    ann.put("/plan.docx.sb-1a2b3c4d-XyZabc/plan.docx", samples.EXE)
    with pytest.raises(ContentRefused):
        ann.move("/plan.docx.sb-1a2b3c4d-XyZabc/plan.docx", "/plan.docx")
    ann.put("/plan.docx.sb-1a2b3c4d-XyZabc/plan.docx", samples.DOCX)
    ann.move("/plan.docx.sb-1a2b3c4d-XyZabc/plan.docx", "/plan.docx")
    assert ann.get("/plan.docx") == samples.DOCX


def test_unknown_types_are_never_judged(ann: Home) -> None:
    """Nothing is known about them."""
    ann.put("/page.html", samples.EXE)
    assert ann.get("/page.html") == samples.EXE


@every_way_in
def test_where_everything_is_allowed_nothing_is_judged(instance: Instance, way_in: WayIn) -> None:
    """Who allows every type does not mean any."""
    bob = instance.home("bob@example.org", allow="*")
    way_in(bob, "/plan.pdf", samples.EXE)
    assert bob.get("/plan.pdf") == samples.EXE


def test_a_file_is_judged_once(
    ann: Home, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files and trees move and are copied without a look at their bytes, also unfit ones."""
    instance.accounts.set_rules(ANN, Rules(None))
    ann.mkcol("/a")
    ann.put("/a/plan.pdf", samples.EXE)
    instance.accounts.set_rules(ANN, Rules.parse("pdf"))
    monkeypatch.setattr(inspecting, "find_faults", None)
    ann.move("/a/plan.pdf", "/a/b.pdf")
    ann.copy("/a/b.pdf", "/a/c.PDF")
    ann.move("/a/b.pdf", "/a/c.PDF")
    ann.move("/a", "/b")
    ann.copy("/b", "/c")
    ann.move("/c/c.PDF", "/c/~WRL0002.tmp")
    ann.move("/c/~WRL0002.tmp", "/c/plan.pdf")
    assert ann.get("/c/plan.pdf") == ann.get("/b/c.PDF") == samples.EXE


def test_macros_stay_out(ann: Home) -> None:
    """A fault of its own, with its own words."""
    with pytest.raises(ContentRefused) as caught:
        ann.put("/plan.docx", samples.MACROS)
    assert caught.value.phrase == "Content holds macros"
    assert "without macros" in caught.value.sentence


def test_password_protected_documents_are_documents(ann: Home) -> None:
    """Nobody can look inside."""
    ann.put("/plan.docx", samples.PROTECTED)
    assert ann.get("/plan.docx") == samples.PROTECTED


@pytest.mark.parametrize(
    ("contents", "kept"),
    [
        (ContentRules(), set()),
        (ContentRules(macros_allowed=True), {"/macros.docx"}),
        (ContentRules(fits_type=False), {"/evil.docx"}),
        (ContentRules(fits_type=False, macros_allowed=True), {"/evil.docx", "/macros.docx"}),
    ],
)
def test_each_check_can_be_turned_off(
    database_url: str, tmp_path: Path, contents: ContentRules, kept: set[str]
) -> None:
    """One without the other."""
    instance = make_instance(database_url, tmp_path, contents=contents)
    ann = instance.home(ANN)
    for path, content in (("/evil.docx", samples.EXE), ("/macros.docx", samples.MACROS)):
        try:
            ann.put(path, content)
        except ContentRefused:
            assert path not in kept
    assert set(ann.names()) == kept
    instance.catalogue.close()


def test_lost_bytes_are_lost_not_unfit(ann: Home, instance: Instance) -> None:
    """The catalogue is the truth, and a missing blob is no other type."""
    ann.put("/~WRD0001.tmp", samples.PDF)
    for key, _ in list(instance.blobs.keys()):
        instance.blobs.delete(key)
    with pytest.raises(ContentLost):
        ann.move("/~WRD0001.tmp", "/plan.pdf")
    assert ann.names() == ["/~WRD0001.tmp"]


def test_no_transaction_is_open_while_bytes_are_looked_at(
    ann: Home, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever writes to the same home need not wait."""
    ann.put("/~WRD0001.tmp", samples.PDF)
    looks = []

    def look(content: object, extension: str) -> tuple[()]:
        ann.put(f"/meanwhile{len(looks)}.txt", b"x")
        looks.append(extension)
        return ()

    monkeypatch.setattr(inspecting, "find_faults", look)
    monkeypatch.setattr(inspecting, "is_judged", lambda extension: extension == "pdf")
    ann.move("/~WRD0001.tmp", "/plan.pdf")
    ann.put("/plan.pdf", samples.PDF)
    assert looks == ["pdf", "pdf"]


# What is remembered


def test_refusals_are_remembered(ann: Home, instance: Instance) -> None:
    """Names and contents, with who, what and why, the newest first."""
    for refused in (
        lambda: ann.put("/evil.exe", samples.EXE),
        lambda: ann.put("/plan.pdf", samples.EXE),
        lambda: (ann.put("/a.tmp", samples.EXE), ann.move("/a.tmp", "/plan.docx")),
        lambda: ann.copy("/a.tmp", "/plan.docx"),
        lambda: ann.lock("/evil.exe"),
    ):
        with pytest.raises((ContentRefused, NameRefused)):
            refused()
    found = instance.accounts.refusals(ANN, limit=100)
    assert [(refusal.verb, refusal.path) for refusal in found] == [
        ("lock", "/evil.exe"),
        ("copy", "/plan.docx"),
        ("move", "/plan.docx"),
        ("write", "/plan.pdf"),
        ("write", "/evil.exe"),
    ]
    assert {refusal.email for refusal in found} == {ANN}
    assert found[3].reason.startswith("Content is not a PDF document.")
    assert found == instance.accounts.refusals(limit=100)
    assert found[:2] == instance.accounts.refusals(ANN, limit=2)


def test_everybody_has_a_list_of_their_own(ann: Home, instance: Instance) -> None:
    """And whoever runs the server sees all of them."""
    bob = instance.home("bob@example.org")
    for home in (ann, bob):
        with pytest.raises(NameRefused):
            home.put("/evil.exe", b"x")
    assert [r.email for r in instance.accounts.refusals("bob@example.org", limit=9)] == [
        "bob@example.org"
    ]
    assert len(instance.accounts.refusals(limit=9)) == 2


def test_a_client_in_a_loop_fills_no_disk(ann: Home, instance: Instance) -> None:
    """Only the newest are kept, and long paths are cut."""
    bob = instance.home("bob@example.org")
    with pytest.raises(NameRefused):
        bob.put("/evil.exe", b"x")
    with instance.catalogue.write(ann.tree.principal.space_id, lease=0, now_us=1, user_id=1) as tx:
        for number in range(REFUSALS_MAX + 5):
            tx.record_refusal("write", path_(f"/{number}.exe"), "no")
        tx.record_refusal("write", path_("/" + "/".join(["x" * 250] * 500) + "/last.exe"), "no")
    kept = instance.accounts.refusals(ANN, limit=5000)
    assert len(kept) == REFUSALS_MAX
    assert len(kept[0].path) == 1000
    assert kept[0].path.endswith("/last.exe")
    assert kept[-1].path == "/6.exe"
    assert len(instance.accounts.refusals("bob@example.org", limit=9)) == 1
