"""What the pages can be told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PageOptions:
    """What the pages can be told: one frozen table.

    Args:
        public_url: the address that people type, ending in a slash; None when
            nobody said, and requests must.
    """

    public_url: str | None = None
