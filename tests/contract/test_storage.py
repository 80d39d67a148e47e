"""How much accounts hold, now and before, on both databases."""

from __future__ import annotations

import re
from dataclasses import replace

from davhost.accounts.storage import History
from davhost.catalogue.storage import Use
from davhost.catalogue.upkeep import Chore
from tests.instance import Home, Instance

ANN = "ann@example.org"
DAY = 86_400


def test_files_and_what_is_kept_beside_them_are_counted(ann: Home, instance: Instance) -> None:
    """Versions, and all that is in a deleted folder; temporaries are neither."""
    ann.put("/a.txt", b"1" * 10)
    ann.put("/a.txt", b"2" * 300)
    ann.mkcol("/d")
    ann.mkcol("/d/e")
    ann.put("/d/e/b.txt", b"3" * 4000)
    ann.put("/~WRD0001.tmp", b"4" * 50_000)
    assert _now(instance) == (300 + 4000, 10, 2)
    ann.delete("/d")
    assert _now(instance) == (300, 10 + 4000, 1)


def test_it_is_written_down_once_a_day(ann: Home, instance: Instance) -> None:
    """As the day began; who joins later is written down the same day."""
    _to_next_day(instance)
    keeper = instance.housekeeping()
    ann.put("/a.txt", b"x" * 10)
    keeper.round()
    ann.put("/b.txt", b"x" * 100)
    instance.clock.pass_(3600)
    bob = instance.home("bob@example.org")
    bob.put("/c.txt", b"x" * 7)
    keeper.round()
    (first,) = [it.use for it in _history(instance, ANN).days]
    assert (first.used_bytes, first.files) == (10, 1)
    (second,) = [it.use for it in _history(instance, "bob@example.org").days]
    assert (second.used_bytes, second.files) == (7, 1)
    instance.clock.pass_(DAY)
    keeper.round()
    assert [it.use.used_bytes for it in _history(instance, ANN).days] == [10, 110]


def test_growth_is_what_came_since(ann: Home, instance: Instance) -> None:
    """Bytes in the trash have not gone; what is not known is not guessed."""
    instance.clock.pass_(DAY)  # nothing was written down on the day of the account
    keeper = instance.housekeeping()
    _to_next_day(instance)
    ann.put("/a.txt", b"x" * 10)
    keeper.round()
    instance.clock.pass_(DAY)
    keeper.round()
    ann.put("/b.txt", b"x" * 100)
    ann.delete("/a.txt")
    history = _history(instance, ANN)
    assert history.growth(1) == 100
    assert history.growth(2) is None
    assert history.growth(30) == 110


def test_a_server_that_stood_still_knows_what_was_there(ann: Home, instance: Instance) -> None:
    """Nothing changed meanwhile, so the next day that is written down tells it."""
    _to_next_day(instance)
    keeper = instance.housekeeping()
    keeper.round()
    ann.put("/a.txt", b"x" * 10)
    instance.clock.pass_(5 * DAY)
    history = _history(instance, ANN)
    assert [history.growth(days) for days in (1, 4, 5)] == [0, 0, 10]
    keeper.round()
    ann.put("/b.txt", b"x" * 100)
    history = _history(instance, ANN)
    assert [history.growth(days) for days in (1, 4, 5)] == [100, 100, 110]


def test_all_accounts_together_are_known_when_each_is(ann: Home, instance: Instance) -> None:
    """Before an account was made it held nothing."""
    _to_next_day(instance)
    keeper = instance.housekeeping()
    ann.put("/a.txt", b"x" * 10)
    keeper.round()
    instance.clock.pass_(DAY)
    instance.home("bob@example.org").put("/b.txt", b"x" * 5)
    keeper.round()
    report = instance.accounts.storage.report(30)
    assert [it.account.email for it in report.histories] == [ANN, "bob@example.org"]
    assert report.now.used_bytes == 15
    yesterday = report.find_at(report.today - 1)
    assert yesterday is not None
    assert yesterday.used_bytes == 10
    older = replace(
        report.histories[0], days=(), account=instance.accounts.get(ANN)._replace(created_us=0)
    )
    assert replace(report, histories=[older]).find_at(report.today - 1) is None


def test_days_go_with_their_account_and_with_time(ann: Home, instance: Instance) -> None:
    """An account that is removed takes them with it; the others are kept for a year."""
    instance.home("bob@example.org")
    keeper = instance.housekeeping()
    keeper.round()
    instance.accounts.remove("bob@example.org")
    instance.clock.pass_(399 * DAY)
    keeper.round()
    with instance.catalogue.people() as people:
        assert len(people.storage.days(0)) == 2
    instance.clock.pass_(2 * DAY)
    keeper.round()
    with instance.catalogue.people() as people:
        assert len(people.storage.days(0)) == 2


def test_what_is_done_again_and_again_is_written_down(instance: Instance) -> None:
    """The last time counts."""
    with instance.catalogue.upkeep(writes=True) as upkeep:
        assert upkeep.last_done() == {}
        upkeep.note_done(Chore.BACKUP, 1)
        upkeep.note_done(Chore.HOUSEKEEPING, 2)
        upkeep.note_done(Chore.BACKUP, 3)
        assert upkeep.last_done() == {Chore.BACKUP: 3, Chore.HOUSEKEEPING: 2}


def test_the_database_says_what_it_is(instance: Instance) -> None:
    """With its version and its size."""
    database = instance.catalogue.describe()
    assert re.match(r"(SQLite|PostgreSQL) \d+\.\d+", database.product)
    assert database.size_bytes > 10_000


def _to_next_day(instance: Instance) -> None:
    """Let time go by until a day begins."""
    instance.clock.pass_(DAY - instance.clock.seconds % DAY)


def _now(instance: Instance) -> tuple[int, int, int]:
    use: Use = _history(instance, ANN).now
    return use.used_bytes, use.kept_bytes, use.files


def _history(instance: Instance, email: str) -> History:
    report = instance.accounts.storage.report(30)
    return next(it for it in report.histories if it.account.email == email)
