"""Text in XML, headers and logs."""

from __future__ import annotations

from defusedxml import ElementTree
from hypothesis import given
from hypothesis import strategies as st

from davhost.browsing import attachment
from davhost.dav.escaping import attribute, log_value, phrase, text


@given(st.text())
def test_any_text_stands_in_xml(value: str) -> None:
    """What XML cannot carry is replaced; the rest is what it was."""
    root = ElementTree.fromstring(f'<a k="{attribute(value)}">{text(value)}</a>'.encode())
    assert len(root.text or "") == len(value)
    assert len(root.get("k")) == len(value)


@given(st.text())
def test_nobody_forges_a_log_line(value: str) -> None:
    """A value never leaves its line or its quotes."""
    shown = log_value(value)
    assert shown.isascii()
    assert shown.isprintable() or not shown
    assert '"' not in shown.replace('\\"', "")


@given(st.text())
def test_a_phrase_is_one_line_of_ascii(value: str) -> None:
    """A reason phrase cannot split the response."""
    made = phrase(value, "Otherwise")
    assert made.isascii()
    assert made.isprintable()


@given(st.text(alphabet=st.characters(exclude_categories=("Cs",))))
def test_a_file_name_stands_in_a_header(value: str) -> None:
    """Content-Disposition is a header whatever the name holds."""
    made = attachment(value)
    assert made.isascii()
    assert made.isprintable()
    assert made.count('"') == 2
