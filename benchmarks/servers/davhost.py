"""davhost as it comes: SQLite, argon2 passwords, one worker for each core."""

import subprocess
import sys
from pathlib import Path

from benchmarks.programs import find, output_of
from benchmarks.servers.base import Server


class Davhost(Server):
    """davhost of the environment that runs the measurement.

    Args:
        durability: the setting of that name.
    """

    def __init__(self, home: Path, stock: Path, *, durability: str) -> None:
        super().__init__(home, stock)
        self._durability = durability
        self._program = find(Path(sys.executable).with_name("davhost"))
        self._administer(
            "user", "add", self.address.user, "--password-stdin", "--allow", "*",
            stdin=self.address.password + "\n",
        )  # fmt: skip

    def version(self) -> str:
        """Name its version."""
        return output_of(self._program, "--version")

    def environment(self) -> dict[str, str]:
        """Set what differs from the defaults."""
        return super().environment() | {"DAVHOST_DURABILITY": self._durability}

    def command(self) -> list[str]:
        """Serve."""
        return [self._program, "serve", *self._data, "--port", str(self.address.port)]

    @property
    def _data(self) -> list[str]:
        return ["--data", str(self.home / "data")]

    def _administer(self, *command: str, stdin: str = "") -> None:
        subprocess.run(
            [self._program, *command, *self._data],
            cwd=self.home,
            env=self.environment(),
            input=stdin,
            text=True,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def take(self) -> None:
        """Import it."""
        if any(self.stock.iterdir()):
            self._administer("import", str(self.stock), "--user", self.address.user)
