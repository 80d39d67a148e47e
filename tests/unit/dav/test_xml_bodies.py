"""XML bodies: bounded, without DTD or entities, and kept as they came."""

from __future__ import annotations

import contextlib
import tracemalloc

import pytest
from defusedxml import ElementTree
from hypothesis import given
from hypothesis import strategies as st

from davhost.dav import xml_bodies
from davhost.dav.xml_bodies import Element, Remembered
from davhost.errors import BadRequest, Refused, TooLarge


def parse(text: str | bytes) -> Element:
    return xml_bodies.parse(text.encode() if isinstance(text, str) else text, depth_max=64)


def first(text: str) -> Element:
    return next(parse(text).members)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"<a>",
        b"<a/><b/>",
        b"<a xmlns:x=''/>",
        b"<x:a/>",
        b'<!DOCTYPE a><a/>',
        b'<!DOCTYPE a [<!ENTITY e "v">]><a>&e;</a>',
        b'<!DOCTYPE a SYSTEM "http://evil.example/a.dtd"><a/>',
        b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>',
        b"<a>&undefined;</a>",
        b'<?xml version="1.0" encoding="klingon"?><a/>',
        b"<a>\xff</a>",
        b"<a>\x00</a>",
        b"<a xmlns='x}y'/>",
        b"<a>" * 65 + b"</a>" * 65,
        b"<a>" * 100_000,
    ],
)  # fmt: skip
def test_xml_that_is_malformed_or_dangerous_is_400(body: bytes) -> None:
    """No DTD, no entity, no depth, nothing external, whatever is wrong with it."""
    with pytest.raises(BadRequest):
        parse(body)


def test_a_body_of_many_elements_is_413() -> None:
    """A megabyte of empty elements does not become hundreds of megabytes of memory."""
    with pytest.raises(TooLarge):
        parse("<a>" + "<b/>" * 100_000 + "</a>")


def test_many_prefixes_are_not_copied_for_each_element() -> None:
    """Half a megabyte of declarations once became gigabytes of memory."""
    prefixes = " ".join(f'xmlns:a{number}="u:"' for number in range(9000))
    body = f"<r {prefixes}>" + '<b xmlns:z="u:"/>' * 19_000 + "</r>"
    tracemalloc.start()
    try:
        parse(body)
        assert tracemalloc.get_traced_memory()[1] < 64 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("value", ["v" * 2**20, "v:" * 2**19, "v " * 2**19, "v\u00e9" * 2**19])
def test_a_long_value_is_written_without_reading_it_again_and_again(value: str) -> None:
    """A megabyte is a moment; looked at from each of its letters, it would be hours."""
    assert first(f'<D:p xmlns:D="DAV:"><D:x>{value}</D:x></D:p>').whole().count("v") > 2**18


def test_64_levels_are_allowed() -> None:
    """The limit is the limit."""
    parse("<a>" * 64 + "</a>" * 64)


def test_comments_and_instructions_mean_nothing() -> None:
    """LibreOffice and cadaver may send them anywhere."""
    root = parse("<?p i?><a><!-- c --><b/><?p i?>t<!-- c --></a><!-- c -->")
    assert [member.name for member in root.members] == ["b"]
    assert root.text == "t"


def test_names_are_in_clark_notation() -> None:
    """With a namespace, without one, and with the default one."""
    root = parse('<D:a xmlns:D="DAV:"><b/><c xmlns="u:"><d/></c></D:a>')
    assert root.name == "{DAV:}a"
    assert [member.name for member in root.members] == ["b", "{u:}c"]


