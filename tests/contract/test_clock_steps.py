"""The wall clock is set, by a person or by NTP, while the server runs."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from davhost.accounts import Accounts
from davhost.clock import SystemClock
from davhost.errors import Locked, NotSignedIn
from tests.instance import PASSWORD, Clock, Home, Instance, make_instance, path_

YEAR_SECONDS = 365 * 86400.0
HOUR_SECONDS = 3600.0

forth_and_back = pytest.mark.parametrize(
    "step_seconds",
    [YEAR_SECONDS, HOUR_SECONDS, -HOUR_SECONDS, -YEAR_SECONDS],
    ids=["a year on", "an hour on", "an hour back", "a year back"],
)


@dataclass
class SteppedClock(Clock):
    """Time passes as the test says, and the wall clock can be set besides."""

    ahead_seconds: float = 0.0

    def now_us(self) -> int:
        """The wall clock."""
        return super().now_us() + int(self.ahead_seconds * 1_000_000)


@pytest.fixture
def clock() -> SteppedClock:
    """The clock of the instance."""
    return SteppedClock()


@pytest.fixture
def instance(database_url: str, tmp_path: Path, clock: SteppedClock) -> Iterator[Instance]:
    """An instance whose wall clock can be set."""
    made = make_instance(database_url, tmp_path, clock=clock)
    yield made
    made.catalogue.close()


def lock_for(home: Home, path: str, seconds: int) -> str:
    return home.tree.lock(
        path_(path), exclusive=True, infinite=False, owner_xml="", timeout_seconds=seconds
    ).lock.token


@forth_and_back
def test_a_lock_lives_as_long_as_was_granted(
    instance: Instance, ann: Home, clock: SteppedClock, step_seconds: float
) -> None:
    """Neither earlier nor later than that, wherever the wall clock goes."""
    ann.put("/a.txt", b"text")
    lock_for(ann, "/a.txt", 600)
    clock.ahead_seconds = step_seconds
    instance.housekeeping().round()
    clock.pass_(599)
    with pytest.raises(Locked):
        ann.put("/a.txt", b"other")
    clock.pass_(2)
    ann.put("/a.txt", b"other")
    assert instance.housekeeping().round().locks == 1


@forth_and_back
def test_a_sign_in_is_remembered_as_long_as_before(
    instance: Instance, clock: SteppedClock, step_seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checked password is known without another slow check, and then no longer."""
    instance.home("ann@example.org")
    accounts: Accounts = instance.accounts
    accounts.authenticate("ann@example.org", PASSWORD, "192.0.2.1")
    monkeypatch.setattr(accounts._passwords, "verify", lambda *_: False)
    clock.ahead_seconds = step_seconds
    clock.pass_(200)
    accounts.authenticate("ann@example.org", PASSWORD, "192.0.2.1")
    clock.pass_(200)
    with pytest.raises(NotSignedIn):
        accounts.authenticate("ann@example.org", PASSWORD, "192.0.2.1")


@forth_and_back
def test_every_change_has_a_new_etag(ann: Home, clock: SteppedClock, step_seconds: float) -> None:
    """The last write is what is read, and what it replaced is the newest version."""
    etags = {ann.put("/a.txt", b"first").resource.etag}
    clock.ahead_seconds = step_seconds
    etags.add(ann.put("/a.txt", b"second").resource.etag)
    clock.ahead_seconds = 0.0
    etags.add(ann.put("/a.txt", b"third").resource.etag)
    assert len(etags) == 3
    assert ann.get("/a.txt") == b"third"
    newest, oldest = ann.tree.versions(path_("/a.txt"))
    assert (newest.size_bytes, oldest.size_bytes) == (len(b"second"), len(b"first"))


def test_all_processes_count_from_the_same_moment(instance: Instance) -> None:
    """One that starts after a step agrees with those that started before it."""

    def offset(now_seconds: float) -> float:
        return instance.catalogue.lease_offset_seconds(
            now_seconds=now_seconds, since_boot_seconds=100.0
        )

    assert {offset(2_000_000.0), offset(9_000_000.0), offset(1_000.0)} == {1_999_900.0}


@forth_and_back
def test_deadlines_do_not_ask_the_wall_clock(
    step_seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock of the machine that deadlines are counted by only runs forward."""
    clock = SystemClock(0.0)
    before = clock.lease()
    wall_seconds = time.time() + step_seconds
    monkeypatch.setattr(time, "time", lambda: wall_seconds)
    monkeypatch.setattr(time, "time_ns", lambda: int(wall_seconds * 1e9))
    assert clock.now_us() == pytest.approx(wall_seconds * 1e6, abs=2)
    assert 0 <= clock.lease() - before < HOUR_SECONDS / 2
