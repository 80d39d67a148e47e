"""Every way in which a program saves a document ends well, wherever it breaks off.

The sequences are data (`data/*.txt`, their language is in `script`); they are
sent over HTTP to a server with the default allow-list, and to an account in
which every name is allowed.
"""

from collections.abc import Iterator

import pytest

from tests.sequences import script
from tests.sequences.bodies import body
from tests.sequences.player import Player
from tests.sequences.script import Sequence
from tests.sequences.worlds import Home, World, world

SEQUENCES = list(script.read_all())

every_sequence = pytest.mark.parametrize("sequence", SEQUENCES, ids=lambda s: s.name)
every_list = pytest.mark.parametrize("everything", [False, True], ids=["default", "everything"])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A running server."""
    with world(tmp_path_factory.mktemp("sequences")) as running:
        yield running


@pytest.fixture(scope="module")
def homes(server: World) -> dict[tuple[str, bool], Home]:
    """The homes that were made so far, one for each sequence and list."""
    return {}


@pytest.fixture
def home(
    server: World, homes: dict[tuple[str, bool], Home], sequence: Sequence, everything: bool
) -> Home:
    """A home with the default list, the sequence's own, or one that allows everything."""
    key = sequence.name, everything
    if key not in homes:
        homes[key] = server.new_home("*" if everything else sequence.allow)
    return homes[key]


def _player(home: Home, sequence: Sequence) -> Player:
    server = home.world.server
    return Player("127.0.0.1", server.port, home.account, sequence)


@every_list
@every_sequence
def test_a_save_ends_with_the_new_content(sequence: Sequence, everything: bool, home: Home) -> None:
    """Everybody reads the new content, and a day later nothing else is left of the save."""
    with _player(home, sequence) as player:
        player.prepare("end", with_property=True)
        player.play("end", sequence.steps)
        expected = {name: body(spelled) for name, spelled in sequence.then.items()}
        assert {name: player.read("end", name) for name in expected} == expected
    home.check_sums()
    files = home.contents("end")
    assert files.items() >= expected.items()
    if not everything:
        assert home.forbidden() == []
        assert files == expected
    home.world.tomorrow()
    assert home.contents("end") == files
    home.check_sums()
    assert everything or home.tree.space().scratch_bytes == 0


@every_list
@pytest.mark.parametrize("with_property", [True, False], ids=["property", "plain"])
@pytest.mark.parametrize(
    "sequence", [s for s in SEQUENCES if s.given and s.keeps_identity], ids=lambda s: s.name
)
def test_a_save_is_one_version_of_one_file(
    sequence: Sequence, everything: bool, with_property: bool, home: Home
) -> None:
    """The document stays the same resource with its properties; what it held is one version."""
    name, folder = sequence.document, "property" if with_property else "plain"
    with _player(home, sequence) as player:
        player.prepare(folder, with_property=with_property)
        id_before = home.files(folder)[name].id
        player.play(folder, sequence.steps)
    assert home.files(folder)[name].id == id_before
    assert ("{urn:x-test}color" in home.properties(folder, name)) == with_property
    assert home.versions(folder, name) == [body(sequence.given[name])]


@every_list
@pytest.mark.parametrize("sequence", [s for s in SEQUENCES if s.given], ids=lambda s: s.name)
def test_a_save_that_breaks_off_loses_nothing(
    sequence: Sequence, everything: bool, home: Home
) -> None:
    """After whichever step the client is gone: the old content is there, and is found."""
    broken = [n for n, step in enumerate(sequence.steps, 1) if not step.only_looks]
    for count in broken:
        with _player(home, sequence) as player:
            player.prepare(f"{count}", with_property=False)
            player.play(f"{count}", sequence.steps[:count])
        _is_obtainable(home, sequence, count, _readable(home, f"{count}"))
    home.check_sums()
    home.world.tomorrow()
    home.check_sums()
    for count in broken:
        readable = _readable(home, f"{count}")
        _is_obtainable(home, sequence, count, readable)
        if not everything and not any(step.removes for step in sequence.steps[:count]):
            assert sequence.document in readable or _is_visible(home, sequence, count)
    assert everything or home.forbidden() == []


def _is_obtainable(
    home: Home, sequence: Sequence, count: int, readable: dict[str, list[bytes]]
) -> None:
    """See that somebody who looks for the old content finds it."""
    old = body(sequence.given[sequence.document])
    found = [content for contents in readable.values() for content in contents]
    if any(step.removes for step in sequence.steps[:count]):
        found += home.trash()
    assert old in found, f"lost after {[step.line for step in sequence.steps[:count]]}"


def _is_visible(home: Home, sequence: Sequence, count: int) -> bool:
    return body(sequence.given[sequence.document]) in home.contents(f"{count}").values()


def _readable(home: Home, folder: str) -> dict[str, list[bytes]]:
    """Read every file below a folder and all that it ever held, scratch included."""
    return {
        path: [home.bytes_of(found.blob_key), *home.versions(folder, path)]
        for path, found in home.resources(folder).items()
        if not found.is_collection
    }
