"""PROPFIND and PROPPATCH: what is told of files."""

import dataclasses
import os
import threading
from concurrent.futures import ThreadPoolExecutor

from wsgidav.rw_lock import ReadWriteLock

from tests.architecture.source import modules
from tests.defects.known import defect, note
from tests.defects.target import Target
from tests.live.dav import DAV, Answer

X = '<x xmlns="u:"/>'


def found(answer: Answer, name: str) -> bool:
    """Whether an answer has the property with status 200."""
    for propstat in answer.xml.iter(DAV + "propstat"):
        if " 200 " in (propstat.findtext(DAV + "status") or ""):
            prop = propstat.find(DAV + "prop")
            if prop is not None and prop.find(name) is not None:
                return True
    return False


@defect("D14", here=True, stock=False)
def test_the_etag_is_the_same_in_a_listing_and_in_a_header(server: Target) -> object:
    """Quotes and all: clients compare the two."""
    server.put("a.txt")
    etag = server.propfind("a.txt", "<D:prop><D:getetag/></D:prop>").xml.findtext(
        f".//{DAV}getetag"
    )
    return etag == server.dav.etag(server.path("a.txt"))


@defect("D18", here=(True, True, 207), stock=(False, False, 500))
def test_all_kinds_of_propfind_are_answered(server: Target) -> object:
    """propname names, include adds, and a comment among the names does no harm."""
    server.put("a.txt")
    server.proppatch("a.txt", X)
    names = server.propfind("a.txt", "<D:propname/>")
    include = server.propfind("", "<D:allprop/><D:include><D:current-user-principal/></D:include>")
    asked_for = b"current-user-principal" in include.body
    comment = server.propfind("a.txt", "<D:prop><!-- why not --><D:getetag/></D:prop>")
    return found(names, "{u:}x"), asked_for, comment.status


@defect("D19", here=(True, 507), stock=(False, 200))
def test_properties_move_along_and_have_a_limit(server: Target) -> object:
    """A folder below another of the same name is moved; one of 200 KB is too large."""
    name = f"x{server.folder}"
    server.request("MKCOL", "x")
    server.request("MKCOL", name)
    server.put(f"{name}/a.txt")
    server.proppatch(f"{name}/a.txt", X)
    server.request("MOVE", "", Destination=server.dav.url(f"{server.folder}-moved"))
    there = dataclasses.replace(server, folder=f"{server.folder}-moved")
    moved = found(there.propfind(f"{name}/a.txt", f"<D:prop>{X}</D:prop>"), "{u:}x")
    large = there.proppatch(f"{name}/a.txt", f'<y xmlns="u:">{"v" * 200_000}</y>')
    status = large.xml.findtext(f".//{DAV}propstat/{DAV}status") or ""
    return moved, int(status.split()[1])


@defect("D20", here=(1000, False), stock=lambda seen: seen[0] != 1000 and seen[1])
def test_the_quota_is_ones_own(server: Target) -> object:
    """A file of 1,000 bytes uses 1,000 bytes; allprop does not ask for it (RFC 4331)."""
    before = server.dav.quota_used_bytes()
    server.put("a.txt", b"x" * 1000)
    used = server.dav.quota_used_bytes() - before
    return used, b"quota-used-bytes" in server.propfind("", "<D:allprop/>").body


@defect("D21", here=({400}, 207), stock=lambda seen: seen[1] == 500)
def test_a_name_that_no_listing_can_carry_is_refused_at_once(server: Target) -> object:
    """So it never makes the listing of its folder fail for everybody."""
    statuses = {server.request("PUT", name, b"x").status for name in ("a%01.txt", "%EF%BF%BE.txt")}
    return statuses, server.propfind("", "<D:allprop/>", "1").status


@defect("D21", here=207, stock=500)
def test_a_name_on_the_disk_that_is_no_text_spoils_no_listing(server: Target) -> object:
    """davhost lists the catalogue: what somebody puts into the data folder is not in it."""
    folder = os.fsencode(server.root) + server.folder.encode()
    os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - no Path holds such a name
    with open(folder + b"/\xff.txt", "wb"):  # noqa: PTH123
        return server.propfind("", "<D:allprop/>", "1").status


@note("D33")
def test_two_changes_of_properties_at_once_do_not_mix(davhost: Target) -> None:
    """Each client sets two properties to its own value; no reader sees two values.

    Read in the code of the stock packages, where the window is too short to
    be hit from outside, so this promise is tested here only.
    """
    davhost.dav.put("/d33.txt", b"x")

    def change(value: int) -> int:
        inner = f'<x xmlns="u:">{value}</x><y xmlns="u:">{value}</y>'
        return davhost.proppatch("d33.txt", inner).status

    with ThreadPoolExecutor(4) as pool:
        changes = [pool.submit(change, number) for number in range(24)]
        while not all(done.done() for done in changes):
            seen = davhost.propfind("d33.txt", f'<D:prop>{X}<y xmlns="u:"/></D:prop>').xml
            assert seen.findtext(".//{u:}x") == seen.findtext(".//{u:}y")
        assert {done.result() for done in changes} == {207}


@note("D33")
def test_the_lock_that_ends_in_a_deadlock_is_not_used() -> None:
    """Two readers that both want to write: the stock lock gives one of them an error."""
    lock, errors = ReadWriteLock(), []
    both_read = threading.Barrier(2)

    def upgrade() -> None:
        lock.acquire_read()
        both_read.wait()
        try:
            lock.acquire_write(timeout=0.5)
        except ValueError as error:
            errors.append(str(error))
        except RuntimeError:
            pass

    threads = [threading.Thread(target=upgrade) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(errors) == 1
    assert "dead lock" in errors[0]
    theirs = ("wsgidav.lock_man", "wsgidav.rw_lock", "wsgidav.prop_man")
    assert not [
        (module.name, name)
        for module in modules()
        for name in module.imports()
        if name.startswith(theirs)
    ]
