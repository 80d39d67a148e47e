"""Propstats of a change that was refused: which property, why, and the rest (424)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import Refused
from . import faults
from .multistatus import empty_tag, propstat
from .origin import Site


def property_propstats(names: Sequence[str], refusals: Mapping[str, Refused], site: Site) -> str:
    """Write the propstats; properties that fail for the same reason share one.

    Source: RFC 4918 section 9.2: one failure fails all, the others with 424.
    """
    groups: dict[tuple[int, str], list[str]] = {}
    for name in names:
        refused = refusals.get(name)
        if refused is None:
            key = (424, "")
        else:
            key = (refused.status, faults.condition_xml(refused, site))
        groups.setdefault(key, []).append(empty_tag(name))
    return "".join(propstat(tags, status, error) for (status, error), tags in groups.items())
