"""The `davhost` program; `python -m davhost` is the same."""

from __future__ import annotations

import os

from davhost import cli


def main() -> None:
    """Run the command line; what it makes on the disk is nobody else's to read."""
    os.umask(0o077)
    cli.main(prog_name="davhost")


if __name__ == "__main__":
    main()
