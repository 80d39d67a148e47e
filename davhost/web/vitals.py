"""How the server is doing, as administrators see it."""

from __future__ import annotations

from dataclasses import dataclass

from ..catalogue import Database

#: Housekeeping that has not been done for so long, beside its interval, is late: a
#: round of a large drive takes minutes.
_LATE_US = 3600 * 1_000_000

#: From when on a certificate is worth a warning.
_ENDS_SOON_US = 30 * 86_400 * 1_000_000


@dataclass(frozen=True, slots=True)
class Vitals:
    """What the parts of the server tell about themselves.

    Args:
        revision: of the schema.
        room_bytes: what uploads may still bring; None where that is not known.
        is_full: whether old bytes are given up for want of room.
        housekeeping_us: when a round of it ended last; None for never.
        housekeeping_seconds: from one round to the next.
        shows_trees: whether homes stand as plain files, too.
        lagging_trees: how many of these have something to catch up; None where
            that is not known.
        backup_us: when `davhost backup` made the last one; None for never.
        speaks_tls: whether connections are encrypted here, and not by a proxy.
        certificate_ends_us: when the certificate ends; None where that is not known.
    """

    now_us: int
    version: str
    database: Database
    revision: str
    room_bytes: int | None
    is_full: bool
    housekeeping_us: int | None
    housekeeping_seconds: float
    shows_trees: bool
    lagging_trees: int | None
    backup_us: int | None
    speaks_tls: bool
    certificate_ends_us: int | None

    @property
    def housekeeping_is_late(self) -> bool:
        """Whether nothing was tidied up for longer than it should be."""
        if self.housekeeping_us is None:
            return False
        late_us = self.housekeeping_seconds * 1_000_000 + _LATE_US
        return self.now_us - self.housekeeping_us > late_us

    @property
    def certificate_ends_soon(self) -> bool:
        """Whether clients will soon be unable to connect, or are already."""
        end_us = self.certificate_ends_us
        return end_us is not None and end_us - self.now_us < _ENDS_SOON_US

    @property
    def is_well(self) -> bool:
        """Whether nobody needs to do anything."""
        return not (self.is_full or self.housekeeping_is_late or self.certificate_ends_soon)
