"""Header fields: parsed by the letter, refused with 400 when malformed."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from davhost.conditions import Etags, StateCondition, StateList
from davhost.dav import headers, if_header
from davhost.errors import BadRequest, OtherServer, UnsupportedMedia
from davhost.paths import DavPath
from tests.unit.dav.sites import HERE

ANY_TEXT = st.text(alphabet=st.characters(max_codepoint=255))
IF_PIECES = st.lists(
    st.sampled_from(
        ["(", ")", "<", ">", "[", "]", '"', "Not", "not", " ", "W/", "urn:x:1", "/a", ",", "e"]
    )
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("*", Etags(any=True)),
        ('"a"', Etags(strong=frozenset({"a"}))),
        ('"a", W/"b" ,"c,d"', Etags(strong=frozenset({"a", "c,d"}), weak=frozenset({"b"}))),
        (', "a" ,', Etags(strong=frozenset({"a"}))),
        ('""', Etags(strong=frozenset({""}))),
    ],
)
def test_entity_tags_are_read(value: str, expected: Etags) -> None:
    """Lists, weak tags and commas inside tags are told apart."""
    assert headers.etags(value, "If-Match") == expected


@pytest.mark.parametrize("value", ["", "a", '"a', 'a"', '"a""b"', '"a" "b"', "*, *", 'w/"a"', ","])
def test_entity_tags_that_are_not_quoted_are_refused(value: str) -> None:
    """A condition that cannot be read is never skipped: 400."""
    with pytest.raises(BadRequest):
        headers.etags(value, "If-Match")


def test_a_thousand_entity_tags_are_enough() -> None:
    """A header cannot make the server work for long."""
    with pytest.raises(BadRequest):
        headers.etags(",".join(['"a"'] * 1001), "If-Match")


def test_an_untagged_if_header_is_about_the_request_uri() -> None:
    """Several lists, Not, tokens and entity tags (RFC 4918 section 10.4.6)."""
    assert if_header.parse('(<urn:uuid:1> ["e"]) (Not <DAV:no-lock> [W/"w"])', HERE) == (
        StateList((StateCondition(False, token="urn:uuid:1"), StateCondition(False, etag="e"))),
        StateList((StateCondition(True, token="DAV:no-lock"), StateCondition(False, etag='W/"w"'))),
    )


def test_a_tagged_if_header_names_resources_by_url_or_path() -> None:
    """A tag counts for all lists after it; a URL of another host is foreign."""
    value = (
        '<http://dav.example.org/a%20b> (<urn:x:1>) (["e"])</c>(<urn:x:2>) <http://o/> (<urn:x:3>)'
    )
    lists = if_header.parse(value, HERE)
    assert [lst.path for lst in lists] == [DavPath.of("a b")] * 2 + [DavPath.of("c"), None]
    assert [lst.foreign for lst in lists] == [False, False, False, True]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "()",
        "(",
        "<urn:x:1>",
        "(<urn:x:1>",
        "(urn:x:1)",
        "(<not-a-uri>)",
        "(Not)",
        "(Not Not <urn:x:1>)",
        "</a>",
        "</a> </b> (<urn:x:1>)",
        "(<urn:x:1>) </a> (<urn:x:2>)",
        "(<urn:x:1>), (<urn:x:2>)",
        "([e])",
        "((<urn:x:1>))",
        "(<urn:x:1>) x",
        "<relative> (<urn:x:1>)",
        "<http://dav.example.org/a?b> (<urn:x:1>)",
    ],
)
def test_a_malformed_if_header_is_refused(value: str) -> None:
    """An If header that breaks the grammar is 400, never ignored."""
    with pytest.raises(BadRequest):
        if_header.parse(value, HERE)


@given(st.one_of(ANY_TEXT, IF_PIECES.map("".join)))
def test_no_if_header_breaks_the_parser(value: str) -> None:
    """Whatever is sent, the answer is lists or 400."""
    with contextlib.suppress(BadRequest):
        assert if_header.parse(value, HERE)


@given(st.dictionaries(st.sampled_from(
    ["HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE",
     "HTTP_DEPTH", "HTTP_OVERWRITE", "HTTP_TIMEOUT", "HTTP_LOCK_TOKEN", "HTTP_X_OC_MTIME",
     "HTTP_DESTINATION", "HTTP_CONTENT_ENCODING", "CONTENT_TYPE"]), ANY_TEXT))  # fmt: skip
def test_no_header_breaks_its_parser(environ: dict[str, str]) -> None:
    """Whatever is sent in these headers, there is a value or a refusal."""
    for parse in (
        lambda: headers.conditions(environ, HERE),
        lambda: headers.depth(environ, default=0, allowed=(0, None)),
        lambda: headers.overwrite(environ),
        lambda: headers.timeout_seconds(environ),
        lambda: headers.lock_token(environ),
        lambda: headers.modified_us(environ),
        lambda: headers.media_type(environ),
        lambda: headers.destination(environ, HERE),
        lambda: headers.refuse_partial_content(environ),
    ):
        with contextlib.suppress(BadRequest, UnsupportedMedia, OtherServer):
            parse()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("Second-600", 600),
        ("second-10, Infinite", 10),
        ("Infinite, Second-4100000000", 2**32 - 1),
        ("nonsense, Second-30", 30),
        ("Second-9999999999", 2**32 - 1),
        ("Second-0", 1),
        ("Second--1", None),
        ("Second-99999999999999999999", None),
        ("", None),
    ],
)
def test_the_timeout_that_makes_sense_counts(value: str, seconds: int | None) -> None:
    """Bad values of Timeout are skipped, large ones bounded."""
    assert headers.timeout_seconds({"HTTP_TIMEOUT": value}) == seconds


@pytest.mark.parametrize(
    ("value", "time_us"),
    [("0", 0), ("1700000000", 1_700_000_000_000_000), ("1700000000.25", 1_700_000_000_250_000)],
)
def test_x_oc_mtime_may_have_a_fraction(value: str, time_us: int) -> None:
    """rclone sends decimals, other clients whole seconds."""
    assert headers.modified_us({"HTTP_X_OC_MTIME": value}) == time_us


@pytest.mark.parametrize("value", ["", "x", "-1", "1e9", "nan", "99999999999999999", "1.", "0x1"])
def test_an_x_oc_mtime_that_is_no_time_is_refused(value: str) -> None:
    """It is 400, and nothing is changed, rather than a wrong date."""
    with pytest.raises(BadRequest):
        headers.modified_us({"HTTP_X_OC_MTIME": value})


def test_a_lock_token_stands_in_angle_brackets() -> None:
    """`Lock-Token: <urn:…>`; without the brackets it is 400."""
    assert headers.lock_token({"HTTP_LOCK_TOKEN": "<urn:uuid:1>"}) == "urn:uuid:1"
    for value in ("urn:uuid:1", "<>", "<a b>", "", "<urn:1> <urn:2>"):
        with pytest.raises(BadRequest):
            headers.lock_token({"HTTP_LOCK_TOKEN": value})


def test_part_of_a_file_is_not_taken_for_the_whole() -> None:
    """PUT with Content-Range or a Content-Encoding is refused."""
    with pytest.raises(BadRequest):
        headers.refuse_partial_content({"HTTP_CONTENT_RANGE": "bytes 0-1/2"})
    with pytest.raises(UnsupportedMedia):
        headers.refuse_partial_content({"HTTP_CONTENT_ENCODING": "gzip"})
    headers.refuse_partial_content({"HTTP_CONTENT_ENCODING": "Identity"})


def test_a_destination_on_another_server_is_502() -> None:
    """RFC 4918 section 9.8.5."""
    with pytest.raises(OtherServer):
        headers.destination({"HTTP_DESTINATION": "http://elsewhere.example/x"}, HERE)


def test_only_the_depths_that_a_method_knows_are_taken() -> None:
    """COPY knows 0 and infinity; 1 is 400."""
    assert headers.depth({"HTTP_DEPTH": "Infinity"}, default=0, allowed=(0, None)) is None
    assert headers.depth({}, default=1, allowed=(0, 1)) == 1
    for value in ("1", "2", "", "0,1"):
        with pytest.raises(BadRequest):
            headers.depth({"HTTP_DEPTH": value}, default=0, allowed=(0, None))


@pytest.mark.parametrize(
    ("value", "wishes"),
    [
        ("return=minimal", {"return=minimal"}),
        ('Return = "minimal" ; x=y, depth-noroot', {"return=minimal", "depth-noroot"}),
        ("respond-async, wait=10, return=representation", set()),
        ("", set()),
    ],
)
def test_wishes_that_are_not_known_are_ignored(value: str, wishes: set[str]) -> None:
    """Prefer is a list of wishes, with parameters, quotes and blanks (RFC 7240)."""
    assert headers.preferences({"HTTP_PREFER": value}) == wishes
