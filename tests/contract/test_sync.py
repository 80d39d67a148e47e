"""What has changed since: the journal as RFC 6578 reads it, on both databases."""

import pytest

from davhost.errors import InvalidSyncToken, MethodNotAllowed
from tests.instance import Home, path_


def _since(
    home: Home, seq: int | None, top: str = "/", *, deep: bool = True
) -> tuple[set[str], set[str]]:
    changed = home.tree.changed_since(path_(top), seq, deep=deep, dead=False)
    return {e.path.text for e in changed.entries}, {p.text for p in changed.removed}


def test_the_first_answer_lists_everything(ann: Home) -> None:
    """Without a token a client gets all members."""
    ann.mkcol("/d")
    ann.put("/d/a.txt", b"a")
    assert _since(ann, None) == ({"/d", "/d/a.txt"}, set())
    assert _since(ann, None, deep=False) == ({"/d"}, set())


def test_later_answers_list_only_what_is_different(ann: Home) -> None:
    """New, changed and removed members, and nothing else."""
    ann.put("/same.txt", b"s")
    ann.put("/changed.txt", b"1")
    ann.put("/gone.txt", b"g")
    seq = ann.tree.sync_seq()
    ann.put("/changed.txt", b"2")
    ann.put("/new.txt", b"n")
    ann.delete("/gone.txt")
    assert _since(ann, seq) == ({"/changed.txt", "/new.txt"}, {"/gone.txt"})
    assert _since(ann, ann.tree.sync_seq()) == (set(), set())


def test_a_moved_tree_is_removed_here_and_new_there(ann: Home) -> None:
    """All members of a moved collection have new URLs."""
    ann.mkcol("/a")
    ann.put("/a/x.txt", b"x")
    seq = ann.tree.sync_seq()
    ann.move("/a", "/b")
    assert _since(ann, seq) == ({"/b", "/b/x.txt"}, {"/a"})


def test_a_copied_tree_is_new_as_a_whole(ann: Home) -> None:
    """A copy brings its members along."""
    ann.mkcol("/a")
    ann.put("/a/x.txt", b"x")
    seq = ann.tree.sync_seq()
    ann.copy("/a", "/b")
    assert _since(ann, seq) == ({"/b", "/b/x.txt"}, set())


def test_a_collection_hears_only_of_its_own_members(ann: Home) -> None:
    """Changes beside and far below it are not its own."""
    ann.mkcol("/a")
    ann.mkcol("/a/deep")
    seq = ann.tree.sync_seq()
    ann.put("/beside.txt", b"b")
    ann.put("/a/x.txt", b"x")
    ann.put("/a/deep/y.txt", b"y")
    assert _since(ann, seq, "/a") == ({"/a/x.txt", "/a/deep/y.txt"}, set())
    assert _since(ann, seq, "/a", deep=False) == ({"/a/x.txt"}, set())


def test_a_token_of_the_future_is_refused(ann: Home) -> None:
    """The server never gave it out; the client has to start again."""
    with pytest.raises(InvalidSyncToken):
        _since(ann, ann.tree.sync_seq() + 1)


def test_only_collections_are_synchronised(ann: Home) -> None:
    """A file has no members."""
    ann.put("/a.txt", b"a")
    with pytest.raises(MethodNotAllowed):
        _since(ann, None, "/a.txt")


def test_a_saved_document_is_one_changed_member(ann: Home) -> None:
    """Word's dance of names ends, for a synchronising client, in one change."""
    ann.put("/plan.docx")
    seq = ann.tree.sync_seq()
    ann.put("/~WRD0001.tmp", b"")
    ann.move("/plan.docx", "/~WRL0001.tmp")
    ann.move("/~WRD0001.tmp", "/plan.docx")
    ann.delete("/~WRL0001.tmp")
    changed, removed = _since(ann, seq)
    assert changed == {"/plan.docx"}
    assert removed == {"/~WRD0001.tmp", "/~WRL0001.tmp"}
