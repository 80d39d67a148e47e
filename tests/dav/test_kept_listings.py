"""Listings that are kept between requests are never out of date."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from davhost.bootstrap.services import Services
from davhost.bootstrap.wsgi import build_app
from tests.dav.wsgi import HOST, Client

_SETTING = '<D:set><D:prop><x xmlns="u:">1</x></D:prop></D:set>'

CHANGES: dict[str, Callable[[Client], object]] = {
    "a new file": lambda c: c.put("/d/new.txt", b"1"),
    "new content of the same length": lambda c: c.put("/d/a.txt", b"eno"),
    "a new folder": lambda c: c.mkcol("/d/new"),
    "a property": lambda c: c.proppatch("/d/a.txt", _SETTING),
    "a removed file": lambda c: c.request("DELETE", "/d/a.txt"),
    "a renamed file": lambda c: c.request("MOVE", "/d/a.txt", Destination=_url("/d/b.txt")),
    "a file that goes": lambda c: c.request("MOVE", "/d/a.txt", Destination=_url("/b.txt")),
    "a file that comes": lambda c: c.request("COPY", "/far.txt", Destination=_url("/d/b.txt")),
    "another folder of the name": lambda c: c.request(
        "MOVE", "/other", Destination=_url("/d"), Overwrite="T"
    ),
    "a lock": lambda c: c.lock("/d/a.txt"),
    "a lock on the folder": lambda c: c.lock("/d"),
}


def _url(path: str) -> str:
    return f"http://{HOST}{path}"


@pytest.fixture(params=["short", "long"])
def home(client: Client, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A home with a folder that has been listed, and is kept: in memory or in a file."""
    if request.param == "long":
        monkeypatch.setattr("davhost.dav.exchange.SETTLED_BYTES", 100)
    client.mkcol("/d")
    client.mkcol("/other")
    client.put("/d/a.txt", b"one")
    client.put("/far.txt", b"two")
    assert listing(client) == listing(client)
    return client


def listing(client: Client) -> bytes:
    """List the folder with everything that can be asked of it."""
    inner = "<D:allprop/><D:include><D:quota-used-bytes/></D:include>"
    answer = client.propfind("/d/", inner, "1")
    assert answer.status == 207
    return answer.body


@pytest.fixture
def elsewhere(home: Client, services: Services) -> Client:
    """The same account in another process."""
    return Client(build_app(services), home.account)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_change_shows_at_once(
    home: Client, elsewhere: Client, change: Callable[[Client], object]
) -> None:
    """Also one that another process has made."""
    before = listing(home)
    change(elsewhere)
    after = listing(home)
    assert after != before
    # Nothing is kept there: this is the first listing.
    assert after == listing(elsewhere)


@pytest.mark.parametrize(
    "change",
    [made for what, made in CHANGES.items() if what != "a property" and "lock" not in what],
)
def test_a_change_shows_at_once_to_who_asks_for_little(
    home: Client, elsewhere: Client, change: Callable[[Client], object]
) -> None:
    """What one statement can answer is asked in another way."""
    inner = "<D:prop><D:getetag/><D:getcontentlength/></D:prop>"
    before = [home.propfind("/d/", inner, "1").body for _ in range(2)]
    change(elsewhere)
    after = home.propfind("/d/", inner, "1")
    assert before[0] == before[1] != after.body
    assert after.body == elsewhere.propfind("/d/", inner, "1").body
    for href in after.hrefs():
        alone = home.propfind(href, inner, "0").propstats(href)
        among = after.propstats(href)
        assert {n: e.text for n, (_, e) in alone.items()} == {
            n: e.text for n, (_, e) in among.items()
        }


def test_what_a_program_was_shown_is_not_what_a_mounted_drive_is_shown(home: Client) -> None:
    """Only the drive sees that there is a past, also when the other's listing is kept."""
    inner = "<D:prop><D:getetag/></D:prop>"
    agents = ("rclone/v1.60.1", "davfs2/1.7.0 neon/0.33.0") * 2
    shown = [home.propfind("/", inner, "1", User_Agent=agent).hrefs() for agent in agents]
    assert [any(".davhost" in href for href in hrefs) for hrefs in shown] == [False, True] * 2


def test_the_end_of_a_lock_shows_at_once(home: Client, elsewhere: Client) -> None:
    """What was kept without the lock is right again, and what was shown with it is not kept."""
    before = listing(home)
    token = elsewhere.token("/d/a.txt")
    assert token.encode() in listing(home)
    assert elsewhere.request("UNLOCK", "/d/a.txt", Lock_Token=f"<{token}>").status == 204
    assert listing(home) == before


def test_a_new_quota_shows_at_once(home: Client, services: Services) -> None:
    """An administrator's change is in no journal."""
    inner = "<D:prop><D:quota-available-bytes/></D:prop>"
    assert home.account is not None
    for quota_bytes in (1000, 2000):
        services.accounts.set_quota(home.account[0], quota_bytes)
        room = quota_bytes - len(b"onetwo")
        assert str(room).encode() in home.propfind("/d/", inner, "1").body


def test_who_asks_otherwise_is_answered_otherwise(home: Client) -> None:
    """Depth, properties and preferences are parts of the question."""
    assert len(home.propfind("/d/", "<D:allprop/>", "1").hrefs()) == 2
    assert len(home.propfind("/d/", "<D:allprop/>", "0").hrefs()) == 1
    assert len(home.request("PROPFIND", "/d/", Depth="1", Prefer="depth-noroot").hrefs()) == 1
    names = home.propfind("/d/", "<D:prop><D:getetag/></D:prop>", "1").propstats("/d/a.txt")
    assert set(names) == {"{DAV:}getetag"}


def test_conditions_count_for_what_is_kept(home: Client) -> None:
    """Whoever demands a state that is not there gets no listing."""
    answer = home.request("PROPFIND", "/d/", Depth="1", If="(<urn:uuid:0>)")
    assert answer.status == 412
