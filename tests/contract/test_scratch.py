"""What the tree promises about temporaries and the documents behind them, on both databases."""

import pytest

from davhost.errors import Locked, NotFound, QuotaExceeded
from davhost.model import Kind, PropertyUpdate, Rules
from davhost.policy import Limits
from tests.instance import Home, Instance, path_
from tests.sequences.bodies import body

OLD, NEW = body("docx(old)"), body("docx(new)")
HOUR = 3600.0
DAY = 24 * HOUR


def _kind(home: Home, path: str) -> Kind:
    return home.tree.look(path_(path)).resource.kind


def _sweep(instance: Instance, *, after: float) -> None:
    instance.clock.pass_(after)
    instance.housekeeping().round()


def test_scratch_goes_a_day_after_its_last_touch(ann: Home, instance: Instance) -> None:
    """A write begins the day anew; a rename, and properties, are touches too."""
    for name in ("written.tmp", "renamed.tmp", "patched.tmp", "left.tmp"):
        ann.put(f"/{name}", b"123")
    _sweep(instance, after=DAY - 1)
    ann.put("/written.tmp", b"1234")
    ann.move("/renamed.tmp", "/again.tmp")
    ann.tree.patch(path_("/patched.tmp"), [PropertyUpdate("{urn:p}x", "<x/>")])
    _sweep(instance, after=2)
    assert ann.names() == ["/again.tmp", "/patched.tmp", "/written.tmp"]
    assert ann.scratch() == 10
    _sweep(instance, after=DAY)
    assert ann.names() == []
    assert ann.scratch() == 0
    assert list(instance.blobs.keys()) == []


def test_scratch_stays_while_it_is_locked(ann: Home, instance: Instance) -> None:
    """A program that keeps its lock alive still works with it."""
    ann.put("/open.tmp", b"123")
    ann.lock("/open.tmp")
    # A lock of ten minutes, taken a day after the last write.
    instance.clock.pass_(DAY + 1)
    ann.lock("/open.tmp")
    _sweep(instance, after=60)
    assert ann.names() == ["/open.tmp"]
    _sweep(instance, after=HOUR)
    assert ann.names() == []


def test_the_age_of_scratch_is_a_setting(ann: Home, instance: Instance) -> None:
    """An hour, where the administrator says so."""
    ann.put("/left.tmp", b"123")
    instance.clock.pass_(HOUR + 1)
    instance.housekeeping(scratch_seconds=HOUR).round()
    assert ann.names() == []


def test_what_stays_does_not_keep_the_rest_from_going(ann: Home, instance: Instance) -> None:
    """More locked temporaries than one batch of the sweep takes on."""
    for number in range(210):
        ann.put(f"/{number:03}.tmp")
    ann.put("/left.tmp")
    instance.clock.pass_(DAY + 1)
    ann.lock("/", infinite=True)
    _sweep(instance, after=1)
    assert len(ann.names()) == 211
    ann_tokens = ann.tree.listing(path_("/"), depth=0, dead=False, locks=True).entries[0].locks
    ann.tree.unlock(path_("/"), ann_tokens[0].token)
    for number in range(205):
        ann.lock(f"/{number:03}.tmp")
    _sweep(instance, after=1)
    assert len(ann.names()) == 205
    assert "/left.tmp" not in ann.names()


def test_a_document_that_was_put_aside_comes_back(ann: Home, instance: Instance) -> None:
    """The program that renamed it is gone: after a day it has its name again, and its id."""
    ann.put("/report.docx", OLD)
    id_ = ann.id_of("/report.docx")
    ann.move("/report.docx", "/A9A97EC7.tmp")
    _sweep(instance, after=DAY - 1)
    assert ann.names() == ["/A9A97EC7.tmp"]
    _sweep(instance, after=2)
    assert ann.names() == ["/report.docx"]
    assert (ann.get("/report.docx"), ann.id_of("/report.docx")) == (OLD, id_)
    assert (ann.used(), ann.scratch()) == (len(OLD), 0)


