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
        self._data = home / "data"

    def version(self) -> str:
        """Name its version."""
        return output_of(self._program, "--version").replace("davhost, version", "davhost")

    def environment(self) -> dict[str, str]:
        """Set what differs from the defaults."""
        return super().environment() | {"DAVHOST_DURABILITY": self._durability}

    def command(self) -> list[str]:
        """Serve."""
        port = str(self.address.port)
        return [self._program, "serve", "--data", str(self._data), "--port", port]

    def take(self) -> None:
        """Import it, once for every davhost of this run: they begin with copies."""
        filled = self.home.parent / "davhost-data"
        if not filled.exists():
            self._fill(filled)
        # cp keeps the hard links between blobs and readable trees.
        output_of("cp", "-a", str(filled), str(self._data))

    def _fill(self, data: Path) -> None:
        user, password = self.address.user, self.address.password
        add = ("user", "add", user, "--password-stdin", "--allow", "*")
        self._administer(data, *add, stdin=password + "\n")
        if any(self.stock.iterdir()):
            self._administer(data, "import", str(self.stock), "--user", user)

    def _administer(self, data: Path, *command: str, stdin: str = "") -> None:
        subprocess.run(
            [self._program, *command, "--data", str(data)],
            cwd=self.home,
            # What is there before the start need not be synced file by file.
            env=self.environment() | {"DAVHOST_DURABILITY": "fast"},
            input=stdin,
            text=True,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
