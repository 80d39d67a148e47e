"""Two users at the same URLs: neither reads, writes, locks or notices the other's."""

import random
from dataclasses import dataclass
from functools import partial

import pytest

from tests.live.at_once import at_once
from tests.live.client_contract import new_name, some_bytes
from tests.live.dav import Dav, href
from tests.live.server import Server

PROPPATCH = (
    b'<propertyupdate xmlns="DAV:"><set><prop><colour xmlns="urn:example">%s</colour></prop></set>'
    b"</propertyupdate>"
)
PROPFIND = b'<propfind xmlns="DAV:"><prop><colour xmlns="urn:example"/></prop></propfind>'


@dataclass(frozen=True)
class Pair:
    """Ada, who has something to hide, and Mallory."""

    ada: Dav
    mallory: Dav


@pytest.fixture(scope="module")
def pair(each_server: Server) -> Pair:
    """Two accounts of one server, with small quotas."""
    return Pair(
        each_server.new_user("ada", quota="50 MB"), each_server.new_user("mallory", quota="50 MB")
    )


def empty(box: Dav) -> None:
    """Remove everything from a home, so that the next attack starts from nothing."""
    for name in box.members():
        answer = box.request("DELETE", href(name))
        assert answer.status == 204, (name, answer.status, answer.body)


@pytest.mark.parametrize("scope", ["exclusive", "shared"])
def test_locks_never_meet(pair: Pair, scope: str) -> None:
    """A lock keeps nobody out of another home, and its token is worth nothing there."""
    path = href(f"{new_name()}.txt")
    tokens = {}
    for box in (pair.ada, pair.mallory):
        box.put(path, b"before")
        answer = box.lock(path, scope)
        assert answer.status == 200
        tokens[box] = answer.headers["Lock-Token"]
    for box, other in ((pair.ada, pair.mallory), (pair.mallory, pair.ada)):
        stolen = {"If": f"({tokens[other]})"}
        assert box.request("PUT", path, b"stolen", stolen).status in (412, 423)
        assert box.request("DELETE", path, headers=stolen).status in (412, 423)
        unlock = box.request("UNLOCK", path, headers={"Lock-Token": tokens[other]})
        assert unlock.status in (403, 409)
        refresh = box.request("LOCK", path, headers=stolen)
        assert refresh.status == 412
    for box in (pair.ada, pair.mallory):
        assert box.request("PUT", path, b"by its holder", {"If": f"({tokens[box]})"}).status == 204
        assert box.request("UNLOCK", path, headers={"Lock-Token": tokens[box]}).status == 204


def test_a_lock_of_the_whole_home_is_one_homes(pair: Pair) -> None:
    """A lock of `/` with everything in it locks one home."""
    answer = pair.ada.lock("/", Depth="infinity")
    assert answer.status == 200
    try:
        path = href(f"{new_name()}.txt")
        assert pair.ada.request("PUT", path, b"locked").status == 423
        pair.mallory.put(path, b"free")
    finally:
        token = answer.headers["Lock-Token"]
        assert pair.ada.request("UNLOCK", "/", headers={"Lock-Token": token}).status == 204


def test_dead_properties_never_meet(pair: Pair) -> None:
    """A property set at a URL in one home is not at the same URL in the other."""
    path = href(f"{new_name()}.txt")
    for box in (pair.ada, pair.mallory):
        box.put(path, b"content")
    assert pair.ada.request("PROPPATCH", path, PROPPATCH % b"ada's colour").status == 207
    for kind in (PROPFIND, b'<propfind xmlns="DAV:"><propname/></propfind>', None):
        answer = pair.mallory.request("PROPFIND", path, kind, {"Depth": "0"})
        assert answer.status == 207
        assert b"ada's colour" not in answer.body
        assert kind == PROPFIND or b"colour" not in answer.body


