"""App passwords: read-only ones write by no method, confined ones reach nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from davhost.bootstrap.services import Services
from davhost.paths import DavPath
from tests.dav.wsgi import Answer, Client, D

#: What must never be seen from inside of the folder.
OUTSIDE = ("Private", "secret", "Work", "Top")


@dataclass
class Home:
    """A home, its owner, and a device that is confined to ``/Top/Work``."""

    owner: Client
    device: Client
    services: Services
    email: str

    def state(self) -> dict[str, bytes]:
        """Everything outside of the folder, as the owner sees it."""
        return {url: self.owner.get(url).body for url in ("/Private/secret.txt", "/secret.txt")} | {
            "members": b" ".join(sorted(n.encode() for n in self.owner.names("/"))),
            "below": b" ".join(sorted(n.encode() for n in self.owner.names("/Top/"))),
        }


def device(services: Services, app, email: str, **scope) -> Client:
    """Make an app password and a client that uses it."""
    account = services.accounts.get(email)
    _, secret = services.accounts.devices.add(account, "laptop", **scope)
    return Client(app, (email, secret))


@pytest.fixture
def home(client: Client, services: Services, app) -> Home:
    """A home with something to hide."""
    assert client.account
    email = client.account[0]
    for url in ("/Private/", "/Top/", "/Top/Work/", "/Top/Work/sub/", "/Top/Workshop/"):
        client.mkcol(url)
    client.put("/Private/secret.txt", b"hidden")
    client.put("/secret.txt", b"hidden")
    client.put("/Top/Work/a.txt", b"open")
    client.put("/Top/Work/sub/b.txt", b"open too")
    client.put("/Top/Workshop/c.txt", b"hidden")
    confined = device(services, app, email, root=DavPath.from_text("/Top/Work"))
    return Home(client, confined, services, email)


def assert_tells_nothing(answer: Answer) -> None:
    """No name from outside is in the answer."""
    told = str(dict(answer.headers)) + answer.body.decode("latin-1") + answer.phrase
    assert not [name for name in OUTSIDE if name in told.replace("/secrets", "")]


def test_the_folder_is_the_top(home: Home) -> None:
    """Listings and their hrefs begin at the folder."""
    answer = home.device.propfind("/", "<D:allprop/>", "1")
    assert set(answer.hrefs()) == {"/", "/a.txt", "/sub/"}
    assert home.device.get("/sub/b.txt").body == b"open too"
    assert home.device.get("/").status == 200
    for url in ("/", "/sub/"):
        assert "Private" not in home.device.propfind(url, "<D:allprop/>", "1").body.decode()


@pytest.mark.parametrize(
    "url",
    [
        "/Private/secret.txt",
        "/secret.txt",
        "/Top/Work/a.txt",
        "/Top/",
        "/../secret.txt",
        "/sub/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "//secret.txt",
        "/Workshop/c.txt",
    ],
)
@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "PROPFIND", "DELETE", "PROPPATCH", "COPY", "MOVE", "UNLOCK"]
)
def test_nothing_outside_is_there(home: Home, method: str, url: str) -> None:
    """By no method and no spelling; and nothing outside changes."""
    before = home.state()
    body = b""
    if method == "PROPPATCH":
        body = (
            b'<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><x xmlns="y">1</x></D:prop>'
            b"</D:set></D:propertyupdate>"
        )
    answer = (
        home.device.request(
            method, url, body, Depth="0", Destination="/mine.txt", Lock_Token="<urn:uuid:1>"
        )
        if method != "MOVE"
        else home.device.request(method, url, Destination="/mine.txt")
    )
    assert answer.status in (400, 404, 409)
    assert b"hidden" not in answer.body
    assert home.state() == before


@pytest.mark.parametrize("method", ["COPY", "MOVE"])
@pytest.mark.parametrize("destination", ["/Private/x.txt", "/Top/Work/x.txt", "/../x.txt"])
def test_nothing_is_taken_outside(home: Home, method: str, destination: str) -> None:
    """A Destination is a place in the folder too."""
    before = home.state()
    answer = home.device.request(method, "/a.txt", Destination=destination)
    assert answer.status in (400, 409)
    assert_tells_nothing(answer) if "Private" not in destination else None
    assert home.state() == before


@pytest.mark.parametrize("method", ["COPY", "MOVE"])
def test_inside_of_the_folder_everything_works(home: Home, method: str) -> None:
    """Destination, also as a whole URL."""
    answer = home.device.request(method, "/a.txt", Destination="http://dav.example.org/sub/c.txt")
    assert answer.status == 201
    assert home.owner.get("/Top/Work/sub/c.txt").body == b"open"


@pytest.mark.parametrize("change", ["DELETE", "MOVE", "PUT", "COPY over", "MOVE over", "MKCOL"])
def test_the_top_stays_as_it_is(home: Home, change: str) -> None:
    """The folder itself cannot be deleted, renamed or replaced from inside."""
    requests = {
        "DELETE": lambda: home.device.request("DELETE", "/"),
        "MOVE": lambda: home.device.request("MOVE", "/", Destination="/sub/x"),
        "PUT": lambda: home.device.request("PUT", "/", b"x"),
        "COPY over": lambda: home.device.request("COPY", "/sub/", Destination="/"),
        "MOVE over": lambda: home.device.request("MOVE", "/sub/", Destination="/"),
        "MKCOL": lambda: home.device.request("MKCOL", "/"),
    }
    answer = requests[change]()
    assert answer.status in (403, 404, 405)
    assert_tells_nothing(answer)
    assert home.owner.get("/Top/Work/sub/b.txt").body == b"open too"


def test_properties_of_the_top_are_its_own(home: Home) -> None:
    """Programs keep settings there."""
    patch = '<D:set><D:prop><colour xmlns="urn:x">red</colour></D:prop></D:set>'
    assert home.device.proppatch("/", patch).status == 207
    found = home.owner.propfind("/Top/Work/", '<D:prop><colour xmlns="urn:x"/></D:prop>')
    assert found.propstats("/Top/Work/")["{urn:x}colour"][0] == 200


def test_conditions_name_what_is_inside(home: Home) -> None:
    """If with a tagged list: inside it holds, outside there is nothing to compare with."""
    etag = home.device.request("HEAD", "/a.txt").headers["etag"]
    fine = home.device.request("PUT", "/sub/n.txt", b"x", If=f"</a.txt> ([{etag}])")
    assert fine.status == 201
    outside = home.owner.request("HEAD", "/Private/secret.txt").headers["etag"]
    for tag in ("/Private/secret.txt", "http://dav.example.org/secret.txt"):
        answer = home.device.request("PUT", "/sub/m.txt", b"x", If=f"<{tag}> ([{outside}])")
        assert answer.status == 412


def test_locks_are_the_same_locks(home: Home) -> None:
    """What the device locks is locked for its owner, and the other way round."""
    token = home.device.token("/a.txt")
    assert home.owner.request("PUT", "/Top/Work/a.txt", b"x").status == 423
    assert home.device.request("UNLOCK", "/a.txt", Lock_Token=f"<{token}>").status == 204
    home.owner.token("/Top/Work/sub/b.txt")
    refused = home.device.request("PUT", "/sub/b.txt", b"x")
    assert refused.status == 423
    assert b"/sub/b.txt" in refused.body
    assert_tells_nothing(refused)


def test_a_lock_from_above_holds_and_shows_no_name(home: Home) -> None:
    """Its root is outside: it shows as the top, and cannot be ended from inside."""
    token = home.owner.token("/Top/", Depth="infinity")
    refused = home.device.request("PUT", "/a.txt", b"x")
    assert refused.status == 423
    assert_tells_nothing(refused)
    shown = home.device.propfind("/a.txt", "<D:prop><D:lockdiscovery/></D:prop>")
    assert_tells_nothing(shown)
    assert home.device.request("UNLOCK", "/a.txt", Lock_Token=f"<{token}>").status == 403
    renewed = home.device.request("LOCK", "/a.txt", If=f"(<{token}>)", Timeout="Second-600")
    assert renewed.status == 403
    assert home.owner.request("PUT", "/Top/Work/a.txt", b"x").status == 423


def test_synchronising_tells_of_nothing_else(home: Home) -> None:
    """sync-collection lists the folder, and changes in it only."""
    first = _sync(home.device, "")
    assert set(first.hrefs()) == {"/a.txt", "/sub/", "/sub/b.txt"}
    token = first.xml.findtext(D + "sync-token") or ""
    home.owner.put("/Private/new-secret.txt", b"x")
    home.owner.put("/Top/Work/new.txt", b"x")
    home.owner.request("MOVE", "/Top/Work/a.txt", Destination="/Private/secret-a.txt")
    second = _sync(home.device, token)
    assert set(second.hrefs()) == {"/new.txt", "/a.txt"}
    assert_tells_nothing(second)


def test_the_folder_may_be_renamed(home: Home) -> None:
    """The device goes on where the folder is; a new one of its old name is another."""
    home.owner.request("MOVE", "/Top/Work/", Destination="/Private/Elsewhere/")
    home.owner.mkcol("/Top/Work/")
    assert home.device.get("/a.txt").body == b"open"
    assert home.device.request("PUT", "/n.txt", b"x").status == 201
    assert home.owner.get("/Private/Elsewhere/n.txt").body == b"x"


def test_when_the_folder_is_gone_nothing_is_left(home: Home) -> None:
    """Not even the rest of the home."""
    home.owner.request("DELETE", "/Top/")
    for method in ("PROPFIND", "GET", "PUT", "MKCOL"):
        answer = home.device.request(method, "/n.txt", Depth="0")
        assert answer.status == 403
        assert b"is gone" in answer.body


def test_an_unlocked_folder_has_the_quota_of_the_home(home: Home) -> None:
    """There is one quota."""
    home.services.accounts.set_quota(home.email, 10_000)
    asked = "<D:prop><D:quota-available-bytes/></D:prop>"
    found = home.device.propfind("/", asked).propstats("/")
    _, available = found[D + "quota-available-bytes"]
    assert 0 < int(available.text or "") < 10_000
    assert home.device.request("PUT", "/big.txt", b"x" * 10_001).status == 507


READ_ONLY_REFUSES = {
    "PUT": {"url": "/new.txt", "body": b"x"},
    "PUT over": {"url": "/secret.txt", "body": b"x"},
    "MKCOL": {"url": "/new/"},
    "DELETE": {"url": "/secret.txt"},
    "COPY": {"url": "/secret.txt", "Destination": "/copy.txt"},
    "MOVE": {"url": "/secret.txt", "Destination": "/moved.txt"},
    "LOCK": {"url": "/secret.txt"},
    "LOCK unmapped": {"url": "/new.txt"},
}


@pytest.mark.parametrize("what", READ_ONLY_REFUSES)
def test_a_read_only_password_writes_by_no_method(home: Home, app, what: str) -> None:
    """It reads, and everything else is 403."""
    reader = device(home.services, app, home.email, read_only=True)
    before = home.state()
    how = dict(READ_ONLY_REFUSES[what])
    method, url = what.split()[0], str(how.pop("url"))
    if method == "LOCK":
        answer = reader.lock(url)
    else:
        answer = reader.request(method, url, how.pop("body", b""), **how)  # type: ignore[arg-type]
    assert answer.status == 403
    assert home.state() == before
    assert reader.get("/secret.txt").body == b"hidden"
    assert reader.propfind("/", "<D:allprop/>", "1").status == 207


def test_a_read_only_password_touches_no_lock_and_no_property(home: Home, app) -> None:
    """Also not those of the same person."""
    reader = device(home.services, app, home.email, read_only=True)
    token = home.owner.token("/secret.txt")
    assert reader.request("UNLOCK", "/secret.txt", Lock_Token=f"<{token}>").status == 403
    assert reader.request("LOCK", "/secret.txt", If=f"(<{token}>)").status == 403
    patch = '<D:set><D:prop><x xmlns="y">1</x></D:prop></D:set>'
    answer = reader.proppatch("/", patch)
    assert answer.status == 403 or answer.propstats("/")["{y}x"][0] == 403


def test_a_revoked_password_ends_at_once(home: Home) -> None:
    """And the others stay."""
    devices = home.services.accounts.devices
    account = home.services.accounts.get(home.email)
    assert home.device.get("/a.txt").status == 200
    (one,) = devices.list_(account)
    assert one.password.used_us is not None
    assert devices.revoke(account, one.password.id)
    assert home.device.get("/a.txt").status == 401
    assert home.owner.get("/secret.txt").status == 200


def test_a_password_is_of_one_account(home: Home, new_client) -> None:
    """With another address it is wrong."""
    other = new_client()
    assert home.device.account
    stolen = Client(home.device.app, (other.account[0], home.device.account[1]))
    assert stolen.get("/").status == 401


@pytest.mark.parametrize("spell", [str.upper, lambda s: s.replace("-", ""), lambda s: f" {s} "])
def test_a_password_may_be_typed_as_people_type(home: Home, spell) -> None:
    """Dashes and capitals do not matter."""
    assert home.device.account
    email, secret = home.device.account
    assert Client(home.device.app, (email, spell(secret))).get("/a.txt").status == 200


def test_disabling_the_account_ends_it(home: Home) -> None:
    """And enabling it does not ask for new ones."""
    home.services.accounts.disable(home.email)
    assert home.device.get("/a.txt").status == 401
    home.services.accounts.enable(home.email)
    assert home.device.get("/a.txt").status == 200


def _sync(client: Client, token: str) -> Answer:
    body = (
        f'<D:sync-collection xmlns:D="DAV:"><D:sync-token>{token}</D:sync-token>'
        "<D:sync-level>infinite</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>"
    )
    return client.request("REPORT", "/", body.encode())
