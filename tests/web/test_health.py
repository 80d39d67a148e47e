"""Whether the server works, as load balancers ask it and as administrators see it."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from werkzeug.test import Client

from davhost import __version__
from davhost.backup import Maker
from davhost.bootstrap.services import Services
from davhost.bootstrap.wsgi import build_app
from davhost.catalogue import Catalogue
from davhost.catalogue.upkeep import Chore
from davhost.certificates import SERVER_DAYS, make_authority, make_server
from davhost.errors import Unavailable
from tests.web.browser import Browser, Wsgi
from tests.web.conftest import PASSWORD, running


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_server_that_works_says_so(app: Wsgi, method: str) -> None:
    """To anybody, without a password, a cookie or a detail."""
    answer = Client(app).open("/-/health", method=method)
    assert answer.status_code == 200
    assert answer.text == ("ok\n" if method == "GET" else "")
    assert "Set-Cookie" not in answer.headers
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_server_without_its_database_says_so(
    app: Wsgi, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not what is wrong; it works again as soon as the database does."""

    def fail(self: Catalogue, *, writes: bool = False) -> None:
        raise Unavailable("the database at 10.0.0.1 is away")

    with monkeypatch.context() as patch:
        patch.setattr(Catalogue, "people", fail)
        answer = Client(app).get("/-/health")
    assert (answer.status_code, answer.text) == (503, "unavailable\n")
    assert Client(app).get("/-/health").status_code == 200


class _Once(threading.Event):
    """Ends what waits for it before it begins again."""

    def wait(self, timeout: float | None = None) -> bool:
        self.set()
        return True


class World:
    """A server, and an administrator who has signed in."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.app = build_app(services)
        services.accounts.register("boss@example.org", PASSWORD, admin=True)
        self.boss = Browser(self.app)
        assert self.boss.sign_in("boss@example.org", PASSWORD).status_code == 303

    def facts(self) -> dict[str, str]:
        """Read the page as people see it."""
        page = self.boss.go("/-/admin/health").text
        found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page, re.DOTALL)
        facts = {name: " ".join(re.sub(r"<[^>]*>", "", fact).split()) for name, fact in found}
        return facts | {"": "attention" if "needs your attention" in page else "well"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A server."""
    with running(tmp_path / "instance", housekeeping_interval_seconds=60) as services:
        yield World(services)


def test_administrators_see_how_the_parts_are(world: World, tmp_path: Path) -> None:
    """And what nobody knows is not guessed."""
    facts = world.facts()
    assert facts[""] == "well"
    assert facts["Version"] == f"davhost {__version__}"
    assert re.fullmatch(r"SQLite [\d.]+, \d+ kB, schema \d{4}", facts["Database"])
    assert facts["Room on the disk"].endswith("B for uploads")
    assert facts["Housekeeping"] == "not yet done"
    assert facts["Readable trees"] == "switched off"
    assert facts["Last backup"] == "none was made with davhost backup"
    assert facts["Encryption"] == "none here"
    catalogue, blobs = world.services.catalogue, world.services.blobs
    Maker(catalogue, blobs, tmp_path / "backups", davhost=__version__).make(0)
    assert world.facts()["Last backup"] == "1970-01-01 00:00"


def test_housekeeping_tells_when_it_was_done(world: World) -> None:
    """Once it is late, the page says that too."""
    world.services.housekeeping.run(_Once())
    facts = world.facts()
    assert re.fullmatch(r"last done [-\d: ]+", facts["Housekeeping"])
    assert facts[""] == "well"
    with world.services.catalogue.upkeep(writes=True) as upkeep:
        upkeep.note_done(Chore.HOUSEKEEPING, world.services.clock.now_us() - 3700 * 1_000_000)
    facts = world.facts()
    assert "It should be done every 60 seconds." in facts["Housekeeping"]
    assert facts[""] == "attention"


def test_a_full_disk_needs_attention(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before nobody can upload any more."""
    disk = SimpleNamespace(f_blocks=1000, f_bavail=60, f_frsize=1)
    monkeypatch.setattr(os, "statvfs", lambda path: disk)
    facts = world.facts()
    assert facts["Room on the disk"].startswith("10 B for uploads almost none")
    assert facts[""] == "attention"


def test_a_certificate_that_ends_soon_needs_attention(tmp_path: Path) -> None:
    """When it ends stands on the page."""
    long_ago = datetime.now(UTC) - timedelta(days=SERVER_DAYS - 20)
    authority = make_authority("test", long_ago)
    file = tmp_path / "server.pem"
    file.write_bytes(make_server(authority, ["localhost"], long_ago))
    with running(tmp_path / "instance", tls_certificate=file) as services:
        facts = World(services).facts()
    assert re.fullmatch(r"certificate until [-\d: ]+ renew it", facts["Encryption"])
    assert facts[""] == "attention"


def test_lagging_trees_are_counted(tmp_path: Path) -> None:
    """Until they show what has changed."""
    with running(tmp_path / "instance", readable_tree=True) as services:
        world = World(services)
        assert world.facts()["Readable trees"].startswith("1 account has changes")
        assert services.follower is not None
        services.follower.look_around()
        services.follower.settle()
        assert world.facts()["Readable trees"] == "show everything"


def test_nobody_else_sees_how_the_server_is(signed_in: Browser) -> None:
    """Which version it runs is nobody's business."""
    assert signed_in.go("/-/admin/health").status_code == 403
