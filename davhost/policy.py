"""May this principal make this change? The one place that says no.

`Policy.permit` returns a `Permit`, which the catalogue's write methods demand
and which nobody else can make. Pure: the tree gathers the `Situation`, here it
is judged.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from types import MappingProxyType
from typing import NamedTuple

from . import names
from .changes import (
    NO_SIZE,
    BindCollection,
    BindCopy,
    BindFile,
    Change,
    Rebind,
    Restore,
    Resume,
    Size,
    Unbind,
    WriteContent,
    WriteProperties,
    growth,
)
from .contents import Fault, FaultKind
from .errors import (
    BadName,
    Braked,
    ContentRefused,
    Forbidden,
    LockConflict,
    Locked,
    NameRefused,
    PropertyTooLarge,
    QuotaExceeded,
    ReadOnly,
    TooManyLocks,
)
from .model import Burst, Kind, Lock, Principal, Property, PropertyUpdate, Rules, Space
from .names import NameClass, Verdict
from .paths import DavPath, Name

#: Names longer than this do not fit the index of every database.
PROPERTY_NAME_BYTES_MAX = 1024

_SEAL = object()


class Situation(NamedTuple):
    """What a change is judged by.

    Args:
        locks: every lock in force whose root lies on, above or below a path
            of the change.
        tokens: the state tokens that the request submits.
        faults: what is wrong with content that becomes a file, by the file's
            path; content that is a file of the same type already is left out.
        now_us: when it happens; 0 for what no burst is made of.
    """

    principal: Principal
    space: Space
    locks: Sequence[Lock] = ()
    tokens: frozenset[str] = frozenset()
    faults: Mapping[DavPath, Sequence[Fault]] = MappingProxyType({})
    now_us: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of what is not content one account may keep.

    Args:
        scratch_bytes_max: the size of all temporaries of a space.
        property_bytes_max: the size of one dead property.
        properties_max: dead properties of one resource.
        locks_max: locks in force of one user.
        same_file_seconds: how long a file that left its name can come back
            under it as the same file.
        brake_changes: how many files that had been left alone for
            *brake_seconds* may be overwritten, renamed or deleted within
            *brake_seconds*, before the space can only be read; None for any
            number.
    """

    scratch_bytes_max: int = 4 * 1024**3
    property_bytes_max: int = 64 * 1024
    properties_max: int = 1000
    locks_max: int = 1000
    lock_timeout_default_seconds: int = 600
    lock_timeout_max_seconds: int = 7 * 24 * 3600
    same_file_seconds: float = 600
    brake_changes: int | None = 2000
    brake_seconds: float = 600


@dataclass(frozen=True, slots=True)
class ContentRules:
    """What the content of files is judged by, where not every name is allowed.

    Args:
        fits_type: whether it must be of the type that the name says.
        macros_allowed: whether office documents may hold macros.
    """

    fits_type: bool = True
    macros_allowed: bool = False

    def minds(self, fault: Fault) -> bool:
        """Whether content with *fault* is refused."""
        return not self.macros_allowed if fault.kind is FaultKind.MACROS else self.fits_type


class Permit:
    """The proof that changes were permitted; only `Policy` makes one.

    Attributes:
        changes: in the order in which they are to be applied.
        space: as it was when it was judged.
        rules: the allow-list that the names were judged by.
        grows_by: what the changes add to the space; negative when it shrinks.
        burst: what the changes make of the burst in the space.
        brakes: whether that is too much, so that they are the last ones.
    """

    __slots__ = ("brakes", "burst", "changes", "grows_by", "rules", "space")

    def __init__(
        self,
        changes: tuple[Change, ...],
        space: Space,
        rules: Rules,
        burst: Burst | None = None,
        *,
        brakes: bool = False,
        seal: object,
    ) -> None:
        """Refuse to be made by anyone but the policy.

        Raises:
            TypeError: made without the seal of this module.
        """
        if seal is not _SEAL:
            raise TypeError("only policy.Policy makes Permits")
        self.changes = changes
        self.space = space
        self.rules = rules
        self.grows_by = reduce(Size.__add__, map(growth, changes)) if changes else NO_SIZE
        self.burst = burst
        self.brakes = brakes