@pytest.mark.parametrize(
    ("body", "whole"),
    [
        ('<D:p xmlns:D="DAV:"><D:x>v</D:x></D:p>', '<D:x xmlns:D="DAV:">v</D:x>'),
        ('<p xmlns="DAV:"><x>v</x></p>', '<x xmlns="DAV:">v</x>'),
        ('<p xmlns="DAV:"><x xmlns="">v</x></p>', "<x>v</x>"),
        (
            '<p xmlns:a="u:1" xmlns:b="u:1"><b:x a:k="1"><a:y/></b:x></p>',
            '<b:x xmlns:a="u:1" xmlns:b="u:1" a:k="1"><a:y/></b:x>',
        ),
        ("<p><x> a &lt;b&gt; <![CDATA[<c>]]> </x></p>", "<x> a &lt;b&gt; &lt;c&gt; </x>"),
        ('<p><x k="&quot;&#10;&lt;"/></p>', '<x k="&quot;&#10;&lt;"/>'),
        ('<p xml:lang="de"><x/></p>', '<x xml:lang="de"/>'),
        ('<p xml:lang="de"><x xml:lang="en"/></p>', '<x xml:lang="en"/>'),
        ('<p xmlns:q="u:q"><x type="q:name"/></p>', '<x xmlns:q="u:q" type="q:name"/>'),
        (
            '<p><x><y xmlns="u:y"><z xmlns=""/></y></x></p>',
            '<x><y xmlns="u:y"><z xmlns=""/></y></x>',
        ),
        ("<p><x>é𝄞&#13;</x></p>", "<x>é𝄞&#13;</x>"),
    ],
)  # fmt: skip
def test_an_element_is_written_so_that_it_means_the_same_alone(body: str, whole: str) -> None:
    """Prefixes, namespaces, language, text and attributes of a value survive."""
    assert first(body).whole() == whole


def test_a_value_that_was_kept_is_the_same_when_it_comes_again() -> None:
    """Setting a property to what was read changes nothing."""
    once = first('<p xmlns:a="u:1"><a:x a:k="1">t<b xmlns="v:"/>u</a:x></p>').whole()
    assert first(f"<p>{once}</p>").whole() == once


@given(st.binary(max_size=200))
def test_no_body_breaks_the_parser(body: bytes) -> None:
    """Whatever is sent, the answer is an element or a refusal."""
    with contextlib.suppress(Refused):
        parse(body)


@given(
    st.recursive(
        st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"),
                                       exclude_characters="\ufffe\uffff")).map(
            lambda t: t.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")),
        lambda inner: st.lists(inner, max_size=3).map(
            lambda parts: f'<n:e xmlns:n="u:{len(parts)}">{"".join(parts)}</n:e>'),
        max_leaves=10,
    )
)  # fmt: skip
def test_any_value_survives(value: str) -> None:
    """What a client stores is what it reads, whatever it holds."""
    body = f'<p xmlns:o="o:"><o:x>{value}</o:x></p>'
    kept = first(body).whole()
    theirs, ours = ElementTree.fromstring(body)[0], ElementTree.fromstring(kept)
    assert ElementTree.tostring(theirs) == ElementTree.tostring(ours)


def test_a_body_that_comes_again_is_read_once() -> None:
    """It means what it meant before."""
    read: list[str] = []

    def mean(root: Element) -> str:
        read.append(root.name)
        return root.name

    remembered = Remembered(mean, len)
    for body in (b"<a/>", b"<b/>", b"<a/>", b"<b/>"):
        assert remembered.read(body, depth_max=64) == body.decode()[1]
    assert read == ["a", "b"]


def test_what_is_refused_is_refused_again() -> None:
    """Also where another limit let it pass."""
    remembered = Remembered(lambda root: root.name, len)
    assert remembered.read(b"<a><b/></a>", depth_max=2) == "a"
    for _ in range(2):
        with pytest.raises(BadRequest):
            remembered.read(b"<a><b/></a>", depth_max=1)


def test_no_client_fills_the_memory_with_bodies() -> None:
    """What is kept of them is bounded, in number and in length."""
    remembered = Remembered(lambda root: root.name, lambda name: 1000 * len(name))
    for number in range(2 * Remembered.BODIES_MAX):
        remembered.read(f"<a{number}/>".encode(), depth_max=64)
        assert 0 < len(remembered) <= Remembered.BODIES_MAX
    before = len(remembered)
    remembered.read(b"<short_and_means_much/>", depth_max=64)
    remembered.read(b"<a>" + b" " * Remembered.CHARACTERS_MAX + b"</a>", depth_max=64)
    assert len(remembered) == before
