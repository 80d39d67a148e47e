"""Eight at once: one order, one winner, on two worker processes and both databases."""

from functools import partial

import pytest

from tests.live.at_once import at_once, tally
from tests.live.client_contract import new_name, some_bytes
from tests.live.dav import Dav, href
from tests.live.server import Server

CONTENDERS = 8
rounds = pytest.mark.parametrize("round_number", range(3))


@pytest.fixture(scope="module")
def arena(each_server: Server) -> Dav:
    """The home in which the races run."""
    return each_server.new_user("arena")


@pytest.fixture
def track(arena: Dav) -> str:
    """A collection of the race's own."""
    name = new_name()
    arena.make_collection(href(name))
    return name


def test_two_workers_share_the_requests(each_server: Server) -> None:
    """The server of these races has two worker processes beside its supervisor."""
    assert len(each_server.processes()) == 3


@rounds
@pytest.mark.parametrize("mapped", [True, False], ids=["of a file", "of a free name"])
def test_one_exclusive_lock_is_granted(
    arena: Dav, track: str, mapped: bool, round_number: int
) -> None:
    """Of eight exclusive LOCKs exactly one is granted, and its holder can write."""
    path = href(track, "a.txt")
    if mapped:
        arena.put(path, b"content")
    answers = at_once(*[partial(arena.lock, path)] * CONTENDERS)
    granted = [answer for answer in answers if answer.status in (200, 201)]
    assert tally([answer.status for answer in answers]) == {
        (200 if mapped else 201): 1,
        423: CONTENDERS - 1,
    }
    token = granted[0].headers["Lock-Token"]
    assert arena.request("PUT", path, b"stranger").status == 423
    assert arena.request("PUT", path, b"holder", {"If": f"({token})"}).status == 204
    assert arena.read(path) == b"holder"


@rounds
def test_shared_locks_are_all_granted_and_keep_an_exclusive_one_out(
    arena: Dav, track: str, round_number: int
) -> None:
    """Eight shared LOCKs are granted at once, or none beside an exclusive one."""
    path = href(track, "a.txt")
    arena.put(path, b"content")
    scopes = ["shared"] * (CONTENDERS - 1) + ["exclusive"]
    statuses = [
        answer.status for answer in at_once(*(partial(arena.lock, path, scope) for scope in scopes))
    ]
    if statuses[-1] == 200:
        assert tally(statuses) == {200: 1, 423: CONTENDERS - 1}
    else:
        assert tally(statuses) == {200: CONTENDERS - 1, 423: 1}


@rounds
def test_one_conditional_update_wins(arena: Dav, track: str, round_number: int) -> None:
    """Of eight PUTs with the same If-Match one wins, the others get 412."""
    path = href(track, "a.txt")
    condition = {"If-Match": arena.put(path, b"before").headers["ETag"]}
    bodies = [some_bytes(100_000, number) for number in range(CONTENDERS)]
    answers = at_once(*(partial(arena.request, "PUT", path, body, condition) for body in bodies))
    statuses = [answer.status for answer in answers]
    assert tally(statuses) == {204: 1, 412: CONTENDERS - 1}
    winner = statuses.index(204)
    assert arena.read(path) == bodies[winner]
    assert arena.etag(path) == answers[winner].headers["ETag"]


@rounds
def test_one_conditional_creation_wins(arena: Dav, track: str, round_number: int) -> None:
    """Of eight PUTs with If-None-Match: * one makes the file, the others get 412."""
    path = href(track, "a.txt")
    bodies = [some_bytes(100_000, number) for number in range(CONTENDERS)]
    condition = {"If-None-Match": "*"}
    answers = at_once(*(partial(arena.request, "PUT", path, body, condition) for body in bodies))
    statuses = [answer.status for answer in answers]
    assert tally(statuses) == {201: 1, 412: CONTENDERS - 1}
    assert arena.read(path) == bodies[statuses.index(201)]


@rounds
def test_unconditional_writers_never_mix(arena: Dav, track: str, round_number: int) -> None:
    """Eight PUTs of one name all succeed, and the file is one of them, whole."""
    path = href(track, "a.txt")
    bodies = [some_bytes(400_000, number) for number in range(CONTENDERS)]
    answers = at_once(*(partial(arena.request, "PUT", path, body) for body in bodies))
    assert tally([answer.status for answer in answers]) == {201: 1, 204: CONTENDERS - 1}
    assert arena.read(path) in bodies


