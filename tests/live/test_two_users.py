"""Two users at the same URLs: neither reads, writes, locks or notices the other's."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import pytest

from tests.live.at_once import at_once
from tests.live.client_contract import new_name, some_bytes
from tests.live.dav import DAV, Answer, Dav, href
from tests.live.server import Server

SECRET = b"ada's secret that nobody else may read"
SECRET_NAME = "ada's own name for it.txt"

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


@pytest.fixture
def treasure(pair: Pair) -> Iterator["Treasure"]:
    """Files, properties and a lock of Ada's, which must be the same after the test."""
    treasure = Treasure(pair.ada, new_name())
    yield treasure
    treasure.check()


class Treasure:
    """What Ada has, and how it looked when she left it."""

    def __init__(self, ada: Dav, name: str) -> None:
        self._ada = ada
        self.collection = name
        self.file = f"{name}/{SECRET_NAME}"
        ada.make_collection(href(name))
        ada.put(href(self.file), SECRET)
        ada.request("PROPPATCH", href(self.file), PROPPATCH % b"ada's colour")
        ada.put(href(name, "locked.txt"), SECRET)
        answer = ada.lock(href(name, "locked.txt"))
        assert answer.status == 200
        self.token = answer.headers["Lock-Token"].strip("<>")
        self._before = self._look()

    def _look(self) -> object:
        properties = self._ada.request("PROPFIND", href(self.file), PROPFIND, {"Depth": "0"})
        locks = self._ada.request("PROPFIND", href(self.collection, "locked.txt"))
        return (
            self._ada.tree(),
            self._ada.members(href(self.collection) + "/"),
            properties.xml.findtext(".//{urn:example}colour"),
            [token.text for token in locks.xml.findall(f".//{DAV}locktoken/{DAV}href")],
            self._ada.quota_used_bytes(),
        )

    def check(self) -> None:
        """See that everything is as it was, and that the lock still holds."""
        assert self._look() == self._before
        locked = href(self.collection, "locked.txt")
        assert self._ada.request("PUT", locked, SECRET).status == 423
        unlock = self._ada.request("UNLOCK", locked, headers={"Lock-Token": f"<{self.token}>"})
        assert unlock.status == 204


def spellings(pair: Pair, path: str) -> dict[str, str]:
    """Spell, in every way one might try, the way from Mallory's home to Ada's *path*."""
    assert pair.ada.account is not None
    ada = pair.ada.account.email
    return {
        "itself": path,
        "up": f"/..{path}",
        "up and down": f"/../{ada}{path}",
        "up from inside": f"/inner/../..{path}",
        "encoded dots": f"/%2e%2e{path}",
        "half encoded dots": f"/.%2e/{ada}{path}",
        "encoded slash": f"/..%2f{ada}{path}",
        "double encoding": f"/%252e%252e/{ada}{path}",
        "double encoded slash": f"/..%252f{ada}{path}",
        "backslash": f"/..%5c{ada}{path}",
        "overlong UTF-8": f"/%c0%ae%c0%ae/{ada}{path}",
        "overlong slash": f"/..%c0%af{ada}{path}",
        "full-width dots": f"/%ef%bc%8e%ef%bc%8e/{ada}{path}",
        "NUL": f"{path}%00",
        "two slashes": f"/{path}",
        "a dot": f"/.{path}",
        "her name": f"/{ada}{path}",
        "her tilde": f"/~{ada}{path}",
        "the readable tree": f"/users/1{path}",
        "up to the readable tree": f"/../users/2{path}",
        "the catalogue": "/../davhost.sqlite",
        "the catalogue, encoded": "/%2e%2e/%2e%2e/davhost.sqlite",
        "the machine's own": "/../../../../../../../../etc/passwd",
        "absolute form": pair.mallory.url(path),
        "absolute form with her name": f"http://{ada.replace('@', '%40')}@{pair.ada.host}{path}",
        "absolute form up": pair.mallory.url(f"/..{path}"),
        "a parameter": f"{path};user={ada}",
        "a query": f"{path}?user={ada}",
        "a fragment": f"{path}%23",
        "a trailing slash": f"{path}/",
        "another case": path.upper(),
    }


METHODS = ["GET", "HEAD", "OPTIONS", "PROPFIND", "PROPPATCH", "PUT", "POST", "PATCH", "DELETE"]
METHODS += ["MKCOL", "LOCK", "UNLOCK", "COPY", "MOVE", "REPORT", "TRACE", "SEARCH"]


