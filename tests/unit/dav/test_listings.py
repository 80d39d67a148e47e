"""A PROPFIND's answer: well formed whatever is in it, and fast."""

from __future__ import annotations

from urllib.parse import quote
from xml.etree.ElementTree import Element

import pytest
from defusedxml import ElementTree
from hypothesis import given
from hypothesis import strategies as st

from davhost.dav.listings import Writer
from davhost.dav.live_properties import Scene
from davhost.dav.origin import Site
from davhost.dav.propfind_bodies import EVERYTHING, Mode, Wanted
from davhost.errors import BadPath
from davhost.model import Kind, Lock, Principal, Property, Resource, Rules, Space
from davhost.paths import DavPath
from davhost.tree import Entry, parts_of
from tests.unit.dav.sites import MOUNTED

D = "{DAV:}"
ANN = Principal(1, "ann@example.org", 1)


def scene(site: Site | None = None, quota_bytes: int | None = None) -> Scene:
    space = Space(
        id=1,
        root_id=1,
        quota_bytes=quota_bytes,
        used_bytes=7,
        scratch_bytes=0,
        rules=None,
        admitted=Rules(None),
    )
    return Scene(site or Site(), space, ANN, 100.0)


def entry(*names: str, kind: Kind = Kind.FILE, **extra: object) -> Entry:
    path = DavPath.of(*names)
    name = names[-1] if names else ""
    resource = Resource(1, 1, None, name, kind, None, 5, "e", None, 0, 0)
    return Entry.at(path, resource, **extra)  # type: ignore[arg-type]


def render(wanted: Wanted, *entries: Entry, at: Scene | None = None) -> list[Element]:
    document = "".join(Writer(wanted).document(parts_of(entries), at or scene()))
    return list(ElementTree.fromstring(document.encode()))


def found(response: Element, status: int = 200) -> dict[str, Element]:
    for propstat in response.findall(D + "propstat"):
        if f" {status} " in (propstat.findtext(D + "status") or ""):
            return {element.tag: element for element in propstat.find(D + "prop") or ()}
    return {}


@given(st.text(min_size=1, max_size=20))
def test_no_name_spoils_a_listing(name: str) -> None:
    """Control characters, U+FFFE, emoji: the neighbours are listed, and so is it."""
    try:
        odd = entry("d", name)
    except BadPath:
        return
    first, second = render(EVERYTHING, odd, entry("d", "plain.txt"))
    assert first.findtext(D + "href") == odd.path.href(collection=False)
    assert DavPath.from_url(first.findtext(D + "href") or "") == odd.path
    assert second.findtext(D + "href") == "/d/plain.txt"


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=3))
def test_an_href_escapes_what_some_client_gets_wrong(names: list[str]) -> None:
    """As the library does; only faster, for most names have nothing to escape."""
    try:
        path = DavPath.of(*names)
    except BadPath:
        return
    assert path.href(collection=True) == "/" + quote("/".join(path.names), "!$'()*,@/") + "/"


def members_of(*collection: str) -> st.SearchStrategy[list[Entry]]:
    """Members as no listing has them: each of any kind, with and without dead properties."""

    def member(name: str, kind: Kind, has_property: bool) -> Entry:
        kept = [Property("{urn:x}p", '<n:p xmlns:n="urn:x">1</n:p>')] if has_property else []
        return entry(*collection, name, kind=kind, properties=kept)

    names = st.text(min_size=1, max_size=9).filter(lambda name: _is_name(name))
    return st.lists(st.builds(member, names, st.sampled_from(Kind), st.booleans()), max_size=9)


def _is_name(name: str) -> bool:
    try:
        DavPath.of(name)
    except BadPath:
        return False
    return True


@pytest.mark.parametrize("collection", [(), ("a&b",)], ids=["root", "folder"])
@pytest.mark.parametrize("mode", Mode)
@given(data=st.data())
def test_each_member_is_written_as_if_it_were_alone(
    data: st.DataObject, mode: Mode, collection: tuple[str, ...]
) -> None:
    top = entry(*collection, kind=Kind.COLLECTION)
    listed = [top, *data.draw(members_of(*collection))]
    writer = Writer(Wanted(mode, (D + "displayname", D + "getcontenttype", "{urn:x}p")))
    alone = "".join("".join(writer.responses(parts_of([one]), scene())) for one in listed)
    assert "".join(writer.responses(parts_of(listed), scene())) == alone


def test_a_long_listing_leaves_nobody_out() -> None:
    listed = [entry("f", f"{number} <&>.txt") for number in range(1000)]
    hrefs = [one.findtext(D + "href") for one in render(EVERYTHING, *listed)]
    assert hrefs == [one.path.href(collection=False) for one in listed]