def test_a_document_comes_back_beside_another(ann: Home, instance: Instance) -> None:
    """What has taken its place stays, whatever the length of the name."""
    name = "ü" * 120
    ann.put(f"/{name}.docx", OLD)
    ann.put("/other.docx", body("docx(other)"))
    ann.move(f"/{name}.docx", "/A9A97EC7.tmp")
    # Not new, and no temporary: it is another document, and stays one.
    instance.clock.pass_(HOUR)
    ann.move("/other.docx", f"/{name}.docx")
    _sweep(instance, after=DAY + 1)
    first, second = ann.names()
    assert ann.get(f"/{name}.docx") == body("docx(other)")
    restored = first if second == f"/{name}.docx" else second
    assert restored.endswith(" (restored).docx")
    assert ann.get(restored) == OLD


def test_a_document_comes_back_though_its_folder_is_gone(ann: Home, instance: Instance) -> None:
    """Then it comes to the top, under its own name."""
    ann.mkcol("/folder")
    ann.put("/folder/report.docx", OLD)
    ann.move("/folder/report.docx", "/A9A97EC7.tmp")
    ann.delete("/folder")
    _sweep(instance, after=DAY + 1)
    assert ann.names() == ["/report.docx"]
    ann.move("/report.docx", "/A9A97EC7.tmp")
    _sweep(instance, after=31 * DAY)
    assert ann.names() == ["/report.docx"]


def test_a_document_of_a_type_that_is_no_more_allowed_stays(ann: Home, instance: Instance) -> None:
    """It cannot have its name back now; it is not lost, and the rest of the sweep goes on."""
    ann.put("/report.docx", OLD)
    ann.move("/report.docx", "/A9A97EC7.tmp")
    ann.put("/left.tmp", b"123")
    instance.accounts.set_rules("ann@example.org", Rules.parse("txt"))
    _sweep(instance, after=DAY + 1)
    assert ann.names() == ["/A9A97EC7.tmp"]
    instance.accounts.set_rules("ann@example.org", None)
    _sweep(instance, after=1)
    assert ann.names() == ["/report.docx"]


def test_a_temporary_folder_goes_with_what_was_in_it(ann: Home, instance: Instance) -> None:
    """Scratch is swept, the document goes back, and the empty folder is removed."""
    folder = "/report.docx.sb-ac6800a0-t3YBFI"
    ann.put("/report.docx", OLD)
    ann.mkcol(folder)
    ann.put(f"{folder}/new.docx", NEW)
    ann.move("/report.docx", f"{folder}/report.docx")
    assert _kind(ann, f"{folder}/new.docx") is Kind.SCRATCH
    _sweep(instance, after=DAY + 1)
    assert ann.names() == ["/report.docx"]
    assert (ann.used(), ann.scratch()) == (len(OLD), 0)


def test_nothing_is_swept_where_everything_is_allowed(instance: Instance) -> None:
    """Names are names there: what looks like a temporary is a file, also under `*` since now."""
    ann = instance.home("ann@example.org")
    ann.put("/early.tmp", b"early")
    instance.accounts.set_rules("ann@example.org", Rules(None))
    ann.put("/notes~", b"notes")
    ann.put("/report.docx", OLD)
    ann.move("/report.docx", "/20261122")
    _sweep(instance, after=DAY + 1)
    _sweep(instance, after=DAY + 1)
    assert ann.names() == ["/20261122", "/early.tmp", "/notes~"]
    assert {_kind(ann, name) for name in ann.names()} == {Kind.FILE}
    assert (ann.used(), ann.scratch()) == (len(OLD) + 10, 0)


def test_scratch_has_an_allowance_of_its_own(instance: Instance) -> None:
    """It takes nothing of the quota, and ends at its own limit, with room for all else."""
    instance.policy.limits = Limits(scratch_bytes_max=100)
    ann = instance.home("ann@example.org", quota_bytes=50)
    ann.put("/a.tmp", b"x" * 60)
    assert (ann.used(), ann.scratch()) == (0, 60)
    for refused in (lambda: ann.put("/b.tmp", b"x" * 41), lambda: ann.copy("/a.tmp", "/b.tmp")):
        with pytest.raises(QuotaExceeded) as caught:
            refused()
        assert caught.value.condition == "{DAV:}quota-not-exceeded"
        assert "40 more bytes" in caught.value.sentence
    ann.put("/b.tmp", b"x" * 40)
    ann.put("/a.txt", b"y" * 50)
    ann.delete("/a.tmp")
    ann.put("/c.tmp", b"x" * 60)
    assert (ann.used(), ann.scratch()) == (50, 100)