def attack(pair: Pair, treasure: Treasure, method: str, path: str) -> Answer:
    """Send *method* as Mallory, with everything that would help it to succeed."""
    mallory = pair.mallory
    body = {"PUT": b"mallory was here", "PROPPATCH": PROPPATCH % b"mallory's"}.get(method)
    headers = {"If": f"(<{treasure.token}>) (Not <DAV:no-lock>)"}
    headers |= {"Depth": "0" if method in ("LOCK", "PROPFIND") else "infinity"}
    if method == "UNLOCK":
        headers["Lock-Token"] = f"<{treasure.token}>"
    if method in ("COPY", "MOVE"):
        headers["Destination"] = mallory.url(href(new_name()))
    if method == "LOCK":
        return mallory.lock(path, **headers)
    return mallory.request(method, path, body, headers)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("target", ["file", "locked", "collection"])
def test_no_spelling_of_a_path_leaves_the_home(
    pair: Pair, treasure: Treasure, method: str, target: str
) -> None:
    """No method reads, changes or notices another's file, however its path is spelled."""
    path = {
        "file": href(treasure.file),
        "locked": href(treasure.collection, "locked.txt"),
        "collection": href(treasure.collection) + "/",
    }[target]
    for spelling, spelled in spellings(pair, path).items():
        answer = attack(pair, treasure, method, spelled)
        where = (method, spelling, spelled, answer.status, answer.body)
        assert answer.status < 500 or answer.status == 501, where
        # The name alone may come back in an error that repeats the URL.
        for betrayed in (SECRET, b"ada's colour", b"root:x:0", b"SQLite format"):
            assert betrayed not in answer.body, where
        if method == "PROPFIND" and answer.status == 207:
            assert b"activelock" not in answer.body, where
    for name, body in pair.mallory.tree().items():
        assert body in (None, b"", b"mallory was here"), name
    empty(pair.mallory)


def empty(box: Dav) -> None:
    """Remove everything from a home, so that the next attack starts from nothing."""
    for name in box.members():
        answer = box.request("DELETE", href(name))
        assert answer.status == 204, (name, answer.status, answer.body)


def destinations(pair: Pair, path: str) -> dict[str, str]:
    """Spell, as a Destination, every way to *path* in Ada's home."""
    assert pair.ada.account is not None
    ada = pair.ada.account.email
    encoded = ada.replace("@", "%40")
    host = f"{pair.ada.host}:{pair.ada.port}"
    found = {f"path: {name}": url for name, url in spellings(pair, path).items()}
    return found | {
        "her user info": f"http://{encoded}:password@{host}{path}",
        "her user info, up": f"http://{encoded}@{host}/../{ada}{path}",
        "another host": f"http://ada.example.org{path}",
        "another port": f"http://{pair.ada.host}:1{path}",
        "another scheme": f"https://{host}{path}",
        "no scheme": f"//{host}{path}",
        "no path": f"http://{host}",
        "a file": f"file://{path}",
        "nothing": "",
        "blanks": "   ",
    }


@pytest.mark.parametrize("method", ["COPY", "MOVE"])
@pytest.mark.parametrize("overwrite", ["T", "F"])
@pytest.mark.parametrize("target", ["file", "locked", "collection"])
def test_no_destination_leaves_the_home(
    pair: Pair, treasure: Treasure, method: str, overwrite: str, target: str
) -> None:
    """No Destination puts anything into another's home, or takes anything from there."""
    path = {
        "file": href(treasure.file),
        "locked": href(treasure.collection, "locked.txt"),
        "collection": href(treasure.collection) + "/",
    }[target]
    mallory = pair.mallory
    mallory.make_collection(href(treasure.collection))
    for spelling, destination in destinations(pair, path).items():
        mallory.put("/weapon.txt", b"mallory was here")
        headers = {"Destination": destination, "Overwrite": overwrite}
        headers["If"] = f"(<{treasure.token}>) (Not <DAV:no-lock>)"
        answer = mallory.request(method, "/weapon.txt", headers=headers)
        where = (method, spelling, destination, answer.status, answer.body)
        assert answer.status < 500 or answer.status == 502, where
        assert SECRET not in answer.body, where
        if answer.status >= 400:
            assert mallory.read("/weapon.txt") == b"mallory was here", where
    for body in mallory.tree().values():
        assert body in (None, b"mallory was here")
    empty(mallory)


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
