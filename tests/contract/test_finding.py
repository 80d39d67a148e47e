"""Many paths are looked up at once."""

import pytest

from davhost.catalogue import Reading, rows
from davhost.paths import DavPath
from tests.instance import Home, Instance, path_


def names_found(home: Home, *texts: str) -> dict[str, str]:
    """Look paths up together; say which file or collection is at each."""
    with home.tree._reading() as reading:
        found = reading.find_all([path_(text) for text in texts])
        assert found == one_by_one(reading, texts)
    return {path.text: resource.name for path, resource in found.items()}


def one_by_one(reading: Reading, texts: tuple[str, ...]) -> dict[DavPath, object]:
    """Look the same paths up alone."""
    alone = {path_(text): reading.find(path_(text)) for text in texts}
    return {path: resource for path, resource in alone.items() if resource is not None}


def fill(home: Home) -> None:
    """Make the same names in two collections."""
    for collection in ("/a", "/b"):
        home.mkcol(collection)
        home.mkcol(f"{collection}/c")
        home.put(f"{collection}/one.txt", b"1")
        home.put(f"{collection}/né.txt", b"2")


def test_paths_are_found_together_as_alone(ann: Home) -> None:
    """Members of one collection, of several, the root, and what is not there."""
    fill(ann)
    mapped = ["/", "/a", "/b", "/a/one.txt", "/a/né.txt", "/a/c", "/b/one.txt"]
    unmapped = ["/x", "/a/x", "/x/one.txt", "/x/two.txt", "/a/one.txt/y", "/a/one.txt/z", "/c"]
    assert sorted(names_found(ann, *mapped, *unmapped)) == sorted(mapped)
    assert names_found(ann, "/") == {"/": ""}
    assert names_found(ann) == {}


def test_more_are_found_than_a_statement_takes(ann: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their number has no limit."""
    monkeypatch.setattr(rows, "_BATCH", 3)
    texts = [f"/{number}.txt" for number in range(8)]
    for text in texts[1:]:
        ann.put(text)
    assert sorted(names_found(ann, *texts)) == texts[1:]


def test_nothing_is_found_in_another_space(ann: Home, instance: Instance) -> None:
    """Each reader has its own root."""
    fill(ann)
    bob = instance.home("bob@example.org")
    assert names_found(bob, "/a", "/b", "/a/one.txt", "/a/c") == {}


def test_collections_with_members_are_told_from_empty_ones(
    ann: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many are asked about."""
    fill(ann)
    monkeypatch.setattr(rows, "_BATCH", 2)
    with ann.tree._reading() as reading:
        collections = [reading.get(path_(text)) for text in ("/", "/a", "/a/c", "/b", "/b/c")]
        full = reading.have_members(collections)
        assert full == {collections[0].id, collections[1].id, collections[3].id}
        assert reading.have_members([]) == set()
