"""Every way into the tree crossed with every class of names.

Below the edges, on SQLite: names are judged by the tree, whoever asks.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from davhost.errors import BadName, NameRefused
from davhost.model import Kind, Rules
from davhost.names import NameClass
from tests.instance import Home, Instance, make_instance, path_
from tests.sequences.bodies import body

PDF = body("pdf(x)")

#: One name of each class; all may hold a PDF.
NAMES = {
    NameClass.INVALID: "nul.pdf",
    NameClass.LITTER: "._plan.pdf",
    NameClass.OWNER_MARK: "~$plan.pdf",
    NameClass.SWAP: "plan.pdf~",
    NameClass.SAVE: "34429E5E.tmp",
    NameClass.FILE: "plan.pdf",
    NameClass.DERIVED: "plan.pdf.part",
    NameClass.FORBIDDEN: "evil.pdf.exe",
}

every_class = pytest.mark.parametrize("name_class", NameClass, ids=str)

#: How a file gets a name. Each begins with a home in which everything is
#: allowed, calls `narrow`, and does what is to be judged by the default list.
Enter = Callable[["Case", str], None]


@dataclass
class Case:
    """A home, and the way to give it the default list."""

    instance: Instance
    home: Home
    email: str

    def narrow(self) -> None:
        """From now on only the default types are allowed."""
        self.instance.accounts.set_rules(self.email, None)

    def kinds(self) -> dict[str, Kind]:
        """What is there, folders left out."""
        listing = self.home.tree.listing(path_("/"), depth=None, dead=False, locks=False)
        found = {entry.path.text: entry.resource.kind for entry in listing.entries}
        return {path: kind for path, kind in found.items() if kind is not Kind.COLLECTION}


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance that all cases share."""
    folder = tmp_path_factory.mktemp("classes")
    made = make_instance(f"sqlite:///{folder}/davhost.sqlite", folder)
    yield made
    made.catalogue.close()


@pytest.fixture
def case(instance: Instance, request: pytest.FixtureRequest) -> Case:
    """A new home in which everything is allowed at first."""
    email = f"{abs(hash(request.node.name))}@example.org"
    return Case(instance, instance.home(email, allow="*"), email)


def put(case: Case, path: str) -> None:
    """PUT of a new file."""
    case.narrow()
    case.home.put(path, PDF)


def put_empty(case: Case, path: str) -> None:
    """PUT of no bytes, as Explorer begins every file."""
    case.narrow()
    case.home.put(path)


def lock(case: Case, path: str) -> None:
    """LOCK of an unmapped URL."""
    case.narrow()
    case.home.lock(path)


def copy(case: Case, path: str) -> None:
    """COPY of a file."""
    case.home.put("/source.pdf", PDF)
    case.narrow()
    case.home.copy("/source.pdf", path)


def move_scratch(case: Case, path: str) -> None:
    """MOVE of a temporary."""
    case.narrow()
    case.home.put("/~source.tmp", PDF)
    case.home.move("/~source.tmp", path)


def import_(case: Case, path: str) -> None:
    """Adoption of a file from the disk, as `davhost import` does it."""
    case.narrow()
    with tempfile.TemporaryFile() as source:
        source.write(PDF)
        source.seek(0)
        case.home.tree.adopt(path_(path), source, modified_us=1)


CREATING = [put, put_empty, lock, copy, move_scratch, import_]


@every_class
@pytest.mark.parametrize("enter", CREATING, ids=lambda way: way.__name__)
def test_a_new_file_is_what_its_name_says(case: Case, enter: Enter, name_class: NameClass) -> None:
    """A file, scratch, or refused with nothing left behind; the reason is recorded."""
    path = "/" + NAMES[name_class]
    if name_class.kind is None:
        with pytest.raises(BadName if name_class is NameClass.INVALID else NameRefused):
            enter(case, path)
        assert path not in case.kinds()
    else:
        enter(case, path)
        assert case.kinds()[path] is name_class.kind


@every_class
def test_a_file_that_is_moved_stays_a_file(case: Case, name_class: NameClass) -> None:
    """Under a temporary's name it is put aside, under a forbidden one it does not get."""
    path = "/" + NAMES[name_class]
    case.home.put("/source.pdf", PDF)
    case.narrow()
    if name_class.kind is None:
        with pytest.raises((BadName, NameRefused)):
            case.home.move("/source.pdf", path)
        assert case.kinds() == {"/source.pdf": Kind.FILE}
    else:
        case.home.move("/source.pdf", path)
        assert case.kinds() == {path: Kind.FILE}


@every_class
def test_what_is_there_may_be_written_only_if_it_might_come(
    case: Case, name_class: NameClass
) -> None:
    """PUT over a file from before the list was narrowed."""
    path = "/" + NAMES[name_class]
    if name_class is NameClass.INVALID:
        return  # never there
    case.home.put(path, PDF)
    case.narrow()
    if name_class is NameClass.FORBIDDEN:
        with pytest.raises(NameRefused):
            case.home.put(path, body("pdf(y)"))
        assert case.home.get(path) == PDF
    else:
        case.home.put(path, body("pdf(y)"))
    assert case.kinds() == {path: Kind.FILE}


