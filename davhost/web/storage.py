"""How much accounts hold and how it has grown, for administrators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import flask
from flask import Blueprint

from ..accounts.storage import Report
from ..catalogue.storage import Use
from .context import admin_only, parts

pages = Blueprint("storage", __name__, url_prefix="/-/admin/storage")

#: How far the chart goes back, and over how many days growth is told.
_CHART_DAYS = 30
_GROWTH_DAYS = (1, 7, 30)

_DAY_US = 86_400_000_000

#: The chart in its own units; it is drawn as wide as the page.
WIDTH, HEIGHT = 620, 160
_STEP, _BAR = 20, 14


@dataclass(frozen=True, slots=True)
class Bar:
    """What all accounts held at one time, as a bar of two parts from the bottom up.

    Args:
        at_us: when; the last bar is of now.
    """

    at_us: int
    use: Use
    x: int
    used_y: float
    used_height: float
    kept_y: float
    kept_height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """The bars that there are, and what the full height stands for."""

    bars: Sequence[Bar]
    top_bytes: int
    width: int = WIDTH
    height: int = HEIGHT
    bar_width: int = _BAR


@pages.get("")
@admin_only
def overview() -> str:
    """Show what every account holds, how it grows, and what is free."""
    report = parts().accounts.storage.report(_CHART_DAYS)
    quotas = [history.account.quota_bytes for history in report.histories]
    return flask.render_template(
        "storage.html",
        report=report,
        chart=chart(report),
        growth_days=_GROWTH_DAYS,
        promised_bytes=sum(quota for quota in quotas if quota is not None),
        without_quota=quotas.count(None),
    )


def chart(report: Report) -> Chart:
    """Draw how much all accounts held as each of the last days began, and hold now."""
    written = [history.days[0].day for history in report.histories if history.days]
    first_day = max(min(written, default=report.today + 1), report.today - _CHART_DAYS + 1)
    days = range(first_day, report.today + 1)
    past = [(day * _DAY_US, report.find_at(day)) for day in days]
    points = [(at_us, use) for at_us, use in past if use is not None]
    points.append((report.now_us, report.now))
    top_bytes = max(max(use.used_bytes + use.kept_bytes for _, use in points), 1)
    first_x = WIDTH - len(points) * _STEP
    return Chart(
        [
            _bar(at_us, use, first_x + number * _STEP, HEIGHT / top_bytes)
            for number, (at_us, use) in enumerate(points)
        ],
        top_bytes,
    )


def _bar(at_us: int, use: Use, x: int, per_byte: float) -> Bar:
    used_height, kept_height = use.used_bytes * per_byte, use.kept_bytes * per_byte
    return Bar(
        at_us=at_us,
        use=use,
        x=x,
        used_y=round(HEIGHT - used_height, 2),
        used_height=round(used_height, 2),
        kept_y=round(HEIGHT - used_height - kept_height, 2),
        kept_height=round(kept_height, 2),
    )
