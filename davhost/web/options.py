"""What the pages can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..model import Rules

_EVERYTHING = Rules(None)


@dataclass(frozen=True, slots=True)
class PageOptions:
    """What the pages can be told: one frozen table.

    Args:
        public_url: the address that people type, ending in a slash; None when
            nobody said, and requests must.
        registration: who may make an account: anybody, whoever has an
            invitation, nobody.
        quota_default_bytes: of accounts made here; None for no limit.
        rules: the server's allow-list.
    """

    public_url: str | None = None
    registration: Literal["open", "invitation", "closed"] = "closed"
    quota_default_bytes: int | None = None
    rules: Rules = _EVERYTHING
