"""Finding the programs that are measured, and asking them short questions."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

#: The programs from PyPI that davhost is measured beside: see the Makefile.
OTHERS = Path(sys.prefix) / "benchmark" / "bin"


class ProgramMissing(Exception):
    """The program is not installed."""


def find(program: str | Path) -> str:
    """Find a program.

    Raises:
        ProgramMissing: it is not there.
    """
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    found = shutil.which(program, path=path)
    if found is None:
        raise ProgramMissing(f"{program} is not installed")
    return found


def output_of(*command: str) -> str:
    """Run a command and give what it prints, on either stream."""
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return (done.stdout + done.stderr).strip()
