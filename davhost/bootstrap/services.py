"""The parts of one instance, made from its settings."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from davhost.accounts import Accounts, AccountsOptions
from davhost.blobs.local import LocalBlobs
from davhost.catalogue import Catalogue
from davhost.clock import Clock, SystemClock, since_boot_seconds
from davhost.housekeeping import Housekeeping, Keeping
from davhost.model import Principal
from davhost.policy import ContentRules, Limits, Policy
from davhost.projection import Follower, Projection
from davhost.settings import Settings
from davhost.tree import Tree


@dataclass(frozen=True, slots=True)
class Services:
    """Everything below the edges, for one process; it must not cross a fork.

    Args:
        projection: the readable trees, and *follower* the thread that keeps
            them; None when the settings switch them off.
    """

    settings: Settings
    catalogue: Catalogue
    blobs: LocalBlobs
    clock: Clock
    policy: Policy
    accounts: Accounts
    housekeeping: Housekeeping
    projection: Projection | None = None
    follower: Follower | None = None

    def tree_of(self, principal: Principal) -> Tree:
        """The home of *principal*, behind its one door."""
        parts = (self.catalogue, self.blobs, self.policy, self.clock)
        if self.follower is None:
            return Tree(*parts, principal)
        return Tree(*parts, principal, self.follower.note)

    def keep_house(self) -> threading.Event:
        """Begin to tidy up in the background; setting the event ends it."""
        stop = threading.Event()
        if self.follower is not None:
            self.follower.start(stop)
        work = self.housekeeping.run
        threading.Thread(target=work, args=(stop,), name="housekeeping", daemon=True).start()
        return stop

    def close(self) -> None:
        """Show in the readable trees what was changed, and close the database connections."""
        if self.follower is not None:
            self.follower.settle()
        self.catalogue.close()


def open_catalogue(settings: Settings) -> Catalogue:
    """Make the catalogue's engine; the data folder is made when it is missing.

    Raises:
        OSError: the data folder cannot be made.
        ValueError: the database is of an unsupported kind.
    """
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Catalogue(settings.catalogue_url, durable=settings.durability == "full")


def open_services(settings: Settings) -> Services:
    """Make every part for an instance whose schema is in order.

    Raises:
        OSError: the data folder cannot be made or written to.
        SchemaOutdated: the schema is not the one that this version needs.
        Unavailable: the database cannot be reached.
    """
    catalogue = open_catalogue(settings)
    catalogue.check_schema()
    durable = settings.durability == "full"
    blobs = LocalBlobs(
        settings.data_dir / "blobs", durable=durable, reserve_bytes=settings.disk_reserve
    )
    clock = system_clock(catalogue)
    policy = Policy(settings.rules, _limits(settings), _content_rules(settings))
    projection = follower = None
    if settings.readable_tree:
        projection = Projection(catalogue, blobs, clock, settings.data_dir / "users")
        follower = Follower(projection)
    return Services(
        settings=settings,
        catalogue=catalogue,
        blobs=blobs,
        clock=clock,
        policy=policy,
        accounts=Accounts(
            catalogue,
            blobs,
            clock,
            _accounts_options(settings),
            after_removal=follower.note_user if follower else lambda _user_id: None,
        ),
        housekeeping=Housekeeping(
            catalogue,
            blobs,
            policy,
            clock,
            _keeping(settings),
            find_lagging=follower.look_around if follower else lambda: 0,
        ),
        projection=projection,
        follower=follower,
    )


def system_clock(catalogue: Catalogue) -> SystemClock:
    """The clocks of this machine, in step with every other process."""
    since_boot = since_boot_seconds()
    offset = catalogue.lease_offset_seconds(now_seconds=time.time(), since_boot_seconds=since_boot)
    return SystemClock(offset)


def _accounts_options(settings: Settings) -> AccountsOptions:
    return AccountsOptions(
        remember_seconds=settings.credentials_cache_seconds,
        wrong_tries_per_minute=settings.wrong_tries_per_minute,
        checks_at_once=settings.password_checks_at_once,
    )


def _limits(settings: Settings) -> Limits:
    return Limits(
        scratch_bytes_max=settings.scratch_bytes_max,
        property_bytes_max=settings.property_bytes_max,
        properties_max=settings.properties_per_resource_max,
        locks_max=settings.locks_per_user_max,
        same_file_seconds=settings.same_file_minutes * 60,
        brake_changes=settings.brake_changes if settings.brake else None,
        brake_seconds=settings.brake_minutes * 60,
        lock_timeout_default_seconds=settings.lock_timeout_default_seconds,
        lock_timeout_max_seconds=settings.lock_timeout_max_seconds,
    )


def _content_rules(settings: Settings) -> ContentRules:
    return ContentRules(fits_type=settings.content_check, macros_allowed=settings.macros_allowed)


def _keeping(settings: Settings) -> Keeping:
    return Keeping(
        interval_seconds=settings.housekeeping_interval_seconds,
        scratch_seconds=settings.scratch_keep_hours * 3600,
        trash_seconds=settings.trash_keep_days * 86400,
        version_seconds=settings.versions_keep_days * 86400,
        version_all_seconds=settings.versions_keep_all_hours * 3600,
        version_hourly_seconds=settings.versions_keep_hourly_days * 86400,
        kept_percent=settings.kept_percent,
        refusal_seconds=settings.refusals_keep_days * 86400,
    )