def test_hrefs_of_collections_end_in_a_slash_and_have_the_prefix() -> None:
    """What a client gets is what it can ask for."""
    responses = render(
        EVERYTHING,
        entry(kind=Kind.COLLECTION),
        entry("a & b", kind=Kind.COLLECTION),
        entry("a & b", "c?d.txt"),
        at=scene(MOUNTED),
    )
    assert [r.findtext(D + "href") for r in responses] == [
        "/office/dav/",
        "/office/dav/a%20%26%20b/",
        "/office/dav/a%20%26%20b/c%3Fd.txt",
    ]


def test_allprop_leaves_quota_out_and_include_brings_it_in() -> None:
    """RFC 4331 section 3 and RFC 4918 section 9.1.6."""
    quota = D + "quota-used-bytes"
    root = entry(kind=Kind.COLLECTION)
    (plain,) = render(EVERYTHING, root)
    (more,) = render(Wanted(Mode.ALL, (quota, "{u:}other")), root)
    assert quota not in found(plain)
    assert found(more)[quota].text == "7"
    assert list(found(more, 404)) == ["{u:}other"]


def test_a_file_has_no_quota() -> None:
    """An empty quota in a 200 propstat makes KDE refuse to overwrite."""
    names = (D + "quota-used-bytes", D + "quota-available-bytes")
    (file,) = render(Wanted(Mode.NAMED, names), entry("a"), at=scene(quota_bytes=9))
    assert list(found(file, 404)) == list(names)
    assert found(file) == {}


def test_a_home_without_quota_does_not_say_how_much_is_free() -> None:
    """Better no number than a wrong one."""
    name = D + "quota-available-bytes"
    root = entry(kind=Kind.COLLECTION)
    (without,) = render(Wanted(Mode.NAMED, (name,)), root)
    (limited,) = render(Wanted(Mode.NAMED, (name,)), root, at=scene(quota_bytes=9))
    assert name in found(without, 404)
    assert found(limited)[name].text == "2"


def test_a_writer_says_of_each_answer_what_is_true_in_it() -> None:
    """One is kept for all who ask the same, whoever they are."""
    names = ("quota-available-bytes", "quota-used-bytes", "current-user-principal", "getetag")
    writer = Writer(Wanted(Mode.NAMED, tuple(D + name for name in names)))

    def of(*entries: Entry, at: Scene) -> list[dict[str, Element]]:
        document = "".join(writer.document(entries, at))
        return [found(response) for response in ElementTree.fromstring(document.encode())]

    root, file = entry(kind=Kind.COLLECTION), entry("a")
    for _ in range(2):
        (without, _), (limited, other) = (
            of(root, file, at=scene()),
            of(root, file, at=scene(MOUNTED, quota_bytes=9)),
        )
        assert set(without) == {D + "quota-used-bytes", D + "current-user-principal"}
        assert without[D + "current-user-principal"].findtext(D + "href") == "/"
        assert limited[D + "quota-available-bytes"].text == "2"
        assert limited[D + "current-user-principal"].findtext(D + "href") == "/office/dav/"
        assert set(other) == {D + "current-user-principal", D + "getetag"}


def test_named_properties_come_with_those_that_are_missing() -> None:
    """Every name is answered once: 200 or 404."""
    dead = Property("{u:}x", '<x xmlns="u:">v</x>')
    wanted = Wanted(Mode.NAMED, ("{u:}x", "{u:}y", "plain", D + "getetag"))
    (response,) = render(wanted, entry("a", properties=(dead,)))
    assert {tag: e.text for tag, e in found(response).items()} == {
        "{u:}x": "v",
        D + "getetag": '"e"',
    }
    assert set(found(response, 404)) == {"{u:}y", "plain"}


def test_propname_names_without_values() -> None:
    """cadaver asks so; dead properties are named too."""
    dead = Property("{u:}x", '<x xmlns="u:">v</x>')
    (response,) = render(Wanted(Mode.NAMES), entry("a", properties=(dead,)))
    assert {D + "getetag", D + "getcontentlength", D + "lockdiscovery", "{u:}x"} <= set(
        found(response)
    )
    assert all(e.text is None and not len(e) for e in found(response).values())


def test_no_properties_asked_for_is_an_answer_all_the_same() -> None:
    """An empty DAV:prop lists what is there."""
    (response,) = render(Wanted(Mode.NAMED), entry("a"))
    assert response.findtext(D + "href") == "/a"
    assert response.find(D + "propstat") is not None


@pytest.mark.parametrize(("user_id", "shown"), [(1, True), (2, False)])
def test_a_lock_token_is_shown_only_to_its_holder(user_id: int, shown: bool) -> None:
    """Others see that there is a lock, since when and where, and not its token."""
    lock = Lock("urn:x:1", DavPath.of("d"), True, True, "", user_id, 60, 130.4)
    (response,) = render(EVERYTHING, entry("d", "a", locks=(lock,)))
    active = found(response)[D + "lockdiscovery"][0]
    assert (active.findtext(f"{D}locktoken/{D}href") == "urn:x:1") is shown
    assert active.findtext(f"{D}lockroot/{D}href") == "/d/"
    assert active.findtext(D + "timeout") == "Second-30"
    assert active.findtext(D + "depth") == "infinity"
