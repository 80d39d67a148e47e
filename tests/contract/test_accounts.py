"""Who gets in, on both databases."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from davhost.accounts import (
    AccountExists,
    Accounts,
    AccountsOptions,
    BadEmail,
    LastAdmin,
    NoSuchAccount,
    WeakPassword,
)
from davhost.errors import NotSignedIn, TooManyTries
from tests.instance import PASSWORD, Home, Instance

HOME_ADDRESS, STRANGER = "192.0.2.1", "198.51.100.7"


def test_the_right_password_signs_in(ann: Home, instance: Instance) -> None:
    """Whatever the case of the e-mail address."""
    principal = instance.accounts.authenticate("Ann@EXAMPLE.org", PASSWORD, HOME_ADDRESS)
    assert principal.email == "ann@example.org"


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ann@example.org", "wrong"),
        ("nobody@example.org", PASSWORD),
        ("ann@example.org", ""),
        ("", ""),
        ("ann@example.org", "x" * 100_000),
        ("ann@example.org\0", PASSWORD),
    ],
)
def test_anything_else_does_not(ann: Home, instance: Instance, email: str, password: str) -> None:
    """Wrong, unknown, empty and huge credentials are one answer."""
    with pytest.raises(NotSignedIn):
        instance.accounts.authenticate(email, password, HOME_ADDRESS)


def test_addresses_that_fold_alike_are_one_account(ann: Home, instance: Instance) -> None:
    """Nobody registers beside somebody by changing case."""
    with pytest.raises(AccountExists):
        instance.accounts.register("ANN@example.ORG", PASSWORD)


@pytest.mark.parametrize("email", ["", "ann", "@example.org", "a b@c.org", "a:b@c.org", "a/@c.org"])
def test_what_is_no_address_is_refused(instance: Instance, email: str) -> None:
    """A sign-in name must survive Basic authentication."""
    with pytest.raises(BadEmail):
        instance.accounts.register(email, PASSWORD)


def test_short_passwords_are_refused(instance: Instance) -> None:
    """Eight characters at least."""
    with pytest.raises(WeakPassword):
        instance.accounts.register("bob@example.org", "short")


def test_a_new_password_counts_at_once(ann: Home, instance: Instance) -> None:
    """Remembered credentials do not outlive the hash they were checked against."""
    accounts = instance.accounts
    accounts.authenticate("ann@example.org", PASSWORD, HOME_ADDRESS)
    accounts.set_password("ann@example.org", "another password")
    with pytest.raises(NotSignedIn):
        accounts.authenticate("ann@example.org", PASSWORD, HOME_ADDRESS)
    accounts.authenticate("ann@example.org", "another password", HOME_ADDRESS)


def test_a_disabled_or_removed_account_is_out_at_once(ann: Home, instance: Instance) -> None:
    """Also with credentials that were verified a moment ago."""
    accounts = instance.accounts
    accounts.authenticate("ann@example.org", PASSWORD, HOME_ADDRESS)
    accounts.disable("ann@example.org")
    with pytest.raises(NotSignedIn):
        accounts.authenticate("ann@example.org", PASSWORD, HOME_ADDRESS)
    accounts.enable("ann@example.org")
    accounts.authenticate("ann@example.org", PASSWORD, HOME_ADDRESS)
    accounts.remove("ann@example.org")
    with pytest.raises(NotSignedIn):
        accounts.authenticate("ann@example.org", PASSWORD, HOME_ADDRESS)


def test_somebody_who_can_sign_in_administers(ann: Home, instance: Instance) -> None:
    """Two administrators who disable each other at the same moment do not both succeed."""
    accounts = instance.accounts
    accounts.set_admin("ann@example.org", admin=True)
    accounts.register("bob@example.org", PASSWORD, admin=True)

    def disable(email: str) -> bool:
        try:
            accounts.disable(email)
        except LastAdmin:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(disable, ("ann@example.org", "bob@example.org")))
    assert sorted(done) == [False, True]
    assert sum(not account.disabled for account in accounts.list_()) == 1


def test_a_removed_account_takes_everything_along(ann: Home, instance: Instance) -> None:
    """Files, versions, locks and bytes; a new account of that name starts empty."""
    ann.mkcol("/d")
    ann.put("/d/a.txt", b"one")
    ann.put("/d/a.txt", b"two")
    ann.delete("/d")
    ann.put("/b.txt", b"b")
    ann.lock("/b.txt")
    assert instance.accounts.count_files("ann@example.org") == 2
    instance.accounts.remove("ann@example.org")
    assert list(instance.blobs.keys()) == []
    assert instance.home("ann@example.org").names() == []
    with pytest.raises(NoSuchAccount):
        instance.accounts.remove("bob@example.org")


def test_weak_hashes_are_renewed_at_sign_in(ann: Home, instance: Instance) -> None:
    """When argon2 is made slower, people need not change their passwords."""
    before = instance.accounts.get("ann@example.org").password_hash
    stronger = Accounts(
        instance.catalogue, instance.blobs, instance.clock, AccountsOptions(rounds=2)
    )
    stronger.authenticate("ann@example.org", PASSWORD, HOME_ADDRESS)
    after = instance.accounts.get("ann@example.org").password_hash
    assert before != after
    instance.accounts.authenticate("ann@example.org", PASSWORD, HOME_ADDRESS)


def _guess(instance: Instance, times: int, *, address: str = STRANGER) -> int:
    """Try wrong passwords; count those that were checked."""
    refusals = []
    for number in range(times):
        with pytest.raises((NotSignedIn, TooManyTries)) as refused:
            instance.accounts.authenticate("ann@example.org", f"wrong {number}", address)
        refusals.append(refused.type)
    return refusals.count(NotSignedIn)


def test_an_address_has_ten_wrong_tries_a_minute(ann: Home, instance: Instance) -> None:
    """The eleventh is not even looked at; a minute later there are new ones."""
    assert _guess(instance, 30) == 10
    instance.clock.pass_(60)
    assert _guess(instance, 30) == 10


def test_an_address_that_is_used_up_cannot_guess_right(ann: Home, instance: Instance) -> None:
    """The right password is as unwelcome as the wrong ones, where nobody signed in before."""
    _guess(instance, 10)
    with pytest.raises(TooManyTries):
        instance.accounts.authenticate("ann@example.org", PASSWORD, STRANGER)


def test_guessing_locks_nobody_out(ann: Home, instance: Instance) -> None:
    """The owner gets in from elsewhere, and from where she signed in before."""
    accounts = instance.accounts
    accounts.authenticate("ann@example.org", PASSWORD, HOME_ADDRESS)
    _guess(instance, 30)
    accounts.authenticate("ann@example.org", PASSWORD, "203.0.113.5")
    for number in range(30):
        with pytest.raises((NotSignedIn, TooManyTries)):
            accounts.authenticate("bob@example.org", f"{number}", HOME_ADDRESS)
    instance.clock.pass_(301)  # what was remembered is forgotten
    accounts.authenticate("ann@example.org", PASSWORD, HOME_ADDRESS)


def test_guessing_from_many_addresses_is_slowed_down(ann: Home, instance: Instance) -> None:
    """Per account a delay of the wrong answers, never of the right one."""
    for number in range(12):
        _guess(instance, 1, address=f"192.0.2.{number + 10}")
    assert instance.naps
    before = list(instance.naps)
    instance.accounts.authenticate("ann@example.org", PASSWORD, HOME_ADDRESS)
    assert instance.naps == before


def test_an_ipv6_neighbourhood_is_one_address(ann: Home, instance: Instance) -> None:
    """Whoever has a /64 has all its addresses."""
    checked = sum(_guess(instance, 1, address=f"2001:db8::{n:x}") for n in range(1, 20))
    assert checked == 10


def test_wrong_tries_at_the_same_moment_are_all_counted(ann: Home, instance: Instance) -> None:
    """Several workers count one address; none fails, and none is lost."""
    refusals: list[type[Exception]] = []

    def guess(number: int) -> None:
        with pytest.raises((NotSignedIn, TooManyTries)) as refused:
            instance.accounts.authenticate("ann@example.org", f"wrong {number}", STRANGER)
        refusals.append(refused.type)

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refusals) == 8
    assert _guess(instance, 10) == 2
