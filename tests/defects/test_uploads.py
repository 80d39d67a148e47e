"""What happens to files while they are uploaded."""

import socket
import threading
import time
from contextlib import suppress

from tests.defects.known import defect
from tests.defects.target import Target
from tests.server.wire import Client

OLD = b"old content" * 100
HALF = 200_000


def put_head(server: Target, length: int, name: str = "a.txt", *lines: str) -> bytes:
    return server.head("PUT", server.path(name), f"Content-Length: {length}", *lines)


def status_of(client: Client) -> int | None:
    """The status of the answer; None when the connection ends without one."""
    try:
        return client.reply().status
    except (EOFError, OSError):
        return None


@defect("D1", here=(400, OLD), stock=(204, b"x" * 30))
def test_an_upload_cut_short_keeps_the_old_file(server: Target) -> object:
    """The client goes away after 30 of 1,000,000 bytes."""
    server.put("a.txt", OLD)
    with server.client() as client:
        client.send(put_head(server, 1_000_000) + b"x" * 30)
        client.socket.shutdown(socket.SHUT_WR)
        return status_of(client), server.read("a.txt")


@defect("D2", here=(408, OLD), stock=(None, b""))
def test_an_upload_that_stalls_keeps_the_old_file_and_is_told_so(server: Target) -> object:
    """The client stays, and sends nothing more."""
    server.put("a.txt", OLD)
    with server.client() as client:
        client.send(put_head(server, 1_000_000))
        return status_of(client), server.read("a.txt")


@defect("D5", here=b"a" * HALF * 2, stock=lambda seen: set(seen) == set(b"ab"))
def test_of_two_uploads_at_once_one_wins_whole(server: Target) -> object:
    """The second begins and ends while the first is half-way; the first ends last."""
    server.put("a.txt", OLD)
    with server.client() as first, server.client() as second:
        first.send(put_head(server, 2 * HALF) + b"a" * HALF)
        time.sleep(0.5)
        second.ask(put_head(server, HALF) + b"b" * HALF)
        first.ask(b"a" * HALF)
        return server.read("a.txt")


@defect("D6", here=OLD, stock=lambda seen: seen != OLD and set(seen) <= {ord("x")})
def test_a_download_during_an_upload_gets_the_old_file_whole(server: Target) -> object:
    """Never a part of the new one as if it were all."""
    server.put("a.txt", OLD)
    with server.client() as client:
        client.send(put_head(server, 2 * HALF) + b"x" * HALF)
        time.sleep(0.5)
        seen = server.read("a.txt")
        client.ask(b"x" * HALF)
    return seen


@defect("D13", here=5, stock=lambda seen: seen < 5)
def test_every_change_has_an_etag_of_its_own(server: Target) -> object:
    """Five contents of one size within a moment; so If-Match sees every change."""
    etags = set()
    for content in (b"one", b"two", b"six", b"ten", b"nil"):
        server.put("a.txt", content)
        etags.add(server.dav.etag(server.path("a.txt")))
    return len(etags)


@defect("D39", here=("same", "accepted", 204), stock=("outdated", None, 400))
def test_the_date_of_an_upload_is_kept_and_its_etag_stays(server: Target) -> object:
    """X-OC-Mtime of Nextcloud's clients and rclone, the latter with a fraction."""
    server.put("a.txt", b"x")
    answer = server.put("a.txt", b"y", X_OC_Mtime="784111777")
    same = answer.headers["ETag"] == server.dav.etag(server.path("a.txt"))
    fraction = server.request("PUT", "a.txt", b"z", X_OC_Mtime="784111777.5")
    return "same" if same else "outdated", answer.headers["X-OC-Mtime"], fraction.status


@defect("D22", here=True, stock=False)
def test_a_file_that_vanishes_does_not_spoil_the_listing(server: Target) -> object:
    """Another client deletes and makes files while a folder is listed."""
    stop = threading.Event()

    def come_and_go(number: int) -> None:
        while not stop.is_set():
            for _ in range(4):
                server.request("PUT", f"{number}.txt", b"x")
            server.request("DELETE", f"{number}.txt")

    threads = [threading.Thread(target=come_and_go, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    try:
        # Bounded here, and ended by the first bad listing on the stock packages.
        rounds = 2000 if server.is_stock else 40
        listings = (server.propfind("", "<D:allprop/>", "1").status for _ in range(rounds))
        return all(status == 207 for status in listings)
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@defect("C12", here=OLD, stock=b"x" * HALF)
def test_a_stop_does_not_take_half_an_upload_for_a_file(own_server: Target) -> object:
    """SIGTERM while a client is in the middle of an upload, and stays there."""
    own_server.put("a.txt", OLD)
    with own_server.client() as client:
        client.send(put_head(own_server, 2 * HALF) + b"x" * HALF)
        time.sleep(0.5)
        own_server.program.stop()
        with suppress(OSError):
            client.rest()
    own_server.program.start()
    return own_server.read("a.txt")


@defect("D40", here=423, stock=204)
def test_a_lock_outlives_a_restart_of_the_server(own_server: Target) -> object:
    """Somebody edits a document while the server is updated."""
    own_server.put("a.txt")
    own_server.token("a.txt")
    own_server.program.stop()
    own_server.program.start()
    return own_server.other.request("PUT", own_server.path("a.txt"), b"theirs").status
