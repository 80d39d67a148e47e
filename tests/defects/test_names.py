"""Names and URLs: which are taken, and what they lead to."""

import os
from http.client import HTTPException
from pathlib import Path

from tests.defects.known import defect
from tests.defects.target import Target


@defect("D23", here=[400, 400, 400], stock=[500, 500, None])
def test_an_impossible_name_is_the_clients_mistake(server: Target) -> object:
    """NUL, 300 characters, bytes that are no UTF-8: 400, and the connection answers."""
    statuses: list[int | None] = []
    for name in ("a%00.txt", "x" * 300, "%FF.txt"):
        try:
            statuses.append(server.request("PUT", name, b"x").status)
        except (HTTPException, OSError):
            statuses.append(None)
    return statuses


@defect("D29", here=404, stock=None)
def test_a_pipe_in_the_data_folder_holds_nobody(server: Target) -> object:
    """Somebody with access to the disk makes a FIFO among the files.

    On davhost it is not even there: names come from the catalogue, and the
    plain files on the disk are never read by the server.
    """
    for folder in _where_files_stand(server):
        folder.mkdir(parents=True, exist_ok=True)
        os.mkfifo(folder / "pipe.txt")
    with server.client() as client:
        client.socket.settimeout(2)
        try:
            return client.ask(server.head("GET", server.path("pipe.txt"))).status
        except TimeoutError:
            # Let the thread of the stock server go on.
            os.close(os.open(server.root / server.folder[1:] / "pipe.txt", os.O_RDWR))
            return None


def _where_files_stand(server: Target) -> list[Path]:
    """The folders on the disk in which the files of the scenario's folder may stand."""
    if server.is_stock:
        return [server.root / server.folder[1:]]
    homes = [home for home in server.root.glob("*") if home.is_dir()]
    return [home / server.folder[1:] for home in homes or [server.root / "1"]]


@defect("D30", here=b"x", stock=404)
def test_a_folder_may_have_capitals_in_its_name(server: Target) -> object:
    """What is below /Docs is found; davhost has no shares, every folder is one."""
    server.dav.request("MKCOL", "/Docs")
    server.dav.request("PUT", "/Docs/a.txt", b"x")
    answer = server.dav.request("GET", "/Docs/a.txt")
    return answer.body if answer.status == 200 else answer.status


@defect("D31", here=(200, None), stock=lambda seen: seen[0] == 301 and seen[1][:7] != "/shared")
def test_a_folder_without_its_slash_is_no_redirect_elsewhere(server: Target) -> object:
    """davhost answers at once: several clients follow no redirect."""
    server.dav.request("MKCOL", "/shared")
    server.dav.request("MKCOL", f"/shared{server.folder}")
    answer = server.dav.request("GET", f"/shared{server.folder}")
    return answer.status, answer.headers["Location"]


@defect(
    "D41",
    here=(1, [400, 400, 400]),
    stock=lambda seen: seen[0] == 2 and not [status for status in seen[1] if status >= 400],
)
def test_a_name_is_one_file_on_every_system(server: Target) -> object:
    """é composed (Linux) and decomposed (Mac) is one; what Windows cannot open is refused."""
    for spelling in ("%C3%A9.txt", "e%CC%81.txt"):
        server.put(spelling)
    count = len(server.names())
    names = ("con.txt", "trail.%20", "back%5Cslash.txt")
    return count, [server.request("PUT", name, b"x").status for name in names]


@defect("C14", here=b"x", stock=400)
def test_two_slashes_at_the_beginning_are_a_path(server: Target) -> object:
    """Clients that join URLs carelessly ask for //folder/a.txt."""
    server.put("a.txt", b"x")
    reply = server.ask(server.head("GET", "/" + server.path("a.txt")))
    return reply.body if reply.status == 200 else reply.status