def test_a_body_of_unknown_length_stops_at_the_allowance(instance: Instance) -> None:
    """A chunked temporary cannot fill the disk either."""
    instance.policy.limits = Limits(scratch_bytes_max=100)
    ann = instance.home("ann@example.org")
    with pytest.raises(QuotaExceeded):
        ann.tree.write(path_("/a.tmp"), (b"x" * 60 for _ in range(1000)), length=None)
    assert ann.names() == []


def test_a_tree_with_temporaries_is_copied_within_the_allowance(instance: Instance) -> None:
    """A copy counts both kinds of bytes."""
    instance.policy.limits = Limits(scratch_bytes_max=100)
    ann = instance.home("ann@example.org")
    ann.mkcol("/d")
    ann.put("/d/a.tmp", b"x" * 60)
    ann.put("/d/a.txt", b"y")
    with pytest.raises(QuotaExceeded):
        ann.copy("/d", "/e")
    assert ann.names() == ["/d", "/d/a.tmp", "/d/a.txt"]


def test_a_save_needs_no_allowance_for_what_it_leaves(instance: Instance) -> None:
    """Where scratch is full, a document that was put aside can still be written again."""
    instance.policy.limits = Limits(scratch_bytes_max=100)
    ann = instance.home("ann@example.org")
    ann.put("/a.txt", b"y" * 80)
    ann.put("/full.tmp", b"x" * 100)
    ann.move("/a.txt", "/a.txt~")
    ann.put("/a.txt", b"z" * 80)
    assert ann.get("/a.txt") == b"z" * 80
    assert (ann.used(), ann.scratch()) == (80, 180)


def test_a_document_can_be_saved_through_a_temporary_into_the_last_bytes(
    instance: Instance,
) -> None:
    """The old content makes room for the new one, also while both are there."""
    ann = instance.home("ann@example.org", quota_bytes=100)
    ann.put("/a.txt", b"y" * 80)
    ann.put("/new.tmp", b"z" * 100)
    ann.move("/a.txt", "/old.tmp")
    ann.move("/new.tmp", "/a.txt")
    assert (ann.used(), ann.scratch()) == (100, 80)
    ann.put("/new.tmp", b"z" * 101)
    with pytest.raises(QuotaExceeded):
        ann.move("/new.tmp", "/a.txt")
    assert ann.get("/a.txt") == b"z" * 100


def test_a_document_comes_back_from_a_temporary_folder_that_was_deleted(ann: Home) -> None:
    """Its identity goes on, and its bytes are counted once."""
    folder = "/report.docx.sb-ac6800a0-t3YBFI"
    ann.put("/report.docx", OLD)
    id_ = ann.id_of("/report.docx")
    ann.mkcol(folder)
    ann.put("/new.tmp", NEW)
    ann.move("/report.docx", f"{folder}/report.docx")
    ann.delete(folder)
    assert ann.used() == 0
    ann.move("/new.tmp", "/report.docx")
    assert ann.id_of("/report.docx") == id_
    assert (ann.used(), ann.scratch()) == (len(NEW), 0)
    assert len(ann.tree.versions(path_("/report.docx"))) == 1


def test_a_swept_name_is_free_at_once(ann: Home, instance: Instance) -> None:
    """Its locks are gone too."""
    ann.put("/a.tmp", b"x")
    _sweep(instance, after=DAY + 1)
    with pytest.raises(NotFound):
        ann.get("/a.tmp")
    ann.put("/a.tmp", b"y")


