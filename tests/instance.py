"""A complete instance without a server: catalogue, blobs, accounts, trees.

Time and password cost are the test's: the clock stands until it is moved.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from davhost.accounts import Accounts, AccountsOptions
from davhost.blobs import BlobStore
from davhost.blobs.local import LocalBlobs
from davhost.catalogue import Catalogue
from davhost.conditions import NO_CONDITIONS, Conditions, StateCondition, StateList
from davhost.housekeeping import Housekeeping, Keeping
from davhost.model import Rules
from davhost.paths import DavPath
from davhost.policy import ContentRules, Limits, Policy
from davhost.tree import Outcome, Tree

PASSWORD = "correct horse battery"
DEFAULT_ALLOW = "txt,pdf,png,jpg,jpeg,gif,docx,xlsx,ppt,pptx"


@dataclass
class Clock:
    """Time that passes when the test says so."""

    seconds: float = 1_800_000_000.0

    def now_us(self) -> int:
        """The wall clock."""
        return int(self.seconds * 1_000_000)

    def lease(self) -> float:
        """The lease clock."""
        return self.seconds

    def pass_(self, seconds: float) -> None:
        """Let time go by."""
        self.seconds += seconds


@dataclass
class Instance:
    """The parts of one davhost below its edges."""

    catalogue: Catalogue
    blobs: BlobStore
    clock: Clock = field(default_factory=Clock)
    allow: str = DEFAULT_ALLOW
    limits: Limits = field(default_factory=Limits)
    contents: ContentRules = field(default_factory=ContentRules)
    naps: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make what depends on the rest."""
        self.policy = Policy(Rules.parse(self.allow), self.limits, self.contents)
        self.accounts = Accounts(
            self.catalogue,
            self.blobs,
            self.clock,
            AccountsOptions(rounds=1, memory_kib=32),
            sleep=self.naps.append,
        )

    def home(
        self, email: str, *, quota_bytes: int | None = None, allow: str | None = None
    ) -> "Home":
        """Make an account and open its home."""
        rules = None if allow is None else Rules.parse(allow)
        self.accounts.register(email, PASSWORD, quota_bytes=quota_bytes, rules=rules)
        return self.open(email)

    def open(self, email: str) -> "Home":
        """Open the home of an account."""
        principal = self.accounts.principal(email)
        return Home(Tree(self.catalogue, self.blobs, self.policy, self.clock, principal))

    def housekeeping(self, **keeping: float) -> Housekeeping:
        """Make the housekeeper, with its own times."""
        return Housekeeping(self.catalogue, self.blobs, self.policy, self.clock, Keeping(**keeping))


@dataclass
class Home:
    """A tree, spoken to in short words with textual paths."""

    tree: Tree

    def put(
        self,
        path: str,
        content: bytes | Sequence[bytes] = b"",
        conditions: Conditions | None = None,
    ) -> Outcome:
        """Write a file of known length."""
        blocks = [content] if isinstance(content, bytes) else list(content)
        length = sum(len(block) for block in blocks)
        return self.tree.write(
            path_(path), blocks, length=length, conditions=conditions or NO_CONDITIONS
        )

    def mkcol(self, path: str) -> None:
        """Make a collection."""
        self.tree.make_collection(path_(path))

    def get(self, path: str) -> bytes:
        """Read a file."""
        opened = self.tree.open(path_(path))
        if opened.content is None:
            return b""
        with opened.content as content:
            return content.read()

    def delete(self, path: str, conditions: Conditions = NO_CONDITIONS) -> None:
        """Unbind a resource."""
        self.tree.unbind(path_(path), conditions=conditions)

    def move(self, source: str, destination: str, *, overwrite: bool = True) -> bool:
        """Move; say whether the destination was unmapped."""
        return self.tree.move(path_(source), path_(destination), overwrite=overwrite).created

    def copy(
        self, source: str, destination: str, *, overwrite: bool = True, deep: bool = True
    ) -> bool:
        """Copy; say whether the destination was unmapped."""
        return self.tree.copy(
            path_(source), path_(destination), deep=deep, overwrite=overwrite
        ).created

    def lock(self, path: str, *, exclusive: bool = True, infinite: bool = False) -> str:
        """Lock; return the token."""
        return self.tree.lock(
            path_(path),
            exclusive=exclusive,
            infinite=infinite,
            owner_xml="",
            timeout_seconds=None,
        ).lock.token

    def names(self, path: str = "/") -> list[str]:
        """List all paths below a collection."""
        listing = self.tree.listing(path_(path), depth=None, dead=False, locks=False)
        return sorted(entry.path.text for entry in listing.entries[1:])

    def id_of(self, path: str) -> int:
        """The identity of what is at a path."""
        return self.tree.look(path_(path)).resource.id

    def used(self) -> int:
        """Bytes that the quota counts."""
        return self.tree.space().used_bytes

    def scratch(self) -> int:
        """Bytes of temporaries."""
        return self.tree.space().scratch_bytes


def path_(text: str) -> DavPath:
    """Parse a path as a person writes it."""
    return DavPath.from_text(text)


def with_token(*tokens: str) -> Conditions:
    """Submit lock tokens, as an If header of one list for each does."""
    return Conditions(
        lists=tuple(StateList((StateCondition(negated=False, token=token),)) for token in tokens)
    )


def make_instance(database_url: str, folder: Path, **options: object) -> Instance:
    """Make an instance on a database without rows, its blobs on the disk, without fsync."""
    catalogue = Catalogue(database_url, durable=False)
    if catalogue.current_revision() is None:
        catalogue.upgrade()
    return Instance(catalogue, LocalBlobs(folder / "blobs", durable=False), **options)  # type: ignore[arg-type]
