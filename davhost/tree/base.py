"""One change, from the request to the commit.

What every method of the tree shares: plan, compare conditions, have the policy
judge, apply, all in one transaction that holds the mutex of the space.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from functools import partial

from ..blobs import BlobStore
from ..catalogue import Catalogue, Reading, Writing
from ..changes import Change, Rebind, Unbind
from ..clock import Clock
from ..conditions import NO_CONDITIONS, UNMAPPED, Conditions, State, check, sync_token
from ..errors import BadName, ContentRefused, NameRefused, Refused, Unavailable
from ..model import Lock, Principal, Resource
from ..paths import DavPath
from ..policy import Permit, Policy, Situation
from .inspecting import Inspector, Uninspected
from .past import Past, is_past
from .plans import Planner

Plan = Callable[[Planner], Sequence[Change]]

#: Refusals that the owner of a space can look up.
RECORDED = (NameRefused, BadName, ContentRefused)


class Base:
    """One space as one principal may use it; see `Tree`.

    Args:
        after_commit: is told the id of a space that was changed; at once, and
            while the client waits.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        blobs: BlobStore,
        policy: Policy,
        clock: Clock,
        principal: Principal,
        after_commit: Callable[[int], None] = lambda _space_id: None,
    ) -> None:
        self._catalogue = catalogue
        self._blobs = blobs
        self._policy = policy
        self._clock = clock
        self.principal = principal
        self._after_commit = after_commit

    def _change(
        self,
        verb: str,
        path: DavPath,
        plan: Plan,
        conditions: Conditions,
        inspector: Inspector | None = None,
        *,
        refused_path: DavPath | None = None,
        left_at: DavPath | None = None,
        content_type: str | None = None,
        modified_us: int | None = None,
        is_short: bool = True,
    ) -> tuple[Resource, Sequence[Change]]:
        """Plan, judge and apply one request in one transaction.

        When the plan makes a file of bytes that nobody has looked at, the
        transaction is given up, they are looked at, and it begins again.

        Args:
            path: the request URI, which the conditions are about.
            inspector: has the bytes of the request, and what was found in them.
            refused_path: whose name a refusal is about, if not *path*.
            left_at: whose resource to return, if not that of the last change.
            is_short: see `_writing`.
        """
        inspector = inspector or Inspector(self._blobs)
        while True:
            try:
                with self._writing(is_short=is_short) as tx:
                    permit = self._permit(tx, path, plan, conditions, inspector)
                    resource = tx.apply(
                        permit,
                        inspector.stored,
                        content_type=content_type,
                        modified_us=modified_us,
                    )
                    if left_at not in (None, permit.changes[-1].path):
                        # Here: a moment later somebody else may have taken it away.
                        resource = tx.get(left_at)
            except Uninspected as uninspected:
                inspector.inspect(*uninspected.claims)
                continue
            except RECORDED as refused:
                self._record_refusal(verb, refused_path or path, refused)
                raise
            self._delete_dead(tx)
            return resource, permit.changes

    def _delete_dead(self, tx: Writing) -> None:
        """Delete the bytes that nothing names since *tx*, or leave them to housekeeping."""
        if tx.dead_keys:
            with suppress(Unavailable):
                for key in tx.dead_keys:
                    self._blobs.delete(key)

    def _permit(
        self,
        reading: Reading,
        path: DavPath,
        plan: Plan,
        conditions: Conditions,
        inspector: Inspector | None = None,
    ) -> Permit:
        changes = plan(self._planner(reading))
        if conditions is not NO_CONDITIONS:
            self._check(reading, path, find(reading, path), conditions)
        situation = self._situation(reading, _locks_on(reading, changes), conditions)
        permit = self._policy.permit(changes, situation)
        if inspector is None or not self._policy.judges_contents(permit.rules):
            return permit
        # Bytes come last: they are looked at only when nothing else refuses.
        faults = inspector.faults(changes, reading, permit.rules)
        if any(faults.values()):
            permit = self._policy.permit(changes, situation._replace(faults=faults))
        return permit

    def _check(
        self, reading: Reading, path: DavPath, target: Resource | None, conditions: Conditions
    ) -> None:
        if conditions is NO_CONDITIONS:
            return
        state = state_of(reading, path, target, conditions)
        check(conditions, state, lambda tagged: state_at(reading, tagged, conditions))

    def _situation(
        self, reading: Reading, locks: Sequence[Lock], conditions: Conditions
    ) -> Situation:
        return Situation(
            self.principal,
            reading.space(),
            locks,
            conditions.tokens,
            now_us=self._clock.now_us(),
        )

    def _planner(self, reading: Reading) -> Planner:
        moment_us = int(self._policy.limits.same_file_seconds * 1_000_000)
        return Planner(reading, self._policy, self._clock.now_us() - moment_us)

    def _reading(self) -> AbstractContextManager[Reading]:
        return self._catalogue.read(
            self.principal.space_id, lease=self._clock.lease(), top=self.principal.root
        )

    def _writing(self, *, is_short: bool = True) -> AbstractContextManager[Writing]:
        """Open a write transaction.

        Args:
            is_short: whether it takes so little time, whatever the size of a tree,
                that others may wait for it before their own commit.
        """
        return self._catalogue.write(
            self.principal.space_id,
            lease=self._clock.lease(),
            now_us=self._clock.now_us(),
            user_id=self.principal.user_id,
            top=self.principal.root,
            via=self.principal.via,
            shares=is_short,
            after_commit=partial(self._after_commit, self.principal.space_id),
        )

    def _record_refusal(self, verb: str, path: DavPath, refused: Refused) -> None:
        """Write down a refused name or content, after the transaction that refused it.

        Raises:
            NotFound: the account was removed meanwhile.
        """
        with self._writing() as tx:
            tx.space()
            tx.record_refusal(verb, path, refused.sentence)


