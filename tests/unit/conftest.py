"""What costs the most time is made cheap: the commands hash passwords, too."""

from functools import partial

import pytest

from davhost.accounts import AccountsOptions
from davhost.bootstrap import services


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash as servers do, with hardly any memory."""
    monkeypatch.setattr(
        services, "AccountsOptions", partial(AccountsOptions, rounds=1, memory_kib=32)
    )