@rounds
def test_one_collection_is_made(arena: Dav, track: str, round_number: int) -> None:
    """Of eight MKCOLs of one name one succeeds, the others get 405."""
    path = href(track, "made") + "/"
    answers = at_once(*[partial(arena.request, "MKCOL", path)] * CONTENDERS)
    assert tally([answer.status for answer in answers]) == {201: 1, 405: CONTENDERS - 1}


@rounds
@pytest.mark.parametrize("method", ["MOVE", "COPY"])
def test_one_takes_a_free_name(arena: Dav, track: str, method: str, round_number: int) -> None:
    """Of eight files that go to one free name with Overwrite: F, one arrives."""
    sources = [href(track, f"{number}.txt") for number in range(CONTENDERS)]
    for source in sources:
        arena.put(source, source.encode())
    destination = href(track, "taken; by?.txt")
    headers = {"Destination": arena.url(destination), "Overwrite": "F"}
    requests = (partial(arena.request, method, source, headers=headers) for source in sources)
    statuses = [answer.status for answer in at_once(*requests)]
    assert tally(statuses) == {201: 1, 412: CONTENDERS - 1}
    winner = statuses.index(201)
    assert arena.read(destination) == sources[winner].encode()
    left = {href(track, name) for name in arena.members(href(track) + "/")} - {destination}
    assert left == set(sources) - ({sources[winner]} if method == "MOVE" else set())


@rounds
def test_one_move_of_a_file_succeeds(arena: Dav, track: str, round_number: int) -> None:
    """Of eight MOVEs of one file one succeeds; the file is at its place, and there only."""
    source = href(track, "a.txt")
    arena.put(source, b"content")
    destinations = [href(track, f"{number}.txt") for number in range(CONTENDERS)]
    answers = at_once(*(partial(arena.move, source, where) for where in destinations))
    statuses = [answer.status for answer in answers]
    assert tally(statuses) == {201: 1, 404: CONTENDERS - 1}
    moved_to = destinations[statuses.index(201)]
    assert {href(track, name) for name in arena.members(href(track) + "/")} == {moved_to}
    assert arena.read(moved_to) == b"content"


def test_a_quota_is_filled_exactly(each_server: Server) -> None:
    """Eight threads that write into one quota fill it to the last byte and no further."""
    file_bytes, files = 25_000, 40
    box = each_server.new_user("full", quota=str(file_bytes * files))

    def fill(number: int) -> list[int]:
        # Half of them do not say beforehand how much they will send.
        statuses = []
        for file_number in range(files // CONTENDERS * 3):
            body = some_bytes(file_bytes, (number, file_number))
            path = href(f"{number} {file_number}.txt")
            sent = body if number % 2 else iter((body[:10_000], body[10_000:]))
            statuses.append(box.request("PUT", path, sent).status)
        return statuses

    answered = at_once(*(partial(fill, number) for number in range(CONTENDERS)))
    statuses = [status for thread in answered for status in thread]
    assert tally(statuses) == {201: files, 507: 2 * files}
    assert box.quota_used_bytes() == file_bytes * files
    assert box.quota_available_bytes() == 0
    assert [member.size_bytes for member in box.members().values()] == [file_bytes] * files


def test_a_quota_is_given_back_exactly(each_server: Server) -> None:
    """Files removed by eight threads at once leave a quota as it was when it was empty."""
    box = each_server.new_user("empty", quota="1000000")
    paths = [href(f"{number}.txt") for number in range(40)]
    for path in paths:
        box.put(path, some_bytes(25_000, path))
    assert box.quota_available_bytes() == 0

    def remove(mine: list[str]) -> list[int]:
        return [box.request("DELETE", path).status for path in mine]

    # Every file is removed twice: by whoever comes first, and in vain.
    answered = at_once(*(partial(remove, paths[number % 4 :: 4]) for number in range(CONTENDERS)))
    assert tally([status for thread in answered for status in thread]) == {204: 40, 404: 40}
    assert box.quota_used_bytes() == 0
    assert box.quota_available_bytes() == 1_000_000
