"""What a test needs from the machine, and what happens when it is not there.

`@pytest.mark.needs("rclone", "/dev/fuse", "root")` skips a test with a plain
reason on a machine without them. In the complete run, where
DAVHOST_TEST_REQUIRE_ALL=1, the same lack is a failure: a suite that is quietly
left out proves nothing.
"""

import os
import shutil
from pathlib import Path

import pytest

#: Where Debian keeps programs that are not on everybody's PATH.
_PROGRAM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/libexec", "/usr/lib/gvfs")


def require_all() -> bool:
    """Tell whether this is the complete run, in which nothing may be left out."""
    return os.environ.get("DAVHOST_TEST_REQUIRE_ALL") == "1"


def find_program(name: str) -> str | None:
    """Find a program on PATH or where Debian keeps system programs."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *_PROGRAM_FOLDERS))
    return shutil.which(name, path=path)


def program(name: str) -> str:
    """Find a program of which the test has said that it needs it."""
    found = find_program(name)
    assert found is not None, f"{name} is used by a test that is not marked needs({name!r})"
    return found


def _is_here(need: str) -> bool:
    if need == "root":
        return os.geteuid() == 0
    if need.startswith("/"):
        return Path(need).exists()
    return find_program(need) is not None


def require(*needs: str) -> None:
    """Skip the test that needs what this machine lacks, or fail it in the complete run."""
    missing = [need for need in needs if not _is_here(need)]
    if missing:
        leave_out(f"needs {', '.join(missing)} (tests/install-system-packages installs programs)")


def leave_out(reason: str) -> None:
    """Skip the running test, or fail it in the complete run."""
    if require_all():
        pytest.fail(f"{reason}: left out of a run that leaves nothing out", pytrace=False)
    pytest.skip(reason)
