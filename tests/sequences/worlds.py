"""A running server, and the same instance seen from inside its database."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from davhost import names
from davhost.bootstrap.services import Services, open_services
from davhost.catalogue import Reading
from davhost.catalogue.departed import departed
from davhost.housekeeping import Housekeeping
from davhost.model import Kind, Resource, Rules
from davhost.names import NameClass
from davhost.paths import DavPath, Name
from davhost.settings import Settings
from davhost.tree import Tree
from tests.live.dav import Account
from tests.live.server import Server

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Later:
    """The clock of tomorrow."""

    services: Services
    seconds: float = 25 * 3600

    def now_us(self) -> int:
        """The wall clock."""
        return self.services.clock.now_us() + int(self.seconds * 1_000_000)

    def lease(self) -> float:
        """The lease clock."""
        return self.services.clock.lease() + self.seconds


@dataclass(frozen=True)
class World:
    """One server; its database is open in this process too."""

    server: Server
    services: Services

    def new_home(self, allow: str | None) -> "Home":
        """Make an account with a list of its own, or the server's."""
        email = f"user{next(_numbers)}@example.org"
        account = Account(email, "correct horse battery")
        rules = None if allow is None else Rules.parse(allow)
        accounts = self.services.accounts
        accounts.register(email, account.password, quota_bytes=None, rules=rules)
        tree = self.services.tree_of(accounts.principal(email))
        return Home(self, account, tree)

    def tomorrow(self) -> None:
        """Tidy up as it will be tidied up a day from now."""
        parts, later = self.services, Later(self.services)
        Housekeeping(parts.catalogue, parts.blobs, parts.policy, later).round()


@dataclass(frozen=True)
class Home:
    """What one account has, read without the server."""

    world: World
    account: Account
    tree: Tree

    def resources(self, folder: str = "") -> dict[str, Resource]:
        """List everything below a folder by its path in it."""
        top = DavPath.from_text(folder)
        if self.tree.find(top) is None:
            return {}
        entries = self.tree.listing(top, depth=None, dead=False, locks=False).entries
        skip = len(top.text.rstrip("/")) + 1
        return {entry.path.text[skip:]: entry.resource for entry in entries[1:]}

    def files(self, folder: str = "") -> dict[str, Resource]:
        """List the files below a folder, scratch left out."""
        found = self.resources(folder)
        return {path: resource for path, resource in found.items() if resource.kind is Kind.FILE}

    def contents(self, folder: str = "") -> dict[str, bytes]:
        """Read the files below a folder, scratch left out."""
        return {path: self.bytes_of(file.blob_key) for path, file in self.files(folder).items()}

    def versions(self, folder: str, name: str) -> list[bytes]:
        """Read what a file held before, the newest first."""
        path = DavPath.from_text(f"{folder}/{name}")
        return [self.bytes_of(version.blob_key) for version in self.tree.versions(path)]

    def properties(self, folder: str, name: str) -> list[str]:
        """List the names of a file's dead properties."""
        path = DavPath.from_text(f"{folder}/{name}")
        entry = self.tree.listing(path, depth=0, dead=True, locks=False).entries[0]
        return [own.name for own in entry.properties]

    def trash(self) -> list[bytes]:
        """Read every file that was deleted, also those in deleted folders."""
        with self._reading() as reading:
            gone: list[Resource] = [left.resource for left in departed(reading)]
            files = []
            while gone:
                resource = gone.pop()
                gone += reading.members(resource) if resource.is_collection else []
                files += [resource] if resource.kind is Kind.FILE else []
        return [self.bytes_of(file.blob_key) for file in files]

    def bytes_of(self, blob_key: str | None) -> bytes:
        """Read a blob."""
        if blob_key is None:
            return b""
        with self.world.services.blobs.open(blob_key) as content:
            return content.read()

    def forbidden(self) -> list[str]:
        """List the files that are kept under names that are not a file's."""
        rules = self.world.services.policy.rules_of(self.tree.space())
        return [
            path
            for path, file in self.files().items()
            if names.classify(Name.known(file.name), rules).name_class is not NameClass.FILE
        ]

    def check_sums(self) -> None:
        """See that the quota counts what is there, and nothing else."""
        space, there = self.tree.space(), self.resources().values()
        sums = {kind: sum(r.size_bytes for r in there if r.kind is kind) for kind in Kind}
        assert (space.used_bytes, space.scratch_bytes) == (sums[Kind.FILE], sums[Kind.SCRATCH])

    @contextmanager
    def _reading(self) -> Iterator[Reading]:
        parts = self.world.services
        space_id = self.tree.principal.space_id
        with parts.catalogue.read(space_id, lease=parts.clock.lease()) as reading:
            yield reading


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """Run a server on SQLite with the default allow-list."""
    data = folder / "data"
    settings = {"DAVHOST_DURABILITY": "fast", "DAVHOST_HOUSEKEEPING_INTERVAL_SECONDS": "86400"}
    with Server(data, folder, workers=1, settings=settings) as server:
        services = open_services(Settings(data_dir=data, durability="fast"))
        try:
            yield World(server, services)
        finally:
            services.close()
