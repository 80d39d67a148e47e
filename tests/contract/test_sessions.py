"""Sessions, links, app passwords and codes hold on both databases."""

from __future__ import annotations

import threading

import pyotp
import pytest

from davhost.accounts import IDLE_SECONDS, LIFE_SECONDS, LinkExpired, WeakPassword, WrongCode
from davhost.catalogue import Account
from davhost.errors import NotSignedIn
from davhost.paths import DavPath
from tests.instance import PASSWORD, Home, Instance

EMAIL = "ann@example.org"
NEW = "another fine password"
DAY = 86400


def account(instance: Instance) -> Account:
    """Sign in as the page does."""
    return instance.accounts.sign_in(EMAIL, PASSWORD, "192.0.2.1")


def open_session(instance: Instance) -> str:
    """Begin a session, as the page does."""
    who = account(instance)
    return instance.accounts.sessions.open(who, user_agent="x", address="192.0.2.1")


def is_open(instance: Instance, token: str) -> bool:
    """Whether a request with the token is somebody's."""
    return instance.accounts.sessions.find(token, "192.0.2.1") is not None


def test_a_session_is_found_by_its_token_only(instance: Instance, ann: Home) -> None:
    """And leads to the account's home, of which the journal says that it was the browser."""
    token = open_session(instance)
    found = instance.accounts.sessions.find(token, "192.0.2.1")
    assert found is not None
    assert found.principal == ann.tree.principal._replace(via="browser")
    for other in ("", token[:-1], token + "x", token.swapcase(), "é", "x" * 10_000):
        assert not is_open(instance, other)


def test_a_session_ends_when_nobody_uses_it(instance: Instance, ann: Home) -> None:
    """Each use begins the time anew, until its life is over all the same."""
    token = open_session(instance)
    used = 0.0
    while used + DAY < LIFE_SECONDS:
        instance.clock.pass_(DAY)
        used += DAY
        assert is_open(instance, token)
    instance.clock.pass_(2 * DAY)
    assert not is_open(instance, token)
    idle = open_session(instance)
    instance.clock.pass_(IDLE_SECONDS + 1)
    assert not is_open(instance, idle)