class Policy:
    """The rules of one server.

    Args:
        rules: the allow-list of spaces that have none of their own, unless
            administrators have chosen another.
        limits: how much of what is not content one account may keep.
        contents: what the content of files must be.
    """

    def __init__(
        self, rules: Rules, limits: Limits | None = None, contents: ContentRules | None = None
    ) -> None:
        self.rules = rules
        self.limits = limits or Limits()
        self.contents = contents or ContentRules()

    def rules_of(self, space: Space) -> Rules:
        """The allow-list that holds in *space*."""
        return space.rules or space.server_rules or self.rules

    def permit(self, changes: Sequence[Change], situation: Situation) -> Permit:
        """Judge all *changes* of one request together.

        Raises:
            ReadOnly: the principal may only read.
            Braked: nobody may write to the space now.
            BadName: a name that no client could open.
            NameRefused: a file type that is not on the allow-list.
            ContentRefused: bytes that are not what the name says.
            Locked: a lock's token is missing.
            QuotaExceeded: the space would grow beyond its quota.
        """
        _judge_writing(situation)
        rules, root = self.rules_of(situation.space), situation.principal.root
        for change in changes:
            if root.names:
                _judge_scope(change, root)
            _judge_place(change)
            _judge_names(change, rules)
        if situation.locks:
            _judge_locks(changes, situation)
        if self.judges_contents(rules):
            for path, faults in situation.faults.items():
                _refuse_faults(path, [fault for fault in faults if self.contents.minds(fault)])
        burst = self._burst(changes, situation)
        permit = Permit(
            tuple(changes),
            situation.space,
            rules,
            burst,
            brakes=burst is not None and burst.changes >= (self.limits.brake_changes or math.inf),
            seal=_SEAL,
        )
        self.judge_room(permit)
        return permit

    def _burst(self, changes: Sequence[Change], situation: Situation) -> Burst | None:
        """Count what a thief or a broken program would do to files that are not its own.

        What was touched shortly before the burst, or in it, does not count: so
        nobody is stopped who works much on what is new, or often on a few.
        """
        burst, seconds = situation.space.burst, self.limits.brake_seconds
        if self.limits.brake_changes is None or not situation.now_us:
            return burst
        window_us = int(seconds * 1_000_000)
        if burst is None or situation.now_us - burst.began_us > window_us:
            burst = Burst(situation.now_us, 0)
        since_us = burst.began_us - window_us
        harmed = sum(_harms_before(change, since_us) for change in changes)
        return Burst(burst.began_us, burst.changes + harmed) if harmed else situation.space.burst

    def judges_contents(self, rules: Rules) -> bool:
        """Whether the content of files matters in a space with *rules*."""
        judges = self.contents.fits_type or not self.contents.macros_allowed
        return judges and rules.extensions is not None

    def judge_room(self, permit: Permit) -> None:
        """Compare growth with the quota; what does not grow is never refused.

        Raises:
            QuotaExceeded: with both numbers in the sentence.
        """
        space, grows_by = permit.space, permit.grows_by
        room_bytes = space.room_bytes
        if room_bytes is not None and grows_by.file_bytes > room_bytes:
            raise QuotaExceeded(
                f"The space has room for {room_bytes} more bytes, this needs {grows_by.file_bytes}."
            )
        scratch_room_bytes = max(0, self.limits.scratch_bytes_max - space.scratch_bytes)
        if grows_by.scratch_bytes > scratch_room_bytes and not _saves(permit.changes):
            raise QuotaExceeded(
                f"Temporary files have room for {scratch_room_bytes} more bytes, "
                f"this needs {grows_by.scratch_bytes}."
            )

    def size_limit(self, permit: Permit, size_bytes: int) -> int | None:
        """How long the content of a permitted write may grow to be.

        Args:
            size_bytes: the length that *permit* was given for.

        Returns:
            Bytes; None when nothing limits them.
        """
        kinds = [c.kind for c in permit.changes if isinstance(c, BindFile)]
        kinds += [c.resource.kind for c in permit.changes if isinstance(c, WriteContent)]
        space, grows_by = permit.space, permit.grows_by
        if Kind.SCRATCH in kinds:
            room_bytes = self.limits.scratch_bytes_max - space.scratch_bytes
            return max(0, room_bytes - grows_by.scratch_bytes + size_bytes)
        if space.quota_bytes is None:
            return None
        return max(0, space.quota_bytes - space.used_bytes - grows_by.file_bytes + size_bytes)

    def judge_updates(self, updates: Sequence[PropertyUpdate], kept: Sequence[Property]) -> None:
        """Compare dead properties with their limits.

        Args:
            kept: the properties that the resource has now.

        Raises:
            PropertyTooLarge: one of them, or all together, are too much.
        """
        if not updates:
            return
        if any(len(u.xml.encode()) > self.limits.property_bytes_max for u in updates if u.xml):
            raise PropertyTooLarge(
                f"A property may have {self.limits.property_bytes_max} bytes at most."
            )
        if any(len(u.name.encode()) > PROPERTY_NAME_BYTES_MAX for u in updates):
            raise PropertyTooLarge(
                f"A property's name may have {PROPERTY_NAME_BYTES_MAX} bytes at most."
            )
        names_kept = {p.name for p in kept} | {u.name for u in updates if u.xml is not None}
        if len(names_kept) > self.limits.properties_max:
            raise PropertyTooLarge(
                f"A resource may have {self.limits.properties_max} properties at most."
            )

    def lock_seconds(self, wanted_seconds: int | None) -> int:
        """Bound the life of a lock.

        Args:
            wanted_seconds: what the client asked for; None when it did not say.
        """
        if wanted_seconds is None:
            return self.limits.lock_timeout_default_seconds
        return max(1, min(wanted_seconds, self.limits.lock_timeout_max_seconds))

    def permit_lock(self, wanted: Lock, situation: Situation, *, held: int) -> None:
        """Judge a new lock against those in force, also one's own (RFC 4918 section 7.7).

        Args:
            held: how many locks the principal holds now.

        Raises:
            ReadOnly: the principal may only read.
            Braked: nobody may write to the space now.
            TooManyLocks: the principal holds as many as one may.
            LockConflict: naming the roots of the locks that stand in the way.
        """
        _judge_writing(situation)
        self.judge_own_lock(wanted, situation.principal)
        if held >= self.limits.locks_max:
            raise TooManyLocks(f"You hold {held} locks; that is as many as one may.")
        blocking = [
            lock
            for lock in situation.locks
            if (lock.exclusive or wanted.exclusive)
            and (lock.covers(wanted.path) or (wanted.infinite and lock.path.is_within(wanted.path)))
        ]
        if blocking:
            raise LockConflict("Somebody has it locked.", hrefs=_roots(blocking))

    def judge_own_lock(self, lock: Lock, principal: Principal) -> None:
        """Judge whether a principal may make, renew or end a lock of its own space.

        Raises:
            ReadOnly: the principal may only read.
            Forbidden: the lock is not inside of what the principal is confined to.
        """
        if principal.read_only:
            raise ReadOnly("This sign-in may only read.")
        if not lock.path.is_within(principal.root):
            raise Forbidden("This lock is outside of what this sign-in may use.")

    def judge_collection(self, path: DavPath) -> None:
        """Judge the name of a new collection.

        Raises:
            BadName: a name that no client could open.
        """
        _judge_collection_name(path.name)

    def kind_of(self, path: DavPath, rules: Rules) -> Kind:
        """The kind of resource that a new file at *path* is.

        Raises:
            BadName: a name that no client could open.
            NameRefused: a file type that is not on the allow-list.
        """
        verdict = names.classify(path.name, rules)
        _refuse_unless_kept(verdict, rules)
        if verdict.name_class is not NameClass.FILE:
            return Kind.SCRATCH
        saving = rules.extensions is not None and names.in_temporary_folder(path)
        return Kind.SCRATCH if saving else Kind.FILE


