"""What load balancers ask."""

from __future__ import annotations

import pytest
from werkzeug.test import Client

from davhost.bootstrap.services import Services
from davhost.catalogue import Catalogue
from davhost.errors import Unavailable
from tests.web.browser import Wsgi


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_server_that_works_says_so(app: Wsgi, method: str) -> None:
    """To anybody, without a password, a cookie or a detail."""
    answer = Client(app).open("/-/health", method=method)
    assert answer.status_code == 200
    assert answer.text == ("ok\n" if method == "GET" else "")
    assert "Set-Cookie" not in answer.headers
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_server_without_its_database_says_so(
    app: Wsgi, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not what is wrong; it works again as soon as the database does."""

    def fail(self: Catalogue, *, writes: bool = False) -> None:
        raise Unavailable("the database at 10.0.0.1 is away")

    with monkeypatch.context() as patch:
        patch.setattr(Catalogue, "people", fail)
        answer = Client(app).get("/-/health")
    assert (answer.status_code, answer.text) == (503, "unavailable\n")
    assert Client(app).get("/-/health").status_code == 200