def test_steps_of_the_wall_clock_end_no_session(
    instance: Instance, ann: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sessions are counted on the lease clock, as locks are."""
    token = open_session(instance)
    for year in (1971, 2200):
        wall_us = (year - 1970) * 365 * DAY * 1_000_000
        monkeypatch.setattr(instance.clock, "now_us", lambda wall_us=wall_us: wall_us)
        assert is_open(instance, token)


def test_housekeeping_sweeps_what_has_ended(instance: Instance, ann: Home) -> None:
    """Rows of sessions and links do not pile up."""
    open_session(instance)
    instance.accounts.invite()
    user_id = ann.tree.principal.user_id
    instance.housekeeping().round()
    with instance.catalogue.sessions() as rows:
        assert len(rows.list_(user_id)) == 1
    instance.clock.pass_(LIFE_SECONDS)
    instance.housekeeping().round()
    with instance.catalogue.sessions() as rows:
        assert rows.list_(user_id) == []


def test_a_password_that_was_changed_meanwhile_opens_nothing(instance: Instance, ann: Home) -> None:
    """Also when it was right a moment ago."""
    who = account(instance)
    instance.accounts.set_password(EMAIL, NEW)
    with pytest.raises(NotSignedIn):
        instance.accounts.sessions.open(who, user_agent="x", address="192.0.2.1")
    disabled = instance.accounts.sign_in(EMAIL, NEW, "192.0.2.1")
    instance.accounts.disable(EMAIL)
    with pytest.raises(NotSignedIn):
        instance.accounts.sessions.open(disabled, user_agent="x", address="192.0.2.1")


def test_no_session_outlives_a_change_that_comes_between(instance: Instance, ann: Home) -> None:
    """Signing in and changing the password at once: whatever comes first, the old is out."""
    who = account(instance)
    opened: list[str] = []

    def sign_in() -> None:
        try:
            for _ in range(20):
                sessions = instance.accounts.sessions
                opened.append(sessions.open(who, user_agent="x", address="192.0.2.1"))
        except NotSignedIn:
            pass

    threads = [threading.Thread(target=sign_in) for _ in range(3)]
    for thread in threads:
        thread.start()
    instance.accounts.set_password(EMAIL, NEW)
    for thread in threads:
        thread.join()
    assert not any(is_open(instance, token) for token in opened)


def test_secrets_are_the_same_for_every_process(instance: Instance) -> None:
    """Forms of one worker are taken by the next."""
    first = instance.accounts.sessions.shared_secret("pages")
    assert len(first) >= 32
    assert instance.accounts.sessions.shared_secret("pages") == first
    assert instance.accounts.sessions.shared_secret("other") != first


def test_a_link_is_used_up_by_one(instance: Instance, ann: Home) -> None:
    """Many who follow an invitation at once make one account."""
    token = instance.accounts.invite()
    made: list[str] = []

    def accept(number: int) -> None:
        try:
            email = f"guest{number}@example.org"
            made.append(instance.accounts.accept(token, email, NEW, quota_bytes=None).email)
        except LinkExpired:
            pass

    threads = [threading.Thread(target=accept, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert len(instance.accounts.list_()) == 2


def test_a_link_is_not_used_up_by_a_mistake(instance: Instance, ann: Home) -> None:
    """A password that is too weak can be followed by a better one."""
    token = instance.accounts.begin_reset(EMAIL)
    assert token
    with pytest.raises(WeakPassword):
        instance.accounts.finish_reset(token, "short")
    instance.accounts.finish_reset(token, NEW)
    assert instance.accounts.sign_in(EMAIL, NEW, "192.0.2.1")


def test_a_device_is_told_where_it_may_go(instance: Instance, ann: Home) -> None:
    """Its principal has the rights and the folder of the password."""
    ann.mkcol("/Films")
    devices = instance.accounts.devices
    _, secret = devices.add(
        account(instance), "tv", read_only=True, root=DavPath.from_text("/Films")
    )
    found = instance.accounts.authenticate(EMAIL, secret, "192.0.2.1")
    assert (found.read_only, found.root.text) == (True, "/Films")
    (device,) = devices.list_(account(instance))
    assert device.password.address == "192.0.2.1"


def test_an_app_password_is_not_slowed_down_by_those_who_guess(
    instance: Instance, ann: Home
) -> None:
    """The drive of a house stays mounted while somebody in it guesses passwords."""
    _, secret = instance.accounts.devices.add(account(instance), "tv")
    for number in range(30):
        with pytest.raises(Exception, match=r"wrong|Too many"):
            instance.accounts.authenticate("nobody@example.org", f"guess {number}", "192.0.2.7")
    assert instance.accounts.authenticate(EMAIL, secret, "192.0.2.7")


def test_a_code_counts_for_one_of_many(instance: Instance, ann: Home) -> None:
    """Typed at two browsers at the same moment, it lets one in."""
    who = account(instance)
    secret = instance.accounts.two_step.new_secret()
    totp = pyotp.TOTP(secret)
    now = int(instance.clock.seconds)
    instance.accounts.two_step.turn_on(who, secret, totp.at(now))
    instance.clock.pass_(60)
    code = totp.at(now + 60)
    let_in: list[bool] = []

    def check() -> None:
        try:
            instance.accounts.two_step.check(who._replace(two_step=True), code)
            let_in.append(True)
        except WrongCode:
            let_in.append(False)

    threads = [threading.Thread(target=check) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(let_in) == [False, False, False, True]


def test_removing_an_account_removes_all_of_it(instance: Instance, ann: Home) -> None:
    """Sessions, links, devices and codes go with it."""
    who = account(instance)
    token = open_session(instance)
    instance.accounts.begin_reset(EMAIL)
    instance.accounts.devices.add(who, "tv")
    secret = instance.accounts.two_step.new_secret()
    code = pyotp.TOTP(secret).at(int(instance.clock.seconds))
    instance.accounts.two_step.turn_on(who, secret, code)
    instance.accounts.remove(EMAIL)
    assert not is_open(instance, token)
    assert instance.accounts.find_by_id(who.id) is None
