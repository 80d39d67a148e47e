"""kill -9 at any moment of a mixed load, again and again on the same data.

`DAVHOST_TEST_CRASH_ROUNDS` says how often, `DAVHOST_TEST_CRASH_SEED` repeats a
run; a crash is never exactly the same twice, but the load is.
"""

import os
import random
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest

from davhost.bootstrap.services import Services, open_services
from davhost.checking import Checking
from davhost.settings import Settings
from tests.live.conftest import MakeServer
from tests.live.crashes import Actor
from tests.live.server import Server
from tests.live.storage import TIDY
from tests.live.wait import eventually
from tests.postgres import PostgresServer
from tests.readable import shown

ROUNDS = int(os.environ.get("DAVHOST_TEST_CRASH_ROUNDS", "3"))
SEED = int(os.environ.get("DAVHOST_TEST_CRASH_SEED", str(secrets.randbits(32))))

USERS = 2
ACTORS_PER_USER = 2

#: A round ends after so many answers, which is a moment that nobody can foresee.
ANSWERS_MAX = 80
MOMENT_SECONDS_MAX = 0.05


class Crashes:
    """One instance that is killed again and again, and those who work on it."""

    def __init__(self, server: Server, database_url: str | None, seed: str, *, plain: bool) -> None:
        self._server = server
        self._settings = Settings(data_dir=server.data, database_url=database_url)
        self._rng = random.Random(seed)
        self._boxes = [server.new_user(f"user{number}") for number in range(USERS)]
        self._actors = [
            [
                Actor(box, f"t{number}", random.Random(f"{seed} {box_number} {number}"),
                      patches_files=plain)
                for number in range(ACTORS_PER_USER)
            ]
            for box_number, box in enumerate(self._boxes)
        ]  # fmt: skip
        #: How often the request that was cut off was done, was not, or there was none.
        self.ends: Counter[str] = Counter()

    def round(self) -> None:
        """Work, be killed, start again, compare."""
        actors = [actor for actors in self._actors for actor in actors]
        kill = self._rng.choice([self._server.kill_all, self._server.kill_all, self._server.kill])
        with ThreadPoolExecutor(len(actors)) as threads:
            work = [threads.submit(actor.work) for actor in actors]
            eventually(partial(self._is_worked, self.answered() + self._rng.randrange(ANSWERS_MAX)))
            time.sleep(self._rng.uniform(0, MOMENT_SECONDS_MAX))
            kill()
        for done in work:
            done.result()
        self._server.start()
        self.ends.update(actor.settle() for actor in actors)
        for box, of_user in zip(self._boxes, self._actors, strict=True):
            assert box.quota_used_bytes() == sum(actor.state.size_bytes for actor in of_user)
        with self._opened() as services:
            eventually(partial(self._is_readable, services))
            report = Checking(
                services.catalogue, services.blobs, services.clock, services.projection
            ).run(deep=True)
            assert report.is_clean, report.findings

    def is_swept(self) -> None:
        """See that uploads that were cut off have left nothing."""
        assert list((self._server.data / "blobs" / "pending").iterdir()) == []

    def answered(self) -> int:
        """Count the requests that were answered."""
        return sum(actor.acknowledged for actors in self._actors for actor in actors)

    def _is_worked(self, answers: int) -> None:
        assert self.answered() >= answers

    def _is_readable(self, services: Services) -> None:
        """See that the readable trees hold what the actors know."""
        for box, actors in zip(self._boxes, self._actors, strict=True):
            assert box.account is not None
            user_id = services.accounts.get(box.account.email).id
            expected = {
                f"/{actor.top}{path}": node.content
                for actor in actors
                for path, node in actor.state.nodes.items()
            }
            assert shown(self._server.data / "users" / str(user_id)) == expected

    @contextmanager
    def _opened(self) -> Iterator[Services]:
        """Open the parts as a command does.

        Only for a moment: a connection that outlives a crash would keep SQLite
        from having to recover.
        """
        services = open_services(self._settings)
        try:
            yield services
        finally:
            services.catalogue.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """The catalogue of the instance; None is the SQLite file in its data folder."""
    with ExitStack() as stack:
        url = None
        if request.param == "postgresql":
            postgres: PostgresServer = request.getfixturevalue("postgres_server")
            database = postgres.create_database()
            stack.callback(postgres.drop_database, database)
            url = postgres.url(database)
        yield url


@pytest.mark.parametrize("plain", [True, False], ids=["plain", "as programs save"])
def test_kill_9_at_any_moment_loses_nothing(
    make_server: MakeServer, database_url: str | None, tmp_path: Path, plain: bool
) -> None:
    """What was answered is there and whole, and what was not is there whole or not at all.

    Contents, properties, locks, the quota, the readable trees, and every
    invariant that `davhost check --deep` knows.
    """
    settings = TIDY | {"DAVHOST_SAME_FILE_MINUTES": "0" if plain else "10"}
    server = make_server(workers=2, settings=settings, database_url=database_url)
    with server:
        crashes = Crashes(server, database_url, f"{SEED}", plain=plain)
        for number in range(ROUNDS):
            try:
                crashes.round()
            except Exception as error:
                error.add_note(f"in round {number} of {ROUNDS}, DAVHOST_TEST_CRASH_SEED={SEED}")
                raise
        eventually(crashes.is_swept)
    print(f"seed {SEED}: {crashes.answered()} answered, at the end {dict(crashes.ends)}")