def _locks_on(reading: Reading, changes: Iterable[Change]) -> Sequence[Lock]:
    """Find the locks that may stand against *changes*."""
    if not reading.space().has_locks:
        return ()  # as nearly always
    paths = {change.path for change in changes}
    paths.update(change.source_path for change in changes if isinstance(change, Rebind))
    below = any(isinstance(change, Unbind | Rebind) for change in changes)
    return reading.locks_touching(paths, below=below)


def find(reading: Reading, path: DavPath, *, sees_space: bool = False) -> Resource | None:
    """Find what is at *path*, now or in the past; None when the URL is not mapped.

    Args:
        sees_space: read the row of the space at the same time, for `Reading.space`.
    """
    if is_past(path):
        return Past(reading).find(path)
    return reading.find(path, sees_space=sees_space)


def state_of(
    reading: Reading, path: DavPath, target: Resource | None, conditions: Conditions
) -> State:
    """Gather what conditions compare: state tokens only when there is an If header.

    A collection's sync-token is one of them (RFC 6578 section 5): a client may
    have a change made only if nothing has happened since it last looked.
    """
    held = reading.locks_touching([path], below=False) if conditions.lists else ()
    tokens = frozenset(lock.token for lock in held if lock.covers(path))
    if conditions.lists and target is not None and target.is_collection:
        tokens |= {sync_token(reading.space(), reading.journal_seq())}
    return plain_state(target, tokens)


def plain_state(target: Resource | None, tokens: frozenset[str] = frozenset()) -> State:
    """Gather what conditions compare that are about *target* alone."""
    if target is None:
        return State(exists=False, tokens=tokens) if tokens else UNMAPPED
    return State(
        exists=True,
        etag=target.etag,
        modified_seconds=target.modified_us // 1_000_000,
        tokens=tokens,
    )


def state_at(reading: Reading, path: DavPath, conditions: Conditions) -> State:
    """Gather the state of a resource that an If header tags."""
    return state_of(reading, path, find(reading, path), conditions)
