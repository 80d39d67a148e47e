"""The defects that davhost closes, and the mark that ties a test to them.

A scenario is written once. It does something to a running server and returns
what it saw; the mark says what is to be seen on davhost (``here``) and what
the stock packages show (``stock``), so no such test can pass without looking.
"""

import functools
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from tests.defects.target import Target

#: What is wrong in the packages underneath: D in WsgiDAV, C in cheroot.
KNOWN = {
    "D1": "An upload cut short is answered 2xx and truncates the file.",
    "D2": "An upload that stalls is dropped without an answer and empties the file.",
    "D3": "DELETE of a folder deletes the file in it that another user has locked.",
    "D4": "MOVE and COPY of /x/x to /x delete everything first, and then fail.",
    "D5": "Two uploads to one file at once are mixed.",
    "D6": "A download during an upload gets a part of the new file as if it were whole.",
    "D7": "Destination is unquoted before it is split: `;` and `?` cut the name.",
    "D8": "COPY with Depth 0 copies all members.",
    "D9": "A refused LOCK or PUT of a new name leaves an empty file.",
    "D10": "A lock stays on the old URL after MOVE.",
    "D11": "A folder with a file that oneself has locked cannot be moved, token or not.",
    "D12": "Holders of shared locks block each other.",
    "D13": "The ETag is made of second and size, so a quick change keeps it.",
    "D14": "The getetag property is not quoted.",
    "D15": "If-Match and If are ignored on names that are not there.",
    "D16": "A tagged list in an If header is never evaluated.",
    "D17": "Conditional GET: 200 for an equal date, 412 instead of 304, 304 without ETag.",
    "D18": "propname finds nothing, include is ignored, an XML comment is a 500.",
    "D19": "MOVE loses properties below a repeated name; properties have no size limit.",
    "D20": "The quota is that of the whole disk, and stands in allprop.",
    "D21": "One name that XML cannot carry makes the listing of its folder a 500.",
    "D22": "A file that vanishes during a listing makes it a 500.",
    "D23": "Names with NUL or of 300 characters are a 500, non-UTF-8 ones a dropped connection.",
    "D24": "Changing the root, and COPY without Host, are a 500.",
    "D25": "A malformed Authorization header is a 500.",
    "D26": "Digest takes nonces that were never issued.",
    "D27": "Error bodies show paths on the disk and exceptions.",
    "D28": "A line end in a URL writes a line of its own into the log.",
    "D29": "A FIFO in the data folder holds a thread for ever.",
    "D30": "A share with an upper-case letter cannot be reached.",
    "D31": "The redirect for a folder without its slash forgets the share.",
    "D32": "COPY and MOVE that a provider does by itself are 204, also to a new name.",
    "D33": "PROPPATCH is not atomic, and two threads that purge a lock deadlock.",
    "D34": "Of several ranges the last one is sent; odd ranges are misread.",
    "D35": "Everybody sees the tokens of all locks; locks from above are not shown below.",
    "D36": "XML bodies have no size limit; chunked ones are ignored and stay in the connection.",
    "D37": "XML with entity declarations is accepted.",
    "D38": "PROPFIND of a whole tree is on by default.",
    "D39": "X-OC-Mtime: the ETag of the answer is outdated, fractions are refused.",
    "D40": "Locks are lost when the server starts again.",
    "D41": "é in two spellings is two files; names that Windows cannot open are taken.",
    "D42": "Behind a proxy that ends TLS every MOVE is a 502.",
    "D43": "Settings that loosen checks: a header that anybody can send signs in.",
    "D44": "%2F is a part of a name in the request, and a slash in Destination.",
    "C1": "The unread rest of a refused upload is read into memory.",
    "C2": "One silent TLS client keeps all others out.",
    "C3": "A client that sends its header slowly holds a thread.",
    "C4": "A chunk is kept in memory whole.",
    "C5": "Ambiguous lengths, odd headers and a missing Host are accepted.",
    "C6": "A chunked body that was not read is taken for the next request.",
    "C7": "Answers to HEAD have bodies.",
    "C8": "100 Continue is sent before anybody has signed in.",
    "C9": "Headers have no size limit.",
    "C10": "Of 20 idle clients half are told to close.",
    "C11": "The rest of an answer is copied anew for each piece that the client takes.",
    "C12": "A stop makes a running upload look finished.",
    "C13": "Uploads that stall hold every thread there is.",
    "C14": "A path that begins with two slashes is a 400.",
    "C15": "Trailers after a chunked body are taken for the next request.",
    "C16": "A line end in a header value of the application becomes a new header.",
    "C17": "Plain HTTP on the TLS port is not told so.",
}

#: The tests that prove each entry, filled as their modules are imported.
PROOFS: dict[str, list[str]] = defaultdict(list)

Test = Callable[..., None]


def defect(*labels: str, here: Any, stock: Any) -> Callable[[Callable[..., Any]], Test]:
    """Make a test of a scenario: run it on a server, compare what was seen.

    Args:
        here: what davhost must show; a function is asked whether it holds.
        stock: what shows the defect, of the same kind.
    """

    def make_test(scenario: Callable[..., Any]) -> Test:
        @functools.wraps(scenario)
        def test(**fixtures: Any) -> None:
            target = next(value for value in fixtures.values() if isinstance(value, Target))
            seen = scenario(**fixtures)
            if target.is_stock:
                assert _is(stock, seen), f"the stock packages show {seen!r}, not {stock!r}"
                assert not _is(here, seen), f"{seen!r} is good and bad"
            else:
                assert _is(here, seen), f"davhost shows {seen!r}, not {here!r}"

        return note(*labels)(test)

    return make_test


def note(*labels: str) -> Callable[[Test], Test]:
    """Note that a test proves the entries *labels* in its own way."""

    def remember(test: Test) -> Test:
        for label in labels:
            PROOFS[label].append(f"{test.__module__}::{test.__name__}")
        return test

    return remember


def _is(expected: Any, seen: Any) -> bool:
    return bool(expected(seen)) if callable(expected) else bool(expected == seen)