def test_two_documents_change_places_and_stay_themselves(ann: Home, instance: Instance) -> None:
    """A person's rename through a third name is no save, once the documents have a past."""
    for name in ("a", "b"):
        ann.put(f"/{name}.docx", OLD)
        ann.put(f"/{name}.docx", body(f"docx({name})"))
    ids = ann.id_of("/a.docx"), ann.id_of("/b.docx")
    ann.move("/a.docx", "/third.tmp")
    ann.move("/b.docx", "/a.docx")
    ann.move("/third.tmp", "/b.docx")
    assert (ann.id_of("/b.docx"), ann.id_of("/a.docx")) == ids
    assert ann.get("/a.docx") == body("docx(b)")
    assert ann.names() == ["/a.docx", "/b.docx"]


def test_a_rename_is_no_save_when_time_has_passed(ann: Home, instance: Instance) -> None:
    """A new document under the name that another one had takes nothing of it."""
    ann.put("/plan.docx", OLD)
    id_ = ann.id_of("/plan.docx")
    ann.move("/plan.docx", "/plan 2025.docx")
    instance.clock.pass_(HOUR)
    ann.put("/new.tmp", NEW)
    ann.move("/new.tmp", "/plan.docx")
    ann.delete("/plan.docx")
    assert ann.id_of("/plan 2025.docx") == id_


def test_a_backup_keeps_the_old_content_and_the_document_its_identity(ann: Home) -> None:
    """Renamed to an ordinary name and replaced by a temporary: a backup, with properties."""
    ann.put("/plan.docx", OLD)
    ann.tree.patch(path_("/plan.docx"), [PropertyUpdate("{urn:p}x", "<x/>")])
    id_ = ann.id_of("/plan.docx")
    ann.put("/new.tmp", NEW)
    ann.move("/plan.docx", "/Backup of plan.docx")
    ann.move("/new.tmp", "/plan.docx")
    assert ann.id_of("/plan.docx") == id_
    assert ann.get("/Backup of plan.docx") == OLD
    assert _kind(ann, "/Backup of plan.docx") is Kind.FILE
    for name in ("/plan.docx", "/Backup of plan.docx"):
        entry = ann.tree.listing(path_(name), depth=0, dead=True, locks=False).entries[0]
        assert [p.name for p in entry.properties] == ["{urn:p}x"]
    assert (ann.used(), ann.scratch()) == (len(OLD) + len(NEW), 0)


def test_deleting_the_old_one_of_a_save_needs_its_lock(ann: Home) -> None:
    """However the identity goes on, a lock on what is deleted counts."""
    ann.put("/plan.docx", OLD)
    ann.move("/plan.docx", "/old.docx")
    ann.put("/plan.docx", NEW)
    ann.lock("/old.docx")
    with pytest.raises(Locked):
        ann.delete("/old.docx")
    assert ann.names() == ["/old.docx", "/plan.docx"]


def test_a_file_that_became_one_with_its_folder_can_be_deleted(ann: Home) -> None:
    """It is not its own heir, and goes to the trash like any file."""
    folder = "/x.sb-ac6800a0-t3YBFI"
    ann.mkcol(folder)
    ann.put(f"{folder}/plan.docx", NEW)
    ann.move(folder, "/kept")
    assert _kind(ann, "/kept/plan.docx") is Kind.FILE
    ann.delete("/kept/plan.docx")
    assert ann.names() == ["/kept"]
    assert (ann.used(), ann.scratch()) == (0, 0)


def test_a_document_that_is_renamed_to_and_fro_is_itself(ann: Home) -> None:
    """Through temporaries' names and ordinary ones, with nothing left beside it."""
    ann.put("/plan.docx", OLD)
    id_ = ann.id_of("/plan.docx")
    for name in ("/plan.docx~", "/other.docx", "/A9A97EC7", "/34429E5E.tmp", "/plan.docx"):
        ann.move(ann.names()[0], name)
        assert ann.names() == [name]
    assert ann.id_of("/plan.docx") == id_
    assert ann.tree.versions(path_("/plan.docx")) == []
    assert (ann.used(), ann.scratch()) == (len(OLD), 0)
