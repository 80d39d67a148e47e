"""How an instance is doing: what its parts can tell, put together for the page about it."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from davhost import __version__
from davhost.bootstrap.services import Services
from davhost.catalogue.upkeep import Chore
from davhost.errors import Unavailable
from davhost.settings import Settings
from davhost.web import Vitals


def vitals_of(services: Services) -> Vitals:
    """Look at every part once.

    Raises:
        Unavailable: the database cannot be used now.
    """
    settings = services.settings
    with services.catalogue.upkeep(writes=False) as upkeep:
        done = upkeep.last_done()
    room_bytes, is_full = None, True
    with suppress(Unavailable):  # the store cannot be read: that is no better
        room_bytes, is_full = services.blobs.room_bytes(), services.blobs.is_full()
    return Vitals(
        now_us=services.clock.now_us(),
        version=__version__,
        database=services.catalogue.describe(),
        revision=services.catalogue.current_revision() or "",
        room_bytes=room_bytes,
        is_full=is_full,
        housekeeping_us=done.get(Chore.HOUSEKEEPING),
        housekeeping_seconds=settings.housekeeping_interval_seconds,
        shows_trees=services.projection is not None,
        lagging_trees=_lagging_trees(services),
        backup_us=done.get(Chore.BACKUP),
        speaks_tls=settings.certificate_path is not None,
        certificate_ends_us=_certificate_ends_us(settings),
    )


def _lagging_trees(services: Services) -> int | None:
    if services.projection is None:
        return None
    try:
        return len(services.projection.lagging())
    except OSError:
        return None


def _certificate_ends_us(settings: Settings) -> int | None:
    if settings.certificate_path is None:
        return None
    # 8 MiB that no process needs without TLS.
    from davhost.bootstrap.own_certificate import end_at

    end: datetime | None = None
    with suppress(OSError):  # moved away since the start
        end = end_at(settings)
    return None if end is None else int(end.timestamp()) * 1_000_000