@every_class
def test_what_was_deleted_comes_back_only_if_it_might_come(
    case: Case, name_class: NameClass
) -> None:
    """Restoring from the trash, after the list was narrowed."""
    path = "/" + NAMES[name_class]
    if name_class is NameClass.INVALID:
        return  # never there
    case.home.put(path, PDF)
    case.home.delete(path)
    case.narrow()
    (departed,) = case.home.tree.trash()
    if name_class is NameClass.FORBIDDEN:
        with pytest.raises(NameRefused):
            case.home.tree.restore_departed(departed.resource.id)
        assert case.kinds() == {}
    else:
        case.home.tree.restore_departed(departed.resource.id)
        assert case.kinds() == {path: Kind.FILE}


@every_class
def test_a_folder_may_have_any_name_that_clients_can_open(
    case: Case, name_class: NameClass
) -> None:
    """MKCOL is never refused because of a type."""
    case.narrow()
    if name_class is NameClass.INVALID:
        with pytest.raises(BadName):
            case.home.mkcol("/" + NAMES[name_class])
    else:
        case.home.mkcol("/" + NAMES[name_class])
        case.home.put(f"/{NAMES[name_class]}/plan.pdf", PDF)
        assert Kind.FILE in case.kinds().values()


@every_class
def test_a_tree_is_copied_only_if_every_member_may_come(case: Case, name_class: NameClass) -> None:
    """One forbidden member stops it; copies of temporaries are scratch."""
    name = NAMES[name_class]
    if name_class is NameClass.INVALID:
        return
    _make_tree(case, name)
    if name_class is NameClass.FORBIDDEN:
        with pytest.raises(NameRefused):
            case.home.copy("/tree", "/copy")
        assert case.home.names("/") == ["/tree", "/tree/deep", f"/tree/deep/{name}"]
    else:
        case.home.copy("/tree", "/copy")
        assert case.kinds()[f"/copy/deep/{name}"] is name_class.kind
    _sums_agree(case)


@every_class
def test_a_tree_moves_only_if_every_member_may_come(case: Case, name_class: NameClass) -> None:
    """One forbidden member stops it; files stay files under any other name."""
    name = NAMES[name_class]
    if name_class is NameClass.INVALID:
        return
    _make_tree(case, name)
    if name_class is NameClass.FORBIDDEN:
        with pytest.raises(NameRefused):
            case.home.move("/tree", "/moved")
        assert case.kinds() == {f"/tree/deep/{name}": Kind.FILE}
    else:
        case.home.move("/tree", "/moved")
        assert case.kinds() == {f"/moved/deep/{name}": Kind.FILE}


def _make_tree(case: Case, name: str) -> None:
    case.home.mkcol("/tree")
    case.home.mkcol("/tree/deep")
    case.home.put(f"/tree/deep/{name}", PDF)
    case.narrow()


def _sums_agree(case: Case) -> None:
    kinds = list(case.kinds().values())
    assert case.home.used() == len(PDF) * kinds.count(Kind.FILE)
    assert case.home.scratch() == len(PDF) * kinds.count(Kind.SCRATCH)


def test_what_was_saved_in_a_temporary_folder_becomes_files_with_it(case: Case) -> None:
    """A folder that leaves its temporary place or name brings files along, not scratch."""
    case.narrow()
    case.home.mkcol("/x.sb-ac6800a0-t3YBFI")
    case.home.mkcol("/x.sb-ac6800a0-t3YBFI/album")
    case.home.put("/x.sb-ac6800a0-t3YBFI/album/1.pdf", PDF)
    case.home.put("/x.sb-ac6800a0-t3YBFI/album/._1.pdf", b"twin")
    assert set(case.kinds().values()) == {Kind.SCRATCH}
    case.home.copy("/x.sb-ac6800a0-t3YBFI/album", "/copy")
    case.home.move("/x.sb-ac6800a0-t3YBFI/album", "/album")
    expected = {"/album/1.pdf": Kind.FILE, "/album/._1.pdf": Kind.SCRATCH}
    expected |= {"/copy/1.pdf": Kind.FILE, "/copy/._1.pdf": Kind.SCRATCH}
    assert case.kinds() == expected
    assert (case.home.used(), case.home.scratch()) == (2 * len(PDF), 8)


def test_a_change_of_the_list_counts_at_once(case: Case) -> None:
    """The next write is judged by the new list."""
    case.home.put("/tool.exe", b"MZ")
    case.narrow()
    with pytest.raises(NameRefused):
        case.home.put("/other.exe", b"MZ")
    case.instance.accounts.set_rules(case.email, Rules.parse("exe"))
    case.home.put("/other.exe", b"MZ")
    with pytest.raises(NameRefused):
        case.home.put("/plan.pdf", PDF)
