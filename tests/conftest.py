"""What every kind of test shares: the machine's programs, and a PostgreSQL."""

from collections.abc import Generator

import pytest

from tests.needs import require, require_all
from tests.postgres import postgres_server, postgres_url

# Helpers assert too: show their values as a test's own are shown.
pytest.register_assert_rewrite("tests.live")

__all__ = ["postgres_server", "postgres_url"]


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marks that the suites use."""
    config.addinivalue_line(
        "markers", "needs(*programs): programs, /paths or 'root' without which the test is left out"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave a test out, with a reason, when the machine lacks what it needs."""
    needs = [need for mark in item.iter_markers("needs") for need in mark.args]
    require(*needs)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn every skip of the complete run into a failure: it leaves nothing out."""
    report = yield
    if require_all() and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
    return report