def _judge_scope(change: Change, root: DavPath) -> None:
    """Keep a confined principal inside of its root, and the root itself where it is.

    Raises:
        Forbidden: something else would be changed.
    """
    paths = [change.path, *([change.source_path] if isinstance(change, Rebind) else [])]
    may_be_root = isinstance(change, WriteProperties)
    for path in paths:
        if not path.is_within(root) or (path == root and not may_be_root):
            raise Forbidden("This sign-in ends at this folder: the top stays as it is.")


def _saves(changes: Iterable[Change]) -> bool:
    """Whether a document goes on under its own name.

    It leaves a temporary behind, and saving it must not fail for want of room.
    """
    return any(isinstance(change, Resume) for change in changes)


def _judge_place(change: Change) -> None:
    """Keep the names of the server's own URLs free."""
    if isinstance(change, Unbind | WriteProperties):
        return
    why_not = names.check_place(change.path)
    if why_not:
        raise BadName(why_not + ".", phrase=why_not)


def _judge_writing(situation: Situation) -> None:
    if situation.principal.read_only:
        raise ReadOnly("This sign-in may only read.")
    if situation.space.braked_us is not None:
        began = datetime.fromtimestamp(situation.space.braked_us // 1_000_000, UTC)
        raise Braked(
            f"So many files were changed at once, from {began:%Y-%m-%d %H:%M:%S} UTC on, that this "
            "drive can only be read until its administrator has looked at it.",
            phrase="Too many files were changed at once",
        )


def _harms_before(change: Change, since_us: int) -> bool:
    """Whether *change* replaces, renames or removes what was left alone since *since_us*."""
    match change:
        case WriteContent(resource=resource):
            kept = resource.kind is Kind.FILE and resource.blob_key is not None
            return kept and resource.touched_us < since_us
        case Rebind(resource=resource) | Unbind(resource=resource):
            return resource.kind is not Kind.SCRATCH and resource.touched_us < since_us
        case _:
            return False


def _judge_names(change: Change, rules: Rules) -> None:
    match change:
        case BindFile() | WriteContent():
            _judge_file_name(change.path.name, rules)
        case BindCollection():
            _judge_collection_name(change.path.name)
        case BindCopy(source=resource) | Rebind(resource=resource) | Restore(resource=resource):
            if resource.is_collection:
                _judge_collection_name(change.path.name)
            else:
                _judge_file_name(change.path.name, rules)
            for name in sorted(change.names):
                _judge_file_name(name, rules)
        case _:
            pass


def _judge_collection_name(name: Name) -> None:
    why_invalid = names.check_collection(name)
    if why_invalid:
        raise BadName(why_invalid + ".", phrase=why_invalid)


def _judge_file_name(name: Name, rules: Rules) -> None:
    _refuse_unless_kept(names.classify(name, rules), rules)


def _refuse_unless_kept(verdict: Verdict, rules: Rules) -> None:
    if verdict.name_class is NameClass.INVALID:
        raise BadName(verdict.reason + ".", phrase=verdict.reason)
    if verdict.name_class is NameClass.FORBIDDEN:
        allowed = ", ".join(sorted(rules.extensions or ())) or "no file at all"
        raise NameRefused(f"{verdict.reason}. Allowed here: {allowed}.", phrase=verdict.reason)


def _refuse_faults(path: DavPath, faults: Sequence[Fault]) -> None:
    if not faults:
        return
    fault, extension = faults[0], path.name.extension
    if fault.kind is FaultKind.MACROS:
        allowed = "Save it without macros"
    else:
        allowed = f"A file named .{extension} must hold what its name says"
    phrase = f"Content {fault.words}"
    raise ContentRefused(f"{phrase}. {allowed}.", phrase=phrase)


def _judge_locks(changes: Sequence[Change], situation: Situation) -> None:
    blocking: dict[str, Lock] = {}
    for change in changes:
        for path in _written_urls(change, situation.locks):
            covering = [lock for lock in situation.locks if lock.covers(path)]
            if covering and not any(_is_submitted(lock, situation) for lock in covering):
                blocking.update((lock.token, lock) for lock in covering)
    if blocking:
        raise Locked(
            "It is locked, and the lock's token was not sent.", hrefs=_roots(blocking.values())
        )


def _written_urls(change: Change, locks: Sequence[Lock]) -> Iterable[DavPath]:
    """List the URLs whose locks guard *change*.

    The members of a collection are part of its state (RFC 4918 section 7.4), so
    a name that comes or goes writes to the parent too; what leaves takes every
    locked member with it.
    """
    yield change.path
    match change:
        case WriteContent() | WriteProperties():
            return
        case Unbind():
            yield from _locked_below(change.path, locks)
        case Rebind():
            yield change.source_path
            yield from _locked_below(change.source_path, locks)
            if not change.source_path.is_root:
                yield change.source_path.parent
        case _:
            pass
    if not change.path.is_root:
        yield change.path.parent


def _locked_below(path: DavPath, locks: Sequence[Lock]) -> Iterable[DavPath]:
    return {lock.path for lock in locks if lock.path.is_within(path)}


def _is_submitted(lock: Lock, situation: Situation) -> bool:
    return lock.token in situation.tokens and lock.user_id == situation.principal.user_id


def _roots(locks: Iterable[Lock]) -> tuple[str, ...]:
    return tuple(sorted({lock.path.href(collection=False) for lock in locks}))


def forbid_past(path: DavPath) -> None:
    """Keep what is shown of the past as it was.

    Raises:
        Forbidden: *path* is in the collection that shows it.
    """
    if path.names[:1] == (names.HISTORY,):
        raise Forbidden(
            f"What is in /{names.HISTORY} is there to be looked at and copied out of, "
            "and cannot be changed.",
            phrase="The past cannot be changed",
        )


def forbid_root(path: DavPath, verb: str) -> None:
    """Keep the root of a space where it is.

    Raises:
        Forbidden: *path* is the root.
    """
    if path.is_root:
        raise Forbidden(f"The top folder cannot be {verb}.")
