"""However the way to another's home is spelled, it leads nowhere.

Paths are read long before a database is asked: one server is enough.
"""

from collections.abc import Iterator

import pytest

from tests.live.client_contract import new_name
from tests.live.dav import DAV, Answer, Dav, href
from tests.live.server import Server
from tests.live.test_two_users import PROPFIND, PROPPATCH, Pair, empty

SECRET = b"ada's secret that nobody else may read"
SECRET_NAME = "ada's own name for it.txt"


@pytest.fixture(scope="module")
def pair(server: Server) -> Pair:
    """Two accounts of one server, with small quotas."""
    return Pair(server.new_user("ada", quota="50 MB"), server.new_user("mallory", quota="50 MB"))


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