def test_quotas_never_meet(pair: Pair) -> None:
    """What one user stores takes nothing of the other's room."""
    path = href(f"{new_name()}.pdf")
    before = pair.mallory.quota_used_bytes(), pair.mallory.quota_available_bytes()
    room = pair.ada.quota_available_bytes()
    pair.ada.put(path, some_bytes(room))
    try:
        assert pair.ada.request("PUT", href(f"{new_name()}.txt"), b"1").status == 507
        assert (pair.mallory.quota_used_bytes(), pair.mallory.quota_available_bytes()) == before
        pair.mallory.put(path, b"1")
        assert pair.mallory.quota_used_bytes() == before[0] + 1
    finally:
        pair.ada.request("DELETE", path)


class Hammer:
    """One user's thread, which knows at every moment what it must find.

    Nobody else of this user works on its files, so every answer can be told
    beforehand; whatever differs has come from the other user.
    """

    def __init__(self, box: Dav, who: str, folder: str, number: int) -> None:
        self._box = box
        self._who = who
        self._folder = folder
        self._names = [f"{number} {name}" for name in ("a.txt", "b; c?.txt")]
        self._chance = random.Random(f"{who} {number}")
        self._held: dict[str, bytes] = {}
        self._etags: dict[str, str] = {}
        self.done = 0

    def run(self, steps: int = 80) -> None:
        """Do so many things, one after the other."""
        for step in range(steps):
            name = self._chance.choice(self._names)
            acts = [self._put, self._read, self._delete, self._move, self._lock, self._list]
            self._chance.choice(acts)(name, step)
            self.done += 1

    def _path(self, name: str) -> str:
        return href(self._folder, name)

    def _put(self, name: str, step: int) -> None:
        body = f"{self._who} {name} {step} ".encode() * self._chance.randrange(1, 2_000)
        answer = self._box.request("PUT", self._path(name), body)
        assert answer.status == (204 if name in self._held else 201)
        self._held[name] = body
        self._etags[name] = answer.headers["ETag"]

    def _read(self, name: str, step: int) -> None:
        answer = self._box.request("GET", self._path(name))
        if name in self._held:
            assert (answer.status, answer.headers["ETag"]) == (200, self._etags[name])
            assert answer.body == self._held[name]
        else:
            assert answer.status == 404

    def _delete(self, name: str, step: int) -> None:
        headers = {"If-Match": self._etags[name]} if name in self._held else {}
        answer = self._box.request("DELETE", self._path(name), headers=headers)
        assert answer.status == (204 if name in self._held else 404)
        self._held.pop(name, None)

    def _move(self, name: str, step: int) -> None:
        other = next(one for one in self._names if one != name)
        answer = self._box.move(self._path(name), self._path(other))
        if name not in self._held:
            assert answer.status == 404
            return
        assert answer.status == (204 if other in self._held else 201)
        self._held[other] = self._held.pop(name)
        self._etags[other] = self._box.etag(self._path(other))

    def _lock(self, name: str, step: int) -> None:
        if name not in self._held:
            return
        answer = self._box.lock(self._path(name))
        assert answer.status == 200, answer.body
        token = answer.headers["Lock-Token"]
        assert self._box.request("PUT", self._path(name), b"no token").status == 423
        unlock = self._box.request("UNLOCK", self._path(name), headers={"Lock-Token": token})
        assert unlock.status == 204

    def _list(self, name: str, step: int) -> None:
        listed = self._box.members(href(self._folder) + "/")
        mine = {name: member for name, member in listed.items() if name in self._names}
        assert set(mine) == set(self._held)
        assert all(mine[name].size_bytes == len(self._held[name]) for name in mine)
        assert all(mine[name].etag == self._etags[name] for name in mine)


def test_two_users_hammer_the_same_paths(pair: Pair) -> None:
    """However both work at the same names at once, each finds exactly their own."""
    folder = new_name()
    hammers = []
    for who, box in (("ada", pair.ada), ("mallory", pair.mallory)):
        box.make_collection(href(folder))
        hammers += [Hammer(box, who, folder, number) for number in range(3)]
    at_once(*(partial(hammer.run) for hammer in hammers))
    assert [hammer.done for hammer in hammers] == [80] * 6
